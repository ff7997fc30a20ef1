"""Replace files atomically: completely or not at all.

The new text is written to a temporary file in the same folder, synced, and renamed over the
original. If the process is killed, either the old or the new file is in place; the next run removes
temporary files that were left behind.

Files with hard links are refused. Writing in place could be interrupted half-way, and renaming
would silently detach one name from the others.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from torchconf.errors import WriteRefused
from torchconf.files.reading import SourceFile, reason

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["replace", "replace_all"]

_SUFFIX = ".torchconf"
_STALE_AFTER = 60.0  # seconds; a write takes milliseconds


def replace(file: SourceFile, text: str) -> SourceFile:
    """Replace the text of a file, or create the file if it was missing.

    Returns:
        The file after the write.

    Raises:
        WriteRefused: Nothing was written: the file is unchanged, or somebody else changed it.
    """
    return replace_all([(file, text)])[0]


def replace_all(changes: Iterable[tuple[SourceFile, str]]) -> list[SourceFile]:
    """Replace several files, or none of them.

    Whatever can fail for lack of space or permission happens before the first file is replaced.
    Each single file is always complete; a process killed between two renames leaves some files new
    and some old.

    Returns:
        The files after the write, in the same order. A file whose text is the same is not written.

    Raises:
        WriteRefused: One of them cannot be written; all are unchanged.
    """
    pairs = [(file, file.encode(text)) for file, text in changes]
    writing = [
        _Replacement(file, content, number)
        for number, (file, content) in enumerate(pairs)
        if content != file.raw
    ]
    try:
        for each in writing:
            each.prepare(keep_old=len(writing) > 1)
        for each in writing:
            each.refuse_if_changed()
        for each in writing:
            each.move()
    except BaseException:
        _undo(writing)
        raise
    finally:
        for each in writing:
            each.clean()
    for folder in {each.folder for each in writing}:
        _sync_folder(folder)
    return [SourceFile(file.path, file.target, content) for file, content in pairs]


def _undo(writing: list[_Replacement]) -> None:
    """Restore the files that were replaced, unless all of them were."""
    moved = [each for each in writing if each.moved()]
    problems = []
    if len(moved) < len(writing):
        for each in moved:
            try:
                each.move_back()
            except WriteRefused as error:
                problems.append(error)
    if problems:
        raise problems[0]


class _Replacement:
    """The replacement of one file, with its temporary files."""

    __slots__ = ("content", "file", "folder", "new", "old", "ready")

    def __init__(self, file: SourceFile, content: bytes, number: int) -> None:
        self.file = file
        self.content = content
        self.folder, name = os.path.split(file.target)
        stem = os.path.join(self.folder, f".{name}.{os.getpid()}-{number}")
        self.new = f"{stem}-new{_SUFFIX}"
        self.old = f"{stem}-old{_SUFFIX}"
        self.ready = False

    def prepare(self, *, keep_old: bool) -> None:
        """Write the new content to a temporary file; with `keep_old`, back up the old one too."""
        _sweep(self.file.target)
        self.refuse_if_changed()
        try:
            status = self._status_if_writable() if self.file.raw is not None else None
            _write(self.new, self.content, self.file.target, status)
            if keep_old and self.file.raw is not None:
                _write(self.old, self.file.raw, self.file.target, status)
            self.ready = True
        except OSError as error:
            raise self._refusal(error) from error

    def _status_if_writable(self) -> os.stat_result:
        status = os.stat(self.file.target)
        # The mode counts even for root, who could write all the same.
        if not status.st_mode & 0o222 or not os.access(self.file.target, os.W_OK):
            raise WriteRefused(
                "the file is read-only",
                at=self.file.path,
                help="make it writable and run the command again",
            )
        if status.st_nlink > 1:
            raise WriteRefused(
                f"the file has {status.st_nlink} hard links, which cannot all be replaced at once",
                at=self.file.path,
                help="replace the file with a copy of itself and run the command again",
            )
        return status

    def refuse_if_changed(self) -> None:
        """Compare the file with what was read."""
        file = self.file
        what = None
        try:
            if os.path.realpath(file.path) != file.target:
                what = "the symlink target has changed since it was read"
            elif file.raw is None:
                what = (
                    "the file has been created since it was read"
                    if os.path.lexists(file.target)
                    else None
                )
            elif not stat.S_ISREG(os.stat(file.target).st_mode) or file.raw != _read(file.target):
                what = "the file has changed since it was read"
        except FileNotFoundError:
            what = "the file has been deleted since it was read"
        except OSError as error:
            raise self._refusal(error) from error
        if what:
            raise WriteRefused(what, at=file.path, help="check the file and run the command again")

    def move(self) -> None:
        """Rename the new file over the original."""
        try:
            if self.file.raw is None:
                _create(self.new, self.file.target)
            else:
                os.replace(self.new, self.file.target)
        except FileExistsError as error:
            raise WriteRefused(
                "the file has been created since it was read",
                at=self.file.path,
                help="check the file and run the command again",
            ) from error
        except OSError as error:
            raise self._refusal(error) from error

    def moved(self) -> bool:
        """Tell whether the new file is in place, even after an interruption."""
        if not self.ready:
            return False
        try:
            return os.path.samefile(self.new, self.file.target)
        except OSError:
            return not os.path.lexists(self.new)

    def move_back(self) -> None:
        """Restore the old file."""
        try:
            if self.file.raw is None:
                os.unlink(self.file.target)
            else:
                os.replace(self.old, self.file.target)
        except OSError as error:
            kept, self.old = self.old, ""
            raise WriteRefused(
                f"another file could not be written, and this one could not be restored: "
                f"{reason(error)}",
                at=self.file.path,
                help=f"its previous content is in `{kept}`" if self.file.raw is not None else None,
            ) from error

    def clean(self) -> None:
        """Remove the temporary files."""
        for path in (self.new, self.old):
            with suppress(OSError):
                os.unlink(path)

    def _refusal(self, error: OSError) -> WriteRefused:
        return WriteRefused(
            f"cannot write the file: {reason(error)}",
            at=self.file.path,
            help=f"check the folder `{self.folder}` and run the command again",
        )


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _write(path: str, content: bytes, like: str, status: os.stat_result | None) -> None:
    """Write a new file and sync it; with `status`, copy owner and mode from the file `like`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    number = os.open(path, flags, 0o666 if status is None else 0o600)
    with open(number, "wb") as file:
        file.write(content)
        if status is not None:
            _dress(path, like, status)
        file.flush()
        os.fsync(file.fileno())


def _dress(path: str, like: str, status: os.stat_result) -> None:
    """Copy owner, extended attributes and mode to a file, as far as the system supports them."""
    if hasattr(os, "chown"):
        # Only root may give files away; a group that is one's own can be kept.
        for owner, group in ((status.st_uid, -1), (-1, status.st_gid)):
            with suppress(OSError):
                os.chown(path, owner, group)
    if hasattr(os, "listxattr"):
        with suppress(OSError):
            for name in os.listxattr(like):
                with suppress(OSError):
                    os.setxattr(path, name, os.getxattr(like, name))
    os.chmod(path, stat.S_IMODE(status.st_mode))


def _create(new: str, target: str) -> None:
    """Link a file under a name that must not exist yet; the temporary name is removed later."""
    try:
        os.link(new, target)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError, AttributeError):
        # A file system without hard links. On Windows renaming does not overwrite either.
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        os.rename(new, target)


def _sweep(target: str) -> None:
    """Remove temporary files that a killed run left beside a file."""
    folder, name = os.path.split(target)
    with suppress(OSError):
        for entry in os.listdir(folder):
            if entry.startswith(f".{name}.") and entry.endswith(_SUFFIX):
                path = os.path.join(folder, entry)
                process = entry[len(name) + 2 :].partition("-")[0]
                if not _is_running(process) or time.time() - os.stat(path).st_mtime > _STALE_AFTER:
                    os.unlink(path)


def _is_running(process: str) -> bool:
    """Tell whether another run may still be writing; when in doubt, assume so."""
    if os.name == "nt" or not process.isdecimal():
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


def _sync_folder(folder: str) -> None:
    """Sync the folder so that the rename reaches the disk, where folders can be opened."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
