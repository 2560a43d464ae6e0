# SPDX-License-Identifier: Apache-2.0
"""What nobody can undo is confirmed, whichever command would do it; the rest goes on unasked."""

import json

import pytest

import keepers
import people
from ctl import CONFIRMATION, OK, PARTIAL, USAGE, Ctl
from daemon import DAY

ASKED = "Type the number of accounts to go on: "


@pytest.fixture
def ctl(daemon):
    return Ctl(daemon.socket)


@pytest.fixture
def town(client, contoso):
    """Two guests, and two direct connect users, whose removal starts with their leaving."""
    keepers.set_keeper(client, "crm")
    people.take_in(
        client,
        *[people.guest(id) for id in ("alex", "kim")],
        *[people.direct(id) for id in ("dora", "dave")],
    )


def state(client, id):
    return people.get(client, id)["state"]


def hold_beyond_the_window(client, *ids):
    for id in ids:
        people.do(client, "remove", id)
        client.items("hold.add", people.names([id]), hold="case 17")
    client.call("clock.advance", by_us=31 * DAY)


# Purge and waive: all accounts


@pytest.mark.parametrize(
    "typed, code", [("2\r", OK), ("3\r", CONFIRMATION), ("y\r", CONFIRMATION), ("\r", CONFIRMATION)]
)
def test_a_purge_is_confirmed_by_typing_how_many(ctl, client, town, typed, code):
    client.items("account.remove", people.names(["alex", "kim"]))
    with ctl.terminal("purge", "contoso/alex", "contoso/kim") as terminal:
        terminal.await_shown(ASKED)
        assert state(client, "kim") == "soft-deleted"
        terminal.type(typed)
        shown = terminal.end(code=code)
    assert "Permanent deletion of 2 accounts (contoso/alex, contoso/kim) is about to start." in shown
    assert ("that is not 2: nothing was changed" in shown) is (code != OK)
    assert state(client, "kim") == ("removing" if code == OK else "soft-deleted")


def test_the_first_three_of_many_are_named(ctl, client, contoso):
    ids = [f"g{i}" for i in range(5)]
    people.take_in(client, *[people.guest(id) for id in ids])
    client.items("account.remove", people.names(ids))
    with ctl.terminal("purge", *[f"contoso/{id}" for id in ids]) as terminal:
        terminal.await_shown("5 accounts (contoso/g0, contoso/g1, contoso/g2 and 2 more) is about")
        terminal.type("\r")
        terminal.end(code=CONFIRMATION)


def test_a_waiver_is_confirmed_too(ctl, client, town):
    people.do(client, "remove", "dora")
    with ctl.terminal("waive", "crm", "--reason=gone", "contoso/dora") as terminal:
        terminal.await_shown("Nobody will prove that the keeper has erased the data of 1 account")
        terminal.type("1\r")
        terminal.end()


def test_a_dry_run_does_not_ask(ctl, client, town):
    for verb in ("purge", "remove", "leave"):
        with ctl.terminal(verb, "--dry-run", "contoso/dora", "contoso/dave") as terminal:
            assert "Type" not in terminal.end(code=OK if verb != "purge" else 11)
    assert state(client, "dora") == "active"


# What starts removals for some


@pytest.mark.parametrize("verb", ["remove", "leave"])
def test_soft_deletions_alone_go_on_unasked(ctl, client, town, verb):
    ctl(verb, "contoso/alex")
    ctl(verb, "-", stdin="contoso/kim\n")
    assert state(client, "alex") == state(client, "kim") == "soft-deleted"


@pytest.mark.parametrize("verb", ["remove", "leave"])
def test_direct_connect_users_among_others_need_yes_in_a_pipe(ctl, client, town, verb):
    before = people.head(client)
    accounts = ["contoso/alex", "contoso/dora", "contoso/kim"]
    told = ctl(verb, *accounts, code=CONFIRMATION).stderr
    assert f"{verb} cannot be undone for 1 of 3 accounts, whose removal starts at once" in told
    assert "--dry-run" in told and "--yes" in told
    ctl(verb, "-", stdin="\n".join(accounts), code=CONFIRMATION)
    ctl(verb, "--yes", "-", stdin="\n".join(accounts), code=USAGE)  # nobody has seen whom
    assert people.head(client) == before
    ctl(verb, "--yes", *accounts)
    assert state(client, "dora") == "removing" and state(client, "alex") == "soft-deleted"


def test_direct_connect_users_among_others_are_named_on_a_terminal(ctl, client, town):
    accounts = ["contoso/alex", "contoso/dora", "contoso/dave"]
    before = people.head(client)
    for typed, code in (("3\r", CONFIRMATION), ("2\r", OK)):
        assert people.head(client) == before
        with ctl.terminal("remove", *accounts) as terminal:
            terminal.await_shown(ASKED)
            terminal.type(typed)
            shown = terminal.end(code=code)
        assert "The removal of 2 of 3 accounts (contoso/dora, contoso/dave) starts at once." in shown
    assert state(client, "dave") == "removing"


def test_what_began_already_is_not_asked_about(ctl, client, town):
    people.do(client, "remove", "dora")
    ctl("remove", "contoso/alex", "contoso/dora", code=PARTIAL)


def test_the_same_request_id_again_gets_its_answer_unasked(ctl, client, town):
    first = ctl.json("remove", "--yes", "--request-id=r1", "contoso/dora")
    assert ctl.json("remove", "--request-id=r1", "contoso/dora") == first


def test_a_plan_is_confirmed_as_well(ctl, client, town, tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text(ctl("remove", "--dry-run", "--json", "contoso/dora").stdout)
    ctl("remove", f"--plan={plan}", code=CONFIRMATION)
    ctl("remove", f"--plan={plan}", "--yes")
    assert state(client, "dora") == "removing"


def test_the_release_of_a_last_hold_is_confirmed_once_the_window_has_ended(ctl, client, town):
    hold_beyond_the_window(client, "alex")
    people.do(client, "remove", "kim")
    client.items("hold.add", people.names(["kim"]), hold="case 17")
    release = ("release", "--hold=case 17")
    told = ctl(*release, "contoso/alex", "contoso/kim", code=CONFIRMATION).stderr
    assert "release cannot be undone for 1 of 2 accounts" in told
    with ctl.terminal(*release, "contoso/alex") as terminal:
        terminal.await_shown("The removal of 1 account (contoso/alex) starts at once.")
        terminal.type("no\r")
        terminal.end(code=CONFIRMATION)
    assert len(client.call("hold.list", **people.name("alex"))["holds"]) == 1
    ctl(*release, "contoso/kim")  # its window runs
    ctl(*release, "--yes", "contoso/alex")
    assert state(client, "alex") == "removing" and state(client, "kim") == "soft-deleted"


def test_of_two_holds_the_first_is_released_unasked(ctl, client, town):
    hold_beyond_the_window(client, "alex")
    client.items("hold.add", people.names(["alex"]), hold="case 18")
    ctl("release", "--hold=case 17", "contoso/alex")
    ctl("release", "--hold=case 18", "contoso/alex", code=CONFIRMATION)


def test_an_approval_is_confirmed_where_it_starts_a_removal(ctl, client, town):
    ctl("file", "contoso/alex", "contoso/dora")
    soft, hard = [row["request"] for row in ctl.json("requests", "--open")]
    ctl("approve", soft)
    told = ctl("approve", hard, code=CONFIRMATION).stderr
    assert "approve cannot be undone for 1 account, whose removal starts at once" in told
    assert state(client, "dora") == "active"
    with ctl.terminal("approve", hard) as terminal:
        terminal.await_shown("The removal of 1 account starts at once.")
        terminal.type("\r")
        terminal.end(code=CONFIRMATION)
    ctl("approve", "--yes", hard)
    assert state(client, "dora") == "removing"


def test_what_the_mass_guard_holds_back_is_not_asked_about(ctl, client):
    people.set_org(client, guard_min=1, guard_percent=1)
    people.take_in(client, *[people.direct(f"d{i}") for i in range(3)])
    accounts = [f"contoso/d{i}" for i in range(3)]
    told = json.loads(ctl("-j", "remove", *accounts, code=CONFIRMATION).stderr)["error"]["text"]
    assert "cannot be undone for 1 of 3 accounts" in told
