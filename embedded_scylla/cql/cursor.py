"""A place in a list of tokens, the errors found there, and the names that every kind of statement uses.

The error texts are those of ScyllaDB's parser generator. Where one token is due and another stands there, the
generator looks at what could follow: the next token is the due one (so this one is ``Unexpected``), this one could come
after the due one (which is ``Missing``), or neither (``Syntax error``). Where several continuations were possible it
says ``no viable alternative``.
"""

from __future__ import annotations

from ..errors import SyntaxException
from . import ast
from .lexer import BASIC_UNRESERVED, FUNCTION_NAMES, IDENTIFIERS, NATIVE_TYPES, Tokens

#: What may follow the token that is due, when it ends its rule: anything, as far as the error text is concerned.
ANYTHING: frozenset[str] | None = None
NAME_START = IDENTIFIERS | {"?"}
TYPE_START = IDENTIFIERS | {"K_SET"}

_MAX_TERM_NESTING = 12  # ScyllaDB's own limit
_MAX_TYPE_NESTING = 64
_RESERVED_TYPE_NAMES = frozenset(("byte", "complex", "enum", "interval", "macaddr", "bitstring"))
_TYPE_NAMES = BASIC_UNRESERVED | {"IDENT", "QUOTED_NAME", "K_KEY"}
_PARAMETER_COUNTS = {"K_MAP": 2, "K_LIST": 1, "K_SET": 1, "K_FROZEN": 1}


class Cursor:
    """Reads tokens from left to right. ``kind`` is the current token's kind."""

    __slots__ = (
        "_nesting", "_numbered", "index", "kind", "kinds", "names_user_types", "row_ttl", "tokens", "values",
        "variables",
    )  # fmt: skip

    def __init__(self, tokens: Tokens):
        self.tokens = tokens
        self.kinds = tokens.kinds
        self.values = tokens.values
        self.index = 0
        self.kind = tokens.kinds[0]
        self.variables: list[str | None] = []
        self.row_ttl = True  # whether the grammar has TTL columns
        self.names_user_types = False
        self._numbered: dict[str, int] = {}
        self._nesting = 0

    # ------------------------------------------------------------ moving

    def advance(self) -> str:
        """Pass the current token; its value."""
        index = self.index
        self.index = index + 1
        self.kind = self.kinds[index + 1]
        return self.values[index]

    def peek(self, distance: int = 1) -> str:
        """The kind of the token ``distance`` further on."""
        index = self.index + distance
        return self.kinds[index] if index < len(self.kinds) else "EOF"

    def accept(self, kind: str) -> bool:
        """Pass the current token if it is of this kind."""
        if self.kind != kind:
            return False
        self.advance()
        return True

    def expect(self, kind: str, follow: frozenset[str] | None = ANYTHING) -> str:
        """Pass a token of this kind, the only one possible here. ``follow``: what may come after it."""
        if self.kind != kind:
            raise self.mismatch(kind, follow)
        return self.advance()

    # ------------------------------------------------------------ errors

    def error(self, what: str) -> SyntaxException:
        """The error ``what`` at the current token; the methods below word it. The caller raises it."""
        return SyntaxException(f"{self.tokens.position(self.index)} {what}")

    def no_alternative(self) -> SyntaxException:
        """Several continuations were possible, and the current token begins none of them."""
        return self.error(f"no viable alternative at input '{self.tokens.shown(self.index)}'")

    def unexpected(self) -> SyntaxException:
        """The current token should not be there."""
        return self.error(f": Unexpected '{self.tokens.shown(self.index)}'")

    def mismatch(self, kind: str, follow: frozenset[str] | None) -> SyntaxException:
        """The current token is not the one that is due."""
        if self.peek() == kind:
            return self.unexpected()
        if follow is None or self.kind in follow:  # ANYTHING may follow
            return self.error(f": Missing {kind if kind[0].isalpha() else repr(kind)}")
        return self.error(": Syntax error")

    def enter(self, limit: int = _MAX_TERM_NESTING) -> None:
        """Go one level into nested terms; every level ends with ``leave``."""
        self._nesting += 1
        if self._nesting > limit:
            raise SyntaxException("expression nested too deeply")

    def leave(self, levels: int = 1) -> None:
        self._nesting -= levels

    # ------------------------------------------------------------ names

    def identifier(self) -> str:
        """A column, a field or anything else that is named by one word."""
        if self.kind not in IDENTIFIERS:
            raise self.no_alternative()
        return self.advance()

    def element_name(self, what: str) -> str:
        """The name of a keyspace, table or index: ``what`` says which, for the error."""
        if self.kind == "?":
            raise SyntaxException(f"Bind variables cannot be used for {what} names")
        return self.identifier()

    def qualified_name(self, what: str = "table") -> ast.Name:
        """``name`` or ``keyspace.name``."""
        if self.kind in NAME_START and self.peek() == ".":
            keyspace = self.element_name("keyspace")
            self.advance()
            return ast.Name(self.element_name(what), keyspace)
        return ast.Name(self.element_name(what))

    def function_name(self) -> ast.Name:
        """``function`` or ``keyspace.function``."""
        if self.kind in NAME_START and self.peek() == ".":
            keyspace = self.element_name("keyspace")
            self.advance()
        else:
            keyspace = None
        if self.kind not in FUNCTION_NAMES:
            raise self.no_alternative()
        return ast.Name(self.advance(), keyspace)

    def if_exists(self) -> bool:
        if not self.accept("K_IF"):
            return False
        self.expect("K_EXISTS", NAME_START)
        return True

    def if_not_exists(self, follow: frozenset[str] | None = NAME_START) -> bool:
        if not self.accept("K_IF"):
            return False
        self.expect("K_NOT", frozenset(("K_EXISTS",)))
        self.expect("K_EXISTS", follow)
        return True

    # ------------------------------------------------------------ types

    def type_name(self) -> ast.TypeName:
        """A type, as in the definition of a column."""
        self.enter(_MAX_TYPE_NESTING)
        parsed = self._type_name()
        self.leave()
        return parsed

    def _type_name(self) -> ast.TypeName:
        kind = self.kind
        if kind in NATIVE_TYPES:
            return ast.TypeName(self.advance())
        if kind == "K_EMPTY":
            raise SyntaxException("Invalid (reserved) user type name empty")
        if kind == "K_SET" or (self.peek() == "<" and kind in _PARAMETER_COUNTS):
            return self._collection_type(_PARAMETER_COUNTS[kind])
        if self.peek() == "<" and kind == "K_TUPLE":
            return self._tuple_type()
        if self.peek() == "<" and kind == "K_VECTOR":
            return self._vector_type()
        return self._user_type()

    def _collection_type(self, parameters: int) -> ast.TypeName:
        name = self.advance()
        self.expect("<", TYPE_START)
        inner = [self.type_name()]
        while len(inner) < parameters:
            self.expect(",", TYPE_START)
            inner.append(self.type_name())
        self.expect(">")
        return ast.TypeName(name, tuple(inner))

    def _tuple_type(self) -> ast.TypeName:
        name = self.advance()
        self.advance()
        inner = [self.type_name()]
        while self.accept(","):
            inner.append(self.type_name())
        self.expect(">")
        return ast.TypeName(name, tuple(inner))

    def _vector_type(self) -> ast.TypeName:
        """``vector<float, 3>``: the dimension stands as the second parameter's name."""
        name = self.advance()
        self.advance()
        element = self.type_name()
        self.expect(",", frozenset(("INTEGER",)))
        dimension = ast.TypeName(self.expect("INTEGER", frozenset((">",))))
        self.expect(">")
        return ast.TypeName(name, (element, dimension))

    def _user_type(self) -> ast.TypeName:
        """A user-defined type; one in another keyspace is named ``keyspace.type``."""
        self.names_user_types = True
        name = self.user_type_name()
        return ast.TypeName(name.name, keyspace=name.keyspace)

    def user_type_name(self) -> ast.Name:
        keyspace = None
        if self.kind in IDENTIFIERS and self.peek() == ".":
            keyspace = self.advance()
            self.advance()
        if self.kind not in _TYPE_NAMES:
            raise self.no_alternative()
        if self.kind == "IDENT" and self.values[self.index] in _RESERVED_TYPE_NAMES:
            raise SyntaxException(f"Invalid (reserved) user type name {self.tokens.shown(self.index)}")
        return ast.Name(self.advance(), keyspace)

    # ------------------------------------------------------------ variables

    def marker(self) -> ast.BindMarker:
        """``?`` or ``:name``; the current token must begin one."""
        if self.advance() == "?":
            name = None
        else:
            name = self.identifier()
            if name in self._numbered:
                return ast.BindMarker(self._numbered[name], name)
            self._numbered[name] = len(self.variables)
        self.variables.append(name)
        return ast.BindMarker(len(self.variables) - 1, name)

    def integer(self) -> ast.Term:
        """A whole number or a variable: what LIMIT, TTL and TIMESTAMP take."""
        if self.kind == "INTEGER":
            return ast.Literal("integer", self.advance())
        if self.kind == "?" or self.kind == ":":
            return self.marker()
        raise self.no_alternative()
