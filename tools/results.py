"""A folder of results that knows which of them the course wrote there. It overwrites and removes no other file.

Standard library only: clean uses it without an environment.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

MANIFEST = ".made-by-the-course"


class ResultsError(Exception):
    """Results cannot be written there; the message is a sentence."""


class Results:
    """The folder ``folder``, which need not be there before ``open``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> Results:
        """Make the folder, and see that it can be written; a ResultsError says why it cannot."""
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                return self

    def claim(self, *names: str, known: Callable[[Path], bool] = lambda path: False) -> list[Path]:
        """The paths of results that are about to be written.

        A file that the course did not write is a ResultsError, and then none is claimed; ``known`` may recognise one
        that was written before there was a list.
        """
        made, paths = self.made(), [self.folder / name for name in names]
        for path in paths:
            if path.name not in made and os.path.lexists(path) and not known(path):
                raise ResultsError(
                    f"{path} is there, and no earlier run wrote it, so it stays. "
                    f"Move it away, or name another folder: --output /path/to/folder."
                )
        with self._writing(), (self.folder / MANIFEST).open("a", encoding="utf-8") as manifest:
            manifest.writelines(f"{name}\n" for name in names if name not in made)
        return paths

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ResultsError(
                f"results cannot be written to {self.folder} ({error.strerror or error}). "
                f"Name another folder: --output /path/to/folder."
            ) from None

    def made(self) -> list[str]:
        """The names that were claimed here, now or in an earlier run."""
        try:
            lines = (self.folder / MANIFEST).read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return []
        # Whatever a damaged list says, nothing outside of the folder is meant.
        return [line for line in lines if line and line == Path(line).name and line not in (".", "..")]

    def remove(self) -> list[str]:
        """Remove what the course wrote, and the folder once it is empty; returns the names of what is left."""
        if self.folder.is_symlink() or not self.folder.is_dir():
            return [self.folder.name] if os.path.lexists(self.folder) else []
        for name in self.made():
            remove(self.folder / name)
        left = sorted(path.name for path in self.folder.iterdir() if path.name != MANIFEST)
        if not left:
            remove(self.folder / MANIFEST)
            self.folder.rmdir()
        return left


def remove(path: Path) -> None:
    """Remove a file, a folder with all that is in it, or a link; that it is not there is as good."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()
