# SPDX-License-Identifier: Apache-2.0
"""What the system tests share. RETENTIOND and RETENTIONCTL name the programs under test."""

import pytest

import daemon as daemons
import people


@pytest.fixture
def daemon():
    """A daemon with an empty store, on a simulated clock at the beginning of 2026."""
    with daemons.running() as running:
        yield running


@pytest.fixture
def client(daemon):
    """A connection as the user who runs the tests."""
    with daemon.connect() as connected:
        yield connected


@pytest.fixture
def contoso(client):
    """The organization contoso, with all that a person could want to know about its privacy."""
    return people.set_org(client, "contoso", name="Contoso", **people.PRIVACY)
