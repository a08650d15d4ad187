"""What tests of the helpers share: an embedded node of their own, and a chapter opened on it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from cassandra.cluster import Session

from helpers import Event, apply_cql, connect, open_chapter
from helpers.lab import connection
from helpers.lab.connection import disconnect
from helpers.lab.node import stop_node

KEYSPACE = "unit_helpers"


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session to an embedded node in a folder with a space in its name, which ends with the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("SCYLLA_")]:
            patch.delenv(name)
        patch.setenv("EMBEDDED_DIR", str(tmp_path_factory.mktemp("a lab")))
        patch.setenv("HELPERS_PROGRESS", "off")
        yield connect()
        disconnect()
        stop_node()


@pytest.fixture(autouse=True)
def latest_session_stays() -> Iterator[None]:
    """What a test connects to, or loses, is not the next one's: its server may be gone by then."""
    before = connection._latest
    yield
    connection._latest, connection._lost, connection._back_in = before, False, None


@pytest.fixture
def chapter(lab: Session, monkeypatch: pytest.MonkeyPatch) -> Event:
    """The concert with 200 seats on sale, with the columns for holds, in the session that is this process's latest."""
    monkeypatch.setattr("helpers.lab.connection._latest", lab)
    event = open_chapter(lab, KEYSPACE, 200)
    apply_cql(lab, "checkout.cql")
    return event
