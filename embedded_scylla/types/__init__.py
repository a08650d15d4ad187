"""CQL's types: ``by_name("int")``, ``parse_type(ast.TypeName)``, and what a type can do (``CqlType``)."""

from .base import CqlType, MarshalError
from .collections import CollectionType, ListType, MapType, SetType
from .native import (
    ASCII,
    BIGINT,
    BLOB,
    BOOLEAN,
    DATE,
    DECIMAL,
    DOUBLE,
    FLOAT,
    INET,
    INT,
    NATIVE,
    SMALLINT,
    TEXT,
    TIME,
    TIMESTAMP,
    TIMEUUID,
    TINYINT,
    UUID,
    VARINT,
)
from .parse import by_name, parse_type
from .tuples import TupleType

__all__ = [
    "ASCII",
    "BIGINT",
    "BLOB",
    "BOOLEAN",
    "DATE",
    "DECIMAL",
    "DOUBLE",
    "FLOAT",
    "INET",
    "INT",
    "NATIVE",
    "SMALLINT",
    "TEXT",
    "TIME",
    "TIMESTAMP",
    "TIMEUUID",
    "TINYINT",
    "UUID",
    "VARINT",
    "CollectionType",
    "CqlType",
    "ListType",
    "MapType",
    "MarshalError",
    "SetType",
    "TupleType",
    "by_name",
    "parse_type",
]
