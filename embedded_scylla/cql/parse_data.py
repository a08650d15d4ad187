"""SELECT, INSERT, UPDATE, DELETE, BATCH, TRUNCATE and PRUNE."""

from __future__ import annotations

from ..errors import InvalidRequest, SyntaxException, unsupported
from . import ast
from .cursor import NAME_START
from .lexer import IDENTIFIERS
from .parse_terms import AFTER_OPEN, RELATION_START, TERM_START, TermParser

_NO_USING = ast.Using()
_OF_SELECT = frozenset((",", ".", "(", "[", "K_FROM", "K_AS", ";", "EOF"))

# What may follow a due token, for the wording of errors.
_FROM_WHAT = NAME_START | {"K_MUTATION_FRAGMENTS"}
_BATCHED = frozenset(("K_INSERT", "K_UPDATE", "K_DELETE"))
_AFTER_BATCH = _BATCHED | {"K_USING", "K_APPLY"}
_LIMIT = frozenset(("K_LIMIT",))
_INTEGERS = frozenset(("INTEGER", "?", ":"))
_BATCH = frozenset(("K_BATCH",))
_VIEW = frozenset(("K_VIEW",))
_VALUES = frozenset(("K_VALUES",))
_CLOSING = frozenset(("]",))
_EQUALS = frozenset(("=",))
#: After IF, EXISTS is the keyword and no column's name when one of these follows it.
_ENDS_IF_EXISTS = frozenset((";", "EOF", "K_APPLY", "K_BYPASS")) | _BATCHED


class DataParser(TermParser):
    """Adds the statements that read and write rows."""

    __slots__ = ()

    # ------------------------------------------------------------ SELECT

    def select(self) -> ast.Select:
        self.advance()
        json = self._select_modifier("K_JSON")
        distinct = self._select_modifier("K_DISTINCT")
        selectors = self.select_clause()
        self.expect("K_FROM", _FROM_WHAT)
        fragments = self.kind == "K_MUTATION_FRAGMENTS" and self.peek() == "("
        if fragments:
            self.advance()
            self.expect("(", NAME_START)
        table = self.qualified_name()
        if fragments:
            self.expect(")")
        where = self.optional_where()
        group_by = self._group_by()
        order_by, ann_of = self._order_by()
        per_partition_limit = limit = timeout = None
        if self.accept("K_PER"):
            self.expect("K_PARTITION", _LIMIT)
            self.expect("K_LIMIT", _INTEGERS)
            per_partition_limit = self.integer()
        if self.accept("K_LIMIT"):
            limit = self.integer()
        allow_filtering = self.accept("K_ALLOW")
        if allow_filtering:
            self.expect("K_FILTERING")
        bypass_cache = self.accept("K_BYPASS")
        if bypass_cache:
            self.expect("K_CACHE")
        if self.kind == "K_USING":
            timeout = self._select_timeout()
        return ast.Select(
            table, selectors, distinct, json, where, group_by, order_by, ann_of,
            per_partition_limit, limit, allow_filtering, bypass_cache, timeout, fragments,
        )  # fmt: skip

    def _select_modifier(self, keyword: str) -> bool:
        """Passes JSON or DISTINCT, unless it is the name of a column."""
        if self.kind != keyword or self.peek() in _OF_SELECT:
            return False
        self.advance()
        return True

    def _group_by(self) -> tuple[str, ...]:
        if not self.accept("K_GROUP"):
            return ()
        self.expect("K_BY", IDENTIFIERS)
        return self.identifier_list()

    def _order_by(self) -> tuple[tuple[tuple[str, bool], ...], tuple[str, ast.Term] | None]:
        """The columns of ORDER BY, or the one column and the vector of ORDER BY … ANN OF."""
        orderings: list[tuple[str, bool]] = []
        nearest = None
        if not self.accept("K_ORDER"):
            return (), None
        self.expect("K_BY", IDENTIFIERS)
        while True:
            column = self.identifier()
            vector = None
            if self.accept("K_ANN"):
                self.expect("K_OF", TERM_START)
                vector = self.term()
            descending = self.accept("K_DESC")
            if not descending:
                self.accept("K_ASC")
            if vector is None:
                if nearest is not None:
                    raise InvalidRequest("Similarity ordering does not support any other ordering")
                orderings.append((column, descending))
            else:
                if descending:
                    raise InvalidRequest("Descending ANN ordering is not supported")
                if nearest is not None:
                    raise InvalidRequest("Cannot specify more than one similarity ordering")
                if orderings:
                    raise InvalidRequest("ANN ordering does not support any other ordering")
                nearest = (column, vector)
            if not self.accept(","):
                return tuple(orderings), nearest

    def _select_timeout(self) -> ast.Term | None:
        timeout = None
        self.advance()
        while True:
            if self.accept("K_TIMEOUT"):
                timeout = self.term()
            elif self.kind in ("K_SERVICE", "K_SERVICE_LEVEL"):
                raise unsupported("USING SERVICE LEVEL")
            else:
                raise self.no_alternative()
            if not self.accept("K_AND"):
                return timeout

    # ------------------------------------------------------------ INSERT

    def insert(self) -> ast.Insert:
        self.advance()
        self.expect("K_INTO", NAME_START)
        table = self.qualified_name()
        if self.kind == "K_JSON":
            return self._insert_json(table)
        if self.kind != "(":
            raise self.no_alternative()
        self.advance()
        columns = self.identifier_list()
        self.expect(")", _VALUES)
        self.expect("K_VALUES", AFTER_OPEN)
        self.expect("(", TERM_START)
        values = self.term_list(")")
        if_not_exists = self.if_not_exists(None)
        return ast.Insert(table, columns, values, if_not_exists, self._using())

    def _insert_json(self, table: ast.Name) -> ast.Insert:
        self.advance()
        if self.kind not in ("STRING_LITERAL", "?", ":"):
            raise self.no_alternative()
        document = self.term()
        keep_unset = False
        if self.accept("K_DEFAULT"):
            if self.kind not in ("K_UNSET", "K_NULL"):
                raise self.no_alternative()
            keep_unset = self.advance() == "unset"
        if_not_exists = self.if_not_exists(None)
        return ast.Insert(table, (), (), if_not_exists, self._using(), json=document, json_default_unset=keep_unset)

    # ------------------------------------------------------------ USING

    def _using(self, *, with_ttl: bool = True) -> ast.Using:
        """USING TTL … AND TIMESTAMP … AND TIMEOUT …, in any order; the last of a kind counts."""
        if not self.accept("K_USING"):
            return _NO_USING
        found = {}
        while True:
            kind = self.kind
            if kind == "K_TIMEOUT":
                self.advance()
                found["timeout"] = self.term()
            elif kind == "K_TIMESTAMP" or (kind == "K_TTL" and with_ttl):
                attribute = self.advance()
                found[attribute] = self.integer()
            else:
                raise self.no_alternative()
            if not self.accept("K_AND"):
                return ast.Using(**found)

    def using_timeout(self) -> ast.Term | None:
        if not self.accept("K_USING"):
            return None
        self.expect("K_TIMEOUT", TERM_START)
        return self.term()

    # ------------------------------------------------------------ UPDATE

    def update(self) -> ast.Update:
        self.advance()
        table = self.qualified_name()
        using = self._using()
        self.expect("K_SET", IDENTIFIERS)
        assignments = [self._assignment()]
        while self.accept(","):
            assignments.append(self._assignment())
        self.expect("K_WHERE", RELATION_START)
        where = self.where_clause()
        if_exists, conditions = self._if()
        return ast.Update(table, tuple(assignments), where, conditions, if_exists, using)

    def _if(self) -> tuple[bool, tuple[ast.Relation, ...]]:
        """IF EXISTS or IF conditions. A column may be called exists."""
        if not self.accept("K_IF"):
            return False, ()
        if self.kind == "K_EXISTS" and self.peek() in _ENDS_IF_EXISTS:
            self.advance()
            return True, ()
        return False, self.conditions()

    def _assignment(self) -> ast.Assignment:
        column = self.identifier()
        if self.accept("="):
            return self._assigned(column)
        if self.accept("["):
            return self._assigned_element(column)
        if self.accept("."):
            field = self.identifier()
            self.expect("=", TERM_START)
            return ast.Assignment(column, "field", self.term(), field)
        raise self.no_alternative()

    def _assigned(self, column: str) -> ast.Assignment:
        """What follows ``column =``: a value, or the column itself with something added or taken away."""
        if self.kind in IDENTIFIERS and self.peek() in ("+", "-", "INTEGER"):
            return self._changed(column)
        if self.kind == "K_SCYLLA_COUNTER_SHARD_LIST":
            self.advance()
            self.expect("(", TERM_START)
            shards = self.term()
            self.expect(")")
            return ast.Assignment(column, "counter shards", shards)
        value = self.term()
        if not self.accept("+"):
            return ast.Assignment(column, "set", value)
        if self.identifier() != column:
            raise SyntaxException("Only expressions of the form X = <value> + X are supported.")
        return ast.Assignment(column, "prepend", value)

    def _changed(self, column: str) -> ast.Assignment:
        """``c = c + v``, ``c = c - v``, or ``c = c -3``, where the sign belongs to the number."""
        source = self.advance()
        if self.kind == "INTEGER":
            number = ast.Literal("integer", self.advance())
            if source != column:
                sign = "-" if number.text.startswith("-") else "+"
                raise SyntaxException(f"Only expressions of the form X = X {sign} <value> are supported.")
            return ast.Assignment(column, "add", number)
        sign = self.advance()
        value = self.term()
        if source != column:
            raise SyntaxException(f"Only expressions of the form X = X {sign}<value> are supported.")
        return ast.Assignment(column, "add" if sign == "+" else "subtract", value)

    def _assigned_element(self, column: str) -> ast.Assignment:
        operator = "element"
        if self.accept("K_SCYLLA_TIMEUUID_LIST_INDEX"):
            operator = "timeuuid element"
            self.expect("(", TERM_START)
            key = self.term()
            self.expect(")", _CLOSING)
        else:
            key = self.term()
        self.expect("]", _EQUALS)
        self.expect("=", TERM_START)
        return ast.Assignment(column, operator, self.term(), key)

    # ------------------------------------------------------------ DELETE

    def delete(self) -> ast.Delete:
        self.advance()
        deletions = []
        if self.kind in IDENTIFIERS:
            deletions.append(self._deletion())
            while self.accept(","):
                deletions.append(self._deletion())
        self.expect("K_FROM", NAME_START)
        table = self.qualified_name()
        using = self._using(with_ttl=False)
        self.expect("K_WHERE", RELATION_START)
        where = self.where_clause()
        if_exists, conditions = self._if()
        if self.accept("K_BYPASS"):
            self.expect("K_LARGE_DATA_GUARDRAILS")
        return ast.Delete(table, tuple(deletions), where, conditions, if_exists, using)

    def _deletion(self) -> ast.Deletion:
        column = self.identifier()
        if self.accept("["):
            key = self.term()
            self.expect("]")
            return ast.Deletion(column, key)
        if self.accept("."):
            return ast.Deletion(column, field=self.identifier())
        return ast.Deletion(column)

    # ------------------------------------------------------------ BATCH

    def batch(self) -> ast.Batch:
        self.advance()
        kind = "LOGGED"
        if self.kind in ("K_UNLOGGED", "K_COUNTER"):
            kind = self.advance().upper()
        self.expect("K_BATCH", _AFTER_BATCH)
        using = self._using()
        statements: list[ast.Insert | ast.Update | ast.Delete] = []
        while self.kind in _BATCHED:
            if self.kind == "K_INSERT":
                statements.append(self.insert())
            elif self.kind == "K_UPDATE":
                statements.append(self.update())
            else:
                statements.append(self.delete())
            self.accept(";")
        self.expect("K_APPLY", _BATCH)
        self.expect("K_BATCH")
        return ast.Batch(kind, tuple(statements), using)

    # ------------------------------------------------------------ TRUNCATE, PRUNE

    def truncate(self) -> ast.Truncate:
        self.advance()
        self.accept("K_COLUMNFAMILY")
        table = self.qualified_name()
        return ast.Truncate(table, self.using_timeout())

    def prune(self) -> ast.PruneView:
        """PRUNE MATERIALIZED VIEW; its timeout and concurrency change nothing about the answer."""
        self.advance()
        self.expect("K_MATERIALIZED", _VIEW)
        self.expect("K_VIEW", NAME_START)
        view = self.qualified_name()
        where = self.optional_where()
        if self.accept("K_USING"):
            while True:
                if self.kind not in ("K_TIMEOUT", "K_CONCURRENCY"):
                    raise self.no_alternative()
                self.advance()
                self.term()
                if not self.accept("K_AND"):
                    break
        return ast.PruneView(view, where)
