"""DESCRIBE, which the server answers: every form of it, and that its text makes the same schema again."""

from __future__ import annotations

import re

import pytest
from cassandra import InvalidRequest


@pytest.fixture(scope="module")
def shop(session, keyspace) -> str:
    """A keyspace with a table, a view and an index; its name."""
    session.execute(
        f'CREATE TABLE {keyspace}.seats ("Event" int, row text, seat int, price decimal, tags set<text>, '
        'note text static, PRIMARY KEY (("Event", row), seat)) '
        "WITH CLUSTERING ORDER BY (seat DESC) AND comment = 'it''s'"
    )
    session.execute(
        f'CREATE MATERIALIZED VIEW {keyspace}.by_price AS SELECT "Event", row, seat, price FROM {keyspace}.seats '
        'WHERE "Event" IS NOT NULL AND row IS NOT NULL AND seat IS NOT NULL AND price IS NOT NULL '
        'PRIMARY KEY (price, "Event", row, seat)'
    )
    session.execute(f"CREATE INDEX by_seat ON {keyspace}.seats (seat)")
    session.execute(f"CREATE TABLE {keyspace}.plain (p int PRIMARY KEY)")
    session.execute(f"USE {keyspace}")
    yield keyspace
    session.execute(f"DROP MATERIALIZED VIEW {keyspace}.by_price")
    for table in ("seats", "plain"):
        session.execute(f"DROP TABLE {keyspace}.{table}")


def described(run, what: str) -> list[tuple]:
    return run(f"DESCRIBE {what}")


def names(run, what: str) -> list[tuple[str, str]]:
    """Type and name of everything that is described."""
    return [(row[1], row[2]) for row in described(run, what)]


# ---------------------------------------------------------------- what is there


def test_the_columns_of_the_answer(shop, session):
    assert session.execute("DESCRIBE KEYSPACES").column_names == ["keyspace_name", "type", "name"]
    assert session.execute("DESCRIBE TABLE plain").column_names == ["keyspace_name", "type", "name", "create_statement"]
    assert session.execute("DESCRIBE CLUSTER").column_names[:3] == ["cluster", "partitioner", "snitch"]


def test_keyspaces(shop, run):
    found = names(run, "KEYSPACES")
    assert ("keyspace", shop) in found
    assert ("keyspace", "system_schema") in found
    assert found == sorted(found)


def test_tables(shop, run):
    found = described(run, "TABLES")
    assert {(shop, "table", "plain"), (shop, "table", "seats")} <= set(found)


@pytest.mark.parametrize("what", ["TYPES", "FUNCTIONS", "AGGREGATES"])
def test_what_there_is_none_of(shop, run, what):
    assert [row for row in described(run, what) if row[0] == shop] == []


@pytest.mark.differs("cassandra", "it calls views materialized_view, and indexes by their own name")
def test_keyspace(shop, run):
    """Everything in it, each thing before what rests on it."""
    found = names(run, f"KEYSPACE {shop}")
    assert found[0] == ("keyspace", shop)
    assert set(found[1:]) == {
        ("table", "plain"),
        ("table", "seats"),
        ("index", "by_seat"),
        ("view", "by_price"),
    } or set(found[1:]) == {("table", "plain"), ("table", "seats"), ("index", "by_seat_index"), ("view", "by_price")}
    assert found.index(("table", "seats")) < found.index(("view", "by_price"))
    assert names(run, "KEYSPACE") == found
    assert names(run, f"ONLY KEYSPACE {shop}") == [("keyspace", shop)]


@pytest.mark.differs("cassandra", "it calls views materialized_view, and indexes by their own name")
def test_table(shop, run):
    """With its indexes and views."""
    kinds = [kind for kind, _ in names(run, "TABLE seats")]
    assert kinds[0] == "table"
    assert sorted(kinds[1:]) == ["index", "view"]
    assert names(run, f"TABLE {shop}.plain") == [("table", "plain")]


@pytest.mark.differs("cassandra", "it calls views materialized_view, and indexes by their own name")
def test_view_and_index(shop, run):
    assert names(run, "MATERIALIZED VIEW by_price") == [("view", "by_price")]
    ((_, kind, _, text),) = described(run, "INDEX by_seat")
    assert kind == "index"
    assert re.fullmatch(rf"CREATE INDEX by_seat ON {shop}\.seats\s?\(seat\);\n?", text)


@pytest.mark.differs("cassandra", "its indexes have no views")
def test_the_view_behind_an_index(shop, run):
    """It can be looked at, but nobody should make it by hand: the statement is a comment."""
    described_as_view = described(run, "MATERIALIZED VIEW by_seat_index")
    assert described(run, "by_seat_index") == described_as_view
    ((_, kind, name, text),) = described_as_view
    assert (kind, name) == ("view", "by_seat_index")
    assert text.startswith(
        "/* Do NOT execute this statement! It's only for informational purposes.\n"
        "   This materialized view is the underlying materialized view of a secondary\n"
        "   index. It can be restored via restoring the index.\n"
        f"\nCREATE MATERIALIZED VIEW {shop}.by_seat_index AS\n"
    )
    assert text.endswith("*/")


@pytest.mark.differs("cassandra", "it calls views materialized_view, and indexes by their own name")
@pytest.mark.parametrize("name, kind", [("plain", "table"), ("by_price", "view"), ("by_seat", "index")])
def test_a_bare_name(shop, run, name, kind):
    """DESCRIBE looks for whatever has the name."""
    assert described(run, name)[0][1] == kind
    assert described(run, f"{shop}.{name}")[0][1] == kind


def test_a_keyspace_by_its_bare_name(shop, run):
    assert names(run, shop)[0] == ("keyspace", shop)


def test_schema(shop, run):
    """People's keyspaces; with FULL the system's too."""
    found = {row[0] for row in described(run, "SCHEMA")}
    assert shop in found
    assert "system_schema" not in found
    assert {row[0] for row in described(run, "FULL SCHEMA")} >= {shop, "system", "system_schema"}


@pytest.mark.differs("cassandra", "it gives the last part of the names alone")
def test_cluster(run):
    ((cluster, partitioner, snitch, *_),) = described(run, "CLUSTER")
    assert cluster
    assert partitioner == "org.apache.cassandra.dht.Murmur3Partitioner"
    assert "Snitch" in snitch


def test_desc_is_short_for_it(shop, run):
    assert run("DESC TABLE plain") == run("DESCRIBE TABLE plain")


# ---------------------------------------------------------------- the texts


def text_of(run, what: str) -> str:
    return described(run, what)[0][3]


def test_the_text_of_a_table(shop, run):
    """Columns in the schema's order; names quoted where they must be; text with its quotes doubled."""
    text = text_of(run, "TABLE seats")
    assert text.replace(" static,", " STATIC,").startswith(
        f"CREATE TABLE {shop}.seats (\n"
        '    "Event" int,\n'
        "    row text,\n"
        "    seat int,\n"
        "    note text STATIC,\n"
        "    price decimal,\n"
        "    tags set<text>,\n"
        '    PRIMARY KEY (("Event", row), seat)\n'
        ") WITH CLUSTERING ORDER BY (seat DESC)\n"
    )
    assert "\n    AND comment = 'it''s'\n" in text
    assert text.rstrip().endswith(";")


@pytest.mark.differs("cassandra", "it says static and primary key in other ways, and has other options")
def test_a_table_with_a_simple_key(shop, run):
    assert text_of(run, "TABLE plain").startswith(
        f"CREATE TABLE {shop}.plain (\n    p int,\n    PRIMARY KEY (p)\n) WITH bloom_filter_fp_chance = 0.01\n"
        "    AND caching = {'keys': 'ALL', 'rows_per_partition': 'ALL'}\n    AND comment = ''\n"
    )


@pytest.mark.differs("cassandra", "it knows no tablets")
def test_the_text_of_a_keyspace(shop, run):
    assert text_of(run, f"ONLY KEYSPACE {shop}") == (
        f"CREATE KEYSPACE {shop} WITH replication = {{'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy', "
        "'datacenter1': '1'} AND durable_writes = true AND tablets = {'enabled': false};"
    )


def test_the_text_of_a_view(shop, run):
    text = text_of(run, "MATERIALIZED VIEW by_price")
    assert re.match(
        rf'CREATE MATERIALIZED VIEW {shop}\.by_price AS\s+SELECT (price, )?"Event", row, seat(, price)?\s+'
        rf'FROM {shop}\.seats\s+WHERE .*IS NOT NULL.*\s+PRIMARY KEY \(price, "Event", row, seat\)',
        text,
        re.IGNORECASE,
    )


def test_internals(shop, run):
    """WITH INTERNALS: the table's id, so that it can be made as the same table."""
    ((identifier,),) = run(
        f"SELECT id FROM system_schema.tables WHERE keyspace_name = '{shop}' AND table_name = 'plain'"
    )
    assert f"ID = {identifier}" in described(run, "TABLE plain WITH INTERNALS")[0][3]


def test_dropped_columns_are_internals(create, run):
    """They are made and dropped again, as they were: old data on disk may name them."""
    table = create("(p int PRIMARY KEY, gone int, v int)")
    run(f"ALTER TABLE {table} DROP gone")
    assert "gone" not in text_of(run, f"TABLE {table}")
    text = "".join(row[3] for row in described(run, f"TABLE {table} WITH INTERNALS"))
    assert re.search(r"gone int", text)
    assert re.search(r"DROP gone USING TIMESTAMP \d+", text)


@pytest.mark.parametrize(
    "columns, options",
    [
        ("(p int PRIMARY KEY)", ""),
        ("(p int, c text, PRIMARY KEY (p, c))", "WITH CLUSTERING ORDER BY (c DESC)"),
        ('("Select" int PRIMARY KEY, "a b" text, "with ""quotes""" int)', ""),
        ("(a int, b int, c int, s int static, PRIMARY KEY ((a, b), c))", "WITH default_time_to_live = 900"),
        ("(p int PRIMARY KEY, l list<int>, m map<text, frozen<set<int>>>, t tuple<int, text>)", ""),
        ("(p int PRIMARY KEY)", "WITH comment = 'semi; colon''s' AND gc_grace_seconds = 1"),
        ("(p int PRIMARY KEY)", "WITH compaction = {'class': 'LeveledCompactionStrategy', 'sstable_size_in_mb': 100}"),
        ("(p int PRIMARY KEY)", "WITH caching = {'keys': 'NONE', 'rows_per_partition': '100'}"),
    ],
)
def test_a_table_made_of_its_description_is_described_alike(create, run, columns, options):
    table = create(columns, options)
    before = text_of(run, f"TABLE {table}")
    run(f"DROP TABLE {table}")
    run(before)
    assert text_of(run, f"TABLE {table}") == before


@pytest.mark.differs("cassandra", "it calls views materialized_view, and indexes by their own name")
def test_views_and_indexes_can_be_made_of_their_descriptions(shop, run):
    before = described(run, "TABLE seats")
    texts = {kind: text for _, kind, _, text in before}
    run("DROP MATERIALIZED VIEW by_price")
    run("DROP INDEX by_seat")
    run(texts["index"])
    run(texts["view"])
    assert sorted(described(run, "TABLE seats")) == sorted(before)


@pytest.mark.differs("cassandra", "its CDC has no log tables")
def test_a_cdc_log_belongs_to_its_table(create, run):
    """It is made with its table, so DESCRIBE KEYSPACE does not make it; asked for by name it is described."""
    table = create("(p int PRIMARY KEY)", "WITH cdc = {'enabled': true, 'preimage': 'full'}")
    keyspace, _, name = table.partition(".")
    assert re.search(r"AND cdc = \{[^}]*'preimage': 'full'[^}]*\}", text_of(run, f"TABLE {table}"))
    log = described(run, f"TABLE {table}_scylla_cdc_log")[0]
    assert log[2] == f"{name}_scylla_cdc_log"
    in_keyspace = [row for row in described(run, f"KEYSPACE {keyspace}") if row[2] == f"{name}_scylla_cdc_log"]
    assert all(row[3].lstrip().startswith(("ALTER", "/*")) for row in in_keyspace)


# ---------------------------------------------------------------- what is not there


@pytest.mark.differs("cassandra", "it says some of this in words of its own")
@pytest.mark.parametrize(
    "what, message",
    [
        ("KEYSPACE nope", "'nope' not found in keyspaces"),
        ("TABLE plain WITH INTERNALS AND PASSWORDS", "Option WITH PASSWORDS is only allowed with DESC SCHEMA"),
        ("TABLE nope", "Table 'nope' not found in keyspace '{k}'"),
        ("TABLE nope.nope", "'nope' not found in keyspaces"),
        ("TABLE by_price", "Cannot use DESC TABLE on materialized View. (Did you mean DESC MATERIALIZED VIEW)?"),
        ("MATERIALIZED VIEW nope", "Materialized view 'nope' not found in keyspace '{k}'"),
        ("INDEX nope", "Table for existing index 'nope' not found in '{k}'"),
        ("TYPE nope", "'nope' not found in keyspace '{k}'"),
        ("FUNCTION nope", "'nope' not found in keyspace '{k}'"),
        ("AGGREGATE nope", "'nope' not found in keyspace '{k}'"),
        ("nope", "'nope' not found in keyspace '{k}'"),
    ],
)
def test_what_is_not_there(shop, refused, what, message):
    refused(InvalidRequest, f"DESCRIBE {what}", message.format(k=shop))


def test_without_a_keyspace(cluster, shop):
    """DESCRIBE TABLES has those of all keyspaces; a name alone does not say in which one to look."""
    own = cluster.connect()
    assert {row[0] for row in own.execute("DESCRIBE TABLES")} >= {shop, "system_schema"}
    for what in ("TABLE plain", "KEYSPACE"):
        with pytest.raises(InvalidRequest, match=r"not found in keyspaces|[Nn]o keyspace"):
            own.execute(f"DESCRIBE {what}")
    own.shutdown()
