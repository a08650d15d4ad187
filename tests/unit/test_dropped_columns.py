"""ALTER TABLE … DROP: what goes with the column, and what is there again when it comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded_scylla.errors import InvalidRequest
from embedded_scylla.request import UNSET
from tests.unit.writing import Node

TABLE = "CREATE TABLE t (p int, c int, s int static, v int, w int, l list<int>, PRIMARY KEY (p, c))"
DROP = "ALTER TABLE t DROP (v, s, l) USING TIMESTAMP 20000"
ADD = "ALTER TABLE t ADD (v int, s int static, l list<int>)"


@pytest.fixture
def node() -> Node:
    node = Node()
    node.run(TABLE)
    return node


def fill(node: Node) -> None:
    for c in range(5):
        node.run(f"INSERT INTO t (p, c, s, v, w) VALUES (1, {c}, {c}, {c}, {c}) USING TIMESTAMP {10_000 * c}")
        node.run(f"UPDATE t USING TIMESTAMP {10_000 * c} SET l = l + [{c}] WHERE p = 1 AND c = 0")


KEPT = [(0, None, [3, 4]), (1, None, None), (2, None, None), (3, 3, None), (4, 4, None)]


def test_all_of_it_goes(node: Node):
    node.run("INSERT INTO t (p, c, s, v, l) VALUES (1, 1, 1, 1, [1])")
    node.run("ALTER TABLE t DROP (v, s, l)")
    node.run(ADD)
    assert node.values("c", "s", "v", "l") == [(1, None, None, None)]


def test_what_is_newer_than_the_timestamp_of_the_drop_comes_back(node: Node):
    fill(node)
    node.run(DROP)
    assert list(node.rows()[0]) == ["p", "c", "w"]
    node.run(ADD)
    assert node.values("c", "v", "l") == KEPT
    assert set(node.values("s")) == {(4,)}


def test_it_does_not_come_back_twice(node: Node):
    fill(node)
    node.run(DROP)
    node.run(ADD)
    node.run("ALTER TABLE t DROP v")
    node.run("ALTER TABLE t ADD v int")
    assert set(node.values("v")) == {(None,)}


def test_nor_into_a_column_of_another_kind(node: Node):
    fill(node)
    node.run(DROP)
    node.run("ALTER TABLE t ADD (v text, s int)")
    assert set(node.values("v", "s")) == {(None, None)}


def test_nor_under_what_was_deleted_meanwhile(node: Node):
    fill(node)
    node.run(DROP)
    node.run("DELETE FROM t USING TIMESTAMP 35000 WHERE p = 1 AND c = 3")
    node.run(ADD)
    assert node.values("c", "v") == [(0, None), (1, None), (2, None), (4, 4)]


def test_rows_that_had_nothing_else_are_gone_meanwhile(node: Node):
    node.run("UPDATE t USING TIMESTAMP 30000 SET v = 1 WHERE p = 1 AND c = 1")
    node.run(DROP)
    assert node.rows() == []
    node.run(ADD)
    assert node.values("c", "v") == [(1, 1)]
    node.run("TRUNCATE t")
    assert node.rows() == []


@pytest.mark.parametrize("way", ["journal", "snapshot"])
def test_it_comes_back_after_a_restart_too(tmp_path: Path, way: str):
    node = Node(directory=tmp_path)
    node.run(TABLE)
    fill(node)
    node.run(DROP)
    if way == "snapshot":
        node.engine.persistence.snapshot()
    node.engine.close()
    again = Node(directory=tmp_path)
    again.run(ADD)
    assert again.values("c", "v", "l") == KEPT
    assert set(again.values("s")) == {(4,)}


def test_its_timestamp_may_be_bound(node: Node):
    fill(node)
    drop = "ALTER TABLE t DROP v USING TIMESTAMP ?"
    (variable,) = node.plan(drop).variables
    assert (variable.name, variable.type.name) == ("[timestamp]", "bigint")
    with pytest.raises(InvalidRequest, match=r"^Invalid null value of timestamp$"):
        node.run(drop, None)
    node.run(drop, 30_000)
    node.run("ALTER TABLE t ADD v int")
    assert node.values("v") == [(None,), (None,), (None,), (None,), (4,)]
    node.run(drop, UNSET)  # as if there were none
    node.run("ALTER TABLE t ADD v int")
    assert set(node.values("v")) == {(None,)}


def test_a_name_for_its_timestamp(node: Node):
    (variable,) = node.plan("ALTER TABLE t DROP v USING TIMESTAMP :moment").variables
    assert variable.name == "moment"
