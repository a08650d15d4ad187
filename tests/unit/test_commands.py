"""Two commands, run and bench, and what make passes on to a command."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.lab.errors import LabError
from helpers.lab.node import running_node
from tests.full import only_in_full
from tests.notebooks.chapters import SEATS
from tools import bench
from tools import run_notebooks as run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workbook of three: one that fails, one that runs, one without parameters."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    parameters = new_code_cell("seats = 50_000", metadata={"tags": ["parameters"]})
    fails = [new_markdown_cell("# Title"), parameters, new_markdown_cell("## Divide\nNow."), new_code_cell("1 / 0")]
    runs, bare = [parameters, new_code_cell("assert seats == 7")], [new_code_cell("1")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    for name, cells in {"01_fails": fails, "02_runs": runs, "03_bare": bare}.items():
        nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / f"{name}.ipynb")
    monkeypatch.setattr(run, "NOTEBOOKS", folder)
    return folder


@pytest.mark.slow
def test_a_failure_is_named_and_keeps_nobody_from_running(
    notebooks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert run.main(["--seats", "7", "--output", str(output)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "cell [3], under 'Divide': ZeroDivisionError: division by zero" in lines[0]
    assert "ran well" in lines[1] and "ran well" in lines[2]
    assert lines[3].startswith("2 of 3 notebooks ran well in ")
    assert (output / "02_runs.ipynb").exists()
    page = (output / "report.html").read_text(encoding="utf-8")
    assert "ZeroDivisionError" in page and 'href="02_runs.ipynb"' in page
    assert not (output / "embedded").exists()


def test_notebooks_are_chosen_by_the_beginning_of_their_names(notebooks: Path) -> None:
    assert [path.stem for path in run.chosen([])] == ["01_fails", "02_runs", "03_bare"]
    assert [path.stem for path in run.chosen(["03", "01"])] == ["01_fails", "03_bare"]
    with pytest.raises(LabError, match=r"No notebook begins with '9'\. There are: 01_fails"):
        run.chosen(["9"])
    assert run.main(["--only", "9"]) == 2


def test_too_few_seats_are_refused_with_the_least_number(
    notebooks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = nbformat.read(notebooks / "02_runs.ipynb", 4)
    runs.cells.append(new_code_cell("open_chapter(session, keyspace, seats, least_seats=1_200)"))
    nbformat.write(runs, notebooks / "02_runs.ipynb")
    assert run.main(["--seats", "1199", "--output", str(tmp_path / "out")]) == 2
    assert "error: 1,199 seats are too few for 02_runs: give at least 1,200." in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    run.refuse_too_few(1200, run.chosen([]))
    run.refuse_too_few(1, run.chosen(["01", "03"]))
    run.refuse_too_few(None, run.chosen([]))


def test_every_notebook_is_tested_with_as_many_seats_as_it_needs() -> None:
    least = [run.least_seats(path) for path in run.chosen([])]
    assert 1 < min(least) <= max(least) <= SEATS


@pytest.mark.parametrize("seats", ["0", "many", "9999999", "-1", "²"])
def test_a_wrong_number_of_seats_is_refused(seats: str, capsys: pytest.CaptureFixture[str]) -> None:
    for main in run.main, bench.main:
        with pytest.raises(SystemExit):
            main([f"--seats={seats}"])
        said = capsys.readouterr().err
        assert "is not a number of seats from 1 to 1,000,000" in said
        assert len(said.splitlines()) == 1


@pytest.mark.parametrize("main", [run.main, bench.main])
def test_results_that_cannot_be_written_are_a_sentence(
    main: Callable[[list[str]], int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["--output", str(tmp_path / "file" / "x")]) == 2
    assert re.fullmatch(r"error: .* cannot be written .*--output.*\n", capsys.readouterr().err)


@pytest.mark.parametrize("name", ["embedded", "02_runs.ipynb", "report.html"])
def test_what_no_run_wrote_is_not_removed_and_not_overwritten(
    notebooks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    mine = tmp_path / "out" / name
    mine.parent.mkdir()
    if name == "embedded":
        mine.mkdir()
        mine = mine / "thesis.txt"
    mine.write_text("{}")
    assert run.main(["--only", "02", "--output", str(tmp_path / "out")]) == 2
    assert f"{name} is there, and no earlier run wrote it, so it stays." in capsys.readouterr().err
    assert mine.read_text() == "{}"
    assert not (tmp_path / "out" / ".made-by-the-course").exists()


def test_the_bench_refuses_too_few_seats(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--seats", str(bench.LEAST_SEATS - 1)]) == 2
    assert f"give at least {bench.LEAST_SEATS}" in capsys.readouterr().err


def test_an_interrupted_run_leaves_no_node_and_can_be_repeated(
    notebooks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = []

    def interrupted(notebook: Path, target: Path, *, seats: int | None) -> run.Run:
        nodes.append(running_node())
        target.write_text("half")
        if len(nodes) == 2:
            raise KeyboardInterrupt
        return run.Run(notebook, target, 1.0)

    monkeypatch.delenv("EMBEDDED_DIR", raising=False)
    monkeypatch.setattr(run, "execute", interrupted)
    assert run.main(["--output", str(tmp_path / "out")]) == 130
    assert "Interrupted after 1 of 3 notebooks." in capsys.readouterr().err
    assert all(node.process() is None for node in nodes)
    assert not (tmp_path / "out" / "embedded").exists()
    assert "EMBEDDED_DIR" not in os.environ
    nodes[:] = [None, None]
    assert run.main(["--output", str(tmp_path / "out")]) == 0


@pytest.mark.skipif(not shutil.which("make") or os.name == "nt", reason="there is no make here")
@pytest.mark.parametrize(
    "words, runs",
    [
        (["run", "SEATS=500"], "seats.py run --seats 500"),
        (["run", "SEATS=500", "ARGS=--only 03"], "seats.py run --seats 500 --only 03"),
        (["run"], "seats.py run"),
        (["bench", "SEATS=500"], "-m tools.bench --seats 500"),
        (["checkpoint", "04"], "seats.py checkpoint 04"),
        (["checkpoint", "04", "02b", "SEATS=500"], "seats.py checkpoint 04 02b --seats 500"),
        (["checkpoint", "ARGS=4"], "seats.py checkpoint 4"),
        (["checkpoint"], "seats.py checkpoint"),
        (["lab"], "seats.py lab"),
        (["lab", "TAKE=04 05", "ARGS=--port 9000"], "seats.py lab --take 04 05 -- --port 9000"),
        (["copy"], "seats.py lab --no-open"),
    ],
)
def test_make_passes_on_what_it_is_given(words: list[str], runs: str) -> None:
    # As from a shell: a make that runs the tests hands its own words (ARGS) down to every make below.
    alone = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKEOVERRIDES", "ARGS")}
    shown = subprocess.run(
        ["make", "--dry-run", *words], cwd=ROOT, env=alone, capture_output=True, text=True, check=True
    )
    assert f".venv/bin/python {runs}" in [" ".join(line.split()) for line in shown.stdout.splitlines()]


@only_in_full("half a minute of measuring; nothing but `make bench` runs through it")
@pytest.mark.slow
def test_the_bench_prints_and_writes_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("helpers.lab.connection._clusters", {})
    monkeypatch.setattr("helpers.lab.connection._clusters", {})
    monkeypatch.setattr(bench, "STARTS", 1)
    monkeypatch.setenv("EMBEDDED_DIR", "")
    monkeypatch.setenv("HELPERS_PROGRESS", "off")
    assert bench.main(["--seats", "200", "--output", str(tmp_path / "out" / "bench.json")]) == 0
    document = json.loads((tmp_path / "out" / "bench.json").read_text())
    figures = {figure["name"]: figure for figure in document["figures"]}
    assert set(figures) == {
        "start, empty",
        "fan-out one by one",
        "fan-out concurrent",
        "fan-out batches",
        "200 tickets with their view",
        "200 rows read through the view",
        "conditional updates, one by one",
        "holds, one by one",
        "hold p50",
        "hold p99",
        "conditional updates, contended",
        "holds, contended",
        "families of four, seat by seat",
        "families of four, by a batch",
        "10 of 100 holds freed, scan",
        "10 of 100 holds freed, log",
        "90 holds, nothing to do, scan",
        "90 holds, nothing to do, log",
        "memory, 200 tickets and view",
        "memory after all of the above",
        "start, 200 tickets",
    }
    assert all(figure["value"] > 0 for figure in figures.values())
    printed = capsys.readouterr().out
    assert all(name in printed for name in figures)
