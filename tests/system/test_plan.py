# SPDX-License-Identifier: Apache-2.0
"""A dry run is kept as a plan; it does exactly what was seen, or says what has changed."""

import json

import pytest

import keepers
import people
from ctl import CONFIRMATION, FAILURE, OK, PARTIAL, REFUSED, USAGE, Ctl
from daemon import BEGIN, DAY, running


@pytest.fixture
def ctl(daemon):
    return Ctl(daemon.socket)


@pytest.fixture
def five(client, contoso):
    """Guests g0 to g4 have left; alex is active."""
    ids = [f"g{i}" for i in range(5)]
    people.take_in(client, people.guest("alex"), *map(people.guest, ids))
    client.items("account.leave", people.names(ids))


def make(ctl, path, *arguments, code=OK):
    """A plan in a file, and what it says."""
    path.write_text(ctl("-j", *arguments, "--dry-run", code=code).stdout)
    return json.loads(path.read_text())


@pytest.fixture
def plan(tmp_path):
    return tmp_path / "plan.json"


def states(client, *ids):
    return [people.get(client, id)["state"] for id in ids]


def test_a_plan_says_what_it_is_and_what_would_be_done(ctl, client, five, plan):
    before = people.head(client)
    said = make(ctl, plan, "purge", "--reason=contract ended", "contoso/g0", "contoso/alex",
                "contoso/ghost", code=PARTIAL)
    assert {key: said[key] for key in ("plan", "verb", "at_us", "options")} == {
        "plan": 1, "verb": "purge", "at_us": BEGIN, "options": {"reason": "contract ended"}
    }
    assert said["instance"] == client.call("retention.info")["instance"]
    assert [item["account"] for item in said["items"]] == [
        "contoso/g0", "contoso/alex", "contoso/ghost"
    ]
    assert people.outcomes(said["items"]) == ["ok", "not-soft-deleted", "not-found"]
    assert (said["items"][0]["uid"], said["items"][0]["state"]) == (2, "removing")
    assert people.head(client) == before


def test_a_plan_does_what_was_seen_and_nothing_else(ctl, client, five, plan, tmp_path):
    accounts = tmp_path / "accounts"
    accounts.write_text("contoso/g0\ncontoso/alex\ncontoso/g1\n")
    make(ctl, plan, "purge", f"@{accounts}", code=PARTIAL)
    people.do(client, "leave", "alex")  # it could be purged now, and was refused then
    accounts.unlink()
    ended = ctl("purge", f"--plan={plan}", "--yes")
    assert "1 of the plan's 3 accounts were refused or staged in the dry run and are left out" in ended.stderr
    assert "contoso/g0: being removed for good" in ended.stdout
    people.settle(client)
    assert states(client, "g0", "g1", "alex", "g2") == [
        "removed", "removed", "soft-deleted", "soft-deleted"
    ]


def change_state(client):
    people.do(client, "restore", "g0")


def change_and_back(client):
    people.do(client, "restore", "g0")
    people.do(client, "leave", "g0")


def hold(client):
    client.items("hold.add", [people.name("g0")], hold="case-17")


def hold_and_release(client):
    hold(client)
    client.items("hold.remove", [people.name("g0")], hold="case-17")


def anew(client):
    people.do(client, "purge", "g0")
    people.settle(client)
    people.take_in(client, people.guest("g0"))
    people.do(client, "leave", "g0")


CHANGES = {
    "the state": change_state,
    "the day": change_and_back,
    "a hold": hold,
    "a hold that is gone again": hold_and_release,
    "another incarnation": anew,
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_has_changed_is_left_alone_and_told(ctl, client, five, plan, what):
    make(ctl, plan, "purge", "contoso/g0", "contoso/g1")
    CHANGES[what](client)
    before = people.get(client, "g0")
    ended = ctl("purge", f"--plan={plan}", "--yes", code=PARTIAL)
    assert (
        "contoso/g0: refused: the account has changed since the dry run; look again with --dry-run"
        in ended.stdout
    )
    assert people.get(client, "g0") == before
    people.settle(client)
    assert states(client, "g1") == ["removed"]
    items = ctl.json("purge", f"--plan={plan}", "--yes", code=REFUSED)
    assert people.outcomes(items) == ["changed", "changed"]  # nothing is done twice


def test_time_that_has_passed_is_judged_anew(ctl, client, five, plan):
    make(ctl, plan, "restore", "contoso/g0")
    client.call("sweep.pause")
    client.call("clock.advance", by_us=31 * DAY)
    assert "permanent deletion has begun" in ctl("restore", f"--plan={plan}", code=REFUSED).stdout


def test_a_plan_is_confirmed_like_any_other_command(ctl, client, five, plan):
    make(ctl, plan, "purge", "contoso/g0")
    assert "--yes" in ctl("purge", f"--plan={plan}", code=CONFIRMATION).stderr
    assert states(client, "g0") == ["soft-deleted"]


def test_a_plan_can_be_looked_at_again(ctl, client, five, plan):
    make(ctl, plan, "purge", "contoso/g0")
    again = ctl.json("purge", f"--plan={plan}", "--dry-run")
    assert again["items"][0]["account"] == "contoso/g0"
    people.do(client, "restore", "g0")
    again = ctl.json("purge", f"--plan={plan}", "--dry-run", code=REFUSED)
    assert people.outcomes(again["items"]) == ["changed"]


def test_a_plan_of_2500_accounts_is_done_whole(ctl, client, contoso, plan, tmp_path):
    accounts = tmp_path / "accounts"
    people.take_in(client, *[people.guest(f"g{i}") for i in range(2500)])
    accounts.write_text("".join(f"contoso/g{i}\n" for i in range(2500)))
    make(ctl, plan, "remove", f"@{accounts}")
    people.do(client, "disable", "g2400")
    assert "2499 ok, 1 changed" in ctl("remove", f"--plan={plan}", code=PARTIAL).stdout
    assert client.call("stats.get")["accounts"]["soft_deleted"] == 2499


def test_every_verb_on_accounts_has_plans(ctl, client, five, plan):
    keepers.set_keeper(client, "crm")
    people.take_in(client, people.guest("dan", enabled=False))
    people.do(client, "purge", "g4")
    keepers.set_keeper(client, "files")
    client.items("hold.add", [people.name("g2")], hold="case-1")
    for words in (
        ["leave", "contoso/alex"],
        ["restore", "--new-upn=new@contoso.example", "contoso/alex"],
        ["remove", "contoso/alex"],
        ["enable", "contoso/dan"],
        ["disable", "contoso/dan"],
        ["hold", "--hold=case-17", "--until=+90d", "contoso/g3"],
        ["release", "--hold=case-1", "contoso/g2"],
        ["file", "contoso/dan"],
        ["owe", "files", "contoso/g4"],
        ["waive", "crm", "--reason=gone", "contoso/g4"],
        ["purge", "contoso/g1"],
    ):
        make(ctl, plan, *words)
        # What is never undone is confirmed; the others do not mind.
        assert people.outcomes(ctl.json(words[0], f"--plan={plan}", "--yes")) == ["ok"], words
    holds = client.call("hold.list", **people.name("g3"))["holds"]
    assert [(row["hold"], row["until_us"]) for row in holds] == [("case-17", BEGIN + 90 * DAY)]
    assert people.get(client, uid=6)["pending"] == ["files"]


def test_the_end_of_a_hold_is_the_one_that_was_seen(ctl, client, five, plan):
    assert make(ctl, plan, "hold", "--hold=a", "--until=+1d", "contoso/g0")["options"] == {
        "hold": "a", "until": "2026-01-02T00:00:00Z"
    }
    client.call("clock.advance", by_us=DAY // 2)
    ctl("hold", f"--plan={plan}")
    assert client.call("hold.list", **people.name("g0"))["holds"][0]["until_us"] == BEGIN + DAY


def test_a_reason_may_be_said_later(ctl, client, five, plan):
    make(ctl, plan, "remove", "contoso/alex")
    ctl("remove", f"--plan={plan}", "--reason=contract ended", "--ref=T-1")
    entry = client.call("account.explain", **people.name("alex"))["history"][-1]
    assert (entry["reason"], entry["ref"]) == ("contract ended", "T-1")


# What is no plan: how a good one is spoilt, and a word of what is said.
SPOILT = {
    "no JSON": (lambda text: text[:-20], "is no JSON: line"),
    "a list": (lambda text: "[]", "is no plan"),
    "what a command answers": (lambda text: '[{"outcome": "ok", "uid": 2}]', "is no plan"),
    "a newer form": (lambda text: text.replace('"plan": 1', '"plan": 2'), "does not know"),
    "another verb": (lambda text: text.replace('"purge"', '"remove"'), "is another verb's"),
    "no items": (lambda text: text.replace('"items"', '"rows"'), "is no plan"),
    "no outcome": (lambda text: text.replace('"outcome"', '"result"'), "without an outcome"),
    "no uid": (lambda text: text.replace('"uid"', '"id"', 1), "without uid and seq"),
    "no seq": (lambda text: text.replace('"seq"', '"sequence"'), "without uid and seq"),
    "an option": (
        lambda text: text.replace('"options": {}', '"options": {"hold": "x"}'), "has an option"
    ),
    "nothing": (lambda text: text.replace('"ok"', '"not-found"'), "there is no account to purge"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_what_is_no_plan_is_refused_with_the_reason(ctl, client, five, plan, how):
    spoil, words = SPOILT[how]
    make(ctl, plan, "purge", "uid:2")
    good = plan.read_text()
    plan.write_text(spoil(good))
    assert plan.read_text() != good
    before = people.head(client)
    assert words in ctl.error("purge", f"--plan={plan}", "--yes", code=USAGE)["text"]
    assert people.head(client) == before


def test_a_plan_of_another_store_is_refused(ctl, client, five, plan):
    make(ctl, plan, "purge", "contoso/g0")
    with running() as other, other.connect() as there:
        people.set_org(there, "contoso")
        people.take_in(there, people.guest("x"), people.guest("y"))
        error = Ctl(other.socket).error("purge", f"--plan={plan}", "--yes", code=USAGE)
        assert "was made for another store" in error["text"]


def test_what_the_plan_says_is_not_said_twice(ctl, client, five, plan):
    make(ctl, plan, "purge", "contoso/g0")
    told = ctl("purge", f"--plan={plan}", "contoso/g1", code=USAGE).stderr
    assert "the accounts are those of the plan" in told
    make(ctl, plan, "hold", "--hold=a", "contoso/g0")
    assert "--hold is the plan's" in ctl("hold", f"--plan={plan}", "--hold=b", code=USAGE).stderr
    assert "list takes no --plan" in ctl("list", f"--plan={plan}", code=USAGE).stderr


def test_a_plan_that_is_not_there_is_a_failure(ctl, plan):
    assert "No such file" in ctl("purge", f"--plan={plan}", "--yes", code=FAILURE).stderr
