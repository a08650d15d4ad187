"""The package's front: every name that notebooks import is there, and costs nothing until it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import helpers


@pytest.mark.parametrize("name", helpers.__all__)
def test_every_public_name_is_there_and_explained(name: str) -> None:
    assert getattr(helpers, name).__doc__


def test_no_function_has_the_name_of_a_module() -> None:
    # Importing helpers.x sets the attribute x of the package: a function x of helpers would be gone after that.
    modules = {path.stem for path in Path(helpers.__file__).parent.iterdir()}
    assert {name for name in helpers.__all__ if name in modules and not helpers._PUBLIC[name].endswith(":")} == set()


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"helpers has no 'conect'\. It has: .*connect"):
        helpers.conect  # noqa: B018


def test_importing_helpers_imports_no_driver_and_no_plotting() -> None:
    look = "import sys, helpers; print(sorted({'cassandra', 'pandas', 'matplotlib', 'IPython'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
