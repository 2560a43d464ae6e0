# SPDX-License-Identifier: Apache-2.0
"""The mass guard, as an administrator meets it: a script gone wild, and what is left to decide."""

import json

import pytest

import people
import wire
from ctl import CONFIRMATION, FAILURE, GUARD, OK, USAGE, Ctl
from daemon import DAY

N = 1200
LIMIT = 500


@pytest.fixture
def ctl(daemon):
    return Ctl(daemon.socket)


def crowd(client, n=N, **settings):
    people.set_org(client, guard_min=LIMIT, guard_percent=25, **settings)
    people.take_in(client, *[people.guest(f"g{i}") for i in range(n)])


def everybody(tmp_path, n=N):
    accounts = tmp_path / "everybody"
    accounts.write_text("".join(f"contoso/g{i}\n" for i in range(n)))
    return f"@{accounts}"


def guard(client):
    [found] = client.call("guard.list", org="contoso")["guards"]
    return found


def await_carried_out(client):
    """A slice of it is done in each turn."""
    wire.until(lambda: guard(client)["deciding"] == 0, "what was decided is carried out")


def states(client):
    counts = client.call("stats.get")["accounts"]
    return counts["active"], counts["soft_deleted"]


def test_a_script_gone_wild_is_stopped_and_nothing_is_lost(ctl, client, tmp_path):
    crowd(client)
    items = json.loads(ctl("remove", "--json", everybody(tmp_path), code=GUARD).stdout)
    assert people.outcomes(items) == LIMIT * ["ok"] + (N - LIMIT) * ["staged"]
    assert states(client) == (N - LIMIT, LIMIT)
    told = ctl("check", code=FAILURE).stdout
    assert "the mass guard of 1 organization is engaged" in told
    assert f"holds {N - LIMIT} accounts back" in told
    assert "retentionctl release-guard mass" in told
    [row] = ctl.json("guards", "--engaged")
    assert (row["org"], row["staged"], row["soft_deletions"]) == ("contoso", N - LIMIT, LIMIT)
    assert len(ctl.json("list", "--org=contoso", "--staged")) == N - LIMIT

    ctl("release-guard", "mass", "--org=contoso", "--expect=1", code=GUARD)
    ctl("release-guard", "mass", "--org=contoso", f"--expect={N - LIMIT}")
    await_carried_out(client)
    assert states(client) == (0, N)
    assert ctl.json("guards", "--engaged") == []
    ctl("check")
    people.verify(client)


def test_what_was_a_mistake_is_discarded_and_restored(ctl, client, tmp_path):
    crowd(client)
    ctl("remove", "--quiet", everybody(tmp_path), code=GUARD)
    ctl("release-guard", "mass", "--org=contoso", f"--expect={N - LIMIT}", "--discard")
    await_carried_out(client)
    gone = tmp_path / "gone"
    gone.write_text(
        "".join(
            f"uid:{account['uid']}\n"
            for account in ctl.json("list", "--org=contoso", "--state=soft-deleted")
        )
    )
    ctl("restore", "--quiet", f"@{gone}")
    assert states(client) == (N, 0)
    assert guard(client)["staged"] == 0


def test_a_dry_run_of_many_says_how_many_would_pass(ctl, client, tmp_path):
    crowd(client, 2400)  # three calls; 600 pass
    items = ctl.json("remove", "--dry-run", everybody(tmp_path, 2400), code=GUARD)["items"]
    assert people.outcomes(items) == 600 * ["ok"] + 1800 * ["staged"]
    assert {item["state"] for item in items[600:]} == {"active"}
    assert not any("window_ends_us" in item for item in items[600:])
    assert states(client) == (2400, 0)


def test_whoever_sends_many_from_a_terminal_is_told_before(ctl, client, tmp_path):
    crowd(client)
    with ctl.terminal("remove", everybody(tmp_path)) as terminal:
        terminal.await_shown(f"the mass guard lets {LIMIT} of {N} accounts pass")
        terminal.end(code=GUARD)


def test_a_purge_of_many_is_told_before_it_is_confirmed(ctl, client, tmp_path):
    crowd(client)
    ctl("remove", "--quiet", everybody(tmp_path, LIMIT))
    people.set_org(client, guard_min=10, guard_percent=1)
    with ctl.terminal("purge", everybody(tmp_path, LIMIT)) as terminal:
        terminal.await_shown(f"the mass guard lets 12 of {LIMIT} accounts pass")
        terminal.await_shown("Type the number of accounts")
        terminal.type("no\n")
        terminal.end(code=CONFIRMATION)
    assert guard(client)["purges"] == 0


def test_explain_and_show_say_that_the_guard_holds_it(ctl, client, tmp_path):
    crowd(client, 3)
    people.set_org(client, guard_min=1, guard_percent=1)
    ctl("remove", "contoso/g0", "contoso/g1", code=GUARD)
    shown = ctl("show", "contoso/g1").stdout
    assert "staged: remove" in shown and "staged at: " in shown
    assert "STAGED AT" in ctl("list", "--staged").stdout
    told = ctl("explain", "contoso/g1").stdout
    assert "mass guard" in told
    assert "release-guard mass" in told


def test_a_person_who_leaves_meanwhile_is_told_that_it_is_not_lost(ctl, client, tmp_path):
    crowd(client, 3)
    people.set_org(client, guard_min=1, guard_percent=1)
    ctl("remove", "contoso/g0", "contoso/g1", code=GUARD)
    told = ctl("leave", "contoso/g2", code=GUARD).stdout
    assert "staged: held back by the mass guard, and not lost" in told
    assert "refused" not in told


def test_a_limit_is_an_organizations_own(ctl, client):
    people.set_org(client)
    ctl("set-org", "contoso", "--guard-min=7", "--guard-percent=30")
    org = client.call("org.get", org="contoso")["org"]
    assert (org["guard_min"], org["guard_percent"]) == (7, 30)
    for wrong in ("--guard-min=0", "--guard-percent=0", "--guard-percent=101"):
        ctl("set-org", "contoso", wrong, code=USAGE)
    ctl("set-org", "contoso", "--guard-percent=100", code=OK)
    assert "soft_deletions_limit" not in guard(client)


def test_a_kill_loses_no_count_and_nothing_that_was_held_back(daemon, client):
    crowd(client)
    items = client.items("account.remove", people.names([f"g{i}" for i in range(N - 200)]))
    assert people.outcomes(items).count("staged") == N - 200 - LIMIT
    daemon.kill9()
    daemon.start()
    with daemon.connect() as again:
        assert guard(again)["staged"] == N - 200 - LIMIT
        assert guard(again)["soft_deletions"] == LIMIT
        assert people.do(again, "remove", f"g{N - 1}")["outcome"] == "staged"
        people.verify(again)


def test_removals_by_time_wait_too(daemon, ctl, client, tmp_path):
    crowd(client, window_us=DAY)
    ctl("set-org", "contoso", "--guard-percent=100")
    ctl("remove", "--quiet", everybody(tmp_path))
    ctl("set-org", "contoso", "--guard-percent=25")
    ctl("advance", "1d")
    people.settle(client)
    assert guard(client)["removals_staged"] == N - LIMIT
    assert "retentionctl list --org=contoso --state=removing" in daemon.log.read_text()
    assert len(ctl.json("list", "--org=contoso", "--state=removing")) == N - LIMIT
    assert "accounts back" in ctl("check", code=FAILURE).stdout
    assert "mass guard" in ctl("explain", f"contoso/g{N - 1}").stdout
    ctl("release-guard", "mass", "--org=contoso", f"--expect={N - LIMIT}")
    people.settle(client)
    assert client.call("stats.get")["accounts"]["removed"] == N


def test_a_purge_of_thousands_that_is_tried_leaves_them_as_they_are(ctl, client, tmp_path):
    crowd(client, 1600)
    ctl("set-org", "contoso", "--guard-percent=100")
    ctl("remove", "--quiet", everybody(tmp_path, 1600))
    ctl("set-org", "contoso", "--guard-percent=25")
    items = ctl.json("purge", "--dry-run", everybody(tmp_path, 1600), code=GUARD)["items"]
    assert people.outcomes(items) == LIMIT * ["ok"] + 1100 * ["staged"]
    assert {item["state"] for item in items[LIMIT:]} == {"soft-deleted"}
    assert {*items[1000]} == {*items[LIMIT]} - {"contact"}, (items[LIMIT], items[1000])


def test_a_release_says_what_is_missing_and_what_it_did(ctl, client, tmp_path):
    crowd(client, 5)
    people.set_org(client, guard_min=1, guard_percent=1)
    ctl("remove", *[f"contoso/g{i}" for i in range(5)], code=GUARD)
    assert "org: is missing; retentionctl guards" in ctl("release-guard", "mass", code=USAGE).stderr
    told = ctl("release-guard", "mass", "--org=contoso", "--expect=4", "--dry-run").stdout
    assert told.startswith("dry run, nothing was changed:\n")
    assert "what was held back of 4 accounts is carried out" in told
    assert guard(client)["staged"] == 4
    told = ctl("release-guard", "mass", "--org=contoso", "--expect=4", "--discard").stdout
    assert "retentionctl list --org=contoso --state=soft-deleted" in told
    await_carried_out(client)
    assert states(client) == (4, 1)


def test_what_persons_asked_for_outlives_the_discard_of_a_mistake(ctl, client):
    crowd(client, 6)
    people.set_org(client, guard_min=1, guard_percent=1)
    [number] = [
        item["request"]
        for item in client.items("request.file", [people.name("g4")], reason="I cannot sign in")
    ]
    ctl("remove", *[f"contoso/g{i}" for i in range(4)], code=GUARD)
    ctl("approve", str(number), code=GUARD)
    ctl("leave", "contoso/g5", code=GUARD)
    [row] = ctl.json("guards")
    assert (row["staged"], row["persons"]) == (5, 2)
    refused = ctl("release-guard", "mass", "--org=contoso", "--expect=5", "--discard", code=GUARD)
    assert "2 that persons asked for (discarded with --include-persons only)" in refused.stderr
    told = ctl("release-guard", "mass", "--org=contoso", "--expect=3", "--discard").stdout
    assert "2 more were asked for by persons" in told
    await_carried_out(client)
    assert states(client) == (5, 1)
    assert "mass guard" in ctl("check", code=FAILURE).stdout, "they still wait"
    ctl("release-guard", "mass", "--org=contoso", "--expect=2")
    await_carried_out(client)
    assert states(client) == (3, 3)
    people.verify(client)


def test_a_request_that_is_discarded_by_name_is_open_again(daemon, ctl, client):
    crowd(client, 4)
    people.set_org(client, guard_min=1, guard_percent=1)
    [item] = client.items("request.file", [people.name("g2")])
    ctl("remove", "contoso/g0", code=OK)
    ctl("approve", str(item["request"]), code=GUARD)
    release = ("release-guard", "mass", "--org=contoso", "--expect=1")
    ctl(*release, "--include-persons", code=USAGE)
    ctl(*release, "--discard", "--include-persons", "--reason=the portal was broken into")
    await_carried_out(client)
    [request] = ctl.json("requests", "--open")
    assert (request["request"], request["due_us"]) == (item["request"], item["due_us"])
    assert "; requests are open again, with the" in daemon.log.read_text()
    told = ctl("explain", "contoso/g2").stdout
    assert "request-reopened" in told
    assert "the portal was broken into" in told, "who reads the account learns why"
    people.verify(client)
    daemon.kill9()
    daemon.start()
    assert len(ctl.json("requests", "--open")) == 1


def test_the_reason_of_a_release_is_told_with_each_account_and_kept_once(daemon, ctl, client):
    crowd(client, 4)
    people.set_org(client, guard_min=1, guard_percent=1)
    ctl("remove", *[f"contoso/g{i}" for i in range(4)], code=GUARD)
    ctl("release-guard", "mass", "--org=contoso", "--expect=3", "--reason=the school year ends")
    await_carried_out(client)
    for i in (1, 2, 3):
        history = ctl.json("explain", f"contoso/g{i}")["history"]
        assert [entry["event"] for entry in history] == [
            "imported",
            "staged",
            "guard-released",
            "deleted",
        ]
        assert history[2]["reason"] == "the school year ends"
        assert history[2]["actor_uid"] == 0 and history[2]["count"] == 3
    entries = client.call("ledger.read", org="contoso", id="g3")["entries"]
    assert entries[0]["decision"] == history[2]["seq"]
    state = daemon.log.parent
    assert not any(
        b"the school year ends" in file.read_bytes() for file in state.rglob("*") if file.is_file()
    ), "sealed"


def test_explain_says_what_the_guard_would_hold_back(ctl, client):
    crowd(client, 4)
    people.set_org(client, guard_min=1, guard_percent=1)
    assert "May be done: leave, remove" in ctl("explain", "contoso/g1").stdout
    ctl("remove", "contoso/g0")
    told = ctl("explain", "contoso/g1").stdout
    assert "Would be staged: leave, remove: the mass guard of contoso holds it back" in told
    assert "release-guard mass --org=contoso" in told
    [remove] = [
        may for may in ctl.json("explain", "contoso/g1")["may"] if may["command"] == "remove"
    ]
    assert (remove["outcome"], remove["reasons"]) == ("staged", ["staged"])
