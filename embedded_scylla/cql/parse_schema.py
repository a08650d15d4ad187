"""CREATE, ALTER and DROP, USE, DESCRIBE, and the statements that this node reads but does not carry out."""

from __future__ import annotations

import re

from ..errors import InvalidRequest, SyntaxException
from . import ast
from .cursor import NAME_START, TYPE_START
from .lexer import IDENTIFIERS
from .parse_terms import AFTER_OPEN, LITERALS, TermParser

# What may follow a due token, for the wording of errors.
_KEY = frozenset(("K_KEY",))
_COLUMN_START = IDENTIFIERS | {"K_PRIMARY"}
_PROPERTY_START = IDENTIFIERS
_DEFINITIONS_END = frozenset((",", ")"))
_INDEX_TARGET = IDENTIFIERS | {"K_ENTRIES", "K_FULL", "(", ")"}
_SELECT = frozenset(("K_SELECT",))
_SELECTED = IDENTIFIERS | {"*", "K_CAST", "K_TOKEN"}
_ON = NAME_START | {"K_ON"}

_INDEX_FUNCTIONS = {"K_VALUES": "values", "K_KEYS": "keys", "K_ENTRIES": "entries", "K_FULL": "full"}
_VALID_NAME = re.compile(r"[A-Za-z0-9_]+")

# Statements that are CQL, yet not carried out: the word after CREATE, ALTER or DROP, and what it creates.
_REFUSED_OBJECTS = {
    "K_FUNCTION": "FUNCTION",
    "K_AGGREGATE": "AGGREGATE",
}
_NOT_ALTERED = frozenset(("K_FUNCTION", "K_AGGREGATE"))


class SchemaParser(TermParser):
    """Adds the statements about keyspaces, types, tables, views and indexes."""

    __slots__ = ()

    # ------------------------------------------------------------ CREATE, ALTER, DROP

    def create(self) -> ast.Statement:
        self.advance()
        kind = self.kind
        if kind == "K_COLUMNFAMILY":
            return self._create_table()
        if kind in ("K_KEYSPACE", "K_SCHEMA"):
            return self._create_keyspace()
        if kind in ("K_INDEX", "K_CUSTOM"):
            return self._create_index()
        if kind == "K_MATERIALIZED":
            return self._create_view()
        if kind == "K_TYPE":
            return self._create_type()
        if kind == "K_OR":
            self.advance()
            self.expect("K_REPLACE", frozenset(("K_FUNCTION", "K_AGGREGATE")))
            if self.kind not in ("K_FUNCTION", "K_AGGREGATE"):
                raise self.no_alternative()
        return self._refused_object("CREATE")

    def alter(self) -> ast.Statement:
        self.advance()
        kind = self.kind
        if kind == "K_COLUMNFAMILY":
            return self._alter_table()
        if kind in ("K_KEYSPACE", "K_SCHEMA"):
            self.advance()
            name = self.element_name("keyspace")
            self.expect("K_WITH", _PROPERTY_START)
            return ast.AlterKeyspace(name, self._properties())
        if kind == "K_MATERIALIZED":
            self.advance()
            self.expect("K_VIEW", NAME_START)
            view = self.qualified_name()
            self.expect("K_WITH", _PROPERTY_START)
            return ast.AlterView(view, self._properties())
        if kind == "K_INDEX":
            return self.refused("ALTER INDEX")
        if kind == "K_TYPE":
            return self._alter_type()
        if kind in _NOT_ALTERED:
            raise self.no_alternative()
        return self._refused_object("ALTER")

    def drop(self) -> ast.Statement:
        self.advance()
        kind = self.kind
        if kind == "K_COLUMNFAMILY":
            self.advance()
            if_exists = self.if_exists()
            return ast.DropTable(self.qualified_name(), if_exists)
        if kind in ("K_KEYSPACE", "K_SCHEMA"):
            self.advance()
            if_exists = self.if_exists()
            return ast.DropKeyspace(self.element_name("keyspace"), if_exists)
        if kind == "K_INDEX":
            self.advance()
            if_exists = self.if_exists()
            return ast.DropIndex(self.qualified_name("index"), if_exists)
        if kind == "K_MATERIALIZED":
            self.advance()
            self.expect("K_VIEW", NAME_START | {"K_IF"})
            if_exists = self.if_exists()
            return ast.DropView(self.qualified_name(), if_exists)
        if kind == "K_TYPE":
            self.advance()
            if_exists = self.if_exists()
            return ast.DropType(self.user_type_name(), if_exists)
        return self._refused_object("DROP")

    def _refused_object(self, verb: str) -> ast.Refused:
        what = _REFUSED_OBJECTS.get(self.kind)
        if what is None:
            raise self.no_alternative()
        return self.refused(f"{verb} {what}")

    def refused(self, what: str) -> ast.Refused:
        """A statement of CQL that is not carried out: its parts are passed over unread."""
        self.advance()
        if self.kind in (";", "EOF"):
            raise self.no_alternative()
        while self.kind not in (";", "EOF"):
            self.advance()
        return ast.Refused(what)

    # ------------------------------------------------------------ keyspaces

    def use(self) -> ast.Use:
        self.advance()
        return ast.Use(self.element_name("keyspace"))

    def _create_keyspace(self) -> ast.CreateKeyspace:
        self.advance()
        if_not_exists = self.if_not_exists()
        name = self.element_name("keyspace")
        if not _VALID_NAME.fullmatch(name):
            raise InvalidRequest(f'"{name}" is not a valid keyspace name')
        return ast.CreateKeyspace(name, if_not_exists, self._properties() if self.accept("K_WITH") else {})

    # ------------------------------------------------------------ properties

    def _properties(self) -> ast.Properties:
        """``name = value AND …`` after WITH."""
        properties: ast.Properties = {}
        self._property(properties)
        while self.accept("K_AND"):
            self._property(properties)
        return properties

    def _property(self, properties: ast.Properties) -> None:
        name = self.identifier()
        if self.kind != "=":
            raise self.no_alternative()
        self.advance()
        value = self._property_map() if self.kind == "{" else self._property_value()
        if name in properties:
            raise SyntaxException(f"Multiple definition for property '{name}'")
        properties[name] = value

    def _property_value(self) -> ast.Literal | str:
        if self.kind in IDENTIFIERS and self.kind not in ("IDENT", "QUOTED_NAME"):
            shown = self.tokens.shown(self.index)
            self.advance()
            return shown
        return self.constant()

    def _property_map(self) -> dict[str, str | list[str]]:
        self.advance()
        items: dict[str, str | list[str]] = {}
        if self.accept("}"):
            return items
        while True:
            name = self._property_text("name", "")
            self.expect(":", frozenset(LITERALS))
            value = self._property_texts(name) if self.kind == "[" else self._property_text("value", name)
            if name in items:
                raise SyntaxException(f"Multiple definition for property {name}")
            items[name] = value
            if not self.accept(","):
                break
        self.expect("}")
        return items

    def _property_texts(self, name: str) -> list[str]:
        """A list as a value: the racks of a datacenter."""
        self.advance()
        texts: list[str] = []
        if self.accept("]"):
            return texts
        texts.append(self._property_text("value", name))
        while self.accept(","):
            texts.append(self._property_text("value", name))
        self.expect("]")
        return texts

    def _property_text(self, what: str, name: str) -> str:
        """The text of a literal in a property's map; other terms have no place there."""
        first = self.index
        term = self.term()
        if isinstance(term, ast.Literal):
            return term.text
        shown = "?" if isinstance(term, ast.BindMarker) else self.tokens.source(first, self.index - 1)
        message = f"Invalid property {what}: {shown}" + (f" for property: {name}" if name else "")
        if isinstance(term, ast.BindMarker):
            message += " (bind variables are not supported in DDL queries)"
        raise SyntaxException(message)

    def _table_properties(self) -> tuple[ast.Properties, list[tuple[str, bool]], bool]:
        """What follows WITH in CREATE: properties, the clustering order (column, descending), COMPACT STORAGE."""
        properties: ast.Properties = {}
        order: list[tuple[str, bool]] = []
        compact = False
        if not self.accept("K_WITH"):
            return properties, order, compact
        while True:
            if self.kind == "K_COMPACT" and self.peek() == "K_STORAGE":
                self.advance()
                self.advance()
                compact = True
            elif self.kind == "K_CLUSTERING" and self.peek() == "K_ORDER":
                self._clustering_order(order)
            else:
                self._property(properties)
            if not self.accept("K_AND"):
                return properties, order, compact

    def _clustering_order(self, order: list[tuple[str, bool]]) -> None:
        self.advance()
        self.advance()
        self.expect("K_BY", AFTER_OPEN)
        self.expect("(", IDENTIFIERS)
        while True:
            column = self.identifier()
            if self.kind not in ("K_ASC", "K_DESC"):
                raise self.no_alternative()
            order.append((column, self.advance() == "desc"))
            if not self.accept(","):
                break
        self.expect(")")

    # ------------------------------------------------------------ types

    def _create_type(self) -> ast.CreateType:
        self.advance()
        if_not_exists = self.if_not_exists()
        name = self.user_type_name()
        self.expect("(", IDENTIFIERS)
        fields = [self._field()]
        while self.accept(","):
            if self.kind in IDENTIFIERS:  # commas may stand alone
                fields.append(self._field())
        self.expect(")")
        return ast.CreateType(name, if_not_exists, tuple(fields))

    def _field(self) -> tuple[str, ast.TypeName]:
        return self.identifier(), self.type_name()

    def _alter_type(self) -> ast.AlterType:
        self.advance()
        name = self.user_type_name()
        kind = self.kind
        if kind == "K_ADD":
            self.advance()
            return ast.AlterType(name, add=self._field())
        if kind == "K_ALTER":
            self.advance()
            field = self.identifier()
            self.expect("K_TYPE", TYPE_START)
            return ast.AlterType(name, alter=(field, self.type_name()))
        if kind == "K_RENAME":
            self.advance()
            return ast.AlterType(name, rename=self._renamed_columns())
        raise self.no_alternative()

    # ------------------------------------------------------------ tables

    def _create_table(self) -> ast.CreateTable:
        self.advance()
        if_not_exists = self.if_not_exists()
        table = self.qualified_name()
        if not _VALID_NAME.fullmatch(table.name):
            raise InvalidRequest(
                f'"{table.name}" is not a valid table name (must be alphanumeric character only: [0-9A-Za-z]+)'
            )
        self.expect("(", _COLUMN_START)
        columns: list[ast.ColumnDefinition] = []
        keys: list[ast.PrimaryKey] = []
        self._definition(columns, keys)
        while self.accept(","):
            if self.kind in _COLUMN_START:  # commas may stand alone
                self._definition(columns, keys)
        self.expect(")")
        properties, order, compact = self._table_properties()
        return ast.CreateTable(table, if_not_exists, tuple(columns), tuple(keys), properties, tuple(order), compact)

    def _definition(self, columns: list[ast.ColumnDefinition], keys: list[ast.PrimaryKey]) -> None:
        """One column, or PRIMARY KEY (…)."""
        if self.accept("K_PRIMARY"):
            self.expect("K_KEY", AFTER_OPEN)
            keys.append(self._primary_key())
            return
        name = self.identifier()
        column_type = self.type_name()
        ttl = self.row_ttl and self.accept("K_TTL")
        static = self.accept("K_STATIC")
        primary = self.accept("K_PRIMARY")
        if primary:
            self.expect("K_KEY")
        columns.append(ast.ColumnDefinition(name, column_type, static, primary, ttl))

    def _primary_key(self) -> ast.PrimaryKey:
        """``(a, b)`` or ``((a, b), c)``."""
        self.expect("(", IDENTIFIERS | {"("})
        if self.accept("("):
            partition = self.identifier_list()
            self.expect(")", _DEFINITIONS_END)
        else:
            partition = (self.identifier(),)
        clustering = []
        while self.accept(","):
            clustering.append(self.identifier())
        self.expect(")")
        return ast.PrimaryKey(partition, tuple(clustering))

    def _alter_table(self) -> ast.AlterTable:
        self.advance()
        table = self.qualified_name()
        kind = self.kind
        if kind == "K_ADD":
            self.advance()
            return ast.AlterTable(table, add=self._added_columns())
        if kind == "K_DROP":
            self.advance()
            return ast.AlterTable(table, drop=self._dropped_columns(), drop_timestamp=self._drop_timestamp())
        if kind == "K_WITH":
            self.advance()
            return ast.AlterTable(table, properties=self._properties())
        if kind == "K_ALTER":
            self.advance()
            column = self.identifier()
            self.expect("K_TYPE", TYPE_START)
            return ast.AlterTable(table, alter_type=(column, self.type_name()))
        if kind == "K_RENAME":
            self.advance()
            return ast.AlterTable(table, rename=self._renamed_columns())
        if kind == "K_TTL" and self.row_ttl:
            self.advance()
            return ast.AlterTable(table, ttl_column="" if self.accept("K_NULL") else self.identifier())
        raise self.no_alternative()

    def _added_columns(self) -> tuple[ast.ColumnDefinition, ...]:
        if not self.accept("("):
            return (self._added_column(),)
        added = [self._added_column()]
        while self.accept(","):
            added.append(self._added_column())
        self.expect(")")
        return tuple(added)

    def _added_column(self) -> ast.ColumnDefinition:
        name = self.identifier()
        column_type = self.type_name()
        return ast.ColumnDefinition(name, column_type, static=self.accept("K_STATIC"))

    def _dropped_columns(self) -> tuple[str, ...]:
        if not self.accept("("):
            return (self.identifier(),)
        dropped = self.identifier_list()
        self.expect(")")
        return dropped

    def _drop_timestamp(self) -> ast.Term | None:
        if not self.accept("K_USING"):
            return None
        self.expect("K_TIMESTAMP", frozenset(("INTEGER", "?", ":")))
        return self.integer()

    def _renamed_columns(self) -> tuple[tuple[str, str], ...]:
        renamed = []
        while True:
            old = self.identifier()
            self.expect("K_TO", IDENTIFIERS)
            renamed.append((old, self.identifier()))
            if not self.accept("K_AND"):
                return tuple(renamed)

    # ------------------------------------------------------------ views and indexes

    def _create_view(self) -> ast.CreateView:
        self.advance()
        self.expect("K_VIEW", NAME_START | {"K_IF"})
        if_not_exists = self.if_not_exists()
        view = self.qualified_name()
        self.expect("K_AS", _SELECT)
        self.expect("K_SELECT", _SELECTED)
        selectors = self.select_clause()
        self.expect("K_FROM", NAME_START)
        base = self.qualified_name()
        where = self.where_clause() if self.accept("K_WHERE") else ()
        self.expect("K_PRIMARY", _KEY)
        self.expect("K_KEY", AFTER_OPEN)
        if self.kind != "(":
            raise self.no_alternative()
        key = self._primary_key()
        properties, order, _ = self._table_properties()
        return ast.CreateView(view, if_not_exists, selectors, base, where, (key,), properties, tuple(order))

    def _create_index(self) -> ast.CreateIndex:
        custom = bool(self.accept("K_CUSTOM"))
        if custom and self.kind != "K_INDEX":
            raise self.mismatch("K_INDEX", _ON)
        self.advance()
        if_not_exists = self.if_not_exists(_ON)
        name = self.element_name("index") if self.kind in NAME_START else None
        self.expect("K_ON", NAME_START)
        table = self.qualified_name()
        self.expect("(", _INDEX_TARGET)
        partition, targets = self._index_targets()
        custom_class = None
        if self.accept("K_USING"):
            custom_class = self.expect("STRING_LITERAL")
        properties, order, compact = self._table_properties()
        if order:
            raise InvalidRequest("Indexes do not allow for specifying the clustering order")
        if compact:
            raise InvalidRequest("Cannot use 'COMPACT STORAGE' when defining a materialized view")
        return ast.CreateIndex(name, if_not_exists, table, targets, partition, custom_class, properties, custom)

    def _index_targets(self) -> tuple[tuple[str, ...], tuple[ast.IndexTarget, ...]]:
        """The partition key of a local index, if it is one, and what is indexed."""
        partition: tuple[str, ...] = ()
        targets: list[ast.IndexTarget] = []
        if self.accept(")"):
            return partition, ()
        if self.accept("("):
            partition = self.identifier_list()
            self.expect(")", _DEFINITIONS_END)
        else:
            targets.append(self._index_target())
        while self.accept(","):
            targets.append(self._index_target())
        self.expect(")")
        return partition, tuple(targets)

    def _index_target(self) -> ast.IndexTarget:
        function = _INDEX_FUNCTIONS.get(self.kind)
        if function is not None and (self.peek() == "(" or self.kind not in IDENTIFIERS):
            self.advance()
            self.expect("(", IDENTIFIERS)
            column = self.identifier()
            self.expect(")")
            return ast.IndexTarget(column, function)
        if self.kind == "(":
            raise InvalidRequest("Multi-column index targets are currently only supported for partition key")
        return ast.IndexTarget(self.identifier())

    # ------------------------------------------------------------ DESCRIBE

    def describe(self) -> ast.Describe:
        self.advance()
        what, name, flags = self._described()
        if self.accept("K_WITH"):
            self.expect("K_INTERNALS")
            flags["internals"] = True
            if self.accept("K_AND"):
                self.expect("K_PASSWORDS")
                if what != "schema":
                    raise InvalidRequest("Option WITH PASSWORDS is only allowed with DESC SCHEMA")
                flags["passwords"] = True
        return ast.Describe(what, name, **flags)

    def _described(self) -> tuple[str, ast.Name | None, dict[str, bool]]:
        kind, following = self.kind, self.peek()
        flags: dict[str, bool] = {}
        if kind in _DESCRIBED_LISTS and following != ".":
            self.advance()
            return _DESCRIBED_LISTS[kind], None, flags
        if kind == "K_FULL":
            self.advance()
            self.expect("K_SCHEMA")
            return "schema", None, {"full": True}
        if kind == "K_ONLY" and following == "K_KEYSPACE":
            self.advance()
            kind, flags = self.kind, {"only": True}
        if kind == "K_KEYSPACE":
            self.advance()
            name = ast.Name(self.element_name("keyspace")) if self.kind in NAME_START else None
            return "keyspace", name, flags
        if kind == "K_MATERIALIZED":
            self.advance()
            self.expect("K_VIEW", NAME_START)
            return "view", self.qualified_name(), flags
        if kind in ("K_COLUMNFAMILY", "K_INDEX"):
            self.advance()
            return ("table" if kind == "K_COLUMNFAMILY" else "index"), self.qualified_name(), flags
        if kind == "K_TYPE" and following in IDENTIFIERS:
            self.advance()
            return "type", self.user_type_name(), flags
        if kind in ("K_FUNCTION", "K_AGGREGATE") and following in IDENTIFIERS:
            return self.advance(), self.function_name(), flags
        if kind not in IDENTIFIERS:
            raise self.no_alternative()
        return "element", self.qualified_name(), flags


_DESCRIBED_LISTS = {
    "K_CLUSTER": "cluster",
    "K_SCHEMA": "schema",
    "K_KEYSPACES": "keyspaces",
    "K_TABLES": "tables",
    "K_TYPES": "types",
    "K_FUNCTIONS": "functions",
    "K_AGGREGATES": "aggregates",
}
