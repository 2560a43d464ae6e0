# SPDX-License-Identifier: Apache-2.0
"""The same request_id again gets the first answer: whoever lost an answer simply asks again."""

import os

import pytest

import people
import wire
from daemon import DAY, MINUTE, running

pytestmark = pytest.mark.usefixtures("contoso")


def leave(client, id="alex", request_id="r-1", **arguments):
    return people.do(client, "leave", id, request_id=request_id, **arguments)


def test_a_repeated_request_gets_its_first_answer_and_changes_nothing(client):
    people.take_in(client, people.guest("alex"))
    first = leave(client)
    head = people.head(client)
    client.call("clock.advance", by_us=3600 * 1_000_000)
    assert first["outcome"] == "ok"
    assert leave(client) == first
    assert people.head(client) == head + 1  # the clock's move
    assert leave(client, request_id="r-2")["outcome"] == "already-left"


def test_a_refusal_is_repeated_too(client):
    people.take_in(client, people.guest("alex", enabled=False))
    first = leave(client)
    people.do(client, "enable", "alex")
    assert first["outcome"] == "account-disabled"
    assert leave(client) == first


def test_mixed_answers_are_repeated_item_by_item(client):
    people.take_in(client, people.guest("alex"), people.guest("kim", enabled=False))
    wanted = [
        people.name("alex"),
        {"org": "contoso", "person": people.person("kim")},
        people.name("ghost"),
        {"uid": 1},
    ]
    first = client.items("account.leave", wanted, request_id="mixed")
    assert people.outcomes(first) == ["ok", "account-disabled", "not-found", "already-left"]
    assert client.items("account.leave", wanted, request_id="mixed") == first


def test_answers_of_methods_without_items_are_repeated(client):
    first = client.call("org.set", org="adatum", name="Adatum", request_id="o-1")
    client.call("org.set", org="adatum", name="Other")
    assert client.call("org.set", org="adatum", name="Adatum", request_id="o-1") == first
    assert client.call("org.get", org="adatum")["org"]["name"] == "Other"
    assert client.call("sweep.pause", request_id="p-1") == {"paused": True}
    client.call("sweep.resume")
    assert client.call("sweep.pause", request_id="p-1") == {"paused": True}
    assert client.call("sweep.status")["paused"] is False


@pytest.mark.parametrize("end", ["stop", "kill9"])
def test_an_answer_is_repeated_after_the_daemon_ended(daemon, client, end):
    accounts = [people.guest(f"g{i}") for i in range(100)]
    first = client.items("account.import", accounts, request_id="import")
    left = leave(client, "g7")
    getattr(daemon, end)()
    daemon.start()
    with daemon.connect() as again:
        head = people.head(again)
        assert again.items("account.import", accounts, request_id="import") == first
        assert leave(again, "g7") == left
        assert people.head(again) == head
        assert len(people.history(again, **people.name("g7"))) == 2


def test_an_id_used_for_another_request_is_refused(client):
    people.take_in(client, people.guest("alex"), people.guest("kim"))
    leave(client)
    head = people.head(client)
    for method, arguments in (
        ("account.leave", {"accounts": [people.name("kim")]}),
        ("account.remove", {"accounts": [people.name("alex")]}),
        ("account.leave", {"accounts": [people.name("alex")], "reason": "another"}),
    ):
        with pytest.raises(wire.RpcError) as refusal:
            client.call(method, request_id="r-1", **arguments)
        assert refusal.value.code == "invalid-argument"
        assert refusal.value.text.startswith("request_id: ")
    assert people.head(client) == head
    assert people.get(client, "kim")["state"] == "active"


def test_an_id_is_kept_for_24_hours_and_forgotten_soon_after(client):
    people.take_in(client, people.guest("alex"))
    leave(client)
    client.call("clock.advance", by_us=DAY - 1)
    assert leave(client)["outcome"] == "ok"
    client.call("clock.advance", by_us=1 + MINUTE)
    assert leave(client)["outcome"] == "already-left"


def test_a_dry_run_uses_up_no_id(client):
    people.take_in(client, people.guest("alex"))
    assert leave(client, dry_run=True)["outcome"] == "ok"
    assert people.get(client, "alex")["state"] == "active"
    assert leave(client)["outcome"] == "ok"
    assert people.get(client, "alex")["state"] == "soft-deleted"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can connect as somebody else")
def test_the_ids_of_different_users_are_not_mixed():
    with running("[grant staff]\nrole = admin\nusers = 4001 4002\n") as daemon:
        with daemon.connect_as(4001) as one, daemon.connect_as(4002) as other:
            people.set_org(one)
            people.take_in(one, people.guest("alex"), people.guest("kim"))
            assert leave(one, "alex", "same")["outcome"] == "ok"
            assert leave(other, "kim", "same")["outcome"] == "ok"
            assert leave(other, "kim", "same")["outcome"] == "ok"
            assert leave(one, "alex", "same")["id"] == "alex"
