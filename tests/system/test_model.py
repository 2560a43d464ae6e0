# SPDX-License-Identifier: Apache-2.0
"""Months at random: whatever is asked, in whatever order, the daemon does what a model does."""

import os
import random

import pytest

import people
from daemon import BEGIN, DAY, running

WINDOW = REMOVAL = 30 * DAY
KINDS = (people.GUEST, people.GUEST, people.DIRECT, people.MEMBER)
IDS = [f"g{i}" for i in range(40)]
STEPS = 250


class Account:
    """One incarnation of an account."""

    def __init__(self, uid, id, kind):
        self.uid, self.id, self.kind = uid, id, kind
        self.enabled = True
        self.deleted_at = self.started_at = self.removed_at = None
        self.events = 1

    def started(self, now):
        if self.deleted_at is None or self.started_at is not None:
            return self.started_at
        return self.deleted_at + WINDOW if now >= self.deleted_at + WINDOW else None

    def state(self, now):
        if self.removed_at is not None:
            return "removed"
        if self.deleted_at is None:
            return "active"
        return "soft-deleted" if self.started(now) is None else "removing"


class Model:
    def __init__(self):
        self.now = BEGIN
        self.paused = False
        self.accounts = []

    def newest(self, id):
        return next((account for account in reversed(self.accounts) if account.id == id), None)

    def others_in(self, account, state):
        return any(
            o is not account and o.id == account.id and o.state(self.now) == state
            for o in self.accounts
        )

    def outcome(self, verb, account):
        """The outcome of a command, and the account changed by it."""
        state = account.state(self.now)
        if verb in ("disable", "enable") and state == "active":
            account.events += account.enabled != (verb == "enable")
            account.enabled = verb == "enable"
            return "ok"
        if verb in ("leave", "remove") and state == "active":
            if verb == "leave" and not account.enabled:
                return "account-disabled"
            if verb == "leave" and account.kind == people.MEMBER:
                return "home-organization"
            account.deleted_at = self.now
            account.started_at = self.now if account.kind == people.DIRECT else None
        elif verb == "restore" and state == "soft-deleted":
            if self.others_in(account, "active"):
                return "name-conflict"
            account.deleted_at = None
        elif verb == "purge" and state == "soft-deleted":
            account.started_at = self.now
        else:
            return self.refusal(verb, state)
        account.events += 1
        return "ok"

    @staticmethod
    def refusal(verb, state):
        if state == "active":
            return "not-soft-deleted"
        if verb == "restore":
            return "irrevocable"
        if state == "removed":
            return "not-found"
        return "already-removing" if verb == "purge" else "already-left"

    def sweep(self):
        for account in self.accounts if not self.paused else ():
            if account.state(self.now) == "removing":
                account.events += 1 if account.started_at is not None else 2
                account.started_at, account.removed_at = account.started(self.now), self.now


def expected(account, now):
    told = {"uid": account.uid, "kind": account.kind, "state": account.state(now)}
    if account.state(now) != "removed":
        told |= {"id": account.id, "enabled": account.enabled}
    if account.deleted_at is not None:
        told["deleted_at_us"] = account.deleted_at
        if account.kind != people.DIRECT:
            told["window_ends_us"] = account.deleted_at + WINDOW
    if account.started(now) is not None:
        told["removal_started_us"] = account.started(now)
        told["removal_due_us"] = account.started(now) + REMOVAL
    if account.removed_at is not None:
        told["removed_at_us"] = account.removed_at
    return told


class Play:
    def __init__(self, daemon, chance):
        self.daemon, self.chance, self.model = daemon, chance, Model()
        self.client = daemon.connect()

    def command(self):
        verb = self.chance.choice(
            ["leave", "remove", "restore", "restore", "purge", "disable", "enable"]
        )
        known = [account for account in map(self.model.newest, IDS) if account]
        chosen = self.chance.choices(known, k=self.chance.randrange(1, 20))
        named = [
            people.name(a.id) if self.chance.random() < 0.5 else {"uid": a.uid} for a in chosen
        ]
        if self.chance.random() < 0.2:  # an older incarnation
            chosen.append(self.chance.choice(self.model.accounts))
            named.append({"uid": chosen[-1].uid})
        items = self.client.items(f"account.{verb}", named)
        for account, item in zip(chosen, items):
            assert item["outcome"] == self.model.outcome(verb, account), (verb, item, vars(account))
            assert item["state"] == account.state(self.model.now)

    def take_in(self):
        for id in self.chance.sample(IDS, 5):
            anew = self.chance.random() < 0.3
            before = self.model.newest(id)
            kind = before.kind if before else self.chance.choice(KINDS)
            account = people.guest(id, kind=kind)
            item = self.client.items("account.import", [account], new_incarnation=anew)[0]
            fresh = Account(item.get("uid"), id, kind)
            if before and before.state(self.model.now) == "active":
                assert item["outcome"] == "ok" and item["change"] in ("unchanged", "updated")
                before.events += not before.enabled
                before.enabled = True
            elif not anew and self.model.others_in(fresh, "soft-deleted"):
                assert item["outcome"] == "soft-deleted-exists"
            else:
                assert (item["outcome"], item["change"]) == ("ok", "created")
                self.model.accounts.append(fresh)

    def pass_time(self):
        span = self.chance.choice([0, 1, DAY, 7 * DAY, WINDOW - 1, WINDOW, 40 * DAY])
        self.model.now = self.client.call("clock.advance", by_us=span)["now_us"]

    def pause_or_resume(self):
        self.model.paused = self.chance.random() < 0.5
        self.client.call("sweep.pause" if self.model.paused else "sweep.resume")

    def end_and_start(self):
        self.client.close()
        self.chance.choice([self.daemon.stop, self.daemon.kill9])()
        self.daemon.start()
        self.client = self.daemon.connect()

    def step(self):
        acts = [
            self.command, self.take_in, self.pass_time, self.pause_or_resume, self.end_and_start
        ]
        self.chance.choices(acts, weights=[60, 15, 10, 5, 5])[0]()
        if not self.model.paused:
            people.settle(self.client)
        self.model.sweep()

    def check(self):
        told = list(self.client.pages("account.list", "accounts", limit=17))
        assert [account["uid"] for account in told] == [
            account.uid for account in self.model.accounts
        ]
        for account, row in zip(self.model.accounts, told):
            wanted = expected(account, self.model.now)
            dates = {
                key: value for key, value in row.items() if key in wanted or key.endswith("_us")
            }
            del dates["created_at_us"]
            assert dates == wanted
        assert people.verify(self.client) == people.head(self.client)


@pytest.mark.parametrize("round", range(4))
def test_the_daemon_does_what_the_model_does(round):
    """The model forgets nobody, so the daemon is told to keep its tombstones as long."""
    with running("tombstones = 9999d\n") as daemon:
        with daemon.connect() as client:
            people.set_org(client, "contoso", name="Contoso", **people.PRIVACY)
        play_along(daemon)


def play_along(daemon):
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"SEED={seed}")
    play = Play(daemon, random.Random(seed))
    play.take_in()
    for n in range(STEPS):
        play.step()
        if n % 25 == 0:
            play.check()
    play.check()
    for account in play.model.accounts:
        assert len(people.history(play.client, uid=account.uid)) == account.events, vars(account)
    play.client.close()
