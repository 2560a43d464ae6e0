# SPDX-License-Identifier: Apache-2.0
"""MessagePack-RPC as its specification has it, seen by a client that is not ours."""

import os
import pathlib
import re

import msgpack
import pytest

import daemon as daemons
import keepers
import people
import wire

COMMANDS = pathlib.Path(__file__).parents[2] / "common" / "commands.def"


@pytest.fixture
def daemon():
    """Who runs the tests is a keeper too: so every method is theirs to call."""
    with daemons.running(keepers.grant("crm")) as running:
        yield running


def test_info_tells_who_the_daemon_is_and_who_asks(client):
    info = client.call("retention.info")
    assert info["product"] == "retentiond"
    assert info["api"]["level"] >= info["api"]["compatible"] >= 1
    assert re.fullmatch("[0-9a-f]{32}", info["instance"])
    assert info["clock"] == {"now_us": daemons.BEGIN, "mode": "simulated", "trusted": True}
    assert (info["you"]["uid"], info["you"]["gid"]) == (os.getuid(), os.getgid())


def test_the_api_lists_every_method_of_the_table(client):
    table = re.findall(r'^COMMAND\(\w+, "([^"]+)"', COMMANDS.read_text(), re.MULTILINE)
    api = client.call("retention.api")
    assert [row["method"] for row in api["methods"]] == table
    for row in api["methods"]:
        names = [argument["name"] for argument in row["arguments"]]
        assert len(names) == len(set(names)), row["method"]
        assert row["changes"] == ("dry_run" in names)
        assert row["summary"] and row["result"] and row["since"] >= 1


def test_every_method_of_the_api_is_known(client):
    for row in client.call("retention.api")["methods"]:
        try:
            client.call(row["method"], no_such_argument=1)
        except wire.RpcError as error:
            assert error.code == "invalid-argument"
        else:
            pytest.fail(f"{row['method']} took an argument that there is not")


def test_a_method_that_there_is_not_is_refused_and_the_connection_stays(client):
    with pytest.raises(wire.RpcError) as refusal:
        client.call("account.delete")
    assert (refusal.value.kind, refusal.value.code) == (wire.WRONG, "unknown-method")
    assert client.call("retention.info")


def test_a_thousand_pipelined_requests_are_answered_in_order(client):
    people.set_org(client)
    ids = [f"g{i}" for i in range(500)]
    sent = []
    for id in ids:
        sent.append(client.post("account.import", {"accounts": [people.guest(id)]}))
        sent.append(client.post("account.get", people.name(id)))
    answers = [client.take(msgid) for msgid in sent]
    assert [answer["account"]["id"] for answer in answers[1::2]] == ids


def test_a_msgid_comes_back_as_it_was_sent(client):
    for msgid in (0, 1, 127, 128, 65536, 2**32 - 1):
        client.send(wire.request(msgid, "retention.info"))
        assert client.read_message()[:3] == [wire.RESPONSE, msgid, None]


@pytest.mark.parametrize("method", ["retention.info", b"retention.info"])
@pytest.mark.parametrize("params", [[], [{}]])
def test_a_method_is_str_or_bin_and_params_may_be_empty(client, method, params):
    client.send(msgpack.packb([wire.REQUEST, 7, method, params]))
    kind, msgid, error, result = client.read_message()
    assert (kind, msgid, error) == (wire.RESPONSE, 7, None)
    assert result["product"] == "retentiond"


@pytest.mark.parametrize("params", [[{}, {}], [1], [None], [[]], ["limit"]])
def test_params_that_are_not_one_map_are_an_invalid_argument(client, params):
    client.send(msgpack.packb([wire.REQUEST, 7, "org.list", params]))
    assert client.read_message()[2][1].startswith("invalid-argument: ")
    assert client.call("retention.info")


def test_numbers_may_be_written_longer_than_they_need(client):
    # [0, 1, "retention.info", []] with array32, uint64, int8 and array16
    client.send(b"\xdd\0\0\0\x04\xcf\0\0\0\0\0\0\0\0\xd0\x01\xd9\x0eretention.info\xdc\0\0")
    assert client.read_message()[:3] == [wire.RESPONSE, 1, None]


def test_a_notification_is_ignored(client):
    client.send(wire.notification("retention.info"))
    client.send(wire.notification("no.such.method", {"a": 1}))
    assert client.call("retention.info")


def test_a_notification_changes_nothing(client, contoso):
    people.take_in(client, people.guest("alex"))
    before = people.head(client)
    client.send(wire.notification("account.leave", {"accounts": [people.name("alex")]}))
    client.send(wire.notification("clock.advance", {"by_us": daemons.DAY}))
    assert people.get(client, "alex")["state"] == "active"
    assert people.head(client) == before
    assert client.call("retention.info")["clock"]["now_us"] == daemons.BEGIN


def test_an_answer_nobody_asked_for_is_ignored(client):
    client.send(msgpack.packb([wire.RESPONSE, 1, None, {}]))
    assert client.call("retention.info")


def test_two_messages_in_one_packet_are_two_requests(client):
    client.send(wire.request(1, "retention.info") + wire.request(2, "ledger.head"))
    assert client.read_message()[1] == 1
    assert client.read_message()[1] == 2


def test_a_message_may_be_cut_at_each_byte(daemon, client, contoso):
    people.take_in(client, people.guest("alex"))
    data = wire.request(9, "account.get", people.name("alex"))
    for cut in range(1, len(data)):
        client.send(data[:cut])
        with daemon.connect() as other:
            assert other.call("retention.info")  # a turn of the loop passes
        client.send(data[cut:])
        assert client.read_message()[3]["account"]["id"] == "alex"


def test_a_message_may_come_byte_by_byte(client, contoso):
    data = wire.request(9, "account.import", {"accounts": [people.guest("alex")]})
    for at in range(len(data)):
        client.send(data[at : at + 1])
    assert client.read_message()[3]["items"][0]["outcome"] == "ok"


def test_what_was_sent_before_the_end_is_answered(daemon):
    with daemon.connect() as client:
        client.post("retention.info")
        client.post("ledger.head")
        client.socket.shutdown(1)
        assert client.take(1)["product"] == "retentiond"
        assert client.take(2)["seq"] == 1
        assert client.is_closed()


def test_connections_do_not_wait_for_each_other(daemon):
    clients = [daemon.connect() for _ in range(50)]
    for client in clients:
        client.post("retention.info")
    for client in reversed(clients):
        assert client.take(1)["product"] == "retentiond"
        client.close()
