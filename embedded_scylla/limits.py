"""How much clients may ask of the node: all bounds, each with its reason.

ScyllaDB has a bound of its own where one is named. Its others are shares of the memory that it was given, waited for
and not refused; this node takes its memory from the machine that a person works at, and says no. What is a rule of CQL,
and no bound of a machine's, stands with that rule: how long a name or a key may be, how deep terms may be nested.
"""

from __future__ import annotations

import sys

KB, MB = 1024, 1024 * 1024

# ---------------------------------------------------------------- connections

MOST_CLIENTS = 4_000  # forty drivers need some 200; ScyllaDB takes as many as it has descriptors for
SPARE_CLIENTS = 16  # beyond them, for a moment: to be told that there is no room, or to use the control channel
SPARE_DESCRIPTORS = 48  # for files, the wake-up, and those SPARE_CLIENTS
WINDOWS_SOCKETS = 512  # what select() takes there
ACCEPT_PAUSE = 1.0  # seconds without looking for new clients when descriptors have run out, unless one leaves


def most_clients() -> int:
    """How many clients this process has descriptors for, at most ``MOST_CLIENTS``."""
    if sys.platform == "win32":
        descriptors = WINDOWS_SOCKETS
    else:
        import resource

        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if descriptors == resource.RLIM_INFINITY:
            return MOST_CLIENTS
    return max(1, min(MOST_CLIENTS, descriptors - SPARE_DESCRIPTORS))


# ---------------------------------------------------------------- requests

READ_SIZE = 256 * KB  # bytes that are taken from a socket at a time
MAX_FIRST_BODY = 100_000  # of a frame before STARTUP is through: ScyllaDB's bound for the first one
# What a request may cost. ScyllaDB allows a tenth of the shard's memory: this is a shard's that was given 1 GB, as in
# docker-compose.yml.
MAX_REQUEST_MEMORY = 1024 * MB // 10
HALF_SENT_TOGETHER = 256 * MB  # requests that are not whole yet, of all clients
LONGEST_LINE = 64 * KB  # of the control channel, whose longest command has 80 characters


def request_memory(length: int) -> int:
    """What ScyllaDB reserves for a request whose body is that long: two copies, and some."""
    return 2 * length + 8000


MAX_BODY = (MAX_REQUEST_MEMORY - request_memory(0)) // 2

# ---------------------------------------------------------------- answers

SEND_SIZE = 256 * KB  # small answers that wait are sent together, up to so much
HIGH_WATER = 16 * MB  # bytes waiting for a client that does not read: it is not read from until they are sent
UNREAD_TOGETHER = 512 * MB  # bytes waiting for all clients: beyond them those that stalled are cut off, the worst first
STALLED = 10.0  # seconds in which a client took nothing of what waits for it
UNREAD_EVENTS = 1 * MB  # bytes of events, which nobody asked for one by one: some 15,000 changes of the schema

# ---------------------------------------------------------------- statements

# All others wait while a text is read. These have room for 65,535 variables and their commas, the protocol's most.
MOST_TOKENS = 150_000
LONGEST_STATEMENT = 16 * MB  # characters: ScyllaDB's largest mutation has as many bytes (half a segment of its log)
MOST_CONSTANTS = 25_000  # of those: a plan has them all
MOST_SELECTORS = MOST_COLUMNS = 5_000  # ScyllaDB's documentation has hundreds of columns in mind
MOST_RELATIONS = 1_000  # of a WHERE or an IF: all of them are tried for each row
MOST_JSON_VALUES = 25_000  # in one document
LONGEST_PATTERN = 10_000  # characters of a LIKE

# ---------------------------------------------------------------- numbers

# Of a varint or decimal: to make them of bytes, or a text of them, costs as the square of their number.
MOST_FIGURES = 10_000
LONGEST_NUMBER = 4 * KB + 64  # bytes: so many figures

# ---------------------------------------------------------------- what is kept

# A client that makes a new text of every request would fill the memory with plans. ScyllaDB gives them a share of the
# memory (1/256). Here they are counted, and so are the characters of their texts: a plan holds up to 250 bytes for each
# of them (a long list of constants; 150 are usual), so all of them together stay below half a gigabyte.
MOST_PREPARED, MOST_PREPARED_CHARACTERS = 10_000, 2_000_000
MOST_TEXTS, MOST_TEXT_CHARACTERS = 500, 1_000_000
LONGEST_TEXT = 10_000  # characters of a text that is kept though nobody prepared it: such a one hardly comes again
