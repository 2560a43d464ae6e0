# SPDX-License-Identifier: Apache-2.0
"""The benchmark's generator, in little: whether it measures, not how fast anything is."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile

import pytest

import people
from daemon import program, running

SOCKETS = "retentiond-bench-*"

FLOOR = {"floor-sync", "floor-commit"}
CALLS = {"empty-1", "empty-32", "get-1", "get-32", "organizations", "list"}
CHANGES = {f"{verb}-{how}" for verb in ("leave", "restore") for how in ("1", "32", "bulk")}
SWEEPS = {"erase", "sweep-start", "sweep-remove", "leave-sweep"}
SINGLE = {"import", "disk", "memory", "start-clean", "start-killed", "start-tail"}
PAUSES = {f"pause-{cause}" for cause in ("idle", "settle", "sweep", "backup")}


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


def measured_goals(report):
    for goal in report["goals"]:
        assert (goal["measured"] is None) == (goal["met"] is None)
        assert goal["met"] in (True, False, None)
    return {(goal["work"], goal["against"]) for goal in report["goals"] if goal["met"] is not None}


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
    assert measured_goals(report) == {
        ("leave-sweep", "leave-1"),
        ("start-clean", None),
        ("start-killed", None),
        ("start-tail", None),
    }
    assert len(report["goals"]) == 20
    assert all(goal["measured_by"] in ended.stdout for goal in report["goals"] if goal["met"] is None)
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


SCALE = ("--accounts=300", "--scale=1000")


def test_a_large_store_is_measured_beside_a_small_one(tmp_path, sockets):
    ended = measure(tmp_path, *SCALE)
    assert ended.returncode == 0, ended.stderr
    report = json.loads((tmp_path / "bench-scale.json").read_text())

    assert (report["accounts"], report["accounts_large"]) == (300, 1000)
    calls = CALLS - {"empty-32"}
    assert set(report["works"]) == {"floor-sync"} | calls | CHANGES | PAUSES | SINGLE
    for key, work in report["works"].items():
        medians = {name: system["median"] for name, system in work["systems"].items()}
        if key == "floor-sync":
            assert set(medians) == {"machine"} and "cost_ratio" not in work
            continue
        small, large = medians["small"]["value"], medians["large"]["value"]
        assert small > 0 and large > 0, key
        more_is_better = work["unit"].endswith("/s")
        ratio = small / large if more_is_better else large / small
        assert work["cost_ratio"] == pytest.approx(ratio, rel=1e-4), key
        if key in PAUSES:
            assert medians["large"]["max_us"] == pytest.approx(1000 * large, rel=1e-4)
            assert medians["large"]["n"] > 1
    assert measured_goals(report) == {
        ("leave-1", "small"),
        ("leave-32", "small"),
        ("leave-bulk", "small"),
        ("start-clean", None),
        ("start-killed", None),
        ("start-tail", None),
        ("memory", None),
    }
    assert sorted(os.listdir(tmp_path)) == ["bench-scale.json", "store-1000", "store-300"]
    assert not sockets()


def imports(ended):
    assert ended.returncode == 0, ended.stderr
    return [line.split()[1] for line in ended.stderr.splitlines() if "100 %" in line]


@pytest.mark.parametrize("key", ["format", "generator", "accounts"])
def test_a_store_is_imported_once_and_anew_when_it_would_differ(tmp_path, key):
    options = (*SCALE, "--only=get-1,leave-1,start-killed")
    assert imports(measure(tmp_path, *options)) == ["300", "1000"]
    marker = tmp_path / "store-1000" / "import.json"
    written = json.loads(marker.read_text())
    data = (tmp_path / "store-1000" / "state" / "store" / "data.mdb").read_bytes()
    assert written["seconds"] > 0 and written["version"] and written["date"]

    assert imports(measure(tmp_path, *options)) == []
    assert json.loads(marker.read_text()) == written
    assert (tmp_path / "store-1000" / "state" / "store" / "data.mdb").read_bytes() == data

    marker.write_text(json.dumps({**written, key: 0}))
    assert imports(measure(tmp_path, *options)) == ["1000"]
    marker.write_text("cut sho")
    assert imports(measure(tmp_path, *options)) == ["1000"]


def test_an_import_that_was_interrupted_is_made_anew(tmp_path, sockets):
    command = [program("BENCH"), f"--directory={tmp_path}", "--accounts=300", "--scale=1000000"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as bench:
        while b"importing 300 accounts: 100 %" not in bench.stderr.readline():
            pass
        while b"importing 1000000 accounts" not in bench.stderr.readline():
            pass
        bench.send_signal(signal.SIGTERM)
        assert bench.wait(60) > 128
    assert os.listdir(tmp_path) == ["store-300"] and not sockets()
    assert imports(measure(tmp_path, *SCALE, "--only=get-1")) == ["1000"]


def test_a_disk_without_room_is_told_before_anything_is_imported():
    """A file system in memory has no 360 GB."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        ended = measure(directory, "--accounts=300", "--scale=100000000")
        assert ended.returncode == 1
        assert "GiB free" in ended.stderr and "importing" not in ended.stderr
        assert not os.listdir(directory)


def test_a_work_of_the_other_kind_of_run_is_refused(tmp_path):
    ended = measure(tmp_path, *SCALE, "--only=erase")
    assert ended.returncode == 2 and "there is no work erase here" in ended.stderr


@pytest.mark.parametrize(
    "option",
    ["--accounts=99", "--accounts=-1", "--accounts=x", "--rounds=0", "--rounds=10", "--seconds=0",
     "--seconds=nan", "--only", "--only=leave", "--only=get-1,", "--only=pause-sweep",
     "--scale=99", "--scale=1000000", "--unknown", "operand"],
)
def test_a_wrong_option_is_refused(tmp_path, option):
    ended = measure(tmp_path, option)
    assert ended.returncode == 2
    assert option.partition("=")[0].lstrip("-") in ended.stderr
