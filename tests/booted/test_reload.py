# SPDX-License-Identifier: Apache-2.0
"""systemctl reload puts new grants into force, and a wrong file puts none into force."""

import pytest

from machine import until

UNIT = "retentiond.service"
GRANT = "/etc/retentiond/retentiond.conf.d/60-test.conf"

READER = "[grant test]\nrole = reader\nusers = caller\n"
WRONG = "[grant test]\nrole = king\nusers = caller\n"

OK, PERMISSION = 0, 4


def may_read(machine):
    return machine.ctl_as("caller", "list").returncode == OK


def status(machine):
    return machine.show(UNIT, "StatusText")


@pytest.fixture
def configured(machine):
    """The machine, and afterwards again without the file that the test has written."""
    yield machine
    machine.path(GRANT).unlink(missing_ok=True)
    machine.systemctl("reload", UNIT)
    until(lambda: not may_read(machine) and "wrong" not in status(machine), "the old grants")


def test_a_new_grant_is_in_force_after_a_reload_without_a_restart(configured):
    pid = configured.main_pid()
    assert configured.ctl_as("caller", "list").returncode == PERMISSION
    configured.write(GRANT, READER)
    assert not may_read(configured), "without a reload nothing changes"
    configured.systemctl("reload", UNIT)
    until(lambda: may_read(configured), "the new grant")
    assert configured.main_pid() == pid


def test_a_wrong_file_leaves_the_grants_as_they_were_and_the_status_says_so(configured):
    configured.write(GRANT, READER)
    configured.systemctl("reload", UNIT)
    until(lambda: may_read(configured), "the new grant")
    configured.write(GRANT, WRONG)
    configured.systemctl("reload", UNIT, status=1)
    until(lambda: "configuration is wrong" in status(configured), "a status that says it")
    assert may_read(configured)
    assert "configuration is wrong" in configured.systemctl("status", UNIT).stdout
    told = configured.messages(f"--unit={UNIT}")
    assert any(GRANT in text and "king" in text for text in told), "the journal names the fault"
    assert configured.show(UNIT, "ActiveState") == "active"


def test_the_status_is_well_again_when_the_file_is(configured):
    configured.write(GRANT, WRONG)
    configured.systemctl("reload", UNIT, status=1)
    until(lambda: "configuration is wrong" in status(configured), "a status that says it")
    configured.write(GRANT, READER)
    configured.systemctl("reload", UNIT)
    until(lambda: may_read(configured), "the new grant")
    assert "wrong" not in status(configured)


def test_a_daemon_does_not_start_with_a_wrong_file_and_is_not_tried_again(configured):
    configured.systemctl("stop", "retentiond.socket", UNIT)
    configured.write(GRANT, WRONG)
    assert configured.systemctl("start", UNIT, status=None).returncode != OK
    state, code, restarts = configured.show(UNIT, "ActiveState", "ExecMainStatus", "NRestarts")
    assert (state, code, restarts) == ("failed", "6", "0")
    configured.path(GRANT).unlink()
    configured.systemctl("start", "retentiond.socket", UNIT)
