"""ALTER TABLE: columns added, dropped, renamed and given another type; options; the per-row TTL column."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from ..cql import ast
from ..errors import ConfigurationException, InvalidRequest
from ..lookup import check_modifiable, find_table
from ..request import UNSET, Context, Result, SchemaChange
from ..schema import CLUSTERING, PARTITION_KEY, REGULAR, STATIC, Column, ColumnSpec, Schema, Table
from ..terms.compile import Variables, compile_term
from ..types import ASCII, BIGINT, BLOB, COUNTER, TEXT, CqlType, parse_type
from ..types.user import check_column_type, without_user_types
from . import where
from .names import check_column_count, check_column_name
from .options import parse_table_options
from .tables import check_ttl_column, refuse_default_ttl, refuse_other_columns, with_log

_SAME_ORDER = {(ASCII, TEXT), (ASCII, BLOB), (TEXT, BLOB)}  # old and new type whose bytes sort alike
DROP_LEAD = 5_000_000  # µs: a log's dropped column is dropped that far in the future, for writes still under way


def drop_timestamp(
    statement: ast.AlterTable, term: ast.Term, keyspace_name: str, variables: Variables
) -> Callable[[Context], int | None]:
    """The timestamp (µs) of ``DROP … USING TIMESTAMP``; None when its variable is unset."""
    receiver = ColumnSpec(keyspace_name, statement.table.name, "[timestamp]", BIGINT)
    value = compile_term(term, receiver, variables)

    def when(context: Context) -> int | None:
        data = value(context)
        if data is UNSET:
            return None
        if not data:
            raise InvalidRequest("Invalid null value of timestamp")
        return int.from_bytes(data, "big", signed=True)

    return when


def alter_table(
    statement: ast.AlterTable, keyspace_name: str, context: Context, dropped_at: int | None = None
) -> Result:
    """``dropped_at``: the timestamp (µs) of a DROP, if it names one."""
    database, name = context.database, statement.table.name
    check_modifiable(keyspace_name)
    table = find_table(database.schema, keyspace_name, name)
    if table.is_view:
        raise InvalidRequest("Cannot use ALTER TABLE on Materialized View. (Did you mean ALTER MATERIALIZED VIEW)?")
    _protect_log(statement, table, database.schema)
    change = _Change(database.schema, table, context.micros)
    if statement.add:
        check_column_count(len(table.columns) + len(statement.add))
        for definition in statement.add:
            change.add(definition)
    elif statement.drop:
        # Above all timestamps that the node has given so far: whatever is there goes.
        dropped_at = context.clock.unique_micros() if dropped_at is None else dropped_at
        for column in statement.drop:
            change.drop(column, dropped_at)
    elif statement.alter_type:
        change.alter_type(*statement.alter_type)
    elif statement.rename:
        for old, new in statement.rename:
            change.rename(old, new)
    elif statement.ttl_column is not None:
        change.ttl(statement.ttl_column or None)
    keyspace = database.schema.keyspaces[keyspace_name]
    options = parse_table_options(statement.properties or {}, keyspace, database.schema.release, table.options)
    if statement.properties is not None:
        change.options(options, statement.properties)

    def apply(schema: Schema) -> Result:
        changed = with_log(schema, change.table, options, context.micros)
        schema.put_tables(keyspace_name, [*change.views.values(), *changed])
        return SchemaChange("UPDATED", "TABLE", keyspace_name, name)

    return database.change_schema(apply)


def _protect_log(statement: ast.AlterTable, table: Table, schema: Schema) -> None:
    """A log's columns follow its base table's; only its options are its own."""
    if not table.is_cdc_log:
        return
    is_attached = schema.base_of_log(table) is not None
    if statement.rename:
        if is_attached:
            raise InvalidRequest("Cannot rename a column of a CDC log table.")
        raise InvalidRequest(
            "You cannot rename a column of a CDC log table. Although the base table has deactivated CDC, "
            "this table will continue being a CDC log table until it is dropped."
        )
    if statement.properties is None:
        if is_attached:
            raise InvalidRequest(
                "You cannot modify the set of columns of a CDC log table directly. Modify the base table instead."
            )
        raise InvalidRequest(
            "You cannot modify the set of columns of a CDC log table directly. Although the base table has "
            "deactivated CDC, this table will continue being a CDC log table until it is dropped. If you want to "
            "modify the columns in it, you can only do that by reenabling CDC on the base table, which will reattach "
            "this log table. Then you will be able to modify the columns in the base table, and that will have effect "
            "on the log table too. Modifying the columns of a CDC log table directly is never allowed."
        )


class _Change:
    """A table on its way to its new form, with the views that change along."""

    def __init__(self, schema: Schema, table: Table, now: int):
        self.table = table
        self.views = {view.name: view for view in schema.views_of(table)}
        self.now = now  # µs
        self._user_types = schema.keyspaces[table.keyspace].types

    def _parse(self, written: ast.TypeName) -> CqlType:
        cql_type = parse_type(written, self.table.keyspace, self._user_types)
        check_column_type(cql_type)
        return cql_type

    def _put_view(self, view: Table) -> None:
        self.views[view.name] = view

    # ------------------------------------------------------------ ADD

    def add(self, definition: ast.ColumnDefinition) -> None:
        table, name = self.table, definition.name
        check_column_name(name)
        if definition.static and not table.clustering:
            raise InvalidRequest(
                "Static columns are only useful (and thus allowed) if the table has at least one clustering column"
            )
        taken = table.columns.get(name)
        if taken is not None:
            with_what = "a PRIMARY KEY part" if taken.role == PARTITION_KEY else "an existing column"
            raise InvalidRequest(f"Invalid column name {name} because it conflicts with {with_what}")
        cql_type = self._parse(definition.type)
        if table.is_counter and name in table.dropped_columns:
            raise InvalidRequest(f"Cannot re-add previously dropped counter column {name}")
        self._check_dropped(name, cql_type)
        if cql_type is COUNTER and not table.is_counter:
            raise ConfigurationException(f"Cannot add a counter column ({name}) in a non counter column family")
        column = Column(name, cql_type, STATIC if definition.static else REGULAR)
        self.table = table.with_columns({**table.columns, name: column})
        if table.is_counter:
            refuse_other_columns(self.table.columns)
        if definition.ttl:
            self.ttl(name)
        if definition.static:
            return
        for view in list(self.views.values()):
            if view.view.include_all_columns:
                self._put_view(view.with_columns({**view.columns, name: column}))
            elif not _has_extra_key_column(view, table):
                self._put_view(replace(view, view=replace(view.view, virtual=(*view.view.virtual, name))))

    def _check_dropped(self, name: str, cql_type: CqlType) -> None:
        """A name may come back after a drop, but not at once in a CDC table, nor as another collection."""
        if name not in self.table.dropped_columns:
            return
        old, dropped_at, _ = self.table.dropped_columns[name]
        if cql_type.is_multicell and old.is_multicell and cql_type is not old:
            raise InvalidRequest(
                f"Cannot add a collection with the name {name} because a collection with the same name and a "
                "different type has already been used in the past"
            )
        left = dropped_at + DROP_LEAD - self.now
        if self.table.cdc.enabled and left > 0:
            raise InvalidRequest(
                f"Cannot add column {name} because a column with the same name was dropped too recently. "
                f"Please retry after {math.ceil(left / 1_000_000)} seconds"
            )

    # ------------------------------------------------------------ DROP

    def drop(self, name: str, dropped_at: int) -> None:
        table = self.table
        column = table.columns.get(name)
        if column is None:
            raise InvalidRequest(f"Column {name} was not found in table {table.name}")
        if column.is_primary_key:
            raise InvalidRequest(f"Cannot drop PRIMARY KEY part {name}")
        for view in sorted(self.views.values(), key=lambda v: v.name):
            if name in view.columns or name in view.view.virtual or name == view.view.collection:
                raise InvalidRequest(
                    f"Cannot drop column {name} from base table {table.full_name}: "
                    f"materialized view {view.name} needs this column"
                )
        self.table = table.with_columns(
            {n: c for n, c in table.columns.items() if n != name},
            dropped_columns={**table.dropped_columns, name: (without_user_types(column.type), dropped_at, column.role)},
            ttl_column=None if table.ttl_column == name else table.ttl_column,
        )

    # ------------------------------------------------------------ TYPE

    def alter_type(self, name: str, written: ast.TypeName) -> None:
        table = self.table
        column = table.columns.get(name)
        if column is None:
            raise InvalidRequest(f"Column {name} was not found in table {table.name}")
        cql_type = self._parse(written)
        for holder in (table, *self.views.values()):
            if name in holder.columns:
                _check_type_change(holder.columns[name], cql_type)
        self.table = _with_type(table, name, cql_type)
        if table.is_counter:
            refuse_other_columns(self.table.columns)
        for view in list(self.views.values()):
            if name in view.columns:
                self._put_view(_with_type(view, name, cql_type))

    # ------------------------------------------------------------ RENAME

    def rename(self, old: str, new: str) -> None:
        table = self.table
        check_column_name(new)
        column = table.columns.get(old)
        if column is None:
            raise InvalidRequest(f"Cannot rename unknown column {old} in table {table.name}")
        if new in table.columns:
            raise InvalidRequest(
                f"Cannot rename column {old} to {new} in table {table.name}; another column of that name already exist"
            )
        if not column.is_primary_key:
            raise InvalidRequest(f"Cannot rename non PRIMARY KEY part {old}")
        indexes = [index.name for index in table.indexes.values() if index.column == old]
        if indexes:
            raise InvalidRequest(
                f"Cannot rename column {old} because it has dependent secondary indexes ({', '.join(indexes)})"
            )
        self.table = _renamed(table, old, new)
        for view in list(self.views.values()):
            if old in view.columns:
                definition = replace(
                    view.view,
                    where=where.rename_column(view.view.where, old, new),
                    restrictions=tuple((new if n == old else n, test) for n, test in view.view.restrictions),
                )
                self._put_view(replace(_renamed(view, old, new), view=definition))

    # ------------------------------------------------------------ options

    def ttl(self, name: str | None) -> None:
        """``ALTER TABLE t TTL c`` and, with None, ``TTL NULL``."""
        table = self.table
        if name is None:
            if table.ttl_column is None:
                raise InvalidRequest(f"Table {table.full_name} does not have a TTL column")
        else:
            column = table.columns.get(name)
            if column is None:
                raise InvalidRequest(f"Column '{name}' does not exist in table {table.full_name}")
            if column.is_primary_key or column.role == STATIC:
                what = "static" if column.role == STATIC else "primary key"
                raise InvalidRequest(f"Cannot use a {what} column '{name}' as a TTL column")
            if table.ttl_column is not None:
                raise InvalidRequest(f"Table {table.full_name} already has a TTL column: '{table.ttl_column}'")
            check_ttl_column(column)
        self.table = replace(table, ttl_column=name)

    def options(self, options, given: ast.Properties) -> None:
        if options.id is not None:
            raise ConfigurationException("Cannot alter table id.")
        if self.table.is_counter:
            refuse_default_ttl(options.values)
        if options.cdc is not None and "enabled" not in given["cdc"]:
            raise InvalidRequest('Altering CDC options requires specifying "enabled" flag')
        if options.cdc is not None and self.table.is_cdc_log and options.cdc.enabled:
            raise InvalidRequest(
                f"Cannot create a CDC log for a table {self.table.full_name}, "
                "because creating nested CDC logs is not allowed"
            )
        if self.table.is_cdc_log and options.values["tombstone_gc"]["mode"] == "repair":
            raise ConfigurationException("The 'repair' mode for tombstone_gc is not allowed on CDC log tables.")
        if self.views and "gc_grace_seconds" in options.given and options.values["gc_grace_seconds"] == 0:
            raise InvalidRequest(
                "Cannot alter gc_grace_seconds of the base table of a materialized view to 0, since this value is "
                "used to TTL undelivered updates. Setting gc_grace_seconds too low might cause undelivered updates to "
                "expire before being replayed."
            )
        self.table = replace(self.table, options=options.values)


def _has_extra_key_column(view: Table, base: Table) -> bool:
    """Whether something that is not in the base's key is in the view's, and so decides over the life of its rows."""
    if view.view.collection is not None:
        return True
    keys = (*view.partition_key, *view.clustering)
    return any(c.name in base.columns and not base.columns[c.name].is_primary_key for c in keys)


def _check_type_change(column: Column, cql_type: CqlType) -> None:
    compatible = cql_type.accepts_value_of(column.type)
    why = "incompatible"
    if column.role == PARTITION_KEY and cql_type is COUNTER:
        raise InvalidRequest(f"counter type is not supported for PRIMARY KEY part {column.name}")
    if column.role == CLUSTERING:
        why = "not order-compatible"
        compatible = cql_type is column.type or (column.type, cql_type) in _SAME_ORDER
    if not compatible:
        raise ConfigurationException(
            f"Cannot change {column.name} from type {column.type.name} to type {cql_type.name}: types are {why}."
        )


def _with_type(table: Table, name: str, cql_type: CqlType) -> Table:
    return table.with_columns({**table.columns, name: replace(table.columns[name], type=cql_type)})


def _renamed(table: Table, old: str, new: str) -> Table:
    columns = [replace(column, name=new) if column.name == old else column for column in table.columns.values()]
    return table.with_columns({column.name: column for column in columns})
