# SPDX-License-Identifier: Apache-2.0
"""What the journal knows: lines with fields to search by, and explanations."""

import re

import pytest

import people
from machine import until

UNIT = "retentiond.service"

OVERDUE = "1d7a4f0e6c2b4b0e9a5c3f8e2d6b7a90"

SIMULATED = "OPTIONS=--clock=simulated:2026-01-01T00:00:00Z\n"


@pytest.fixture(scope="module")
def late(shared):
    """A machine whose clock has been moved past every deadline of a removal."""
    shared.write("/etc/default/retentiond", SIMULATED)
    # The clock of a store is one or the other, for good: this one is made anew.
    shared.systemctl("stop", "retentiond.socket", UNIT)
    shared.run("sh", "-c", "rm -rf /var/lib/retentiond/* /var/lib/retentiond-register/*")
    shared.systemctl("start", "retentiond.socket", UNIT)
    with shared.connect() as client:
        people.set_org(client, **people.PRIVACY)
        people.take_in(client, people.guest("alex"))
        client.call("keeper.set", keeper="crm")
        people.do(client, "leave", "alex")
        for _ in range(3):
            client.call("clock.advance", by_us=31 * 86_400 * 1_000_000)
            people.settle(client)
    return shared


def find(machine, *matches):
    return until(lambda: machine.journal(*matches), f"an entry with {matches}")


def test_what_is_overdue_is_found_by_its_message_id(late):
    entry = find(late, f"MESSAGE_ID={OVERDUE}")[-1]
    assert entry["RETENTIOND_KEEPERS"] == "crm"
    assert entry["RETENTIOND_OVERDUE"] == "1"
    assert entry["PRIORITY"] == "3"
    assert entry["_SYSTEMD_UNIT"] == UNIT


def test_what_is_overdue_is_found_by_the_keeper_that_owes_it(late):
    assert find(late, "RETENTIOND_KEEPERS=crm")
    assert not late.journal("RETENTIOND_KEEPERS=nobody")


def test_the_catalog_explains_what_is_overdue_and_what_to_do(late):
    find(late, f"MESSAGE_ID={OVERDUE}")
    told = late.output("journalctl", "--catalog", f"MESSAGE_ID={OVERDUE}")
    assert "A promise of erasure is overdue" in told
    assert "retentionctl waive" in told


def test_what_a_sweep_did_is_found_by_field(late):
    entry = find(late, "RETENTIOND_STARTED=1")[-1]
    assert "1 removals started" in entry["MESSAGE"]


def test_each_line_has_a_priority_and_the_daemon_s_name(late):
    entries = find(late, f"_SYSTEMD_UNIT={UNIT}")
    for entry in entries:
        assert re.fullmatch("[2-7]", entry["PRIORITY"])
        assert entry["SYSLOG_IDENTIFIER"] == "retentiond"


def test_no_line_names_a_person(late):
    told = " ".join(str(entry) for entry in late.journal())
    assert "fabrikam" not in told
