"""In a notebook, what goes wrong in a learner's cell becomes a sentence and a next step, the full trace a click away.

``kernel`` has it called. It speaks of the database's refusals, of names that no cell has made yet or that are
misspelt, and of values that do not fit; every other error keeps Python's own trace.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import html
import os
import re
import sys
import traceback
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from pathlib import PurePath
from types import FrameType, TracebackType
from typing import Any

from cassandra.encoder import Encoder
from cassandra.query import bind_params

from ..display.refusals import NO_TABLE, meaning_of, refusal_lines
from ..lab.errors import LabError
from ..lab.server_errors import SERVER_ERRORS, inner_error, is_lost
from ..shop.venue import Ticket
from .numbers import keyspace_of
from .outline import names_made_in, outline

_CQL = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE|CREATE|ALTER|DROP|TRUNCATE|BEGIN|DESCRIBE|USE)\s")
_RUN_ABOVE = "run all above this one first (menu Run, Run All Above Selected Cell)."


def sentences(error: BaseException, trace: TracebackType | None = None, known: Any = ()) -> list[str] | None:
    """What to tell a learner: what went wrong, then what to do. None for an error that is none of the course's.

    ``known`` are the names that the notebook has.
    """
    if isinstance(error, NameError):
        return _of_name(error, known)
    if isinstance(error, SyntaxError):
        return _of_cql_outside_its_cell(error)
    if isinstance(error, AttributeError):
        return _of_attribute(error)
    if isinstance(error, ImportError):
        return _of_import(str(error))
    if isinstance(error, SERVER_ERRORS):
        return _of_server(error, trace)
    if isinstance(error, TypeError | ValueError):
        return _of_value(str(error)) or _of_values(str(error), trace)
    return None


def show_sentences(shell: Any, kind: type, error: BaseException, trace: TracebackType) -> list[str] | None:
    """Show what ``sentences`` says, with the trace folded below it; None, and nothing shown, where it says nothing."""
    if isinstance(error, LabError) or hasattr(error, "_render_traceback_"):
        return None
    told = sentences(error, trace, shell.user_ns)
    if told is None:
        return None
    shell._showtraceback(kind, error, told)
    full = html.escape("".join(traceback.format_exception(kind, error, trace)))
    from IPython.display import HTML, display

    display(HTML(f"<details><summary>The full trace</summary><pre>{full}</pre></details>"))
    return told


def _of_name(error: NameError, known: Any) -> list[str]:
    name = error.name or str(error)
    made = _made_by_cells(known)
    if name not in made and name in _of_the_course():
        return [f"NameError: {name} is not there yet.", f"→ It is one of the course's own: from helpers import {name}"]
    near = _nearest(name, {*known, *dir(builtins), *made})
    if near and name not in made:
        return [f"NameError: nothing here is called {name}. Did you mean {near}?"]
    if made and name not in made:
        return [f"NameError: nothing here is called {name}.", "→ No cell of this chapter makes it: is it spelt right?"]
    return [f"NameError: {name} is not there yet.", f"→ A cell above makes it: {_RUN_ABOVE}"]


def _of_cql_outside_its_cell(error: SyntaxError) -> list[str] | None:
    if _CQL.match(error.text or ""):
        return ["SyntaxError: this is CQL, in a cell of Python.", "→ A cell of CQL begins with the line %%cql."]
    return None


def _of_the_course() -> frozenset[str]:
    """The names that the course's package has for its notebooks."""
    return frozenset(getattr(sys.modules.get(__name__.partition(".")[0]), "__all__", ()))


def _of_attribute(error: AttributeError) -> list[str] | None:
    if isinstance(error.obj, str) and error.name in {*Ticket._fields, "label"}:
        return [
            f"AttributeError: {error.obj!r} is a text, and a ticket is wanted here.",
            '→ event.seat("F05 A-1") gives the ticket of a seat.',
        ]
    near = _nearest(error.name or "", dir(error.obj))
    return [f"AttributeError: {type(error.obj).__name__} has no {error.name}. Did you mean {near}?"] if near else None


def _of_import(message: str) -> list[str] | None:
    found = re.match(r"cannot import name '(\w+)' from '(\w+)'", message)
    near = _nearest(found[1], dir(sys.modules[found[2]])) if found and found[2] in sys.modules else None
    return [f"ImportError: {found[2]} has no {found[1]}. Did you mean {near}?"] if found and near else None


def _nearest(name: str, known: Iterable[str]) -> str | None:
    there = sorted(each for each in known if not each.startswith("_"))
    return next(iter(difflib.get_close_matches(name, there, n=1, cutoff=0.75)), None)


def _made_by_cells(known: Any) -> frozenset[str]:
    """The names that the cells of the open chapter make; none outside a chapter.

    Which chapter it is says the keyspace, once its cell has run, and until then the notebook's file.
    """
    keyspace = known.get("keyspace") if isinstance(known, dict) else None
    file = PurePath(os.environ.get("JPY_SESSION_NAME", "")).name
    by_keyspace = (each for each in outline() if keyspace_of(each) == keyspace)
    by_file = (each for each in outline() if file.startswith(f"{each}_"))
    number = next(chain(by_keyspace, by_file), None)
    return names_made_in(number) if number else frozenset()


def _of_server(error: Any, trace: TracebackType | None) -> list[str]:
    error = inner_error(error)
    if is_lost(error):
        return [f"{type(error).__name__}: {meaning_of(error)}"]
    lines = refusal_lines(error, _query_in(trace))
    if meaning_of(error) == NO_TABLE:
        lines.append(f"→ If a cell above makes it: {_RUN_ABOVE}")
    return lines


def _of_value(message: str) -> list[str] | None:
    """The driver's complaints about values that are bound to a statement."""
    found = re.match(
        r'Received an argument of invalid type for column "(\w+)"\. '
        r"Expected: <class '[\w.]*?(\w+?)Type'>, Got: <class '(?:\w+\.)*(\w+)'>",
        message,
    )
    if found:
        column, wanted, given = found.groups()
        return [
            f"TypeError: the column {column} takes a {_cql_name(wanted)}, and this is a Python {given}.",
            "→ The values go into the statement's marks in their order: is one in another's place?",
        ]
    found = re.match(r"Too (few|many) arguments provided to bind\(\) \(got (\d+), expected (\d+)\)", message)
    if found:
        return [
            f"ValueError: the statement has {_count(found[3], 'mark')}, and you gave {_count(found[2], 'value')}.",
            "→ A value for each question mark, in their order.",
        ]
    if "arguments converted during string formatting" in message or "not enough arguments for format" in message:
        return [
            "TypeError: the statement's %s marks and the values do not match in number.",
            "→ In a plain string the marks are %s, in a prepared statement ?; there is one for each value.",
        ]
    return None


def _of_values(message: str, trace: TracebackType | None) -> list[str] | None:
    """What Python complains of inside a call of execute(), where the values are not a collection or too few."""
    if _query_in(trace) is None:
        return None
    found = re.fullmatch(r"'(\w+)' object is not iterable", message)
    if found:
        return [
            f"TypeError: the values of a statement come as a tuple or a list, and this is one {found[1]}.",
            "→ One value alone needs a comma behind it, as in (event.id,), or brackets, as in [event.id].",
        ]
    found = re.fullmatch(r"Cannot bind UNSET_VALUE as a part of the routing key '(\w+)'", message)
    if found:
        return [
            f"ValueError: nothing was given for {found[1]}, and without it no row can be found.",
            "→ A value for each question mark, in their order.",
        ]
    return None


def _count(number: str, what: str) -> str:
    return f"{number} {what}{'s' * (number != '1')}"


def _cql_name(driver_name: str) -> str:
    """The CQL name of a driver's type: "Decimal" → "decimal", "Int32" → "int"."""
    names = {"Int32": "int", "Long": "bigint", "UTF8": "text", "DateType": "timestamp", "Date": "timestamp"}
    return names.get(driver_name, driver_name.lower())


def _query_in(trace: TracebackType | None) -> str | None:
    """The text of the statement that failed: what the learner's call was given, where it can be read without running.

    The driver is compiled and shows no variables, so the call itself is looked at, with the libraries by which IPython
    shows values in a trace.
    """
    from executing import Source
    from pure_eval import CannotEval, Evaluator

    while trace is not None:
        here, trace = trace, trace.tb_next
        call = Source.executing(here).node
        if isinstance(call, ast.Call) and call.args and getattr(call.func, "attr", "") in ("execute", "prepare"):
            try:
                text = Evaluator.from_frame(here.tb_frame)[call.args[0]]
            except CannotEval:
                continue
            text = text if isinstance(text, str) else getattr(text, "query_string", None)
            return _with_values(text, call, here.tb_frame) if text else None
    return None


# Of these nothing is run when they are read, but the properties of the course's own objects.
_READABLE = (ast.Tuple, ast.List, ast.Dict, ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.expr_context)


def _with_values(text: str, call: ast.Call, frame: FrameType) -> str:
    """A statement's text as the server saw it: the driver puts values in the place of each %s."""
    values = next((each.value for each in call.keywords if each.arg == "parameters"), None)
    values = values or (call.args[1] if len(call.args) > 1 else None)
    if values is None or not all(isinstance(each, _READABLE) for each in ast.walk(values)):
        return text
    with suppress(Exception):  # then the server's own words have to do
        bound = eval(compile(ast.Expression(values), "<values>", "eval"), frame.f_globals, frame.f_locals)
        return str(bind_params(text, bound, Encoder()))
    return text
