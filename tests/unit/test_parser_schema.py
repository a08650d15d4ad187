"""Schema statements to trees: CREATE, ALTER, DROP, DESCRIBE, and what is CQL but not carried out."""

import pytest

from embedded_scylla.cql import ast, parse
from embedded_scylla.errors import SyntaxException


def statement(text):
    return parse(text).statement


def column(name, type_name, **flags):
    return ast.ColumnDefinition(name, ast.TypeName(type_name), **flags)


T = ast.Name("t")
NUMBER = ast.Literal("integer", "900")


def test_create_keyspace():
    text = (
        "CREATE KEYSPACE IF NOT EXISTS Ks WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 3, "
        "'dc2': ['r1', 'r2']} AND tablets = {'enabled': false} AND durable_writes = True"
    )
    assert statement(text) == ast.CreateKeyspace(
        "ks",
        True,
        {
            "replication": {"class": "NetworkTopologyStrategy", "dc1": "3", "dc2": ["r1", "r2"]},
            "tablets": {"enabled": "false"},
            "durable_writes": ast.Literal("boolean", "True"),
        },
    )
    assert statement("CREATE KEYSPACE ks") == ast.CreateKeyspace("ks", False, {})
    assert statement("ALTER KEYSPACE ks WITH durable_writes = false") == ast.AlterKeyspace(
        "ks", {"durable_writes": ast.Literal("boolean", "false")}
    )
    assert statement('DROP KEYSPACE IF EXISTS "KS"') == ast.DropKeyspace("KS", True)
    assert statement("DROP SCHEMA ks") == ast.DropKeyspace("ks", False)


def test_create_table():
    text = """
        CREATE TABLE IF NOT EXISTS ks.tickets (
            event_id uuid,
            "Seat" text STATIC,
            expires_at timestamp TTL,
            PRIMARY KEY ((event_id, section), seat, row),
        ) WITH CLUSTERING ORDER BY (seat DESC, row ASC) AND COMPACT STORAGE
          AND cdc = {'enabled': true, 'preimage': 'full', 'ttl': 900} AND default_time_to_live = 900
          AND comment = 'one row a seat' AND speculative_retry = ALL AND crc_check_chance = 1.0 AND caching = {}
    """
    assert statement(text) == ast.CreateTable(
        ast.Name("tickets", "ks"),
        True,
        (column("event_id", "uuid"), column("Seat", "text", static=True), column("expires_at", "timestamp", ttl=True)),
        (ast.PrimaryKey(("event_id", "section"), ("seat", "row")),),
        {
            "cdc": {"enabled": "true", "preimage": "full", "ttl": "900"},
            "default_time_to_live": NUMBER,
            "comment": ast.Literal("string", "one row a seat"),
            "speculative_retry": "ALL",
            "crc_check_chance": ast.Literal("float", "1.0"),
            "caching": {},
        },
        (("seat", True), ("row", False)),
        True,
    )


@pytest.mark.parametrize(
    ("definitions", "columns", "keys"),
    [
        ("a int PRIMARY KEY", (column("a", "int", primary_key=True),), ()),
        ("a int, PRIMARY KEY (a)", (column("a", "int"),), (ast.PrimaryKey(("a",), ()),)),
        ("a int, PRIMARY KEY (a, b)", (column("a", "int"),), (ast.PrimaryKey(("a",), ("b",)),)),
        ("a int,, b int,", (column("a", "int"), column("b", "int")), ()),
        (
            "PRIMARY KEY (a), a int, PRIMARY KEY ((a))",
            (column("a", "int"),),
            (ast.PrimaryKey(("a",), ()), ast.PrimaryKey(("a",), ())),
        ),
        ("key text, timestamp timestamp, ttl int", (
            column("key", "text"), column("timestamp", "timestamp"), column("ttl", "int")), ()),
    ],
)  # fmt: skip
def test_definitions(definitions, columns, keys):
    parsed = statement(f"CREATE COLUMNFAMILY t ({definitions})")
    assert (parsed.columns, parsed.primary_keys) == (columns, keys)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("ADD c int", {"add": (column("c", "int"),)}),
        ("ADD c int STATIC", {"add": (column("c", "int", static=True),)}),
        ("ADD (c int, d text STATIC)", {"add": (column("c", "int"), column("d", "text", static=True))}),
        ("DROP c", {"drop": ("c",)}),
        ("DROP (c, d) USING TIMESTAMP 5", {"drop": ("c", "d"), "drop_timestamp": ast.Literal("integer", "5")}),
        ("ALTER c TYPE blob", {"alter_type": ("c", ast.TypeName("blob"))}),
        ("RENAME a TO b AND c TO d", {"rename": (("a", "b"), ("c", "d"))}),
        ("WITH gc_grace_seconds = 900 AND cdc = {'enabled': 'false'}", {
            "properties": {"gc_grace_seconds": NUMBER, "cdc": {"enabled": "false"}}}),
        ("TTL expires_at", {"ttl_column": "expires_at"}),
        ("TTL NULL", {"ttl_column": ""}),
    ],
)  # fmt: skip
def test_alter_table(text, action):
    assert statement(f"ALTER TABLE t {text}") == ast.AlterTable(T, **action)


def test_views():
    text = (
        "CREATE MATERIALIZED VIEW IF NOT EXISTS ks.v AS SELECT a, b FROM ks.t WHERE a IS NOT NULL AND b = 'x' "
        "PRIMARY KEY ((a, b), c) WITH CLUSTERING ORDER BY (c DESC) AND comment = 'shelf'"
    )
    assert statement(text) == ast.CreateView(
        ast.Name("v", "ks"),
        True,
        (ast.Selector(ast.ColumnRef("a"), None, "a"), ast.Selector(ast.ColumnRef("b"), None, "b")),
        ast.Name("t", "ks"),
        (
            ast.Relation(ast.ColumnRef("a"), "IS NOT NULL"),
            ast.Relation(ast.ColumnRef("b"), "=", ast.Literal("string", "x")),
        ),
        (ast.PrimaryKey(("a", "b"), ("c",)),),
        {"comment": ast.Literal("string", "shelf")},
        (("c", True),),
    )
    short = statement("CREATE MATERIALIZED VIEW v AS SELECT * FROM t PRIMARY KEY (a)")
    assert (short.selectors, short.where, short.primary_keys) == (None, (), (ast.PrimaryKey(("a",), ()),))
    assert statement("ALTER MATERIALIZED VIEW v WITH comment = ''") == ast.AlterView(
        ast.Name("v"), {"comment": ast.Literal("string", "")}
    )
    assert statement("DROP MATERIALIZED VIEW IF EXISTS ks.v") == ast.DropView(ast.Name("v", "ks"), True)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("INDEX ON t (c)", ast.CreateIndex(None, False, T, (ast.IndexTarget("c"),))),
        ("INDEX IF NOT EXISTS i ON ks.t (c)", ast.CreateIndex(
            "i", True, ast.Name("t", "ks"), (ast.IndexTarget("c"),))),
        ("INDEX i ON t (values(m))", ast.CreateIndex("i", False, T, (ast.IndexTarget("m", "values"),))),
        ("INDEX i ON t (keys(m))", ast.CreateIndex("i", False, T, (ast.IndexTarget("m", "keys"),))),
        ("INDEX i ON t (entries(m))", ast.CreateIndex("i", False, T, (ast.IndexTarget("m", "entries"),))),
        ("INDEX i ON t (FULL(m))", ast.CreateIndex("i", False, T, (ast.IndexTarget("m", "full"),))),
        ("INDEX i ON t (keys)", ast.CreateIndex("i", False, T, (ast.IndexTarget("keys"),))),
        ("INDEX i ON t ((p, q), c)", ast.CreateIndex("i", False, T, (ast.IndexTarget("c"),), ("p", "q"))),
        ("CUSTOM INDEX i ON t (c) USING 'x' WITH OPTIONS = {'a': 'b'}", ast.CreateIndex(
            "i", False, T, (ast.IndexTarget("c"),), (), "x", {"options": {"a": "b"}}, True)),
    ],
)  # fmt: skip
def test_create_index(text, tree):
    assert statement(f"CREATE {text}") == tree


def test_drop():
    assert statement("DROP TABLE IF EXISTS ks.t") == ast.DropTable(ast.Name("t", "ks"), True)
    assert statement("DROP INDEX ks.i") == ast.DropIndex(ast.Name("i", "ks"), False)


KST = ast.Name("t", "ks")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("CLUSTER", ast.Describe("cluster")),
        ("SCHEMA", ast.Describe("schema")),
        ("FULL SCHEMA", ast.Describe("schema", full=True)),
        ("SCHEMA WITH INTERNALS AND PASSWORDS", ast.Describe("schema", internals=True, passwords=True)),
        ("KEYSPACES", ast.Describe("keyspaces")),
        ("KEYSPACE ks", ast.Describe("keyspace", ast.Name("ks"))),
        ("KEYSPACE", ast.Describe("keyspace")),
        ("ONLY KEYSPACE ks", ast.Describe("keyspace", ast.Name("ks"), only=True)),
        ("TABLES", ast.Describe("tables")),
        ("TABLE ks.t WITH INTERNALS", ast.Describe("table", KST, internals=True)),
        ("MATERIALIZED VIEW ks.t", ast.Describe("view", KST)),
        ("INDEX ks.t", ast.Describe("index", KST)),
        ("TYPES", ast.Describe("types")),
        ("TYPE ks.t", ast.Describe("type", KST)),
        ("FUNCTIONS", ast.Describe("functions")),
        ("FUNCTION ks.t", ast.Describe("function", KST)),
        ("AGGREGATES", ast.Describe("aggregates")),
        ("AGGREGATE ks.t", ast.Describe("aggregate", KST)),
        ("ks.t", ast.Describe("element", KST)),
        ('"T";', ast.Describe("element", ast.Name("T"))),
        ("type", ast.Describe("element", ast.Name("type"))),
        ("only", ast.Describe("element", ast.Name("only"))),
        ("cluster.t", ast.Describe("element", ast.Name("t", "cluster"))),
    ],
)
@pytest.mark.parametrize("verb", ["DESCRIBE", "desc"])
def test_describe(verb, text, tree):
    assert statement(f"{verb} {text}") == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        (
            "CREATE TYPE IF NOT EXISTS ks.address (street text, zip int,);",
            ast.CreateType(
                ast.Name("address", "ks"), True, (("street", ast.TypeName("text")), ("zip", ast.TypeName("int")))
            ),
        ),
        (
            'CREATE TYPE "Home" (owner frozen<person>)',
            ast.CreateType(ast.Name("Home"), False, (("owner", ast.TypeName("frozen", (ast.TypeName("person"),))),)),
        ),
        ("ALTER TYPE address ADD town text", ast.AlterType(ast.Name("address"), add=("town", ast.TypeName("text")))),
        ("ALTER TYPE ks.a ALTER b TYPE blob", ast.AlterType(ast.Name("a", "ks"), alter=("b", ast.TypeName("blob")))),
        (
            "ALTER TYPE address RENAME zip TO code AND street TO road",
            ast.AlterType(ast.Name("address"), rename=(("zip", "code"), ("street", "road"))),
        ),
        ("DROP TYPE address;", ast.DropType(ast.Name("address"))),
        ("DROP TYPE IF EXISTS ks.address", ast.DropType(ast.Name("address", "ks"), True)),
    ],
)
def test_types(text, tree):
    assert statement(text) == tree


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ALTER INDEX by_v WITH gc_grace_seconds = 3600", "ALTER INDEX"),
        (
            "CREATE OR REPLACE FUNCTION f (a int) CALLED ON NULL INPUT RETURNS int LANGUAGE lua AS $$return a; $$;",
            "CREATE FUNCTION",
        ),
        ("CREATE AGGREGATE a(int) SFUNC f STYPE int", "CREATE AGGREGATE"),
    ],
)
def test_the_rest_of_cql_is_named_and_left(text, what):
    assert statement(text) == ast.Refused(what)


RESOURCE = ast.ResourceName


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("DROP FUNCTION IF EXISTS ks.f(int, map<text, int>)",
         ast.DropFunction("function", ast.Name("f", "ks"), True, "int, map<text, int>")),
        ("DROP AGGREGATE a", ast.DropFunction("aggregate", ast.Name("a"), False)),
        ("CREATE ROLE Ada WITH PASSWORD = 'x' AND LOGIN = true",
         ast.CreateRole("ada", False, superuser=False, login=True, password="x")),
        ("CREATE ROLE IF NOT EXISTS \"Ada\" WITH SUPERUSER = TRUE AND OPTIONS = {'a': 'b'}",
         ast.CreateRole("Ada", True, superuser=True, login=False, options={"a": "b"})),
        ("CREATE USER Bo WITH PASSWORD 'y' SUPERUSER", ast.CreateRole("Bo", False, True, True, "y")),
        ("ALTER ROLE 'Ada' WITH HASHED PASSWORD = 'z' AND LOGIN = false",
         ast.AlterRole("Ada", login=False, password="z", hashed=True)),
        ("ALTER USER bo WITH PASSWORD 'y' NOSUPERUSER", ast.AlterRole("bo", superuser=False, password="y")),
        ("DROP USER bo", ast.DropRole("bo", False)),
        ("DROP ROLE IF EXISTS all", ast.DropRole("all", True)),
        ("GRANT all TO execute", ast.GrantRole("all", "execute")),
        ("REVOKE staff FROM 'Ada'", ast.GrantRole("staff", "Ada", revoke=True)),
        ("GRANT SELECT ON KEYSPACE ks TO ada", ast.Grant("SELECT", RESOURCE("data", ("ks",)), "ada")),
        ("GRANT EXECUTE ON ALL FUNCTIONS IN KEYSPACE ks TO ada",
         ast.Grant("EXECUTE", RESOURCE("functions", ("ks",)), "ada")),
        ("REVOKE ALL PERMISSIONS ON ks.t FROM ada", ast.Grant(None, RESOURCE("data", ("ks", "t")), "ada", revoke=True)),
        ("REVOKE ALTER PERMISSION ON TABLE t FROM ada",
         ast.Grant("ALTER", RESOURCE("data", (None, "t")), "ada", revoke=True)),
        ("LIST ROLES", ast.ListRoles()),
        ("LIST ROLES OF ada NORECURSIVE", ast.ListRoles("ada", recursive=False)),
        ("LIST USERS", ast.ListUsers()),
        ("LIST ALL PERMISSIONS", ast.ListPermissions(None)),
        ("LIST DESCRIBE ON ALL ROLES OF ada NORECURSIVE",
         ast.ListPermissions("DESCRIBE", RESOURCE("roles"), "ada", recursive=False)),
        ("LIST SELECT ON ALL KEYSPACES", ast.ListPermissions("SELECT", RESOURCE("data"))),
        ("CREATE SERVICE LEVEL gold WITH timeout = 5ms",
         ast.CreateServiceLevel("gold", False, {"timeout": ast.Literal("duration", "5ms")})),
        ("ALTER SERVICE_LEVEL gold WITH timeout = null",
         ast.AlterServiceLevel("gold", {"timeout": ast.Literal("null", "null")})),
        ("DROP SERVICE_LEVEL IF EXISTS gold", ast.DropServiceLevel("gold", True)),
        ("ATTACH SERVICE_LEVEL gold TO ada", ast.AttachServiceLevel("gold", "ada")),
        ("DETACH SERVICE LEVEL FROM ada", ast.AttachServiceLevel(None, "ada")),
        ("LIST ALL SERVICE_LEVELS", ast.ListServiceLevels("levels")),
        ("LIST ATTACHED SERVICE LEVEL OF ada", ast.ListServiceLevels("attached", "ada")),
        ("LIST EFFECTIVE SERVICE LEVEL OF ada", ast.ListServiceLevels("effective", "ada")),
    ],
)  # fmt: skip
def test_roles_permissions_and_service_levels(text, tree):
    assert statement(text) == tree


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CREATE ROLE ?", "Bind variables cannot be used for role names"),
        ("DROP SERVICE LEVEL ?", "Bind variables cannot be used for service levels or role names"),
        ('CREATE USER "Bo"', "Quoted strings are are not supported for user names, please upgrade to roles."),
        ("LIST nonsense", "line 1:5 no viable alternative at input 'nonsense'"),
        ("CREATE ROLE bo WITH LOGIN = 1", "line 1:28 : Missing BOOLEAN"),
    ],
)
def test_roles_that_cannot_be_read(text, message):
    with pytest.raises(SyntaxException) as refusal:
        parse(text)
    assert refusal.value.message == message
