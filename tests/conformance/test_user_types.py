"""User-defined types: what they are made of, where they may be, whole values and single fields."""

import pytest
from cassandra import InvalidRequest
from cassandra.protocol import SyntaxException
from cassandra.query import UNSET_VALUE

from tests.conformance.conftest import eventually

words = pytest.mark.differs("cassandra", "words of its own")


@pytest.fixture(scope="module")
def types(session, keyspace):
    """``address``; ``person``, which has one; ``tagged``, which has a list."""
    session.execute("CREATE TYPE address (street text, zip int)")
    session.execute("CREATE TYPE person (name text, home frozen<address>)")
    session.execute("CREATE TYPE tagged (name text, tags list<text>)")


@pytest.fixture(scope="module")
def table(session, keyspace, types):
    session.execute(
        f"CREATE TABLE {keyspace}.people (k int PRIMARY KEY, a address, f frozen<address>, p frozen<person>, "
        "g frozen<tagged>, l list<frozen<address>>, s set<frozen<address>>, m map<text, frozen<address>>, "
        "t tuple<int, address>, n int)"
    )
    return f"{keyspace}.people"


@pytest.fixture
def value(table, run):
    """``value("a", key)`` reads one thing selected."""

    def read(selected, key):
        rows = run(f"SELECT {selected} FROM {table} WHERE k = {key}")
        return rows[0][0] if rows else None

    return read


# ---------------------------------------------------------------- whole values


@pytest.mark.parametrize("column", ["a", "f"])
def test_a_field_that_is_left_out_is_null(table, run, value, column):
    run(f"INSERT INTO {table} (k, {column}) VALUES (1, {{zip: 10115}})")
    assert value(column, 1) == (None, 10115)
    run(f"INSERT INTO {table} (k, {column}) VALUES (1, {{street: 'Pier', zip: null}})")
    assert value(column, 1) == ("Pier", None)


def test_the_driver_gives_fields_by_name(table, run, value):
    run(f"INSERT INTO {table} (k, a) VALUES (1, {{street: 'Pier', zip: 1}})")
    assert value("a", 1).street == "Pier"
    assert value("a", 1).zip == 1


def test_nothing_but_nulls(table, run, value):
    run(f"INSERT INTO {table} (k, a, f) VALUES (2, {{street: null}}, {{street: null}})")
    assert value("a", 2) is None
    assert value("f", 2) == (None, None)


@pytest.mark.differs("cassandra", "it takes a tuple for a user type and then fails")
def test_a_tuple_stands_for_a_value(table, run, value):
    run(f"INSERT INTO {table} (k, a, f) VALUES (3, ('Pier', 1), ('Pier'))")
    assert value("a", 3) == ("Pier", 1)
    assert value("f", 3) == ("Pier", None)


def test_a_new_value_replaces_all_fields(table, run, value):
    run(f"UPDATE {table} SET a = {{street: 'Pier', zip: 1}} WHERE k = 4")
    run(f"UPDATE {table} SET a = {{zip: 2}} WHERE k = 4")
    assert value("a", 4) == (None, 2)
    run(f"UPDATE {table} SET a = null WHERE k = 4")
    assert value("a", 4) is None


def test_in_one_another_and_in_collections(table, run):
    run(
        f"INSERT INTO {table} (k, p, g, l, s, m, t) VALUES (5, {{name: 'Ada', home: {{street: 'Pier', zip: 1}}}}, "
        "{name: 'Bo', tags: ['a', 'b']}, [{zip: 1}, {zip: 2}], {{zip: 2}, {zip: 1}}, {'home': {zip: 1}}, (7, {zip: 1}))"
    )
    ((person, tagged, addresses, distinct, named, pair),) = run(f"SELECT p, g, l, s, m, t FROM {table} WHERE k = 5")
    assert person == ("Ada", ("Pier", 1))
    assert tagged == ("Bo", ["a", "b"])
    assert addresses == [(None, 1), (None, 2)]
    assert list(distinct) == [(None, 1), (None, 2)]
    assert dict(named) == {"home": (None, 1)}
    assert pair == (7, (None, 1))


@pytest.mark.differs("cassandra", "it takes a field that is not set for null")
def test_values_as_variables(session, table, run, value):
    whole = session.prepare(f"INSERT INTO {table} (k, a, f) VALUES (?, ?, ?)")
    session.execute(whole, (6, ("Pier", 1), ("Quay", None)))
    assert (value("a", 6), value("f", 6)) == (("Pier", 1), ("Quay", None))
    fields = session.prepare(f"INSERT INTO {table} (k, a) VALUES (?, {{street: ?, zip: ?}})")
    session.execute(fields, (6, "Mole", 2))
    assert value("a", 6) == ("Mole", 2)
    with pytest.raises(InvalidRequest, match=r"(?i)unset"):
        session.execute(fields, (6, "Mole", UNSET_VALUE))


@pytest.mark.differs("cassandra", "it takes a tuple for a user type and then fails")
def test_a_value_with_its_type_before_it(table, run, value):
    run(f"INSERT INTO {table} (k, f) VALUES (7, (frozen<address>)('Pier', 1))")
    assert value("f", 7) == ("Pier", 1)


# ---------------------------------------------------------------- single fields


def test_fields_are_selected(table, run):
    run(f"INSERT INTO {table} (k, a, p) VALUES (10, {{zip: 1}}, {{name: 'Ada', home: {{street: 'Pier'}}}})")
    assert run(f"SELECT a.zip, a.street, p.home.street, p.home.zip FROM {table} WHERE k = 10") == [
        (1, None, "Pier", None)
    ]
    run(f"INSERT INTO {table} (k) VALUES (11)")
    assert run(f"SELECT a.zip, p.home.street FROM {table} WHERE k = 11") == [(None, None)]


def test_names_of_selected_fields(session, table):
    result = session.execute(f"SELECT a.zip, p.home.street, a.street AS road FROM {table}")
    assert result.column_names == ["a.zip", "p.home.street", "road"]


def test_fields_as_arguments(table, run):
    run(f"INSERT INTO {table} (k, a) VALUES (12, {{zip: 1}})")
    assert run(f"SELECT max(a.zip), intAsBlob(a.zip) FROM {table} WHERE k = 12") == [(1, b"\x00\x00\x00\x01")]


def test_fields_are_set_and_deleted(table, run, value):
    run(f"UPDATE {table} SET a.street = 'Pier' WHERE k = 13")
    assert value("a", 13) == ("Pier", None)
    run(f"UPDATE {table} SET a.street = 'Quay', a.zip = 1 WHERE k = 13")
    assert value("a", 13) == ("Quay", 1)
    run(f"DELETE a.street FROM {table} WHERE k = 13")
    assert value("a", 13) == (None, 1)
    run(f"UPDATE {table} SET a.zip = null WHERE k = 13")
    assert value("a", 13) is None


def test_a_field_as_a_variable(session, table, value):
    setting = session.prepare(f"UPDATE {table} SET a.zip = ? WHERE k = ?")
    session.execute(setting, (1, 14))
    session.execute(setting, (UNSET_VALUE, 14))
    assert value("a.zip", 14) == 1


def test_each_field_has_its_own_time(table, run, value, left):
    run(f"UPDATE {table} USING TIMESTAMP 20 SET a.zip = 2 WHERE k = 15")
    run(f"UPDATE {table} USING TIMESTAMP 10 SET a.street = 'Pier', a.zip = 1 WHERE k = 15")
    assert value("a", 15) == ("Pier", 2)
    run(f"UPDATE {table} USING TIMESTAMP 15 SET a = {{street: 'Quay'}} WHERE k = 15")
    assert value("a", 15) == ("Quay", 2)


def test_when_a_field_was_written(table, run, left):
    run(f"UPDATE {table} USING TIMESTAMP 20 AND TTL 1000 SET a.zip = 2 WHERE k = 16")
    run(f"UPDATE {table} USING TIMESTAMP 10 SET a.street = 'Pier' WHERE k = 16")
    query = f"SELECT writetime(a.zip), writetime(a.street), ttl(a.street), ttl(a.zip) FROM {table} WHERE k = 16"
    ((*known, seconds),) = run(query)
    assert known == [20, 10, None]
    assert seconds in left(1000)


def test_name_of_when_a_field_was_written(session, table):
    assert session.execute(f"SELECT writetime(a.zip) FROM {table}").column_names == ["writetime(a.zip)"]


# ---------------------------------------------------------------- comparisons


@pytest.fixture
def addresses(create, run, types):
    name = create("(p int, a frozen<address>, v address, PRIMARY KEY (p, a))")
    for street, zip in (("'Pier'", 2), ("'Pier'", 1), ("null", 3), ("'Quay'", 1)):
        run(f"INSERT INTO {name} (p, a, v) VALUES (1, {{street: {street}, zip: {zip}}}, {{zip: {zip}}})")
    return name


def test_values_sort_field_by_field(addresses, run):
    assert run(f"SELECT a.street, a.zip FROM {addresses} WHERE p = 1") == [
        (None, 3),
        ("Pier", 1),
        ("Pier", 2),
        ("Quay", 1),
    ]


def test_a_frozen_value_in_the_key(addresses, run):
    assert run(f"SELECT v.zip FROM {addresses} WHERE p = 1 AND a = {{street: 'Pier', zip: 2}}") == [(2,)]
    assert run(f"SELECT v.zip FROM {addresses} WHERE p = 1 AND a > {{street: 'Pier', zip: 1}}") == [(2,), (1,)]
    assert run(f"SELECT v.zip FROM {addresses} WHERE p = 1 AND a IN (('Pier', 1), ('Quay', 1))") == [(1,), (1,)]


def test_a_frozen_value_as_partition_key(create, run, types):
    table = create("(a frozen<address> PRIMARY KEY, v int)")
    run(f"INSERT INTO {table} (a, v) VALUES ({{zip: 1}}, 7)")
    assert run(f"SELECT v FROM {table} WHERE a = {{street: null, zip: 1}}") == [(7,)]
    assert run(f"SELECT v FROM {table} WHERE token(a) = token((frozen<address>)(null, 1))") == [(7,)]


@pytest.mark.differs("cassandra", "columns that are not frozen cannot be restricted")
def test_a_value_that_is_not_frozen_is_filtered(addresses, run):
    query = f"SELECT a.street FROM {addresses} WHERE v = {{zip: 1}} ALLOW FILTERING"
    assert run(query) == [("Pier",), ("Quay",)]


@pytest.mark.parametrize("column", ["a", "f"])
def test_conditions_on_whole_values(table, run, value, column):
    run(f"INSERT INTO {table} (k, {column}, n) VALUES (20, {{street: 'Pier'}}, 1)")
    assert run(f"UPDATE {table} SET n = 2 WHERE k = 20 IF {column} = {{street: 'Quay'}}")[0][0] is False
    assert run(f"UPDATE {table} SET n = 2 WHERE k = 20 IF {column} = {{street: 'Pier', zip: null}}")[0][0] is True
    assert run(f"UPDATE {table} SET n = 3 WHERE k = 20 IF {column} IN ({{zip: 1}}, {{street: 'Pier'}})")[0][0] is True
    assert run(f"UPDATE {table} SET {column} = null WHERE k = 20 IF {column} != null")[0][0] is True
    assert run(f"UPDATE {table} SET n = 4 WHERE k = 20 IF {column} = null")[0][0] is True
    assert value("n", 20) == 4


@pytest.mark.differs("cassandra", "it takes them")
@pytest.mark.parametrize("condition", ["a.street = 'Pier'", "f.street = null", "a.zip IN (1)", "n = 1 AND f.zip > 1"])
def test_conditions_on_fields_cannot_be_asked(table, refused, condition):
    refused(SyntaxException, f"UPDATE {table} SET n = 1 WHERE k = 21 IF {condition}")
    refused(SyntaxException, f"DELETE FROM {table} WHERE k = 21 IF {condition}")


@words
def test_relations_on_fields_are_no_cql(table, refused):
    refused(SyntaxException, f"SELECT k FROM {table} WHERE a.zip = 1", "no viable alternative at input '.'")


# ---------------------------------------------------------------- what is refused


@words
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "INSERT INTO {} (k, a) VALUES (1, {{zip: 1, town: 'X'}})",
            "Unknown field 'town' in value of user defined type address",
        ),
        (
            "INSERT INTO {} (k, a) VALUES (1, ('X', 1, 2))",
            "Invalid tuple literal for a: too many elements. Type address expects 2 but got 3",
        ),
        (
            "INSERT INTO {} (k, a) VALUES (1, {{zip: 'X'}})",
            "Invalid user type literal for a: field zip is not of type int",
        ),
        ("INSERT INTO {} (k, n) VALUES (1, {{zip: 1}})", "Invalid user type literal for n of type int"),
        ("INSERT INTO {} (k, a) VALUES (1, {{'zip': 1}})", "Invalid map literal for a of type address"),
        ("UPDATE {} SET f.zip = 1 WHERE k = 1", r"Invalid operation \(f.zip = 1\) for frozen UDT column f"),
        ("UPDATE {} SET n.zip = 1 WHERE k = 1", r"Invalid operation \(n.zip = 1\) for non-UDT column n"),
        ("UPDATE {} SET a.town = 1 WHERE k = 1", "UDT column a does not have a field named town"),
        ("UPDATE {} SET a = a + {{zip: 1}} WHERE k = 1", "Invalid operation .* for non counter column a"),
        ("DELETE f.zip FROM {} WHERE k = 1", "Frozen UDT column f does not support field deletions"),
        ("DELETE n.zip FROM {} WHERE k = 1", "Invalid deletion operation for non-UDT column n"),
        ("DELETE a.town FROM {} WHERE k = 1", "UDT column a does not have a field named town"),
        ("SELECT n.zip FROM {}", "Invalid field selection: n of type int is not a user type"),
        ("SELECT a.town FROM {}", "a of type address has no field town"),
        ("SELECT writetime(a) FROM {}", "WRITETIME expects an atomic column, but a is a non-frozen collection"),
        ("SELECT ttl(f.zip) FROM {}", "TTL on a field selection is only valid for non-frozen UDT columns"),
        ("CREATE INDEX ON {} (a)", "Cannot create secondary index on UDT column a"),
        ("ALTER TABLE {} ADD x tagged", "Non-frozen UDTs with nested non-frozen collections are not supported"),
        ("ALTER TABLE {} ADD x missing", "Unknown type .*.missing"),
    ],
)
def test_refusals(table, refused, statement, message):
    refused(InvalidRequest, statement.format(table), message)


@words
def test_a_field_is_set_once(table, refused):
    refused(
        SyntaxException,
        f"UPDATE {table} SET a.zip = 1, a.zip = 2 WHERE k = 1",
        "Multiple incompatible setting of column a",
    )
    refused(
        SyntaxException,
        f"UPDATE {table} SET a = null, a.zip = 2 WHERE k = 1",
        "Multiple incompatible setting of column a",
    )


def test_values_as_json(table, run, value):
    document = '{"k": 50, "a": {"zip": 1}, "p": {"name": "Ada", "home": {"street": "Pier", "zip": null}}}'
    run(f"INSERT INTO {table} JSON '{document}'")
    assert value("a", 50) == (None, 1)
    assert value("p", 50) == ("Ada", ("Pier", None))
    assert value("toJson(p)", 50) == '{"name": "Ada", "home": {"street": "Pier", "zip": null}}'


@words
@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("[1]", "user_type must be represented as JSON Object"),
        ('{"zip": 1, "town": 2}', "Extraneous field definition for user type address: town"),
    ],
)
def test_refusals_of_json(table, refused, document, message):
    refused(InvalidRequest, f'INSERT INTO {table} JSON \'{{"k": 1, "a": {document}}}\'', message)


@words
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("(a address PRIMARY KEY)", "Invalid non-frozen user-defined type for PRIMARY KEY component a"),
        ("(k int, a address, PRIMARY KEY (k, a))", "Invalid non-frozen user-defined type for PRIMARY KEY component a"),
        (
            "(k int PRIMARY KEY, l list<address>)",
            "Non-frozen user types or collections are not allowed inside collections: list<{}.address>",
        ),
        (
            "(k int PRIMARY KEY, m map<address, int>)",
            "Non-frozen user types or collections are not allowed inside collections: map<{}.address, int>",
        ),
        ("(k int PRIMARY KEY, g tagged)", "Non-frozen UDTs with nested non-frozen collections are not supported"),
        ("(k int PRIMARY KEY, x missing)", "Unknown type {}.missing"),
        ("(k int PRIMARY KEY, x frozen<missing>)", "Unknown type {}.missing"),
        (
            "(k int PRIMARY KEY, x frozen<elsewhere.address>)",
            "Statement on keyspace {} cannot refer to a user type in keyspace elsewhere; "
            "user types can only be used in the keyspace they are defined in",
        ),
    ],
)
def test_where_types_may_not_be(keyspace, types, refused, columns, message):
    refused(InvalidRequest, f"CREATE TABLE {keyspace}.bad {columns}", message.format(keyspace))


# ---------------------------------------------------------------- CREATE, ALTER, DROP


@words
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("CREATE TYPE address (x int)", "A user type of name {}.address already exists"),
        ("CREATE TYPE bad (x int, y text, x text)", "Duplicate field name 78 in type bad"),
        ("CREATE TYPE bad (a address)", "A user type cannot contain non-frozen user type fields"),
        ("CREATE TYPE bad (a missing)", "A user type cannot contain non-frozen user type fields"),
        ("CREATE TYPE bad (a frozen<missing>)", "Unknown type {}.missing"),
        ("CREATE TYPE bad (a frozen<bad>)", "Unknown type {}.bad"),
        (
            "CREATE TYPE bad (a list<address>)",
            "Non-frozen user types or collections are not allowed inside collections: list<{}.address>",
        ),
        ("ALTER TYPE missing ADD x int", "No user type named {}.missing exists"),
        (
            "ALTER TYPE address ADD zip int",
            "Cannot add new field zip to type {}.address: a field of the same name already exists",
        ),
        (
            "ALTER TYPE address ADD friend frozen<person>",
            r"Cannot add new field friend of type frozen<person> to type {}.address as this would create a circular",
        ),
        ("ALTER TYPE address ADD x list<missing>", "Unknown type {}.missing"),
        ("ALTER TYPE address RENAME town TO city", "Unknown field town in type {}.address"),
        ("ALTER TYPE address RENAME zip TO street", "Duplicate field name 737472656574 in type address"),
        ("ALTER TYPE address ALTER zip TYPE text", "Type text in incompatible with previous type int of field zip"),
        ("DROP TYPE missing", "No user type named {}.missing exists"),
        ("DROP TYPE address", "Cannot drop user type {}.address as it is still used by user type person"),
        ("DROP TYPE person", "Cannot drop user type {0}.person as it is still used by table {0}.people"),
    ],
)
def test_refusals_of_changes(keyspace, table, refused, statement, message):
    refused(InvalidRequest, statement, message.format(keyspace))


def test_if_exists_and_if_not_exists(keyspace, types, run):
    run("CREATE TYPE IF NOT EXISTS address (x int)")
    run("DROP TYPE IF EXISTS missing")
    run("CREATE TYPE passing (x int)")
    run("DROP TYPE IF EXISTS passing")
    assert run(f"SELECT * FROM system_schema.types WHERE keyspace_name = '{keyspace}' AND type_name = 'passing'") == []


def test_types_in_the_schema_tables(keyspace, table, run):
    query = f"SELECT field_names, field_types FROM system_schema.types WHERE keyspace_name = '{keyspace}'"
    assert run(f"{query} AND type_name = 'person'") == [(["name", "home"], ["text", "frozen<address>"])]
    columns = "SELECT column_name, type FROM system_schema.columns"
    shown = dict(run(f"{columns} WHERE keyspace_name = '{keyspace}' AND table_name = 'people'"))
    assert (shown["a"], shown["f"], shown["l"]) == ("address", "frozen<address>", "list<frozen<address>>")


@pytest.mark.parametrize("kind", ["grown", "frozen<grown>"])
def test_values_of_a_type_that_grows(keyspace, create, run, kind):
    run("CREATE TYPE grown (a int)")
    table = create(f"(k int PRIMARY KEY, v {kind})")
    run(f"INSERT INTO {table} (k, v) VALUES (1, {{a: 1}})")
    run("ALTER TYPE grown ADD b text")
    assert run(f"SELECT v, v.b FROM {table}") == [((1, None), None)]
    run(f"INSERT INTO {table} (k, v) VALUES (2, {{a: 2, b: 'x'}})")
    run("ALTER TYPE grown RENAME a TO first AND b TO second")
    assert sorted(run(f"SELECT v.first, v.second FROM {table}"), key=str) == [(1, None), (2, "x")]
    run(f"DROP TABLE {table}")
    run("DROP TYPE grown")


def test_statements_prepared_before_a_type_grows(session, keyspace, create, run):
    run("CREATE TYPE swelling (a int)")
    table = create("(k int PRIMARY KEY, v frozen<swelling>, l list<frozen<swelling>>)")
    insert = session.prepare(f"INSERT INTO {table} (k, v, l) VALUES (1, ?, ?)")
    run("ALTER TYPE swelling ADD b int")
    session.execute(insert, ((1,), [(2,)]))
    assert run(f"SELECT v.a, v.b, l FROM {table}") == [(1, None, [(2, None)])]
    run(f"DROP TABLE {table}")
    run("DROP TYPE swelling")


@pytest.mark.differs("cassandra", "a type in the partition key may be altered")
def test_a_type_in_the_partition_key_stays_as_it_is(keyspace, create, run, refused):
    run("CREATE TYPE fixed (a int)")
    table = create("(k frozen<fixed> PRIMARY KEY)")
    refused(
        InvalidRequest,
        "ALTER TYPE fixed ADD b int",
        f"Cannot add new field to type {keyspace}.fixed because it is used in the partition key column k of table",
    )
    run(f"DROP TABLE {table}")
    run("DROP TYPE fixed")


@pytest.mark.differs("cassandra", "a column of a user type that is not frozen cannot be dropped")
def test_a_dropped_column_lets_its_type_go(keyspace, create, run):
    run("CREATE TYPE leaving (a int)")
    table = create("(k int PRIMARY KEY, v leaving, w int)")
    run(f"INSERT INTO {table} (k, v, w) VALUES (1, {{a: 1}}, 2)")
    run(f"ALTER TABLE {table} DROP v")
    run("DROP TYPE leaving")
    assert run(f"SELECT * FROM {table}") == [(1, 2)]


# ---------------------------------------------------------------- views, logs, batches


def test_a_view_has_the_fields(create, keyspace, run, types):
    table = create("(k int PRIMARY KEY, a address, f frozen<address>)")
    view = f"{table}_by_address"
    run(
        f"CREATE MATERIALIZED VIEW {view} AS SELECT * FROM {table} WHERE f IS NOT NULL AND k IS NOT NULL "
        "PRIMARY KEY (f, k)"
    )
    run(f"INSERT INTO {table} (k, a, f) VALUES (1, {{zip: 1}}, {{zip: 2}})")
    run(f"UPDATE {table} SET a.street = 'Pier' WHERE k = 1")
    run(f"DELETE a.zip FROM {table} WHERE k = 1")
    assert eventually(lambda: run(f"SELECT a FROM {view} WHERE f = {{zip: 2}}") == [(("Pier", None),)])


def test_fields_in_a_batch(table, value, run):
    run(
        f"BEGIN BATCH UPDATE {table} SET a.street = 'Pier' WHERE k = 30; UPDATE {table} SET a.zip = 1 WHERE k = 30; "
        "APPLY BATCH"
    )
    assert value("a", 30) == ("Pier", 1)


@pytest.mark.differs("cassandra", "its change log is a file, not a table")
def test_the_log_of_fields(create, run, keyspace, types):
    table = create(
        "(k int PRIMARY KEY, a address)", "WITH cdc = {'enabled': true, 'preimage': true, 'postimage': true}"
    )
    log = f"{table}_scylla_cdc_log"
    columns = "SELECT column_name, type FROM system_schema.columns"
    shown = dict(run(f"{columns} WHERE keyspace_name = '{keyspace}' AND table_name = '{log.split('.')[1]}'"))
    assert shown["a"] == "frozen<address>"
    assert shown["cdc$deleted_a"] == "boolean"
    assert shown["cdc$deleted_elements_a"] == "frozen<set<smallint>>"
    run(f"UPDATE {table} SET a = {{street: 'Pier', zip: 1}} WHERE k = 1")
    run(f"UPDATE {table} SET a.zip = 2 WHERE k = 1")
    run(f"DELETE a.street FROM {table} WHERE k = 1")
    told = 'SELECT "cdc$operation", a, "cdc$deleted_a", "cdc$deleted_elements_a", "cdc$time" FROM ' + log
    rows = sorted(run(told), key=lambda row: row[-1].time)
    by_write = {}
    for operation, value, deleted, fields, at in rows:
        told_fields = None if fields is None else set(fields)
        by_write.setdefault(at.time, []).append((operation, value, deleted, told_fields))
    preimage, update, postimage = 0, 1, 9
    assert list(by_write.values()) == [
        [(update, ("Pier", 1), True, None), (postimage, ("Pier", 1), None, None)],
        [
            (preimage, ("Pier", 1), None, None),
            (update, (None, 2), None, None),
            (postimage, ("Pier", 2), None, None),
        ],
        [
            (preimage, ("Pier", 2), None, None),
            (update, None, None, {0}),
            (postimage, (None, 2), None, None),
        ],
    ]


@pytest.mark.differs("cassandra", "it has no such statement")
def test_fragments_of_fields(table, run):
    run(f"UPDATE {table} USING TIMESTAMP 5 SET a.zip = 1 WHERE k = 40")
    (value,) = run(
        f"SELECT value FROM MUTATION_FRAGMENTS({table}) WHERE k = 40 AND mutation_source = 'memtable:0' "
        "AND partition_region = 2"
    )[0]
    assert value == '{"a":[{"key":"","value":"1"}]}'
