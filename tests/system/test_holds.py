# SPDX-License-Identifier: Apache-2.0
"""While a legal hold stands, removal does not start; it starts by itself when the last one ends."""

import pytest

import keepers
import people
import wire
from daemon import BEGIN, DAY, HOUR, running

ENDS = BEGIN + 30 * DAY  # the window of an account that left at the beginning


@pytest.fixture
def daemon():
    with running(keepers.grant("crm")) as daemon:
        yield daemon


@pytest.fixture
def alex(client, contoso):
    """The uid of a guest who has left."""
    uid = people.take_in(client, people.guest("alex"))[0]["uid"]
    assert people.do(client, "leave", "alex")["window_ends_us"] == ENDS
    return uid


def hold(client, uid, name="case-7", **arguments):
    return client.items("hold.add", [{"uid": uid}], hold=name, **arguments)[0]


def release(client, uid, name="case-7", **arguments):
    return client.items("hold.remove", [{"uid": uid}], hold=name, **arguments)[0]


def holds(client, uid):
    result = client.call("hold.list", uid=uid)
    assert result["outcome"] == "ok", result
    return {row.pop("hold"): row for row in result["holds"]}


def purge(client, uid):
    return client.items("account.purge", [{"uid": uid}])[0]


def go_to(client, at):
    client.call("clock.advance", to_us=at)
    people.settle(client)


def account(client, uid):
    return people.get(client, uid=uid)


def events(client, uid):
    return [entry["event"] for entry in people.history(client, uid=uid)]


def test_several_holds_stand_each_with_its_name_its_reason_and_its_end(client, alex):
    assert hold(client, alex, "case-7", reason="Kim against Fabrikam")["outcome"] == "ok"
    client.call("clock.advance", by_us=HOUR)
    assert hold(client, alex, "audit", until_us=BEGIN + 90 * DAY)["outcome"] == "ok"
    assert hold(client, alex, "Prüfung 2026")["outcome"] == "ok"
    assert holds(client, alex) == {
        "case-7": {"reason": "Kim against Fabrikam", "added_at_us": BEGIN},
        "audit": {"added_at_us": BEGIN + HOUR, "until_us": BEGIN + 90 * DAY},
        "Prüfung 2026": {"added_at_us": BEGIN + HOUR},
    }
    assert account(client, alex)["held"] is True


def test_holds_survive_a_restart_and_a_kill(daemon, client, alex):
    hold(client, alex, reason="why", until_us=BEGIN + 90 * DAY)
    hold(client, alex, "audit")
    before = holds(client, alex)
    for end in (daemon.stop, daemon.kill9):
        end()
        daemon.start()
        with daemon.connect() as again:
            assert holds(again, alex) == before
            assert purge(again, alex)["outcome"] == "held"


def test_a_purge_is_refused_while_a_hold_stands_and_the_attempt_is_on_the_record(client, alex):
    hold(client, alex, until_us=BEGIN + DAY)
    for n in range(1, 3):
        item = purge(client, alex)
        assert (item["outcome"], item["reasons"]) == ("held", ["held"])
        assert item["state"] == "soft-deleted"
        assert events(client, alex) == ["imported", "left", "hold-added", *n * ["blocked"]]
    dry = client.items("account.purge", [{"uid": alex}], dry_run=True)[0]
    assert dry["outcome"] == "held" and events(client, alex).count("blocked") == 2
    client.call("clock.advance", by_us=DAY - 1)
    assert purge(client, alex)["outcome"] == "held"
    client.call("clock.advance", by_us=1)
    assert purge(client, alex)["outcome"] == "ok"


def test_removal_waits_behind_the_window_and_starts_the_instant_the_last_hold_ends(client, alex):
    last = ENDS + 10 * DAY
    hold(client, alex, "first", until_us=ENDS + DAY)
    hold(client, alex, "last", until_us=last)
    hold(client, alex, "inside the window", until_us=BEGIN + DAY)
    for at in (ENDS, ENDS + DAY, last - 1):
        go_to(client, at)
        assert account(client, alex)["state"] == "soft-deleted"
    go_to(client, last)
    found = account(client, alex)
    assert found["state"] == "removed"
    assert found["removal_started_us"] == last and found["removal_due_us"] == last + 30 * DAY


def test_a_removal_that_waited_is_counted_from_the_end_of_the_hold_however_late_it_is_noticed(
    daemon, client, alex
):
    keepers.set_keeper(client, "crm")
    hold(client, alex, until_us=ENDS + 10 * DAY)
    daemon.stop()
    daemon.start()
    with daemon.connect() as again:
        go_to(again, ENDS + 20 * DAY)
        found = account(again, alex)
    assert (found["state"], found["sla"]) == ("removing", "on-track")
    assert found["removal_started_us"] == ENDS + 10 * DAY
    assert found["removal_due_us"] == ENDS + 40 * DAY
    assert found["pending"] == ["crm"]


def test_the_release_of_the_last_hold_starts_the_removal_at_once_with_all_its_time(client, alex):
    keepers.set_keeper(client, "crm")
    hold(client, alex, "one")
    hold(client, alex, "two")
    go_to(client, ENDS + 100 * DAY)
    assert release(client, alex, "one")["state"] == "soft-deleted"
    item = release(client, alex, "two")
    assert (item["outcome"], item["state"]) == ("ok", "removing")
    assert item["removal_started_us"] == ENDS + 100 * DAY
    assert item["removal_due_us"] == ENDS + 130 * DAY
    assert account(client, alex)["pending"] == ["crm"]
    assert events(client, alex)[-1] == "hold-removed"


def test_a_release_inside_the_window_leaves_the_window_as_it_was(client, alex):
    hold(client, alex)
    client.call("clock.advance", by_us=DAY)
    item = release(client, alex)
    assert (item["state"], item["window_ends_us"]) == ("soft-deleted", ENDS)
    assert "held" not in account(client, alex)
    go_to(client, ENDS - 1)
    assert account(client, alex)["state"] == "soft-deleted"
    go_to(client, ENDS)
    assert account(client, alex)["state"] == "removed"


def test_a_hold_that_ends_inside_the_window_delays_nothing(client, alex):
    hold(client, alex, until_us=ENDS - 1)
    go_to(client, ENDS)
    assert account(client, alex)["removal_started_us"] == ENDS


def test_a_restore_in_the_window_works_and_the_hold_stays(client, alex):
    hold(client, alex)
    item = client.items("account.restore", [{"uid": alex}])[0]
    assert (item["outcome"], item["state"]) == ("ok", "active")
    assert list(holds(client, alex)) == ["case-7"] and account(client, alex)["held"]
    people.do(client, "leave", "alex")
    assert purge(client, alex)["outcome"] == "held"
    go_to(client, ENDS)
    assert account(client, alex)["state"] == "soft-deleted"


def test_nobody_restores_behind_the_window_though_a_hold_keeps_the_data(client, alex):
    hold(client, alex)
    go_to(client, ENDS - 1)
    dry = client.items("account.restore", [{"uid": alex}], dry_run=True)[0]
    assert dry["outcome"] == "ok"
    go_to(client, ENDS)
    item = client.items("account.restore", [{"uid": alex}])[0]
    assert (item["outcome"], item["state"]) == ("window-ended", "soft-deleted")
    assert account(client, alex)["name"] == "Guest alex"


def test_no_hold_stops_a_removal_that_has_begun(client, alex):
    keepers.set_keeper(client, "crm")
    purge(client, alex)
    assert hold(client, alex)["outcome"] == "irrevocable"
    assert holds(client, alex) == {}


def test_no_hold_stops_a_removal_that_no_sweep_has_recorded_yet(client, alex):
    client.call("sweep.pause")
    client.call("clock.advance", to_us=ENDS)
    assert hold(client, alex)["outcome"] == "irrevocable"


def test_a_hold_that_ended_can_not_be_prolonged_behind_the_window(client, alex):
    client.call("sweep.pause")
    hold(client, alex, until_us=ENDS + DAY)
    client.call("clock.advance", to_us=ENDS + DAY)
    assert hold(client, alex, "again")["outcome"] == "irrevocable"


def test_a_name_stands_once(client, alex):
    hold(client, alex, reason="the first")
    again = hold(client, alex, reason="the second", until_us=BEGIN + DAY)
    assert (again["outcome"], again["reasons"]) == ("hold-exists", ["hold-exists"])
    assert holds(client, alex)["case-7"] == {"reason": "the first", "added_at_us": BEGIN}
    release(client, alex)
    assert hold(client, alex)["outcome"] == "ok"


def test_a_hold_that_has_ended_stands_no_more_and_its_name_is_free(client, alex):
    hold(client, alex, until_us=BEGIN + DAY)
    hold(client, alex, "other", until_us=BEGIN + 2 * DAY)
    client.call("clock.advance", by_us=DAY)
    assert list(holds(client, alex)) == ["other"]
    assert release(client, alex)["outcome"] == "hold-not-found"
    client.call("clock.advance", by_us=DAY)
    assert holds(client, alex) == {} and "held" not in account(client, alex)
    assert hold(client, alex, reason="anew")["outcome"] == "ok"
    assert holds(client, alex) == {"case-7": {"reason": "anew", "added_at_us": BEGIN + 2 * DAY}}


def test_what_is_not_held_cannot_be_released(client, alex):
    hold(client, alex)
    assert release(client, alex, "another")["outcome"] == "hold-not-found"
    missing = [people.name("nobody"), {"uid": 4711}]
    for method in ("hold.add", "hold.remove"):
        items = client.items(method, missing, hold="case-7")
        assert people.outcomes(items) == ["not-found", "not-found"]
    assert client.call("hold.list", uid=4711)["outcome"] == "not-found"


def test_a_hold_without_a_name_or_with_an_end_in_the_past_is_refused(client, alex):
    for wrong in (
        {},
        {"hold": ""},
        {"hold": "x" * 65},
        {"hold": "case-7", "until_us": BEGIN},
        {"hold": "case-7", "until_us": BEGIN - 1},
        {"hold": "case-7", "until_us": "tomorrow"},
    ):
        with pytest.raises(wire.RpcError, match="invalid-argument"):
            client.call("hold.add", accounts=[{"uid": alex}], **wrong)
    assert holds(client, alex) == {}


def test_sixty_four_holds_stand_at_most(client, alex):
    for n in range(64):
        assert hold(client, alex, f"case-{n}", until_us=BEGIN + DAY)["outcome"] == "ok"
    assert hold(client, alex, "one more")["outcome"] == "too-many-holds"
    client.call("clock.advance", by_us=DAY)
    assert hold(client, alex, "one more")["outcome"] == "ok"
    assert list(holds(client, alex)) == ["one more"]


def test_a_direct_connect_user_on_hold_leaves_and_the_removal_waits(client, contoso):
    uid = people.take_in(client, people.direct("kim"))[0]["uid"]
    hold(client, uid)
    item = people.do(client, "leave", "kim")
    assert (item["outcome"], item["state"]) == ("ok", "soft-deleted")
    assert client.items("account.restore", [{"uid": uid}])[0]["outcome"] == "window-ended"
    go_to(client, BEGIN + 40 * DAY)
    assert account(client, uid)["state"] == "soft-deleted"
    item = release(client, uid)
    assert (item["state"], item["removal_started_us"]) == ("removing", BEGIN + 40 * DAY)
    people.settle(client)
    assert account(client, uid)["state"] == "removed"


def test_a_direct_connect_user_on_a_timed_hold_is_removed_when_it_ends(client, contoso):
    uid = people.take_in(client, people.direct("kim"))[0]["uid"]
    hold(client, uid, until_us=BEGIN + DAY)
    people.do(client, "remove", "kim")
    go_to(client, BEGIN + DAY - 1)
    assert account(client, uid)["state"] == "soft-deleted"
    go_to(client, BEGIN + DAY)
    assert account(client, uid)["removal_started_us"] == BEGIN + DAY


def test_a_hold_changes_nothing_about_an_active_account(client, contoso):
    uid = people.take_in(client, people.guest("alex"))[0]["uid"]
    assert hold(client, uid)["state"] == "active"
    assert people.do(client, "disable", "alex")["outcome"] == "ok"
    assert release(client, uid)["state"] == "active"
    assert "held" not in account(client, uid)


def test_a_trial_of_a_hold_changes_nothing(client, alex):
    before = people.head(client)
    assert hold(client, alex, dry_run=True)["outcome"] == "ok"
    assert holds(client, alex) == {} and people.head(client) == before
    hold(client, alex)
    assert release(client, alex, dry_run=True)["outcome"] == "ok"
    assert list(holds(client, alex)) == ["case-7"] and people.head(client) == before + 1
    go_to(client, ENDS + DAY)
    assert release(client, alex, dry_run=True)["state"] == "removing"
    assert account(client, alex)["state"] == "soft-deleted"


def test_explain_says_that_a_hold_stands_and_what_comes_when_it_ends(client, alex):
    def told():
        return client.call("account.explain", uid=alex)

    hold(client, alex, "audit", until_us=ENDS + 10 * DAY, reason="the auditors asked")
    explained = told()
    assert explained["account"]["held"] is True
    assert explained["account"]["held_until_us"] == ENDS + 10 * DAY
    assert explained["next"] == {"action": "start-removal", "at_us": ENDS + 10 * DAY}
    may = {row["command"]: row["outcome"] for row in explained["may"]}
    assert (may["purge"], may["restore"]) == ("held", "ok")
    assert explained["history"][-1]["event"] == "hold-added"
    assert explained["history"][-1]["reason"] == "the auditors asked"
    hold(client, alex)
    go_to(client, ENDS)
    explained = told()
    assert explained["account"]["held"] is True and "held_until_us" not in explained["account"]
    assert explained["next"] == {"action": "await-release"}
    may = {row["command"]: row["outcome"] for row in explained["may"]}
    assert (may["purge"], may["restore"]) == ("held", "window-ended")


def test_no_trace_of_the_holds_is_left_behind_the_removal(client, alex):
    hold(client, alex, reason="why", until_us=ENDS + DAY)
    go_to(client, ENDS + DAY)
    found = account(client, alex)
    assert found["state"] == "removed" and "held" not in found
    listed = client.call("hold.list", uid=alex)
    assert listed["outcome"] == "ok" and listed["holds"] == []
    assert hold(client, alex)["outcome"] == "not-found"
    assert client.call("stats.get")["accounts"]["held"] == 0


def test_a_thousand_holds_come_and_go_in_one_call_each(client, contoso):
    accounts = [people.guest(f"g{i}") for i in range(1000)]
    uids = [{"uid": item["uid"]} for item in people.take_in(client, *accounts)]
    client.items("account.remove", uids)
    assert set(people.outcomes(client.items("hold.add", uids, hold="all"))) == {"ok"}
    assert client.call("stats.get")["accounts"]["held"] == 1000
    go_to(client, ENDS)
    assert client.call("stats.get")["accounts"]["soft_deleted"] == 1000
    assert set(people.outcomes(client.items("account.purge", uids))) == {"held"}
    assert set(people.outcomes(client.items("hold.remove", uids, hold="all"))) == {"ok"}
    people.settle(client)
    assert client.call("stats.get")["accounts"]["removed"] == 1000
    assert people.verify(client) == people.head(client)
