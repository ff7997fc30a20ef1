"""`check --watch`: repeat a check whenever a file changes that it has to do with.

Folders are watched, not files: editors replace a file by a new one of its name. Each is watched by
itself, so that what nobody asked about, such as a virtual environment, costs nothing.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from torchconf.errors import RequestError, TorchconfError
from torchconf.files.walking import find_folders
from torchconf.report.streams import unguarded

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from watchfiles import Change

    from torchconf.workspace.discovery import Look

__all__ = ["folders_of", "matters", "require_watchfiles", "watch"]

_CLEAR = "\033[2J\033[3J\033[H"
_PAUSE = 100
"""Milliseconds after which a watcher that was just started lets the first check begin."""
_NAMES = frozenset({"pyproject.toml", "uv.lock", ".gitignore"})


def require_watchfiles() -> None:
    """Refuse to watch without the library that does.

    Raises:
        RequestError: It is not installed.
    """
    import importlib.util

    if importlib.util.find_spec("watchfiles") is None:
        raise RequestError(
            "`--watch` needs watchfiles, which is not installed",
            help="run `uv tool install 'torchconf[watch]'`, or `pip install 'torchconf[watch]'`",
        )


def watch(gather: Callable[[], Look], report: Callable[[Look], int], named: Sequence[str]) -> int:
    """Check now and after each change, until somebody stops it.

    Args:
        gather: Reads what there is to check.
        report: Checks and prints it.
        named: The folders of which everything below is checked.

    Raises:
        TorchconfError: Nothing can be checked, from the beginning on.
    """
    import gc

    # What repeats itself for hours must give its memory back.
    gc.enable()
    folders = folders_of(gather(), named)
    changes = _changes(folders)
    while True:
        try:
            # Read after the watcher was started: a change in between would be missed.
            look = gather()
            if (now := folders_of(look, named)) != folders:
                folders, changes = now, _changes(now)
                look = gather()
            _clear()
            report(look)
        except TorchconfError as error:
            # The next change may mend it.
            _clear()
            sys.stderr.write(error.spoken())
        sys.stdout.flush()
        sys.stderr.write("watching for changes; press Ctrl-C to stop\n")
        sys.stderr.flush()
        while not next(changes):
            pass


def folders_of(look: Look, named: Iterable[str]) -> frozenset[str]:
    """Return the folders in which a change may change what is found.

    Those of the files that were read, and the ones between them and the topmost: a member of a
    workspace, or a script, may be added there. Of a folder that was named, all that git does not
    ignore.
    """
    found: set[str] = set()
    for unit in look.units:
        paths = [os.path.abspath(file.path) for file in unit.files.values()]
        read = [os.path.dirname(path) for path in paths]
        top = os.path.commonpath(read) if read else ""
        for folder in read:
            found.update(_between(folder, top))
        found.update(base for path in paths[:1] for base in look.gatherer.member_bases(path))
    found.update(os.path.abspath(folder) for each in named for folder in find_folders(each))
    return frozenset(folder for folder in found if os.path.isdir(folder))


def _between(folder: str, top: str) -> Iterator[str]:
    while True:
        yield folder
        above = os.path.dirname(folder)
        if folder in {top, above}:
            return
        folder = above


def matters(path: str, folders: frozenset[str]) -> bool:
    """Tell whether a change of a file, or of a folder, may change what is found."""
    name = os.path.basename(path)
    if name in _NAMES or name.endswith((".py", ".py.lock")):
        return True
    return path in folders or os.path.isdir(path)


def _changes(folders: frozenset[str]) -> Generator[set[tuple[Change, str]]]:
    """Return the changes in folders as they come; the watcher is at work when this returns."""
    from watchfiles import watch as changes_in

    changes = changes_in(
        *sorted(folders),
        watch_filter=lambda _, path: matters(path, folders),
        rust_timeout=_PAUSE,
        yield_on_timeout=True,
        recursive=False,
    )
    next(changes)
    return changes


def _clear() -> None:
    """Clear a terminal; what is written to a pipe or a file stays."""
    stream = unguarded(sys.stdout)
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        stream.write(_CLEAR)
        stream.flush()
