# SPDX-License-Identifier: Apache-2.0
"""What the tests on booted machines share. PACKAGE names the Debian package under test."""

import os
import re

import pytest

import machine as machines
import people
import rootfs

PACKAGE = os.environ["PACKAGE"]

# One user for each group that the package makes, and one who is in none of them.
MEMBERS = {
    "anna": "retention-admin",
    "portal": "retention-selfservice",
    "audrey": "retention-audit",
    "caller": "retention",
    "stranger": None,
}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What fails shows the end of the journal of each machine that runs."""
    report = (yield).get_result()
    if report.failed:
        for machine in machines.running:
            report.sections.append(("journal of the machine", machine.journal_end()))


@pytest.fixture(scope="session")
def root():
    """Debian as it comes, with what the package depends on."""
    with rootfs.root_for(PACKAGE) as made:
        yield made


def install(machine):
    """Installs the package as an administrator does; there is no network to help."""
    inside = "/var/tmp/retentiond.deb"
    machine.path(inside).write_bytes(open(PACKAGE, "rb").read())
    return machine.output(
        "env", "DEBIAN_FRONTEND=noninteractive",
        "apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", inside,
    )


@pytest.fixture
def bare(root):
    """A machine of its own for one test, on which nothing is installed yet."""
    with machines.booted(root) as machine:
        yield machine


@pytest.fixture
def fresh(bare):
    """A machine of its own for one test, with the package as it was just installed."""
    install(bare)
    return bare


@pytest.fixture(scope="module")
def shared(root):
    """The machine of all tests in a file that leave it as they found it: with the package, and
    users.
    """
    with machines.booted(root) as machine:
        install(machine)
        for user, group in MEMBERS.items():
            machine.run("useradd", *(["--groups", group] if group else []), user)
        machine.ctl("info")
        yield machine


@pytest.fixture
def machine(shared):
    """The shared machine, with its daemon at work."""
    # What other tests did to the daemon is not counted against this one.
    shared.systemctl("reset-failed")
    shared.systemctl("start", "retentiond.socket", "retentiond.service")
    return shared


@pytest.fixture
def client(machine):
    """A connection as root."""
    with machine.connect() as connected:
        yield connected


@pytest.fixture
def org(machine, request):
    """An organization of the test's own."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower())[-64:].strip("-")
    with machine.connect() as client:
        people.set_org(client, name, **people.PRIVACY)
    return name
