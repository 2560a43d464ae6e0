# SPDX-License-Identifier: Apache-2.0
"""Hostile peers: each attack is a process of its own, as a user of its own, that never stops.

test_attacks.py holds the daemon to staying alive under each of them, tests/bench/hostile measures
what a well-behaved client notices of them.
"""

import contextlib
import os
import resource
import select
import signal
import socket
import time

import people
import wire

FRIEND, KEEPER = 4100, 4101  # well-behaved
ATTACKER, ERASER = 4110, 4111
CROWD = range(4120, 4128)
OVERFLOW = 65534

CONNECTIONS_OF_UID = 64

GRANTS = f"""
[grant friends]
role = admin
users = {FRIEND}

[grant attackers]
role = admin
users = {ATTACKER}

[grant erasers]
role = keeper greedy
users = {ERASER}
"""


def requests(n, method, arguments=None):
    return b"".join(wire.request(msgid, method, arguments) for msgid in range(n))


def connect(path):
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.connect(path)
    peer.setblocking(False)
    return peer


class Pump:
    """Connections that send the same bytes without end, as fast as they are taken."""

    def __init__(self, path, data, n=CONNECTIONS_OF_UID, reads=True):
        self.path, self.data, self.reads = path, memoryview(data), reads
        self.poll = select.epoll()
        self.peers = {}  # descriptor: [socket, how much of data has been sent]
        for _ in range(n):
            self.open()

    def open(self):
        peer = connect(self.path)
        self.peers[peer.fileno()] = [peer, 0]
        wanted = select.EPOLLOUT | (select.EPOLLIN if self.reads else 0)
        self.poll.register(peer, wanted)

    def renew(self, fd):
        self.poll.unregister(fd)
        self.peers.pop(fd)[0].close()
        self.open()

    def write(self, fd):
        peer, at = self.peers[fd]
        with contextlib.suppress(BlockingIOError):
            at += peer.send(self.data[at:])
        self.peers[fd][1] = at % len(self.data)

    def is_alive(self, fd, events):
        try:
            if events & select.EPOLLOUT:
                self.write(fd)
            if events & select.EPOLLIN and not self.peers[fd][0].recv(1 << 18):
                return False
        except OSError:
            return False
        return not events & select.EPOLLHUP

    def once(self):
        for fd, events in self.poll.poll():
            if not self.is_alive(fd, events):
                self.renew(fd)


def pumping(data, **options):
    def attack(path):
        pump = Pump(path, data, **options)
        yield
        while True:
            pump.once()

    return attack


def slow_writers(path):
    """A byte at a time, on as many connections as there may be: frames that never come to an end."""
    data = wire.request(1, "account.import", {"accounts": [people.guest("slow")] * 1000})
    peers = [[connect(path), 0] for _ in range(CONNECTIONS_OF_UID)]
    yield
    while True:
        for i, (peer, at) in enumerate(peers):
            try:
                peer.send(data[at : at + 1])
                peers[i][1] = (at + 1) % len(data)
            except BlockingIOError:
                pass  # the same byte again, later
            except OSError:
                peer.close()
                peers[i] = [connect(path), 0]
        time.sleep(0.001)


def flood(path):
    """Connections that ask for nothing, each opened again when it has been closed."""
    n = 10_000 // len(CROWD)
    poll, peers = select.epoll(), {}

    def one_more():
        peer = connect(path)
        peers[peer.fileno()] = peer
        poll.register(peer, select.EPOLLIN)

    for _ in range(n):
        one_more()
    yield
    while True:
        for fd, _ in poll.poll():
            poll.unregister(fd)
            peers.pop(fd).close()
            one_more()


def half_open(path):
    """Half a frame, and then the end of what is sent."""
    data = wire.request(1, "retention.info")
    yield
    peers = []
    while True:
        peer = connect(path)
        with contextlib.suppress(OSError):
            peer.send(data[:-3])
            peer.shutdown(socket.SHUT_WR)
        peers.append(peer)
        if len(peers) > CONNECTIONS_OF_UID - 4:
            peers.pop(0).close()


def connect_and_close(path):
    yield
    while True:
        connect(path).close()


def leases(path):
    """Takes all tasks there are, for as long as it can, again and again, and confirms none."""
    with wire.connect(path) as keeper:
        yield
        while True:
            tasks = keeper.call("keeper.claim", keeper="greedy", max=1000, lease_us=1 << 40)["tasks"]
            held = [{"token": task["token"]} for task in tasks] or [{"token": "none"}]
            keeper.call("keeper.extend", keeper="greedy", tasks=held, lease_us=1 << 40)


def _large_frame():
    groups = [f"{n:0>250}" for n in range(31)]
    accounts = [people.guest(f"large{i}", groups=groups) for i in range(130)]
    data = wire.request(1, "account.import", {"accounts": accounts, "dry_run": True})
    assert 15 << 16 < len(data) <= 1 << 20
    return data


def _changes():
    accounts = people.names([f"g{i}" for i in range(1000)])
    return wire.request(1, "account.disable", {"accounts": accounts}) + wire.request(
        2, "account.enable", {"accounts": accounts}
    )


# What an attack is called: whom it is by, and what they do.
ATTACKS = {
    "slow writers": ([ATTACKER], slow_writers),
    "never reads": ([ATTACKER], pumping(requests(100, "retention.api"), reads=False)),
    "10 000 connections": (CROWD, flood),
    "half-open": ([ATTACKER], half_open),
    "connect and close": ([ATTACKER], connect_and_close),
    "pipelines thousands": ([ATTACKER], pumping(requests(1000, "retention.info"))),
    "lists that find nothing": (
        [ATTACKER], pumping(requests(20, "account.list", {"kind": "member", "limit": 1000}))
    ),
    "verifies the ledger": (
        [ATTACKER], pumping(requests(20, "ledger.verify", {"from": 1, "limit": 1000}))
    ),
    "largest frames": ([ATTACKER], pumping(_large_frame())),
    "changes without end": ([ATTACKER], pumping(_changes())),
    "subscribes, never reads": (
        [ATTACKER], pumping(requests(1, "events.subscribe", {"from": 1}), reads=False)
    ),
    "subscribes again and again": (
        [ATTACKER], pumping(requests(1, "events.subscribe", {"from": 1}))
    ),
    "uid 65534": ([OVERFLOW], pumping(requests(100, "retention.api"))),
    "holds leases for ever": ([ERASER], leases),
}


def _become(uid):
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _run(attack, path, uid, ready):
    """In the child: never returns."""
    try:
        if attack is flood:
            resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
        _become(uid)
        steps = attack(path)
        next(steps)
        os.write(ready, b"x")
        next(steps)
    finally:
        os._exit(1)


def _lives(child):
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, child, options) is None


@contextlib.contextmanager
def under(daemon, name):
    """The attack goes on for the time of a with block: to its end. Yields the processes."""
    uids, attack = ATTACKS[name]
    ready, theirs = os.pipe()
    children = []
    try:
        for uid in uids:
            child = os.fork()
            if child == 0:
                _run(attack, str(daemon.socket), uid, theirs)
            children.append(child)
        for _ in children:
            assert select.select([ready], [], [], wire.DEADLINE)[0], f"{name} did not begin"
            os.read(ready, 1)
        yield children
        assert all(map(_lives, children)), f"{name} ended by itself"
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(ready)
        os.close(theirs)


N_ACCOUNTS = 20_000


def furnish(daemon, n_accounts=N_ACCOUNTS):
    """A store that lists and proofs have something to do with; friend is the last account."""
    with daemon.connect() as root:
        people.set_org(root, "contoso")
        people.take_in(root, *[people.guest(f"g{i}") for i in range(n_accounts)])
        people.take_in(root, people.guest("friend"), people.guest("leaver"))
        root.call("keeper.set", keeper="greedy")
        root.call("keeper.set", keeper="patient")
        for verb in ("remove", "purge"):
            people.do(root, verb, "leaver")
