# SPDX-License-Identifier: Apache-2.0
"""retentionctl wait: it ends when every account is in the state, and says why when it cannot."""

import json
import os
import signal
import time

import pytest

import keepers
import people
from ctl import (
    INTERRUPTED, NOT_FOUND, PERMISSION, REFUSED, TIMEOUT, UNREACHABLE, USAGE, Ctl, await_true
)
from daemon import DAY, running

READER = 4001
LOOK_AGAIN = 25  # seconds; a wait that is told nothing looks again every 30
SCOPED = f"[grant reader]\nrole = reader\nusers = {READER}\norganizations = contoso\n"


@pytest.fixture
def ctl(daemon):
    return Ctl(daemon.socket)


@pytest.fixture
def three(client, contoso):
    """Three guests: alex is active, kim and dan have left."""
    people.take_in(client, *map(people.guest, ("alex", "kim", "dan")))
    people.do(client, "leave", "kim")
    people.do(client, "leave", "dan")


class Heard:
    """How much the daemon has been asked by others than us since this was made."""

    def __init__(self, client):
        self.client = client
        self.ours = client.call("stats.get")["requests"]

    def more(self):
        self.ours += 1
        return self.client.call("stats.get")["requests"] - self.ours

    def await_wait(self, n):
        """Until a wait for n accounts has subscribed and has looked at each."""
        await_true(lambda: self.more() >= 1 + n)


# It ends


def test_what_is_so_already_is_not_waited_for(ctl, three):
    told = ctl("wait", "--for=soft-deleted", "contoso/kim", "contoso/dan").stdout
    assert told.count("soft-deleted; it can be restored until") == 2
    document = ctl.json("wait", "--for=active", "contoso/alex")
    assert document == {
        "for": "active",
        "n": 1,
        "reached": 1,
        "accounts": [{"account": "contoso/alex", "reached": True, "uid": 1, "state": "active"}],
    }
    assert ctl("wait", "-q", "--for=active", "contoso/alex").stdout == ""


@pytest.mark.parametrize("wanted", ["removing", "removed"])
def test_it_ends_when_the_last_account_is_there(ctl, client, three, tmp_path, wanted):
    accounts = tmp_path / "accounts"
    accounts.write_text("contoso/kim\ncontoso/dan\n")
    heard = Heard(client)
    with ctl.running("-j", "wait", f"--for={wanted}", f"@{accounts}") as waiting:
        heard.await_wait(2)
        people.do(client, "purge", "kim")
        people.settle(client)
        assert waiting.process.poll() is None  # dan is not
        people.do(client, "purge", "dan")
        people.settle(client)
        document = json.loads(waiting.end())
    assert document["reached"] == 2
    assert {account["state"] for account in document["accounts"]} <= {"removing", "removed"}


def test_time_alone_brings_an_account_there(ctl, client, three):
    heard = Heard(client)
    with ctl.running("wait", "--for=removed", "contoso/kim") as waiting:
        heard.await_wait(1)
        client.call("clock.advance", by_us=31 * DAY)
        people.settle(client)
        assert "removed for good" in waiting.end()


def test_an_account_that_leaves_the_state_again_is_waited_for_again(ctl, client, three):
    heard = Heard(client)
    with ctl.running("wait", "--for=soft-deleted", "contoso/kim", "contoso/alex") as waiting:
        heard.await_wait(2)
        people.do(client, "restore", "kim")
        people.do(client, "leave", "alex")
        people.do(client, "leave", "kim")
        waiting.end()


def test_a_later_account_of_the_same_name_is_not_taken_for_it(ctl, client, three):
    keepers.set_keeper(client, "crm")  # it holds the removal up
    heard = Heard(client)
    with ctl.running("-j", "wait", "--for=removed", "contoso/kim") as waiting:
        heard.await_wait(1)
        people.do(client, "purge", "kim")
        people.take_in(client, people.guest("kim"), new_incarnation=True)
        client.items(
            "keeper.waive", [{"uid": 2}], keeper="crm", reason="it is gone"
        )
        people.settle(client)
        assert json.loads(waiting.end())["accounts"][0]["uid"] == 2
    assert people.get(client, "kim")["state"] == "active"


# A restart


@pytest.mark.parametrize("end", ["stop", "kill9"])
def test_it_goes_on_after_the_daemon_has_begun_anew(ctl, daemon, client, three, end):
    heard = Heard(client)
    with ctl.running("wait", "--for=removed", "contoso/kim") as waiting:
        heard.await_wait(1)
        getattr(daemon, end)()
        waiting.await_told("not reachable; waiting for it")
        daemon.start()
        with daemon.connect() as again:
            people.do(again, "purge", "kim")
            people.settle(again)
        waiting.end()


def test_what_happened_before_it_was_back_is_not_missed(ctl, daemon, client, three):
    heard = Heard(client)
    with ctl.running("wait", "--for=active", "contoso/kim", "contoso/dan") as waiting:
        heard.await_wait(2)
        daemon.stop()
        waiting.await_told("not reachable")
        daemon.start()
        with daemon.connect() as again:
            again.items("account.restore", people.names(["kim", "dan"]))
        began = time.monotonic()
        waiting.end()
        assert time.monotonic() - began < LOOK_AGAIN  # it was told, it did not just look again


def test_7_when_there_is_no_daemon_to_begin_with(ctl, daemon, three):
    daemon.stop()
    ended = ctl("wait", "--for=active", "contoso/kim", code=UNREACHABLE)
    assert "systemctl start retentiond" in ended.stderr and ended.stdout == ""


# It cannot


def test_13_says_what_is_still_missing(ctl, three):
    ended = ctl("-j", "wait", "--for=removed", "--timeout=300ms", "contoso/kim", "contoso/dan",
                code=TIMEOUT)
    assert [account["reached"] for account in json.loads(ended.stdout)["accounts"]] == [False] * 2
    error = json.loads(ended.stderr)["error"]
    assert (error["code"], error["exit"]) == ("timeout", TIMEOUT)
    assert "contoso/kim (soft-deleted), contoso/dan (soft-deleted)" in error["text"]
    assert "not removed after" in error["text"] and "retentionctl explain" in error["text"]


def test_11_when_an_account_can_never_be_there(ctl, client, three):
    people.do(client, "purge", "kim")
    people.settle(client)
    error = ctl("wait", "--for=active", "contoso/alex", "contoso/kim", code=REFUSED).stderr
    assert "contoso/kim (removed): can never be active any more" in error
    people.take_in(client, people.direct("dirk"))
    error = ctl("wait", "--for=soft-deleted", "contoso/dirk", code=REFUSED).stderr
    assert "contoso/dirk (active): can never be soft-deleted" in error


def test_11_as_soon_as_it_is_too_late(ctl, client, three):
    heard = Heard(client)
    with ctl.running("wait", "--for=active", "contoso/kim") as waiting:
        heard.await_wait(1)
        people.do(client, "purge", "kim")
        waiting.end(code=REFUSED)


def test_10_for_what_is_not_known_also_when_it_is_to_be_removed(ctl, three):
    for named in ("contoso/ghost", "nowhere/kim", "uid:99"):
        ended = ctl("wait", "--for=removed", "contoso/alex", named, code=NOT_FOUND)
        assert f"{named}: no such account is known here" in ended.stderr


def test_2_for_a_state_that_there_is_not(ctl, three):
    for arguments in (
        ["contoso/kim"], ["--for=deleted", "contoso/kim"], ["--for=active"],
        ["--for=active", "nonsense"], ["--for=active", "--timeout=0s", "contoso/kim"],
    ):
        assert ctl.error("wait", *arguments, code=USAGE)["code"] == "usage"


def test_130_says_what_was_waited_for(ctl, client, three):
    heard = Heard(client)
    with ctl.running("-j", "wait", "--for=removed", "contoso/kim") as waiting:
        heard.await_wait(1)
        waiting.interrupt()
        assert json.loads(waiting.end(code=INTERRUPTED))["reached"] == 0
    assert "contoso/kim" in json.loads(waiting.told)["error"]["text"]


# Who may not subscribe


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_a_reader_of_one_organization_waits_too(tmp_path):
    with running(SCOPED) as daemon, daemon.connect() as client:
        people.set_org(client, "contoso", **people.PRIVACY)
        people.set_org(client, "fabrikam")
        people.take_in(client, people.guest("kim"), people.guest("dan", "fabrikam"))
        heard = Heard(client)
        reader = Ctl(daemon.socket)
        reader.become(READER)
        with reader.running("wait", "--for=soft-deleted", "contoso/kim") as waiting:
            heard.await_wait(1)
            people.do(client, "leave", "kim")
            waiting.end()
        ended = reader("wait", "--for=active", "fabrikam/dan", code=PERMISSION)
        assert "fabrikam/dan cannot be waited for" in ended.stderr


# On a terminal


def test_a_terminal_is_told_why_it_takes_so_long(ctl, client, three):
    client.items("hold.add", [people.name("kim")], hold="case-17")
    client.call("sweep.pause")
    with ctl.terminal("wait", "--for=removed", "contoso/dan", "contoso/kim") as terminal:
        terminal.await_shown("0 of 2 are removed")
        terminal.await_shown("contoso/dan (soft-deleted)")
        terminal.await_shown("Next: permanent deletion starts at 2026-01-31")
        terminal.await_shown("Timed work is paused: retentionctl resume")
        client.call("sweep.resume")
        client.items("account.purge", [people.name("dan")])
        people.settle(client)
        terminal.await_shown("1 of 2 is removed")
        terminal.await_shown("permanent deletion starts when its window has ended, at 2026-01-31")
        terminal.process.send_signal(signal.SIGINT)
        terminal.end(code=INTERRUPTED)


def test_its_help_says_what_its_timeout_is(ctl):
    told = ctl("wait", "--help").stdout
    assert "--for=STATE" in told and "with wait, for all of it" in told
