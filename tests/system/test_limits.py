# SPDX-License-Identifier: Apache-2.0
"""Every limit of common/limits.h is reached: at the limit all is well, one more is refused.

A limit that is added to the header without a row here, or a test that is named here, fails.
"""

import os
import pathlib
import re

import msgpack
import pytest

import keepers
import people
import wire
from daemon import DAY, running

TOP = pathlib.Path(__file__).parents[2]
HEADER = TOP / "common/limits.h"


def limits():
    """Name and number of each limit, as the header has them."""
    known = {"SPAN_SECOND": 1_000_000, "SPAN_DAY": DAY}
    found = {}
    for name, text in re.findall(r"^#define (\w+) (.+)$", HEADER.read_text(), re.MULTILINE):
        found[name] = eval(text.replace("/", "//"), {}, {**known, **found})
    return found


LIMIT = limits()


def with_all_fields(id, **fields):
    return "account.import", {"accounts": [people.guest(id, **fields)]}


def address(length):
    return "a" * (length - len("@fabrikam.example")) + "@fabrikam.example"


def named(length, **arguments):
    return "account.disable", {"accounts": [people.name("alex")], **arguments}


def of_task(method, **fields):
    return f"keeper.{method}", {"keeper": "crm", "tasks": [{"token": "none", **fields}]}


# What a request of n looks like: at the limit it is taken, with one more the argument is invalid.
VALUES = {
    "MODEL_ORG_LEN_MAX": lambda n: ("org.set", {"org": "o" * n}),
    "MODEL_ID_LEN_MAX": lambda n: with_all_fields("i" * n, person="p@x.example", mail="m@x.example",
                                                  upn="u@x.example", name="Name", groups=[],
                                                  permissions=[]),
    "MODEL_NAME_LEN_MAX": lambda n: ("org.set", {"org": "contoso", "name": "n" * n}),
    "MODEL_ADDRESS_LEN_MAX": lambda n: with_all_fields("alex", mail=address(n)),
    "MODEL_URL_LEN_MAX": lambda n: (
        "org.set", {"org": "contoso", "privacy_url": "https://x.example/".ljust(n, "u")}
    ),
    "MODEL_REF_LEN_MAX": lambda n: named(n, ref="r" * n),
    "MODEL_REASON_LEN_MAX": lambda n: named(n, reason="r" * n),
    "MODEL_GROUP_LEN_MAX": lambda n: with_all_fields("alex", groups=["g" * n]),
    "MODEL_GROUPS_MAX": lambda n: with_all_fields("alex", groups=[f"g{i}" for i in range(n)]),
    "MODEL_KEEPER_LEN_MAX": lambda n: ("keeper.set", {"keeper": "k" * n}),
    "MODEL_KEEPER_ORGS_MAX": lambda n: ("keeper.set", {"keeper": "crm", "orgs": ["contoso"] * n}),
    "MODEL_HOLD_LEN_MAX": lambda n: (
        "hold.add", {"accounts": [people.name("alex")], "hold": "h" * n}
    ),
    "MODEL_GROUND_LEN_MAX": lambda n: of_task("confirm", result="retained", ground="g" * n),
    "MODEL_NOTE_LEN_MAX": lambda n: of_task("fail", error="e" * n),
    "ARGUMENT_TOKEN_LEN_MAX": lambda n: (
        "keeper.extend", {"keeper": "crm", "tasks": [{"token": "t" * n}]}
    ),
    "MODEL_ACCOUNTS_MAX": lambda n: (
        "account.disable", {"accounts": [{"uid": 1 + i} for i in range(n)]}
    ),
    "MODEL_WINDOW_MAX": lambda n: ("org.set", {"org": "contoso", "window_us": n}),
    "MODEL_GUARD_MIN_MAX": lambda n: ("org.set", {"org": "contoso", "guard_min": n}),
    "MODEL_REMOVAL_MAX": lambda n: ("org.set", {"org": "contoso", "removal_us": n}),
}

# The same downwards.
LEAST = {
    "MODEL_WINDOW_MIN": lambda n: ("org.set", {"org": "contoso", "window_us": n}),
    "MODEL_REMOVAL_MIN": lambda n: ("org.set", {"org": "contoso", "removal_us": n}),
}

# Those that take more than one request, or a true connection: a test of this file, or another one.
ELSEWHERE = {
    "RPC_METHOD_LEN_MAX": "test_a_methods_name_has_64_bytes_at_most",
    "RPC_DEPTH_MAX": "test_a_request_has_8_levels_at_most",
    "RPC_OBJECTS_MAX": "test_a_request_has_163840_values_at_most",
    "RPC_FRAME_LARGE_MAX": "test_a_large_request_has_a_mebibyte_at_most",
    "RPC_FRAME_SMALL_MAX": "test_any_other_request_has_64_kib_at_most",
    "RPC_ANSWER_MAX": "tests/unit/test_dispatch.c: "
    "an_answer_of_more_than_a_mebibyte_is_refused_whole",
    "ARGUMENT_CURSOR_LEN_MAX": "test_a_cursor_has_128_bytes_at_most",
    "MODEL_PROFILE_BYTES_MAX": "test_a_profile_has_32_kib_at_most",
    "MODEL_KEEPERS_MAX": "test_there_are_64_keepers_at_most",
    "MODEL_HOLDS_MAX": "test_an_account_has_64_holds_at_most",
    "STORE_ORGS_MAX": "test_there_are_4096_organizations_at_most",
    "STORE_HISTORY_MAX": "tests/system/test_refusals.py: ENTRIES_TOLD_MAX",
    "STORE_ANSWERS_SHARE_OF_UID": "test_a_users_kept_answers_have_a_share_of_the_store",
    "LEASE_MAX": "test_a_lease_is_a_day_at_most",
    "PERSON_ACCOUNTS_MAX": "test_a_person_is_told_1000_accounts_at_most",
    "EXPLAIN_HISTORY_MAX": "test_explain_tells_the_newest_64_entries",
    "LIST_BYTES_MAX": "test_a_page_of_large_rows_is_short",
    "CLAIM_BYTES_MAX": "test_a_claim_of_large_tasks_is_short",
    "LIST_EXAMINED_MAX": "tests/unit/test_list.c: "
    "a_page_that_finds_nothing_in_many_rows_is_empty_and_goes_on",
    "CLAIM_EXAMINED_MAX": "test_a_claim_looks_at_4096_removals_at_most",
    "VERIFY_READS_MAX": "tests/unit/test_verify.c: VERIFY_READS_MAX",
    "EVENTS_PER_TURN": "tests/unit/test_events.c: EVENTS_PER_TURN",
    "LIMITS_CONNECTIONS_MAX": "tests/unit/test_limits.c: nobody_gets_connection_513",
    "LIMITS_CONNECTIONS_KEPT_FOR_ROOT": "tests/unit/test_limits.c: "
    "the_last_16_connections_are_kept_for_root",
    "LIMITS_CONNECTIONS_OF_UID": "tests/system/test_hostile.py: "
    "test_a_user_cannot_take_all_connections",
    "LIMITS_CONNECTIONS_OF_ROOT": "tests/unit/test_limits.c: root_may_have_256_connections",
    "LIMITS_ACCEPTS_PER_TURN": "tests/unit/test_listener.c: "
    "one_turn_takes_a_bounded_number_of_connections",
    "LIMITS_READ_BYTES_PER_TURN": "tests/unit/test_stream.c: one_reading_has_an_end",
    "LIMITS_READ_OF_UID_PER_TURN": "tests/unit/test_user.c: "
    "what_is_read_in_a_turn_has_an_end",
    "LIMITS_MESSAGES_PER_TURN": "tests/unit/test_conns.c: "
    "one_turn_takes_at_most_128_messages_of_a_connection",
    "LIMITS_WORK_PER_TURN": "tests/unit/test_user.c: one_alone_shares_nothing",
    "LIMITS_WORK_SHARED_PER_TURN": "tests/unit/test_user.c: "
    "two_share_while_both_were_served_lately",
    "LIMITS_WORK_OF_UID_PER_TURN": "tests/unit/test_user.c: "
    "who_takes_more_than_its_share_is_heavy_until_it_takes_less",
    "LIMITS_WORK_SLOW": "tests/unit/test_user.c: two_long_requests_make_one_slow_for_a_second",
    "LIMITS_WORK_SLOW_AGAIN": "tests/unit/test_user.c: "
    "the_second_long_request_need_not_be_as_long_as_the_first",
    "LIMITS_SLOW_SPAN": "tests/unit/test_user.c: two_long_requests_make_one_slow_for_a_second",
    "LIMITS_SLOW_REST_TURNS": "tests/unit/test_user.c: "
    "slow_users_rest_until_light_ones_were_served_often",
    "LIMITS_SLOW_REST_SPAN": "tests/unit/test_user.c: slow_users_do_not_rest_for_ever",
    "LIMITS_SHARED_SPAN": "tests/unit/test_user.c: two_share_while_both_were_served_lately",
    "LIMITS_PUSH_PER_TURN": "tests/unit/test_conns.c: "
    "whom_the_time_of_a_turn_did_not_suffice_for_is_told_in_the_next",
    "LIMITS_PUSH_SHARED_PER_TURN": "tests/unit/test_conns.c: "
    "subscribers_are_told_for_less_long_while_two_users_share_a_turn",
    "LIMITS_UNREAD_BYTES_MAX": "tests/unit/test_conns.c: "
    "a_peer_that_does_not_read_is_not_served_until_it_reads",
    "LIMITS_UNREAD_BYTES_OF_EVENTS": "tests/unit/test_conns.c: "
    "a_subscriber_that_does_not_read_holds_few_events",
    "LIMITS_FRAME_SPAN": "test_a_frame_and_an_answer_have_ten_seconds",
    "LIMITS_WRITE_SPAN": "test_a_frame_and_an_answer_have_ten_seconds",
}


def test_every_limit_of_the_header_is_reached_by_a_test():
    assert set(LIMIT) == set(VALUES) | set(LEAST) | set(ELSEWHERE)
    for name, where in ELSEWHERE.items():
        file, _, test = where.rpartition(": ")
        if file:
            assert test in (TOP / file).read_text(), name
        else:
            assert callable(globals().get(test)), name


def test_every_limit_of_the_header_has_its_reason():
    for name in LIMIT:
        assert re.search(rf"\*/\n#define {name} ", HEADER.read_text()), name


@pytest.fixture(scope="module")
def daemon():
    with running(keepers.grant("crm")) as daemon:
        with daemon.connect() as root:
            people.set_org(root, "contoso")
            people.take_in(root, people.guest("alex"))
            keepers.set_keeper(root, "crm")
        yield daemon


@pytest.fixture
def client(daemon):
    with daemon.connect() as client:
        yield client


def refused(call, kind, code, *words):
    with pytest.raises(wire.RpcError) as refusal:
        call()
    assert (refusal.value.kind, refusal.value.code) == (kind, code)
    for word in words:
        assert word in refusal.value.text
    return refusal.value.text


@pytest.mark.parametrize("name", VALUES)
def test_a_value_at_its_limit_is_taken_and_one_more_is_refused(client, name):
    at, over = (VALUES[name](n) for n in (LIMIT[name], LIMIT[name] + 1))
    answer = client.call(at[0], **at[1])
    assert answer
    head = people.head(client)
    refused(lambda: client.call(over[0], **over[1]), wire.WRONG, "invalid-argument", "must ")
    assert people.head(client) == head


@pytest.mark.parametrize("name", LEAST)
def test_a_value_at_its_least_is_taken_and_less_is_refused(client, name):
    at, under = (LEAST[name](n) for n in (LIMIT[name], LIMIT[name] - 1))
    assert client.call(at[0], **at[1])["outcome"] == "ok"
    refused(lambda: client.call(under[0], **under[1]), wire.WRONG, "invalid-argument", "must ")


def test_the_unit_gives_descriptors_for_all_connections_and_as_many_for_the_rest():
    unit = (TOP / "systemd/retentiond.service.in").read_text()
    connections, given = (
        int(re.search(pattern, unit, re.MULTILINE)[1])
        for pattern in (r"^# (\d+) connections", r"^LimitNOFILE=(\d+)$")
    )
    assert connections == LIMIT["LIMITS_CONNECTIONS_MAX"]
    assert given == 2 * connections


# Messages


def answer_to(client, data):
    client.send(data)
    return client.read_message()[2][1]


def closed_as_too_large(daemon, data):
    with daemon.connect() as peer:
        peer.send(data)
        assert peer.read_message()[2][1].startswith("too-large: ")
        assert peer.is_closed()


def test_a_methods_name_has_64_bytes_at_most(daemon, client):
    n = LIMIT["RPC_METHOD_LEN_MAX"]
    assert answer_to(client, wire.request(1, "m" * n)).startswith("unknown-method: ")
    with daemon.connect() as peer:
        peer.send(wire.request(1, "m" * (n + 1)))
        assert peer.is_closed()


def deep(levels):
    """A request of so many levels: itself, its params, and what stands in them."""
    value = []
    for _ in range(levels - 3):
        value = [value]
    return wire.request(1, "retention.info", value)


def test_a_request_has_8_levels_at_most(daemon, client):
    n = LIMIT["RPC_DEPTH_MAX"]
    assert answer_to(client, deep(n)).startswith("invalid-argument: ")
    closed_as_too_large(daemon, deep(n + 1))


def many_values(n):
    """A request of so many values: an array of four, a params array, and one of nils in it."""
    outside = 4 + 2
    return wire.request(1, "account.leave", [None] * (n - outside))


def test_a_request_has_163840_values_at_most(daemon, client):
    n = LIMIT["RPC_OBJECTS_MAX"]
    over = next(i for i in range(n - 8, n + 9) if too_many(daemon, many_values(i)))
    assert abs(over - n) <= 2  # whether the outermost array counts is the scanner's own affair
    assert answer_to(client, many_values(over - 1)).startswith("invalid-argument: ")
    closed_as_too_large(daemon, many_values(over))


def too_many(daemon, data):
    with daemon.connect() as peer:
        peer.send(data)
        return peer.read_message()[2][1].startswith("too-large: ")


def padded(method, length, **arguments):
    """A request of exactly so many bytes, by an argument that nobody knows."""
    bare = len(wire.request(1, method, {**arguments, "pad": b"x" * 70_000}))
    data = wire.request(1, method, {**arguments, "pad": b"x" * (70_000 + length - bare)})
    if len(data) != length:
        data = wire.request(1, method, {**arguments, "pad": b"x" * (70_000 + 2 * length - bare - len(data))})
    assert len(data) == length
    return data


def test_a_large_request_has_a_mebibyte_at_most(daemon, client):
    n = LIMIT["RPC_FRAME_LARGE_MAX"]
    assert answer_to(client, padded("account.leave", n)).startswith("invalid-argument: ")
    with daemon.connect() as peer:
        try:
            peer.send(padded("account.leave", n + 1))
        except (BrokenPipeError, ConnectionResetError):
            return
        assert peer.read_message()[2][1].startswith("too-large: ")
        assert peer.is_closed()


def test_any_other_request_has_64_kib_at_most(client):
    n = LIMIT["RPC_FRAME_SMALL_MAX"]
    assert answer_to(client, padded("org.get", n)).startswith("invalid-argument: ")
    told = answer_to(client, padded("org.get", n + 1))
    assert told.startswith("too-large: ") and str(n) in told
    assert client.call("retention.info")


def test_a_cursor_has_128_bytes_at_most(client):
    n = LIMIT["ARGUMENT_CURSOR_LEN_MAX"]
    for length, words in ((n, "is not one of this"), (n + 1, "an earlier answer")):
        refused(
            lambda: client.call("account.list", cursor="0" * length),
            wire.WRONG, "invalid-argument", words,
        )


def test_a_profile_has_32_kib_at_most(client):
    n = LIMIT["MODEL_PROFILE_BYTES_MAX"]
    groups = [f"{i:0>250}" for i in range(n // 256)]
    for less in range(len(groups), 0, -1):
        guest = people.guest("large", groups=groups[:less])
        try:
            taken = client.items("account.import", [guest])
            break
        except wire.RpcError as error:
            assert (error.code, "32 KiB" in error.text) == ("invalid-argument", True)
    assert people.outcomes(taken) == ["ok"]
    assert less * 252 > n - 2048  # with room for a UPN that may be longer once


# Numbers of things


def test_there_are_64_keepers_at_most(client):
    known = len(client.call("keeper.list")["keepers"])
    for i in range(known, LIMIT["MODEL_KEEPERS_MAX"]):
        keepers.set_keeper(client, f"more-{i}", enabled=False)
    refused(
        lambda: client.call("keeper.set", keeper="one-more"), wire.FAILED, "store-full", "64"
    )


def test_an_account_has_64_holds_at_most(client):
    people.take_in(client, people.guest("held"))
    named = [people.name("held")]
    for i in range(LIMIT["MODEL_HOLDS_MAX"]):
        assert people.outcomes(client.items("hold.add", named, hold=f"case-{i}")) == ["ok"]
    item = client.items("hold.add", named, hold="one-more")[0]
    assert (item["outcome"], item["reasons"]) == ("too-many-holds", ["too-many-holds"])


def test_there_are_4096_organizations_at_most():
    with running() as daemon, daemon.connect() as client:
        n = LIMIT["STORE_ORGS_MAX"]
        for at in range(0, n, 64):
            sent = [client.post("org.set", {"org": f"o{i}"}) for i in range(at, min(at + 64, n))]
            assert all(client.take(msgid)["outcome"] == "ok" for msgid in sent)
        refused(lambda: client.call("org.set", org="one-more"), wire.FAILED, "store-full", str(n))
        assert client.call("org.set", org="o0", name="Zero")["outcome"] == "ok"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can connect as somebody else")
def test_a_users_kept_answers_have_a_share_of_the_store():
    config = "map_size = 8M\n[grant staff]\nrole = admin\nusers = 4001 4002\n"
    share = (8 << 20) // LIMIT["STORE_ANSWERS_SHARE_OF_UID"]
    with running(config) as daemon, daemon.connect_as(4001) as client:
        people.set_org(client, "contoso")
        accounts = [{"uid": i + 1} for i in range(1000)]
        n = 0

        def one_more():
            return client.items("account.disable", accounts, request_id=f"r-{n}")

        while n < share // 1000:
            try:
                one_more()
            except wire.RpcError as error:
                assert (error.kind, error.code) == (wire.FAILED, "busy")
                assert "uid 4001" in error.text and "request_id" in error.text
                break
            n += 1
        assert n > 1
        assert len(client.items("account.disable", accounts)) == 1000
        n -= 1
        assert len(one_more()) == 1000  # what is kept is still answered
        with daemon.connect_as(4002) as other:
            assert len(other.items("account.disable", accounts, request_id="mine")) == 1000
        client.call("clock.advance", by_us=DAY + 60_000_000)
        n += 1
        while True:
            try:
                assert len(one_more()) == 1000
                break
            except wire.RpcError as error:  # forgetting takes some turns
                assert error.code == "busy"


def test_a_lease_is_a_day_at_most(daemon, client):
    people.take_in(client, people.guest("leased"))
    for verb in ("remove", "purge"):
        people.do(client, verb, "leased")
    with keepers.Keeper(daemon, "crm") as crm:
        now = client.call("retention.info")["clock"]["now_us"]
        task = crm.claim(lease_us=LIMIT["LEASE_MAX"] + 1)[0]
        assert task["lease_until_us"] - now == LIMIT["LEASE_MAX"]
        assert crm.confirm_one(task)["outcome"] == "ok"


def test_a_person_is_told_1000_accounts_at_most():
    with running() as daemon, daemon.connect() as client:
        n, person = LIMIT["PERSON_ACCOUNTS_MAX"], people.person("one")
        people.set_org(client, "contoso")
        more = [people.guest(f"g{i}", person=person) for i in range(n + 1)]
        people.take_in(client, *more[:n])
        told = client.call("person.organizations", person=person)
        assert len(told["others"]) == n
        people.take_in(client, more[n])
        told = client.call("person.organizations", person=person)
        assert len(told["others"]) == n


def test_explain_tells_the_newest_64_entries(client):
    n = LIMIT["EXPLAIN_HISTORY_MAX"]
    people.take_in(client, people.guest("busy"))
    for i in range(n):
        people.do(client, ("disable", "enable")[i % 2], "busy")
    history = client.call("account.explain", **people.name("busy"))["history"]
    assert len(history) == n and "imported" not in [entry["event"] for entry in history]
    assert len(people.history(client, **people.name("busy"))) == n + 1


def test_a_page_of_large_rows_is_short():
    with running() as daemon, daemon.connect() as client:
        people.set_org(client, "contoso")
        long = [
            people.guest(f"g{i}", person=address(319), upn=f"{i:0>300}@x.example", name="n" * 256)
            for i in range(1000)
        ]
        for at in range(0, 1000, 250):
            people.take_in(client, *long[at : at + 250])
        page = client.call("account.list", limit=1000)
        size = len(msgpack.packb(page))
        assert abs(size - LIMIT["LIST_BYTES_MAX"]) < 4096
        assert len(list(client.pages("account.list", "accounts", limit=1000))) == 1000


def test_a_claim_of_large_tasks_is_short():
    with running(keepers.grant("crm")) as daemon, daemon.connect() as client:
        people.set_org(client, "contoso")
        keepers.set_keeper(client, "crm")
        long = [
            people.direct(f"g{i}", person=address(319), upn=f"{i:0>300}@x.example") for i in range(1000)
        ]
        for at in range(0, 1000, 250):
            people.take_in(client, *long[at : at + 250])
        client.items("account.remove", people.names([f"g{i}" for i in range(1000)]))
        with keepers.Keeper(daemon, "crm") as crm:
            page = crm.call("claim", max=1000)
            size = len(msgpack.packb(page))
            assert page["more"] and abs(size - LIMIT["CLAIM_BYTES_MAX"]) < 4096
            assert len(page["tasks"]) + len(crm.claim_all()) == 1000


def test_a_claim_looks_at_4096_removals_at_most():
    n = LIMIT["CLAIM_EXAMINED_MAX"]
    with running(keepers.grant("crm")) as daemon, daemon.connect() as client:
        for org, keeper in (("contoso", "crm"), ("adatum", "erp")):
            people.set_org(client, org)
            keepers.set_keeper(client, keeper, orgs=[org])
        ids = [f"g{i}" for i in range(n)]
        people.take_in(client, *[people.direct(id, "adatum") for id in ids])
        people.take_in(client, people.direct("last"))
        for at in range(0, n, 1000):
            client.items("account.remove", people.names(ids[at : at + 1000], "adatum"))
        client.call("clock.advance", by_us=1)
        people.do(client, "remove", "last")
        with keepers.Keeper(daemon, "crm") as crm:
            page = crm.call("claim")
            assert page == {"tasks": [], "more": True}
            assert [task["id"] for task in crm.call("claim")["tasks"]] == ["last"]


# Time


def test_a_frame_and_an_answer_have_ten_seconds(daemon, client):
    """Both wait at once: who began a frame, and who reads nothing of a mebibyte."""
    assert LIMIT["LIMITS_FRAME_SPAN"] == LIMIT["LIMITS_WRITE_SPAN"] == 10_000_000
    with daemon.connect() as writer, daemon.connect() as reader:
        dropped = client.call("stats.get")["dropped"]
        writer.send(wire.request(1, "retention.info")[:-1])
        for msgid in range(1000):
            try:
                reader.socket.settimeout(0.2)
                reader.post("retention.api")
            except TimeoutError:
                break
        assert writer.is_closed()
        writer.close()
        wire.until(  # the daemon answers others meanwhile
            lambda: client.call("stats.get")["dropped"] >= dropped + 2, "both are closed"
        )
        assert client.call("retention.info")
