"""Finding, reading and replacing files, so that no byte of theirs is lost.

A file is replaced whole or not at all: the new text is written beside it, synced, and moved over
it. Whatever is killed when, the old file or the new one is there. Paths are strings: `pathlib`
takes as long to load as a small file takes to be edited.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from torchconf.errors import ProjectError, WriteRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "SourceFile",
    "find_project",
    "project_file",
    "read_file",
    "replace",
    "replace_all",
    "unified_diff",
]

NAME = "pyproject.toml"

_BOM = b"\xef\xbb\xbf"
_SUFFIX = ".torchconf"
_STALE_AFTER = 60.0  # seconds; a write takes milliseconds


class SourceFile:
    """A text file as it was read."""

    __slots__ = ("bom", "path", "raw", "target", "text")

    def __init__(self, path: str, target: str, raw: bytes | None) -> None:
        """Decode what was read.

        Args:
            path: As the user knows the file.
            target: The file itself, where the path leads through links.
            raw: What was in it; None if there is no such file yet.

        Raises:
            ProjectError: It is not UTF-8, or not text.
        """
        self.path = path
        self.target = target
        self.raw = raw
        content = raw or b""
        self.bom = content.startswith(_BOM)
        """Whether it begins with a byte order mark, which `text` does not have."""
        self.text = _decode(path, content.removeprefix(_BOM))
        """With the line endings of the file."""

    def encode(self, text: str) -> bytes:
        """Return the bytes of a new text for this file."""
        return (_BOM if self.bom else b"") + text.encode("utf-8")


def find_project(start: str | os.PathLike[str] = ".") -> str:
    """Return the path of the nearest `pyproject.toml` in a folder or above it.

    Raises:
        ProjectError: There is none.
    """
    folder = first = os.path.abspath(start)
    while True:
        path = os.path.join(folder, NAME)
        # A link that leads nowhere is found too: reading it says what is wrong.
        if os.path.lexists(path):
            return path
        above = os.path.dirname(folder)
        if above == folder:
            raise ProjectError(
                f"no `{NAME}` in this folder or above it",
                at=first,
                help="run `torchconf init` to make one, or name the folder with `--project`",
            )
        folder = above


def project_file(folder: str | os.PathLike[str]) -> str:
    """Return the path of the `pyproject.toml` in a folder that the user named; it may be missing.

    Raises:
        ProjectError: There is no such folder.
    """
    path = os.fspath(folder)
    if os.path.basename(path) == NAME and not os.path.isdir(path):
        return path
    if not os.path.isdir(path):
        what = "not a folder" if os.path.lexists(path) else "there is no such folder"
        raise ProjectError(what, at=path, help=f"name the folder of a `{NAME}`")
    return os.path.join(path, NAME)


def read_file(path: str | os.PathLike[str], *, may_be_missing: bool = False) -> SourceFile:
    """Read a text file.

    Args:
        path: Of the file, or of a link to it.
        may_be_missing: Whether a missing file is as good as an empty one, to be made later.

    Raises:
        ProjectError: It is missing, not a regular file, not readable, or not UTF-8 text.
    """
    path = os.fspath(path)
    target = os.path.realpath(path)
    try:
        mode = os.stat(target).st_mode
        if stat.S_ISDIR(mode):
            raise ProjectError("this is a folder, not a file", at=path)
        if not stat.S_ISREG(mode):
            # Opening a pipe would wait for somebody to write to it.
            raise ProjectError("this is a device or a pipe, not a regular file", at=path)
        with open(target, "rb") as file:
            return SourceFile(path, target, file.read())
    except FileNotFoundError as error:
        if os.path.islink(path):
            raise ProjectError(f"this is a link to nothing: `{target}`", at=path) from error
        if not may_be_missing:
            raise ProjectError("there is no such file", at=path) from error
        return SourceFile(path, target, None)
    except OSError as error:
        raise ProjectError(f"this cannot be read: {_reason(error)}", at=path) from error


def replace(file: SourceFile, text: str) -> SourceFile:
    """Put a new text in the place of a file, or make the file if it was missing.

    Returns:
        The file as it is now.

    Raises:
        WriteRefused: The file is as it was, or as somebody else has just changed it.
    """
    return replace_all([(file, text)])[0]


def replace_all(changes: Iterable[tuple[SourceFile, str]]) -> list[SourceFile]:
    """Replace several files, or none of them.

    Everything that can fail for want of room or permission is done before the first file is
    replaced. Each file is its old or its new self at any moment; a kill between two replacements
    leaves one of each.

    Returns:
        The files as they are now, in the same order. One whose text is the same is not written.

    Raises:
        WriteRefused: One of them cannot be written; all are as they were.
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
        moved = [each for each in writing if each.moved()]
        for each in moved if len(moved) < len(writing) else ():
            each.move_back()
        raise
    finally:
        for each in writing:
            each.clean()
    for folder in {each.folder for each in writing}:
        _sync_folder(folder)
    return [SourceFile(file.path, file.target, content) for file, content in pairs]


class _Replacement:
    """One file on its way from old to new."""

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
        """Write the new content beside the file, and if asked to the old one too."""
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
                "the file is read-only", at=self.file.path, help="make it writable, and run again"
            )
        if status.st_nlink > 1:
            raise WriteRefused(
                f"the file has {status.st_nlink} names (hard links): it cannot be replaced under "
                "all of them at once",
                at=self.file.path,
                help="put a copy in its place, `cp pyproject.toml copy && mv copy pyproject.toml`, "
                "and run again",
            )
        return status

    def refuse_if_changed(self) -> None:
        """Compare the file with what was read."""
        file = self.file
        what = None
        try:
            if os.path.realpath(file.path) != file.target:
                what = "the link leads elsewhere now"
            elif file.raw is None:
                what = "the file has appeared meanwhile" if os.path.lexists(file.target) else None
            elif not stat.S_ISREG(os.stat(file.target).st_mode) or file.raw != _read(file.target):
                what = "the file has changed since it was read"
        except FileNotFoundError:
            what = "the file has vanished since it was read"
        except OSError as error:
            raise self._refusal(error) from error
        if what:
            raise WriteRefused(what, at=file.path, help="look at it, and run the command again")

    def move(self) -> None:
        """Let the new file take the name."""
        try:
            if self.file.raw is None:
                _create(self.new, self.file.target)
            else:
                os.replace(self.new, self.file.target)
        except FileExistsError as error:
            raise WriteRefused(
                "the file has appeared meanwhile",
                at=self.file.path,
                help="look at it, and run the command again",
            ) from error
        except OSError as error:
            raise self._refusal(error) from error

    def moved(self) -> bool:
        """Tell whether the new file has the name, whatever interrupted what."""
        if not self.ready:
            return False
        try:
            return os.path.samefile(self.new, self.file.target)
        except OSError:
            return not os.path.lexists(self.new)

    def move_back(self) -> None:
        """Let the old file have the name again."""
        try:
            if self.file.raw is None:
                os.unlink(self.file.target)
            else:
                os.replace(self.old, self.file.target)
        except OSError as error:
            kept, self.old = self.old, ""
            raise WriteRefused(
                f"the other file could not be written, and this one not be put back: "
                f"{_reason(error)}",
                at=self.file.path,
                help=f"its old content is in `{kept}`" if self.file.raw is not None else None,
            ) from error

    def clean(self) -> None:
        """Leave nothing beside the file."""
        for path in (self.new, self.old):
            with suppress(OSError):
                os.unlink(path)

    def _refusal(self, error: OSError) -> WriteRefused:
        return WriteRefused(
            f"the file cannot be written: {_reason(error)}",
            at=self.file.path,
            help=f"see to the folder `{self.folder}`, and run the command again",
        )


def _decode(path: str, content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        # A UTF-16 mark is what Windows editors and `>` in an old PowerShell leave behind.
        wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        what = "it is UTF-16" if wide else f"byte 0x{content[error.start]:02x}"
        raise ProjectError(
            f"not UTF-8, as TOML must be: {what}",
            at=path if wide else f"{path}, line {line}",
            help="save the file as UTF-8",
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ProjectError(
            "not a text file: there is a NUL byte in it",
            at=f"{path}, line {line}",
            help="save the file as UTF-8",
        )
    return text


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _write(path: str, content: bytes, like: str, status: os.stat_result | None) -> None:
    """Write a new file and sync it; with `status`, give it owner and mode of the file `like`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    number = os.open(path, flags, 0o666 if status is None else 0o600)
    with open(number, "wb") as file:
        file.write(content)
        if status is not None:
            _dress(path, like, status)
        file.flush()
        os.fsync(file.fileno())


def _dress(path: str, like: str, status: os.stat_result) -> None:
    """Give a file the owner, attributes and mode of another, as far as the system has them."""
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
    """Give a file a second name that must be free; the first one goes later."""
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
    """Remove what a killed run has left beside a file."""
    folder, name = os.path.split(target)
    with suppress(OSError):
        for entry in os.listdir(folder):
            if entry.startswith(f".{name}.") and entry.endswith(_SUFFIX):
                path = os.path.join(folder, entry)
                process = entry[len(name) + 2 :].partition("-")[0]
                if not _is_running(process) or time.time() - os.stat(path).st_mtime > _STALE_AFTER:
                    os.unlink(path)


def _is_running(process: str) -> bool:
    """Tell whether another run may still be writing; when in doubt, it may."""
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
    """Write the new name through to the disk, where folders can be opened."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.EACCES | errno.EPERM if getattr(error, "winerror", None) in (5, 32):
            return "another program has it open, or there is no permission"
        case errno.EACCES | errno.EPERM:
            return "no permission"
        case errno.ENOSPC | errno.EDQUOT:
            return "no space left on the disk"
        case errno.EROFS:
            return "the file system is read-only"
        case errno.ENOENT:
            return "the folder is not there"
        case errno.ELOOP:
            return "the link leads in a circle"
        case _:
            return (error.strerror or str(error)).lower()


def unified_diff(old: str, new: str, name: str = NAME) -> str:
    """Return the difference between two texts as `diff -u` writes it; empty if there is none."""
    if old == new:
        return ""
    # Imported here: only a run that shows a difference needs it.
    from difflib import unified_diff as diff

    lines = []
    for line in diff(_lines(old), _lines(new), name, name):
        lines.append(line)
        if not line.endswith("\n"):
            lines.append("\n\\ No newline at end of file\n")
    return "".join(lines)


def _lines(text: str) -> Sequence[str]:
    """Split at line feeds only: `splitlines` knows further characters, which TOML does not."""
    *lines, rest = text.split("\n")
    return [*(f"{line}\n" for line in lines), *([rest] if rest else [])]
