# SPDX-License-Identifier: Apache-2.0
"""The store survives what it should survive; a damaged one is refused, untouched, with advice."""

import hashlib
import re
import shutil
import struct
import subprocess

import pytest

import people
from ctl import FAILURE, Ctl
from daemon import BEGIN, DAY, Daemon, NotStarted, running
from wire import DEADLINE, Closed, RpcError

PAGE = 4096


def copy_tree(source, target):
    """Like cp -a, and as quick for files that are mostly holes."""
    subprocess.run(["cp", "-aT", "--sparse=always", source, target], check=True)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """The state directory of a daemon that has lived a little, and ended well."""
    with running() as daemon:
        with daemon.connect() as client:
            people.set_org(client, "contoso", **people.PRIVACY)
            people.take_in(client, *[people.guest(f"g{i}") for i in range(300)])
            client.items("account.leave", people.names([f"g{i}" for i in range(100)]))
            client.items("account.purge", people.names([f"g{i}" for i in range(10)]))
            people.settle(client)
        daemon.stop()
        copy = tmp_path_factory.mktemp("filled") / "state"
        copy_tree(daemon.state, copy)
        yield copy


@pytest.fixture
def stopped(filled):
    """A daemon that is not running, over a copy of that store."""
    daemon = Daemon()
    copy_tree(filled, daemon.state)
    yield daemon
    daemon.remove()


def contents(daemon):
    """Every byte of the state directory, but for the two files that hold nothing but locks."""
    locks = ("lock", "lock.mdb")
    return {
        path: hashlib.sha256(path.read_bytes()).digest()
        for path in daemon.files()
        if path.name not in locks
    }


def everything(client):
    accounts = list(client.pages("account.list", "accounts", limit=1000))
    whole = [people.get(client, uid=account["uid"]) for account in accounts]
    return (
        accounts,
        whole,
        client.call("ledger.head"),
        list(client.pages("org.list", "orgs")),
        client.call("stats.get")["accounts"],
        client.call("retention.info")["instance"],
    )


@pytest.mark.parametrize("end", ["stop", "kill9"])
def test_everything_is_there_again_after_the_daemon_ended(stopped, end):
    stopped.start()
    with stopped.connect() as client:
        people.take_in(client, *[people.guest(f"late-{i}") for i in range(100)])
        client.items(
            "account.remove", people.names([f"late-{i}" for i in range(50)]), reason="a reason"
        )
        before = everything(client)
        explained = client.call("account.explain", **people.name("late-3"))
    getattr(stopped, end)()
    stopped.start()
    with stopped.connect() as client:
        assert everything(client) == before
        assert client.call("account.explain", **people.name("late-3")) == explained
        assert people.verify(client) == people.head(client)


def test_a_start_and_a_stop_change_nothing(stopped):
    stopped.start()
    stopped.stop()
    before = contents(stopped)
    stopped.start()
    stopped.stop()
    assert contents(stopped) == before


def test_a_second_daemon_on_the_same_store_is_refused_and_the_first_lives_on(stopped):
    stopped.start()
    second = Daemon()
    try:
        second.state.rmdir()
        second.state = stopped.state
        code, log = second.run_to_end()
    finally:
        second.remove()
    assert code == 1
    assert f"another retentiond has the store in {stopped.state} open" in log
    with stopped.connect() as client:
        assert people.get(client, "g200")["state"] == "active"
    stopped.stop()


def test_a_second_daemon_on_the_same_socket_is_refused_and_the_first_lives_on(stopped):
    stopped.start()
    second = Daemon()
    try:
        second.socket = stopped.socket
        code, log = second.run_to_end()
        assert code == 1 and f"cannot listen on {stopped.socket}" in log
    finally:
        second.remove()
    with stopped.connect() as client:
        assert client.call("retention.info")
    stopped.stop()
    assert not stopped.socket.exists()


# Damage


def data(daemon):
    return daemon.state / "store" / "data.mdb"


def vault(daemon):
    return daemon.state / "store" / "vault"


def journal(daemon):
    return daemon.state / "store" / "journal"


def register(daemon):
    return daemon.state / "register"


def used(path):
    """Bytes of an LMDB data file up to its last page, as the newer of its two first pages has it.

    What lies behind is room that the daemon keeps ready: nothing is lost with it.
    """
    with path.open("rb") as file:
        pages = [file.read(PAGE), file.read(PAGE)]
    _, last_page = max(struct.unpack_from("=QQ", page, 136)[::-1] for page in pages)
    return (last_page + 1) * PAGE


def cut(path, length):
    with path.open("r+b") as file:
        file.truncate(length)


def overwrite(path, at, data_):
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data_)


def zero_pages(daemon):
    overwrite(data(daemon), 2 * PAGE, bytes(used(data(daemon)) - 2 * PAGE))


def vault_of_another_store(daemon):
    with running() as other:
        other.stop()
        shutil.copy(vault(other), vault(daemon))


def other_data_file(daemon):
    with running() as other:
        other.stop()
        shutil.copy(data(other), data(daemon))


def register_of_another_store(daemon):
    with running() as other:
        other.stop()
        shutil.copy(register(other), register(daemon))


def flip_in_register(daemon):
    """One bit of a record that the store knows."""
    overwrite(register(daemon), 64 + 10, bytes([register(daemon).read_bytes()[64 + 10] ^ 1]))


def store_is_a_file(daemon):
    shutil.rmtree(daemon.state / "store")
    (daemon.state / "store").write_text("mine")


DAMAGES = {
    "data-cut-in-half": (
        lambda daemon: cut(data(daemon), used(data(daemon)) // 2), "restore a backup"
    ),
    "data-without-its-last-page": (
        lambda daemon: cut(data(daemon), used(data(daemon)) - PAGE), "restore a backup"
    ),
    "data-of-two-pages": (lambda daemon: cut(data(daemon), 2 * PAGE), "restore a backup"),
    "data-of-100-bytes": (lambda daemon: cut(data(daemon), 100), "restore a backup"),
    "data-empty": (lambda daemon: cut(data(daemon), 0), "restore a backup"),
    "data-missing": (lambda daemon: data(daemon).unlink(), "restore a backup"),
    "data-zeroed": (
        lambda daemon: overwrite(data(daemon), 0, bytes(used(data(daemon)))), "restore a backup"
    ),
    "data-pages-zeroed": (zero_pages, "restore a backup"),
    "data-first-page-garbage": (
        lambda daemon: overwrite(data(daemon), 0, b"garbage!" * 512), "restore a backup"
    ),
    "data-foreign": (
        lambda daemon: data(daemon).write_text("this is no database\n" * 1000), "restore a backup"
    ),
    "data-of-another-store": (other_data_file, "put the one of this store in its place"),
    "store-empty": (
        lambda daemon: [path.unlink() for path in (data(daemon), vault(daemon))], "restore"
    ),
    "store-is-a-file": (store_is_a_file, "Not a directory"),
    "vault-missing": (lambda daemon: vault(daemon).unlink(), "restore a backup"),
    "vault-empty": (lambda daemon: cut(vault(daemon), 0), "restore a backup"),
    "vault-cut": (lambda daemon: cut(vault(daemon), 100), "restore a backup"),
    "vault-foreign": (lambda daemon: vault(daemon).write_bytes(b"x" * 8192), "restore a backup"),
    "vault-header-changed": (
        lambda daemon: overwrite(vault(daemon), 40, b"\xff\xff"), "restore a backup"
    ),
    "journal-missing": (lambda daemon: journal(daemon).unlink(), "put it back, or restore a backup"),
    "journal-empty": (lambda daemon: cut(journal(daemon), 0), "put it back, or restore a backup"),
    "journal-cut": (lambda daemon: cut(journal(daemon), 5000), "put it back, or restore a backup"),
    "journal-zeroed": (
        lambda daemon: overwrite(journal(daemon), 0, bytes(1 << 20)),
        "put it back, or restore a backup",
    ),
    "journal-foreign": (
        lambda daemon: journal(daemon).write_bytes(b"x" * (1 << 20)),
        "put it back, or restore a backup",
    ),
    "register-missing": (lambda daemon: register(daemon).unlink(), "start once with --new-register"),
    "register-empty": (lambda daemon: cut(register(daemon), 0), "restore it"),
    "register-cut": (lambda daemon: cut(register(daemon), 64 + 32), "restore the newest one"),
    "register-zeroed": (
        lambda daemon: overwrite(register(daemon), 0, bytes(register(daemon).stat().st_size)),
        "restore it",
    ),
    "register-foreign": (lambda daemon: register(daemon).write_bytes(b"x" * 4096), "restore it"),
    "register-changed": (flip_in_register, "restore it"),
    "register-of-another-store": (
        register_of_another_store, "put the one of this store in its place"
    ),
    "vault-of-another-store": (vault_of_another_store, "put the one of this store in its place"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_store_is_refused_untouched_with_advice(stopped, name):
    damage, advice = DAMAGES[name]
    damage(stopped)
    before = contents(stopped)
    code, log = stopped.run_to_end()
    assert code == 1, log
    assert advice in log and str(stopped.state) in log
    assert contents(stopped) == before
    assert not stopped.socket.exists()


def test_no_zeroed_page_crashes_the_start(stopped):
    """A page that no start depends on may pass; the rest is answered with advice, not a signal."""
    length = used(data(stopped))
    with data(stopped).open("rb") as file:
        sound = file.read(length)
    refused = 0
    for at in range(2 * PAGE, length, max(1, length // PAGE // 40) * PAGE):
        overwrite(data(stopped), 0, sound)
        overwrite(data(stopped), at, bytes(PAGE))
        stopped.log.write_text("")
        try:
            stopped.start()
        except NotStarted as refusal:
            assert refusal.code == 1 and "restore a backup" in refusal.log, (at, refusal)
            refused += 1
        else:
            stopped.kill9()
    assert refused > 0


def test_a_changed_ledger_entry_is_found_at_the_start_or_by_verify(stopped):
    """One byte of a hash in the chain, where it stands in the next entry."""
    stopped.start()
    with stopped.connect() as client:
        people.take_in(client, *[people.guest(f"h{i}") for i in range(1500)])
        old = client.call("ledger.read", limit=1, **{"from": 50})["entries"][0]
        late = client.call(
            "ledger.read", limit=1, **{"from": people.head(client) - 50}
        )["entries"][0]
    stopped.stop()
    with data(stopped).open("rb") as file:
        sound = file.read(used(data(stopped)))

    def flip(entry):
        needle = bytes.fromhex(entry["hash"])
        assert needle in sound
        overwrite(data(stopped), 0, sound.replace(needle, bytes([needle[0] ^ 1]) + needle[1:]))

    flip(late)
    code, log = stopped.run_to_end()
    assert code == 1 and "restore a backup" in log

    flip(old)
    stopped.start()
    with stopped.connect() as client:
        told = client.call("ledger.verify", limit=1000)
        assert (told["ok"], told["fault"]["seq"]) == (False, old["seq"] + 1)
        assert re.search("not what was written|cannot be read", told["fault"]["what"])
        assert people.get(client, "g200")["state"] == "active"
    stopped.stop()


def test_what_a_crash_left_of_a_store_in_the_making_is_thrown_away():
    daemon = Daemon()
    try:
        leftover = daemon.state / "store.new"
        leftover.mkdir()
        (leftover / "data.mdb").write_bytes(b"half")
        (leftover / "vault").write_bytes(b"")
        daemon.start()
        with daemon.connect() as client:
            assert people.head(client) == 1
        assert not leftover.exists()
        daemon.stop()
    finally:
        daemon.remove()


def test_a_file_cut_short_under_a_running_daemon_ends_it_with_a_sentence(stopped):
    stopped.start()
    with stopped.connect() as client:
        cut(data(stopped), 2 * PAGE)
        with pytest.raises(Closed):
            for i in range(3000):
                people.get(client, f"g{i}")
            people.take_in(client, people.guest("late"))
    assert stopped.process.wait(DEADLINE) == 1
    stopped.process = None
    said = stopped.log.read_text()
    assert said.endswith("refuses what is damaged: restore a backup then\n")
    assert said.count("SIGBUS") == 1
    code, log = stopped.run_to_end()
    assert code == 1 and "restore a backup" in log


def test_a_small_map_refuses_growth_and_still_deletes():
    with running(options=["--clock=simulated:2026-01-01T00:00:00Z", "--map-size=8M"]) as daemon:
        with daemon.connect() as client:
            people.set_org(client, "contoso", **people.PRIVACY)
            uids, error = [], None
            while error is None:
                batch = [
                    people.guest(f"g{len(uids) + i}", groups=["x" * 200] * 10) for i in range(100)
                ]
                assert len(uids) < 10_000
                try:
                    uids += [item["uid"] for item in people.take_in(client, *batch)]
                except RpcError as refusal:
                    error = refusal
            assert error.code == "store-full"
            assert "the store is full" in Ctl(daemon.socket)("status").stdout.splitlines()[1]
            assert "the store is full" in Ctl(daemon.socket)("check", code=FAILURE).stdout
            for at in range(0, len(uids), 1000):
                items = client.items(
                    "account.remove", [{"uid": uid} for uid in uids[at : at + 1000]]
                )
                assert set(people.outcomes(items)) == {"ok"}
            client.call("clock.advance", by_us=30 * DAY)
            people.settle(client)
            assert client.call("stats.get")["accounts"] == {
                "active": 0,
                "soft_deleted": 0,
                "removing": 0,
                "removed": len(uids),
                "overdue": 0,
                "due_soon": 0,
                "held": 0,
            }
        daemon.restart()
        with daemon.connect() as client:
            assert people.verify(client) == people.head(client)
            assert client.call("retention.info")["clock"]["now_us"] == BEGIN + 30 * DAY
            assert people.take_in(client, people.guest("again"))[0]["change"] == "created"
