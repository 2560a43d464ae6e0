# SPDX-License-Identifier: Apache-2.0
"""The daemon is killed at any moment: what it acknowledged is there, and nothing is by half."""

import contextlib
import os
import random
import threading

import pytest

import people
import wire
from daemon import BEGIN, DAY

CLIENTS = 32
PER_CLIENT = 40
N = CLIENTS * PER_CLIENT

DATES = {"deleted_at_us": BEGIN, "window_ends_us": BEGIN + 30 * DAY}


@pytest.fixture
def chance():
    """Moments that differ from run to run; a failed test prints the seed: SEED=… repeats it."""
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def accounts(client, contoso):
    accounts = [people.guest(f"g{i}") for i in range(N)]
    people.take_in(client, *accounts)
    return accounts


class Crowd:
    """Clients that work at once. After the n-th answer something is done to the daemon."""

    def __init__(self, daemon, n, then):
        self.daemon = daemon
        self.left = n
        self.then = then
        self.lock = threading.Lock()
        self.answers = {}
        self.faults = []

    def answered(self, key, answer):
        with self.lock:
            self.answers[key] = answer
            self.left -= 1
            if self.left == 0:
                self.then()

    def _client(self, i, one_of):
        try:
            with self.daemon.connect() as connection:
                one_of(connection, self, i)
        except (wire.Closed, OSError):
            pass  # the daemon has ended
        except Exception as fault:
            self.faults.append(fault)

    def work(self, one_of):
        """one_of(connection, crowd, i) is the work of the i-th client, while the daemon lives."""
        threads = [threading.Thread(target=self._client, args=(i, one_of)) for i in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not self.faults, self.faults
        assert self.left <= 0


def histories(client, ids):
    """The events of many accounts, pipelined; none has more than 1000."""
    sent = [client.post("ledger.read", {**people.name(id), "limit": 1000}) for id in ids]
    answers = [client.take(msgid) for msgid in sent]
    return [[entry["event"] for entry in answer["entries"]][::-1] for answer in answers]


def whole(client, ids):
    sent = [client.post("account.get", people.name(id)) for id in ids]
    return [client.take(msgid)["account"] for msgid in sent]


def check_counts(client):
    """What the daemon counts is what there is."""
    stats, told = client.call("stats.get")["accounts"], {}
    for account in client.pages("account.list", "accounts", limit=1000):
        told[account["state"]] = told.get(account["state"], 0) + 1
    assert {state.replace("_", "-"): n for state, n in stats.items() if n} == told


@pytest.mark.parametrize("round", range(4))
def test_every_acknowledged_leave_survives_a_kill_and_no_leave_is_half_there(
    daemon, client, accounts, chance, round
):
    def leave_all(connection, crowd, i):
        for n in range(i * PER_CLIENT, (i + 1) * PER_CLIENT):
            request = {
                "accounts": [people.name(f"g{n}")],
                "request_id": f"leave-{n}",
                "reason": f"reason {n}",
            }
            crowd.answered(
                n, connection.take(connection.post("account.leave", request))["items"][0]
            )

    crowd = Crowd(daemon, chance.randrange(1, N), daemon.process.kill)
    crowd.work(leave_all)
    daemon.kill9()
    daemon.start()

    with daemon.connect() as again:
        ids = [account["id"] for account in accounts]
        stored = whole(again, ids)
        events = histories(again, ids)
        for n, account in enumerate(stored):
            left = account["state"] == "soft-deleted"
            assert left or account["state"] == "active"
            assert left or n not in crowd.answers, f"g{n} was acknowledged: {crowd.answers[n]}"
            assert events[n] == ["imported"] + (["left"] if left else [])
            assert {key: account.get(key) for key in DATES} == (
                DATES if left else dict.fromkeys(DATES)
            )
            assert {field: account[field] for field in accounts[n]} == accounts[n]
        for n, answer in crowd.answers.items():
            assert {key: answer[key] for key in DATES} == DATES
        assert people.verify(again) == people.head(again)
        check_counts(again)

        # Whoever got no answer asks again, with the same request id: all have left then, each once.
        for n in range(N):
            request = {
                "accounts": [people.name(f"g{n}")],
                "request_id": f"leave-{n}",
                "reason": f"reason {n}",
            }
            again.post("account.leave", request)
        repeated = [again.take(again.msgid - N + 1 + n)["items"][0] for n in range(N)]
        assert set(people.outcomes(repeated)) == {"ok"}
        assert all(repeated[n] == answer for n, answer in crowd.answers.items())
        assert all(told == ["imported", "left"] for told in histories(again, ids))
        told = again.call("account.explain", **people.name("g7"))
        assert told["history"][-1]["reason"] == "reason 7"


@pytest.mark.parametrize("round", range(2))
def test_accounts_that_come_and_go_at_once_are_never_half_there_after_a_kill(
    daemon, client, contoso, chance, round
):
    """Every account is as its last acknowledged command left it, or one command further."""
    steps = ["import", "leave", "restore", "remove"]

    def live(connection, crowd, i):
        for n in range(i * 10, i * 10 + 10):
            for step, verb in enumerate(steps):
                accounts = [people.guest(f"g{n}")] if verb == "import" else [people.name(f"g{n}")]
                item = connection.items(f"account.{verb}", accounts)[0]
                assert item["outcome"] == "ok"
                crowd.answered((n, step), item)

    crowd = Crowd(daemon, chance.randrange(1, CLIENTS * 10 * len(steps)), daemon.process.kill)
    crowd.work(live)
    daemon.kill9()
    daemon.start()
    expected = ["imported", "left", "restored", "deleted"]
    with daemon.connect() as again:
        n_events = 0
        for n in range(CLIENTS * 10):
            done = [step for step in range(len(steps)) if (n, step) in crowd.answers]
            account = people.get(again, f"g{n}")
            if account is None:
                assert not done
                continue
            events = histories(again, [f"g{n}"])[0]
            n_events += len(events)
            assert events == expected[: len(events)] and len(events) in (len(done), len(done) + 1)
            assert account["state"] == ("active" if len(events) % 2 else "soft-deleted")
            assert {
                field: account[field] for field in people.guest(f"g{n}")
            } == people.guest(f"g{n}")
        assert people.verify(again) == 2 + n_events  # the store and its organization
        check_counts(again)


@pytest.mark.parametrize("round", range(3))
def test_a_removal_that_a_kill_interrupted_is_completed_once(
    daemon, client, accounts, chance, round
):
    uids = [account["uid"] for account in whole(client, [account["id"] for account in accounts])]
    client.items("account.remove", [{"uid": uid} for uid in uids[:1000]])
    kills = 0
    client.call("clock.advance", by_us=30 * DAY)
    while kills < 5:  # in the middle of the work, and of what the next start takes up
        with contextlib.suppress(wire.Closed, OSError), daemon.connect() as connection:
            for _ in range(chance.randrange(1, 12)):
                connection.call("retention.info")
        daemon.kill9()
        daemon.start()
        kills += 1
    with daemon.connect() as again:
        people.settle(again)
        sent = [again.post("ledger.read", {"uid": uid}) for uid in uids]
        for n, msgid in enumerate(sent):
            events = [entry["event"] for entry in again.take(msgid)["entries"]][::-1]
            removed = ["deleted", "removal-started", "removal-completed"] if n < 1000 else []
            assert events == ["imported", *removed]
        assert again.call("stats.get")["accounts"] == {
            "active": N - 1000,
            "soft_deleted": 0,
            "removing": 0,
            "removed": 1000,
            "overdue": 0,
            "due_soon": 0,
            "held": 0,
        }
        check_counts(again)
        assert people.verify(again) == people.head(again)
        assert people.get(again, f"g{N - 1}")["groups"] == accounts[N - 1]["groups"]
    vault = (daemon.state / "store" / "vault").read_bytes()
    destroyed = [vault[4096 + 32 * (uid - 1) : 4096 + 32 * uid] for uid in uids[:1000]]
    assert destroyed == 1000 * [bytes(32)]


def test_a_clean_stop_under_load_loses_nothing_that_was_answered(daemon, client, accounts, chance):
    def leave_all(connection, crowd, i):
        for n in range(i * PER_CLIENT, (i + 1) * PER_CLIENT):
            crowd.answered(n, people.do(connection, "leave", f"g{n}"))

    crowd = Crowd(daemon, chance.randrange(1, N), daemon.process.terminate)
    crowd.work(leave_all)
    daemon.await_end()
    daemon.start()
    with daemon.connect() as again:
        assert again.call("stats.get")["ledger"]["unsettled"] == 0
        for account in whole(again, [f"g{n}" for n in crowd.answers]):
            assert account["state"] == "soft-deleted"
        check_counts(again)
