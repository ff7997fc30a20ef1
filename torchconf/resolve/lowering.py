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
from functools import cached_property, reduce
from operator import or_
from typing import TYPE_CHECKING, NoReturn

from packaging.utils import canonicalize_name

from torchconf.errors import ProjectError
from torchconf.model.project import Index, Item, Project, Record, Requirement, Source, flatten_group
from torchconf.model.source_trees import place_of_source, place_of_url
from torchconf.resolve.environments import Universe, mentions_extra, scope_extra

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.markers import Marker
    from packaging.utils import NormalizedName

    from torchconf.resolve.environments import Environments

__all__ = [
    "Declared",
    "Doubt",
    "ListEntry",
    "Pin",
    "Sourced",
    "dynamic",
    "members_of",
    "universe_of",
]

_NONE_ON: frozenset[NormalizedName] = frozenset()
_PAIR = 2
_TOGETHER = 16


class Sourced(Record):
    """One requirement with one of its sources, or the rest that no source covers.

    `beside` are the entries that count for it; the rest is where none of them holds. `section` is
    the extra in which the requirement string stands; it is None for base, groups and constraints.
    `tree` is the place of the source tree that it comes from, as `torchconf.model.source_trees`
    names it.
    """

    requirement: Requirement
    source: Source | None
    index: Index | None
    beside: tuple[Source, ...]
    section: NormalizedName | None
    tree: str | None = None

    @property
    def name(self) -> NormalizedName:
        """The package."""
        return self.requirement.name

    @property
    def is_direct(self) -> bool:
        """Whether the package comes from a path, a repository or a URL, and from no index."""
        if self.source is not None:
            return self.index is None
        return self.requirement.url is not None


class Pin(Record):
    """One row of the pin table: in these environments, `package` comes from `index`.

    `item` is the extra or group written in the source entry, `requirement` the string through which
    uv found the entry, and `at` the entry's place, file included.
    """

    package: NormalizedName
    index: Index
    environments: Environments
    item: Item | None
    source: Source
    requirement: Requirement
    at: str


class Doubt(Record):
    """A source tree of which not everything was read.

    Attributes:
        name: The package that it holds.
        reason: One sentence.
        pins: The packages that its own sources may route; None for any.
    """

    name: NormalizedName | None
    reason: str
    pins: frozenset[NormalizedName] | None = None

    def may_pin(self, package: NormalizedName) -> bool:
        """Tell whether it may say from which index a package comes."""
        return self.pins is None or package in self.pins


class ListEntry(Record):
    """One line of a list: a package asked for in some environments.

    `sourced` is None for what a package known to need it brings.
    """

    name: NormalizedName
    environments: Environments
    sourced: Sourced | None
    extras: tuple[NormalizedName, ...]


class Lines(tuple[ListEntry, ...]):  # noqa: SLOT001 - what is derived from it is kept in it
    """A list. Most of its lines may hold in few environments, and most environments in few lines.

    So above the environments of the lines are those of each sixteen of them together, and so on.
    """

    @cached_property
    def _levels(self) -> list[list[Environments]]:
        levels = [[line.environments for line in self]]
        while len(levels[-1]) > _TOGETHER:
            below = levels[-1]
            starts = range(0, len(below), _TOGETHER)
            levels.append([reduce(or_, below[start : start + _TOGETHER]) for start in starts])
        return levels

    def within(self, environments: Environments) -> list[ListEntry]:
        """Return the lines that hold in some of these environments, in their order."""
        numbers: Iterable[int] = range(len(self._levels[-1]))
        found: list[int] = []
        for level in reversed(self._levels):
            found = [n for n in numbers if n < len(level) and level[n] & environments]
            numbers = (n * _TOGETHER + offset for n in found for offset in range(_TOGETHER))
        return [self[number] for number in found]


class Declared:
    """All that a workspace declares, lowered.

    Attributes:
        universe: The environments that its markers tell apart.
        members: The workspace's projects by name; a project of its own is its only member.
        pins: The pin table, by package.
        doubts: Source trees of which not everything was read, by their places.
        mixed: Packages with sources of several kinds, an index being one of them.

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
        self._extras_in_markers = any(
            mentions_extra(marker) for one in self.projects for marker in markers_of(one)
        )
        self.doubts: dict[str, Doubt] = {}
        self.mixed: set[NormalizedName] = set()
        self._lowered: dict[int, tuple[Sourced, ...]] = {}
        self._groups: dict[tuple[int, NormalizedName], tuple[Sourced, ...]] = {}
        self._lists: dict[tuple[int, str, NormalizedName | None], Lines] = {}
        self._by_section: dict[int, dict[NormalizedName | None, list[Sourced]]] = {}
        self._led: dict[tuple[int, NormalizedName], NormalizedName] = {}
        self._excluded = frozenset(self.root.exclude_dependencies)
        self._check_settings()
        for one in self.projects:
            self._check_sources(one)
        self._constraints = self._by_name(
            # uv drops a constraint that names no version.
            requirement
            for requirement in self.root.constraint_dependencies
            if requirement.specifier or requirement.url
        )
        self._overrides = self._by_name(self.root.override_dependencies)
        self.pins: dict[NormalizedName, list[Pin]] = {}
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
        self._check_member(project, requirement, counting)
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

    def _published(self, project: Project) -> tuple[Sourced, ...]:
        """Lower what the project publishes: base dependencies and extras."""
        lowered = self._lowered.get(id(project))
        if lowered is None:
            pieces: list[Sourced] = []
            for requirement in project.dependencies:
                pieces.extend(self._lower(project, requirement, _place(requirement)))
            for extra_name, section in project.extras.items():
                for requirement in section.requirements:
                    place = _place(requirement, extra_name)
                    pieces.extend(self._lower(project, requirement, place, section=extra_name))
            lowered = self._lowered[id(project)] = tuple(self._overridden(pieces))
        return lowered

    def _group(self, project: Project, group: NormalizedName) -> tuple[Sourced, ...]:
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
            if piece.name in self._excluded:
                continue
            overrides = self._overrides.get(piece.name)
            if overrides is None:
                yield piece
                continue
            section = piece.section or _place(piece.requirement)
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
            self._pin(member, self._published(member), frozenset(member.extras), reached)
            if member.groups and self._extras_in_markers:
                self._pin(member, self._published(member), _NONE_ON, reached)
        # The groups of a root that is no project count too.
        for one in {id(one): one for one in (self.root, *self.members.values())}.values():
            for group in one.groups:
                self._pin(one, self._group(one, group), _NONE_ON, reached)
        seen: set[tuple[int, tuple[NormalizedName, ...]]] = set()
        while reached:
            library, extras = reached.pop(0)
            if (id(library), extras) not in seen:
                seen.add((id(library), extras))
                self._pin(library, self._published(library), frozenset(extras), reached)
        for piece in itertools.chain(*self._constraints.values(), *self._overrides.values()):
            if piece.name not in self._excluded:
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
                if self._extras_in_markers:
                    # A member, itself included, has been seen with all extras on, or with none.
                    tree = tree or self.members.get(piece.name)
                if tree is not None:
                    reached.append((tree, piece.requirement.extras))

    def _pin_one(self, project: Project, piece: Sourced, environments: Environments) -> None:
        if piece.index is None or piece.source is None:
            return
        item = _scope(project, piece.source)
        pins = self.pins.setdefault(piece.name, [])
        for pin in pins:
            same = pin.index.url == piece.index.url and pin.item == item
            if same and pin.environments == environments:
                return
        pins.append(
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
                self.doubts[place] = _unread(sourced)
            elif library is not None and "dependencies" in library.dynamic:
                self.doubts[place] = dynamic(library)
        return library

    # The lists.

    def base_list(self, project: Project) -> Lines:
        """Return the list of the base dependencies."""
        return self._list(project, "base", None)

    def extra_list(self, project: Project, extra: NormalizedName) -> Lines:
        """Return the list of one extra, without the base dependencies."""
        return self._list(project, "extra", self._leads_on(project, extra))

    def group_list(self, project: Project, group: NormalizedName) -> Lines:
        """Return the list of one dependency group."""
        return self._list(project, "group", group)

    def _list(self, project: Project, kind: str, name: NormalizedName | None) -> Lines:
        key = (id(project), kind, name)
        found = self._lists.get(key)
        if found is None:
            if kind == "group" and name is not None:
                pieces = ((piece, self.where(piece)) for piece in self._group(project, name))
                entries = [_entry(piece, there) for piece, there in pieces if there]
            else:
                entries = self._flattened(project, name)
            found = self._lists[key] = Lines(self._constrained(entries))
        return found

    def _own(self, project: Project, extra: NormalizedName | None) -> Iterator[ListEntry]:
        """Yield what stands in base, or what an extra adds to it."""
        on = _NONE_ON if extra is None else frozenset((extra,))
        pieces: Sequence[Sourced] = self._published(project)
        if not self._extras_in_markers:
            by_section = self._by_section.get(id(project))
            if by_section is None:
                by_section = self._by_section[id(project)] = {}
                for piece in pieces:
                    by_section.setdefault(piece.section, []).append(piece)
            pieces = by_section.get(extra, ())
        for piece in pieces:
            if piece.section == extra:
                environments = self.where(piece, on)
            elif piece.section is None and self._extras_in_markers:
                environments = self.where(piece, on) & ~self.where(piece)
            else:
                continue
            if environments:
                yield _entry(piece, environments)

    def _leads_on(self, project: Project, extra: NormalizedName) -> NormalizedName:
        """Pass over extras that ask for nothing but another extra: these have its list."""
        passed: dict[NormalizedName, None] = {}
        while extra not in passed and (id(project), extra) not in self._led:
            own = list(itertools.islice(self._own(project, extra), _PAIR))
            if len(own) != 1 or own[0].name != project.name or len(own[0].extras) != 1:
                break
            if own[0].environments != self.universe.everything:
                break
            passed[extra] = None
            extra = own[0].extras[0]
        last = self._led.get((id(project), extra), extra)
        self._led.update(((id(project), one), last) for one in passed)
        return last

    def _flattened(self, project: Project, extra: NormalizedName | None) -> list[ListEntry]:
        """Replace `demo[x]` by the requirements of x, in whose environments it stands.

        uv does so without asking whether a fork keeps x out.
        """
        entries: list[ListEntry] = []
        queue: list[ListEntry] = []
        for entry in self._own(project, extra):
            (queue if entry.name == project.name and entry.extras else entries).append(entry)
        seen: set[tuple[NormalizedName, Environments]] = set()
        for alias in queue:
            for name in alias.extras:
                if (name, alias.environments) in seen:
                    continue
                seen.add((name, alias.environments))
                for entry in self._own(project, name):
                    environments = entry.environments & alias.environments
                    if not environments:
                        continue
                    narrowed = ListEntry(
                        name=entry.name,
                        environments=environments,
                        sourced=entry.sourced,
                        extras=entry.extras,
                    )
                    itself = entry.name == project.name and entry.extras
                    (queue if itself else entries).append(narrowed)
        return entries

    def _constrained(self, entries: Iterable[ListEntry]) -> Iterator[ListEntry]:
        """Put beside each requirement the constraints of its name, with both markers joined."""
        for entry in entries:
            yield entry
            for constraint in self._constraints.get(entry.name, ()):
                environments = entry.environments & self.where(constraint)
                if environments:
                    yield _entry(constraint, environments)

    def needed_list(self, names: Iterable[NormalizedName]) -> Lines:
        """Return the list of a package known to need others: each without a marker."""
        everywhere = self.universe.everything
        entries: list[ListEntry] = []
        for name in sorted(set(names) - self._excluded):
            overrides = self._overrides.get(name)
            if overrides is None:
                entries.append(
                    ListEntry(name=name, environments=everywhere, sourced=None, extras=())
                )
            else:
                entries += [_entry(override, self.where(override)) for override in overrides]
        return Lines(self._constrained(entries))

    # What uv refuses before it resolves anything.

    def _check_settings(self) -> None:
        for project in self.projects:
            for conflict in project.conflicts:
                if len(set(conflict.items)) < _PAIR:
                    _refuse(project, "a conflict needs at least two different items", conflict.at)
            for group in project.groups:
                flatten_group(project, group)
        for project in (self.root, *self.members.values()):
            self._check_default_groups(project)
        for one, after in itertools.pairwise(self.root.environments):
            if self._overlap(one.marker, after.marker):
                message = f"the environments `{one.raw}` and `{after.raw}` overlap"
                _refuse(self.root, message, after.at)

    def _check_default_groups(self, project: Project) -> None:
        if isinstance(project.default_groups, tuple):
            for group in project.default_groups:
                if group not in project.groups:
                    message = f"default group `{group}` is not defined"
                    _refuse(project, message, "tool.uv.default-groups", "define it, or remove it")

    def _overlap(self, one: Marker | None, other: Marker | None) -> bool:
        where = self.universe.where
        return any(
            where(one, extras) & where(other, extras)
            for extras in ([_NONE_ON] if not self._extras_in_markers else self._extra_choices())
        )

    def _extra_choices(self) -> list[frozenset[str]]:
        """Return the choices of extras under which two markers are tried for overlap."""
        names = sorted({name for one in self.projects for name in one.extras})
        return [_NONE_ON, *(frozenset((name,)) for name in names), frozenset(names)]

    def _check_sources(self, project: Project) -> None:
        for package, sources in project.sources.items():
            if not sources:
                _refuse(project, f"`{package}` has no source", f"tool.uv.sources.{package}")
            for source in sources:
                _check_kind(project, source)
                if project.has_project:
                    _check_scope(project, source)
            for one, after in itertools.pairwise(sources):
                same_scope = one.extra == after.extra and one.group == after.group
                if same_scope and self._overlap(one.marker, after.marker):
                    _refuse(
                        project,
                        f"two sources of `{package}` apply to the same environments",
                        after.at,
                        "give them markers that exclude each other",
                    )

    def _check_member(
        self, project: Project, requirement: Requirement, counting: tuple[Source, ...]
    ) -> None:
        """Refuse a requirement on another member that is not sourced from the workspace."""
        name = requirement.name
        if name not in self.members or name == project.name or project.name not in self.members:
            return
        if not counting or any(source.kind != "workspace" for source in counting):
            _refuse(
                project,
                f"`{name}` is a member of the workspace and needs a workspace source",
                requirement.at,
                f"add `{name} = {{ workspace = true }}` to `tool.uv.sources`",
            )


def members_of(project: Project, others: Sequence[Project]) -> dict[NormalizedName, Project]:
    """Return all members of a project's workspace by name, the root included if it is a project."""
    every = (project, *others, project.workspace)
    return {member.name: member for member in every if member.name is not None}


def dynamic(project: Project) -> Doubt:
    """Say that nobody but its build backend knows what a project depends on."""
    return Doubt(
        name=project.name,
        reason=f"the build backend of `{project.name}` computes its dependencies",
        pins=frozenset(project.sources),
    )


def _unread(sourced: Sourced) -> Doubt:
    kind = sourced.source.kind if sourced.source else "url"
    if kind == "git" or (sourced.tree or "").startswith("git+"):
        where = "comes from a git repository"
    elif kind == "workspace":
        where = "is not a member of this workspace"
    else:
        where = f"comes from `{sourced.tree}`"
    return Doubt(
        name=sourced.name,
        reason=f"`{sourced.name}` {where}, and its `tool.uv.sources` were not read",
    )


def _refuse(project: Project, message: str, at: str, next_step: str | None = None) -> NoReturn:
    raise ProjectError(message, at=project.place(at), help=next_step)


def _check_kind(project: Project, source: Source) -> None:
    if source.kind in ("mixed", "none"):
        _refuse(
            project, "a source names exactly one of index, path, git, url, workspace", source.at
        )
    if source.extra and source.group:
        _refuse(project, "a source cannot have both `extra` and `group`", source.at)


def _check_scope(project: Project, source: Source) -> None:
    """Refuse a source whose extra or group is not there, or does not list the package."""
    if source.extra is not None:
        kind, name, defined = "extra", source.extra, project.extras
    elif source.group is not None:
        kind, name, defined = "group", source.group, project.groups
    else:
        return
    at = f"{source.at}.{kind}"
    if name not in defined:
        _refuse(project, f"{kind} `{name}` is not defined", at)
    if kind == "group":
        listed = {requirement.name for requirement in flatten_group(project, name)}
    else:
        listed = _listed(project, name)
    if source.package not in listed:
        message = f"{kind} `{name}` does not list `{source.package}`"
        _refuse(project, message, at, f"add it to the {kind}")


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


def _place(
    requirement: Requirement, section: NormalizedName | None = None
) -> NormalizedName | None:
    """Return the extra in which uv takes a requirement to stand.

    A published requirement is one string with a marker: `extra == 'x'` in `dependencies` is as
    good as standing in x.
    """
    named = scope_extra(requirement.marker)
    if named is None:
        return section
    return min(canonicalize_name(named), section or canonicalize_name(named))


def _listed(project: Project, extra: NormalizedName) -> set[NormalizedName]:
    """Return the packages that an extra lists by itself."""
    found = {one.name for one in project.dependencies if _place(one) == extra}
    section = project.extras[extra].requirements
    return found | {one.name for one in section if _place(one, extra) == extra}


def _scope(project: Project, source: Source) -> Item | None:
    if project.name is None:
        return None
    if source.extra is not None:
        return Item(project.name, "extra", source.extra)
    if source.group is not None:
        return Item(project.name, "group", source.group)
    return None


def _entry(piece: Sourced, environments: Environments) -> ListEntry:
    return ListEntry(
        name=piece.name,
        environments=environments,
        sourced=piece,
        extras=piece.requirement.extras,
    )


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
