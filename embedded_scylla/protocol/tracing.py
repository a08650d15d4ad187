"""Traces: what a traced request did, written to ``system_traces.sessions`` and ``system_traces.events``."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from ..request import Context, Database, QueryOptions, Tracer
from ..schema import Column
from ..storage.rows import Mutation, Row
from ..timeuuid import timeuuid_at

TTL = 86_400  # seconds that a trace is kept, as ScyllaDB does
THREAD = "shard 0"


def save_trace(database: Database, tracer: Tracer, client: str) -> uuid.UUID:
    """Write a finished request's trace; the answer carries the session id that is returned here."""
    session_id = timeuuid_at(tracer.started)
    now = tracer.started // 1_000_000
    address = database.node.address
    session = {
        "client": client,
        "command": "QUERY",
        "coordinator": address,
        "duration": database.clock.micros() - tracer.started,
        "parameters": {"query": tracer.text} if tracer.text else {},
        "request": tracer.request,
        "started_at": tracer.started // 1000,
    }
    mutations = [_row(database, "sessions", (session_id,), (), session, tracer.started, now)]
    for elapsed, activity in tracer.steps:
        event_id = timeuuid_at(tracer.started + elapsed)
        event = {"activity": activity, "source": address, "source_elapsed": elapsed, "thread": THREAD}
        mutations.append(_row(database, "events", (session_id,), (event_id,), event, tracer.started, now))
    context = Context(database, (), QueryOptions(), tracer.started, tracer.started, now)
    database.apply(mutations, context)
    return session_id


def _row(
    database: Database,
    name: str,
    key: Sequence[Any],
    clustering: Sequence[Any],
    values: Mapping[str, Any],
    timestamp: int,
    now: int,
) -> Mutation:
    """One row with a TTL, from Python values."""
    table = database.schema.table("system_traces", name)
    assert table is not None, "the node's own tables are always there"
    mutation = Mutation(table, _encoded(table.partition_key, key))
    row = Row(_encoded(table.clustering, clustering), marker=(timestamp, now + TTL, TTL))
    for column, value in values.items():
        data = table.columns[column].type.freeze().encode(value)
        row.cells[column] = (timestamp, data, now + TTL, TTL)
    mutation.rows[row.key] = row
    return mutation


def _encoded(columns: Sequence[Column], values: Sequence[Any]) -> tuple[bytes, ...]:
    return tuple(column.type.encode(value) for column, value in zip(columns, values, strict=True))
