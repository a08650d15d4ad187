"""Lists, sets, maps and tuples: growing, shrinking, replacing, frozen and not."""

import uuid

import pytest
from cassandra import InvalidRequest
from cassandra.query import UNSET_VALUE

words = pytest.mark.differs("cassandra", "words of its own")


@pytest.fixture(scope="module")
def table(session, keyspace):
    session.execute(
        f"CREATE TABLE {keyspace}.bags (k int PRIMARY KEY, l list<text>, s set<text>, m map<text, int>, "
        "fl frozen<list<int>>, fs frozen<set<int>>, fm frozen<map<int, text>>, t tuple<int, text>, n int)"
    )
    return f"{keyspace}.bags"


@pytest.fixture
def bag(table, run):
    """``bag("l", key)`` reads one column as plain Python."""

    def read(column, key):
        rows = run(f"SELECT {column} FROM {table} WHERE k = {key}")
        value = rows[0][0] if rows else None
        if value is None or column in ("l", "fl", "t"):
            return value
        return dict(value) if column in ("m", "fm") else set(value)

    return read


# ---------------------------------------------------------------- lists


def test_list(table, run, bag):
    run(f"UPDATE {table} SET l = ['b', 'a', 'b'] WHERE k = 1")
    assert bag("l", 1) == ["b", "a", "b"]
    run(f"UPDATE {table} SET l = l + ['c', 'd'] WHERE k = 1")
    assert bag("l", 1) == ["b", "a", "b", "c", "d"]
    run(f"UPDATE {table} SET l = ['y', 'z'] + l WHERE k = 1")
    assert bag("l", 1) == ["y", "z", "b", "a", "b", "c", "d"]
    run(f"UPDATE {table} SET l[0] = 'x', l[6] = 'e' WHERE k = 1")
    assert bag("l", 1) == ["x", "z", "b", "a", "b", "c", "e"]
    run(f"DELETE l[1] FROM {table} WHERE k = 1")
    assert bag("l", 1) == ["x", "b", "a", "b", "c", "e"]
    run(f"UPDATE {table} SET l = l - ['b', 'nothing'] WHERE k = 1")
    assert bag("l", 1) == ["x", "a", "c", "e"]
    run(f"UPDATE {table} SET l = ['new'] WHERE k = 1")
    assert bag("l", 1) == ["new"]
    run(f"DELETE l FROM {table} WHERE k = 1")
    assert bag("l", 1) is None


def test_repeated_prepends(table, run, bag):
    for letter in "abc":
        run(f"UPDATE {table} SET l = ['{letter}'] + l WHERE k = 2")
    assert bag("l", 2) == ["c", "b", "a"]


def test_setting_an_element_to_null_removes_it(table, run, bag):
    run(f"UPDATE {table} SET l = ['a', 'b', 'c'] WHERE k = 3")
    run(f"UPDATE {table} SET l[1] = null WHERE k = 3")
    assert bag("l", 3) == ["a", "c"]


@pytest.mark.differs("cassandra", "counts the second index after the first deletion")
def test_deleting_several_elements(table, run, bag):
    run(f"UPDATE {table} SET l = ['a', 'b', 'c'], m = {{'x': 1, 'y': 2}} WHERE k = 4")
    run(f"DELETE l[0], l[2], m['x'] FROM {table} WHERE k = 4")
    assert bag("l", 4) == ["b"] and bag("m", 4) == {"y": 2}


def test_static_list(create, run):
    table = create("(p int, c int, l list<int> static, PRIMARY KEY (p, c))")
    run(f"UPDATE {table} SET l = l + [0] WHERE p = 1")
    run(f"UPDATE {table} SET l[0] = 100 WHERE p = 1")
    run(f"UPDATE {table} SET l = l + [1] WHERE p = 1")
    assert run(f"SELECT l FROM {table}") == [([100, 1],)]
    run(f"DELETE l[0] FROM {table} WHERE p = 1")
    assert run(f"SELECT l FROM {table}") == [([1],)]


@pytest.mark.parametrize(
    "changes, left",
    [
        ("m['a'] = 9, m['a'] = 6", {"a": 9, "b": 2}),
        ("m['a'] = 6, m['a'] = 9", {"a": 9, "b": 2}),
        ("m = m + {'c': 5}, m['c'] = 7", {"a": 1, "b": 2, "c": 7}),
        ("m['c'] = 7, m = m + {'c': 5, 'd': 1}", {"a": 1, "b": 2, "c": 7, "d": 1}),
        ("m = m - {'a'}, m['a'] = 9", {"b": 2}),
        ("m['a'] = 9, m = m - {'a'}", {"b": 2}),
        ("m['a'] = null, m['a'] = 9", {"b": 2}),
    ],
)
def test_one_statement_is_one_moment(table, run, bag, changes, left):
    """Of several writes to one element the greatest value stays, and a deletion wins, in whatever order they stand."""
    run(f"INSERT INTO {table} (k, m) VALUES (130, {{'a': 1, 'b': 2}})")
    run(f"UPDATE {table} SET {changes} WHERE k = 130")
    assert bag("m", 130) == left


@pytest.mark.parametrize("changes", ["s = s + {'c', 'd'}, s = s - {'c'}", "s = s - {'c'}, s = s + {'c', 'd'}"])
def test_one_statement_is_one_moment_for_a_set_too(table, run, bag, changes):
    run(f"INSERT INTO {table} (k, s) VALUES (131, {{'a'}})")
    run(f"UPDATE {table} SET {changes} WHERE k = 131")
    assert bag("s", 131) == {"a", "d"}


@pytest.mark.parametrize("changes", ["l[1] = 'x', l[1] = 'w'", "l[1] = 'w', l[1] = 'x'"])
def test_one_index_written_twice(table, run, bag, changes):
    run(f"INSERT INTO {table} (k, l) VALUES (132, ['a', 'b', 'c'])")
    run(f"UPDATE {table} SET {changes} WHERE k = 132")
    assert bag("l", 132) == ["a", "x", "c"]


@pytest.mark.differs("cassandra", "each of its operations finds what those before it have left")
@pytest.mark.parametrize(
    "statement, left",
    [
        ("DELETE l[0], l[0] FROM {} WHERE k = 133", ["b", "c"]),
        ("UPDATE {} SET l = l + ['d'], l[0] = 'x' WHERE k = 133", ["x", "b", "c", "d"]),
        ("UPDATE {} SET l[0] = 'x', l = l - ['a'] WHERE k = 133", ["b", "c"]),
        ("UPDATE {} SET l = ['z'] + l, l[0] = 'x' WHERE k = 133", ["z", "x", "b", "c"]),
    ],
)
def test_indexes_are_those_of_the_list_as_it_was(table, run, bag, statement, left):
    run(f"INSERT INTO {table} (k, l) VALUES (133, ['a', 'b', 'c'])")
    run(statement.format(table))
    assert bag("l", 133) == left


@pytest.mark.differs("cassandra", "this is ScyllaDB's")
def test_an_element_in_a_place_of_its_own(table, session, run, bag):
    """By the timeuuid that keeps a list's element in its place, which makes a write to a list idempotent."""
    put = session.prepare(f"UPDATE {table} SET l[SCYLLA_TIMEUUID_LIST_INDEX(?)] = ? WHERE k = 134")
    first, second = (uuid.UUID(fields=(0, n, 0x11EF, 128, 0, 0)) for n in (1, 2))
    for place, value in ((second, "b"), (first, "a"), (second, "c")):
        session.execute(put, (place, value))
    assert bag("l", 134) == ["a", "c"]
    session.execute(put, (first, None))
    assert bag("l", 134) == ["c"]
    with pytest.raises(InvalidRequest, match="Invalid null value for list index"):
        session.execute(put, (None, "d"))


def test_static_list_appended_to_by_several_rows(create, run):
    """The statement is carried out for each row that it names, and so is what it does to the static row."""
    table = create("(p int, c int, l list<int> static, v int, PRIMARY KEY (p, c))")
    run(f"UPDATE {table} SET l = l + [1, 2], v = 0 WHERE p = 1 AND c IN (0, 1)")
    assert run(f"SELECT DISTINCT p, l FROM {table}") == [(1, [1, 2, 1, 2])]
    run(f"UPDATE {table} SET l = [3], v = 0 WHERE p = 1 AND c IN (0, 1)")
    assert run(f"SELECT DISTINCT p, l FROM {table}") == [(1, [3, 3])]


def test_two_lists_at_once(create, run):
    table = create("(k int PRIMARY KEY, a list<int>, b list<int>)")
    run(f"INSERT INTO {table} (k, a, b) VALUES (0, [1, 2, 3], [4, 5, 6])")
    run(f"UPDATE {table} SET b[1] = 42, a[1] = 24 WHERE k = 0")
    assert run(f"SELECT a, b FROM {table}") == [([1, 24, 3], [4, 42, 6])]


@words
@pytest.mark.parametrize(
    "statement, sentence",
    [
        ("UPDATE {} SET l[0] = 'x' WHERE k = 100", "Attempted to set an element on a list which is null"),
        ("DELETE l[0] FROM {} WHERE k = 100", "Attempted to delete an element from a list which is null"),
        ("UPDATE {} SET l[3] = 'x' WHERE k = 101", "List index 3 out of bound, list has size 2"),
        ("UPDATE {} SET l[-1] = 'x' WHERE k = 101", "List index -1 out of bound, list has size 2"),
        ("DELETE l[2] FROM {} WHERE k = 101", "List index 2 out of bound, list has size 2"),
        ("UPDATE {} SET l['x'] = 'x' WHERE k = 101", 'Invalid STRING constant (x) for "idx(l)" of type int'),
        ("UPDATE {} SET l[0] = 1 WHERE k = 101", 'Invalid INTEGER constant (1) for "value(l)" of type text'),
        ("UPDATE {} SET l = l + 'x' WHERE k = 101", 'Invalid STRING constant (x) for "l" of type list<text>'),
        ("UPDATE {} SET l = [1] WHERE k = 101", "l"),
        ("UPDATE {} SET l = [null] WHERE k = 101", "Cannot store NULL in list or set"),
        ("UPDATE {} SET l = l + {{'a'}} WHERE k = 101", "set literal for l of type list<text>"),
        ("UPDATE {} SET l = l + {{'a': 'b'}} WHERE k = 101", "map literal for l of type list<text>"),
        ("UPDATE {} SET s = s + ['a'] WHERE k = 101", "list literal for s of type set<text>"),
        ("UPDATE {} SET s = s - ['a'] WHERE k = 101", "list literal for s of type set<text>"),
        ("UPDATE {} SET s = s + {{'a': 1}} WHERE k = 101", "map literal for s of type set<text>"),
        ("UPDATE {} SET s['a'] = 'b' WHERE k = 101", "Invalid operation (s['a'] = 'b') for set column s"),
        ("UPDATE {} SET s = {{'a'}} + s WHERE k = 101", "Invalid operation (s = {{'a'}} + s) for non list column s"),
        ("UPDATE {} SET m = m + {{'a'}} WHERE k = 101", "set literal for m of type map<text, int>"),
        ("UPDATE {} SET m = m + ['a'] WHERE k = 101", "list literal for m of type map<text, int>"),
        ("UPDATE {} SET m = m - {{'a': 1}} WHERE k = 101", "map literal for m of type"),
        ("UPDATE {} SET m = {{'a': 1}} + m WHERE k = 101", "for non list column m"),
        ("UPDATE {} SET m[1] = 1 WHERE k = 101", 'Invalid INTEGER constant (1) for "key(m)" of type text'),
        ("UPDATE {} SET m['a'] = 'b' WHERE k = 101", 'Invalid STRING constant (b) for "value(m)" of type int'),
        ("UPDATE {} SET m[null] = 1 WHERE k = 101", "Invalid null map key"),
        ("UPDATE {} SET m = {{'a': null}} WHERE k = 101", "null"),
        ("UPDATE {} SET m = {{null: 1}} WHERE k = 101", "null"),
        ("UPDATE {} SET s = {{null}} WHERE k = 101", "null"),
        ("UPDATE {} SET fl[0] = 1 WHERE k = 101", "Invalid operation (fl[0] = 1) for frozen collection column fl"),
        ("UPDATE {} SET fl = fl + [1] WHERE k = 101",
         "Invalid operation (fl = fl + [1]) for frozen collection column fl"),
        ("UPDATE {} SET fl = [1] + fl WHERE k = 101", "Invalid operation (fl = [1] + fl) for frozen list column fl"),
        ("UPDATE {} SET fs = fs - {{1}} WHERE k = 101",
         "Invalid operation (fs = fs - {{1}}) for frozen collection column fs"),
        ("UPDATE {} SET fm[1] = 'x' WHERE k = 101", "Invalid operation (fm[1] = 'x') for frozen collection column fm"),
        ("DELETE fl[0] FROM {} WHERE k = 101", "Invalid deletion operation for frozen collection column fl"),
        ("DELETE n[0] FROM {} WHERE k = 101", "Invalid deletion operation for non collection column n"),
        ("UPDATE {} SET n = n + 1 WHERE k = 101", "Invalid operation (n = n + 1) for non counter column n"),
        ("UPDATE {} SET t.a = 1 WHERE k = 101", "Invalid operation (t.a = 1) for non-UDT column t"),
        ("UPDATE {} SET l = ['a'], l = ['b'] WHERE k = 101", "Multiple incompatible setting of column l"),
        ("UPDATE {} SET t = (1, 2, 3) WHERE k = 101", "t"),
        ("UPDATE {} SET t = (1, 2) WHERE k = 101", "t"),
    ],
)  # fmt: skip
def test_refusals(table, run, session, statement, sentence):
    from cassandra.protocol import SyntaxException

    run(f"UPDATE {table} SET l = ['a', 'b'] WHERE k = 101")
    with pytest.raises((InvalidRequest, SyntaxException)) as caught:
        session.execute(statement.format(table))
    assert sentence.replace("{{", "{").replace("}}", "}") in str(caught.value)


# ---------------------------------------------------------------- sets and maps


def test_set(table, run, bag):
    run(f"UPDATE {table} SET s = {{'b', 'a', 'b'}} WHERE k = 10")
    assert bag("s", 10) == {"a", "b"}
    run(f"UPDATE {table} SET s = s + {{'c', 'a'}} WHERE k = 10")
    assert bag("s", 10) == {"a", "b", "c"}
    run(f"UPDATE {table} SET s = s - {{'a', 'nothing'}} WHERE k = 10")
    assert bag("s", 10) == {"b", "c"}
    run(f"DELETE s['b'] FROM {table} WHERE k = 10")
    assert bag("s", 10) == {"c"}
    run(f"UPDATE {table} SET s = {{}} WHERE k = 10")
    assert bag("s", 10) is None


def test_sets_are_sorted(table, session):
    session.execute(f"UPDATE {table} SET s = {{'b', 'c', 'a'}} WHERE k = 11")
    assert list(session.execute(f"SELECT s FROM {table} WHERE k = 11").one()[0]) == ["a", "b", "c"]


def test_map(table, run, bag):
    run(f"INSERT INTO {table} (k, m) VALUES (20, {{'a': 1, 'b': 2}})")
    run(f"UPDATE {table} SET m['c'] = 3, m['a'] = 10 WHERE k = 20")
    assert bag("m", 20) == {"a": 10, "b": 2, "c": 3}
    run(f"UPDATE {table} SET m = m + {{'d': 4, 'a': 0}} WHERE k = 20")
    assert bag("m", 20) == {"a": 0, "b": 2, "c": 3, "d": 4}
    run(f"UPDATE {table} SET m = m - {{'a', 'nothing'}} WHERE k = 20")
    run(f"DELETE m['b'] FROM {table} WHERE k = 20")
    run(f"UPDATE {table} SET m['c'] = null WHERE k = 20")
    assert bag("m", 20) == {"d": 4}
    run(f"UPDATE {table} SET m = {{}} WHERE k = 20")
    assert bag("m", 20) is None


def test_adding_and_removing_in_one_statement(table, run, bag):
    run(f"INSERT INTO {table} (k, m) VALUES (21, {{'a': 1, 'b': 2}})")
    run(f"UPDATE {table} SET m = m + {{'c': 3}}, m = m - {{'a'}} WHERE k = 21")
    assert bag("m", 21) == {"b": 2, "c": 3}


def test_first_of_two_values_of_a_key(table, run, bag):
    run(f"INSERT INTO {table} (k, m) VALUES (22, {{'a': 1, 'a': 2}})")
    assert set(bag("m", 22)) == {"a"}


def test_elements_have_timestamps_of_their_own(table, run, bag):
    run(f"UPDATE {table} USING TIMESTAMP 1000 SET m = {{'a': 1, 'b': 2}} WHERE k = 23")
    run(f"UPDATE {table} USING TIMESTAMP 900 SET m['a'] = 0, m['c'] = 3 WHERE k = 23")
    assert bag("m", 23) == {"a": 1, "b": 2}  # c is older than the map that replaced all
    run(f"UPDATE {table} USING TIMESTAMP 1100 SET m['a'] = 5 WHERE k = 23")
    run(f"UPDATE {table} USING TIMESTAMP 1050 SET m = {{'z': 9}} WHERE k = 23")
    assert bag("m", 23) == {"a": 5, "z": 9}


def test_empty_collections_are_null(table, run):
    """Of a collection that is not frozen only its elements are stored; none of them is nothing at all."""
    run(f"INSERT INTO {table} (k, l, s, m) VALUES (30, [], {{}}, {{}})")
    assert run(f"SELECT l, s, m FROM {table} WHERE k = 30") == [(None, None, None)]


def test_update_to_empty_leaves_no_row(table, run):
    run(f"UPDATE {table} SET l = ['a'] WHERE k = 31")
    run(f"UPDATE {table} SET l = [] WHERE k = 31")
    assert run(f"SELECT * FROM {table} WHERE k = 31") == []


# ---------------------------------------------------------------- frozen


def test_frozen_collections_are_single_values(table, run, bag):
    run(f"INSERT INTO {table} (k, fl, fs, fm) VALUES (40, [3, 1], {{2, 1, 2}}, {{2: 'b', 1: 'a'}})")
    assert (bag("fl", 40), bag("fs", 40), bag("fm", 40)) == ([3, 1], {1, 2}, {1: "a", 2: "b"})
    run(f"INSERT INTO {table} (k, fl, fs, fm) VALUES (40, [], {{}}, {{}})")
    assert (bag("fl", 40), bag("fs", 40), bag("fm", 40)) == ([], set(), {})
    run(f"INSERT INTO {table} (k, fl) VALUES (40, null)")
    assert bag("fl", 40) is None


def test_frozen_collections_as_keys(create, run):
    table = create("(p frozen<set<int>>, c frozen<list<int>>, v int, PRIMARY KEY (p, c))")
    run(f"INSERT INTO {table} (p, c, v) VALUES ({{2, 1}}, [1, 2], 1)")
    run(f"INSERT INTO {table} (p, c, v) VALUES ({{1, 2}}, [1], 2)")
    run(f"INSERT INTO {table} (p, c, v) VALUES ({{1, 2}}, [0, 9], 3)")
    assert run(f"SELECT v FROM {table} WHERE p = {{1, 2}}") == [(3,), (2,), (1,)]
    assert run(f"SELECT v FROM {table} WHERE p = {{2, 1}} AND c = [1, 2]") == [(1,)]
    assert run(f"SELECT v FROM {table} WHERE p = {{2, 1}} AND c > [1]") == [(1,)]


def test_collections_in_collections(create, run):
    table = create("(k int PRIMARY KEY, x map<int, frozen<set<int>>>, y list<frozen<map<text, int>>>)")
    run(f"INSERT INTO {table} (k, x, y) VALUES (1, {{1: {{2, 1}}}}, [{{'a': 1}}])")
    run(f"UPDATE {table} SET x[2] = {{5}}, y = y + [{{'b': 2}}] WHERE k = 1")
    ((x, y),) = run(f"SELECT x, y FROM {table}")
    assert {key: set(value) for key, value in x.items()} == {1: {1, 2}, 2: {5}}
    assert [dict(value) for value in y] == [{"a": 1}, {"b": 2}]


@words
@pytest.mark.parametrize("kind", ["set<map<int, int>>", "list<set<int>>", "map<int, list<int>>"])
def test_inner_collections_must_be_frozen(keyspace, refused, kind):
    message = refused(InvalidRequest, f"CREATE TABLE {keyspace}.never (k int PRIMARY KEY, x {kind})")
    assert f"Non-frozen user types or collections are not allowed inside collections: {kind}" in message


@words
def test_collection_keys_must_be_frozen(keyspace, refused):
    message = refused(InvalidRequest, f"CREATE TABLE {keyspace}.never (k list<int> PRIMARY KEY)")
    assert "Invalid non-frozen collection type for PRIMARY KEY component k" in message


# ---------------------------------------------------------------- tuples


def test_tuple(table, run):
    run(f"INSERT INTO {table} (k, t) VALUES (50, (1, 'one'))")
    assert run(f"SELECT t FROM {table} WHERE k = 50") == [((1, "one"),)]
    run(f"INSERT INTO {table} (k, t) VALUES (50, (1, null))")
    assert run(f"SELECT t FROM {table} WHERE k = 50") == [((1, None),)]
    run(f"INSERT INTO {table} (k, t) VALUES (50, null)")
    assert run(f"SELECT t FROM {table} WHERE k = 50") == [(None,)]


def test_tuple_of_fewer_elements(table, run):
    run(f"INSERT INTO {table} (k, t) VALUES (51, (1))")
    assert run(f"SELECT t FROM {table} WHERE k = 51") == [((1, None),)]


def test_tuples_as_keys(create, run):
    table = create("(p frozen<tuple<int, text>>, c frozen<tuple<int, int>>, PRIMARY KEY (p, c))")
    for c in ("(2, 1)", "(1, 9)", "(1, 2)"):
        run(f"INSERT INTO {table} (p, c) VALUES ((1, 'x'), {c})")
    assert run(f"SELECT c FROM {table} WHERE p = (1, 'x')") == [((1, 2),), ((1, 9),), ((2, 1),)]
    assert run(f"SELECT c FROM {table} WHERE p = (1, 'x') AND c > (1, 5)") == [((1, 9),), ((2, 1),)]


# ---------------------------------------------------------------- bound values


def test_bound_collections(table, session, bag):
    prepared = session.prepare(f"INSERT INTO {table} (k, l, s, m, fl, fs, fm, t) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
    session.execute(prepared, (60, ["b", "a"], {"x"}, {"a": 1}, [2, 1], {3}, {1: "x"}, (5, "five")))
    assert bag("l", 60) == ["b", "a"] and bag("s", 60) == {"x"} and bag("m", 60) == {"a": 1}
    assert bag("fl", 60) == [2, 1] and bag("fs", 60) == {3} and bag("fm", 60) == {1: "x"}
    assert bag("t", 60) == (5, "five")


def test_bound_parts(table, session, bag):
    session.execute(f"INSERT INTO {table} (k, l, s, m) VALUES (61, ['a', 'b'], {{'x'}}, {{'a': 1}})")
    for statement, values in [
        ("UPDATE {} SET l = l + ?, s = s + ?, m = m + ? WHERE k = 61", (["c"], {"y"}, {"b": 2})),
        ("UPDATE {} SET l[?] = ?, m[?] = ? WHERE k = 61", (0, "A", "c", 3)),
        ("UPDATE {} SET l = l - ?, s = s - ?, m = m - ? WHERE k = 61", (["b"], {"x"}, {"a"})),
        ("UPDATE {} SET l = ? + l WHERE k = 61", (["z"],)),
        ("DELETE l[?], m[?] FROM {} WHERE k = 61", (1, "b")),
    ]:
        session.execute(session.prepare(statement.format(table)), values)
    assert bag("l", 61) == ["z", "c"] and bag("s", 61) == {"y"} and bag("m", 61) == {"c": 3}


@pytest.mark.differs("cassandra", "has no markers inside of collections")
def test_markers_inside_of_literals(table, session, bag):
    prepared = session.prepare(f"INSERT INTO {table} (k, l, m, t) VALUES (62, ['a', ?], {{?: ?}}, (?, ?))")
    session.execute(prepared, ("b", "key", 5, 1, "x"))
    assert bag("l", 62) == ["a", "b"] and bag("m", 62) == {"key": 5} and bag("t", 62) == (1, "x")


@pytest.mark.differs("cassandra", "fails on unset in additions to collections")
def test_unset_leaves_collections_alone(table, session, bag):
    session.execute(f"INSERT INTO {table} (k, l, s, m) VALUES (63, ['a', 'b'], {{'x'}}, {{'a': 1}})")
    for statement, count in [
        ("INSERT INTO {} (k, l, s, m) VALUES (63, ?, ?, ?)", 3),
        ("UPDATE {} SET l = l + ?, s = s + ?, m = m + ? WHERE k = 63", 3),
        ("UPDATE {} SET l = l - ?, s = s - ?, m = m - ? WHERE k = 63", 3),
        ("UPDATE {} SET l[0] = ?, m['a'] = ? WHERE k = 63", 2),
    ]:
        session.execute(session.prepare(statement.format(table)), (UNSET_VALUE,) * count)
    assert bag("l", 63) == ["a", "b"] and bag("s", 63) == {"x"} and bag("m", 63) == {"a": 1}


@words
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET m[?] = 1 WHERE k = 64",
        "UPDATE {} SET l[?] = 'x' WHERE k = 64",
        "DELETE m[?] FROM {} WHERE k = 64",
    ],
)
def test_unset_keys_are_refused(table, session, statement):
    session.execute(f"INSERT INTO {table} (k, l, m) VALUES (64, ['a'], {{'a': 1}})")
    with pytest.raises(InvalidRequest, match="unset"):
        session.execute(session.prepare(statement.format(table)), (UNSET_VALUE,))


def test_null_added_is_nothing_added(table, session, bag):
    session.execute(f"INSERT INTO {table} (k, l, s) VALUES (65, ['a'], {{'x'}})")
    session.execute(session.prepare(f"UPDATE {table} SET l = l + ?, s = s - ? WHERE k = 65"), (None, None))
    assert bag("l", 65) == ["a"] and bag("s", 65) == {"x"}


def test_large_elements(create, session):
    table = create("(k int PRIMARY KEY, l list<text>, m map<text, text>)")
    large = "x" * 70_000
    session.execute(session.prepare(f"INSERT INTO {table} (k, l, m) VALUES (0, ?, ?)"), ([large, "v"], {"k": large}))
    row = session.execute(f"SELECT l, m FROM {table}").one()
    assert row[0] == [large, "v"] and dict(row[1]) == {"k": large}


def test_functions_inside_of_collections(create, session):
    table = create("(k int PRIMARY KEY, v list<timeuuid>)")
    session.execute(f"INSERT INTO {table} (k, v) VALUES (0, [now(), now()])")
    one, two = session.execute(f"SELECT v FROM {table}").one()[0]
    assert isinstance(one, uuid.UUID) and one != two


# ---------------------------------------------------------------- reading parts


@pytest.mark.parametrize(
    "selector, expected",
    [("m['a']", 1), ("m['nothing']", None), ("fm[1]", "x")],
)
def test_selecting_an_element(table, run, selector, expected):
    run(f"INSERT INTO {table} (k, m, s, fm) VALUES (70, {{'a': 1}}, {{'x'}}, {{1: 'x'}})")
    assert run(f"SELECT {selector} FROM {table} WHERE k = 70") == [(expected,)]
