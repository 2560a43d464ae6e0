# SPDX-License-Identifier: Apache-2.0
"""What retentionctl exits with, each code by name; and that a fault has one shape with --json."""

import json
import re
import socket
import threading

import msgpack
import pytest

import keepers
import people
from ctl import (
    CONFIGURATION, CONFIRMATION, FAILURE, GUARD, INTERRUPTED, NOT_FOUND, OK, PARTIAL, PERMISSION,
    REFUSED, TIMEOUT, UNREACHABLE, USAGE, VERIFICATION, Ctl,
)
from wire import RESPONSE, Client

EVERY = {
    OK, FAILURE, USAGE, PERMISSION, CONFIGURATION, UNREACHABLE, NOT_FOUND, REFUSED, PARTIAL,
    TIMEOUT, VERIFICATION, GUARD, CONFIRMATION, INTERRUPTED,
}


@pytest.fixture
def ctl(daemon):
    return Ctl(daemon.socket)


@pytest.fixture
def three(client, contoso):
    """Three guests: alex is active, kim has left, dan is disabled."""
    people.take_in(
        client, people.guest("alex"), people.guest("kim"), people.guest("dan", enabled=False)
    )
    people.do(client, "leave", "kim")


@pytest.fixture
def silent(tmp_path):
    """A socket behind which nobody answers."""
    path = tmp_path / "silent"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        yield path


def test_its_help_tells_every_code(ctl):
    told = ctl("--help").stdout.partition("Exit codes\n")[2]
    assert {int(code) for code in re.findall(r"^ +(\d+)  [a-z]", told, re.MULTILINE)} == EVERY


# Each code, and how it is told with --json


def test_0_ok(ctl, three):
    assert ctl("-j", "leave", "contoso/alex").stderr == ""


def test_1_failure(ctl, three, tmp_path):
    for arguments in (
        ["import", tmp_path / "not-there.csv"],
        ["leave", f"@{tmp_path}/not-there"],
        ["receipt", "verify", tmp_path / "not-there"],
        ["purge", f"--plan={tmp_path}/not-there", "--yes"],
    ):
        assert "No such file" in ctl.error(*arguments, code=FAILURE)["text"]


def test_1_for_a_file_to_import_that_is_wrong_names_the_first_fault(ctl, three, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("org,id,kind,upn\n" + "contoso,x y,member,a@b\n" * 3)
    error = ctl.error("import", file, code=FAILURE)
    assert error["code"] == "malformed" and f"{file}:2: " in error["text"]
    assert "nothing was changed" in error["text"]


def test_2_usage(ctl, three):
    for arguments in (["nonsense"], ["leave"], ["list", "--limit=0"], ["wait", "contoso/kim"]):
        assert ctl.error(*arguments, code=USAGE)["code"] == "usage"


@pytest.mark.parametrize(
    "typed, meant", [("lst", "list"), ("statuss", "status"), ("wiat", "wait"), ("pruge", "purge")]
)
def test_2_suggests_the_verb_that_is_nearest(ctl, typed, meant):
    words = f"there is no verb {typed}; did you mean {meant}?"
    assert words in ctl(typed, code=USAGE).stderr
    assert words in ctl("help", typed, code=USAGE).stderr
    assert "see retentionctl --help" in ctl("zzzzzzzz", code=USAGE).stderr


def test_4_permission(ctl, three):
    error = ctl.error("work", "crm", "--once", "--", "true", code=PERMISSION)
    assert error["code"] == "permission-denied"
    assert "the role keeper of this name" in error["text"]


@pytest.mark.parametrize(
    "path, words",
    [("run/socket", "must be an absolute path; unset it"), ("/" + 200 * "x", "is longer than")],
)
def test_6_configuration_of_the_socket(ctl, path, words):
    ctl.environment["RETENTIOND_SOCKET"] = path
    error = ctl.error("info", code=CONFIGURATION)
    assert error["code"] == "configuration" and words in error["text"]
    assert "$RETENTIOND_SOCKET" in ctl("info", code=CONFIGURATION).stderr
    ctl("--help")
    ctl("--version")


def test_an_option_overrules_a_socket_that_cannot_be_used(ctl, daemon):
    ctl.environment["RETENTIOND_SOCKET"] = "relative"
    ctl(f"--socket={daemon.socket}", "info")
    assert "--socket is longer than" in ctl(f"--socket=/{200 * 'x'}", "info", code=USAGE).stderr


def test_an_empty_socket_is_none(ctl):
    ctl.environment["RETENTIOND_SOCKET"] = ""
    assert "/run/retentiond/retentiond.sock" in ctl("info", code=UNREACHABLE).stderr


def test_a_socket_that_is_a_plain_file_or_nothing_is_said_to_be_none(ctl, tmp_path):
    file = tmp_path / "file"
    file.touch()
    for path in (file, tmp_path):
        told = ctl(f"--socket={path}", "info", code=UNREACHABLE).stderr
        assert f"{path} is no socket" in told and "systemctl start" not in told
    assert "--socket is empty" in ctl("--socket=", "info", code=USAGE).stderr


def test_6_configuration_of_what_work_is_to_run(ctl, three, tmp_path):
    error = ctl.error("work", "crm", "--", tmp_path / "not-there", code=CONFIGURATION)
    assert "No such file" in error["text"] and "name a program" in error["text"]


def test_7_unreachable(ctl, daemon, three):
    daemon.stop()
    for arguments in (["info"], [], ["leave", "contoso/alex"], ["watch"], ["due"], ["verify"]):
        error = ctl.error(*arguments, code=UNREACHABLE)
        assert error["code"] == "unreachable"
        assert "systemctl start retentiond" in error["text"]


def test_10_not_found(ctl, three):
    assert ctl.json("show", "contoso/ghost", code=NOT_FOUND)["outcome"] == "not-found"
    assert ctl.error("list", "--org=nowhere", code=NOT_FOUND)["code"] == "org-not-found"


def test_11_refused(ctl, three):
    assert people.outcomes(ctl.json("leave", "contoso/kim", code=REFUSED)) == ["already-left"]


def test_12_partial(ctl, three):
    items = ctl.json("leave", "contoso/alex", "contoso/kim", code=PARTIAL)
    assert people.outcomes(items) == ["ok", "already-left"]


def test_13_timeout(silent):
    error = Ctl(silent).error("--timeout=50ms", "info", code=TIMEOUT)
    assert error["code"] == "timeout" and "was not answered within 50ms" in error["text"]


def test_13_says_that_a_change_may_have_been_done(silent):
    told = Ctl(silent)("--timeout=50ms", "disable", "contoso/alex", code=TIMEOUT).stderr
    assert "what it asks for may have been done all the same" in told
    for verb in (["disable", "--dry-run"], ["leave"]):  # leave is not begun without a look
        told = Ctl(silent)("--timeout=50ms", *verb, "contoso/alex", code=TIMEOUT).stderr
        assert "may have been done" not in told


def test_14_verification(ctl, three, client, tmp_path):
    client.call("clock.advance", by_us=1)
    people.do(client, "purge", "kim")
    receipt = tmp_path / "receipt"
    receipt.write_text(ctl("receipt", "uid:2").stdout)
    ctl("receipt", "verify", receipt)
    receipt.write_text(receipt.read_text().replace("contoso", "fabrika"))
    ctl("receipt", "verify", receipt, code=VERIFICATION)
    assert ctl.error("receipt", "verify", receipt, code=VERIFICATION)["text"]


@pytest.fixture
def doubted(daemon, three):
    """The daemon has begun anew on the wall clock, months after the store's last entry."""
    daemon.stop()
    daemon.options = []
    daemon.start()


def test_15_guard(ctl, doubted):
    error = ctl.error("sweep", code=GUARD)
    assert error["code"] == "clock-not-trusted"
    for words in ("clock guard is engaged", "h ahead of the last time", "retentionctl release-guard clock"):
        assert words in error["text"]


def test_an_engaged_guard_is_seen_everywhere_until_it_is_released(ctl, doubted):
    status = ctl("status").stdout
    assert status.splitlines()[0] == "       State: not well: 1 problem"
    assert "the clock guard is engaged" in status and "not trusted" in status
    assert "stopped by the clock guard" in status
    assert ctl.json("sweep-status")["guard"] == "clock"
    faults = ctl.json("check", code=FAILURE)["faults"]
    assert {fault["code"] for fault in faults} == {"clock-not-trusted"}
    ctl("release-guard", "clock", "--yes")
    ctl("sweep")
    assert "not trusted" not in ctl("status").stdout
    assert ctl.json("info")["clock"]["trusted"] is True
    assert "guard" not in ctl.json("sweep-status")


def test_only_an_administrator_ends_what_the_guard_has_stopped(ctl, daemon, doubted):
    ctl("set-org", "contoso", "--name=Another")
    daemon.restart()
    assert ctl.json("sweep-status")["guard"] == "clock"
    assert ctl.error("resume", code=GUARD)["code"] == "clock-not-trusted"
    ctl("release-guard", "clock", "--yes")
    daemon.restart()
    assert ctl.json("sweep-status")["paused"] is False


def test_an_administrators_pause_is_no_guard(ctl, three):
    ctl("pause")
    assert ctl.error("sweep", code=FAILURE)["code"] == "busy"
    assert "timed work is paused" in ctl("check", code=FAILURE).stdout
    assert "Timed work: paused" in ctl("status").stdout


def test_20_confirmation(ctl, client, three):
    error = ctl.error("purge", "contoso/kim", code=CONFIRMATION)
    assert error["code"] == "confirmation-needed" and "--yes" in error["text"]
    assert "--plan=FILE" in error["text"]
    assert people.get(client, "kim")["state"] == "soft-deleted"


class Between:
    """Stands between a client and the daemon: a signal can be sent before an answer goes on."""

    def __init__(self, path, daemon):
        self.path = path
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(path))
        self.listening.listen()
        self.daemon = daemon
        self.before_answer = None

    def serve(self):
        with Client(self.listening.accept()[0]) as client, self.daemon.connect() as daemon:
            try:
                while True:
                    message = client.read_message()
                    daemon.send(msgpack.packb(message))
                    answer = daemon.read_message()
                    assert answer[:2] == [RESPONSE, message[1]]
                    self.before_answer()
                    client.send(msgpack.packb(answer))
            except Exception:  # whoever ends first ends us
                return


@pytest.fixture
def between(daemon, tmp_path):
    between = Between(tmp_path / "between", daemon)
    thread = threading.Thread(target=between.serve, daemon=True)
    thread.start()
    yield between
    thread.join(60)
    between.listening.close()


def test_130_interrupted(ctl, between, client, contoso, tmp_path):
    """The call in flight is heard out, what was not begun is said, and the same command goes on."""
    people.take_in(client, *[people.guest(f"g{i}") for i in range(2500)])
    accounts = tmp_path / "accounts"
    accounts.write_text("".join(f"contoso/g{i}\n" for i in range(2500)))
    command = ["-j", "leave", "--yes", f"@{accounts}"]
    with Ctl(between.path).running(*command) as leaving:
        between.before_answer = leaving.interrupt
        items = json.loads(leaving.end(code=INTERRUPTED))
    assert people.outcomes(items) == 1000 * ["ok"]
    error = json.loads(leaving.told)["error"]
    assert (error["code"], error["exit"]) == ("interrupted", INTERRUPTED)
    assert "the rest was not begun: the same command goes on" in error["text"]
    assert "1000 of 2500 accounts were answered before" in error["text"]
    assert client.call("stats.get")["accounts"]["soft_deleted"] == 1000
    items = json.loads(ctl(*command, code=PARTIAL).stdout)
    assert people.outcomes(items) == 1000 * ["already-left"] + 1500 * ["ok"]


# What is told


def test_what_is_no_text_is_told_as_json_all_the_same(ctl, three):
    error = ctl.error("leave", b"contoso/\xff\xfe".decode("utf-8", "surrogateescape"), code=USAGE)
    assert "\\xff\\xfe" in error["text"]


def test_no_legend_leaves_rows_alone(ctl, three):
    rows = ctl("list", "--no-legend").stdout.splitlines()
    assert len(rows) == 3 and all(row.startswith("contoso") for row in rows)


def test_times_are_local_unless_utc_is_asked_for(ctl, three):
    ctl.environment["TZ"] = "Asia/Tokyo"
    assert "2026-01-31T09:00:00+09:00" in ctl("show", "contoso/kim").stdout
    assert "2026-01-31T00:00:00Z" in ctl("show", "contoso/kim", "--utc").stdout


def test_colours_are_for_terminals_that_want_them(ctl, three):
    assert "\x1b[" not in ctl("leave", "contoso/kim", code=REFUSED).stdout
    for environment, wanted in (
        ({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)
    ):
        with ctl.terminal("leave", "contoso/kim", **environment) as terminal:
            assert ("\x1b[" in terminal.end(code=REFUSED)) is wanted, environment


def test_a_backup_says_how_large_the_data_is_and_that_the_keys_are_elsewhere(ctl, three):
    told = ctl("backup").stdout
    assert re.search(r"/data-\S+: the data, [0-9.]+ [KM]iB; the keys are in the vault's", told), told


def test_status_says_first_how_it_is(ctl, client, three, daemon):
    lines = ctl("--utc").stdout.splitlines()
    assert lines[0] == "       State: well: nothing is late, nothing failed"
    told = {line.split(":", 1)[0].strip(): line.split(": ", 1)[1] for line in lines}
    assert told["Clock"] == "2026-01-01T00:00:00Z, simulated"
    assert told["Accounts"] == (
        "2 active, 1 soft-deleted, 0 removing, 0 removed; organizations: 1"
    )
    assert told["Deadlines"].startswith("0 removals overdue, 0 due within 7d; requests open: 0")
    assert told["Timed work"].startswith("runs, no guard is engaged")
    assert told["Next due"].startswith("2026-01-31T00:00:00Z (in 30d); due now: 0")
    assert "used" in told["Store"] and told["Last backup"].startswith("none; retentionctl backup")
    keepers.set_keeper(client, "crm")
    assert "Keeper: crm owes 0, not heard of since the daemon started" in ctl().stdout


def test_due_is_bars_on_a_terminal_and_plain_numbers_elsewhere(ctl, client, contoso):
    people.take_in(client, *[people.guest(f"g{i}") for i in range(40)])
    client.items("account.leave", people.names([f"g{i}" for i in range(39)]))
    client.call("clock.advance", by_us=2 * 24 * 3600 * 1_000_000)
    people.do(client, "leave", "g39")
    assert "#" not in ctl("due", "--within=60d").stdout
    with ctl.terminal("due", "--within=60d", "--utc") as terminal:
        shown = terminal.end()
    rows = [line for line in shown.splitlines() if line.startswith("2026-")]
    assert [line.split()[1:3] for line in rows] == [["39", "0"], ["1", "0"]]
    many, one = (line.count("#") for line in rows)
    assert many >= 10 and one == 1  # whatever is there is seen
