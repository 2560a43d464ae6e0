# SPDX-License-Identifier: Apache-2.0
"""Whatever is listed fits into an answer, however large its rows are: cut, with a cursor, or whole."""

import msgpack
import pytest

import keepers
import people
from daemon import running

ID = "i" * 64
PERSON = "p" * 303 + "@fabrikam.example"
CONTACT = "https://contoso.example/".ljust(512, "c")
REASON = "r" * 1024
PAGE_BYTES = 256 * 1024


@pytest.fixture(scope="module")
def thousand():
    """A thousand of everything that is listed, each as large as it may be."""
    with running() as daemon, daemon.connect() as client:
        orgs = [f"o{i:0>3}".ljust(64, "x") for i in range(1000)]
        contacts = dict.fromkeys(("admin_contact", "privacy_contact", "privacy_url"), CONTACT)
        for org in orgs:
            people.set_org(client, org, name="n" * 256, **contacts)
        for at in range(0, 1000, 50):
            some = orgs[at : at + 50]
            people.take_in(client, *[people.guest(ID, org, person=PERSON) for org in some])
            client.items("request.file", [people.name(ID, org) for org in some], reason=REASON)
        for i in range(64):
            keepers.set_keeper(client, f"k{i}".ljust(64, "k"), orgs=orgs[:64])
            hold = f"h{i}".ljust(64, "h")
            client.items("hold.add", [people.name(ID, orgs[0])], hold=hold, reason=REASON)
        yield client, orgs


@pytest.mark.parametrize(
    "method, rows",
    [("request.list", "requests"), ("org.list", "orgs"), ("guard.list", "guards"),
     ("account.list", "accounts")],
)
def test_a_page_of_a_thousand_is_cut_where_it_does_not_fit_and_goes_on(thousand, method, rows):
    client, orgs = thousand
    page = client.call(method, limit=1000)
    assert 100 < len(page[rows]) <= 1000
    assert [row["org"] for row in client.pages(method, rows, limit=1000)] == orgs


@pytest.mark.parametrize("method", ["request.list", "org.list"])
def test_a_page_of_large_requests_or_organizations_is_short(thousand, method):
    client, _ = thousand
    size = len(msgpack.packb(client.call(method, limit=1000)))
    assert abs(size - PAGE_BYTES) < 4096


def test_a_person_of_a_thousand_organizations_is_told_all_of_them(thousand):
    """Contacts are left out where the answer would be too long with them."""
    client, orgs = thousand
    told = client.call("person.organizations", person=PERSON)["others"]
    assert sorted(row["org"] for row in told) == orgs
    with_contact = [row for row in told if "contact" in row["leave"]]
    assert 100 < len(with_contact) < 1000
    assert all(row["leave"]["available"] for row in told)


def test_what_has_no_pages_is_never_too_large(thousand):
    client, orgs = thousand
    assert len(client.call("keeper.list")["keepers"]) == 64
    held = client.call("hold.list", **people.name(ID, orgs[0]))["holds"]
    assert len(held) == 64
    assert len(client.call("ledger.read", limit=1000)["entries"]) == 1000
