# SPDX-License-Identifier: Apache-2.0
"""A wrong configuration or command line is told by file and line before anything is touched."""

import subprocess

import pytest

from daemon import ENVIRONMENT, Daemon, program

OK, FAILURE, USAGE, CONFIG = 0, 1, 2, 6

# What a file holds, the line of the fault, and a word that the complaint must have.
FAULTS = {
    "unknown-section": ("[retentiond]\n[server]\n", 2, "[server]"),
    "unknown-key": ("[retentiond]\nport = 80\n", 2, "port"),
    "no-section": ("socket = /run/x\n", 1, "socket"),
    "no-key": ("[retentiond]\n\nnonsense\n", 3, "key = value"),
    "relative-path": ("[retentiond]\nstate_directory = state\n", 2, "absolute"),
    "long-socket": (f"[retentiond]\nsocket = /{'x' * 108}\n", 2, "107"),
    "bad-mode": ("[retentiond]\nsocket_mode = 999\n", 2, "octal"),
    "no-such-group": ("[retentiond]\nsocket_group = no-such-group\n", 2, "no-such-group"),
    "bad-size": ("[retentiond]\nmap_size = 12Q\n", 2, "map_size"),
    "small-size": ("[retentiond]\nmap_size = 1M\n", 2, "8M"),
    "bad-level": ("[retentiond]\nlog_level = loud\n", 2, "loud"),
    "twice": ("[retentiond]\nlog_level = info\nlog_level = info\n", 3, "line 2"),
    "no-role": ("[grant a]\nusers = 1\n", 1, "role"),
    "bad-role": ("[grant a]\nrole = king\nusers = 1\n", 2, "king"),
    "daemon-role": ("[grant a]\nrole = daemon\nusers = 1\n", 2, "daemon"),
    "nobody": ("[grant a]\nrole = admin\n", 1, "nobody"),
    "empty-users": ("[grant a]\nrole = admin\nusers =\n", 1, "nobody"),
    "no-such-user": ("[grant a]\nrole = admin\nusers = no-such-user\n", 3, "no-such-user"),
    "overflow-user": ("[grant a]\nrole = admin\nusers = 65534\n", 3, "65534"),
    "bad-org": ("[grant a]\nrole = admin\nusers = 1\norganizations = con/toso\n", 4, "con/toso"),
    "empty-orgs": ("[grant a]\nrole = admin\nusers = 1\norganizations =\n", 4, "at least one"),
    "unknown-grant-key": ("[grant a]\nrole = admin\nusers = 1\norgs = contoso\n", 4, "orgs"),
}


@pytest.fixture
def daemon():
    """A daemon that is not running."""
    daemon = Daemon()
    yield daemon
    daemon.remove()


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_configuration_is_told_by_file_and_line_and_ends_with_6(daemon, name):
    text, line, word = FAULTS[name]
    daemon.config.write_text(text)
    checking = subprocess.run(
        [program("RETENTIOND"), "--check-config", f"--config={daemon.config}"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    first = checking.stderr.splitlines()[0]
    assert checking.returncode == CONFIG
    assert first.startswith(f"{daemon.config}:{line}: ") and word in first
    if name == "no-such-user":
        return  # does not keep the daemon from starting, see below
    code, log = daemon.run_to_end()
    assert code == CONFIG
    assert f"{daemon.config}:{line}: " in log
    assert list(daemon.state.iterdir()) == []
    assert not daemon.socket.exists()


GRANT_OF_ONE_WHO_WENT = """
[grant leaver]
role = admin
users = no-such-user 4001
"""


def test_a_grant_for_a_user_who_is_gone_does_not_keep_the_daemon_down(daemon):
    daemon.config.write_text(daemon.config.read_text() + GRANT_OF_ONE_WHO_WENT)
    line = daemon.config.read_text().splitlines().index("users = no-such-user 4001") + 1
    said = f"{daemon.config}:{line}: there is no user 'no-such-user'"
    daemon.start()
    assert f"warning: {said}" in daemon.log.read_text()
    with daemon.connect_as(4001) as client:
        assert "admin" in [role["role"] for role in client.call("retention.info")["you"]["roles"]]
    daemon.reload()
    assert f"error: {said}" in daemon.log.read_text()
    daemon.stop()


def test_a_part_that_cannot_be_read_is_named_and_ends_with_6(daemon):
    part = daemon.directory / "retentiond.conf.d" / "50-roles.conf"
    part.mkdir(parents=True)
    code, log = daemon.run_to_end()
    assert code == CONFIG
    assert f"{part}: cannot be read: Is a directory" in log
    assert f"{daemon.config}: " not in log


@pytest.mark.parametrize("option", ["--log-level=info", "--check-config"])
def test_what_the_machine_fails_at_ends_with_1_so_that_it_is_tried_again(daemon, option):
    daemon.config = "/proc/self/mem"  # whose first page gives EIO
    daemon.options = [option]
    code, log = daemon.run_to_end()
    assert code == FAILURE
    assert "/proc/self/mem: cannot be read: Input/output error" in log


def test_every_fault_is_told_at_once(daemon):
    daemon.config.write_text(
        "[retentiond]\nport = 80\nlog_level = loud\n[grant a]\nrole = king\nusers = 1\n"
    )
    _, log = daemon.run_to_end()
    for line in (2, 3, 5):
        assert f"{daemon.config}:{line}: " in log


def test_a_right_configuration_is_told_to_be_right_and_nothing_is_touched(daemon):
    daemon.config.write_text(
        "[grant a]\nrole = admin\nusers = root, 4001\ngroups = root 0\norganizations = a, B.c-d_e\n"
    )
    daemon.options = ["--check-config"]
    assert daemon.run_to_end() == (OK, "configuration ok\n")
    assert list(daemon.state.iterdir()) == []


def test_a_configuration_file_that_is_not_there_ends_with_6(daemon):
    daemon.config.unlink()
    code, log = daemon.run_to_end()
    assert code == CONFIG and str(daemon.config) in log


@pytest.mark.parametrize(
    "option",
    [
        "--no-such-option",
        "operand",
        "--clock=real:2026-01-01",
        "--clock=simulated:yesterday",
        "--clock=simulated:+1d",
        "--clock=simulated:now",
        "--map-size=1M",
        "--map-size=lots",
        "--log-level=loud",
        f"--socket=/{'x' * 108}",
    ],
)
def test_a_wrong_command_line_ends_with_2(daemon, option):
    daemon.options = [option]
    command = [
        program("RETENTIOND"),
        option,
        f"--config={daemon.config}",
        f"--state-directory={daemon.state}",
    ]
    ended = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert ended.returncode == USAGE
    assert "retentiond: " in ended.stderr or "unrecognized" in ended.stderr
    assert list(daemon.state.iterdir()) == []


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_what_only_asks_is_answered(option):
    ended = subprocess.run(
        [program("RETENTIOND"), option],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (OK, "")
    assert "retentiond" in ended.stdout


def test_a_state_directory_that_is_not_there_is_told(daemon):
    daemon.state.rmdir()
    code, log = daemon.run_to_end()
    assert code == FAILURE and str(daemon.state) in log


def test_a_socket_path_that_is_a_file_is_left_alone(daemon):
    daemon.socket.write_text("mine")
    code, log = daemon.run_to_end()
    assert code == FAILURE and str(daemon.socket) in log
    assert daemon.socket.read_text() == "mine"
