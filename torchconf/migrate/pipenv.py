"""Pipenv: the Pipfile."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.errors import ProjectError
from torchconf.migrate.old import BASE, LeftOut, OldFile, OldIndex, PythonBound, Section
from torchconf.migrate.table_needs import read_package
from torchconf.migrate.toml_file import TomlFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.migrate.old import Item, Place

__all__ = ["read_pipfile"]

_WRONG = "its value has the wrong type"
_SETTING = "a setting of Pipenv itself"
_SCRIPT = "uv has no task runner; `uv run` runs a command"


def read_pipfile(path: str, text: str) -> OldFile:
    """Read a Pipfile.

    Raises:
        ProjectError: It is not TOML, or lists no packages.
    """
    file = TomlFile(path, text)
    if not any(isinstance(table, dict) for table in file.data.values()):
        raise ProjectError(
            "not a Pipfile: the file has no table `[packages]`",
            at=path,
            help="pass the Pipfile, not its lockfile",
        )
    return OldFile(path, "pipenv", file.account(_read(file)))


def _read(file: TomlFile) -> Iterator[Item]:
    for key, value in file.data.items():
        if key == "source" and isinstance(value, list):
            for number, source in enumerate(value):
                yield _source(source, *file.take(key, number), first=number == 0)
        elif isinstance(value, dict):
            for name, entry in value.items():
                yield from _entry(key, name, entry, *file.take(key, name))
        else:
            at, text = file.take(key)
            yield LeftOut(at, text, f"Pipenv has no key `{key}`", understood=False)


def _entry(table: str, name: str, entry: object, at: Place, text: str) -> Iterator[Item]:
    """Yield what one line of a table says; a table of another name is a category of packages."""
    match table:
        case "packages":
            yield from read_package(name, entry, at, text, BASE)
        case "dev-packages":
            yield from read_package(name, entry, at, text, Section("group", "dev"))
        case "requires":
            yield _python(name, entry, at, text)
        case "scripts":
            yield LeftOut(at, text, _SCRIPT)
        case "pipenv":
            yield _setting(name, entry, at, text)
        case _:
            section = Section("group", table, optional=True)
            yield from read_package(name, entry, at, text, section)


def _setting(name: str, value: object, at: Place, text: str) -> Item:
    if name == "allow_prereleases" and value is not False:
        why = 'uv has `prerelease = "allow"` under `[tool.uv]` for this'
        return LeftOut(at, text, why, understood=False)
    return LeftOut(at, text, _SETTING)


def _python(name: str, value: object, at: Place, text: str) -> Item:
    match = re.fullmatch(r"\s*([0-9]+(?:[.][0-9]+)?)(?:[.][0-9]+)*\s*", str(value))
    if name not in {"python_version", "python_full_version"}:
        return LeftOut(at, text, f"Pipenv requires no `{name}`", understood=False)
    if not isinstance(value, str) or not (match or value == "*"):
        return LeftOut(at, text, f"`{value}` is not a version of Python", understood=False)
    return PythonBound(at, text, f"=={match[1]}.*" if match else "")


def _source(source: object, at: Place, text: str, *, first: bool) -> Item:
    url = source.get("url") if isinstance(source, dict) else None
    name = source.get("name", "") if isinstance(source, dict) else ""
    if not isinstance(url, str) or not isinstance(name, str):
        return LeftOut(at, text, "a source has a name and a URL", understood=False)
    # Since Pipenv 2022.3, the first source serves all packages that name no other one.
    return OldIndex(at, text, url, "index" if first else "explicit", name)
