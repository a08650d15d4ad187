"""The control channel: what a teacher may do to the node, and CQL has no words for.

A connection to the CQL port whose first byte is ``{`` is a control connection: one JSON object a line, one JSON object
back. A native-protocol frame never begins so, and ScyllaDB answers such a line with a protocol error, which is how a
caller can tell the two apart. Only clients on this machine are listened to.

    {"do": "status"}                            what this node is, how much it holds, how far its clock is pushed
    {"do": "push_clock", "seconds": 900}        move time forward, for everybody
    {"do": "delay_views", "milliseconds": 500}  views follow their base table this much later (0: at once)
    {"do": "refuse_writes", "seconds": 5}       answer writes with Unavailable for a while (0: stop refusing)
    {"do": "new_cdc_generation"}                begin a new generation of CDC streams, as a topology change does
    {"do": "split_tablets", "table": "ks.t"}    begin new CDC streams of a table on tablets, as a growing table does
    {"do": "stop"}                              end the node, cleanly

An answer is ``{"ok": true, …}`` or ``{"ok": false, "error": "a sentence"}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .server import Node

LONGEST_LINE = 65_536
FIRST_BYTE = ord("{")


class ControlConnection:
    """The control channel's half of a connection: lines in, lines out."""

    def __init__(self, node: Node, peer: tuple[str, int], send: Callable[[bytes], None]):
        self.node, self.send = node, send
        self.allowed = peer[0].startswith("127.") or peer[0] in ("::1", "::ffff:127.0.0.1")
        self.closing = False
        self.incomplete = False  # requests are short: none comes in pieces that wait for each other
        self.registered: frozenset[str] = frozenset()
        self._buffer = b""

    def feed(self, data: bytes) -> None:
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            self.send(json.dumps(self._answer(line)).encode() + b"\n")
        if len(self._buffer) > LONGEST_LINE:
            self.closing = True

    def _answer(self, line: bytes) -> dict[str, Any]:
        if not self.allowed:
            self.closing = True
            return {"ok": False, "error": "The control channel listens to this machine only."}
        try:
            request = json.loads(line)
            command = COMMANDS[request.pop("do")]
        except (ValueError, KeyError, AttributeError, TypeError):
            return {"ok": False, "error": f'Say {{"do": …}} with one of {", ".join(sorted(COMMANDS))}.'}
        try:
            return {"ok": True, **(command(self.node, **request) or {})}
        except (TypeError, ValueError) as error:
            return {"ok": False, "error": str(error)}


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10**9:
        raise ValueError(f"{name} must be a number of at least 0, not {value!r}.")
    return value


def _status(node: Node) -> dict[str, Any]:
    return node.engine.status()


def _push_clock(node: Node, seconds: float) -> dict[str, Any]:
    node.engine.push_clock(_number(seconds, "seconds"))
    return {"clock_offset_seconds": node.engine.clock.offset / 1e6}


def _delay_views(node: Node, milliseconds: float) -> None:
    node.engine.delay_views(_number(milliseconds, "milliseconds") / 1000)


def _refuse_writes(node: Node, seconds: float) -> None:
    node.engine.refuse_writes(_number(seconds, "seconds"))


def _new_cdc_generation(node: Node) -> dict[str, Any]:
    return {"timestamp": node.engine.new_cdc_generation()}


def _split_tablets(node: Node, table: str) -> dict[str, Any]:
    return {"timestamp": node.engine.split_tablets(table)}


def _stop(node: Node) -> None:
    node.stop()


COMMANDS: dict[str, Callable[..., dict[str, Any] | None]] = {
    "status": _status,
    "push_clock": _push_clock,
    "delay_views": _delay_views,
    "refuse_writes": _refuse_writes,
    "new_cdc_generation": _new_cdc_generation,
    "split_tablets": _split_tablets,
    "stop": _stop,
}
