"""Terms: which literals fit which types, what they turn into, and what is said when they do not fit."""

from types import SimpleNamespace

import pytest
from cassandra.murmur3 import murmur3

from embedded_scylla import types
from embedded_scylla.cql import ast
from embedded_scylla.errors import InvalidRequest
from embedded_scylla.request import UNSET
from embedded_scylla.schema import PARTITION_KEY, Column, ColumnSpec, Table
from embedded_scylla.terms import receivers
from embedded_scylla.terms.compile import Variables, compile_term
from embedded_scylla.types import by_name

NULL = ast.Literal("null", "null")
MARKER = ast.BindMarker(0)


def string(text):
    return ast.Literal("string", text)


def integer(number):
    return ast.Literal("integer", str(number))


def call(name, *arguments):
    return ast.FunctionCall(ast.Name(name), arguments)


def hint(name, term):
    return ast.TypeHint(ast.TypeName(name), term)


def spec(name):
    return ColumnSpec("ks", "t", "c", by_name(name))


def context(*values):
    clock = SimpleNamespace(unique_micros=lambda: 1, micros=lambda: 1)
    return SimpleNamespace(values=values, clock=clock)


def evaluate(term, name, *values, table=None):
    """The term's value for a column c of the type, as text (None and UNSET as they are)."""
    value = compile_term(term, spec(name), Variables([None] * len(values)), table)(context(*values))
    return by_name(name).to_text(value) if isinstance(value, bytes) else value


# ---------------------------------------------------------------- constants

KINDS = {
    "string": (string("x"), ("ascii", "text", "inet", "timestamp", "date", "time")),
    "integer": (
        integer(5),
        (
            "bigint",
            "counter",
            "decimal",
            "double",
            "float",
            "int",
            "smallint",
            "timestamp",
            "date",
            "tinyint",
            "varint",
        ),
    ),
    "float": (ast.Literal("float", "1.5"), ("decimal", "double", "float")),
    "boolean": (ast.Literal("boolean", "true"), ("boolean",)),
    "uuid": (ast.Literal("uuid", "12345678-1234-1234-8234-123456789abc"), ("uuid", "timeuuid")),
    "hex": (ast.Literal("hex", "0x00"), ("blob",)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*types.NATIVE, "list<int>", "frozen<map<int, int>>"])
def test_a_constant_fits_these_types_only(kind, name):
    term, accepted = KINDS[kind]
    expected = f'Invalid {kind.upper()} constant ({term.text}) for "c" of type {name}'
    try:
        evaluate(term, name)
        message = ""
    except InvalidRequest as error:
        message = error.message
    assert (message == expected) is (name not in accepted)


@pytest.mark.parametrize("name", [*types.NATIVE, "list<int>", "frozen<set<int>>", "tuple<int>"])
def test_null_fits_everything(name):
    if name == "counter":  # nothing is added to it, and 0 is no null
        with pytest.raises(InvalidRequest, match=r"^Invalid null value for counter increment/decrement$"):
            evaluate(NULL, name)
    else:
        assert evaluate(NULL, name) is None


@pytest.mark.parametrize(
    ("term", "name", "text"),
    [
        (integer(7), "varint", "7"),
        (integer(7), "double", "7"),
        (ast.Literal("float", "NaN"), "float", "nan"),
        (ast.Literal("float", "-Infinity"), "double", "-inf"),
        (ast.Literal("hex", "0xCAFE"), "blob", "0xcafe"),
        (string("2024-07-23 08:59:19.829Z"), "timestamp", "'2024-07-23T08:59:19.829Z'"),
        (integer(0), "timestamp", "'1970-01-01T00:00:00.000Z'"),
        (string("::1"), "inet", "'::1'"),
        (string("1:x"), "tuple<int, text>", "(1, 'x')"),
        (string(""), "text", "''"),
    ],
)
def test_constants(term, name, text):
    assert evaluate(term, name) == text


def test_a_constant_is_known_to_be_one():
    value = compile_term(integer(7), spec("int"), Variables())
    assert value.is_constant and value.constant == b"\0\0\0\7" and value.variable is None


# ---------------------------------------------------------------- variables


def test_a_marker_passes_null_and_unset_through_and_checks_the_rest():
    variables = Variables([None])
    value = compile_term(MARKER, spec("int"), variables)
    assert (value.variable, value.is_constant) == (0, False)
    assert variables.specs == [spec("int")]
    assert value(context(b"\0\0\0\1")) == b"\0\0\0\1"
    assert value(context(None)) is None
    assert value(context(UNSET)) is UNSET
    with pytest.raises(InvalidRequest) as caught:
        value(context(b"123"))
    assert caught.value.message == (
        "Exception while binding column c: marshaling error: "
        "Validation failed for type org.apache.cassandra.db.marshal.Int32Type: got 3 bytes"
    )


def test_a_named_variable_keeps_its_name_and_has_one_type():
    variables = Variables(["n"])
    marker = ast.BindMarker(0, "n")
    compile_term(marker, spec("int"), variables)
    compile_term(marker, spec("int"), variables)
    assert variables.specs == [ColumnSpec("ks", "t", "n", types.INT)]
    with pytest.raises(InvalidRequest, match=r"^variable :n has type int which doesn't match c$"):
        compile_term(marker, spec("text"), variables)


def test_a_bound_set_comes_in_its_order_and_without_doubles():
    one, two = types.INT.encode(1), types.INT.encode(2)
    assert evaluate(MARKER, "set<int>", types.wire.pack_values([two, one, two])) == "{1, 2}"


def test_a_list_with_null_is_for_in_only():
    data = types.wire.pack_values([None])
    with pytest.raises(InvalidRequest, match=r"^Cannot store NULL in list or set$"):
        evaluate(MARKER, "list<int>", data)
    in_list = receivers.many_of(ColumnSpec("ks", "t", "c", by_name("int")), "IN")
    assert in_list.name == "IN(c)"
    assert compile_term(MARKER, in_list, Variables([None]), to_compare=True)(context(data)) == data


# ---------------------------------------------------------------- collections and tuples


@pytest.mark.parametrize(
    ("term", "name", "text"),
    [
        (ast.ListLiteral((integer(2), integer(1), integer(2))), "list<int>", "[2, 1, 2]"),
        (ast.SetLiteral((integer(2), integer(1), integer(2))), "set<int>", "{1, 2}"),
        (ast.MapLiteral(((string("b"), integer(1)), (string("a"), integer(2)))), "map<text, int>", "{'a': 2, 'b': 1}"),
        (ast.MapLiteral(((integer(1), integer(1)), (integer(1), integer(2)))), "map<int, int>", "{1: 1}"),
        (ast.SetLiteral(()), "frozen<map<int, int>>", "{}"),
        (ast.ListLiteral(()), "frozen<list<int>>", "[]"),
        (ast.TupleLiteral((integer(1), NULL)), "tuple<int, text>", "(1, null)"),
        (ast.TupleLiteral((integer(1),)), "tuple<int, text>", "(1, null)"),
        (ast.ListLiteral((ast.TupleLiteral((integer(1), string("x"))),)), "list<tuple<int, text>>", "[(1, 'x')]"),
    ],
)
def test_literals_of_collections(term, name, text):
    assert evaluate(term, name) == text


@pytest.mark.parametrize("name", ["set<int>", "map<int, int>"])
def test_an_empty_collection_that_is_not_frozen_is_null(name):
    assert evaluate(ast.SetLiteral(()), name) is None


def test_markers_within_a_literal():
    term = ast.ListLiteral((integer(1), ast.BindMarker(0)))
    assert evaluate(term, "list<int>", types.INT.encode(5)) == "[1, 5]"
    variables = Variables([None])
    compile_term(term, spec("list<int>"), variables)
    assert variables.specs[0].name == "value(c)"


@pytest.mark.parametrize(
    ("term", "name", "message"),
    [
        (ast.ListLiteral((string("a"),)), "list<int>", "Invalid list literal for c: value 'a' is not of type int"),
        (ast.SetLiteral((string("a"),)), "set<int>", "Invalid set literal for c: value 'a' is not of type int"),
        (
            ast.MapLiteral(((string("a"), integer(1)),)),
            "map<int, int>",
            "Invalid map literal for c: key 'a' is not of type int",
        ),
        (
            ast.MapLiteral(((integer(1), string("a")),)),
            "map<int, int>",
            "Invalid map literal for c: value 'a' is not of type int",
        ),
        (ast.ListLiteral((integer(1),)), "int", "Invalid list literal for c of type int"),
        (ast.SetLiteral((integer(1),)), "list<int>", "Invalid set literal for c of type list<int>"),
        (ast.MapLiteral(((integer(1), integer(1)),)), "text", "Invalid map literal for c of type text"),
        (ast.TupleLiteral((integer(1),)), "int", "Invalid tuple type literal for c of type int"),
        (
            ast.TupleLiteral((integer(1), string("a"), integer(1))),
            "tuple<int, text>",
            "Invalid tuple literal for c: too many elements. Type frozen<tuple<int, text>> expects 2 but got 3",
        ),
        (
            ast.TupleLiteral((string("a"),)),
            "tuple<int>",
            "Invalid tuple literal for c: component 0 is not of type int",
        ),
        (ast.UserTypeLiteral((("f", integer(1)),)), "int", "Invalid user type literal for c of type int"),
        (ast.ListLiteral((NULL,)), "list<int>", "Cannot store NULL in list or set"),
        (ast.SetLiteral((NULL,)), "set<int>", "null is not supported inside collections"),
        (ast.MapLiteral(((integer(1), NULL),)), "map<int, int>", "null is not supported inside collections"),
        (
            ast.SetLiteral((string("x" * 65536),)),
            "set<text>",
            "Set value is too long. Set values are limited to 65535 bytes but 65536 bytes value provided",
        ),
    ],
)
def test_what_is_said_of_wrong_literals(term, name, message):
    with pytest.raises(InvalidRequest) as caught:
        evaluate(term, name)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("term", "name"),
    [
        (ast.ListLiteral((MARKER,)), "list<int>"),
        (ast.SetLiteral((MARKER,)), "set<int>"),
        (ast.MapLiteral(((integer(1), MARKER),)), "map<int, int>"),
        (ast.TupleLiteral((MARKER,)), "tuple<int>"),
        (hint("int", MARKER), "int"),
        (call("intasblob", MARKER), "blob"),
    ],
)
def test_unset_has_no_meaning_within_a_term(term, name):
    with pytest.raises(InvalidRequest, match=r"^Unexpected unset value for bind variable 0$"):
        evaluate(term, name, UNSET)


# ---------------------------------------------------------------- type hints and calls


def test_type_hints():
    assert evaluate(hint("int", integer(1)), "int") == "1"
    assert evaluate(hint("int", integer(1)), "blob") == "0x00000001"
    with pytest.raises(InvalidRequest, match=r"^Cannot assign value \(int\) 1 to c of type bigint$"):
        evaluate(hint("int", integer(1)), "bigint")
    with pytest.raises(InvalidRequest, match=r"^Cannot cast value 'x' to type int$"):
        evaluate(hint("int", string("x")), "int")


@pytest.mark.parametrize(
    ("term", "name", "message"),
    [
        (call("now"), "int", "Type error: cannot assign result of function system.now (type timeuuid) to c (type int)"),
        (call("nosuch", integer(1)), "int", "Unknown function nosuch called"),
        (
            call("mintimeuuid"),
            "timeuuid",
            "Invalid number of arguments in call to function system.mintimeuuid: 1 required but 0 provided",
        ),
        (
            call("mintimeuuid", ast.Literal("boolean", "true")),
            "timeuuid",
            "Type error: true cannot be passed as argument 0 of function system.mintimeuuid of type timestamp",
        ),
        (
            call("totimestamp", MARKER),
            "timestamp",
            "Ambiguous call to function totimestamp (can be matched by following signatures: "
            "system.totimestamp : (timeuuid) -> timestamp, system.totimestamp : (date) -> timestamp): "
            "use type casts to disambiguate",
        ),
        (
            call("todate", string("x"), string("y")),
            "date",
            "Invalid call to function todate, none of its type signatures match (known type signatures: "
            "system.todate : (timeuuid) -> date, system.todate : (timestamp) -> date)",
        ),
        (
            call("blobasint", ast.Literal("hex", "0x0007")),
            "int",
            "In call to function system.blobasint, value 0x0007 is not a valid binary representation for type int",
        ),
        (call("sum", hint("int", integer(4))), "int", "Aggregation functions are not supported in the WHERE clause"),
    ],
)
def test_what_is_said_of_wrong_calls(term, name, message):
    with pytest.raises(InvalidRequest) as caught:
        evaluate(term, name, None)
    assert caught.value.message == message


def test_calls_within_calls():
    assert evaluate(call("blobasint", call("intasblob", integer(7))), "int") == "7"
    assert evaluate(call("totimestamp", call("now")), "timestamp") == "'1970-01-01T00:00:00.000Z'"
    assert evaluate(call("todate", call("mintimeuuid", string("2013-02-02+0000"))), "date") == "'2013-02-02'"


def test_a_call_is_constant_when_it_can_be():
    pure = compile_term(call("intasblob", integer(7)), spec("blob"), Variables())
    assert pure.is_constant and pure.constant == b"\0\0\0\7"
    assert not compile_term(call("now"), spec("timeuuid"), Variables()).is_constant
    assert evaluate(call("dateof", NULL), "timestamp") is None


def test_token_takes_the_partition_key():
    columns = {n: Column(n, types.INT, PARTITION_KEY, i) for i, n in enumerate(("a", "b"))}
    table = Table("ks", "t", None, columns)
    both = evaluate(call("token", integer(1), integer(2)), "bigint", table=table)
    assert int(both) == murmur3(b"\0\4\0\0\0\1\0" + b"\0\4\0\0\0\2\0")
    with pytest.raises(
        InvalidRequest,
        match=r"^Invalid number of arguments in call to function system\.token: 2 required but 1 provided$",
    ):
        evaluate(call("token", integer(1)), "bigint", table=table)
    with pytest.raises(
        InvalidRequest, match=r"^Type error: 'x' cannot be passed as argument 0 of function system\.token of type int$"
    ):
        evaluate(call("token", string("x"), integer(1)), "bigint", table=table)
