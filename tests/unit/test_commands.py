"""The three commands: run, bench, doctor."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers import LabError
from tools import bench, doctor
from tools import run_notebooks as run


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


@pytest.mark.parametrize("seats", ["0", "many", "9999999"])
def test_a_wrong_number_of_seats_is_refused(seats: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.main(["--seats", seats])
    assert "is not a number of seats" in capsys.readouterr().err


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
    assert figures["fan-out batches"]["ratio"] > 1
    printed = capsys.readouterr().out
    assert all(name in printed for name in figures)


def test_the_doctor_finds_this_machine_well(
    lab: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Room on the machine that runs the tests is not what this is about.
    monkeypatch.setattr(doctor, "NEEDED_DISK_MB", 0)
    monkeypatch.setattr(doctor, "NEEDED_MEMORY_MB", 0)
    assert doctor.main() == 0, capsys.readouterr().out
    lines = capsys.readouterr().out.splitlines()
    assert [line[:4].strip() for line in lines[:-1]] == ["ok"] * len(doctor.CHECKS)
    assert lines[-1].startswith("All is well")


def test_the_doctor_says_what_to_mend(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EMBEDDED_DIR", str(tmp_path / "file"))
    monkeypatch.setenv("SCYLLA_HOSTS", "x:y")
    monkeypatch.setattr(doctor, "NEEDED_DISK_MB", 10**12)
    monkeypatch.setattr(doctor, "NEEDED_MEMORY_MB", 10**12)
    monkeypatch.setattr(doctor, "NEEDED_PYTHON", (4, 0))
    monkeypatch.setattr(doctor, "PACKAGES", ("no-such-package",))
    monkeypatch.setattr(doctor, "PROJECT", tmp_path)
    assert doctor.main() == 1
    lines = capsys.readouterr().out.splitlines()
    mended = {line.split()[1] for line in lines if line.startswith("MEND")}
    assert mended == {"python", "packages", "notebooks", "disk", "memory", "folder", "node", "server"}
    assert lines[-1] == "8 to mend, see above."
