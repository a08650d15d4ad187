"""INSERT: a row marker, and a cell for each column that is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import types
from ..cql import ast
from ..errors import InvalidRequest
from ..request import Context
from ..schema import Column, Schema, Table
from ..storage.key_limits import MAX_KEY_LENGTH, check_clustering_key, check_partition_key
from ..storage.rows import Cell, Collection, Key, Mutation, Row
from ..terms.compile import Value, Variables, compile_term, required
from ..types import CqlType, MarshalError
from .assignments import Operation, set_value
from .conditions import Conditions, compile_conditions
from .plan import ModificationPlan, refuse_custom_timestamp, refuse_on_log, table_to_modify
from .using import UsingClause
from .write import Write


class InsertPlan(ModificationPlan):
    """``partition`` and ``clustering``: the values of the key columns, in the key's order; no clustering values when
    only static columns are written."""

    verb = "INSERT"

    def __init__(
        self,
        table: Table,
        variables: Variables,
        using: UsingClause,
        operations: Sequence[Operation],
        conditions: Conditions | None,
        partition: Sequence[Value],
        clustering: Sequence[Value],
    ):
        super().__init__(table, variables, using, operations, conditions)
        self._partition = [(column, value) for column, value in zip(table.partition_key, partition, strict=True)]
        self._clustering = [(column, value) for column, value in zip(table.clustering, clustering, strict=False)]
        self.names_rows = len(clustering) == len(table.clustering)
        indexes = [value.variable for value in partition if value.variable is not None]
        self.partition_key_variables = indexes if len(indexes) == len(partition) else ()
        self._quick: Quick = _unknown
        if not self.static_operations and self.names_rows:
            self._quick = _quick_mutation(table, self._partition, self._clustering, self.row_operations) or _unknown

    def partition_keys(self, context: Context) -> list[Key]:
        key = tuple([_key_part(column, value, context) for column, value in self._partition])
        check_partition_key(self.table, key)
        return [key]

    def row_keys(self, context: Context) -> list[Key]:
        if not self.names_rows:
            return []
        key = tuple([_key_part(column, value, context) for column, value in self._clustering])
        check_clustering_key(key)
        return [key]

    def build(self, context: Context, write: Write) -> list[Mutation]:
        mutation = self._quick(context.values, write)  # the way most writes go
        return [mutation] if mutation is not None else self._build_thoroughly(context, write)

    def _build_thoroughly(self, context: Context, write: Write) -> list[Mutation]:
        (key,) = self.partition_keys(context)
        mutation = self.build_rows(context, write, key, self.row_keys(context), with_marker=True)
        return [] if mutation is None else [mutation]


def plan_insert(statement: ast.Insert, variables: Variables, schema: Schema, keyspace: str | None) -> InsertPlan:
    """Check an INSERT and compile it."""
    table = table_to_modify(statement.table, schema, keyspace)
    if statement.json is not None:
        from .insert_json import plan_insert_json

        return plan_insert_json(statement, statement.json, table, variables, schema)
    if table.is_counter:
        raise InvalidRequest("INSERT statement are not allowed on counter tables, use UPDATE instead")
    using = UsingClause.of_table(statement.using, table, variables)
    if len(statement.columns) != len(statement.values):
        raise InvalidRequest("Unmatched column names/values")
    operations: list[Operation] = []
    keys: dict[str, Value] = {}
    seen: set[str] = set()
    for name, term in zip(statement.columns, statement.values, strict=True):
        column = table.columns.get(name)
        if column is None:
            raise InvalidRequest(f"Unknown identifier {name}")
        if name in seen:
            raise InvalidRequest(f"Multiple definitions found for column {name}")
        seen.add(name)
        if column.is_primary_key:
            keys[name] = compile_term(term, table.spec(column), variables, table, "VALUES clause")
        else:
            operations.append(set_value(table, column, term, variables))
    conditions = compile_if(statement, table, variables, schema, any(c.name in keys for c in table.clustering))
    clustering = _clustering_values(table, keys, operations)
    for column in table.partition_key:
        if column.name not in keys:
            raise InvalidRequest(f"Missing mandatory PRIMARY KEY part {column.name}")
    partition = [keys[column.name] for column in table.partition_key]
    return InsertPlan(table, variables, using, operations, conditions, partition, clustering)


def compile_if(
    statement: ast.Insert, table: Table, variables: Variables, schema: Schema, names_clustering: bool
) -> Conditions | None:
    """IF NOT EXISTS, if the INSERT has it. ``names_clustering``: whether it names a row, or the partition only."""
    conditions = compile_conditions(table, (), variables, if_not_exists=statement.if_not_exists)
    if conditions is not None:
        refuse_custom_timestamp(statement.using)
        refuse_on_log(table, schema)
        conditions.resolve_existence(table, names_clustering)
    return conditions


def _clustering_values(table: Table, keys: dict[str, Value], operations: Sequence[Operation]) -> list[Value]:
    """All of the clustering key, or nothing of it in a write to static columns only."""
    given = [column for column in table.clustering if column.name in keys]
    missing = next((column for column in table.clustering if column.name not in keys), None)
    if missing is None:
        return [keys[column.name] for column in table.clustering]
    if given and given[-1].position > missing.position:
        raise InvalidRequest(
            f'PRIMARY KEY column "{given[-1].name}" cannot be restricted '
            f'as preceding column "{missing.name}" is not restricted'
        )
    if given or not operations or not all(o.is_static for o in operations):
        raise InvalidRequest(f"Missing mandatory PRIMARY KEY part {missing.name}")
    return []


def _key_part(column: Column, value: Value, context: Context) -> bytes:
    data = required(value, context)
    if data is None:
        raise InvalidRequest(f"Invalid null value in condition for column {column.name}")
    return data


# ---------------------------------------------------------------- the quick way

# Types whose values are always short, and whose ``validate`` looks at a value's length.
_SHORT = {types.INT, types.BIGINT, types.SMALLINT, types.UUID, types.TIMEUUID, types.TIMESTAMP, types.DATE}


def _is_quick(type: CqlType) -> bool:
    """Whether bound bytes that are valid can be stored as they are: no nulls to look for, no order to make."""
    return type.family != "list" and not type.holds_set_or_map


Quick = Callable[[Sequence[Any], Write], "Mutation | None"]


def _unknown(values: Sequence[Any], write: Write) -> Mutation | None:
    """In place of a quick way where there is none."""
    return None


def _quick_mutation(
    table: Table,
    partition: Sequence[tuple[Column, Value]],
    clustering: Sequence[tuple[Column, Value]],
    operations: Sequence[Operation],
) -> Quick | None:
    """A function of the bound values that gives the whole mutation, when every value is a variable and every column a
    single cell; else None. The function gives None when a value is not plainly fine, and leaves it to the thorough way
    to say why.
    """
    key_columns = [*partition, *clustering]
    keys, cells = [], []
    for column, value in key_columns:
        if value.variable is None or not _is_quick(column.type):
            return None
        keys.append((value.variable, column.type.validate))
    for operation in operations:
        column, atomic = operation.column, operation.atomic
        if atomic is None or atomic.variable is None or not _is_quick(column.type):
            return None
        cells.append((column.name, atomic.variable, column.type.validate))
    split = len(partition)
    bounded = all(column.type in _SHORT for column, _ in key_columns)
    longest = MAX_KEY_LENGTH // 2  # with room for what a composite key adds to its columns

    def quick(values: Sequence[Any], write: Write) -> Mutation | None:
        timestamp, expires_at, ttl = write.timestamp, write.expires_at, write.ttl
        key = []
        built: dict[str, Cell | Collection] = {}
        try:
            for index, validate in keys:
                data = values[index]
                validate(data)
                key.append(data)
            # Null and unset have no length: a TypeError, at the latest here.
            if not key[0] or not (bounded or sum(map(len, key)) < longest):
                return None
            for name, index, validate in cells:
                data = values[index]
                if data.__class__ is bytes:
                    validate(data)
                    built[name] = (timestamp, data, expires_at, ttl)
                elif data is None:
                    built[name] = (timestamp, None, write.now, 0)
        except (MarshalError, TypeError, AttributeError):
            return None
        mutation = Mutation(table, tuple(key[:split]))
        row_key = tuple(key[split:])
        mutation.rows[row_key] = Row(row_key, (timestamp, expires_at, ttl), None, built)
        return mutation

    return quick
