"""Before each run the design's tables are as at the beginning: made anew, or emptied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..display.refusals import error_text, meaning_of
from ..lab.engine import engine_of
from ..lab.server_errors import SERVER_ERRORS, inner_error
from ..lab.statements import without_scylla_options
from .design import Design, DesignError, made_by, name_made_by
from .scripts import Statement, only_statements

if TYPE_CHECKING:
    from cassandra.cluster import Session

_BASES = "SELECT view_name, base_table_name FROM system_schema.views WHERE keyspace_name = %s"
_TABLES = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s"


def prepare_tables(session: Session, design: Design) -> None:
    """Make the design's tables and views, and empty those that its statements name and that cells have made; a
    ``DesignError`` if the server refuses. No other table of the keyspace is touched.
    """
    creates = only_statements(design.tables)
    make_tables(session, creates)
    made = {name_made_by(each) for each in creates}
    there = {row.table_name for row in session.execute(_TABLES, (session.keyspace,))}
    bases = {row.view_name: row.base_table_name for row in session.execute(_BASES, (session.keyspace,))}
    used = {table for name in design.scripts for each in design.statements(name) for table in each.tables}
    for table in sorted(({bases.get(table, table) for table in used} & there) - made):
        _run(session, f"TRUNCATE {table}")


def make_tables(session: Session, creates: list[Statement]) -> None:
    """Drop what these CREATE statements make, and the views of it, and run them."""
    made: dict[str, list[str]] = {"TABLE": [], "VIEW": [], "TYPE": [], "INDEX": []}
    for each in creates:
        if each.verb != "CREATE":
            raise DesignError(f"`tables` has {each.verb} in it, and only CREATE belongs there.")
        if found := made_by(each):
            kind, keyspace, name = found
            if keyspace and keyspace != session.keyspace:
                raise DesignError(f"`tables` makes {keyspace}.{name}: leave the keyspace out, there is one.")
            made[kind].append(name)
    for row in session.execute(_BASES, (session.keyspace,)):
        ours = row.base_table_name in made["TABLE"] or row.view_name in made["VIEW"]
        # An index is kept as a view too, and goes with its table.
        if ours and not row.view_name.endswith("_index"):
            _run(session, f"DROP MATERIALIZED VIEW IF EXISTS {row.view_name}")
    for kind in "TABLE", "TYPE":
        for name in made[kind]:
            _run(session, f"DROP {kind} IF EXISTS {name}")
    cassandra = engine_of(session).kind == "cassandra"
    for each in creates:
        _run(session, without_scylla_options(each.text) if cassandra else each.text)


def _run(session: Session, text: str) -> None:
    try:
        session.execute(text)
    except SERVER_ERRORS as error:
        raise DesignError(refused("tables", error, text)) from error


def refused(name: str, error: Exception, text: str = "") -> str:
    """What to say where the server refuses a statement of a design."""
    error = inner_error(error)
    begin = " ".join(text.split())
    which = f" ({begin[:60]}…)" if begin else ""
    meaning = meaning_of(error)
    return f"The server refuses {name}{which}: {error_text(error).strip()}" + (f" → {meaning}" if meaning else "")
