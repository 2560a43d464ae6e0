# SPDX-License-Identifier: Apache-2.0
"""Keepers claim what they owe; what each says counts once, in its own name, within its lease."""

import os

import pytest

import keepers
import people
import wire
from daemon import BEGIN, DAY, HOUR, MINUTE, SECOND, running

BILLING_UID = 4101  # another service's user
LEASE = 5 * MINUTE


@pytest.fixture
def daemon():
    config = keepers.grant("crm", "files") + keepers.grant("billing", uid=BILLING_UID)
    with running(config) as daemon:
        yield daemon


@pytest.fixture
def crm(daemon, client, contoso):
    keepers.set_keeper(client, "crm")
    with keepers.Keeper(daemon, "crm") as crm:
        yield crm


def remove(client, *ids, org="contoso"):
    """Removals that start at once; their uids."""
    people.take_in(client, *[people.direct(id, org) for id in ids])
    items = client.items("account.remove", people.names(ids, org))
    assert {item["state"] for item in items} == {"removing"}
    return [item["uid"] for item in items]


def advance(client, span):
    client.call("clock.advance", by_us=span)


def state(client, uid):
    people.settle(client)
    return people.get(client, uid=uid)["state"]


# Claim


def test_a_claim_tells_what_is_needed_to_find_the_person(client, crm):
    uid = remove(client, "alex")[0]
    task = crm.claim()[0]
    assert len(task.pop("token")) == 42  # bytes of hexadecimal
    assert task == {
        "uid": uid,
        "org": "contoso",
        "id": "alex",
        "person": people.person("alex"),
        "upn": "alex_fabrikam.example@contoso.example",
        "mail": "alex@mail.example",
        "due_us": BEGIN + 30 * DAY,
        "lease_until_us": BEGIN + LEASE,
        "attempt": 1,
    }


def test_a_claimed_task_is_not_given_to_another_connection_until_its_lease_ends(
    daemon, client, crm
):
    remove(client, "alex", "kim")
    tasks = crm.claim(lease_us=HOUR)
    with keepers.Keeper(daemon, "crm") as second:
        assert len(tasks) == 2
        assert second.claim() == []
        advance(client, HOUR - 1)
        assert second.claim() == []
        advance(client, 1)
        again = second.claim()
    assert [task["id"] for task in again] == [task["id"] for task in tasks]
    assert {task["attempt"] for task in again} == {2}
    assert not {task["token"] for task in again} & {task["token"] for task in tasks}


def test_a_token_is_worth_nothing_from_the_instant_its_lease_ends(client, crm):
    uid = remove(client, "alex")[0]
    task = crm.claim(lease_us=HOUR)[0]
    advance(client, HOUR)
    for refused in (
        crm.confirm_one(task),
        crm.fail([task])[0],
        crm.extend([task])[0],
        crm.confirm_one(task, "retained", ground="hgb-257"),
    ):
        assert refused["outcome"] == "lease-expired"
        assert refused["reasons"] == ["lease-expired"]
    assert state(client, uid) == "removing"
    assert crm.confirm_one(crm.claim()[0])["outcome"] == "ok"
    assert state(client, uid) == "removed"


def test_an_old_token_is_refused_when_the_task_was_claimed_again(client, crm):
    uid = remove(client, "alex")[0]
    old = crm.claim(lease_us=HOUR)[0]
    advance(client, HOUR)
    new = crm.claim()[0]
    assert crm.confirm_one(old)["outcome"] == "lease-expired"
    assert crm.extend([old])[0]["outcome"] == "lease-expired"
    assert state(client, uid) == "removing"
    assert crm.confirm_one(new)["outcome"] == "ok"


def test_claims_come_in_pages_and_an_answer_without_more_has_seen_everything(client, crm):
    uids = remove(client, *[f"d{i}" for i in range(250)])
    told = []
    while True:
        page = crm.call("claim", max=100)
        assert len(page["tasks"]) <= 100
        told += [task["uid"] for task in page["tasks"]]
        if not page["more"]:
            break
    assert sorted(told) == uids
    advance(client, LEASE)
    again = crm.claim(max=1)[0]
    crm.fail([again], retry_after_us=0)
    assert len(crm.claim_all()) == 250  # also what stands before the place of the last claim


@pytest.mark.parametrize("lease", [0, 1, DAY, 30 * DAY])
def test_a_lease_is_a_day_at_most(client, crm, lease):
    remove(client, "alex")
    assert crm.claim(lease_us=lease)[0]["lease_until_us"] == BEGIN + min(lease, DAY)


# Confirm


@pytest.mark.parametrize(
    "result, fields", [("erased", {}), ("nothing-found", {}), ("retained", {"ground": "hgb-257"})]
)
def test_the_last_confirmation_completes_the_removal(client, crm, result, fields):
    uid = remove(client, "alex")[0]
    item = crm.confirm_one(crm.claim()[0], result, note="row 17 of table persons", **fields)
    assert (item["outcome"], item["uid"], item["state"]) == ("ok", uid, "removing")
    assert state(client, uid) == "removed"
    entry = people.history(client, uid=uid)[-2]
    assert (entry["event"], entry["keeper"], entry["result"]) == ("task-confirmed", "crm", result)
    assert (entry["role"], entry.get("ground")) == ("keeper", fields.get("ground"))


def test_what_is_retained_needs_its_legal_ground(client, crm):
    uid = remove(client, "alex")[0]
    task = crm.claim()[0]
    assert crm.confirm_one(task, "retained")["outcome"] == "ground-missing"
    assert state(client, uid) == "removing"
    assert crm.confirm_one(task, "retained", ground="gdpr-17-3-b")["outcome"] == "ok"
    for wrong in (
        {"result": "waived"},
        {"result": "gone"},
        {"result": "retained", "ground": "a b"},
    ):
        with pytest.raises(wire.RpcError, match="invalid-argument"):
            crm.call("confirm", tasks=[{"token": task["token"], **wrong}])


def test_the_same_confirmation_twice_is_fine_and_another_one_is_refused(client, crm):
    uid = remove(client, "alex")[0]
    task = crm.claim()[0]
    before = people.head(client)
    for _ in range(3):
        assert crm.confirm_one(task)["outcome"] == "ok"
    assert people.head(client) <= before + 2  # told once, and the completion
    assert crm.confirm_one(task, "nothing-found")["outcome"] == "already-settled"
    assert state(client, uid) == "removed"
    assert crm.confirm_one(task)["outcome"] == "ok"
    assert crm.confirm_one(task)["state"] == "removed"
    assert crm.confirm_one(task, "nothing-found")["outcome"] == "already-settled"
    advance(client, 40 * DAY)  # long behind the lease
    assert crm.confirm_one(task)["outcome"] == "ok"
    assert crm.fail([task])[0]["outcome"] == "already-settled"
    assert crm.extend([task])[0]["outcome"] == "already-settled"
    events = [entry["event"] for entry in people.history(client, uid=uid)]
    assert events == ["imported", "deleted", "task-confirmed", "removal-completed"]


def test_a_token_twice_in_one_call_counts_once(client, crm):
    uid = remove(client, "alex")[0]
    task = crm.claim()[0]
    assert people.outcomes(crm.confirm([task, task])) == ["ok", "ok"]
    assert state(client, uid) == "removed"
    assert people.verify(client) == people.head(client)


def changed(token, at):
    return token[:at] + ("0" if token[at] != "0" else "1") + token[at + 1 :]


def test_a_token_that_was_invented_cut_or_changed_is_unknown(client, crm):
    uid = remove(client, "alex")[0]
    token = crm.claim()[0]["token"]
    wrong = [
        "x",
        "0" * len(token),
        "f" * len(token),
        token[:-1],
        token[:-2],
        token + "00",
        "A" * len(token),
        *[changed(token, i) for i in range(len(token))],
    ]
    assert set(people.outcomes(crm.confirm(wrong))) == {"token-unknown"}
    assert set(people.outcomes(crm.fail(wrong))) == {"token-unknown"}
    assert set(people.outcomes(crm.extend(wrong, lease_us=0))) == {"token-unknown"}
    assert state(client, uid) == "removing"
    for malformed in ("", 7, None, "0" * 1000):
        with pytest.raises(wire.RpcError, match="invalid-argument"):
            crm.call("confirm", tasks=[{"token": malformed, "result": "erased"}])
    assert crm.confirm_one(token)["outcome"] == "ok"


def test_another_keepers_token_is_unknown(daemon, client, crm):
    keepers.set_keeper(client, "files")
    uid = remove(client, "alex")[0]
    task = crm.claim()[0]
    with keepers.Keeper(daemon, "files") as files:
        assert files.confirm_one(task)["outcome"] == "token-unknown"
        assert files.extend([task], lease_us=0)[0]["outcome"] == "token-unknown"
        assert files.fail([task])[0]["outcome"] == "token-unknown"
        assert crm.confirm_one(task)["outcome"] == "ok"
        assert files.confirm_one(task)["outcome"] == "token-unknown"
        assert state(client, uid) == "removing"
        assert files.confirm_one(files.claim()[0])["outcome"] == "ok"
    assert state(client, uid) == "removed"


def test_nobody_speaks_in_another_keepers_name(daemon, client, crm):
    if os.getuid() != 0:
        pytest.skip("only root can connect as somebody else")
    keepers.set_keeper(client, "billing")
    remove(client, "alex")
    token = crm.claim()[0]["token"]
    with daemon.connect_as(BILLING_UID) as billing:
        for method, arguments in (
            ("claim", {}),
            ("confirm", {"tasks": [{"token": token, "result": "erased"}]}),
            ("fail", {"tasks": [{"token": token, "error": "no"}]}),
            ("extend", {"tasks": [{"token": token}]}),
        ):
            with pytest.raises(wire.RpcError, match="permission-denied"):
                billing.call(f"keeper.{method}", keeper="crm", **arguments)
        assert len(billing.call("keeper.claim", keeper="billing")["tasks"]) == 1
        for method in ("account.list", "keeper.list", "stats.get", "ledger.read"):
            with pytest.raises(wire.RpcError, match="permission-denied"):
                billing.call(method)
    with pytest.raises(wire.RpcError, match="permission-denied"):
        client.call("keeper.claim", keeper="billing")  # root administers, and is no keeper


def test_a_keeper_that_was_never_set_has_no_tasks(daemon, client, crm):
    with keepers.Keeper(daemon, "files") as files:
        with pytest.raises(wire.RpcError, match="keeper-not-found: no keeper files"):
            files.claim()


# Scope


def test_a_keeper_of_one_organization_owes_nothing_elsewhere(daemon, client, contoso):
    people.set_org(client, "fabrikam")
    keepers.set_keeper(client, "crm", orgs=["contoso"])
    keepers.set_keeper(client, "files")
    ours = remove(client, "alex")
    theirs = remove(client, "kim", org="fabrikam")
    with keepers.Keeper(daemon, "crm") as crm, keepers.Keeper(daemon, "files") as files:
        assert [task["uid"] for task in crm.claim()] == ours
        assert [task["uid"] for task in files.claim()] == ours + theirs
    assert people.get(client, uid=ours[0])["pending"] == ["crm", "files"]
    assert people.get(client, uid=theirs[0])["pending"] == ["files"]
    assert keepers.listed(client, "crm")["orgs"] == ["contoso"]
    keepers.set_keeper(client, "crm", orgs=["fabrikam"])  # from now on
    assert people.get(client, uid=ours[0])["pending"] == ["crm", "files"]
    keepers.set_keeper(client, "crm", orgs=[])
    assert "orgs" not in keepers.listed(client, "crm")
    with pytest.raises(wire.RpcError, match="org-not-found: no organization nowhere"):
        client.call("keeper.set", keeper="crm", orgs=["nowhere"])


# Trouble


def test_a_keeper_that_died_between_erasing_and_confirming_finds_nothing_the_second_time(
    daemon, client, crm
):
    uid = remove(client, "alex")[0]
    crm.claim()
    crm.reconnect()  # it erased, and died
    assert crm.claim() == []
    advance(client, LEASE)
    task = crm.claim()[0]
    assert task["attempt"] == 2
    assert crm.confirm_one(task, "nothing-found")["outcome"] == "ok"
    assert state(client, uid) == "removed"


def test_a_task_that_failed_comes_back_when_the_keeper_asked_with_its_last_error(client, crm):
    uid = remove(client, "alex")[0]
    first = crm.claim()[0]
    assert "error" not in first
    item = crm.fail([first], "connection refused", retry_after_us=HOUR)[0]
    assert (item["outcome"], item["uid"]) == ("ok", uid)
    assert item["retry_at_us"] == BEGIN + HOUR
    assert crm.confirm_one(first)["outcome"] == "lease-expired"
    advance(client, HOUR - 1)
    assert crm.claim() == []
    advance(client, 1)
    second = crm.claim()[0]
    assert (second["attempt"], second["error"]) == (2, "connection refused")
    crm.fail([second], "table persons is locked", retry_after_us=0)
    assert crm.claim()[0]["error"] == "table persons is locked"


def test_the_wait_after_a_failure_doubles_from_a_minute_to_six_hours(client, crm):
    remove(client, "alex")
    waits = []
    for attempt in range(1, 13):
        task = crm.claim()[0]
        assert task["attempt"] == attempt
        now = client.call("retention.info")["clock"]["now_us"]
        waits.append(crm.fail([task])[0]["retry_at_us"] - now)
        advance(client, waits[-1] - 1)
        assert crm.claim() == []
        advance(client, 1)
    assert waits == [min(MINUTE << n, 6 * HOUR) for n in range(12)]


def test_a_lease_is_renewed_while_the_work_goes_on_and_given_back_at_once(daemon, client, crm):
    remove(client, "alex")
    task = crm.claim()[0]
    for _ in range(5):
        advance(client, LEASE - 1)
        item = crm.extend([task])[0]
        now = client.call("retention.info")["clock"]["now_us"]
        assert (item["outcome"], item["lease_until_us"]) == ("ok", now + LEASE)
    with keepers.Keeper(daemon, "crm") as second:
        assert second.claim() == []
        item = crm.extend([task], lease_us=0)[0]
        assert item["outcome"] == "ok" and "lease_until_us" not in item
        assert crm.confirm_one(task)["outcome"] == "lease-expired"
        assert second.confirm_one(second.claim()[0])["outcome"] == "ok"


@pytest.mark.parametrize("end", ["restart", "kill9"])
def test_a_token_outlives_the_daemon_within_its_lease(daemon, client, crm, end):
    uid, other = remove(client, "alex", "kim")
    task, held = crm.claim(lease_us=HOUR)
    crm.fail([held], "the disk is full", retry_after_us=2 * HOUR)
    daemon.restart() if end == "restart" else (daemon.kill9(), daemon.start())
    crm.reconnect()
    with daemon.connect() as again:
        assert crm.claim() == []  # one is leased, the other waits
        again.call("clock.advance", by_us=HOUR - SECOND)
        assert crm.confirm_one(task)["outcome"] == "ok"
        assert state(again, uid) == "removed"
        daemon.restart() if end == "restart" else (daemon.kill9(), daemon.start())
    crm.reconnect()
    with daemon.connect() as again:
        assert crm.confirm_one(task)["outcome"] == "ok"
        assert people.get(again, uid=other)["state"] == "removing"
        advance(again, 2 * HOUR)
        retried = crm.claim()[0]
        assert (retried["attempt"], retried["error"]) == (2, "the disk is full")


def test_a_token_that_ran_out_while_the_daemon_was_down_is_refused(daemon, client, crm):
    uid = remove(client, "alex")[0]
    task = crm.claim()[0]
    advance(client, LEASE)
    daemon.kill9()
    daemon.start()
    crm.reconnect()
    with daemon.connect() as again:
        assert crm.confirm_one(task)["outcome"] == "lease-expired"
        assert state(again, uid) == "removing"


# Keepers that come and go


def test_a_keeper_disabled_while_it_owes_still_owes_and_can_be_waived(daemon, client, crm):
    first = remove(client, "alex", "kim")
    keepers.set_keeper(client, "crm", enabled=False)
    later = remove(client, "sam")[0]
    assert state(client, later) == "removed"  # nobody owes it
    row = keepers.listed(client, "crm")
    assert (row["enabled"], row["owed"]) == (False, 2)
    assert row["oldest_due_us"] == BEGIN + 30 * DAY
    assert crm.confirm_one(crm.claim()[0])["outcome"] == "ok"
    assert state(client, first[0]) == "removed" and state(client, first[1]) == "removing"
    waive = {"keeper": "crm", "accounts": [{"uid": first[1]}]}
    with pytest.raises(wire.RpcError, match="invalid-argument: reason"):
        client.call("keeper.waive", **waive)
    dry = client.call("keeper.waive", **waive, reason="it is gone", dry_run=True)["items"][0]
    assert dry["outcome"] == "ok" and state(client, first[1]) == "removing"
    item = client.call("keeper.waive", **waive, reason="it is gone")["items"][0]
    assert item["outcome"] == "ok"
    assert state(client, first[1]) == "removed"
    assert keepers.listed(client, "crm")["owed"] == 0
    entry = people.history(client, uid=first[1])[-2]
    assert (entry["event"], entry["keeper"], entry["role"]) == ("task-waived", "crm", "admin")


def test_only_what_is_owed_can_be_waived(client, crm):
    people.take_in(client, people.guest("stays"), people.guest("left"))
    people.do(client, "leave", "left")
    uid = remove(client, "alex")[0]
    waive = {"keeper": "crm", "reason": "it is gone"}
    items = client.items(
        "keeper.waive",
        [people.name("stays"), people.name("left"), people.name("nobody"), {"uid": uid}],
        **waive,
    )
    assert people.outcomes(items) == ["not-owed", "not-owed", "not-found", "ok"]
    assert people.outcomes(client.items("keeper.waive", [{"uid": uid}], **waive)) == ["not-owed"]
    assert state(client, uid) == "removed"
    assert people.outcomes(client.items("keeper.waive", [{"uid": uid}], **waive)) == ["not-owed"]
    with pytest.raises(wire.RpcError, match="keeper-not-found: no keeper nobody"):
        client.items("keeper.waive", [{"uid": uid}], keeper="nobody", reason="x")


def test_a_confirmation_behind_a_waiver_is_told_that_the_task_is_settled(client, crm):
    uid = remove(client, "alex")[0]
    task = crm.claim()[0]
    client.items("keeper.waive", [{"uid": uid}], keeper="crm", reason="it is gone")
    assert crm.confirm_one(task)["outcome"] == "already-settled"
    assert state(client, uid) == "removed"
    assert crm.confirm_one(task)["outcome"] == "already-settled"


def test_a_keeper_registered_later_owes_older_removals_only_when_asked(daemon, client, crm):
    uids = remove(client, "alex", "kim")
    keepers.set_keeper(client, "files")
    later = remove(client, "sam")[0]
    assert people.get(client, uid=uids[0])["pending"] == ["crm"]
    assert people.get(client, uid=later)["pending"] == ["crm", "files"]
    with keepers.Keeper(daemon, "files") as files:
        assert [task["uid"] for task in files.claim_all(lease_us=0)] == [later]
        items = client.items("keeper.owe", [{"uid": uids[1]}], keeper="files")
        assert people.outcomes(items) == ["ok"]
        assert people.get(client, uid=uids[1])["pending"] == ["crm", "files"]
        assert sorted(task["uid"] for task in files.claim_all()) == [uids[1], later]
        crm.confirm(crm.claim())
        people.settle(client)
        states = [people.get(client, uid=uid)["state"] for uid in (*uids, later)]
        assert states == ["removed", "removing", "removing"]
        advance(client, LEASE)
        files.confirm(files.claim())
    assert state(client, uids[1]) == state(client, later) == "removed"
    assert people.history(client, uid=uids[1])[-4]["event"] == "task-owed"
    items = client.items("keeper.owe", [{"uid": uids[1]}, people.name("nobody")], keeper="files")
    assert people.outcomes(items) == ["not-found", "not-found"]


@pytest.mark.parametrize("stop", ["pause", "guard"])
def test_owe_is_never_answered_ok_and_then_forgotten_while_a_due_removal_waits_for_the_sweep(
    daemon, client, crm, stop
):
    """What is not on record yet is owed by those who are found then, and by nobody else."""
    people.take_in(client, people.guest("sam"), people.guest("alex"))
    people.set_org(client, "adatum")
    keepers.set_keeper(client, "files", orgs=["adatum"])
    people.do(client, "remove", "sam")
    advance(client, SECOND)
    uid = people.do(client, "remove", "alex")["uid"]
    if stop == "pause":
        client.call("sweep.pause")
    else:
        people.set_org(client, guard_min=1, guard_percent=1)
    advance(client, 31 * DAY)
    if stop == "guard":
        people.settle(client)

    def owe(name, **arguments):
        return client.items("keeper.owe", [{"uid": uid}], keeper=name, **arguments)[0]

    for arguments in {"dry_run": True}, {}:
        told = owe("files", **arguments)
        assert (told["outcome"], told["reasons"]) == ("not-started", ["not-started"])
        assert (told["state"], owe("crm", **arguments)["outcome"]) == ("removing", "ok")
    keepers.set_keeper(client, "files", orgs=["adatum", "contoso"])
    assert owe("files")["outcome"] == "ok"
    if stop == "pause":
        client.call("sweep.resume")
    else:
        client.call("guard.release", guard="mass", org="contoso", expect=1)
    people.settle(client)
    assert people.get(client, uid=uid)["pending"] == ["crm", "files"]
    with keepers.Keeper(daemon, "files") as files:
        assert uid in [task["uid"] for task in files.claim()]


def test_a_token_from_before_a_waiver_is_refused_when_the_task_is_owed_again(client, crm):
    uid = remove(client, "alex")[0]
    keepers.set_keeper(client, "files")
    client.items("keeper.owe", [{"uid": uid}], keeper="files")  # so that it is not complete yet
    old = crm.claim(lease_us=DAY)[0]
    client.items("keeper.waive", [{"uid": uid}], keeper="crm", reason="a mistake")
    client.items("keeper.owe", [{"uid": uid}], keeper="crm")
    assert crm.confirm_one(old)["outcome"] == "lease-expired"
    new = crm.claim(lease_us=DAY)[0]
    assert new["attempt"] == 2
    assert crm.confirm_one(old)["outcome"] == "lease-expired"
    assert crm.confirm_one(new)["outcome"] == "ok"
    assert people.get(client, uid=uid)["pending"] == ["files"]


def test_keepers_are_listed_with_what_they_owe_and_when_they_were_heard_of(client, crm):
    assert client.call("keeper.list")["keepers"] == [
        {"keeper": "crm", "number": 1, "enabled": True, "owed": 0}
    ]
    remove(client, "alex")
    advance(client, HOUR)
    remove(client, "kim")
    crm.claim()
    assert keepers.listed(client, "crm") == {
        "keeper": "crm",
        "number": 1,
        "enabled": True,
        "owed": 2,
        "oldest_due_us": BEGIN + 30 * DAY,
        "sla": "on-track",
        "last_seen_us": BEGIN + HOUR,
    }
    advance(client, 23 * DAY)
    assert keepers.listed(client, "crm")["sla"] == "due-soon"


def test_a_keeper_that_fails_every_task_shows_it_until_it_confirms_one(client, crm):
    for id in ("alex", "kim"):
        remove(client, id)
    crm.fail(crm.claim_all())
    assert keepers.listed(client, "crm")["failing"] == 2
    advance(client, DAY)
    first, second = crm.claim_all()
    crm.fail([first])
    assert keepers.listed(client, "crm")["failing"] == 3
    crm.confirm([second])
    assert "failing" not in keepers.listed(client, "crm")


def test_a_setting_that_is_the_same_changes_nothing(client, crm):
    before = people.head(client)
    keepers.set_keeper(client, "crm")
    keepers.set_keeper(client, "crm", enabled=True)
    assert client.call("keeper.set", keeper="new", dry_run=True)["outcome"] == "ok"
    assert people.head(client) == before
    assert len(client.call("keeper.list")["keepers"]) == 1
    keepers.set_keeper(client, "crm", enabled=False)
    assert people.head(client) == before + 1


def test_there_are_sixty_four_keepers_at_most_and_each_is_fenced_from_the_others(
    daemon, client, contoso
):
    names = [f"keeper-{n}" for n in range(64)]
    for name in names:
        keepers.set_keeper(client, name)
    with pytest.raises(wire.RpcError, match="store-full"):
        client.call("keeper.set", keeper="one-more")
    uid = remove(client, "alex")[0]
    assert people.get(client, uid=uid)["pending"] == names
    daemon.restart()
    with daemon.connect() as again:
        assert people.get(again, uid=uid)["pending"] == names
        for name in names:
            assert state(again, uid) == "removing"
            items = again.items("keeper.waive", [{"uid": uid}], keeper=name, reason="test")
            assert people.outcomes(items) == ["ok"]
        assert state(again, uid) == "removed"
        assert people.verify(again) == people.head(again)


def test_a_removal_that_no_keeper_owes_is_completed_by_the_sweep(client, contoso):
    assert state(client, remove(client, "alex")[0]) == "removed"


def test_the_same_request_id_confirms_once(client, crm):
    remove(client, "alex")
    task = crm.claim()[0]
    tasks = [{"token": task["token"], "result": "erased"}]
    first = crm.call("confirm", tasks=tasks, request_id="confirm-1")
    assert crm.call("confirm", tasks=tasks, request_id="confirm-1") == first


def test_a_claim_on_a_removal_that_is_complete_is_empty(client, crm):
    remove(client, "alex")
    task = crm.claim()[0]
    crm.confirm_one(task)
    people.settle(client)
    advance(client, LEASE)
    assert crm.call("claim") == {"tasks": [], "more": False}
