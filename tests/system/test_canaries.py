# SPDX-License-Identifier: Apache-2.0
"""A mark of its own in every field of every account: after the removal none is left anywhere."""

import re
import secrets

import pytest

import keepers
import people
import wire
from daemon import BEGIN, DAY, SIMULATED, running

try:
    import sealed
except OSError:
    sealed = None

N = 1500
GROUPS = PERMISSIONS = 3
COMMANDS = 5  # on each account before its removal starts, each with a request id of its own

pytestmark = pytest.mark.skipif(sealed is None, reason="libsodium.so.23 is not here to unseal with")


class Marks:
    """Distinct marks with the same beginning, which nothing else has."""

    def __init__(self):
        self.prefix = f"canary{secrets.token_hex(6)}"
        self.n = 0
        self.pattern = re.compile(self.prefix.encode() + rb"[0-9]{6}")

    def new(self):
        self.n += 1
        return f"{self.prefix}{self.n - 1:06}"

    def told(self, data):
        """How many different marks there are in these bytes, however they are written."""
        found = set(self.pattern.findall(data))
        prefix = self.prefix
        for other in (
            prefix.upper().encode(),
            prefix.encode("utf-16-le"),
            prefix.encode("utf-32-le"),
            prefix.encode().hex().encode(),
            prefix[::-1].encode(),
        ):
            if other in data:
                found.add(other)
        return found

    def account(self, i):
        address = [f"{self.new()}@{self.new()}.example" for _ in range(3)]
        return {
            "org": "contoso",
            "id": self.new(),
            "kind": people.DIRECT if i % 3 == 0 else people.GUEST,
            "person": address[0],
            "upn": address[1],
            "mail": address[2],
            "name": f"Alex {self.new()}",
            "groups": [self.new() for _ in range(GROUPS)],
            "permissions": [self.new() for _ in range(PERMISSIONS)],
        }

    def notes(self):
        return {"reason": f"because {self.new()}", "ref": self.new(), "request_id": self.new()}


def stored(daemon):
    """The data: what is in its file, and what is in the journal beside it."""
    store = daemon.state / "store"
    return (store / "data.mdb").read_bytes().rstrip(b"\0") + (store / "journal").read_bytes()


class Scene:
    """1500 accounts that have lived through everything that can be said about one."""

    def __init__(self, daemon, client):
        self.daemon = daemon
        self.client = client
        self.marks = Marks()
        self.accounts = [self.marks.account(i) for i in range(N)]
        people.set_org(client, "contoso", **people.PRIVACY)
        keepers.set_keeper(client, "crm")
        people.take_in(client, *self.accounts, reason=self.marks.new())
        self.holds = [{"hold": self.marks.new()} for _ in range(N)]
        self._of_each("request.file")
        self._of_each("hold.add", self.holds)
        self._of_each("account.disable")
        self._of_each("account.remove")
        self._of_each("account.purge")  # blocked
        client.call("clock.advance", by_us=30 * DAY)

    def _of_each(self, method, more=N * [{}]):
        for account, arguments in zip(self.accounts, more, strict=True):
            named = [people.name(account["id"])]
            self.client.post(method, {"accounts": named, **self.marks.notes(), **arguments})
        for msgid in range(self.client.msgid - N + 1, self.client.msgid + 1):
            item = self.client.take(msgid)["items"][0]
            assert item["outcome"] in ("ok", "held"), item

    def let_go(self):
        """The holds end, and removal begins."""
        self._of_each("hold.remove", self.holds)

    def fail(self):
        with keepers.Keeper(self.daemon, "crm") as crm:
            tasks = crm.claim_all()
            assert len(tasks) == N
            failures = [{"token": task["token"], "error": self.marks.new()} for task in tasks]
            for at in range(0, N, 500):
                items = crm.call("fail", tasks=failures[at : at + 500])["items"]
                assert set(people.outcomes(items)) == {"ok"}

    def confirm(self):
        with keepers.Keeper(self.daemon, "crm") as crm:
            tasks = crm.claim_all()
            assert len(tasks) == N
            told = [
                {"token": task["token"], "result": "erased", "note": self.marks.new()}
                for task in tasks
            ]
            for at in range(0, N, 500):
                items = crm.call("confirm", tasks=told[at : at + 500])["items"]
                assert set(people.outcomes(items)) == {"ok"}

    def in_clear(self):
        """The marks that stand anywhere in the daemon's directory: state, log, backups."""
        found = set()
        for path in self.daemon.directory.rglob("*"):
            if path.is_file():
                found |= self.marks.told(path.read_bytes().rstrip(b"\0"))
        return found

    def data(self):
        return stored(self.daemon)

    def vault(self):
        return (self.daemon.state / "store" / "vault").read_bytes()

    def with_keys(self, vault=None):
        """The marks that can be read in the data file with this vault, or with the one there is."""
        texts = sealed.readable(self.data(), self.vault() if vault is None else vault)
        return self.marks.told(b"\n".join(texts))


@pytest.fixture
def daemon():
    with running(keepers.grant("crm"), (SIMULATED, "--log-level=debug")) as daemon:
        yield daemon


@pytest.fixture
def scene(daemon, client):
    return Scene(daemon, client)


def busy(client, n=1000):
    """Commands on other accounts: pages are used anew, answers are kept."""
    people.take_in(client, *[people.guest(f"other-{i}") for i in range(50)])
    for i in range(n):
        verb = "disable" if i // 50 % 2 == 0 else "enable"
        client.post(f"account.{verb}", {"accounts": [people.name(f"other-{i % 50}")]})
    for msgid in range(client.msgid - n + 1, client.msgid + 1):
        assert client.take(msgid)["items"][0]["outcome"] == "ok"


def test_no_mark_of_a_removed_person_is_left_and_none_ever_stood_in_clear(daemon, client, scene):
    assert scene.marks.n >= 10_000
    control = daemon.directory / "control"
    control.write_text(scene.marks.new())
    assert len(scene.in_clear()) == 1  # the search finds what there is, and there is nothing else
    control.unlink()
    # Whoever has the keys reads everything but the request ids, of which there is a hash only.
    assert len(scene.with_keys()) == scene.marks.n - 1 - COMMANDS * N

    client.call("sweep.pause")
    scene.let_go()
    scene.fail()
    assert scene.in_clear() == set()
    assert len(scene.with_keys()) > 10_000
    client.call("clock.advance", by_us=DAY)
    scene.confirm()
    saved = scene.vault()
    client.call("sweep.resume")
    people.settle(client)
    assert client.call("stats.get")["accounts"]["removed"] == N

    assert scene.in_clear() == set()
    assert scene.with_keys() == set()
    # The bar is the vault: with its keys, as if none had been overwritten, the pages still talk.
    assert len(scene.with_keys(saved)) > 100

    busy(client)
    assert scene.in_clear() == set() and scene.with_keys() == set()
    daemon.restart()
    assert scene.in_clear() == set() and scene.with_keys() == set()
    with daemon.connect() as again:
        again.call("backup.create")
        wire.until(lambda: not again.call("backup.create")["running"], "the backup is made")
        assert scene.in_clear() == set() and scene.with_keys() == set()
        assert people.verify(again) == people.head(again)


def test_a_copy_of_the_data_from_before_the_removal_is_noise_without_its_keys(
    daemon, client, contoso
):
    marks = Marks()
    account = marks.account(1)
    uid = people.take_in(client, account, reason=marks.new())[0]["uid"]
    client.call("clock.advance", by_us=1)
    store = daemon.state / "store"
    data = stored(daemon)
    vault = (store / "vault").read_bytes()
    texts = b"\n".join(sealed.readable(data, vault))
    assert len(marks.told(texts)) == marks.n
    client.items("account.remove", [{"uid": uid}])
    client.items("account.purge", [{"uid": uid}])
    people.settle(client)
    assert people.get(client, uid=uid)["removed_at_us"] == BEGIN + 1
    assert list(sealed.readable(data, (store / "vault").read_bytes())) == []
    assert uid in sealed.keys(vault) and uid not in sealed.keys((store / "vault").read_bytes())
