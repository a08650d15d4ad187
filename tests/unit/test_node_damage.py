"""A node whose files were damaged or removed: what its clients get, and what it says."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from cassandra.cluster import NoHostAvailable, Session

from tests.engines.embedded import start_embedded
from tests.patience import SECONDS
from tests.unit.test_node import KEYSPACE, TABLE, Client


def sell(session: Session, seats: int) -> None:
    session.execute(KEYSPACE)
    session.execute(TABLE)
    write = session.prepare("INSERT INTO shop.seats (row, seat, buyer) VALUES (1, ?, 'Ada')")
    for seat in range(seats):
        session.execute(write, (seat,))


def test_a_flipped_bit_costs_one_of_200_rows_and_is_said(tmp_path: Path) -> None:
    with start_embedded(tmp_path) as node, Client(node) as session:
        sell(session, 200)
    path = tmp_path / "journal-0"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)

    with start_embedded(tmp_path) as node, Client(node) as session:
        assert session.execute("SELECT count(*) FROM shop.seats").one()[0] == 199
        (said,) = node.control("status")["notices"]
    assert "journal-0 is damaged" in said and "1 record is lost" in said and "kept as journal-0.corrupt" in said
    assert (tmp_path / "journal-0.corrupt").read_bytes() == data

    with start_embedded(tmp_path) as node, Client(node) as session:
        assert session.execute("SELECT count(*) FROM shop.seats").one()[0] == 199
        assert node.control("status")["notices"] == [], "what was left is in a sound snapshot: it is said once"


@pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody remove files that are open")
def test_a_node_whose_directory_was_removed_acknowledges_nothing_more(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with start_embedded(directory) as node, Client(node) as session:
        sell(session, 3)
        shutil.rmtree(directory)
        with pytest.raises(NoHostAvailable, match="was deleted or taken over while the node worked in it"):
            deadline = time.monotonic() + SECONDS
            while time.monotonic() < deadline:  # the first, or the first after the 10 ms in which all of it is synced
                session.execute("INSERT INTO shop.seats (row, seat, buyer) VALUES (2, 1, 'Eve')")
        assert node.process.wait(timeout=SECONDS) == 0, "it ends by itself: nothing that it is told can be kept"
    assert not directory.exists()
    said = "".join(node.errors)
    assert "it stops, so that nothing is acknowledged that would be lost" in said and "Traceback" not in said


@pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody remove files that are open")
def test_a_node_that_nobody_writes_to_notices_that_its_directory_is_gone(tmp_path: Path) -> None:
    with start_embedded(tmp_path / "data") as node:
        shutil.rmtree(tmp_path / "data")
        assert node.process.wait(timeout=SECONDS) == 0
