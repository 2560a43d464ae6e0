# SPDX-License-Identifier: Apache-2.0
"""The promises, as a person, an administrator and the clock live through them."""

import pytest

import people
import wire
from daemon import BEGIN, DAY, HOUR, MINUTE, SECOND

WINDOW = 30 * DAY
REMOVAL = 30 * DAY

pytestmark = pytest.mark.usefixtures("contoso")


def advance(client, by):
    return client.call("clock.advance", by_us=by)["now_us"]


def pause(client):
    """Keeps the clock's work undone, so that what is due can be looked at."""
    assert client.call("sweep.pause")["paused"]


def organizations(client, id):
    return client.call("person.organizations", person=people.person(id))


# A person and their organizations


def test_a_person_sees_home_first_and_then_the_others_with_what_they_can_do(client):
    people.set_org(client, "fabrikam", name="Fabrikam")
    people.set_org(
        client, "adatum", allow_leave=False, privacy_url="https://adatum.example/privacy"
    )
    people.take_in(
        client,
        people.guest("alex"),
        people.guest("alex", "adatum"),
        people.member("alex", "fabrikam"),
    )
    told = organizations(client, "alex")
    assert (told["home"]["org"], told["home"]["name"]) == ("fabrikam", "Fabrikam")
    assert told["home"]["leave"]["available"] is False
    assert told["home"]["leave"]["reasons"] == ["home-organization"]
    contoso, adatum = told["others"]
    assert (contoso["org"], contoso["id"], contoso["state"]) == ("contoso", "alex", "active")
    assert contoso["leave"] == {"available": True, "contact": people.PRIVACY}
    assert adatum["leave"]["available"] is False
    assert adatum["leave"]["reasons"] == ["leave-not-allowed"]
    assert adatum["leave"]["contact"] == {"privacy_url": "https://adatum.example/privacy"}


def test_a_person_without_a_home_has_one_plain_list(client):
    people.take_in(client, people.guest("alex"))
    told = organizations(client, "alex")
    assert "home" not in told
    assert [other["org"] for other in told["others"]] == ["contoso"]


def test_a_person_is_found_in_any_case_of_letters(client):
    people.take_in(client, people.guest("alex", person="Alex@Fabrikam.example"))
    told = client.call("person.organizations", person="ALEX@fabrikam.EXAMPLE")
    assert [other["id"] for other in told["others"]] == ["alex"]


def test_a_person_nobody_knows_has_no_organizations(client):
    assert organizations(client, "nobody") == {"others": []}


# Leave


def test_a_guest_who_leaves_is_soft_deleted_and_told_every_date(client):
    uid = people.take_in(client, people.guest("alex"))[0]["uid"]
    assert people.do(client, "leave", "alex") == {
        "org": "contoso",
        "id": "alex",
        "outcome": "ok",
        "uid": uid,
        "state": "soft-deleted",
        "deleted_at_us": BEGIN,
        "window_ends_us": BEGIN + WINDOW,
    }
    assert organizations(client, "alex")["others"][0]["leave"]["reasons"] == ["already-left"]


def test_a_person_leaves_by_their_home_identity_too(client):
    people.take_in(client, people.guest("alex"))
    named = {"org": "contoso", "person": people.person("alex")}
    item = client.items("account.leave", [named])[0]
    assert (item["person"], item["outcome"]) == (named["person"], "ok")
    assert people.get(client, "alex")["state"] == "soft-deleted"


def test_a_refused_leave_tells_every_reason_and_whom_to_ask(client):
    people.set_org(client, allow_leave=False)
    people.take_in(client, people.member("alex", enabled=False))
    before = people.head(client)
    item = people.do(client, "leave", "alex")
    assert item["outcome"] == "leave-not-allowed"
    assert item["reasons"] == ["leave-not-allowed", "account-disabled", "home-organization"]
    assert item["contact"] == people.PRIVACY
    assert item["state"] == "active"
    assert people.head(client) == before


@pytest.mark.parametrize(
    "reason, account, settings",
    [
        ("leave-not-allowed", people.guest("alex"), {"allow_leave": False}),
        ("account-disabled", people.guest("alex", enabled=False), {}),
        ("home-organization", people.member("alex"), {}),
    ],
)
def test_each_reason_alone_refuses_a_leave(client, reason, account, settings):
    people.set_org(client, **settings)
    people.take_in(client, account)
    item = people.do(client, "leave", "alex")
    assert (item["outcome"], item["reasons"]) == (reason, [reason])


def test_leaving_twice_does_not_restart_the_clock(client):
    people.take_in(client, people.guest("alex"))
    people.do(client, "leave", "alex")
    advance(client, 10 * DAY)
    for verb in ("leave", "remove"):
        item = people.do(client, verb, "alex")
        assert item["outcome"] == "already-left"
        assert (item["deleted_at_us"], item["window_ends_us"]) == (BEGIN, BEGIN + WINDOW)


def test_who_is_unknown_is_not_found_by_any_command(client, contoso):
    for verb in ("leave", "remove", "restore", "purge", "disable", "enable"):
        for named, outcome in (
            (people.name("ghost"), "not-found"),
            (people.name("ghost", "no-such-org"), "org-not-found"),
            ({"uid": 999}, "not-found"),
        ):
            item = client.items(f"account.{verb}", [named])[0]
            assert item == {**named, "outcome": outcome, "reasons": [outcome]}


def test_an_administrator_removes_members_and_whom_the_organization_does_not_let_leave(client):
    people.set_org(client, allow_leave=False)
    people.take_in(client, people.member("mara"), people.guest("alex", enabled=False))
    items = client.items("account.remove", people.names(["mara", "alex"]))
    assert [(item["outcome"], item["state"]) for item in items] == [("ok", "soft-deleted")] * 2


# Restore


def test_restore_brings_everything_back(client):
    people.take_in(client, people.guest("alex", enabled=True), people.guest("kim", enabled=False))
    before = [people.get(client, id) for id in ("alex", "kim")]
    client.items("account.remove", people.names(["alex", "kim"]))
    advance(client, 20 * DAY)
    items = client.items("account.restore", people.names(["alex", "kim"]))
    assert people.outcomes(items) == ["ok", "ok"]
    assert [people.get(client, id) for id in ("alex", "kim")] == before


def test_what_is_active_cannot_be_restored_or_purged(client):
    people.take_in(client, people.guest("alex"), people.member("mara"), people.direct("dora"))
    ids = people.names(["alex", "mara", "dora"])
    for verb in ("restore", "purge"):
        assert people.outcomes(client.items(f"account.{verb}", ids)) == ["not-soft-deleted"] * 3


def test_one_microsecond_before_the_window_ends_restore_is_granted(client):
    people.take_in(client, people.guest("alex"))
    people.do(client, "leave", "alex")
    advance(client, WINDOW - 1)
    account = people.get(client, "alex")
    assert account["state"] == "soft-deleted"
    item = people.do(client, "restore", "alex")
    assert (item["outcome"], item["state"]) == ("ok", "active")
    assert "deleted_at_us" not in people.get(client, "alex")


def test_at_the_very_instant_the_window_ends_nobody_can_restore_even_while_no_sweep_runs(client):
    people.take_in(client, people.guest("alex"))
    people.do(client, "leave", "alex")
    pause(client)
    advance(client, WINDOW)
    item = people.do(client, "restore", "alex")
    assert (item["outcome"], item["state"]) == ("irrevocable", "removing")
    assert item["removal_started_us"] == BEGIN + WINDOW
    assert item["removal_due_us"] == BEGIN + WINDOW + REMOVAL
    assert item["sla"] == "on-track"


def test_at_the_very_instant_the_window_ends_the_sweep_removes_everything(client):
    people.take_in(client, people.guest("alex"))
    people.do(client, "leave", "alex")
    advance(client, WINDOW)
    people.settle(client)
    item = people.do(client, "restore", "alex")
    assert (item["outcome"], item["state"]) == ("irrevocable", "removed")
    assert item["removed_at_us"] == BEGIN + WINDOW


def test_a_removal_shows_how_its_deadline_stands_until_day_60_and_beyond(client):
    people.take_in(client, people.guest("alex"))
    people.do(client, "leave", "alex")
    pause(client)

    def sla():
        return people.get(client, "alex")["sla"]

    advance(client, WINDOW)
    assert sla() == "on-track"
    advance(client, REMOVAL - 7 * DAY - 1)
    assert sla() == "on-track"
    advance(client, 1)
    assert sla() == "due-soon"
    advance(client, 7 * DAY - 1)
    assert sla() == "due-soon"
    advance(client, 1)  # day 60
    assert sla() == "overdue"
    assert people.get(client, "alex")["removal_due_us"] == BEGIN + 60 * DAY

    assert not client.call("sweep.resume")["paused"]
    people.settle(client)
    account = people.get(client, "alex")
    assert (account["state"], account["removed_at_us"]) == ("removed", BEGIN + 60 * DAY)
    assert account["removal_started_us"] == BEGIN + 30 * DAY  # however late it was done


def test_a_tombstone_keeps_dates_and_nothing_of_the_person(client):
    uid = people.take_in(client, people.guest("alex"))[0]["uid"]
    people.do(client, "remove", "alex", reason="contract ended", ref="T-1")
    advance(client, WINDOW)
    people.settle(client)
    assert people.get(client, uid=uid) == {
        "org": "contoso",
        "uid": uid,
        "kind": people.GUEST,
        "state": "removed",
        "created_at_us": BEGIN,
        "deleted_at_us": BEGIN,
        "window_ends_us": BEGIN + WINDOW,
        "removal_started_us": BEGIN + WINDOW,
        "removal_due_us": BEGIN + WINDOW + REMOVAL,
        "removed_at_us": BEGIN + WINDOW,
    }
    assert organizations(client, "alex") == {"others": []}
    events = people.history(client, uid=uid)
    assert [event["event"] for event in events] == [
        "imported", "deleted", "removal-started", "removal-completed"
    ]
    explained = client.call("account.explain", uid=uid)
    assert "contract ended" not in str(explained) and "T-1" not in str(explained)


def test_a_tombstone_refuses_everything(client):
    people.take_in(client, people.guest("alex"))
    people.do(client, "leave", "alex")
    advance(client, WINDOW)
    people.settle(client)
    told = {
        verb: people.do(client, verb, "alex")["outcome"]
        for verb in ("leave", "remove", "restore", "purge", "disable")
    }
    assert told == {
        "leave": "not-found",
        "remove": "not-found",
        "restore": "irrevocable",
        "purge": "not-found",
        "disable": "not-found",
    }


# Purge and direct connect


def test_a_purge_ends_the_window_at_once(client):
    people.take_in(client, people.guest("alex"))
    people.do(client, "leave", "alex")
    pause(client)
    advance(client, DAY)
    item = people.do(client, "purge", "alex")
    assert (item["outcome"], item["state"]) == ("ok", "removing")
    assert item["removal_started_us"] == BEGIN + DAY
    assert item["removal_due_us"] == BEGIN + DAY + REMOVAL
    assert people.do(client, "purge", "alex")["outcome"] == "already-removing"
    assert people.do(client, "restore", "alex")["outcome"] == "irrevocable"
    assert people.do(client, "leave", "alex")["outcome"] == "already-left"
    client.call("sweep.resume")
    people.settle(client)
    assert people.get(client, "alex")["state"] == "removed"


def test_direct_connect_has_no_grace(client):
    people.take_in(client, people.direct("dora"), people.direct("dave"))
    pause(client)
    for verb, id in (("leave", "dora"), ("remove", "dave")):
        item = people.do(client, verb, id)
        assert (item["outcome"], item["state"]) == ("ok", "removing")
        assert item["removal_started_us"] == BEGIN
        assert item["removal_due_us"] == BEGIN + REMOVAL
        assert "window_ends_us" not in item
        assert people.do(client, "restore", id)["outcome"] == "irrevocable"
    client.call("sweep.resume")
    people.settle(client)
    assert people.get(client, "dora")["state"] == "removed"


# The same name again


def test_restore_is_refused_when_the_name_is_taken_until_a_new_one_comes_with_it(client):
    people.take_in(client, people.guest("old", upn="alex@contoso.example"))
    people.do(client, "leave", "old")
    people.take_in(client, people.guest("new", upn="Alex@Contoso.example"))
    assert people.do(client, "restore", "old")["outcome"] == "name-conflict"

    def restore(new_upn, **arguments):
        return client.items(
            "account.restore", [{**people.name("old"), "new_upn": new_upn}], **arguments
        )[0]

    assert restore("ALEX@contoso.example")["outcome"] == "name-conflict"
    before = people.head(client)
    assert restore("alex2@contoso.example", dry_run=True)["outcome"] == "ok"
    assert people.head(client) == before
    assert people.get(client, "old")["state"] == "soft-deleted"
    assert restore("alex2@contoso.example")["outcome"] == "ok"
    account = people.get(client, "old")
    assert (account["state"], account["upn"]) == ("active", "alex2@contoso.example")
    assert account["groups"] == people.guest("old")["groups"]


def test_a_person_whose_soft_deleted_account_stands_is_imported_anew_only_when_asked(client):
    first = people.take_in(client, people.guest("alex"))[0]["uid"]
    people.do(client, "leave", "alex")
    refused = client.items(
        "account.import", [people.guest("alex-2", person=people.person("alex"))]
    )[0]
    assert refused["outcome"] == "soft-deleted-exists"
    assert refused["uid"] == first
    again = client.items("account.import", [people.guest("alex")])[0]
    assert again["outcome"] == "soft-deleted-exists"

    second = people.take_in(client, people.guest("alex"), new_incarnation=True)[0]
    assert second["change"] == "created" and second["uid"] != first
    assert people.get(client, "alex")["uid"] == second["uid"]
    assert people.get(client, uid=first)["state"] == "soft-deleted"
    taken = client.items("account.restore", [{"uid": first}])[0]
    assert taken["outcome"] == "name-conflict"

    # The old one's removal does not touch the new one.
    client.items("account.purge", [{"uid": first}])
    people.settle(client)
    assert people.get(client, uid=first)["state"] == "removed"
    account = people.get(client, "alex")
    assert (
        account["uid"], account["state"], account["name"]
    ) == (second["uid"], "active", "Guest alex")
    assert [other["uid"] for other in organizations(client, "alex")["others"]] == [second["uid"]]


def test_a_person_who_was_removed_can_be_imported_anew(client):
    first = people.take_in(client, people.guest("alex"))[0]["uid"]
    people.do(client, "leave", "alex")
    advance(client, WINDOW)
    people.settle(client)
    second = people.take_in(client, people.guest("alex"))[0]
    assert second["uid"] > first
    assert people.get(client, "alex")["state"] == "active"


# Import


def test_an_import_takes_every_field(client):
    account = people.guest("alex", enabled=False)
    people.take_in(client, account)
    stored = people.get(client, "alex")
    assert {field: stored[field] for field in account} == account
    assert (stored["state"], stored["created_at_us"]) == ("active", BEGIN)


def test_the_same_import_again_changes_nothing(client):
    people.take_in(client, people.guest("alex"))
    before = people.head(client)
    assert people.take_in(client, people.guest("alex"))[0]["change"] == "unchanged"
    assert people.head(client) == before


def test_an_import_brings_an_account_up_to_date(client):
    people.take_in(client, people.guest("alex"))
    changed = people.guest("alex", name="Alex", groups=["other"], permissions=[], enabled=False)
    assert people.take_in(client, changed)[0]["change"] == "updated"
    stored = people.get(client, "alex")
    assert {field: stored[field] for field in changed} == changed


def test_an_account_that_comes_deleted_keeps_its_clock(client):
    deleted_at = BEGIN - 10 * DAY
    item = people.take_in(client, people.guest("alex", deleted_at_us=deleted_at))[0]
    assert (item["state"], item["deleted_at_us"]) == ("soft-deleted", deleted_at)
    assert item["window_ends_us"] == deleted_at + WINDOW
    advance(client, 20 * DAY - 1)
    assert people.get(client, "alex")["state"] == "soft-deleted"
    again = people.take_in(client, people.guest("alex", deleted_at_us=deleted_at))[0]
    assert (again["change"], again["window_ends_us"]) == ("unchanged", deleted_at + WINDOW)
    advance(client, 1)
    assert people.do(client, "restore", "alex")["outcome"] == "irrevocable"


def test_an_account_that_comes_deleted_longer_ago_than_its_window_is_removed(client):
    people.take_in(client, people.guest("alex", deleted_at_us=BEGIN - 31 * DAY))
    people.settle(client)
    account = people.get(client, "alex")
    assert account["state"] == "removed"
    assert account["removal_started_us"] == BEGIN - DAY
    again = client.items(
        "account.import", [people.guest("alex", deleted_at_us=BEGIN - 31 * DAY)]
    )[0]
    assert again["outcome"] == "irrevocable"


def test_a_deletion_that_lies_in_the_future_is_refused(client):
    before = people.head(client)
    with pytest.raises(wire.RpcError) as refusal:
        client.call(
            "account.import", accounts=[people.guest("alex", deleted_at_us=BEGIN + 2 * DAY)]
        )
    assert refusal.value.code == "invalid-argument"
    assert people.head(client) == before


def test_an_account_of_an_organization_nobody_knows_is_not_imported(client):
    item = client.items("account.import", [people.guest("alex", "no-such-org")])[0]
    assert item["outcome"] == "org-not-found"


# Settings


def test_a_changed_window_applies_to_later_deletions_only(client):
    people.take_in(client, people.guest("early"), people.guest("late"))
    people.do(client, "leave", "early")
    people.set_org(client, window_us=10 * DAY, removal_us=5 * DAY)
    people.do(client, "leave", "late")
    assert people.get(client, "early")["window_ends_us"] == BEGIN + 30 * DAY
    assert people.get(client, "late")["window_ends_us"] == BEGIN + 10 * DAY
    advance(client, 10 * DAY)
    assert people.do(client, "restore", "late")["outcome"] == "irrevocable"
    assert people.get(client, "late")["removal_due_us"] == BEGIN + 15 * DAY
    assert people.do(client, "restore", "early")["outcome"] == "ok"


def test_leaving_can_be_forbidden_only_where_privacy_information_is_published(client):
    before = people.head(client)
    refused = client.call("org.set", org="adatum", allow_leave=False)
    assert refused["outcome"] == "privacy-info-missing"
    assert people.head(client) == before
    assert client.call("org.get", org="adatum")["outcome"] == "org-not-found"
    assert client.call(
        "org.set", org="adatum", allow_leave=False, privacy_contact="p@adatum.example"
    )["outcome"] == "ok"


def test_the_last_privacy_information_cannot_be_cleared_while_leaving_is_forbidden(client):
    people.set_org(client, allow_leave=False)
    people.set_org(client, privacy_contact="")
    refused = client.call("org.set", org="contoso", privacy_url="")
    assert (refused["outcome"], refused["reasons"]) == (
        "privacy-info-missing", ["privacy-info-missing"]
    )
    assert client.call(
        "org.get", org="contoso"
    )["org"]["privacy_url"] == people.PRIVACY["privacy_url"]
    people.set_org(client, allow_leave=True)
    people.set_org(client, privacy_url="")


def test_settings_that_are_not_named_stay_and_organizations_are_known_in_any_case(client):
    before = client.call("org.get", org="contoso")["org"]
    assert people.set_org(
        client, "CONTOSO", name="Contoso Ltd"
    ) == {**before, "name": "Contoso Ltd"}
    people.take_in(client, people.guest("alex", "Contoso"))
    assert people.get(client, "alex", "cOnToSo")["org"] == "contoso"


# Many at once, and not at all


def test_a_thousand_accounts_get_a_thousand_answers_in_their_order(client):
    accounts, expected, wanted = [], [], []
    for i in range(1000):
        kind = i % 5
        if kind == 0:
            accounts.append(people.guest(f"g{i}"))
            expected.append("ok")
        elif kind == 1:
            accounts.append(people.guest(f"g{i}", enabled=False))
            expected.append("account-disabled")
        elif kind == 2:
            accounts.append(people.member(f"g{i}"))
            expected.append("home-organization")
        elif kind == 3:
            accounts.append(people.guest(f"g{i}", deleted_at_us=BEGIN - DAY))
            expected.append("already-left")
        else:
            expected.append("not-found")
        wanted.append(people.name(f"g{i}"))
    people.take_in(client, *accounts)
    items = client.items("account.leave", wanted)
    assert [item["id"] for item in items] == [name["id"] for name in wanted]
    assert people.outcomes(items) == expected
    assert client.call("stats.get")["accounts"] == {
        "active": 400,
        "soft_deleted": 400,
        "removing": 0,
        "removed": 0,
        "overdue": 0,
        "due_soon": 0,
        "held": 0,
    }


def test_the_same_account_twice_in_one_call_leaves_once(client):
    people.take_in(client, people.guest("alex"))
    items = client.items("account.leave", people.names(["alex", "alex"]))
    assert people.outcomes(items) == ["ok", "already-left"]
    assert [
        event["event"] for event in people.history(client, **people.name("alex"))
    ] == ["imported", "left"]


def test_two_full_imports_in_one_turn_are_both_taken(client):
    first = client.post(
        "account.import", {"accounts": [people.guest(f"a{i}") for i in range(1000)]}
    )
    second = client.post(
        "account.import", {"accounts": [people.guest(f"b{i}") for i in range(1000)]}
    )
    for msgid in (first, second):
        assert set(people.outcomes(client.take(msgid)["items"])) == {"ok"}
    assert people.get(client, "a999")["name"] == "Guest a999"
    assert people.get(client, "b0")["name"] == "Guest b0"


def test_no_answer_about_a_change_is_lost_to_its_size(client):
    """A thousand refusals with the longest contacts there are, and one leave among them."""
    url = "https://contoso.example/" + 488 * "p"
    people.set_org(client, privacy_url=url, privacy_contact=url, admin_contact=url)
    people.take_in(client, people.guest("alex"), *[people.member(f"m{i}") for i in range(999)])
    wanted = people.names(["alex", *[f"m{i}" for i in range(999)]])
    items = client.items("account.leave", wanted)
    assert people.outcomes(items) == ["ok"] + 999 * ["home-organization"]
    assert items[1]["contact"] == {"privacy_url": url, "privacy_contact": url, "admin_contact": url}


def test_dry_run_says_what_would_happen_and_changes_nothing(client):
    people.take_in(
        client,
        people.guest("alex"),
        people.guest("kim"),
        people.direct("dora"),
        people.guest("gone"),
    )
    client.items("account.leave", people.names(["kim", "gone"]))
    before, stats = people.head(client), client.call("stats.get")["accounts"]

    def would(method, **arguments):
        return client.call(method, dry_run=True, **arguments)

    def state(verb, id):
        item = would(f"account.{verb}", accounts=[people.name(id)])["items"][0]
        return item["outcome"], item["state"]

    assert state("leave", "alex") == ("ok", "soft-deleted")
    assert state("leave", "dora") == ("ok", "removing")
    assert state("remove", "alex") == ("ok", "soft-deleted")
    assert state("disable", "alex") == ("ok", "active")
    assert state("enable", "alex") == ("ok", "active")
    assert state("restore", "kim") == ("ok", "active")
    assert state("purge", "kim") == ("ok", "removing")
    imported = would(
        "account.import", accounts=[people.guest("new"), people.guest("alex", name="Alex")]
    )["items"]
    assert [item["change"] for item in imported] == ["created", "updated"]
    assert "uid" not in imported[0]
    assert would("org.set", org="adatum")["outcome"] == "ok"
    assert would("sweep.pause") == {"paused": True}
    assert client.call("sweep.status")["paused"] is False
    assert would("sweep.resume") == {"paused": False}

    assert people.head(client) == before
    assert client.call("stats.get")["accounts"] == stats
    assert people.get(client, "alex")["state"] == "active"
    assert people.get(client, "alex")["name"] == "Guest alex"
    assert people.get(client, "new") is None
    assert client.call("org.get", org="adatum")["outcome"] == "org-not-found"


def test_dry_run_of_a_duty_says_what_would_happen_and_changes_nothing(client):
    ids = ["alex", "kim", "held", "early", "late"]
    people.take_in(client, *[people.guest(id) for id in ids])
    hold, why = {"hold": "case-7"}, {"reason": "ticket 7"}
    client.items("hold.add", [people.name("held")], **hold)
    number = client.items("request.file", [people.name("kim")])[0]["request"]
    client.items("account.leave", people.names(["early", "late"]))
    client.items("account.purge", [people.name("early")])  # nobody owes this one
    client.call("keeper.set", keeper="crm")
    client.items("account.purge", [people.name("late")])
    before, stats = people.head(client), client.call("stats.get")["accounts"]
    shown = [people.get(client, id) for id in ids]
    listed, requests = client.call("keeper.list"), client.call("request.list")

    def would(method, id, **arguments):
        accounts = [people.name(id)]
        return client.items(method, accounts, dry_run=True, **arguments)[0]["outcome"]

    def would_decide(verb, **arguments):
        requests = [{"request": number}, {"request": number + 1}]
        items = client.call(f"request.{verb}", requests=requests, dry_run=True, **arguments)
        return people.outcomes(items["items"])

    created = client.call("keeper.set", keeper="mail", orgs=["contoso"], dry_run=True)
    assert created == {
        "outcome": "ok", "keeper": {"keeper": "mail", "enabled": True, "orgs": ["contoso"]}
    }
    changed = client.call("keeper.set", keeper="crm", enabled=False, dry_run=True)
    assert changed["keeper"]["enabled"] is False
    assert would("keeper.waive", "late", keeper="crm", **why) == "ok"
    assert would("keeper.waive", "alex", keeper="crm", **why) == "not-owed"
    assert would("keeper.owe", "alex", keeper="crm") != "ok"
    assert would("hold.add", "alex", **hold) == "ok"
    assert would("hold.add", "held", **hold) == "hold-exists"
    assert would("hold.remove", "held", **hold) == "ok"
    assert would("hold.remove", "alex", **hold) == "hold-not-found"
    assert would("request.file", "alex") == "ok"
    assert would("request.file", "kim") == "already-requested"
    assert would_decide("approve") == ["ok", "request-not-found"]
    assert would_decide("deny", **why) == ["ok", "request-not-found"]

    assert people.head(client) == before
    assert client.call("stats.get")["accounts"] == stats
    assert [people.get(client, id) for id in ids] == shown
    assert client.call("keeper.list") == listed
    assert client.call("request.list") == requests


def test_every_changing_method_can_be_tried_without_a_change(client):
    changing = {row["method"] for row in client.call("retention.api")["methods"] if row["changes"]}
    assert changing == {
        "account.import",
        *(
            f"account.{verb}"
            for verb in ("leave", "remove", "restore", "purge", "disable", "enable")
        ),
        *(f"keeper.{verb}" for verb in ("set", "waive", "owe")),
        *(f"hold.{verb}" for verb in ("add", "remove")),
        *(f"request.{verb}" for verb in ("file", "approve", "deny")),
        "org.set",
        "sweep.pause",
        "sweep.resume",
        "guard.release",
    }


# The clock


def test_the_simulated_clock_stands_still_until_it_is_moved_and_never_goes_back(client):
    assert client.call("retention.info")["clock"]["now_us"] == BEGIN
    assert advance(client, HOUR) == BEGIN + HOUR
    assert client.call("clock.advance", to_us=BEGIN + DAY)["now_us"] == BEGIN + DAY
    for wrong in (
        {"to_us": BEGIN + DAY - 1}, {}, {"by_us": 1, "to_us": BEGIN + 2 * DAY}, {"to_us": 2**62}
    ):
        with pytest.raises(wire.RpcError) as refusal:
            client.call("clock.advance", **wrong)
        assert refusal.value.code == "invalid-argument"
    assert client.call("retention.info")["clock"]["now_us"] == BEGIN + DAY


def test_the_simulated_clock_does_not_go_back_over_a_restart(daemon, client):
    advance(client, DAY + 3 * MINUTE + 5 * SECOND + 7)
    daemon.restart()
    with daemon.connect() as again:
        assert again.call(
            "retention.info"
        )["clock"]["now_us"] == BEGIN + DAY + 3 * MINUTE + 5 * SECOND + 7
