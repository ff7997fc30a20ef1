"""What each choice of a project installs on each kind of machine, for rules that compare builds.

The answers are those of `torchconf.resolve.routes`; here is which questions are worth asking. Two
machines that no marker of the project tells apart are asked for once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from packaging.utils import canonicalize_name

from torchconf.model.targets import PLATFORMS
from torchconf.rules.context import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.utils import NormalizedName

    from torchconf.edits.plan import Path, Value
    from torchconf.model.project import Index, Requirement, Source
    from torchconf.model.targets import Platform
    from torchconf.rules.context import Context

__all__ = [
    "BASE",
    "SOURCES",
    "build_of",
    "counting",
    "default_places",
    "family_places",
    "is_judged",
    "lists",
    "machines",
    "own_sources",
    "source_entries",
    "spoken_platforms",
    "without_scopes",
]

SOURCES: Path = ("tool", "uv", "sources")
BASE = Place("base", None)


def is_judged(subject: Context) -> bool:
    """Tell whether routes say anything here: uv would lock, and nothing is beyond the model."""
    routes = subject.routes
    return routes.error is None and routes.doubt is None


def machines(subject: Context) -> tuple[Platform, ...]:
    """Return the platforms that are locked, one for all that the markers do not tell apart."""
    universe = subject.whole.universe
    if universe is None:
        return ()
    found: dict[int, Platform] = {}
    locked = subject.locked
    for platform in PLATFORMS:
        points = universe.on(platform.environment())
        if points and platform in locked:
            found.setdefault(points, platform)
    return tuple(found.values())


def family_places(subject: Context) -> tuple[Place, ...]:
    """Return the base dependencies, and the extras and groups that ask for a family package."""
    family = set(subject.catalog.family)
    return (
        BASE,
        *(
            place
            for place in subject.places
            if place.name is not None and any(one.name in family for one in subject.flat(place))
        ),
    )


def default_places(subject: Context) -> tuple[Place, ...]:
    """Return what a plain `uv sync` installs: base, and the default groups."""
    project = subject.project
    names: Iterable[NormalizedName] = project.groups
    if project.default_groups != "all":
        named = project.default_groups
        names = (canonicalize_name("dev"),) if named is None else named
    return (BASE, *(Place("group", name) for name in names if name in project.groups))


def build_of(subject: Context, index: Index | None) -> str | None:
    """Return what tells the builds of one index from those of another.

    Returns:
        The URL of one of PyTorch's indexes, empty for PyPI and its mirrors. None where nobody knows
        what an index holds.
    """
    if index is None:
        return ""
    if subject.is_pytorch(index.url):
        return index.url.rstrip("/")
    path = index.url.rstrip("/").lower()
    return "" if "pypi" in path and path.endswith("simple") else None


def counting(subject: Context, package: NormalizedName, place: Place) -> tuple[Source, ...]:
    """Return the source entries that hold where a place is installed with the base."""
    return tuple(
        source
        for source in subject.project.sources_for(package)
        if (source.extra is None or (place.kind == "extra" and source.extra == place.name))
        and (source.group is None or (place.kind == "group" and source.group == place.name))
    )


def lists(subject: Context, place: Place, package: str) -> Requirement | None:
    """Return the first requirement of a place on a package, included groups in their place."""
    return next((one for one in subject.flat(place) if one.name == package), None)


def own_sources(subject: Context, package: str) -> tuple[str, Any] | None:
    """Return the key of a package under `tool.uv.sources` of this file, and what stands there."""
    table = subject.project.uv.get("sources")
    if isinstance(table, dict):
        for key, value in table.items():
            if isinstance(key, str) and canonicalize_name(key) == package:
                return key, value
    return None


def source_entries(subject: Context, package: str) -> list[dict[str, Value]]:
    """Return copies of the entries of a package in this file, as they are written."""
    found = own_sources(subject, package)
    if found is None:
        return []
    entries = found[1] if isinstance(found[1], list) else [found[1]]
    return [dict(cast("dict[str, Value]", entry)) for entry in entries if isinstance(entry, dict)]


def without_scopes(
    subject: Context, entries: Iterable[dict[str, Value]], package: str
) -> list[dict[str, Value]]:
    """Leave out entries for extras and groups that do not ask for a package: uv refuses them."""
    return [
        entry
        for entry in entries
        if all(
            kind not in entry
            or lists(subject, Place(kind, canonicalize_name(str(entry[kind]))), package)
            for kind in ("extra", "group")
        )
    ]


def spoken_platforms(platforms: Iterable[Platform]) -> str:
    """Name systems in a message: `Linux and Windows`."""
    titles = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}
    names = list(dict.fromkeys(titles[platform.os] for platform in platforms))
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
