"""JSON both ways: the parser's words, each type's form, INSERT JSON and what the functions refuse."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded_scylla.errors import FunctionFailure, InvalidRequest
from embedded_scylla.protocol import messages
from embedded_scylla.types import Duration, MarshalError, by_name
from embedded_scylla.types.json_parser import parse
from embedded_scylla.types.json_text import JsonError, quote, show

from .asking import Asking

# ---------------------------------------------------------------- the text itself

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(VALUES)
def test_what_is_shown_is_read_back(value):
    assert parse(show(value)) == value
    assert json.loads(show(value)) == value


@given(VALUES, st.sampled_from([True, False]))
def test_anybody_s_json_is_read(value, spaced):
    assert parse(f" {json.dumps(value, ensure_ascii=spaced, indent=2 if spaced else None)}\n") == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The document is empty. at 0"),
        ("  ", "The document is empty. at 2"),
        ("dog", "Invalid value. at 0"),
        ("tru", "Invalid value. at 3"),
        ("-x", "Invalid value. at 1"),
        ('{"a":1}x', "The document root must not be followed by other values. at 7"),
        ("{'a':1}", "Missing a name for object member. at 1"),
        ('{"a" 1}', "Missing a colon after a name of object member. at 5"),
        ('{"ä":1 2}', "Missing a comma or } after an object member. at 8"),
        ("[1 2]", "Missing a comma or ] after an array element. at 3"),
        ("[1,]", "Invalid value. at 3"),
        ('"a', "Missing a closing quotation mark in string. at 0"),
        ('"a\tb"', "Invalid encoding in string. at 2"),
        (r'"\q"', "Invalid escape character in string. at 1"),
        (r'"\u12"', "Incorrect hex digit after \\u escape in string. at 1"),
        (r'"\ud800"', "The surrogate pair in string is invalid. at 1"),
        (r'"\ud800A"', "The surrogate pair in string is invalid. at 1"),
        ("1.", "Miss fraction part in number. at 2"),
        ("1e+", "Miss exponent in number. at 3"),
        ("1e999", "Number too big to be stored in double. at 0"),
        ("01", "The document root must not be followed by other values. at 1"),
    ],
)
def test_what_is_no_json(text, message):
    with pytest.raises(JsonError) as refusal:
        parse(text)
    assert refusal.value.message == f"Parsing JSON failed: {message}"


def test_depth_has_an_end():
    assert parse("[" * 78 + "]" * 78)
    with pytest.raises(JsonError, match=r"^Max nested level reached: 78$"):
        parse("[" * 79 + "]" * 79)
    with pytest.raises(JsonError, match=r"^Max nested level reached: 39$"):
        by_name("uuid").from_json(parse("[" * 40 + "]" * 40))


def test_of_members_with_one_name_the_first_counts():
    assert parse('{"a": 1, "a": 2}') == {"a": 1}


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (12.0, "12.0"), (1e16, "10000000000000000.0"), (1e21, "1e21"), (1.5e300, "1.5e300"), (0.001234, "0.001234"),
        (1e-7, "1e-7"), (-0.0, "-0.0"), (123456.789, "123456.789"),
    ],
)  # fmt: skip
def test_numbers_as_messages_and_decimals_see_them(number, shown):
    assert show(number) == shown


def test_quoting():
    assert quote('a"\\\b\f\n\r\t\x01é') == '"a\\"\\\\\\b\\f\\n\\r\\t\\u0001é"'


# ---------------------------------------------------------------- types

FORMS = [
    ("ascii", "dog", '"dog"'),
    ("bigint", -9000000000, "-9000000000"),
    ("blob", b"\x01\xff", '"0x01ff"'),
    ("boolean", True, "true"),
    ("date", (1 << 31) + 1, '"1970-01-02"'),
    ("counter", 5, "5"),
    ("decimal", "12.5", "12.5"),
    ("double", 123123.123123, "123123.123123"),
    ("float", 1.5, "1.5"),
    ("inet", "10.0.0.1", '"10.0.0.1"'),
    ("int", 7, "7"),
    ("list<text>", ["b", "a"], '["b", "a"]'),
    ("map<int, text>", {2: "two", 1: "one"}, '{"1": "one", "2": "two"}'),
    ("map<text, boolean>", {"a": True}, '{"a": true}'),
    ("set<int>", [3, 1, 2], "[1, 2, 3]"),
    ("smallint", 3, "3"),
    ("text", 'é"\n', '"é\\"\\n"'),
    ("time", 123, '"00:00:00.000000123"'),
    ("timestamp", 1388578545000, '"2014-01-01 12:15:45.000Z"'),
    ("tinyint", -1, "-1"),
    ("frozen<tuple<text, int>>", ("hello", None), '["hello", null]'),
    ("vector<float, 2>", [1.5, 2.0], "[1.5, 2]"),
    ("duration", Duration(13, 2, 36_300_000_000_000), '"1y1mo2d10h5m"'),
    ("varint", 10**30, "1" + 30 * "0"),
]


@pytest.mark.parametrize(("type_name", "value", "shown"), FORMS)
def test_a_type_s_form(type_name, value, shown):
    cql_type = by_name(type_name)
    data = cql_type.encode(value)
    assert cql_type.to_json(data) == shown
    if "null" not in shown and type_name != "varint":  # a number without quotes is a double beyond 64 bits
        assert cql_type.from_json(parse(shown)) == data


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_has_no_such_numbers(number):
    assert by_name("double").to_json(by_name("double").encode(number)) == "null"


@pytest.mark.parametrize(
    ("type_name", "text", "value"),
    [
        ("int", '"17"', 17),
        ("int", "1e6", 1_000_000),
        ("bigint", "1.23456789E+9", 1_234_567_890),
        ("bigint", "9223372036854775807", 2**63 - 1),
        ("boolean", '" fALSe "', False),
        ("timestamp", "1388578545000", 1388578545000),
        ("timestamp", '"2014-01-01 12:15:45+0000"', 1388578545000),
        ("varint", '"12345678901234567890123"', 12345678901234567890123),
        ("double", "17", 17.0),
        ("map<double, int>", '{"1.5": 3}', {1.5: 3}),
        ("map<boolean, int>", '{"true": 3}', {True: 3}),
    ],
)
def test_other_ways_to_say_it(type_name, text, value):
    cql_type = by_name(type_name)
    assert cql_type.decode(cql_type.from_json(parse(text))) == value


@pytest.mark.parametrize(
    ("type_name", "text", "message"),
    [
        ("int", "2147483648", "Value 2147483648 out of range"),
        ("bigint", "9223372036854775808", "Value 9223372036854775808 out of range"),
        ("int", "true", "Incorrect JSON value for int64 type: true"),
        ("int", "1.5", "Incorrect JSON floating-point value for int64 type: 1.5 "
         "(it should not contain fractional part 0.5)"),
        ("int", '""', "Invalid number format ''"),
        ("blob", '"1234"', "Blob JSON strings must start with 0x"),
        ("blob", "12", "bytes_type must be represented as string in JSON, instead got '12'"),
        ("uuid", "123.456", "uuid_type must be represented as string in JSON, instead got '123.456'"),
        ("timeuuid", "{}", "timeuuid_type must be represented as string in JSON, instead got '{}'"),
        ("date", "1", "simple_date_type must be represented as string in JSON, instead got '1'"),
        ("time", "[1]", "time_type must be represented as string in JSON, instead got '[1]'"),
        ("inet", "null", "inet_addr_type must be represented as string in JSON, instead got 'null'"),
        ("boolean", "0", "Invalid JSON object 0"),
        ("timestamp", "true", "timestamp_type must be represented as string or integer"),
        ("float", "[]", "JSON value must be represented as double or string"),
        ("decimal", "true", "true must be represented as numeric or string in JSON"),
        ("list<int>", "{}", "list_type must be represented as JSON Array"),
        ("set<int>", "1", "set_type must be represented as JSON Array"),
        ("map<int, int>", "[]", "map_type must be represented as JSON Object"),
        ("vector<int, 2>", "[1]", "Too few values (1) for vector with size 2"),
        ("duration", "1", "duration_type must be represented as string in JSON, instead got '1'"),
        ("frozen<tuple<int>>", "[1, 2]", "Too many values (2) for tuple with size 1"),
        ("frozen<map<frozen<list<int>>, int>>", '{"a": 1}',
         'Failed parsing map_key "a": Parsing JSON failed: Invalid value. at 0'),
    ],
)  # fmt: skip
def test_json_of_another_kind(type_name, text, message):
    with pytest.raises(MarshalError) as refusal:
        by_name(type_name).from_json(parse(text))
    assert refusal.value.message == f"marshaling error: {message}"


def test_text_is_a_string():
    with pytest.raises(JsonError, match=r"^JSON error: condition not met: IsString\(\)$"):
        by_name("text").from_json(1)


# ---------------------------------------------------------------- statements


@pytest.fixture
def node() -> Asking:
    node = Asking()
    node.run(
        'CREATE TABLE t (p int, c text, s int static, v int, "Cap" int, l list<int>, m map<text, int>, '
        "PRIMARY KEY (p, c))"
    )
    return node


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "Got null for INSERT JSON values"),
        ("null", "JSON error: condition not met: IsObject()"),
        ("12.34", "JSON error: condition not met: IsObject()"),
        ('{"p": 1, "c": "x", "zzz": 1}', "JSON values map contains unrecognized column: zzz"),
        ('{"p": 1, "c": "x", "cap": 1}', "JSON values map contains unrecognized column: cap"),
        ('{"p": 1, "c": "x", "\\"V\\"": 1}', "JSON values map contains unrecognized column: V"),
        ('{"c": "x"}', "Missing mandatory PRIMARY KEY part p"),
        ('{"p": 1, "c": null}', "Missing mandatory PRIMARY KEY part c"),
        ('{"p": 1, "c": "x", "v": "y"}', "marshaling error: Invalid number format 'y'"),
        ("dog", "Parsing JSON failed: Invalid value. at 0"),
    ],
)
def test_what_cannot_be_inserted(node, document, message):
    with pytest.raises(InvalidRequest) as refusal:
        node.run("INSERT INTO t JSON ?", document)
    assert refusal.value.message == message
    assert node.rows("SELECT * FROM t") == []


def test_a_row_of_a_document(node):
    node.run("""INSERT INTO t JSON '{"P": 1, "c": "x", "\\"Cap\\"": 2, "v": 3, "l": [3, 1], "m": {"k": 5}}'""")
    assert node.rows('SELECT p, c, "Cap", v, l, m FROM t') == [(1, "x", 2, 3, [3, 1], {"k": 5})]


def test_what_a_document_does_not_name(node):
    full = '{"p": 1, "c": "x", "v": 1, "\\"Cap\\"": 1, "l": [1], "m": {"k": 1}}'
    node.run("INSERT INTO t JSON ?", full)
    node.run("INSERT INTO t JSON ? DEFAULT UNSET", '{"p": 1, "c": "x", "v": null, "m": {"n": 2}}')
    assert node.rows('SELECT v, "Cap", l, m FROM t') == [(None, 1, [1], {"n": 2})]
    node.run("INSERT INTO t JSON ? DEFAULT NULL", '{"p": 1, "c": "x", "v": 7}')
    assert node.rows('SELECT v, "Cap", l, m FROM t') == [(7, None, None, None)]


def test_static_columns_are_passed_over(node):
    node.run("""INSERT INTO t JSON '{"p": 1, "c": "x", "s": 5}'""")
    assert node.rows("SELECT c, s FROM t") == [("x", None)]


def test_a_document_in_a_transaction_and_a_batch(node):
    insert = "INSERT INTO t JSON ? IF NOT EXISTS"
    assert node.rows(insert, '{"p": 1, "c": "x", "v": 1}')[0][0] is True
    assert node.rows(insert, '{"p": 1, "c": "x", "v": 2}')[0][:3] == (False, 1, "x")
    node.run("""BEGIN BATCH INSERT INTO t JSON '{"p": 1, "c": "y"}' USING TTL 100; """
             """INSERT INTO t JSON '{"p": 1, "c": "z", "v": 4}'; APPLY BATCH""")  # fmt: skip
    assert node.rows("SELECT c, v FROM t") == [("x", 1), ("y", None), ("z", 4)]


def test_members_are_called_as_columns_are(node):
    node.run("""INSERT INTO t JSON '{"p": 1, "c": "x", "v": 17, "m": {"k": 5}}'""")
    asked = 'SELECT JSON v, v AS "Hello", toJson(m), m[\'k\'], CAST(v AS text), "Cap", ttl(v) FROM t'
    assert node.ask(asked).names == ["[json]"]
    assert node.rows(asked) == [
        (
            '{"v": 17, "\\"Hello\\"": 17, "system.tojson(m)": "{\\"k\\": 5}", "m[\'k\']": 5, "cast(v as text)": "17", '
            '"\\"Cap\\"": null, "ttl(v)": null}',
        )
    ]


@pytest.mark.parametrize("page", [1, 2, 100])
def test_pages_limits_and_aggregates_of_objects(node, page):
    for c in "abc":
        node.run("INSERT INTO t (p, c) VALUES (1, ?)", c)
    pages = node.paged("SELECT JSON c FROM t LIMIT 2", page=page)
    assert [row for rows in pages for row in rows] == [('{"c": "a"}',), ('{"c": "b"}',)]
    assert node.rows("SELECT JSON count(*), max(c) AS last FROM t") == [('{"count": 3, "last": "c"}',)]
    assert node.rows("SELECT JSON DISTINCT p FROM t") == [('{"p": 1}',)]
    assert node.rows("SELECT JSON p, count(*) FROM t GROUP BY p") == [('{"p": 1, "count": 3}',)]


def test_from_json_wherever_a_value_stands(node):
    node.run("INSERT INTO t (p, c, l) VALUES (1, fromJson('\"x\"'), fromJson(?))", "[1, 2]")
    node.run("UPDATE t SET m['k'] = fromJson('5'), l = l + fromJson('[3]') WHERE p = fromJson('1') AND c = 'x'")
    assert node.rows("SELECT l, m FROM t WHERE p = fromJson(?)", "1") == [([1, 2, 3], {"k": 5})]
    node.run("INSERT INTO t (p, c, l) VALUES (1, 'x', fromJson('null'))")
    node.run("INSERT INTO t (p, c, m) VALUES (1, 'x', fromJson(?))", None)
    assert node.rows("SELECT l, m FROM t") == [(None, None)]


@pytest.mark.parametrize(
    ("document", "detail", "function"),
    [
        ("dog", "Failed parsing fromJson parameter: Parsing JSON failed: Invalid value. at 0", "fromJson"),
        (
            '"dog"',
            "Failed execution of function system.fromjson: marshal_exception "
            "(marshaling error: Invalid number format 'dog')",
            "fromjson",
        ),
    ],
)
def test_a_function_that_fails(node, document, detail, function):
    with pytest.raises(FunctionFailure) as failure:
        node.run("INSERT INTO t (p, c, v) VALUES (1, 'x', fromJson(?))", document)
    assert failure.value.message == f"execution of {function} failed: {detail}"
    body = messages.encode_error(failure.value)
    assert body.startswith(b"\x00\x00\x14\x00") and body.endswith(b"Type")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT fromJson('1') FROM t", "fromJson() can only be called if receiver type is known"),
        ("SELECT toJson(v, v) FROM t", "toJson() accepts 1 argument only"),
        ("SELECT toJson(1) FROM t", "toJson() is only valid when its argument type is known"),
        ("INSERT INTO t (p, c, v) VALUES (1, 'x', fromJson())", "fromJson() accepts 1 argument only"),
        (
            "INSERT INTO t (p, c, v) VALUES (1, 'x', fromJson(1))",
            "Type error: 1 cannot be passed as argument 0 of function system.fromjson of type text",
        ),
        ("SELECT count(2) FROM t", "count() expects a column or the literal 1 as an argument"),
        ("SELECT count(?) FROM t", "count() function is only valid when argument types are known"),
    ],
)
def test_calls_that_cannot_be_made(node, text, message):
    with pytest.raises(InvalidRequest) as refusal:
        node.run(text)
    assert refusal.value.message == message


def test_counters_are_not_inserted(node):
    node.run("CREATE TABLE counts (p int PRIMARY KEY, n counter)")
    with pytest.raises(InvalidRequest, match=r"^Cannot set the value of counter column n in JSON$"):
        node.run("""INSERT INTO counts JSON '{"p": 1, "n": 1}'""")
    node.run("UPDATE counts SET n = n + 2 WHERE p = 1")
    assert node.rows("SELECT JSON * FROM counts") == [('{"p": 1, "n": 2}',)]


def test_elements_are_arguments_too(node):
    node.run("INSERT INTO t (p, c, l, m) VALUES (1, 'x', [7], {'k': 5})")
    assert node.rows("SELECT blobAsInt(intAsBlob(l[0])), toJson(m['k']), max(m['k']) FROM t") == [(7, "5", 5)]
