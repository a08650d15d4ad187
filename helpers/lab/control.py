"""Talks to the embedded node about what CQL has no words for: its state, its clock, its end.

One JSON object a line, on the port that also speaks CQL. ScyllaDB answers such a line with a protocol error, so a
caller can tell that it is no embedded node.
"""

from __future__ import annotations

import json
import socket
from typing import Any

from .errors import LabError


class NoControl(LabError):
    """Nothing at that address understands control requests."""


def ask(host: str, port: int, request: dict[str, Any], *, seconds: float = 30.0) -> dict[str, Any]:
    """Send one request, return the answer's fields; ``NoControl`` when no embedded node answers within ``seconds``.

    >>> ask("127.0.0.1", 9042, {"do": "push_clock", "seconds": 900})
    {'clock_offset_seconds': 900.0}
    """
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as lines:
                answer: dict[str, Any] = json.loads(lines.readline())
        well = answer.pop("ok")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise NoControl(f"No embedded node answers at {host}:{port}.") from error
    if not well:
        raise LabError(answer.get("error", "The embedded node refused without a reason."))
    return answer
