"""The files of other tools in a project's folder, and what they include: found and read."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from torchconf import files
from torchconf.edits.read_toml import read_toml
from torchconf.errors import ProjectError
from torchconf.files.old_names import format_of, tables_of
from torchconf.files.reading import read_regular, reason
from torchconf.migrate.decode import decode
from torchconf.migrate.old import Include, LeftOut, OldFile
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torchconf.migrate.old import Item

__all__ = ["OldFiles", "is_inside", "load_old_files"]

_LARGEST = 10_000_000
"""Bytes of a file that somebody has written, or a tool."""
_MOST = 2_000
"""Files that include each other."""
_CONSTRAINTS = re.compile(r"(?:.*[-_.])?constraints?(?:[-_.].*)?", re.IGNORECASE)


class Beside(NamedTuple):
    """A file that stays as it is, for a build backend."""

    file: str
    """Relative to the project's folder."""
    requires: tuple[str, ...] = ()
    """What it says that the package needs, as far as that can be read without running it."""


class OldFiles(NamedTuple):
    """What was read."""

    read: tuple[OldFile, ...]
    """Each before those that it includes."""
    beside: tuple[Beside, ...] = ()
    """Files that stay as they are and say something of their own: `setup.py`."""
    outside: tuple[str, ...] = ()
    """Links that lead out of the project's folder, and that nobody named."""


def is_inside(path: str, folder: str) -> bool:
    """Tell whether a file is in a folder, wherever links lead."""
    root, real = os.path.realpath(folder), os.path.realpath(path)
    return real.startswith(os.path.join(root, ""))


def load_old_files(paths: Iterable[str], folder: str) -> OldFiles:
    """Read files and what they include; nothing outside of the folder, and no URL.

    Args:
        paths: Of files that somebody named, or that were found.
        folder: Of the project.

    Raises:
        ProjectError: A file cannot be read, or is not of its format.
    """
    paths = tuple(paths)
    beside = [path for path in paths if format_of(path) == "setup"]
    loader = _Loader(folder)
    for path in paths:
        if os.path.basename(path) == files.NAME:
            loader.load_tables(path)
        elif path not in beside:
            loader.load(path)
    return OldFiles(
        (*loader.tables, *loader.read.values()),
        tuple(_beside(path, os.path.relpath(path, folder)) for path in beside),
    )


def _beside(path: str, name: str) -> Beside:
    if not name.endswith(".cfg"):
        return Beside(name)
    from torchconf.migrate.setup_cfg import requirements_of

    return Beside(name, requirements_of(decode(name, _content(path, name))))


class _Loader:
    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.read: dict[str, OldFile] = {}
        """By path, relative to the folder."""
        self.tables: list[OldFile] = []
        """The tables of a pyproject.toml, one entry a tool."""
        self.real: dict[str, str] = {}
        """The paths by which files were read, by the files that they lead to."""

    def load_tables(self, path: str) -> None:
        """Read the tables of other tools in a pyproject.toml."""
        name = self._name(path)
        text = decode(name, _content(path, name))
        found = [_reader(kind)(name, text) for kind in tables_of(read_toml(text, name))]
        if not found:
            raise ProjectError(
                "it has no table of another tool",
                at=name,
                help="name a requirements file, or start with `torchconf init`",
            )
        self.tables += found

    def _name(self, path: str) -> str:
        return os.path.relpath(path, self.folder).replace(os.sep, "/")

    def load(self, path: str) -> None:
        """Read a file and, one after the other, what it includes."""
        inside = self._roots(path)
        waiting = [(path, False)]
        while waiting:
            path, bounds = waiting.pop()
            real = os.path.realpath(path)
            if real in self.real:
                continue
            name = self._name(path)
            if len(self.read) >= _MOST:
                raise ProjectError(
                    f"more than {_MOST:,} files include each other",
                    at=name,
                    help="name the files that matter: `torchconf migrate FILE...`",
                )
            self.real[real] = name
            file = _read(path, name, bounds=bounds)
            items: list[Item] = []
            more: list[tuple[str, bool]] = []
            for item in file.items:
                new, target = self._followed(item, path, inside)
                items.append(new)
                if target:
                    more.append((target, isinstance(item, Include) and item.kind == "bounds"))
            more += [(source, False) for source in self._sources(file, path, inside)]
            self.read[name] = file._replace(items=tuple(items))
            waiting += reversed(more)

    def _roots(self, path: str) -> tuple[str, ...]:
        """Return the folders that an include may lead to: the project's, and the file's own."""
        return (os.path.realpath(self.folder), os.path.dirname(os.path.realpath(path)))

    def _followed(self, item: Item, path: str, inside: tuple[str, ...]) -> tuple[Item, str]:
        """Return an item, and the file that it includes; what is not read is left out."""
        if not isinstance(item, Include):
            return item, ""
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", item.file):
            return LeftOut(item.at, item.text, "torchconf does not read URLs", understood=False), ""
        target = os.path.join(os.path.dirname(path), item.file.replace("\\", "/"))
        if why := _refusal(target, inside):
            return LeftOut(item.at, item.text, why, understood=False), ""
        return item, os.path.normpath(target)

    @staticmethod
    def _sources(file: OldFile, path: str, inside: tuple[str, ...]) -> Iterator[str]:
        """Yield the files that a compiled file was made from."""
        if not file.compiled:
            return
        for source in file.sources:
            for folder in (os.path.dirname(path), inside[0]):
                target = os.path.join(folder, source)
                if format_of(target) == "pip" and not _refusal(target, inside):
                    yield os.path.normpath(target)
                    break


def _refusal(target: str, inside: tuple[str, ...]) -> str:
    """Say why a file is not followed; empty if it can be read."""
    try:
        real = os.path.realpath(target)
        status = os.stat(real)
    except (OSError, ValueError) as error:
        return f"cannot read it: {reason(error) if isinstance(error, OSError) else error}"
    if not any(os.path.commonpath([root, real]) == root for root in _on_drive(real, inside)):
        return "it is outside of the project's folder, and was not read"
    return "" if stat.S_ISREG(status.st_mode) else "it is not a regular file"


def _on_drive(real: str, inside: tuple[str, ...]) -> Iterator[str]:
    drive = os.path.splitdrive(real)[0]
    yield from (root for root in inside if os.path.splitdrive(root)[0] == drive)


def _content(path: str, name: str) -> bytes:
    try:
        return read_regular(path, _LARGEST)
    except OSError as error:
        raise ProjectError(f"cannot read: {reason(error)}", at=name) from error


def _read(path: str, name: str, *, bounds: bool) -> OldFile:
    """Read one file; with `bounds` it lists constraints.

    Raises:
        ProjectError: It cannot be read, or no reader knows it.
    """
    text = decode(name, _content(path, name))
    kind = format_of(path)
    if kind in {"pip", None} and path.endswith((".txt", ".in", ".pip")):
        from torchconf.migrate.pip_file import read_pip

        bounds = bounds or _CONSTRAINTS.fullmatch(os.path.basename(path)) is not None
        return read_pip(name, text, constraints=bounds)
    if kind is None and path.endswith((".yml", ".yaml")):
        kind = "conda"
    return _reader(kind or "")(name, text)


def _reader(kind: str) -> Callable[[str, str], OldFile]:
    """Return the reader of a format; imported here, as one run reads few formats."""
    match kind:
        case "conda":
            from torchconf.migrate.conda import read_conda

            return read_conda
        case "pdm":
            from torchconf.migrate.pdm import read_pdm

            return read_pdm
        case "pipenv":
            from torchconf.migrate.pipenv import read_pipfile

            return read_pipfile
        case "pixi":
            from torchconf.migrate.pixi import read_pixi

            return read_pixi
        case "poetry":
            from torchconf.migrate.poetry import read_poetry

            return read_poetry
        case _:
            return _no_reader


def _no_reader(path: str, _: str) -> OldFile:
    raise ProjectError(
        "torchconf does not know this format",
        at=path,
        help="name a requirements file, an environment.yml, a Pipfile, a pixi.toml, or a "
        "pyproject.toml of Poetry or PDM",
    )
