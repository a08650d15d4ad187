"""%%cql as a learner meets it: tables, refusals in sentences, traces, bytes; and what Tab offers."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from cassandra.cluster import Session
from nbclient import NotebookClient

from helpers import Event
from helpers.display import cql_magic
from helpers.display.cql_completion import offers, tables_of
from helpers.lab import cql_answers
from helpers.lab.errors import LabError
from tests.patience import PATIENT_KERNEL
from tools.refresh_outputs import NOTEBOOKS, private_node

Run = Callable[..., str]


@pytest.fixture
def cql(
    lab: Session, chapter: Event, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[Run, dict[str, Any]]:
    """Runs a cell as IPython would and returns what it prints; and the notebook's variables."""
    names: dict[str, Any] = {"session": lab, "event_id": chapter.id, "ticket_id": chapter.seat("L04 A-1").ticket_id}
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(user_ns=names))
    monkeypatch.setenv("HELPERS_LIVE", "0")

    def run(cell: str, line: str = "") -> str:
        capsys.readouterr()
        cql_magic.cql(line, cell)
        return capsys.readouterr().out

    return run, names


SEAT = "WHERE event_id = :event_id AND ticket_id = :ticket_id"


def test_rows_are_shown_as_show_does(cql: tuple[Run, dict[str, Any]]) -> None:
    run, _ = cql
    assert run(f"-- one seat\nSELECT ticket_id, status FROM tickets {SEAT};") == (
        "ticket_id  status\n---------  ---------\nL04 A-1    available\n(1 row)\n"
    )
    assert run(f"SELECT ticket_id, status FROM tickets {SEAT}", "--columns status").startswith("status\n")


def test_a_statement_that_returns_nothing_prints_nothing(cql: tuple[Run, dict[str, Any]]) -> None:
    run, _ = cql
    assert run("CREATE TABLE IF NOT EXISTS mine (a int PRIMARY KEY); INSERT INTO mine (a) VALUES (1)") == ""
    assert cql_answers.last == cql_answers.Outcome(
        [], None, None, ["CREATE TABLE IF NOT EXISTS mine (a int PRIMARY KEY)", "INSERT INTO mine (a) VALUES (1)"]
    )


def test_applied_is_shown_with_the_row_in_the_way(cql: tuple[Run, dict[str, Any]]) -> None:
    run, _ = cql
    text = run(f"UPDATE tickets SET status = 'held' {SEAT} IF status = 'sold'")
    assert text.splitlines()[0].split() == ["[applied]", "status"]
    assert text.splitlines()[2].split() == ["False", "available"]
    assert cql_answers.last is not None and cql_answers.last.applied is False


def test_a_refusal_is_told_and_not_raised(cql: tuple[Run, dict[str, Any]]) -> None:
    run, _ = cql
    text = run("SELECT * FROM tickets WHERE status = 'sold'")
    assert text.startswith("InvalidRequest: Cannot execute this query") and "\n→ No key says where" in text
    assert cql_answers.last is not None and cql_answers.last.error == "InvalidRequest"
    assert run("CREATE TABLE queue (\n    event_id uuid,\n    PRIMARY (event_id))") == (
        "SyntaxException: line 3:12 : Missing K_KEY\n"
        "        PRIMARY (event_id))\n"
        "                ^\n"
        "→ The word KEY is missing there.\n"
    )


def test_rows_are_kept_under_a_name(cql: tuple[Run, dict[str, Any]]) -> None:
    run, names = cql
    run(f"SELECT status FROM tickets {SEAT}; CREATE TABLE IF NOT EXISTS mine (a int PRIMARY KEY)", "found <<")
    assert isinstance(names["found"], list) and [row.status for row in names["found"]] == ["available"]
    run("SELECT * FROM nowhere", "found <<")
    assert names["found"] == []


def test_a_page_that_is_not_the_last_is_told(cql: tuple[Run, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    run, names = cql
    monkeypatch.setattr(names["session"], "default_fetch_size", 30)
    text = run("SELECT ticket_id FROM tickets WHERE event_id = :event_id", "--limit 2")
    assert text.splitlines()[-2:] == [
        "(30 rows, the first 2 shown)",
        "More rows follow: these 30 came first. With rows << the cell fetches all.",
    ]
    assert "More rows" not in run("SELECT ticket_id FROM tickets WHERE event_id = :event_id", "all_of_them <<")
    assert len(names["all_of_them"]) == 200


@pytest.mark.parametrize("form", ["", "--raw"])
def test_pages_with_too_few_rows_are_read_on(
    cql: tuple[Run, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """A filter has looked through a page and found nothing: the answer comes later."""
    run, names = cql
    monkeypatch.setattr(names["session"], "default_fetch_size", 30)
    run("SELECT ticket_id FROM tickets WHERE event_id = :event_id", "every <<")
    names["ticket_id"] = names["every"][-1].ticket_id
    run(f"UPDATE tickets SET held_by = 'Bo' {SEAT}")
    text = run("SELECT held_by FROM tickets WHERE event_id = :event_id AND held_by = 'Bo' ALLOW FILTERING", form)
    assert "Bo" in text and "More rows" not in text


def test_a_warning_of_the_server_is_shown(cql: tuple[Run, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = cql
    told = iter([cql_answers.Answer("SELECT 1", warnings=["Too many tombstones"])])
    monkeypatch.setattr(cql_answers, "answers", lambda *_: told)
    assert run("SELECT 1") == "Warning of the server: Too many tombstones\n"


def test_a_description_is_cql(cql: tuple[Run, dict[str, Any]]) -> None:
    run, _ = cql
    text = run("DESCRIBE TABLE orders")
    assert text.startswith("CREATE TABLE unit_helpers.orders (\n    order_id uuid")
    assert "CREATE MATERIALIZED VIEW unit_helpers.available_tickets" in run("DESCRIBE TABLE tickets")
    assert run("DESCRIBE TABLE tickets", "--limit 1").count("CREATE ") == 1


def test_a_trace_has_steps_and_the_rows_that_were_met(cql: tuple[Run, dict[str, Any]]) -> None:
    run, _ = cql
    text = run("SELECT status FROM tickets WHERE event_id = :event_id AND type_id = 'lower' ALLOW FILTERING", "--trace")
    assert re.search(r"^step +node$", text, re.MULTILINE)
    assert text.endswith("Rows met for this page: 200 live, 0 dead.\n")


def test_raw_stands_beside_the_value(cql: tuple[Run, dict[str, Any]]) -> None:
    run, names = cql
    text = run(f"SELECT ticket_id, status, section FROM tickets {SEAT}", "--raw --columns status,ticket_id")
    lines = text.splitlines()
    assert lines[0].split() == ["column", "type", "bytes", "value"]
    assert lines[2].split() == ["status", "text", f"0x{b'available'.hex()}", "available"]
    id = names["ticket_id"]
    assert lines[3].split() == ["ticket_id", "uuid", f"0x{id.bytes.hex()}", str(id)]
    assert lines[4] == "(1 row)"
    assert run("SELECT price FROM tickets WHERE event_id = :event_id LIMIT 2", "--raw").splitlines()[0].split() == [
        "row", "column", "type", "bytes", "value",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "cell", "sentence"),
    [
        ("--consistancy ONE", "SELECT 1", "%%cql has no option --consistancy. Did you mean --consistency?"),
        ("", "SELECT * FROM tickets WHERE event_id = :evnt_id", ":evnt_id is no variable of this notebook. Did you"),
        ("--columns colour", f"SELECT status FROM tickets {SEAT}", "These rows have no column 'colour'. They have: s"),
        ("--raw --columns colour", f"SELECT status FROM tickets {SEAT}", "These rows have no column 'colour'."),
    ],
)
def test_bad_use_is_a_sentence_to_a_learner_and_an_error_to_a_program(
    cql: tuple[Run, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, line: str, cell: str, sentence: str
) -> None:
    run, _ = cql
    with pytest.raises(LabError) as told:
        run(cell, line)
    assert str(told.value).startswith(sentence)
    monkeypatch.setenv("HELPERS_LIVE", "1")
    assert run(cell, line).replace("\n  ", " ").startswith(sentence)


def test_a_cell_without_a_statement_says_so(cql: tuple[Run, dict[str, Any]]) -> None:
    run, _ = cql
    assert run("-- Exercise 04.2\n-- Hold it.") == "Nothing was sent: there is no statement in this cell yet.\n"
    assert cql_answers.last == cql_answers.Outcome([], None, None, [])


def test_without_a_session_it_says_what_to_run(cql: tuple[Run, dict[str, Any]]) -> None:
    run, names = cql
    del names["session"]
    with pytest.raises(LabError, match=r"There is no session yet: run the cell with session = connect\(\)"):
        run("SELECT * FROM tickets")


def test_an_empty_list_sends_nothing_and_says_so(cql: tuple[Run, dict[str, Any]]) -> None:
    run, names = cql
    names["ids"] = []
    assert run("SELECT status FROM tickets WHERE event_id = :event_id AND ticket_id = :t", "--each ids") == (
        "Nothing was sent: ids is empty.\n"
    )


def test_who_comes_between_is_called_with_the_number(
    cql: tuple[Run, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = cql
    monkeypatch.setattr(cql_magic, "around", {"after": lambda number, then: (print(f"before {number}"), then())})
    assert run(f"SELECT status FROM tickets {SEAT}", "--after 04.1").splitlines()[:2] == ["before 04.1", "status"]
    monkeypatch.setattr(cql_magic, "around", {"solution": lambda number, then: print("not yet")})
    assert run("TRUNCATE tickets", "--solution 04.2") == "not yet\n"
    assert len(run("SELECT status FROM tickets WHERE event_id = :event_id LIMIT 1").splitlines()) == 4


TABLES = {"tickets": ["event_id", "ticket_id", "status"], "orders": ["order_id", "status", "user_id"]}


@pytest.mark.parametrize(
    ("before", "begun", "first", "not_there"),
    [
        ("%%cql\nSEL", "SEL", ["SELECT"], "SET"),
        ("%%cql\nsel", "sel", ["SELECT"], "SET"),
        ("%%cql\nSELECT * FROM ti", "ti", ["tickets"], "TIMESTAMP"),
        ("%%cql\nSELECT * FROM ", "", ["orders", "tickets"], "SELECT"),
        ("%%cql\nSELECT * FROM tickets WHERE st", "st", ["status", "STATIC"], "order_id"),
        ("%%cql\nUPDATE tickets SET status = 'sold' WHERE event_id = :ev", "ev", ["event_id"], "EVERY"),
        ("%%cql --con", "con", ["consistency"], "SELECT"),
        ("%%cql --consistency LO", "LO", ["LOCAL_QUORUM", "LOCAL_ONE", "LOCAL_SERIAL"], "QUORUM"),
        ("%%cql --each ev", "ev", ["event_id"], "SELECT"),
        ("%cql SELECT or", "or", ["order_id", "orders", "ORDER"], "tickets"),
    ],
)
def test_what_tab_offers(before: str, begun: str, first: list[str], not_there: str) -> None:
    there, found = offers(before, before, TABLES, ["event_id", "_hidden", "session"])
    words = [word for word, _ in found]
    assert there == begun and words[: len(first)] == first and not_there not in words and "_hidden" not in words


def test_the_driver_knows_the_tables(lab: Session, chapter: Event) -> None:
    assert "available_tickets" in tables_of(lab) and "held_by" in tables_of(lab)["tickets"]
    assert tables_of(None) == {}


CELLS = [
    'from helpers import connect, open_chapter\nsession = connect()\nevent = open_chapter(session, "seats_00", 100)',
    "event_id, L = event.id, 3",
    "%%cql found <<\nSELECT ticket_id, status FROM tickets WHERE event_id = :event_id LIMIT :L;",
    "len(found)",
    "%%cql\nSELECT * FROM tickets WHERE status = 'sold';",
    "%cql SELECT {'a': 1} FROM tickets",
    "%cql SELECT name FROM events",
    "%%cql",
    "%%cql\n-- nothing yet",
    "%load_ext helpers",
    "session.execute('SELECT ticket_id, status FROM tickets LIMIT 1')",
    "session.execute('TRUNCATE tickets')",
    "import IPython\nwith IPython.core.completer.provisionalcompleter():\n"
    "    shell = get_ipython()\n"
    "    text = '%%cql\\nSELECT pr'\n"
    "    print([each.text for each in shell.Completer.completions(text, len(text))])",
    "%%cql\nSELECT * FROM tickets WHERE event_id = :nobody;",
]


def test_in_a_kernel_that_a_program_started() -> None:
    """A refusal fails no notebook; a marker without a value does."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    client = NotebookClient(
        notebook,
        allow_errors=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        **PATIENT_KERNEL,
    )
    with private_node():
        client.execute()

    def said(i: int) -> str:
        outputs = notebook.cells[i].outputs
        return "".join(each.get("text", "") or each.get("data", {}).get("text/plain", "") for each in outputs)

    errors = {i: each for i, cell in enumerate(notebook.cells) for each in cell.outputs if each.output_type == "error"}
    assert list(errors) == [len(CELLS) - 1]
    assert errors[len(CELLS) - 1].traceback == [
        "LabError: :nobody is no variable of this notebook. Set it in a cell above: nobody = …"
    ]
    assert said(2).endswith("(3 rows)") and "<table" in notebook.cells[2].outputs[0].data["text/html"]
    assert said(3) == "3"
    assert said(4).startswith("InvalidRequest: ") and "→ No key" in said(4)
    assert said(5).startswith("SyntaxException: ") or said(5).startswith("InvalidRequest: ")
    assert "Midnight Orchestra" in said(6)
    assert said(7) == said(8) == "Nothing was sent: there is no statement in this cell yet.\n"
    assert "is not an IPython extension" not in said(9)  # the kernel of the course has it already
    assert said(10).startswith("ticket_id  status\n") and "<table" in notebook.cells[10].outputs[0].data["text/html"]
    assert said(11) == "Done: this statement returns no rows."
    assert "'price'" in said(12) and "'print'" not in said(12)
