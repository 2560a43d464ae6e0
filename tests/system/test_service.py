# SPDX-License-Identifier: Apache-2.0
"""What the service manager is told, and what the daemon needs of the place it runs in."""

import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

import people
import wire
from daemon import ENVIRONMENT, Daemon, NotStarted

WATCHDOG = 2_000_000  # us; long enough for a machine that has much else to do


class Watched(Daemon):
    """A daemon whose service manager keeps everything it is told."""

    def __init__(self, watchdog=0, **arguments):
        super().__init__(**arguments)
        self.notices = []
        if watchdog:
            self.environment["WATCHDOG_USEC"] = str(watchdog)

    def next_notice(self):
        self.notify.settimeout(wire.DEADLINE)
        notice = self.notify.recv(4096).decode().split("\n")
        self.notices.append(notice)
        return notice

    def await_notice(self, wanted):
        """As the harness has it, keeping what comes before."""
        while True:
            ended = self.process.poll()
            if ended is not None:
                self.process = None
                raise NotStarted(ended, self.log.read_text())
            if wanted in self.next_notice():
                return

    def statuses(self):
        return [line[7:] for notice in self.notices for line in notice if line[:7] == "STATUS="]


@pytest.fixture
def watched():
    daemon = Watched(WATCHDOG)
    daemon.start()
    yield daemon
    daemon.remove()


def drain(daemon):
    """Takes what has been told already."""
    daemon.notify.setblocking(False)
    try:
        while True:
            daemon.notify.recv(4096)
    except BlockingIOError:
        pass


# The watchdog


def test_an_idle_daemon_gives_signs_of_life_in_time(watched):
    for _ in range(3):
        watched.notify.settimeout(WATCHDOG / 1e6)
        assert watched.notify.recv(4096) == b"WATCHDOG=1"


def test_a_busy_daemon_gives_signs_of_life(watched):
    with watched.connect() as client:
        watched.notify.setblocking(False)
        signs = 0
        while signs < 3:
            client.call("retention.info")
            try:
                signs += watched.notify.recv(4096) == b"WATCHDOG=1"
            except BlockingIOError:
                pass


def test_a_daemon_that_hangs_gives_no_sign_of_life(watched):
    watched.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, watched.pid, os.WSTOPPED)
    drain(watched)
    watched.notify.settimeout(WATCHDOG / 1e6)
    with pytest.raises(TimeoutError):
        watched.notify.recv(4096)
    watched.process.send_signal(signal.SIGCONT)
    watched.await_notice("WATCHDOG=1")


def test_without_a_watchdog_there_are_no_signs_of_life():
    daemon = Watched()
    try:
        daemon.start()
        with daemon.connect() as client:
            for _ in range(100):
                client.call("retention.info")
        daemon.stop()
        told = [line for notice in daemon.notices for line in notice]
        assert "WATCHDOG=1" not in told
    finally:
        daemon.remove()


# Long starts and stops


def fill(daemon, n):
    """n changes that are durable and not settled: the daemon is killed before a quiet moment."""
    with daemon.connect() as client:
        people.set_org(client, "contoso", name="Contoso", **people.PRIVACY)
        daemon.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, daemon.pid, os.WSTOPPED)
        posted = []
        for begin in range(0, n, 500):
            accounts = [
                {"org": "contoso", "id": f"i{i}", "kind": "member", "person": f"p{i}@x.example",
                 "upn": f"p{i}@x.example"}
                for i in range(begin, begin + 500)
            ]
            posted.append(wire.request(100 + begin, "account.import", {"accounts": accounts}))
        daemon.process.send_signal(signal.SIGCONT)
        for data in posted:
            client.send(data)
        for begin in range(0, n, 500):
            message = client.read_message()
            assert message[1] == 100 + begin and message[2] is None


def test_a_start_tells_how_far_it_is_and_asks_for_time_only_by_that():
    daemon = Watched()
    try:
        daemon.start()
        fill(daemon, 2500)
        daemon.kill9()
        daemon.notices.clear()
        daemon.start()
        assert "checking the store" in daemon.statuses()
        replayed = [s for s in daemon.statuses() if s.startswith("replaying the ledger: 0 of ")]
        assert len(replayed) == 1 and replayed[0].endswith(" entries")
        for notice in daemon.notices[:-1]:
            assert notice[0] == "EXTEND_TIMEOUT_USEC=30000000" and notice[2].startswith("STATUS=")
        daemon.stop()
    finally:
        daemon.remove()


def test_a_stop_tells_how_far_it_is():
    daemon = Watched()
    try:
        daemon.start()
        fill(daemon, 2500)
        daemon.notices.clear()
        daemon.stop()
        daemon.notify.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                daemon.notices.append(daemon.notify.recv(4096).decode().split("\n"))
        assert daemon.notices[0][0] == "STOPPING=1"
        settled = [s for s in daemon.statuses() if s.startswith("settling the store: 0 of ")]
        assert len(settled) == 1
    finally:
        daemon.remove()


# Reloading


def reload(daemon):
    daemon.notices.clear()
    daemon.process.send_signal(signal.SIGHUP)
    daemon.await_notice("READY=1")
    assert daemon.notices[0][0] == "RELOADING=1"
    assert daemon.notices[0][1].startswith("MONOTONIC_USEC=")
    return daemon.statuses()[-1]


def may_keep(daemon, uid):
    with daemon.connect_as(uid) as client:
        roles = client.call("retention.info")["you"]["roles"]
        return [role["keeper"] for role in roles if role["role"] == "keeper"]


def test_a_reload_takes_over_who_may_be_a_keeper():
    daemon = Watched()
    try:
        daemon.start()
        before = daemon.config.read_text()
        daemon.config.write_text(before + "[grant k]\nrole = keeper crm\nusers = 4001\n")
        assert may_keep(daemon, 4001) == []
        assert "wrong" not in reload(daemon)
        assert may_keep(daemon, 4001) == ["crm"]
        daemon.config.write_text(before)
        reload(daemon)
        assert may_keep(daemon, 4001) == []
        daemon.stop()
    finally:
        daemon.remove()


def test_a_reload_that_fails_says_so_and_keeps_what_was_until_one_goes_well():
    daemon = Watched(config="[grant k]\nrole = keeper crm\nusers = 4001\n")
    try:
        daemon.start()
        right = daemon.config.read_text()
        daemon.config.write_text(right + "[grant l]\nrole = king\nusers = 4002\n")
        assert "The new configuration is wrong, the one before is in force" in reload(daemon)
        assert may_keep(daemon, 4001) == ["crm"]
        daemon.config.write_text(right)
        assert "wrong" not in reload(daemon)
        daemon.stop()
    finally:
        daemon.remove()


def test_a_reload_that_is_asked_for_during_a_start_is_done_after_it():
    daemon = Watched()
    text = daemon.config.read_text()
    daemon.config.unlink()
    os.mkfifo(daemon.config)
    pipe = daemon.directory / "pipe"

    def ask():
        with daemon.config.open("w") as config:  # returns when the daemon opens it
            while daemon.process is None:
                pass
            daemon.process.send_signal(signal.SIGHUP)
            daemon.config.rename(pipe)
            daemon.config.write_text(text)
            config.write(text)

    try:
        threading.Thread(target=ask, daemon=True).start()
        daemon.start()
        daemon.await_notice("RELOADING=1")
        daemon.await_notice("READY=1")
        assert "configuration reloaded" in daemon.log.read_text()
        daemon.stop()
    finally:
        daemon.remove()


def test_a_key_that_takes_a_restart_is_named_as_long_as_it_differs_from_what_is_in_force():
    daemon = Watched(config="map_size = 64M\n")
    right = daemon.config.read_text()

    def says_restart(size):
        before = len(daemon.log.read_text())
        daemon.config.write_text(right.replace("64M", size))
        reload(daemon)
        return "the new map_size takes effect with a restart" in daemon.log.read_text()[before:]

    try:
        daemon.start()
        assert says_restart("128M")
        assert says_restart("128M"), "it still differs"
        assert not says_restart("64M"), "it is in force"
        daemon.stop()
    finally:
        daemon.remove()


def test_a_start_with_a_grant_for_nobody_who_is_there_says_so_until_a_reload_goes_well():
    daemon = Watched()
    right = daemon.config.read_text()
    daemon.config.write_text(right + "[grant l]\nrole = reader\nusers = no-such-user\n")
    try:
        daemon.start()
        assert "Grants name users or groups that are not there" in daemon.statuses()[-1]
        assert "Grants name" in reload(daemon)
        daemon.config.write_text(right)
        assert "Grants name" not in reload(daemon)
        daemon.stop()
    finally:
        daemon.remove()


# User namespaces


def unshares(*options):
    """Whether the kernel lets us make a user namespace."""
    unshare = shutil.which("unshare")
    if not unshare:
        return False
    made = subprocess.run(
        [unshare, *options, "true"], env=ENVIRONMENT, capture_output=True, check=False
    )
    return made.returncode == 0


IN_NAMESPACE = ("--user", "--map-root-user")


class Inside(Watched):
    """A daemon in a user namespace that has one user."""

    def command(self):
        return ["unshare", *IN_NAMESPACE, *super().command()]


# A namespace gets its users from outside of it: from a child that stays there.
TAKE_ALL_OVER = """
import ctypes, os, sys
ready, go = os.pipe()
if os.fork() == 0:
    os.close(go)
    os.read(ready, 1)
    for what in ("uid_map", "gid_map"):
        with open(f"/proc/{os.getppid()}/{what}", "w") as map:
            map.write("0 0 4294967295")
    os._exit(0)
assert ctypes.CDLL(None).unshare(0x10000000) == 0
os.close(go)
assert os.wait()[1] == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


class Whole(Watched):
    """A daemon in a user namespace that has all users."""

    def command(self):
        return [sys.executable, "-c", TAKE_ALL_OVER, *super().command()]


@pytest.mark.skipif(not unshares(*IN_NAMESPACE), reason="the kernel makes no user namespaces")
class TestNamespace:
    def test_a_daemon_that_cannot_tell_users_apart_does_not_start(self):
        daemon = Inside()
        try:
            daemon.config.write_text("[retentiond]\n")
            code, log = daemon.run_to_end()
            assert code == 6
            assert "PrivateUsers=" in log and "allow_user_namespace = yes" in log
            assert list(daemon.state.iterdir()) == []
            assert not daemon.socket.exists()
        finally:
            daemon.remove()

    def test_it_starts_where_the_configuration_allows_it_and_warns(self):
        daemon = Inside(config="allow_user_namespace = yes\n")
        try:
            daemon.start()
            assert "user namespace" in daemon.log.read_text()
            with daemon.connect() as client:
                assert client.call("retention.info")["you"]["uid"] == 0
            daemon.stop()
        finally:
            daemon.remove()

    @pytest.mark.skipif(os.getuid() != 0, reason="only root may take over all users")
    def test_it_starts_in_a_namespace_that_has_all_users(self):
        daemon = Whole()
        try:
            daemon.start()
            assert "user namespace" not in daemon.log.read_text()
            daemon.stop()
        finally:
            daemon.remove()
