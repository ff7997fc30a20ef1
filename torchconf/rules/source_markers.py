"""Markers of sources: what they can choose by, and whether they exclude each other."""

from __future__ import annotations

import re
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name

from torchconf.edits.conflicts import keep_apart
from torchconf.resolve.environments import comparisons
from torchconf.rules.context import Place
from torchconf.rules.fixes import draft_of, put_entries
from torchconf.rules.installed_builds import (
    own_sources,
    source_entries,
)
from torchconf.rules.rule import MARKERS_MAKE_SENSE, Finding, Fix, Premise, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.utils import NormalizedName

    from torchconf.edits.plan import Value
    from torchconf.model.project import Source
    from torchconf.model.toml_path import Path
    from torchconf.resolve.environments import Environments
    from torchconf.rules.context import Context

__all__ = ["RULES"]


class ExtraInMarker(Rule):
    """The marker of a source tests an extra."""

    code = "TC205"
    name = "extra-in-marker"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources"
    fixes = "safe"
    breaks = Premise.PLATFORM_MARKERS
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Report markers of sources that ask for an extra."""
        for source in context.sources:
            # uv obeys such a marker where the source is a URL, a path or a git repository.
            if (
                source.kind == "index"
                and source.marker is not None
                and any(t.variable in ("extra", "extras") for t in comparisons(source.marker))
            ):
                yield self.finding(
                    (*source.path, "marker"),
                    f"a marker cannot select the source of `{source.package}` by extra",
                    help='use `extra = "..."` instead, and add the extras to one conflict set',
                    fix=_scoped_fix(context, source.package, "extra"),
                )


class GroupInMarker(Rule):
    """The marker of a source tests a dependency group."""

    code = "TC206"
    name = "group-in-marker"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources"
    fixes = "unsafe"
    breaks = Premise.PLATFORM_MARKERS
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Report markers of sources that ask for a group, readable or not."""
        said: dict[Path, str] = {}
        for source in context.sources:
            raw = source.raw_marker or ""
            if source.marker is None:
                if re.search(r"\bgroup\b", raw):
                    said[source.path] = source.package
            elif any(t.variable == "dependency_groups" for t in comparisons(source.marker)):
                said[source.path] = source.package
        for path, package in said.items():
            yield self.finding(
                (*path, "marker"),
                f"a marker cannot select the source of `{package}` by group",
                help='use `group = "..."` instead, and add the groups to one conflict set',
                fix=_scoped_fix(context, canonicalize_name(package), "group"),
            )


_SCOPE_TESTS = {
    "extra": r"""^\(?\s*extra\s*==\s*(['"])([^'"]+)\1\s*\)?$""",
    "group": r"""^\(?\s*(?:group\s*==\s*|(?=['"].*dependency_groups))(['"])([^'"]+)\1"""
    r"""\s*(?:in\s+dependency_groups)?\s*\)?$""",
}


def _scoped_fix(context: Context, package: NormalizedName, kind: str) -> Fix | None:
    """Turn markers that are, or begin with, one test of a scope into scopes, with a conflict."""
    family = [canonicalize_name(name) for name in context.catalog.family]
    packages = [p for p in dict.fromkeys((package, *family)) if own_sources(context, p)]
    draft = draft_of(context)
    pure = True
    names: dict[str, None] = {}
    for name in packages:
        entries = source_entries(context, name)
        changed: list[Value] = []
        for entry in entries:
            found = _scope_of(str(entry.get("marker", "")), kind)
            if found is None:
                changed.append(entry)
                continue
            scope, rest = found
            if not context.first_requirement(Place(kind, canonicalize_name(scope)), name):
                if name == package:
                    return None
                continue
            pure = pure and not rest
            names[scope] = None
            new = {key: value for key, value in entry.items() if key != "marker"} | {kind: scope}
            changed.append(new | {"marker": rest} if rest else new)
        if changed != entries and changed:
            put_entries(draft, context, name, changed)
        if name == package and len(changed) == len(entries) and changed == entries:
            return None
    reason = "each of these installs another build of the same packages"
    keep_apart(draft, [(kind, scope) for scope in names], reason)
    if not draft.steps:
        return None
    title = f"replace the markers by `{kind}` keys and add a conflict set"
    return Fix(title, tuple(draft.steps), safe=pure and kind == "extra")


def _scope_of(marker: str, kind: str) -> tuple[str, str] | None:
    """Return the scope that a marker asks for, and what else it says; None for other markers."""
    parts = [marker] if " or " in marker else re.split(r"\s+and\s+", marker)
    found = [(part, re.match(_SCOPE_TESTS[kind], part.strip())) for part in parts]
    matches = [match for _, match in found if match]
    if len(matches) != 1:
        return None
    rest = " and ".join(part for part, match in found if not match)
    try:
        Marker(rest or "os_name == 'posix'")
    except InvalidMarker:
        return None
    return matches[0][2], rest


class OverlappingMarkers(Rule):
    """Two sources of a package apply to the same environment."""

    code = "TC210"
    name = "overlapping-markers"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#multiple-sources"
    requires = MARKERS_MAKE_SENSE
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Compare the markers of all sources of one package with equal scope."""
        for package, sources in context.project.sources.items():
            if not _may_overlap(context, sources):
                continue
            for number, one in enumerate(sources):
                for after in sources[number + 1 :]:
                    if (one.extra, one.group) != (after.extra, after.group):
                        continue
                    if one.marker is None or after.marker is None:
                        continue
                    if context.where(one.marker, after.marker):
                        yield self.finding(
                            (*after.path, "marker"),
                            f"this source of `{package}` and the one for `{one.raw_marker}` apply "
                            "to the same environments",
                            help="make the markers mutually exclusive",
                        )


def _may_overlap(context: Context, sources: Iterable[Source]) -> bool:
    """Tell whether a source applies where one before it with the same scope does."""
    taken: dict[object, Environments] = {}
    for source in sources:
        if source.marker is not None:
            scope, here = (source.extra, source.group), context.where(source.marker)
            before = taken.get(scope, 0)
            if before & here:
                return True
            taken[scope] = before | here
    return False


class SourceNeverApplies(Rule):
    """The marker of a source never holds where the package is required."""

    code = "TC212"
    name = "source-never-applies"
    severity = Severity.WARNING
    reference = (
        "https://docs.astral.sh/uv/concepts/projects/dependencies/#platform-specific-sources"
    )
    requires = (*MARKERS_MAKE_SENSE, Premise.SCOPES)

    def check(self, context: Context) -> Iterator[Finding]:
        """Compare the markers of each source with those of the requirements that it counts for."""
        universe = context.workspace.universe
        if universe is None:
            return
        asked: dict[NormalizedName, _Asked] = {}
        for source in context.family_sources:
            if source.kind != "index" or source.marker is None:
                continue
            if source.package not in asked:
                asked[source.package] = _Asked(context, source.package)
            where = asked[source.package].by(source)
            if where is not None and not (
                where & context.where(source.marker) & universe.supported
            ):
                yield self.finding(
                    (*source.path, "marker"),
                    f"`{source.package}` is not required where this source applies",
                    help="correct the marker of the source or of the requirement",
                )


class _Asked:
    """Where one package is asked for, in each place and in all of them."""

    def __init__(self, context: Context, package: NormalizedName) -> None:
        self._context = context
        self._by_place: dict[Place, Environments] = {}
        self._by_all: Environments | None = None
        taken = (
            (place, one)
            for place in context.places
            for one in context.flat(place)
            if one.name == package
        )
        # What an override takes away is wanted all the same.
        for place, one in (*context.required(package), *taken):
            here = context.where(one.marker)
            self._by_place[place] = self._by_place.get(place, 0) | here
            self._by_all = (self._by_all or 0) | here
        self._by_members: Environments | None = None
        if context.project is context.workspace.root:
            for member in context.workspace.members:
                for requirement in member.requirements():
                    if requirement.name == package:
                        here = context.where(requirement.marker)
                        self._by_members = (self._by_members or 0) | here

    def by(self, source: Source) -> Environments | None:
        """Return where a source may apply; None where nothing that it counts for is asked for."""
        if source.extra is None and source.group is None:
            own = self._by_all
        else:
            places = self._context.scopes_of(source)
            own = next((self._by_place[one] for one in places if one in self._by_place), None)
        both = [one for one in (own, self._by_members) if one is not None]
        return reduce(or_, both) if both else None


RULES: tuple[type[Rule], ...] = (
    ExtraInMarker,
    GroupInMarker,
    OverlappingMarkers,
    SourceNeverApplies,
)
"""The rules of this family, by code."""
