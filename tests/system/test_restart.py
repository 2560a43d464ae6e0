# SPDX-License-Identifier: Apache-2.0
"""The daemon is started anew under its clients, on a socket that stays open, and none notices."""

import concurrent.futures
import os
import signal
import socket
import subprocess
import threading
import time

import msgpack
import pytest

import people
import wire
from daemon import ENVIRONMENT, Daemon, program

OK, UNREACHABLE = 0, 7

N_CALLS, N_CLIENTS, N_RESTARTS = 300, 6, 10


class Activated(Daemon):
    """A daemon on a socket that is ours, as systemd has it: it stays when the daemon goes."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listening.bind(str(self.socket))
        self.listening.listen(4096)
        self.pass_fds = (self.listening.fileno(),)

    def command(self):
        pass_on = f'exec 3<&{self.pass_fds[0]}; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'
        return ["/bin/bash", "-c", pass_on, "bash", *super().command()]

    def remove(self):
        super().remove()
        self.listening.close()


@pytest.fixture
def activated():
    daemon = Activated()
    daemon.start()
    yield daemon
    daemon.remove()


def call(path, *arguments):
    return subprocess.run(
        [program("RETENTIONCTL"), *arguments],
        env={**ENVIRONMENT, "RETENTIOND_SOCKET": str(path)},
        capture_output=True,
        text=True,
        timeout=wire.DEADLINE,
        check=False,
    )


def guests(n):
    return [people.guest(f"g{i}") for i in range(n)]


def prepare(daemon, n):
    with daemon.connect() as client:
        people.set_org(client, "contoso", name="Contoso", **people.PRIVACY)
        people.take_in(client, *guests(n))


def leave_all(daemon, restart):
    """Every guest leaves by a call of its own, while the daemon is started anew again and again."""
    n_restarts = 0
    with concurrent.futures.ThreadPoolExecutor(N_CLIENTS) as pool:
        calls = [pool.submit(call, daemon.socket, "leave", f"contoso/g{i}") for i in range(N_CALLS)]
        while n_restarts < N_RESTARTS:
            done = sum(call.done() for call in calls)
            if done >= n_restarts * N_CALLS // N_RESTARTS:
                restart()
                n_restarts += 1
            else:
                concurrent.futures.wait(
                    [call for call in calls if not call.done()][:1], wire.DEADLINE
                )
    return [call.result() for call in calls]


def stop_and_start(daemon):
    daemon.stop()
    daemon.start()


def kill_and_start(daemon):
    daemon.kill9()
    daemon.start()


@pytest.mark.parametrize("end", [stop_and_start, kill_and_start])
def test_no_call_fails_and_each_is_carried_out_once(activated, end):
    prepare(activated, N_CALLS)
    for ended in leave_all(activated, lambda: end(activated)):
        assert (ended.returncode, ended.stderr) == (OK, "")
    with activated.connect() as client:
        for i in range(N_CALLS):
            events = [entry["event"] for entry in people.history(client, **people.name(f"g{i}"))]
            assert events == ["imported", "left"], i


def test_what_was_sent_before_the_stop_is_answered(activated):
    """Also by a peer that never asks again: requests that arrive while the daemon ends."""
    n = 500  # more than one turn of the loop takes
    prepare(activated, n)
    with activated.connect() as client:
        client.call("retention.info")
        activated.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, activated.pid, os.WSTOPPED)
        client.send(
            b"".join(
                wire.request(i, "account.leave", {"accounts": [people.name(f"g{i}")]})
                for i in range(n)
            )
        )
        activated.process.send_signal(signal.SIGTERM)
        activated.process.send_signal(signal.SIGCONT)
        for i in range(n):
            _, msgid, error, result = client.read_message()
            assert (msgid, error, people.outcomes(result["items"])) == (i, None, ["ok"])
        assert client.is_closed()
    activated.await_end()


def test_who_connects_while_there_is_no_daemon_is_served_by_the_next_one(activated):
    activated.stop()
    with activated.connect() as client:
        client.post("retention.info")
        activated.start()
        assert client.take(1)["product"] == "retentiond"


# A daemon that loses connections on purpose


class Fickle(threading.Thread):
    """Ends connections as the plan says, then answers. It notes every request it has seen."""

    def __init__(self, path, plan):
        super().__init__(daemon=True)
        self.plan = list(plan)
        self.requests = []
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listening.bind(str(path))
        self.listening.listen()
        self.start()

    def run(self):
        while True:
            try:
                peer, _ = self.listening.accept()
            except OSError:
                return
            with peer:
                self.serve(peer)

    def serve(self, peer):
        what = self.plan.pop(0) if self.plan else "answer"
        if what == "close":
            return
        request = next(msgpack.Unpacker(peer.makefile("rb", buffering=0)))
        self.requests.append(request)
        if what == "vanish":
            os.unlink(self.listening.getsockname())
        if what == "answer":
            peer.sendall(msgpack.packb([1, request[1], None, {"items": [{"outcome": "ok"}]}]))


@pytest.fixture
def fickle(tmp_path):
    made = []

    def make(*plan):
        made.append(Fickle(tmp_path / "socket", plan))
        return made[0]

    yield make
    made[0].listening.shutdown(socket.SHUT_RDWR)
    made[0].listening.close()


def ids(daemon):
    changes = [request for request in daemon.requests if request[2] == "account.leave"]
    return [request[3][0]["request_id"] for request in changes]


def test_a_change_that_was_not_answered_is_asked_again_under_the_same_id(fickle, tmp_path):
    daemon = fickle("read", "close", "read", "answer")
    assert call(tmp_path / "socket", "leave", "contoso/alex", "--yes").returncode == OK
    assert len(ids(daemon)) == 3 and len(set(ids(daemon))) == 1
    assert len(ids(daemon)[0]) == 32


def test_two_calls_have_two_ids(fickle, tmp_path):
    daemon = fickle()
    for _ in range(2):
        assert call(tmp_path / "socket", "leave", "contoso/alex", "--yes").returncode == OK
    assert len(set(ids(daemon))) == 2


def test_an_id_that_was_given_is_the_one(fickle, tmp_path):
    daemon = fickle("read")
    ended = call(tmp_path / "socket", "leave", "contoso/alex", "--yes", "--request-id=mine")
    assert ended.returncode == OK and ids(daemon) == ["mine", "mine"]


def test_what_only_asks_is_asked_again(fickle, tmp_path):
    daemon = fickle("read", "read", "answer")
    assert call(tmp_path / "socket", "call", "org.list").returncode == OK
    assert len(daemon.requests) == 3


def test_a_request_that_ends_the_daemon_each_time_is_given_up(fickle, tmp_path):
    daemon = fickle(*["read"] * 10)
    ended = call(tmp_path / "socket", "leave", "contoso/alex", "--yes")
    assert ended.returncode == UNREACHABLE and "may have been done" in ended.stderr
    assert len(daemon.requests) == 4


@pytest.mark.parametrize("method", ["account.leave", "clock.advance", "backup.create"])
def test_a_change_without_an_id_is_not_asked_again(fickle, tmp_path, method):
    daemon = fickle("read", "answer")
    ended = call(tmp_path / "socket", "call", method)
    assert ended.returncode == UNREACHABLE and "may have been done" in ended.stderr
    assert len(daemon.requests) == 1


def test_a_daemon_that_does_not_come_back_is_waited_for_until_the_time_is_over(fickle, tmp_path):
    fickle("vanish")
    begun = time.monotonic()
    ended = call(tmp_path / "socket", "--timeout=300ms", "leave", "contoso/alex", "--yes")
    assert ended.returncode == UNREACHABLE and "may have been done" in ended.stderr
    assert time.monotonic() - begun > 0.2


def test_a_daemon_that_was_never_there_is_not_waited_for(tmp_path):
    ended = call(tmp_path / "socket", "--timeout=1h", "leave", "contoso/alex", "--yes")
    assert ended.returncode == UNREACHABLE and "not reachable" in ended.stderr
