"""Draft what is named after a backend: indexes with their sources, extras and groups."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.utils import canonicalize_name

from torchconf.edits.conflicts import rename_member
from torchconf.errors import ProjectError, RequestError
from torchconf.layout.layouts import KINDS
from torchconf.model.backends import is_nightly
from torchconf.model.toml_path import DEFAULT_GROUPS, INDEXES, SOURCES, UV
from torchconf.planner.respecify import renamed_backend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torchconf.catalog import Catalog
    from torchconf.edits.draft import Draft
    from torchconf.edits.plan import Value
    from torchconf.layout.configuration import Configuration
    from torchconf.layout.layouts import Kind
    from torchconf.model.backends import Backend
    from torchconf.model.project import Index, Project
    from torchconf.model.toml_path import Path

__all__ = ["move_index", "move_scopes"]


# Indexes.


def move_index(
    draft: Draft,
    project: Project,
    catalog: Catalog,
    backends: Mapping[str, Backend],
    elsewhere: frozenset[str],
) -> None:
    """Let the indexes of old backends serve the new ones, under new names, sources and all.

    An entry is changed where it stands. One that other files of the workspace name too is left to
    them, and another one is added; one that is there already for the new backend is used.

    Args:
        draft: Of the project's file.
        project: As it is.
        catalog: Which URL serves what.
        backends: Old to new.
        elsewhere: Names of indexes that other files of the workspace use.

    Raises:
        ProjectError: A name that is needed is taken, or a URL can not be written anew.
    """
    moves = [*_moves(draft, project, catalog, backends)]
    # The indexes that stay are known before one of them is used by others.
    staying = [
        (index.name, backend)
        for owner in (project, project.root)
        for index in (owner.indexes if owner else ())
        if (backend := catalog.backend_of_url(index.url)) is not None
        and not is_nightly(index.url)
        and index not in [move.entry for move in moves]
    ]
    for move in moves:
        there = next((name for name, b in staying if b == move.new and name), None)
        own = move.entry in project.indexes and move.entry.name not in elsewhere
        reason = f"{move.new.title} in the place of {move.old.title}"
        if own and there is None:
            name = _new_name(move, project)
            number = next(
                n for n, e in enumerate(draft.get(INDEXES)) if e.get("name") == move.entry.name
            )
            draft.put((*INDEXES, number, "name"), name, reason)
            draft.put((*INDEXES, number, "url"), _new_url(move, project), reason)
            _point(draft, move.entry.name, name, reason)
            staying.append((name, move.new))
            continue
        if there is None:
            there = _new_name(move, project)
            entry: dict[str, Value] = {"name": there, "url": _new_url(move, project)}
            if move.entry.explicit:
                entry["explicit"] = True
            draft.insert(INDEXES, entry, reason)
        _point(draft, move.entry.name, there, reason, only=frozenset(catalog.family))
        if own and move.entry.explicit and move.entry.name not in _named(draft):
            number = next(
                n for n, e in enumerate(draft.get(INDEXES)) if e.get("name") == move.entry.name
            )
            draft.remove((*INDEXES, number), reason)


class _Move(NamedTuple):
    """One index, and what it is to serve."""

    entry: Index
    old: Backend
    new: Backend


def _moves(
    draft: Draft, project: Project, catalog: Catalog, backends: Mapping[str, Backend]
) -> Iterator[_Move]:
    """Yield the indexes of old backends that sources of the family name."""
    used = {
        entry.get("index")
        for package, _, entry in _entries(draft)
        if canonicalize_name(package) in catalog.family
    }
    seen: set[str | None] = set()
    for owner in (project, project.root):
        for index in owner.indexes if owner else ():
            old = catalog.backend_of_url(index.url)
            if old and old.name in backends and index.name in used - seen:
                seen.add(index.name)
                yield _Move(index, old, backends[old.name])


def _new_name(move: _Move, project: Project) -> str:
    """Return the name that the index of the new backend has."""
    old = str(move.entry.name)
    name = renamed_backend(old, move.old.name, move.new.name)
    if name == old and move.entry not in project.indexes:
        name = f"pytorch-{move.new.name}"
    taken = project.index_named(name)
    if taken is not None and taken != move.entry:
        raise ProjectError(
            f"index name `{name}` is taken by {taken.url}",
            at=project.place(taken.at),
            help="rename that index, or correct its URL",
        )
    return name


def _new_url(move: _Move, project: Project) -> str:
    scheme, found, rest = move.entry.url.partition("://")
    host, slash, path = rest.partition("/")
    url = scheme + found + host + slash + renamed_backend(path, move.old.name, move.new.name)
    if not found or url == move.entry.url:
        raise ProjectError(
            f"it does not show where {move.entry.url} names {move.old.title}",
            at=project.place(move.entry.at),
            help=f"write an index of {move.new.title}, and say `--backend` again",
        )
    return url


def _entries(draft: Draft) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Yield every source entry with its package, as written, and its place."""
    for package, listed in list((draft.get(SOURCES) or {}).items()):
        path: Path = (*SOURCES, package)
        if isinstance(listed, dict):
            yield package, path, listed
        else:
            for number, entry in enumerate(listed):
                yield package, (*path, number), entry


def _named(draft: Draft) -> set[object]:
    return {entry.get("index") for _, _, entry in _entries(draft)}


def _point(
    draft: Draft, old: str | None, new: str, reason: str, only: frozenset[str] | None = None
) -> None:
    """Let sources that name one index name another."""
    for package, path, entry in _entries(draft):
        if entry.get("index") == old and (only is None or canonicalize_name(package) in only):
            draft.put((*path, "index"), new, reason)


# Extras and groups.


def move_scopes(
    draft: Draft,
    root: Draft,
    project: Project,
    before: Configuration,
    backends: Mapping[str, Backend],
    *,
    rename: bool,
) -> tuple[str, ...]:
    """Rename the extras or groups that are named after an old backend, if that is asked for.

    Args:
        draft: Of the project's file.
        root: Of the workspace root's file, or `draft` again.
        project: As it is.
        before: Which extra or group is for which backend.
        backends: Old to new.
        rename: It is asked for.

    Returns:
        Sentences on what was renamed, or kept.

    Raises:
        RequestError: The new name is taken.
    """
    kind = KINDS[before.layout] if before.layout else ""
    said: list[str] = []
    for old, new in backends.items():
        own = [before.names[old]] if old in before.names else []
        for name in (*own, *before.aliases.get(old, ())):
            after = renamed_backend(name, old, new.name)
            if after == name:
                continue
            if not rename:
                said.append(f"{kind} `{name}` keeps its name; `--rename` makes it `{after}`")
                continue
            sections = project.extras if kind == "extra" else project.groups
            if canonicalize_name(after) in sections:
                raise RequestError(
                    f"there is {'an extra' if kind == 'extra' else 'a group'} `{after}` already",
                    at=project.place(sections[canonicalize_name(after)].at),
                    help="leave out `--rename`, or rename that one first",
                )
            _rename(draft, root, project, kind, name, after)
            said.append(f"{kind} `{name}` is `{after}` now")
    return tuple(said)


def _rename(draft: Draft, root: Draft, project: Project, kind: Kind, old: str, new: str) -> None:
    reason = f"`{new}` is what `{old}` was"
    same = _same_as(old)
    extras = kind == "extra"
    table: Path = ("project", "optional-dependencies") if extras else ("dependency-groups",)
    draft.rename((*table, old), new, reason)
    for _, path, entry in _entries(draft):
        if same(entry.get(kind)):
            draft.put((*path, kind), new, reason)
    rename_member(draft, kind, old, new, reason)
    if root is not draft:
        rename_member(root, kind, old, new, reason, project.name)
    if extras:
        _rename_in_requirements(draft, project, old, new, reason)
    else:
        _rename_group(draft, same, new, reason)


def _same_as(name: str) -> Callable[[object], bool]:
    wanted = canonicalize_name(name)
    return lambda other: isinstance(other, str) and canonicalize_name(other) == wanted


def _rename_group(draft: Draft, same: Callable[[object], bool], new: str, reason: str) -> None:
    """Rename a group where it is a default, is included, or has settings."""
    defaults = draft.get(DEFAULT_GROUPS)
    for number, name in enumerate(defaults if isinstance(defaults, list) else ()):
        if same(name):
            draft.replace((*DEFAULT_GROUPS, number), new, reason)
    for group, entries in (draft.get(("dependency-groups",)) or {}).items():
        for number, entry in enumerate(entries):
            if isinstance(entry, dict) and same(entry.get("include-group")):
                draft.put(("dependency-groups", group, number, "include-group"), new, reason)
    for key in list(draft.get((*UV, "dependency-groups")) or {}):
        if same(key):
            draft.rename((*UV, "dependency-groups", key), new, reason)


def _rename_in_requirements(
    draft: Draft, project: Project, old: str, new: str, reason: str
) -> None:
    """Rename an extra where the project asks for itself: `demo[cu130]`."""
    tables: list[tuple[Path, Any]] = [
        (("project", "dependencies"), draft.get(("project", "dependencies")))
    ]
    for table in (("project", "optional-dependencies"), ("dependency-groups",)):
        tables += [((*table, key), lines) for key, lines in (draft.get(table) or {}).items()]
    same = _same_as(old)
    for path, lines in tables:
        for number, line in enumerate(lines or ()):
            match = re.match(r"\s*([A-Za-z0-9._-]+)\s*\[([^\]]*)\]", str(line))
            if match is None or not project.name or not _same_as(project.name)(match[1]):
                continue
            names = re.sub(
                r"[A-Za-z0-9._-]+", lambda one: new if same(one[0]) else one[0], match[2]
            )
            text = f"{line[: match.start(2)]}{names}{line[match.end(2) :]}"
            draft.replace((*path, number), text, reason)
