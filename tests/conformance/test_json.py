"""JSON both ways: SELECT JSON, INSERT JSON, toJson and fromJson, as clients see them."""

from __future__ import annotations

import json

import pytest
from cassandra import InvalidRequest
from cassandra.protocol import FunctionFailure

COLUMNS = '(p int, c text, s int static, v int, "Cap" int, l list<int>, m map<text, int>, PRIMARY KEY (p, c))'


@pytest.fixture
def table(create) -> str:
    return create(COLUMNS)


def objects(rows) -> list:
    return [json.loads(document) for (document,) in rows]


def test_a_row_is_one_object(table, run, session):
    run(f"INSERT INTO {table} (p, c, v, l, m) VALUES (1, 'x', 17, [1, 2], {{'k': 5}})")
    answer = session.execute(f"SELECT JSON * FROM {table}")
    assert answer.column_names == ["[json]"]
    assert list(answer) == [
        ('{"p": 1, "c": "x", "s": null, "\\"Cap\\"": null, "l": [1, 2], "m": {"k": 5}, "v": 17}',),
    ]


def test_aliases_and_functions(table, run):
    run(f"INSERT INTO {table} (p, c, v, \"Cap\") VALUES (1, 'x', 17, 4)")
    asked = 'v AS hello, v AS "Hello", "Cap" AS cap, ttl(v), count(*)'
    assert objects(run(f"SELECT JSON {asked} FROM {table}")) == [
        {"hello": 17, '"Hello"': 17, "cap": 4, "ttl(v)": None, "count": 1}
    ]


def test_pages_and_limits(table, run, session):
    for c in "abcde":
        run(f"INSERT INTO {table} (p, c) VALUES (1, '{c}')")
    statement = session.prepare(f"SELECT JSON c FROM {table} WHERE p = ? LIMIT 4")
    statement.fetch_size = 3
    assert [row["c"] for row in objects(session.execute(statement, (1,)))] == ["a", "b", "c", "d"]
    assert objects(run(f"SELECT JSON DISTINCT p FROM {table}")) == [{"p": 1}]


def test_inserted_documents(table, run, session):
    run(f"""INSERT INTO {table} JSON '{{"P": 1, "c": "x", "v": 1, "\\"Cap\\"": 2, "l": [3, 1], "m": {{"k": 5}}}}'""")
    assert run(f'SELECT v, "Cap", l, m FROM {table}') == [(1, 2, [3, 1], {"k": 5})]
    keeping = session.prepare(f"INSERT INTO {table} JSON ? DEFAULT UNSET")
    session.execute(keeping, ('{"p": 1, "c": "x", "v": null}',))
    assert run(f'SELECT v, "Cap", l, m FROM {table}') == [(None, 2, [3, 1], {"k": 5})]
    run(f"""INSERT INTO {table} JSON '{{"p": 1, "c": "x", "v": 7}}' DEFAULT NULL USING TTL 1000""")
    assert run(f'SELECT v, "Cap", l, m FROM {table}') == [(7, None, None, None)]
    run(f"""INSERT INTO {table} JSON '{{"p": 1, "c": "x", "v": 8}}' IF NOT EXISTS""")
    assert run(f"SELECT v FROM {table}") == [(7,)]


@pytest.mark.parametrize(
    "document, message",
    [
        ('{"p": 1, "c": "x", "zz": 1}', "JSON values map contains unrecognized column: zz"),
        ('{"p": 1, "c": "x", "cap": 1}', "JSON values map contains unrecognized column: cap"),
    ],
)
def test_documents_of_another_table(table, refused, document, message):
    refused(InvalidRequest, f"INSERT INTO {table} JSON '{document}'", message)


@pytest.mark.differs("cassandra", "it calls the null value by the name of the column")
def test_documents_without_a_key(table, refused):
    refused(InvalidRequest, f"""INSERT INTO {table} JSON '{{"p": 1}}'""", "Missing mandatory PRIMARY KEY part c")


def test_there_and_back_by_functions(table, run, session):
    insert = session.prepare(f"INSERT INTO {table} (p, c, l, m) VALUES (1, 'x', fromJson(?), fromJson(?))")
    session.execute(insert, ("[1, 2]", '{"k": 5}'))
    assert run(f"SELECT l, m FROM {table} WHERE p = fromJson('1')") == [([1, 2], {"k": 5})]
    assert run(f"SELECT toJson(l), toJson(m), toJson(v) FROM {table}") == [("[1, 2]", '{"k": 5}', "null")]


@pytest.mark.differs("cassandra", "its sentence is that of the type, without the function's name")
@pytest.mark.parametrize("document", ["dog", '"dog"', "1.5", "2147483648", "true"])
def test_a_function_that_fails_says_so(table, session, document):
    insert = session.prepare(f"INSERT INTO {table} (p, c, v) VALUES (1, 'x', fromJson(?))")
    with pytest.raises(FunctionFailure, match=r"(?i)fromjson"):
        session.execute(insert, (document,))
