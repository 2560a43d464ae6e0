# SPDX-License-Identifier: Apache-2.0
"""Who may do what, by the groups that come with the package. Nothing else was configured."""

import re

import pytest

import people
from conftest import MEMBERS

OK, PERMISSION = 0, 4

SOCKET = "/run/retentiond/retentiond.sock"

# What each role is for; of a user who may not, nothing happens.
VERBS = {
    "list": ("list", "--org={org}"),
    "leave": ("leave", "{org}/leaver-of-{user}"),
    "remove": ("remove", "{org}/removed-by-{user}"),
    "hold": ("hold", "{org}/held-by-{user}", "--hold=case-7"),
    "set-org": ("set-org", "{org}", "--name=By {user}"),
    "verify": ("verify",),
    "backup": ("backup",),
}

MAY = {
    "anna": {"list", "leave", "remove", "hold", "set-org", "verify", "backup"},
    "portal": {"leave"},
    "audrey": {"list", "verify"},
    "caller": set(),
}

ROLES = {
    "anna": ["admin"],
    "portal": ["self-service"],
    "audrey": ["auditor", "reader"],
    "caller": [],
}


def command(verb, org, user):
    return [part.format(org=org, user=user) for part in VERBS[verb]]


@pytest.fixture
def accounts(client, org):
    """For each user accounts of their own to try it with."""
    ids = [f"{done}-{user}" for user in MAY for done in ("leaver-of", "removed-by", "held-by")]
    people.take_in(client, *(people.guest(id, org) for id in ids))
    return ids


def states(client, org):
    return {row["id"]: row["state"] for row in client.pages("account.list", "accounts", org=org)}


@pytest.mark.parametrize("user", ROLES)
def test_a_group_is_a_role(machine, user):
    you = machine.ctl("info", user=user)["you"]
    assert sorted(row["role"] for row in you["roles"]) == ROLES[user]
    assert you["uid"] == int(machine.output("id", "--user", user))


@pytest.mark.parametrize(("user", "verb"), [(user, verb) for user in MAY for verb in MAY[user]])
def test_a_role_allows(machine, org, accounts, user, verb):
    ended = machine.ctl_as(user, *command(verb, org, user))
    assert ended.returncode == OK, ended


@pytest.mark.parametrize(
    ("user", "verb"), [(user, verb) for user in MAY for verb in VERBS if verb not in MAY[user]]
)
def test_a_role_refuses_all_else_says_so_and_changes_nothing(
    machine, client, org, accounts, user, verb
):
    head = people.head(client)
    ended = machine.ctl_as(user, *command(verb, org, user))
    assert ended.returncode == PERMISSION, ended
    assert re.search(r"needs the role (admin|reader|auditor|self-service)", ended.stderr), ended
    assert people.head(client) == head
    assert set(states(client, org).values()) == {"active"}


def test_without_a_group_nobody_can_even_connect(machine):
    ended = machine.ctl_as("stranger", "info")
    assert ended.returncode == PERMISSION
    assert SOCKET in ended.stderr
    assert "member of" in ended.stderr, "no advice"


def test_the_socket_is_closed_to_all_but_the_groups(machine):
    """A role's group is let in by the socket's access list: the group retention is not needed."""
    acl = machine.output("getfacl", "--absolute-names", "--omit-header", SOCKET).splitlines()
    let_in = {line.split(":")[1] for line in acl if re.match(r"group:[^:]+:rw-", line)}
    assert let_in == {"retention-admin", "retention-selfservice", "retention-audit"}
    assert "other::---" in acl
    assert machine.output("stat", "--format=%U:%G", SOCKET) == "root:retention"
    for user, group in MEMBERS.items():
        groups = set(machine.output("id", "--groups", "--name", user).split())
        assert groups == {user, group} - {None}


def test_the_access_list_is_there_again_after_the_socket_was_restarted(machine):
    machine.systemctl("stop", "retentiond.service")
    machine.systemctl("restart", "retentiond.socket")
    assert machine.ctl("info", user="anna")["you"]["roles"] == [{"role": "admin"}]


def test_a_user_gets_a_role_by_one_adduser(machine):
    machine.run("useradd", "--create-home", "newcomer")
    assert machine.ctl_as("newcomer", "info").returncode == PERMISSION
    machine.run("usermod", "--append", "--groups", "retention-audit", "newcomer")
    roles = machine.ctl("info", user="newcomer")["you"]["roles"]
    assert sorted(row["role"] for row in roles) == ["auditor", "reader"]
