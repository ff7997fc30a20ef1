"""What a killed run may leave behind: who is at work in a folder, and what is left there.

Whoever writes to a folder holds a lock on it, so that two runs do not write there at once, and none
removes what another one is using. The lock is on the folder itself: there is no file to be left.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from torchconf.errors import WriteRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["COPY", "MADE", "held_by_others", "locked", "sweep", "temporary"]

MADE = ".torchconf-new-"
"""How the folder begins in which a new project is made."""
COPY = "torchconf-copy-"
"""How the temporary folder begins in which a copy of a project is locked."""

_ENDINGS = ("-new.torchconf", "-old.torchconf")
_PATIENCE = 5.0  # seconds; a write takes milliseconds
_PAUSE = 0.01
_STALE_AFTER = 60.0


def temporary(target: str, number: int, kind: str) -> str:
    """Return the name of a temporary file beside a file: `new`, `old`, or `kept` for the user."""
    folder, name = os.path.split(target)
    return os.path.join(folder, f".{name}.{os.getpid()}-{number}-{kind}.torchconf")


@contextmanager
def locked(folders: Iterable[str]) -> Iterator[None]:
    """Hold the locks of folders, as far as the system has such locks.

    Raises:
        WriteRefused: Another run holds one of them, and does not let go.
    """
    held: list[int] = []
    try:
        # In the order of their names, so that no two runs wait for each other.
        for folder in sorted(set(folders)):
            number = _open(folder)
            if number is None:
                continue
            held.append(number)
            end = time.monotonic() + _PATIENCE
            while not _lock(number):
                if time.monotonic() > end:
                    raise WriteRefused(
                        "another run of torchconf is writing to this folder",
                        at=folder,
                        help="wait until it has ended and run the command again",
                    )
                time.sleep(_PAUSE)
        yield
    finally:
        for number in held:
            os.close(number)


def sweep(folder: str, *, is_locked: bool = False) -> None:
    """Remove what a killed run left in a folder, unless another run is at work there.

    Args:
        folder: Which one.
        is_locked: Whether this run holds its lock.
    """
    with suppress(OSError):
        names = [name for name in os.listdir(folder or ".") if "torchconf" in name]
        left = [(name, process) for name in names if (process := _writer(name))]
        if left and (is_locked or not held_by_others(folder or ".")):
            for name, process in left:
                _remove(os.path.join(folder, name), process)
        for name in names:
            path = os.path.join(folder, name)
            if name.startswith((MADE, COPY)) and _is_left(path):
                # Imported here: hardly ever is there one.
                from shutil import rmtree

                rmtree(path, ignore_errors=True)


def held_by_others(folder: str) -> bool:
    """Tell whether another run is at work in a folder; no, where there are no such locks."""
    number = _open(folder)
    if number is None:
        return False
    try:
        return not _lock(number)
    finally:
        os.close(number)


def _open(folder: str) -> int | None:
    if os.name != "posix":
        return None
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None  # What is wrong with it, writing to it will say.


def _lock(number: int) -> bool:
    """Try to lock an open folder; False only if somebody else has."""
    try:
        # Imported here: Windows does not have it.
        from fcntl import LOCK_EX, LOCK_NB, flock
    except ImportError:
        return True
    try:
        flock(number, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # A file system without locks.
    return True


def _writer(name: str) -> str | None:
    """Return the number of the process that a temporary file is of; None if it is none."""
    if not (name.startswith(".") and name.endswith(_ENDINGS)):
        return None
    process, _, number = name[: -len(_ENDINGS[0])].rpartition(".")[2].partition("-")
    return process if process.isdecimal() and number.isdecimal() else None


def _remove(path: str, process: str) -> None:
    with suppress(OSError):
        status = os.lstat(path)
        # An old file may be a link to the original: it is as old as its last change of names.
        since = status.st_ctime if path.endswith(_ENDINGS[1]) else status.st_mtime
        is_old = time.time() - since > _STALE_AFTER
        if stat.S_ISREG(status.st_mode) and (is_old or not _is_running(process)):
            os.unlink(path)


def _is_left(path: str) -> bool:
    """Tell whether a folder that a run made is nobody's any more."""
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode):
        return False
    age = time.time() - status.st_mtime
    if os.name != "posix":
        return age > _STALE_AFTER**2
    # A new one may not be locked yet.
    return status.st_uid == os.getuid() and age > _STALE_AFTER and not held_by_others(path)


def _is_running(process: str) -> bool:
    """Tell whether another run may still be writing; when in doubt, assume so."""
    if os.name == "nt":
        return True  # On Windows `os.kill` with 0 would end it.
    if int(process) == os.getpid():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
