# SPDX-License-Identifier: Apache-2.0
"""A full store: what grows asks for room and is refused, what deletes goes on."""

import pytest

import keepers
import people
import sealed
import wire
from daemon import DAY, running


@pytest.fixture(scope="module")
def daemon():
    with running("map_size = 8M\n" + keepers.grant("crm")) as daemon:
        with daemon.connect() as client:
            people.set_org(client, "contoso")
            keepers.set_keeper(client, "crm")
            people.take_in(client, *[people.guest(f"g{i}") for i in range(8)])
            people.do(client, "remove", "g0")
            client.items("hold.add", [people.name("g1")], hold="before")
            people.do(client, "remove", "g1")
            fill(client)
        yield daemon


def fill(client):
    """Accounts in ever smaller calls, and then entries, until not even one of them is taken."""
    n = 1000
    for call in range(10_000):
        accounts = [people.guest(f"f{call}-{i}") for i in range(n)]
        try:
            client.items("account.import", accounts)
        except wire.RpcError as error:
            assert error.code == "store-full"
            if n == 1:
                break
            n = max(1, n // 4)
    with pytest.raises(wire.RpcError, match="store-full"):
        for i in range(10_000):
            people.do(client, ("disable", "enable")[i % 2], "g7", reason="r" * 1000)
    head = 0
    while people.head(client) != head:
        head = people.head(client)
        assert people.do(client, "purge", "g1")["outcome"] == "held"


def named(id):
    return {"accounts": [people.name(id)]}


GROWS = {
    "account.restore": named("g0"),
    "account.disable": named("g2"),
    "account.enable": named("g2"),
    "hold.add": {**named("g2"), "hold": "case-7"},
    "org.set": {"org": "adatum"},
    "keeper.set": {"keeper": "erp"},
    "sweep.pause": {},
    "account.import": {"accounts": [people.guest("new")]},
}


@pytest.mark.parametrize("method", GROWS)
def test_what_grows_is_refused_with_what_to_do(daemon, method):
    with daemon.connect() as client:
        head = people.head(client)
        with pytest.raises(wire.RpcError) as refusal:
            client.call(method, **GROWS[method])
        assert (refusal.value.kind, refusal.value.code) == (wire.FAILED, "store-full")
        assert "map_size" in refusal.value.text
        assert people.head(client) == head


def test_a_dry_run_needs_no_room(daemon):
    with daemon.connect() as client:
        item = client.items("account.restore", [people.name("g0")], dry_run=True)[0]
        assert item["outcome"] == "ok"
        item = client.items("account.import", [people.guest("new")], dry_run=True)[0]
        assert (item["outcome"], item["change"]) == ("ok", "created")


def test_asking_to_purge_what_is_held_writes_nothing(daemon):
    with daemon.connect() as client:
        head = people.head(client)
        for _ in range(100):
            assert people.do(client, "purge", "g1")["outcome"] == "held"
        assert people.head(client) == head


def test_what_deletes_goes_on(daemon):
    with daemon.connect() as client, keepers.Keeper(daemon, "crm") as crm:
        assert client.items("request.file", [people.name("g3")])[0]["outcome"] == "ok"
        assert people.do(client, "leave", "g3")["outcome"] == "ok"
        for verb in ("remove", "purge"):
            assert people.do(client, verb, "g4")["outcome"] == "ok"
        released = client.items("hold.remove", [people.name("g1")], hold="before")
        assert people.outcomes(released) == ["ok"]
        assert people.do(client, "purge", "g1")["outcome"] == "ok"
        client.call("sweep.resume")
        client.call("clock.advance", by_us=31 * DAY)
        people.settle(client)
        done = crm.confirm(crm.claim_all())
        assert done and set(people.outcomes(done)) == {"ok"}
        people.settle(client)
        for id in ("g0", "g1", "g3", "g4"):
            assert people.get(client, id)["state"] == "removed"


def pages(uids):
    return [[{"uid": uid} for uid in uids[at : at + 1000]] for at in range(0, len(uids), 1000)]


def work_off(client, keeper):
    """Confirms whatever the keeper is given, until it is given nothing."""
    while tasks := keeper.claim(max=1000):
        assert set(people.outcomes(keeper.confirm(tasks))) == {"ok"}
        people.settle(client)


def crowded(client, names):
    """A full store of active accounts, beside one that is soft-deleted and held; their uids."""
    people.set_org(client, "contoso")
    for name in names:
        keepers.set_keeper(client, name)
    people.take_in(client, people.guest("g1"), people.guest("g7"))
    client.items("hold.add", [people.name("g1")], hold="before")
    people.do(client, "remove", "g1")
    fill(client)
    return list(range(2, client.call("stats.get")["accounts"]["active"] + 2))


def test_everybody_of_a_full_store_is_removed_while_keepers_claim_and_confirm():
    names = ("crm", "files", "mail")
    with running("map_size = 8M\n" + keepers.grant(*names)) as daemon:
        with daemon.connect() as client:
            uids = [1] + crowded(client, names)
            client.items("hold.remove", [people.name("g1")], hold="before")
            for page in pages(uids):
                client.items("account.remove", page)
                assert set(people.outcomes(client.items("account.purge", page))) == {"ok"}
            for name in names:
                with keepers.Keeper(daemon, name) as keeper:
                    work_off(client, keeper)
            people.settle(client)
            accounts = client.call("stats.get")["accounts"]
            assert accounts["removed"] == len(uids) > 1000
            assert people.verify(client) == people.head(client)
        assert sealed.keys((daemon.state / "store" / "vault").read_bytes()) == {}
        daemon.restart()
        with daemon.connect() as client:
            assert client.call("stats.get")["accounts"]["removed"] == len(uids)
            for id in ("g1", "g7"):
                account = people.get(client, id)
                assert account["state"] == "removed"
                assert not {"id", "person", "upn", "mail", "name"} & account.keys()


def refused(client, method, accounts, **arguments):
    with pytest.raises(wire.RpcError, match="store-full") as refusal:
        client.items(method, accounts, **arguments)
    return refusal.value.text


SHORT = {"reason": "r" * 50, "ref": "INC0012345-678"}


def test_everybody_is_removed_with_short_reasons_and_long_ones_are_refused():
    with running("map_size = 8M\n") as daemon, daemon.connect() as client:
        pages_of = pages(crowded(client, []))
        assert "64 bytes" in refused(client, "account.leave", pages_of[0], reason="r" * 65)
        refused(client, "request.file", pages_of[0], reason="r" * 60, ref="x" * 60)
        for page in pages_of:
            assert set(people.outcomes(client.items("request.file", page, **SHORT))) == {"ok"}
            assert set(people.outcomes(client.items("account.leave", page, **SHORT))) == {"ok"}
        refused(client, "account.purge", pages_of[0], reason="r" * 1000)
        for page in pages_of:
            assert set(people.outcomes(client.items("account.purge", page, **SHORT))) == {"ok"}
        people.settle(client)
        assert client.call("stats.get")["accounts"]["removed"] == sum(map(len, pages_of)) > 1000


def test_what_keepers_say_is_left_out_before_they_are_refused():
    with running("map_size = 8M\n" + keepers.grant("crm")) as daemon, daemon.connect() as client:
        for page in (found := pages(crowded(client, ["crm"]))):
            client.items("account.remove", page)
            client.items("account.purge", page)
        with keepers.Keeper(daemon, "crm") as crm:
            while tasks := crm.claim(max=1000):
                failed = crm.fail(tasks, error="e" * 800, retry_after_us=DAY)
                assert set(people.outcomes(failed)) == {"ok"}
            client.call("clock.advance", by_us=2 * DAY)
            while tasks := crm.claim(max=1000):
                assert set(people.outcomes(crm.confirm(tasks, note="n" * 800))) == {"ok"}
                people.settle(client)
        assert client.call("stats.get")["accounts"]["removed"] == sum(map(len, found))


def test_nothing_that_can_be_undone_and_done_again_takes_the_room_of_deletions():
    with running("map_size = 8M\n" + keepers.grant("crm")) as daemon, daemon.connect() as client:
        uids = crowded(client, ["crm"])
        one, other = [{"uid": uids[0]}], [{"uid": uids[1]}]
        filed = client.items("request.file", one)[0]["request"]
        with pytest.raises(wire.RpcError, match="store-full"):
            client.call("request.deny", requests=[{"request": filed}], reason="no")
        client.items("account.remove", other)
        client.items("account.purge", other)
        assert client.items("keeper.waive", other, keeper="crm", reason="gone")[0]["outcome"] == "ok"
        refused(client, "keeper.owe", other, keeper="crm")
        refused(client, "account.restore", other)
