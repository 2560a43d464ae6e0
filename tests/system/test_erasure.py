# SPDX-License-Identifier: Apache-2.0
"""Nothing of a person stands anywhere in clear; after the removal nothing can be read at all."""

import secrets
import stat

import pytest

import people
from daemon import BEGIN, DAY

N = 400
VAULT_KEY_BYTES = 32
VAULT_FIRST_SLOT = 4096  # where the key of uid 1 stands; see daemon/store/vault.h


class Canaries:
    """Accounts in which every text that a person could be known by carries the same mark."""

    def __init__(self):
        self.mark = f"canary{secrets.token_hex(8)}"

    def account(self, i):
        m = self.mark
        return {
            "org": "contoso",
            "id": f"{m}-id-{i}",
            "kind": people.GUEST if i % 4 else people.DIRECT,
            "person": f"{m}-person-{i}@{m}.example",
            "upn": f"{m}-upn-{i}@{m}.example",
            "mail": f"{m}-mail-{i}@{m}.example",
            "name": f"{m} name {i}",
            "groups": [f"{m}-group-{i}-{n}" for n in range(5)],
            "permissions": [f"{m}-permission-{i}-{n}" for n in range(5)],
        }

    def notes(self, i):
        return {
            "reason": f"{self.mark} reason {i}",
            "ref": f"{self.mark}-ref-{i}",
            "request_id": f"{self.mark}-request-{i}",
        }


def found(daemon, needles):
    """The files that hold any of these bytes: of the state directory, and the daemon's log."""
    hits = []
    for path in [*daemon.files(), daemon.log]:
        data = path.read_bytes().rstrip(b"\0")  # the data file ends in room that is kept ready
        hits += [path for needle in needles if needle in data]
    return hits


def keys(daemon, uids):
    vault = (daemon.state / "store" / "vault").read_bytes()
    places = [VAULT_FIRST_SLOT + (uid - 1) * VAULT_KEY_BYTES for uid in uids]
    return [vault[place : place + VAULT_KEY_BYTES] for place in places]


@pytest.fixture
def canaries(client, contoso):
    return Canaries()


@pytest.fixture
def told(client, canaries):
    """The uids of accounts with a past: changed, left, restored, disabled, removed."""
    accounts = [canaries.account(i) for i in range(N)]
    uids = [item["uid"] for item in people.take_in(client, *accounts, **canaries.notes("import"))]
    client.call("sweep.pause")
    some = [people.name(account["id"]) for account in accounts[1::4]]
    for verb in ("leave", "restore", "disable", "enable"):
        client.items(f"account.{verb}", some, **canaries.notes(verb))
    people.take_in(
        client, *[{**account, "name": f"{canaries.mark} other"} for account in accounts[:50]]
    )
    for i, account in enumerate(accounts):
        client.post(
            "account.remove", {"accounts": [people.name(account["id"])], **canaries.notes(i)}
        )
    for i in range(N):
        assert client.take(client.msgid - N + 1 + i)["items"][0]["outcome"] == "ok"
    client.call("person.organizations", person=accounts[0]["person"])
    return uids


def test_nothing_of_a_person_stands_in_clear_while_they_are_kept(daemon, client, canaries, told):
    needles = [
        canaries.mark.encode(), canaries.mark.upper().encode(), canaries.mark.encode("utf-16-le")
    ]
    account = people.get(client, uid=told[1])
    assert account["name"] == f"{canaries.mark} other"
    assert found(daemon, needles) == []
    daemon.restart()
    assert found(daemon, needles) == []
    daemon.kill9()
    assert found(daemon, needles) == []
    daemon.start()
    with daemon.connect() as again:
        assert people.get(again, uid=told[1])["groups"] == account["groups"]


def test_the_keys_of_the_removed_are_nowhere_and_those_of_others_stay(
    daemon, client, canaries, told
):
    others = [
        item["uid"]
        for item in people.take_in(client, *[people.guest(f"other-{i}") for i in range(100)])
    ]
    before = keys(daemon, told)
    kept = keys(daemon, others)
    assert len(set(before + kept)) == N + 100 and bytes(VAULT_KEY_BYTES) not in before + kept

    client.call("sweep.resume")
    client.call("clock.advance", by_us=30 * DAY)
    people.settle(client)
    assert client.call("stats.get")["accounts"]["removed"] == N

    needles = [canaries.mark.encode(), *before]
    assert keys(daemon, told) == N * [bytes(VAULT_KEY_BYTES)]
    assert found(daemon, needles) == []
    for id in range(500):
        client.post("account.disable", {"accounts": [people.name(f"other-{id % 100}")]})
        client.post("account.enable", {"accounts": [people.name(f"other-{id % 100}")]})
    for msgid in range(client.msgid - 999, client.msgid + 1):
        client.take(msgid)
    assert found(daemon, needles) == []
    daemon.restart()
    assert found(daemon, needles) == []
    assert keys(daemon, others) == kept
    with daemon.connect() as again:
        assert people.get(again, "other-99")["name"] == "Guest other-99"
        assert again.call("account.explain", uid=told[5])["account"]["state"] == "removed"
        assert people.verify(again) == people.head(again)


def test_an_answer_after_the_removal_tells_nothing_of_the_person(daemon, client, canaries, told):
    client.call("sweep.resume")
    client.call("clock.advance", by_us=30 * DAY)
    people.settle(client)
    said = [
        client.call("account.get", uid=told[1]),
        client.call("account.explain", uid=told[1]),
        client.call("ledger.read", uid=told[1]),
        client.call("account.list", limit=1000),
        client.call("ledger.read", limit=1000),
        client.call("retention.info"),
        client.call("stats.get"),
    ]
    assert canaries.mark not in str(said)
    lost = client.items(
        "account.restore", [{"org": "contoso", "person": canaries.account(1)["person"]}]
    )[0]
    assert lost["outcome"] in ("not-found", "irrevocable")


def test_a_uid_is_never_used_again(daemon, client, canaries, told):
    client.call("sweep.resume")
    client.call("clock.advance", by_us=30 * DAY)
    people.settle(client)
    daemon.restart()
    with daemon.connect() as again:
        assert people.take_in(again, people.guest("new"))[0]["uid"] == max(told) + 1


def test_a_removed_account_imported_anew_has_another_key(daemon, client, contoso):
    first = people.take_in(client, people.guest("alex"))[0]["uid"]
    key = keys(daemon, [first])[0]
    people.do(client, "leave", "alex")
    people.do(client, "purge", "alex")
    people.settle(client)
    second = people.take_in(client, people.guest("alex"))[0]["uid"]
    assert keys(daemon, [first, second])[0] == bytes(VAULT_KEY_BYTES)
    assert keys(daemon, [second])[0] not in (key, bytes(VAULT_KEY_BYTES))
    assert people.get(client, uid=first)["removed_at_us"] == BEGIN


def test_nobody_else_can_read_the_store(daemon, client):
    for path in [daemon.state / "store", *daemon.files()]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
