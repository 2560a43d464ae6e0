# SPDX-License-Identifier: Apache-2.0
"""A keeper as a unit: retention-keeper@files, set up as its manual says."""

import pytest

import people
from machine import until

UNIT = "retention-keeper@files.service"
USER = "retention-keeper-files"
DATA = "/srv/files"

KEEPER = f"""#!/bin/sh
file={DATA}/$RETENTION_ID
[ -e "$file" ] || echo "result: nothing-found"
rm -f -- "$file"
"""

GRANT = f"[grant files]\nrole = keeper files\nusers = {USER}\n"


@pytest.fixture(scope="module")
def keeper(shared):
    """The keeper at work. Only its own directory is given back to it."""
    shared.run("adduser", "--system", "--group", "--no-create-home", USER)
    shared.run("install", "-d", "-o", USER, "-g", USER, "-m", "700", DATA)
    shared.write("/etc/retentiond/keepers/files", KEEPER, mode=0o755)
    shared.write("/etc/retentiond/retentiond.conf.d/files.conf", GRANT)
    shared.systemctl("reload", "retentiond.service")
    shared.ctl("set-keeper", "files")
    with shared.drop_in(UNIT, f"[Service]\nReadWritePaths={DATA}\n"):
        shared.systemctl("start", UNIT)
        yield shared
        shared.systemctl("stop", UNIT)


def write_file(machine, id):
    path = f"{DATA}/{id}"
    machine.write(path, "all about this person\n")
    machine.run("chown", f"{USER}:{USER}", path)
    return machine.path(path)


def purge(machine, org, id):
    with machine.connect() as client:
        people.take_in(client, people.guest(id, org))
    machine.run("retentionctl", "leave", f"{org}/{id}")
    machine.run("retentionctl", "purge", "--yes", f"{org}/{id}")


def receipt_of(machine, org, id):
    return machine.output("retentionctl", "receipt", f"{org}/{id}")


def await_complete(machine, org, id):
    until(lambda: "state: removed" in receipt_of(machine, org, id), "the end of the removal")
    return receipt_of(machine, org, id)


def test_a_purged_guest_s_file_is_gone_and_the_receipt_is_complete(keeper, machine, org):
    file = write_file(machine, "alex")
    purge(machine, org, "alex")
    receipt = await_complete(machine, org, "alex")
    assert not file.exists()
    assert "files" in receipt and "erased" in receipt
    assert "alex" not in receipt.replace(f"{org}/alex", "")
    machine.write("/root/receipt.txt", receipt + "\n")
    machine.run("retentionctl", "receipt", "verify", "/root/receipt.txt")


def test_what_was_not_there_is_confirmed_as_that(keeper, machine, org):
    purge(machine, org, "blake")
    assert "nothing-found" in await_complete(machine, org, "blake")


def test_the_keeper_is_its_own_user_and_closed_in(keeper, machine):
    pid = machine.main_pid(UNIT)
    status = machine.path(f"/proc/{pid}/status").read_text()
    uid = machine.output("id", "--user", USER)
    assert f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}" in status
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
    assert "CapEff:\t0000000000000000" in status


def test_the_keeper_goes_on_after_a_restart_of_the_daemon(keeper, machine, org):
    machine.systemctl("restart", "retentiond.service")
    file = write_file(machine, "casey")
    purge(machine, org, "casey")
    await_complete(machine, org, "casey")
    assert not file.exists()
    assert machine.show(UNIT, "NRestarts") == "0"


def test_a_keeper_without_a_command_says_which_and_is_not_tried_again(machine):
    unit = "retention-keeper@missing.service"
    machine.run("adduser", "--system", "--group", "--no-create-home", "retention-keeper-missing")
    machine.systemctl("start", unit, status=None)
    until(lambda: machine.show(unit, "ActiveState") == "failed", "the end of the keeper")
    assert machine.show(unit, "NRestarts") == "0"
    told = machine.messages(f"--unit={unit}")
    assert any("cannot run /etc/retentiond/keepers/missing" in text for text in told)
