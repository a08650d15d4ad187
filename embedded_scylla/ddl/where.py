"""The WHERE clause of a materialized view: its text, which is what is kept, and the tests that it stands for."""

from __future__ import annotations

from typing import Any

from ..cql import ast, parse
from ..errors import InvalidRequest, unsupported
from ..quoting import identifier, string
from ..schema import Table
from ..terms.compile import Variables
from ..terms.known_types import with_known_types
from ..types import NATIVE, CqlType, ListType, MapType, SetType, TupleType, UserType
from ..types import user as user_types
from ..where.matching import value_test
from ..where.relations import ON_COLUMN, Predicate, prepare_relation

Restrictions = tuple[tuple[str, Any], ...]


def text_of(relations: tuple[ast.Relation, ...]) -> str:
    """The clause as CQL that can be parsed again."""
    return " AND ".join(map(_relation, relations))


def relations_of(text: str) -> tuple[ast.Relation, ...]:
    """The relations of a kept clause."""
    return parse(f"SELECT * FROM base WHERE {text} ALLOW FILTERING").statement.where if text else ()


def rename_column(text: str, old: str, new: str) -> str:
    """The clause after ALTER TABLE … RENAME."""
    renamed = [
        relation.replace(left=ast.ColumnRef(new)) if relation.left == ast.ColumnRef(old) else relation
        for relation in relations_of(text)
    ]
    return text_of(tuple(renamed))


def rename_fields(text: str, base: Table, user_type: str, renamed: dict[str, str]) -> str:
    """The clause after ALTER TYPE … RENAME: literals of the type have the new names. ``base``: as it was before."""
    relations = []
    for relation in relations_of(text):
        assert isinstance(relation.left, ast.ColumnRef)  # of filters, no others are taken
        cql_type = base.columns[relation.left.name].type
        relations.append(relation.replace(right=_with_fields(relation.right, cql_type, user_type, renamed)))
    return text_of(tuple(relations))


def _with_fields(term: Any, cql_type: CqlType, user_type: str, renamed: dict[str, str]) -> Any:
    """A term of ``cql_type`` (for IN a tuple of such) whose literals of ``user_type`` have the new names."""

    def within(term: Any, cql_type: CqlType) -> Any:
        return _with_fields(term, cql_type, user_type, renamed)

    match term, cql_type:
        case tuple(), _:
            return tuple(within(one, cql_type) for one in term)
        case ast.UserTypeLiteral(), UserType():
            types = dict(zip(cql_type.fields, cql_type.types, strict=True))
            names = renamed if cql_type.type_name == user_type else {}
            return term.replace(fields=tuple((names.get(n, n), within(value, types[n])) for n, value in term.fields))
        case ast.TupleLiteral(), TupleType():
            return term.replace(items=tuple(map(within, term.items, cql_type.types)))
        case ast.MapLiteral(), MapType():
            pairs = tuple((within(key, cql_type.key), within(value, cql_type.value)) for key, value in term.items)
            return term.replace(items=pairs)
        case ((ast.ListLiteral() | ast.SetLiteral()), (ListType() | SetType())):
            return term.replace(items=tuple(within(item, cql_type.element) for item in term.items))
        case ast.TypeHint(), _:
            return term.replace(term=within(term.term, cql_type))
    return term


def prepare(relations: tuple[ast.Relation, ...], base: Table) -> list[Predicate]:
    """Check each relation against the base table. Of its keyspace's user-defined types those can be named that its
    columns have: no other one can be compared with them."""
    types = {
        found.type_name: found.freeze() for column in base.columns.values() for found in user_types.within(column.type)
    }
    prepared = []
    for relation in with_known_types(relations, lambda keyspace: types, base.keyspace):
        if not isinstance(relation.left, ast.ColumnRef):
            raise _left_out(relation, "only filters on single columns are")
        if relation.operator.startswith("CONTAINS"):
            raise _left_out(relation, "only comparisons are")
        if _calls_function(relation.right):
            raise _left_out(relation, "only constants are")
        prepared.append(prepare_relation(relation, base, Variables(())))
    return prepared


def _left_out(relation: ast.Relation, why: str) -> InvalidRequest:
    return unsupported(f"The filter {_relation(relation)} of a materialized view", why=why)


def restrictions_of(predicates: list[Predicate]) -> Restrictions:
    """The filters other than IS NOT NULL as tests of a column's wire bytes."""
    tests = []
    for predicate in predicates:
        if predicate.operator != "IS NOT NULL" and predicate.on == ON_COLUMN:
            value = predicate.value(None)  # constants need no context
            if value is None:
                raise InvalidRequest(f"Invalid null value in condition for column {predicate.column.name}")
            tests.append((predicate.column.name, value_test(predicate.column.type, predicate.operator, value)))
    return tuple(tests)


def compile_restrictions(text: str, base: Table) -> Restrictions:
    """The tests of a kept clause."""
    return restrictions_of(prepare(relations_of(text), base))


def _calls_function(term: Any) -> bool:
    match term:
        case ast.FunctionCall():
            return True
        case tuple():
            return any(map(_calls_function, term))
        case ast.ListLiteral() | ast.SetLiteral() | ast.TupleLiteral():
            return any(map(_calls_function, term.items))
        case ast.UserTypeLiteral():
            return any(_calls_function(value) for _, value in term.fields)
        case ast.TypeHint():
            return _calls_function(term.term)
    return False


def _relation(relation: ast.Relation) -> str:
    left = relation.left
    match left:
        case ast.TokenOf():
            name = f"token({', '.join(map(identifier, left.columns))})"
        case ast.ColumnTuple():
            name = f"({', '.join(map(identifier, left.columns))})"
        case _:
            name = _term(left)
    if relation.operator == "IS NOT NULL":
        return f"{name} IS NOT null"
    right = relation.right
    return f"{name} {relation.operator} " + (f"({_terms(right)})" if isinstance(right, tuple) else _term(right))


def _terms(terms: tuple[ast.Term, ...]) -> str:
    return ", ".join(map(_term, terms))


def _term(term: ast.Term) -> str:
    match term:
        case ast.Literal():
            return string(term.text) if term.kind == "string" else term.text
        case ast.ColumnRef():
            return identifier(term.name)
        case ast.Subscript():
            return f"{identifier(term.column)}[{_term(term.key)}]"
        case ast.ListLiteral():
            return f"[{_terms(term.items)}]"
        case ast.SetLiteral():
            return f"{{{_terms(term.items)}}}"
        case ast.MapLiteral():
            return "{" + ", ".join(f"{_term(key)}: {_term(value)}" for key, value in term.items) + "}"
        case ast.UserTypeLiteral():
            return "{" + ", ".join(f"{identifier(name)}: {_term(value)}" for name, value in term.fields) + "}"
        case ast.TupleLiteral():
            return f"({_terms(term.items)})"
        case ast.TypeHint():
            return f"({_type(term.type)}){_term(term.term)}"
        case ast.FunctionCall():
            return f"{term.name}({_terms(term.arguments)})"
    raise InvalidRequest("Cannot use general expressions when defining a materialized view")


def _type(name: ast.TypeName) -> str:
    if name.parameters:
        return f"{name.name}<{', '.join(map(_type, name.parameters))}>"
    # A vector's dimension stands as the name of a type.
    is_plain = name.name in NATIVE or name.name == "varchar" or name.name.isdigit()
    return name.name if is_plain else identifier(name.name)
