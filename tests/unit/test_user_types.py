"""User-defined types within the node: what they are, how a schema keeps them, what a restart brings back."""

import pickle

import pytest

from embedded_scylla.cql.ast import TypeName
from embedded_scylla.errors import InvalidRequest
from embedded_scylla.request import SchemaChange
from embedded_scylla.system.schema_tables import version_of
from embedded_scylla.types import INT, TEXT, ListType, MapType, SetType, TupleType, UserType, by_name_in, parse_type
from embedded_scylla.types.user import in_order, mentions, with_changed, without_user_types
from tests.unit.asking import Asking
from tests.unit.schema_session import KEYSPACE, SchemaSession

ADDRESS = UserType("ks", "address", ("street", "zip"), (TEXT, INT))
PERSON = UserType("ks", "Person", ("name", "home", "tags"), (TEXT, ADDRESS.freeze(), ListType(TEXT)))


def test_names():
    assert ADDRESS.name == "address"
    assert ADDRESS.freeze().name == "frozen<address>"
    assert PERSON.freeze().name == 'frozen<"Person">'
    assert ADDRESS.class_name == (
        "org.apache.cassandra.db.marshal.UserType(ks,61646472657373,"
        "737472656574:org.apache.cassandra.db.marshal.UTF8Type,7a6970:org.apache.cassandra.db.marshal.Int32Type)"
    )


def test_on_the_wire():
    assert ADDRESS.option == (
        b"\x00\x30\x00\x02ks\x00\x07address\x00\x02\x00\x06street" + TEXT.option + b"\x00\x03zip" + INT.option
    )
    assert ADDRESS.freeze().option == ADDRESS.option


def test_one_object_for_one_type():
    again = UserType("ks", "address", ["street", "zip"], [TEXT, INT])
    assert again is ADDRESS
    assert ADDRESS.freeze() is not ADDRESS
    assert ADDRESS.freeze().freeze() is ADDRESS.freeze()
    assert pickle.loads(pickle.dumps(PERSON)) is PERSON


def test_what_is_frozen_is_so_within():
    assert PERSON.types[2] is ListType(TEXT)
    assert PERSON.freeze().types[2] is ListType(TEXT, True)
    assert TupleType([ADDRESS]).types == (ADDRESS.freeze(),)


def test_a_value_as_text():
    value = PERSON.encode(["Ada", ["Pier", None], ["a"]])
    assert PERSON.to_text(value) == "{name: 'Ada', home: {street: 'Pier', zip: null}, tags: ['a']}"


def test_a_shorter_value_lacks_its_last_fields():
    short = ADDRESS.encode(["Pier"])
    assert ADDRESS.split(short) == [b"Pier", None]
    assert ADDRESS.order(short) == ADDRESS.order(ADDRESS.encode(["Pier", None]))
    assert ADDRESS.cells_of(short) == {b"\x00\x00": b"Pier"}


def test_too_many_fields():
    with pytest.raises(InvalidRequest, match=r"contained too many fields \(expected 2, got 3\)"):
        ADDRESS.validate(TupleType([TEXT, INT, INT]).encode(["Pier", 1, 2]))


def test_by_name_among_those_of_a_keyspace():
    known = {"address": ADDRESS, "Person": PERSON}
    assert by_name_in('map<text, frozen<"Person">>', known) is MapType(TEXT, PERSON.freeze())
    assert by_name_in("address", known) is ADDRESS
    with pytest.raises(InvalidRequest, match=r"Unknown type ks\.town"):
        parse_type(TypeName("town"), "ks", known)


@pytest.mark.parametrize(
    "around",
    [
        lambda inner: ListType(inner),
        lambda inner: SetType(inner, True),
        lambda inner: MapType(TEXT, inner),
        lambda inner: TupleType([INT, inner]),
        lambda inner: UserType("ks", "outer", ("a", "b"), (inner, INT), True),
    ],
)
def test_a_change_reaches_what_is_made_of_it(around):
    changed = ADDRESS.changed(("street", "zip", "town"), (TEXT, INT, TEXT))
    assert with_changed(around(ADDRESS.freeze()), changed) is around(changed.freeze())
    assert mentions(around(ADDRESS.freeze()), "address")
    assert not mentions(around(ADDRESS.freeze()), "Person")
    unrelated = around(INT)
    assert with_changed(unrelated, changed) is unrelated


def test_what_is_left_of_a_column_whose_type_may_go():
    assert without_user_types(ListType(ADDRESS.freeze())) is ListType(TupleType([TEXT, INT]))
    assert without_user_types(INT) is INT


def test_in_order_of_what_rests_on_what():
    first = UserType("ks", "a", ("x",), (PERSON.freeze(),))
    assert in_order([first, PERSON, ADDRESS]) == [ADDRESS, PERSON, first]


# ---------------------------------------------------------------- in a schema


@pytest.fixture
def session():
    return SchemaSession(
        KEYSPACE,
        "CREATE TYPE address (street text, zip int)",
        'CREATE TYPE "A" (home frozen<address>, tags list<text>)',
        "CREATE TABLE t (k int PRIMARY KEY, a address, l list<frozen<\"A\">>) WITH cdc = {'enabled': true}",
    )


ADDRESS_STATEMENT = "CREATE TYPE ks.address (\n    street text,\n    zip int\n);"
A_STATEMENT = 'CREATE TYPE ks."A" (\n    home frozen<address>,\n    tags list<text>\n);'


def test_describe(session):
    assert session.described("DESCRIBE TYPE address") == [("ks", "type", "address", ADDRESS_STATEMENT)]
    assert session.described('DESCRIBE ks."A"') == [("ks", "type", '"A"', A_STATEMENT)]
    assert session.described("DESCRIBE TYPES") == [("ks", "type", '"A"'), ("ks", "type", "address")]
    kinds = [(kind, name) for _, kind, name, _ in session.described("DESCRIBE KEYSPACE ks")]
    assert kinds[:4] == [("keyspace", "ks"), ("type", "address"), ("type", '"A"'), ("table", "t")]
    assert session.error("DESCRIBE TYPE town").message == "Type 'town' not found in keyspace 'ks'"


def test_what_is_described_makes_the_schema_again(session):
    described = session.described("DESCRIBE KEYSPACE ks")
    again = SchemaSession(*(statement for *_, statement in described))
    assert again.described("DESCRIBE KEYSPACE ks") == described


def test_a_change_reaches_columns_and_the_log(session):
    before = session.table("t_scylla_cdc_log")
    session.execute("ALTER TYPE address ADD town text")
    table, log = session.table("t"), session.table("t_scylla_cdc_log")
    assert table.columns["a"].type.fields == ("street", "zip", "town")
    assert table.columns["l"].type.element.types[0].fields == ("street", "zip", "town")
    assert log.columns["a"].type is table.columns["a"].type.freeze()
    assert log.id == before.id


def test_events(session):
    heard: list[SchemaChange] = []
    session.engine.announce = heard.extend
    session.execute("CREATE TYPE other (x int)")
    session.execute("ALTER TYPE address ADD town text")
    session.execute("DROP TYPE other")
    session.execute("DROP KEYSPACE ks")
    told = [(event.change, event.target, event.name) for event in heard]
    assert told == [
        ("CREATED", "TYPE", "other"),
        ("UPDATED", "TYPE", "A"),
        ("UPDATED", "TYPE", "address"),
        ("UPDATED", "TABLE", "t"),
        ("UPDATED", "TABLE", "t_scylla_cdc_log"),
        ("DROPPED", "TYPE", "other"),
        ("DROPPED", "TABLE", "t_scylla_cdc_log"),
        ("DROPPED", "TABLE", "t"),
        ("DROPPED", "TYPE", "address"),
        ("DROPPED", "TYPE", "A"),
        ("DROPPED", "KEYSPACE", ""),
    ]


def test_the_version_of_a_table_follows_its_types(session):
    before = version_of(session.table("t"))
    session.execute("ALTER TYPE address RENAME zip TO code")
    assert version_of(session.table("t")) != before


def test_the_filter_of_a_view_says_the_new_names(tmp_path):
    node = Asking(tmp_path)
    node.run("CREATE TYPE ks.zone (name text, level int)")
    node.run("CREATE TYPE ks.address (street text, zone frozen<zone>)")
    node.run("CREATE TABLE ks.t (k int, f frozen<address>, t frozen<tuple<int, zone>>, PRIMARY KEY (k, f, t))")
    node.run(
        "CREATE MATERIALIZED VIEW ks.v AS SELECT * FROM ks.t WHERE k IS NOT NULL "
        "AND f > {street: 'A', zone: {name: 'N', level: 1}} AND t IN ((1, {level: 2}), (2, null)) PRIMARY KEY (k, f, t)"
    )
    node.run("ALTER TYPE ks.zone RENAME level TO name AND name TO level")
    node.run("ALTER TYPE ks.address RENAME zone TO part")
    for street, level in (("A", "M"), ("A", "O"), ("B", "A")):
        node.run(
            f"INSERT INTO ks.t (k, f, t) VALUES (1, {{street: '{street}', part: {{level: '{level}', name: 1}}}}, "
            "(1, {name: 2}))"
        )
    node.engine.close()
    again = Asking(tmp_path)
    where = again.engine.schema.table("ks", "v").view.where
    assert where == (
        "k IS NOT null AND f > {street: 'A', part: {level: 'N', name: 1}} AND t IN ((1, {name: 2}), (2, null))"
    )
    assert again.rows("SELECT f.street, f.part.level FROM ks.v WHERE k = 1") == [("A", "O"), ("B", "A")]
    again.engine.close()


def test_a_type_stays_storable(session):
    assert session.error("ALTER TYPE address ADD tags list<text>").message == (
        "Non-frozen UDTs with nested non-frozen collections are not supported"
    )
    assert session.error('ALTER TYPE address ADD x "A"').message.endswith("as this would create a circular reference")
    many = ", ".join(f"f{n} int" for n in range(1 << 15))
    assert session.error(f"CREATE TYPE wide ({many})").message == "A user type cannot have more than 32767 fields"
    assert session.error("CREATE TYPE system.x (a int)").message == "system keyspace is not user-modifiable."
    assert session.error("CREATE TYPE nowhere.x (a int)").message == "Can't find a keyspace nowhere"
    assert session.error("DROP TYPE nowhere.x").message == "Cannot drop type in unknown keyspace nowhere"


# ---------------------------------------------------------------- over a restart


def test_a_keyspace_that_is_altered_keeps_its_types(tmp_path):
    node = Asking(tmp_path)
    node.run("CREATE TYPE ks.zone (name text)")
    node.run("CREATE TABLE ks.t (k int PRIMARY KEY, z zone)")
    node.run("ALTER KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}")
    node.run("INSERT INTO ks.t (k, z) VALUES (1, {name: 'North'})")
    node.run("ALTER TYPE ks.zone ADD code int")
    node.engine.persistence.abandon()
    again = Asking(tmp_path)
    assert again.engine.persistence.notices == []
    assert again.rows("SELECT z.name, z.code FROM ks.t") == [("North", None)]
    again.engine.close()


def test_what_a_restart_brings_back(tmp_path):
    node = Asking(tmp_path)
    node.run("CREATE TYPE ks.zone (name text)")
    node.run("CREATE TYPE ks.address (street text, zone frozen<zone>)")
    node.run("CREATE TABLE ks.t (k int PRIMARY KEY, a address, f frozen<address>) WITH cdc = {'enabled': true}")
    node.run("CREATE TYPE ks.going (x int)")
    node.run("CREATE TABLE ks.u (k int PRIMARY KEY, v int, gone going) WITH cdc = {'enabled': true}")
    node.run("INSERT INTO ks.u (k, v, gone) VALUES (1, 2, {x: 3})")
    node.run(
        "CREATE MATERIALIZED VIEW ks.v AS SELECT * FROM ks.t WHERE f IS NOT NULL AND f > (address) {street: 'A'} "
        "AND k IS NOT NULL PRIMARY KEY (k, f)"
    )
    node.run("INSERT INTO ks.t (k, a, f) VALUES (1, {street: 'Pier'}, {street: 'Pier'})")
    node.run("UPDATE ks.t SET a.zone = {name: 'X'} WHERE k = 1")
    node.run("ALTER TABLE ks.u DROP gone")
    node.run("DROP TYPE ks.going")
    node.run("ALTER TYPE ks.zone ADD code int")
    node.run("UPDATE ks.t SET a.zone = {name: 'Y', code: 1} WHERE k = 1")
    queries = (
        "SELECT k, a, f FROM ks.t",
        "SELECT k, a, f FROM ks.v",
        "SELECT a FROM ks.t_scylla_cdc_log",
        "SELECT * FROM ks.u",
    )
    told = [node.rows(query) for query in queries]
    assert told[0] == [(1, ("Pier", ("Y", 1)), ("Pier", None))]
    assert told[1] == told[0]
    types = node.engine.schema.keyspaces["ks"].types
    node.engine.persistence.abandon()
    for _ in range(2):  # from the journal, then from the snapshot
        node = Asking(tmp_path)
        assert node.engine.persistence.notices == []
        assert node.engine.schema.keyspaces["ks"].types == types
        assert [node.rows(query) for query in queries] == told
        node.engine.persistence.snapshot()
        node.engine.close()
