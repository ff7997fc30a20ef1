"""What rules look at: one file, what surrounds it, and what uv makes of it."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from packaging.utils import canonicalize_name

from torchconf.model.backends import is_nightly
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import PLATFORMS
from torchconf.model.toml_path import SOURCES
from torchconf.resolve.environments import TooManyEnvironments
from torchconf.resolve.lowering import universe_of
from torchconf.resolve.needs import needs_of
from torchconf.resolve.routes import SyncOptions, routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from packaging.markers import Marker
    from packaging.utils import NormalizedName

    from torchconf.catalog import Catalog
    from torchconf.errors import ProjectError
    from torchconf.model.backends import Backend
    from torchconf.model.project import Conflict, Index, Item, Project, Requirement, Source
    from torchconf.model.targets import Platform
    from torchconf.model.toml_path import Path
    from torchconf.resolve.environments import Environments, Universe
    from torchconf.resolve.routes import Route, Routes

_Key = TypeVar("_Key")
_NO_SETS: frozenset[int] = frozenset()

__all__ = ["Context", "Place", "Workspace", "names_in_builds", "sources_path"]


class Workspace:
    """A workspace, or a project of its own: what the contexts of its files share.

    Attributes:
        root: The workspace root, or the project itself.
        members: The other members.
        routes: What uv's lockfile would hold, as far as indexes go.
        universe: The environments that all markers tell apart; None where there are too many.
    """

    def __init__(
        self,
        root: Project,
        members: Sequence[Project] = (),
        libraries: Mapping[str, Project | None] | None = None,
        *,
        catalog: Catalog,
        lockfile: str = "",
    ) -> None:
        """Take the parts as they were read.

        Args:
            root: The workspace root, or the project itself.
            members: The other members.
            libraries: Path libraries, as `torchconf.resolve.routes.routes` takes them.
            catalog: What is known of PyTorch's wheels.
            lockfile: The text of `uv.lock`; empty if there is none.
        """
        self.root = root
        self.members = tuple(members)
        self.libraries = libraries or {}
        self.catalog = catalog
        self.lockfile = lockfile

    @cached_property
    def routes(self) -> Routes:
        """The same routes as those of `torchconf show`."""
        catalog = self.catalog
        return routes(
            self.root,
            members=self.members,
            libraries=self.libraries,
            needs=needs_of(
                (self.root, *self.members, *filter(None, self.libraries.values())), catalog
            ),
            carries=lambda index, package: catalog.serves(index.url, package),
            lockfile=lambda: self.lockfile,
            universe=self.universe,
        )

    @cached_property
    def universe(self) -> Universe | None:
        """The environments that the markers of all projects tell apart."""
        try:
            return universe_of(self.root, self.members, self.libraries)
        except TooManyEnvironments:
            return None

    @cached_property
    def conflicts(self) -> tuple[Conflict, ...]:
        """The conflict sets of all files."""
        return tuple(c for project in (self.root, *self.members) for c in project.conflicts)

    @cached_property
    def set_numbers(self) -> Mapping[Item, frozenset[int]]:
        """The numbers of the conflict sets that name an item."""
        return _numbers(self.conflicts, lambda item: item)


def _numbers(
    conflicts: Iterable[Conflict], key: Callable[[Item], _Key]
) -> dict[_Key, frozenset[int]]:
    """Return in which conflict sets the items with each key are."""
    found: dict[_Key, set[int]] = {}
    for number, conflict in enumerate(conflicts):
        for item in conflict.items:
            found.setdefault(key(item), set()).add(number)
    # Few sets hold most items, and items of the same sets share one value.
    shared: dict[frozenset[int], frozenset[int]] = {}
    return {each: shared.setdefault(n := frozenset(numbers), n) for each, numbers in found.items()}


class Place(NamedTuple):
    """Where requirements stand: the base dependencies, an extra or a group."""

    kind: str
    """`base`, `extra` or `group`."""
    name: NormalizedName | None
    """None for the base dependencies."""

    def __str__(self) -> str:
        """Return the words for a message."""
        if self.name is None:
            return "the base dependencies"
        return f"extra `{self.name}`" if self.kind == "extra" else f"group `{self.name}`"


class Context:
    """One file to be checked. Everything derived is worked out once, and only if a rule asks.

    Attributes:
        project: The file. What is malformed in it is left out; see `problems`.
        problems: What is malformed, each with its place.
        workspace: The workspace around it.
        catalog: What is known of PyTorch's wheels.
        declared: Platforms that somebody said the project is for: `check -t`, or
            `required-environments`.
        text: The file as it is written, for what data do not show: comments. Empty if unknown.
    """

    def __init__(
        self,
        project: Project,
        workspace: Workspace,
        *,
        problems: Sequence[ProjectError] = (),
        targets: Iterable[Platform] = (),
        text: str = "",
    ) -> None:
        """Take a project as `read_project` gave it, with its problems."""
        self.project = project
        self.workspace = workspace
        self.catalog = workspace.catalog
        self.problems = tuple(problems)
        self.text = text
        self.named = frozenset(targets)
        """The platforms that the command was told to check for."""
        self._flattened: dict[Place, tuple[Requirement, ...]] = {}
        self._first: dict[Place, dict[str, Requirement]] = {}

    @property
    def is_script(self) -> bool:
        """Whether it is the metadata block of a script (PEP 723)."""
        return self.project.is_script

    # Indexes.

    def backend(self, index: Index | None) -> Backend | None:
        """Tell which backend an index serves; None for PyPI and for what cannot be told.

        What a rule knows of a build holds for the same one of a channel, too.
        """
        found = None if index is None else self.catalog.backend_of_url(index.url, index.name)
        return None if found is None else self.catalog.plain(found)

    def is_pytorch(self, url: str, name: str | None = None) -> bool:
        """Tell whether an index is one of PyTorch's, or a mirror of one."""
        host = self.catalog.base_url.split("/")[2]
        url = self.catalog.real(url)
        return (
            url.split("/")[2:3] == [host]
            or self.catalog.backend_of_url(url, name) is not None
            or is_nightly(url)
        )

    @cached_property
    def pytorch_indexes(self) -> tuple[Index, ...]:
        """The `[[tool.uv.index]]` entries of this file that serve PyTorch's builds."""
        return tuple(
            index for index in self.project.indexes if self.is_pytorch(index.url, index.name)
        )

    def index_of(self, source: Source) -> Index | None:
        """Return the index that a source of this file names, if it is declared."""
        return self.project.index_named(source.value) if source.kind == "index" else None

    def source_backend(self, source: Source) -> Backend | None:
        """Tell which backend a source leads to; None for PyPI and for what cannot be told."""
        return self.backend(self.index_of(source))

    @cached_property
    def readers(self) -> tuple[Project, ...]:
        """The projects that read this file: the one it describes, and the members of a root."""
        if self.project is self.workspace.root:
            return (self.project, *self.workspace.members)
        return (self.project,)

    def users_of(self, index: Index) -> list[Source]:
        """Return the source entries that name an index, members' included."""
        return self._users.get(id(index), [])

    @cached_property
    def _users(self) -> Mapping[int, list[Source]]:
        """The source entries that name each index: one file may have many of both."""
        found: dict[int, list[Source]] = {}
        for project in self.readers:
            for sources in project.sources.values():
                for source in sources:
                    if source.index is not None:
                        index = project.index_named(source.index)
                        found.setdefault(id(index), []).append(source)
        return found

    def named_backend(self, name: str) -> Backend | None:
        """Tell which backend a name ends in, if it is one that PyTorch ever published."""
        known = self.catalog.normalised
        whole = f"-{canonicalize_name(name)}"
        if any(whole.endswith(f"-{other}") for other in self.catalog.names_of_others):
            return None
        parts = canonicalize_name(name).split("-")
        for count in (1, 2, 3):
            found = known.get("-".join(parts[-count:]))
            if found is not None and count <= len(parts):
                return self.catalog.backend(found)
        return None

    # What is declared.

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Every source entry of this file, in its order."""
        return tuple(source for sources in self.project.sources.values() for source in sources)

    @cached_property
    def family_sources(self) -> tuple[Source, ...]:
        """The source entries of family packages that stand in this file, in its order."""
        family = set(self.catalog.family)
        return tuple(
            source
            for package, sources in self.project.sources.items()
            if package in family
            for source in sources
        )

    @cached_property
    def requirements(self) -> tuple[tuple[Place, Requirement], ...]:
        """Every requirement string of this file that installs something, with its place.

        What an included group asks for is not repeated for the group that includes it.
        """
        project = self.project
        found = [(Place("base", None), requirement) for requirement in project.dependencies]
        for kind, sections in (("extra", project.extras), ("group", project.groups)):
            for name, section in sections.items():
                found += [(Place(kind, name), one) for one in section.requirements]
        return tuple(found)

    def required(self, package: str) -> tuple[tuple[Place, Requirement], ...]:
        """Return the requirements on one package."""
        return tuple(pair for pair in self.requirements if pair[1].name == package)

    def flat(self, place: Place) -> tuple[Requirement, ...]:
        """Return what a place asks for, included groups in their place; empty if undefined.

        Overrides stand in the place of what they override.
        """
        found = self._flattened.get(place)
        if found is None:
            found = self._flattened[place] = self.overridden(self._flat(place))
        return found

    def first_requirement(self, place: Place, package: str) -> Requirement | None:
        """Return the first requirement of a place on a package, included groups in their place."""
        found = self._first.get(place)
        if found is None:
            found = self._first[place] = {one.name: one for one in reversed(self.flat(place))}
        return found.get(package)

    def overridden(self, requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
        """Return requirements as uv takes them: with the overrides of their names."""
        overrides = self.project.workspace.override_dependencies
        if not overrides:
            return tuple(requirements)
        names = {override.name for override in overrides}
        found: dict[Requirement, None] = {}
        for one in requirements:
            taken = [o for o in overrides if o.name == one.name] if one.name in names else [one]
            found.update(dict.fromkeys(taken))
        return tuple(found)

    def _flat(self, place: Place) -> tuple[Requirement, ...]:
        project = self.project
        if place.name is None:
            return project.dependencies
        if place.kind == "extra":
            section = project.extras.get(place.name)
            return section.requirements if section else ()
        if place.name not in project.groups:
            return ()
        flat = project.flat_groups.get(place.name)
        return project.groups[place.name].requirements if flat is None else flat

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every place of this file: base, extras, groups."""
        project = self.project
        return (
            Place("base", None),
            *(Place("extra", name) for name in project.extras),
            *(Place("group", name) for name in project.groups),
        )

    def scopes_of(self, source: Source) -> tuple[Place, ...]:
        """Return the places of this file for which a source entry counts."""
        if source.extra is None and source.group is None:
            return self.places
        if source.extra is not None and source.group is not None:
            return ()
        project = self.project
        if source.extra is not None:
            return (Place("extra", source.extra),) if source.extra in project.extras else ()
        return (Place("group", source.group),) if source.group in project.groups else ()

    @cached_property
    def needed(self) -> frozenset[str]:
        """The family packages that some requirement of this file asks for by name."""
        names = {requirement.name for _, requirement in self.requirements}
        return frozenset(names.intersection(self.catalog.family))

    @cached_property
    def is_published(self) -> bool:
        """Whether the project looks as if it were published: built, and not marked private."""
        project = self.project
        table = project.data.get("project")
        classifiers = table.get("classifiers") if isinstance(table, dict) else None
        private = any(
            str(one).startswith("Private ::")
            for one in (classifiers if isinstance(classifiers, list) else ())
        )
        return project.has_build_system and project.package is not False and not private

    # Conflicts.

    def sets_of(self, item: Item) -> tuple[Conflict, ...]:
        """Return the conflict sets of the workspace that name an item: any file may hold one."""
        return tuple(self.workspace.conflicts[n] for n in sorted(self.set_numbers(item)))

    def set_numbers(self, item: Item) -> frozenset[int]:
        """Return the numbers of the conflict sets of the workspace that name an item."""
        return self.workspace.set_numbers.get(item, _NO_SETS)

    @cached_property
    def conflicting_defaults(self) -> frozenset[NormalizedName]:
        """The groups in conflict sets of this file that are default groups of who reads it."""
        named = {
            item.name
            for conflict in self.project.conflicts
            for item in conflict.items
            if item.kind == "group" and item.name is not None
        }
        return frozenset(
            name for name in named if any(name in one.default_names for one in self.readers)
        )

    @cached_property
    def routed_alone(self) -> Mapping[tuple[str, NormalizedName], tuple[NormalizedName, ...]]:
        """The packages with an index source for just one extra or group, by its kind and name."""
        found: dict[tuple[str, NormalizedName], dict[NormalizedName, None]] = {}
        for source in self.sources:
            for kind, name in (("extra", source.extra), ("group", source.group)):
                if name is not None and source.kind == "index":
                    found.setdefault((kind, name), {})[source.package] = None
        return {scope: tuple(packages) for scope, packages in found.items()}

    def sets_naming(self, kind: str, name: str | None) -> frozenset[int]:
        """Return the numbers of the sets of this file that name such an extra or group."""
        return self._sets_naming.get((kind, name), _NO_SETS)

    @cached_property
    def _sets_naming(self) -> Mapping[tuple[str, str | None], frozenset[int]]:
        return _numbers(self.project.conflicts, lambda item: (item.kind, item.name))

    # Platforms.

    @cached_property
    def declared(self) -> frozenset[Platform]:
        """The platforms that somebody said the project is for."""
        required = self.project.workspace.required_environments
        if not required:
            return self.named
        # Imported here: few projects say it.
        from torchconf.model.markers import holds

        named = {p for entry in required for p in PLATFORMS if holds(entry.marker, p)}
        return self.named | named

    @cached_property
    def locked(self) -> frozenset[Platform]:
        """The platforms that `environments` leaves in; all where it is not set."""
        entries = self.project.workspace.environments
        if not entries:
            return frozenset(PLATFORMS)
        return frozenset(p for entry in entries for p in self.platforms(entry.marker))

    def platforms(self, *markers: Marker | None) -> frozenset[Platform]:
        """Return the platforms on which these markers hold together, on some supported Python."""
        if self.workspace.universe is None:
            from torchconf.model.markers import holds

            return frozenset(
                platform
                for platform in PLATFORMS
                if all(marker is None or holds(marker, platform) for marker in markers)
            )
        bits = self.where(*markers)
        return frozenset(platform for platform, on in self._machines if on & bits)

    def where(self, *markers: Marker | None) -> Environments:
        """Return the environments in which markers hold together, with no extra on: bits.

        Only for markers of these files. Where there are too many environments to be numbered, none.
        """
        universe = self.workspace.universe
        if universe is None:
            return 0
        bits = universe.everything
        for marker in markers:
            bits &= universe.where(marker)
        return bits

    @cached_property
    def _machines(self) -> tuple[tuple[Platform, Environments], ...]:
        universe = self.workspace.universe
        if universe is None:
            return ()
        return tuple((platform, universe.on(platform.environment())) for platform in PLATFORMS)

    # Routes.

    @property
    def routes(self) -> Routes:
        """What uv's lockfile would hold, as far as indexes go."""
        return self.workspace.routes

    def route(
        self,
        package: str,
        platform: Platform,
        *,
        extras: Iterable[str] = (),
        groups: Iterable[str] = (),
        no_groups: Iterable[str] = (),
        default_groups: bool = True,
    ) -> Route:
        """Return where one package comes from on a platform, for one choice."""
        package_of = self.project.name
        member = package_of is not None and self.project is not self.workspace.root
        choice = SyncOptions(
            extras=frozenset(extras),
            groups=frozenset(groups),
            no_groups=frozenset(no_groups),
            default_groups=default_groups,
            packages=frozenset({package_of} if member and package_of else ()),
        )
        return self.routes.row(package, platform.environment(), choice)


def sources_path(source: Source) -> Path:
    """Return the place of all sources of a package, where this is one of them."""
    return source.path[: len(SOURCES) + 1]


def names_in_builds(project: Project) -> set[str]:
    """Return the packages that are needed to build this project, or others for it."""
    system = project.data.get("build-system")
    lines = system.get("requires") if isinstance(system, dict) else None
    extra = project.uv.get("extra-build-dependencies")
    found = [*lines] if isinstance(lines, list) else []
    for listed in extra.values() if isinstance(extra, dict) else ():
        found += [
            entry.get("requirement") if isinstance(entry, dict) else entry
            for entry in (listed if isinstance(listed, list) else ())
        ]
    return {canonicalize_name(_first_name(line)) for line in found if isinstance(line, str)}


def _first_name(line: str) -> str:
    match = re.match(r"\s*([A-Za-z0-9._-]+)", line)
    return match[1] if match else ""
