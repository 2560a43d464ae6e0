# SPDX-License-Identifier: Apache-2.0
"""Evidence that outlives the account, and is checked without the daemon."""

import csv
import io
import subprocess

import pytest

import people
from daemon import DAY, ENVIRONMENT, HOUR, MINUTE, program, running

OK, FAILURE, USAGE, NOT_FOUND, REFUSED, VERIFICATION = 0, 1, 2, 10, 11, 14

LEFT = "left: 2026-01-01T00:00:00Z by admin uid "


def ctl(*arguments, code=OK, socket="/nonexistent", stdin=""):
    ended = subprocess.run(
        [program("RETENTIONCTL"), *map(str, arguments)],
        env={**ENVIRONMENT, "RETENTIOND_SOCKET": str(socket)},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == code, (arguments, ended)
    return ended


def advance(client, span):
    client.call("clock.advance", by_us=span)


def receipt_of_alex(client):
    return client.call("receipt.get", **people.name("alex"))


def remove_alex(client):
    """alex has left, and all data is gone: the work that is due is done a slice a turn."""
    people.take_in(client, people.guest("alex"))
    people.do(client, "leave", "alex")
    advance(client, 30 * DAY)
    for _ in range(100):
        if "\nstate: removed\n" in receipt_of_alex(client)["receipt"]:
            return
    raise AssertionError(receipt_of_alex(client))


@pytest.fixture
def removed(client, contoso):
    remove_alex(client)


@pytest.fixture
def receipt(daemon, removed, tmp_path):
    """Its receipt in a file."""
    path = tmp_path / "receipt.txt"
    path.write_text(ctl("receipt", "contoso/alex", socket=daemon.socket).stdout)
    return path


def key_of(path):
    last = path.read_text().splitlines()[-1]
    assert last.startswith("public-key: ")
    return last.split()[1]


def test_a_receipt_is_had_by_the_old_name_after_the_removal(receipt):
    lines = receipt.read_text().splitlines()
    assert lines[0] == "retentiond receipt 1"
    assert "organization: contoso" in lines
    assert any(line.startswith(LEFT) for line in lines)
    assert "window ends: 2026-01-31T00:00:00Z" in lines
    assert "removal completed: 2026-01-31T00:00:00Z" in lines
    assert "sla: on time" in lines
    assert "alex" not in receipt.read_text()


def test_a_receipt_is_checked_without_a_daemon(daemon, receipt, tmp_path):
    daemon.stop()
    told = ctl("receipt", "verify", receipt, f"--key={key_of(receipt)}")
    assert key_of(receipt) in told.stdout
    assert told.stderr == ""
    key = tmp_path / "key"
    key.write_text(key_of(receipt) + "\n")
    ctl("receipt", "verify", receipt, "--key", key)
    ctl("receipt", "verify", "-", "--key", key, stdin=receipt.read_text())


def test_a_receipt_checked_against_its_own_key_is_told_to_prove_little(receipt):
    told = ctl("receipt", "verify", receipt)
    assert "WARNING" in told.stderr
    assert key_of(receipt) in told.stderr


@pytest.mark.parametrize(
    "what, altered",
    [
        ("tampered", lambda text: text.replace("sla: on time", "sla: on tide")),
        ("truncated", lambda text: text[:-1]),
        ("truncated", lambda text: text[: len(text) // 2]),
        ("not-a-receipt", lambda text: text[1:]),
        ("not-a-receipt", lambda text: ""),
    ],
)
def test_an_altered_receipt_is_refused_and_told_why(receipt, what, altered):
    key = key_of(receipt)
    receipt.write_text(altered(receipt.read_text()))
    for options in ([], [f"--key={key}"]):
        told = ctl("-j", "receipt", "verify", receipt, *options, code=VERIFICATION)
        assert f'"{what}"' in told.stderr


def test_a_receipt_of_another_daemon_is_refused(receipt):
    with running() as other:
        with other.connect() as client:
            people.set_org(client, "contoso", **people.PRIVACY)
            people.take_in(client, people.guest("alex"))
            people.do(client, "leave", "alex")
            key = receipt_of_alex(client)["public_key"]
    told = ctl("-j", "receipt", "verify", receipt, f"--key={key}", code=VERIFICATION)
    assert '"other-key"' in told.stderr


def test_a_key_that_is_none_is_a_wrong_command_line(receipt, tmp_path):
    ctl("receipt", "verify", receipt, "--key=rubbish", code=USAGE)
    ctl("receipt", "verify", receipt, f"--key={tmp_path}", code=FAILURE)
    ctl("receipt", "verify", tmp_path / "none", code=FAILURE)
    ctl("receipt", "verify", code=USAGE)
    ctl("receipt", "contoso/alex", "--key=rubbish", code=USAGE)


def test_the_key_is_the_same_after_a_restart_and_after_a_kill(daemon, client, removed):
    key = receipt_of_alex(client)["public_key"]
    daemon.kill9()
    daemon.start()
    with daemon.connect() as again:
        assert receipt_of_alex(again)["public_key"] == key


def test_an_active_account_has_no_receipt(daemon, client, contoso):
    people.take_in(client, people.guest("alex"))
    ctl("receipt", "contoso/alex", socket=daemon.socket, code=REFUSED)
    ctl("receipt", "contoso/nobody", socket=daemon.socket, code=NOT_FOUND)


def test_a_tombstone_is_dropped_in_the_end_and_the_ledger_stays():
    with running(config="[retentiond]\ntombstones = 60d\n") as daemon:
        with daemon.connect() as client:
            people.set_org(client, "contoso", **people.PRIVACY)
            remove_alex(client)
            head = people.head(client)
        daemon.restart()
        with daemon.connect() as client:
            advance(client, 59 * DAY)
            assert receipt_of_alex(client)["outcome"] == "ok"
            advance(client, DAY + HOUR)
            advance(client, MINUTE)
            assert receipt_of_alex(client)["outcome"] == "not-found"
            events = client.call("ledger.read", limit=1000)["entries"]
            assert [event["seq"] for event in events][:head] == list(range(1, head + 1))
        ctl("verify", socket=daemon.socket)


def report(daemon, *options):
    told = ctl("report", "--csv", *options, socket=daemon.socket)
    return {row["org"]: row for row in csv.DictReader(io.StringIO(told.stdout))}


def test_a_report_counts_a_period(daemon, client, removed):
    january = report(daemon, "--from=2026-01-01", "--to=2026-01-31")
    assert january["contoso"]["left"] == "1"
    assert january["contoso"]["completed_on_time"] == "0"
    later = report(daemon, "--from=2026-01-31", "--to=2026-02-01")
    assert later["contoso"]["left"] == "0"
    assert later["contoso"]["removals_started"] == "1"
    assert later["contoso"]["completed_on_time"] == "1"
    whole = report(daemon)
    assert whole["(total)"] == {**whole["contoso"], "org": "(total)"}
    assert set(report(daemon, "--from=2027-01-01", "--to=2028-01-01")) == {"(total)"}
    ctl("report", "--from=2026-02-01", "--to=2026-01-01", socket=daemon.socket, code=USAGE)
    ctl("report", "--from=soon", socket=daemon.socket, code=USAGE)
