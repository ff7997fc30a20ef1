"""Finding and reading files: whatever is there becomes a text, or an error that says why not."""

from __future__ import annotations

import errno
import os
import stat

from torchconf.errors import ProjectError, WriteRefused

__all__ = [
    "NAME",
    "PYTHON",
    "SourceFile",
    "find_project",
    "from_project",
    "project_file",
    "read_file",
    "read_if_there",
    "read_regular",
    "reason",
]

NAME = "pyproject.toml"
PYTHON = (".py", ".pyw")
"""How the names of scripts end."""

_LARGEST = 100_000_000
"""More bytes than any file has that a person or uv has written."""
BYTE_ORDER_MARK = "\ufeff"
_BOM = BYTE_ORDER_MARK.encode()


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
        """Return the bytes of a new text for this file.

        Raises:
            WriteRefused: There is half a character in it, which a terminal may hand over.
        """
        try:
            return (_BOM if self.bom else b"") + text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise WriteRefused(
                f"the new text is not valid Unicode: {text[error.start : error.end]!a}",
                at=self.path,
                help="pass names encoded in UTF-8",
            ) from error


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
            # Imported here: only a folder without a project has what other tools read.
            from torchconf.files.old_names import hint_to_migrate

            raise ProjectError(
                f"no `{NAME}` in this folder or above it",
                at=first,
                help=hint_to_migrate(first)
                or "run `torchconf init` to create one, or pass the folder with `--project`",
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
        refuse_old_file(path)
        what = "not a folder" if os.path.lexists(path) else "no such folder"
        is_script = path.endswith(PYTHON) and os.path.lexists(path)
        script = "; commands that read scripts take one with `--script`" if is_script else ""
        raise ProjectError(what, at=path, help=f"pass the folder of a `{NAME}`{script}")
    return os.path.join(path, NAME)


def refuse_old_file(path: str) -> None:
    """Refuse a file that another tool than uv reads, and name what does read it.

    Raises:
        ProjectError: It is one.
    """
    from torchconf.files.old_names import format_of, title_of

    title = title_of(path)
    if title is None or not os.path.isfile(path):
        return
    if format_of(path) == "setup":
        help_ = f"name the folder of a `{NAME}`; `torchconf init` creates one"
    else:
        help_ = f"run `torchconf migrate {path}` to turn it into a uv project"
    raise ProjectError(f"this is {title}, which uv does not read as a project", at=path, help=help_)


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
        return SourceFile(path, target, read_regular(target))
    except FileNotFoundError as error:
        if os.path.islink(path):
            raise ProjectError(f"broken symlink: `{target}`", at=path) from error
        if not may_be_missing:
            raise ProjectError("no such file", at=path) from error
        return SourceFile(path, target, None)
    except OSError as error:
        what = _KINDS.get(error.errno or 0) or f"cannot read: {reason(error)}"
        raise ProjectError(what, at=path) from error


_KINDS = {
    errno.EISDIR: "is a folder, not a file",
    errno.ENODEV: "not a regular file",
    errno.EFBIG: f"larger than {_LARGEST // 1_000_000} MB",
}


def from_project(folder: str | None, path: str) -> str:
    """Return a path as it is meant beside `--project`: inside of that folder, if it is there.

    Args:
        folder: What `--project` names; None without.
        path: Relative to that folder or to the current one.
    """
    inside = os.path.join(folder, path) if folder is not None else path
    return inside if os.path.exists(inside) else path


def read_regular(path: str, most: int = _LARGEST) -> bytes:
    """Read a file, but no pipe, which would wait for somebody to write, and no device.

    Raises:
        OSError: It cannot be read; EISDIR for a folder, ENODEV for anything else that is not a
            regular file, EFBIG for one with more bytes than `most`.
    """
    # Looked at before it is opened: opening a device can do something.
    _refuse_odd(os.stat(path), path, most)
    number = os.open(path, os.O_RDONLY | _FLAGS)
    with open(number, "rb") as file:
        _refuse_odd(os.fstat(number), path, most)
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
    return content


_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def _refuse_odd(status: os.stat_result, path: str, most: int) -> None:
    number = 0
    if stat.S_ISDIR(status.st_mode):
        number = errno.EISDIR
    elif not stat.S_ISREG(status.st_mode):
        number = errno.ENODEV
    elif status.st_size > most:
        number = errno.EFBIG
    if number:
        raise OSError(number, os.strerror(number), path)


def read_if_there(path: str) -> str:
    """Return the text of a file that is of use only if it can be read; else nothing."""
    try:
        return read_regular(path).decode("utf-8", errors="replace")
    except OSError:
        return ""


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
            spot=(line, 1),
            help="save the file as UTF-8",
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ProjectError(
            "not a text file: it contains a NUL byte",
            at=f"{path}, line {line}",
            spot=(line, 1),
            help="save the file as UTF-8",
        )
    return text


def reason(error: OSError) -> str:
    """Say in words why the system refused."""
    # Windows: 5 is access denied, 32 a sharing violation. Which of them it is, depends on luck.
    if getattr(error, "winerror", None) in {5, 32}:
        return "another program has it open, or permission is denied"
    return _REASONS.get(error.errno or 0) or (error.strerror or str(error)).lower()


_REASONS = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENOSPC: "no space left on the disk",
    errno.EDQUOT: "no space left on the disk",
    errno.EROFS: "the file system is read-only",
    errno.ENOENT: "no such file or folder",
    errno.ELOOP: "symlink loop",
    errno.EISDIR: "it is a folder",
    errno.ENODEV: "it is not a regular file",
    errno.EFBIG: "it is too large",
    errno.EBADF: "it is closed",
}


def spoken_path(path: str) -> str:
    """Return a path as a person would say it: relative where that is shorter."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive on Windows
        return path
    return relative if len(relative) < len(path) else path
