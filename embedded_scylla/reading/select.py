"""SELECT is planned: names, rules and their errors, clause by clause.

What may be asked is in ``where.restrictions`` and ``selectors``; how it is executed in ``select_plan``.
"""

from __future__ import annotations

from ..cql import ast
from ..errors import InvalidRequest, unsupported
from ..lookup import find_table, keyspace_of
from ..request import Context, Rows
from ..schema import PARTITION_KEY, STATIC, Schema, Table
from ..storage.keys import clustering_encoder
from ..terms.compile import Variables
from ..terms.timeout import compile_timeout, within
from ..where.relations import UnrecognizedName
from ..where.restrictions import FILTERING_NEEDED, SLICES_EVERY_PARTITION, Restrictions, plan_restrictions
from .fragments import fragments_encoder, fragments_table
from .fragments_plan import FragmentsPlan
from .grouping import plan_grouping
from .index_reading import IndexReader
from .json_selection import as_json
from .limits import compile_limit
from .ordering import plan_ordering
from .select_plan import SelectPlan
from .selectors import Selection, plan_selection
from .walk import Walk


def plan_select(statement: ast.Select, parsed: ast.Parsed, schema: Schema, keyspace: str | None) -> SelectPlan:
    """Make the plan of a SELECT. InvalidRequest with the database's text for everything that cannot be asked."""
    if statement.ann_of:
        raise unsupported("ORDER BY … ANN OF")
    stored = find_table(schema, keyspace_of(statement.table, keyspace), statement.table.name)
    table = fragments_table(stored) if statement.fragments else stored
    variables = Variables(parsed.variables, schema.release)
    selection = plan_selection(statement.selectors, table, variables)
    if statement.json:
        selection = as_json(selection)
    if selection.is_aggregate and not statement.group_by and statement.per_partition_limit is not None:
        raise InvalidRequest("PER PARTITION LIMIT is not allowed with aggregate queries.")
    try:
        restrictions = plan_restrictions(
            table,
            statement.where,
            variables,
            allow_filtering=statement.allow_filtering,
            only_static=selection.only_static,
        )
    except UnrecognizedName as error:
        if any(selector.alias == error.name for selector in statement.selectors or ()):
            raise InvalidRequest(f"Aliases aren't allowed in the WHERE clause (name: '{error.name}')") from None
        raise
    if statement.distinct:
        _check_distinct(statement, table, selection, restrictions)
    if statement.fragments and statement.order_by and not restrictions.is_key_range:
        raise InvalidRequest("ORDER BY is not supported in SELECT FROM MUTATION_FRAGMENTS() statements.")
    aliases = {selector.alias for selector in statement.selectors or ()}
    ordering = plan_ordering(statement.order_by, table, restrictions, aliases)
    warning = None
    if not statement.allow_filtering:
        should = restrictions.should_allow_filtering
        if restrictions.must_allow_filtering or (should and schema.release.strict_filtering):
            raise InvalidRequest(FILTERING_NEEDED)
        warning = SLICES_EVERY_PARTITION if should else None
    group_size = plan_grouping(statement.group_by, statement.where, table, statement.distinct)
    limit = compile_limit(statement.limit, table, variables)
    partition_limit = compile_limit(statement.per_partition_limit, table, variables)
    timeout = compile_timeout(statement.timeout, table.keyspace, table.name, variables)
    encode = fragments_encoder(stored) if statement.fragments else clustering_encoder(table)
    index = IndexReader.find(restrictions, schema)
    walk = Walk(restrictions, encode, ordering, statement.distinct, group_size, index)
    parts = (table, selection, restrictions, variables, walk, limit, partition_limit)
    plan = FragmentsPlan(stored, *parts) if statement.fragments else SelectPlan(*parts)
    if warning is not None:
        _warn(plan, warning)
    return within(plan, timeout, plan.timed_out, reads=True)


def _warn(plan: SelectPlan, warning: str) -> None:
    """Let a plan give a warning with each of its answers."""
    execute = plan.execute

    def execute_and_warn(context: Context) -> Rows:
        context.warnings.append(warning)
        return execute(context)

    plan.execute = execute_and_warn  # type: ignore[method-assign]


def _check_distinct(statement: ast.Select, table: Table, selection: Selection, restrictions: Restrictions) -> None:
    if statement.per_partition_limit is not None:
        raise InvalidRequest("PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries")
    if restrictions.other or restrictions.clustering_restricted:
        raise InvalidRequest("SELECT DISTINCT with WHERE clause only supports restriction by partition key.")
    for column in selection.read_columns:
        if column.role not in (PARTITION_KEY, STATIC):
            raise InvalidRequest(
                "SELECT DISTINCT queries must only request partition key columns and/or static columns "
                f"(not {column.name})"
            )
    if restrictions.is_key_range:
        for column in table.partition_key:
            if column not in selection.read_columns:
                raise InvalidRequest(
                    f"SELECT DISTINCT queries must request all the partition key columns (missing {column.name})"
                )
