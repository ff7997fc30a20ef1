"""What a project's PyTorch tables say, read back as layout, targets and names.

This is the reading of well-formed tables: those that torchconf or uv's guide would write. What it
does not understand it names, so that nobody overwrites it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from torchconf.layout.layouts import KINDS, Kind, Layout
from torchconf.layout.machine_choice import MACHINE, is_by_machine, own_sets
from torchconf.model.backends import PYPI, Backend, is_nightly, is_pypi
from torchconf.model.intent import listed_platforms, lists_targets
from torchconf.model.markers import (
    are_closed_cells,
    holds,
    is_cut_by,
    opposite,
    overlap_for_uv,
    told,
)
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import admits_python
from torchconf.model.targets import PLATFORMS, SHOWN_PLATFORMS, Platform, Target

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from packaging.utils import NormalizedName

    from torchconf.catalog import Catalog
    from torchconf.model.project import Index, Project, Requirement, Source
    from torchconf.model.toml_path import Path


_PLATFORM = {"sys_platform", "platform_machine", "platform_system", "os_name"} | {
    "and", "or", "not", "in",
}  # fmt: skip
"""What the marker of a source may be made of."""

_SWITCHES = ("extra", "extras", "dependency_groups")
"""What a marker may ask of the choice of extras and groups."""


class Foreign(NamedTuple):
    """A source entry that uv understands and an edit keeps as it stands."""

    source: Source
    at: str
    why: str
    backend: Backend | None
    """What it gives a usual machine; None where nobody knows."""


class Unreadable(NamedTuple):
    """A place that is not understood."""

    at: str
    why: str


class Configuration(NamedTuple):
    """The PyTorch configuration of a project."""

    layout: Layout | None
    """None: no source of the family yet."""
    targets: tuple[Target, ...]
    names: Mapping[str, str]
    """Backend name to the extra or group that chooses it, as written."""
    aliases: Mapping[str, tuple[str, ...]]
    """Backend name to further extras or groups that route the same one."""
    indexes: Mapping[str, Index]
    """Backend name to the index that serves it: one in use, else PyTorch's, else the first."""
    packages: tuple[NormalizedName, ...]
    """The family packages that the project declares or routes, torch first."""
    sources: tuple[Source, ...]
    """Those of the first of them."""
    rest: Backend
    """What sources by marker give a system that nobody names; `PYPI` without any."""
    default: str | None
    """The backend whose group is a default group; `machine` where each machine says it."""
    pinned: bool
    required: bool
    cut: bool
    """`environments` is there for nothing but the markers of scoped sources."""
    unreadable: tuple[Unreadable, ...]
    foreign: tuple[Foreign, ...]
    """Entries of the family that are kept as they stand. Where one holds is no target of ours,
    unless its `backend` is known."""

    @property
    def scopes(self) -> frozenset[NormalizedName]:
        """The extras or groups that choose a backend."""
        further = (name for names in self.aliases.values() for name in names)
        return frozenset(map(canonicalize_name, (*self.names.values(), *further)))


def family_requirements(project: Project, catalog: Catalog) -> tuple[Requirement, ...]:
    """Return every declared requirement of a family package, wherever it stands."""
    return tuple(r for r in project.requirements() if r.name in catalog.family)


def is_in_other_extra(
    project: Project, packages: Collection[str], ours: Collection[NormalizedName]
) -> bool:
    """Tell whether an extra that chooses no build requires one of these packages."""
    return any(
        r.name in packages
        for name, section in project.extras.items()
        if name not in ours
        for r in section.requirements
    )


def index_backends(project: Project, catalog: Catalog) -> dict[str, tuple[Index, Backend]]:
    """Return the indexes that serve a known build, by name: the project's, then its root's."""
    found: dict[str, tuple[Index, Backend]] = {}
    for owner in (project, project.root):
        for index in owner.indexes if owner else ():
            backend = catalog.build_of_index(index.url, index.name)
            if index.name and backend and index.name not in found:
                found[index.name] = (index, backend)
    return found


def channels_of(project: Project, catalog: Catalog) -> set[str]:
    """Return the channels of the indexes that torch comes from; empty stands for stable builds."""
    indexes = (
        project.index_named(source.value)
        for source in project.sources_for(canonicalize_name(catalog.main_package))
        if source.kind == "index"
    )
    found = (catalog.backend_of_url(index.url, index.name) for index in indexes if index)
    return {catalog.channel_of(backend.accelerator) for backend in found if backend}


def read_configuration(project: Project, catalog: Catalog) -> Configuration:
    """Read the PyTorch tables of a project.

    Returns:
        `layout` None if no source routes a family package; the targets are then PyPI's builds, if
        torch is declared at all. Where torch comes from the indexes of one channel only, these are
        the targets; beside stable builds they are kept as they stand.
    """
    if catalog.reads_channels and len(there := channels_of(project, catalog)) == 1:
        channel = there.pop()
        catalog = catalog.view(channel) if channel else catalog
    known = index_backends(project, catalog)
    declared = {requirement.name for requirement in family_requirements(project, catalog)}
    routed = [
        name
        for name in dict.fromkeys([*project.sources, *(project.root or project).sources])
        if name in catalog.family
    ]
    packages = sorted({*declared, *routed}, key=catalog.family.index)
    reading = _Reading(project, catalog, known)
    entries = project.sources_for(_main(routed, catalog)) if routed else ()
    for name in routed:
        for source in project.sources_for(name):
            reading.look(source)
    layout = reading.layout(_main(routed, catalog)) if routed else None
    targets, names = reading.targets(entries, layout) if layout else ((), {})
    if layout is None and catalog.main_package in declared:
        targets = tuple(Target(platform, PYPI) for platform in SHOWN_PLATFORMS)
    constrained = {requirement.name for requirement in project.workspace.constraint_dependencies}
    return Configuration(
        layout=layout,
        targets=targets,
        names=names,
        aliases=reading.aliases,
        indexes=_indexes(project, catalog, known),
        packages=tuple(packages),
        sources=project.sources_for(packages[0]) if packages else (),
        rest=reading.rest(entries) if layout == "markers" else PYPI,
        default=_default(project, catalog, names, reading.aliases) if layout == "groups" else None,
        pinned=catalog.main_package in constrained,
        required=bool(project.workspace.required_environments),
        cut=is_cut(project, catalog),
        unreadable=tuple(reading.unreadable),
        foreign=tuple(reading.foreign.values()),
    )


def _default(
    project: Project,
    catalog: Catalog,
    names: Mapping[str, str],
    aliases: Mapping[str, tuple[str, ...]],
) -> str | None:
    """Return the backend of the only default group, or `machine` where each machine says it."""
    groups = {
        backend: tuple(map(canonicalize_name, (name, *aliases.get(backend, ()))))
        for backend, name in names.items()
    }
    if is_by_machine(project, catalog, groups):
        return MACHINE
    defaults = [b for b, own in groups.items() if project.is_default_group(own[0])]
    return defaults[0] if len(defaults) == 1 else None


def _indexes(
    project: Project, catalog: Catalog, known: Mapping[str, tuple[Index, Backend]]
) -> dict[str, Index]:
    """Return the index of each backend: the one in use for the family, then PyTorch's own.

    One that only other packages are routed to is somebody else's, whatever its URL ends in.
    """
    users: dict[str, set[str]] = {}
    for owner in (project, project.root):
        for name, sources in owner.sources.items() if owner else ():
            for source in sources:
                users.setdefault(source.index or "", set()).add(name)
    ranked: list[tuple[int, Index, Backend]] = []
    for written, (index, backend) in known.items():
        ours = catalog.is_own(index.url)
        used = users.get(written, set())
        if backend != PYPI and (ours or not used or used & set(catalog.family)):
            rank = 0 if used & set(catalog.family) else 1 if ours else 2
            ranked.append((rank, index, backend))
    found: dict[str, Index] = {}
    for _, index, backend in sorted(ranked, key=lambda entry: entry[0]):
        found.setdefault(backend.name, index)
    return found


def is_cut(project: Project, catalog: Catalog) -> bool:
    """Tell whether `environments` is there for the sources' markers alone.

    uv reads those of a workspace in its root, where other members may need them. Cells for each
    system may be somebody's own; where nothing needs them for its sources, they are.
    """
    markers = [
        str(source.marker)
        for sources in project.sources.values()
        for source in sources
        if (source.extra or source.group) and source.marker is not None
    ]
    written = [entry.raw for entry in project.environments]
    if project.root is not None or len(written) < 2:  # noqa: PLR2004 - one piece is no cut
        return False
    ours = {s.extra for own in project.sources.values() for s in own if s.extra}
    needed = any(r.name in catalog.family for r in project.dependencies)
    needed = needed or is_in_other_extra(project, catalog.family, ours)
    needed = needed or project.is_workspace_root
    return is_cut_by(written, markers) or (needed and are_closed_cells(written, markers))


def _main(routed: Iterable[NormalizedName], catalog: Catalog) -> NormalizedName:
    """Choose the package whose sources say what the targets are: torch, or the first there is."""
    routed = list(routed)
    return next((name for name in routed if name == catalog.main_package), routed[0])


class _Reading:
    def __init__(
        self, project: Project, catalog: Catalog, known: Mapping[str, tuple[Index, Backend]]
    ) -> None:
        self.project = project
        self.catalog = catalog
        self.known = known
        self._own = {id(one) for sources in project.sources.values() for one in sources}
        self.looked: list[Source] = []
        self.unreadable: list[Unreadable] = []
        self.foreign: dict[Path, Foreign] = {}
        self.aliases: dict[str, tuple[str, ...]] = {}
        self._wheres = [each.where for each in catalog.accelerators if each.where]

    def look(self, source: Source) -> None:
        """Note the kind of one entry, and whether it is understood."""
        words = _words(str(source.marker)) if source.marker is not None else set()
        index = self.project.index_named(source.value) if source.kind == "index" else None
        if source.extra and source.group:
            self._cannot_read(source, "a source cannot have both `extra` and `group`")
        elif source.kind in {"mixed", "none"}:
            self._cannot_read(source, "a source names one of index, path, git, url, workspace")
        elif source.kind == "index" and index is None:
            self._cannot_read(source, f"index `{source.value}` is not defined")
        elif switch := next((name for name in _SWITCHES if name in words), None):
            self._cannot_read(source, f"`{switch}` has no effect in a source marker")
        elif missing := self._undefined(source):
            self._cannot_read(source, f"{missing} is not defined")
        elif (
            index is not None
            and not self.catalog.channel
            and is_nightly(self.catalog.real(index.url))
        ):
            self._keep(source, "nightly builds are checked but not edited")
        elif index is None:
            self._keep(source, f"a `{source.kind}` source is not an index")
        elif source.value not in self.known:
            self._keep(source, f"no known backend in the URL {index.url}")
        elif self.known[source.value][1] == PYPI and not is_pypi(self.catalog.real(index.url)):
            # Its packages would have to move to PyPI, which a user of a copy may not reach.
            self._keep(source, f"index `{source.value}` is a copy of PyPI", PYPI)
        elif others := self._others(source.marker):
            self._keep(
                source,
                f"`{min(others)}` in a source marker is not a platform variable",
                self.known[source.value][1],
            )
        if source.kind == "index" or source.path not in self.foreign:
            # What comes from no index pins nothing, so that it stands beside sources of any kind.
            self.looked.append(source)

    def _others(self, marker: Marker | None) -> set[str]:
        """Return what a marker asks besides the platform, and what tells machines of one apart."""
        text = str(marker) if marker is not None else ""
        for where in self._wheres:
            told = str(Marker(where))
            text = text.replace(opposite(told), "").replace(told, "")
        return _words(text) - _PLATFORM

    def _keep(self, source: Source, why: str, backend: Backend | None = None) -> None:
        at = self.project.place(source.at)
        self.foreign[source.path] = Foreign(source, at, why, backend)

    def _undefined(self, source: Source) -> str | None:
        """Return the extra or group of an entry that its own file does not define."""
        if id(source) not in self._own:
            return None
        if source.extra and source.extra not in self.project.extras:
            dynamic = "optional-dependencies" in self.project.dynamic
            return None if dynamic else f"extra `{source.extra}`"
        if source.group and source.group not in self.project.groups:
            return f"dependency group `{source.group}`"
        return None

    def _cannot_read(self, source: Source, why: str) -> None:
        self.unreadable.append(Unreadable(self.project.place(source.at), why))

    def layout(self, main: NormalizedName) -> Layout | None:
        """Return the layout of one package's sources; entries of another kind stay as they are."""
        if not self.looked:
            return None
        own = [s for s in self.looked if s.package == main] or self.looked
        kinds = set(map(_kind, own))
        order: tuple[Layout, ...] = ("extras", "groups", "markers")
        layout = next(each for each in order if KINDS[each] in kinds)
        for source in self.looked:
            if _kind(source) != KINDS[layout] and source.path not in self.foreign:
                self._refuse_beside(source, own)
                known = self.known.get(source.value)
                what = f"`{_kind(source)}`" if _kind(source) else "neither `extra` nor `group`"
                self._keep(source, f"the source has {what}", known and known[1])
        return layout

    def _refuse_beside(self, source: Source, own: Iterable[Source]) -> None:
        """Note a source without an extra or group where one that has one holds, too."""
        for other in own if not _kind(source) else ():
            tables = {"extra": self.project.extras, "group": self.project.groups}
            section = tables.get(_kind(other), {}).get(_scope(other))
            if section and any(
                r.name == source.package == other.package
                and overlap_for_uv(source.marker, other.marker, r.marker)
                for r in section.requirements
            ):
                name = f"{_kind(other)} `{_scope(other)}`"
                self._cannot_read(
                    source, f"the source without `extra` or `group` also applies with {name}"
                )

    def targets(
        self, entries: Iterable[Source], layout: Layout
    ) -> tuple[tuple[Target, ...], dict[str, str]]:
        """Return the targets that the entries of one package make, and the names of scopes."""
        by_scope: dict[str, list[tuple[Source, Backend | None]]] = {}
        brought = [*self._brought(entries)]
        # One without an extra or group holds beside each of those that have one.
        everywhere = [one for one in brought if layout != "markers" and not _kind(one[0])]
        for source, backend in brought:
            if _kind(source) == KINDS[layout]:
                scope = source.extra or source.group or ""
                by_scope.setdefault(scope, []).append((source, backend))
        found: dict[Target, None] = {}
        names: dict[str, str] = {}
        platforms = self._platforms(entries)
        for scope, sources in by_scope.items():
            own = self._own_backend(scope, sources)
            if own is None:
                continue
            if layout != "markers":
                self._name(own, self._written(scope, layout), names)
            found.update((target, None) for target in self._told(sources, platforms))
            for platform in platforms:
                backend = self._at(platform, [*sources, *everywhere])
                if layout == "markers" and backend == PYPI and not self._held_together():
                    continue
                if backend is None or (backend != PYPI and not self._exists(backend, platform)):
                    continue
                if layout == "markers" or backend == own:
                    found[Target(platform, backend)] = None
        if layout != "markers":
            for scope in self._unrouted(by_scope, layout):
                self._name(PYPI, self._written(scope, layout), names)
                found.update((Target(platform, PYPI), None) for platform in platforms)
        return tuple(found), names

    def _told(
        self, sources: Iterable[tuple[Source, Backend | None]], platforms: Iterable[Platform]
    ) -> Iterator[Target]:
        """Yield the targets of machines that a marker tells from others of their platform."""
        for source, backend in sources:
            where = self.catalog.where(backend) if backend else ""
            if backend is None or not where or source.marker is None:
                continue
            for platform in platforms:
                if (
                    self._exists(backend, platform)
                    and holds(source.marker, told(platform, where))
                    and not holds(source.marker, platform)
                ):
                    yield Target(platform, backend)

    def _name(self, backend: Backend, written: str, names: dict[str, str]) -> None:
        """Note what an extra or group is for."""
        if names.setdefault(backend.name, written) != written:
            self.aliases[backend.name] = (*self.aliases.get(backend.name, ()), written)

    def rest(self, entries: Iterable[Source]) -> Backend:
        """Return what the entries of one package give a system that nobody names."""
        return self._at(Platform("other", "other"), [*self._brought(entries)]) or PYPI

    def _brought(self, entries: Iterable[Source]) -> Iterator[tuple[Source, Backend | None]]:
        """Yield the entries that uv heeds, each with its backend; None where nobody knows."""
        for source in entries:
            if source.path in self.foreign:
                yield source, self.foreign[source.path].backend
            elif source.index in self.known:
                yield source, self.known[source.value][1]

    def _at(
        self, platform: Platform, sources: Iterable[tuple[Source, Backend | None]]
    ) -> Backend | None:
        """Return the backend that entries give a platform: `PYPI` where none holds."""
        for source, backend in sources:
            if source.marker is None or self._holds(source.marker, platform):
                return backend
        return PYPI

    def _holds(self, marker: Marker, platform: Platform) -> bool:
        """Tell whether a marker holds on a platform with some Python of the project."""
        if "python" not in str(marker):
            return holds(marker, platform)
        python = self.project.requires_python
        return any(
            holds(marker, platform, each)
            for each in self.catalog.pythons
            if python is None or admits_python(python, each)
        )

    def _exists(self, backend: Backend, platform: Platform) -> bool:
        """Tell whether a build exists at all: a source without a marker promises it everywhere."""
        return platform.key in self.catalog.accelerator(backend).platforms

    def _own_backend(
        self, scope: str, sources: list[tuple[Source, Backend | None]]
    ) -> Backend | None:
        """Tell what an extra or group is for: what it routes besides the CPU fallback.

        None where it routes nothing that is known.
        """
        known = [backend for _, backend in sources if backend is not None]
        if not known:
            return None
        for backend in known:
            if backend not in {self.catalog.fallback, PYPI}:
                return backend
        if self.catalog.fallback not in known:
            return PYPI
        # Only the fallback, and not everywhere: the rest is what PyPI serves. On macOS that is the
        # very same wheels, so that the name alone can tell which of the two was meant.
        left = {platform.os for platform in SHOWN_PLATFORMS if self._at(platform, sources) == PYPI}
        if left == {"macos"}:
            return PYPI if scope == PYPI.extra else self.catalog.fallback
        return PYPI if left else self.catalog.fallback

    def _written(self, scope: str, layout: Layout) -> str:
        tables = self.project.extras if layout == "extras" else self.project.groups
        section = tables.get(canonicalize_name(scope))
        return section.written if section else scope

    def _unrouted(self, scopes: Iterable[str], layout: Layout) -> list[str]:
        """Return the members of our conflict set that hold torch but no source: PyPI's build."""
        scopes = set(scopes)
        tables = self.project.extras if layout == "extras" else self.project.groups
        found = []
        for _, own in own_sets(self.project):
            items = [str(item.name) for item in own if item.kind == KINDS[layout]]
            if scopes & set(items):
                found += [
                    name
                    for name in items
                    if name not in scopes
                    and any(
                        r.name == self.catalog.main_package
                        for section in (tables[key] for key in tables if key == name)
                        for r in section.requirements
                    )
                ]
        return found

    def _held_together(self) -> bool:
        """Tell whether an upper bound keeps PyPI's torch with that of the indexes.

        Without one, a platform that is left to PyPI goes its own way, and is no target.
        """
        return any(
            part.operator in {"<", "<=", "==", "~=", "==="}
            for requirement in family_requirements(self.project, self.catalog)
            if requirement.name == self.catalog.main_package
            for part in requirement.specifier
        )

    def _platforms(self, entries: Iterable[Source]) -> list[Platform]:
        """Return the platforms worth a target: the usual, and those of a marker or of the list."""
        listed: frozenset[Platform] = frozenset()
        if lists_targets(self.project):
            listed = listed_platforms(self.project, self.catalog.vocabulary)
        markers = {str(s.marker): s.marker for s in entries if s.marker is not None}.values()
        workspace = self.project.workspace
        required = [entry.marker for entry in workspace.required_environments]
        locked = [entry.marker for entry in workspace.environments]
        return [
            platform
            for platform in PLATFORMS
            if (not locked or any(self._holds(marker, platform) for marker in locked))
            and (
                platform in SHOWN_PLATFORMS
                or platform in listed
                or any(_is_for_machine(marker, platform) for marker in required)
                or any(_tells_machines_apart(marker, platform.os) for marker in markers)
            )
        ]


def _is_for_machine(marker: Marker, platform: Platform) -> bool:
    """Tell whether a required environment needs wheels of a machine that is not shown anyway.

    A whole system needs wheels for some machine of it, which the usual one is.
    """
    beside = (one for one in SHOWN_PLATFORMS if one.os == platform.os)
    return holds(marker, platform) and not any(holds(marker, one) for one in beside)


def _scope(source: Source) -> NormalizedName:
    return canonicalize_name(source.extra or source.group or "")


def _kind(source: Source) -> Kind:
    return "extra" if source.extra else "group" if source.group else ""


def _words(marker: str) -> set[str]:
    """Return the variables and operators of a marker."""
    return set(re.findall(r"[a-z_]+", re.sub(r'"[^"]*"', "", marker)))


def _tells_machines_apart(marker: Marker, os: str) -> bool:
    """Tell whether a marker names a machine of a system, so that another one is worth a target."""
    machines = [platform for platform in PLATFORMS if platform.os == os]
    return len({holds(marker, platform) for platform in (*machines, Platform(os, "other"))}) > 1
