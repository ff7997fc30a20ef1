"""conda: environment.yml, with the list that it hands to pip."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.errors import ProjectError
from torchconf.migrate.conda_list import refuse_exports
from torchconf.migrate.conda_packages import CondaPackages
from torchconf.migrate.conda_platforms import platform_key, selector_marker
from torchconf.migrate.conda_spec import parse_spec
from torchconf.migrate.conda_yaml import read_yaml
from torchconf.migrate.extra_markers import NoMarker
from torchconf.migrate.old import (
    BASE,
    LeftOut,
    OldFile,
    OldIndex,
    Part,
    Platforms,
    Section,
)
from torchconf.migrate.pip_file import read_pip_line
from torchconf.migrate.poetry_versions import NoSpecifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torchconf.migrate.conda_yaml import Entry, Yaml
    from torchconf.migrate.old import Item, Place

__all__ = ["read_conda"]

_WHY = {
    "name": "the environment's name; the project has its own",
    "prefix": "where the environment was; uv uses `.venv`",
}
_FEW = 10
"""So many builds nobody writes by hand."""
_OF_EXPORTS = ("_libgcc_mutex=", "ca-certificates=", "vs2015_runtime=", "libcxx=")
"""One of these is in every environment, and nobody asks for it."""


def read_conda(path: str, text: str) -> OldFile:
    """Read an environment.yml.

    Raises:
        ProjectError: It is not YAML or lists no dependencies, or PyYAML is missing.
    """
    refuse_exports(path, text)
    yaml = read_yaml(path, text)
    entries = {entry.key: entry for entry in yaml.pairs(yaml.root)}
    if "package" in entries and "metadata" in entries:
        raise ProjectError(
            "this is a lockfile of conda",
            at=path,
            help="pass the environment.yml that it was made from",
        )
    if "dependencies" not in entries:
        raise ProjectError(
            "not an environment of conda: there are no `dependencies`",
            at=path,
            help="pass an environment.yml",
        )
    names = [entry.value for entry in yaml.values(entries["dependencies"].node) if entry.value]
    is_export = (
        "prefix" in entries
        or sum(map(_has_build, names)) > _FEW
        or any(name.startswith(_OF_EXPORTS) for name in names)
    )
    return OldFile(path, "conda", tuple(_Reader(yaml, is_export=is_export).read()), is_export)


def _has_build(text: str) -> bool:
    """Tell a line as `conda env export` writes it: `numpy=1.26.4=py312hc5e2394_0`."""
    return re.fullmatch(r"[\w.-]+=[^=*]+=[^=*]+", text) is not None


def _channel(at: Place, text: str) -> Item:
    return LeftOut(at, text, "uv takes packages from indexes, not from channels")


def _platform(at: Place, text: str) -> Item:
    key = platform_key(text)
    return Platforms(at, text, (key,)) if key else LeftOut(at, text, "PyTorch has no builds for it")


def _index(at: Place, text: str) -> Item:
    return OldIndex(at, text, text, "extra")


_LISTS: dict[str, Callable[[Place, str], Item]] = {
    "channels": _channel,
    "platforms": _platform,
    "pip-repositories": _index,
}
"""The lists of plain values, and what an entry of each means."""


class _Reader:
    """The keys of one file."""

    def __init__(self, yaml: Yaml, *, is_export: bool) -> None:
        self._is_export = is_export
        self._yaml = yaml
        self._section = BASE

    def read(self) -> Iterator[Item]:
        """Yield an item for each line."""
        entries = [*self._yaml.pairs(self._yaml.root)]
        for entry in entries:
            if entry.key == "category" and entry.value and entry.value != "main":
                self._section = Section("group", entry.value)
        for entry in entries:
            yield from self._key(entry)

    def _key(self, entry: Entry) -> Iterator[Item]:
        text = self._yaml.text(entry)
        if (entry.key in _LISTS or entry.key == "dependencies") and not entry.is_list:
            yield LeftOut(entry.at, text, "this is not a list", understood=entry.value is None)
            return
        if entry.is_list and not entry.node.value:
            yield LeftOut(entry.at, text, "it is empty")
        match entry.key:
            case "dependencies":
                yield from self._dependencies(entry)
            case "channels" | "platforms" | "pip-repositories":
                for one in self._yaml.values(entry.node):
                    yield _LISTS[entry.key](one.at, self._yaml.text(one))
            case "category":
                yield Part(entry.at, text, "it applies to every dependency in the file")
            case "name" | "prefix":
                yield LeftOut(entry.at, text, _WHY[entry.key])
            case "variables":
                for one in [*self._yaml.pairs(entry.node)] or [entry]:
                    why = "uv sets no variables for an environment"
                    yield LeftOut(one.at, self._yaml.text(one), why, understood=one is entry)
            case _:
                why = f"an environment of conda has no key `{entry.key}`"
                yield LeftOut(entry.at, text, why, understood=False)

    def _dependencies(self, entry: Entry) -> Iterator[Item]:
        values = [*self._yaml.values(entry.node)]
        packages = CondaPackages(_named(value) for value in values)
        for value in values:
            if value.value is not None:
                yield from self._package(packages, value, value.value)
                continue
            pairs = [*self._yaml.pairs(value.node)]
            for pair in pairs:
                yield from self._pip(pair)
            if not pairs:
                why = "this is neither a package nor a list for pip"
                yield LeftOut(value.at, self._yaml.text(value) or "-", why, understood=False)

    def _package(self, packages: CondaPackages, entry: Entry, text: str) -> Iterator[Item]:
        """Yield what one match spec means."""
        try:
            marker = selector_marker(entry.comment)
            spec = parse_spec(text)._replace(is_export=self._is_export)
            yield from packages.items(entry.at, text, spec, marker, self._section)
        except (NoSpecifier, NoMarker) as error:
            yield LeftOut(entry.at, text, str(error), understood=False)

    def _pip(self, entry: Entry) -> Iterator[Item]:
        if entry.key != "pip":
            why = f"a list for `{entry.key}` is not read"
            yield LeftOut(entry.at, self._yaml.text(entry), why, understood=False)
            return
        lines = [*self._yaml.values(entry.node)] if entry.is_list else [entry]
        if not lines:
            yield LeftOut(entry.at, self._yaml.text(entry), "it is empty")
        for line in lines:
            if line.value is not None:
                found = read_pip_line(line.at, line.value, self._section)
                yield from found or [LeftOut(line.at, line.value or "-", "it is empty")]
            else:
                why = "this is not a line for pip"
                yield LeftOut(line.at, self._yaml.text(line) or "-", why, understood=False)


def _named(entry: Entry) -> tuple[str, str]:
    """Return the name of a package and its marker; both are empty if it is not understood."""
    try:
        return parse_spec(entry.value or "").name, selector_marker(entry.comment)
    except (NoSpecifier, NoMarker):
        return "", ""
