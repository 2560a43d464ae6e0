# SPDX-License-Identifier: Apache-2.0
"""Every code that the daemon refuses with, provoked through the client, and what people read then.

ROWS has a row for each outcome and each error that retention.api tells; a code without a row fails.
"""

import json
import os

import pytest

import keepers
import people
from ctl import FAILURE, GUARD, NOT_FOUND, OK, PERMISSION, REFUSED, USAGE, Ctl
from daemon import DAY, SIMULATED, running
from sealed import FIRST_SLOT, KEY_BYTES
from wire import RpcError

SMALL = (SIMULATED, "--map-size=8M")
SCOPED = 4001
GRANTS = f"[grant some]\nrole = admin\nusers = {SCOPED}\norganizations = contoso\n"
ENTRIES_TOLD_MAX = 65536  # of one account, as a whole; see STORE_HISTORY_MAX


class Scene:
    """A daemon with contoso, crm as its keeper, and alex, dan (disabled), and kim, who has left."""

    def __init__(self, daemon, directory):
        self.daemon = daemon
        self.directory = directory
        self.client = daemon.connect()
        self.ctl = Ctl(daemon.socket)
        people.set_org(self.client, "contoso", **people.PRIVACY)
        people.take_in(
            self.client,
            people.guest("alex"),
            people.guest("kim"),
            people.guest("dan", enabled=False),
            people.member("mia"),
            people.direct("dirk"),
        )
        people.do(self.client, "leave", "kim")
        keepers.set_keeper(self.client, "crm")

    def restart(self, **changes):
        """The daemon begins anew, with other options, or after something was done to its files."""
        self.client.close()
        self.daemon.stop()
        for name, value in changes.items():
            setattr(self.daemon, name, value)
        self.daemon.start()
        self.client = self.daemon.connect()

    def file(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path

    def script(self, text):
        path = self.file("erase", f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path


# How each refusal comes about. Each function returns what is typed then.


def not_found(scene):
    return ["show", "contoso/ghost"]


def already_left(scene):
    return ["leave", "contoso/kim"]


def already_removing(scene):
    people.do(scene.client, "purge", "kim")
    return ["purge", "--yes", "contoso/kim"]


def staged(scene):
    people.set_org(scene.client, guard_min=1, guard_percent=1)
    return ["remove", "contoso/alex"]


def guard_count(scene):
    return ["release-guard", "mass", "--org=contoso", "--expect=5"]


def not_soft_deleted(scene):
    return ["restore", "contoso/alex"]


def irrevocable(scene):
    people.do(scene.client, "purge", "kim")
    return ["restore", "contoso/kim"]


def name_conflict(scene):
    people.take_in(
        scene.client,
        people.guest("kim2", person="other@x.example", upn=people.guest("kim")["upn"]),
    )
    return ["restore", "contoso/kim"]


def leave_not_allowed(scene):
    people.set_org(scene.client, allow_leave=False)
    return ["leave", "contoso/alex"]


def account_disabled(scene):
    return ["leave", "contoso/dan"]


def home_organization(scene):
    return ["leave", "contoso/mia"]


def soft_deleted_exists(scene):
    again = people.guest("kim3", person=people.person("kim"))
    return ["import", scene.file("kim.jsonl", json.dumps(again))]


def permission_denied(scene):
    return ["work", "billing", "--once", "--", "true"]


def org_not_found(scene):
    return ["leave", "nowhere/alex"]


def privacy_info_missing(scene):
    return ["set-org", "adatum", "--allow-leave=no"]


def held(scene):
    scene.client.items("hold.add", [people.name("kim")], hold="case-17")
    return ["purge", "--yes", "contoso/kim"]


def window_ended(scene):
    held(scene)
    scene.client.call("clock.advance", by_us=31 * DAY)
    return ["restore", "contoso/kim"]


def hold_exists(scene):
    held(scene)
    return ["hold", "--hold=case-17", "contoso/kim"]


def hold_not_found(scene):
    return ["release", "--hold=case-17", "contoso/kim"]


def too_many_holds(scene):
    for i in range(64):
        scene.client.items("hold.add", [people.name("kim")], hold=f"case-{i}")
    return ["hold", "--hold=one-more", "contoso/kim"]


def not_owed(scene):
    return ["waive", "crm", "--yes", "--reason=gone", "contoso/alex"]


def not_started(scene):
    people.do(scene.client, "remove", "kim")
    scene.client.call("keeper.set", keeper="crm", enabled=False)
    scene.client.call("sweep.pause")
    scene.client.call("clock.advance", by_us=31 * DAY)
    return ["owe", "crm", "contoso/kim"]


def lease_expired(scene):
    """The command gives its task back behind the back of who runs it, and claims it anew."""
    people.do(scene.client, "purge", "kim")
    lose = """tasks="{\\"keeper\\": \\"crm\\", \\"tasks\\": [{\\"token\\": \\"$RETENTION_TOKEN\\"}]"
"$CTL" call keeper.extend "$tasks, \\"lease_us\\": 0}" >/dev/null
"$CTL" claim crm >/dev/null"""
    return ["work", "crm", "--once", "--", scene.script(lose)]


def already_settled(scene):
    """The command confirms its task itself, and with another result than it ends with."""
    people.do(scene.client, "purge", "kim")
    settle = """task="{\\"token\\": \\"$RETENTION_TOKEN\\", \\"result\\": \\"nothing-found\\"}"
"$CTL" call keeper.confirm "{\\"keeper\\": \\"crm\\", \\"tasks\\": [$task]}" >/dev/null"""
    return ["work", "crm", "--once", "--", scene.script(settle)]


def confirm(**task):
    """Tokens are for programs: what one gets is a code, and retention.api tells what it means."""
    return ["call", "keeper.confirm", json.dumps({"keeper": "crm", "tasks": [task]})]


def token_unknown(scene):
    return confirm(token="1.1.00", result="erased")


def ground_missing(scene):
    people.do(scene.client, "purge", "kim")
    task = scene.client.call("keeper.claim", keeper="crm")["tasks"][0]
    return confirm(token=task["token"], result="retained")


def request_not_found(scene):
    return ["approve", "99"]


def already_decided(scene):
    scene.client.items("request.file", [people.name("dan")])
    scene.client.call("request.deny", requests=[{"request": 1}], reason="no")
    return ["approve", "1"]


def already_requested(scene):
    scene.client.items("request.file", [people.name("dan")])
    return ["file", "contoso/dan"]


def damaged(scene):
    """The key of kim's data is another one now: nothing of kim can be read."""
    uid = people.get(scene.client, "kim")["uid"]
    scene.client.close()
    scene.daemon.stop()
    with (scene.daemon.state / "store" / "vault").open("r+b") as vault:
        vault.seek(FIRST_SLOT + (uid - 1) * KEY_BYTES)
        vault.write(b"x" * KEY_BYTES)
    scene.daemon.start()
    scene.client = scene.daemon.connect()
    return ["show", "contoso/kim"]


def changed(scene):
    plan = scene.file("plan.json", scene.ctl("-j", "purge", "--dry-run", "contoso/kim").stdout)
    people.do(scene.client, "restore", "kim")
    people.do(scene.client, "leave", "kim")
    return ["purge", f"--plan={plan}", "--yes"]


def unknown_method(scene):
    return ["call", "no.such.method"]


def invalid_argument(scene):
    return ["due", "--within=9999d", "--by=hour"]


def too_large(scene):
    """More has happened to kim than is told as a whole: a purge that a hold blocks is an entry."""
    held(scene)
    for _ in range(ENTRIES_TOLD_MAX // 1000 + 1):
        scene.client.items("account.purge", 1000 * [people.name("kim")])
    return ["receipt", "contoso/kim"]


def busy(scene):
    scene.client.call("sweep.pause")
    return ["sweep"]


def store_full(scene):
    for i in range(1, 64):
        keepers.set_keeper(scene.client, f"k{i}")
    return ["set-keeper", "one-more"]


def no_room(scene):
    """A small store that has been filled with people."""
    n = 0
    scene.restart(options=SMALL)
    while True:
        crowd = [people.guest(f"g{n + i}", name="n" * 200) for i in range(1000)]
        try:
            scene.client.items("account.import", crowd)
        except RpcError:
            return ["import", scene.file("crowd.jsonl", "\n".join(map(json.dumps, crowd)))]
        n += 1000


def damaged_entry(scene):
    """An entry of the ledger, not one of the last, has a form that there is not, in every copy."""
    people.take_in(scene.client, *[people.guest(f"g{i}") for i in range(1500)])
    last_sound = scene.client.call("ledger.read", limit=1, **{"from": 50})["entries"][0]
    scene.client.close()
    scene.daemon.stop()
    store = scene.daemon.state / "store" / "data.mdb"
    data = bytearray(store.read_bytes())
    before, key = bytes.fromhex(last_sound["hash"]), (51).to_bytes(8, "big")
    at = data.find(before)  # it stands in the entry, behind the key
    assert at > 0
    while at > 0:
        data[data.rfind(key, 0, at) + len(key)] ^= 0xFF
        at = data.find(before, at + 1)
    store.write_bytes(data)
    scene.daemon.start()
    scene.client = scene.daemon.connect()
    return ["log", "--from=40"]


def real_clock(scene):
    scene.restart(options=[])
    return ["advance", "30d"]


def clock_not_trusted(scene):
    """The store's last entry is of the beginning of 2026, and by the wall clock it is later."""
    scene.restart(options=[])
    return ["sweep"]


def as_scoped(*arguments):
    """An administrator of contoso, who is none of the rest."""

    def provoke(scene):
        if os.getuid() != 0:
            pytest.skip("only root can be somebody else")
        scene.ctl.become(SCOPED)
        return list(arguments)

    return provoke


def of_70_kib(scene):
    return ["call", "account.get", json.dumps({"org": "contoso", "id": "x" * 70 * 1024})]


def keeper_not_found(scene):
    return ["waive", "nobody", "--yes", "--reason=gone", "contoso/kim"]


# code: how it comes about, the exit code, what is read, in parts.
ROWS = {
    "not-found": (not_found, NOT_FOUND, "no such account is known here; check how"),
    "already-left": (already_left, REFUSED, "has left already; its clock runs on"),
    "already-removing": (already_removing, REFUSED, "begun already; retentionctl explain says how"),
    "staged": (staged, GUARD, "held back by the mass guard, and not lost"),
    "guard-count": (guard_count, GUARD, "the mass guard of contoso is not engaged"),
    "not-soft-deleted": (not_soft_deleted, REFUSED, "the account is not soft-deleted: there is"),
    "irrevocable": (irrevocable, REFUSED, "nobody can stop it; who comes back gets a new account"),
    "name-conflict": (name_conflict, REFUSED, "restore it with a new UPN"),
    "leave-not-allowed": (leave_not_allowed, REFUSED, "be filed: retentionctl file contoso/alex"),
    "account-disabled": (account_disabled, REFUSED, "can be filed: retentionctl file contoso/dan"),
    "home-organization": (home_organization, REFUSED, "its administrators remove its members"),
    "soft-deleted-exists": (soft_deleted_exists, REFUSED, "restore it, or ask for a new incarnat"),
    "permission-denied": (permission_denied, PERMISSION, "a grant with role = keeper billing"),
    "org-not-found": (org_not_found, NOT_FOUND, "retentionctl orgs lists them, set-org creates"),
    "privacy-info-missing": (privacy_info_missing, REFUSED, "set one of them too"),
    "held": (held, REFUSED, "before the last one ends: retentionctl holds lists them"),
    "window-ended": (window_ended, REFUSED, "removal starts when it is released"),
    "hold-exists": (hold_exists, REFUSED, "choose another name, or release that one first"),
    "hold-not-found": (hold_not_found, REFUSED, "retentionctl holds lists those that do"),
    "too-many-holds": (too_many_holds, REFUSED, "release one of them first"),
    "not-owed": (not_owed, REFUSED, "retentionctl explain says who does"),
    "not-started": (not_started, REFUSED, "or enable it, with retentionctl set-keeper"),
    "lease-expired": (lease_expired, FAILURE, "was claimed again; claim it again"),
    "token-unknown": (token_unknown, OK, "claim the task again"),
    "already-settled": (already_settled, FAILURE, "settled with another result, and that stays"),
    "ground-missing": (ground_missing, OK, "say it with the result"),
    "request-not-found": (request_not_found, NOT_FOUND, "retentionctl requests lists them"),
    "already-decided": (already_decided, REFUSED, "retentionctl requests says how"),
    "already-requested": (already_requested, REFUSED, "an administrator decides it"),
    "damaged": (damaged, REFUSED, "run retentionctl verify and see the journal"),
    "changed": (changed, REFUSED, "look again with --dry-run"),
    "unknown-method": (unknown_method, USAGE, "no.such.method\"; retention.api lists them"),
    "invalid-argument": (invalid_argument, USAGE, "--within: must cover 1 to 1000 buckets; choose"),
    "too-large": (too_large, FAILURE, "more than 65536 entries in the ledger; ledger.read tells"),
    "busy": (busy, FAILURE, "timed work is paused; resume it first"),
    "store-full": (store_full, FAILURE, "there are 64 keepers already, as many as are kept"),
    "real-clock": (real_clock, FAILURE, "start retentiond with --clock=simulated:INSTANT to move"),
    "clock-not-trusted": (clock_not_trusted, GUARD, "if it is right, retentionctl release-guard clock"),
    "keeper-not-found": (keeper_not_found, NOT_FOUND, "retentionctl keepers lists them, set-"),
}

# Codes that come in a second way, with another text.
MORE = {
    "org-not-found": [
        (lambda scene: ["list", "--org=nowhere"], NOT_FOUND, "no organization nowhere is known"),
        (lambda scene: ["org", "nowhere"], NOT_FOUND, "retentionctl orgs lists them, set-org"),
        (lambda scene: ["requests", "--org=nowhere"], NOT_FOUND, "no organization nowhere is"),
        (lambda scene: ["show", "nowhere/alex"], NOT_FOUND, "set-org creates one"),
        (lambda scene: ["receipt", "nowhere/alex"], NOT_FOUND, "set-org creates one"),
        (lambda scene: ["log", "nowhere/alex"], NOT_FOUND, "set-org creates one"),
        (
            lambda scene: ["set-keeper", "crm", "--orgs=contoso,nowhere"], NOT_FOUND,
            "no organization nowhere is known here",
        ),
        (
            lambda scene: ["import", scene.file("x", json.dumps(people.guest("x", "nowhere")))],
            NOT_FOUND, "create it with: retentionctl set-org nowhere",
        ),
    ],
    "permission-denied": [
        (as_scoped("leave", "adatum/x"), PERMISSION, "retentionctl info says what it covers"),
        (as_scoped("org", "adatum"), PERMISSION, "does not cover the organization adatum"),
        (as_scoped("list", "--org=adatum"), PERMISSION, "does not cover the organization adatum"),
        (as_scoped("pause"), PERMISSION, "needs the role admin over all organizations"),
    ],
    "keeper-not-found": [
        (lambda scene: ["owe", "nobody", "contoso/kim"], NOT_FOUND, "no keeper nobody is known"),
    ],
    "too-large": [(of_70_kib, FAILURE, "the request is larger than 65536 bytes")],
    "store-full": [(no_room, FAILURE, "raise map_size or free space on the disk")],
    "damaged": [(damaged_entry, FAILURE, "cannot be read; run retentionctl verify")],
}


def codes_in(document):
    """Every outcome that a document tells."""
    if isinstance(document, list):
        return {code for item in document for code in codes_in(item)}
    if isinstance(document, dict):
        told = {document["outcome"]} if isinstance(document.get("outcome"), str) else set()
        return told.union(*(codes_in(value) for value in document.values()))
    return set()


def documents(text):
    """One document, or one a line."""
    try:
        return [json.loads(text)] if text else []
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]


def expect(scene, arguments, exit_code, code, words):
    ended = scene.ctl("-j", *arguments, code=exit_code)
    if ended.stderr.startswith('{"error"'):
        error = json.loads(ended.stderr)["error"]
        assert (error["code"], error["exit"]) == (code, exit_code)
        assert words in error["text"]
    else:
        assert code in codes_in(documents(ended.stdout)), ended
    return ended


@pytest.fixture
def scene(tmp_path):
    with running(keepers.grant("crm") + GRANTS) as daemon:
        scene = Scene(daemon, tmp_path)
        scene.ctl.environment["CTL"] = os.environ["RETENTIONCTL"]
        yield scene
        scene.client.close()


def meaning(scene, code):
    api = scene.ctl.json("api")
    return {row["code"]: row["text"] for row in api["errors"] + api["outcomes"]}[code]


def check(scene, code, row):
    provoke, exit_code, words = row
    arguments = provoke(scene)
    if arguments[0] == "work":
        # What it spoils is spoilt once: people read the same run that tells the code.
        told = scene.ctl(*arguments, code=exit_code).stderr
        assert words in told, told
        assert code == "permission-denied" or meaning(scene, code) in told
        return
    expect(scene, arguments, exit_code, code, words)
    if arguments[0] == "call" and exit_code == OK:
        assert words in meaning(scene, code)
        return
    ended = scene.ctl(*arguments, code=exit_code)
    assert words in " ".join((ended.stdout + ended.stderr).split()), ended


@pytest.mark.parametrize("code", ROWS)
def test_each_refusal_has_its_code_its_exit_code_and_what_to_do(scene, code):
    check(scene, code, ROWS[code])


@pytest.mark.parametrize("code, n", [(code, n) for code in MORE for n in range(len(MORE[code]))])
def test_a_refusal_reads_alike_wherever_it_comes_from(scene, code, n):
    check(scene, code, MORE[code][n])


def test_no_refusal_is_without_a_row(scene):
    api = scene.ctl.json("api")
    told = {row["code"] for row in api["outcomes"] + api["errors"]}
    assert told - {"ok"} == set(ROWS)
    assert all(row["text"] for row in api["outcomes"] + api["errors"])
