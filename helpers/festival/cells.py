"""``%%cql --design``: a cell whose statements are not run, but belong to the learner's design from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..display.formatting import paragraph
from ..lab.server_errors import SERVER_ERRORS
from .design import STATEMENTS, Design, DesignError, latest_design, name_made_by
from .scripts import only_statements
from .tables import make_tables, refused

if TYPE_CHECKING:
    from cassandra.cluster import Session


def keep(text: str, session: Session) -> None:
    """Add a cell to the latest design, and say what the server thinks of it: tables are made at once, statements are
    prepared and not run."""
    design = latest_design() or Design()
    found = design.add(text)
    if not found:
        print("There is no statement in this cell yet.")
        return
    try:
        creates = [each for each in only_statements(design.tables) if name_made_by(each) in found]
        make_tables(session, creates)
        for name in found:
            _prepare(session, design, name)
    except DesignError as error:
        print(paragraph(str(error)))
        return
    for name in found:
        print(_noted(design, name))


def _noted(design: Design, name: str) -> str:
    if name not in STATEMENTS:
        return f"{name}: made."
    statements = design.statements(name)
    decided = ", decided by IF" if any(each.is_conditional for each in statements) else ""
    return f"{name}: noted, {len(statements)} statement{'s' * (len(statements) != 1)}{decided}."


def _prepare(session: Session, design: Design, name: str) -> None:
    for each in design.statements(name) if name in STATEMENTS else ():
        try:
            session.prepare(each.spread(1)[0])
        except SERVER_ERRORS as error:
            raise DesignError(refused(name, error, each.text)) from error
