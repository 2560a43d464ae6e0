# SPDX-License-Identifier: Apache-2.0
"""Backups, and the drill of packaging/restore.md: a restored backup brings nobody back."""

import os
import pathlib
import re
import secrets
import shutil
import stat
import subprocess
import time

import pytest

import people
import wire
from daemon import DAY, ENVIRONMENT, NotStarted, running
from traced import Traced
from wire import RpcError

N_REMOVED = 500
N_OTHERS = 60

MARK = secrets.token_hex(8)

RESTORE = pathlib.Path(__file__).parents[2] / "packaging" / "restore.md"


def back_up(client):
    """Has a backup made, and returns what is told of its end."""
    started = client.call("backup.create")
    assert started["running"], started

    def ended():
        time.sleep(0.01)  # between two questions, not for an event
        told = client.call("backup.create")
        return None if told["running"] else told

    told = wire.until(ended, "the backup is made")
    assert told["started_us"] == started["started_us"]
    return told


def commands_of_page():
    """Those that put the copies into place, those for another host alone, those at the end."""
    return re.findall(r"^```sh\n(.*?)^```", RESTORE.read_text(), re.DOTALL | re.MULTILINE)


def run(daemon, commands, **variables):
    """Commands of the page, as they stand there."""
    subprocess.run(
        ["sh", "-eu", "-c", commands],
        env={**ENVIRONMENT, "state": str(daemon.state), **variables},
        check=True,
    )


def restore(daemon, directory, vault=True):
    commands = commands_of_page()[0]
    if not vault:
        commands = "".join(line for line in commands.splitlines(True) if "$vault" not in line)
    copy = daemon.state / "backup-vault" / "vault"
    run(daemon, commands, data=f"{directory}/data.mdb", vault=str(copy))


def mark_of(i):
    return f"person-{i}-{MARK}"


def marked(i):
    return people.guest(
        f"id-{mark_of(i)}", name=f"Name {mark_of(i)}", groups=[f"group-{mark_of(i)}"]
    )


@pytest.fixture
def everybody(client, contoso):
    """Accounts of which some will be removed; their uids, those first."""
    accounts = [marked(i) for i in range(N_REMOVED + N_OTHERS)]
    return [item["uid"] for item in people.take_in(client, *accounts, reason=f"why {MARK}")]


def remove_for_good(client, uids):
    """As time does it: half of them purged, half by the end of their window."""
    items = client.items("account.remove", [{"uid": uid} for uid in uids], reason=f"why {MARK}")
    assert set(people.outcomes(items)) == {"ok"}
    items = client.items("account.purge", [{"uid": uid} for uid in uids[::2]])
    assert set(people.outcomes(items)) == {"ok"}
    client.call("clock.advance", by_us=31 * DAY)
    people.settle(client)


def shown(client, uids):
    """All that can be asked about accounts."""
    return str(
        [
            [client.call("account.get", uid=uid) for uid in uids],
            [client.call("account.explain", uid=uid) for uid in uids[:20]],
            list(client.pages("account.list", "accounts", limit=1000)),
        ]
    )


def test_none_of_500_removed_people_comes_back_with_a_backup(daemon, client, everybody):
    removed, others = everybody[:N_REMOVED], everybody[N_REMOVED:]
    backup = back_up(client)
    assert "error" not in backup
    before = [people.get(client, uid=uid) for uid in others]
    remove_for_good(client, removed)
    assert client.call("stats.get")["accounts"]["removed"] == N_REMOVED
    now = client.call("retention.info")["clock"]["now_us"]
    daemon.stop()

    restore(daemon, backup["directory"])
    daemon.start()
    with daemon.connect() as again:
        counts = again.call("stats.get")["accounts"]
        assert (counts["active"], counts["removed"]) == (N_OTHERS, N_REMOVED)
        assert counts["soft_deleted"] == counts["removing"] == 0
        told = shown(again, removed)
        for i in range(N_REMOVED):
            assert mark_of(i) not in told
        for uid in removed:
            assert again.call("account.get", uid=uid)["account"]["state"] == "removed"
        listed = again.pages("account.list", "accounts", state="active", limit=1000)
        assert sorted(account["uid"] for account in listed) == others
        assert [people.get(again, uid=uid) for uid in others] == before
        assert people.verify(again) == people.head(again)
        assert again.call("retention.info")["clock"]["now_us"] == now
        events = [entry["event"] for entry in people.history(again, uid=removed[0])]
        assert events[-2:] == ["removal-started", "removal-completed"]
        new = people.take_in(again, people.guest("new"))[0]
        assert new["uid"] == max(everybody) + 1
    assert "removals were started again and 500 completed" in daemon.log.read_text()
    for path in [daemon.state / "store" / "data.mdb", daemon.state / "register", daemon.log]:
        assert MARK.encode() not in path.read_bytes()

    daemon.restart()
    assert daemon.log.read_text().count("started again") == 1
    take_away_what_was_before(daemon)


def take_away_what_was_before(daemon):
    """No block of the disk keeps a key."""
    before = daemon.state / "store.before"
    kept = daemon.directory / "kept"
    kept.hardlink_to(before / "vault")
    keys = [kept.read_bytes()[at : at + 32] for at in range(4096, kept.stat().st_size, 32)]
    run(daemon, commands_of_page()[2])
    assert not before.exists()
    assert keys and not any(key in kept.read_bytes() for key in keys if any(key))


def test_a_removal_that_had_started_goes_on_with_its_deadline(daemon, client, everybody):
    keeper = client.call("keeper.set", keeper="files")
    assert keeper["outcome"] == "ok"
    backup = back_up(client)
    people.do(client, "remove", marked(0)["id"])
    people.do(client, "purge", marked(0)["id"])
    due = people.get(client, marked(0)["id"])["removal_due_us"]
    client.call("clock.advance", by_us=10 * DAY)
    daemon.stop()

    restore(daemon, backup["directory"])
    daemon.start()
    with daemon.connect() as again:
        account = people.get(again, marked(0)["id"])
        assert (account["state"], account["removal_due_us"]) == ("removing", due)
        assert people.do(again, "restore", marked(0)["id"])["outcome"] == "irrevocable"
    daemon.stop()


def test_a_backup_of_the_data_alone_is_unreadable(daemon, client, everybody):
    backup = back_up(client)
    daemon.stop()
    data = pathlib.Path(backup["directory"]) / "data.mdb"
    assert MARK.encode() not in data.read_bytes()

    restore(daemon, backup["directory"], vault=False)
    code, log = daemon.run_to_end()
    assert code == 1
    assert f"the vault {daemon.state}/store/vault is missing or damaged" in log


def test_commands_go_on_while_a_backup_is_made(daemon, client, everybody):
    answers = 0
    told = client.call("backup.create")
    while told["running"]:
        people.do(client, "disable", marked(answers % N_OTHERS)["id"])
        people.do(client, "enable", marked(answers % N_OTHERS)["id"])
        answers += 1
        told = client.call("backup.create")
    assert "error" not in told
    assert client.call("stats.get")["last_backup_us"] == told["finished_us"]
    assert people.verify(client) == people.head(client)


def test_backups_are_the_daemons_alone_and_recorded(daemon, client, everybody):
    first, second = back_up(client), back_up(client)
    assert first["directory"] != second["directory"]
    for root in ("backup", "backup-vault"):
        for path in (daemon.state / root).rglob("*"):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert sorted(os.listdir(daemon.state / "backup-vault")) == ["vault"]
    assert len(os.listdir(daemon.state / "backup")) == 2
    last = client.call("stats.get")["last_backup_us"]
    daemon.restart()
    with daemon.connect() as again:
        assert again.call("stats.get")["last_backup_us"] == last
        events = [entry["event"] for entry in again.call("ledger.read", limit=1000)["entries"]]
        assert events.count("backup-created") == 2


def test_a_backup_that_fails_says_why_and_leaves_the_store_alone(daemon, client, everybody):
    (daemon.state / "backup").write_text("in the way")
    told = back_up(client)
    assert str(daemon.state / "backup") in told["error"]
    assert "last_backup_us" not in client.call("stats.get")
    (daemon.state / "backup").unlink()
    assert "error" not in back_up(client)


def test_only_an_administrator_makes_backups(daemon, client):
    if os.getuid() != 0:
        pytest.skip("only root can connect as somebody else")
    with daemon.connect_as(12345) as somebody:
        with pytest.raises(RpcError, match="permission-denied"):
            somebody.call("backup.create")


def test_a_lost_register_is_refused_until_it_is_begun_anew(daemon, client, everybody):
    remove_for_good(client, everybody[:10])
    daemon.stop()
    (daemon.state / "register").unlink()
    with pytest.raises(NotStarted, match="--new-register"):
        daemon.start()
    daemon.options.append("--new-register")
    daemon.start().stop()
    daemon.options.remove("--new-register")
    daemon.start()


def test_a_changed_register_is_refused(daemon, client, everybody):
    remove_for_good(client, everybody[:10])
    daemon.stop()
    path = daemon.state / "register"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    code, log = daemon.run_to_end()
    assert code == 1 and "damaged or was changed" in log
    assert path.read_bytes() == data


def test_a_register_cut_by_a_crash_is_mended(daemon, client, everybody):
    remove_for_good(client, everybody[:10])
    daemon.stop()
    path = daemon.state / "register"
    data = path.read_bytes()
    path.write_bytes(data + b"\x01half a record")
    daemon.start()
    assert path.read_bytes() == data


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_of_two_copies_of_the_keys_one_is_whole_and_both_can_be_found(client, daemon):
    """The old one is overwritten when the new one is in its place for good, whatever stops it."""
    back_up(client)
    daemon.stop()
    daemon.allow_tracer()
    daemon.start()
    with daemon.connect() as again:
        with Traced(daemon, "-y", "-e", "trace=link,rename,fsync,pwrite64,unlink"):
            assert "error" not in back_up(again)
            daemon.stop()
    calls = (daemon.directory / "trace").read_text()
    at = -1
    for step in (
        r'link\(.*vault", .*vault\.replaced"',
        r"fsync\(\d+<[^>]*backup-vault>",
        r'rename\(.*vault\.new", .*vault"',
        r"fsync\(\d+<[^>]*backup-vault>",
        r'pwrite64\(\d+<[^>]*/vault>\S*, "(\\0)+"',
        r"fsync\(\d+<[^>]*/vault>",
        r"unlink\(.*vault\.replaced",
    ):
        found = re.compile(step).search(calls, at + 1)
        assert found, (step, calls)
        at = found.start()


def test_a_restore_on_another_host_goes_by_the_page(daemon, client, everybody, tmp_path):
    remove_for_good(client, everybody[:10])
    told = back_up(client)
    remove_for_good(client, everybody[10:20])
    key = client.call("retention.info")["public_key"]
    daemon.stop()
    for name in ("register", "signing.key"):
        (tmp_path / name).write_bytes((daemon.state / name).read_bytes())
    with running() as other:
        other.stop()
        (other.state / "backup-vault").symlink_to(daemon.state / "backup-vault")
        restore(other, told["directory"])
        code, log = other.run_to_end()
        assert code == 1 and "belongs to another store" in log
        run(other, commands_of_page()[1], copies=str(tmp_path),
            register=str(other.state / "register"))
        other.start()
        with other.connect() as restored:
            assert restored.call("retention.info")["public_key"] == key
            people.verify(restored)
            assert restored.call("stats.get")["accounts"]["removed"] == 20


def test_the_register_is_where_the_option_says_and_of_one_store_only(tmp_path):
    register = tmp_path / "registers" / "register"
    with running(options=["--clock=simulated:2026-01-01T00:00:00Z", f"--register={register}"]) as one:
        assert register.exists() and not (one.state / "register").exists()
        with running() as other:
            other.stop()
            other.options.append(f"--register={register}")
            code, log = other.run_to_end()
            assert code == 1 and "belongs to another store" in log
