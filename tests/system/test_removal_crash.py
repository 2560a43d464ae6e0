# SPDX-License-Identifier: Apache-2.0
"""The daemon is killed at every system call of a removal that changes something on the disk."""

import concurrent.futures
import contextlib
import re
import shutil
import signal
import subprocess

import pytest

import keepers
import people
import wire
from daemon import BEGIN, DAY, Daemon, running
from traced import Traced

SLOT_BYTES = 32
FIRST_SLOT = 4096  # where the key of uid 1 stands; see daemon/store/vault.h

CHANGING = (
    "write", "writev", "pwrite64", "pwritev", "pwritev2", "msync", "fdatasync", "fsync",
    "sync_file_range", "rename", "renameat", "renameat2", "unlink", "unlinkat", "fallocate",
    "ftruncate",
)

CONFIG = keepers.grant("crm")
KIM = people.guest("kim")  # stays, whole
ALEX = 1  # the uid of who is removed; Kim's is 2

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")


def purge(client):
    """An administrator starts the removal; what is done already is refused, and that is fine."""
    item = client.items("account.purge", [{"uid": ALEX}])[0]
    assert item["outcome"] in ("ok", "already-removing", "not-found"), item


def let_window_end(client):
    if client.call("retention.info")["clock"]["now_us"] < BEGIN + 30 * DAY:
        client.call("clock.advance", to_us=BEGIN + 30 * DAY)
    people.settle(client)


def let_window_end_alone(client):
    """No keeper owes anything, so that the removal starts and is completed in one commit."""
    client.call("keeper.set", keeper="crm", enabled=False)
    let_window_end(client)


STARTS = {"purge": purge, "window": let_window_end, "alone": let_window_end_alone}


def drive(daemon, start):
    """The removal, from its start to its end; begun anew it does what is left to do."""
    with daemon.connect() as client, keepers.Keeper(daemon, "crm") as crm:
        start(client)
        for item in crm.confirm(crm.claim()):
            assert item["outcome"] == "ok"
        people.settle(client)


def check_is_whole_or_gone(client):
    account = people.get(client, uid=ALEX)
    if account["state"] == "removed":
        assert not {"id", "person", "name", "groups"} & set(account)
        return
    assert account["state"] in ("soft-deleted", "removing")
    alex = people.guest("alex")
    assert {field: account[field] for field in alex} == alex


def go_on_after_the_lease(client):
    """Whoever claimed before the kill is gone with its lease."""
    client.call("clock.advance", by_us=DAY)


def check_removed(daemon, client, start):
    assert people.get(client, uid=ALEX)["state"] == "removed"
    vault = (daemon.state / "store" / "vault").read_bytes()
    keys = [vault[FIRST_SLOT + SLOT_BYTES * n :][:SLOT_BYTES] for n in range(2)]
    assert keys[0] == bytes(SLOT_BYTES) != keys[1]
    kim = people.get(client, "kim")
    assert kim["state"] == "active" and {field: kim[field] for field in KIM} == KIM
    events = [entry["event"] for entry in people.history(client, uid=ALEX)]
    assert events[:2] == ["imported", "left"]
    # A kill between the removal register and the store: the daemon itself starts it on its return.
    assert events[2] == "removal-started" or (events[2], start) == ("purged", "purge")
    confirmed = [] if start == "alone" else ["task-confirmed"]
    assert events[3:] == [*confirmed, "removal-completed"]
    assert people.verify(client) == people.head(client)
    told = client.call("stats.get")["accounts"]
    assert (told["active"], told["removing"], told["removed"]) == (1, 0, 1)


@pytest.fixture
def origin():
    """The state directory with one account that is to be removed and one that stays."""
    with running(CONFIG) as daemon:
        with daemon.connect() as client:
            people.set_org(client)
            keepers.set_keeper(client, "crm")
            people.take_in(client, people.guest("alex"), KIM, reason="why", ref="T-17")
            people.do(client, "leave", "alex", reason="no more work here")
        daemon.stop()
        yield daemon.state


class Scene:
    """A daemon on a copy of that state, for one removal."""

    def __init__(self, origin):
        self.daemon = Daemon(CONFIG)
        subprocess.run(["cp", "-a", f"{origin}/.", self.daemon.state], check=True)
        self.daemon.allow_tracer()
        self.daemon.start()

    def __enter__(self):
        return self.daemon

    def __exit__(self, *exception):
        self.daemon.remove()


def calls_of_a_removal(origin, start):
    """(system call, how manieth) of all that one removal makes, and of the end of the daemon."""
    with Scene(origin) as daemon:
        with Traced(daemon, "-e", f"trace={','.join('?' + call for call in CHANGING)}") as traced:
            drive(daemon, STARTS[start])
            daemon.stop()
        calls, n = [], dict.fromkeys(CHANGING, 0)
        for call in re.findall(r"^\d+ +(\w+)\(", traced.trace.read_text(), re.MULTILINE):
            n[call] += 1
            calls.append((call, n[call]))
        return calls


def end(daemon):
    """Asks it to end, unless it was killed; whether it was."""
    daemon.process.send_signal(signal.SIGTERM)
    code = daemon.process.wait(wire.DEADLINE)
    daemon.process = None
    assert code in (0, -signal.SIGKILL), daemon.log.read_text()
    return code != 0


def kill_at(origin, start, call, nth):
    """Whether it was killed: a removal does not always make as many calls to the last one."""
    inject = ("-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={nth}")
    with Scene(origin) as daemon:
        with Traced(daemon, *inject):
            with contextlib.suppress(wire.Closed, OSError):
                drive(daemon, STARTS[start])
            killed = end(daemon)
        daemon.start()
        with daemon.connect() as client:
            check_is_whole_or_gone(client)
            go_on_after_the_lease(client)
        drive(daemon, STARTS[start])
        with daemon.connect() as client:
            check_removed(daemon, client, start)
        daemon.restart()
        with daemon.connect() as client:
            check_removed(daemon, client, start)
        daemon.stop()
        return killed


@pytest.mark.parametrize("start", STARTS)
def test_a_kill_at_any_system_call_leaves_nobody_half_removed(origin, start):
    calls = calls_of_a_removal(origin, start)
    assert {"pwrite64", "fdatasync"} <= {call for call, _ in calls}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        told = [pool.submit(kill_at, origin, start, *call) for call in calls]
        n_killed = sum(done.result() for done in told)
    print(f"{start}: killed at {n_killed} of {len(calls)} system calls")
    assert n_killed >= len(calls) * 9 // 10
