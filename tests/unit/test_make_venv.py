"""Set-up looks at what lies in `.venv/`, mends what is its own, and never touches what is somebody else's."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import environment, make_venv

ROOT = Path(environment.__file__).parents[1]
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
LOCK = "attrs==26.1.0 \\\n    --hash=sha256:00\ntqdm==4.67.1 ; sys_platform != 'amiga' \\\n    --hash=sha256:00\n"
LOCK += "colorama==0.4.6 ; sys_platform == 'amiga' \\\n    --hash=sha256:00\n"
LOCKED = {"attrs": "26.1.0", "tqdm": "4.67.1"}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout with a lock file of two packages, at which set-up works."""
    folder = tmp_path / "a checkout"
    (folder / "tools").mkdir(parents=True)
    for module in environment, make_venv:
        monkeypatch.setattr(module, "ROOT", folder)
        monkeypatch.setattr(module, "REQUIREMENTS", folder / "requirements.lock")
    monkeypatch.setattr(make_venv, "LOCK_FILE", folder / ".venv.lock")
    monkeypatch.setattr(make_venv, "PIP_REQUIREMENTS", folder / "tools" / "pip.lock")
    monkeypatch.setattr(make_venv, "Environment", lambda place=folder / ".venv": environment.Environment(place))
    (folder / "requirements.lock").write_text(LOCK)
    (folder / "tools" / "pip.lock").write_text("pip==26.3 \\\n    --hash=sha256:00\n")
    return folder


def an_environment(folder: Path, python: str = HERE, packages: dict[str, str] | None = None) -> Path:
    """A virtual environment by looks: nothing in it runs. Returns the folder of its packages."""
    place = environment.Environment(folder)
    site = folder / ("Lib/site-packages" if environment.WINDOWS else f"lib/python{python}/site-packages")
    for each in place.python.parent, site:
        each.mkdir(parents=True, exist_ok=True)
    place.python.touch()
    (folder / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion_info = {python}.7\n")
    for name, version in (packages or {}).items():
        install(site, name, version)
    return site


def install(site: Path, name: str, version: str) -> None:
    for old in site.glob(f"{name}-*.dist-info"):
        shutil.rmtree(old)
    (site / name).mkdir(exist_ok=True)
    (site / name / "__init__.py").touch()
    (site / f"{name}-{version}.dist-info").mkdir()
    record = f"{name}/__init__.py,,\n{name}-{version}.dist-info/RECORD,,\n"
    (site / f"{name}-{version}.dist-info" / "RECORD").write_text(record)


@pytest.fixture
def steps(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    """The commands that set-up ran, done by looks only. `steps.fails_at` makes the one with that word fail."""

    class Steps(list):
        fails_at = None
        does_nothing_at = None

        def run(self, command, **_):
            self.append(command)
            if self.fails_at in command:
                return subprocess.CompletedProcess(command, 1)
            if "venv" in command:
                an_environment(Path(command[-1]), packages={"pip": "24.0"})
            elif self.does_nothing_at not in command:
                lock = Path(command[-1]).read_text(encoding="utf-8")
                site = environment.Environment(checkout / ".venv").packages()
                there = environment.installed(site)
                for name, version in environment.pins(lock, environment.surroundings(f"{HERE}.7")).items():
                    if there.get(name) != version:
                        install(site, name, version)
            return subprocess.CompletedProcess(command, 0)

    recorded = Steps()
    monkeypatch.setattr(make_venv.subprocess, "run", recorded.run)
    return recorded


def everything_in(folder: Path) -> dict[str, object]:
    """All that is in a folder: its files, their contents and their times."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_mtime_ns, path.is_file() and path.read_bytes())
        for path in sorted(folder.rglob("*"))
    }


# --- its own ---------------------------------------------------------------------------------------------------------


def test_a_second_run_does_nothing(checkout: Path, steps):
    assert make_venv.main([]) == 0
    assert len(steps) == 3
    made = everything_in(checkout)
    assert make_venv.main([]) == 0
    assert len(steps) == 3
    assert everything_in(checkout) == made


def test_every_package_is_installed_by_hash(checkout: Path, steps):
    make_venv.main([])
    installs = [step for step in steps if "install" in step]
    assert [step[-1] for step in installs] == [str(make_venv.PIP_REQUIREMENTS), str(make_venv.REQUIREMENTS)]
    assert all("--require-hashes" in step for step in installs)


def test_the_checkout_is_put_on_the_path(checkout: Path, steps):
    make_venv.main([])
    place = environment.Environment(checkout / ".venv")
    assert (place.packages() / place.path_file().read_text(encoding="ascii").strip()).resolve() == checkout


@pytest.mark.parametrize("word", ["venv", "install"])
def test_a_failed_step_is_not_believed_later(checkout: Path, steps, word, capsys):
    steps.fails_at = word
    assert make_venv.main([]) == 1
    assert capsys.readouterr().err.startswith("error: cannot ")
    steps.fails_at = None
    assert make_venv.main([]) == 0
    assert [step for step in steps if "venv" in step][1:], "made anew"


def test_an_interrupted_set_up_is_made_anew(checkout: Path, steps, monkeypatch, capsys):
    def interrupt(command, **kind):
        if "install" in command:
            raise KeyboardInterrupt
        return steps.run(command, **kind)

    with monkeypatch.context() as patch:
        patch.setattr(make_venv.subprocess, "run", interrupt)
        assert make_venv.main([]) == 130
    assert "Interrupted" in capsys.readouterr().err
    (checkout / ".venv" / "half").touch()
    assert make_venv.main([]) == 0
    assert not (checkout / ".venv" / "half").exists()


def strip(site: Path) -> None:
    shutil.rmtree(site / "tqdm")
    shutil.rmtree(site / "tqdm-4.67.1.dist-info")


def change(site: Path) -> None:
    install(site, "tqdm", "4.99")


def break_off(site: Path) -> None:
    (site / "tqdm-4.67.1.dist-info" / "RECORD").unlink()


def kernel_file(site: Path) -> Path:
    (venv,) = [folder for folder in site.parents if (folder / "pyvenv.cfg").exists()]
    return environment.Environment(venv).kernel_file()


def command_file(site: Path) -> Path:
    (venv,) = [folder for folder in site.parents if (folder / "pyvenv.cfg").exists()]
    return environment.Environment(venv).command_file()


def lose_modules(site: Path) -> None:
    shutil.rmtree(site / "tqdm")


@pytest.mark.parametrize(
    "harm, said",
    [
        (strip, "tqdm 4.67.1"),
        (change, "tqdm 4.67.1 (there is 4.99)"),
        (break_off, "tqdm 4.67.1"),
        (lose_modules, "tqdm 4.67.1"),
        (lambda site: (site / "fifty_thousand_seats.pth").unlink(), "the way to this checkout"),
        (lambda site: kernel_file(site).unlink(), "what its kernels load"),
        (lambda site: kernel_file(site).write_text("c = get_config()"), "what its kernels load"),
        (lambda site: command_file(site).unlink(), "the command seats"),
    ],
)
def test_what_was_taken_out_or_changed_is_put_back(checkout: Path, steps, capsys, harm: Callable, said: str):
    make_venv.main([])
    site = environment.Environment(checkout / ".venv").packages()
    install(site, "black", "25.1")  # a learner's own: it stays
    harm(site)
    steps.clear()
    assert make_venv.main(["--keep-python"]) == 0
    assert f"Mending .venv, which lacks {said}\n" in capsys.readouterr().out
    assert not [step for step in steps if "venv" in step], "mended, not made anew"
    assert environment.installed(site) == {**LOCKED, "pip": "26.3", "black": "25.1"}
    assert (site / "tqdm" / "__init__.py").is_file()
    assert environment.Environment(checkout / ".venv").leads_here()
    assert environment.Environment(checkout / ".venv").kernels_load_the_course()


def test_without_pip_it_cannot_be_mended_and_is_made_anew(checkout: Path, steps):
    make_venv.main([])
    site = environment.Environment(checkout / ".venv").packages()
    strip(site)
    shutil.rmtree(site / "pip-26.3.dist-info")
    steps.clear()
    assert make_venv.main([]) == 0
    assert [step for step in steps if "venv" in step]
    assert environment.installed(site).items() >= LOCKED.items()


def test_a_new_lock_file_brings_new_packages(checkout: Path, steps, capsys):
    make_venv.main([])
    (checkout / "requirements.lock").write_text(LOCK.replace("26.1.0", "26.2.0"))
    assert make_venv.main([]) == 0
    assert "attrs 26.2.0 (there is 26.1.0)" in capsys.readouterr().out


def test_packages_that_went_elsewhere_are_missed(checkout: Path, steps, capsys):
    steps.does_nothing_at = "install"
    assert make_venv.main([]) == 1
    assert "pip ended well, and yet .venv lacks attrs 26.1.0, tqdm 4.67.1" in capsys.readouterr().err


def test_a_moved_checkout_and_a_lost_python_are_noticed(checkout: Path, steps):
    make_venv.main([])
    place = environment.Environment(checkout / ".venv")
    stamp = json.loads(place.stamp.read_text())
    place.stamp.write_text(json.dumps(stamp | {"folder": str(checkout / "elsewhere")}))
    assert not make_venv.is_good(place, None)
    place.stamp.write_text(json.dumps(stamp | {"requirements": "as an older set-up wrote it"}))
    assert make_venv.is_good(place, None)
    place.python.unlink()
    assert not make_venv.is_good(place, None)


# `make test` after `make test PYTHON=python3.13` must not throw the environment away.
def test_another_python_counts_only_when_one_was_asked_for(checkout: Path, steps):
    make_venv.main([])
    place = environment.Environment(checkout / ".venv")
    assert make_venv.is_good(place, None)
    assert make_venv.is_good(place, HERE)
    assert not make_venv.is_good(place, "3.99")


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"3.11"', "{}"])
def test_a_damaged_stamp_says_whose_it_is_and_no_more(checkout: Path, steps, content):
    make_venv.main([])
    place = environment.Environment(checkout / ".venv")
    place.stamp.write_text(content)
    assert place.ours
    assert not make_venv.is_good(place, None)


# A checkout on a read-only medium: opening the lock file for writing is what fails there.
def test_a_good_environment_needs_nothing_to_be_written(checkout: Path, steps, monkeypatch, capsys):
    make_venv.main([])
    (checkout / ".venv.lock").unlink()
    (checkout / ".venv.lock").mkdir()
    assert make_venv.main([]) == 0
    strip(environment.Environment(checkout / ".venv").packages())
    assert make_venv.main([]) == 1
    assert capsys.readouterr().err.startswith("error: cannot set up ")


# --- somebody else's -------------------------------------------------------------------------------------------------


def test_somebody_elses_with_all_packages_is_used_untouched(checkout: Path, steps):
    an_environment(checkout / ".venv", packages={**LOCKED, "black": "25.1"})
    before = everything_in(checkout)
    assert make_venv.main([]) == 0
    assert everything_in(checkout) == before
    assert steps == []


@pytest.mark.parametrize(
    "packages, python, fault",
    [
        ({"attrs": "26.1.0"}, HERE, "it lacks tqdm 4.67.1."),
        ({"attrs": "25.0", "tqdm": "4.67.1"}, HERE, "it lacks attrs 26.1.0 (there is 25.0)."),
        (LOCKED, "3.10", "its Python is 3.10; the course needs 3.11 or newer."),
        (LOCKED, "3.15", "its Python is 3.15; the course's packages are not built for it yet"),
    ],
)
def test_somebody_elses_that_will_not_do_is_left_alone(checkout: Path, steps, capsys, packages, python, fault):
    an_environment(checkout / ".venv", python, packages)
    before = everything_in(checkout)
    assert make_venv.main(["--keep-python"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: .venv was not made by this project, so it stays as it is, but {fault}")
    assert "uv pip install -r requirements.lock" in said
    assert "give it another name" in said
    assert everything_in(checkout) == before
    assert steps == []


def test_somebody_elses_with_another_python_than_asked_for_is_left_alone(checkout: Path, steps, capsys):
    an_environment(checkout / ".venv", "3.12" if HERE != "3.12" else "3.13", LOCKED)
    assert make_venv.main([]) == 1
    assert f"not the {HERE} that was asked for" in capsys.readouterr().err
    assert make_venv.main(["--keep-python"]) == 0
    assert steps == []


@pytest.mark.skipif(environment.WINDOWS, reason="making links needs a right there")
def test_a_link_leads_to_somebody_elses(checkout: Path, steps, tmp_path: Path, capsys):
    shared = tmp_path / "shared"
    an_environment(shared, packages={"attrs": "26.1.0"})
    (shared / "made-from.json").write_text('{"folder": "elsewhere", "python": "3.11"}')
    (checkout / ".venv").symlink_to(shared)
    before = everything_in(shared)
    assert make_venv.main([]) == 1
    assert "it lacks tqdm 4.67.1." in capsys.readouterr().err
    assert everything_in(shared) == before
    shutil.rmtree(shared)
    assert make_venv.main([]) == 1
    assert "it has no Python that runs." in capsys.readouterr().err


@pytest.mark.parametrize("content", ["folder", "file"])
def test_what_is_no_environment_at_all_is_left_alone(checkout: Path, steps, capsys, content):
    if content == "file":
        (checkout / ".venv").write_text("mine")
    else:
        (checkout / ".venv").mkdir()
        (checkout / ".venv" / "thesis.txt").write_text("mine")
    before = everything_in(checkout)
    assert make_venv.main([]) == 1
    assert "it has no Python that runs." in capsys.readouterr().err
    assert everything_in(checkout) == before


def test_an_empty_folder_is_nobodys(checkout: Path, steps):
    (checkout / ".venv").mkdir()
    assert make_venv.main([]) == 0
    assert make_venv.main([]) == 0
    assert len(steps) == 3


def test_an_environment_of_ones_own_is_led_here_when_asked(checkout: Path, tmp_path: Path, monkeypatch, capsys):
    site = an_environment(tmp_path / "conda")
    (tmp_path / "conda" / "conda-meta").mkdir()
    monkeypatch.setattr(make_venv.sys, "prefix", str(tmp_path / "conda"))
    assert make_venv.main(["--here"]) == 0
    assert (site / (site / "fifty_thousand_seats.pth").read_text(encoding="ascii").strip()).resolve() == checkout
    assert not (checkout / ".venv").exists()
    config = tmp_path / "conda" / "etc" / "ipython" / "ipython_kernel_config.py"
    assert config.read_text(encoding="utf-8") == environment.KERNEL_CONFIG
    config.write_text("# somebody's own\n", encoding="utf-8")
    assert make_venv.main(["--here"]) == 0
    assert config.read_text(encoding="utf-8") == "# somebody's own\n"
    assert "is not ours and stays. Add to it:" in capsys.readouterr().err
    (tmp_path / "conda" / "conda-meta").rmdir()
    monkeypatch.setattr(make_venv.sys, "base_prefix", make_venv.sys.prefix)
    assert make_venv.main(["--here"]) == 1
    assert "belongs to no environment: activate yours" in capsys.readouterr().err


# --- this Python, this moment ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "version, words",
    [
        ((3, 10, 4, "final", 0), "this is Python 3.10.4; the course needs 3.11 or newer."),
        ((3, 15, 0, "final", 0), "this is Python 3.15.0; the course's packages are not built for it yet; 3.14 is the"),
    ],
)
def test_a_python_too_old_or_too_new_gets_a_sentence(checkout: Path, monkeypatch, capsys, version, words):
    monkeypatch.setattr(make_venv.sys, "version_info", version)
    assert make_venv.main([]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.skipif(not shutil.which("make") or environment.WINDOWS, reason="there is no make here")
@pytest.mark.parametrize("there, found", [({"python3": 15, "python3.12": 12}, "python3.12"), ({"python3": 10}, None)])
def test_make_passes_over_a_python_that_will_not_do(tmp_path: Path, there: dict[str, int], found: str | None):
    (tmp_path / "tools").mkdir()
    (tmp_path / "bin").mkdir()
    for name in "Makefile", "tools/environment.py":
        shutil.copy(ROOT / name, tmp_path / name)
    names = ("python", "python3", *(f"python3.{number}" for number in range(11, 15)))
    for name in names:  # all of them, for those of the machine that runs the test must not be found
        version = f"import runpy, sys; sys.version_info = (3, {there.get(name, 9)}); "
        script = f"{version} runpy.run_path(sys.argv[1], run_name='__main__')"
        (tmp_path / "bin" / name).write_text(f'#!/bin/sh\nexec {sys.executable!r} -c "{script}" "$@"\n')
        (tmp_path / "bin" / name).chmod(0o755)
    asked = subprocess.run(
        ["make", "--silent", "--eval=probe: ; @$(FIND_PYTHON); find_python", "probe"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert asked.stdout.strip() == (found or "")
    if not found:
        assert "error: found no Python from 3.11 to 3.14 on the path. Install one" in asked.stderr


# The holder is another process that ends without letting go: the system must do it.
def test_two_runs_never_build_at_once(checkout: Path):
    hold = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.dont_write_bytecode = True\n"
        f"from tools import make_venv; lock = open({str(make_venv.LOCK_FILE)!r}, 'a+b')\n"
        "print(make_venv.try_lock(lock), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "True\n"
        with make_venv.LOCK_FILE.open("a+b") as mine:
            assert not make_venv.try_lock(mine)
            holder.kill()
            holder.wait()
            assert make_venv.try_lock(mine)


def test_a_good_environment_is_found_good_in_a_moment():
    place = environment.Environment()
    if not place.ours:
        pytest.skip("there is no .venv here that `make venv` made")
    spent = []
    for _ in range(5):
        begin = time.process_time()
        place.lacks()
        spent.append(time.process_time() - begin)
    # Of the processor's time, which a busy machine does not stretch: some 0.05 s, for 150 packages.
    assert min(spent) < 0.2


def test_markers_are_read_as_pip_reads_them():
    from packaging.requirements import Requirement

    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    pins = [line.split("--hash")[0].strip() for line in lines if "==" in line and not line.startswith("#")]
    made_up = [
        "a==1 ; " + marker
        for marker in (
            "python_version >= '3.9' and (os_name == 'nt' or os_name == 'posix')",
            "python_full_version != '3.12.*'",
            "python_full_version < '3.12.4'",
            "platform_machine == 'x86'",
        )
    ]
    for line in pins + made_up:
        wanted = Requirement(line)
        for python in "3.11.0", "3.11.7", "3.12.0", "3.12.9", "3.13.1", "3.14.0":
            around = environment.surroundings(python)
            applies = not wanted.marker or wanted.marker.evaluate(around)
            assert (len(environment.pins(line, around)) == 1) == applies, (line, python)
    with pytest.raises(ValueError, match="a marker that set-up does not understand"):
        environment.applies("wind == 'north'", around)
