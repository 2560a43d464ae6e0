# SPDX-License-Identifier: Apache-2.0
"""Keepers, holds, removal requests and check, as an administrator types them."""

import json
import os

import pytest

import people
from daemon import DAY, HOUR, running
from test_client import CONFIRMATION, FAILURE, NOT_FOUND, PARTIAL, PERMISSION, REFUSED, USAGE, Ctl

READER = 4711
CONFIG = f"""
[grant crm]
role = keeper crm
users = {os.getuid()}
[grant monitoring]
role = reader
users = {READER}
"""


@pytest.fixture
def daemon():
    with running(CONFIG) as daemon:
        yield daemon


@pytest.fixture
def ctl(daemon):
    return Ctl(daemon.socket)


@pytest.fixture
def guests(client, contoso):
    people.take_in(client, *(people.guest(id) for id in ("alex", "kim", "dan")))


@pytest.fixture
def removing(client, contoso, ctl):
    """Two accounts whose removal waits for the keeper crm."""
    ctl("set-keeper", "crm")
    people.take_in(client, people.direct("one"), people.direct("two"))
    client.items("account.remove", people.names(["one", "two"]))


# Keepers


def test_a_keeper_is_created_changed_and_listed(ctl, contoso):
    assert "no keepers" in ctl("keepers").stdout
    assert ctl.json("set-keeper", "crm", "--orgs=contoso")["keeper"]["orgs"] == ["contoso"]
    shown = ctl("set-keeper", "crm", "--orgs=", "--enabled=no").stdout
    assert "contoso" not in shown
    listed = ctl.json("keepers")["keepers"]
    assert [(one["keeper"], one["enabled"], one["owed"]) for one in listed] == [("crm", False, 0)]
    assert "crm" in ctl("keepers").stdout
    ctl("set-keeper", "crm", "--orgs=contoso,nowhere", code=NOT_FOUND)
    ctl("set-keeper", "no such name", code=USAGE)


def test_a_keeper_is_waived_only_by_whoever_confirms_it(ctl, client, removing):
    refused = ctl("waive", "crm", "contoso/one", "--reason=switched off", code=CONFIRMATION)
    assert "cannot be undone" in refused.stderr
    assert people.get(client, "one")["state"] == "removing"
    ctl("waive", "crm", "contoso/one", code=USAGE)
    shown = ctl("waive", "crm", "contoso/one", "contoso/two", "--reason=x", "--dry-run")
    assert shown.stdout.count("(dry run)") == 2
    uid = people.get(client, "one")["uid"]
    ctl("waive", "crm", "contoso/one", "--reason=switched off", "--yes")
    assert people.get(client, uid=uid)["state"] == "removed"
    assert people.get(client, "two")["state"] == "removing"


def test_older_removals_are_owed_when_asked_for(ctl, client, contoso):
    ctl("set-keeper", "old")
    people.take_in(client, people.direct("one"))
    client.items("account.remove", people.names(["one"]))
    ctl("set-keeper", "crm")
    assert [keeper["owed"] for keeper in ctl.json("keepers")["keepers"]] == [1, 0]
    ctl("owe", "crm", "contoso/one")
    assert [keeper["owed"] for keeper in ctl.json("keepers")["keepers"]] == [1, 1]
    ctl("owe", "nobody", "contoso/one", code=NOT_FOUND)


def test_verbs_of_programs_point_to_work_and_call(ctl, client, removing):
    for verb in ("confirm", "fail", "extend"):
        assert f"call keeper.{verb}" in ctl(verb, "crm", code=USAGE).stderr
    task = ctl.json("claim", "crm", "--max=1")["tasks"][0]
    confirmed = {"keeper": "crm", "tasks": [{"token": task["token"], "result": "erased"}]}
    answer = ctl.json("call", "keeper.confirm", json.dumps(confirmed))
    assert people.outcomes(answer["items"]) == ["ok"]
    assert "\n  claim" not in ctl("--help").stdout
    assert "\n  work " in ctl("--help").stdout


# Holds


def test_a_hold_is_placed_listed_and_released(ctl, client, guests):
    ctl("hold", "contoso/alex", code=USAGE)
    ctl("hold", "contoso/alex", "contoso/kim", "--hold=case 17", "--reason=court", "--until=+90d")
    ctl("hold", "contoso/alex", "--hold=case 17", code=REFUSED)
    (held,) = ctl.json("holds", "contoso/alex")["holds"]
    assert (held["hold"], held["reason"]) == ("case 17", "court")
    assert held["until_us"] - held["added_at_us"] == 90 * DAY
    assert "case 17" in ctl("holds", "contoso/alex").stdout
    assert "No hold" in ctl("holds", "contoso/dan").stdout
    ctl("holds", "contoso/nobody", code=NOT_FOUND)
    people.do(client, "leave", "alex")
    ctl("purge", "--yes", "contoso/alex", code=REFUSED)
    ctl("release", "contoso/alex", "contoso/dan", "--hold=case 17", code=PARTIAL)
    ctl("purge", "--yes", "contoso/alex")


# Removal requests


def test_requests_are_filed_listed_and_decided(ctl, client, guests):
    ctl("file", "contoso/alex", "contoso/kim", "contoso/dan", "--reason=cannot sign in")
    listed = ctl.json("requests", "--open")
    assert [row["id"] for row in listed] == ["alex", "kim", "dan"]
    numbers = [row["request"] for row in listed]
    assert "cannot sign in" in ctl("requests").stdout
    assert "(dry run)" in ctl("approve", numbers[0], "--dry-run").stdout
    assert f"request {numbers[0]}: approved; the account is soft-deleted" in ctl(
        "approve", numbers[0]
    ).stdout
    ctl("deny", numbers[1], code=USAGE)
    items = ctl.json("deny", numbers[1], numbers[0], "--reason=still here", code=PARTIAL)
    assert people.outcomes(items) == ["ok", "already-decided"]
    assert "no removal request" in ctl("approve", 999, code=NOT_FOUND).stdout
    assert [row["request"] for row in ctl.json("requests", "--open")] == numbers[2:]
    assert people.get(client, "alex")["state"] == "soft-deleted"
    assert people.get(client, "kim")["state"] == "active"


# Check


def faults(ctl, code=FAILURE):
    told = ctl.json("check", code=code)
    assert told["ok"] == (code == 0)
    return [fault["code"] for fault in told["faults"]]


def test_check_is_content_while_all_is_well(ctl, removing):
    assert ctl("check").stdout == "ok: nothing needs anybody\n"
    assert faults(ctl, code=0) == []
    ctl("check", "extra", code=USAGE)


def test_check_tells_of_what_is_paused(ctl, removing):
    ctl("pause")
    assert faults(ctl) == ["sweep-paused"]
    assert "retentionctl resume" in ctl("check", code=FAILURE).stdout


def test_check_tells_of_overdue_removals_and_of_the_keeper_that_is_silent(ctl, client, removing):
    client.call("clock.advance", by_us=30 * DAY)
    people.settle(client)
    assert sorted(faults(ctl)) == ["keeper-silent", "removal-overdue"]
    told = ctl("check", code=FAILURE).stdout
    assert "2 removals are past the deadline" in told
    assert "keeper crm owes 2 removals" in told and "since the daemon started" in told
    client.call("keeper.claim", keeper="crm", lease_us=0)
    assert sorted(faults(ctl)) == ["keeper-overdue", "removal-overdue"]
    assert "keeper crm owes 2 removals, the oldest due since" in ctl("status").stdout
    client.call("clock.advance", by_us=HOUR)
    assert "not been heard of for 1h" in ctl("check", code=FAILURE).stdout
    assert [row["id"] for row in ctl.json("list", "--overdue")] == ["one", "two"]


def test_check_tells_of_overdue_requests_to_whoever_may_know_of_them(ctl, client, daemon, guests):
    ctl("file", "contoso/alex")
    assert faults(ctl, code=0) == []
    client.call("clock.advance", by_us=30 * DAY)
    assert faults(ctl) == ["request-overdue"]
    if os.getuid() == 0:
        reader = Ctl(daemon.socket, as_uid=READER)
        assert reader.json("check")["unchecked"] == ["requests"]
        Ctl(daemon.socket, as_uid=READER + 1)("check", code=PERMISSION)


# Backup


def test_a_backup_is_waited_for_and_named(tmp_path, contoso, client, daemon):
    ctl = Ctl(daemon.socket)
    told = ctl.json("backup")
    assert told["running"] is False
    assert told["bytes"] > 0
    assert os.path.isdir(told["directory"])
    assert ctl("backup").stdout.startswith("/")
