"""What memory, views, indexes, the log or the wire could not take is refused before the journal has it: afterwards the
node and its directory, read anew, agree."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from embedded_scylla.errors import CqlError, InvalidRequest, ServerError
from embedded_scylla.modify.batch import execute_batch
from embedded_scylla.protocol.messages import encode_result
from tests.unit.writing import Node

LONG = 65_536  # bytes: one more than a key may have
LATEST, EARLIEST = (1 << 63) - 1, -(1 << 63)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(directory=tmp_path / "data")


def state(node: Node) -> dict[str, list[Any]]:
    """What every table, view and log of the keyspace stores, expired or not."""
    found = {}
    for table in node.engine.schema.keyspaces["ks"].tables.values():
        store = node.engine.store(table)
        found[table.name] = sorted(
            repr(
                (
                    partition.key,
                    partition.deletion,
                    row.key,
                    row.marker,
                    row.deletion,
                    row.shadowable,
                    sorted((name, shown(cell)) for name, cell in row.cells.items()),
                )
            )
            for partition in store.scan()
            for row in [*partition.scan(), *([partition.static] if partition.static else [])]
        )
    return found


def shown(cell: Any) -> Any:
    return cell if isinstance(cell, tuple) else (cell.deletion, sorted(cell.elements.items()))


def assert_the_directory_agrees(node: Node) -> None:
    """End the node, and read what it has kept: twice, for the first reading may change it."""
    before = state(node)
    directory = node.engine.persistence.directory
    node.engine.close()
    for _ in range(2):
        again = Node(directory=directory, time=node.time)
        try:
            assert again.engine.persistence.notices == []
            assert state(again) == before
        finally:
            again.engine.close()


def not_null(*columns: str) -> str:
    return " AND ".join(f"{column} IS NOT NULL" for column in columns)


# ---------------------------------------------------------------- keys of views

LONG_KEYS = {
    "a view's partition key": (
        "CREATE TABLE t (p int, b blob, c blob, PRIMARY KEY (p))",
        f"CREATE MATERIALIZED VIEW x AS SELECT * FROM t WHERE {not_null('b', 'p')} PRIMARY KEY (b, p)",
        "b",
        [b"x" * LONG],
    ),
    "parts that are too long together": (
        "CREATE TABLE t (p int, b blob, c blob, PRIMARY KEY (p, b))",
        f"CREATE MATERIALIZED VIEW x AS SELECT * FROM t WHERE {not_null('b', 'c', 'p')} PRIMARY KEY ((b, c), p)",
        "b, c",
        [b"x" * 32_760, b"y" * 32_770],
    ),
    "a view's clustering key": (
        "CREATE TABLE t (p int, b blob, c blob, PRIMARY KEY (p, b))",
        f"CREATE MATERIALIZED VIEW x AS SELECT * FROM t WHERE {not_null('b', 'c', 'p')} PRIMARY KEY (p, b, c)",
        "b, c",
        [b"x" * 40_000, b"y" * 40_000],
    ),
    "an index on a column": (
        "CREATE TABLE t (p int, b blob, PRIMARY KEY (p))",
        "CREATE INDEX x ON t (b)",
        "b",
        [b"x" * LONG],
    ),
    "an index on a static column": (
        "CREATE TABLE t (p int, b blob static, c int, PRIMARY KEY (p, c))",
        "CREATE INDEX x ON t (b)",
        "b",
        [b"x" * LONG],
    ),
    "an index on a list's elements": (
        "CREATE TABLE t (p int, b list<blob>, PRIMARY KEY (p))",
        "CREATE INDEX x ON t (values(b))",
        "b",
        [[b"x" * LONG]],
    ),
    "an index on a map's entries": (
        "CREATE TABLE t (p int, b map<blob, blob>, PRIMARY KEY (p))",
        "CREATE INDEX x ON t (entries(b))",
        "b",
        [{b"x" * 33_000: b"y" * 33_000}],
    ),
}
long_keys = pytest.mark.parametrize(("table", "derived", "columns", "values"), LONG_KEYS.values(), ids=LONG_KEYS)


def insert_of(columns: str) -> str:
    return f"INSERT INTO t (p, {columns}) VALUES (1, {', '.join('?' for _ in columns.split(','))})"


def update_of(columns: str, keyed: bool) -> str:
    if keyed:  # b is of the base's key
        return "UPDATE t SET c = ? WHERE p = 1 AND b = ?"
    return f"UPDATE t SET {columns} = ? WHERE p = 1"


@long_keys
@pytest.mark.parametrize("way", ["INSERT", "UPDATE", "batch", "message", "LWT"])
def test_a_key_that_is_too_long_for_what_follows_a_table_is_refused(
    node: Node, table: str, derived: str, columns: str, values: list[Any], way: str
):
    node.run(table)
    node.run(derived)
    before = state(node)
    insert = insert_of(columns)
    ways: dict[str, Callable[[], Any]] = {
        "INSERT": lambda: node.run(insert, *values),
        "UPDATE": lambda: node.run(update_of(columns, len(values) > 1), *reversed(values)),
        "batch": lambda: node.run(f"BEGIN BATCH {insert}; APPLY BATCH", *values),
        "message": lambda: node.run_message((insert, *values)),
        "LWT": lambda: node.run(f"{insert} IF NOT EXISTS", *values),
    }
    with pytest.raises(InvalidRequest, match=r"^Key length of \d+ is longer than maximum of 65535$"):
        ways[way]()
    assert state(node) == before
    assert_the_directory_agrees(node)


@long_keys
def test_nothing_can_follow_a_table_that_has_a_row_with_too_long_a_key(
    node: Node, table: str, derived: str, columns: str, values: list[Any]
):
    node.run(table)
    node.run(insert_of(columns), *values)
    before, names = state(node), set(node.engine.schema.keyspaces["ks"].tables)
    with pytest.raises(InvalidRequest, match=r"^Key length of \d+ is longer than maximum of 65535$"):
        node.run(derived)
    assert state(node) == before
    assert set(node.engine.schema.keyspaces["ks"].tables) == names
    assert node.engine.schema.table("ks", "t").indexes == {}
    assert_the_directory_agrees(node)


# ---------------------------------------------------------------- timestamps


@pytest.mark.parametrize("timestamp", [LATEST, LATEST - 1, -1, EARLIEST + 2, EARLIEST + 1, EARLIEST])
def test_the_ends_of_time_are_timestamps(node: Node, timestamp: int):
    """A client's default timestamp is taken as it is."""
    node.run("CREATE TABLE t (p int, c int, v int, m map<int, int>, s int static, l list<int>, PRIMARY KEY (p, c))")
    node.run("CREATE INDEX ON t (v)")
    node.run("CREATE INDEX ON t (values(m))")
    insert = "INSERT INTO t (p, c, v, m, s, l) VALUES (1, 1, 1, {1: 1}, 1, [1])"
    writes = [insert, "UPDATE t SET v = 2, m[2] = 2, l = l + [2] WHERE p = 1 AND c = 1", "DELETE FROM t WHERE p = 2",
              "DELETE FROM t WHERE p = 3 AND c > 1", "DELETE v, m FROM t WHERE p = 1 AND c = 2"]  # fmt: skip
    for write in writes:
        try:
            node.run(write, timestamp=timestamp)
        except InvalidRequest:
            continue
    for shown in ("writetime(v)", "writetime(s)", "writetime(m[1])", "ttl(v)", "*"):
        node.run(f"SELECT {shown} FROM t")
    assert_the_directory_agrees(node)


# ---------------------------------------------------------------- names

LONG_NAME = "n" * LONG
LONGEST_NAME = "é" * 32_767  # 65,534 bytes


@pytest.mark.parametrize(
    "text",
    [
        f"CREATE TABLE long (p int PRIMARY KEY, {LONG_NAME} int)",
        f"ALTER TABLE t ADD {LONG_NAME} int",
        f"ALTER TABLE t RENAME p TO {LONG_NAME}",
        f"CREATE TABLE long (p int PRIMARY KEY, {LONG_NAME[:-5]} int) WITH cdc = {{'enabled': true}}",
        f"SELECT v AS {LONG_NAME} FROM t",
        f"SELECT v FROM t WHERE p = :{LONG_NAME}",
        f"SELECT blobAsInt(0x{'00' * 33_000}) FROM t",
    ],
    ids=lambda text: text[:30],
)
def test_a_name_that_no_client_could_be_told_is_refused(node: Node, text: str):
    node.run("CREATE TABLE t (p int PRIMARY KEY, v int)")
    before = state(node)
    with pytest.raises(InvalidRequest, match=r"65,?535"):
        node.run(text)
    assert state(node) == before
    assert_the_directory_agrees(node)


def test_the_longest_name_can_be_told(node: Node):
    node.run(f'CREATE TABLE t (p int PRIMARY KEY, "{LONGEST_NAME}" int)')
    node.run(f'INSERT INTO t (p, "{LONGEST_NAME}") VALUES (1, 2)')
    plan = node.plan("SELECT * FROM t")
    assert LONGEST_NAME.encode() in encode_result(plan.execute(node.context()), plan)
    with pytest.raises(InvalidRequest, match=r"may have 65535"):
        node.plan(f'SELECT writetime("{LONGEST_NAME}") FROM t')
    assert_the_directory_agrees(node)


# ---------------------------------------------------------------- anything, at random

COLUMNS = (
    "(p blob, q blob, c blob, d varint, s blob static, v blob, n decimal, m map<blob, blob>, l list<blob>, "
    "PRIMARY KEY ((p, q), c, d)) WITH CLUSTERING ORDER BY (c DESC, d ASC) AND gc_grace_seconds = "
)
KEYS = ("p", "q", "c", "d")
VIEW = "CREATE MATERIALIZED VIEW {{}}_{} AS SELECT {} FROM {{}} WHERE {} PRIMARY KEY ({})"
DERIVED = (
    VIEW.format("v", "n, m, l", not_null("v", *KEYS), "(v, d), c, p, q"),
    VIEW.format("n", "v, l", not_null("n", *KEYS), "d, n, c, p, q"),
    "CREATE INDEX ON {} (n)",
    "CREATE INDEX ON {} (s)",
    "CREATE INDEX ON {} (entries(m))",
    "CREATE INDEX ON {} (values(l))",
)
LOGGED = " AND cdc = {'enabled': true, 'preimage': 'full', 'postimage': true}"
BYTES = [b"", b"\0", b"\xff" * 9, b"a", b"x" * 32_000, b"y" * 33_534, b"z" * 65_535, b"z" * LONG, b"w" * 200_000]
VARINTS = [b"", b"\0", b"\x80" + b"\0" * 8, b"\x7f" + b"\xff" * 60_000, b"\x80" + b"\0" * 70_000]
DECIMALS = [b"", b"\0\0\0\0\1", b"\x7f\xff\xff\xff\1", b"\x80\0\0\0\1", b"\0\0\0\1" + b"\x11" * 66_000]
TTLS = ["", "", "USING TTL 1", "USING TTL 630720000", "USING TTL 630720001", "USING TTL 2147483647"]
STAMPS = [None, None, 0, -1, 1, EARLIEST, EARLIEST + 1, LATEST, LATEST - 1]


class Writer:
    """Makes random writes to table ``name``, most of them with something extreme in them."""

    def __init__(self, name: str, chance: random.Random):
        self.name, self.chance = name, chance

    def bytes(self) -> bytes | None:
        chance = self.chance
        return chance.choice(BYTES) if chance.random() < 0.4 else chance.choice([b"a", b"b", None])

    def key(self, *columns: str) -> tuple[str, list[bytes | None]]:
        """A WHERE clause for these columns, most often one that has been named before."""
        values = [self.chance.choice(VARINTS if name == "d" else BYTES[:7]) for name in columns]
        if self.chance.random() < 0.7:
            values = [self.chance.choice(VARINTS[:2] if name == "d" else BYTES[1:4:2]) for name in columns]
        return " AND ".join(f"{name} = ?" for name in columns), values

    def statement(self) -> tuple[str, list[Any]]:
        name, chance, ttl = self.name, self.chance, self.chance.choice(TTLS)
        where, key = self.key(*KEYS)
        match chance.randrange(9):
            case 0 | 1 | 2:
                collection = {self.bytes() or b"": self.bytes() or b""}, [self.bytes() or b"" for _ in range(2)]
                values = [*key, self.bytes(), self.bytes(), chance.choice(DECIMALS), *collection]
                return f"INSERT INTO {name} (p, q, c, d, s, v, n, m, l) VALUES ({'?, ' * 8}?) {ttl}", values
            case 3:
                return f"UPDATE {name} {ttl} SET v = ?, n = ? WHERE {where}", [self.bytes(), self.bytes(), *key]
            case 4:
                values = [self.bytes(), self.bytes(), [self.bytes() or b""], *key]
                return f"UPDATE {name} {ttl} SET m[?] = ?, l = l + ? WHERE {where}", values
            case 5:
                where, key = self.key("p", "q")
                return f"UPDATE {name} {ttl} SET s = ? WHERE {where}", [self.bytes(), *key]
            case 6:
                where, key = self.key("p", "q")
                return f"DELETE FROM {name} WHERE {where} AND c >= ? AND c < ?", [*key, self.bytes(), self.bytes()]
            case 7:
                where, key = self.key("p", "q", "c")
                return f"DELETE FROM {name} WHERE {where}", key
            case _:
                return f"DELETE v, m FROM {name} WHERE {where}", key

    def encoded(self, node: Node, text: str, values: list[Any]) -> list[Any]:
        specs = node.plan(text).variables
        return [
            value if value is None or isinstance(value, bytes) else spec.type.encode(value)
            for spec, value in zip(specs, values, strict=True)
        ]


@pytest.mark.parametrize("seed", range(3))
def test_random_extremes_leave_memory_and_directory_alike(node: Node, seed: int):
    chance = random.Random(seed)
    writers = [Writer("plain", chance), Writer("logged", chance)]
    node.run(f"CREATE TABLE plain {COLUMNS}{chance.choice([1, 2147483647])}")
    node.run(f"CREATE TABLE logged {COLUMNS}1{LOGGED}")
    for writer in writers:
        for text in DERIVED:
            node.run(text.format(writer.name, writer.name))
    outcomes = {True: 0, False: 0}
    for step in range(150):
        if step == 75:
            node.engine.persistence.snapshot()
        node.time += chance.choice([0, 0, 0.3, 2])
        writer = chance.choice(writers)
        statements = [writer.statement() for _ in range(chance.choice([1, 1, 1, 2, 4]))]
        stamp = chance.choice(STAMPS) if writer.name == "plain" else None
        before = state(node) if step % 10 == 0 else None
        try:
            encoded = [(node.plan(text), writer.encoded(node, text, values)) for text, values in statements]
            if len(encoded) == 1:
                encoded[0][0].execute(node.context(encoded[0][1], stamp))
            else:
                execute_batch(encoded, "LOGGED", node.context(timestamp=stamp))
            outcomes[True] += 1
        except CqlError as refusal:
            assert not isinstance(refusal, ServerError)
            assert before is None or state(node) == before
            outcomes[False] += 1
    assert min(outcomes.values()) > 10, outcomes
    for table in node.engine.schema.keyspaces["ks"].tables:
        node.plan(f"SELECT * FROM {table}").execute(node.context())
    assert_the_directory_agrees(node)


# ---------------------------------------------------------------- sums


def test_a_sum_of_decimals_is_exact_or_refused(node: Node) -> None:
    node.run("CREATE TABLE t (p int PRIMARY KEY, d decimal)")
    node.run("INSERT INTO t (p, d) VALUES (1, 1e5000)")
    node.run("INSERT INTO t (p, d) VALUES (2, 1e-4000)")
    (total, mean) = node.run("SELECT sum(d), avg(d) FROM t")[0]
    assert total == Decimal("1" + "0" * 5000 + "." + "0" * 3999 + "1")
    assert mean == Decimal("5" + "0" * 4999)
    node.run("INSERT INTO t (p, d) VALUES (3, 1e2147483647)")
    for function in ("sum", "avg"):
        with pytest.raises(InvalidRequest, match="Sums of decimals with more than 10000 figures are not supported"):
            node.run(f"SELECT {function}(d) FROM t")
