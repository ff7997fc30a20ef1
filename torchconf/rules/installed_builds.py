"""What each choice of a project installs on each kind of machine, for rules that compare builds.

The answers are those of `torchconf.resolve.routes`; here is which questions are worth asking. Two
machines that no marker of the project tells apart are asked for once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from packaging.utils import canonicalize_name

from torchconf.model.backends import PYPI
from torchconf.model.ranges import public
from torchconf.model.targets import PLATFORMS
from torchconf.rules.context import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName

    from torchconf.edits.plan import Value
    from torchconf.model.backends import Backend
    from torchconf.model.project import Index, Requirement, Source
    from torchconf.model.targets import Platform
    from torchconf.resolve.routes import Route
    from torchconf.rules.context import Context

__all__ = [
    "BASE",
    "applied_sources",
    "backends_of",
    "build_of",
    "closed_environments",
    "default_places",
    "distinct_platforms",
    "family_places",
    "may_be_open",
    "own_sources",
    "reachable_range",
    "route_at",
    "routes_are_known",
    "served_requirements",
    "source_entries",
    "source_on",
    "without_scopes",
]

BASE = Place("base", None)


def routes_are_known(context: Context) -> bool:
    """Tell whether routes say anything here: uv would lock, and nothing is beyond the model."""
    routes = context.routes
    return routes.error is None and routes.doubt is None


def route_at(context: Context, package: str, place: Place, platform: Platform) -> Route:
    """Return where a package comes from where one place is installed, without its rivals."""
    groups = (place.name,) if place.kind == "group" and place.name else ()
    return context.route(
        package,
        platform,
        extras=(place.name,) if place.kind == "extra" and place.name else (),
        groups=groups,
        no_groups=context.conflicting_defaults.difference(groups),
    )


def may_be_open(context: Context, package: str) -> bool:
    """Tell whether an index that uv searches for every package has this one, or may have it."""
    root = context.project.workspace
    pip_too = (root.uv.get(key) for key in ("index-url", "extra-index-url", "find-links"))
    if any(pip_too):
        return True
    return any(
        build_of(context, index) != ""
        and (context.backend(index) is None or context.catalog.serves(index.url, package))
        for index in root.indexes
        if not index.explicit
    )


def closed_environments(context: Context) -> tuple[str, ...] | None:
    """Return `environments` cut by the markers of scoped sources, each entry with its system.

    What the file has is split, never widened. None where markers speak of more than platforms.
    """
    # Imported here: only a finding needs it.
    from torchconf.model.markers import closed_cells, names_platforms, split_by

    markers = [
        source.raw_marker
        for project in context.readers
        for source in (s for each in project.sources.values() for s in each)
        if source.index is not None and (source.extra or source.group) and source.raw_marker
    ]
    written = [entry.raw for entry in context.project.environments]
    if not all(map(names_platforms, (*markers, *written))):
        return None
    cells = closed_cells(
        (*markers, "sys_platform == 'linux'"),
        lambda platform: (
            _base_lacks(context, platform)
            or any(_lacks(context, source, platform) for source in context.family_sources)
        ),
    )
    return split_by(written, cells)


def _base_lacks(context: Context, platform: Platform) -> bool:
    """Tell whether PyPI, where base dependencies come from without a choice, has no torch."""
    catalog = context.catalog
    one = context.first_requirement(BASE, catalog.main_package)
    if one is None:
        return False
    within = reachable_range(context, BASE, one)
    return catalog.lacks(one.name, within, PYPI, platform, context.project.requires_python)


def _lacks(context: Context, source: Source, platform: Platform) -> bool:
    """Tell whether a source for an extra or a group has no wheel of all that it may be asked."""
    backend, name = context.source_backend(source), source.extra or source.group
    if backend is None or name is None or platform not in context.platforms(source.marker):
        return False
    place = Place("extra" if source.extra else "group", name)
    one = context.first_requirement(place, source.package)
    if one is None:
        return False
    within = reachable_range(context, place, one)
    python = context.project.requires_python
    return context.catalog.lacks(source.package, within, backend, platform, python)


def distinct_platforms(context: Context) -> tuple[Platform, ...]:
    """Return the platforms that are locked, one for all that the markers do not tell apart."""
    universe = context.workspace.universe
    if universe is None:
        return ()
    found: dict[int, Platform] = {}
    locked = context.locked
    for platform in PLATFORMS:
        points = universe.on(platform.environment())
        if points and platform in locked:
            found.setdefault(points, platform)
    return tuple(found.values())


def family_places(context: Context) -> tuple[Place, ...]:
    """Return the base dependencies, and the extras and groups that ask for a family package."""
    family = set(context.catalog.family)
    return (
        BASE,
        *(
            place
            for place in context.places
            if place.name is not None and any(one.name in family for one in context.flat(place))
        ),
    )


def default_places(context: Context) -> tuple[Place, ...]:
    """Return what a plain `uv sync` installs: base, and the default groups."""
    return (BASE, *(Place("group", name) for name in context.project.installed_groups()))


def build_of(context: Context, index: Index | None) -> str | None:
    """Return what tells the builds of one index from those of another.

    Returns:
        The URL of one of PyTorch's indexes, empty for PyPI and its mirrors. None where nobody knows
        what an index holds.
    """
    if index is None:
        return ""
    if context.is_pytorch(index.url, index.name):
        return index.url.rstrip("/")
    path = index.url.rstrip("/").lower()
    return "" if "pypi" in path and path.endswith("simple") else None


def applied_sources(context: Context, package: NormalizedName, place: Place) -> tuple[Source, ...]:
    """Return the source entries that hold where a place is installed with the base."""
    return context.project.sources_within(
        package,
        extra=place.name if place.kind == "extra" else None,
        group=place.name if place.kind == "group" else None,
    )


def reachable_range(context: Context, place: Place, requirement: Requirement) -> SpecifierSet:
    """Return which releases a requirement leads to, next to its place, the base and what is held.

    Labels are left out: `==2.8.0` for `==2.8.0+cu128`.
    """
    specifier = public(requirement.specifier)
    others = (
        *context.flat(place),
        *context.flat(BASE),
        *context.project.workspace.constraint_dependencies,
    )
    for one in others:
        if one.name == requirement.name and one.marker is None:
            specifier &= public(one.specifier)
    return specifier


def own_sources(context: Context, package: str) -> tuple[str, Any] | None:
    """Return the key of a package under `tool.uv.sources` of this file, and what stands there."""
    table = context.project.uv.get("sources")
    if isinstance(table, dict):
        for key, value in table.items():
            if isinstance(key, str) and canonicalize_name(key) == package:
                return key, value
    return None


def source_entries(context: Context, package: str) -> list[dict[str, Value]]:
    """Return copies of the entries of a package in this file, as they are written."""
    found = own_sources(context, package)
    if found is None:
        return []
    entries = found[1] if isinstance(found[1], list) else [found[1]]
    return [dict(cast("dict[str, Value]", entry)) for entry in entries if isinstance(entry, dict)]


def without_scopes(
    context: Context, entries: Iterable[dict[str, Value]], package: str
) -> list[dict[str, Value]]:
    """Leave out entries for extras and groups that do not ask for a package: uv refuses them."""
    return [
        entry
        for entry in entries
        if all(
            kind not in entry
            or context.first_requirement(Place(kind, canonicalize_name(str(entry[kind]))), package)
            for kind in ("extra", "group")
        )
    ]


def served_requirements(context: Context, source: Source) -> Iterator[Requirement]:
    """Yield the requirements that a source counts for, members' included."""
    for place in context.scopes_of(source):
        for one in context.flat(place):
            if one.name == source.package and one.url is None:
                yield one
    if context.project is context.workspace.root and not (source.extra or source.group):
        for member in context.workspace.members:
            if source.package not in member.sources:
                yield from (one for one in member.requirements() if one.name == source.package)


def backends_of(context: Context, sources: tuple[Source, ...]) -> tuple[Backend, ...]:
    """Return the backends that some sources lead to."""
    found = (context.source_backend(source) for source in sources)
    return tuple(backend for backend in found if backend is not None)


def source_on(context: Context, sources: tuple[Source, ...], platform: Platform) -> Source | None:
    """Return the source that holds on a platform, if one does."""
    return next((s for s in sources if platform in context.platforms(s.marker)), None)
