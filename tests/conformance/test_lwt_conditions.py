"""IF conditions: every operator, every kind of column, and what null means to each.

``IF c = null`` holds when there is no value; an empty non-frozen collection is no value, an empty frozen one is.
Each case is (what is stored, the condition, whether it holds).
"""

import pytest
from cassandra import InvalidRequest
from cassandra.protocol import SyntaxException

SIMPLE = [
    ("null", "b = null", True),
    ("null", "b != null", False),
    ("null", "b = 1", False),
    ("null", "b != 1", True),
    ("null", "b > 3", False),
    ("null", "b >= 3", False),
    ("null", "b < 3", False),
    ("null", "b <= 3", False),
    ("null", "b IN (1)", False),
    ("null", "b IN (1, null)", True),
    ("null", "b IN ()", False),
    ("2", "b = 2", True),
    ("2", "b = 1", False),
    ("2", "b != 2", False),
    ("2", "b != null", True),
    ("2", "b > 1", True),
    ("2", "b > 2", False),
    ("2", "b >= 2", True),
    ("2", "b < 2", False),
    ("2", "b <= 2", True),
    ("2", "b IN (1, 2)", True),
    ("2", "b IN (1, 3)", False),
    ("2", "b IN (1, null)", False),
    ("2", "b IN ()", False),
    ("2", "b = 2 AND b = 2", True),
    ("2", "b = 2 AND b = 1", False),
    ("2", "b > 1 AND b < 3", True),
    ("-2", "b < -1", True),
]

OTHER_TYPES = [
    ("boolean", "true", "x = true", True),
    ("boolean", "true", "x > true", False),
    ("boolean", "false", "x < true", True),
    ("boolean", "true", "x >= true", True),
    ("double", "1", "x = 1", True),
    ("double", "6", "x != 6.0000000000000001", False),
    ("float", "3", "x > 1", True),
    ("decimal", "2.1", "x != 2.09999999999999999999999999999999999", True),
    ("decimal", "2.1", "x = 2.10", True),
    ("varint", "100000000000000000000", "x > 99999999999999999999", True),
    ("text", "''", "x = ''", True),
    ("text", "'b'", "x > 'a'", True),
    ("text", "'b'", "x > 'aa'", True),
    ("blob", "0x0102", "x = 0x0102", True),
    ("timestamp", "'2024-01-01'", "x < '2024-01-02'", True),
    ("date", "'2024-01-01'", "x = '2024-01-01'", True),
    ("inet", "'127.0.0.1'", "x = '127.0.0.1'", True),
    ("uuid", "123e4567-e89b-12d3-a456-426655440000", "x = 123e4567-e89b-12d3-a456-426655440000", True),
    ("frozen<tuple<int, int>>", "(1, 2)", "x = (1, 2)", True),
    ("frozen<tuple<int, int>>", "(1, 2)", "x < (1, 3)", True),
]

LIKE = [
    ("'abc'", "a%", True),
    ("'abc'", "%c", True),
    ("'abc'", "%b%", True),
    ("'abc'", "abc", True),
    ("'abc'", "a_c", True),
    ("'abc'", "b%", False),
    ("'abc'", "", False),
    ("'abc'", "%", True),
    ("null", "%", False),
    ("'a%c'", "a\\%c", True),
    ("'abc'", "a\\%c", False),
]

COLLECTIONS = [
    # map: elements, whole, null
    ("map<int, int>", "{1: 10, 2: 20}", "x[1] = 10", True),
    ("map<int, int>", "{1: 10}", "x[1] != 10", False),
    ("map<int, int>", "{1: 10}", "x[2] = null", True),
    ("map<int, int>", "{1: 10}", "x[2] != 3", True),
    ("map<int, int>", "{1: 10}", "x[1] > 5", True),
    ("map<int, int>", "{1: 10}", "x[1] IN (9, 10)", True),
    ("map<int, int>", "{1: 10}", "x[null] = null", True),
    ("map<int, int>", "{1: 10}", "x[null] = 1", False),
    ("map<int, int>", "{1: 10}", "x = {1: 10}", True),
    ("map<int, int>", "{2: 2}", "x > {1: 1}", True),
    ("map<int, int>", "{2: 2}", "x >= {2: 3}", False),
    ("map<int, int>", "{}", "x = {}", True),
    ("map<int, int>", "{}", "x = null", True),
    ("map<int, int>", "null", "x = {}", True),
    # list
    ("list<int>", "[1, 2]", "x[0] = 1", True),
    ("list<int>", "[1, 2]", "x[1] = 1", False),
    ("list<int>", "[1, 2]", "x[2] = null", True),
    ("list<int>", "[1, 2]", "x[100000000] = null", True),
    ("list<int>", "[1, 2]", "x[100000000] = 1", False),
    ("list<int>", "[1, 2]", "x[null] = null", True),
    ("list<int>", "[1, 2]", "x = [1, 2]", True),
    ("list<int>", "[1, 2]", "x = [null]", False),
    ("list<int>", "[1, 1]", "x < [4]", True),
    ("list<int>", "[1, 1]", "x <= [1, 1]", True),
    ("list<int>", "[]", "x = null", True),
    ("list<int>", "null", "x = []", True),
    ("list<int>", "null", "x IN ([])", True),
    ("list<int>", "[2]", "x IN ([1], null, [2])", True),
    # set
    ("set<int>", "{1}", "x = {1}", True),
    ("set<int>", "{1}", "x > {1}", False),
    ("set<int>", "{2}", "x > {1}", True),
    ("set<int>", "{}", "x = {}", True),
    ("set<int>", "{}", "x = null", True),
    ("set<int>", "{-1, 2, 3}", "x IN ({3, 2, -1})", True),
    ("set<int>", "{1}", "x IN ({1, 2})", False),
    # frozen: one value, and empty is not null
    ("frozen<map<int, int>>", "{1: 10}", "x[1] = 10", True),
    ("frozen<map<int, int>>", "{}", "x = {}", True),
    ("frozen<map<int, int>>", "{}", "x = null", False),
    ("frozen<map<int, int>>", "null", "x = {}", False),
    ("frozen<list<int>>", "[]", "x = null", False),
    ("frozen<list<int>>", "null", "x = []", False),
    ("frozen<list<int>>", "[1]", "x[0] = 1", True),
    ("frozen<list<int>>", "[1]", "x[-1] = 1", False),
    ("frozen<list<int>>", "[1]", "x = [null]", False),
    ("frozen<list<int>>", "[]", "x IN ([])", True),
    ("frozen<set<int>>", "{}", "x = {}", True),
    ("frozen<set<int>>", "{}", "x = null", False),
    ("frozen<set<int>>", "{1}", "x = {1, 1}", True),
    ("set<frozen<list<int>>>", "{[3, 3], [4, 4]}", "x >= {[3, 3], [4, 4]}", True),
    ("list<frozen<set<int>>>", "[{3, 4}, {4, 5}]", "x > [{3, 3}, {4, 4}]", True),
]

CONDITION_REFUSALS = [
    ("b int", "b > null", 'Invalid comparison with null for operator ">"'),
    ("b int", "b >= null", 'Invalid comparison with null for operator ">="'),
    ("b int", "b < null", 'Invalid comparison with null for operator "<"'),
    ("b int", "b <= null", 'Invalid comparison with null for operator "<="'),
    ("b int", "b = 'text'", 'Invalid STRING constant (text) for "b" of type int'),
    ("b int", "b LIKE 'a%'", 'Invalid STRING constant (a%) for "b" of type int'),
    ("b blob", "b LIKE 'a%'", 'Invalid STRING constant (a%) for "b" of type blob'),
    ("b map<int, text>", "b LIKE 'a%'", 'Invalid STRING constant (a%) for "b" of type map<int, text>'),
    ("b text", "b LIKE 1", 'Invalid INTEGER constant (1) for "b" of type text'),
    ("b text", "b LIKE null", "Invalid NULL value in LIKE pattern"),
    ("b text", "b = bigintAsBlob(1)",
     "Type error: cannot assign result of function system.bigintasblob (type blob) to b (type text)"),
    ("b map<boolean, boolean>", "b[true] != 1", 'Invalid INTEGER constant (1) for "value(b)" of type boolean'),
    ("b map<boolean, boolean>", "b[1] != true", 'Invalid INTEGER constant (1) for "key(b)" of type boolean'),
    ("b map<boolean, boolean>", "b[true] > null", 'Invalid comparison with null for operator ">"'),
    ("b list<boolean>", "b[null] = 1", 'Invalid INTEGER constant (1) for "value(b)" of type boolean'),
    ("b list<boolean>", "b[1.5] = true", 'Invalid FLOAT constant (1.5) for "index(b)" of type int'),
    ("b set<boolean>", "b = {null}", "null is not supported inside collections"),
    ("b set<boolean>", "b = {null, true}", "null is not supported inside collections"),
    ("b set<boolean>", "b = 1", 'Invalid INTEGER constant (1) for "b" of type set<boolean>'),
    ("b map<int, int>", "b > {}", 'Invalid comparison with null for operator ">"'),
    ("b list<int>", "b < []", 'Invalid comparison with null for operator "<"'),
    ("b set<int>", "b > {}", 'Invalid comparison with null for operator ">"'),
    ("b frozen<set<boolean>>", "b = {null, true}", "null is not supported inside collections"),
]  # fmt: skip

CONDITION_SYNTAX = [
    ("b", "line 1:{} no viable alternative at input ';'"),
    ("b = a", "line 1:{} no viable alternative at input ';'"),
    ("b = 1 OR b = 2", "line 1:{} : Syntax error"),
    ("3 < b", "line 1:{} no viable alternative at input '3'"),
    ("null = b", "line 1:{} no viable alternative at input 'null'"),
    ("b CONTAINS 1", "line 1:{} no viable alternative at input 'contains'"),
    ("b CONTAINS KEY 1", "line 1:{} no viable alternative at input 'contains'"),
    ("b[2]", "line 1:{} no viable alternative at input ';'"),
    ("b{2} = 1", "line 1:{} no viable alternative at input '{{'"),
    ("NOT EXISTS", "line 1:{} no viable alternative at input 'not'"),
]


@pytest.fixture(scope="module")
def tables(session, keyspace):
    """One table for each type, made when first asked for: ``tables("map<int, int>")``."""
    made = {}

    def table_of(kind, column="x"):
        if (kind, column) not in made:
            made[kind, column] = f"{keyspace}.kind_{len(made)}"
            session.execute(f"CREATE TABLE {made[kind, column]} (a int PRIMARY KEY, {column} {kind})")
        return made[kind, column]

    return table_of


def holds(run, table, column, stored, condition, key):
    run(f"INSERT INTO {table} (a, {column}) VALUES ({key}, {stored})")
    return run(f"UPDATE {table} SET {column} = null WHERE a = {key} IF {condition}")[0][0]


@pytest.mark.differs("cassandra", "refuses null among the values of IN, and an empty list of them")
@pytest.mark.parametrize("key, case", list(enumerate(SIMPLE)))
def test_condition_on_a_number(tables, run, key, case):
    stored, condition, expected = case
    assert holds(run, tables("int", "b"), "b", stored, condition, key) is expected


@pytest.mark.parametrize("key, case", list(enumerate(OTHER_TYPES)))
def test_condition_on_other_types(tables, run, key, case):
    kind, stored, condition, expected = case
    assert holds(run, tables(kind), "x", stored, condition, key) is expected


@pytest.mark.differs("cassandra", "has no LIKE in conditions")
@pytest.mark.parametrize("key, case", list(enumerate(LIKE)))
def test_like(tables, run, key, case):
    stored, pattern, expected = case
    assert holds(run, tables("text"), "x", stored, f"x LIKE '{pattern}'", 100 + key) is expected


@pytest.mark.differs("cassandra", "refuses null keys, indexes and elements, and indexes outside of the list")
@pytest.mark.parametrize("key, case", list(enumerate(COLLECTIONS)))
def test_condition_on_a_collection(tables, run, key, case):
    kind, stored, condition, expected = case
    assert holds(run, tables(kind), "x", stored, condition, 200 + key) is expected


@pytest.mark.differs("cassandra", "words of its own")
@pytest.mark.parametrize("column, condition, sentence", CONDITION_REFUSALS)
def test_condition_that_cannot_be(tables, refused, column, condition, sentence):
    name, kind = column.split(" ", 1)
    message = refused(InvalidRequest, f"UPDATE {tables(kind, name)} SET b = null WHERE a = 1 IF {condition}")
    assert message.endswith(f'"{sentence}"') or message == sentence


@pytest.mark.differs("cassandra", "another grammar, with words of its own")
@pytest.mark.parametrize("condition, sentence", CONDITION_SYNTAX)
def test_condition_that_is_not_cql(session, condition, sentence):
    with pytest.raises(SyntaxException) as caught:
        session.execute(f"update t set b=1 where a=1 if {condition.lower()};")
    pattern = sentence.split("{}")[1].replace("{{", "{")
    assert pattern in str(caught.value)


def test_the_old_collection_is_shown_whole(tables, run):
    """A condition on one element answers with the column."""
    table = tables("map<int, int>")
    run(f"INSERT INTO {table} (a, x) VALUES (999, {{1: 10, 2: 20}})")
    (row,) = run(f"UPDATE {table} SET x = null WHERE a = 999 IF x[1] = 11")
    assert row[0] is False and dict(row[1]) == {1: 10, 2: 20}


def test_condition_on_a_missing_map_key_cannot_write_a_null_key(tables, refused, run):
    """The key null is met when the statement writes, not when its condition fails."""
    table = tables("map<boolean, boolean>", "b")
    run(f"INSERT INTO {table} (a, b) VALUES (7, {{true: true}})")
    refused(
        InvalidRequest, f"UPDATE {table} SET b[null] = false WHERE a = 7 IF b[true] = true", "null map key|null.*key"
    )


@pytest.mark.differs("cassandra", "checks the key first")
def test_failed_condition_comes_before_a_bad_key(tables, run):
    table = tables("map<boolean, boolean>", "b")
    run(f"INSERT INTO {table} (a, b) VALUES (8, {{true: true}})")
    assert run(f"UPDATE {table} SET b[null] = false WHERE a = 8 IF b[true] = false")[0][0] is False


@pytest.mark.differs("cassandra", "words of its own")
def test_unset_cannot_be_compared(tables, session):
    from cassandra.query import UNSET_VALUE

    prepared = session.prepare(f"UPDATE {tables('int', 'b')} SET b = 1 WHERE a = 1 IF b = ?")
    with pytest.raises(InvalidRequest, match="unset"):
        session.execute(prepared, (UNSET_VALUE,))


def test_bound_elements(tables, session):
    table = tables("map<int, int>")
    session.execute(f"INSERT INTO {table} (a, x) VALUES (1000, {{1: 10}})")
    prepared = session.prepare(f"UPDATE {table} SET x[?] = ? WHERE a = ? IF x[?] = ?")
    assert session.execute(prepared, (2, 20, 1000, 1, 11)).one()[0] is False
    assert session.execute(prepared, (2, 20, 1000, 1, 10)).one()[0] is True
    assert dict(session.execute(f"SELECT x FROM {table} WHERE a = 1000").one()[0]) == {1: 10, 2: 20}


def test_condition_on_a_column_that_is_not_written(create, run):
    table = create("(a int PRIMARY KEY, b int, c int)")
    run(f"INSERT INTO {table} (a, b, c) VALUES (1, 2, 3)")
    assert run(f"DELETE b FROM {table} WHERE a = 1 IF c = 3")[0][0] is True
    assert run(f"SELECT * FROM {table}") == [(1, None, 3)]
