"""What a server's refusal says, and what it means."""

from __future__ import annotations

import re

from cassandra import (
    AlreadyExists,
    InvalidRequest,
    OperationTimedOut,
    ReadTimeout,
    Unauthorized,
    Unavailable,
    WriteTimeout,
)
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionException
from cassandra.protocol import ConfigurationException, SyntaxException

from ..lab.connection import server_is_lost
from ..lab.server_errors import SERVER_ERRORS as SERVER_ERRORS
from ..lab.server_errors import inner_error as inner_error

NO_TABLE = "There is no such table in this keyspace."
_LOST = (
    "The server does not answer any more. Run the cell with connect() again, or session = connect() in a cell of its "
    "own: it starts the embedded node if that has ended, and the chapter goes on where it was."
)

_NO_ROOM = "Tablets want a node, and where they ask for racks a rack, for each copy. There are fewer."

_MISSING_WORD = re.compile(r"(?:Missing|missing|expecting) K_(\w+)")

# What a refusal means, by the server's class of error and a fragment of its text; the first that fits.
_MEANINGS = [
    (InvalidRequest, "is only supported in materialized view", "IS NOT null belongs into a view's definition."),
    (InvalidRequest, "ALLOW FILTERING", "No key says where these rows are: every row would have to be looked at."),
    (InvalidRequest, "Missing mandatory PRIMARY KEY part", "A write names the whole key of the row it writes."),
    (
        InvalidRequest,
        "Cannot drop PRIMARY KEY part",
        "A key stays: another key is another table, and a copy of all rows.",
    ),
    (InvalidRequest, "conflicts with an existing column", "The table has a column of this name already."),
    (InvalidRequest, "needs this column", "A view keeps a copy of this column: the view would have to go first."),
    (InvalidRequest, "directly modify a materialized view", "A view follows its table: write there."),
    (
        InvalidRequest,
        "more than one non-primary key column",
        "A view's key adds one column to its table's, not two.",
    ),
    (
        InvalidRequest,
        "conditions cannot span multiple partitions",
        "One decision is made within one partition: its replicas have to agree on all of it.",
    ),
    (
        InvalidRequest,
        "Batch too large",
        "Over several partitions a batch may write a megabyte. Send such rows one by one, concurrently.",
    ),
    # How a keyspace on tablets is refused that asks for more copies than there are nodes, or racks, to hold them.
    (ConfigurationException, "token-owning nodes", _NO_ROOM),
    (InvalidRequest, "RF-rack-valid", "On tablets this wants one copy, or one in each rack."),
    (ConfigurationException, "number of racks", _NO_ROOM),
    (InvalidRequest, "nconfigured table", NO_TABLE),
    (InvalidRequest, "not found in keyspace", NO_TABLE),
    (InvalidRequest, "Unrecognized name", "The table has no such column: is it spelt so, and has a cell added it?"),
    (InvalidRequest, "Unknown identifier", "The table has no such column: is it spelt so, and has a cell added it?"),
    (InvalidRequest, "Unmatched column names/values", "An INSERT has a value for each column that it names."),
    (InvalidRequest, "No PRIMARY KEY", "A table says what its rows are known by: PRIMARY KEY (…)."),
    (
        InvalidRequest,
        "Unknown type",
        "No type has this name. There are text, int, decimal, timestamp, uuid …",
    ),
    (InvalidRequest, "views still depend on it", "A view goes before its table: DROP MATERIALIZED VIEW first."),
    (InvalidRequest, "keyspace", "Is the keyspace made, and in use? open_chapter(session, keyspace) does both."),
    (InvalidRequest, "constant", "The value is not of the column's type."),
    (SyntaxException, "property 'cdc'", "cdc is a map, in curly brackets: cdc = {'enabled': true}."),
    (SyntaxException, "Unknown property", "No option has this name: is it spelt so?"),
    (SyntaxException, "for property", "This option takes a value of another kind."),
    (SyntaxException, "", "The statement is not CQL from that place on."),
    (Unauthorized, "cdc log table", "The log goes with its table. Once cdc is off, it may be dropped by itself."),
    (Unavailable, "", "Fewer replicas are alive than this consistency level needs. Nothing was written or read."),
    (ConnectionException, "", _LOST),
    (NoHostAvailable, "", _LOST),
    (OperationTimedOut, "", "No answer came in time. Whether it was written, a read tells."),
    (WriteTimeout, "", "Nobody knows whether it was written: read before you try again, at SERIAL after an IF."),
    (ReadTimeout, "", "Not enough replicas answered in time. Reading again harms nobody."),
    (AlreadyExists, "", "It is there already; IF NOT EXISTS makes a statement safe to repeat."),
    (ConfigurationException, "types are incompatible", "Stored values cannot be read as that: add another column."),
    (ConfigurationException, "", "An option has a name or a value that the server does not know."),
]


def meaning_of(error: BaseException) -> str | None:
    """One sentence on what to make of a refusal; None where nothing can be added to the server's own."""
    # The parser's own name for a word: K_KEY.
    missing = _MISSING_WORD.search(error_text(error)) if isinstance(error, SyntaxException) else None
    if missing:
        return f"The word {missing[1]} is missing there."
    message = error_text(error).lower()
    fitting = (
        meaning for kind, fragment, meaning in _MEANINGS if isinstance(error, kind) and fragment.lower() in message
    )
    meaning = next(fitting, None)
    if meaning == _LOST:
        server_is_lost()  # whoever is told so comes back
    return meaning


def error_text(error: BaseException) -> str:
    """The server's own sentence, without what the driver puts around it."""
    # After the sentence, some classes of error repeat its figures: info={'required_replicas': 2, …}.
    found = re.search(r'message="(.*)"(?: info=\{.*\})?[>\s]*$', str(error), re.DOTALL)
    return found[1] if found else str(error)


def refusal_lines(error: BaseException, statement: str | None = None) -> list[str]:
    """A refusal as a learner is told it: its class and the server's sentence, and what that means.

    Where ``statement`` did not parse, a line of it stands between, with a caret below the place.
    """
    message = error_text(error)
    lines = [f"{type(error).__name__}: {message}"]
    place = _place(message, statement) if isinstance(error, SyntaxException) and statement else None
    if statement and place:
        rows, (row, column) = statement.splitlines(), place
        if row < len(rows) and column <= len(rows[row]):
            lines += [f"    {rows[row]}", f"    {' ' * column}^"]
    meaning = meaning_of(error)
    return [*lines, f"→ {meaning}"] if meaning else lines


def _place(message: str, statement: str) -> tuple[int, int] | None:
    """The row and the column, from 0, of which the server speaks; of an option of a table it says the name alone."""
    if found := re.match(r"line (\d+):(\d+)", message):
        return int(found[1]) - 1, int(found[2])
    named = re.search(r"[Pp]roperty '(\w+)'", message)
    there = re.search(rf"\b{named[1]}\b(?=\s*=)", statement, re.IGNORECASE) if named else None
    if there is None:
        return None
    before = statement[: there.start()]
    return before.count("\n"), len(before) - before.rfind("\n") - 1


def in_a_sentence(error: Exception) -> str:
    """An error where there is room for a sentence, and none for what the driver wraps it in."""
    if isinstance(error, SERVER_ERRORS):
        error = inner_error(error)
        return meaning_of(error) or f"{type(error).__name__}: {error_text(error)}"
    return f"{type(error).__name__}: {error}"
