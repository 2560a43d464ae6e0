# SPDX-License-Identifier: Apache-2.0
"""Wrong arguments are refused by name: generated from what retention.api says of each method."""

import os

import msgpack
import pytest

import keepers
import people
import wire
from daemon import BEGIN, DAY, running

LONG = "x" * 5000
NO_TEXT = [None, True, 1, 1.5, [], {}, msgpack.ExtType(5, b"x")]
NO_INTEGER = [None, True, "1", 1.5, [], {}, 2**63, 2**64 - 1, msgpack.Timestamp(0)]
BAD_TEXT = [b"\xff\xfe", "line\nbreak", "nul\0", LONG]

# What is wrong for a list of items, whatever they are.
NO_ITEMS = [None, True, 1, "x", {}, [], [1], [[]], [None], [{}], [{"no_such_field": 1}]]

# What is wrong for a value of each type that retention.api speaks of.
WRONG = {
    "organization": [*NO_TEXT, *BAD_TEXT, "", "con toso", "contoso/x", "ä", "x" * 65],
    "id": [*NO_TEXT, *BAD_TEXT, "", "with blank", "ä", "x" * 65],
    "address": [*NO_TEXT, *BAD_TEXT, "", "nobody", "@", "a@", "@b", "a b@c", "a@" + 319 * "x"],
    "text": [*NO_TEXT, *BAD_TEXT],
    "address or URL": [*NO_TEXT, *BAD_TEXT, "nobody", "ftp://x"],
    "URL": [*NO_TEXT, *BAD_TEXT, "nobody", "javascript:alert(1)", "http://"],
    "request id": [*NO_TEXT, *BAD_TEXT, "", "with blank", "x" * 65],
    "keeper": [*NO_TEXT, *BAD_TEXT, "", "Crm", "with blank", "crm/x", "ä", "x" * 65],
    "hold": [*NO_TEXT, *BAD_TEXT, "", "x" * 65],
    "legal ground": [*NO_TEXT, *BAD_TEXT, "", "with blank", "ä", "x" * 65],
    "token": [*NO_TEXT, *BAD_TEXT, "", "with blank", "ä", "x" * 65],
    "result": [*NO_TEXT, *BAD_TEXT, "", "Erased", "waived", "done"],
    "kind": [*NO_TEXT, *BAD_TEXT, "", "Member", "guest"],
    "state": [*NO_TEXT, *BAD_TEXT, "", "deleted"],
    "hour, day or week": [*NO_TEXT, *BAD_TEXT, "", "month"],
    "clock or mass": [*NO_TEXT, *BAD_TEXT, "", "Clock", "door"],
    "boolean": [None, 0, 1, "true", [], {}],
    "span (us)": [*NO_INTEGER, -1, 10_001 * DAY],
    "instant (us)": [*NO_INTEGER, -1, 2**62],
    "uid": [*NO_INTEGER, -1, 0],
    "ledger number": [*NO_INTEGER, -1, 0],
    "count": [*NO_INTEGER, -1, 0, 1001],
    "number": [*NO_INTEGER, -1, 0],
    "percent": [*NO_INTEGER, -1, 0, 101],
    "cursor": [*NO_TEXT, "", "x" * 129],
    "array of texts": [
        None, True, 1, "x", {}, [1], [None], [["x"]], [""], ["a\nb"], ["x" * 257], 513 * ["x"]
    ],
    "array of organizations": [
        None, True, 1, "x", {}, [1], [None], [["x"]], [""], ["con toso"], ["x" * 65], 65 * ["x"]
    ],
    "array of accounts": [*NO_ITEMS, 1001 * [{"uid": 1}]],
    "array of accounts to import": [*NO_ITEMS, 1001 * [people.guest("alex")]],
    "array of tasks confirmed": [*NO_ITEMS, 1001 * [{"token": "x", "result": "erased"}]],
    "array of tasks failed": [*NO_ITEMS, 1001 * [{"token": "x"}]],
    "array of tasks": [*NO_ITEMS, 1001 * [{"token": "x"}]],
    "array of removal requests": [*NO_ITEMS, 1001 * [{"request": 1}]],
}

WRONG_BY_NAME = {
    "window_us": [0, DAY - 1, 180 * DAY + 1],
    "removal_us": [0, DAY - 1, 30 * DAY + 1],
    "guard_min": [10**9 + 1],
    "name": ["x" * 257],
    "reason": ["", "x" * 1025],
    "ref": ["", "x" * 257],
    "note": ["", "x" * 1025],
    "error": ["", "x" * 1025],
}

# For each list of items: what retention.api calls its fields, a method that takes it, its name
# there, and a good item.
LISTS = {
    "account_fields": ("account.leave", "accounts", {"uid": 1}),
    "import_fields": ("account.import", "accounts", people.guest("alex")),
    "confirmation_fields": ("keeper.confirm", "tasks", {"token": "x", "result": "erased"}),
    "failure_fields": ("keeper.fail", "tasks", {"token": "x"}),
    "lease_fields": ("keeper.extend", "tasks", {"token": "x"}),
    "request_fields": ("request.approve", "requests", {"request": 1}),
}

# A good value for each type that some method requires.
GOOD = {
    "organization": "contoso",
    "address": "alex@fabrikam.example",
    "text": "because",
    "keeper": "crm",
    "hold": "case-7",
    "clock or mass": "clock",
    "array of accounts": [{"uid": 1}],
    "array of accounts to import": [people.guest("alex")],
    "array of tasks confirmed": [{"token": "x", "result": "erased"}],
    "array of tasks failed": [{"token": "x"}],
    "array of tasks": [{"token": "x"}],
    "array of removal requests": [{"request": 1}],
}

LONGEST_KEEPER = "k" * 64


@pytest.fixture
def daemon():
    """Who runs the tests is a keeper too: so every method is theirs to call."""
    longest = f"[grant longest]\nrole = keeper {LONGEST_KEEPER}\nusers = {os.getuid()}\n"
    with running(keepers.grant("crm") + longest) as daemon:
        yield daemon


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


def test_the_fields_of_every_list_are_told(client):
    api = client.call("retention.api")
    assert {key for key in api if key.endswith("_fields")} == set(LISTS)
    types = {argument["type"] for row in api["methods"] for argument in row["arguments"]}
    assert types <= set(WRONG)
    for fields, (method, name, _) in LISTS.items():
        assert api[fields]
        row = next(row for row in api["methods"] if row["method"] == method)
        assert name in {argument["name"] for argument in row["arguments"]}


@pytest.mark.parametrize("fields", LISTS)
def test_every_field_of_an_item_refuses_what_is_of_another_type_by_its_place(client, fields):
    method, argument, good = LISTS[fields]
    head = people.head(client)
    for field in client.call("retention.api")[fields]:
        name = field["name"]
        for value in WRONG[field["type"]] + WRONG_BY_NAME.get(name, []):
            text = refusal(client, method, {argument: [good, {name: value}]})
            assert text.startswith(f"{argument}[1].{name}: "), (name, value, text)
    assert people.head(client) == head


@pytest.mark.parametrize("fields", LISTS)
def test_a_field_of_another_list_is_no_field_of_this_one(client, fields):
    method, argument, good = LISTS[fields]
    api = client.call("retention.api")
    own = {field["name"] for field in api[fields]}
    others = {field["name"] for other in LISTS for field in api[other]} - own
    assert others
    for name in others:
        text = refusal(client, method, {argument: [good, {**good, name: "x"}]})
        assert text.startswith(f"{argument}[1]: has a field that is not known"), (name, text)


def test_every_required_argument_is_missed_by_name(client):
    for row in client.call("retention.api")["methods"]:
        required = {
            argument["name"]: GOOD[argument["type"]]
            for argument in row["arguments"]
            if argument["required"]
        }
        for name in required:
            given = {other: value for other, value in required.items() if other != name}
            assert refusal(client, row["method"], given) == f"{name}: is missing"
        if required:
            assert refusal(client, row["method"], {}) == f"{next(iter(required))}: is missing"


@pytest.mark.parametrize(
    "fields, required",
    [
        ("account_fields", set()),
        ("import_fields", {"org", "id", "kind", "upn"}),
        ("confirmation_fields", {"token", "result"}),
        ("failure_fields", {"token"}),
        ("lease_fields", {"token"}),
        ("request_fields", {"request"}),
    ],
)
def test_every_required_field_of_an_item_is_missed_by_name(client, fields, required):
    method, argument, good = LISTS[fields]
    told = {field["name"] for field in client.call("retention.api")[fields] if field["required"]}
    assert told == required
    for name in required:
        item = {field: value for field, value in good.items() if field != name}
        text = refusal(client, method, {argument: [good, item]})
        assert text == f"{argument}[1].{name}: is missing"


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


@pytest.mark.parametrize("fields", LISTS)
def test_a_field_that_is_there_twice_is_refused(client, fields):
    method, argument, good = LISTS[fields]
    name, value = next(iter(good.items()))
    item = msgpack.Packer().pack_map_pairs([(name, value), (name, value)])
    client.send(
        b"\x94\x00\x01"
        + msgpack.packb(method)
        + b"\x91\x81"
        + msgpack.packb(argument)
        + b"\x91"
        + item
    )
    assert client.read_message()[2] == [
        wire.WRONG, f"invalid-argument: {argument}[0].{name}: is there twice"
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
    for method, arguments in (
        ("hold.add", {"hold": "case-7"}),
        ("keeper.waive", {"keeper": "crm", "reason": "gone"}),
        ("request.file", {}),
    ):
        text = refusal(client, method, {"accounts": [named], **arguments})
        assert text.startswith("accounts[0]: name the account by ")
    for method in ("account.get", "account.explain", "hold.list", "receipt.get"):
        assert refusal(client, method, named).startswith("account: name the account by ")


def test_one_wrong_item_refuses_the_whole_request(client, contoso):
    people.take_in(client, people.guest("alex"))
    head = people.head(client)
    refusal(client, "account.leave", {"accounts": [people.name("alex"), {"uid": 0}]})
    refusal(client, "account.import", {"accounts": [people.guest("kim"), {"org": "contoso"}]})
    wrong = [people.name("alex"), {"uid": 0}]
    refusal(client, "hold.add", {"hold": "case-7", "accounts": wrong})
    refusal(client, "request.file", {"accounts": wrong})
    assert people.head(client) == head


def test_one_wrong_request_or_task_refuses_the_whole_call(client, contoso):
    people.take_in(client, people.guest("alex"), people.guest("kim"))
    number = client.items("request.file", [people.name("kim")])[0]["request"]
    keepers.set_keeper(client, "crm")
    people.do(client, "leave", "alex")
    people.do(client, "purge", "alex")
    token = client.call("keeper.claim", keeper="crm")["tasks"][0]["token"]
    head = people.head(client)
    done = {"token": token, "result": "erased"}
    refusal(client, "request.approve", {"requests": [{"request": number}, {"request": 0}]})
    refusal(client, "keeper.confirm", {"keeper": "crm", "tasks": [done, {"token": token}]})
    refusal(client, "keeper.fail", {"keeper": "crm", "tasks": [{"token": token}, {}]})
    refusal(client, "keeper.extend", {"keeper": "crm", "tasks": [{"token": token}, {}]})
    assert people.head(client) == head
    items = client.call("keeper.confirm", keeper="crm", tasks=[done])["items"]
    assert people.outcomes(items) == ["ok"]  # its lease stands: nothing was failed or given back
    items = client.call("request.deny", requests=[{"request": number}], reason="no")["items"]
    assert people.outcomes(items) == ["ok"]


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


def test_the_limits_of_a_hold_themselves_are_taken(client, contoso):
    people.take_in(client, people.guest("alex"))
    named, hold, reason = people.name("alex"), "h" * 64, "r" * 1024
    assert client.items("hold.add", [named], hold=hold, reason=reason)[0]["outcome"] == "ok"
    assert client.call("hold.list", **named)["holds"] == [
        {"hold": hold, "reason": reason, "added_at_us": BEGIN}
    ]
    assert client.items("hold.remove", [named], hold=hold)[0]["outcome"] == "ok"
    many = 1000 * [{"uid": 2**63 - 1}]
    assert set(people.outcomes(client.items("hold.add", many, hold=hold))) == {"not-found"}


def test_the_limits_of_a_keeper_and_its_tasks_themselves_are_taken(client):
    orgs = [f"{i:o>64}" for i in range(64)]
    for org in orgs:
        people.set_org(client, org)
    assert keepers.set_keeper(client, LONGEST_KEEPER, orgs=orgs)["orgs"] == orgs
    people.take_in(client, people.guest("alex", orgs[63]))
    people.do(client, "remove", "alex", orgs[63])
    people.do(client, "purge", "alex", orgs[63])

    def call(method, **arguments):
        return client.call(f"keeper.{method}", keeper=LONGEST_KEEPER, **arguments)

    def claim():
        return call("claim", max=1000, lease_us=DAY)["tasks"][0]

    task = claim()
    assert task["lease_until_us"] == BEGIN + DAY
    failed = {"token": task["token"], "error": "e" * 1024, "retry_after_us": 0}
    assert call("fail", tasks=[failed])["items"][0]["retry_at_us"] == BEGIN
    task = claim()
    assert task["error"] == "e" * 1024
    unknown = [{"token": f"{i:x>64}"} for i in range(1000)]
    items = call("extend", tasks=unknown)["items"]
    assert [{"token": item["token"]} for item in items] == unknown
    assert set(people.outcomes(items)) == {"token-unknown"}
    done = {
        "token": task["token"], "result": "retained", "ground": "g" * 64, "note": "n" * 1024
    }
    assert people.outcomes(call("confirm", tasks=[done])["items"]) == ["ok"]
    people.settle(client)
    assert people.get(client, "alex", orgs[63])["state"] == "removed"


def test_a_thousand_removal_requests_are_taken(client):
    wanted = [{"request": 2**63 - 1 - i} for i in range(1000)]
    items = client.call("request.deny", requests=wanted, reason="r" * 1024)["items"]
    assert [{"request": item["request"]} for item in items] == wanted
    assert set(people.outcomes(items)) == {"request-not-found"}


def test_names_of_every_script_come_back_as_they_were(client, contoso):
    names = ["Žofie Šťastná", "李小龍", "عبد الله", "O'Brien \"Pat\" <p>", "👩‍🚀", "a\\b%s%n{}"]
    people.take_in(
        client, *[people.guest(f"g{i}", name=name, groups=[name]) for i, name in enumerate(names)]
    )
    for i, name in enumerate(names):
        account = people.get(client, f"g{i}")
        assert (account["name"], account["groups"]) == (name, [name])
