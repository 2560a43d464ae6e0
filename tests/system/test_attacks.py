# SPDX-License-Identifier: Apache-2.0
"""Whatever others do, a well-behaved client is answered and the daemon stays.

How soon it is answered is measured by `make hostile`: here, nothing depends on the speed of the
machine.
"""

import os
import resource
import socket
import time

import pytest

import attacks
import keepers
import people
import wire
from daemon import running

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can connect as somebody else")

MIB = 1 << 20
GROWTH_MAX = 192 * MIB  # 64 connections, each with a frame and answers of a mebibyte, and room
ROUNDS = 30


@pytest.fixture(scope="module")
def daemon():
    with running(attacks.GRANTS) as daemon:
        attacks.furnish(daemon, 3000)
        yield daemon


def live(client, rounds=ROUNDS):
    """Questions and durable changes, each answered before the client's own deadline."""
    for i in range(rounds):
        assert client.call("retention.info")["you"]["uid"] == attacks.FRIEND
        verb = ("disable", "enable")[i % 2]
        assert people.do(client, verb, "friend")["outcome"] == "ok"


@pytest.mark.parametrize("name", attacks.ATTACKS)
def test_a_well_behaved_client_is_answered_while_somebody(daemon, name):
    pid, before = daemon.pid, daemon.rss()
    with daemon.connect_as(attacks.FRIEND) as client:
        live(client, 2)
        with attacks.under(daemon, name):
            live(client)
            assert daemon.rss() - before < GROWTH_MAX
        live(client, 2)
    assert (daemon.pid, daemon.process.poll()) == (pid, None)


def get_in(daemon):
    """Where the line before the socket is full, the kernel says so at once to who does not wait."""
    until = time.monotonic() + wire.DEADLINE
    while True:
        try:
            return daemon.connect()
        except BlockingIOError:
            assert time.monotonic() < until, "nobody gets in"


@pytest.mark.parametrize("name", ["10 000 connections", "connect and close", "half-open"])
def test_root_gets_in_while_others_take_all_connections(daemon, name):
    with attacks.under(daemon, name):
        for _ in range(5):
            with get_in(daemon) as root:
                assert root.call("stats.get")["connections"] <= 512


def test_connections_over_the_limit_are_closed_and_told(daemon):
    with daemon.connect() as root:
        refused = root.call("stats.get")["refused"]
        with attacks.under(daemon, "10 000 connections"):
            wire.until(  # each turn turns more of them away
                lambda: root.call("stats.get")["refused"] - refused >= 1000, "1000 are turned away"
            )
        assert "too many connections are open" in daemon.log.read_text()


def test_a_keeper_that_holds_its_leases_keeps_no_other_from_its_work(daemon):
    config = keepers.grant("patient")
    with running(attacks.GRANTS + config) as daemon:
        attacks.furnish(daemon, 10)
        with attacks.under(daemon, "holds leases for ever"):
            with keepers.Keeper(daemon, "patient") as patient:
                tasks = patient.claim_all()
                assert len(tasks) == 1
                assert people.outcomes(patient.confirm(tasks)) == ["ok"]
            with daemon.connect() as root:
                waived = root.items(
                    "keeper.waive", [people.name("leaver")], keeper="greedy", reason="it hangs"
                )
                assert people.outcomes(waived) == ["ok"]
                people.settle(root)
                assert people.get(root, "leaver")["state"] == "removed"


def test_without_descriptors_peers_are_turned_away_and_those_inside_are_served():
    """A daemon that may open few files: the rest is closed, not left waiting."""
    with running(attacks.GRANTS) as daemon:
        with daemon.connect() as root:
            people.set_org(root, "contoso")
            people.take_in(root, people.guest("friend"))
            taken = len(os.listdir(f"/proc/{daemon.pid}/fd"))
            before = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (taken + 8, before[1]))
            peers = [daemon.connect() for _ in range(40)]
            closed = 0
            for peer in peers:
                peer.socket.setblocking(True)
                peer.socket.settimeout(wire.DEADLINE)
                try:
                    peer.call("retention.info")
                except (wire.Closed, BrokenPipeError, ConnectionResetError):
                    closed += 1
                if closed:
                    break
            assert closed, "somebody was turned away"
            assert people.do(root, "disable", "friend")["outcome"] == "ok"
            for peer in peers:
                peer.close()
            resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, before)
            assert root.call("retention.info")
        with daemon.connect() as again:
            assert again.call("retention.info")


def test_uid_65534_is_nobody_however_often_it_asks(daemon):
    with daemon.connect_as(attacks.OVERFLOW) as nobody:
        assert nobody.call("retention.info")["you"]["roles"] == []
        for _ in range(100):
            with pytest.raises(wire.RpcError) as refusal:
                nobody.call("account.get", uid=1)
            assert refusal.value.code == "permission-denied"


def test_a_peer_that_ends_what_it_sends_gets_its_answers_under_a_storm(daemon):
    with attacks.under(daemon, "connect and close"):
        with daemon.connect_as(attacks.FRIEND) as client:
            for _ in range(10):
                client.post("retention.info")
            client.socket.shutdown(socket.SHUT_WR)
            for msgid in range(1, 11):
                assert client.take(msgid)
            assert client.is_closed()
