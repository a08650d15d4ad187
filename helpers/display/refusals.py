"""What a server's refusal says, and what it means."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cassandra import (
    AlreadyExists,
    DriverException,
    InvalidRequest,
    OperationTimedOut,
    ReadTimeout,
    Unauthorized,
    Unavailable,
    WriteTimeout,
)
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionException
from cassandra.protocol import ConfigurationException, ErrorMessage, SyntaxException

# Whatever the driver raises when a request does not succeed. Three of its classes have no parent in common with others.
SERVER_ERRORS = (DriverException, ErrorMessage, NoHostAvailable, ConnectionException)

NO_TABLE = "There is no such table in this keyspace."
_LOST = (
    "The server does not answer any more. Run the cell with connect() again: it starts the embedded node if that has "
    "died, and nothing that was acknowledged is lost."
)

_NO_ROOM = "Tablets want a node, and where they ask for racks a rack, for each copy. There are fewer."

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
    message = error_text(error).lower()
    fitting = (
        meaning for kind, fragment, meaning in _MEANINGS if isinstance(error, kind) and fragment.lower() in message
    )
    return next(fitting, None)


def is_lost(error: BaseException) -> bool:
    """Is there nobody at the other end any more?"""
    return isinstance(error, NoHostAvailable | ConnectionException)


def error_text(error: BaseException) -> str:
    """The server's own sentence, without what the driver puts around it."""
    # After the sentence, some classes of error repeat its figures: info={'required_replicas': 2, …}.
    found = re.search(r'message="(.*)"(?: info=\{.*\})?[>\s]*$', str(error), re.DOTALL)
    return found[1] if found else str(error)


def inner_error(error: Exception) -> Exception:
    """The driver asks the next node after some refusals, and when none is left wraps the last one."""
    inside = getattr(error, "errors", None)
    if isinstance(inside, Mapping) and inside:
        return next((each for each in inside.values() if isinstance(each, SERVER_ERRORS)), error)
    return error


def in_a_sentence(error: Exception) -> str:
    """An error where there is room for a sentence, and none for what the driver wraps it in."""
    if isinstance(error, SERVER_ERRORS):
        error = inner_error(error)
        return meaning_of(error) or f"{type(error).__name__}: {error_text(error)}"
    return f"{type(error).__name__}: {error}"
