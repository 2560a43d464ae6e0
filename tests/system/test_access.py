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
KEEPER, SCOPED_PORTAL, ADMIN_KEEPER, MAILER = range(4009, 4013)
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

[grant mail]
role = keeper mail
users = {MAILER}

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
    "another-keeper": (MAILER, MAILER, [], ANYBODY | OF_KEEPER),
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


# The organizations of others
#
# How each method that works on organizations tells of one that is not the caller's: by an ERROR, as
# the OUTCOME of the whole answer or of each ITEM, or by leaving it OUT of what it lists. Arguments
# are made for an organization and for numbers of an account and of a request in it.

ERROR, OUTCOME, ITEM, OUT = "error", "outcome", "item", "out"


def each_way(org, uid, request):
    """An account by its id, by its person, and by its uid."""
    person = {"org": org, "person": people.person("alex")}
    return {"accounts": [people.name("alex", org), person, {"uid": uid}]}


def one_by_one(org, uid, request):
    """The three ways to name the one account of a method that takes one."""
    return [
        people.name("alex", org), {"org": org, "person": people.person("alex")}, {"uid": uid}
    ]


def of_org(**arguments):
    return lambda org, uid, request: [{"org": org, **arguments}]


def of_request(**arguments):
    return lambda org, uid, request: [
        {"requests": [{"request": request}], "dry_run": True, **arguments}
    ]


def of_accounts(**arguments):
    return lambda *place: [{**each_way(*place), "dry_run": True, **arguments}]


TOLD = {
    "org.set": (ERROR, of_org(name="Mine", dry_run=True)),
    "org.get": (ERROR, of_org()),
    "org.list": (OUT, "orgs", "org"),
    "account.import": (
        ITEM, lambda org, uid, request: [{"accounts": [people.guest("x", org)], "dry_run": True}]
    ),
    "account.get": (OUTCOME, one_by_one),
    "account.list": (OUT, "accounts", "org"),
    "account.explain": (OUTCOME, one_by_one),
    "account.leave": (ITEM, of_accounts()),
    "account.remove": (ITEM, of_accounts()),
    "account.restore": (ITEM, of_accounts()),
    "account.purge": (ITEM, of_accounts()),
    "account.disable": (ITEM, of_accounts()),
    "account.enable": (ITEM, of_accounts()),
    "person.organizations": (OUT, "others", "org"),
    "keeper.waive": (ITEM, of_accounts(keeper="crm", reason="gone")),
    "keeper.owe": (ITEM, of_accounts(keeper="crm")),
    "hold.add": (ITEM, of_accounts(hold="case-7")),
    "hold.remove": (ITEM, of_accounts(hold="case-7")),
    "hold.list": (OUTCOME, one_by_one),
    "guard.list": (OUT, "guards", "org"),
    "guard.release": (ERROR, of_org(guard="mass", expect=1, dry_run=True)),
    "request.file": (ITEM, of_accounts()),
    "request.list": (OUT, "requests", "org"),
    "request.approve": (ITEM, of_request()),
    "request.deny": (ITEM, of_request(reason="no")),
}

# What a list takes beside: person.organizations knows no organization to ask for.
LISTED_FOR = {"person.organizations": {"person": people.person("alex")}}

NO_SUCH_NUMBER = 1 << 40

# Who has a role in contoso, and in adatum none.
SCOPES = {
    "admin": (SCOPED, OF_ORG),
    "reader": (SCOPED_READER, READ_OF_ORG),
    "self-service": (SCOPED_PORTAL, SELF_SERVICE),
}


def answered(client, method, arguments):
    """All that a peer sees of an answer."""
    try:
        return client.call(method, **arguments)
    except wire.RpcError as error:
        return {"error": [error.kind, error.code, error.text]}


def names_changed(value, names):
    """The answer with one place's names in it replaced: what is left tells the places apart."""
    if isinstance(value, dict):
        return {key: names_changed(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [names_changed(one, names) for one in value]
    if isinstance(value, str):
        return value.replace(str(names[0]), "ORG")
    return names.index(value) if value in names[1:] else value


def is_denied(told, answer):
    if told == ERROR:
        return answer.get("error", [None, None])[1] == "permission-denied"
    items = answer["items"] if told == ITEM else [answer]
    refused = {"outcome": "permission-denied", "reasons": ["permission-denied"]}
    return items and all(refused.items() <= item.items() for item in items)


@pytest.fixture(scope="module")
def places(daemon):
    """A place is an organization with the numbers of an account and of a request in it."""
    with daemon.connect() as root:
        found = {}
        for org in ("contoso", "adatum"):
            people.take_in(root, people.guest("filer", org))
            request = root.items("request.file", [people.name("filer", org)])[0]["request"]
            found[org] = (org, people.get(root, "alex", org)["uid"], request)
        return {**found, "nowhere": ("no-such-org", NO_SUCH_NUMBER, NO_SUCH_NUMBER + 1)}


def test_the_table_of_organizations_names_every_method_that_works_on_them(daemon):
    with daemon.connect() as client:
        rows = client.call("retention.api")["methods"]
    assert {row["method"] for row in rows if row["scope"] == "org"} == set(TOLD) == OF_ORG


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("method", TOLD)
def test_an_organization_of_others_looks_like_one_that_there_is_not(daemon, places, method, scope):
    uid, may = SCOPES[scope]
    told, *how = TOLD[method]
    if told == OUT:
        pytest.skip("a list leaves it out: see below")
    with daemon.connect() as root, daemon.connect_as(uid) as client:
        head = people.head(root)
        for ours, theirs, nowhere in zip(*(how[0](*place) for place in places.values())):
            if method not in may:
                for arguments in (ours, theirs, nowhere):
                    denied(lambda: client.call(method, **arguments))
                continue
            assert not is_denied(told, answered(client, method, ours))
            foreign = answered(client, method, theirs)
            assert is_denied(told, foreign), foreign
            assert names_changed(foreign, places["adatum"]) == names_changed(
                answered(client, method, nowhere), places["nowhere"]
            )
        assert people.head(root) == head


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("method", [method for method, row in TOLD.items() if row[0] == OUT])
def test_a_list_leaves_out_the_organizations_of_others(daemon, places, method, scope):
    uid, may = SCOPES[scope]
    _, key, name = TOLD[method]
    arguments = LISTED_FOR.get(method, {})
    with daemon.connect() as root, daemon.connect_as(uid) as client:
        assert {row[name] for row in root.pages(method, key, **arguments)} >= {"contoso", "adatum"}
        if method not in may:
            denied(lambda: client.call(method, **arguments))
            return
        listed = list(client.pages(method, key, **arguments))
        assert listed and not any(row[name] == "adatum" for row in listed)
        assert "adatum" not in str(listed)


@pytest.mark.parametrize("method", ["account.list", "request.list"])
def test_a_cursor_of_another_user_shows_nothing_more(daemon, places, method):
    """A cursor is a place in an order, and no right."""
    key = TOLD[method][1]
    with daemon.connect() as root, daemon.connect_as(SCOPED) as client:
        cursor, first = {}, True
        while first or cursor:
            first = False
            page = client.call(method, limit=1000, **cursor)
            assert {row["org"] for row in page[key]} <= {"contoso"}
            page = root.call(method, limit=1, **cursor)
            cursor = {"cursor": page["cursor"]} if "cursor" in page else {}


@pytest.mark.parametrize("method", ["account.list", "request.list"])
def test_a_list_of_an_organization_of_others_is_refused_like_one_that_there_is_not(daemon, method):
    with daemon.connect_as(SCOPED) as client:
        theirs, nowhere = (
            answered(client, method, {"org": org}) for org in ("adatum", "no-such-org")
        )
        assert theirs["error"][1] == "permission-denied"
        assert names_changed(theirs, ["adatum"]) == names_changed(nowhere, ["no-such-org"])


# Methods beyond organizations


def test_a_role_over_one_organization_is_none_over_all(daemon):
    """Receipts, the ledger, events, keepers and the clock know no organizations."""
    beyond = READ_OF_ALL | AUDIT | ADMIN_OF_ALL
    assert beyond == EVERYTHING - OF_ORG - ANYBODY - OF_KEEPER
    for uid in (SCOPED, SCOPED_READER, SCOPED_AUDITOR, SCOPED_PORTAL):
        with daemon.connect_as(uid) as client:
            for method in sorted(beyond):
                denied(lambda: client.call(method))
            denied(lambda: client.call("guard.release", guard="clock"))


def test_a_kept_answer_is_nobody_elses(daemon, places):
    with daemon.connect_as(ADMIN) as one, daemon.connect_as(SCOPED) as other:
        ours = {"accounts": [people.name("alex", "adatum")], "request_id": "shared"}
        assert one.call("account.disable", **ours)["items"][0]["outcome"] == "ok"
        item = other.call("account.disable", **ours)["items"][0]
        assert item["outcome"] == "permission-denied" and "uid" not in item
        with daemon.connect_as(NOBODY_HERE) as nobody:
            denied(lambda: nobody.call("account.disable", **ours))
        one.call("account.enable", accounts=ours["accounts"])


def test_a_task_is_worth_nothing_to_another_keeper_nor_to_an_administrator(daemon):
    with daemon.connect() as root, daemon.connect_as(KEEPER) as crm:
        people.take_in(root, people.guest("tasked", "fabrikam"))
        for verb in ("remove", "purge"):
            assert people.do(root, verb, "tasked", "fabrikam")["outcome"] == "ok"
        token = crm.call("keeper.claim", keeper="crm")["tasks"][0]["token"]
        tasks = {
            "keeper.confirm": [{"token": token, "result": "erased"}],
            "keeper.fail": [{"token": token}],
            "keeper.extend": [{"token": token}],
        }
        for uid in (0, ADMIN, SCOPED, NOBODY_HERE, OVERFLOW):
            with daemon.connect_as(uid) as client:
                for method, named in tasks.items():
                    denied(lambda: client.call(method, keeper="crm", tasks=named))
        with daemon.connect_as(MAILER) as mail:
            for method, named in tasks.items():
                item = mail.call(method, keeper="mail", tasks=named)["items"][0]
                guess = [{**named[0], "token": token[:-1] + ("0" if token[-1] != "0" else "1")}]
                other = mail.call(method, keeper="mail", tasks=guess)["items"][0]
                assert item["outcome"] != "ok" and set(item) == set(other)
                assert item["outcome"] == other["outcome"]
        done = crm.call("keeper.confirm", keeper="crm", tasks=tasks["keeper.confirm"])
        assert people.outcomes(done["items"]) == ["ok"]


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
