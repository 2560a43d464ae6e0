# SPDX-License-Identifier: Apache-2.0
"""What retentionctl says: each test is named after what somebody read, and took for something else."""

import json

import pytest

import keepers
import people
from ctl import FAILURE, NOT_FOUND, OK, REFUSED, USAGE, VERIFICATION, Ctl
from daemon import DAY


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
