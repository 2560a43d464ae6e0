# SPDX-License-Identifier: Apache-2.0
"""The machine fails: a disk, a descriptor, room. The daemon says so, and serves nothing doubtful."""

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess

import pytest

import people
import wire
from ctl import FAILURE, Ctl
from daemon import Daemon, NotStarted, running
from traced import Traced

needs_strace = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root mounts file systems")

ENDS = "the store failed: {}. Ending without an answer; the next start verifies it"
STOPS = "the store was not settled: {}. The next start does it"

# A removal that is complete at once writes to the register, the vault and the journal.
DEEDS = {
    "import": lambda client: people.take_in(client, people.guest("new")),
    "leave": lambda client: people.do(client, "leave", "ann"),
    "purge": lambda client: [people.do(client, verb, "ann") for verb in ("remove", "purge")],
    "many": lambda client: people.take_in(client, *[people.guest(f"b{i}") for i in range(400)]),
}

# What fails -> what is said. Each may fail in any call of its kind: the first two are tried.
FAILURES = {
    "fdatasync:error=EIO": "Input/output error",
    "pwrite64:error=EIO": "Input/output error",
    "pwrite64:error=ENOSPC": "No space left on device; free space on its disk, or raise map_size",
    "pwrite64:error=EROFS": "Read-only file system",
}


def accounts(client):
    told = list(client.pages("account.list", "accounts", limit=1000))
    return [(account["uid"], account["state"], account.get("name")) for account in told]


@pytest.fixture
def daemon():
    with running() as daemon:
        with daemon.connect() as client:
            people.set_org(client, **people.PRIVACY)
            people.take_in(client, people.guest("ann"), people.guest("bob"))
        daemon.stop()
        daemon.allow_tracer()
        yield daemon.start()


def ended(daemon):
    code = daemon.process.wait(wire.DEADLINE)
    daemon.process = None
    return code


@needs_strace
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("failure", FAILURES)
def test_a_disk_that_fails_ends_the_daemon_without_an_answer(daemon, failure, deed, nth):
    call = failure.partition(":")[0]
    with daemon.connect() as client:
        before = accounts(client)
        with Traced(daemon, "-e", f"trace={call}", "-e", f"inject={failure}:when={nth}"):
            with contextlib.suppress(wire.Closed, OSError):
                DEEDS[deed](client)
                people.settle(client)
            daemon.process.send_signal(signal.SIGTERM)
            code = ended(daemon)
    if code == 0:
        assert nth > 1, f"{deed} makes no {call} at all"
        return  # it made no such call any more
    assert code == 1
    said = daemon.log.read_text().splitlines()[-1].partition("critical: ")[2]
    reasons = {FAILURES[failure], "Input/output error"}  # what LMDB makes of a short write
    reasons |= {reason.partition(";")[0] for reason in reasons}
    assert said in {text.format(reason) for text in (ENDS, STOPS) for reason in reasons}
    daemon.start()
    with daemon.connect() as client:
        people.settle(client)
        told = accounts(client)
        if deed == "import":
            assert told in (before, before + [(3, "active", "Guest new")])
        elif deed == "many":
            assert told == before or len(told) == 402
        elif deed == "leave":
            assert told in (before, [(1, "soft-deleted", "Guest ann"), before[1]])
        else:
            assert told[1] == before[1]
            assert told[0] in (before[0], (1, "soft-deleted", "Guest ann"), (1, "removed", None))
        assert people.verify(client) == people.head(client)


def starts(daemon):
    """A start, and what it did to the store's files: (call, file, the rest of its arguments)."""
    trace = daemon.directory / "trace"
    sound = daemon.command()
    daemon.command = lambda: ["strace", "-f", "-qq", "-y", "-o", trace,
                              "-e", "trace=pwrite64,fdatasync", *sound]
    assert start_or_refusal(daemon) is None
    daemon.command = lambda: sound
    call = r"(pwrite64|fdatasync)\(\d+<[^>]*/([a-z.]+)>(?:, )?(.*)\)"
    calls = re.findall(call, trace.read_text())
    assert calls
    return calls


# File -> the arguments of the call that writes it anew.
ANEW = {
    "vault": r'"(\\0){32}", 32, 4096',  # the slot of the first account
    "register": r'"\\2.*',  # a removal that is complete
    "journal": r'"RTDR.*, 512',  # the first record
}


@needs_strace
@pytest.mark.parametrize("file", ANEW)
def test_what_a_failed_sync_may_have_kept_from_the_disk_is_written_once_more(daemon, file):
    """After it the file reads as it was written, and nothing would bring it to the disk again."""
    store = daemon.state if file == "register" else daemon.state / "store"
    with daemon.connect() as client:
        with Traced(daemon, "-e", "trace=fdatasync", "-P", store / file,
                    "-e", f"inject=fdatasync:error=EIO:when={2 if file == 'register' else 1}"):
            with contextlib.suppress(wire.Closed, OSError):
                DEEDS["purge"](client)
                people.settle(client)
            assert ended(daemon) == 1
    calls = starts(daemon)
    writes = [at for at, call in enumerate(calls) if call[:2] == ("pwrite64", file)]
    assert writes and re.fullmatch(ANEW[file], calls[writes[0]][2]), calls
    assert ("fdatasync", file) in [call[:2] for call in calls[writes[0] :]]


@needs_strace
@pytest.mark.parametrize("failure", [*FAILURES, "openat:error=EMFILE", "openat:error=ENFILE",
                                     "openat:error=EROFS", "mkdir:error=EROFS"])
def test_a_first_start_on_a_machine_that_fails_is_told_and_can_be_repeated(failure):
    call = failure.partition(":")[0]
    outcomes = set()
    for nth in (1, 2, 3, 5, 8, 13, 21, 34, 55):
        daemon = Daemon()
        try:
            daemon.allow_tracer()
            sound = daemon.command()
            daemon.command = lambda: [
                "strace", "-f", "-qq", "-o", "/dev/null", "-P", daemon.state, *below(daemon),
                "-e", f"trace={call}", "-e", f"inject={failure}:when={nth}", *sound,
            ]
            outcome = start_or_refusal(daemon)
            outcomes.add(outcome is None)
            if outcome is not None:
                code, said = outcome
                assert code == 1 and str(daemon.state) in said, (nth, outcome)
                assert "critical: " in said, (nth, said)
                assert ("raise map_size" in said) == ("ENOSPC" in failure), (nth, said)
            daemon.command = lambda: sound
            daemon.start()
            with daemon.connect() as client:
                assert people.verify(client) == people.head(client) >= 1
            daemon.stop()
        finally:
            daemon.remove()
    assert False in outcomes, "nothing failed"


def below(daemon):
    """The files that a first start makes, as strace's -P wants them: each by its path."""
    names = ("lock", "register", "register.new", "signing-key", "signing-key.new")
    inside = ("data.mdb", "lock.mdb", "journal", "vault")
    paths = [daemon.state / name for name in names]
    paths += [daemon.state / store / name for store in ("store", "store.new") for name in inside]
    paths += [daemon.state / store for store in ("store", "store.new")]
    return [part for path in paths for part in ("-P", path)]


def start_or_refusal(daemon):
    """None for a daemon that started, and was ended then; else its exit code and last words."""
    try:
        daemon.start()
    except NotStarted as refusal:
        return refusal.code, refusal.log.splitlines()[-1]
    children = open(f"/proc/{daemon.pid}/task/{daemon.pid}/children", encoding="ascii")
    for child in children.read().split():
        os.kill(int(child), signal.SIGTERM)
    daemon.process.wait(wire.DEADLINE)
    daemon.process = None
    return None


def test_a_start_with_too_few_descriptors_is_refused_with_the_reason():
    daemon = Daemon()
    try:
        started = subprocess.run(
            daemon.command(),
            env=daemon.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=wire.DEADLINE,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (7, 7)),
            check=False,
        )
        assert started.returncode == 1
        assert b"Too many open files" in started.stdout
    finally:
        daemon.remove()


@contextlib.contextmanager
def mounted(daemon, *options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", daemon.state],
                   check=True)
    try:
        daemon.state.chmod(0o700)
        yield
    finally:
        if daemon.process is not None:
            daemon.kill9()
        subprocess.run(["umount", daemon.state], check=True)


@pytest.fixture
def on_small_disk():
    """A daemon whose state directory is a file system of its own, smaller than its map."""
    daemon = Daemon("map_size = 64M\n")
    try:
        with mounted(daemon, "size=56m"):
            yield daemon
    finally:
        daemon.remove()


@needs_root
def test_on_a_disk_that_others_filled_people_can_still_be_removed(on_small_disk):
    """As many as the removal register keeps room for: 4096 records, two for each."""
    daemon = on_small_disk
    daemon.start()
    with daemon.connect() as client:
        people.set_org(client, **people.PRIVACY)
        uids, refusal = [], None
        while refusal is None:
            batch = [people.guest(f"g{len(uids) + i}", groups=["x" * 200] * 10)
                     for i in range(200)]
            assert len(uids) < 50_000
            try:
                uids += [item["uid"] for item in people.take_in(client, *batch)]
            except wire.RpcError as error:
                refusal = error
        assert refusal.code == "store-full"
        filler = daemon.state / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))  # others take what is left
        assert "the store is full" in Ctl(daemon.socket)("check", code=FAILURE).stdout
        for at in range(0, 1500, 500):
            named = [{"uid": uid} for uid in uids[at : at + 500]]
            assert set(people.outcomes(client.items("account.remove", named))) == {"ok"}
            assert set(people.outcomes(client.items("account.purge", named))) == {"ok"}
        people.settle(client)
        assert client.call("stats.get")["accounts"]["removed"] == 1500
    daemon.restart()
    with daemon.connect() as client:
        assert people.verify(client) == people.head(client)
    daemon.stop()


@needs_root
def test_a_read_only_disk_is_refused_at_the_start_and_nothing_is_lost(on_small_disk):
    daemon = on_small_disk
    daemon.start()
    with daemon.connect() as client:
        people.set_org(client, **people.PRIVACY)
        people.take_in(client, people.guest("ann"))
    daemon.stop()
    subprocess.run(["mount", "-o", "remount,ro", daemon.state], check=True)
    code, said = daemon.run_to_end()
    assert code == 1
    assert f"the store in {daemon.state} cannot be opened: Read-only file system" in said
    subprocess.run(["mount", "-o", "remount,rw", daemon.state], check=True)
    daemon.start()
    with daemon.connect() as client:
        assert people.get(client, "ann")["name"] == "Guest ann"
    daemon.stop()
