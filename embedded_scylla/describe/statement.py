"""DESCRIBE, answered by the node itself: listings of names, and the statements that make things again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from ..cql import ast
from ..errors import InvalidRequest, Unauthorized
from ..quoting import identifier
from ..request import Context, Plan, Result, Rows
from ..schema import ColumnSpec, Keyspace, Schema, Table, is_system_keyspace
from ..system.rows import PARTITIONER, SNITCH, token_ranges
from ..types import TEXT, ListType, MapType, UserType
from ..types.user import in_order
from . import create_statements

# keyspace (None: it belongs to none), type, name, statement (None in listings)
Description = tuple[str | None, str, str, str | None]

_INFORMATION_ONLY = "/* Do NOT execute this statement! It's only for informational purposes.\n{}\n{}\n*/"
_LOG = (
    "   A CDC log table is created automatically when creating the base with CDC\n"
    "   enabled option or creating the vector index on the base table's vector column.\n"
)
_BACKS_INDEX = (
    "   This materialized view is the underlying materialized view of a secondary\n"
    "   index. It can be restored via restoring the index.\n"
)
_UNSUPPORTED = {"function": "Function", "aggregate": "Aggregate"}
_LISTINGS = ("keyspaces", "tables", "types", "functions", "aggregates")


def _specs(*names: str) -> list[ColumnSpec]:
    return [ColumnSpec("system", "describe", name, TEXT) for name in names]


_LISTED = _specs("keyspace_name", "type", "name")
_DESCRIBED = [*_LISTED, *_specs("create_statement")]
_OWNERSHIP = ColumnSpec("system", "describe", "range_ownership", MapType(TEXT, ListType(TEXT, True), True))


def plan_describe(statement: ast.Describe, parsed: ast.Parsed, schema: Schema, keyspace: str | None) -> Plan:
    """The plan of a DESCRIBE statement; ``keyspace`` is the connection's."""
    if statement.what == "cluster":
        return _ClusterPlan(schema, keyspace)
    return _DescribePlan(statement, keyspace)


class _DescribePlan(Plan):
    def __init__(self, statement: ast.Describe, keyspace: str | None):
        self.statement = statement
        self.keyspace = keyspace
        self.columns = _LISTED if statement.what in _LISTINGS else _DESCRIBED

    def execute(self, context: Context) -> Result:
        statement, schema = self.statement, context.database.schema
        describer = _Describer(schema, statement.internals)
        found: Iterable[Description]
        if statement.what in _LISTINGS:
            found = describer.listing(statement.what, self.keyspace)
        elif statement.what == "schema":
            found = describer.everything(statement.full)
            if statement.internals:
                found = chain(found, _rights(statement, context))
        elif statement.what == "keyspace":
            name = statement.name.name if statement.name else self.keyspace
            found = describer.keyspace(name or "", statement.only)
        else:
            assert statement.name is not None  # the parser asks for one
            found = describer.named(statement.what, statement.name, self.keyspace)
        return Rows(self.columns or (), [_row(description) for description in found])


def _rights(statement: ast.Describe, context: Context) -> Iterator[Description]:
    roles, user = context.database.roles, context.user
    if statement.passwords and (user is None or not roles.is_superuser(user)):
        raise Unauthorized("DESCRIBE SCHEMA WITH INTERNALS AND PASSWORDS can only be issued by a superuser")
    from .rights import describe_rights  # which few ask for

    return ((None, *made) for made in describe_rights(roles, statement.passwords))


def _row(description: Description) -> list[bytes | None]:
    keyspace, kind, name, statement = description
    row = [None if keyspace is None else identifier(keyspace).encode(), kind.encode(), identifier(name).encode()]
    return row if statement is None else [*row, statement.encode()]


def _type(user_type: UserType) -> Description:
    return user_type.keyspace, "type", user_type.type_name, create_statements.type_statement(user_type)


class _Describer:
    def __init__(self, schema: Schema, internals: bool):
        self.schema = schema
        self.internals = internals

    # ------------------------------------------------------------ listings

    def listing(self, what: str, current: str | None) -> Iterator[Description]:
        """Names only. Tables are those of the current keyspace, if there is one."""
        for keyspace in self._listed(what, current):
            if what == "keyspaces":
                yield keyspace.name, "keyspace", keyspace.name, None
            elif what == "tables":
                for table in self._tables(keyspace):
                    yield keyspace.name, "table", table.name, None
            elif what == "types":
                for name in sorted(keyspace.types):
                    yield keyspace.name, "type", name, None

    def _listed(self, what: str, current: str | None) -> list[Keyspace]:
        if current and what != "keyspaces":
            return [self._find(current)]
        return sorted(self.schema.keyspaces.values(), key=lambda keyspace: keyspace.name)

    def _tables(self, keyspace: Keyspace) -> list[Table]:
        """By name, without views and logs in use: those come with their base tables."""
        return [
            table
            for _, table in sorted(keyspace.tables.items())
            if not table.is_view and self.schema.base_of_log(table) is None
        ]

    # ------------------------------------------------------------ whole keyspaces

    def everything(self, full: bool) -> Iterator[Description]:
        for name in sorted(self.schema.keyspaces):
            if full or not is_system_keyspace(name):
                yield from self.keyspace(name)

    def keyspace(self, name: str, only: bool = False) -> Iterator[Description]:
        keyspace = self._find(name)
        yield name, "keyspace", name, create_statements.keyspace_statement(keyspace)
        if not only:
            yield from map(_type, in_order(keyspace.types.values()))
            for table in self._tables(keyspace):
                yield from self.table(table)

    def _find(self, name: str) -> Keyspace:
        keyspace = self.schema.keyspaces.get(name)
        if keyspace is None:
            raise InvalidRequest(f"'{name}' not found in keyspaces")
        return keyspace

    # ------------------------------------------------------------ one thing

    def table(self, table: Table) -> Iterator[Description]:
        """A table, its indexes, its views, and what sets the options of its log."""
        yield self._one(table, "table", _LOG if self.schema.base_of_log(table) is not None else "")
        views = sorted(self.schema.views_of(table), key=lambda view: view.name)
        for view in views:
            if view.backs_index:
                yield self._index_behind(view)
        for view in views:
            if not view.backs_index:
                yield self._view(view)
        log = self.schema.log_of(table)
        if table.cdc.enabled and log is not None:
            yield table.keyspace, "table", log.name, create_statements.log_statement(log)

    def _one(self, table: Table, kind: str, made_by_itself: str = "") -> Description:
        """``made_by_itself``: what makes the table, if no statement of its own does."""
        statement = create_statements.statement_of(table, self.internals)
        if made_by_itself:
            statement = _INFORMATION_ONLY.format(made_by_itself, statement)
        return table.keyspace, kind, table.name, statement

    def _view(self, view: Table) -> Description:
        return self._one(view, "view", _BACKS_INDEX if view.backs_index else "")

    def _index_behind(self, view: Table) -> Description:
        return (
            view.keyspace,
            "index",
            view.name,
            create_statements.index_statement_of(view, self.schema, self.internals),
        )

    def named(self, what: str, name: ast.Name, current: str | None) -> Iterable[Description]:
        if what == "element":
            return self._element(name, current)
        keyspace = name.keyspace or current
        if not keyspace:
            raise InvalidRequest("No keyspace specified and no current keyspace")
        found = self._find(keyspace)
        table = found.tables.get(name.name)
        match what:
            case "table":
                if table is None:
                    raise InvalidRequest(f"Table '{name.name}' not found in keyspace '{keyspace}'")
                if table.is_view:
                    raise InvalidRequest(
                        "Cannot use DESC TABLE on materialized View. (Did you mean DESC MATERIALIZED VIEW)?"
                    )
                return self.table(table)
            case "view":
                if table is None or not table.is_view:
                    raise InvalidRequest(f"Materialized view '{name.name}' not found in keyspace '{keyspace}'")
                return [self._view(table)]
            case "index":
                index = self._index(keyspace, name.name)
                if index is None:
                    raise InvalidRequest(f"Table for existing index '{name.name}' not found in '{keyspace}'")
                return [index]
            case "type":
                if name.name not in found.types:
                    raise InvalidRequest(f"Type '{name.name}' not found in keyspace '{keyspace}'")
                return [_type(found.types[name.name])]
        raise InvalidRequest(f"{_UNSUPPORTED[what]} '{name.name}' not found in keyspace '{keyspace}'")

    def _index(self, keyspace: str, name: str) -> Description | None:
        base = self.schema.indexed_table(keyspace, name)
        if base is None:
            return None
        return self._index_behind(self.schema.keyspaces[keyspace].tables[base.indexes[name].view_name])

    def _element(self, name: ast.Name, current: str | None) -> Iterable[Description]:
        """DESCRIBE name: a keyspace, else what has that name in the current keyspace."""
        if name.keyspace is None and name.name in self.schema.keyspaces:
            return self.keyspace(name.name)
        keyspace = self.schema.keyspaces.get(name.keyspace or current or "")
        if keyspace is None:
            raise InvalidRequest(f"'{name.name}' not found in keyspaces")
        table = keyspace.tables.get(name.name)
        if table is not None:
            return [self._view(table)] if table.is_view else self.table(table)
        index = self._index(keyspace.name, name.name)
        if index is None and name.name in keyspace.types:
            return [_type(keyspace.types[name.name])]
        if index is None:
            raise InvalidRequest(f"'{name.name}' not found in keyspace '{keyspace.name}'")
        return [index]


class _ClusterPlan(Plan):
    """DESCRIBE CLUSTER; in a keyspace without tablets, with the owners of the token ranges."""

    def __init__(self, schema: Schema, keyspace: str | None):
        found = schema.keyspaces.get(keyspace or "")
        self.ownership = found is not None and not is_system_keyspace(found.name) and found.tablets is None
        self.columns = _specs("cluster", "partitioner", "snitch") + ([_OWNERSHIP] if self.ownership else [])

    def execute(self, context: Context) -> Result:
        node = context.database.node
        row = [node.cluster_name.encode(), PARTITIONER.encode(), SNITCH.encode()]
        if self.ownership:
            owners = {str(end): [node.address] for _, end in token_ranges(context.database.node)}
            row.append(_OWNERSHIP.type.encode(owners))
        return Rows(self.columns or (), [row])
