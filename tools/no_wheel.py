"""The build backend of a project that is not built: whoever tries is told how the course is used."""

from __future__ import annotations

from typing import Any, NoReturn

SENTENCE = (
    "Fifty Thousand Seats is used from its checkout and has no package to install: run make lab there, or the three "
    "lines for conda in README.md. Its change reader is the folder scylla_cdc/, which may be copied."
)


def refuse(*_: Any, **__: Any) -> NoReturn:
    raise SystemExit(SENTENCE)


# The hooks by which pip, uv and build ask for a wheel, an editable install or an archive of the source.
get_requires_for_build_wheel = get_requires_for_build_editable = get_requires_for_build_sdist = refuse
build_wheel = build_editable = build_sdist = refuse
