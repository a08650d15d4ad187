"""CQL text to syntax tree: which statement it is, and that nothing follows it."""

from __future__ import annotations

from collections.abc import Callable

from . import ast
from .lexer import tokenize
from .parse_data import DataParser
from .parse_rights import RightsParser

_NOTHING: frozenset[str] = frozenset()


class Parser(DataParser, RightsParser):
    """Every statement there is."""

    __slots__ = ()

    def whole_statement(self) -> ast.Statement:
        """One statement and any number of semicolons, to the end of the text."""
        begin = _STATEMENTS.get(self.kind)
        if begin is None:
            raise self.no_alternative()
        statement = begin(self)
        while self.accept(";"):
            pass
        if self.kind != "EOF":
            raise self.mismatch("EOF", _NOTHING)
        return statement


_STATEMENTS: dict[str, Callable[[Parser], ast.Statement]] = {
    "K_SELECT": Parser.select,
    "K_INSERT": Parser.insert,
    "K_UPDATE": Parser.update,
    "K_DELETE": Parser.delete,
    "K_BEGIN": Parser.batch,
    "K_TRUNCATE": Parser.truncate,
    "K_PRUNE": Parser.prune,
    "K_USE": Parser.use,
    "K_CREATE": Parser.create,
    "K_ALTER": Parser.alter,
    "K_DROP": Parser.drop,
    "K_DESCRIBE": Parser.describe,
    "K_DESC": Parser.describe,
    "K_GRANT": Parser.grant,
    "K_REVOKE": Parser.revoke,
    "K_LIST": Parser.list_,
    "K_ATTACH": Parser.attach,
    "K_DETACH": Parser.detach,
}


def parse(text: str, row_ttl: bool = True) -> ast.Parsed:
    """The statement in ``text`` and its variables, by ScyllaDB's grammar; ``row_ttl``: whether that has TTL columns.

    Raises SyntaxException, which names line, column and the offending text, for what is not CQL; and InvalidRequest
    for the few things that the grammar allows and nobody can carry out.
    """
    parser = Parser(tokenize(text))
    parser.row_ttl = row_ttl
    statement = parser.whole_statement()
    return ast.Parsed(statement, tuple(parser.variables), parser.names_user_types)
