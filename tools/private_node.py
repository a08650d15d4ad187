"""An embedded node for one piece of work alone, which leaves no trace of itself."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def private_node(*, or_server: bool = False) -> Iterator[None]:
    """While it is open, connect() finds an embedded node of its own; at the end that node is thrown away.

    ``or_server`` lets it find the server that SCYLLA_HOSTS names, if it names one.
    """
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="fifty-thousand-seats-", ignore_cleanup_errors=True) as folder:
        for name in [name for name in os.environ if name.startswith("SCYLLA_") and not or_server]:
            del os.environ[name]
        # A learner's own record of progress is not touched either.
        record = str(Path(folder) / "progress.json")
        os.environ |= {"EMBEDDED_DIR": folder, "HELPERS_PROGRESS": "off", "PROGRESS_FILE": record}
        try:
            yield
        finally:
            from helpers.lab.node import stop_node

            stop_node()
            os.environ.clear()
            os.environ.update(before)
