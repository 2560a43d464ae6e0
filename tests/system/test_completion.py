# SPDX-License-Identifier: Apache-2.0
"""What TAB does: asked of the program, and pressed in shells."""

import os
import socket
import subprocess
import time

import pytest

import keepers
import people
from daemon import ENVIRONMENT, program, running
from shells import ENTER, SHELLS, Bash, Fish, Zsh
from test_client import reachable

READER, OF_FABRIKAM, NOBODY_HERE = 4001, 4002, 4003

GRANTS = f"""
[grant readers]
role = reader
users = {READER}

[grant fabrikam]
role = admin
users = {OF_FABRIKAM}
organizations = fabrikam
"""


def told(socket_path, *words, as_uid=None):
    """The candidates with what they mean, and the last line. Nothing but them is ever said."""
    ended = subprocess.run(
        [
            program("RETENTIONCTL") if as_uid is None else reachable(socket_path.parent),
            "complete",
            "--",
            *words,
        ],
        env={**ENVIRONMENT, "RETENTIOND_SOCKET": str(socket_path)},
        capture_output=True,
        text=True,
        timeout=60,
        user=as_uid,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended
    *lines, directive = ended.stdout.splitlines()
    assert directive.startswith(":"), ended
    return dict(line.split("\t") for line in lines), directive


def candidates(*arguments, **more):
    return list(told(*arguments, **more)[0])


@pytest.fixture
def town(daemon, client, contoso):
    """Two organizations; of contoso alex is active, kim is soft-deleted."""
    people.set_org(client, "fabrikam", name="Fabrikam")
    people.take_in(client, people.guest("alex"), people.guest("kim"))
    people.do(client, "leave", "kim")
    return daemon


# The program


def test_organizations_are_those_that_there_are(town):
    meant, directive = told(town.socket, "org", "")
    assert meant == {"contoso": "Contoso", "fabrikam": "Fabrikam"}
    assert directive == ":done"
    assert candidates(town.socket, "list", "--org=f") == ["--org=fabrikam"]
    assert candidates(town.socket, "list", "--org", "c") == ["contoso"]
    assert candidates(town.socket, "set-keeper", "crm", "--orgs=contoso,f") == [
        "--orgs=contoso,fabrikam"
    ]


def test_an_account_is_completed_by_its_id_and_no_person_is_told(town, client):
    # An id that reads as a person's name would name another account, or nobody.
    people.take_in(client, {**people.guest("sam"), "id": "sam@home"})
    assert candidates(town.socket, "show", "") == ["contoso/", "fabrikam/"]
    meant, _ = told(town.socket, "show", "contoso/")
    assert meant == {
        "contoso/alex": "b2b-collaboration, active",
        "contoso/kim": "b2b-collaboration, soft-deleted",
    }
    assert candidates(town.socket, "show", "contoso/alex@") == []


def test_a_verb_is_offered_the_accounts_that_it_can_do_something_for(town):
    assert candidates(town.socket, "remove", "contoso/") == ["contoso/alex"]
    assert candidates(town.socket, "restore", "contoso/") == ["contoso/kim"]
    assert candidates(town.socket, "waive", "crm", "contoso/") == []


def test_a_list_that_is_too_long_to_be_whole_is_not_offered(daemon, client, contoso):
    people.take_in(client, *[people.guest(f"g{i}") for i in range(1000)])
    assert len(candidates(daemon.socket, "show", "contoso/")) == 1000
    people.take_in(client, people.guest("one-more"))
    assert candidates(daemon.socket, "show", "contoso/") == []


def test_a_list_of_several_pages_is_whole(daemon, client, contoso):
    """A page ends early where few of the rows that it looks at are wanted."""
    people.take_in(client, *[people.guest(f"g{i}") for i in range(5000)])
    people.do(client, "leave", "g4999")
    assert candidates(daemon.socket, "restore", "contoso/g4") == ["contoso/g4999"]


def test_keepers_are_told_with_what_they_owe(town, client):
    keepers.set_keeper(client, "crm")
    keepers.set_keeper(client, "mail", enabled=False)
    people.do(client, "purge", "kim")
    meant, _ = told(town.socket, "waive", "")
    assert meant == {"crm": "owes 1", "mail": "disabled, owes 0"}
    assert candidates(town.socket, "work", "c") == ["crm"]


def test_requests_are_those_that_can_be_decided(town, client):
    people.take_in(client, people.guest("sam"))
    first, second = (
        item["request"] for item in client.items("request.file", people.names(["alex", "sam"]))
    )
    client.call("request.deny", requests=[{"request": first}], reason="no")
    meant, _ = told(town.socket, "approve", "")
    assert list(meant) == [str(second)]
    assert meant[str(second)].startswith("contoso, due 2026-01-31")
    assert candidates(town.socket, "requests", "--limit=") == []


def test_a_hold_is_released_by_the_name_that_it_has(town, client):
    client.items("hold.add", people.names(["alex"]), hold="case 17")
    assert candidates(town.socket, "release", "contoso/alex", "--hold=") == ["--hold=case 17"]
    assert candidates(town.socket, "release", "--hold=") == []
    assert candidates(town.socket, "release", "contoso/ghost", "--hold=") == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_nobody_is_told_more_than_their_role_may_see():
    with running(GRANTS) as daemon, daemon.connect() as client:
        people.set_org(client, "contoso", **people.PRIVACY)
        people.set_org(client, "fabrikam")
        people.take_in(client, people.guest("alex"), people.guest("sam", "fabrikam"))

        def offered(uid, *words):
            return candidates(daemon.socket, *words, as_uid=uid)

        assert offered(READER, "org", "") == ["contoso", "fabrikam"]
        assert offered(READER, "show", "contoso/") == ["contoso/alex"]
        assert offered(READER, "approve", "") == []
        assert offered(OF_FABRIKAM, "org", "") == ["fabrikam"]
        assert offered(OF_FABRIKAM, "show", "contoso/") == []
        assert offered(OF_FABRIKAM, "show", "fabrikam/") == ["fabrikam/sam"]
        assert offered(NOBODY_HERE, "org", "") == []
        assert "list" in offered(NOBODY_HERE, "")
        daemon.socket.chmod(0o600)
        assert offered(READER, "org", "") == []
        assert "--state=" in offered(READER, "list", "--st")


def test_the_socket_on_the_line_is_asked(town, tmp_path):
    nowhere = tmp_path / "nowhere"
    assert candidates(nowhere, "org", "con") == []
    assert candidates(nowhere, "-j", f"--socket={town.socket}", "org", "con") == ["contoso"]
    assert candidates(nowhere, "--socket", str(town.socket), "org", "con") == ["contoso"]


def test_a_daemon_that_does_not_answer_is_not_waited_for(tmp_path):
    path = tmp_path / "silent"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        began = time.monotonic()
        assert candidates(path, "receipt", "") == ["verify"]
        assert time.monotonic() - began < 10  # a second, on a machine that is busy


# Shells


@pytest.fixture(params=SHELLS.values(), ids=SHELLS.keys())
def shell(request, town, tmp_path):
    with request.param(tmp_path, {"RETENTIOND_SOCKET": str(town.socket)}) as ready:
        yield ready


def test_a_shell_completes(shell):
    wanted = {
        "retentionctl lis": "retentionctl list ",
        "retentionctl org con": "retentionctl org contoso ",
        "retentionctl list --stat": "retentionctl list --state=",
        "retentionctl list --state=so": "retentionctl list --state=soft-deleted ",
        "retentionctl list --state so": "retentionctl list --state soft-deleted ",
        "retentionctl -j show con": "retentionctl -j show contoso/",
        "retentionctl -j show contoso/al": "retentionctl -j show contoso/alex ",
        "retentionctl list --overd": "retentionctl list --overdue ",
        "retentionctl call stats.": "retentionctl call stats.get ",
        "retentionctl set-keeper crm --orgs=contoso,fab": (
            "retentionctl set-keeper crm --orgs=contoso,fabrikam "
        ),
        "true; retentionctl lis": "true; retentionctl list ",
    }
    assert {text: shell.complete(text) for text in wanted} == wanted


def test_a_shell_completes_files_where_one_is_wanted(shell, tmp_path):
    (tmp_path / "leavers.txt").touch()
    (tmp_path / "eraser").touch(0o755)
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "here").touch()
    wanted = {
        "retentionctl import lea": "retentionctl import leavers.txt ",
        "retentionctl import ~/lea": "retentionctl import ~/leavers.txt ",
        "retentionctl leave @lea": "retentionctl leave @leavers.txt ",
        "retentionctl leave @pap": "retentionctl leave @papers/",
        "retentionctl leave @papers/h": "retentionctl leave @papers/here ",
        "retentionctl --socket=papers/h": "retentionctl --socket=papers/here ",
        "retentionctl receipt verify x --key lea": (
            "retentionctl receipt verify x --key leavers.txt "
        ),
        "retentionctl work crm -- ./er": "retentionctl work crm -- ./eraser ",
        "retentionctl work crm -- retentionc": "retentionctl work crm -- retentionctl ",
        "retentionctl work crm -- x lea": "retentionctl work crm -- x leavers.txt ",
        "retentionctl list >lea": "retentionctl list >leavers.txt ",
        "retentionctl list 2>lea": "retentionctl list 2>leavers.txt ",
    }
    assert {text: shell.complete(text) for text in wanted} == wanted


@pytest.mark.parametrize("shell", [Bash, Zsh], indirect=True)  # fish itself counts it as one
def test_a_redirection_is_no_word_of_the_command(shell):
    assert shell.complete("retentionctl 2>/dev/null lis") == "retentionctl 2>/dev/null list "


def test_a_shell_quotes_what_it_would_read_otherwise(shell, client):
    odd = "odd$(id)'\";&|*~:,\\{a}!=#"
    people.take_in(client, {**people.guest("odd"), "id": odd})
    assert shell.arguments("retentionctl show contoso/odd") == f"<show><contoso/{odd}>"


def test_a_shell_completes_behind_an_open_quote(shell):
    assert shell.arguments("retentionctl show 'contoso/al") == "<show><contoso/alex>"
    assert shell.arguments('retentionctl show "contoso/al') == "<show><contoso/alex>"


def test_a_shell_completes_by_the_socket_on_the_line(request, town, tmp_path):
    for shell in SHELLS.values():
        directory = tmp_path / shell.name
        directory.mkdir()
        with shell(directory, {"RETENTIOND_SOCKET": "/nonexistent"}) as ready:
            text = f"retentionctl --socket={town.socket} org con"
            assert ready.complete(text) == f"{text}toso "


def test_a_shell_tells_what_several_candidates_mean(shell):
    shell.type("retentionctl org\t\t")
    shell.wait_for("One organization's settings")


@pytest.mark.parametrize("shell", [Bash], indirect=True)
def test_bash_completes_whatever_its_word_breaks_are(shell, tmp_path):
    (tmp_path / "leavers.txt").touch()
    shell.type("COMP_WORDBREAKS=${COMP_WORDBREAKS//[=:@]/}" + ENTER)
    wanted = {
        "retentionctl list --state=so": "retentionctl list --state=soft-deleted ",
        "retentionctl leave @lea": "retentionctl leave @leavers.txt ",
        "retentionctl receipt verify x --key=lea": (
            "retentionctl receipt verify x --key=leavers.txt "
        ),
    }
    assert {text: shell.complete(text) for text in wanted} == wanted


@pytest.mark.parametrize("shell", [Fish], indirect=True)  # the others do not tell it
def test_fish_completes_by_the_environment_on_the_line(shell, town):
    shell.type("set -e RETENTIOND_SOCKET" + ENTER)
    text = f"RETENTIOND_SOCKET={town.socket} retentionctl org con"
    assert shell.complete(text) == f"{text}toso "
