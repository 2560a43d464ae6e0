# SPDX-License-Identifier: Apache-2.0
"""Whatever a peer sends, it harms nobody but itself."""

import os
import pathlib
import random
import re
import socket
import struct

import msgpack
import pytest

import people
import wire
from daemon import BEGIN, DAY, running

MIB = 1 << 20
GROWTH_MAX = 32 * MIB

TABLE = pathlib.Path(__file__).parents[1] / "golden" / "wire" / "hostile.h"


def vectors():
    """The table of bytes that hurt others, read from where the unit tests have it too."""
    for row in re.findall(r"^\t\{\n(.*?)^\t\},", TABLE.read_text(), re.MULTILINE | re.DOTALL):
        text, number = {}, {}
        for key, value in re.findall(r"\.(\w+) = ([^,]+),", row):
            text[key] = "".join(re.findall(r'"([^"]*)"', value))
            if re.fullmatch(r"0x[0-9a-f]+|\d+", value):
                number[key] = int(value, 0)
        expect = re.search(r"\.expect = HOSTILE_(\w+)", row)[1]
        middle = bytes([number.get("repeat", 0)]) * number.get("n_repeat", 0)
        data = bytes.fromhex(text["hex"]) + middle + bytes.fromhex(text.get("tail_hex", ""))
        yield pytest.param(data, expect, id=text["name"].replace(" ", "-"))


VECTORS = list(vectors())


def test_the_table_was_read_whole():
    assert len(VECTORS) == TABLE.read_text().count(".name = ") >= 40


def among_params(data):
    """A request with the bytes as its only param."""
    return b"\x94\x00\x01" + msgpack.packb("retention.info") + b"\x91" + data


def check_reaction(daemon, data, expect):
    with daemon.connect() as peer:
        try:
            peer.send(data)
        except (BrokenPipeError, ConnectionResetError):
            assert expect in ("BOMB", "REFUSED", "VALUE")  # refused before all of it was there
            return
        if expect in ("BOMB", "REFUSED", "VALUE"):
            assert peer.is_closed()
            return
        answers = {"ANSWERED": 1, "ANSWERED_TWICE": 2, "IGNORED": 0}[expect]
        for _ in range(answers):
            kind, _, error, result = peer.read_message()
            assert (kind, result) == (wire.RESPONSE, None)
            assert error[1].startswith("unknown-method: ")
        assert peer.call("retention.info")


def check_reaction_among_params(daemon, data, expect):
    with daemon.connect() as peer:
        try:
            peer.send(among_params(data))
        except (BrokenPipeError, ConnectionResetError):
            assert expect == "BOMB"
            return
        if expect == "BOMB":
            try:
                assert peer.read_message()[2][1].startswith("too-large: ")
            except wire.Closed:
                return  # not MessagePack at all
            assert peer.is_closed()
        elif expect == "VALUE":
            assert peer.read_message()[2][1].startswith("invalid-argument: ")
            assert peer.call("retention.info")


@pytest.mark.parametrize("data, expect", VECTORS)
def test_bytes_that_hurt_others_do_no_harm(daemon, client, data, expect):
    pid, before = daemon.pid, daemon.rss()
    check_reaction(daemon, data, expect)
    check_reaction_among_params(daemon, data, expect)
    assert client.call("retention.info")["clock"]["now_us"] == BEGIN
    assert (daemon.pid, daemon.process.poll()) == (pid, None)
    assert daemon.rss() - before < GROWTH_MAX


def test_memory_does_not_grow_with_what_is_refused(daemon, client):
    def all_of_them():
        for vector in VECTORS:
            check_reaction(daemon, *vector.values)
            check_reaction_among_params(daemon, *vector.values)

    all_of_them()
    before = daemon.rss()
    for _ in range(10):
        all_of_them()
    assert client.call("retention.info")
    assert daemon.rss() - before < GROWTH_MAX


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x00",
        b"\x94",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b'{"jsonrpc": "2.0", "method": "retention.info", "id": 1}\n',
        os.urandom(1000),
        b"",
    ],
    ids=["http", "nul", "one-byte", "tls", "json", "random", "nothing"],
)
def test_a_peer_that_speaks_something_else_closes_only_its_own_connection(daemon, client, data):
    with daemon.connect() as peer:
        peer.send(data)
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.is_closed()
    assert client.call("retention.info")


def test_requests_with_bytes_changed_at_random_do_no_harm(daemon, client, contoso):
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"SEED={seed}")
    chance = random.Random(seed)
    sound = [
        wire.request(
            1,
            "account.import",
            {"accounts": [people.guest("alex", deleted_at_us=BEGIN)], "dry_run": False},
        ),
        wire.request(
            2, "account.leave", {"accounts": [people.name("alex"), {"uid": 1}], "request_id": "r"}
        ),
        wire.request(
            3,
            "account.list",
            {"org": "contoso", "state": "active", "limit": 10, "cursor": "75" + "00" * 24},
        ),
        wire.request(4, "org.set", {"org": "contoso", "allow_leave": True, "window_us": 30 * DAY}),
        wire.request(5, "ledger.read", {"org": "contoso", "id": "alex", "from": 1, "limit": 5}),
        wire.request(6, "due.forecast", {"within_us": DAY, "by": "hour"}),
    ]
    pid, before = daemon.pid, daemon.rss()
    for _ in range(3000):
        data = bytearray(chance.choice(sound))
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.1:
            del data[chance.randrange(len(data)) :]
        with daemon.connect() as peer:
            peer.send(data)
            peer.socket.shutdown(socket.SHUT_WR)
            assert peer.is_closed()
    assert client.call("retention.info")
    assert (daemon.pid, daemon.process.poll()) == (pid, None)
    assert daemon.rss() - before < GROWTH_MAX
    assert people.verify(client) == people.head(client)


def test_what_came_before_a_malformed_frame_is_answered(daemon, client):
    with daemon.connect() as peer:
        peer.send(wire.request(1, "retention.info") + wire.request(2, "ledger.head") + b"\xc1")
        assert peer.read_message()[1] == 1
        assert peer.read_message()[1] == 2
        assert peer.is_closed()
    assert client.call("retention.info")


# Frames that are too large


def test_a_request_larger_than_its_method_may_have_is_refused_and_the_connection_stays(client):
    for method in ("org.set", "retention.info", "account.get"):
        with pytest.raises(wire.RpcError) as refusal:
            client.call(method, reason="x" * (64 << 10))
        assert (refusal.value.kind, refusal.value.code) == (wire.WRONG, "too-large")
    assert client.call("retention.info")


def test_a_frame_over_a_mebibyte_is_told_so_and_closed(daemon, client):
    with daemon.connect() as peer:
        peer.send(b"\x94\x00\x2a" + msgpack.packb("account.leave"))
        peer.send(b"\x91\xc6" + struct.pack(">I", MIB) + b"x" * 100)
        kind, msgid, error, result = peer.read_message()
        assert (kind, msgid, result) == (wire.RESPONSE, 0x2A, None)
        assert error[0] == wire.WRONG and error[1].startswith("too-large: ")
        assert peer.is_closed()
    assert client.call("retention.info")


def test_a_frame_of_nearly_a_mebibyte_is_taken(client, contoso):
    accounts = [people.guest(f"g{i}", groups=[f"{n:0>250}" for n in range(30)]) for i in range(120)]
    data = wire.request(1, "account.import", {"accounts": accounts})
    assert 900_000 < len(data) < MIB
    client.send(data)
    assert set(people.outcomes(client.read_message()[3]["items"])) == {"ok"}
    assert people.get(client, "g119")["groups"] == accounts[119]["groups"]


def test_a_profile_over_32_kib_is_refused_and_nothing_of_its_import_is_taken(client, contoso):
    head = people.head(client)
    accounts = [
        people.guest("small"), people.guest("large", groups=[f"{n:0>250}" for n in range(140)])
    ]
    with pytest.raises(wire.RpcError) as refusal:
        client.call("account.import", accounts=accounts)
    assert (refusal.value.code, refusal.value.text[:11]) == ("invalid-argument", "accounts[1]")
    assert people.head(client) == head


# Peers that do not do their part


def test_a_peer_that_never_reads_is_bounded_and_loses_nothing(daemon, client):
    n = 1000
    before = daemon.rss()
    with daemon.connect() as peer:
        peer.send(b"".join(wire.request(msgid, "retention.api") for msgid in range(n)))
        for _ in range(100):
            assert client.call("retention.info")  # turns pass, and nobody waits for the peer
        assert daemon.rss() - before < GROWTH_MAX
        for msgid in range(n):
            assert peer.take(msgid)["level"] >= 1


def test_a_peer_that_goes_away_before_its_answers_harms_nobody(daemon, client, contoso):
    for _ in range(20):
        peer = daemon.connect()
        for _ in range(50):
            peer.post("retention.api")
        peer.close()
    assert client.call("retention.info")


def test_a_peer_that_goes_away_in_the_middle_of_a_frame_changes_nothing(daemon, client, contoso):
    data = wire.request(1, "account.import", {"accounts": [people.guest("alex")]})
    for cut in (1, len(data) // 2, len(data) - 1):
        with daemon.connect() as peer:
            peer.send(data[:cut])
    assert people.get(client, "alex") is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can connect as somebody else")
def test_a_user_cannot_take_all_connections():
    with running() as daemon:
        peers = [daemon.connect_as(4001) for _ in range(64)]
        with daemon.connect_as(4001) as one_more:
            assert one_more.is_closed()
        with daemon.connect_as(4002) as other, daemon.connect() as root:
            assert other.call("retention.info") and root.call("retention.info")
        assert peers[63].call("retention.info")
        peers[0].close()
        with daemon.connect() as root:
            assert root.call("retention.info")  # a turn passes
        with daemon.connect_as(4001) as again:
            assert again.call("retention.info")
        for peer in peers[1:]:
            peer.close()
