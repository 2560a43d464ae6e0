# SPDX-License-Identifier: Apache-2.0
"""What retentionctl says: each test is named after what somebody read, and took for something else."""

import os

import pytest

import keepers
import people
from ctl import FAILURE, GUARD, NOT_FOUND, PERMISSION, REFUSED, USAGE, Ctl
from daemon import DAY, running

NOBODY = 12345

as_somebody_else = pytest.mark.skipif(
    os.getuid() != 0, reason="only root becomes somebody else"
)


@pytest.fixture
def ctl(daemon):
    return Ctl(daemon.socket)


def test_the_log_says_who_paused_and_why(ctl, contoso):
    ctl("pause", "--reason=moving house", "--ref=OPS-7")
    assert "retentionctl log says who paused it and why" in ctl("check", code=FAILURE).stdout
    line = next(line for line in ctl("log").stdout.splitlines() if "sweep-paused" in line)
    assert "moving house" in line and "OPS-7" in line


def test_the_log_does_not_say_why_an_account_was_removed(ctl, client, contoso):
    people.take_in(client, people.guest("alex"))
    ctl("remove", "contoso/alex", "--reason=a secret")
    assert "a secret" not in ctl("log").stdout
    assert "a secret" in ctl("explain", "contoso/alex").stdout


def test_each_table_of_a_long_list_has_the_heading_of_its_columns(ctl, client, contoso):
    people.take_in(client, *[people.guest(f"g{i:05}") for i in range(10_002)])
    people.do(client, "remove", "g10001")
    shown = ctl("list", "--utc").stdout
    first, second, rest = shown.split("\n\n")
    assert rest == "10002 rows\n"
    assert len(first.splitlines()) == 10_001 and len(second.splitlines()) == 3
    headings = [table.splitlines()[0] for table in (first, second)]
    assert ["WINDOW ENDS" in heading for heading in headings] == [False, True]
    bare = ctl("list", "--no-legend").stdout
    assert "WINDOW" not in bare and len(bare.splitlines()) == 10_002
    ctl("list", "--limit=1000")


# explain


def test_a_hold_without_an_end_does_not_end_the_window(ctl, client, contoso):
    people.take_in(client, people.guest("alex"))
    people.do(client, "remove", "alex")
    ctl("hold", "--hold=case 17", "contoso/alex")
    told = ctl("explain", "--utc", "contoso/alex").stdout
    assert "Next: permanent deletion starts when its window has ended, at 2026-01-31T" in told
    assert ", and no hold stands." in told
    client.call("clock.advance", by_us=30 * DAY)
    told = ctl("explain", "--utc", "contoso/alex").stdout
    assert "Next: permanent deletion starts when the last hold is released." in told


def test_what_happened_last_is_not_called_what_made_it_so(ctl, client, contoso):
    people.take_in(client, people.guest("alex"))
    people.do(client, "remove", "alex")
    ctl("hold", "--hold=case 17", "contoso/alex")
    told = ctl("explain", "contoso/alex").stdout
    assert "\nLast: hold added, " in told and "Since:" not in told


# What has been removed


GONE = "the account has been removed for good: nothing can be done with it any more"


@pytest.fixture
def gone(client, contoso):
    """The uids of accounts that were removed, and no keeper owed anything."""
    ids = [f"g{i}" for i in range(6)]
    people.take_in(client, *[people.guest(id) for id in ids])
    for verb in ("remove", "purge"):
        client.items(f"account.{verb}", people.names(ids))
    people.settle(client)
    return [people.get(client, id)["uid"] for id in ids]


def test_what_has_been_removed_is_not_called_badly_written(ctl, client, gone):
    keepers.set_keeper(client, "crm")
    for words in (["purge", "--yes"], ["remove"], ["disable"], ["owe", "crm"]):
        told = ctl(*words, "contoso/g1", code=NOT_FOUND).stdout
        assert f"refused: {GONE}\n" in told and "check how it is written" not in told
        assert "only its tombstone is left" in told
    told = ctl("explain", f"uid:{gone[0]}").stdout
    assert GONE in told and "check how it is written" not in told
    assert "check how it is written" in ctl("purge", "--yes", "contoso/x", code=NOT_FOUND).stdout


def test_of_many_those_removed_are_told_apart(ctl, gone):
    accounts = [f"contoso/g{i}" for i in range(6)]
    told = ctl("purge", "--yes", *accounts, code=NOT_FOUND).stdout
    assert f"\nnot-found, state removed: {GONE}\n" in told and "check how" not in told
    told = ctl("purge", "--yes", *accounts, "contoso/x", code=NOT_FOUND).stdout
    assert f"\nnot-found, state removed: {GONE}\nnot-found: no such account is known" in told


def test_a_purge_that_is_refused_says_that_the_account_is_held(ctl, client, contoso):
    people.take_in(client, people.guest("alex"))
    people.do(client, "remove", "alex")
    ctl("hold", "--hold=case 17", "contoso/alex")
    told = ctl("purge", "--yes", "contoso/alex", code=REFUSED).stdout
    assert "it is soft-deleted, held; it can be restored until" in told


def test_the_history_of_a_removal_says_which_keeper_did_what(ctl, client, contoso):
    for keeper in ("crm", "mail"):
        keepers.set_keeper(client, keeper)
    people.take_in(client, people.direct("dora"))
    ctl("remove", "--yes", "contoso/dora")
    ctl("waive", "crm", "--yes", "--reason=gone", "contoso/dora")
    [waived] = [
        entry
        for entry in ctl.json("explain", "contoso/dora")["history"]
        if entry["event"] == "task-waived"
    ]
    assert (waived["keeper"], waived["result"], waived["reason"]) == ("crm", "waived", "gone")
    history = ctl("explain", "contoso/dora").stdout.partition("\nHistory\n")[2].splitlines()
    assert "KEEPER" in history[0] and "RESULT" in history[0]
    assert any("task-waived" in line and "crm" in line for line in history)


def test_a_keeper_that_never_answers_is_not_the_end_of_it(ctl, client, contoso):
    keepers.set_keeper(client, "crm")
    people.take_in(client, people.direct("dora"))
    ctl("remove", "--yes", "contoso/dora")
    uid = people.get(client, "dora")["uid"]
    told = ctl("explain", "contoso/dora").stdout
    assert f"is given up with retentionctl waive crm uid:{uid} --reason=WHY.\n" in told
    assert "Nothing may be done" not in told
    keepers.set_keeper(client, "mail")
    ctl("owe", "mail", "contoso/dora")
    assert f"retentionctl waive KEEPER uid:{uid}" in ctl("explain", "contoso/dora").stdout
    for keeper in ("crm", "mail"):
        ctl("waive", keeper, "--yes", "--reason=gone", "contoso/dora")
    assert "retentionctl waive" not in ctl("explain", f"uid:{uid}").stdout


# Guards


def test_a_guard_that_holds_nothing_back_has_nothing_to_release(ctl, contoso):
    told = ctl("release-guard", "mass", "--org=contoso", "--expect=3", code=GUARD).stderr
    assert "is not engaged: it holds nothing back, and there is nothing to release" in told
    assert "or holds back another number than --expect names" in ctl("--help").stdout


# Keepers


def test_what_only_programs_can_ask_for_is_refused(ctl, client):
    keepers.set_keeper(client, "crm")
    for verb in ("confirm", "fail", "extend", "await"):
        told = ctl(verb, "crm", code=USAGE)
        assert told.stdout == "" and "is for programs" in told.stderr
        assert "retentionctl work" in told.stderr


# Import


def test_the_fields_of_a_file_are_in_its_help_and_in_the_fault(ctl, client, tmp_path):
    fields = "org, id, person, kind, upn, mail, name, enabled, groups, permissions, deleted_at_us"
    assert fields in ctl("import", "--help").stdout
    guests = tmp_path / "guests.csv"
    guests.write_text("org;id;kind;upn\ncontoso;1;member;a@contoso.example\n")
    told = ctl("import", guests, code=FAILURE).stderr
    assert 'there is no field "org;id;kind;upn" (column 1)' in told
    assert f"; commas separate the fields, which are {fields}\n" in told


def test_a_keeper_for_all_organizations_says_so(ctl, contoso):
    assert "orgs: all\n" in ctl("set-keeper", "crm").stdout
    ctl("set-keeper", "hr", "--orgs=contoso")
    crm, hr = ctl("keepers").stdout.splitlines()[1:3]
    assert crm.split()[2] == "all" and hr.split()[2] == "contoso"


# Lists and reports


def test_removals_that_a_guard_holds_back_have_a_column(ctl, contoso):
    assert "REMOVALS STAGED" in ctl("guards").stdout


def test_a_list_on_a_narrow_terminal_tells_accounts_apart(ctl, client, contoso):
    ids = [f"8f14e4{i:02}-ceea-467f-a8a3-0242ac130003" for i in range(2)]
    people.take_in(client, *[people.guest(id) for id in ids])
    client.items("account.remove", people.names(ids))
    with ctl.terminal("list", "--utc", COLUMNS="80") as terminal:
        shown = terminal.end()
    assert all(f" {id[:8]} " in shown for id in ids)
    assert " 2026-01-31T00:00:00Z" in shown and "(in 30d)" not in shown
    with ctl.terminal("list", "--utc", COLUMNS="250") as terminal:
        shown = terminal.end()
    assert all(f" {id} " in shown for id in ids)
    assert " 2026-01-31T00:00:00Z (in 30d)" in shown
    assert " 2026-01-31T00:00:00Z (in 30d)" in ctl("list", "--utc").stdout


def test_an_unknown_option_is_not_taken_for_another_verbs(ctl):
    assert ctl("list", "--windwo=3d", code=USAGE).stderr.endswith("see retentionctl list --help\n")
    assert "did you mean --window?" in ctl("set-org", "x", "--windwo=3d", code=USAGE).stderr


def test_a_report_of_everything_begins_at_the_beginning(ctl, contoso):
    told = ctl("report", "--utc").stdout
    assert "\nfrom the beginning until 2026-01-01T" in told and "1970" not in told
    told = ctl.error("report", "--csv", code=USAGE)["text"]
    assert told == "--csv and --json are two forms: leave one of them out"


# Who may what


@as_somebody_else
def test_who_is_refused_is_told_the_verb_that_says_what_they_may(daemon, contoso):
    nobody = Ctl(daemon.socket).become(NOBODY)
    for verb in (["list"], ["claim", "crm"]):
        told = nobody(*verb, code=PERMISSION).stderr
        assert f"retentionctl info tells which roles uid {NOBODY} has" in told


@as_somebody_else
def test_status_tells_why_it_does_not_say_how_the_daemon_is():
    configuration = keepers.grant("crm", uid=NOBODY)
    with running(configuration) as daemon:
        told = Ctl(daemon.socket).become(NOBODY)("status").stdout
    assert told.startswith("       State: not for this role to see: it takes the role reader")
    assert f"You: uid {NOBODY}; keeper crm\n" in told
