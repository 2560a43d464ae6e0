# SPDX-License-Identifier: Apache-2.0
"""retentionctl check --deep: what changed the store behind the daemon's back is found and named."""

import os

import pytest

import keepers
import people
from ctl import OK, PERMISSION, VERIFICATION, Ctl
from daemon import DAY, running

SLOT = 32
FIRST_SLOT = 4096  # where the key of uid 1 stands; see daemon/store/vault.h

N = 30
REMOVED, SOFT_DELETED, REMOVING = 1, 5, 11


@pytest.fixture
def lived():
    """A daemon with accounts in every state, some of them not settled yet."""
    with running(keepers.grant("crm")) as daemon:
        with daemon.connect() as client:
            people.set_org(client, **people.PRIVACY)
            people.take_in(client, *[people.guest(f"g{i}") for i in range(1, N + 1)])
            client.items("account.remove", people.names([f"g{i}" for i in range(1, 16)]))
            client.items("account.purge", people.names([f"g{i}" for i in range(1, 5)]))
            people.settle(client)
            keepers.set_keeper(client, "crm")
            client.items("account.purge", people.names([f"g{i}" for i in range(10, 13)]))
        yield daemon


def deep(daemon, code=OK):
    return Ctl(daemon.socket)("check", "--deep", code=code).stdout


def write(path, at, data):
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def slot(uid):
    return FIRST_SLOT + SLOT * (uid - 1)


def test_a_sound_store_is_found_sound_before_and_after_a_restart(lived):
    assert deep(lived) == "ok: nothing needs anybody\n"
    lived.restart()
    assert deep(lived) == "ok: nothing needs anybody\n"
    with lived.connect() as client:
        client.call("clock.advance", by_us=29 * DAY)
    told = Ctl(lived.socket)("verify-store").stdout
    assert told == "accounts, keys, indexes and the removal register say the same\n"
    assert Ctl(lived.socket)("verify-store", "--quiet").stdout == ""


def test_scripts_are_told_in_json_that_all_is_well(lived):
    told = Ctl(lived.socket).json("verify-store")
    assert told.pop("checked") > N and told == {"ok": True}
    assert Ctl(lived.socket).json("check", "--deep") == {"ok": True, "faults": [], "unchecked": []}


def test_every_part_is_looked_at_a_slice_at_a_time(lived):
    lived.restart()  # every row is in its tables
    with lived.connect() as client:
        checked, cursor = {}, {}
        while cursor is not None:
            page = client.call("store.verify", limit=4, **cursor)
            assert page["ok"] and page["checked"] <= 4
            checked[page["part"]] = checked.get(page["part"], 0) + page["checked"]
            cursor = {"cursor": page["cursor"]} if "cursor" in page else None
        stats = client.call("stats.get")["accounts"]
    removed = stats["removed"]
    assert (removed, stats["removing"], stats["soft_deleted"]) == (4, 3, 8)
    assert checked["accounts"] == N
    assert checked["register"] == 2 * removed + stats["removing"]
    # Every account by its id, the living by person and UPN, 8 windows and 3 removals to end.
    assert checked["indexes"] == N + 2 * (N - removed) + 8 + 2 * 3


def test_a_cursor_that_is_none_is_refused(lived):
    for cursor in ("", "00", "zz" * 35, "ff" * 35, "00" * 34):
        with lived.connect() as client, pytest.raises(Exception, match="invalid-argument"):
            client.call("store.verify", cursor=cursor)


def check_finding(daemon, what, uid):
    said = deep(daemon, VERIFICATION)
    assert said.startswith(f"verification failed at account uid:{uid}: {what}.\n"), said
    assert "restore the newest backup" in said
    told = Ctl(daemon.socket).json("verify-store", code=VERIFICATION)
    assert told["fault"] == {"what": what, "uid": uid} and told["checked"] > 0
    told = Ctl(daemon.socket).json("check", "--deep", code=VERIFICATION)
    assert told == {
        "ok": False,
        "faults": [{"code": "verification-failed", "text": said.rstrip("\n").replace("\n", " ")}],
        "unchecked": [],
    }


@pytest.mark.parametrize("uid", [SOFT_DELETED, N])
def test_a_key_that_is_gone_is_found(lived, uid):
    write(lived.state / "store" / "vault", slot(uid), bytes(SLOT))
    check_finding(lived, "the account's key or its personal data is missing", uid)


def test_a_key_that_was_changed_is_found(lived):
    write(lived.state / "store" / "vault", slot(N), b"k" * SLOT)
    check_finding(lived, "the account's personal data is not what was sealed", N)


def test_the_key_of_a_removed_person_that_came_back_is_found(lived):
    write(lived.state / "store" / "vault", slot(REMOVED), b"k" * SLOT)
    check_finding(lived, "the removed account's key is still in the vault", REMOVED)


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes somebody else")
def test_who_may_not_audit_is_told_so(lived):
    nobody = Ctl(lived.socket).become(12345)
    assert "auditor" in nobody("check", "--deep", code=PERMISSION).stderr
