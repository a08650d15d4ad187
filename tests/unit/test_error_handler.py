"""What a learner's mistakes look like in a notebook: a sentence and a next step, with the trace a click away."""

from __future__ import annotations

import subprocess
import sys

import nbformat
import pytest
from cassandra import InvalidRequest, OperationTimedOut, Unavailable
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionShutdown
from cassandra.protocol import SyntaxException
from nbclient import NotebookClient

from helpers.course.error_handler import sentences
from tests.patience import PATIENT_KERNEL
from tools.refresh_outputs import NOTEBOOKS, private_node

OPEN = """
from helpers import connect, open_chapter
from helpers.lab.errors import LabError
session = connect()
keyspace = "seats_00"
from helpers import apply_cql
event = open_chapter(session, keyspace, seats=100)
apply_cql(session, "checkout.cql")
insert = session.prepare("INSERT INTO tickets (event_id, ticket_id, price) VALUES (?, ?, ?)")
"""
# A learner's cell → what the notebook shows of it.
MISTAKES = {
    "evnt.id": ["NameError: nothing here is called evnt. Did you mean event?"],
    # Made by a cell of the chapter, although something else is called nearly so.
    "picture": ["NameError: picture is not there yet.", "→ A cell above makes it: run all above this one first"],
    "prnt(1)": ["NameError: nothing here is called prnt. Did you mean print?"],
    "balcony[0]": ["NameError: nothing here is called balcony.", "→ No cell of this chapter makes it"],
    "session.excute('SELECT * FROM tickets')": ["AttributeError: Session has no excute. Did you mean execute?"],
    "from helpers import chek": ["ImportError: helpers has no chek. Did you mean check?"],
    "import helpers\nhelpers.hold_seat(session, 'F05 A-1', 'Bo')": [
        "AttributeError: 'F05 A-1' is a text, and a ticket is wanted here.",
        "→ event.seat(",
    ],
    "session.execute('SELECT * FORM tickets')": [
        "SyntaxException: line 1:9",
        "    SELECT * FORM tickets",
        "             ^",
        "→ The word FROM is missing there.",
    ],
    "session.execute('CREATE TABLE t (k int PRIMARY KEY)\\n WITH cdc = true')": [
        "SyntaxException: Invalid value for property 'cdc'. It should be a map.",
        "     WITH cdc = true",
        "          ^",
        "→ cdc is a map, in curly brackets: cdc = {'enabled': true}.",
    ],
    "session.execute('CREATE TABLE t (k int PRIMARY KEY) WITH ttl = 60')": [
        "SyntaxException: Unknown property 'ttl'",
        "    CREATE TABLE t (k int PRIMARY KEY) WITH ttl = 60",
        "                                            ^",
        "→ No option has this name: is it spelt so?",
    ],
    # The place that the server names is one of the text that it saw, with the values in it.
    "session.execute('SELECT * FROM tickets WHERE event_id = %s AN price = %s', (event.id, 5))": [
        "SyntaxException: line 1:76 : Syntax error",
        "    SELECT * FROM tickets WHERE event_id = 3e2eb9aa-",
        "                                                                                ^",
        "→ The statement is not CQL from that place on.",
    ],
    "from cassandra.cluster import NoHostAvailable\nraise NoHostAvailable('none', {})": [
        "NoHostAvailable: The server does not answer any more. Run the cell with connect() again",
    ],
    "session.execute('SELECT * FROM seats')": [
        "InvalidRequest: unconfigured table seats",
        "→ There is no such table in this keyspace.",
        "→ If a cell above makes it: run all above this one first",
    ],
    "session.execute(\"SELECT * FROM tickets WHERE status = 'sold'\")": [
        "InvalidRequest: Cannot execute this query as it might involve data filtering",
        "→ No key says where these rows are",
    ],
    "session.execute(insert, (event.id, event.tickets[0].ticket_id, 'dear'))": [
        "TypeError: the column price takes a decimal, and this is a Python str.",
        "→ The values go into the statement's marks in their order",
    ],
    "session.execute(insert, (event.id, 1, 2, 3))": [
        "ValueError: the statement has 3 marks, and you gave 4 values.",
        "→ A value for each question mark",
    ],
    "session.execute(insert)": ["ValueError: nothing was given for event_id", "→ A value for each question mark"],
    "session.execute('SELECT * FROM tickets WHERE event_id = %s', event.id)": [
        "TypeError: the values of a statement come as a tuple or a list, and this is one UUID.",
        "→ One value alone needs a comma behind it",
    ],
    "session.execute('SELECT nme FROM tickets')": [
        "InvalidRequest: Unrecognized name nme",
        "→ The table has no such column",
    ],
    "session.execute('DESCRIBE TABLE seat')": [
        "InvalidRequest: Table 'seat' not found in keyspace 'seats_00'",
        "→ There is no such table in this keyspace.",
    ],
    "session.execute('SELECT * FROM tickets WHERE event_id = %s', (event.id, 1))": [
        "TypeError: the statement's %s marks and the values do not match in number.",
    ],
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[str], str]]:
    """Every mistake made in one notebook: cell → (lines of the error, HTML beside it)."""
    others = [
        "1 / 0",
        "event.balcony",
        "from helpers import balcony",
        "raise LabError('One sentence.')",
        "int('x')",
        "list(5)",
    ]
    cells = [nbformat.v4.new_code_cell(source) for source in [OPEN, *MISTAKES, *others]]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(
        notebook,
        allow_errors=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        **PATIENT_KERNEL,
    )
    with private_node():
        client.execute()
    found = {}
    for cell in notebook.cells[1:]:
        errors = [output for output in cell.outputs if output.output_type == "error"]
        page = "".join(output.data.get("text/html", "") for output in cell.outputs if "data" in output)
        assert len(errors) == 1, cell
        found[cell.source] = ("\n".join(errors[0].traceback).splitlines(), page)
    return found


@pytest.mark.parametrize("cell", MISTAKES)
def test_a_mistake_is_explained(cell: str, shown: dict[str, tuple[list[str], str]]):
    lines, page = shown[cell]
    assert len(lines) >= len(MISTAKES[cell])
    for line, wanted in zip(lines, MISTAKES[cell], strict=False):
        assert line.startswith(wanted)
    assert len(lines) <= 4, "a sentence, not a stack"
    assert "<details>" in page and "Traceback (most recent call last)" in page


def test_other_errors_keep_their_trace(shown: dict[str, tuple[list[str], str]]):
    for cell in ("1 / 0", "event.balcony", "from helpers import balcony", "int('x')", "list(5)"):
        lines, page = shown[cell]
        assert len(lines) > 4 and not page
    assert shown["raise LabError('One sentence.')"][0] == ["LabError: One sentence."]


def test_errors_of_the_server_without_a_notebook():
    told = sentences(Unavailable("x", consistency=6, required_replicas=2, alive_replicas=1))
    assert told[0].startswith("Unavailable: ") and "Fewer replicas" in told[1]
    assert sentences(InvalidRequest("no meaning is known for this")) == ["InvalidRequest: no meaning is known for this"]
    assert sentences(SyntaxException(0x2000, "line 3:4 : Syntax error", None))[-1].startswith("→")
    assert sentences(KeyError("x")) is None
    assert sentences(ValueError("x")) is None


def test_a_lost_server_is_told_once_for_all_of_the_driver_s_classes():
    lost = "Run the cell with connect() again"
    for error in (NoHostAvailable("none", {}), NoHostAvailable("none", {"host": ConnectionShutdown("gone")})):
        (line,) = sentences(error)
        assert lost in line and "Trace" not in line
    refused = NoHostAvailable("none left", {"host": Unavailable("Cannot achieve it", consistency=6)})
    assert sentences(refused)[0].startswith("Unavailable: Cannot achieve it")
    assert "a read tells" in sentences(OperationTimedOut())[1]


def test_the_driver_s_classes_are_left_as_they_are():
    # A process of its own: another test's imports would hide what importing the connection does.
    look = (
        "import helpers, helpers.lab.connection\n"
        "from cassandra import OperationTimedOut\n"
        "from cassandra.cluster import NoHostAvailable\n"
        "from cassandra.connection import ConnectionException\n"
        "kinds = OperationTimedOut, NoHostAvailable, ConnectionException\n"
        "print([kind for kind in kinds if hasattr(kind, '_render_traceback_')])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
