"""Finding every pyproject.toml and script below a folder, as git sees the folder."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from torchconf.errors import ProjectError
from torchconf.files.reading import NAME, PYTHON, read_regular, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pathspec import GitIgnoreSpec

__all__ = ["find_files", "find_folders", "find_projects", "repository"]

_NEVER = frozenset({".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__"})
_IGNORE = ".gitignore"
_LARGEST = 1_000_000
"""Bytes of a `.gitignore` or a script that somebody has written."""


def find_projects(folder: str, is_script: Callable[[bytes], bool]) -> Iterator[str]:
    """Yield the paths of all `pyproject.toml` files in and below a folder, by name, and of scripts.

    What a `.gitignore` names is left out: one in a folder on the way, or above the first folder in
    the same repository. So are virtual environments and links to folders.

    Args:
        folder: Where to begin.
        is_script: Tells from its bytes whether a Python file counts.

    Raises:
        ProjectError: The folder cannot be read.
    """
    for inside, entries, above in _walk(folder, _entries(folder), None):
        if any(entry.name == NAME for entry in entries):
            yield os.path.join(inside, NAME)
        scripts = [entry.path for entry in entries if _is_python(entry, is_script)]
        if scripts:
            rules = above or _Ignored.above(inside)
            if any(entry.name == _IGNORE for entry in entries):
                rules = rules.also(inside)
            yield from (path for path in scripts if not rules.names(path, folder=False))


def find_folders(folder: str) -> Iterator[str]:
    """Yield a folder and those below it that git does not ignore.

    Raises:
        ProjectError: The folder cannot be read.
    """
    for inside, _, _ in _walk(folder, _entries(folder), None):
        yield inside


def _is_python(entry: os.DirEntry[str], is_script: Callable[[bytes], bool]) -> bool:
    if not entry.name.endswith(PYTHON):
        return False
    try:
        # A link could lead out of the folder, and what it leads to is found where it is.
        if not entry.is_file(follow_symlinks=False):
            return False
        return is_script(read_regular(entry.path, _LARGEST))
    except OSError:
        return False


def find_files(folder: str, *, ignored: bool = True) -> Iterator[str]:
    """Yield the paths of all files in and below a folder, less the folders that git ignores.

    Args:
        folder: Where to begin.
        ignored: Whether a file counts that git ignores by itself.

    Raises:
        ProjectError: The folder cannot be read.
    """
    for inside, entries, above in _walk(folder, _entries(folder), None):
        paths = [os.path.join(inside, entry.name) for entry in entries if _is_file(entry)]
        if ignored:
            yield from paths
            continue
        rules = above or _Ignored.above(inside)
        if any(entry.name == _IGNORE for entry in entries):
            rules = rules.also(inside)
        yield from (path for path in paths if not rules.names(path, folder=False))


def repository(folder: str) -> str:
    """Return the top of the repository that a folder is in, or the folder itself."""
    here = os.path.abspath(folder)
    while not os.path.lexists(os.path.join(here, ".git")):
        above = os.path.dirname(here)
        if above == here:
            return folder
        here = above
    return here


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise ProjectError(f"cannot read: {reason(error)}", at=folder) from error


def _walk(
    folder: str, entries: list[os.DirEntry[str]], ignored: _Ignored | None
) -> Iterator[tuple[str, list[os.DirEntry[str]], _Ignored | None]]:
    """Yield each folder that counts, with what is in it, and what is ignored as far as is known."""
    waiting = [(folder, entries, ignored)]
    while waiting:
        folder, entries, ignored = waiting.pop()
        yield folder, entries, ignored
        names = {entry.name for entry in entries}
        below = [entry for entry in entries if entry.name not in _NEVER and _is_folder(entry)]
        if not below:
            continue
        if ignored is None:
            ignored = _Ignored.above(folder)
        if _IGNORE in names:
            ignored = ignored.also(folder)
        # The last is the next one: by name.
        for entry in reversed(below):
            if ignored.names(entry.path):
                continue
            try:
                inside = sorted(os.scandir(entry.path), key=lambda one: one.name)
            except OSError:
                # What nobody may read is nobody's project here; or it has been deleted.
                continue
            if not any(one.name == "pyvenv.cfg" for one in inside):
                waiting.append((entry.path, inside, ignored))


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


class _Ignored:
    """The `.gitignore` files that count for a folder, each with the folder that it is in."""

    def __init__(self, specs: tuple[tuple[str, GitIgnoreSpec], ...]) -> None:
        self.specs = specs

    @classmethod
    def above(cls, folder: str) -> _Ignored:
        """Collect the files above a folder, up to the top of its repository."""
        found = cls(())
        above = []
        here = os.path.abspath(folder)
        while not os.path.lexists(os.path.join(here, ".git")):
            parent = os.path.dirname(here)
            if parent == here:
                return found  # no repository: nothing above counts
            here = parent
            above.append(here)
        for each in reversed(above):
            found = found.also(each)
        return found

    def also(self, folder: str) -> _Ignored:
        """Return the same with the file of one more folder, if there is one."""
        path = os.path.join(folder, _IGNORE)
        try:
            # git does not follow a link here either: it could lead anywhere.
            if not stat.S_ISREG(os.lstat(path).st_mode):
                return self
            lines = read_regular(path, _LARGEST).decode("utf-8", errors="replace").splitlines()
        except OSError:
            return self
        # Imported here: it takes as long to load as all of a check, and few folders need it.
        from torchconf.files.ignore_patterns import read_patterns

        return _Ignored((*self.specs, (os.path.abspath(folder), read_patterns(lines))))

    def names(self, path: str, *, folder: bool = True) -> bool:
        """Tell whether a folder, or a file, is left out; the nearest file that says so decides."""
        if not self.specs:
            return False
        path = os.path.abspath(path)
        for above, spec in reversed(self.specs):
            relative = os.path.relpath(path, above).replace(os.sep, "/")
            verdict = spec.check_file(f"{relative}/" if folder else relative).include
            if verdict is not None:
                return verdict
        return False
