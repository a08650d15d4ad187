"""Schema values to plain data (dicts, lists, text, numbers, bytes) for the journal, and back.

A view's filter is kept as its text and compiled again when it is read. The node's own keyspaces are not kept: they are
made anew at each start.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from ..schema import CdcOptions, Column, Index, Keyspace, Schema, Table, ViewDefinition, is_system_keyspace
from ..types import UserType, by_name_in
from ..types.user import in_order
from .where import compile_restrictions

Payload = dict[str, Any]


def encode_keyspace(keyspace: Keyspace) -> Payload:
    """A keyspace with all its types and tables."""
    return {
        "name": keyspace.name,
        "replication": dict(keyspace.replication),
        "durable_writes": keyspace.durable_writes,
        "tablets": keyspace.tablets,
        "types": [
            (t.type_name, [(field, cql_type.name) for field, cql_type in zip(t.fields, t.types, strict=True)])
            for t in in_order(keyspace.types.values())
        ],
        "tables": [encode_table(table) for table in keyspace.tables.values()],
    }


def decode_keyspace(payload: Payload) -> Keyspace:
    types = _decode_types(payload["name"], payload.get("types", ()))
    tables = [decode_table(table, types) for table in payload["tables"]]
    bases = {table.id: table for table in tables}
    return Keyspace(
        payload["name"],
        dict(payload["replication"]),
        payload["durable_writes"],
        payload["tablets"],
        {table.name: _with_filter(table, bases) for table in tables},
        types,
    )


def _decode_types(keyspace: str, payload: Iterable[Any]) -> dict[str, UserType]:
    types: dict[str, UserType] = {}
    for name, pairs in payload:  # what a type consists of comes before it
        parts = [by_name_in(cql_type, types) for _, cql_type in pairs]
        types[name] = UserType(keyspace, name, [field for field, _ in pairs], parts)
    return types


def _with_filter(table: Table, bases: dict[uuid.UUID, Table]) -> Table:
    if table.view is None or table.backs_index:
        return table
    restrictions = compile_restrictions(table.view.where, bases[table.view.base_id])
    return replace(table, view=replace(table.view, restrictions=restrictions))


def encode_table(table: Table) -> Payload:
    view = table.view
    return {
        "keyspace": table.keyspace,
        "name": table.name,
        "id": table.id.bytes,
        "columns": [(c.name, c.type.name, c.role, c.position, c.descending) for c in table.columns.values()],
        "options": dict(table.options),
        "cdc": {field.name: getattr(table.cdc, field.name) for field in fields(CdcOptions)},
        "view": None
        if view is None
        else {
            "base_id": view.base_id.bytes,
            "base_name": view.base_name,
            "where": view.where,
            "include_all_columns": view.include_all_columns,
            "virtual": list(view.virtual),
            "computed": [list(column) for column in view.computed],
            "backs_index": view.backs_index,
        },
        "indexes": [(i.name, i.column, i.function, i.custom_class, i.local) for i in table.indexes.values()],
        "dropped_columns": [
            (name, cql_type.name, at, where) for name, (cql_type, at, where) in table.dropped_columns.items()
        ],
        "ttl_column": table.ttl_column,
        "partitioner": table.partitioner,
        "is_cdc_log": table.is_cdc_log,
    }


def decode_table(payload: Payload, types: dict[str, UserType] | None = None) -> Table:
    """The table; a view's filter is yet to be compiled (``decode_keyspace`` does). ``types``: the user-defined."""
    view = payload["view"]
    return Table(
        payload["keyspace"],
        payload["name"],
        uuid.UUID(bytes=payload["id"]),
        {
            name: Column(name, by_name_in(cql_type, types or {}), role, position, descending)
            for name, cql_type, role, position, descending in payload["columns"]
        },
        dict(payload["options"]),
        CdcOptions(**payload["cdc"]),
        None
        if view is None
        else ViewDefinition(
            uuid.UUID(bytes=view["base_id"]),
            view["base_name"],
            view["where"],
            view["include_all_columns"],
            virtual=tuple(view["virtual"]),
            computed=tuple(tuple(column) for column in view["computed"]),
            # An older journal does not say it: of its views, those with a computed column are behind an index.
            backs_index=view.get("backs_index", bool(view["computed"])),
        ),
        {index[0]: Index(*index) for index in payload["indexes"]},
        {
            name: (by_name_in(cql_type, types or {}), at, where)
            for name, cql_type, at, where in payload["dropped_columns"]
        },
        payload["ttl_column"],
        payload["partitioner"],
        payload["is_cdc_log"],
    )


def encode_schema(schema: Schema) -> Payload:
    """All keyspaces but the node's own."""
    return {
        "uuid": schema.uuid.bytes,
        "keyspaces": [encode_keyspace(k) for k in schema.keyspaces.values() if not is_system_keyspace(k.name)],
    }


def restore_schema(payload: Payload, schema: Schema) -> None:
    """Make ``schema`` what it was when it was encoded; the node's own keyspaces stay."""
    version = uuid.UUID(bytes=payload["uuid"])
    decoded = {keyspace.name: keyspace for keyspace in map(decode_keyspace, payload["keyspaces"])}
    own = {name: keyspace for name, keyspace in schema.keyspaces.items() if is_system_keyspace(name)}
    schema.restore(own | decoded, version)
