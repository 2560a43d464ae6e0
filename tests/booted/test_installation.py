# SPDX-License-Identifier: Apache-2.0
"""What an administrator finds after apt install, and after the next boot."""

import pytest

import people

UNIT = "retentiond.service"
STATE = "/var/lib/retentiond"


def test_the_socket_listens_after_the_installation_and_the_daemon_waits_for_a_call(fresh):
    assert fresh.show("retentiond.socket", "ActiveState", "SubState") == ["active", "listening"]
    assert fresh.show(UNIT, "ActiveState", "Result") == ["inactive", "success"]
    assert fresh.output("systemctl", "is-system-running") == "running"


def test_the_first_call_starts_the_daemon(fresh):
    assert fresh.ctl("info")["product"] == "retentiond"
    assert fresh.show(UNIT, "ActiveState", "SubState") == ["active", "running"]


def test_the_installation_is_enabled_for_the_next_boot(machine):
    for unit in ("retentiond.socket", UNIT):
        assert machine.output("systemctl", "is-enabled", unit) == "enabled"


def test_the_daemon_says_by_itself_when_it_is_ready_and_how_it_is(machine):
    kind, state, text = machine.show(UNIT, "Type", "SubState", "StatusText")
    assert (kind, state) == ("notify", "running")
    assert text
    assert text in machine.systemctl("status", UNIT).stdout


def test_the_installed_configuration_is_right(machine):
    machine.run("retentiond", "--check-config", "--config=/etc/retentiond/retentiond.conf")


def test_no_unit_of_the_package_has_a_fault_that_systemd_knows_of(machine):
    units = machine.output("sh", "-c", "dpkg --listfiles retentiond | grep /systemd/system/.*[^/]$")
    verified = machine.run("systemd-analyze", "verify", "--man=no", *units.split())
    told = verified.stdout + verified.stderr
    assert "retention" not in told, told


def test_what_the_package_makes_is_closed_to_other_users(machine):
    for directory in (
        STATE,
        "/var/lib/retentiond-register",
        "/var/backups/retentiond",
        "/var/backups/retentiond-vault",
    ):
        told = machine.output("stat", "--format=%U:%G %a", directory)
        assert told == "retentiond:retentiond 700", directory


def test_the_daemon_is_there_after_a_boot_without_anybody_calling(fresh):
    with fresh.connect() as client:
        people.set_org(client, **people.PRIVACY)
        people.take_in(client, people.guest("1"))
    # It ends as the power does: nobody is told.
    fresh.reboot()
    assert fresh.show(UNIT, "ActiveState", "SubState") == ["active", "running"]
    assert fresh.ctl("show", "contoso/1")["account"]["state"] == "active"
    fresh.run("retentionctl", "verify")


@pytest.mark.parametrize("directory", [STATE, "/var/lib/retentiond-register"])
def test_the_daemon_waits_for_the_mounts_below_its_directories(fresh, directory):
    # A bind mount stands for the disk that an administrator has put there.
    fresh.run("install", "-d", "-o", "retentiond", "-g", "retentiond", "-m", "700", "/disk")
    fresh.write("/etc/fstab", f"/disk {directory} none bind 0 0\n")
    fresh.reboot()
    fresh.ctl("info")
    assert fresh.output("findmnt", "--noheadings", "--output=TARGET", directory) == directory
    assert fresh.output("ls", "/disk")
