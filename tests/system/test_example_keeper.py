# SPDX-License-Identifier: Apache-2.0
"""The example keeper: after it has run, nothing is left of the person, byte for byte."""

import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys

import pytest

import people
from daemon import ENVIRONMENT, program, running
from wire import DEADLINE

TOP = pathlib.Path(__file__).parents[2]
SCRIPT = TOP / "packaging/examples/sqlite-keeper/sqlite-keeper"

CONFIG = """
[database]
path = {directory}/crm.db
wait = 0
vacuum = {vacuum}
[table contacts]
id = directory_id
mail = mail
org = tenant
[table notes]
id = owner
[files]
directory = {directory}/files
patterns = {{id}}.png {{id}}-*.pdf
"""

SCHEMA = """
CREATE TABLE contacts (
    number INTEGER PRIMARY KEY, tenant TEXT, directory_id TEXT, mail TEXT, about TEXT
);
CREATE INDEX by_mail ON contacts (mail);
CREATE TABLE notes (
    number INTEGER PRIMARY KEY, owner TEXT, contact INTEGER REFERENCES contacts, text TEXT
);
"""


def mail(id):
    return f"{id}@mail.example"


class Crm:
    """An application with a database and files."""

    def __init__(self, directory, mode="delete", vacuum="yes"):
        self.directory = directory
        self.files = directory / "files"
        self.files.mkdir()
        self.config = directory / "keeper.ini"
        self.config.write_text(CONFIG.format(directory=directory, vacuum=vacuum))
        self.database = sqlite3.connect(directory / "crm.db", isolation_level=None, timeout=0)
        self.database.execute("PRAGMA secure_delete = OFF")  # as most applications run
        self.database.execute(f"PRAGMA journal_mode = {mode}")
        self.database.executescript(SCHEMA)

    def add(self, id, tenant="contoso"):
        row = (tenant, id, mail(id), f"about {id}, first")
        insert = "INSERT INTO contacts (tenant, directory_id, mail, about) VALUES (?, ?, ?, ?)"
        number = self.database.execute(insert, row).lastrowid
        for i in range(20):
            self.database.execute(
                "INSERT INTO notes (owner, text) VALUES (?, ?)", (id, f"note {i} of {id} " * 20)
            )
        (self.files / f"{id}.png").write_text(f"picture of {id}")
        (self.files / f"{id}-cv.pdf").write_text(f"life of {id}")
        return number

    def churn(self, id):
        """Rows that grow and move leave copies of themselves in free space."""
        self.database.execute("UPDATE notes SET text = text || text WHERE owner = ?", (id,))
        self.database.execute(
            "UPDATE contacts SET about = about || hex(randomblob(600)) WHERE directory_id = ?",
            (id,),
        )

    def traces(self, mark):
        """Where a mark can still be read: in any file, or as its name."""
        found = []
        for path in self.directory.rglob("*"):
            if mark in path.name:
                found.append(path.name)
            if path.is_file() and mark.encode() in path.read_bytes():
                found.append(str(path))
        return found

    def rows(self, id):
        count = "SELECT count(*) FROM notes WHERE owner = ?"
        return self.database.execute(count, (id,)).fetchone()[0]


def files_only(directory, patterns):
    crm = Crm(directory)
    crm.config.write_text(f"[files]\ndirectory = {crm.files}\npatterns = {patterns}\n")
    return crm


def allow_missing(crm):
    text = crm.config.read_text()
    for section in ("[table contacts]", "[table notes]", "[files]"):
        text = text.replace(section, f"{section}\nmissing = skip")
    crm.config.write_text(text)


def task(id, org="contoso", **more):
    return {"org": org, "id": id, "mail": mail(id).upper(), "attempt": 1, **more}


def erase(crm, task, code=0):
    ended = subprocess.run(
        [sys.executable, SCRIPT, crm.config], input=json.dumps(task), capture_output=True,
        text=True, timeout=DEADLINE, check=False,
    )
    assert ended.returncode == code, ended
    for word in ("id", "mail"):
        if task.get(word):
            assert task[word].lower() not in (ended.stdout + ended.stderr).lower()
    return ended.stdout.splitlines()[-1] if code == 0 else ended.stderr


MODES = ["delete", "truncate", "persist", "wal"]


@pytest.fixture(params=MODES)
def crm(request, tmp_path):
    crm = Crm(tmp_path, request.param)
    for id in ("anna-7f3", "bert-55a"):
        crm.add(id)
    crm.churn("anna-7f3")
    yield crm
    crm.database.close()


def test_no_byte_of_the_person_is_left_and_nobody_else_loses_one(crm):
    assert crm.traces("anna-7f3")
    assert erase(crm, task("anna-7f3")) == "result: erased"
    assert crm.traces("anna-7f3") == []
    assert crm.rows("bert-55a") == 20
    assert sorted(os.listdir(crm.files)) == ["bert-55a-cv.pdf", "bert-55a.png"]


def test_what_the_application_deleted_before_us_is_gone_as_well(crm):
    crm.database.execute("DELETE FROM notes WHERE owner = 'anna-7f3'")
    crm.database.execute("DELETE FROM contacts WHERE directory_id = 'anna-7f3'")
    for name in ("anna-7f3.png", "anna-7f3-cv.pdf"):
        (crm.files / name).unlink()
    assert crm.traces("anna-7f3")
    assert erase(crm, task("anna-7f3")) == "result: nothing-found"
    assert crm.traces("anna-7f3") == []


def test_what_is_not_found_was_not_erased_at_any_attempt(crm):
    erase(crm, task("anna-7f3"))
    for attempt in (1, 2):
        assert erase(crm, task("anna-7f3", attempt=attempt)) == "result: nothing-found"


def test_without_vacuum_nothing_is_left_if_the_application_deletes_securely(tmp_path):
    crm = Crm(tmp_path, "wal", vacuum="no")
    crm.database.execute("PRAGMA secure_delete = ON")
    crm.add("anna-7f3")
    assert erase(crm, task("anna-7f3")) == "result: erased"
    assert crm.traces("anna-7f3") == []


def test_the_same_address_in_another_organization_is_left_alone(tmp_path):
    crm = Crm(tmp_path)
    crm.add("anna-7f3")
    crm.database.execute("UPDATE contacts SET tenant = 'fabrikam', directory_id = 'other'")
    erase(crm, task("anna-7f3"))
    assert crm.database.execute("SELECT tenant FROM contacts").fetchall() == [("fabrikam",)]


def test_names_from_the_task_cannot_reach_other_files(tmp_path):
    crm = Crm(tmp_path)
    crm.add("bert-55a")
    (tmp_path / "x.png").touch()
    for id in ("*", "?ert-55a", "[b]ert-55a", "../x", "bert-55"):
        assert erase(crm, task(id, mail="nobody@mail.example")) == "result: nothing-found"
    assert len(os.listdir(crm.files)) == 2 and (tmp_path / "x.png").exists()


@pytest.mark.parametrize("key", ["mail", "upn", "person"])
def test_files_named_by_an_address_are_found_in_any_case_and_nobody_elses(tmp_path, key):
    crm = files_only(tmp_path, f"{{{key}}}.txt")
    for name in ("Ada@Fabrikam", "ada@fabrikam", "adam@fabrikam"):
        (crm.files / f"{name}.example.txt").touch()
    for address in ("a*@fabrikam.example", "ad?@fabrikam.example", "[a]da@fabrikam.example"):
        assert erase(crm, {"org": "contoso", key: address}) == "result: nothing-found"
    assert erase(crm, {"org": "contoso", key: "ADA@fabrikam.example"}) == "result: erased"
    assert os.listdir(crm.files) == ["adam@fabrikam.example.txt"]


def test_files_named_by_an_id_are_found_in_its_own_case_only(tmp_path):
    crm = files_only(tmp_path, "{id}-{mail}.txt")
    for name in ("Ab1-ADA@mail.example.txt", "aB1-ada@mail.example.txt"):
        (crm.files / name).touch()
    assert erase(crm, task("Ab1", mail="ada@mail.example")) == "result: erased"
    assert os.listdir(crm.files) == ["aB1-ada@mail.example.txt"]


# Somebody else is at the database


def test_a_database_that_is_locked_is_asked_again_later(tmp_path):
    crm = Crm(tmp_path)
    crm.add("anna-7f3")
    crm.database.execute("BEGIN IMMEDIATE")
    assert "SQLITE_BUSY" in erase(crm, task("anna-7f3"), code=75)
    crm.database.execute("ROLLBACK")
    assert erase(crm, task("anna-7f3", attempt=2)) == "result: erased"


def test_a_write_ahead_log_that_is_read_is_not_confirmed_as_gone(tmp_path):
    crm = Crm(tmp_path, "wal")
    crm.add("anna-7f3")
    crm.database.execute("BEGIN")
    assert crm.rows("anna-7f3") == 20
    erase(crm, task("anna-7f3"), code=75)
    assert crm.traces("anna-7f3")
    crm.database.execute("ROLLBACK")
    assert erase(crm, task("anna-7f3", attempt=2)) == "result: nothing-found"
    assert crm.traces("anna-7f3") == []


# What would find nothing for ever is a fault


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("mail = mail", "mail = e_mail", "the table contacts has no column e_mail"),
        ("[table notes]", "[table remarks]", "the database has no table remarks"),
        ("crm.db", "new.db", "SQLITE_CANTOPEN"),
        ("/files", "/nowhere", "No such file"),
        ("{id}.png", "*.png", "holds none of"),
        ("{id}.png", "{id}*", "wildcard right beside"),
        ("{id}.png", "../{id}.png", "leaves the directory"),
        ("vacuum", "vacum", "[database] has no key vacum"),
        ("[files]", "[files]\nmissing = no", "[files]: missing must be fail or skip"),
        ("org = tenant", "missing =", "[table contacts]: missing must be fail or skip"),
        ("[files]", "[filez]", "there is no section [filez]"),
    ],
)
def test_a_configuration_that_does_not_fit_confirms_nothing(tmp_path, before, after, said):
    crm = Crm(tmp_path)
    crm.add("anna-7f3")
    crm.config.write_text(crm.config.read_text().replace(before, after))
    assert said in erase(crm, task("anna-7f3"), code=1)
    assert crm.rows("anna-7f3") == 20
    assert not (tmp_path / "new.db").exists()
    checked = subprocess.run(
        [sys.executable, SCRIPT, "--check", crm.config], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 1 and said in checked.stderr


def test_a_configuration_that_fits_is_said_to_fit(tmp_path):
    crm = Crm(tmp_path)
    checked = subprocess.run(
        [sys.executable, SCRIPT, "--check", crm.config], capture_output=True, text=True, check=True
    )
    assert checked.stdout == "the configuration fits\n"


def test_a_task_that_knows_nothing_to_search_by_confirms_nothing(tmp_path):
    crm = Crm(tmp_path)
    assert "no task" in erase(crm, {}, code=1)
    allow_missing(crm)
    assert "knows none" in erase(crm, {"org": "contoso", "id": None, "mail": None}, code=1)


def test_a_column_whose_name_the_task_does_not_know_confirms_nothing(tmp_path):
    crm = Crm(tmp_path)
    crm.add("anna-7f3")
    said = erase(crm, task("anna-7f3", mail=None), code=1)
    assert said == "the task knows no mail for the column mail of the table contacts\n"
    assert crm.rows("anna-7f3") == 20 and len(os.listdir(crm.files)) == 2


def test_a_pattern_whose_name_the_task_does_not_know_confirms_nothing(tmp_path):
    crm = files_only(tmp_path, "{id}.png {id}-{mail}.txt")
    (crm.files / "anna-7f3.png").touch()
    said = erase(crm, task("anna-7f3", mail=None), code=1)
    assert said == "the task knows no mail for the pattern {id}-{mail}.txt\n"
    assert os.listdir(crm.files) == ["anna-7f3.png"]


def test_what_the_task_does_not_know_is_skipped_where_the_configuration_says_so(tmp_path):
    crm = Crm(tmp_path)
    crm.add("anna-7f3")
    text = crm.config.read_text().replace("{id}.png", "{id}.png {mail}.txt")
    crm.config.write_text(text)
    allow_missing(crm)
    assert erase(crm, task("anna-7f3", mail=None)) == "result: erased"
    assert crm.traces("anna-7f3") == []


def test_rows_that_would_be_orphaned_stop_the_whole_erasure(tmp_path):
    crm = Crm(tmp_path)
    number = crm.add("anna-7f3")
    crm.database.execute("INSERT INTO notes (owner, contact) VALUES ('bert', ?)", (number,))
    assert "SQLITE_CONSTRAINT" in erase(crm, task("anna-7f3"), code=1)
    assert crm.rows("anna-7f3") == 20


# Killed in the middle


# Runs the script and kills it right before its n-th call of something that changes the world.
KILLED = """
import os, runpy, signal, sys
left = int(sys.argv.pop(1))
def watch(frame, event, called):
    global left
    if event == "c_call" and called.__name__ in ("execute", "unlink", "fsync", "close"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.argv.pop(0)
sys.setprofile(watch)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_killed_at_any_step_it_is_repeated_safely(tmp_path, mode):
    for step in range(1, 100):
        directory = tmp_path / str(step)
        directory.mkdir()
        crm = Crm(directory, mode)
        for id in ("anna-7f3", "bert-55a"):
            crm.add(id)
        crm.churn("anna-7f3")
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, str(step), SCRIPT, crm.config],
            input=json.dumps(task("anna-7f3")), capture_output=True, text=True, check=False,
        )
        if ended.returncode != -signal.SIGKILL:
            assert ended.returncode == 0, ended
            assert step > 10  # it was killed before that many calls
            return
        assert "result:" not in ended.stdout
        erase(crm, task("anna-7f3", attempt=2))
        assert crm.traces("anna-7f3") == []
        assert crm.rows("bert-55a") == 20
        crm.database.close()
    raise AssertionError("it has no end")


# The one in README.md


def erase_by_readme(directory, person):
    text = (TOP / "README.md").read_text().split("## A keeper in ten lines")[1]
    script = text.split("```sh\n")[1].split("```")[0]
    assert len(script.splitlines()) <= 10
    return subprocess.run(
        ["sh", "-c", script.replace("/srv/crm", str(directory))], capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], **person}, timeout=DEADLINE, check=False,
    )


def test_the_keeper_in_ten_lines_erases_the_person_in_any_case_and_nobody_else(tmp_path):
    for name in ("ada@fabrikam.example", "bert@fabrikam.example", "-rf"):
        (tmp_path / name).touch()
    person = {"RETENTION_PERSON": "Ada@Fabrikam.example"}
    for said in ("", "result: nothing-found\n"):
        ended = erase_by_readme(tmp_path, {**person, "RETENTION_ATTEMPT": "2"})
        assert (ended.returncode, ended.stdout) == (0, said)
    assert sorted(os.listdir(tmp_path)) == ["-rf", "bert@fabrikam.example"]


@pytest.mark.parametrize("person", [{}, {"RETENTION_PERSON": "../x"}])
def test_the_keeper_in_ten_lines_confirms_nothing_without_a_file_name(tmp_path, person):
    ended = erase_by_readme(tmp_path, person)
    assert ended.returncode == 1 and "result" not in ended.stdout


# With the daemon


def test_as_a_keeper_it_lets_removals_end(tmp_path):
    grant = f"[grant crm]\nrole = keeper crm\nusers = {os.getuid()}\n"
    crm = Crm(tmp_path)
    with running(grant) as daemon, daemon.connect() as client:
        people.set_org(client, "contoso", **people.PRIVACY)
        client.call("keeper.set", keeper="crm")
        ids = [f"guest-{i:04x}" for i in range(20)]
        people.take_in(client, *(people.direct(id) for id in ids))
        for id in ids[:15]:
            crm.add(id)
        client.items("account.remove", people.names(ids))
        uids = [people.get(client, id)["uid"] for id in ids]
        worked = subprocess.run(
            [program("RETENTIONCTL"), "-j", "work", "crm", "--once", "--",
             sys.executable, SCRIPT, crm.config],
            env={**ENVIRONMENT, "RETENTIOND_SOCKET": str(daemon.socket)},
            capture_output=True, text=True, timeout=DEADLINE, check=False,
        )
        assert worked.returncode == 0, worked
        results = [json.loads(line)["result"] for line in worked.stdout.splitlines()]
        assert sorted(results) == ["erased"] * 15 + ["nothing-found"] * 5
        assert {people.get(client, uid=uid)["state"] for uid in uids} == {"removed"}
    assert not any(crm.traces(id) for id in ids)
