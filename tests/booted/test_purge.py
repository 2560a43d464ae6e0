# SPDX-License-Identifier: Apache-2.0
"""apt purge takes the program and leaves the evidence."""

import people
from conftest import install
from machine import until

PLACES = [
    "/var/lib/retentiond",
    "/var/lib/retentiond-register",
    "/var/backups/retentiond",
    "/var/backups/retentiond-vault",
]


def take_away(machine, how):
    ended = machine.run(
        "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", how, "--yes", "--quiet=2", "retentiond"
    )
    return ended.stdout + ended.stderr


def fill(machine):
    """One guest who stays, and one who was removed for good."""
    with machine.connect() as client:
        people.set_org(client, **people.PRIVACY)
        people.take_in(client, people.guest("stays"), people.guest("gone"))
        people.do(client, "leave", "gone")
        people.do(client, "purge", "gone")
        people.settle(client)
    machine.systemctl("start", "retention-backup.service")


def receipt_of(machine, account):
    """What a receipt says of the removal, without when and over what it was signed."""
    receipt = machine.output("retentionctl", "receipt", account)
    return receipt.partition("\nledger head: ")[0]


def test_a_purge_leaves_the_evidence_and_says_where(fresh):
    fill(fresh)
    told = take_away(fresh, "purge")
    for place in PLACES:
        assert place in told
        assert any(fresh.path(place).iterdir()), place
    assert not fresh.path("/usr/sbin/retentiond").exists()
    assert not fresh.path("/etc/retentiond/retentiond.conf").exists()


def test_nothing_of_the_package_runs_after_a_purge(fresh):
    fill(fresh)
    fresh.systemctl("enable", "--now", "retention-backup.timer")
    fresh.run("install", "-d", "/var/lib/prometheus/node-exporter")
    fresh.systemctl("start", "retention-metrics.timer")
    take_away(fresh, "purge")
    assert "retention" not in fresh.output(
        "systemctl", "list-units", "--all", "--plain", "--no-legend", "--state=active,failed")
    assert not fresh.path("/run/retentiond/retentiond.sock").exists()
    assert fresh.output("systemctl", "is-system-running") == "running"


def test_a_reinstallation_serves_the_evidence_again(fresh):
    fill(fresh)
    key, receipt = fresh.ctl("info")["public_key"], receipt_of(fresh, "contoso/gone")
    assert "state: removed" in receipt
    with fresh.connect() as client:
        n_entries = people.verify(client)
    take_away(fresh, "purge")
    install(fresh)
    with fresh.connect() as client:
        assert people.verify(client) >= n_entries
    assert receipt_of(fresh, "contoso/gone") == receipt
    assert fresh.ctl("info")["public_key"] == key


def test_a_removed_person_stays_removed_when_the_package_comes_back(fresh):
    fill(fresh)
    take_away(fresh, "remove")
    install(fresh)
    with fresh.connect() as client:
        rows = {row["id"]: row for row in client.pages("account.list", "accounts", org="contoso")
                if "id" in row}
        assert rows["stays"]["state"] == "active"
        assert "gone" not in rows
        assert people.do(client, "restore", "gone")["outcome"] in ("irrevocable", "not-found")


def test_a_removal_of_the_package_keeps_the_configuration(fresh):
    path = "/etc/retentiond/retentiond.conf.d/60-test.conf"
    fresh.write(path, "[grant test]\nrole = reader\nusers = root\n")
    take_away(fresh, "remove")
    assert fresh.path(path).exists()
    assert fresh.path("/etc/retentiond/retentiond.conf").exists()


def test_an_installation_over_itself_keeps_the_socket_open_and_starts_the_daemon_again(fresh):
    fresh.ctl("info")
    before = fresh.main_pid()
    with fresh.connect() as client:
        people.set_org(client, **people.PRIVACY)
    reinstalled = fresh.run(
        "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--reinstall", "--yes",
        "--quiet=2", "/var/tmp/retentiond.deb",
    )
    until(lambda: fresh.main_pid() not in (0, before), f"a new daemon: {reinstalled.stdout}")
    assert fresh.ctl("org", "contoso")["org"]["org"] == "contoso"
