"""``seats``: one command for a learner and a presenter. Whatever is typed wrongly gets a sentence."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import commands, doctor, lab, make_venv, progress, reset
from tools.environment import Environment

ROOT = Path(__file__).resolve().parents[2]
BASE = getattr(sys, "_base_executable", sys.executable)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python of the tests will do."""
    monkeypatch.setattr(commands, "course_python", lambda: Path(sys.executable))
    for name in "PYTHONPATH", "PYTHONDONTWRITEBYTECODE":
        monkeypatch.setenv(name, os.environ.get(name, ""))


@pytest.mark.parametrize(
    "typed, says",
    [
        ("rum", r"there is no command 'rum', but there is 'run'"),
        ("help", r"there is no command 'help'"),
        ("--fast", r"it does not know what --fast is|the following arguments are required"),
        ("run --seats many", r"'many' is not a number of seats from 1 to 1,000,000"),
        ("run --seats", r"--seats wants a word behind it"),
        ("run 04", r"it does not know what 04 is"),
        ("run --only 99", r"No notebook begins with '99'\. There are: 00_"),
        ("run --only 04 --seats 3", r"3 seats are too few for 04_timed_checkouts"),
        ("run --output /dev/null/x", r"cannot be written to /dev/null/x .*--output"),
        ("checkpoint", r"name the chapter, as in: seats checkpoint 04; there are 00, 01"),
        ("checkpoint 99", r"no chapter '?99"),
        ("checkpoint 04 --seats 0", r"'0' is not a number of seats"),
        ("reset", r"name what to start over: an exercise, 04\.2, or a chapter; there are 00, 01"),
        ("reset 99", r"no chapter '?99"),
        ("reset 04.99", r"no exercise '?04\.99"),
        ("progress 04", r"it does not know what 04 is"),
        ("lab --take 99 --no-open", r"There is no chapter '99' to take\. There are: 00, 01"),
        ("lab --port 9000", r"it does not know what --port is|it does not know what --port 9000 is"),
        ("doctor --docker many", r"invalid choice: 'many'"),
        ("doctor --short --json", r"--json: not allowed with argument --short"),
    ],
)
def test_what_is_typed_wrongly_gets_one_sentence(
    here: None, typed: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = commands.main(typed.split())
    except SystemExit as end:
        code = end.code
    said = capsys.readouterr()
    assert code in (1, 2)
    assert said.err.startswith("error: ") and len(said.err.splitlines()) == 1
    assert re.search(says, said.err), said.err


def bare(*typed: str) -> subprocess.CompletedProcess[str]:
    """The command on a Python that has no package."""
    command = [BASE, "-s", "-E", "-S", "-B", str(ROOT / "seats.py"), *typed]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_every_command_is_explained_before_anything_is_installed(name: str) -> None:
    assert name in bare().stdout
    told = bare(name, "--help")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith(f"usage: seats {name}")


@pytest.mark.skipif(not Environment().ours, reason="not run from the .venv that make venv makes")
def test_another_python_hands_over_to_the_one_with_the_packages(tmp_path: Path) -> None:
    environment = {**os.environ, "PROGRESS_FILE": str(tmp_path / "progress.json"), "CONDA_DEFAULT_ENV": "base"}
    for command in [BASE, str(ROOT / "seats.py")], [str(Environment().command_file())]:
        told = subprocess.run(
            [*command, "progress"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )
        assert (told.returncode, told.stderr) == (0, "")
        assert "Next: exercise 00.1." in told.stdout


def test_an_environment_of_ones_own_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "in_environment", lambda: True)
    monkeypatch.setattr(commands, "same", lambda one, other: False)
    monkeypatch.setattr(make_venv, "main", lambda arguments: pytest.fail("nothing is to be set up"))
    assert commands.course_python() == Path(sys.executable)


@pytest.mark.parametrize("code", [0, 1])
def test_one_that_lacks_packages_is_left_alone(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    asked = []
    monkeypatch.setattr(commands, "in_environment", lambda: True)
    monkeypatch.setattr(commands, "same", lambda one, other: False)
    monkeypatch.setattr(commands, "missing_packages", lambda: ["pandas"])
    monkeypatch.setattr(make_venv, "main", lambda arguments: asked.append(arguments) or code)
    assert commands.course_python() == (None if code else Environment().python)
    assert asked == [["--keep-python"]]


def test_the_lab_is_opened_on_the_copy(here: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started = []
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "")
    monkeypatch.setattr(commands, "go_on_as", lambda program, *words: started.append([str(program), *words]) or 0)
    monkeypatch.setattr(lab.working_copy, "complete", lambda take: tmp_path / "my")
    assert commands.main(["lab", "--", "--no-browser", "--port=9000"]) == 0
    ((program, *words),) = started
    assert program == sys.executable
    assert words[:2] == ["-m", "jupyterlab"] and words[-2:] == ["--no-browser", "--port=9000"]
    assert "--LabApp.default_url=/lab/tree/my/00_start_here.ipynb" in words
    assert os.environ["JUPYTER_CONFIG_PATH"] == str(ROOT / "tools" / "jupyter")
    assert str(ROOT) in os.environ["PYTHONPATH"].split(os.pathsep)
    started.clear()
    assert commands.main(["lab", "--no-open"]) == 0
    assert started == []


def test_an_exercise_and_a_chapter_are_started_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROGRESS_FILE", str(tmp_path / "progress.json"))
    asked = []
    monkeypatch.setattr("helpers.reset", lambda what, **how: asked.append((what, how)), raising=False)
    assert reset.main(["4.2", "4", "--seats", "500", "--progress"]) == 0
    assert asked == [(what, {"seats": 500, "progress": True}) for what in ("04.2", "04")]


def test_progress_in_a_terminal_is_the_learners(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = {"exercises": {"00.1": {"tries": 1, "hints": 0, "done": True}}}
    (tmp_path / ".progress.json").write_text(json.dumps(record))
    monkeypatch.setenv("PROGRESS_FILE", "")
    monkeypatch.delenv("PROGRESS_FILE")
    monkeypatch.setattr(progress, "ROOT", tmp_path)
    assert progress.main([]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^00 Sell one seat twice +1 of \d", said, re.MULTILINE)
    assert "Next: exercise 00.2." in said


# --- what the doctor says to others than people at the keyboard ------------------------------------------------------


def unwell() -> str:
    raise doctor.Advice("make room")


def not_yet() -> str:
    raise doctor.NotYet("not looked at before that")


@pytest.fixture
def three_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "course_python", lambda: None)
    monkeypatch.setattr(doctor, "CHECKS", {"python": lambda: "3.14", "packages": unwell, "kernel": not_yet})


@pytest.mark.usefixtures("three_checks")
def test_the_doctor_gives_a_code_to_call_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor.main(["--short"]) == 1
    assert capsys.readouterr().out == "mend 2 (packages)\n"
    monkeypatch.setitem(doctor.CHECKS, "memory", unwell)
    assert doctor.main(["--short"]) == 1
    assert capsys.readouterr().out == "mend 2-7 (packages, memory)\n"
    monkeypatch.setattr(doctor, "CHECKS", {"python": lambda: "3.14", "kernel": not_yet})
    assert doctor.main(["--short"]) == 0
    assert capsys.readouterr().out == "well\n"


@pytest.mark.usefixtures("three_checks")
def test_the_doctor_tells_programs_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(["--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "code": "mend 2 (packages)",
        "checks": [
            {"name": "python", "state": "ok", "says": "3.14"},
            {"name": "packages", "state": "mend", "says": "make room"},
            {"name": "kernel", "state": "later", "says": "not looked at before that"},
        ],
    }


def test_numbers_that_presenters_know_stay() -> None:
    told = "python packages notebooks saving kernel disk memory node server docker"
    assert {name: number for number, name in enumerate(told.split(), start=1)} == {
        name: number for name, number in doctor.NUMBERS.items() if number <= 10
    }


@pytest.mark.skipif(os.name == "nt", reason="this is the script for a shell")
def test_the_script_finds_its_checkout_whatever_signs_the_path_has(tmp_path: Path) -> None:
    place = Environment(tmp_path / "Lantern's Park ß" / ".venv")
    place.python.parent.mkdir(parents=True)
    place.python.symlink_to(sys.executable)
    make_venv.give_it_the_command(place)
    shutil.copy(ROOT / "seats.py", place.folder.parent)
    (place.folder.parent / "tools").mkdir()
    (place.folder.parent / "tools" / "commands.py").write_text("import sys\ndef main():\n    print(sys.argv[1:])\n")
    told = subprocess.run([str(place.command_file()), "a b", "--c"], cwd="/", capture_output=True, text=True)
    assert told.stdout == "['a b', '--c']\n", told.stderr
