"""Set-up believes in a .venv only when the stamp, written last, says it was finished, here, from today's lock."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "make_venv.py"


@pytest.fixture
def setup(tmp_path, monkeypatch):
    """The set-up script as a module, at work in an empty checkout, with nothing really installed."""
    spec = importlib.util.spec_from_file_location("make_venv_under_test", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "tools").mkdir()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    for name in ("VENV", "STAMP", "LOCK_FILE", "REQUIREMENTS", "PIP_REQUIREMENTS", "PYTHON"):
        moved = tmp_path / getattr(module, name).relative_to(SCRIPT.parents[1])
        monkeypatch.setattr(module, name, moved)
    module.REQUIREMENTS.write_text("tqdm==4.67.1\n")
    module.PIP_REQUIREMENTS.write_text("pip==25.3\n")
    monkeypatch.setattr(module, "make_project_importable", lambda: None)
    monkeypatch.setattr(sys, "argv", ["make_venv.py"])
    return module


@pytest.fixture
def steps(setup, monkeypatch):
    """The commands that set-up ran; `steps.fails_at` makes the one with that word fail."""

    class Steps(list):
        fails_at = None

        def run(self, command, **_):
            self.append(command)
            setup.PYTHON.parent.mkdir(parents=True, exist_ok=True)
            setup.PYTHON.touch()
            return subprocess.CompletedProcess(command, int(self.fails_at in command))

    recorded = Steps()
    monkeypatch.setattr(setup.subprocess, "run", recorded.run)
    return recorded


def test_a_second_run_does_nothing(setup, steps):
    assert setup.main() == 0
    assert len(steps) == 3
    assert setup.main() == 0
    assert len(steps) == 3


def test_every_package_is_installed_by_hash(setup, steps):
    setup.main()
    installs = [step for step in steps if "install" in step]
    assert [step[-1] for step in installs] == [str(setup.PIP_REQUIREMENTS), str(setup.REQUIREMENTS)]
    assert all("--require-hashes" in step for step in installs)


@pytest.mark.parametrize("word", ["venv", "install"])
def test_a_failed_step_is_not_believed_later(setup, steps, word, capsys):
    steps.fails_at = word
    assert setup.main() == 1
    assert capsys.readouterr().err.startswith("error: cannot ")
    assert not setup.is_current(keep_python=True)
    steps.fails_at = None
    assert setup.main() == 0
    assert setup.is_current(keep_python=False)


def test_an_interrupted_rebuild_is_not_believed_later(setup, steps, monkeypatch, capsys):
    setup.main()
    setup.REQUIREMENTS.write_text("tqdm==4.67.2\n")

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(setup.subprocess, "run", interrupt)
    assert setup.main() == 130
    assert "Interrupted" in capsys.readouterr().err
    setup.REQUIREMENTS.write_text("tqdm==4.67.1\n")
    assert not setup.is_current(keep_python=True)


def test_a_changed_lock_a_moved_checkout_and_a_lost_python_are_noticed(setup, steps, monkeypatch):
    setup.main()
    assert setup.is_current(keep_python=False)
    with monkeypatch.context() as patch:
        patch.setattr(setup, "ROOT", setup.ROOT / "elsewhere")
        assert not setup.is_current(keep_python=False)
    setup.PYTHON.unlink()
    assert not setup.is_current(keep_python=False)
    setup.PYTHON.touch()
    setup.PIP_REQUIREMENTS.write_text("pip==25.4\n")
    assert not setup.is_current(keep_python=False)


# `make test` after `make test PYTHON=python3.13` must not throw the environment away.
def test_another_python_counts_only_when_one_was_asked_for(setup, steps):
    setup.main()
    stamp = json.loads(setup.STAMP.read_text())
    setup.STAMP.write_text(json.dumps(stamp | {"python": "3.99"}))
    assert setup.is_current(keep_python=True)
    assert not setup.is_current(keep_python=False)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"3.11"'])
def test_a_damaged_stamp_is_no_stamp(setup, steps, content):
    setup.main()
    setup.STAMP.write_text(content)
    assert not setup.is_current(keep_python=True)


def test_an_old_python_gets_a_sentence(setup, monkeypatch, capsys):
    monkeypatch.setattr(setup.sys, "version_info", (3, 10, 4, "final", 0))
    assert setup.main() == 1
    assert "this is Python 3.10.4; the course needs 3.11 or newer" in capsys.readouterr().err


# The holder is another process that ends without letting go: the system must do it.
def test_two_runs_never_build_at_once(setup):
    hold = (
        f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); sys.dont_write_bytecode = True\n"
        f"import make_venv; lock = open({str(setup.LOCK_FILE)!r}, 'a+b')\n"
        "print(make_venv.try_lock(lock), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "True\n"
        with setup.LOCK_FILE.open("a+b") as mine:
            assert not setup.try_lock(mine)
            holder.kill()
            holder.wait()
            assert setup.try_lock(mine)
