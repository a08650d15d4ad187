"""CQL's words: what is one token, which kind it is, and where an error is said to be."""

import pytest

from embedded_scylla.cql import parse
from embedded_scylla.cql.lexer import IDENTIFIERS, tokenize
from embedded_scylla.errors import InvalidRequest, SyntaxException
from tests.patience import SECONDS


def pairs(text):
    """Kind and value of each token, without the closing EOFs."""
    tokens = tokenize(text)
    assert tokens.kinds[-2:] == ["EOF", "EOF"]
    return list(zip(tokens.kinds[:-2], tokens.values[:-2], strict=True))


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("tickets", "IDENT", "tickets"),
        ("Tickets_2", "IDENT", "tickets_2"),
        ('"Tickets"', "QUOTED_NAME", "Tickets"),
        ('"cdc$time"', "QUOTED_NAME", "cdc$time"),
        ('"a""b"', "QUOTED_NAME", 'a"b'),
        ('""""', "QUOTED_NAME", '"'),
        ("SeLeCt", "K_SELECT", "select"),
        ("TABLE", "K_COLUMNFAMILY", "table"),
        ("ColumnFamily", "K_COLUMNFAMILY", "columnfamily"),
        ("columnfamilies", "K_TABLES", "columnfamilies"),
        ("True", "BOOLEAN", "True"),
        ("'it''s'", "STRING_LITERAL", "it's"),
        ("''", "STRING_LITERAL", ""),
        ("''''", "STRING_LITERAL", "'"),
        ("'zwei\nZeilen ☃'", "STRING_LITERAL", "zwei\nZeilen ☃"),
        ("$$it's $5$$", "STRING_LITERAL", "it's $5"),
        ("$$$$", "STRING_LITERAL", ""),
        ("42", "INTEGER", "42"),
        ("-42", "INTEGER", "-42"),
        ("1.5", "FLOAT", "1.5"),
        ("1.", "FLOAT", "1."),
        ("-1.5e-3", "FLOAT", "-1.5e-3"),
        ("1E5", "FLOAT", "1E5"),
        ("0xCAFE", "HEXNUMBER", "0xCAFE"),
        ("0X", "HEXNUMBER", "0X"),
        ("1h30m", "DURATION", "1h30m"),
        ("12MO", "DURATION", "12MO"),
        ("-2d3ms4us5µs6ns", "DURATION", "-2d3ms4us5µs6ns"),
        ("P1Y2M3DT4H5M6S", "DURATION", "P1Y2M3DT4H5M6S"),
        ("PT15M", "DURATION", "PT15M"),
        ("-P2W", "DURATION", "-P2W"),
        ("P0001-02-03T04:05:06", "DURATION", "P0001-02-03T04:05:06"),
        ("123e4567-e89b-12d3-a456-426614174000", "UUID", "123e4567-e89b-12d3-a456-426614174000"),
        ("abcdef12-E89B-12d3-a456-426614174000", "UUID", "abcdef12-E89B-12d3-a456-426614174000"),
        ("Priced", "IDENT", "priced"),
        ("P1Yx", "IDENT", "p1yx"),
        ("!=", "!=", "!="),
        ("<=", "<=", "<="),
    ],
)
def test_one_word_is_one_token(text, kind, value):
    assert pairs(text) == [(kind, value)]


def test_signs_stand_alone():
    assert [kind for kind, _ in pairs("map<int,frozen<list<int>>>")] == [
        "K_MAP", "<", "K_INT", ",", "K_FROZEN", "<", "K_LIST", "<", "K_INT", ">", ">", ">",
    ]  # fmt: skip


# The sign of a number belongs to the number: the grammar has a rule of its own for `SET a = a -1`.
def test_minus_belongs_to_the_digits_after_it():
    assert pairs("a-1") == [("IDENT", "a"), ("INTEGER", "-1")]
    assert pairs("a - 1") == [("IDENT", "a"), ("-", "-"), ("INTEGER", "1")]
    assert pairs("-NaN") == [("-", "-"), ("K_NAN", "nan")]


@pytest.mark.parametrize("text", ["a--b\nc", "a//b\rc", "a/*b\n'*/c", " \t\r\na/**/c\n", "a -- 'x\n c -- done\n"])
def test_comments_and_blanks_are_nothing(text):
    assert pairs(text) == [("IDENT", "a"), ("IDENT", "c")]


def test_digits_may_touch_a_word():
    assert pairs("3limit") == [("INTEGER", "3"), ("K_LIMIT", "limit")]
    assert pairs("5xyz") == [("INTEGER", "5"), ("IDENT", "xyz")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 'abc", "line 1:11 : Syntax error"),
        ('SELECT\n "abc', "line 2:5 : Syntax error"),
        ('SELECT "" FROM t', "line 1:16 : Syntax error"),
        ('SELECT ""a"', "line 1:11 : Syntax error"),
        ("SELECT $a$$", "line 1:7 no viable alternative at input ''"),
        ("SELECT $$abc$", "line 1:13 : Syntax error"),
        ("SELECT /* abc", "line 1:13 : Syntax error"),
        ("USE ks -- no line break", "line 1:23 : Unexpected ''"),
        ("a = 3and", "line 1:6 : Unexpected ''"),
        ("a ! b", "line 1:3 : Syntax error"),
        ("a @ b", "line 1:2 no viable alternative at input ''"),
        ("a\n\n  % b", "line 3:2 no viable alternative at input ''"),
        ("naïve", "line 1:2 no viable alternative at input ''"),
    ],
)
def test_what_is_no_token_is_refused_with_its_place(text, message):
    with pytest.raises(SyntaxException) as caught:
        tokenize(text)
    assert caught.value.message == message


# Each of these would take minutes if every beginning of a comment or string were read to the end of the text.
@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("hostile", ["/*", '"', "--", "1h", "é"])
def test_long_hostile_text_is_read_in_one_go(hostile):
    for text in (hostile * 200_000, f"SELECT {hostile * 200_000}'"):
        with pytest.raises(SyntaxException):
            parse(text)


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("hostile", ["'a", "$$", "$", "1a", "''" + '"', "a."])
def test_hostile_text_of_many_words_is_read_no_further_than_it_may_be(hostile):
    for text in (hostile * 800_000, f"SELECT {hostile * 800_000}'"):
        with pytest.raises(InvalidRequest, match="150,000 words"):
            parse(text)


def test_tokens_know_their_place():
    tokens = tokenize("SELECT a,\n  'x' /* c */ FROM t\n")
    assert [tokens.position(index) for index in range(6)] == [
        "line 1:0", "line 1:7", "line 1:8", "line 2:2", "line 2:14", "line 2:19",
    ]  # fmt: skip
    assert tokens.position(6) == "line 3:0"
    assert tokens.shown(3) == "x"
    assert tokens.shown(6) == "<EOF>"
    assert tokens.source(1, 3) == "a,\n  'x'"


# The list is ScyllaDB's: a keyword that is not on it must be quoted to be a name.
@pytest.mark.parametrize(
    "word",
    ["key", "keys", "ttl", "count", "writetime", "type", "values", "date", "text", "status", "timeout", "json", "as"],
)
def test_unreserved_keywords_are_names(word):
    assert tokenize(word.upper()).kinds[0] in IDENTIFIERS


@pytest.mark.parametrize(
    "word",
    [
        "select",
        "from",
        "token",
        "order",
        "entries",
        "full",
        "set",
        "view",
        "default",
        "in",
        "is",
        "true",
        "nan",
        "null",
    ],
)
def test_reserved_keywords_are_no_names(word):
    assert tokenize(word).kinds[0] not in IDENTIFIERS
