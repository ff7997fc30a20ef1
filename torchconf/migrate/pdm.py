"""PDM: `[tool.pdm]` of a pyproject.toml; what the project needs stands in `[project]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.migrate.old import About, LeftOut, OldFile, OldIndex, Section
from torchconf.migrate.pip_file import read_pip_line
from torchconf.migrate.toml_file import TomlFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from torchconf.migrate.old import Item, Place

__all__ = ["read_pdm"]

_TABLE = ("tool", "pdm")
_WRONG = "its value has the wrong type"
_STAYS = "PDM's build backend still reads it"
_PLUGIN = "torchconf does not read what plugins of PDM install"
_ITSELF = "a setting of PDM itself"
_LEFT_OUT = {
    **dict.fromkeys(("version", "build", "includes", "excludes", "source-includes"), _STAYS),
    "scripts": "uv has no task runner; `uv run` runs a command",
}


def read_pdm(path: str, text: str) -> OldFile:
    """Read PDM's tables of a pyproject.toml.

    Raises:
        ProjectError: It is not TOML, or PDM has no table in it.
    """
    file = TomlFile(path, text, (_TABLE,))
    table = file.of_tool("pdm")
    return OldFile(path, "pdm", file.account(_read(file, table)))


def _read(file: TomlFile, table: dict[str, Any]) -> Iterator[Item]:
    for key, value in table.items():
        match key, value:
            case "source", list():
                routed = any(isinstance(one, dict) and one.get("include_packages") for one in value)
                for number, source in enumerate(value):
                    yield from _source(source, *file.take(*_TABLE, key, number), routed=routed)
            case "dev-dependencies", dict():
                for group, lines in value.items():
                    yield from _group(file, group, lines)
            case "resolution", dict():
                for name in value:
                    yield from _resolution(file, name, value[name])
            case (("distribution" | "package-type"), _):
                yield _package(key, value, *file.take(*_TABLE, key))
            case "scripts", dict():
                for name in value:
                    yield LeftOut(*file.take(*_TABLE, key, name), _LEFT_OUT[key])
            case (("source" | "dev-dependencies" | "resolution"), _):
                yield LeftOut(*file.take(*_TABLE, key), _WRONG, understood=False)
            case _:
                yield LeftOut(*file.take(*_TABLE, key), _LEFT_OUT.get(key, _ITSELF))


def _source(source: object, at: Place, text: str, *, routed: bool) -> Iterator[Item]:
    """Yield what one source says; `routed` tells that some source names its packages."""
    url = source.get("url") if isinstance(source, dict) else None
    if not isinstance(source, dict) or not isinstance(url, str):
        yield LeftOut(at, text, "a source has a name and a URL", understood=False)
        return
    name = source.get("name")
    included, excluded = (_names(source.get(f"{word}_packages")) for word in ("include", "exclude"))
    kind: Literal["index", "extra", "links", "explicit"] = "extra"
    if source.get("type") == "find_links":
        kind = "links"
    elif included:
        kind = "explicit"
    elif name == "pypi":
        kind = "index"
    if excluded and not routed:
        why = "uv cannot exclude packages from an index; set a source for each package"
        yield LeftOut(at, text, why, understood=False)
    yield OldIndex(at, text, url, kind, name if isinstance(name, str) else "", included)


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(name for name in value if isinstance(name, str))


def _group(file: TomlFile, group: str, lines: object) -> Iterator[Item]:
    if not isinstance(lines, list):
        yield LeftOut(*file.take(*_TABLE, "dev-dependencies", group), _WRONG, understood=False)
        return
    for number, line in enumerate(lines):
        at, text = file.take(*_TABLE, "dev-dependencies", group, number)
        if isinstance(line, str):
            found = read_pip_line(at, line, Section("group", group))
            yield from found or [LeftOut(at, text, "it is empty")]
        else:
            yield LeftOut(at, text, "this is not a requirement", understood=False)
    if not lines:
        at, text = file.take(*_TABLE, "dev-dependencies", group)
        yield LeftOut(at, text, "it is empty")


def _resolution(file: TomlFile, key: str, value: object) -> Iterator[Item]:
    """Yield what `[tool.pdm.resolution]` says; uv has other keys for most of it."""
    if key == "overrides" and isinstance(value, dict):
        for name in value:
            why = "uv has `override-dependencies` under `[tool.uv]` for this"
            yield LeftOut(*file.take(*_TABLE, "resolution", key, name), why, understood=False)
        return
    at, text = file.take(*_TABLE, "resolution", key)
    if key == "respect-source-order":
        yield LeftOut(at, text, "the order does not matter: each package has a source")
    elif key == "allow-prereleases" and value is True:
        why = 'uv has `prerelease = "allow"` under `[tool.uv]` for this'
        yield LeftOut(at, text, why, understood=False)
    elif key == "excludes":
        why = "uv has `exclude-dependencies` under `[tool.uv]` for this"
        yield LeftOut(at, text, why, understood=False)
    else:
        yield LeftOut(at, text, _ITSELF)


def _package(key: str, value: object, at: Place, text: str) -> Item:
    if key == "distribution" and isinstance(value, bool):
        return About(at, text, "package", value)
    if key == "package-type" and value in {"application", "library"}:
        return About(at, text, "package", value == "library")
    return LeftOut(at, text, _WRONG, understood=False)
