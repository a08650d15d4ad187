"""What a write does to one column: the assignments of INSERT and UPDATE, and the deletions of DELETE.

Each compiles to an ``Operation``, which puts cells (or, for a column that is not frozen, the cells of its elements or
fields and a tombstone) into the row that a write is building.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..cql import ast
from ..errors import InvalidRequest, unsupported
from ..request import UNSET, Context
from ..schema import STATIC, Column, Table
from ..storage.merge import reconcile
from ..storage.rows import Cell, Collection, Row, live_elements
from ..terms import receivers
from ..terms.compile import Value, Variables, compile_term, required
from ..terms.fitting import text_of
from ..types import COUNTER, CollectionType, ListType, MapType, SetType, UserType
from ..types.user import field_key
from . import counters
from .write import Write

Cells = dict[str, Cell | Collection]


class Operation:
    """``run(cells, context, write, old)`` changes ``cells``; ``old`` is the row as stored (None if there is none), and
    needed only when ``reads``. ``atomic`` is the value's term when all it does is to set a single cell."""

    __slots__ = ("atomic", "column", "is_static", "reads", "run")

    def __init__(
        self,
        column: Column,
        run: Callable[[Cells, Context, Write, Row | None], None],
        reads: bool = False,
        atomic: Value | None = None,
    ):
        self.column = column
        self.is_static = column.role == STATIC
        self.run = run
        self.reads = reads
        self.atomic = atomic


def set_value(table: Table, column: Column, term: ast.Term, variables: Variables) -> Operation:
    """``c = v``, and a column of an INSERT."""
    return put_value(column, compile_term(term, table.spec(column), variables, table, "SET clause"))


def put_value(column: Column, value: Value) -> Operation:
    """The column gets the value, whatever it had."""
    name = column.name
    if column.type is COUNTER:
        raise InvalidRequest(
            f"Cannot set the value of counter column {name} (counters can only be incremented/decremented, not set)"
        )
    if column.type.is_multicell:
        assert isinstance(column.type, CollectionType | UserType)
        add = _ADD[column.type.family]
        split: Callable[[bytes], list[Any]] = column.type.split

        def overwrite(cells: Cells, context: Context, write: Write, old: Row | None) -> None:
            data = value(context)
            if data is UNSET:
                return
            collection = _collection(cells, name)
            collection.deletion = write.tombstone_just_before()
            if data is not None:
                add(collection, split(data), write)

        return Operation(column, overwrite)

    def put(cells: Cells, context: Context, write: Write, old: Row | None) -> None:
        data = value(context)
        if data is None:
            cells[name] = write.dead_cell()
        elif data is not UNSET:
            cells[name] = write.cell(data)

    return Operation(column, put, atomic=value)


def compile_assignment(table: Table, column: Column, assignment: ast.Assignment, variables: Variables) -> Operation:
    """One part of UPDATE's SET."""
    match assignment.operator:
        case "set":
            return set_value(table, column, assignment.value, variables)
        case "add" | "subtract" if column.type is COUNTER:
            value = compile_term(assignment.value, table.spec(column), variables)
            return Operation(column, counters.change(column.name, value, assignment.operator == "subtract"))
        case "add":
            return _addition(table, column, assignment, variables)
        case "prepend":
            return _prepend(table, column, assignment, variables)
        case "subtract":
            return _subtraction(table, column, assignment, variables)
        case "element" | "timeuuid element":
            return _set_element(table, column, assignment, variables)
        case "counter shards":
            if column.type is not COUNTER:
                raise InvalidRequest(f"Column {column.name} is not a counter")
            raise unsupported("SCYLLA_COUNTER_SHARD_LIST")
    return _set_field(table, column, assignment, variables)


def compile_deletion(table: Table, column: Column, deletion: ast.Deletion, variables: Variables) -> Operation:
    """One column or element after DELETE."""
    if deletion.field is not None:
        return _delete_field(column, deletion.field)
    if deletion.key is not None:
        return _delete_element(table, column, deletion.key, variables)
    name = column.name
    if column.type.is_multicell:

        def clear(cells: Cells, context: Context, write: Write, old: Row | None) -> None:
            _collection(cells, name).deletion = write.tombstone()

        return Operation(column, clear)

    def kill(cells: Cells, context: Context, write: Write, old: Row | None) -> None:
        cells[name] = write.dead_cell()

    return Operation(column, kill)


# ---------------------------------------------------------------- whole collections


def _add_to_list(collection: Collection, elements: list[Any], write: Write) -> None:
    timestamp, next_key = write.timestamp, write.lists.append
    for element in elements:
        collection.elements[next_key(timestamp)] = write.cell(_not_null(element))


def _not_null(element: bytes | None) -> bytes:
    if element is None:
        raise InvalidRequest("Invalid NULL element in list")
    return element


def _add_to_set(collection: Collection, elements: list[Any], write: Write) -> None:
    cell = write.cell(b"")
    if collection.elements:
        for element in elements:
            _put(collection, element, cell)
    else:
        collection.elements = dict.fromkeys(elements, cell)


def _add_to_map(collection: Collection, pairs: list[Any], write: Write) -> None:
    if collection.elements:
        for key, element in pairs:
            _put(collection, key, write.cell(element))
    else:
        for key, element in pairs:
            collection.elements[key] = write.cell(element)


def _put(collection: Collection, key: bytes, cell: Cell) -> None:
    """Write one element. All that a statement writes is of one moment: if it wrote this element before, the order in
    its text decides nothing."""
    present = collection.elements.get(key)
    collection.elements[key] = cell if present is None else reconcile(present, cell)


def _add_fields(collection: Collection, fields: list[bytes | None], write: Write) -> None:
    for number, data in enumerate(fields):
        if data is not None:
            collection.elements[field_key(number)] = write.cell(data)


_ADD = {"list": _add_to_list, "set": _add_to_set, "map": _add_to_map, "udt": _add_fields}


def _collection(cells: Cells, name: str) -> Collection:
    """The collection that this row's write has so far for the column."""
    found = cells.get(name)
    if found is None:
        found = cells[name] = Collection()
    assert type(found) is Collection
    return found


def _addition(table: Table, column: Column, assignment: ast.Assignment, variables: Variables) -> Operation:
    value = compile_term(assignment.value, table.spec(column), variables)
    name = column.name
    text = f"{name} = {name} + {text_of(assignment.value)}"
    whole = _multicell(column, text, "non counter column")
    add, split = _ADD[whole.family], whole.split

    def run(cells: Cells, context: Context, write: Write, old: Row | None) -> None:
        data = value(context)
        if data is not None and data is not UNSET:
            add(_collection(cells, name), split(data), write)

    return Operation(column, run)


def _prepend(table: Table, column: Column, assignment: ast.Assignment, variables: Variables) -> Operation:
    value = compile_term(assignment.value, table.spec(column), variables)
    name = column.name
    text = f"{name} = {text_of(assignment.value)} + {name}"
    if not isinstance(column.type, ListType):
        raise InvalidRequest(f"Invalid operation ({text}) for non list column {name}")
    if not column.type.is_multicell:
        raise InvalidRequest(f"Invalid operation ({text}) for frozen list column {name}")
    split = column.type.split

    def run(cells: Cells, context: Context, write: Write, old: Row | None) -> None:
        data = value(context)
        if data is None or data is UNSET:
            return
        elements = split(data)
        target = _collection(cells, name).elements
        for key, element in zip(write.lists.prepend(write.timestamp, len(elements)), elements, strict=True):
            target[key] = write.cell(_not_null(element))

    return Operation(column, run)


def _subtraction(table: Table, column: Column, assignment: ast.Assignment, variables: Variables) -> Operation:
    name, family = column.name, column.type.family
    whole = _multicell(column, f"{name} = {name} - {text_of(assignment.value)}", "non counter column")
    taken = SetType(whole.key, True) if isinstance(whole, MapType) else whole
    value = compile_term(assignment.value, table.spec(column)._replace(type=taken), variables)
    split = taken.split

    def discard_keys(cells: Cells, context: Context, write: Write, old: Row | None) -> None:
        data = value(context)
        if data is None or data is UNSET:
            return
        target = _collection(cells, name)
        for key in split(data):
            _put(target, key, write.dead_cell())

    def discard_values(cells: Cells, context: Context, write: Write, old: Row | None) -> None:
        data = value(context)
        existing = live_list(old, column, write.now)
        if data is None or data is UNSET or not existing:
            return
        assert isinstance(whole, ListType)
        order = whole.element.order
        unwanted = {order(element) for element in split(data)}
        target = _collection(cells, name)
        for key, element in existing:
            if order(element) in unwanted:
                _put(target, key, write.dead_cell())

    if family == "list":
        return Operation(column, discard_values, reads=True)
    return Operation(column, discard_keys)


def _multicell(column: Column, text: str, otherwise: str) -> CollectionType:
    """The type of a column that is a collection of single elements; InvalidRequest if it is not."""
    if not isinstance(column.type, CollectionType):
        raise InvalidRequest(f"Invalid operation ({text}) for {otherwise} {column.name}")
    if not column.type.is_multicell:
        raise InvalidRequest(f"Invalid operation ({text}) for frozen collection column {column.name}")
    return column.type


# ---------------------------------------------------------------- single elements


def live_list(row: Row | None, column: Column, now: int) -> list[tuple[bytes, bytes]]:
    """The elements of a list column that are there at ``now``: (key, value), in the list's order."""
    collection = None if row is None else row.cells.get(column.name)
    if not isinstance(collection, Collection):
        return []
    assert isinstance(column.type, ListType)
    return [(key, cell[1] or b"") for key, cell in live_elements(collection, column.type, now)]


def _set_element(table: Table, column: Column, assignment: ast.Assignment, variables: Variables) -> Operation:
    name, family, spec = column.name, column.type.family, table.spec(column)
    text = f"{name}[{text_of(assignment.key)}] = {text_of(assignment.value)}"
    _multicell(column, text, "non collection column")
    if family == "set":
        raise InvalidRequest(f"Invalid operation ({text}) for set column {name}")
    if family == "map":
        key = compile_term(assignment.key, receivers.key_of(spec), variables)
        value = compile_term(assignment.value, receivers.value_of(spec), variables)

        def put(cells: Cells, context: Context, write: Write, old: Row | None) -> None:
            data = value(context)
            if data is UNSET:
                return
            where = required(key, context)
            if where is None:
                raise InvalidRequest("Invalid null map key")
            _put(_collection(cells, name), where, write.dead_cell() if data is None else write.cell(data))

        return Operation(column, put)

    value = compile_term(assignment.value, receivers.value_of(spec), variables)
    if assignment.operator == "timeuuid element":
        place = compile_term(assignment.key, receivers.element_id_of(spec), variables)

        def put_at(cells: Cells, context: Context, write: Write, old: Row | None) -> None:
            data, where = value(context), required(place, context)
            if where is None:
                raise InvalidRequest("Invalid null value for list index")
            if data is not UNSET:
                _put(_collection(cells, name), where, write.dead_cell() if data is None else write.cell(data))

        return Operation(column, put_at)

    index = compile_term(assignment.key, receivers.index_of(spec), variables)

    def replace(cells: Cells, context: Context, write: Write, old: Row | None) -> None:
        data = value(context)
        if data is UNSET:
            return
        where = _existing_key(index, context, live_list(old, column, write.now), "set an element on")
        _put(_collection(cells, name), where, write.dead_cell() if data is None else write.cell(data))

    return Operation(column, replace, reads=True)


def _delete_element(table: Table, column: Column, key_term: ast.Term, variables: Variables) -> Operation:
    name, family, spec = column.name, column.type.family, table.spec(column)
    if not column.type.is_collection:
        raise InvalidRequest(f"Invalid deletion operation for non collection column {name}")
    if not column.type.is_multicell:
        raise InvalidRequest(f"Invalid deletion operation for frozen collection column {name}")
    if family == "list":
        index = compile_term(key_term, receivers.index_of(spec), variables)

        def remove_at(cells: Cells, context: Context, write: Write, old: Row | None) -> None:
            if index(context) is UNSET:
                return
            where = _existing_key(index, context, live_list(old, column, write.now), "delete an element from")
            _put(_collection(cells, name), where, write.dead_cell())

        return Operation(column, remove_at, reads=True)

    if family == "map":
        receiver, null_text = receivers.key_of(spec), "Invalid null map key"
    else:
        receiver, null_text = receivers.value_of(spec), "Invalid null set element"
    key = compile_term(key_term, receiver, variables)

    def remove(cells: Cells, context: Context, write: Write, old: Row | None) -> None:
        where = required(key, context) if family == "map" else key(context)
        if where is UNSET:
            return
        if where is None:
            raise InvalidRequest(null_text)
        _put(_collection(cells, name), where, write.dead_cell())

    return Operation(column, remove)


def _existing_key(index: Value, context: Context, existing: list[tuple[bytes, bytes]], action: str) -> bytes:
    """The key of the list element at an index, or the sentence that there is none."""
    data = required(index, context)
    if data is None:
        raise InvalidRequest("Invalid null value for list index")
    if not existing:
        raise InvalidRequest(f"Attempted to {action} a list which is null")
    position = int.from_bytes(data, "big", signed=True)
    if not 0 <= position < len(existing):
        raise InvalidRequest(f"List index {position} out of bound, list has size {len(existing)}")
    return existing[position][0]


# ---------------------------------------------------------------- single fields


def _set_field(table: Table, column: Column, assignment: ast.Assignment, variables: Variables) -> Operation:
    name, type = column.name, column.type
    text = f"{name}.{assignment.key} = {text_of(assignment.value)}"
    if not isinstance(type, UserType):
        raise InvalidRequest(f"Invalid operation ({text}) for non-UDT column {name}")
    if not type.is_multicell:
        raise InvalidRequest(f"Invalid operation ({text}) for frozen UDT column {name}")
    number = _number_of(assignment.key, column, type)
    value = compile_term(assignment.value, receivers.named_field_of(table.spec(column), number), variables)
    key = field_key(number)

    def put(cells: Cells, context: Context, write: Write, old: Row | None) -> None:
        data = value(context)
        if data is not UNSET:
            _collection(cells, name).elements[key] = write.dead_cell() if data is None else write.cell(data)

    return Operation(column, put)


def _delete_field(column: Column, field: str) -> Operation:
    name, type = column.name, column.type
    if not isinstance(type, UserType):
        raise InvalidRequest(f"Invalid deletion operation for non-UDT column {name}")
    if not type.is_multicell:
        raise InvalidRequest(f"Frozen UDT column {name} does not support field deletions")
    key = field_key(_number_of(field, column, type))

    def remove(cells: Cells, context: Context, write: Write, old: Row | None) -> None:
        _collection(cells, name).elements[key] = write.dead_cell()

    return Operation(column, remove)


def _number_of(field: str, column: Column, type: UserType) -> int:
    number = type.number_of(field)
    if number is None:
        raise InvalidRequest(f"UDT column {column.name} does not have a field named {field}")
    return number
