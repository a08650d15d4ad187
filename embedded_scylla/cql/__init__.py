"""CQL text to syntax tree: the lexer, the parser and the tree itself. Nothing here knows a schema."""

from .parser import parse

__all__ = ["parse"]
