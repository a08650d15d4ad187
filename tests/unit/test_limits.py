"""Statements that would cost the node seconds or gigabytes: each kind has a bound, and is refused in a sentence; and
what is within its bound costs no more than it should."""

from __future__ import annotations

import random
import time

import pytest

from embedded_scylla import limits
from embedded_scylla.cql.lexer import tokenize
from embedded_scylla.errors import CqlError
from embedded_scylla.types import DECIMAL, VARINT
from embedded_scylla.where.like import like
from tests.unit.asking import Asking

MILLION = 1_000_000
GENEROUS = 5.0  # seconds of processor time, where a tenth will do and without a bound a minute did not
FIGURES = "9" * 400_000


@pytest.fixture(scope="module")
def asking() -> Asking:
    asking = Asking()
    asking.run(
        "CREATE TABLE t (p int, c int, s text, v varint, d decimal, x set<int>, m map<int, int>, i timestamp, "
        "PRIMARY KEY (p, c))"
    )
    return asking


def refusal(asking: Asking, text: str) -> str:
    """What a statement is refused with; the test fails if that takes seconds."""
    began = time.process_time()
    with pytest.raises(CqlError) as refused:
        asking.run(text)
    assert time.process_time() - began < GENEROUS
    return refused.value.message


def many(one: str, count: int, between: str = ",") -> str:
    return between.join([one] * count)


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT {many('p', MILLION // 2)} FROM t",
        f"SELECT {many('ttl(s)', MILLION // 4)} FROM t",
        f"SELECT p FROM t WHERE p IN ({many('1', MILLION)})",
        f"SELECT p FROM t WHERE {many('p = 1', MILLION // 4, ' AND ')}",
        f"INSERT INTO t (p, c, x) VALUES (1, 1, {{{many('1', MILLION)}}})",
        f"INSERT INTO t (p, c, m) VALUES (1, 1, {{{many('1:1', MILLION // 2)}}})",
        f"UPDATE t SET {many('s = s', MILLION // 4)} WHERE p = 1 AND c = 1",
        f"DELETE {many('s', MILLION)} FROM t WHERE p = 1 AND c = 1",
        f"BEGIN BATCH {many('INSERT INTO t (p, c) VALUES (1, 1);', MILLION // 10, '')} APPLY BATCH",
        f"CREATE TABLE u (p int PRIMARY KEY, t frozen<tuple<{many('int', MILLION)}>>)",
        "(" * MILLION,
    ],
    ids=["columns", "attributes", "IN", "AND", "set", "map", "SET", "DELETE", "batch", "types", "parentheses"],
)
def test_a_statement_of_many_words_is_refused(asking: Asking, text: str) -> None:
    assert refusal(asking, text) == (
        "A statement may have 150,000 words, constants and signs, and this one has more. Bind long values as "
        "variables, and part long lists."
    )


def test_a_statement_may_be_as_long_as_a_mutation_and_no_longer(asking: Asking) -> None:
    head = "INSERT INTO t (p, c, s) VALUES (1, 1, '"
    asking.run(head + "a" * MILLION + "')")
    text = head + "a" * limits.LONGEST_STATEMENT + "')"
    assert refusal(asking, text) == f"A statement may have 16,777,216 characters, and this one has {len(text):,}."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"SELECT {many('p', 5_001)} FROM t", "A SELECT may have 5,000 selectors, and this one has 5,001."),
        (
            f"SELECT p FROM t WHERE {many('c > 0', 1_001, ' AND ')} ALLOW FILTERING",
            "A WHERE or an IF may have 1,000 relations, and this one has 1,001.",
        ),
        (
            f"UPDATE t SET s = '' WHERE p = 1 AND c = 1 IF {many(chr(39).join(('s = ', '', '')), 1_001, ' AND ')}",
            "A WHERE or an IF may have 1,000 relations, and this one has 1,001.",
        ),
        (
            f"INSERT INTO t (p, c, x) VALUES (1, 1, {{{many('1', 24_999)}}})",
            "A statement may have 25,000 constants written out in it, and this one has 25,001. Bind them as variables.",
        ),
        (
            f"SELECT p FROM t WHERE p IN ({many('?', 65_536)})",
            "Too many markers(?). 65536 markers exceed the allowed maximum of 65535",
        ),
        (
            f"CREATE TABLE u (p int PRIMARY KEY, {', '.join(f'c{i} int' for i in range(5_000))})",
            "A table may have 5,000 columns, and this one would have 5,001.",
        ),
        (
            f"ALTER TABLE t ADD ({', '.join(f'c{i} int' for i in range(5_000))})",
            "A table may have 5,000 columns, and this one would have 5,008.",
        ),
        (
            f"CREATE TABLE u (p int PRIMARY KEY, t frozen<tuple<{many('int', 65_536)}>>)",
            "A tuple may have 65,535 fields, and this one has 65,536.",
        ),
        (
            f"SELECT p FROM t WHERE p = 1 AND ({many('c', 65_536)}) = (1)",
            "A tuple may have 65,535 fields, and this one has 65,536.",
        ),
        (
            f"SELECT p FROM t WHERE s LIKE '{many('%a', 5_001, '')}' ALLOW FILTERING",
            "A LIKE pattern may have 10,000 characters, and this one has 10,002.",
        ),
        (
            f'INSERT INTO t JSON \'{{"p": 1, "c": 1, "x": [{many("1", 25_000)}]}}\'',
            "A JSON document may have 25,000 values, and this one has more.",
        ),
    ],
    ids=[
        "selectors",
        "WHERE",
        "IF",
        "constants",
        "variables",
        "columns",
        "added",
        "tuple",
        "tuple left",
        "LIKE",
        "JSON",
    ],
)
def test_what_a_plan_is_made_of_is_counted(asking: Asking, text: str, sentence: str) -> None:
    assert refusal(asking, text) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            f"INSERT INTO t (p, c, v) VALUES (1, 1, {FIGURES})",
            "a number may have 10,000 figures, and this one has 400,000",
        ),
        (
            f"INSERT INTO t (p, c, d) VALUES (1, 1, 0.{FIGURES})",
            "a number may have 10,000 figures, and this one has 400,001",
        ),
        (f"INSERT INTO t (p, c) VALUES (1, {FIGURES})", "a number may have 10,000 figures, and this one has 400,000"),
        (f"SELECT p FROM t LIMIT {FIGURES}", "a number may have 10,000 figures, and this one has 400,000"),
        (
            f"INSERT INTO t (p, c) VALUES (1, 1) USING TTL {FIGURES}",
            "may have 10,000 figures, and this one has 400,000",
        ),
        (f"INSERT INTO t (p, c, i) VALUES (1, 1, '2026-{FIGURES}-01')", "Month number is out of range 1..12"),
        (f"ALTER TABLE t WITH gc_grace_seconds = {FIGURES}", "for 'gc_grace_seconds'"),
        (
            f"ALTER TABLE t WITH compression = {{'sstable_compression': '', 'chunk_length_in_kb': {FIGURES}}}",
            "chunk_length",
        ),
        (f"ALTER TABLE t WITH cdc = {{'enabled': true, 'ttl': {FIGURES}}}", "Invalid CDC option: ttl too large"),
        (
            "CREATE KEYSPACE kk WITH replication = "
            f"{{'class': 'NetworkTopologyStrategy', 'replication_factor': {FIGURES}}}",
            "Replication factor must be numeric and non-negative",
        ),
        (
            "CREATE KEYSPACE kk WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1} "
            f"AND tablets = {{'initial': {FIGURES}}}",
            "Initial tablets value should be numeric",
        ),
    ],
    ids=["varint", "decimal", "int", "LIMIT", "TTL", "month", "option", "compression", "cdc", "replicas", "tablets"],
)
def test_a_number_of_many_figures_is_refused(asking: Asking, text: str, sentence: str) -> None:
    assert sentence in refusal(asking, text)


@pytest.mark.parametrize("column", ["v", "d"])
def test_a_bound_number_of_many_bytes_is_refused(asking: Asking, column: str) -> None:
    plan = asking.plan(f"INSERT INTO t (p, c, {column}) VALUES (1, 1, ?)")
    context = asking.context(plan, [1])
    context.values = [b"\x01" * 100_000]
    with pytest.raises(CqlError, match="a number may have 4,160 bytes, and this one has 100,000"):
        plan.execute(context)


def test_a_number_within_the_bound_is_read_and_shown() -> None:
    figures = "9" * limits.MOST_FIGURES
    assert VARINT.to_text(VARINT.from_text(figures)) == figures
    VARINT.validate(VARINT.from_text("-" + figures[1:]))
    assert len(DECIMAL.to_text(DECIMAL.from_text("0." + figures[1:]))) == limits.MOST_FIGURES + 1


# ---------------------------------------------------------------- texts that are long, and few words


@pytest.mark.parametrize(
    "text",
    [
        "/* */" * MILLION,
        "--\n" * MILLION,
        " " * MILLION,
        "'" * MILLION,
        '"' * (MILLION + 1),
        "-" * MILLION,
        "/*" * 50_000,
    ],
    ids=["comments", "lines", "blanks", "quotes", "double quotes", "dashes", "openings"],
)
def test_reading_a_text_takes_little_memory(text: str) -> None:
    """Python's expressions remember each turn that they could go back to: 75 bytes for each of these."""
    resource = pytest.importorskip("resource", reason="Windows does not tell")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        tokenize(text)
    except CqlError:
        pass
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # kilobytes


# ---------------------------------------------------------------- LIKE


def by_the_book(pattern: str, text: str) -> bool:
    """LIKE from its definition, character by character."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(by_the_book(pattern[1:], text[i:]) for i in range(len(text) + 1))
    if pattern[0] == "\\" and pattern[1:2] and pattern[1] in "%_\\":
        return text[:1] == pattern[1] and by_the_book(pattern[2:], text[1:])
    return bool(text) and pattern[0] in ("_", text[0]) and by_the_book(pattern[1:], text[1:])


def test_like_is_what_its_definition_says() -> None:
    rng = random.Random(14)
    seen = set()
    for _ in range(3_000):
        pattern = "".join(rng.choices("ab%_\\ä", (4, 3, 3, 3, 1, 1), k=rng.randrange(8)))
        text = "".join(rng.choices("ab%_\\ä\n", (5, 4, 1, 1, 1, 1, 1), k=rng.randrange(9)))
        expected = by_the_book(pattern, text)
        assert like(pattern.encode())(text.encode()) is expected, (pattern, text)
        seen.add((expected, "%" in pattern, "_" in pattern))
    assert len(seen) == 8


@pytest.mark.parametrize(
    "pattern",
    ["%a%a%b", "%a" * 30 + "b", "%_a" * 300 + "b", "%" + "a_" * 4_000 + "b%", "%" + "a" * 9_000 + "b%", "_%" * 5_000],
    ids=["three", "thirty", "any", "long with any", "long", "any and some"],
)
def test_like_takes_no_longer_for_a_pattern_that_almost_matches(pattern: str) -> None:
    began = time.process_time()
    assert not like(pattern.encode())(b"a" * 30_000 if pattern[0] == "%" else b"a" * 4_999)
    assert time.process_time() - began < GENEROUS
