"""The control channel: what a teacher may do to the node, and CQL has no words for.

A connection to the CQL port whose first byte is ``{`` is a control connection: one JSON object a line, one JSON object
back. A native-protocol frame never begins so, and ScyllaDB answers such a line with a protocol error, which is how a
caller can tell the two apart. Only clients on this machine are listened to.

    {"do": "status"}                            what this node is, how much it holds, how far its clock is pushed
    {"do": "push_clock", "seconds": 900}        move time forward, for everybody; with "keyspace": "ks" only there
    {"do": "delay_views", "milliseconds": 500}  views follow their base table this much later (0: at once)
    {"do": "decisions_take", "milliseconds": 5} each conditional statement takes so long, one after the other of a
                                                partition; plain ones wait for nothing (0: it takes what it takes)
    {"do": "refuse_writes", "seconds": 5}       answer writes with Unavailable for a while (0: stop refusing)
    {"do": "new_cdc_generation"}                begin a new generation of CDC streams, as a topology change does
    {"do": "split_tablets", "table": "ks.t"}    begin new CDC streams of a table on tablets, as a growing table does
    {"do": "stop"}                              end the node, cleanly

An answer is ``{"ok": true, …}`` or ``{"ok": false, "error": "a sentence"}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from ..errors import CqlError
from ..limits import LONGEST_LINE
from ..notices import Notices

FIRST_BYTE = ord("{")


class Dials(Protocol):
    """What can be turned at a node, and what it says of itself. ValueError or CqlError with a sentence when it cannot
    be done."""

    def status(self) -> dict[str, Any]:
        """Names, figures, settings."""

    def push_clock(self, seconds: float, keyspace: str | None = None) -> float:
        """Move time forward, everywhere or in one keyspace; the seconds by which it is ahead there now."""

    def delay_views(self, seconds: float) -> None:
        """Let views follow their base tables so much later."""

    def decisions_take(self, seconds: float) -> None:
        """Let each conditional statement take so long, one after the other of a partition."""

    def refuse_writes(self, seconds: float) -> None:
        """Answer writes with Unavailable for so long."""

    def new_cdc_generation(self) -> int:
        """Begin a new generation of CDC streams; its timestamp in ms."""

    def split_tablets(self, name: str) -> int:
        """Begin new CDC streams of ``keyspace.table``; their timestamp in ms."""


class Server(Protocol):
    """Whose sockets they are."""

    def status(self) -> dict[str, Any]:
        """Figures."""

    def stop(self) -> None:
        """End the node."""


class ControlConnection:
    """The control channel's half of a connection: lines in, lines out. Whatever fails, there is an answer."""

    def __init__(
        self, dials: Dials, server: Server, peer: tuple[str, int], send: Callable[[bytes], bool], notices: Notices
    ):
        self.dials, self.server = dials, server
        self._send, self._notices = send, notices
        self._allowed = peer[0].startswith("127.") or peer[0] in ("::1", "::ffff:127.0.0.1")
        self.closing = self.crowded = False
        self._lines = bytearray()  # that are not answered yet: the last has no end

    @property
    def held(self) -> int:
        """How many bytes it holds that are not answered yet."""
        return len(self._lines)

    def feed(self, data: bytes) -> None:
        """Take what the client sent and answer every whole line in it, while there is room for the answers."""
        self._lines += data
        self.crowded = False
        while not self.closing and not self.crowded:
            end = self._lines.find(b"\n")
            if end > LONGEST_LINE or (end < 0 and len(self._lines) > LONGEST_LINE):
                self._end(f"A line has at most {LONGEST_LINE} bytes, and ends with a newline.")
            elif end < 0:
                return
            elif not self._allowed:
                self._end("The control channel listens to this machine only.")
            else:
                line = bytes(self._lines[:end])
                del self._lines[: end + 1]
                self._say(self._obey(line))

    def _end(self, sentence: str) -> None:
        """Say why, and hang up."""
        self._lines = bytearray()
        self.closing = True
        self._say({"ok": False, "error": sentence})

    def _say(self, answer: dict[str, Any]) -> None:
        has_room = self._send(json.dumps(answer).encode() + b"\n")
        self.crowded = not has_room and not self.closing

    def _obey(self, line: bytes) -> dict[str, Any]:
        try:
            command, arguments = _understand(line)
            return {"ok": True, **command.obey(self, *arguments)}
        except (ValueError, CqlError) as error:
            return {"ok": False, "error": str(error)}
        except Exception as error:  # a fault of the node, not of the caller: say so and go on
            self._notices.fault("which the control channel was told of", error)
            return {"ok": False, "error": f"{type(error).__name__} in the embedded node: {error}"}


# ---------------------------------------------------------------- commands


class Command(NamedTuple):
    """``obey`` takes the connection and its arguments, and gives what is answered beside ``ok``. ``argument`` is the
    name of the one that it needs, ``option`` of the one that may be left out; None if there is none."""

    obey: Callable[..., dict[str, Any]]
    argument: str | None = None
    option: str | None = None


def _understand(line: bytes) -> tuple[Command, list[Any]]:
    """The command of a line, and its arguments; ValueError with a sentence."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        request = None
    name = request.pop("do", None) if isinstance(request, dict) else None
    command = COMMANDS.get(name) if isinstance(name, str) else None
    if command is None:
        raise ValueError(f'Say {{"do": …}} with one of {", ".join(sorted(COMMANDS))}.')
    wanted = command.argument
    taken = [argument for argument in (wanted, command.option) if argument]
    unknown = sorted(request.keys() - set(taken))
    if unknown:
        takes = f"it takes {' and '.join(taken)}" if taken else "it takes nothing"
        raise ValueError(f"{name} does not know {', '.join(unknown)}: {takes}.")
    if wanted is not None and wanted not in request:
        raise ValueError(f"{name} needs {wanted}.")
    given = [argument for argument in taken if argument in request]
    return command, [_checked(request[argument], argument) for argument in given]


def _checked(value: Any, name: str) -> Any:
    check: Callable[[Any, str], Any] = _CHECKS.get(name, _number)
    return check(value, name)


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10**9:
        raise ValueError(f"{name} must be a number of at least 0 and below a billion, not {_shown(value)}.")
    return value


def _table(value: Any, name: str) -> str:
    if not isinstance(value, str) or value.count(".") != 1:
        raise ValueError(f"{name} must be a text such as keyspace.table, not {_shown(value)}.")
    return value


def _keyspace(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text, not {_shown(value)}.")
    return value


_CHECKS: dict[str, Callable[[Any, str], Any]] = {"table": _table, "keyspace": _keyspace}  # all others are numbers


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:100] + "…"


def _status(connection: ControlConnection) -> dict[str, Any]:
    return {**connection.dials.status(), **connection.server.status()}


def _push_clock(connection: ControlConnection, seconds: float, keyspace: str | None = None) -> dict[str, Any]:
    return {"clock_offset_seconds": connection.dials.push_clock(seconds, keyspace)}


def _delay_views(connection: ControlConnection, milliseconds: float) -> dict[str, Any]:
    connection.dials.delay_views(milliseconds / 1000)
    return {}


def _decisions_take(connection: ControlConnection, milliseconds: float) -> dict[str, Any]:
    connection.dials.decisions_take(milliseconds / 1000)
    return {}


def _refuse_writes(connection: ControlConnection, seconds: float) -> dict[str, Any]:
    connection.dials.refuse_writes(seconds)
    return {}


def _new_cdc_generation(connection: ControlConnection) -> dict[str, Any]:
    return {"timestamp": connection.dials.new_cdc_generation()}


def _split_tablets(connection: ControlConnection, table: str) -> dict[str, Any]:
    return {"timestamp": connection.dials.split_tablets(table)}


def _stop(connection: ControlConnection) -> dict[str, Any]:
    connection.server.stop()
    return {}


COMMANDS = {
    "status": Command(_status),
    "push_clock": Command(_push_clock, "seconds", "keyspace"),
    "delay_views": Command(_delay_views, "milliseconds"),
    "decisions_take": Command(_decisions_take, "milliseconds"),
    "refuse_writes": Command(_refuse_writes, "seconds"),
    "new_cdc_generation": Command(_new_cdc_generation),
    "split_tablets": Command(_split_tablets, "table"),
    "stop": Command(_stop),
}
