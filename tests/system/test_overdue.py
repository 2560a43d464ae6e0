# SPDX-License-Identifier: Apache-2.0
"""Thousands of removals, three keepers, of which one never comes back: nothing is lost or early."""

import collections
import json
import re
import subprocess

import pytest

import keepers
import people
from daemon import BEGIN, DAY, ENVIRONMENT, HOUR, MINUTE, program, running

KEEPERS = ("crm", "files", "dead")
CONTOSO_EACH = 400  # of each way in which a removal starts
FABRIKAM = 600  # leave by the clock too; the dead keeper has nothing to do with them
N = 4 * CONTOSO_EACH + FABRIKAM
GROUND = "hgb-257"


@pytest.fixture
def daemon():
    with running(keepers.grant(*KEEPERS)) as daemon:
        yield daemon


class Removals:
    """All removals, with the keepers that owe them still, as the test knows it."""

    def __init__(self, daemon, client):
        self.daemon = daemon
        self.client = client
        people.set_org(client, "contoso", **people.PRIVACY)
        people.set_org(client, "fabrikam")
        keepers.set_keeper(client, "crm")
        keepers.set_keeper(client, "files")
        keepers.set_keeper(client, "dead", orgs=["contoso"])
        self.owed = {}
        self.at_once = self._remove_at_once()
        self.by_clock = self._leave("timed", "contoso", CONTOSO_EACH)
        self.elsewhere = self._leave("there", "fabrikam", FABRIKAM)

    def _take_in(self, ids, org, make):
        items = people.take_in(self.client, *[make(id, org) for id in ids])
        return [item["uid"] for item in items]

    def _items(self, method, uids):
        items = self.client.items(f"account.{method}", [{"uid": uid} for uid in uids])
        assert set(people.outcomes(items)) == {"ok"}

    def _leave(self, prefix, org, n):
        uids = self._take_in([f"{prefix}{i}" for i in range(n)], org, people.guest)
        self._items("leave", uids)
        return uids

    def _remove_at_once(self):
        purged = self._leave("purged", "contoso", CONTOSO_EACH)
        self._items("purge", purged)
        started = [purged]
        for verb in ("leave", "remove"):
            ids = [f"{verb}{i}" for i in range(CONTOSO_EACH)]
            started.append(self._take_in(ids, "contoso", people.direct))
            self._items(verb, started[-1])
        for uid in sum(started, []):
            self.owed[uid] = set(KEEPERS)
        return sum(started, [])

    def clock_starts(self):
        for uid in self.by_clock:
            self.owed[uid] = set(KEEPERS)
        for uid in self.elsewhere:
            self.owed[uid] = {"crm", "files"}

    def check(self):
        """Whoever is owed is removing and whole; all others are gone."""
        people.settle(self.client)
        removing = self.client.pages("account.list", "accounts", state="removing", limit=500)
        listed = {account["uid"]: account for account in removing}
        owed = {uid: names for uid, names in self.owed.items() if names}
        assert {uid: set(account["pending"]) for uid, account in listed.items()} == owed
        assert all(account["name"] and account["person"] for account in listed.values())
        stats = self.client.call("stats.get")["accounts"]
        assert (stats["removing"], stats["removed"]) == (len(owed), len(self.owed) - len(owed))
        for name in KEEPERS:
            n_owed = sum(name in names for names in owed.values())
            assert keepers.listed(self.client, name)["owed"] == n_owed

    def settle(self, name, items):
        for item in items:
            assert item["outcome"] == "ok", item
            self.owed[item["uid"]].remove(name)


def result_of(uid):
    """(result, legal ground) of one account's task, for every keeper."""
    kind = uid % 10
    if kind == 1:
        return ("retained", GROUND)
    return ("nothing-found" if kind == 2 else "erased", None)


class Worker:
    """A keeper that fails some tasks, finds nothing for some, and must retain some."""

    def __init__(self, removals, name):
        self.removals = removals
        self.name = name
        self.attempts = {}  # by uid, that of the confirmation

    def work_all(self, client):
        """Rounds until it owes nothing, minutes apart: failures wait for their turn."""
        while any(self.name in names for names in self.removals.owed.values()):
            self.work()
            self.removals.check()
            client.call("clock.advance", by_us=10 * MINUTE)


class WireKeeper(Worker):
    """On the wire."""

    def work(self):
        failing, settling = [], collections.defaultdict(list)
        with keepers.Keeper(self.removals.daemon, self.name) as keeper:
            for task in keeper.claim_all():
                uid, attempt = task["uid"], task["attempt"]
                assert ("error" in task) == (attempt > 1)
                if uid % 3 == 0 and attempt <= 1 + uid % 2:
                    failing.append(task)
                else:
                    settling[result_of(uid)].append(task)
                    self.attempts[uid] = attempt
            assert {item["outcome"] for item in keeper.fail(failing)} <= {"ok"}
            for (result, ground), tasks in settling.items():
                fields = {"ground": ground} if ground else {}
                self.removals.settle(self.name, keeper.confirm(tasks, result, **fields))


class ScriptKeeper(Worker):
    """A shell command, which retentionctl work makes a keeper."""

    COMMAND = f"""
        [ $((RETENTION_UID % 7)) = 0 ] && [ "$RETENTION_ATTEMPT" = 1 ] && exit 75
        [ $((RETENTION_UID % 11)) = 0 ] && [ "$RETENTION_ATTEMPT" -le 2 ] && exit 1
        case $((RETENTION_UID % 10)) in
        1) echo "result: retained {GROUND}" ;;
        2) echo "result: nothing-found" ;;
        esac
    """

    def work(self):
        ended = subprocess.run(
            [
                program("RETENTIONCTL"), "--json", f"--socket={self.removals.daemon.socket}",
                "work", self.name, "--once", "--parallel=4", "--", "sh", "-c", self.COMMAND,
            ],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            timeout=600,
            check=False,
        )
        lines = [json.loads(line) for line in ended.stdout.splitlines()]
        settled = [line for line in lines if line["result"] not in ("later", "failed")]
        assert ended.returncode == (0 if len(settled) == len(lines) else 12 if settled else 1)
        self.removals.settle(self.name, settled)
        for line in settled:
            self.attempts[line["uid"]] = line["attempt"]


def overdue(client):
    """The removals that account.list names as overdue, and those that stats.get counts."""
    listed = list(client.pages("account.list", "accounts", overdue=True, limit=1000))
    assert {account["sla"] for account in listed} <= {"overdue"}
    assert all(account["pending"] == ["dead"] for account in listed)
    assert client.call("stats.get")["accounts"]["overdue"] == len(listed)
    return {account["uid"] for account in listed}


def cried(daemon):
    """How many removals the log has told to be past their deadline, and whose fault that is."""
    lines = re.findall(
        r"(\d+) removals passed their deadline; these keepers still owe the erasure: ([^;]+);",
        daemon.log.read_text(),
    )
    return sum(int(n) for n, _ in lines), {names for _, names in lines}


def go_to(client, at):
    client.call("clock.advance", to_us=at)
    people.settle(client)


def waive(client, removals, uids):
    for at in range(0, len(uids), 1000):
        some = [{"uid": uid} for uid in uids[at : at + 1000]]
        items = client.items("keeper.waive", some, keeper="dead", reason="its disk is scrap")
        removals.settle("dead", items)


def entries(client):
    """The whole ledger, entry by entry, of accounts only, by uid."""
    histories, arguments = collections.defaultdict(list), {}
    while True:
        page = client.call("ledger.read", limit=1000, **arguments)
        for entry in page["entries"]:
            if "uid" in entry:
                histories[entry["uid"]].append(entry)
        if "next" not in page:
            return histories
        arguments["from"] = page["next"]


def check_history(history, removals):
    """Each keeper in scope settled it once, and only then was it complete."""
    uid = history[0]["uid"]
    settled = [entry for entry in history if entry["event"].startswith("task-")]
    names = {"crm", "files"} if uid in removals.elsewhere else set(KEEPERS)
    assert sorted(entry["keeper"] for entry in settled) == sorted(names)
    for entry in settled:
        if entry["keeper"] == "dead":
            assert (entry["event"], entry["result"]) == ("task-waived", "waived")
            continue
        assert entry["event"] == "task-confirmed"
        assert (entry["result"], entry.get("ground")) == result_of(uid)
    events = [entry["event"] for entry in history]
    assert events.count("removal-completed") == 1 and events[-1] == "removal-completed"
    assert events.count("overdue") == ("dead" in names)
    assert history[-1].get("late", False) == ("dead" in names)


def test_two_thousand_removals_with_three_keepers_of_which_one_never_comes_back(daemon, client):
    removals = Removals(daemon, client)
    assert N >= 2000
    workers = [WireKeeper(removals, "crm"), ScriptKeeper(removals, "files")]
    with keepers.Keeper(daemon, "dead") as dead:
        assert len(dead.claim_all()) == len(removals.at_once)  # and is never heard of again

    removals.check()
    for worker in workers:
        worker.work_all(client)
    assert all(removals.owed[uid] == {"dead"} for uid in removals.at_once)

    first_due = BEGIN + 30 * DAY
    go_to(client, first_due - 1)
    assert overdue(client) == set() and cried(daemon) == (0, set())
    assert keepers.listed(client, "dead")["sla"] == "due-soon"
    go_to(client, first_due)
    assert overdue(client) == set(removals.at_once)
    assert cried(daemon) == (len(removals.at_once), {"dead"})
    named = keepers.listed(client, "dead")
    assert (named["sla"], named["oldest_due_us"]) == ("overdue", first_due)
    assert named["owed"] == len(removals.at_once) + len(removals.by_clock)

    removals.clock_starts()  # at the very same instant
    removals.check()
    for worker in workers:
        worker.work_all(client)
    assert all(not removals.owed[uid] for uid in removals.elsewhere)

    daemon.restart()
    with daemon.connect() as client:
        removals.client = client
        go_to(client, BEGIN + 60 * DAY - 1)
        assert overdue(client) == set(removals.at_once)
        go_to(client, BEGIN + 60 * DAY)
        dead_owes = removals.at_once + removals.by_clock
        assert overdue(client) == set(dead_owes)
        assert cried(daemon) == (len(dead_owes), {"dead"})
        removals.check()

        waive(client, removals, dead_owes)
        removals.check()
        assert set().union(*removals.owed.values()) == set()
        assert overdue(client) == set()
        receipt = client.call("receipt.get", uid=removals.at_once[0])["receipt"]
        assert "\nsla: late\n" in receipt and "\nkeeper dead: waived by admin" in receipt
        receipt = client.call("receipt.get", uid=removals.elsewhere[0])["receipt"]
        assert "\nsla: on time\n" in receipt and "dead" not in receipt

        histories = entries(client)
        assert len(histories) == N
        for history in histories.values():
            check_history(history, removals)
        for worker in workers:
            assert len(worker.attempts) == N
            assert set(worker.attempts.values()) == {1, 2, 3}
        assert people.verify(client) == people.head(client)


def test_what_is_overdue_is_told_once_and_stays_told_over_a_restart_and_a_kill(
    daemon, client, contoso
):
    keepers.set_keeper(client, "dead")
    people.take_in(client, *[people.direct(f"d{i}") for i in range(3)])
    for i in range(3):
        people.do(client, "remove", f"d{i}")
    go_to(client, BEGIN + 31 * DAY)
    assert cried(daemon) == (3, {"dead"})
    for end in (daemon.stop, daemon.kill9):
        end()
        daemon.start()
        with daemon.connect() as again:
            go_to(again, again.call("retention.info")["clock"]["now_us"] + DAY)
            assert len(overdue(again)) == 3
            assert keepers.listed(again, "dead")["sla"] == "overdue"
    assert cried(daemon) == (3, {"dead"})


def test_a_removal_is_due_soon_in_its_last_seven_days(daemon, client, contoso):
    keepers.set_keeper(client, "dead")
    people.take_in(client, people.direct("kim"))
    people.do(client, "remove", "kim")

    def sla_at(at):
        go_to(client, at)
        return people.get(client, "kim")["sla"]

    due = BEGIN + 30 * DAY
    told = [sla_at(at) for at in (due - 7 * DAY - 1, due - 7 * DAY, due - 1, due, due + DAY)]
    assert told == ["on-track", "due-soon", "due-soon", "overdue", "overdue"]


def test_a_shorter_time_for_removals_is_kept_to_the_microsecond(daemon, client, contoso):
    people.set_org(client, "contoso", removal_us=DAY)
    keepers.set_keeper(client, "dead")
    people.take_in(client, people.direct("kim"))
    people.do(client, "remove", "kim")
    go_to(client, BEGIN + DAY - 1)
    assert overdue(client) == set()
    go_to(client, BEGIN + DAY)
    assert len(overdue(client)) == 1


def test_a_removal_whose_deadline_passed_while_timed_work_was_paused_is_late(
    daemon, client, contoso
):
    keepers.set_keeper(client, "dead")
    people.take_in(client, people.guest("alex"), people.direct("kim"))
    people.do(client, "leave", "alex")
    people.do(client, "remove", "kim")
    client.call("sweep.pause")
    client.call("clock.advance", by_us=60 * DAY + HOUR)
    listed = list(client.pages("account.list", "accounts", overdue=True))
    assert sorted(account["id"] for account in listed) == ["alex", "kim"]
    client.call("sweep.resume")
    people.settle(client)
    assert len(overdue(client)) == 2
    with keepers.Keeper(daemon, "dead") as late:
        late.confirm(late.claim_all())
    people.settle(client)
    assert overdue(client) == set()
    for uid in (1, 2):
        assert people.history(client, uid=uid)[-1]["late"] is True
