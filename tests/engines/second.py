"""The second engine for a fixture: a Cassandra of its own, or a skip that says why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.engines.cassandra import CassandraNode, CassandraUnavailable, is_available, start_cassandra


@contextmanager
def cassandra_or_skip(**options: Any) -> Iterator[CassandraNode]:
    """``start_cassandra`` with its options; where it cannot be had, the tests that want it are skipped."""
    available, reason = is_available()
    if not available:
        pytest.skip(reason)
    try:
        with start_cassandra(**options) as node:
            yield node
    except CassandraUnavailable as error:
        pytest.skip(f"Cassandra cannot be had here: {error}")
