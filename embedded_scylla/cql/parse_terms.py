"""Terms, selectors and relations: what the statements that read and write data are made of."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import InvalidRequest
from ..limits import MOST_RELATIONS
from . import ast
from .cursor import NAME_START, TYPE_START, Cursor
from .lexer import FUNCTION_NAMES, IDENTIFIERS, NATIVE_TYPES

#: Kinds of token that are a literal by themselves, with the kind of ast.Literal they make.
LITERALS = {
    "STRING_LITERAL": "string",
    "INTEGER": "integer",
    "FLOAT": "float",
    "BOOLEAN": "boolean",
    "DURATION": "duration",
    "UUID": "uuid",
    "HEXNUMBER": "hex",
}
_NOT_A_NUMBER = frozenset(("K_NAN", "K_INFINITY"))
TERM_START = FUNCTION_NAMES | NAME_START | _NOT_A_NUMBER | {*LITERALS, "(", "[", "{", "?", ":", "-", "K_NULL"}
RELATION_START = IDENTIFIERS | {"(", "K_TOKEN"}
COMPARISONS = {"=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "!=": "!=", "K_LIKE": "LIKE"}

_MAX_FIELD_NESTING = 64

# What may follow a due token, for the wording of errors.
AFTER_OPEN = frozenset(("(",))
_AFTER_IN = frozenset(("(", "?", ":"))
_AFTER_NOT = frozenset(("K_NULL",))
_BRACKETS = frozenset(("(", "[", "{"))
_LIST_END = frozenset((",", ")"))
_SET_CONTINUES = frozenset((",", "}"))


class TermParser(Cursor):
    """Adds terms, selectors, WHERE and IF to the cursor."""

    __slots__ = ()

    # ------------------------------------------------------------ terms

    def term(self) -> ast.Term:
        """A value: literal, variable, collection, tuple, function call or ``(type) value``."""
        self.enter()
        kind = self.kind
        literal = LITERALS.get(kind)
        parsed: ast.Term
        if literal is not None:
            parsed = ast.Literal(literal, self.advance())
        elif kind == "?" or kind == ":":
            parsed = self.marker()
        elif kind in _BRACKETS:
            parsed = self._type_hint(self.term) if self._at_type_hint() else self._bracketed()
        elif kind == "K_NULL" or kind == "-" or kind in _NOT_A_NUMBER:
            parsed = self.constant()
        else:
            parsed = self._function_call()
        self.leave()
        return parsed

    def constant(self) -> ast.Literal:
        """A literal that is one word, perhaps with its minus sign; anything else is an error."""
        kind = self.kind
        literal = LITERALS.get(kind)
        if literal is not None:
            return ast.Literal(literal, self.advance())
        if kind == "K_NULL":
            self.advance()
            return ast.Literal("null", "null")
        sign = "-" if self.accept("-") else ""
        if self.kind not in _NOT_A_NUMBER:
            if sign:
                raise self.unexpected()
            raise self.no_alternative()
        shown = self.tokens.shown(self.index)
        self.advance()
        return ast.Literal("float", sign + shown)

    def term_list(self, close: str) -> tuple[ast.Term, ...]:
        """Terms between commas, up to the closing bracket, which is passed."""
        items = [self.term()]
        while self.accept(","):
            items.append(self.term())
        self.expect(close)
        return tuple(items)

    def _at_type_hint(self) -> bool:
        """Is the bracket here the beginning of ``(type) value``? A bare name is no term, so one word decides."""
        if self.kind != "(" or self.peek() not in TYPE_START:
            return False
        after = self.peek(2)
        return after in (")", "<") or (after == "." and self.peek(4) == ")")

    def _type_hint(self, inner: Callable[[], ast.Term]) -> ast.TypeHint:
        self.advance()
        hinted = self.type_name()
        self.expect(")", TERM_START)
        return ast.TypeHint(hinted, inner())

    def _bracketed(self) -> ast.Term:
        opening = self.advance()
        if opening == "(":
            return ast.TupleLiteral(self.term_list(")"))
        if opening == "[":
            if self.accept("]"):
                return ast.ListLiteral(())
            return ast.ListLiteral(self.term_list("]"))
        if self.accept("}"):
            return ast.SetLiteral(())
        if self.kind in IDENTIFIERS and self.peek() == ":":
            return self._user_type_literal()
        first = self.term()
        if self.kind == ":":
            return self._map_literal(first)
        if self.kind not in _SET_CONTINUES:
            raise self.no_alternative()
        items = [first]
        while self.accept(","):
            items.append(self.term())
        self.expect("}")
        return ast.SetLiteral(tuple(items))

    def _map_literal(self, key: ast.Term) -> ast.MapLiteral:
        items = []
        while True:
            self.expect(":", TERM_START)
            items.append((key, self.term()))
            if not self.accept(","):
                break
            key = self.term()
        self.expect("}")
        return ast.MapLiteral(tuple(items))

    def _user_type_literal(self) -> ast.UserTypeLiteral:
        fields = []
        while True:
            name = self.identifier()
            self.expect(":", TERM_START)
            fields.append((name, self.term()))
            if not self.accept(","):
                break
        self.expect("}")
        return ast.UserTypeLiteral(tuple(fields))

    def _function_call(self) -> ast.FunctionCall:
        name = self.function_name()
        if self.kind != "(":
            raise self.no_alternative()
        self.advance()
        if self.accept(")"):
            return ast.FunctionCall(name, ())
        return ast.FunctionCall(name, self.term_list(")"))

    # ------------------------------------------------------------ selectors

    def select_clause(self) -> tuple[ast.Selector, ...] | None:
        """What is selected; None for ``*``."""
        if self.accept("*"):
            return None
        selectors = [self._selector()]
        while self.accept(","):
            selectors.append(self._selector())
        return tuple(selectors)

    def _selector(self) -> ast.Selector:
        first = self.index
        if self._at_type_hint():  # Cassandra takes one
            raise self.no_alternative()
        term = self._unaliased_selector()
        text = term.name if type(term) is ast.ColumnRef else self.tokens.source(first, self.index - 1)
        return ast.Selector(term, self.identifier() if self.accept("K_AS") else None, text)

    def _unaliased_selector(self) -> ast.Term:
        self.enter()
        term = self._selected()
        levels = 0
        while self.kind in (".", "["):
            if self.kind == "[" and isinstance(term, ast.ColumnRef):
                term = self._subscript(term.name)
                continue
            levels += 1
            self.enter(_MAX_FIELD_NESTING)
            if self.accept("."):
                term = ast.FieldRef(term, self.identifier())
            else:
                term = ast.Element(term, self._key())
        self.leave(1 + levels)
        return term

    def _selected(self) -> ast.Term:
        kind, following = self.kind, self.peek()
        if following == "(":
            if kind == "K_CAST":
                return self._cast()
            if kind == "K_WRITETIME" or kind == "K_TTL":
                return self._writetime_or_ttl()
            if kind in FUNCTION_NAMES:
                return self._selected_function()
        if kind in IDENTIFIERS:
            if following == "." and self.peek(2) in FUNCTION_NAMES and self.peek(3) == "(":
                return self._selected_function()
            return ast.ColumnRef(self.advance())
        if kind == "K_CAST":
            self.advance()
            raise self.mismatch("(", TERM_START)
        if self._at_type_hint():
            return self._type_hint(self._unaliased_selector)
        if kind in TERM_START and kind not in FUNCTION_NAMES:
            return self._bracketed() if kind in _BRACKETS else self.term()
        if kind in FUNCTION_NAMES:  # token or ann: it can only be a call
            self.advance()
        raise self.no_alternative()

    def _selected_function(self) -> ast.FunctionCall:
        name = self.function_name()
        self.advance()
        if name.keyspace is None and name.name == "count" and self.kind == "*":
            self.advance()
            self.expect(")")
            return ast.FunctionCall(name, (), star=True)
        if self.accept(")"):
            return ast.FunctionCall(name, ())
        arguments = [self._unaliased_selector()]
        while self.accept(","):
            arguments.append(self._unaliased_selector())
        self.expect(")")
        return ast.FunctionCall(name, tuple(arguments))

    def _cast(self) -> ast.Cast:
        self.advance()
        self.advance()
        term = self._unaliased_selector()
        self.expect("K_AS", NATIVE_TYPES)
        if self.kind not in NATIVE_TYPES:
            raise self.no_alternative()
        wanted = ast.TypeName(self.advance())
        self.expect(")")
        return ast.Cast(term, wanted)

    def _writetime_or_ttl(self) -> ast.WritetimeOrTtl:
        what = self.advance()
        self.advance()
        target = self.column_or_element()
        self.expect(")")
        return ast.WritetimeOrTtl(what, target)

    def column_or_element(self) -> ast.ColumnRef | ast.Subscript | ast.FieldRef:
        """``c``, ``c[key]`` or ``c.field``."""
        name = self.identifier()
        if self.kind == "[":
            return self._subscript(name)
        if self.accept("."):
            return ast.FieldRef(ast.ColumnRef(name), self.identifier())
        return ast.ColumnRef(name)

    def _subscript(self, column: str) -> ast.Subscript:
        return ast.Subscript(column, self._key())

    def _key(self) -> ast.Term:
        """``[key]``"""
        self.advance()
        key = self.term()
        self.expect("]")
        return key

    # ------------------------------------------------------------ WHERE

    def where_clause(self) -> tuple[ast.Relation, ...]:
        """The relations after WHERE, joined by AND."""
        relations = [self._relation()]
        while self.accept("K_AND"):
            relations.append(self._relation())
        return _not_too_many(relations)

    def optional_where(self) -> tuple[ast.Relation, ...]:
        return self.where_clause() if self.accept("K_WHERE") else ()

    def _relation(self) -> ast.Relation:
        self.enter()
        kind = self.kind
        if kind in IDENTIFIERS:
            relation = self._column_relation()
        elif kind == "K_TOKEN":
            relation = self._token_relation()
        elif kind == "(":
            if self.peek() in IDENTIFIERS and self.peek(2) in _LIST_END:
                relation = self._tuple_relation()
            else:
                self.advance()
                relation = self._relation()
                self.expect(")")
        else:
            raise self.no_alternative()
        self.leave()
        return relation

    def _comparison(self) -> str:
        operator = COMPARISONS.get(self.kind)
        if operator is None:
            raise self.no_alternative()
        self.advance()
        return operator

    def _column_relation(self) -> ast.Relation:
        column = ast.ColumnRef(self.advance())
        kind = self.kind
        if kind == "=":
            self.advance()
            return ast.Relation(column, "=", self.term())
        if kind == "K_IN":
            self.advance()
            return ast.Relation(column, "IN", self.in_values())
        if kind == "K_NOT":
            return ast.Relation(column, "NOT IN", self._not_in_values())
        if kind == "K_IS":
            self.advance()
            self.expect("K_NOT", _AFTER_NOT)
            self.expect("K_NULL")
            return ast.Relation(column, "IS NOT NULL")
        if kind == "K_CONTAINS":
            self.advance()
            operator = "CONTAINS KEY" if self._at_contains_key() else "CONTAINS"
            return ast.Relation(column, operator, self.term())
        if kind == "[":
            element = self._subscript(column.name)
            return ast.Relation(element, self._comparison(), self.term())
        return ast.Relation(column, self._comparison(), self.term())

    def _at_contains_key(self) -> bool:
        """Passes KEY after CONTAINS, unless it names the keyspace of a function."""
        return self.peek() != "." and self.accept("K_KEY")

    def in_values(self) -> ast.BindMarker | tuple[ast.Term, ...]:
        """What follows IN: a variable, or terms in brackets, perhaps none."""
        if self.kind not in _AFTER_IN:
            raise self.no_alternative()
        if self.kind != "(":
            return self.marker()
        self.advance()
        if self.accept(")"):
            return ()
        return self.term_list(")")

    def _not_in_values(self) -> ast.BindMarker | tuple[ast.Term, ...]:
        self.advance()
        if self.kind != "K_IN":
            raise self.no_alternative()
        self.advance()
        return self.in_values()

    def _token_relation(self) -> ast.Relation:
        self.advance()
        self.expect("(", IDENTIFIERS)
        columns = self.identifier_list()
        self.expect(")")
        return ast.Relation(ast.TokenOf(columns), self._comparison(), self.term())

    def _tuple_relation(self) -> ast.Relation:
        self.advance()
        left = ast.ColumnTuple(self.identifier_list())
        self.expect(")")
        if self.accept("K_IN"):
            return ast.Relation(left, "IN", self._tuples())
        operator = self._comparison()
        bound = self.accept("K_SCYLLA_CLUSTERING_BOUND")
        return ast.Relation(left, operator, self._tuple_or_marker(), bound)

    def _tuples(self) -> ast.BindMarker | tuple[ast.Term, ...]:
        """What follows ``(a, b) IN``: a variable, or in brackets tuples or variables, but not both."""
        if self.kind not in _AFTER_IN:
            raise self.no_alternative()
        if self.kind != "(":
            return self.marker()
        self.advance()
        if self.accept(")"):
            return ()
        of_tuples = self.kind == "("
        values = [self._tuple_or_marker()]
        while self.accept(","):
            if of_tuples != (self.kind == "("):
                raise self.no_alternative()
            values.append(self._tuple_or_marker())
        self.expect(")")
        return tuple(values)

    def _tuple_or_marker(self) -> ast.TupleLiteral | ast.BindMarker:
        if self.kind == "(":
            self.advance()
            return ast.TupleLiteral(self.term_list(")"))
        if self.kind not in ("?", ":"):
            raise self.no_alternative()
        return self.marker()

    def identifier_list(self) -> tuple[str, ...]:
        names = [self.identifier()]
        while self.accept(","):
            names.append(self.identifier())
        return tuple(names)

    # ------------------------------------------------------------ IF

    def conditions(self) -> tuple[ast.Relation, ...]:
        """The conditions of a lightweight transaction, joined by AND."""
        conditions = [self._condition()]
        while self.accept("K_AND"):
            conditions.append(self._condition())
        return _not_too_many(conditions)

    def _condition(self) -> ast.Relation:
        name = self.identifier()
        left = self._subscript(name) if self.kind == "[" else ast.ColumnRef(name)  # a field cannot be asked for
        if self.accept("K_IN"):
            return ast.Relation(left, "IN", self.in_values())
        if self.accept("K_NOT"):
            self.expect("K_IN", _AFTER_IN)
            return ast.Relation(left, "NOT IN", self.in_values())
        return ast.Relation(left, self._comparison(), self.term())


def _not_too_many(relations: list[ast.Relation]) -> tuple[ast.Relation, ...]:
    if len(relations) > MOST_RELATIONS:
        raise InvalidRequest(
            f"A WHERE or an IF may have {MOST_RELATIONS:,} relations, and this one has {len(relations):,}."
        )
    return tuple(relations)
