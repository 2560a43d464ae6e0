# SPDX-License-Identifier: Apache-2.0
"""Restarts that no client notices: 1000 calls while the daemon is restarted 20 times."""

import collections
import contextlib
import threading

import pytest

import people
from machine import DEADLINE
from wire import Closed

UNIT = "retentiond.service"

N_CALLS = 1000
N_RESTARTS = 20
N_CALLERS = 4
WINDOW = 50  # requests on their way at a time

# More restarts in a few seconds than an administrator would make.
TIRELESS = "[Unit]\nStartLimitIntervalSec=0\n"


class Progress:
    """How many calls have been answered."""

    def __init__(self):
        self.answered = 0
        self.ended = False
        self.changed = threading.Condition()

    def step(self):
        with self.changed:
            self.answered += 1
            self.changed.notify_all()

    def end(self):
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def await_answered(self, n):
        """Whether so many are answered before the end."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.answered >= n or self.ended, DEADLINE)
            return self.answered >= n


class Restarting(threading.Thread):
    """Restarts the daemon again and again, spread over the calls."""

    def __init__(self, machine, progress):
        super().__init__()
        self.machine = machine
        self.progress = progress
        self.pids = set()
        self.fault = None

    def run(self):
        try:
            for i in range(N_RESTARTS):
                if not self.progress.await_answered(i * N_CALLS // N_RESTARTS):
                    return
                self.machine.systemctl("restart", UNIT)
                self.pids.add(self.machine.main_pid())
        except Exception as fault:  # told by the thread that waits for this one
            self.fault = fault


@contextlib.contextmanager
def restarts(machine):
    """Restarts for the time of a with block, each of which really was one."""
    progress = Progress()
    thread = Restarting(machine, progress)
    thread.start()
    try:
        yield progress
    finally:
        progress.end()
        thread.join()
    if thread.fault:
        raise thread.fault
    assert len(thread.pids) == N_RESTARTS


@pytest.fixture
def tireless(machine):
    with machine.drop_in(UNIT, TIRELESS):
        yield machine


@pytest.fixture
def ids(tireless, org):
    ids = [str(i) for i in range(N_CALLS)]
    with tireless.connect() as client:
        people.take_in(client, *(people.guest(id, org) for id in ids))
    return ids


def assert_each_left_once(machine, org, ids):
    """By the ledger, which is the truth."""
    with machine.connect() as client:
        told = [entry for page in pages(client) for entry in page if entry["event"] == "left"]
        uids = {people.get(client, id, org)["uid"] for id in ids}
        people.verify(client)
    left = collections.Counter(entry["uid"] for entry in told if entry["uid"] in uids)
    assert left == dict.fromkeys(uids, 1)


def pages(client):
    arguments = {}
    while True:
        page = client.call("ledger.read", limit=1000, **arguments)
        yield page["entries"]
        if "next" not in page:
            return
        arguments["from"] = page["next"]


def test_no_call_of_retentionctl_fails_while_the_daemon_is_restarted(tireless, org, ids):
    faults = []

    def leave(ids, progress):
        for id in ids:
            ended = tireless.run("retentionctl", "--quiet", "leave", f"{org}/{id}", status=None)
            if ended.returncode != 0:
                faults.append((id, ended.returncode, ended.stderr))
            progress.step()

    with restarts(tireless) as progress:
        callers = [
            threading.Thread(target=leave, args=(ids[i::N_CALLERS], progress))
            for i in range(N_CALLERS)
        ]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    assert faults == []
    assert_each_left_once(tireless, org, ids)


def ask(client, org, ids):
    """Sends a leave for each; what the daemon does not take any more is asked again later."""
    posted = []
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for id in ids:
            arguments = {"accounts": [people.name(id, org)], "request_id": f"leave-{id}"}
            posted.append(client.post("account.leave", arguments))
    return posted


def test_a_client_that_asks_again_what_was_not_answered_loses_and_repeats_nothing(
    tireless, org, ids
):
    waiting = collections.deque(ids)
    with restarts(tireless) as progress:
        while waiting:
            # The socket is systemd's: to connect never fails.
            with tireless.connect() as client, contextlib.suppress(Closed):
                for msgid in ask(client, org, list(waiting)[:WINDOW]):
                    assert people.outcomes(client.take(msgid)["items"]) == ["ok"]
                    waiting.popleft()
                    progress.step()
    assert_each_left_once(tireless, org, ids)
