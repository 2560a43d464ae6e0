# SPDX-License-Identifier: Apache-2.0
"""Who may do what: decided by the kernel's word on who connected, and the configuration."""

import os

import pytest

import keepers
import people
import wire
from daemon import running

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can connect as somebody else")

READER, AUDITOR, PORTAL, ADMIN, NOBODY_HERE, SCOPED, SCOPED_READER, SCOPED_AUDITOR = range(
    4001, 4009
)
KEEPER, SCOPED_PORTAL, ADMIN_KEEPER = range(4009, 4012)
STAFF, ERASERS = 5001, 5002  # groups
OVERFLOW = 65534

GRANTS = f"""
[grant readers]
role = reader
users = {READER}

[grant auditors]
role = auditor
users = {AUDITOR}

[grant portal]
role = self-service
users = {PORTAL}

[grant admins]
role = admin
users = {ADMIN}

[grant contoso-admins]
role = admin
users = {SCOPED}
organizations = Contoso

[grant contoso-readers]
role = reader
users = {SCOPED_READER}
organizations = contoso, fabrikam

[grant contoso-auditors]
role = auditor
users = {SCOPED_AUDITOR}
organizations = contoso

[grant contoso-portal]
role = self-service
users = {SCOPED_PORTAL}
organizations = contoso

[grant staff]
role = reader
groups = {STAFF}

[grant crm]
role = keeper crm
users = {KEEPER}, {ADMIN_KEEPER}
groups = {ERASERS}

[grant more-admins]
role = admin
users = {ADMIN_KEEPER}
"""

ANYBODY = {"retention.info", "retention.api"}
READ_OF_ORG = {
    "org.get", "org.list", "account.get", "account.list", "account.explain", "guard.list"
}
READ_OF_ALL = {"due.forecast", "sweep.status", "stats.get", "keeper.list", "events.subscribe"}
AUDIT = {"ledger.read", "ledger.head", "ledger.verify", "receipt.get", "store.verify"}
SELF_SERVICE = {"account.leave", "person.organizations", "request.file"}
ADMIN_OF_ORG = {
    "org.set",
    "guard.release",
    "account.import",
    "account.remove",
    "account.restore",
    "account.purge",
    "account.disable",
    "account.enable",
    "keeper.waive",
    "keeper.owe",
    "hold.add",
    "hold.remove",
    "hold.list",
    "request.list",
    "request.approve",
    "request.deny",
}
ADMIN_OF_ALL = {
    "sweep.run",
    "sweep.pause",
    "sweep.resume",
    "clock.advance",
    "keeper.set",
    "backup.create",
}
OF_KEEPER = {"keeper.claim", "keeper.confirm", "keeper.fail", "keeper.extend", "keeper.watch"}
OF_ORG = READ_OF_ORG | SELF_SERVICE | ADMIN_OF_ORG
OF_ADMIN = ANYBODY | OF_ORG | READ_OF_ALL | AUDIT | ADMIN_OF_ALL
EVERYTHING = OF_ADMIN | OF_KEEPER

# uid, gid, supplementary groups, and the methods that this user may call
MAY = {
    "root": (0, 0, [], OF_ADMIN),
    "reader": (READER, READER, [], ANYBODY | READ_OF_ORG | READ_OF_ALL),
    "auditor": (AUDITOR, AUDITOR, [], ANYBODY | AUDIT),
    "self-service": (PORTAL, PORTAL, [], ANYBODY | SELF_SERVICE),
    "admin": (ADMIN, ADMIN, [], OF_ADMIN),
    "nobody-here": (NOBODY_HERE, NOBODY_HERE, [], ANYBODY),
    "admin-of-one-organization": (SCOPED, SCOPED, [], ANYBODY | OF_ORG),
    "reader-of-some-organizations": (SCOPED_READER, SCOPED_READER, [], ANYBODY | READ_OF_ORG),
    "auditor-of-one-organization": (SCOPED_AUDITOR, SCOPED_AUDITOR, [], ANYBODY),
    "self-service-of-one-organization": (
        SCOPED_PORTAL, SCOPED_PORTAL, [], ANYBODY | SELF_SERVICE
    ),
    "keeper": (KEEPER, KEEPER, [], ANYBODY | OF_KEEPER),
    "keeper-by-group": (NOBODY_HERE, NOBODY_HERE, [ERASERS], ANYBODY | OF_KEEPER),
    "keeper-and-reader": (KEEPER, STAFF, [], ANYBODY | OF_KEEPER | READ_OF_ORG | READ_OF_ALL),
    "admin-and-keeper": (ADMIN_KEEPER, ADMIN_KEEPER, [], EVERYTHING),
    "by-group": (NOBODY_HERE, STAFF, [], ANYBODY | READ_OF_ORG | READ_OF_ALL),
    "by-supplementary-group": (
        NOBODY_HERE, NOBODY_HERE, [7, STAFF, 9], ANYBODY | READ_OF_ORG | READ_OF_ALL
    ),
    "group-number-as-user": (STAFF, NOBODY_HERE, [], ANYBODY),
    "user-number-as-group": (NOBODY_HERE, ADMIN, [READER, ADMIN], ANYBODY),
    "overflow-uid": (OVERFLOW, OVERFLOW, [], ANYBODY),
    "overflow-uid-in-group": (OVERFLOW, STAFF, [STAFF, ERASERS], ANYBODY),
}


@pytest.fixture(scope="module")
def daemon():
    """One daemon for the whole file: its tests look, or change only what is their own."""
    with running(GRANTS) as daemon:
        with daemon.connect() as root:
            for org in ("contoso", "fabrikam", "adatum"):
                people.set_org(root, org, privacy_contact=f"privacy@{org}.example")
                people.take_in(root, people.guest("alex", org))
            for name in ("crm", "mail"):
                keepers.set_keeper(root, name)
        yield daemon


def denied(call):
    with pytest.raises(wire.RpcError) as refusal:
        call()
    assert (refusal.value.kind, refusal.value.code) == (wire.FAILED, "permission-denied")
    return refusal.value.text


def test_the_table_names_every_method(daemon):
    with daemon.connect() as client:
        assert {row["method"] for row in client.call("retention.api")["methods"]} == EVERYTHING


@pytest.mark.parametrize("who", MAY)
def test_each_role_may_call_its_methods_and_no_others(daemon, who):
    uid, gid, groups, may = MAY[who]
    with daemon.connect_as(uid, gid, groups) as client:
        called = set()
        for method in EVERYTHING:
            try:
                client.call(method, no_such_argument=1)
            except wire.RpcError as error:
                assert error.code in ("permission-denied", "invalid-argument")
                if error.code == "invalid-argument":
                    called.add(method)
        assert called == may


def test_everybody_is_told_their_roles(daemon):
    with daemon.connect_as(SCOPED_READER) as client:
        you = client.call("retention.info")["you"]
        assert you == {
            "uid": SCOPED_READER,
            "gid": SCOPED_READER,
            "roles": [{"role": "reader", "orgs": ["contoso", "fabrikam"]}],
        }
    with daemon.connect_as(OVERFLOW, STAFF, [STAFF]) as client:
        assert client.call("retention.info")["you"]["roles"] == []
    with daemon.connect_as(ADMIN_KEEPER) as client:
        assert client.call("retention.info")["you"]["roles"] == [
            {"role": "keeper", "keeper": "crm"}, {"role": "admin"}
        ]


def test_a_refusal_says_which_role_is_needed(daemon):
    with daemon.connect_as(NOBODY_HERE) as client:
        assert "admin" in denied(lambda: client.call("account.remove", accounts=[{"uid": 1}]))
        assert "over all organizations" in denied(lambda: client.call("ledger.head"))
    with daemon.connect() as root:
        assert "keeper" in denied(lambda: root.call("keeper.claim", keeper="crm"))


@pytest.mark.parametrize(
    "uid, groups", [(KEEPER, []), (ADMIN_KEEPER, []), (NOBODY_HERE, [ERASERS])]
)
def test_a_keeper_speaks_in_no_other_keepers_name(daemon, uid, groups):
    token = {"token": "x"}
    arguments = {
        "keeper.claim": {},
        "keeper.confirm": {"tasks": [{**token, "result": "erased"}]},
        "keeper.fail": {"tasks": [token]},
        "keeper.extend": {"tasks": [token]},
        "keeper.watch": {},
    }
    assert set(arguments) == OF_KEEPER
    with daemon.connect() as root, daemon.connect_as(uid, uid, groups) as client:
        seen = keepers.listed(root, "mail")
        for method, given in arguments.items():
            for other in ("mail", "no-such-keeper", "cr", "crm2"):
                denied(lambda: client.call(method, keeper=other, **given))
            client.call(method, keeper="crm", **given)
        assert keepers.listed(root, "mail") == seen


def test_an_administrator_of_one_organization_changes_only_its_accounts(daemon):
    with daemon.connect() as root, daemon.connect_as(SCOPED) as client:
        uid = people.get(root, "alex", "adatum")["uid"]
        before = people.head(root)
        for verb in ("leave", "remove", "restore", "purge", "disable", "enable"):
            named = [
                people.name("alex", "adatum"), {"uid": uid}, people.name("alex", "no-such-org")
            ]
            items = client.items(f"account.{verb}", named)
            assert people.outcomes(items) == 3 * ["permission-denied"]
            assert not any("state" in item or "contact" in item for item in items)
        items = client.items(
            "account.import", [people.guest("new", "adatum"), people.guest("new", "ADATUM")]
        )
        assert people.outcomes(items) == 2 * ["permission-denied"]
        for method, arguments in (
            ("hold.add", {"hold": "case-7"}),
            ("hold.remove", {"hold": "case-7"}),
            ("request.file", {}),
            ("keeper.waive", {"keeper": "crm", "reason": "gone"}),
            ("keeper.owe", {"keeper": "crm"}),
        ):
            items = client.items(method, named, **arguments)
            assert people.outcomes(items) == 3 * ["permission-denied"], method
            assert not any("state" in item or "contact" in item for item in items)
        denied(lambda: client.call("org.set", org="adatum", name="Mine"))
        denied(lambda: client.call("org.set", org="brand-new"))
        assert people.head(root) == before

        mixed = client.items(
            "account.disable", [people.name("alex", "CONTOSO"), people.name("alex", "adatum")]
        )
        assert people.outcomes(mixed) == ["ok", "permission-denied"]
        people.set_org(client, "contoso", name="Ours")
        people.take_in(client, people.guest("new", "contoso"))


def test_an_administrator_of_one_organization_decides_only_its_requests(daemon):
    with daemon.connect() as root, daemon.connect_as(SCOPED) as client:
        people.take_in(root, *[people.guest("pat", org) for org in ("contoso", "adatum")])
        both = [people.name("pat", "contoso"), people.name("pat", "adatum")]
        ours, theirs = (item["request"] for item in root.items("request.file", both))
        listed = list(client.pages("request.list", "requests", limit=1))
        assert [row["request"] for row in listed] == [ours]
        with pytest.raises(wire.RpcError):
            client.call("request.list", org="adatum")
        for verb in ("approve", "deny"):
            before = people.head(root)
            items = client.call(
                f"request.{verb}", requests=[{"request": theirs}], reason="because"
            )["items"]
            assert items == [
                {
                    "request": theirs,
                    "outcome": "permission-denied",
                    "reasons": ["permission-denied"],
                }
            ]
            assert people.head(root) == before
        items = client.call("request.deny", requests=[{"request": ours}], reason="no")["items"]
        assert people.outcomes(items) == ["ok"]


def test_a_portal_of_one_organization_files_only_there(daemon):
    with daemon.connect() as root, daemon.connect_as(SCOPED_PORTAL) as client:
        people.take_in(root, *[people.guest("lee", org) for org in ("contoso", "adatum")])
        wanted = [people.name("lee", org) for org in ("adatum", "no-such-org", "contoso")]
        assert people.outcomes(client.items("request.file", wanted)) == [
            "permission-denied", "permission-denied", "ok"
        ]


@pytest.mark.parametrize(
    "uid, covered", [(SCOPED, {"contoso"}), (SCOPED_READER, {"contoso", "fabrikam"})]
)
def test_lists_leave_out_what_a_role_does_not_cover(daemon, uid, covered):
    with daemon.connect_as(uid) as client:
        assert {org["org"] for org in client.pages("org.list", "orgs")} == covered
        assert {
            account["org"] for account in client.pages("account.list", "accounts", limit=1)
        } == covered
        with pytest.raises(wire.RpcError):
            client.call("account.list", org="adatum")


def test_what_is_outside_a_role_is_not_told_apart_from_what_there_is_not(daemon):
    with daemon.connect() as root, daemon.connect_as(SCOPED_READER) as client:
        uid = people.get(root, "alex", "adatum")["uid"]
        for method in ("account.get", "account.explain"):
            for named in (
                people.name("alex", "adatum"), people.name("x", "no-such-org"), {"uid": uid}
            ):
                assert client.call(method, **named)["outcome"] == "permission-denied"
        denied(lambda: client.call("org.get", org="adatum"))
        denied(lambda: client.call("org.get", org="no-such-org"))
        with daemon.connect_as(SCOPED) as admin:
            for named in (
                people.name("alex", "adatum"), people.name("x", "no-such-org"), {"uid": uid}
            ):
                assert admin.call("hold.list", **named)["outcome"] == "permission-denied"
            assert admin.call("hold.list", **people.name("alex"))["holds"] == []
        assert client.call("org.get", org="Contoso")["org"]["org"] == "contoso"


def test_a_person_is_shown_only_organizations_that_the_role_covers(daemon):
    with daemon.connect_as(SCOPED) as scoped, daemon.connect_as(PORTAL) as portal:
        person = people.person("alex")
        assert [
            one["org"] for one in scoped.call("person.organizations", person=person)["others"]
        ] == ["contoso"]
        assert len(portal.call("person.organizations", person=person)["others"]) == 3


def test_the_ledger_keeps_who_did_it_and_in_which_role(daemon):
    with (
        daemon.connect() as root,
        daemon.connect_as(PORTAL) as portal,
        daemon.connect_as(ADMIN) as admin,
    ):
        people.take_in(root, people.guest("kim", "fabrikam"))
        assert people.do(portal, "leave", "kim", "fabrikam")["outcome"] == "ok"
        assert people.do(admin, "restore", "kim", "fabrikam")["outcome"] == "ok"
        entries = people.history(root, **people.name("kim", "fabrikam"))
        told = [(entry["event"], entry["role"], entry["actor_uid"]) for entry in entries]
        assert told == [
            ("imported", "admin", 0), ("left", "self-service", PORTAL), ("restored", "admin", ADMIN)
        ]


def test_the_ledger_keeps_which_user_spoke_as_the_keeper(daemon):
    with daemon.connect() as root, daemon.connect_as(ADMIN_KEEPER) as client:
        people.take_in(root, people.guest("sam", "fabrikam"))
        for verb in ("remove", "purge"):
            assert people.do(root, verb, "sam", "fabrikam")["outcome"] == "ok"
        task = client.call("keeper.claim", keeper="crm")["tasks"][0]
        done = [{"token": task["token"], "result": "erased"}]
        items = client.call("keeper.confirm", keeper="crm", tasks=done)["items"]
        assert people.outcomes(items) == ["ok"]
        entry = people.history(root, **people.name("sam", "fabrikam"))[-1]
        assert (entry["role"], entry["actor_uid"], entry["keeper"]) == (
            "keeper", ADMIN_KEEPER, "crm"
        )


def test_a_connection_keeps_the_rights_of_who_made_it(daemon):
    """connect_as() hands us, who are root, the connection of a child that is gone."""
    with daemon.connect_as(READER) as client:
        assert client.call("stats.get")["orgs"] == 3
        denied(lambda: client.call("sweep.pause"))


# Reload


def test_a_reload_takes_new_grants_and_takes_old_ones_away():
    with running() as daemon:
        text = daemon.config.read_text()
        with daemon.connect_as(READER) as client:
            denied(lambda: client.call("stats.get"))
            daemon.config.write_text(text + GRANTS)
            daemon.reload()
            assert client.call("stats.get")["orgs"] == 0
            daemon.config.write_text(text)
            daemon.reload()
            denied(lambda: client.call("stats.get"))


def test_a_reload_with_a_fault_keeps_the_grants_before_and_says_where():
    with running(GRANTS) as daemon:
        lines = daemon.config.read_text().count("\n")
        with daemon.config.open("a") as config:
            config.write("[grant more]\nrole = king\nusers = 1\n")
        daemon.reload()
        assert f"{daemon.config}:{lines + 2}: " in daemon.log.read_text()
        with daemon.connect_as(READER) as client:
            assert client.call("stats.get")["orgs"] == 0


def test_a_drop_in_file_is_read_too():
    with running() as daemon:
        directory = daemon.config.with_name(daemon.config.name + ".d")
        directory.mkdir()
        (directory / "10-staff.conf").write_text(GRANTS)
        (directory / "20-ignored.txt").write_text("nonsense")
        daemon.reload()
        with daemon.connect_as(READER) as client:
            assert client.call("stats.get")["orgs"] == 0
