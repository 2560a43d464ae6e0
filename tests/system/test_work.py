# SPDX-License-Identifier: Apache-2.0
"""retentionctl work: any command is a keeper."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import threading

import pytest

import people
from daemon import DAY, ENVIRONMENT, SECOND, program, running
from wire import DEADLINE

KEEPER = f"[grant crm]\nrole = keeper crm\nusers = {os.getuid()}\n"

# A command that says which task it has, and ends when it is told how. A byte has one reader.
ASKED = """
echo $RETENTION_ID >"$STARTED"
case $(head -c 1 <"$GO") in
l) exit 75 ;;
esac
"""
DONE, LATER = b"d", b"l"


@pytest.fixture
def daemon():
    with running(KEEPER) as daemon:
        with daemon.connect() as client:
            people.set_org(client, "contoso", **people.PRIVACY)
            client.call("keeper.set", keeper="crm")
        yield daemon


def remove(client, *ids, **fields):
    """Accounts whose removal has begun, and their uids by id."""
    people.take_in(client, *(people.direct(id, **fields) for id in ids))
    items = client.items("account.remove", people.names(ids))
    assert people.outcomes(items) == ["ok"] * len(ids)
    return {id: people.get(client, id)["uid"] for id in ids}


def states(client, uids):
    """Of a removed account nothing is left: it is told by its uid alone."""
    return {people.get(client, uid=uid)["state"] for uid in uids}


def claim(client, **arguments):
    """What the daemon gives to whoever asks now: it goes on from where it stopped, twice is all."""
    tasks = client.call("keeper.claim", keeper="crm", **arguments)["tasks"]
    return tasks + client.call("keeper.claim", keeper="crm", **arguments)["tasks"]


class Worker:
    """retentionctl work, and what it says."""

    def __init__(self, socket_path, *arguments, options=(), **environment):
        self.process = subprocess.Popen(
            [program("RETENTIONCTL"), "-j", "work", "crm", *options, "--", *map(str, arguments)],
            env={**ENVIRONMENT, "RETENTIOND_SOCKET": str(socket_path), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.unread = b""

    def line(self):
        """The next task that has ended."""
        while b"\n" not in self.unread:
            ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE)
            assert ready, "nothing was told"
            told = os.read(self.process.stdout.fileno(), 4096)
            assert told, "it has ended"
            self.unread += told
        line, _, self.unread = self.unread.partition(b"\n")
        return json.loads(line)

    def end(self, code=0):
        """Everything else that it says; it must end by itself."""
        out, err = self.process.communicate(timeout=DEADLINE)
        assert self.process.returncode == code, (out, err)
        self.err = err.decode()
        return [json.loads(line) for line in (self.unread + out).splitlines()]

    def stop(self, in_earnest=False):
        """Two of the same could be delivered as one."""
        self.process.send_signal(signal.SIGTERM)
        if in_earnest:
            self.process.send_signal(signal.SIGINT)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class Asked:
    """Commands that begin and end when the test says so."""

    def __init__(self, directory):
        self.paths = {name: str(directory / name) for name in ("STARTED", "GO")}
        for path in self.paths.values():
            os.mkfifo(path)
        # Open for both: neither we nor a command wait for the other side to open it.
        self.started, self.go = (
            os.fdopen(os.open(path, os.O_RDWR), "r+b", buffering=0) for path in self.paths.values()
        )
        self.unread = b""

    def next(self):
        """The id of the next task whose command has begun."""
        while b"\n" not in self.unread:
            ready, _, _ = select.select([self.started], [], [], DEADLINE)
            assert ready, "no command has begun"
            self.unread += self.started.read(4096)
        id, _, self.unread = self.unread.partition(b"\n")
        return id.decode()

    def end(self, how=DONE):
        """Lets one of them end."""
        self.go.write(how)

    def close(self):
        self.started.close()
        self.go.close()


@pytest.fixture
def asked(tmp_path):
    asked = Asked(tmp_path)
    yield asked
    asked.close()


@pytest.fixture
def worker(daemon):
    """Starts workers; none outlives its test."""
    workers = []

    def start(*arguments, socket_path=daemon.socket, **more):
        workers.append(Worker(socket_path, *arguments, **more))
        return workers[-1]

    yield start
    for one in workers:
        one.kill()


@pytest.fixture
def asking(worker, asked):
    """A worker whose commands the test begins and ends."""

    def start(*options, **more):
        return worker("sh", "-c", ASKED, options=options, **asked.paths, **more)

    return start


# What commands say


FIFTY = """
cat >"$OUT/$RETENTION_ID.$RETENTION_ATTEMPT"
env | grep ^RETENTION_ | sort >"$OUT/$RETENTION_ID.env"
case $RETENTION_ID.$RETENTION_ATTEMPT in
later*.1) exit 75 ;;
fail*.1) echo trace >&2; echo "no route to $RETENTION_MAIL" >&2; echo >&2; exit 3 ;;
none*) echo "result: nothing-found" ;;
kept*) echo noise; echo "result: retained hgb-257" ;;
doubt*.1) echo "result: mostly erased" ;;
killed*.1) kill -9 $$ ;;
esac
"""


def test_fifty_removals_are_worked_off_four_at_a_time(client, worker, tmp_path):
    kinds = {"done": 25, "none": 5, "kept": 5, "later": 5, "fail": 5, "doubt": 3, "killed": 2}
    ids = [f"{kind}{i}" for kind, n in kinds.items() for i in range(n)]
    uids = remove(client, *ids)
    command = ("sh", "-c", FIFTY)
    options = ("--once", "--parallel=4")
    named = {uid: id.rstrip("0123456789") for id, uid in uids.items()}

    first = worker(*command, options=options, OUT=str(tmp_path))
    told = first.end(code=12)
    assert sorted(line["uid"] for line in told) == sorted(uids.values())
    assert all(line["outcome"] == "ok" for line in told)
    results = {named[line["uid"]]: line["result"] for line in told}
    assert results == {
        "done": "erased", "none": "nothing-found", "kept": "retained", "later": "later",
        "fail": "failed", "doubt": "failed", "killed": "failed",
    }
    put_off = [line["uid"] for line in told if line["result"] in ("later", "failed")]
    assert states(client, put_off) == {"removing"}
    assert states(client, set(uids.values()) - set(put_off)) == {"removed"}
    assert not any(id in first.err for id in ids)

    # Not before their time has come.
    assert worker("false", options=("--once",)).end() == []
    client.call("clock.advance", by_us=DAY)
    told = worker(*command, options=options, OUT=str(tmp_path)).end()
    assert sorted(line["uid"] for line in told) == sorted(put_off)
    assert {line["attempt"] for line in told} == {2}
    assert states(client, uids.values()) == {"removed"}

    errors = {
        id: json.loads((tmp_path / f"{id}0.2").read_text()).get("error")
        for id in ("later", "fail", "doubt", "killed")
    }
    assert errors["later"] == "exit status 75"
    assert errors["fail"] == "no route to fail0@mail.example"
    assert "result:" in errors["doubt"]
    assert "signal 9" in errors["killed"]


def test_a_command_gets_the_task_as_json_and_in_its_environment(client, worker, tmp_path):
    uids = remove(client, "anna")
    worker(
        "sh", "-c", FIFTY, options=("--once",), OUT=str(tmp_path), RETENTION_MAIL="stale@x.example",
        RETENTION_OLD="stale",
    ).end()
    task = json.loads((tmp_path / "anna.1").read_text())
    lines = (tmp_path / "anna.env").read_text().splitlines()
    environment = dict(line.split("=", 1) for line in lines)
    assert task["uid"] == uids["anna"]
    assert environment == {
        "RETENTION_KEEPER": "crm",
        "RETENTION_TOKEN": task["token"],
        "RETENTION_UID": str(uids["anna"]),
        "RETENTION_ORG": "contoso",
        "RETENTION_ID": "anna",
        "RETENTION_PERSON": people.person("anna"),
        "RETENTION_UPN": task["upn"],
        "RETENTION_MAIL": "anna@mail.example",
        "RETENTION_DUE": "2026-01-31T00:00:00Z",
        "RETENTION_ATTEMPT": "1",
    }


def test_how_each_command_ended_is_in_the_ledger(client, worker, tmp_path):
    uids = remove(client, "kept1", "none1", "done1")
    worker("sh", "-c", FIFTY, options=("--once",), OUT=str(tmp_path)).end()
    confirmed = {}
    for id, uid in uids.items():
        entries = people.history(client, uid=uid)
        confirmed[id] = [entry for entry in entries if entry["event"] == "task-confirmed"]
    assert [entry["result"] for entry in confirmed["done1"]] == ["erased"]
    assert [entry["result"] for entry in confirmed["none1"]] == ["nothing-found"]
    assert [entry["result"] for entry in confirmed["kept1"]] == ["retained"]
    assert confirmed["kept1"][0]["ground"] == "hgb-257"


def test_what_a_command_leaves_behind_does_not_hold_us_up(client, worker, asked):
    uids = remove(client, "anna")
    script = 'head -c 1 <"$GO" & head -c 3000000 /dev/zero; echo; echo "result: nothing-found"'
    told = worker("sh", "-c", script, options=("--once",), **asked.paths).end()
    assert [line["result"] for line in told] == ["nothing-found"]
    assert states(client, uids.values()) == {"removed"}
    asked.end()


def test_for_people_each_task_is_one_line_without_the_person(daemon, client):
    uid = remove(client, "anna")["anna"]
    ended = subprocess.run(
        [program("RETENTIONCTL"), "work", "crm", "--once", "--",
         "sh", "-c", "echo $RETENTION_PERSON >&2; exit 1"],
        env={**ENVIRONMENT, "RETENTIOND_SOCKET": str(daemon.socket)},
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"uid {uid}: failed, again from 2026-01-01")
    assert len(ended.stderr.splitlines()) == 1 and "anna" not in ended.stderr


# Leases


def test_no_more_tasks_are_claimed_than_are_worked_on(client, asking, asked):
    ids = [f"g{i}" for i in range(10)]
    remove(client, *ids)
    worker = asking("--once", "--parallel=4")
    begun = {asked.next() for _ in range(4)}
    left = claim(client)
    assert {task["id"] for task in left} == set(ids) - begun
    leases = [{"token": task["token"]} for task in left]
    client.call("keeper.extend", keeper="crm", tasks=leases, lease_us=0)
    for _ in ids:
        asked.end()
    assert len(worker.end()) == 10


def requests_of_others(client):
    """Requests that somebody else has made since the last call, as a generator of truths."""
    last = client.call("stats.get")["requests"]
    while True:
        now = client.call("stats.get")["requests"]
        yield now - last > 1
        last = now


def test_the_lease_is_renewed_while_a_command_runs(client, asking, asked):
    remove(client, "anna")
    worker = asking("--lease=3s")
    assert asked.next() == "anna"
    others = requests_of_others(client)
    next(others)
    for _ in range(3):
        # Two thirds of the lease pass; all that the worker has to say meanwhile is that it goes on.
        client.call("clock.advance", by_us=2 * SECOND)
        next(others)
        while not next(others):
            select.select([], [], [], 0.05)
        assert claim(client) == []
    asked.end()
    assert worker.line()["outcome"] == "ok"
    worker.stop()
    worker.end()


def test_a_command_whose_lease_has_ended_is_ended(client, asking, asked):
    uid = remove(client, "anna")["anna"]
    worker = asking("--lease=3s")
    asked.next()
    client.call("clock.advance", by_us=10 * SECOND)
    theirs = claim(client, lease_us=DAY)
    assert [task["uid"] for task in theirs] == [uid]
    assert worker.line() == {
        "uid": uid, "attempt": 1, "result": "given-back", "outcome": "lease-expired"
    }
    worker.stop()
    worker.end()


# Ends


def test_a_stop_waits_for_commands_that_end_soon(client, asking, asked):
    uids = remove(client, "anna", "bert")
    worker = asking()
    asked.next()
    worker.stop()
    asked.end()
    assert [line["result"] for line in worker.end()] == ["erased"]
    assert states(client, uids.values()) == {"removing", "removed"}


def test_a_stop_in_earnest_gives_leases_back_at_once(client, asking, asked):
    ids = ["anna", "bert", "carl"]
    remove(client, *ids)
    worker = asking("--parallel=2")
    begun = {asked.next(), asked.next()}
    assert len(claim(client, lease_us=DAY)) == 1
    worker.stop(in_earnest=True)
    told = worker.end()
    assert [(line["result"], line["outcome"]) for line in told] == [("given-back", "ok")] * 2
    assert {(task["id"], task["attempt"]) for task in claim(client)} == {(id, 2) for id in begun}


def test_a_command_that_does_not_heed_sigterm_is_killed(client, worker, asked):
    remove(client, "anna")
    stubborn = worker(
        "sh", "-c", 'trap "" TERM; echo x >"$STARTED"; while :; do read x <"$GO"; done',
        **asked.paths,
    )
    asked.next()
    stubborn.stop(in_earnest=True)
    assert [line["result"] for line in stubborn.end()] == ["given-back"]


def test_a_command_that_cannot_run_is_refused_before_a_task_is_claimed(client, worker, tmp_path):
    remove(client, "anna")
    plain = tmp_path / "plain"
    plain.touch(0o644)
    for command, why in (
        ("/nonexistent/erase", "No such file"),
        ("no-such-command", "No such file"),
        (tmp_path, "Permission denied"),
        (plain, "Permission denied"),
    ):
        refused = worker(command)
        assert refused.end(code=6) == []
        assert f"cannot run {command}: {why}" in refused.err and "name a program" in refused.err
        assert json.loads(refused.err)["error"]["exit"] == 6
    assert claim(client)[0]["attempt"] == 1


def test_a_command_that_goes_away_ends_us_and_gives_the_task_back(client, worker, tmp_path):
    remove(client, "anna", "bert")
    command = tmp_path / "erase"
    command.write_text('#!/bin/sh\nrm "$0"\n')
    command.chmod(0o755)
    lost = worker(command)
    assert [line["result"] for line in lost.end(code=6)] == ["erased", "given-back"]
    assert f"cannot run {command}: No such file" in lost.err
    assert len(claim(client)) == 1


def test_a_keeper_without_a_grant_is_refused(worker, daemon):
    daemon.config.write_text(daemon.config.read_text().replace("keeper crm", "keeper other"))
    daemon.reload()
    lost = worker("true")
    assert lost.end(code=4) == []
    assert "permission-denied" in lost.err


def test_a_grant_that_is_taken_away_ends_us(worker, daemon, client, asking, asked):
    remove(client, "anna")
    lost = asking()
    asked.next()
    daemon.config.write_text(daemon.config.read_text().replace("keeper crm", "keeper other"))
    daemon.reload()
    asked.end()
    assert lost.end(code=4) == []


def test_once_does_not_wait_for_a_daemon_that_is_away(worker, daemon):
    daemon.stop()
    lost = worker("true", options=("--once",))
    lost.end(code=7)
    assert "not reachable" in lost.err


# A daemon that comes and goes


def test_a_restart_of_the_daemon_in_the_middle_loses_nothing(daemon, client, asking, asked):
    uids = remove(client, *(f"g{i}" for i in range(8)))
    worker = asking("--parallel=4")
    for _ in range(4):
        asked.next()
    client.close()
    daemon.stop()
    for _ in range(3):
        asked.end()
    asked.end(how=LATER)
    daemon.start()
    for _ in range(4):
        asked.next()
        asked.end()
    told = [worker.line() for _ in range(8)]
    assert {line["outcome"] for line in told} == {"ok"}
    assert sorted(line["result"] for line in told) == ["erased"] * 7 + ["later"]
    worker.stop()
    assert worker.end() == []
    with daemon.connect() as anew:
        assert states(anew, uids.values()) == {"removing", "removed"}


class LosesAnswers:
    """Stands between a client and the daemon. The first answer to a method gets lost."""

    def __init__(self, directory, daemon_socket, method):
        self.path = directory / "between"
        self.daemon_socket = str(daemon_socket)
        self.method = method.encode()
        self.lost = 0
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(self.path))
        self.listener.listen()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(DEADLINE)

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                theirs, _ = self.listener.accept()
                with theirs, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ours:
                    ours.connect(self.daemon_socket)
                    self._carry(theirs, ours)

    def _carry(self, theirs, ours):
        """One call at a time: a request, then its answer; both are small."""
        while request := theirs.recv(1 << 16):
            ours.sendall(request)
            answer = ours.recv(1 << 20)
            if self.method in request and self.lost == 0:
                self.lost += 1
                return
            theirs.sendall(answer)


@pytest.mark.parametrize(
    ("method", "script", "result"),
    [
        ("keeper.confirm", "exit 0", "erased"),
        ("keeper.fail", "exit 1", "failed"),
    ],
)
def test_what_was_told_without_an_answer_is_told_again(
    daemon, client, worker, tmp_path, method, script, result
):
    uid = remove(client, "anna")["anna"]
    between = LosesAnswers(tmp_path, daemon.socket, method)
    unsure = worker("sh", "-c", script, socket_path=between.path)
    line = unsure.line()
    assert between.lost == 1
    assert (line["result"], line["uid"]) == (result, uid)
    if result == "erased":
        assert line["outcome"] == "ok"
        entries = people.history(client, uid=uid)
        assert [entry["event"] for entry in entries].count("task-confirmed") == 1
    unsure.stop()
    unsure.end()
    between.close()
