# SPDX-License-Identifier: Apache-2.0
"""Whoever cannot leave has a removal request filed; it is decided, or shows as overdue."""

import os

import pytest

import keepers
import people
import wire
from daemon import BEGIN, DAY, HOUR, running

PORTAL, SCOPED_PORTAL, SCOPED_ADMIN = 4201, 4202, 4203

GRANTS = f"""
[grant portal]
role = self-service
users = {PORTAL}

[grant contoso-portal]
role = self-service
users = {SCOPED_PORTAL}
organizations = contoso

[grant contoso-admins]
role = admin
users = {SCOPED_ADMIN}
organizations = contoso
"""

only_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can connect as somebody else")


@pytest.fixture
def daemon():
    with running(GRANTS + keepers.grant("crm")) as daemon:
        yield daemon


@pytest.fixture
def alex(client, contoso):
    """The uid of a guest who is disabled, and so cannot leave."""
    uid = people.take_in(client, people.guest("alex", enabled=False))[0]["uid"]
    assert people.do(client, "leave", "alex")["outcome"] == "account-disabled"
    return uid


def file(client, *ids, org="contoso", **arguments):
    return client.items("request.file", people.names(ids, org), **arguments)


def requests(client, **filters):
    return list(client.pages("request.list", "requests", **filters))


def decide(client, verb, *numbers, **arguments):
    sent = [{"request": number} for number in numbers]
    items = client.call(f"request.{verb}", requests=sent, **arguments)["items"]
    assert [item["request"] for item in items] == list(numbers)
    return items


def n_open(client):
    return client.call("stats.get")["requests_open"]


def test_a_refused_leave_tells_whom_to_ask_and_a_request_can_be_filed(client, contoso):
    people.set_org(client, "contoso", allow_leave=False)
    people.take_in(client, people.guest("alex", enabled=False), people.member("sam"))
    refused = people.do(client, "leave", "alex")
    assert refused["reasons"] == ["leave-not-allowed", "account-disabled"]
    assert refused["contact"] == people.PRIVACY
    items = file(client, "alex", "sam", reason="I want to be forgotten")
    assert [item["request"] for item in items] == [1, 2]
    assert all(item["contact"] == people.PRIVACY for item in items)
    assert {item["due_us"] for item in items} == {BEGIN + 30 * DAY}


def test_a_request_is_listed_with_who_it_is_about_and_why(client, alex):
    file(client, "alex", reason="I want to be forgotten", ref="T-17")
    assert requests(client) == [
        {
            "request": 1,
            "state": "open",
            "org": "contoso",
            "id": "alex",
            "person": people.person("alex"),
            "uid": alex,
            "filed_at_us": BEGIN,
            "due_us": BEGIN + 30 * DAY,
            "sla": "on-track",
            "reason": "I want to be forgotten",
        }
    ]
    assert n_open(client) == 1


def test_requests_survive_a_restart_and_a_kill(daemon, client, alex):
    file(client, "alex", reason="why")
    before = requests(client)
    for end in (daemon.stop, daemon.kill9):
        end()
        daemon.start()
        with daemon.connect() as again:
            assert requests(again) == before
            assert n_open(again) == 1
            assert file(again, "alex")[0]["outcome"] == "already-requested"


def test_an_approved_request_removes_the_account(client, alex):
    file(client, "alex")
    client.call("clock.advance", by_us=DAY)
    item = decide(client, "approve", 1)[0]
    assert (item["outcome"], item["org"], item["uid"]) == ("ok", "contoso", alex)
    assert (item["state"], item["deleted_at_us"]) == ("soft-deleted", BEGIN + DAY)
    told = requests(client)[0]
    assert (told["state"], told["decided_at_us"]) == ("approved", BEGIN + DAY)
    assert "sla" not in told and n_open(client) == 0
    events = [entry["event"] for entry in people.history(client, uid=alex)]
    assert events == ["imported", "request-filed", "request-approved", "deleted"]


def test_an_approved_request_of_a_direct_connect_user_starts_the_removal(client, contoso):
    uid = people.take_in(client, people.direct("kim", enabled=False))[0]["uid"]
    file(client, "kim")
    assert decide(client, "approve", 1)[0]["state"] == "removing"
    people.settle(client)
    assert people.get(client, uid=uid)["state"] == "removed"
    told = requests(client)[0]
    assert told["state"] == "approved" and "person" not in told and "reason" not in told


def test_an_approved_request_of_an_account_on_hold_waits_as_every_removal_does(client, alex):
    client.items("hold.add", [{"uid": alex}], hold="case-7")
    file(client, "alex")
    assert decide(client, "approve", 1)[0]["state"] == "soft-deleted"
    client.call("clock.advance", by_us=60 * DAY)
    people.settle(client)
    assert people.get(client, uid=alex)["state"] == "soft-deleted"


def test_a_denied_request_leaves_the_account_and_says_why(client, alex):
    file(client, "alex", reason="I want to be forgotten")
    with pytest.raises(wire.RpcError, match="invalid-argument: reason"):
        decide(client, "deny", 1)
    item = decide(client, "deny", 1, reason="a contract runs still")[0]
    assert (item["outcome"], item["state"]) == ("ok", "active")
    assert requests(client)[0]["state"] == "denied" and n_open(client) == 0
    last = client.call("account.explain", uid=alex)["history"][-1]
    assert (last["event"], last["reason"]) == ("request-denied", "a contract runs still")
    assert file(client, "alex")[0]["request"] == 2  # a person may ask again


def test_a_request_is_decided_once(client, alex):
    file(client, "alex")
    decide(client, "deny", 1, reason="no")
    for verb, arguments in (("approve", {}), ("deny", {"reason": "no"})):
        item = decide(client, verb, 1, **arguments)[0]
        assert (item["outcome"], item["reasons"]) == ("already-decided", ["already-decided"])
    assert people.get(client, uid=alex)["state"] == "active"


def test_a_request_twice_in_one_call_is_decided_once(client, alex):
    file(client, "alex")
    assert people.outcomes(decide(client, "approve", 1, 1)) == ["ok", "already-decided"]


def test_a_request_that_was_never_filed_cannot_be_decided(client, alex):
    assert decide(client, "approve", 1)[0]["outcome"] == "request-not-found"
    file(client, "alex")
    assert decide(client, "deny", 2, reason="no")[0]["outcome"] == "request-not-found"
    for wrong in (0, -1, "1", None):
        with pytest.raises(wire.RpcError, match="invalid-argument"):
            client.call("request.approve", requests=[{"request": wrong}])


def test_a_request_for_somebody_unknown_or_gone_is_refused(client, contoso):
    people.take_in(client, people.guest("left"), people.direct("gone"))
    client.items("account.remove", people.names(["left", "gone"]))
    people.settle(client)
    items = file(client, "nobody", "left", "gone")
    assert people.outcomes(items) == ["not-found", "already-left", "not-found"]
    assert file(client, "alex", org="nowhere")[0]["outcome"] == "org-not-found"
    assert requests(client) == [] and n_open(client) == 0


def test_a_second_request_for_the_same_account_is_answered_with_the_first(client, alex):
    file(client, "alex")
    item = file(client, "alex")[0]
    assert (item["outcome"], item["request"]) == ("already-requested", 1)
    assert people.outcomes(client.items("request.file", 2 * [{"uid": alex}])) == [
        "already-requested", "already-requested"
    ]
    assert len(requests(client)) == 1


@pytest.mark.parametrize("verb", ["leave", "remove"])
def test_a_request_is_fulfilled_when_the_account_goes_in_another_way(client, alex, verb):
    file(client, "alex")
    people.do(client, "enable", "alex")
    assert people.do(client, verb, "alex")["outcome"] == "ok"
    told = requests(client)[0]
    assert told["state"] == "fulfilled" and "sla" not in told
    assert n_open(client) == 0 and requests(client, open=True) == []
    assert decide(client, "approve", 1)[0]["outcome"] == "already-decided"
    assert decide(client, "deny", 1, reason="no")[0]["outcome"] == "already-decided"
    people.do(client, "restore", "alex")
    assert file(client, "alex")[0]["request"] == 2


def test_the_deadline_of_a_request_is_thirty_days_to_the_microsecond(client, alex):
    due = BEGIN + 30 * DAY
    file(client, "alex")

    def told_at(at):
        client.call("clock.advance", to_us=at)
        return requests(client)[0]["sla"], len(requests(client, overdue=True))

    assert told_at(due - 7 * DAY - 1) == ("on-track", 0)
    assert told_at(due - 7 * DAY) == ("due-soon", 0)
    assert told_at(due - 1) == ("due-soon", 0)
    assert told_at(due) == ("overdue", 1)
    assert decide(client, "approve", 1)[0]["outcome"] == "ok"  # late is better than never
    assert requests(client, overdue=True) == []


def test_an_overdue_request_is_loud_in_the_figures_and_in_the_journal(daemon, client, contoso):
    people.take_in(client, people.guest("alex"), people.guest("kim"))
    file(client, "kim")
    decide(client, "deny", 1, reason="no")
    due = file(client, "alex")[0]["due_us"]

    def figures_at(at):
        client.call("clock.advance", to_us=at)
        stats = client.call("stats.get")
        return stats["requests_due_soon"], stats["requests_overdue"]

    assert figures_at(due - 7 * DAY - 1) == (0, 0)
    assert figures_at(due - 1) == (1, 0)
    assert "past their deadline" not in daemon.log.read_text()
    assert figures_at(due + HOUR) == (0, 1)
    assert "1 removal requests are past their deadline" in daemon.log.read_text()
    assert daemon.log.read_text().count("past their deadline") == 1
    decide(client, "approve", 2)
    assert figures_at(due + 2 * HOUR) == (0, 0)


def test_requests_are_listed_in_their_order_by_organization_and_by_state_page_by_page(
    client, contoso
):
    people.set_org(client, "fabrikam")
    ids = [f"g{i}" for i in range(30)]
    for org in ("contoso", "fabrikam"):
        people.take_in(client, *[people.guest(id, org) for id in ids])
        file(client, *ids, org=org)
    decide(client, "deny", *range(1, 11), reason="no")
    decide(client, "approve", *range(31, 36))
    assert [row["request"] for row in requests(client, limit=7)] == list(range(1, 61))
    assert [row["request"] for row in requests(client, org="fabrikam")] == list(range(31, 61))
    still = [*range(11, 31), *range(36, 61)]
    assert [row["request"] for row in requests(client, open=True, limit=1)] == still
    assert n_open(client) == len(still)
    for wrong in ({"cursor": "xyz"}, {"limit": 0}, {"open": 1}):
        with pytest.raises(wire.RpcError, match="invalid-argument"):
            client.call("request.list", **wrong)
    with pytest.raises(wire.RpcError, match="org-not-found: no organization nowhere"):
        client.call("request.list", org="nowhere")


def test_a_trial_of_a_request_and_of_its_decision_changes_nothing(client, alex):
    before = people.head(client)
    assert file(client, "alex", dry_run=True)[0]["outcome"] == "ok"
    assert requests(client) == [] and people.head(client) == before
    file(client, "alex")
    assert decide(client, "approve", 1, dry_run=True)[0]["state"] == "soft-deleted"
    assert decide(client, "deny", 1, dry_run=True, reason="no")[0]["state"] == "active"
    assert requests(client)[0]["state"] == "open" and people.head(client) == before + 1


@only_root
def test_a_portal_files_and_does_not_decide(daemon, client, alex):
    with daemon.connect_as(PORTAL) as portal:
        assert file(portal, "alex")[0]["outcome"] == "ok"
        for method, arguments in (
            ("request.list", {}),
            ("request.approve", {"requests": [{"request": 1}]}),
            ("request.deny", {"requests": [{"request": 1}], "reason": "no"}),
        ):
            with pytest.raises(wire.RpcError, match="permission-denied"):
                portal.call(method, **arguments)


@only_root
def test_who_has_one_organization_files_lists_and_decides_there_only(daemon, client, alex):
    people.set_org(client, "fabrikam")
    people.take_in(client, people.guest("kim", "fabrikam"))
    with daemon.connect_as(SCOPED_PORTAL) as portal:
        assert file(portal, "alex")[0]["outcome"] == "ok"
        assert file(portal, "kim", org="fabrikam")[0]["outcome"] == "permission-denied"
    file(client, "kim", org="fabrikam")
    with daemon.connect_as(SCOPED_ADMIN) as admin:
        assert [row["request"] for row in requests(admin)] == [1]
        with pytest.raises(wire.RpcError, match="permission-denied: your role admin"):
            requests(admin, org="fabrikam")
        items = decide(admin, "approve", 1, 2)
        assert people.outcomes(items) == ["ok", "permission-denied"]
        assert not {"uid", "org", "state"} & set(items[1])
    assert [row["state"] for row in requests(client)] == ["approved", "open"]


def test_the_same_request_id_files_once(client, alex):
    first = file(client, "alex", request_id="file-1")
    assert file(client, "alex", request_id="file-1") == first
    assert len(requests(client)) == 1


def test_the_list_tells_nothing_of_a_person_whose_data_is_gone(client, alex):
    file(client, "alex", reason="I want to be forgotten")
    decide(client, "approve", 1)
    client.call("clock.advance", by_us=30 * DAY + HOUR)
    people.settle(client)
    assert people.get(client, uid=alex)["state"] == "removed"
    assert requests(client) == [
        {
            "request": 1,
            "state": "approved",
            "org": "contoso",
            "uid": alex,
            "filed_at_us": BEGIN,
            "due_us": BEGIN + 30 * DAY,
            "decided_at_us": BEGIN,
        }
    ]
    assert people.verify(client) == people.head(client)
