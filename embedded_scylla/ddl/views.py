"""CREATE, ALTER and DROP MATERIALIZED VIEW."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..cql import ast
from ..errors import AlreadyExists, ConfigurationException, InvalidRequest
from ..lookup import check_modifiable, find_table
from ..request import Context, Result, SchemaChange, Void
from ..schema import CLUSTERING, PARTITION_KEY, REGULAR, STATIC, Column, Keyspace, Schema, Table, ViewDefinition
from ..timeuuid import timeuuid_at
from ..types import holds_duration
from ..where.relations import Predicate
from . import where
from .names import check_view_name, keyspace_to_change
from .options import parse_table_options
from .replication import RACKS, is_rack_valid

NO_TTL = (
    "Cannot set or alter default_time_to_live for a materialized view. Data in a materialized view always expire at "
    "the same time than the corresponding data in the parent table."
)
_STAY_VALID = (
    "Creating {} in keyspaces that use tablets requires the keyspace to remain RF-rack-valid while the {} exists. "
    "Some operations will be restricted to enforce this: altering the keyspace's replication factor, adding a node in "
    "a new rack, and removing or decommissioning a node that would eliminate a rack."
)


def create_view(statement: ast.CreateView, keyspace_name: str, context: Context) -> Result:
    database, name = context.database, statement.view.name
    check_modifiable(keyspace_name)
    keyspace = keyspace_to_change(database.schema, keyspace_name)
    options = parse_table_options(statement.properties, keyspace, database.schema.release, view=True)
    if options.cdc is not None:
        raise InvalidRequest("Cannot enable CDC for a materialized view")
    base_keyspace = statement.base.keyspace or keyspace_name
    if base_keyspace != keyspace_name:
        raise InvalidRequest(
            "Cannot create a materialized view on a table in a separate keyspace "
            f"('{base_keyspace}' != '{keyspace_name}')"
        )
    check_view_name(name)
    base = find_table(database.schema, base_keyspace, statement.base.name)
    check_views_allowed(keyspace, database.node.data_center)
    _check_base(base, name)
    plan = _Selection(statement, base)
    plan.check()
    if options.values["default_time_to_live"] > 0:
        raise InvalidRequest(NO_TTL)
    view = Table(
        keyspace_name,
        name,
        options.id or timeuuid_at(database.clock.unique_micros()),
        plan.columns,
        options.values,
        view=ViewDefinition(
            base.id,
            base.name,
            where.text_of(statement.where),
            statement.selectors is None,
            where.restrictions_of(plan.predicates),
            plan.virtual,
        ),
    )
    created = SchemaChange("CREATED", "TABLE", keyspace_name, name)
    if name in keyspace.tables:
        if not statement.if_not_exists:
            raise AlreadyExists(keyspace_name, name)
        return created
    warn_of_racks(keyspace, "a materialized view", "materialized view", context)
    return add_view(view, [], created, context)


def add_view(view: Table, others: list[Table], result: Result, context: Context) -> Result:
    """Put a new view, and tables that change along, into the schema; the engine fills it from its base at once."""

    def change(schema: Schema) -> Result:
        schema.put_tables(view.keyspace, [*others, view])
        return result

    return context.database.change_schema(change)


def check_views_allowed(keyspace: Keyspace, data_center: str) -> None:
    """In a keyspace with tablets, views need one rack for each replica."""
    if not is_rack_valid(keyspace):
        raise InvalidRequest(
            f"Materialized views and secondary indexes are not supported on the keyspace '{keyspace.name}': The "
            f"keyspace '{keyspace.name}' is required to be RF-rack-valid. That condition is violated for DC "
            f"'{data_center}': RF={keyspace.replication_factor} vs. rack count={RACKS}."
        )


def warn_of_racks(keyspace: Keyspace, a_thing: str, thing: str, context: Context) -> None:
    if keyspace.tablets is not None:
        context.warnings.append(_STAY_VALID.format(a_thing, thing))


def _check_base(base: Table, view_name: str) -> None:
    if base.is_counter:
        raise InvalidRequest("Materialized views are not supported on counter tables")
    if base.is_view:
        raise InvalidRequest("Materialized views cannot be created against other materialized views")
    if base.is_cdc_log:
        raise InvalidRequest("Materialized views cannot be created on CDC Log tables")
    if base.options["gc_grace_seconds"] == 0:
        raise InvalidRequest(
            f"Cannot create materialized view '{view_name}' for base table '{base.name}' with gc_grace_seconds of 0, "
            "since this value is used to TTL undelivered updates. Setting gc_grace_seconds too low might cause "
            "undelivered updates to expire before being replayed."
        )


@dataclass
class _Selection:
    """What a view takes from its base. After ``check``: ``columns`` of the view, ``virtual`` ones, ``predicates`` of
    its filter."""

    statement: ast.CreateView
    base: Table
    columns: dict[str, Column] | None = None
    virtual: tuple[str, ...] = ()
    predicates: list[Predicate] | None = None

    def check(self) -> None:
        statement, base = self.statement, self.base
        selected = self._selected()
        self.predicates = where.prepare(statement.where, base)
        key = statement.primary_keys[0]
        extra = self._check_key((*key.partition, *key.clustering))
        keys = {*key.partition, *key.clustering}
        for column in base.columns.values():
            if column.role == STATIC and (selected is None or column.name in selected):
                raise InvalidRequest(
                    f"Unable to include static column '{column.name}' which would be included by "
                    "Materialized View SELECT * statement"
                )
        missing = [c.name for c in base.columns.values() if c.is_primary_key and c.name not in keys]
        if missing:
            raise InvalidRequest(
                f"Cannot create Materialized View {statement.view.name} without primary key columns from base "
                f"{base.name} ({', '.join(missing)})"
            )
        self._check_order(key.clustering)
        self._check_filters(keys, extra)
        self.columns = self._columns(key, selected)
        if extra is None and selected is not None:
            self.virtual = tuple(c.name for c in base.regulars if c.name not in self.columns)

    def _selected(self) -> set[str] | None:
        """The names selected; None for all."""
        if self.statement.selectors is None:
            return None
        names = set()
        for selector in self.statement.selectors:
            if selector.alias is not None:
                raise InvalidRequest("Cannot use alias when defining a materialized view")
            if not isinstance(selector.term, ast.ColumnRef):
                raise InvalidRequest("Cannot use general expressions when defining a materialized view")
            if selector.term.name not in self.base.columns:
                raise _unknown(selector.term.name)
            names.add(selector.term.name)
        return names

    def _check_key(self, names: tuple[str, ...]) -> Column | None:
        """Check the view's key; the one regular column of the base in it, if there is one."""
        base = self.base
        restricted = {predicate.column.name for predicate in self.predicates}
        seen: set[str] = set()
        extra = None
        for name in names:
            column = base.columns.get(name)
            if column is None:
                raise _unknown(name)
            if name in seen:
                raise InvalidRequest(f"Duplicate entry found in PRIMARY KEY: {name}")
            seen.add(name)
            if column.type.is_multicell:
                raise InvalidRequest(f"Cannot use MultiCell column '{name}' in PRIMARY KEY of materialized view")
            if column.role == STATIC:
                raise InvalidRequest(f"Cannot use Static column '{name}' in PRIMARY KEY of materialized view")
            if holds_duration(column.type):
                raise InvalidRequest(f"Cannot use Duration column '{name}' in PRIMARY KEY of materialized view")
            if not column.is_primary_key:
                if extra is not None:
                    raise InvalidRequest(
                        f"Cannot include more than one non-primary key column '{name}' in materialized view primary key"
                    )
                extra = column
            never_null = column.role == PARTITION_KEY and len(base.partition_key) == 1
            if not never_null and name not in restricted:
                raise InvalidRequest(f"Primary key column '{name}' is required to be filtered by 'IS NOT NULL'")
        return extra

    def _check_order(self, clustering: tuple[str, ...]) -> None:
        for name, _ in self.statement.clustering_order:
            if name not in clustering:
                raise InvalidRequest(f"CLUSTERING ORDER BY lists {name} which is not a clustering column in the view")

    def _check_filters(self, keys: set[str], extra: Column | None) -> None:
        """Only columns of the base's key, and the one that is added to it in the view, can be filtered."""
        filtered = {p.column.name for p in self.predicates if p.operator != "IS NOT NULL"}
        on_regular = [c.name for c in self.base.columns.values() if c.name in filtered and not c.is_primary_key]
        if on_regular and not (extra is not None and on_regular == [extra.name]):
            raise InvalidRequest(
                "Non-primary key columns cannot be restricted in the SELECT statement used for materialized view "
                f"{self.statement.view.name} creation (got restrictions on: {', '.join(on_regular)})"
            )
        not_null = {p.column.name for p in self.predicates if p.operator == "IS NOT NULL"}
        outside = [c.name for c in self.base.columns.values() if c.name in not_null - keys]
        if outside:  # strict_is_not_null_in_views, which scylla.yaml sets
            raise InvalidRequest(
                "The IS NOT NULL restriction is allowed only columns which are part of the view's primary key, found "
                f"columns: {', '.join(outside)}. The flag strict_is_not_null_in_views can be used to turn this error "
                "into a warning, or to silence it. (true - error, warn - warning, false - silent)"
            )

    def _columns(self, key: ast.PrimaryKey, selected: set[str] | None) -> dict[str, Column]:
        base = self.base
        descending = dict(self.statement.clustering_order)
        columns = {
            name: Column(name, base.columns[name].type, PARTITION_KEY, position)
            for position, name in enumerate(key.partition)
        }
        for position, name in enumerate(key.clustering):
            columns[name] = Column(name, base.columns[name].type, CLUSTERING, position, descending.get(name, False))
        for column in base.columns.values():
            if column.name not in columns and (selected is None or column.name in selected):
                columns[column.name] = Column(column.name, column.type, REGULAR)
        return columns


def _unknown(name: str) -> InvalidRequest:
    return InvalidRequest(f"Unknown column name detected in CREATE MATERIALIZED VIEW statement: {name}")


def alter_view(statement: ast.AlterView, keyspace_name: str, context: Context) -> Result:
    database, name = context.database, statement.view.name
    check_modifiable(keyspace_name)
    view = find_table(database.schema, keyspace_name, name)
    if not view.is_view:
        raise InvalidRequest("Cannot use ALTER MATERIALIZED VIEW on Table. (Did you mean ALTER TABLE)?")
    if not statement.properties:
        raise InvalidRequest("ALTER MATERIALIZED VIEW WITH invoked, but no parameters found")
    keyspace = database.schema.keyspaces[keyspace_name]
    release = database.schema.release
    options = parse_table_options(statement.properties, keyspace, release, view.options, view=True)
    if options.cdc is not None:
        raise InvalidRequest("Cannot enable CDC for a materialized view")
    if options.id is not None:
        raise ConfigurationException("Cannot alter table id.")
    if options.values["gc_grace_seconds"] == 0:
        raise InvalidRequest(
            "Cannot alter gc_grace_seconds of a materialized view to 0, since this value is used to TTL undelivered "
            "updates. Setting gc_grace_seconds too low might cause undelivered updates to expire before being replayed."
        )
    if options.values["default_time_to_live"] > 0:
        raise InvalidRequest(NO_TTL)

    def change(schema: Schema) -> Result:
        schema.put_table(replace(view, options=options.values))
        return SchemaChange("UPDATED", "TABLE", keyspace_name, name)

    return database.change_schema(change)


def drop_view(statement: ast.DropView, keyspace_name: str, context: Context) -> Result:
    database, name = context.database, statement.view.name
    check_modifiable(keyspace_name)
    view = database.schema.table(keyspace_name, name)
    if view is None:
        if statement.if_exists:
            return Void()
        raise ConfigurationException(
            f"Cannot drop non existing materialized view '{name}' in keyspace '{keyspace_name}'."
        )
    if not view.is_view:
        raise InvalidRequest("Cannot use DROP MATERIALIZED VIEW on Table. (Did you mean DROP TABLE)?")
    if view.backs_index:
        raise InvalidRequest("Cannot use DROP MATERIALIZED VIEW on Index. (Did you mean DROP INDEX)?")

    def change(schema: Schema) -> Result:
        schema.remove_table(keyspace_name, name)
        return SchemaChange("DROPPED", "TABLE", keyspace_name, name)

    return database.change_schema(change)
