# SPDX-License-Identifier: Apache-2.0
"""Subscribers are told of everything that happens: once, in order, and only when it is on disk."""

import os

import msgpack
import pytest

import daemon as daemons
import keepers
import people
import wire

# More than a subscriber may have unread, with all that two sockets hold.
BACKLOG = 10_000

KEEPER = 4301


def subscribe(client, **arguments):
    return client.call("events.subscribe", **arguments)["from"]


def next_event(client):
    message = client.read_message()
    assert message[:2] == [wire.NOTIFICATION, "event"], message
    (event,) = message[2]
    return event


def events(client, n):
    return [next_event(client) for _ in range(n)]


def numbers(told):
    return [event["seq"] for event in told]


def happen(client, n):
    """n entries of the ledger, many in a commit."""
    head = people.head(client)
    for at in range(0, n, 500):
        named = [{"org": "contoso", "name": f"Contoso {i}"} for i in range(at, min(at + 500, n))]
        for msgid in [client.post("org.set", settings) for settings in named]:
            client.take(msgid)
    assert people.head(client) == head + n


@pytest.fixture
def subscriber(daemon):
    with daemon.connect() as connected:
        yield connected


def test_a_subscriber_is_told_what_happens(client, subscriber, contoso):
    first = people.head(client) + 1
    assert subscribe(subscriber) == first
    people.take_in(client, people.guest("alex"))
    people.do(client, "leave", "alex")
    people.do(client, "restore", "alex")
    told = events(subscriber, 3)
    assert numbers(told) == [first, first + 1, first + 2]
    assert [event["event"] for event in told] == ["imported", "left", "restored"]
    assert [event["state"] for event in told] == ["active", "soft-deleted", "active"]
    assert {event["org"] for event in told} == {"contoso"}
    assert {event["uid"] for event in told} == {people.get(client, "alex")["uid"]}


def test_an_event_is_the_entry_that_the_ledger_shows(client, subscriber, contoso):
    people.take_in(client, *(people.guest(f"g{i}") for i in range(10)))
    subscribe(subscriber, **{"from": 1})
    entries = client.call("ledger.read")["entries"]
    assert events(subscriber, len(entries)) == entries


def test_an_event_names_nobody(client, subscriber, contoso):
    subscribe(subscriber)
    people.take_in(client, people.guest("alex"), reason="alex-reason", ref="alex-ref")
    people.do(client, "leave", "alex", reason="alex-why")
    assert b"alex" not in msgpack.packb(events(subscriber, 2))


def test_why_is_for_those_who_read_the_ledger(client, subscriber):
    """Whoever subscribes sees less than an auditor."""
    subscribe(subscriber)
    client.call("sweep.pause", reason="moving house", ref="OPS-7")
    told = next_event(subscriber)
    [entry] = client.call("ledger.read", **{"from": told["seq"]})["entries"]
    assert entry == {**told, "reason": "moving house", "ref": "OPS-7"}


def test_what_the_clock_does_is_told_without_a_request(client, subscriber, contoso):
    people.take_in(client, people.guest("alex"))
    people.do(client, "remove", "alex")
    subscribe(subscriber)
    client.call("clock.advance", by_us=31 * daemons.DAY)
    told = events(subscriber, 3)
    assert [event["event"] for event in told] == [
        "clock-advanced",
        "removal-started",
        "removal-completed",
    ]
    assert [event["role"] for event in told[1:]] == ["daemon", "daemon"]


def test_an_event_is_on_disk_when_it_is_told(daemon, client, contoso):
    with daemon.connect() as subscriber:
        subscribe(subscriber)
        people.take_in(client, people.guest("alex"))
        told = next_event(subscriber)
        daemon.kill9()
    daemon.start()
    with daemon.connect() as again:
        assert again.call("ledger.read", **{"from": told["seq"]})["entries"][0] == told


def test_a_subscriber_goes_on_where_it_stopped(daemon, client, contoso):
    with daemon.connect() as subscriber:
        subscribe(subscriber, **{"from": 1})
        last = events(subscriber, people.head(client))[-1]["seq"]
    people.take_in(client, people.guest("alex"))
    client.close()
    daemon.kill9()
    daemon.start()
    with daemon.connect() as subscriber, daemon.connect() as client:
        assert subscribe(subscriber, **{"from": last + 1}) == last + 1
        people.do(client, "leave", "alex")
        told = events(subscriber, 2)
        assert numbers(told) == [last + 1, last + 2]
        assert [event["event"] for event in told] == ["imported", "left"]


def test_a_subscription_may_begin_with_the_entry_to_come(client, subscriber):
    first = people.head(client) + 1
    assert subscribe(subscriber, **{"from": first}) == first
    client.call("sweep.pause")
    assert next_event(subscriber)["seq"] == first


def test_a_subscription_beyond_the_entry_to_come_is_refused(client, subscriber):
    with pytest.raises(wire.RpcError) as refusal:
        subscribe(subscriber, **{"from": people.head(client) + 2})
    assert (refusal.value.kind, refusal.value.code) == (wire.WRONG, "invalid-argument")
    client.call("sweep.pause")
    assert subscriber.call("ledger.head")  # and no event before it


def test_who_subscribes_again_is_told_from_there(client, subscriber):
    head = people.head(client)
    subscribe(subscriber, **{"from": 1})
    assert numbers(events(subscriber, head)) == list(range(1, head + 1))
    assert subscribe(subscriber, **{"from": 1}) == 1
    assert numbers(events(subscriber, head)) == list(range(1, head + 1))


def test_a_subscriber_may_go_on_asking(client, subscriber):
    happen(client, 2000)
    head = people.head(client)
    asked = [subscriber.post("events.subscribe", {"from": 1})]
    asked += [subscriber.post("ledger.head") for _ in range(100)]
    answered, told = [], []
    while len(answered) < len(asked) or len(told) < head:
        message = subscriber.read_message()
        if message[0] == wire.RESPONSE:
            assert message[2] is None
            answered.append(message[1])
        else:
            told.append(message[2][0]["seq"])
    assert answered == asked
    assert told == list(range(1, head + 1))


def test_an_own_change_is_told_behind_its_answer(subscriber):
    subscribe(subscriber)
    assert subscriber.call("sweep.pause") == {"paused": True}
    assert next_event(subscriber)["event"] == "sweep-paused"


def test_a_subscriber_that_does_not_read_loses_nothing(daemon, client, subscriber):
    subscribe(subscriber, **{"from": 1})
    happen(client, BACKLOG)
    head = people.head(client)  # nobody else waits for the subscriber
    assert numbers(events(subscriber, head)) == list(range(1, head + 1))
    client.call("sweep.pause")
    assert next_event(subscriber)["event"] == "sweep-paused"


def test_subscribers_that_do_not_read_cost_little_memory(daemon, client):
    happen(client, BACKLOG)
    before = daemon.rss()
    slow = [daemon.connect() for _ in range(16)]
    for subscriber in slow:
        subscriber.post("events.subscribe", {"from": 1})
    happen(client, BACKLOG)
    assert daemon.rss() - before < 16 * (2 << 20)
    for subscriber in slow:
        subscriber.close()
    assert client.call("retention.info")


def test_many_subscribers_are_told_the_same(daemon, client):
    subscribers = [daemon.connect() for _ in range(20)]
    for subscriber in subscribers:
        subscribe(subscriber, **{"from": 1})
    happen(client, 1000)
    head = people.head(client)
    told = [events(subscriber, head) for subscriber in subscribers]
    assert numbers(told[0]) == list(range(1, head + 1))
    assert all(others == told[0] for others in told)
    for subscriber in subscribers:
        subscriber.close()


def test_a_stop_closes_a_subscription(daemon, client, subscriber):
    subscribe(subscriber)
    daemon.stop()
    assert subscriber.is_closed()


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can connect as others")

READER = "[grant reader]\nrole = reader\nusers = 4711\n"
NARROW = "[grant narrow]\nrole = reader\nusers = 4712\norganizations = contoso\n"


@needs_root
def test_a_reader_of_everything_may_subscribe():
    with daemons.running(READER) as daemon, daemon.connect_as(4711) as subscriber:
        assert subscribe(subscriber, **{"from": 1}) == 1
        assert next_event(subscriber)["event"] == "store-created"


@needs_root
@pytest.mark.parametrize("uid", [4712, 4713])
def test_nobody_else_may_subscribe(uid):
    with daemons.running(NARROW) as daemon, daemon.connect_as(uid) as subscriber:
        with pytest.raises(wire.RpcError) as refusal:
            subscribe(subscriber)
        assert (refusal.value.kind, refusal.value.code) == (wire.FAILED, "permission-denied")


@needs_root
def test_who_loses_the_role_is_closed_before_the_next_event():
    with daemons.running(READER) as daemon, daemon.connect() as client:
        with daemon.connect_as(4711) as subscriber:
            subscribe(subscriber)
            client.call("sweep.pause")
            assert next_event(subscriber)["event"] == "sweep-paused"
            daemon.config.write_text(daemon.config.read_text().replace(READER, ""))
            daemon.reload()
            client.call("sweep.resume")
            with pytest.raises(wire.Closed):
                subscriber.read_message()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_a_keeper_is_told_of_what_it_owes_and_of_nothing_else():
    """So that it need not poll. It needs no other role, and takes up where it stopped."""
    with daemons.running(keepers.grant("crm", uid=KEEPER)) as daemon:
        with daemon.connect() as client, daemon.connect_as(KEEPER) as keeper:
            people.set_org(client, "contoso")
            people.set_org(client, "fabrikam")
            client.call("keeper.set", keeper="crm", orgs=["contoso"])
            client.call("keeper.set", keeper="mail")
            first = keeper.call("keeper.watch", keeper="crm")["from"]
            people.take_in(client, people.guest("alex"), people.direct("dee"))
            people.take_in(client, people.direct("eve", "fabrikam"))
            people.do(client, "remove", "alex")
            people.do(client, "purge", "alex")
            people.do(client, "leave", "eve", org="fabrikam")
            people.do(client, "leave", "dee")
            told = events(keeper, 2)
            assert [event["event"] for event in told] == ["purged", "left"]
            assert {event["org"] for event in told} == {"contoso"}
            assert told[0]["uid"] == people.get(client, "alex")["uid"]
            with daemon.connect_as(KEEPER) as again:
                again.call("keeper.watch", keeper="crm", **{"from": told[0]["seq"] + 1})
                assert next_event(again) == told[1]
            assert first <= told[0]["seq"]
            with pytest.raises(wire.RpcError, match="permission-denied"):
                keeper.call("keeper.watch", keeper="mail")
            with pytest.raises(wire.RpcError, match="permission-denied"):
                keeper.call("events.subscribe")
