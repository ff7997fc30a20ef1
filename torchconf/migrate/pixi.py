"""pixi: pixi.toml, or `[tool.pixi]` of a pyproject.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.errors import ProjectError
from torchconf.migrate.old import (
    BASE,
    LeftOut,
    OldFile,
    OldIndex,
    Part,
    Section,
)
from torchconf.migrate.pixi_features import feature_sections
from torchconf.migrate.pixi_rows import (
    CONDA,
    WRONG,
    Scope,
    named_platforms,
    package_row,
    platform_rows,
    scope_of,
    system_row,
    target_marker,
)
from torchconf.migrate.poetry_about import about
from torchconf.migrate.table_needs import read_package
from torchconf.migrate.toml_file import TomlFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from torchconf.migrate.old import Item
    from torchconf.model.toml_path import Path

__all__ = ["read_pixi"]

_ITSELF = "a setting of pixi itself"
_CHANNELS = "uv takes packages from indexes, not from channels"
_LEFT_OUT = {
    "channels": _CHANNELS,
    "tasks": "uv has no task runner; `uv run` runs a command",
    **dict.fromkeys(("package", "$schema", "channel-priority", "solve-strategy"), _ITSELF),
}
_TABLES = {*CONDA, "pypi-dependencies", "pypi-options", "system-requirements", "target"}
_ABOUT = {
    "name", "version", "description", "authors", "license", "readme", "homepage", "repository",
    "documentation",
}  # fmt: skip


def read_pixi(path: str, text: str) -> OldFile:
    """Read pixi's tables.

    Raises:
        ProjectError: It is not TOML, or pixi has no table in it.
    """
    top: Path = ("tool", "pixi") if path.rpartition("/")[2] == "pyproject.toml" else ()
    file = TomlFile(path, text, (top,))
    table: Any = file.data
    for key in top:
        table = table.get(key) if isinstance(table, dict) else None
    known = {"project", "workspace", "dependencies", "pypi-dependencies", "feature"}
    if not isinstance(table, dict) or known.isdisjoint(table):
        raise ProjectError(
            "the file has no table `[tool.pixi]`" if top else "not a file of pixi",
            at=path,
            help="name the file that lists the dependencies",
        )
    return OldFile(path, "pixi", file.account(_Reader(file, top, table).read()))


class _Reader:
    """The tables of one file."""

    def __init__(self, file: TomlFile, top: Path, table: dict[str, Any]) -> None:
        self._file = file
        self._top = top
        self._table = table
        self._platforms = named_platforms(table.get("workspace", table.get("project")))
        self._sections = feature_sections(table, file.data.get("dependency-groups"))

    def read(self) -> Iterator[Item]:
        """Yield an item for each line."""
        top = self._top
        scope = scope_of(top, self._table, BASE)
        for key, value in self._table.items():
            match key, value:
                case (("project" | "workspace"), dict()):
                    for name, one in value.items():
                        yield from self._setting(name, one, (*top, key, name))
                case "feature", dict():
                    for name, feature in value.items():
                        yield from self._feature(feature, (*top, key, name), self._sections[name])
                case "environments", dict():
                    for name in value:
                        at, text = self._file.take(*top, key, name)
                        yield Part(at, text, "an environment is a choice of extras and groups")
                case _:
                    yield from self._table_of(key, value, scope)

    def _setting(self, name: str, value: object, place: Path) -> Iterator[Item]:
        """Yield what one key of `[project]` or `[workspace]` says."""
        at, text = self._file.take(*place)
        if name in _ABOUT:
            yield about(name, value, at, text)
        elif name == "platforms":
            yield from platform_rows(value, at, text, BASE, self._platforms)
        else:
            yield LeftOut(at, text, _CHANNELS if name == "channels" else _ITSELF)

    def _feature(self, feature: object, place: Path, section: Section) -> Iterator[Item]:
        if not isinstance(feature, dict) or not feature:
            why = WRONG if feature else "it is empty"
            yield LeftOut(*self._file.take(*place), why, understood=feature == {})
            return
        scope = scope_of(place, feature, section)
        for key, value in feature.items():
            yield from self._table_of(key, value, scope)

    def _table_of(self, key: str, value: object, scope: Scope) -> Iterator[Item]:
        """Yield what a table says that may stand at the top, in a feature or in a target."""
        place = (*scope.place, key)
        if key in _LEFT_OUT:
            rows = [(*place, name) for name in value] if isinstance(value, dict) else []
            for row in rows or [place]:
                yield LeftOut(*self._file.take(*row), _LEFT_OUT[key])
        elif key == "platforms":
            at, text = self._file.take(*place)
            yield from platform_rows(value, at, text, scope.section, self._platforms)
        elif key == "activation":
            why = "uv sets no variables for an environment"
            yield LeftOut(*self._file.take(*place), why, understood=False)
        elif key in _TABLES and isinstance(value, dict):
            for name, entry in value.items():
                yield from self._entry(key, name, entry, scope._replace(place=(*place, name)))
        else:
            why = WRONG if key in _TABLES else f"pixi has no key `{key}` here"
            yield LeftOut(*self._file.take(*place), why, understood=False)

    def _entry(self, key: str, name: str, entry: object, scope: Scope) -> Iterator[Item]:
        """Yield what one row of a table says."""
        if key == "target":
            yield from self._target(name, entry, scope)
        elif key == "pypi-options":
            yield from self._option(name, entry, scope)
        else:
            at, text = self._file.take(*scope.place)
            if key == "pypi-dependencies":
                yield from read_package(name, entry, at, text, scope.section, scope.marker)
                index = entry.get("index") if isinstance(entry, dict) else None
                if isinstance(index, str):
                    yield OldIndex(at, text, index, "explicit", "", (name,), scope.section)
            elif key == "system-requirements":
                yield system_row(name, entry, at, text, scope)
            else:
                yield from package_row(name, entry, at, text, scope)

    def _target(self, name: str, table: object, scope: Scope) -> Iterator[Item]:
        marker = target_marker(name)
        if not marker or not isinstance(table, dict):
            why = WRONG if marker else "PyTorch has no builds for this platform"
            yield LeftOut(*self._file.take(*scope.place), why, understood=not marker)
            return
        for key, value in table.items():
            yield from self._table_of(key, value, scope._replace(marker=marker))

    def _option(self, name: str, value: object, scope: Scope) -> Iterator[Item]:
        """Yield what one of `[pypi-options]` says."""
        if name == "index-url" and isinstance(value, str):
            at, text = self._file.take(*scope.place)
            yield OldIndex(at, text, value, "index", section=scope.section)
        elif name in {"extra-index-urls", "find-links"} and isinstance(value, list):
            for number, one in enumerate(value):
                at, text = self._file.take(*scope.place, number)
                url = one.get("url", one.get("path")) if isinstance(one, dict) else one
                if not isinstance(url, str):
                    yield LeftOut(at, text, WRONG, understood=False)
                    continue
                kind: Literal["extra", "links"] = "links" if name == "find-links" else "extra"
                yield OldIndex(at, text, url, kind, section=scope.section)
            if not value:
                yield LeftOut(*self._file.take(*scope.place), "it is empty")
        elif name == "index-strategy":
            why = "no strategy is needed: each package has a source"
            yield LeftOut(*self._file.take(*scope.place), why)
        else:
            why = "uv has a setting for this under `[tool.uv]`"
            yield LeftOut(*self._file.take(*scope.place), why, understood=False)
