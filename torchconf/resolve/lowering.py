"""What projects declare, put together with their sources: the first half of the routing rule.

*Lowering* is uv's word for it: a requirement string together with the source entries of its name
gives *sourced requirements*, each with an index, with a path or the like, or without a source. From
them come the two things that `torchconf.resolve.routes` works on:

- the *pin table*: which index a package is to come from, in which environments, and for which item;
- the *lists*: what the base dependencies, each extra and each group ask for, flattened.

How uv lowers a requirement:

1. It takes the project's source entries for the name, else the workspace root's.
2. An entry counts if it has no `extra` or the requirement stands in that extra; likewise `group`.
   Groups are flattened first: what an included group asks for stands in the *including* group.
3. Each entry that counts gives one sourced requirement, where both markers hold.
4. Where none holds, a rest without a source is left.
5. An index in 3 is also a pin. Its item is the one written in the *entry*, not the place of the
   requirement: an entry without a scope pins everywhere, even for a requirement inside an extra.

Pins are collected before anything is resolved, from: every member with all its extras on; every
member that has groups once more, with no extra on, and its groups; every local source tree that
these reach, with the extras that they ask for; constraints with a version specifier; overrides,
which replace the requirements of their name first. `exclude-dependencies` removes requirements. A
requirement whose marker is false under the extras then on gives no pin, so that a source with the
marker `extra == 'x'` pins everywhere.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from torchconf.errors import ProjectError
from torchconf.model.project import Item, Project, flatten_group
from torchconf.model.source_trees import place_of_source, place_of_url
from torchconf.resolve.early_refusals import (
    check_member,
    check_names,
    check_settings,
    check_sources,
)
from torchconf.resolve.environments import Universe, mentions_extra
from torchconf.resolve.lists import Lists
from torchconf.resolve.sourced import Pin, Sourced, dynamic, extra_of, unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.markers import Marker
    from packaging.utils import NormalizedName

    from torchconf.model.project import Index, Requirement, Source
    from torchconf.resolve.environments import Environments
    from torchconf.resolve.sourced import Doubt

__all__ = ["Declared", "members_of", "universe_of"]

_NONE_ON: frozenset[NormalizedName] = frozenset()


class Declared:
    """All that a workspace declares, lowered.

    Attributes:
        universe: The environments that its markers tell apart.
        members: The workspace's projects by name; a project of its own is its only member.
        pins: The pin table, by package.
        doubts: Source trees of which not everything was read, by their places.
        mixed: Packages with sources of several kinds, an index being one of them.
        lists: What base dependencies, extras and groups ask for.

    Raises:
        ProjectError: What uv refuses before it resolves anything.
        TooManyEnvironments: See `torchconf.resolve.environments`.
    """

    def __init__(
        self,
        project: Project,
        members: Sequence[Project] = (),
        libraries: Mapping[str, Project | None] | None = None,
        universe: Universe | None = None,
    ) -> None:
        """Lower everything; `universe` is what `universe_of` says of the same projects."""
        self.root = project.workspace
        every = [project, *members, *([project.root] if project.root else [])]
        self.members = members_of(project, members)
        self.libraries = libraries or {}
        read = [library for library in self.libraries.values() if library is not None]
        self.projects = [*{id(one): one for one in (self.root, *every, *read)}.values()]
        self.universe = universe or universe_of(project, members, self.libraries)
        self.extras_in_markers = any(
            mentions_extra(marker) for one in self.projects for marker in markers_of(one)
        )
        self.doubts: dict[str, Doubt] = {}
        self.mixed: set[NormalizedName] = set()
        self._lowered: dict[int, tuple[Sourced, ...]] = {}
        self._groups: dict[tuple[int, NormalizedName], tuple[Sourced, ...]] = {}
        self.excluded = frozenset(self.root.exclude_dependencies)
        check_names((self.root, *every))
        check_settings(self)
        for one in self.projects:
            check_sources(self, one)
        self.constraints = self._by_name(
            # uv drops a constraint that names no version.
            requirement
            for requirement in self.root.constraint_dependencies
            if requirement.specifier or requirement.url
        )
        self.overrides = self._by_name(self.root.override_dependencies)
        self.lists = Lists(self)
        self.pins: dict[NormalizedName, list[Pin]] = {}
        self._pinned: set[tuple[NormalizedName, str, Item | None, Environments]] = set()
        self._collect_pins()

    def where(
        self, sourced: Sourced, extras: frozenset[NormalizedName] = frozenset()
    ) -> Environments:
        """Return the environments of a sourced requirement, with some extras on: steps 3 and 4."""
        where = self.universe.where
        environments = where(sourced.requirement.marker, extras)
        if sourced.source is not None:
            return environments & where(sourced.source.marker, extras)
        for source in sourced.beside:
            environments &= ~where(source.marker, extras)
        return environments

    # Lowering.

    def _lower(
        self,
        project: Project,
        requirement: Requirement,
        extra: NormalizedName | None = None,
        group: NormalizedName | None = None,
        section: NormalizedName | None = None,
    ) -> Iterator[Sourced]:
        """Put a requirement together with its sources: steps 1 to 4."""
        counting = project.sources_within(requirement.name, extra=extra, group=group)
        check_member(self, project, requirement, counting)
        if len({source.index is None for source in counting}) > 1:
            self.mixed.add(requirement.name)
        for source in counting:
            yield Sourced(
                requirement=requirement,
                source=source,
                index=_index(project, source),
                beside=counting,
                section=section,
                tree=place_of_source(project, source),
            )
        if not any(source.marker is None for source in counting):
            yield Sourced(
                requirement=requirement,
                source=None,
                index=None,
                beside=counting,
                section=section,
                tree=place_of_url(project, requirement.url),
            )

    def _by_name(self, requirements: Iterable[Requirement]) -> dict[NormalizedName, list[Sourced]]:
        """Lower constraints or overrides, which count as base requirements of the root."""
        lowered: dict[NormalizedName, list[Sourced]] = {}
        for requirement in requirements:
            pieces = [piece for piece in self._lower(self.root, requirement) if self.where(piece)]
            lowered.setdefault(requirement.name, []).extend(pieces)
        return lowered

    def published(self, project: Project) -> tuple[Sourced, ...]:
        """Lower what the project publishes: base dependencies and extras."""
        lowered = self._lowered.get(id(project))
        if lowered is None:
            pieces: list[Sourced] = []
            for requirement in project.dependencies:
                pieces.extend(self._lower(project, requirement, extra_of(requirement)))
            for extra_name, section in project.extras.items():
                for requirement in section.requirements:
                    place = extra_of(requirement, extra_name)
                    pieces.extend(self._lower(project, requirement, place, section=extra_name))
            lowered = self._lowered[id(project)] = tuple(self._overridden(pieces))
        return lowered

    def group(self, project: Project, group: NormalizedName) -> tuple[Sourced, ...]:
        """Lower the requirements of one group, flattened."""
        lowered = self._groups.get((id(project), group))
        if lowered is None:
            # uv does not apply the sources for a group to the groups of a root without a project.
            scope = group if project.has_project else None
            pieces = [
                piece
                for requirement in flatten_group(project, group)
                for piece in self._lower(project, requirement, group=scope)
            ]
            lowered = self._groups[id(project), group] = tuple(self._overridden(pieces))
        return lowered

    def _overridden(self, pieces: list[Sourced]) -> Iterator[Sourced]:
        """Apply exclusions, and overrides, which keep only the extra of what they replace."""
        for piece in pieces:
            if piece.name in self.excluded:
                continue
            overrides = self.overrides.get(piece.name)
            if overrides is None:
                yield piece
                continue
            section = piece.section or extra_of(piece.requirement)
            for override in overrides:
                yield Sourced(
                    requirement=override.requirement,
                    source=override.source,
                    index=override.index,
                    beside=override.beside,
                    section=section,
                    tree=override.tree,
                )

    # The pin table.

    def _collect_pins(self) -> None:
        """Collect the pins, under the extras under which uv collects them."""
        reached: list[tuple[Project, tuple[NormalizedName, ...]]] = []
        for member in self.members.values():
            self._pin(member, self.published(member), frozenset(member.extras), reached)
            if member.groups and self.extras_in_markers:
                self._pin(member, self.published(member), _NONE_ON, reached)
        # The groups of a root that is no project count too.
        for one in {id(one): one for one in (self.root, *self.members.values())}.values():
            for group in one.groups:
                self._pin(one, self.group(one, group), _NONE_ON, reached)
        seen: set[tuple[int, tuple[NormalizedName, ...]]] = set()
        while reached:
            library, extras = reached.pop(0)
            if (id(library), extras) not in seen:
                seen.add((id(library), extras))
                self._pin(library, self.published(library), frozenset(extras), reached)
        for piece in itertools.chain(*self.constraints.values(), *self.overrides.values()):
            if piece.name not in self.excluded:
                self._pin_one(self.root, piece, self.where(piece))

    def _pin(
        self,
        project: Project,
        lowered: tuple[Sourced, ...],
        extras: frozenset[NormalizedName],
        reached: list[tuple[Project, tuple[NormalizedName, ...]]],
    ) -> None:
        """Pin what a project asks for in base and in some of its extras, these extras being on."""
        for piece in lowered:
            if piece.section is not None and piece.section not in extras:
                continue
            environments = self.where(piece, extras)
            if environments:
                self._pin_one(project, piece, environments)
                tree = self.library(piece)
                if self.extras_in_markers:
                    # A member, itself included, has been seen with all extras on, or with none.
                    tree = tree or self.members.get(piece.name)
                if tree is not None:
                    reached.append((tree, piece.requirement.extras))

    def _pin_one(self, project: Project, piece: Sourced, environments: Environments) -> None:
        if piece.index is None or piece.source is None:
            return
        item = _scope(project, piece.source)
        key = (piece.name, piece.index.url, item, environments)
        if key in self._pinned:
            return
        self._pinned.add(key)
        self.pins.setdefault(piece.name, []).append(
            Pin(
                package=piece.name,
                index=piece.index,
                environments=environments,
                item=item,
                source=piece.source,
                requirement=piece.requirement,
                at=_written(project, piece.source),
            )
        )

    def library(self, sourced: Sourced) -> Project | None:
        """Return the library that a sourced requirement reaches, if it was read.

        Of one that was not, `doubts` takes note: its own sources could pin anything.
        """
        place = sourced.tree
        if place is None:
            return None
        if sourced.name in self.members and sourced.source and sourced.source.kind == "workspace":
            return None
        library = self.libraries.get(place)
        if place not in self.doubts:
            if place not in self.libraries:
                self.doubts[place] = unread(sourced)
            elif library is not None and "dependencies" in library.dynamic:
                self.doubts[place] = dynamic(library)
        return library


def members_of(project: Project, others: Sequence[Project]) -> dict[NormalizedName, Project]:
    """Return all members of a project's workspace by name, the root included if it is a project."""
    every = (project, *others, project.workspace)
    return {member.name: member for member in every if member.name is not None}


def _index(project: Project, source: Source) -> Index | None:
    """Look up the index of a source entry."""
    if source.index is None:
        return None
    index = project.index_named(source.index)
    if index is None:
        message = f"`{source.package}` is routed to index `{source.index}`, which is not defined"
        raise ProjectError(
            message,
            at=f"{_written(project, source)}.index",
            help="define it in `[[tool.uv.index]]`, or remove the source",
        )
    return index


def _written(project: Project, source: Source) -> str:
    """Say where a source is written: a member may have it from its root."""
    owner = project if source.package in project.sources else project.workspace
    return owner.place(source.at)


def _scope(project: Project, source: Source) -> Item | None:
    if project.name is None:
        return None
    if source.extra is not None:
        return Item(project.name, "extra", source.extra)
    if source.group is not None:
        return Item(project.name, "group", source.group)
    return None


def universe_of(
    project: Project, members: Sequence[Project], libraries: Mapping[str, Project | None]
) -> Universe:
    """Return the environments that the markers of a workspace and its libraries tell apart.

    Raises:
        TooManyEnvironments: See `torchconf.resolve.environments`.
    """
    workspace = {id(one): one for one in (project.workspace, project, *members)}.values()
    read = (library for library in libraries.values() if library is not None)
    return Universe(
        (marker for one in (*workspace, *read) for marker in markers_of(one)),
        (one.requires_python for one in workspace if one.requires_python is not None),
    )


def markers_of(project: Project) -> Iterator[Marker]:
    """Yield every marker of a project."""
    for requirement in project.requirements():
        if requirement.marker is not None:
            yield requirement.marker
    for requirement in (*project.constraint_dependencies, *project.override_dependencies):
        if requirement.marker is not None:
            yield requirement.marker
    for sources in project.sources.values():
        for source in sources:
            if source.marker is not None:
                yield source.marker
    for environment in project.environments:
        yield environment.marker
