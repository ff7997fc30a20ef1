"""What an editor says about the place under the mouse."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.editor.builds import build_lines
from torchconf.editor.cursor import read_cursor
from torchconf.layout.selection import Selection
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.toml_path import (
    CONFLICTS,
    DEPENDENCIES,
    EXTRAS,
    GROUPS,
    INDEXES,
    SOURCES,
    TARGETS,
)
from torchconf.report.explain import markdown_page
from torchconf.report.markdown import as_code
from torchconf.rules import RULES
from torchconf.rules.rule_selection import is_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torchconf.editor.analysis import Analysis
    from torchconf.model.project import Conflict, Index, Project, Requirement, Source
    from torchconf.model.toml_path import Path
    from torchconf.resolve.table import Row

__all__ = ["Hover", "hover", "installs"]

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


class Hover(NamedTuple):
    """Markdown, and the stretch of the text that it is about."""

    text: str
    start: int
    end: int


def hover(analysis: Analysis, offset: int) -> Hover | None:
    """Say what a place of the text does; None where there is nothing to say."""
    return _rule(analysis, offset) or _table(analysis, offset)


def _rule(analysis: Analysis, offset: int) -> Hover | None:
    """Say what a rule is about, wherever its code stands, or its name in a place of ours."""
    text = analysis.text
    line = text.rfind("\n", 0, offset) + 1
    for match in _WORD.finditer(text, line):
        if match.start() > offset:
            return None
        if offset <= match.end():
            rule = next((rule for rule in RULES if is_named(rule, match[0])), None)
            # Names of rules are words that a file may have elsewhere, too: `requires-python`.
            if rule is None or (match[0].upper() != rule.code and not _is_ours(analysis, offset)):
                return None
            return Hover(markdown_page(rule), *match.span())
    return None


def _is_ours(analysis: Analysis, offset: int) -> bool:
    """Tell whether a place is in `[tool.torchconf]`, or in a comment that ignores a finding."""
    inside = analysis.to_toml(offset)
    if inside is None:
        return False
    cursor, _, _ = read_cursor(analysis.toml, inside)
    line = analysis.toml[analysis.toml.rfind("\n", 0, inside) + 1 : inside]
    return cursor.keys[:2] == TARGETS[:2] or (cursor.kind == "comment" and "torchconf:" in line)


def _table(analysis: Analysis, offset: int) -> Hover | None:
    inside = analysis.to_toml(offset)
    context = analysis.context
    if inside is None or context is None:
        return None
    # Imported here: most of what is hovered over is in no file that can be read.
    from torchconf.edits.lookup import path_at
    from torchconf.edits.positions import Locator

    path = path_at(analysis.toml, inside)
    found = _about(context.project, analysis, path)
    if found is None:
        return None
    whose, lines = found
    locator = Locator(analysis.toml)
    for each in (whose, path):
        span = locator.span(each)
        start, end = analysis.at_toml(*span[:2]), analysis.at_toml(*span[2:])
        # Of an entry with a header, only the header is its place.
        if start <= offset <= end:
            return Hover("\n".join(lines), start, end)
    return Hover("\n".join(lines), offset, offset)


def _about(project: Project, analysis: Analysis, path: Path) -> tuple[Path, list[str]] | None:
    """Return the place that is explained, and the lines about it."""
    if path[:3] == SOURCES and len(path) > len(SOURCES):
        name = canonicalize_name(str(path[3]))
        entries = project.sources.get(name, ())
        mine = [one for one in entries if path[: len(one.path)] == one.path] or [*entries]
        whose = mine[0].path if len(mine) == 1 else path[:4]
        return (whose, [*_sources(mine, project, analysis)]) if mine else None
    if path[:3] == INDEXES and len(path) > len(INDEXES):
        index = next((one for one in project.indexes if one.path == path[:4]), None)
        return (index.path, [*_index(index, project, analysis)]) if index else None
    if path[:3] == CONFLICTS and len(path) > len(CONFLICTS):
        conflict = next((one for one in project.conflicts if one.path == path[:4]), None)
        return (conflict.path, [*_conflict(conflict, analysis)]) if conflict else None
    return _requirements(project, analysis, path)


def _sources(sources: Iterable[Source], project: Project, analysis: Analysis) -> Iterator[str]:
    for source in sources:
        scope = f" with extra {as_code(source.extra)}" if source.extra else ""
        scope = f" with group {as_code(source.group)}" if source.group else scope
        where = f" where {as_code(source.raw_marker)}" if source.raw_marker else ""
        what = f"a {source.kind} source"
        if source.index is not None:
            index = project.index_named(source.index)
            build = _build_of(index, analysis) if index else "not defined"
            what = f"index {as_code(source.index)} ({build})"
        yield f"{as_code(source.package)} from {what}{scope}{where}"

    def concerns(row: Row) -> bool:
        return any(
            row.package == source.package
            and source.index in {None, row.index_name}
            and installs(row, source.extra, source.group)
            for source in sources
        )

    yield from _lines(analysis, concerns)


def _index(index: Index, project: Project, analysis: Analysis) -> Iterator[str]:
    users = [
        package
        for package, entries in project.sources.items()
        if any(source.index == index.name for source in entries)
    ]
    for_whom = ", ".join(map(as_code, users)) or "no package of this file"
    kind = "only for packages with a source" if index.explicit else "searched for every package"
    name = as_code(index.name or index.url)
    yield f"index {name}: {_build_of(index, analysis)}, {kind}; used for {for_whom}"
    yield from _lines(analysis, lambda row: row.index_name == index.name and index.name is not None)


def _conflict(conflict: Conflict, analysis: Analysis) -> Iterator[str]:
    names = [
        f"{one.kind} {as_code(one.name)}" if one.name else f"project {as_code(one.package)}"
        for one in conflict.items
    ]
    yield f"never installed together: {', '.join(names)}; each has a separate part of the lockfile"
    extras = {one.name for one in conflict.items if one.kind == "extra"}
    groups = {one.name for one in conflict.items if one.kind == "group"}
    yield from _lines(
        analysis,
        lambda row: (
            any(installs(row, extra, None) for extra in extras)
            or any(installs(row, None, group) for group in groups)
        ),
    )


def _requirements(
    project: Project, analysis: Analysis, path: Path
) -> tuple[Path, list[str]] | None:
    """Say what an extra, a group, or one requirement of PyTorch's packages installs."""
    place = path[:1] if project.is_script else path[:2]
    base = ("dependencies",) if project.is_script else DEPENDENCIES
    asked: Iterable[Requirement]
    if place == base:
        extra, group, title, asked = None, None, "", project.dependencies
        depth = len(base)
    elif path[:2] == EXTRAS and len(path) > len(EXTRAS):
        extra, group = canonicalize_name(str(path[2])), None
        title, depth = f"extra {as_code(str(path[2]))}", 3
        section = project.extras.get(extra)
        asked = section.requirements if section else ()
    elif path[:1] == GROUPS and len(path) > len(GROUPS):
        extra, group = None, canonicalize_name(str(path[1]))
        title, depth = f"dependency group {as_code(str(path[1]))}", 2
        section = project.groups.get(group)
        asked = project.flat_groups.get(group, section.requirements) if section else ()
    else:
        return None
    number = path[depth : depth + 1]
    names = {one.name for one in asked if not number or one.path[-1:] == number}

    def concerns(row: Row) -> bool:
        return row.package in names and installs(row, extra, group)

    lines = [*_lines(analysis, concerns)]
    if not lines:
        return None
    packages = ", ".join(as_code(one) for one in sorted(names & {r.package for r in analysis.rows}))
    return path[: depth + len(number)], [title or f"{packages}: what is installed", *lines]


def installs(row: Row, extra: str | None, group: str | None) -> bool:
    """Tell whether a row is of the choice of an extra or a group; with neither, of any.

    A group that every command installs says most by the plain one.
    """
    if extra is not None:
        return extra in {canonicalize_name(name) for name in row.selection.extras}
    if group is not None:
        return group in {canonicalize_name(name) for name in row.groups}
    return row.selection == Selection(
        package=row.selection.package, script=row.selection.script
    ) or not (row.selection.extras or row.selection.groups)


def _lines(analysis: Analysis, concerns: Callable[[Row], bool]) -> list[str]:
    lines = build_lines(analysis.rows, concerns)
    return ["", *lines] if lines else []


def _build_of(index: Index, analysis: Analysis) -> str:
    context = analysis.context
    backend = context.catalog.build_of_index(index.url, index.name) if context else None
    return backend.title if backend else "not one of PyTorch's"
