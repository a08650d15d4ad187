"""Cases as files: what was found is kept in ``found/``, and played again by the tests.

.cql      statements with an empty line between them
.frames   a conversation: a line of hexadecimal for each piece that the node is given
.zip      the files of a data directory
"""

from __future__ import annotations

import random
import re
from pathlib import Path

from embedded_scylla.protocol import frame

from .findings import Finding, Tally
from .frames import hold
from .journals import opened, unzipped
from .node import query
from .player import Player

FOUND = Path(__file__).parent / "found"


def keep(finding: Finding, directory: Path) -> Path:
    """Write the case of a finding; the file."""
    directory.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "-", finding.where).strip("-").lower()[:60]
    path = directory / f"{name}.{finding.kind}"
    path.write_bytes(finding.case)
    return path


def play_again(case: Path, directory: Path, tally: Tally) -> None:
    """Ask a new node, kept in ``directory``, what is in a file; a journal is opened there instead."""
    data = case.read_bytes()
    if case.suffix == ".zip":
        opened(directory, *unzipped(data), tally)
        return
    player = Player(directory, 1, tally)
    if case.suffix == ".frames":
        hold(player.node, [bytes.fromhex(line) for line in data.decode().splitlines()], random.Random(1))
    else:
        node = player.node
        for text in data.decode().strip("\n").split("\n\n"):
            with tally.bounded("cql", data):
                opcode, body = node.ask(node.user, frame.QUERY, query(text))
            node.judge(opcode, body, "cql", data)
            if opcode == -1:
                tally.found("no answer", "cql", data)
    player.restart()
    player.close()
