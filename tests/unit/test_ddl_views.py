"""Schema statements on what hangs on a table: CDC logs, views and indexes; and the schema's form in the journal."""

from __future__ import annotations

import marshal

import pytest

from embedded_scylla import errors
from embedded_scylla.ddl.schema_codec import encode_schema, restore_schema
from embedded_scylla.request import SchemaChange, Void
from embedded_scylla.schema import Schema
from embedded_scylla.system.tables import define
from tests.unit.schema_session import KEYSPACE, SchemaSession, refused

Invalid, Config = errors.InvalidRequest, errors.ConfigurationException

TICKETS = (
    "CREATE TABLE tickets (event_id int, ticket_id int, status text, price decimal, PRIMARY KEY (event_id, ticket_id))"
)
AVAILABLE = (
    "CREATE MATERIALIZED VIEW available AS SELECT * FROM tickets "
    "WHERE event_id IS NOT NULL AND ticket_id IS NOT NULL AND status = 'AVAILABLE' "
    "PRIMARY KEY ((event_id, status), ticket_id)"
)


@pytest.fixture
def session() -> SchemaSession:
    return SchemaSession(KEYSPACE)


# ---------------------------------------------------------------- CDC


class TestLog:
    LOG = "t_scylla_cdc_log"

    @pytest.fixture
    def session(self) -> SchemaSession:
        return SchemaSession(KEYSPACE, "CREATE TABLE t (p int PRIMARY KEY, v int, w int) WITH cdc = {'enabled': true}")

    def test_the_log_comes_and_goes_with_its_base(self, session: SchemaSession) -> None:
        assert session.table(self.LOG).is_cdc_log
        session.execute("DROP TABLE t")
        assert session.table(self.LOG) is None

    def test_the_log_follows_its_base(self, session: SchemaSession) -> None:
        session.execute("ALTER TABLE t ADD x int")
        assert "cdc$deleted_x" in session.table(self.LOG).columns
        session.execute("ALTER TABLE t DROP v")
        assert "v" not in session.table(self.LOG).columns

    def test_a_disabled_log_stays_and_is_taken_up_again(self, session: SchemaSession) -> None:
        session.execute(f"ALTER TABLE {self.LOG} WITH comment = 'mine'")
        old = session.table(self.LOG).id
        session.execute("ALTER TABLE t WITH cdc = {'enabled': false}")
        assert session.table(self.LOG).id == old
        session.execute("ALTER TABLE t WITH cdc = {'enabled': true}")
        log = session.table(self.LOG)
        assert (log.id, log.options["comment"]) == (old, "mine")
        session.execute("ALTER TABLE t WITH cdc = {'enabled': false}")
        assert session.execute(f"DROP TABLE {self.LOG}").change == "DROPPED"

    def test_altering_replaces_the_whole_option(self, session: SchemaSession) -> None:
        session.execute("ALTER TABLE t WITH cdc = {'enabled': true, 'preimage': 'full'}")
        session.execute("ALTER TABLE t WITH cdc = {'enabled': true, 'ttl': 900}")
        cdc = session.table("t").cdc
        assert (cdc.preimage, cdc.ttl) == ("false", 900)

    @pytest.mark.parametrize(
        ("statement", "error", "message"),
        [
            (f"DROP TABLE {LOG}", errors.Unauthorized, f"Cannot DROP cdc log table {LOG}"),
            (f"ALTER TABLE {LOG} ADD x int", Invalid,
             "You cannot modify the set of columns of a CDC log table directly. Modify the base table instead."),
            (f'ALTER TABLE {LOG} RENAME "cdc$time" TO x', Invalid, "Cannot rename a column of a CDC log table."),
            (f'CREATE MATERIALIZED VIEW v AS SELECT * FROM {LOG} WHERE "cdc$stream_id" IS NOT NULL '
             'PRIMARY KEY ("cdc$stream_id", "cdc$time", "cdc$batch_seq_no")', Invalid,
             "Materialized views cannot be created on CDC Log tables"),
        ],
    )  # fmt: skip
    def test_guards(self, session: SchemaSession, statement: str, error: type, message: str) -> None:
        refused(session, statement, error, message)

    def test_a_name_that_is_taken(self, session: SchemaSession) -> None:
        session.execute("CREATE TABLE u_scylla_cdc_log (p int PRIMARY KEY)")
        refused(
            session,
            "CREATE TABLE u (p int PRIMARY KEY) WITH cdc = {'enabled': true}",
            Invalid,
            "Cannot create CDC log table for table ks.u because a table of name ks.u_scylla_cdc_log already exists",
        )
        assert session.table("u") is None

    def test_a_dropped_column_comes_back_only_later(self, session: SchemaSession) -> None:
        session.execute("ALTER TABLE t DROP v")
        error = session.error("ALTER TABLE t ADD v int")
        assert error.message.startswith(
            "Cannot add column v because a column with the same name was dropped too recently. Please retry after 5"
        )
        session.engine.push_clock(6)
        session.execute("ALTER TABLE t ADD v int")
        assert "v" in session.table(self.LOG).columns


# ---------------------------------------------------------------- views


class TestViews:
    @pytest.fixture
    def session(self) -> SchemaSession:
        return SchemaSession(KEYSPACE, TICKETS)

    def test_a_filtered_view(self, session: SchemaSession) -> None:
        assert session.execute(AVAILABLE) == SchemaChange("CREATED", "TABLE", "ks", "available")
        view = session.table("available")
        assert [c.name for c in view.partition_key] == ["event_id", "status"]
        assert view.view.where == "event_id IS NOT null AND ticket_id IS NOT null AND status = 'AVAILABLE'"
        assert view.view.include_all_columns
        ((name, accepts),) = view.view.restrictions
        assert name == "status"
        assert accepts(b"AVAILABLE")
        assert not accepts(b"SOLD")

    def test_a_view_begins_with_what_the_base_has(self, session: SchemaSession) -> None:
        session.write("tickets", event_id=1, ticket_id=1, status="AVAILABLE")
        session.write("tickets", event_id=1, ticket_id=2, status="SOLD")
        session.execute(AVAILABLE)
        assert [row["ticket_id"] for row in session.rows("ks.available")] == [1]
        assert {"keyspace_name": "ks", "view_name": "available"} in session.rows("system.built_views")

    def test_unselected_columns_are_virtual(self, session: SchemaSession) -> None:
        where = "WHERE event_id IS NOT NULL AND ticket_id IS NOT NULL"
        session.execute(
            f"CREATE MATERIALIZED VIEW v AS SELECT event_id, ticket_id, price FROM tickets {where} "
            "PRIMARY KEY (ticket_id, event_id)"
        )
        view = session.table("v")
        assert (list(view.columns), view.view.virtual) == (["ticket_id", "event_id", "price"], ("status",))
        session.execute("ALTER TABLE tickets ADD note text")
        assert session.table("v").view.virtual == ("status", "note")
        refused(
            session,
            "ALTER TABLE tickets DROP status",
            Invalid,
            "Cannot drop column status from base table ks.tickets: materialized view v needs this column",
        )

    def test_a_view_of_everything_follows_its_base(self, session: SchemaSession) -> None:
        session.execute(AVAILABLE)
        session.execute("ALTER TABLE tickets ADD note text")
        assert "note" in session.table("available").columns
        session.execute("ALTER TABLE tickets RENAME ticket_id TO seat")
        view = session.table("available")
        assert [c.name for c in view.clustering] == ["seat"]
        assert view.view.where == "event_id IS NOT null AND seat IS NOT null AND status = 'AVAILABLE'"

    def test_a_key_column_that_is_restricted_needs_no_not_null(self, session: SchemaSession) -> None:
        session.execute(
            "CREATE MATERIALIZED VIEW v AS SELECT * FROM tickets WHERE ticket_id IN (1, 2) AND status >= 'A' "
            "PRIMARY KEY (status, event_id, ticket_id)"
        )
        tests = dict(session.table("v").view.restrictions)
        encode = session.table("tickets").columns["ticket_id"].type.encode
        assert [tests["ticket_id"](encode(n)) for n in (1, 2, 3)] == [True, True, False]

    @pytest.mark.parametrize(
        ("view", "message"),
        [
            ("SELECT * FROM tickets WHERE ticket_id IS NOT NULL PRIMARY KEY (status, ticket_id, event_id)",
             "Primary key column 'status' is required to be filtered by 'IS NOT NULL'"),
            ("SELECT * FROM tickets WHERE ticket_id IS NOT NULL AND status IS NOT NULL AND price IS NOT NULL "
             "PRIMARY KEY (status, price, ticket_id, event_id)",
             "Cannot include more than one non-primary key column 'price' in materialized view primary key"),
            ("SELECT * FROM tickets WHERE ticket_id IS NOT NULL AND price IS NOT NULL "
             "PRIMARY KEY (ticket_id, event_id)",
             "The IS NOT NULL restriction is allowed only columns which are part of the view's primary key, found "
             "columns: price. The flag strict_is_not_null_in_views can be used to turn this error into a warning, or "
             "to silence it. (true - error, warn - warning, false - silent)"),
            ("SELECT * FROM tickets WHERE status IS NOT NULL PRIMARY KEY (status)",
             "Cannot create Materialized View v without primary key columns from base tickets (event_id, ticket_id)"),
            ("SELECT seat FROM tickets WHERE status IS NOT NULL PRIMARY KEY (status)",
             "Unknown column name detected in CREATE MATERIALIZED VIEW statement: seat"),
            ("SELECT * FROM tickets WHERE status IS NOT NULL PRIMARY KEY (status, status)",
             "Duplicate entry found in PRIMARY KEY: status"),
            ("SELECT price AS p FROM tickets WHERE status IS NOT NULL PRIMARY KEY (status)",
             "Cannot use alias when defining a materialized view"),
            ("SELECT now() FROM tickets WHERE status IS NOT NULL PRIMARY KEY (status)",
             "Cannot use general expressions when defining a materialized view"),
            ("SELECT * FROM tickets WHERE ticket_id IS NOT NULL AND price = 1 PRIMARY KEY (ticket_id, event_id)",
             "Non-primary key columns cannot be restricted in the SELECT statement used for materialized view v "
             "creation (got restrictions on: price)"),
            ("SELECT * FROM tickets WHERE ticket_id = bigintAsBlob(1) PRIMARY KEY (ticket_id, event_id)",
             "The filter ticket_id = bigintasblob(1) of a materialized view is not supported by this embedded node: "
             "only constants are."),
            ("SELECT * FROM other.tickets WHERE ticket_id IS NOT NULL PRIMARY KEY (ticket_id, event_id)",
             "Cannot create a materialized view on a table in a separate keyspace ('other' != 'ks')"),
            ("SELECT * FROM nope WHERE ticket_id IS NOT NULL PRIMARY KEY (ticket_id, event_id)",
             "unconfigured table nope"),
            ("SELECT * FROM tickets WHERE ticket_id = ? PRIMARY KEY (ticket_id, event_id)",
             "Cannot use query parameters in CREATE MATERIALIZED VIEW statements"),
            ("SELECT * FROM tickets WHERE ticket_id IS NOT NULL PRIMARY KEY (ticket_id, event_id) "
             "WITH CLUSTERING ORDER BY (price ASC)",
             "CLUSTERING ORDER BY lists price which is not a clustering column in the view"),
            ("SELECT * FROM tickets WHERE ticket_id IS NOT NULL PRIMARY KEY (ticket_id, event_id) "
             "WITH default_time_to_live = 5",
             "Cannot set or alter default_time_to_live for a materialized view. Data in a materialized view always "
             "expire at the same time than the corresponding data in the parent table."),
            ("SELECT * FROM tickets WHERE ticket_id IS NOT NULL PRIMARY KEY (ticket_id, event_id) "
             "WITH cdc = {'enabled': true}",
             "Cannot enable CDC for a materialized view"),
        ],
    )  # fmt: skip
    def test_refusals(self, session: SchemaSession, view: str, message: str) -> None:
        refused(session, f"CREATE MATERIALIZED VIEW v AS {view}", Invalid, message)

    @pytest.mark.parametrize(
        ("statement", "message"),
        [
            ("DROP TABLE available",
             "Cannot use DROP TABLE on Materialized View. (Did you mean DROP MATERIALIZED VIEW)?"),
            ("ALTER TABLE available ADD x int",
             "Cannot use ALTER TABLE on Materialized View. (Did you mean ALTER MATERIALIZED VIEW)?"),
            ("DROP MATERIALIZED VIEW tickets",
             "Cannot use DROP MATERIALIZED VIEW on Table. (Did you mean DROP TABLE)?"),
            ("ALTER MATERIALIZED VIEW tickets WITH comment = ''",
             "Cannot use ALTER MATERIALIZED VIEW on Table. (Did you mean ALTER TABLE)?"),
            ("DROP TABLE tickets",
             "Cannot drop table when materialized views still depend on it (ks.{available})"),
            ("TRUNCATE available", "Cannot TRUNCATE materialized view directly; must truncate base table instead"),
            ("CREATE MATERIALIZED VIEW w AS SELECT * FROM available WHERE status IS NOT NULL "
             "PRIMARY KEY (event_id, status, ticket_id)",
             "Materialized views cannot be created against other materialized views"),
        ],
    )  # fmt: skip
    def test_what_a_view_is_not(self, session: SchemaSession, statement: str, message: str) -> None:
        session.execute(AVAILABLE)
        refused(session, statement, Invalid, message)

    def test_gc_grace_and_views(self, session: SchemaSession) -> None:
        session.execute("ALTER TABLE tickets WITH gc_grace_seconds = 0")
        assert session.error(AVAILABLE).message.startswith(
            "Cannot create materialized view 'available' for base table 'tickets' with gc_grace_seconds of 0"
        )
        session.execute("ALTER TABLE tickets WITH gc_grace_seconds = 10")
        session.execute(AVAILABLE)
        assert session.error("ALTER TABLE tickets WITH gc_grace_seconds = 0").message.startswith(
            "Cannot alter gc_grace_seconds of the base table of a materialized view to 0"
        )

    def test_static_columns_have_no_place_in_views(self, session: SchemaSession) -> None:
        session.execute("CREATE TABLE t (p int, c int, s int static, PRIMARY KEY (p, c))")
        view = "CREATE MATERIALIZED VIEW v AS SELECT {} FROM t WHERE c IS NOT NULL PRIMARY KEY (c, p)"
        refused(
            session,
            view.format("*"),
            Invalid,
            "Unable to include static column 's' which would be included by Materialized View SELECT * statement",
        )
        session.execute(view.format("p"))

    def test_answers(self, session: SchemaSession) -> None:
        session.execute(AVAILABLE)
        again = AVAILABLE.replace("VIEW", "VIEW IF NOT EXISTS", 1)
        assert session.execute(again) == SchemaChange("CREATED", "TABLE", "ks", "available")
        assert isinstance(session.error(AVAILABLE), errors.AlreadyExists)
        session.execute("ALTER MATERIALIZED VIEW available WITH comment = 'for sale'")
        assert session.table("available").options["comment"] == "for sale"
        dropped = SchemaChange("DROPPED", "TABLE", "ks", "available")
        assert session.execute("DROP MATERIALIZED VIEW available") == dropped
        assert session.execute("DROP MATERIALIZED VIEW IF EXISTS available") == Void()
        refused(
            session,
            "DROP MATERIALIZED VIEW available",
            Config,
            "Cannot drop non existing materialized view 'available' in keyspace 'ks'.",
        )


# ---------------------------------------------------------------- indexes


class TestIndexes:
    @pytest.fixture
    def session(self) -> SchemaSession:
        return SchemaSession(
            KEYSPACE,
            "CREATE TABLE t (p int, q int, c int, v text, s int static, m map<int, int>, f frozen<list<int>>, "
            "PRIMARY KEY ((p, q), c))",
        )

    def test_the_view_behind_it(self, session: SchemaSession) -> None:
        assert session.execute("CREATE INDEX ON t (v)") == SchemaChange("UPDATED", "TABLE", "ks", "t")
        view = session.table("t_v_idx_index")
        assert [c.name for c in view.partition_key] == ["v"]
        assert [c.name for c in view.clustering] == ["idx_token", "p", "q", "c"]
        session.write("t", p=1, q=2, c=3, v="x")
        assert [(row["v"], row["c"]) for row in session.rows("ks.t_v_idx_index")] == [("x", 3)]

    def test_names(self, session: SchemaSession) -> None:
        session.execute("CREATE TABLE t_v_idx_index (p int PRIMARY KEY)")
        session.execute("CREATE INDEX ON t (v)")
        session.execute("CREATE INDEX by_c ON t (c)")
        assert list(session.table("t").indexes) == ["t_v_idx_1", "by_c"]
        assert session.table("by_c_index").view.virtual == ("f", "m", "v")

    def test_answers(self, session: SchemaSession) -> None:
        session.execute("CREATE INDEX by_v ON t (v)")
        assert session.execute("CREATE INDEX IF NOT EXISTS by_v ON t (v)") == Void()
        assert session.execute("CREATE INDEX IF NOT EXISTS other ON t (v)") == Void()
        assert session.execute("DROP INDEX by_v") == SchemaChange("UPDATED", "TABLE", "ks", "t")
        assert session.table("by_v_index") is None
        assert session.execute("DROP INDEX IF EXISTS by_v") == Void()

    def test_a_table_goes_with_its_indexes(self, session: SchemaSession) -> None:
        session.execute("CREATE INDEX by_v ON t (v)")
        session.execute("DROP TABLE t")
        assert session.table("by_v_index") is None

    @pytest.mark.parametrize(
        ("statement", "message"),
        [
            ("CREATE INDEX by_v ON t (c)", "Index already exists"),
            ("CREATE INDEX other ON t (v)", "Index other is a duplicate of existing index by_v"),
            ("CREATE INDEX ON t (nope)", "No column definition found for column nope"),
            ("CREATE INDEX ON nope (v)", "unconfigured table nope"),
            ("CREATE INDEX ON t (full(v))", "full() indexes can only be created on frozen collections"),
            ("CREATE INDEX ON t (keys(v))",
             "Cannot create index on keys() of column v; only non-frozen collections support keys() indexes"),
            ("CREATE INDEX ON t (f)", "Cannot create index on value of frozen collection column f"),
            ("CREATE CUSTOM INDEX ON t (v) USING 'Sasi'", "Non-supported custom class 'Sasi' provided"),
            ("CREATE INDEX ON by_v_index (c)", "Secondary indexes are not supported on materialized views"),
            ("DROP INDEX nope", "Index 'nope' could not be found in any of the tables of keyspace 'ks'"),
            ("DROP MATERIALIZED VIEW by_v_index",
             "Cannot use DROP MATERIALIZED VIEW on Index. (Did you mean DROP INDEX)?"),
            ("ALTER TABLE t DROP v",
             "Cannot drop column v from base table ks.t: materialized view by_v_index needs this column"),
        ],
    )  # fmt: skip
    def test_refusals(self, session: SchemaSession, statement: str, message: str) -> None:
        session.execute("CREATE INDEX by_v ON t (v)")
        refused(session, statement, Invalid, message)

    def test_a_whole_partition_key_needs_no_index(self, session: SchemaSession) -> None:
        session.execute("CREATE TABLE u (p int PRIMARY KEY)")
        refused(session, "CREATE INDEX ON u (p)", Invalid, "Cannot create secondary index on partition key column p")


# ---------------------------------------------------------------- truncation, and the journal's form


def test_truncate_empties_the_table_and_its_views(session: SchemaSession) -> None:
    session.execute(TICKETS)
    session.execute(AVAILABLE)
    session.write("tickets", event_id=1, ticket_id=1, status="AVAILABLE")
    assert len(session.rows("ks.available")) == 1
    assert session.execute("TRUNCATE tickets") == Void()
    assert session.rows("ks.tickets") == session.rows("ks.available") == []
    refused(session, "TRUNCATE nope", Invalid, "unconfigured table nope")


def test_the_schema_survives_the_journal() -> None:
    session = SchemaSession(
        KEYSPACE,
        TICKETS,
        AVAILABLE,
        'CREATE TABLE "Select" ("A b" int, c frozen<tuple<int, text>>, s text static, m map<text, frozen<set<uuid>>>, '
        'e timestamp TTL, PRIMARY KEY (("A b"), c)) WITH CLUSTERING ORDER BY (c DESC) '
        "AND cdc = {'enabled': true, 'ttl': 5}",
        "CREATE INDEX ON tickets (price)",
        "ALTER TABLE tickets ADD note text",
        'ALTER TABLE "Select" DROP m',
    )
    kept = marshal.loads(marshal.dumps(encode_schema(session.engine.schema)))
    restored = Schema()
    define(restored)
    restore_schema(kept, restored)
    assert restored.uuid == session.engine.schema.uuid
    old, new = session.engine.schema.keyspaces["ks"], restored.keyspaces["ks"]
    assert encode_schema(restored) == encode_schema(session.engine.schema)
    assert old.tables.keys() == new.tables.keys()
    ((_, accepts),) = new.tables["available"].view.restrictions
    assert accepts(b"AVAILABLE")
    assert not accepts(b"SOLD")
