"""Functions that few ask for: of numbers, of sets, of vectors."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from embedded_scylla.errors import FunctionFailure, InvalidRequest

from .asking import Asking

BIG = 9_000_000_000


@pytest.fixture(scope="module")
def node() -> Asking:
    node = Asking()
    node.run(
        "CREATE TABLE n (p int PRIMARY KEY, y tinyint, s smallint, i int, b bigint, v varint, f float, d double, "
        "e decimal, st set<int>, fs frozen<set<int>>, tx set<text>, vec vector<float, 2>, other vector<float, 3>)"
    )
    node.run(
        "INSERT INTO n (p, y, s, i, b, v, f, d, e, st, fs, tx, vec, other) VALUES (1, -128, 300, -7, 9000000000, "
        "-123456789012345678901234567890, 2.5, -2.5, 12.345, {1, 2, 3}, {2, 3, 4}, {'x'}, [3, 4], [1, 2, 3])"
    )
    node.run("CREATE TABLE counts (p int PRIMARY KEY, n counter)")
    node.run("UPDATE counts SET n = n - 3 WHERE p = 1")
    return node


@pytest.mark.parametrize(
    ("selector", "value"),
    [
        ("abs(y)", -128),  # there is no 128 in a tinyint
        ("abs(i)", 7), ("abs(b)", BIG), ("abs(v)", 123456789012345678901234567890), ("abs(d)", 2.5),
        ("abs(e)", Decimal("12.345")),
        ("exp(y)", 0), ("exp(s)", 2**15 - 1), ("exp(b)", 2**63 - 1), ("exp(d)", math.exp(-2.5)),
        ("exp(e)", Decimal(math.exp(12.345))),
        ("log(s)", 5), ("log(i)", 0), ("log10(b)", 9), ("log10(d)", "nan"),
        ("log10(e)", Decimal("1.0914910942679511")),
        ("round(i)", -7), ("round(f)", 3.0), ("round(d)", -2.0), ("round(e)", Decimal(12)),
        ("round(v)", -123456789012345678901234567890),
    ],
)  # fmt: skip
def test_of_numbers(node, selector, value):
    ((found,),) = node.rows(f"SELECT {selector} FROM n")
    if value == "nan":
        assert math.isnan(found)
    elif isinstance(value, Decimal):
        assert abs(found - value) <= abs(value) * Decimal("1e-14")
    else:
        assert found == value
        assert type(found) is type(value)


def test_names_nulls_and_counters(node):
    assert node.ask("SELECT abs(CAST(i AS double)) FROM n").names == ["system.abs(cast(i as double))"]
    assert node.rows("SELECT abs(n), round(n) FROM counts") == [(3, -3)]
    node.run("INSERT INTO n (p) VALUES (2)")
    assert node.rows("SELECT abs(i), exp(e), set_intersection(st, fs) FROM n WHERE p = 2") == [(None, None, None)]
    node.run("DELETE FROM n WHERE p = 2")


@pytest.mark.parametrize(
    ("selector", "function", "what"),
    [
        ("log(v)", "log", "std::domain_error (Natural log of number zero or less)"),
        ("log10((decimal)-1.0)", "log10", "std::domain_error (Log10 of number zero or less)"),
        ("exp((decimal)1e9)", "exp", "marshal_exception (marshaling error: unable to make BigDecimal from 'inf')"),
    ],
)
def test_what_no_decimal_can_be(node, selector, function, what):
    with pytest.raises(FunctionFailure) as failure:
        node.rows(f"SELECT {selector} FROM n")
    detail = f"Failed execution of function system.{function}: {what}"
    assert failure.value.message == f"execution of {function} failed: {detail}"


@pytest.mark.parametrize("selector", ["exp((varint)10000000)", "round((decimal)1e1000000000)"])
def test_nobody_gets_a_million_figures(node, selector):
    with pytest.raises(InvalidRequest, match=r"has too many figures"):
        node.rows(f"SELECT {selector} FROM n")


def test_what_sets_have_in_common(node):
    asked = "SELECT set_intersection(st, fs), set_intersection(fs, {9, 4}), set_intersection(st, ?) FROM n"
    assert node.rows(asked, [7]) == [([2, 3], [4], [])]


@pytest.mark.parametrize(
    ("selector", "value"),
    [
        ("similarity_cosine(vec, vec)", 1.0),
        ("similarity_cosine(vec, [-3, -4])", 0.0),
        ("similarity_euclidean([3, 5], vec)", 0.5),
        ("similarity_dot_product(vec, [1, 0])", 2.0),
    ],
)
def test_how_alike_vectors_are(node, selector, value):
    assert node.rows(f"SELECT {selector} FROM n") == [(value,)]


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("similarity_cosine(vec)",
         "Invalid number of arguments for function system.similarity_cosine(vector<float, n>, vector<float, n>)"),
        ("similarity_cosine(i, vec)",
         "Function system.similarity_cosine requires a float vector argument, but found i of type int"),
        ("similarity_cosine(vec, 'a')",
         "Function system.similarity_cosine requires a float vector argument, but found 'a'"),
        ("similarity_cosine(vec, other)",
         "All arguments must have the same vector dimensions, but found vector<float, 2> and vector<float, 3>"),
        ("similarity_cosine(?, ?)", "Cannot infer type of argument ? for "
         "function system.similarity_cosine(vector<float, n>, vector<float, n>)"),
        ("similarity_cosine(vec, [0, 0])", "Function system.similarity_cosine doesn't support all-zero vectors"),
        ("set_intersection(st)", "Invalid number of arguments in call to function system.set_intersection: "
         "2 required but 1 provided"),
        ("set_intersection(st, tx)", "Type error: tx cannot be passed as argument 1 of function "
         "system.set_intersection of type set<int>"),
        ("set_intersection(?, ?)", "set_intersection() function is only valid when argument types are known"),
        ("set_intersection(i, st)", "Type error: i cannot be passed as argument 0 of function "
         "system.set_intersection of type set"),
        ("counterasblob(b)", "Unknown function counterasblob called"),
        ("min('a')", "min() function is only valid when argument types are known"),
    ],
)  # fmt: skip
def test_arguments_of_another_kind(node, selector, message):
    values = (None,) * selector.count("?")
    with pytest.raises(InvalidRequest) as refusal:
        node.rows(f"SELECT {selector} FROM n", *values)
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("selector", "message"),
    [("abs(1)", "Ambiguous call to function abs"), ("abs(tx)", "Invalid call to function abs, none"),
     ("sum(1)", "Ambiguous call to function sum"), ("avg('a')", "Invalid call to function avg, none")],
)  # fmt: skip
def test_which_of_several_is_not_known(node, selector, message):
    with pytest.raises(InvalidRequest, match=f"^{message}"):
        node.rows(f"SELECT {selector} FROM n")
