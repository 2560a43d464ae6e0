# SPDX-License-Identifier: Apache-2.0
"""The benchmark's generator, in little: whether it measures, not how fast anything is."""

import json
import os
import pathlib
import signal
import subprocess

import pytest

import people
from daemon import program, running

SOCKETS = "retentiond-bench-*"

FLOOR = {"floor-sync", "floor-commit"}
CALLS = {"empty-1", "empty-32", "get-1", "get-32", "organizations", "list"}
CHANGES = {f"{verb}-{how}" for verb in ("leave", "restore") for how in ("1", "32", "bulk")}
SWEEPS = {"erase", "sweep-start", "sweep-remove", "leave-sweep"}
SINGLE = {"import", "disk", "memory", "start-clean", "start-killed", "start-tail"}


@pytest.fixture
def sockets():
    """What the generator leaves where its sockets are; nothing, at best."""
    before = set(pathlib.Path("/tmp").glob(SOCKETS))
    return lambda: set(pathlib.Path("/tmp").glob(SOCKETS)) - before


def measure(directory, *options, **environment):
    return subprocess.run(
        [program("BENCH"), f"--directory={directory}", "--rounds=1", "--seconds=0.02", *options],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_work_is_measured_and_every_answer_was_ok(tmp_path, sockets):
    ended = measure(tmp_path, "--accounts=500")
    assert ended.returncode == 0, ended.stderr
    report = json.loads((tmp_path / "bench.json").read_text())

    assert (report["accounts"], report["rounds"]) == (500, 1)
    assert all(report["machine"].values())
    assert list(report["versions"]) == ["retentiond"] and report["versions"]["retentiond"]
    assert set(report["works"]) == FLOOR | CALLS | CHANGES | SWEEPS | SINGLE
    for key, work in report["works"].items():
        (name, system), = work["systems"].items()
        assert name == ("machine" if key in FLOOR else "retentiond")
        (figure,) = system["rounds"]
        assert system["median"] == figure
        assert figure["value"] > 0, key
        if key not in SINGLE:
            assert figure["n"] > 0, key
            assert 0 < figure["p50_us"] <= figure["p99_us"] <= figure["p999_us"] <= figure["max_us"]
    assert report["works"]["erase"]["systems"]["retentiond"]["median"]["n"] == 4 * 50
    assert report["works"]["sweep-start"]["systems"]["retentiond"]["median"]["n"] == 250
    assert {goal["met"] for goal in report["goals"]} <= {True, False}
    assert {(goal["work"], goal["against"]) for goal in report["goals"]} == {
        ("leave-sweep", "leave-1"),
        ("start-clean", None),
        ("start-killed", None),
        ("start-tail", None),
        ("memory", None),
    }
    assert "leave, 1000 a call" in ended.stdout
    assert os.listdir(tmp_path) == ["bench.json"] and not sockets()


def test_some_works_alone_need_the_import_only(tmp_path):
    """Whoever has left comes back before the next work, though no restore is measured."""
    works = ["leave-1", "leave-32", "leave-bulk", "erase", "leave-sweep", "start-tail"]
    ended = measure(tmp_path, "--accounts=500", "--only=" + ",".join(works))
    assert ended.returncode == 0, ended.stderr
    report = json.loads((tmp_path / "bench.json").read_text())
    assert set(report["works"]) == {"import", *works}


def test_a_restore_alone_has_nobody_to_bring_back(tmp_path):
    ended = measure(tmp_path, "--accounts=500", "--only=restore-32")
    assert ended.returncode == 1
    assert "restore-32: nothing was measured" in ended.stderr


def test_a_refusal_ends_the_run_and_leaves_nothing_behind(tmp_path, sockets):
    """A map with room for a few thousand accounts: the import is refused on the way."""
    small = tmp_path / "small"
    small.write_text(f'#!/bin/sh\nexec "{program("RETENTIOND")}" --map-size=8M "$@"\n')
    small.chmod(0o755)
    (tmp_path / "bench").mkdir()
    ended = measure(tmp_path / "bench", "--accounts=50000", RETENTIOND=str(small))
    assert ended.returncode == 1
    assert "bench: retentiond answered: " in ended.stderr
    assert not os.listdir(tmp_path / "bench") and not sockets()


def test_an_outcome_that_is_not_ok_ends_the_run(tmp_path, sockets):
    """A store in which the first sample's person has left already: the import is refused for it."""
    with running() as daemon:
        with daemon.connect() as client:
            people.set_org(client, "org-00")
            people.take_in(client, people.guest("x", "org-00", person="ada.novak.0@home-00.example"))
            assert people.do(client, "leave", "x", "org-00")["outcome"] == "ok"
        daemon.stop()
        wrapper = tmp_path / "wrapper"
        wrapper.write_text(
            "#!/bin/sh\n"
            'for option; do case $option in --state-directory=*) state=${option#*=} ;; esac; done\n'
            f'cp -r "{daemon.state}/." "$state/" && exec "{program("RETENTIOND")}" "$@"\n'
        )
        wrapper.chmod(0o755)
        (tmp_path / "bench").mkdir()
        ended = measure(tmp_path / "bench", "--accounts=500", RETENTIOND=str(wrapper))
    assert ended.returncode == 1
    assert "bench: retentiond did not do what it was asked: soft-deleted-exists" in ended.stderr
    assert not os.listdir(tmp_path / "bench") and not sockets()


def test_a_daemon_that_does_not_start_is_told(tmp_path, sockets):
    ended = measure(tmp_path, RETENTIOND="/nonexistent")
    assert ended.returncode == 1
    assert "/nonexistent: No such file or directory" in ended.stderr
    assert "bench: retentiond does not work" in ended.stderr
    assert not os.listdir(tmp_path) and not sockets()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_interrupts_it_finds_nothing_left_behind(tmp_path, sockets, number):
    command = [program("BENCH"), f"--directory={tmp_path}", "--accounts=500", "--seconds=0.5"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as bench:
        while b"import" not in bench.stderr.readline():
            pass
        assert sockets()
        second = measure(tmp_path)
        assert second.returncode == 1 and "another run works in" in second.stderr
        bench.send_signal(number)
        assert bench.wait(60) > 128
    assert not os.listdir(tmp_path) and not sockets()


@pytest.mark.parametrize(
    "option",
    ["--accounts=99", "--accounts=-1", "--accounts=x", "--rounds=0", "--rounds=10", "--seconds=0",
     "--seconds=nan", "--only", "--only=leave", "--only=get-1,", "--unknown", "operand"],
)
def test_a_wrong_option_is_refused(tmp_path, option):
    ended = measure(tmp_path, option)
    assert ended.returncode == 2
    assert option.partition("=")[0].lstrip("-") in ended.stderr
