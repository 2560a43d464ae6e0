# SPDX-License-Identifier: Apache-2.0
"""A daemon that hangs or dies is replaced, and nothing is lost."""

import pytest

import people
from machine import until

UNIT = "retentiond.service"

# As installed, but for how long a test has to wait.
IMPATIENT = "[Service]\nWatchdogSec=1s\nRestartSec=100ms\n[Unit]\nStartLimitIntervalSec=0\n"


@pytest.fixture
def impatient(machine):
    with machine.drop_in(UNIT, IMPATIENT):
        machine.systemctl("restart", UNIT)
        yield machine
        machine.systemctl("kill", "--signal=CONT", UNIT)
    machine.systemctl("restart", UNIT)


def leave_and_tell(machine, org):
    """A change, and what must be as it is whatever becomes of the daemon."""
    with machine.connect() as client:
        people.take_in(client, *(people.guest(id, org) for id in ("1", "2")))
        assert people.do(client, "leave", "1", org)["outcome"] == "ok"
    return what_is(machine, org)


def what_is(machine, org):
    with machine.connect() as client:
        people.verify(client)
        return people.head(client), [people.get(client, id, org) for id in ("1", "2")]


def is_replaced(machine, pid, restarts):
    """Whether another process has said since that it is ready."""
    state, now, count = machine.show(UNIT, "ActiveState", "MainPID", "NRestarts")
    return state == "active" and int(now) not in (0, pid) and int(count) > restarts


def restarts_of(machine):
    return int(machine.show(UNIT, "NRestarts"))


def test_the_package_asks_systemd_to_watch(machine):
    assert machine.show(UNIT, "WatchdogUSec") == "1min"
    assert machine.show(UNIT, "WatchdogTimestampMonotonic") != "0"


def test_a_daemon_that_works_is_left_alone(impatient):
    pid, seen = impatient.main_pid(), set()

    def three_pings():
        seen.add(impatient.show(UNIT, "WatchdogTimestampMonotonic"))
        return len(seen) >= 4

    until(three_pings, "three signs of life of a daemon that has nothing to do")
    assert impatient.main_pid() == pid


def test_a_daemon_that_hangs_is_replaced_and_nothing_is_lost(impatient, org):
    before = leave_and_tell(impatient, org)
    pid, restarts = impatient.main_pid(), restarts_of(impatient)
    impatient.systemctl("kill", "--kill-whom=main", "--signal=STOP", UNIT)
    until(lambda: is_replaced(impatient, pid, restarts), "a new daemon for the one that hangs")
    assert any("Watchdog timeout" in text for text in impatient.messages(f"UNIT={UNIT}"))
    assert what_is(impatient, org) == before


def test_a_daemon_that_was_killed_is_replaced_and_nothing_is_lost(impatient, org):
    before = leave_and_tell(impatient, org)
    pid, restarts = impatient.main_pid(), restarts_of(impatient)
    impatient.systemctl("kill", "--kill-whom=main", "--signal=KILL", UNIT)
    until(lambda: is_replaced(impatient, pid, restarts), "a new daemon for the one killed")
    assert what_is(impatient, org) == before


def test_whoever_calls_while_there_is_no_daemon_waits_for_the_next_one(impatient, org):
    """The socket is systemd's: it is open all the time."""
    impatient.systemctl("kill", "--kill-whom=main", "--signal=KILL", UNIT)
    with impatient.connect() as client:
        assert client.call("org.get", org=org)["outcome"] == "ok"
