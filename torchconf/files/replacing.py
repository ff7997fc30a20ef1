"""Replace files atomically: completely or not at all.

The new text is written to a temporary file in the same folder, synced, and renamed over the
original. If the process is killed, either the old or the new file is in place; the next run removes
temporary files that were left behind. Ctrl-C, SIGTERM and SIGHUP undo what was begun.

Two runs of torchconf never write to one folder at once. Other programs know nothing of that, and no
system call compares and replaces. So the old file keeps a second name until the new one is in
place: if somebody has written to it after the last look, it gets its place back.

Files with hard links are refused. Writing in place could be interrupted half-way, and renaming
would silently detach one name from the others.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from torchconf.errors import WriteRefused
from torchconf.files.litter import locked, sweep, temporary
from torchconf.files.reading import SourceFile, reason, spoken_path

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["changed_so_far", "forget_changes", "remove_created", "replace", "replace_all"]

_first: dict[str, SourceFile] = {}
"""The files that this run has replaced, as they were before: place to file."""


def forget_changes() -> None:
    """Begin another run in the same process."""
    _first.clear()


def changed_so_far() -> list[str]:
    """Return the paths of the files that are not as this run found them."""
    return [spoken_path(file.path) for file in _first.values()]


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
    # Imported here: most commands write nothing.
    from torchconf.interrupts import held, orderly

    pairs = [(file, file.encode(text)) for file, text in changes]
    writing = [
        _Replacement(file, content, number)
        for number, (file, content) in enumerate(pairs)
        if content != file.raw
    ]
    folders = {each.folder for each in writing}
    with orderly(), locked(folders):
        for folder in folders:
            sweep(folder, is_locked=True)
        try:
            for each in writing:
                each.prepare()
            with held() as waiting:
                try:
                    for each in writing:
                        each.refuse_if_changed()
                    if not waiting:
                        _move(writing)
                finally:
                    for each in writing:
                        each.clean()
            if not all(each.is_done for each in writing):
                raise KeyboardInterrupt
        finally:
            # Of what an interruption has cut before.
            with held():
                for each in writing:
                    each.clean()
    for folder in folders:
        _sync_folder(folder)
    return [SourceFile(file.path, file.target, content) for file, content in pairs]


def remove_created(file: SourceFile) -> None:
    """Remove a file that was missing before, if it is there."""
    with suppress(FileNotFoundError):
        os.remove(file.target)
    _first.pop(file.target, None)


def _move(writing: list[_Replacement]) -> None:
    """Put all new files in place, or none."""
    try:
        for each in writing:
            each.move()
        for each in writing:
            each.refuse_if_written_to()
    except BaseException:
        problems = []
        for each in writing:
            if each.moved():
                try:
                    each.move_back()
                except WriteRefused as error:
                    problems.append(error)
        if problems:
            raise problems[0] from None
        raise
    for each in writing:
        each.note()


class _Replacement:
    """The replacement of one file, with its temporary files."""

    __slots__ = ("content", "file", "folder", "is_done", "new", "old", "ready")

    def __init__(self, file: SourceFile, content: bytes, number: int) -> None:
        self.file = file
        self.content = content
        self.folder = os.path.dirname(file.target)
        self.new = temporary(file.target, number, "new")
        self.old = temporary(file.target, number, "old")
        self.ready = self.is_done = False

    def prepare(self) -> None:
        """Write the new content to a temporary file, and give the old one a second name."""
        self.refuse_if_changed()
        try:
            status = self._status_if_writable() if self.file.raw is not None else None
            _write(self.new, self.content, self.file.target, status)
            if self.file.raw is not None:
                try:
                    os.link(self.file.target, self.old)
                except (OSError, NotImplementedError, AttributeError):
                    # A file system without hard links: a copy will do.
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

    def refuse_if_written_to(self) -> None:
        """Look at the old file once more, now that nobody finds it under its name."""
        if self.file.raw is not None and _read(self.old) != self.file.raw:
            raise WriteRefused(
                "the file has changed since it was read",
                at=self.file.path,
                help="check the file and run the command again",
            )

    def note(self) -> None:
        """Remember that the file is not as this run found it, unless it is again."""
        self.is_done = True
        first = _first.setdefault(self.file.target, self.file)
        if first.raw == self.content:
            del _first[self.file.target]

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
            # Under a name that no later run sweeps up.
            kept = f"{self.old.removesuffix('-old.torchconf')}-kept.torchconf"
            try:
                os.rename(self.old, kept)
            except OSError:
                kept = self.old
            self.old = ""
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


def _sync_folder(folder: str) -> None:
    """Sync the folder so that the rename reaches the disk, where folders can be opened."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
