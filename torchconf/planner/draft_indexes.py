"""Draft `[[tool.uv.index]]`: entries that are missing, that move to another backend, or that go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.errors import ProjectError
from torchconf.layout.layouts import ordered
from torchconf.model.backends import is_nightly
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.toml_path import INDEXES, SOURCES
from torchconf.planner.respecify import rename_backend

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from torchconf.catalog import Catalog
    from torchconf.edits.draft import Draft
    from torchconf.edits.plan import Value
    from torchconf.model.backends import Backend
    from torchconf.model.project import Index, Project
    from torchconf.model.toml_path import Path
    from torchconf.planner.decide import Decision
    from torchconf.planner.request import Request


def source_entries(draft: Draft) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Yield every source entry with its package, as written, and its place."""
    for package, listed in list((draft.get(SOURCES) or {}).items()):
        path: Path = (*SOURCES, package)
        if isinstance(listed, dict):
            yield package, path, listed
        else:
            for number, entry in enumerate(listed):
                yield package, (*path, number), entry


def named_indexes(draft: Draft, only: Iterable[str] | None = None) -> set[object]:
    """Return the names of the indexes that sources use; those of some packages, if given."""
    return {
        entry.get("index")
        for package, _, entry in source_entries(draft)
        if only is None or canonicalize_name(package) in only
    }


class Indexes:
    """The indexes of a plan: their names, and the entries that are missing."""

    def __init__(
        self, request: Request, project: Project, catalog: Catalog, decision: Decision
    ) -> None:
        self.request = request
        self.project = project
        self.catalog = catalog
        self.decision = decision
        self.known = decision.before.indexes

    def name(self, backend: Backend) -> str:
        """Return the name of a backend's index: the one that the project has, if it has one."""
        known = self.known.get(backend.name)
        if known is not None and known.name:
            return known.name
        is_foreign = self.catalog.publisher_of(backend)
        return backend.name if is_foreign else f"pytorch-{backend.name}"

    def draft(self, draft: Draft, also: Iterable[object] = ()) -> None:
        """Add the indexes that are missing.

        Args:
            draft: Of the file.
            also: The names that sources in other files use, and that are not defined there.

        Raises:
            ProjectError: The name that one should have is taken.
        """
        named = named_indexes(draft, self.catalog.family).union(also)
        needed = {backend for scope in self.decision.scopes for backend in scope.backends()}
        for backend in ordered(needed, self.catalog):
            name = self.name(backend)
            if backend.name not in self.known and name in named:
                _refuse_taken(name, self.project)
                entry: Value = {"name": name, "url": self._url(backend), "explicit": True}
                draft.insert(INDEXES, entry, f"serves {backend.title}")

    def _url(self, backend: Backend) -> str:
        """Return the URL of a new index: where it was asked for, or on the project's mirror.

        The indexes of others are where they are.
        """
        if self.catalog.publisher_of(backend):
            return self.catalog.index_url(backend)
        base = self.request.index_base
        for old, index in self.known.items() if base is None else ():
            is_foreign = self.catalog.publisher_of(self.catalog.backend(old))
            if not is_foreign and not self.catalog.is_own(index.url):
                old_folder = self.catalog.folder(self.catalog.backend(old))
                url = _moved_url(index.url, old_folder, self.catalog.folder(backend))
                if url is not None:
                    return url
        if base is None:
            return self.catalog.index_url(backend)
        if "{backend}" in base:
            return base.replace("{backend}", self.catalog.folder(backend))
        return f"{base.rstrip('/')}/{self.catalog.folder(backend)}"


def remove_unused_indexes(
    draft: Draft,
    project: Project,
    catalog: Catalog,
    reason: str,
    elsewhere: AbstractSet[object] = frozenset(),
    only: Container[str | None] | None = None,
    beside: Iterable[Project] = (),
) -> list[str]:
    """Remove the explicit indexes that a source of the family named, and none does any more.

    Args:
        draft: Of the project's file.
        project: As it is.
        catalog: Which packages are of the family.
        reason: Of each step.
        elsewhere: Names of indexes that other files of the workspace use.
        only: Names of the indexes that may go; None for all.
        beside: Members whose sources use the indexes of this file, as they are.

    Returns:
        The names of those that are removed.
    """
    before = {
        source.index
        for one in (project, *beside)
        for package, sources in one.sources.items()
        for source in sources
        if package in catalog.family
    }
    unused = before - named_indexes(draft) - elsewhere
    indexes: list[dict[str, Any]] = draft.get(INDEXES) or []
    gone: list[str] = []
    for number in reversed(range(len(indexes))):
        index = indexes[number]
        name = index.get("name")
        if index.get("explicit") is True and name in unused and (only is None or name in only):
            draft.remove((*INDEXES, number), reason)
            gone.append(str(name))
    return gone


def move_indexes(
    draft: Draft,
    project: Project,
    catalog: Catalog,
    backends: Mapping[str, Backend],
    elsewhere: frozenset[str],
    beside: Sequence[tuple[Project, Draft]] = (),
) -> list[str]:
    """Let the indexes of old backends serve the new ones, under new names, sources and all.

    An entry is changed where it stands. One that other files of the workspace name too is left to
    them, and another one is added; one that is there already for the new backend is used.

    Args:
        draft: Of the project's file.
        project: As it is.
        catalog: Which URL serves what.
        backends: Old to new.
        elsewhere: Names of indexes that other files of the workspace use.
        beside: Members whose sources name the indexes of this file, and move along.

    Returns:
        What to say of indexes that are gone, because another one serves their packages.

    Raises:
        ProjectError: A name that is needed is taken, or a URL does not show its backend.
    """
    drafts = [draft, *(other for _, other in beside)]
    used = named_indexes(draft, catalog.family)
    for member, other in beside:
        used |= named_indexes(other, catalog.family) - {index.name for index in member.indexes}
    moves = [*_moves(used, project, catalog, backends)]
    # The indexes that stay are known before one of them is used by others.
    staying = [
        (index.name, backend)
        for owner in (project, project.root)
        for index in (owner.indexes if owner else ())
        if (backend := catalog.backend_of_url(index.url, index.name)) is not None
        and not is_nightly(catalog.real(index.url))
        and index not in [move.entry for move in moves]
    ]
    replaced: dict[str | None, str] = {}
    for move in moves:
        there = next((name for name, b in staying if b == move.new and name), None)
        own = move.entry in project.indexes and move.entry.name not in elsewhere
        in_place = own and there is None
        reason = f"{move.new.title} replaces {move.old.title}"
        if there is None:
            there, url = _new_name(move, project), _new_url(move, project, catalog)
            if in_place:
                number = [entry.get("name") for entry in draft.get(INDEXES)].index(move.entry.name)
                draft.put((*INDEXES, number, "name"), there, reason)
                draft.put((*INDEXES, number, "url"), url, reason)
                staying.append((there, move.new))
            else:
                entry: dict[str, Value] = {"name": there, "url": url}
                if move.entry.explicit:
                    entry["explicit"] = True
                draft.insert(INDEXES, entry, reason)
        if not in_place:
            replaced[move.entry.name] = there
        for each in drafts:
            for package, path, source in source_entries(each):
                ours = in_place or canonicalize_name(package) in catalog.family
                if ours and source.get("index") == move.entry.name:
                    each.put((*path, "index"), there, reason)
    there_still = elsewhere.union(*(named_indexes(other) for _, other in beside))
    gone = remove_unused_indexes(
        draft,
        project,
        catalog,
        "another index has taken its place",
        there_still,
        only=replaced,
        beside=[member for member, _ in beside],
    )
    return [f"index `{n}` was removed: `{replaced[n]}` serves its packages now" for n in gone]


class _Move(NamedTuple):
    """One index, and what it is to serve."""

    entry: Index
    old: Backend
    new: Backend


def _moves(
    used: AbstractSet[object],
    project: Project,
    catalog: Catalog,
    backends: Mapping[str, Backend],
) -> Iterator[_Move]:
    """Yield the indexes of old backends that sources of the family name."""
    seen: set[str | None] = set()
    for owner in (project, project.root):
        for index in owner.indexes if owner else ():
            old = catalog.backend_of_url(index.url, index.name)
            moves = old and old.name in backends and not is_nightly(catalog.real(index.url))
            if old and moves and index.name in used - seen:
                seen.add(index.name)
                yield _Move(index, old, backends[old.name])


def _new_name(move: _Move, project: Project) -> str:
    """Return the name that the index of the new backend has."""
    old = str(move.entry.name)
    name = rename_backend(old, move.old.name, move.new.name)
    if name == old and move.entry not in project.indexes:
        name = f"pytorch-{move.new.name}"
    if name != old:
        _refuse_taken(name, project)
    return name


def _new_url(move: _Move, project: Project, catalog: Catalog) -> str:
    if catalog.publisher_of(move.new):
        return catalog.index_url(move.new)
    url = _moved_url(move.entry.url, move.old.name, move.new.name)
    if url is None:
        raise ProjectError(
            f"cannot find the part of {move.entry.url} that selects {move.old.title}",
            at=project.place(move.entry.at),
            help=f"add an index for {move.new.title}, and run the command again",
        )
    return url


def _moved_url(url: str, old: str, new: str) -> str | None:
    """Return a URL whose path names another backend; None if it does not name the old one."""
    scheme, found, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    moved = rename_backend(path, old, new)
    return None if moved == path else f"{scheme}{found}{host}{slash}{moved}"


def _refuse_taken(name: str, project: Project) -> None:
    taken = project.index_named(name)
    if taken is not None:
        raise ProjectError(
            f"index name `{name}` is taken by {taken.url}",
            at=project.place(taken.at),
            help="rename that index, or correct its URL",
        )
