"""What can stand at a cursor: names that the file has, and those that PyTorch and Python know."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.catalog import load_catalog
from torchconf.editor.cursor import read_cursor
from torchconf.errors import TorchconfError
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import PLATFORMS, SYS_PLATFORMS
from torchconf.model.toml_path import (
    CONFLICTS,
    DEFAULT_GROUPS,
    DEPENDENCIES,
    ENVIRONMENTS,
    EXTRAS,
    GROUPS,
    INDEXES,
    REQUIRED_ENVIRONMENTS,
    SOURCES,
    TARGETS,
)
from torchconf.rules import RULES
from torchconf.rules.rule_selection import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchconf.editor.analysis import Analysis
    from torchconf.editor.cursor import Cursor, Keys, Said
    from torchconf.model.toml_path import Path

__all__ = ["Suggestion", "suggestions"]

_OURS = TARGETS[:-1]
_SOURCE_KEYS = ("index", "extra", "group", "marker")
_INDEX_KEYS = ("name", "url", "explicit", "default", "format")
_CONFLICT_KEYS = ("extra", "group", "package")


class Suggestion(NamedTuple):
    """One thing that can stand there."""

    label: str
    detail: str
    text: str
    """What to write in the place of the word."""
    start: int
    end: int


def suggestions(analysis: Analysis, offset: int) -> list[Suggestion]:
    """Return what can stand at a place of the text, in the order in which it is likely."""
    inside = analysis.to_toml(offset)
    if inside is None:
        return []
    cursor, said, known = read_cursor(analysis.toml, inside)
    file = _File(analysis, said, known)
    start, end = analysis.from_toml(cursor.start), analysis.from_toml(cursor.end)
    found = dict(_offers(cursor, file))
    quoted = bool(cursor.quote) or cursor.kind != "value"
    return [
        Suggestion(label, detail, label if quoted else f'"{label}"', start, end)
        for label, detail in found.items()
    ]


class _File:
    """What a text names, broken as it may be."""

    def __init__(self, analysis: Analysis, said: tuple[Said, ...], known: tuple[Keys, ...]) -> None:
        self._analysis = analysis
        self._said = said
        self._known = known
        self.catalog = load_catalog()

    def comment(self, cursor: Cursor) -> str:
        """Return what stands on the line before the cursor."""
        text = self._analysis.toml[: cursor.start]
        return text[text.rfind("\n") + 1 :]

    def extras(self) -> Iterator[tuple[str, str]]:
        return ((name, "extra of this project") for name in self._below(EXTRAS))

    def groups(self) -> Iterator[tuple[str, str]]:
        return ((name, "dependency group of this project") for name in self._below(GROUPS))

    def _below(self, table: Path) -> list[str]:
        depth = len(table)
        names = (keys[depth] for keys in self._known if keys[:depth] == table and keys[depth:])
        return [name for name in dict.fromkeys(names) if name]

    def indexes(self) -> Iterator[tuple[str, str]]:
        own = [one.value for one in self._said if one.keys == (*INDEXES, "name")]
        yield from ((name, "index of this file") for name in dict.fromkeys(own) if name)
        root = self._root_indexes() if not self._analysis.is_script else ()
        yield from ((name, "index of the workspace root") for name in root if name not in own)

    def _root_indexes(self) -> list[str]:
        # Imported here: few completions ask for it.
        from torchconf.workspace.members import find_root

        try:
            found = find_root(self._analysis.path)
        except (TorchconfError, ValueError):
            return []
        return [index.name for index in found[1].indexes if index.name] if found else []

    def required(self) -> Iterator[tuple[str, str]]:
        """Yield the packages of PyTorch's indexes that the file requires and gives no source."""
        places = (DEPENDENCIES, ("dependencies",))
        lines = [
            one.value
            for one in self._said
            if one.keys in places or one.keys[:-1] in {EXTRAS, GROUPS}
        ]
        names = (re.match(r"[\w.-]+", line) for line in lines)
        asked = {canonicalize_name(name[0]) for name in names if name}
        family = self.catalog.family
        routed = set(self._below(SOURCES))
        first = [name for name in family if name in asked and name not in routed]
        yield from ((name, "required here, without a source") for name in first)


def _offers(cursor: Cursor, file: _File) -> Iterator[tuple[str, str]]:
    keys = cursor.keys
    if cursor.kind == "comment":
        yield from _rules() if "torchconf:" in file.comment(cursor) else ()
    elif cursor.kind == "key":
        yield from _keys(keys, file)
    elif keys[:3] == SOURCES:
        yield from _source_values(keys[4:], file)
    elif keys[:3] == INDEXES:
        yield from _index_values(keys[3:], file)
    elif keys[:3] == CONFLICTS:
        yield from file.extras() if keys[3:] == ("extra",) else ()
        yield from file.groups() if keys[3:] == ("group",) else ()
    elif keys == DEFAULT_GROUPS or (keys[:1] == GROUPS and keys[2:] == ("include-group",)):
        yield from file.groups()
    elif keys in {ENVIRONMENTS, REQUIRED_ENVIRONMENTS}:
        yield from _markers()
    elif keys == TARGETS:
        yield from _targets(file)
    elif keys[:2] == _OURS and keys[2:] in {("ignore",), ("select",)}:
        yield from _rules()


def _keys(table: Keys, file: _File) -> Iterator[tuple[str, str]]:
    names: Iterable[str] = ()
    if table == SOURCES:
        yield from file.required()
    elif table[:3] == SOURCES and len(table) == len(SOURCES) + 1:
        names = _SOURCE_KEYS
    elif table == INDEXES:
        names = _INDEX_KEYS
    elif table == CONFLICTS:
        names = _CONFLICT_KEYS
    elif table == _OURS:
        names = SETTINGS
    yield from ((name, _ABOUT.get(name, "")) for name in names)


_ABOUT = {
    "index": "name of a `[[tool.uv.index]]` entry",
    "extra": "only with this extra",
    "group": "only with this dependency group",
    "marker": "only on these platforms",
    "explicit": "true: only packages with a source come from it",
    "targets": "what the project is for: `linux-cpu`",
}


def _source_values(rest: Keys, file: _File) -> Iterator[tuple[str, str]]:
    if rest == ("index",):
        yield from file.indexes()
    elif rest == ("extra",):
        yield from file.extras()
    elif rest == ("group",):
        yield from file.groups()
    elif rest == ("marker",):
        yield from _markers()


def _index_values(rest: Keys, file: _File) -> Iterator[tuple[str, str]]:
    catalog = file.catalog
    if rest == ("url",):
        yield from ((catalog.index_url(one), one.title) for one in catalog.vocabulary.current)
    elif rest == ("name",):
        yield from ((f"pytorch-{one.name}", one.title) for one in catalog.vocabulary.current)
    elif rest == ("format",):
        yield "flat", "one page with the files of all packages"


def _markers() -> Iterator[tuple[str, str]]:
    for system, value in SYS_PLATFORMS.items():
        yield f"sys_platform == '{value}'", system
        yield f"sys_platform != '{value}'", f"not {system}"
    for one in PLATFORMS:
        system, machine = one.sys_platform, one.platform_machine
        yield f"sys_platform == '{system}' and platform_machine == '{machine}'", one.key


def _targets(file: _File) -> Iterator[tuple[str, str]]:
    catalog = file.catalog
    for one in PLATFORMS:
        for backend in catalog.vocabulary.current:
            accelerator = catalog.accelerator(backend)
            if one.key in accelerator.platforms:
                yield f"{one.short}-{backend.name}", f"{backend.title} on {one.key}"


def _rules() -> Iterator[tuple[str, str]]:
    yield from ((rule.code, rule.name) for rule in RULES)
