"""What the parser says to text that is not CQL, and that it always says something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded_scylla.cql import parse
from embedded_scylla.cql.lexer import tokenize
from embedded_scylla.errors import CqlError, InvalidRequest, SyntaxException


def error(text, kind=SyntaxException):
    with pytest.raises(kind) as caught:
        parse(text)
    assert type(caught.value) is kind
    return caught.value.message


# These five stand in ScyllaDB's own recorded answers and reports, to the letter.
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("update lwt set b=3 where a=2 if not exists;", "line 1:32 no viable alternative at input 'not'"),
        ("delete from lwt where a=2 if not exists;", "line 1:29 no viable alternative at input 'not'"),
        ("update lwt set c=3 where a=1 if c=a;", "line 1:35 no viable alternative at input ';'"),
        ("update lwt set c=3 where a=1 if u.f=1;", "line 1:33 no viable alternative at input '.'"),
        ("UPDATE test SET my_map += {2: 'bar'} WHERE id=1;", "line 1:23 no viable alternative at input '+'"),
        ("", "line 1:0 no viable alternative at input '<EOF>'"),
    ],
)
def test_recorded_errors(text, message):
    assert error(text) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # one token is due, and what stands there could come after it
        ("SELECT * FORM t", "line 1:9 : Missing K_FROM"),
        ("CREATE MATERIALIZED DOG v AS SELECT * FROM t", "line 1:20 : Missing K_VIEW"),
        ("SELECT * FROM t WHERE c IS NOT 3", "line 1:31 : Missing K_NULL"),
        ("SELECT * FROM t WHERE c IS NULL", "line 1:27 : Missing K_NOT"),
        ("CREATE TABLE t (\n  a int,\n  PRIMARY (a)\n)", "line 3:10 : Missing K_KEY"),
        ("INSERT INTO t (a) (1)", "line 1:18 : Missing K_VALUES"),
        ("INSERT t (a) VALUES (1)", "line 1:7 : Missing K_INTO"),
        ("INSERT INTO t (a) VALUES (1", "line 1:0 : Missing ')'"),
        ("INSERT INTO t (a) VALUES (1) IF EXISTS", "line 1:32 : Missing K_NOT"),
        ("SELECT * FROM t LIMIT 1 ALLOW", "line 1:0 : Missing K_FILTERING"),
        # one token is due, and it comes next
        ("SELECT a b FROM t", "line 1:9 : Unexpected 'b'"),
        ("SELECT * FROM t tickets", "line 1:16 : Unexpected 'tickets'"),
        ("INSERT INTO t (a b) VALUES (1)", "line 1:17 : Unexpected 'b'"),
        ("SELECT * FROM t WHERE c = - 5", "line 1:28 : Unexpected '5'"),
        # neither
        ("SELECT * FROM t WHERE id = 1 ALLLOW FILTERING;", "line 1:29 : Syntax error"),
        ("SELECT * FROM t WHERE a = 1 OR b = 2", "line 1:28 : Syntax error"),
        ("SELECT * FROM t LIMIT 1 WHERE a = 1", "line 1:24 : Syntax error"),
        ("SELECT * FROM a; SELECT * FROM b", "line 1:17 : Syntax error"),
        ("UPDATE t SET a = 1;", "line 1:18 : Syntax error"),
        ("DELETE FROM t", "line 1:0 : Syntax error"),
        ("CREATE TABLE t (a int PRIMARY KEY) WITH default_time_to_live = 60 * 15", "line 1:66 : Syntax error"),
        ("INSERT INTO t (a) VALUES (1) USING TTL 5 IF NOT EXISTS", "line 1:41 : Syntax error"),
        # several continuations were possible
        (";", "line 1:0 no viable alternative at input ';'"),
        ("SELEC * FROM t", "line 1:0 no viable alternative at input 'SELEC'"),
        ("CREATE TABEL t (a int PRIMARY KEY)", "line 1:7 no viable alternative at input 'TABEL'"),
        ("DROP ks", "line 1:5 no viable alternative at input 'ks'"),
        ("SELECT FROM t", "line 1:7 no viable alternative at input 'FROM'"),
        ("SELECT a, (int) 7 FROM t", "line 1:10 no viable alternative at input '('"),
        ("SELECT 1", "line 1:0 : Syntax error"),
        ("SELECT now()", "line 1:0 : Syntax error"),
        ("SELECT * FROM", "line 1:0 no viable alternative at input '<EOF>'"),
        ("SELECT *\nFROM t\nWHERE", "line 3:0 no viable alternative at input '<EOF>'"),
        ("SELECT * FROM order", "line 1:14 no viable alternative at input 'order'"),
        ("SELECT * FROM t LIMIT 'x'", "line 1:22 no viable alternative at input 'x'"),
        ("SELECT * FROM t LIMIT", "line 1:0 no viable alternative at input '<EOF>'"),
        ("SELECT token FROM t", "line 1:13 no viable alternative at input 'FROM'"),
        ("INSERT INTO t VALUES (1)", "line 1:14 no viable alternative at input 'VALUES'"),
        ("INSERT INTO t JSON", "line 1:0 no viable alternative at input '<EOF>'"),
        ("INSERT INTO t (a) VALUES ({1 2})", "line 1:29 no viable alternative at input '2'"),
        ('UPDATE t SET a = "x" WHERE p = 1', "line 1:21 no viable alternative at input 'WHERE'"),
        ("DELETE FROM t USING TTL 5 WHERE p = 1", "line 1:20 no viable alternative at input 'TTL'"),
        ("SELECT * FROM t WHERE a IN 5", "line 1:27 no viable alternative at input '5'"),
        ("CREATE TABLE t (a int PRIMARY KEY) WITH comment = x", "line 1:50 no viable alternative at input 'x'"),
        ("CREATE TABLE t (a int PRIMARY KEY) WITH a:b = 'x'", "line 1:41 no viable alternative at input ':'"),
        ("ALTER TABLE t", "line 1:0 no viable alternative at input '<EOF>'"),
        ("ALTER TABLE t MODIFY c int", "line 1:14 no viable alternative at input 'MODIFY'"),
        ("GRANT", "line 1:0 no viable alternative at input '<EOF>'"),
        ("CREATE OR REPLACE TABLE t", "line 1:18 no viable alternative at input 'TABLE'"),
    ],
)
def test_the_error_names_the_place(text, message):
    assert error(text) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ALTER TABLE t WITH comment='a' AND comment='b'", "Multiple definition for property 'comment'"),
        ("CREATE KEYSPACE k WITH replication = {'class': 'x', 'class': 'y'}", "Multiple definition for property class"),
        ("CREATE KEYSPACE k WITH replication = {'class': ?}",
         "Invalid property value: ? for property: class (bind variables are not supported in DDL queries)"),
        ("UPDATE t SET a = b + 1 WHERE p = 1", "Only expressions of the form X = X +<value> are supported."),
        ("UPDATE t SET a = b -1 WHERE p = 1", "Only expressions of the form X = X - <value> are supported."),
        ("UPDATE t SET a = [1] + b WHERE p = 1", "Only expressions of the form X = <value> + X are supported."),
        ("SELECT * FROM ?", "Bind variables cannot be used for table names"),
        ("USE ?", "Bind variables cannot be used for keyspace names"),
        ("DROP INDEX ?", "Bind variables cannot be used for index names"),
        ("CREATE TABLE t (a interval PRIMARY KEY)", "Invalid (reserved) user type name interval"),
        ("CREATE TABLE t (a empty PRIMARY KEY)", "Invalid (reserved) user type name empty"),
    ],
)  # fmt: skip
def test_checks_made_while_reading(text, message):
    assert error(text) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('CREATE KEYSPACE "a-b"', '"a-b" is not a valid keyspace name'),
        (
            'CREATE TABLE ks."é" (a int PRIMARY KEY)',
            '"é" is not a valid table name (must be alphanumeric character only: [0-9A-Za-z]+)',
        ),
        ("SELECT * FROM t ORDER BY v ANN OF [1] DESC", "Descending ANN ordering is not supported"),
        ("SELECT * FROM t ORDER BY c, v ANN OF [1]", "ANN ordering does not support any other ordering"),
    ],
)
def test_well_formed_but_impossible(text, message):
    assert error(text, InvalidRequest) == message


# ScyllaDB allows twelve levels. Whatever the nesting, the answer is an error and no crash.
def test_nesting_has_a_limit():
    parse(f"INSERT INTO t (a) VALUES ({'[' * 11}1{']' * 11})")
    assert error(f"INSERT INTO t (a) VALUES ({'[' * 12}1{']' * 12})") == "expression nested too deeply"


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO t (a) VALUES ({}",
        "SELECT * FROM t WHERE {}",
        "SELECT {} FROM t",
        "CREATE TABLE t (a {} int",
        "UPDATE t SET a = {}",
        "SELECT * FROM t WHERE a IN {}",
    ],
)
@pytest.mark.parametrize("brackets", ["(", "[", "{", "frozen<", "f(", "(int)", "(list<", "{1:", "a[", "cast(", "a."])
def test_ten_thousand_brackets(text, brackets):
    with pytest.raises(CqlError):
        parse(text.format(brackets * 10_000))


VALID = [
    "SELECT JSON a AS b, count(*), m['k'] FROM ks.t WHERE (a, b) IN ((1, 2)) AND token(p) > ? LIMIT 5 ALLOW FILTERING;",
    "INSERT INTO t (a, \"B\") VALUES ({'x': [1.5, -2]}, $$it's$$) IF NOT EXISTS USING TTL :n AND TIMESTAMP 5",
    "UPDATE t USING TTL 5 SET a = a + 1, m['k'] = 0xCA, l = [1] + l WHERE p = 3 AND c > -1 IF s = 'x' AND v IN (1, 2)",
    "BEGIN UNLOGGED BATCH DELETE a[1], b FROM t WHERE p = ?; INSERT INTO t (a) VALUES (now()); APPLY BATCH",
    "CREATE TABLE IF NOT EXISTS t (a int, b frozen<map<text, int>> STATIC, PRIMARY KEY ((a, b), c)) "
    "WITH CLUSTERING ORDER BY (c DESC) AND cdc = {'enabled': true}",
    "CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE a IS NOT NULL PRIMARY KEY (a) WITH comment = 'x'",
    "ALTER TABLE t DROP (a, b) USING TIMESTAMP 5",
    "CREATE CUSTOM INDEX i ON t ((p), keys(m)) USING 'x' WITH OPTIONS = {'a': 'b'}",
    "DESCRIBE FULL SCHEMA WITH INTERNALS AND PASSWORDS",
    "GRANT ALL ON ks.t TO ada -- comment\n",
]
WORDS = sorted({tokenize(text).shown(index) for text in VALID for index in range(len(tokenize(text).kinds) - 2)})
ODD = ["'", '"', "$$", "--", "/*", "*/", "\n", "é", "\x00", "€", "1e", "3a", "0x", "-", "!", "''", '""', "?", ":", ";"]


def never_anything_else(text):
    """A tree or a CqlError; any other exception fails the test by itself."""
    try:
        parse(text)
    except CqlError as refused:
        assert refused.message


@pytest.mark.parametrize("text", VALID)
def test_the_seeds_of_the_fuzzing_are_valid(text):
    parse(text)


@given(st.text(max_size=60))
def test_any_text(text):
    never_anything_else(text)


@given(st.lists(st.sampled_from(WORDS + ODD), max_size=25), st.sampled_from(["", " "]))
def test_token_soup(words, between):
    never_anything_else(between.join(words))


@given(st.data())
def test_damaged_statements(data):
    text = data.draw(st.sampled_from(VALID))
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(begin, min(len(text), begin + 12)))
        text = text[:begin] + data.draw(st.sampled_from(["", *WORDS, *ODD])) + text[end:]
    never_anything_else(text)


@given(st.data())
def test_cut_off_statements(data):
    text = data.draw(st.sampled_from(VALID))
    never_anything_else(text[: data.draw(st.integers(0, len(text)))])
