"""Texts that are no CQL: a SyntaxException that names line and column, and never anything else."""

from __future__ import annotations

import random

import pytest
from cassandra import DriverException
from cassandra.protocol import ErrorMessage, ServerError, SyntaxException


@pytest.mark.differs("cassandra", "its parser says this in words of its own")
@pytest.mark.parametrize(
    "text, message",
    [
        ("SELEKT * FROM t", "line 1:0 no viable alternative at input 'SELEKT'"),
        ("", "line 0:-1 no viable alternative at input '<EOF>'|line 1:0 no viable alternative at input '<EOF>'"),
        ("SELECT FROM t", "line 1:7 no viable alternative at input 'FROM'"),
        ("SELECT * FORM t", "line 1:9 : Missing K_FROM"),
        ("SELECT a b FROM t", "line 1:9 : Unexpected 'b'"),
        ("SELECT a, FROM t", "line 1:10 no viable alternative at input 'FROM'"),
        ("SELECT * FROM t WHERE", "line 1:0 no viable alternative at input '<EOF>'"),
        ("SELECT * FROM t WHERE a", "line 1:0 no viable alternative at input '<EOF>'"),
        ("SELECT * FROM t WHERE a IS NULL", "line 1:27 : Missing K_NOT"),
        ("SELECT * FROM t LIMIT x", "line 1:22 no viable alternative at input 'x'"),
        ("INSERT INTO t VALUES (1)", "line 1:14 no viable alternative at input 'VALUES'"),
        ("INSERT INTO t (a) VALUES 1", r"line 1:25 : Missing '\('"),
        ("DELETE t WHERE a = 1", "line 1:9 : Syntax error"),
        ("CREATE TABLE t (a int PRIMARY (a))", "line 1:30 : Missing K_KEY"),
        ("CREATE TRIGGER x ON t USING 'y'", "line 1:7 no viable alternative at input 'TRIGGER'"),
        ("SELECT * FROM t; SELECT * FROM t", "line 1:17 : Syntax error"),
        ("SELECT *\nFROM t\nWHERE a ! 1", "line 3:"),
        ("APPLY BATCH", "line 1:0 no viable alternative at input 'APPLY'"),
    ],
)
def test_the_place_of_a_mistake(refused, text, message):
    refused(SyntaxException, text, message)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'open FROM t", 'SELECT * FROM "open', "SELECT $$open",
        "SELECT * FROM t WHERE a = {1: 2", "SELECT * FROM t WHERE (a, b) = ", "SELECT * FROM t WHERE a = 1 OR b = 2",
        "SELECT * FROM t WHERE NOT a = 1", "SELECT * FROM t, u", "SELECT * FROM t JOIN u", "SELECT a.b.c.d FROM",
        "UPDATE t SET WHERE a = 1", "UPDATE t WHERE a = 1", "INSERT INTO (a) VALUES (1)", "CREATE", "DROP", "USE",
        "BEGIN BATCH", "BEGIN BATCH SELECT * FROM t APPLY BATCH", "TRUNCATE", "ALTER TABLE t ADD", "@", "§", "\x00",
    ],
)  # fmt: skip
def test_no_cql(refused, text):
    assert "line" in refused(SyntaxException, text)


def test_comments_are_no_statement(refused):
    for text in ("-- nothing", "/* nothing */", ";", "  \n "):
        refused(SyntaxException, text)


WORDS = """
    SELECT * FROM WHERE = < >= IN ( ) [ ] { } , ; : ? 1 -1 1.5 1e400 'x' '' "q" null true 0xff now() token(p) t p c v
    INSERT INTO VALUES UPDATE SET DELETE BATCH USING TTL TIMESTAMP IF EXISTS NOT AND LIMIT ORDER BY DESC ALLOW
    FILTERING CREATE TABLE PRIMARY KEY int list<int> ALTER ADD DROP CONTAINS LIKE 'a%' count(*) max(v) ttl(v)
"""

SENTENCES = (
    "SELECT v , c FROM {t} WHERE p = 1 AND c > 2 ORDER BY c DESC LIMIT 3",
    "SELECT max(v) , count(*) FROM {t} WHERE p IN ( 1 , 2 ) ALLOW FILTERING",
    "INSERT INTO {t} ( p , c , v ) VALUES ( 1 , 2 , 3 ) USING TTL 100 AND TIMESTAMP 5",
    "UPDATE {t} SET v = 3 , l = l + [ 1 ] WHERE p = 1 AND c = 2 IF v = 3",
    "DELETE v , l [ 0 ] FROM {t} WHERE p = 1 AND c = 1",
    "BEGIN BATCH INSERT INTO {t} ( p , c ) VALUES ( 1 , 1 ) ; DELETE FROM {t} WHERE p = 1 APPLY BATCH",
)


@pytest.mark.parametrize("seed", range(5))
def test_odd_statements_are_answered_or_refused(create, session, seed):
    """Whatever somebody types by mistake, the fault is never said to be the server's."""
    chance = random.Random(seed)
    table = create("(p int, c int, v int, l list<int>, PRIMARY KEY (p, c))")
    for _ in range(150):
        words = chance.choice(SENTENCES).format(t=table).split(" ")
        for _ in range(chance.choice((1, 1, 2, 3))):
            place = chance.randrange(len(words))
            words[place : place + chance.choice((0, 1, 1))] = [chance.choice(WORDS.split())]
        text = " ".join(words)
        try:
            session.execute(text)
        except ServerError as error:
            pytest.fail(f"{text}: {error}")
        except (DriverException, ErrorMessage):
            pass
