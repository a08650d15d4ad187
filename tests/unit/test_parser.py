"""Statements to trees: every form that ScyllaDB's grammar has, and what becomes of it."""

import pytest

from embedded_scylla.cql import ast, parse


def statement(text):
    return parse(text).statement


def string(text):
    return ast.Literal("string", text)


def integer(text):
    return ast.Literal("integer", str(text))


def term(text):
    """The term as an INSERT's only value."""
    return statement(f"INSERT INTO t (a) VALUES ({text})").values[0]


def relation(text):
    (only,) = statement(f"SELECT * FROM t WHERE {text}").where
    return only


def selector(text):
    (only,) = statement(f"SELECT {text} FROM t").selectors
    return only.term


T = ast.Name("t")

# ---------------------------------------------------------------- terms


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("'it''s'", string("it's")),
        ("$$x$$", string("x")),
        ("-5", integer(-5)),
        ("1.5e3", ast.Literal("float", "1.5e3")),
        ("NaN", ast.Literal("float", "NaN")),
        ("-Infinity", ast.Literal("float", "-Infinity")),
        ("TRUE", ast.Literal("boolean", "TRUE")),
        ("NULL", ast.Literal("null", "null")),
        ("0xCAFE", ast.Literal("hex", "0xCAFE")),
        ("1h30m", ast.Literal("duration", "1h30m")),
        ("a00924e9-0009-4563-90b7-a294d5812ada", ast.Literal("uuid", "a00924e9-0009-4563-90b7-a294d5812ada")),
        ("?", ast.BindMarker(0)),
        (":seat", ast.BindMarker(0, "seat")),
        (':"Seat"', ast.BindMarker(0, "Seat")),
        (":KEY", ast.BindMarker(0, "key")),
        ("[]", ast.ListLiteral(())),
        ("[1, ?]", ast.ListLiteral((integer(1), ast.BindMarker(0)))),
        ("{}", ast.SetLiteral(())),
        ("{1, 2}", ast.SetLiteral((integer(1), integer(2)))),
        ("{'a': 1}", ast.MapLiteral(((string("a"), integer(1)),))),
        ("{:k: :v}", ast.MapLiteral(((ast.BindMarker(0, "k"), ast.BindMarker(1, "v")),))),
        ("{a: 1, \"B\": 2}", ast.UserTypeLiteral((("a", integer(1)), ("B", integer(2))))),
        ("(1, 'a')", ast.TupleLiteral((integer(1), string("a")))),
        ("now()", ast.FunctionCall(ast.Name("now"), ())),
        ("ToTimestamp(now())", ast.FunctionCall(ast.Name("totimestamp"), (ast.FunctionCall(ast.Name("now"), ()),))),
        ("ks.f(1)", ast.FunctionCall(ast.Name("f", "ks"), (integer(1),))),
        ("uuid()", ast.FunctionCall(ast.Name("uuid"), ())),
        ("(int) 5", ast.TypeHint(ast.TypeName("int"), integer(5))),
        ("(list<int>) ?", ast.TypeHint(ast.TypeName("list", (ast.TypeName("int"),)), ast.BindMarker(0))),
        ("(ks.address) ?", ast.TypeHint(ast.TypeName("address", keyspace="ks"), ast.BindMarker(0))),
        ("(ks.f(1), 2)", ast.TupleLiteral((ast.FunctionCall(ast.Name("f", "ks"), (integer(1),)), integer(2)))),
    ],
)  # fmt: skip
def test_terms(text, tree):
    assert term(text) == tree


def test_one_name_is_one_variable():
    parsed = parse("UPDATE t SET a = :x, b = ? WHERE p = :X AND c = :y")
    assert parsed.variables == ("x", None, "y")
    assert [relation.right.index for relation in parsed.statement.where] == [0, 2]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("varchar", ast.TypeName("varchar")),
        ("frozen<map<text, list<int>>>", ast.TypeName("frozen", (ast.TypeName("map", (
            ast.TypeName("text"), ast.TypeName("list", (ast.TypeName("int"),)))),))),
        ("tuple<int, text>", ast.TypeName("tuple", (ast.TypeName("int"), ast.TypeName("text")))),
        ("vector<float, 3>", ast.TypeName("vector", (ast.TypeName("float"), ast.TypeName("3")))),
        ("Address", ast.TypeName("address")),
        ("ks.\"Address\"", ast.TypeName("Address", keyspace="ks")),
        ("list", ast.TypeName("list")),
    ],
)  # fmt: skip
def test_types(text, tree):
    assert statement(f"ALTER TABLE t ADD c {text}").add == (ast.ColumnDefinition("c", tree),)


# ---------------------------------------------------------------- SELECT


def test_select_with_every_clause():
    assert statement(
        "SELECT JSON DISTINCT a AS x, b FROM ks.t WHERE a = ? GROUP BY a, b ORDER BY b DESC, c ASC, d "
        "PER PARTITION LIMIT 2 LIMIT :n ALLOW FILTERING BYPASS CACHE USING TIMEOUT 50ms;"
    ) == ast.Select(
        table=ast.Name("t", "ks"),
        selectors=(
            ast.Selector(ast.ColumnRef("a"), "x", "a"),
            ast.Selector(ast.ColumnRef("b"), None, "b"),
        ),
        distinct=True,
        json=True,
        where=(ast.Relation(ast.ColumnRef("a"), "=", ast.BindMarker(0)),),
        group_by=("a", "b"),
        order_by=(("b", True), ("c", False), ("d", False)),
        per_partition_limit=integer(2),
        limit=ast.BindMarker(1, "n"),
        allow_filtering=True,
        bypass_cache=True,
        timeout=ast.Literal("duration", "50ms"),
    )


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", ast.ColumnRef("a")),
        ("TTL", ast.ColumnRef("ttl")),
        ("json", ast.ColumnRef("json")),
        ("distinct", ast.ColumnRef("distinct")),
        ("count", ast.ColumnRef("count")),
        ("count(*)", ast.FunctionCall(ast.Name("count"), (), star=True)),
        ("COUNT(1)", ast.FunctionCall(ast.Name("count"), (integer(1),))),
        ("count(v)", ast.FunctionCall(ast.Name("count"), (ast.ColumnRef("v"),))),
        ("token(a, b)", ast.FunctionCall(ast.Name("token"), (ast.ColumnRef("a"), ast.ColumnRef("b")))),
        ("max(min(v))", ast.FunctionCall(ast.Name("max"), (ast.FunctionCall(ast.Name("min"), (ast.ColumnRef("v"),)),))),
        ("ks.f(a)", ast.FunctionCall(ast.Name("f", "ks"), (ast.ColumnRef("a"),))),
        ("WRITETIME(v)", ast.WritetimeOrTtl("writetime", ast.ColumnRef("v"))),
        ("ttl(m['x'])", ast.WritetimeOrTtl("ttl", ast.Subscript("m", string("x")))),
        ("ttl(u.f)", ast.WritetimeOrTtl("ttl", ast.FieldRef(ast.ColumnRef("u"), "f"))),
        ("CAST(v AS text)", ast.Cast(ast.ColumnRef("v"), ast.TypeName("text"))),
        ("m[3]", ast.Subscript("m", integer(3))),
        ("u.f.g", ast.FieldRef(ast.FieldRef(ast.ColumnRef("u"), "f"), "g")),
        ("'x'", string("x")),
        ("(1, 2)", ast.TupleLiteral((integer(1), integer(2)))),
        ("?", ast.BindMarker(0)),
    ],
)
def test_selectors(text, tree):
    assert selector(text) == tree


def test_star_and_source_texts():
    assert statement("SELECT * FROM t").selectors is None
    assert [s.text for s in statement('SELECT Count( * ), "Q", Ks.F(1,2) AS x FROM t').selectors] == [
        "Count( * )", "Q", "Ks.F(1,2)",
    ]  # fmt: skip


def test_distinct_and_json_select_anything():
    assert statement("SELECT DISTINCT p FROM t").distinct
    assert statement("SELECT JSON * FROM t").json
    assert statement("SELECT json, distinct FROM t") == ast.Select(
        T,
        (
            ast.Selector(ast.ColumnRef("json"), None, "json"),
            ast.Selector(ast.ColumnRef("distinct"), None, "distinct"),
        ),
    )


def test_nearest_neighbours():
    parsed = statement("SELECT * FROM t ORDER BY v ANN OF [1.5, 2] LIMIT 3")
    assert parsed.ann_of == ("v", ast.ListLiteral((ast.Literal("float", "1.5"), integer(2))))
    assert parsed.order_by == ()


C = ast.ColumnRef("c")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("c = 1", ast.Relation(C, "=", integer(1))),
        ("c != 1", ast.Relation(C, "!=", integer(1))),
        ("c < 1", ast.Relation(C, "<", integer(1))),
        ("c <= 1", ast.Relation(C, "<=", integer(1))),
        ("c > -1", ast.Relation(C, ">", integer(-1))),
        ("c >= ?", ast.Relation(C, ">=", ast.BindMarker(0))),
        ("c LIKE 'a%'", ast.Relation(C, "LIKE", string("a%"))),
        ("c IN (1, 2)", ast.Relation(C, "IN", (integer(1), integer(2)))),
        ("c IN ()", ast.Relation(C, "IN", ())),
        ("c IN ?", ast.Relation(C, "IN", ast.BindMarker(0))),
        ("c NOT IN (1)", ast.Relation(C, "NOT IN", (integer(1),))),
        ("c CONTAINS 1", ast.Relation(C, "CONTAINS", integer(1))),
        ("c contains key 'k'", ast.Relation(C, "CONTAINS KEY", string("k"))),
        ("c IS NOT null", ast.Relation(C, "IS NOT NULL")),
        ("c['k'] = 1", ast.Relation(ast.Subscript("c", string("k")), "=", integer(1))),
        ("(c = 1)", ast.Relation(C, "=", integer(1))),
        ("token(a, b) > token(1, 2)", ast.Relation(
            ast.TokenOf(("a", "b")), ">", ast.FunctionCall(ast.Name("token"), (integer(1), integer(2))))),
        ("(a, b) >= (1, ?)", ast.Relation(
            ast.ColumnTuple(("a", "b")), ">=", ast.TupleLiteral((integer(1), ast.BindMarker(0))))),
        ("(a) = ?", ast.Relation(ast.ColumnTuple(("a",)), "=", ast.BindMarker(0))),
        ("(a, b) IN ((1, 2), (3, 4))", ast.Relation(ast.ColumnTuple(("a", "b")), "IN", (
            ast.TupleLiteral((integer(1), integer(2))), ast.TupleLiteral((integer(3), integer(4)))))),
        ("(a, b) IN (?, :x)", ast.Relation(
            ast.ColumnTuple(("a", "b")), "IN", (ast.BindMarker(0), ast.BindMarker(1, "x")))),
        ("(a, b) IN ?", ast.Relation(ast.ColumnTuple(("a", "b")), "IN", ast.BindMarker(0))),
        ("(a, b) IN ()", ast.Relation(ast.ColumnTuple(("a", "b")), "IN", ())),
        ("(a, b) > SCYLLA_CLUSTERING_BOUND (1, 2)", ast.Relation(
            ast.ColumnTuple(("a", "b")), ">", ast.TupleLiteral((integer(1), integer(2))), True)),
    ],
)  # fmt: skip
def test_relations(text, tree):
    assert relation(text) == tree


# ---------------------------------------------------------------- INSERT, UPDATE, DELETE


def test_insert():
    assert statement(
        'INSERT INTO ks.t (a, "B", key) VALUES (1, ?, now()) IF NOT EXISTS USING TTL 5 AND TIMESTAMP :ts AND TIMEOUT 1s'
    ) == ast.Insert(
        ast.Name("t", "ks"),
        ("a", "B", "key"),
        (integer(1), ast.BindMarker(0), ast.FunctionCall(ast.Name("now"), ())),
        if_not_exists=True,
        using=ast.Using(integer(5), ast.BindMarker(1, "ts"), ast.Literal("duration", "1s")),
    )


def test_using_comes_in_any_order_and_the_last_counts():
    first = statement("INSERT INTO t (a) VALUES (1) USING TIMESTAMP 7 AND TTL 5")
    assert first.using == ast.Using(ttl=integer(5), timestamp=integer(7))
    assert statement("INSERT INTO t (a) VALUES (1) USING TTL 1 AND TTL 2").using.ttl == integer(2)


def test_insert_json():
    document = string('{"a": 1}')
    assert statement("""INSERT INTO t JSON '{"a": 1}'""") == ast.Insert(T, (), (), json=document)
    full = statement("""INSERT INTO t JSON '{"a": 1}' DEFAULT UNSET IF NOT EXISTS USING TTL 1""")
    assert full == ast.Insert(
        T, (), (), True, ast.Using(ttl=integer(1)), json=document, json_default_unset=True
    )  # fmt: skip
    assert not statement("INSERT INTO t JSON ? DEFAULT NULL").json_default_unset


@pytest.mark.parametrize(
    ("text", "assignment"),
    [
        ("c = 1", ast.Assignment("c", "set", integer(1))),
        ("c = c + 1", ast.Assignment("c", "add", integer(1))),
        ("c = c - 1", ast.Assignment("c", "subtract", integer(1))),
        ("c = c -1", ast.Assignment("c", "add", integer(-1))),
        ("c=c+1", ast.Assignment("c", "add", integer(1))),
        ("c = c - {1}", ast.Assignment("c", "subtract", ast.SetLiteral((integer(1),)))),
        ("c = [1] + c", ast.Assignment("c", "prepend", ast.ListLiteral((integer(1),)))),
        ("c = ? + c", ast.Assignment("c", "prepend", ast.BindMarker(0))),
        ("c['k'] = ?", ast.Assignment("c", "element", ast.BindMarker(0), string("k"))),
        ("c.f = 1", ast.Assignment("c", "field", integer(1), "f")),
        (
            "c[SCYLLA_TIMEUUID_LIST_INDEX(?)] = 1",
            ast.Assignment("c", "timeuuid element", integer(1), ast.BindMarker(0)),
        ),
        ("c = SCYLLA_COUNTER_SHARD_LIST([1])", ast.Assignment("c", "counter shards", ast.ListLiteral((integer(1),)))),
    ],
)
def test_assignments(text, assignment):
    assert statement(f"UPDATE t SET {text} WHERE p = 0").assignments == (assignment,)


def test_update():
    parsed = statement("UPDATE ks.t USING TTL ? SET a = 1, b = 2 WHERE p = 0 AND c = 1 IF a = 3 AND m['k'] > 4")
    assert parsed == ast.Update(
        ast.Name("t", "ks"),
        (ast.Assignment("a", "set", integer(1)), ast.Assignment("b", "set", integer(2))),
        (ast.Relation(ast.ColumnRef("p"), "=", integer(0)), ast.Relation(C, "=", integer(1))),
        (
            ast.Relation(ast.ColumnRef("a"), "=", integer(3)),
            ast.Relation(ast.Subscript("m", string("k")), ">", integer(4)),
        ),
        using=ast.Using(ttl=ast.BindMarker(0)),
    )


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("c IN (1, 2)", (ast.Relation(C, "IN", (integer(1), integer(2))),)),
        ("c IN ?", (ast.Relation(C, "IN", ast.BindMarker(0)),)),
        ("c NOT IN ()", (ast.Relation(C, "NOT IN", ()),)),
        ("c LIKE 'a%'", (ast.Relation(C, "LIKE", string("a%")),)),
        ("c != null", (ast.Relation(C, "!=", ast.Literal("null", "null")),)),
        ("exists = 1", (ast.Relation(ast.ColumnRef("exists"), "=", integer(1)),)),
    ],
)
def test_conditions(text, conditions):
    parsed = statement(f"UPDATE t SET a = 1 WHERE p = 0 IF {text}")
    assert (parsed.conditions, parsed.if_exists) == (conditions, False)


def test_if_exists():
    assert statement("UPDATE t SET a = 1 WHERE p = 0 IF EXISTS").if_exists
    assert statement("DELETE FROM t WHERE p = 0 IF EXISTS;").if_exists


def test_delete():
    assert statement("DELETE a, m['k'], u.f FROM t USING TIMESTAMP 5 AND TIMEOUT ? WHERE p = 0 IF a = 1") == ast.Delete(
        T,
        (ast.Deletion("a"), ast.Deletion("m", string("k")), ast.Deletion("u", field="f")),
        (ast.Relation(ast.ColumnRef("p"), "=", integer(0)),),
        (ast.Relation(ast.ColumnRef("a"), "=", integer(1)),),
        using=ast.Using(timestamp=integer(5), timeout=ast.BindMarker(0)),
    )
    assert statement("DELETE FROM t WHERE p = 0").deletions == ()


@pytest.mark.parametrize("separator", [";", " ", " ;\n"])
@pytest.mark.parametrize(("words", "kind"), [("", "LOGGED"), ("UNLOGGED", "UNLOGGED"), ("counter", "COUNTER")])
def test_batch(separator, words, kind):
    parsed = parse(
        f"BEGIN {words} BATCH USING TIMESTAMP 9 INSERT INTO t (a) VALUES (?){separator}UPDATE t SET a = :x WHERE p = 0 "
        f"IF EXISTS{separator}DELETE FROM t WHERE p = :x{separator}APPLY BATCH;"
    )
    batch = parsed.statement
    assert (batch.kind, batch.using) == (kind, ast.Using(timestamp=integer(9)))
    assert [type(part) for part in batch.statements] == [ast.Insert, ast.Update, ast.Delete]
    assert batch.statements[1].if_exists
    assert parsed.variables == (None, "x")


def test_small_statements():
    assert statement("BEGIN BATCH APPLY BATCH") == ast.Batch("LOGGED", ())
    assert statement("TRUNCATE t") == ast.Truncate(T)
    assert statement("TRUNCATE TABLE ks.t USING TIMEOUT 5s") == ast.Truncate(
        ast.Name("t", "ks"), ast.Literal("duration", "5s")
    )
    assert statement('use "KS" ;;;') == ast.Use("KS")
    assert statement("PRUNE MATERIALIZED VIEW v WHERE p = 1 USING CONCURRENCY 4") == ast.PruneView(
        ast.Name("v"), (ast.Relation(ast.ColumnRef("p"), "=", integer(1)),)
    )
