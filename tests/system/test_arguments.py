# SPDX-License-Identifier: Apache-2.0
"""Wrong arguments are refused by name: generated from what retention.api says of each method."""

import msgpack
import pytest

import people
import wire
from daemon import BEGIN, DAY

LONG = "x" * 5000
NO_TEXT = [None, True, 1, 1.5, [], {}, msgpack.ExtType(5, b"x")]
NO_INTEGER = [None, True, "1", 1.5, [], {}, 2**63, 2**64 - 1, msgpack.Timestamp(0)]
BAD_TEXT = [b"\xff\xfe", "line\nbreak", "nul\0", LONG]

# What is wrong for a value of each type that retention.api speaks of.
WRONG = {
    "organization": [*NO_TEXT, *BAD_TEXT, "", "con toso", "contoso/x", "ä", "x" * 65],
    "id": [*NO_TEXT, *BAD_TEXT, "", "with blank", "ä", "x" * 65],
    "address": [*NO_TEXT, *BAD_TEXT, "", "nobody", "@", "a@", "@b", "a b@c", "a@" + 319 * "x"],
    "text": [*NO_TEXT, *BAD_TEXT],
    "address or URL": [*NO_TEXT, *BAD_TEXT, "nobody", "ftp://x"],
    "URL": [*NO_TEXT, *BAD_TEXT, "nobody", "javascript:alert(1)", "http://"],
    "request id": [*NO_TEXT, *BAD_TEXT, "", "with blank", "x" * 65],
    "kind": [*NO_TEXT, *BAD_TEXT, "", "Member", "guest"],
    "state": [*NO_TEXT, *BAD_TEXT, "", "deleted"],
    "hour, day or week": [*NO_TEXT, *BAD_TEXT, "", "month"],
    "boolean": [None, 0, 1, "true", [], {}],
    "span (us)": [*NO_INTEGER, -1, 10_001 * DAY],
    "instant (us)": [*NO_INTEGER, -1, 2**62],
    "uid": [*NO_INTEGER, -1, 0],
    "ledger number": [*NO_INTEGER, -1, 0],
    "count": [*NO_INTEGER, -1, 0, 1001],
    "cursor": [*NO_TEXT, "", "x" * 129],
    "array of texts": [
        None, True, 1, "x", {}, [1], [None], [["x"]], [""], ["a\nb"], ["x" * 257], 513 * ["x"]
    ],
    "array of accounts": [None, True, 1, "x", {}, [], [1], [[]], [{}], [None], 1001 * [{"uid": 1}]],
    "array of accounts to import": [None, True, 1, "x", {}, [], [1], [[]], [{}], [None]],
}

WRONG_BY_NAME = {
    "window_us": [0, DAY - 1, 180 * DAY + 1],
    "removal_us": [0, DAY - 1, 30 * DAY + 1],
}


def refusal(client, method, arguments):
    try:
        result = client.call(method, **arguments)
    except wire.RpcError as error:
        wrong = (wire.WRONG, "invalid-argument")
        assert (error.kind, error.code) == wrong, (method, arguments, error)
        return error.text
    pytest.fail(f"{method} took {arguments} and answered {result}")


def test_every_argument_of_every_method_refuses_what_is_of_another_type_by_its_name(client):
    n = 0
    head = people.head(client)
    for row in client.call("retention.api")["methods"]:
        for argument in row["arguments"]:
            name = argument["name"]
            wrong = WRONG[argument["type"]] + WRONG_BY_NAME.get(name, [])
            for value in wrong:
                text = refusal(client, row["method"], {name: value})
                assert text.startswith((f"{name}: ", f"{name}[")), (
                    row["method"], name, value, text
                )
                n += 1
    assert n > 1000
    assert people.head(client) == head


@pytest.mark.parametrize(
    "fields, method", [("account_fields", "account.leave"), ("import_fields", "account.import")]
)
def test_every_field_of_an_item_refuses_what_is_of_another_type_by_its_place(
    client, fields, method
):
    good = people.guest("alex") if method == "account.import" else {"uid": 1}
    for field in client.call("retention.api")[fields]:
        name = field["name"]
        for value in WRONG[field["type"]]:
            text = refusal(client, method, {"accounts": [good, {name: value}]})
            assert text.startswith(f"accounts[1].{name}: "), (name, value, text)


def test_every_required_argument_is_missed_by_name(client):
    for row in client.call("retention.api")["methods"]:
        required = [argument["name"] for argument in row["arguments"] if argument["required"]]
        if required:
            assert refusal(client, row["method"], {}) == f"{required[0]}: is missing"


def test_every_required_field_of_an_import_is_missed_by_name(client):
    required = [
        field["name"]
        for field in client.call("retention.api")["import_fields"]
        if field["required"]
    ]
    assert set(required) == {"org", "id", "kind", "upn"}
    for name in required:
        account = people.guest("alex")
        del account[name]
        text = refusal(client, "account.import", {"accounts": [account]})
        assert text == f"accounts[0].{name}: is missing"


def test_an_argument_that_there_is_not_is_refused_by_name(client):
    for row in client.call("retention.api")["methods"]:
        text = refusal(client, row["method"], {"dryrun": True})
        assert text.startswith("dryrun: is not an argument of ")


def test_a_key_that_is_no_text_is_refused(client):
    for key in (1, None, True, 1.5, b"\xff", "", "\x1b[31m", "x" * 1000):
        client.send(msgpack.packb([wire.REQUEST, 1, "org.list", [{key: 1}]]))
        assert client.read_message()[2][1].startswith("invalid-argument: ")


def test_an_argument_that_is_there_twice_is_refused(client):
    pairs = msgpack.Packer().pack_map_pairs([("limit", 1), ("limit", 2)])
    client.send(b"\x94\x00\x01" + msgpack.packb("org.list") + b"\x91" + pairs)
    assert client.read_message()[2] == [wire.WRONG, "invalid-argument: limit: is there twice"]


def test_a_field_that_is_there_twice_is_refused(client):
    item = msgpack.Packer().pack_map_pairs([("uid", 1), ("uid", 2)])
    client.send(
        b"\x94\x00\x01"
        + msgpack.packb("account.leave")
        + b"\x91\x81"
        + msgpack.packb("accounts")
        + b"\x91"
        + item
    )
    assert client.read_message()[2] == [
        wire.WRONG, "invalid-argument: accounts[0].uid: is there twice"
    ]


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"org": "contoso"},
        {"id": "alex"},
        {"person": "a@b"},
        {"org": "contoso", "id": "alex", "person": "a@b"},
        {"uid": 1, "org": "contoso"},
        {"uid": 1, "id": "alex"},
        {"uid": 1, "org": "contoso", "person": "a@b"},
    ],
)
def test_an_account_is_named_in_exactly_one_way(client, named):
    text = refusal(client, "account.leave", {"accounts": [named]})
    assert text.startswith("accounts[0]: name the account by ")
    assert refusal(client, "account.get", named).startswith("account: name the account by ")
    assert refusal(client, "account.explain", named).startswith("account: name the account by ")


def test_one_wrong_item_refuses_the_whole_request(client, contoso):
    people.take_in(client, people.guest("alex"))
    head = people.head(client)
    refusal(client, "account.leave", {"accounts": [people.name("alex"), {"uid": 0}]})
    refusal(client, "account.import", {"accounts": [people.guest("kim"), {"org": "contoso"}]})
    assert people.head(client) == head


def test_the_limits_themselves_are_taken(client, contoso):
    at_limit = people.guest(
        "x" * 64,
        person="p" * 64 + "@" + "d" * 255,
        upn="u" * 64 + "@" + "d" * 255,
        mail="m" * 64 + "@" + "d" * 255,
        name="n" * 256,
        groups=[f"{i:x>48}" for i in range(512)],
        permissions=[],
    )
    people.take_in(client, at_limit)
    stored = people.get(client, "x" * 64)
    assert {field: stored[field] for field in at_limit} == at_limit
    item = people.do(
        client, "leave", "x" * 64, reason="r" * 1024, ref="f" * 256, request_id="q" * 64
    )
    assert item["outcome"] == "ok"
    people.set_org(client, "o" * 64, window_us=180 * DAY, removal_us=30 * DAY)
    people.set_org(client, "o" * 64, window_us=DAY, removal_us=DAY)
    assert len(client.items("account.leave", 1000 * [{"uid": 2**63 - 1}])) == 1000
    assert client.call("retention.info")["clock"]["now_us"] == BEGIN


def test_names_of_every_script_come_back_as_they_were(client, contoso):
    names = ["Žofie Šťastná", "李小龍", "عبد الله", "O'Brien \"Pat\" <p>", "👩‍🚀", "a\\b%s%n{}"]
    people.take_in(
        client, *[people.guest(f"g{i}", name=name, groups=[name]) for i, name in enumerate(names)]
    )
    for i, name in enumerate(names):
        account = people.get(client, f"g{i}")
        assert (account["name"], account["groups"]) == (name, [name])
