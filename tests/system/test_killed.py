# SPDX-License-Identifier: Apache-2.0
"""A kill at every write, sync and rename of one removal: nobody is ever half removed."""

import os
import pathlib
import shutil
import signal

import pytest

import people
from daemon import ENVIRONMENT, Daemon, NotStarted
from wire import Closed

CALLS = ("fdatasync", "pwrite64", "write", "writev", "rename")
MOMENTS_MAX = 100  # of one call; a removal has about ten

VAULT_KEY_BYTES = 32
VAULT_FIRST_SLOT = 4096


class Killed(Daemon):
    """Killed when it makes a system call for the nth time, from its start on."""

    call, nth = None, 0

    def command(self):
        if self.call is None:
            return super().command()
        inject = f"inject={self.call}:signal=KILL:when={self.nth}"
        traced = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", inject]
        # Who looks for leaks traces the process too, and there can be one tracer only.
        options = f"ASAN_OPTIONS={ENVIRONMENT['ASAN_OPTIONS']}:detect_leaks=0"
        return [*traced, "-E", options, *super().command()]

    def end(self):
        """True if the kill came; else ends the daemon, to which strace would pass no signal on."""
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        if children:
            os.kill(int(children[0]), signal.SIGTERM)
        code = self.process.wait(60)
        self.process = None
        return code != 0


def remove_until_killed(daemon):
    try:
        daemon.start()
        with daemon.connect() as client:
            people.do(client, "remove", "alex")
            people.do(client, "purge", "alex")
            people.settle(client)
    except NotStarted:
        return True
    except (Closed, OSError):
        pass
    return daemon.end()


def key(daemon, uid):
    place = VAULT_FIRST_SLOT + (uid - 1) * VAULT_KEY_BYTES
    return (daemon.state / "store" / "vault").read_bytes()[place : place + VAULT_KEY_BYTES]


def check_whole_or_gone(daemon, client, uid):
    account = people.get(client, uid=uid)
    if account["state"] in ("active", "soft-deleted"):
        assert account["name"] == "Guest alex"
        return
    people.settle(client)
    account = people.get(client, uid=uid)
    assert account["state"] == "removed" and "name" not in account
    assert key(daemon, uid) == bytes(VAULT_KEY_BYTES)
    events = [entry["event"] for entry in people.history(client, uid=uid)]
    assert events.count("removal-completed") == 1


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("call", CALLS)
def test_a_kill_at_any_moment_of_a_removal_leaves_nobody_half_removed(call):
    for nth in range(1, MOMENTS_MAX):
        daemon = Killed()
        try:
            daemon.start()
            with daemon.connect() as client:
                people.set_org(client, "contoso", **people.PRIVACY)
                uid = people.take_in(client, people.guest("alex"), people.guest("bo"))[0]["uid"]
            daemon.stop()

            daemon.call, daemon.nth = call, nth
            killed = remove_until_killed(daemon)
            daemon.call = None
            daemon.start()
            with daemon.connect() as client:
                check_whole_or_gone(daemon, client, uid)
                assert people.get(client, "bo")["name"] == "Guest bo"
                assert people.verify(client) == people.head(client)
            daemon.stop()
        finally:
            daemon.remove()
        if not killed:
            return
    pytest.fail(f"{call} is made without an end")
