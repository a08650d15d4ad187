"""What a change of the schema changed: one event for each keyspace, type and table that came, changed or went.

A statement may change more than it names: a table with CDC brings its log, an index the view behind it, and a
keyspace takes all its tables along.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .request import SchemaChange
from .schema import Keyspace, Table
from .types import UserType

KEYSPACE, TYPE, TABLE = "KEYSPACE", "TYPE", "TABLE"
CREATED, UPDATED, DROPPED = "CREATED", "UPDATED", "DROPPED"

Keyspaces = Mapping[str, Keyspace]


def events_between(before: Keyspaces, after: Keyspaces) -> list[SchemaChange]:
    """In an order in which each event finds what it is about: what others rest on comes first and goes last."""
    changed = [name for name in before.keys() | after.keys() if before.get(name) is not after.get(name)]
    old = {table.full_name: table for name in changed if name in before for table in before[name].tables.values()}
    new = {table.full_name: table for name in changed if name in after for table in after[name].tables.values()}
    events = [SchemaChange(CREATED, KEYSPACE, name) for name in sorted(changed) if name not in before]
    events += [SchemaChange(UPDATED, KEYSPACE, name) for name in sorted(changed) if _is_altered(name, before, after)]
    old_types = {kept.full_name: kept for name in changed if name in before for kept in before[name].types.values()}
    new_types = {kept.full_name: kept for name in changed if name in after for kept in after[name].types.values()}
    events += _of_types(CREATED, (new_types[name] for name in new_types.keys() - old_types.keys()))
    both = new_types.keys() & old_types.keys()
    events += _of_types(UPDATED, (new_types[name] for name in both if new_types[name] is not old_types[name]))
    events += _of_tables(CREATED, (new[name] for name in new.keys() - old.keys()))
    events += _of_tables(UPDATED, (new[name] for name in new.keys() & old.keys() if new[name] != old[name]))
    events += reversed(list(_of_tables(DROPPED, (old[name] for name in old.keys() - new.keys()))))
    gone = _of_types(DROPPED, (old_types[name] for name in old_types.keys() - new_types.keys()))
    events += reversed(list(gone))
    events += [SchemaChange(DROPPED, KEYSPACE, name) for name in sorted(changed) if name not in after]
    return events


def _is_altered(name: str, before: Keyspaces, after: Keyspaces) -> bool:
    old, new = before.get(name), after.get(name)
    if old is None or new is None:
        return False
    return (old.replication, old.durable_writes, old.tablets) != (new.replication, new.durable_writes, new.tablets)


def _of_tables(change: str, tables: Iterator[Table]) -> Iterator[SchemaChange]:
    """Base tables before views and logs."""
    for table in sorted(tables, key=lambda table: (table.is_view or table.is_cdc_log, table.full_name)):
        yield SchemaChange(change, TABLE, table.keyspace, table.name)


def _of_types(change: str, types: Iterator[UserType]) -> Iterator[SchemaChange]:
    """By name: a type comes alone, or many of them go with their keyspace."""
    for user_type in sorted(types, key=lambda user_type: user_type.full_name):
        yield SchemaChange(change, TYPE, user_type.keyspace, user_type.type_name)
