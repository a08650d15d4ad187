"""CQL text to tokens, by ScyllaDB's lexical rules.

A token is a kind, a value and its place in the text. Kinds are named as ScyllaDB's error messages name them:
``K_SELECT`` for a keyword, ``IDENT``, ``QUOTED_NAME``, ``STRING_LITERAL``, ``INTEGER``, ``FLOAT``, ``BOOLEAN``,
``DURATION``, ``UUID``, ``HEXNUMBER``, ``EOF``, and the sign itself (``(``, ``<=``) for punctuation.

The value of an identifier or keyword is in lower case; of a quoted name or string, its content with doubled
quotes undone; of anything else, the text as written.
"""

from __future__ import annotations

import re
from itertools import islice

from ..errors import InvalidRequest, SyntaxException
from ..limits import LONGEST_STATEMENT, MOST_CONSTANTS, MOST_TOKENS

# Keywords that may also name things. The groups are the grammar's: a type keyword cannot name a user-defined type,
# and the last four cannot name a function.
_BASIC_UNRESERVED = """
    keys as cluster clustering compact storage tables type types values map list filtering permission permissions
    keyspaces all user users role roles superuser nosuperuser login nologin options password passwords hashed exists
    custom trigger distinct contains internals static frozen tuple vector function functions aggregate aggregates
    sfunc stype reducefunc finalfunc initcond returns language called input json cache bypass large_data_guardrails
    like per partition service_level attach detach service_levels attached for shares group timeout service level
    levels prune only describe desc execute mutation_fragments effective
"""
_NATIVE_TYPES = """
    ascii bigint blob boolean counter decimal double duration float inet int smallint text timestamp tinyint uuid
    varchar varint timeuuid date time
"""
_OTHER_UNRESERVED = "ttl count writetime key"
_RESERVED = """
    select from cast where and entries full insert update with limit using use set begin unlogged batch apply
    truncate delete in create schema keyspace columnfamily materialized view index on to drop primary into alter
    rename add order by asc ann allow if is grant of revoke modify authorize norecursive token null not nan infinity
    or replace default unset concurrency vector_search_indexing scylla_timeuuid_list_index
    scylla_counter_shard_list scylla_clustering_bound
"""


def _kinds(words: str) -> frozenset[str]:
    return frozenset(f"K_{word.upper()}" for word in words.split())


BASIC_UNRESERVED = _kinds(_BASIC_UNRESERVED)
NATIVE_TYPES = _kinds(_NATIVE_TYPES)
#: Kinds of token that may stand for a column, table or keyspace.
IDENTIFIERS = (
    BASIC_UNRESERVED
    | NATIVE_TYPES
    | _kinds(_OTHER_UNRESERVED)
    | {"K_EMPTY", "IDENT", "QUOTED_NAME"}
)  # fmt: skip
#: Kinds of token that are values.
CONSTANTS = ("STRING_LITERAL", "INTEGER", "FLOAT", "BOOLEAN", "DURATION", "UUID", "HEXNUMBER", "K_NULL")
#: Kinds of token that may name a function.
FUNCTION_NAMES = BASIC_UNRESERVED | NATIVE_TYPES | {
    "K_EMPTY", "IDENT", "QUOTED_NAME", "K_TOKEN", "K_COUNT", "K_ANN",
}  # fmt: skip

_KEYWORDS = {
    word: f"K_{word.upper()}"
    for words in (_BASIC_UNRESERVED, _NATIVE_TYPES, _OTHER_UNRESERVED, _RESERVED)
    for word in words.split()
} | {
    "empty": "K_EMPTY",
    "table": "K_COLUMNFAMILY",
    "columnfamilies": "K_TABLES",
    "true": "BOOLEAN",
    "false": "BOOLEAN",
}


def names_something(word: str) -> bool:
    """Whether a word of lower-case letters, digits and underscores may be a name as it stands, without quotes."""
    return _KEYWORDS.get(word, "IDENT") in IDENTIFIERS


# Blanks and comments go in front of the token they precede, so that one match makes one token. What begins no token
# falls to the last alternative, with all that follows it, so that hostile text is read only once; and what was passed
# is never gone back to (*+, ++), so that nothing has to be remembered of it. A line comment must end with its line, and
# digits must not run into a hexadecimal letter (the database takes them for the beginning of a uuid): both are errors
# in ScyllaDB.
_TOKEN = re.compile(
    r"""
    (?: [ \t\r\n]++ | (?:--|//)[^\r\n]*+[\r\n] | /\*(?s:.*?)\*/ )*+
    (
        [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}   # UUID
      | -?P[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}                       # DURATION
      | [A-Za-z][A-Za-z0-9_]*                                                          # IDENT, keyword, DURATION
      | [;(),*.\[\]{}:=+?]
      | [<>]=?
      | '[^']*+(?:''[^']*+)*+'                                                         # STRING_LITERAL
      | 0[xX][0-9a-fA-F]*                                                              # HEXNUMBER
      | -?[0-9]+ (?:
            (?i:mo|ms|us|µs|ns|[ywdhms]) (?:[0-9]+(?i:mo|ms|us|µs|ns|[ywdhms]))*       # DURATION
          | \.[0-9]*(?:[eE][+-]?[0-9]+)?                                               # FLOAT
          | [eE][+-]?[0-9]+
          | [a-fA-F]?                                                                  # INTEGER, or none (3and)
        )
      | "(?:[^"]++|"")++"                                                              # QUOTED_NAME
      | \$\$(?:[^$]++|\$[^$])*+\$\$                                                     # STRING_LITERAL
      | !=
      | -P[0-9T][0-9A-Z]*                                                              # DURATION
      | -(?!-)
      | \Z
      | (?s:.+)
    )
    """,
    re.VERBOSE,
)
_ISO_DURATION = re.compile(
    r"-?P(?:(?:[0-9]+Y)?(?:[0-9]+M)?(?:[0-9]+D)?(?:T(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+S)?)?|[0-9]+W)"
)
_QUOTED_NAME = re.compile(r'"(?:[^"]++|"")++"')
_UUID_LENGTH = 36
_HEX_RUN = re.compile(r"-?[0-9a-fA-F]+")

# Tokens that are known by their text alone: punctuation, and keywords in the two spellings people use.
_EXACT = {sign: (sign, sign) for sign in (*";(),*.[]{}:=+?<>-", "<=", ">=", "!=")}
for _word, _kind in _KEYWORDS.items():
    for _spelling in (_word, _word.upper()):
        _EXACT[_spelling] = (_kind, _spelling if _kind == "BOOLEAN" else _word)


class Tokens:
    """The tokens of a text: ``kinds`` and ``values`` in parallel, closed by two EOF, so that a parser may look one
    token further. Where a token stands is found out only when somebody asks."""

    __slots__ = ("_spans", "kinds", "text", "values")

    def __init__(self, text: str, kinds: list[str], values: list[str]):
        self.text = text
        self.kinds = kinds
        self.values = values
        self._spans: list[tuple[int, int]] | None = None

    def span(self, index: int) -> tuple[int, int]:
        """Offsets in the text where the token begins and ends."""
        if self._spans is None:
            self._spans = [match.span(1) for match in _TOKEN.finditer(self.text)]
        return self._spans[min(index, len(self._spans) - 1)]

    def source(self, first: int, last: int) -> str:
        """The text from token ``first`` up to and including token ``last``."""
        return self.text[self.span(first)[0] : self.span(last)[1]]

    def shown(self, index: int) -> str:
        """The token as an error message shows it: its text, but strings and quoted names without their quotes."""
        kind = self.kinds[index]
        if kind == "EOF":
            return "<EOF>"
        if kind in ("STRING_LITERAL", "QUOTED_NAME"):
            return self.values[index]
        return self.source(index, index)

    def position(self, index: int) -> str:
        """``line 1:7``: lines from 1, columns from 0. The end of the text has no column of its own: it is 0."""
        if self.kinds[index] == "EOF":
            return f"line {1 + self.text.count(_NEWLINE)}:0"
        return _position(self.text, self.span(index)[0])


_NEWLINE = "\n"


def _position(text: str, offset: int) -> str:
    line_start = text.rfind(_NEWLINE, 0, offset) + 1
    return f"line {1 + text.count(_NEWLINE, 0, offset)}:{offset - line_start}"


def tokenize(text: str) -> Tokens:
    """All tokens of ``text``. SyntaxException where no token can be made out; InvalidRequest if it is too long."""
    if len(text) > MOST_TOKENS:
        _check_length(text)
    kinds: list[str] = []
    values: list[str] = []
    add_kind, add_value, exact = kinds.append, values.append, _EXACT.get
    for word in _TOKEN.findall(text):
        known = exact(word)
        if known is not None:
            add_kind(known[0])
            add_value(known[1])
            continue
        if not word:
            break
        kind, value = _classify(word)
        if kind == "":
            raise _no_token(text, [match.start(1) for match in _TOKEN.finditer(text)][len(kinds)])
        add_kind(kind)
        add_value(value)
    if len(kinds) > MOST_CONSTANTS:
        _check_constants(kinds)
    kinds += ("EOF", "EOF")
    values += ("", "")
    return Tokens(text, kinds, values)


def _check_length(text: str) -> None:
    if len(text) > LONGEST_STATEMENT:
        raise InvalidRequest(f"A statement may have {LONGEST_STATEMENT:,} characters, and this one has {len(text):,}.")
    if sum(1 for _ in islice(_TOKEN.finditer(text), MOST_TOKENS + 1)) > MOST_TOKENS:
        raise InvalidRequest(
            f"A statement may have {MOST_TOKENS:,} words, constants and signs, and this one has more. Bind long values "
            "as variables, and part long lists."
        )


def _check_constants(kinds: list[str]) -> None:
    count = sum(map(kinds.count, CONSTANTS))
    if count > MOST_CONSTANTS:
        raise InvalidRequest(
            f"A statement may have {MOST_CONSTANTS:,} constants written out in it, and this one has {count:,}. Bind "
            "them as variables."
        )


def _classify(word: str) -> tuple[str, str]:
    """Kind and value of a token that is not known by its text alone; the kind is empty for what is no token."""
    first = word[0]
    if "a" <= first <= "z" or "A" <= first <= "Z":
        if len(word) == _UUID_LENGTH and word[8] == "-":
            return "UUID", word
        if first == "P" and _is_iso_duration(word):
            return "DURATION", word
        lower = word.lower()
        kind = _KEYWORDS.get(lower, "IDENT")
        return kind, word if kind == "BOOLEAN" else lower
    if "0" <= first <= "9" or (first == "-" and word[:2] != "--"):
        return _number_kind(word), word
    if first == "'" and len(word) > 1 and word[-1] == "'":
        return "STRING_LITERAL", word[1:-1].replace("''", "'")
    if first == '"' and _QUOTED_NAME.fullmatch(word):
        return "QUOTED_NAME", word[1:-1].replace('""', '"')
    if word[:2] == "$$" and len(word) > 3 and word[-2:] == "$$":
        return "STRING_LITERAL", word[2:-2]
    return "", word


def _number_kind(word: str) -> str:
    if len(word) == _UUID_LENGTH and word[8] == "-" and word[0] != "-":
        return "UUID"
    if word[:2] in ("0x", "0X"):
        return "HEXNUMBER"
    last = word[-1]
    if last in "0123456789.":
        if "P" in word:
            return "DURATION"
        return "INTEGER" if word.lstrip("-").isdigit() else "FLOAT"
    if "P" in word:
        return "DURATION" if _is_iso_duration(word) else ""
    return "" if last in "abcefABCEF" else "DURATION"


def _is_iso_duration(word: str) -> bool:
    """P1Y2M, P2W or P0001-00-00T12:00:00; but a bare P or PT is somebody's column."""
    return "-" in word[1:] or (word not in ("P", "PT") and _ISO_DURATION.fullmatch(word) is not None)


def _no_token(text: str, offset: int) -> SyntaxException:
    """The error for a character that begins no token, or begins one that never ends."""
    begin = text[offset : offset + 2]
    end_of_text = _position(text, len(text))
    if begin in ("--", "//"):  # a comment that no line break ends
        return SyntaxException(f"{end_of_text} : Unexpected ''")
    if begin[0] in "'\"" or begin in ("/*", "$$"):
        return SyntaxException(f"{end_of_text} : Syntax error")
    if begin[0] == "!":
        return SyntaxException(f"{_position(text, offset + 1)} : Syntax error")
    run = _HEX_RUN.match(text, offset)
    if run is not None:
        return SyntaxException(f"{_position(text, min(run.end(), offset + 8))} : Unexpected ''")
    return SyntaxException(f"{_position(text, offset)} no viable alternative at input ''")
