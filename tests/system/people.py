# SPDX-License-Identifier: Apache-2.0
"""Accounts to test with, and how a test speaks of them."""

import wire

GUEST = "b2b-collaboration"
DIRECT = "b2b-direct-connect"
MEMBER = "member"

PRIVACY = {
    "admin_contact": "admin@contoso.example",
    "privacy_contact": "privacy@contoso.example",
    "privacy_url": "https://contoso.example/privacy",
}


def person(id):
    return f"{id}@fabrikam.example"


def guest(id, org="contoso", **fields):
    """A guest as account.import takes it, with every field."""
    return {
        "org": org,
        "id": id,
        "kind": GUEST,
        "person": person(id),
        "upn": f"{id}_fabrikam.example@{org}.example",
        "mail": f"{id}@mail.example",
        "name": f"Guest {id}",
        "groups": [f"group-{id}-1", f"group-{id}-2"],
        "permissions": [f"permission-{id}"],
        **fields,
    }


def direct(id, org="contoso", **fields):
    return guest(id, org, kind=DIRECT, **fields)


def member(id, org="contoso", **fields):
    return guest(id, org, kind=MEMBER, **fields)


def name(id, org="contoso"):
    return {"org": org, "id": id}


def names(ids, org="contoso"):
    return [name(id, org) for id in ids]


def outcomes(items):
    return [item["outcome"] for item in items]


def set_org(client, org="contoso", **settings):
    """Its mass guard is off, so that a test may let everybody go, unless the test sets it."""
    if "guard_min" not in settings and "guard_percent" not in settings:
        settings["guard_percent"] = 100
    result = client.call("org.set", org=org, **settings)
    assert result["outcome"] == "ok", result
    return result["org"]


def take_in(client, *accounts, **arguments):
    """Imports accounts, at most 1000 a call, and returns the items; each must be accepted."""
    items = []
    for at in range(0, len(accounts), 1000):
        items += client.items("account.import", list(accounts[at : at + 1000]), **arguments)
    assert all(outcome == "ok" for outcome in outcomes(items)), items
    return items


def get(client, id=None, org="contoso", **named):
    """One account, whole; None when there is none."""
    result = client.call("account.get", **(named or name(id, org)))
    if result["outcome"] != "ok":
        assert result["outcome"] == "not-found", result
        return None
    return result["account"]


def do(client, verb, id, org="contoso", **arguments):
    """account.<verb> on one account; its item."""
    return client.items(f"account.{verb}", [name(id, org)], **arguments)[0]


def head(client):
    return client.call("ledger.head")["seq"]


def history(client, **named):
    """The events of one account, oldest first, by following the ledger backwards."""
    entries, arguments = [], dict(named)
    while True:
        page = client.call("ledger.read", limit=2, **arguments)
        assert page["outcome"] == "ok", page
        entries += page["entries"]
        if "next" not in page:
            return entries[::-1]
        arguments["from"] = page["next"]


def verify(client):
    """Proves the whole ledger; the number of its entries."""
    n, arguments = 0, {}
    while True:
        stretch = client.call("ledger.verify", limit=1000, **arguments)
        assert stretch["ok"], stretch
        n += stretch["entries"]
        if "next" not in stretch:
            return n
        arguments["from"] = stretch["next"]


def settle(client):
    """Lets the clock's work be done: each slice leaves with the turn that it was asked for in."""
    wire.until(lambda: not client.call("sweep.run")["more"], "the clock's work is done")
