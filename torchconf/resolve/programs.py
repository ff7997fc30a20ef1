"""Where a program is found: on PATH, and never in a project, whose files may be a stranger's."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["find_program", "is_program"]


def find_program(name: str, path: str | None = None) -> str | None:
    """Return the path of a program in the folders of PATH, or None.

    `shutil.which` looks into the current folder first on Windows, and everywhere for an empty or
    relative entry of PATH. What lies there belongs to whoever wrote the project. A folder inside a
    project does not count either, except the one of the Python that runs: its code runs already.

    Args:
        name: `uv`, without the ending that it has on Windows.
        path: In place of PATH.
    """
    for folder in (os.environ.get("PATH", os.defpath) if path is None else path).split(os.pathsep):
        for program in _spelled(os.path.join(folder, name)) if _is_trusted(folder) else ():
            if os.path.isfile(program) and os.access(program, os.X_OK):
                return program
    return None


def is_program(path: str) -> bool:
    """Tell whether a path that was told is of a program, and one that may be run."""
    return _is_trusted(os.path.dirname(path)) and os.path.isfile(path) and os.access(path, os.X_OK)


def _is_trusted(folder: str) -> bool:
    beside = os.path.dirname(sys.executable)
    return os.path.isabs(folder) and (folder == beside or not _is_in_project(folder))


def _spelled(program: str) -> Iterator[str]:
    if sys.platform != "win32":
        yield program
        return
    for ending in os.environ.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").split(";"):
        yield program + ending


def _is_in_project(folder: str) -> bool:
    """Tell whether a folder is in or below the current one, or a project.

    A home, and what is above it, is no project in this sense: programs are installed below it.
    """
    here = os.path.realpath(os.getcwd())
    home = os.path.realpath(os.path.expanduser("~"))
    folder = os.path.realpath(folder)
    while not _is_inside(home, folder):
        if folder == here or os.path.lexists(os.path.join(folder, "pyproject.toml")):
            return True
        above = os.path.dirname(folder)
        if above == folder:
            break
        folder = above
    return False


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
