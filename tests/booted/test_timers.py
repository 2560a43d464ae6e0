# SPDX-License-Identifier: Apache-2.0
"""Backups and figures, made by timers."""

import pytest

import people
from machine import until

PROM = "/var/lib/prometheus/node-exporter"
MODE = "retentiond:retentiond 700"

PLACES = ["/var/backups/retentiond", "/var/backups/retentiond-vault"]


def mode_of(machine, path):
    return machine.output("stat", "--format=%U:%G %a", path)


def test_the_backup_timer_can_be_enabled_and_knows_when_it_comes_next(machine):
    machine.systemctl("enable", "--now", "retention-backup.timer")
    assert machine.show("retention-backup.timer", "ActiveState") == "active"
    assert machine.show("retention-backup.timer", "NextElapseUSecRealtime")
    assert "retention-backup.service" in machine.systemctl("list-timers").stdout


def test_a_backup_has_the_data_and_apart_from_it_the_keys(machine, client, org):
    people.take_in(client, people.guest("1", org))
    machine.systemctl("start", "retention-backup.service")
    assert machine.show("retention-backup.service", "Result") == "success"
    until(lambda: any(machine.path(PLACES[0]).glob("data-*/data.mdb")), "the data")
    until(lambda: any(machine.path(PLACES[1]).glob("vault*")), "the keys")
    # Neither is where the other is: the data without the keys is noise.
    assert not [path for path in machine.path(PLACES[0]).rglob("*vault*")]
    assert not [path for path in machine.path(PLACES[1]).rglob("*.mdb")]


def test_nobody_else_can_look_into_a_backup(machine):
    machine.systemctl("start", "retention-backup.service")
    until(lambda: any(machine.path(PLACES[0]).glob("data-*/data.mdb")), "the data")
    for place in PLACES:
        assert mode_of(machine, place) == MODE
        for path in machine.path(place).rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, path


def test_a_backup_that_cannot_be_made_is_a_failed_unit(machine):
    """So that whoever watches units hears of it."""
    # The daemon is down and stays down.
    machine.systemctl("stop", "retentiond.socket", "retentiond.service")
    assert machine.systemctl("start", "retention-backup.service", status=None).returncode != 0
    assert machine.show("retention-backup.service", "Result") == "exit-code"
    machine.systemctl("start", "retentiond.socket", "retentiond.service")


@pytest.fixture
def exporter(machine):
    """Where the exporter for Prometheus looks for figures."""
    machine.run("install", "-d", "-m", "755", PROM)
    machine.systemctl("start", "retention-metrics.timer")
    return machine


def test_figures_are_written_for_prometheus_by_a_user_of_their_own(exporter, org):
    exporter.systemctl("start", "retention-metrics.service")
    assert exporter.show("retention-metrics.service", "Result") == "success"
    text = exporter.path(f"{PROM}/retentiond.prom").read_text()
    assert "# TYPE retentiond_" in text
    assert [path.name for path in exporter.path(PROM).iterdir()] == ["retentiond.prom"]
    assert exporter.path(f"{PROM}/retentiond.prom").stat().st_mode & 0o004


def test_the_timer_of_the_figures_runs(exporter):
    assert exporter.show("retention-metrics.timer", "ActiveState") == "active"
    assert exporter.show("retention-metrics.timer", "NextElapseUSecMonotonic") != "infinity"


def test_whoever_owns_what_is_above_the_figures_has_root_write_nowhere_else(exporter):
    """The exporter's package gives /var/lib/prometheus to its user, who is anybody here."""
    above = PROM.rpartition("/")[0]
    mine = f"mv {PROM} {PROM}.before && mkdir {PROM} && ln -s /etc/nologin {PROM}/retentiond.prom.new"
    exporter.run("chown", "retention-metrics", above)
    exporter.run("sh", "-c", mine, user="retention-metrics")
    exporter.systemctl("start", "retention-metrics.service", status=None)
    assert not exporter.path("/etc/nologin").exists()
    exporter.run("sh", "-c", f"rm -r {PROM} && mv {PROM}.before {PROM} && chown root {above}")
