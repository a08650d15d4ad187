"""The syntax tree: what the parser makes of CQL text. Plain data; names only, no schema, no meaning.

Identifiers are stored as the database knows them: unquoted ones in lower case, quoted ones as written.
"""

from __future__ import annotations

from typing import Any

from .node import Node

# ---------------------------------------------------------------- names and types


class Name(Node):
    """A table, view, index or function, with its keyspace if one was written."""

    name: str
    keyspace: str | None = None

    def __str__(self) -> str:
        return f"{self.keyspace}.{self.name}" if self.keyspace else self.name


class TypeName(Node):
    """A type as written: ``map<text, int>`` is TypeName('map', (TypeName('text'), TypeName('int'))).

    ``frozen<…>`` is TypeName('frozen', (inner,)). Custom classes in quotes: name is the quoted text, custom True.
    ``keyspace``: that of a user-defined type, if one was written. ``known``: the type itself, once it was looked up.
    """

    name: str
    parameters: tuple[TypeName, ...] = ()
    custom: bool = False
    keyspace: str | None = None
    known: Any = None


# ---------------------------------------------------------------- terms


class Literal(Node):
    """``kind``: string, integer, float, boolean, uuid, hex, duration or null. ``text``: as written, without the quotes
    of a string (and with '' already made ') and with the 0x of a hex literal."""

    kind: str
    text: str


class BindMarker(Node):
    """``?`` or ``:name``. ``index`` is its place among the statement's variables; one name is one variable."""

    index: int
    name: str | None = None


class ListLiteral(Node):
    items: tuple[Term, ...]


class SetLiteral(Node):
    """``{a, b}``; the empty ``{}`` is a SetLiteral too (it may turn out to be a map)."""

    items: tuple[Term, ...]


class MapLiteral(Node):
    items: tuple[tuple[Term, Term], ...]


class UserTypeLiteral(Node):
    """``{field: value}``: the names are bare, which makes it a value of a user-defined type and not a map."""

    fields: tuple[tuple[str, Term], ...]


class TupleLiteral(Node):
    """``(a, b)``."""

    items: tuple[Term, ...]


class FunctionCall(Node):
    """``now()``, ``token(a, b)``, ``count(*)`` (then ``star`` is True)."""

    name: Name
    arguments: tuple[Term, ...]
    star: bool = False


class TypeHint(Node):
    """``(int) x``."""

    type: TypeName
    term: Term


class Cast(Node):
    """``CAST(x AS int)``: selectors only."""

    term: Term
    type: TypeName


class ColumnRef(Node):
    """A column in a selector, a function argument of a selector, or the left of a relation."""

    name: str


class Subscript(Node):
    """``column[key]``."""

    column: str
    key: Term


class Element(Node):
    """``term[key]``, where the term is no mere column."""

    term: Term
    key: Term


class FieldRef(Node):
    """``term.field`` of a user-defined type."""

    term: Any  # a Term; of WRITETIME and of conditions a ColumnRef
    field: str


class WritetimeOrTtl(Node):
    """``writetime(c)`` or ``ttl(c)``; ``what`` is 'writetime' or 'ttl'; ``target`` ColumnRef or Subscript."""

    what: str
    target: ColumnRef | Subscript | FieldRef


Term = (
    Literal | BindMarker | ListLiteral | SetLiteral | MapLiteral | UserTypeLiteral | TupleLiteral
    | FunctionCall | TypeHint | Cast | ColumnRef | Subscript | Element | FieldRef | WritetimeOrTtl
)  # fmt: skip

# ---------------------------------------------------------------- relations and conditions


class TokenOf(Node):
    """``token(a, b)`` on the left of a relation."""

    columns: tuple[str, ...]


class ColumnTuple(Node):
    """``(a, b)`` on the left of a relation."""

    columns: tuple[str, ...]


class Relation(Node):
    """One part of a WHERE or an IF.

    ``operator``: = != < <= > >= IN 'NOT IN' LIKE CONTAINS 'CONTAINS KEY' 'IS NOT NULL' 'IS NOT' (with a right side).
    ``right``: a Term; for IN a tuple of Terms, or one BindMarker for ``IN ?``; None for IS NOT NULL.
    Also the condition of a lightweight transaction (left: ColumnRef or Subscript).
    ``clustering_bound``: ``(a, b) > SCYLLA_CLUSTERING_BOUND (1, 2)``, compared in the clustering key's own order.
    """

    left: ColumnRef | Subscript | TokenOf | ColumnTuple
    operator: str
    right: Any = None
    clustering_bound: bool = False


# ---------------------------------------------------------------- data statements


class Selector(Node):
    """One thing selected. ``text``: its column name in the result when there is no alias (ScyllaDB's spelling is
    computed by the planner; this is the source text, for messages)."""

    term: Term
    alias: str | None = None
    text: str = ""


class Select(Node):
    table: Name
    selectors: tuple[Selector, ...] | None  # None: *
    distinct: bool = False
    json: bool = False
    where: tuple[Relation, ...] = ()
    group_by: tuple[str, ...] = ()
    order_by: tuple[tuple[str, bool], ...] = ()  # (column, descending)
    ann_of: tuple[str, Term] | None = None  # ORDER BY c ANN OF v
    per_partition_limit: Term | None = None
    limit: Term | None = None
    allow_filtering: bool = False
    bypass_cache: bool = False
    timeout: Term | None = None
    fragments: bool = False  # FROM MUTATION_FRAGMENTS(table)


class Using(Node):
    """USING TTL … AND TIMESTAMP … AND TIMEOUT …."""

    ttl: Term | None = None
    timestamp: Term | None = None
    timeout: Term | None = None


class Insert(Node):
    table: Name
    columns: tuple[str, ...]
    values: tuple[Term, ...]
    if_not_exists: bool = False
    using: Using = Using()
    json: Term | None = None  # INSERT … JSON
    json_default_unset: bool = False  # … DEFAULT UNSET: columns that the document does not name keep their values


class Assignment(Node):
    """``operator``: set (c = v), add (c = c + v, c += v), prepend (c = v + c), subtract (c = c - v, c -= v),
    element (c[key] = v), timeuuid element (c[SCYLLA_TIMEUUID_LIST_INDEX(key)] = v), field (c.f = v; key is the field's
    name), counter shards (c = SCYLLA_COUNTER_SHARD_LIST(v))."""

    column: str
    operator: str
    value: Term
    key: Any = None


class Update(Node):
    table: Name
    assignments: tuple[Assignment, ...]
    where: tuple[Relation, ...]
    conditions: tuple[Relation, ...] = ()
    if_exists: bool = False
    using: Using = Using()


class Deletion(Node):
    """``DELETE c``, ``DELETE c[key]`` or ``DELETE c.field``."""

    column: str
    key: Term | None = None
    field: str | None = None


class Delete(Node):
    table: Name
    deletions: tuple[Deletion, ...]  # empty: the whole row, range or partition
    where: tuple[Relation, ...]
    conditions: tuple[Relation, ...] = ()
    if_exists: bool = False
    using: Using = Using()


class Batch(Node):
    """``kind``: LOGGED, UNLOGGED or COUNTER."""

    kind: str
    statements: tuple[Insert | Update | Delete, ...]
    using: Using = Using()


class Truncate(Node):
    table: Name
    timeout: Term | None = None


# ---------------------------------------------------------------- schema statements

# Property values: a Literal, a bare identifier (str), or a dict for a map literal whose keys are str and whose values
# are str, or a list of str (the racks of a datacenter in a keyspace's replication).
Properties = dict[str, Any]
NO_PROPERTIES: Properties = {}


class Use(Node):
    keyspace: str


class CreateKeyspace(Node):
    name: str
    if_not_exists: bool
    properties: Properties  # replication: dict, durable_writes: Literal, tablets: dict …


class AlterKeyspace(Node):
    name: str
    properties: Properties
    if_exists: bool = False


class DropKeyspace(Node):
    name: str
    if_exists: bool


class ColumnDefinition(Node):
    """``primary_key``: PRIMARY KEY written on the column itself; ``ttl``: the per-row TTL mark (2026.2)."""

    name: str
    type: TypeName
    static: bool = False
    primary_key: bool = False
    ttl: bool = False


class PrimaryKey(Node):
    partition: tuple[str, ...]
    clustering: tuple[str, ...]


class CreateTable(Node):
    table: Name
    if_not_exists: bool
    columns: tuple[ColumnDefinition, ...]
    primary_keys: tuple[PrimaryKey, ...]  # those written as PRIMARY KEY (…); zero or several are the planner's errors
    properties: Properties = NO_PROPERTIES
    clustering_order: tuple[tuple[str, bool], ...] = ()  # (column, descending)
    compact_storage: bool = False


class AlterTable(Node):
    """Exactly one of the actions is set. ``alter_type``: (column, type). ``rename``: pairs old, new.
    ``ttl_column``: ALTER TABLE t TTL c; the empty string for TTL NULL."""

    table: Name
    if_exists: bool = False
    add: tuple[ColumnDefinition, ...] = ()
    drop: tuple[str, ...] = ()
    drop_timestamp: Term | None = None
    alter_type: tuple[str, TypeName] | None = None
    rename: tuple[tuple[str, str], ...] = ()
    properties: Properties | None = None
    ttl_column: str | None = None


class DropTable(Node):
    table: Name
    if_exists: bool


class CreateView(Node):
    view: Name
    if_not_exists: bool
    selectors: tuple[Selector, ...] | None
    base: Name
    where: tuple[Relation, ...]
    primary_keys: tuple[PrimaryKey, ...]
    properties: Properties = NO_PROPERTIES
    clustering_order: tuple[tuple[str, bool], ...] = ()
    distinct: bool = False


class AlterView(Node):
    view: Name
    properties: Properties


class DropView(Node):
    view: Name
    if_exists: bool


class IndexTarget(Node):
    """``function``: None, values, keys, entries or full."""

    column: str
    function: str | None = None


class CreateIndex(Node):
    """``local_partition_key``: pk in ON t ((pk), c). ``custom``: CREATE CUSTOM INDEX; ``custom_class``: USING '…'."""

    name: str | None
    if_not_exists: bool
    table: Name
    targets: tuple[IndexTarget, ...]
    local_partition_key: tuple[str, ...] = ()
    custom_class: str | None = None
    properties: Properties = NO_PROPERTIES
    custom: bool = False


class DropIndex(Node):
    index: Name
    if_exists: bool


# ---------------------------------------------------------------- roles, permissions, service levels


class CreateRole(Node):
    """Also CREATE USER. What is None was not written: ``options`` is a map; ``hashed`` says that the password is one
    already."""

    name: str
    if_not_exists: bool
    superuser: bool | None = None
    login: bool | None = None
    password: str | None = None
    hashed: bool = False
    options: dict[str, Any] | None = None


class AlterRole(Node):
    name: str
    superuser: bool | None = None
    login: bool | None = None
    password: str | None = None
    hashed: bool = False
    options: dict[str, Any] | None = None


class DropRole(Node):
    name: str
    if_exists: bool


class GrantRole(Node):
    """GRANT ``role`` TO ``grantee``, or with ``revoke`` REVOKE … FROM."""

    role: str
    grantee: str
    revoke: bool = False


class ResourceName(Node):
    """``kind``: data, roles or functions; ``parts``: keyspace (None: the current) and table or function, or role."""

    kind: str
    parts: tuple[str | None, ...] = ()


class Grant(Node):
    """``permission`` None: ALL."""

    permission: str | None
    resource: ResourceName
    role: str
    revoke: bool = False


class ListRoles(Node):
    of: str | None = None
    recursive: bool = True


class ListUsers(Node):
    pass


class ListPermissions(Node):
    permission: str | None
    resource: ResourceName | None = None
    role: str | None = None
    recursive: bool = True


class CreateServiceLevel(Node):
    name: str
    if_not_exists: bool
    properties: Properties = NO_PROPERTIES


class AlterServiceLevel(Node):
    name: str
    properties: Properties


class DropServiceLevel(Node):
    name: str
    if_exists: bool


class AttachServiceLevel(Node):
    """``name`` None: DETACH."""

    name: str | None
    role: str


class ListServiceLevels(Node):
    """``what``: levels (``name`` None: all), attached (``name``: a role, or None for all) or effective (of a role)."""

    what: str
    name: str | None = None


# ---------------------------------------------------------------- the rest


class DropFunction(Node):
    """DROP FUNCTION and DROP AGGREGATE of what there cannot be. ``signature``: as an error shows it, or None."""

    kind: str
    name: Name
    if_exists: bool
    signature: str | None = None


class Describe(Node):
    """``what``: cluster, schema, keyspaces, keyspace, tables, table, view, index, types, type, functions, function,
    aggregates, aggregate, element (DESCRIBE name). ``name`` is None for DESCRIBE KEYSPACE (the current one).
    ``full``: DESCRIBE FULL SCHEMA. ``only``: DESCRIBE ONLY KEYSPACE. ``internals``: WITH INTERNALS;
    ``passwords``: … AND PASSWORDS."""

    what: str
    name: Name | None = None
    full: bool = False
    internals: bool = False
    only: bool = False
    passwords: bool = False


class CreateType(Node):
    type: Name
    if_not_exists: bool
    fields: tuple[tuple[str, TypeName], ...]


class AlterType(Node):
    """Exactly one of the actions is set: ``add`` and ``alter`` (field, type), ``rename`` pairs old, new."""

    type: Name
    add: tuple[str, TypeName] | None = None
    alter: tuple[str, TypeName] | None = None
    rename: tuple[tuple[str, str], ...] | None = None


class DropType(Node):
    type: Name
    if_exists: bool = False


class PruneView(Node):
    view: Name
    where: tuple[Relation, ...] = ()


class Refused(Node):
    """A statement of CQL that this node does not carry out: ``what`` names it ("CREATE FUNCTION", "GRANT" …)."""

    what: str


Statement = (
    Select | Insert | Update | Delete | Batch | Truncate | Use | CreateKeyspace | AlterKeyspace | DropKeyspace
    | CreateType | AlterType | DropType
    | CreateTable | AlterTable | DropTable | CreateView | AlterView | DropView | CreateIndex | DropIndex
    | Describe | PruneView | Refused | DropFunction | CreateRole | AlterRole | DropRole | GrantRole | Grant | ListRoles
    | ListUsers | ListPermissions | CreateServiceLevel | AlterServiceLevel | DropServiceLevel | AttachServiceLevel
    | ListServiceLevels
)  # fmt: skip


class Parsed(Node):
    """A whole text: the statement and its variables in order (a name, or None for ``?``). ``names_user_types``: whether
    it has a user-defined type in it."""

    statement: Statement
    variables: tuple[str | None, ...]
    names_user_types: bool = False
