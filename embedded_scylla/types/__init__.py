"""CQL's types: ``by_name("int")``, ``parse_type(ast.TypeName)``, and what a type can do (``CqlType``)."""

from .base import CqlType, MarshalError
from .collections import CollectionType, ListType, MapType, SetType
from .duration import DURATION, Duration, holds_duration, refuse_in_order
from .native import (
    ASCII,
    BIGINT,
    BLOB,
    BOOLEAN,
    COUNTER,
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
from .parse import by_name, by_name_in, parse_type
from .tuples import TupleType
from .user import UserType
from .vectors import VectorType

__all__ = [
    "ASCII",
    "BIGINT",
    "BLOB",
    "BOOLEAN",
    "COUNTER",
    "DATE",
    "DECIMAL",
    "DOUBLE",
    "DURATION",
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
    "Duration",
    "ListType",
    "MapType",
    "MarshalError",
    "SetType",
    "TupleType",
    "UserType",
    "VectorType",
    "by_name",
    "by_name_in",
    "holds_duration",
    "parse_type",
    "refuse_in_order",
]
