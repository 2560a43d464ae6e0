# SPDX-License-Identifier: Apache-2.0
"""Lists tell everything once, counts add up, and the ledger tells and proves what happened."""

import collections
import random

import pytest

import people
import wire
from daemon import BEGIN, DAY, HOUR

N = 5000


def ids_of(accounts):
    return [account["id"] for account in accounts]


def take_in_many(client):
    """N guests and members in two organizations, a third of them deleted, on different days."""
    people.set_org(client, "contoso", **people.PRIVACY)
    people.set_org(client, "adatum")
    accounts = []
    for i in range(N):
        org = "adatum" if i % 5 == 0 else "contoso"
        make = people.member if i % 7 == 0 else people.guest
        deleted = {"deleted_at_us": BEGIN - i % 25 * DAY} if i % 3 == 0 else {}
        accounts.append(make(f"g{i}", org, **deleted))
    people.take_in(client, *accounts)
    return accounts


def expected(accounts, **wanted):
    def matches(account):
        facts = {
            "org": account["org"],
            "kind": account["kind"],
            "state": "soft-deleted" if "deleted_at_us" in account else "active",
        }
        return all(facts[key] == value for key, value in wanted.items())

    return sorted(ids_of(filter(matches, accounts)))


def test_every_list_tells_each_account_exactly_once_settled_or_not(daemon, client):
    accounts = take_in_many(client)
    filters = [
        {},
        {"org": "contoso"},
        {"org": "ADATUM"},
        {"state": "active"},
        {"state": "soft-deleted"},
        {"kind": "member"},
        {"org": "adatum", "state": "soft-deleted"},
        {"org": "contoso", "state": "active", "kind": "b2b-collaboration"},
        {"state": "removed"},
        {"state": "removing"},
        {"kind": "b2b-direct-connect"},
    ]

    def check(connection, **arguments):
        for wanted in filters:
            told = ids_of(connection.pages("account.list", "accounts", **wanted, **arguments))
            lowered = {key: value.lower() for key, value in wanted.items()}
            assert sorted(told) == expected(accounts, **lowered), wanted

    check(client, limit=1000)
    check(client, limit=37)
    daemon.restart()  # every row is settled then
    with daemon.connect() as again:
        assert again.call("stats.get")["ledger"]["unsettled"] == 0
        check(again, limit=1000)


def test_a_list_walked_while_accounts_change_tells_each_that_stays_exactly_once(daemon, client):
    take_in_many(client)
    chance = random.Random(1)
    for wanted in ({}, {"org": "contoso"}):
        told = []
        with daemon.connect() as walker:
            for account in walker.pages("account.list", "accounts", limit=100, **wanted):
                told.append(account["uid"])
                if len(told) % 200 == 0:
                    some = [people.name(f"g{chance.randrange(N)}") for _ in range(50)]
                    client.call(
                        f"account.{chance.choice(['leave', 'remove', 'restore', 'disable'])}",
                        accounts=some,
                    )
                    fresh = people.guest(f"new-{len(told)}-{len(wanted)}")
                    people.take_in(client, fresh)
        assert len(told) == len(set(told))
        n_there = sum(1 for i in range(N) if not wanted or i % 5 != 0)
        assert len(told) >= n_there


def test_a_list_in_the_order_of_time_begins_with_what_is_due_first(client):
    take_in_many(client)
    ends = [
        account["window_ends_us"]
        for account in client.pages("account.list", "accounts", state="soft-deleted")
    ]
    assert ends == sorted(ends)


def test_accounts_that_are_due_before_an_instant_are_told_and_no_others(client):
    take_in_many(client)
    before = BEGIN + 10 * DAY
    told = list(client.pages("account.list", "accounts", due_before_us=before, limit=200))
    assert told and all(account["window_ends_us"] < before for account in told)
    assert len(told) == sum(1 for i in range(N) if i % 3 == 0 and i % 25 > 20)


def test_overdue_removals_are_told(client):
    take_in_many(client)
    client.call("sweep.pause")
    client.call("clock.advance", by_us=60 * DAY)
    told = list(client.pages("account.list", "accounts", overdue=True))
    assert {account["sla"] for account in told} == {"overdue"}
    assert len(told) == len([i for i in range(N) if i % 3 == 0])
    removing = list(client.pages("account.list", "accounts", state="removing"))
    assert len(removing) == len(told)
    assert list(client.pages("account.list", "accounts", state="soft-deleted")) == []


def test_organizations_are_listed_page_by_page(client):
    names = [f"org-{i}" for i in range(250)]
    for sent in [client.post("org.set", {"org": name}) for name in names]:
        assert client.take(sent)["outcome"] == "ok"
    assert [org["org"] for org in client.pages("org.list", "orgs", limit=7)] == names
    assert [org["org"] for org in client.pages("org.list", "orgs")] == names


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "00",
        "ff" * 25,
        "75" + "ff" * 24,
        "6f" + "ff" * 24,
        "64" + "ff" * 24,
        1,
        b"\xff" * 25,
    ],
)
def test_a_cursor_of_somebody_elses_making_is_refused_or_harmless(client, cursor):
    people.set_org(client)
    people.take_in(client, people.guest("alex"))
    requests = [
        ("account.list", {}),
        ("account.list", {"org": "contoso"}),
        ("account.list", {"state": "soft-deleted"}),
        ("org.list", {}),
        ("due.forecast", {}),
    ]
    for method, arguments in requests:
        try:
            client.call(method, cursor=cursor, **arguments)
        except wire.RpcError as error:
            assert (error.code, error.text[:8]) == ("invalid-argument", "cursor: ")


# What is due


def test_a_forecast_adds_up(client):
    take_in_many(client)
    for by in ("hour", "day", "week"):
        total = collections.Counter()
        arguments = {"within_us": 40 * DAY, "by": by}
        while True:
            page = client.call("due.forecast", **arguments)
            assert (page["now_us"], page["until_us"]) == (BEGIN, BEGIN + 40 * DAY)
            for bucket in page["buckets"]:
                assert BEGIN <= bucket["from_us"] < bucket["until_us"] <= BEGIN + 40 * DAY
                total[bucket["from_us"]] += bucket["windows_end"]
                assert bucket["removals_due"] == 0
            if "cursor" not in page:
                break
            arguments["cursor"] = page["cursor"]
        assert sum(total.values()) == len([i for i in range(N) if i % 3 == 0])
        if by == "day":
            for day in range(40):
                ends_then = [i for i in range(N) if i % 3 == 0 and 30 - i % 25 == day]
                assert total[BEGIN + day * DAY] == len(ends_then)


def test_a_forecast_tells_removals_by_their_deadlines(client):
    people.set_org(client)
    people.take_in(client, *[people.direct(f"d{i}") for i in range(10)], people.guest("alex"))
    client.call("sweep.pause")
    client.items("account.leave", people.names([f"d{i}" for i in range(10)]))
    client.call("clock.advance", by_us=HOUR)
    client.items("account.leave", people.names(["alex"]))
    buckets = client.call("due.forecast", within_us=31 * DAY, by="day")["buckets"]
    told = [
        (bucket["from_us"] - BEGIN - HOUR, bucket["windows_end"], bucket["removals_due"])
        for bucket in buckets
    ]
    assert told == [(29 * DAY, 0, 10), (30 * DAY, 1, 0)]


# Counts


def test_counts_add_up(client):
    take_in_many(client)
    client.items("account.remove", people.names(["g1", "g2"]))
    client.items("account.restore", people.names(["g3"]))
    states = collections.Counter(
        account["state"] for account in client.pages("account.list", "accounts", limit=1000)
    )
    stats = client.call("stats.get")
    assert stats["accounts"]["active"] == states["active"]
    assert stats["accounts"]["soft_deleted"] == states["soft-deleted"]
    assert sum(stats["accounts"].values()) == N
    assert stats["ledger"]["seq"] == people.head(client)
    assert stats["orgs"] == 2
    assert stats["connections"] == 1


def test_counts_survive_a_restart_and_a_kill(daemon, client):
    take_in_many(client)
    client.call("clock.advance", by_us=10 * DAY)
    people.settle(client)
    before = client.call("stats.get")["accounts"]
    assert before["removed"] > 0 and sum(before.values()) == N
    for end in (daemon.kill9, daemon.stop):
        end()
        daemon.start()
        with daemon.connect() as again:
            assert again.call("stats.get")["accounts"] == before


def test_what_is_due_and_not_done_is_counted(client):
    take_in_many(client)
    client.call("sweep.pause")
    client.call("clock.advance", by_us=7 * DAY)
    due = len([i for i in range(N) if i % 3 == 0 and 30 - i % 25 <= 7])
    assert client.call("stats.get")["due_now"] == due
    client.call("sweep.resume")
    people.settle(client)
    assert client.call("stats.get")["due_now"] == 0
    assert client.call("stats.get")["accounts"]["removed"] == due


# The sweep


def test_a_paused_sweep_stays_paused_over_a_restart_and_a_kill(daemon, client):
    people.set_org(client)
    people.take_in(client, people.guest("alex"))
    people.do(client, "leave", "alex")
    client.call("sweep.pause")
    client.call("clock.advance", by_us=30 * DAY)
    for end in (daemon.stop, daemon.kill9):
        end()
        daemon.start()
        with daemon.connect() as again:
            assert again.call("sweep.status")["paused"] is True
            assert people.get(again, "alex")["state"] == "removing"
            with pytest.raises(wire.RpcError) as refusal:
                again.call("sweep.run")
            assert refusal.value.code == "busy"
    with daemon.connect() as again:
        assert again.call("sweep.resume") == {"paused": False}
        people.settle(again)
        assert people.get(again, "alex")["state"] == "removed"
    daemon.restart()
    with daemon.connect() as again:
        assert again.call("sweep.status")["paused"] is False


def test_pausing_twice_is_told_once(client):
    head = people.head(client)
    client.call("sweep.pause")
    client.call("sweep.pause")
    assert people.head(client) == head + 1


def test_the_sweep_says_what_is_due_next_and_what_it_did(client):
    people.set_org(client)
    people.take_in(client, *[people.guest(f"g{i}") for i in range(20)])
    assert "next_due_us" not in client.call("sweep.status")
    client.items("account.leave", people.names([f"g{i}" for i in range(20)]))
    status = client.call("sweep.status")
    assert (
        status["next_due_us"], status["started"], status["completed"]
    ) == (BEGIN + 30 * DAY, 0, 0)
    client.call("clock.advance", by_us=31 * DAY)
    people.settle(client)
    status = client.call("sweep.status")
    assert (status["started"], status["completed"], status["failed"]) == (20, 20, 0)
    assert status["last_run_us"] == BEGIN + 31 * DAY
    assert "next_due_us" not in status


def test_removals_that_fell_due_while_the_daemon_was_down_are_done_when_it_starts(daemon, client):
    people.set_org(client)
    people.take_in(client, *[people.guest(f"g{i}", deleted_at_us=BEGIN) for i in range(50)])
    daemon.stop()
    daemon.options = ["--clock=simulated:2026-03-01T00:00:00Z"]
    daemon.start()
    with daemon.connect() as again:
        people.settle(again)
        account = people.get(again, "g49")
        assert account["state"] == "removed"
        assert account["removal_started_us"] == BEGIN + 30 * DAY


# Explanations and the ledger


def test_an_explanation_says_why_and_what_comes_next_and_what_may_be_done(client):
    people.set_org(client, **people.PRIVACY)
    people.take_in(client, people.guest("alex"))
    people.do(client, "leave", "alex", reason="new job", ref="HR-12")
    told = client.call("account.explain", **people.name("alex"))
    assert told["account"]["state"] == "soft-deleted"
    assert told["next"] == {"action": "start-removal", "at_us": BEGIN + 30 * DAY}
    assert told["contact"] == people.PRIVACY
    may = {row["command"]: row["outcome"] for row in told["may"]}
    assert may == {
        "leave": "already-left",
        "remove": "already-left",
        "restore": "ok",
        "purge": "ok",
        "disable": "already-left",
        "enable": "already-left",
    }
    imported, left = told["history"]
    assert (imported["event"], left["event"]) == ("imported", "left")
    assert (left["reason"], left["ref"], left["at_us"]) == ("new job", "HR-12", BEGIN)
    assert "reason" not in imported


def test_the_ledger_walks_the_history_of_one_account(client):
    people.set_org(client)
    uid = people.take_in(client, people.guest("alex"))[0]["uid"]
    people.take_in(client, *[people.guest(f"g{i}") for i in range(50)])
    for verb in ("leave", "restore", "disable", "enable", "remove", "purge"):
        assert people.do(client, verb, "alex")["outcome"] == "ok"
        people.take_in(client, people.guest(f"after-{verb}"))
    people.settle(client)
    entries = people.history(client, uid=uid)
    assert [entry["event"] for entry in entries] == [
        "imported",
        "left",
        "restored",
        "disabled",
        "enabled",
        "deleted",
        "purged",
        "removal-completed",
    ]
    assert {entry["uid"] for entry in entries} == {uid}
    assert [entry["seq"] for entry in entries] == sorted(entry["seq"] for entry in entries)
    assert entries[1]["role"] == "admin" and entries[-1]["role"] == "daemon"


def test_the_ledger_is_read_from_its_beginning_to_its_end(client):
    people.set_org(client)
    people.take_in(client, *[people.guest(f"g{i}") for i in range(250)])
    sequence, arguments = [], {}
    while True:
        page = client.call("ledger.read", limit=99, **arguments)
        sequence += [entry["seq"] for entry in page["entries"]]
        if "next" not in page:
            break
        arguments["from"] = page["next"]
    assert sequence == list(range(1, people.head(client) + 1))
    assert client.call("ledger.read", **{"from": sequence[-1] + 1})["entries"] == []


def test_the_ledger_proves_itself_from_anywhere(daemon, client):
    people.set_org(client)
    people.take_in(client, *[people.guest(f"g{i}") for i in range(2500)])
    head = client.call("ledger.head")
    assert people.verify(client) == head["seq"]
    part = client.call("ledger.verify", limit=10, **{"from": head["seq"] - 3})
    assert (
        part["ok"], part["entries"], part["to"], part["hash"]
    ) == (True, 4, head["seq"], head["hash"])
    with pytest.raises(wire.RpcError) as refusal:
        client.call("ledger.verify", **{"from": head["seq"] + 1})
    assert refusal.value.code == "invalid-argument"
    daemon.restart()
    with daemon.connect() as again:
        assert again.call("ledger.head") == head
        assert people.verify(again) == head["seq"]
