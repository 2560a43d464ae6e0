# SPDX-License-Identifier: Apache-2.0
"""Trusted time: boots, restarts and a wall clock that is wrong. Nobody sets the machine's clock here."""

import contextlib
import os
import re
import subprocess
import time

import pytest

import people
import wire
from ctl import CONFIRMATION, GUARD, OK, Ctl
from daemon import DAY, HOUR, MINUTE, SECOND, Daemon, running

BOOTS = [f"--boot-id={digit * 32}" for digit in "abcdef"]


def wall():
    return time.time_ns() // 1000


def simulated(at):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at // SECOND))
    return f"--clock=simulated:{stamp}"


def clock(daemon):
    with daemon.connect() as client:
        return client.call("retention.info")["clock"]


def stats(daemon):
    with daemon.connect() as client:
        return client.call("stats.get")["accounts"]


@contextlib.contextmanager
def stopped(ago, guests):
    """A daemon that was stopped some time ago, when these guests left, before the last boot."""
    with running(options=[simulated(wall() - ago)]) as daemon:
        with daemon.connect() as client:
            people.set_org(client)
            for first in range(0, len(guests), 1000):
                some = guests[first : first + 1000]
                people.take_in(client, *[people.guest(id) for id in some])
                client.items("account.leave", people.names(some))
        daemon.stop()
        daemon.options = [BOOTS[0]]
        yield daemon


def begin_boot(daemon, number):
    daemon.stop()
    daemon.options = [BOOTS[number]]
    daemon.start()


class InTime(Daemon):
    """A daemon whose boot clock is further on than the machine's, as `ahead` says, in seconds."""

    ahead = 0

    def command(self):
        if not self.ahead:
            return super().command()
        namespace = f"/proc/{self.holder_child()}/ns/time"
        return ["nsenter", f"--time={namespace}", *super().command()]

    def holder_child(self):
        self.holder = subprocess.Popen(
            ["unshare", "--time", "--boottime", str(self.ahead), "--fork", "--kill-child", "cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.holder.stdin.write(b"\n")
        self.holder.stdin.flush()
        assert self.holder.stdout.readline() == b"\n"  # so that the child is there
        with open(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children") as children:
            return int(children.read())

    def start(self):
        self.holder = None
        try:
            return super().start()
        finally:
            if self.holder is not None:
                self.holder.stdin.close()
                self.holder.wait()
                self.holder.stdout.close()


@pytest.fixture
def in_time():
    if os.getuid() != 0 or not os.path.exists("/proc/self/ns/time"):
        pytest.skip("time namespaces take root and a kernel that has them")
    daemon = InTime(options=[])
    daemon.start()
    yield daemon
    daemon.stop()
    daemon.remove()


def test_a_boot_clock_is_the_time_over_restarts_whatever_the_wall_clock_says(in_time):
    """31 days go by, and the wall clock does not: it was set back by as much."""
    with in_time.connect() as client:
        people.set_org(client)
        people.take_in(client, people.guest("alex"))
        people.do(client, "leave", "alex")
    begin = clock(in_time)["now_us"]
    in_time.stop()
    in_time.ahead = 31 * 24 * 3600
    in_time.start()
    now = clock(in_time)
    assert 31 * DAY <= now["now_us"] - begin < 31 * DAY + 5 * MINUTE
    assert now["trusted"] is True
    assert abs(now["wall_us"] - wall()) < 5 * MINUTE
    assert re.search("(31d|30d 23h) behind trusted time", in_time.log.read_text())
    with in_time.connect() as client:
        people.settle(client)
        assert people.get(client, "alex")["state"] == "removed"
        late = client.call("sweep.status")
        assert (late["started_late"], late["lateness_us"] // DAY) == (1, 1)
    assert "1 removals started late, by up to 1d" in in_time.log.read_text()


def test_a_kill_within_a_boot_loses_no_time(in_time):
    begin = clock(in_time)["now_us"]
    in_time.kill9()
    in_time.ahead = 3 * 24 * 3600
    in_time.start()
    assert 3 * DAY <= clock(in_time)["now_us"] - begin < 3 * DAY + 5 * MINUTE
    assert clock(in_time)["trusted"] is True


def test_the_machines_boot_is_known_without_an_option(daemon):
    """Another start within the boot does not ask the wall clock, which is months ahead."""
    daemon.stop()
    daemon.options = []
    daemon.start()
    begin = clock(daemon)
    assert begin["trusted"] is False and begin["doubt"] == "ahead"
    Ctl(daemon.socket)("release-guard", "clock", "--yes")
    accepted = clock(daemon)["now_us"]
    daemon.kill9()
    daemon.start()
    assert 0 <= clock(daemon)["now_us"] - accepted < 5 * MINUTE
    assert "guard is engaged" not in daemon.log.read_text().split("is released")[-1]


def test_a_wall_clock_55_days_ahead_starts_no_removal_of_ten_thousand():
    guests = [f"g{i}" for i in range(10_000)]
    with stopped(55 * DAY, guests) as daemon:
        daemon.start()
        for boot in (0, 0, 1, 2, 2):  # whatever somebody tries first
            assert clock(daemon)["trusted"] is False
            with daemon.connect() as client:
                for method in ("sweep.run", "sweep.resume"):
                    with pytest.raises(wire.RpcError) as refusal:
                        client.call(method)
                    assert refusal.value.code == "clock-not-trusted"
            counts = stats(daemon)
            assert counts["soft_deleted"] == len(guests)
            assert counts["removing"] == counts["removed"] == 0
            begin_boot(daemon, boot)
        with daemon.connect() as client:
            client.items("account.restore", people.names(guests[:1000]))
            assert people.get(client, "g0")["state"] == "active"


@pytest.fixture
def doubted():
    with stopped(55 * DAY, ["alex", "kim"]) as daemon:
        daemon.start()
        yield daemon


def test_an_engaged_guard_is_told_with_both_times(doubted):
    ctl = Ctl(doubted.socket)
    info = ctl.json("info")["clock"]
    assert info["doubt"] == "ahead"
    assert abs(info["wall_us"] - info["now_us"] - 55 * DAY) < 5 * MINUTE
    told = "55d ahead"
    for verb in (["status"], ["explain", "contoso/alex"]):
        shown = ctl(*verb).stdout
        assert "; the wall clock shows " in shown and told in shown
    assert "The clock guard is engaged" in ctl("explain", "contoso/alex").stdout
    assert told in ctl("check", code=1).stdout
    assert told in ctl.error("sweep", code=GUARD)["text"]
    assert told in ctl.error("resume", code=GUARD)["text"]
    assert "critical: the clock guard is engaged" in doubted.log.read_text()


def test_a_release_is_looked_at_first_and_then_done(doubted):
    ctl = Ctl(doubted.socket)
    would = ctl.json("release-guard", "clock", "--dry-run")
    assert (would["guard"], would["released"], would["due_now"]) == ("clock", True, 2)
    assert abs(would["now_us"] - would["was_us"] - 55 * DAY) < 5 * MINUTE
    assert clock(doubted)["trusted"] is False
    assert "dry run" in ctl("release-guard", "clock", "--dry-run").stdout
    told = ctl.error("release-guard", "clock", code=CONFIRMATION)["text"]
    assert "release-guard cannot be undone for 2 accounts, whose removal starts at once" in told
    assert clock(doubted)["trusted"] is False
    did = ctl.json("release-guard", "clock", "--yes")
    assert did["released"] is True
    assert clock(doubted)["trusted"] is True
    with doubted.connect() as client:
        people.settle(client)
        assert people.get(client, "alex")["state"] == "removed"
        people.verify(client)
        entries = client.call("ledger.read", limit=1000)["entries"]
    guard = {entry["event"]: entry for entry in entries if entry["event"].startswith(("g", "clock"))}
    assert list(guard) == ["guard-engaged", "guard-released", "clock-set"]
    assert guard["guard-engaged"]["role"] == "daemon"
    assert guard["clock-set"]["role"] == "admin"
    assert guard["guard-released"]["at_us"] == did["was_us"]
    assert guard["clock-set"]["at_us"] == did["now_us"]
    assert ctl.json("release-guard", "clock")["released"] is False


def test_a_release_that_starts_removals_is_confirmed_on_a_terminal(doubted):
    ctl = Ctl(doubted.socket)
    for typed, code in (("no\r", CONFIRMATION), ("2\r", OK)):
        assert clock(doubted)["trusted"] is False
        with ctl.terminal("release-guard", "clock") as terminal:
            terminal.await_shown("The removal of 2 accounts starts at once. Nobody can stop it")
            terminal.await_shown("Type the number of accounts to go on: ")
            terminal.type(typed)
            terminal.end(code=code)
    assert clock(doubted)["trusted"] is True


def test_who_leaves_under_the_guard_keeps_the_whole_window(doubted):
    with doubted.connect() as client:
        people.take_in(client, people.guest("late"))
        people.do(client, "leave", "late")
        client.call("guard.release", guard="clock")
        people.settle(client)
        account = people.get(client, "late")
        assert account["state"] == "soft-deleted"
        assert abs(account["window_ends_us"] - wall() - 30 * DAY) < 5 * MINUTE
        assert people.history(client, org="contoso", id="late")[-1]["event"] == "redated"
        people.verify(client)


def test_a_wall_clock_behind_the_record_is_told_and_time_goes_on_from_there():
    with stopped(-20 * DAY, ["alex"]) as daemon:
        daemon.start()
        now = clock(daemon)
        assert (now["trusted"], now["doubt"]) == (False, "behind")
        assert abs(now["now_us"] - wall() - 20 * DAY) < 5 * MINUTE
        ctl = Ctl(daemon.socket)
        assert re.search("(20d|19d 23h) behind", ctl("status").stdout)
        assert ctl.json("release-guard", "clock")["released"] is True  # nobody is due
        for boot in (0, 1, 2):
            begin_boot(daemon, boot)
            assert clock(daemon)["trusted"] is True
            assert clock(daemon)["now_us"] >= now["now_us"]


@pytest.mark.parametrize("ago", [-HOUR // 2, 0, 7 * DAY - HOUR])
def test_a_wall_clock_that_may_be_right_is_believed_by_another_boot(ago):
    with stopped(ago, ["alex"]) as daemon:
        daemon.start()
        now = clock(daemon)
        assert now["trusted"] is True
        assert 0 <= now["now_us"] - wall() + MINUTE <= HOUR
        assert "guard" not in daemon.log.read_text()


@pytest.mark.parametrize("id", ["", "0" * 32, "a" * 31, "g" * 32])
def test_what_is_no_boot_id_is_refused(id):
    daemon = Daemon(options=[f"--boot-id={id}"])
    try:
        code, said = daemon.run_to_end()
        assert code == 2
        assert "must be 32 hexadecimal digits" in said
    finally:
        daemon.remove()
