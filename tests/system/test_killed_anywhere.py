# SPDX-License-Identifier: Apache-2.0
"""A kill at every system call of a life that changes something on the disk.

From its first start to its end the daemon is killed once at each of them. What it answered before
is there afterwards, and the command that was under way has happened whole or not at all.

    KILLS=all      every call; else a sample, drawn by SEED
"""

import contextlib
import os
import random
import re
import shutil
import signal
import time

import pytest

import keepers
import people
import wire
from daemon import DAY, Daemon, NotStarted

SAMPLE = 8

CHANGING = (
    "write", "writev", "pwrite64", "pwritev", "fdatasync", "fsync", "rename", "unlink", "unlinkat",
    "mkdir", "fallocate", "ftruncate", "openat",
)

CONFIG = keepers.grant("crm")
BULK = [f"b{i}" for i in range(300)]  # more changes than the journal takes in one record

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")


def advance(by_us):
    return lambda client, crm: client.call("clock.advance", by_us=by_us)


def claim_and_confirm(client, crm):
    tasks = crm.claim()
    assert {item["outcome"] for item in crm.confirm(tasks)} <= {"ok"}


def back_up(client, crm):
    # Asking is what lets it come on.
    wire.until(lambda: not client.call("backup.create")["running"], "the backup is made")


def bulk(verb, ids):
    return lambda client, crm: client.items(f"account.{verb}", people.names(ids))


def one(verb, id):
    return lambda client, crm: people.do(client, verb, id, reason="a reason")


def be_settled(client, crm):
    def is_settled():
        time.sleep(0.02)  # rows are settled once nobody asks for a moment
        return not client.call("stats.get")["ledger"]["unsettled"]

    wire.until(is_settled, "all rows are settled")


# Each is answered before the next begins. A keeper's claim has no trace in what is compared.
LIFE = {
    "organization": lambda client, crm: people.set_org(client, **people.PRIVACY),
    "import": lambda client, crm: people.take_in(
        client, *[people.guest(id) for id in ("ann", "bob", "cy", "dee")], reason="why"
    ),
    "leave": one("leave", "ann"),
    "restore": one("restore", "ann"),
    "bulk import": lambda client, crm: people.take_in(client, *[people.guest(id) for id in BULK]),
    "bulk remove": bulk("remove", BULK[:200]),
    "hold": lambda client, crm: client.items("hold.add", people.names(["cy"]), hold="case"),
    "remove": one("remove", "bob"),
    "purge without a keeper": one("purge", "bob"),
    "sweep without a keeper": advance(DAY),
    "settle": be_settled,
    "keeper": lambda client, crm: keepers.set_keeper(client, "crm"),
    "remove again": one("remove", "dee"),
    "purge with a keeper": one("purge", "dee"),
    "keeper's work": claim_and_confirm,
    "backup": back_up,
    "windows end": advance(30 * DAY),
    "keeper's work on many": claim_and_confirm,
    "sweep at the end": advance(DAY),
}


class Traced(Daemon):
    """A daemon whose every start is traced."""

    def __init__(self, *options):
        super().__init__(CONFIG)
        self.traced = options
        self.trace = self.directory / "trace"

    def command(self):
        if not self.traced:
            return super().command()
        # Who looks for leaks traces the process too, and there can be one tracer only.
        options = f"ASAN_OPTIONS={self.environment['ASAN_OPTIONS']}:detect_leaks=0"
        return ["strace", "-f", "-qq", "-o", self.trace, *self.traced, "-E", options,
                *super().command()]

    def end(self):
        """Ends the daemon, to which strace passes no signal on; whether it had been killed."""
        with contextlib.suppress(OSError):
            children = open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii")
            for child in children.read().split():
                os.kill(int(child), signal.SIGTERM)
        code = self.process.wait(wire.DEADLINE)
        self.process = None
        return code != 0


def picture(client):
    """All that the commands of LIFE make; what the clock owes is done first."""
    people.settle(client)
    accounts = list(client.pages("account.list", "accounts", limit=1000))
    whole = [people.get(client, uid=account["uid"]) for account in accounts if account.get("id")]
    return (
        accounts,
        whole,
        list(client.pages("org.list", "orgs")),
        [row["keeper"] for row in client.call("keeper.list")["keepers"]],
        client.call("stats.get")["accounts"],
    )


def live(daemon, answered, look=None):
    """As far as it comes; `answered` grows by each step that was answered."""
    daemon.start()
    with daemon.connect() as client, keepers.Keeper(daemon, "crm") as crm:
        for step, do in LIFE.items():
            do(client, crm)
            people.settle(client)  # what the clock owes now is dated now
            answered.append(look(client) if look else step)


@pytest.fixture(scope="module")
def pictures():
    """Before the first step and after each."""
    daemon = Daemon(CONFIG)
    told = []
    try:
        daemon.start()
        with daemon.connect() as client:
            told.append(picture(client))
        daemon.stop()
        shutil.rmtree(daemon.state)
        daemon.state.mkdir(0o700)
        live(daemon, told, picture)
        daemon.stop()
    finally:
        daemon.remove()
    return told


def calls_of_a_life():
    """(system call, how manieth) of all that one life makes, its end included."""
    daemon = Traced("-e", f"trace={','.join('?' + call for call in CHANGING)}")
    try:
        live(daemon, [])
        assert not daemon.end()
        counted, calls = {}, []
        for pid, call, rest in re.findall(
            r"^(\d+) +(\w+)\((.*)$", daemon.trace.read_text(), re.MULTILINE
        ):
            key = pid, call
            counted[key] = counted.get(key, 0) + 1
            if call != "openat" or "O_CREAT" in rest:
                calls.append((call, counted[key]))
        return calls
    finally:
        daemon.remove()


def differences(expected, told):
    """What differs between two pictures, for who has to find out why."""
    pairs = [pair for parts in zip(expected[:3], told[:3]) for pair in zip(*parts)]
    return [pair for pair in [*pairs, expected[3:], told[3:]] if pair[0] != pair[-1]]


def check_after(daemon, pictures, n):
    """After n answered steps: their picture, or that of the step under way."""
    daemon.traced = ()
    daemon.start()
    with daemon.connect() as client:
        told = picture(client)
        if told not in pictures[n : n + 2]:
            wrong = differences(pictures[n], told) + differences(pictures[n : n + 2][-1], told)
            pytest.fail(f"after {n} answered steps: {wrong}")
        assert people.verify(client) == people.head(client)
    daemon.restart()
    with daemon.connect() as client:
        assert picture(client) == told
        people.set_org(client, **people.PRIVACY)
        people.take_in(client, people.guest("late"))
    daemon.stop()


def kill_at(call, nth, pictures):
    daemon = Traced(
        "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={nth}"
    )
    answered = []
    try:
        with contextlib.suppress(wire.Closed, NotStarted, OSError):
            live(daemon, answered)
        killed = daemon.process is None or daemon.end()
        check_after(daemon, pictures, len(answered))
        return killed
    finally:
        daemon.remove()


def test_a_kill_at_any_system_call_loses_nothing_that_was_answered(pictures):
    calls = sorted(set(calls_of_a_life()))
    n_all = len(calls)
    if os.environ.get("KILLS") != "all":
        seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
        print(f"SEED={seed}")
        calls = random.Random(seed).sample(calls, SAMPLE)
    n_killed = 0
    for call, nth in calls:
        print(f"{call} {nth}", flush=True)
        n_killed += kill_at(call, nth, pictures)
    print(f"killed at {n_killed} of {len(calls)} system calls, of {n_all}")
    assert n_killed >= len(calls) * 3 // 4
