# SPDX-License-Identifier: Apache-2.0
"""Keys that the service manager gives: one signs receipts, one wraps the vault."""

import os
import shutil
import subprocess

import pytest

import people
import wire
from daemon import Daemon, program

OK, FAILURE, USAGE, CONFIG = 0, 1, 2, 6

MASTER, OTHER = bytes(range(32)), bytes(range(1, 33))

# RFC 8032, 7.1, test 1.
SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

FORMAT_CLEAR, FORMAT_WRAPPED = 1, 2


class Keyed(Daemon):
    """A daemon that is given credentials."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.credentials = self.directory / "credentials"
        self.credentials.mkdir(0o700)
        self.environment["CREDENTIALS_DIRECTORY"] = str(self.credentials)

    @property
    def vault(self):
        return self.state / "store" / "vault"

    def give(self, name, key, mode=0o400):
        self.take(name)
        path = self.credentials / name
        path.write_bytes(key)
        path.chmod(mode)

    def take(self, name):
        (self.credentials / name).unlink(missing_ok=True)

    def format(self):
        return int.from_bytes(self.vault.read_bytes()[8:16], "big")

    def run_with(self, *options):
        """A daemon that is to do something and end."""
        before = self.options
        self.options = [*before, *options]
        try:
            return self.run_to_end()
        finally:
            self.options = before


@pytest.fixture
def daemon():
    daemon = Keyed()
    yield daemon
    daemon.remove()


def fill(daemon):
    with daemon.connect() as client:
        people.set_org(client, "contoso", name="Contoso", **people.PRIVACY)
        people.take_in(client, *[people.guest(f"g{i}") for i in range(200)])
        people.do(client, "remove", "g1")
        people.do(client, "purge", "g1")


def is_whole(daemon):
    """Everything sealed opens, everything hashed is found, and what was removed is gone."""
    with daemon.connect() as client:
        for i in (0, 2, 199):
            assert people.get(client, f"g{i}")["person"] == people.person(f"g{i}")
        assert people.get(client, "g1")["state"] == "removed"
        people.take_in(client, people.guest("new"))
        people.do(client, "remove", "new")
        people.do(client, "purge", "new")
    return True


# The master key


@pytest.mark.parametrize("key", [MASTER, MASTER.hex().encode(), MASTER.hex().encode() + b"\n"])
def test_a_new_store_is_wrapped_from_the_start(daemon, key):
    daemon.give("master-key", key)
    daemon.start()
    fill(daemon)
    assert daemon.format() == FORMAT_WRAPPED
    daemon.restart()
    assert is_whole(daemon)
    daemon.stop()


def test_without_a_credential_it_is_not(daemon):
    daemon.start()
    assert daemon.format() == FORMAT_CLEAR
    daemon.stop()


def test_a_wrapped_vault_is_opened_by_its_own_master_key_only(daemon):
    daemon.give("master-key", MASTER)
    daemon.start().stop()
    before = daemon.vault.read_bytes()
    daemon.take("master-key")
    code, log = daemon.run_to_end()
    assert code == CONFIG and "give the credential master-key" in log
    daemon.give("master-key", OTHER)
    code, log = daemon.run_to_end()
    assert code == CONFIG and "wrapped with another master key" in log
    assert daemon.vault.read_bytes() == before
    daemon.give("master-key", MASTER)
    daemon.start().stop()


def test_a_master_key_for_a_vault_that_is_not_wrapped_is_refused_with_what_to_do(daemon):
    daemon.start().stop()
    daemon.give("master-key", MASTER)
    code, log = daemon.run_to_end()
    assert code == CONFIG and "retentiond --wrap-vault" in log
    assert daemon.format() == FORMAT_CLEAR


def test_a_vault_is_wrapped_and_unwrapped_and_nothing_is_lost(daemon):
    daemon.start()
    fill(daemon)
    daemon.stop()
    clear = daemon.vault.read_bytes()
    daemon.give("master-key", MASTER)
    code, log = daemon.run_with("--wrap-vault")
    assert code == OK and "is wrapped" in log
    assert daemon.format() == FORMAT_WRAPPED
    assert daemon.vault.read_bytes()[4096:] != clear[4096:]
    assert sorted(path.name for path in daemon.vault.parent.iterdir()) == [
        "data.mdb",
        "journal",
        "lock.mdb",
        "vault",
    ]
    daemon.start()
    assert is_whole(daemon)
    daemon.stop()
    code, log = daemon.run_with("--unwrap-vault")
    assert code == OK and "not wrapped any more" in log
    daemon.take("master-key")
    daemon.start()
    with daemon.connect() as client:
        assert people.get(client, "g2")["person"] == people.person("g2")
    daemon.stop()


def test_what_a_killed_wrapping_left_is_gone_after_the_next_start(daemon):
    daemon.start()
    fill(daemon)
    daemon.stop()
    left = daemon.vault.with_suffix(".wrap-new")
    shutil.copy(daemon.vault, left)
    os.link(daemon.vault, daemon.vault.with_suffix(".wrap-old"))
    daemon.start()
    assert not left.exists() and not daemon.vault.with_suffix(".wrap-old").exists()
    assert is_whole(daemon)
    daemon.stop()


@pytest.mark.parametrize("option", ["--wrap-vault", "--unwrap-vault"])
def test_nothing_is_rewritten_under_a_running_daemon(daemon, option):
    daemon.give("master-key", MASTER)
    daemon.start()
    before = daemon.vault.read_bytes()
    code, log = daemon.run_with(option)
    assert code == FAILURE and "another retentiond has the store" in log
    assert daemon.vault.read_bytes() == before
    daemon.stop()


def test_wrapping_refuses_what_it_cannot_do(daemon):
    code, log = daemon.run_with("--wrap-vault")
    assert code == FAILURE and "there is no vault" in log
    assert list(daemon.state.iterdir()) == []  # not even a lock, which would be root's
    daemon.start()
    daemon.stop()
    code, log = daemon.run_with("--wrap-vault")
    assert code == CONFIG and "$CREDENTIALS_DIRECTORY/master-key" in log
    daemon.give("master-key", MASTER)
    shutil.rmtree(daemon.state / "store")
    (daemon.state / "register").unlink()
    daemon.start().stop()
    code, log = daemon.run_with("--wrap-vault")
    assert code == CONFIG and "wrapped already" in log
    daemon.give("master-key", OTHER)
    code, log = daemon.run_with("--unwrap-vault")
    assert code == CONFIG and "another master key" in log
    assert daemon.run_with("--wrap-vault", "--unwrap-vault")[0] == USAGE
    assert daemon.format() == FORMAT_WRAPPED


def test_the_copy_in_a_backup_stays_wrapped(daemon):
    daemon.give("master-key", MASTER)
    daemon.start()
    fill(daemon)
    with daemon.connect() as client:
        wire.until(lambda: not client.call("backup.create")["running"], "the backup is made")
    copy = daemon.state / "backup-vault" / "vault"
    assert copy.read_bytes() == daemon.vault.read_bytes()
    daemon.stop()


# Any credential


@pytest.mark.parametrize("name", ["master-key", "signing-key"])
@pytest.mark.parametrize("key", [b"", b"short", MASTER + b"\n", b"g" * 64, SEED.encode() * 2])
def test_a_credential_that_is_no_key_is_refused(daemon, name, key):
    daemon.give(name, key)
    code, log = daemon.run_to_end()
    assert code == CONFIG and f"{name} is neither 32 bytes nor 64 hexadecimal" in log
    assert not daemon.socket.exists()


@pytest.mark.parametrize("name", ["master-key", "signing-key"])
def test_a_credential_that_others_may_read_is_refused(daemon, name):
    daemon.give(name, MASTER, mode=0o444)
    code, log = daemon.run_to_end()
    assert code == CONFIG and "others may read" in log and "chmod 0400" in log


def test_receipts_are_signed_with_the_credential_and_its_key_is_told(daemon):
    daemon.give("signing-key", SEED.encode() + b"\n")
    daemon.start()
    fill(daemon)
    with daemon.connect() as client:
        assert client.call("retention.info")["public_key"] == PUBLIC
        assert client.call("receipt.get", **people.name("g1"))["public_key"] == PUBLIC
    assert not (daemon.state / "signing.key").exists()
    daemon.stop()


# Memory


def confined(*command):
    """Without the right to lock memory, also as root."""
    return ["setpriv", "--bounding-set=-ipc_lock", "prlimit", "--memlock=0:0", *command]


def may_confine():
    if not shutil.which("setpriv") or not shutil.which("prlimit"):
        return False
    return subprocess.run(confined("true"), capture_output=True, check=False).returncode == 0


def locks_memory():
    """A sanitizer answers mlock() itself, and locks nothing."""
    with open(program("RETENTIOND"), "rb") as file:
        return b"__asan_init" not in file.read()


@pytest.mark.skipif(not may_confine(), reason="setpriv and prlimit are not allowed here")
@pytest.mark.skipif(not locks_memory(), reason="the sanitizer locks no memory")
def test_keys_that_cannot_be_locked_into_memory_are_told_of_and_no_more(daemon):
    command = daemon.command()
    daemon.command = lambda: confined(*command)
    daemon.start()
    assert "cannot be locked into memory" in daemon.log.read_text()
    fill(daemon)
    daemon.stop()
