"""The packages beside torch: they must come from the index that torch comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import SHOWN_PLATFORMS
from torchconf.model.uv_lock import locked_builds, locked_with
from torchconf.rules.context import sources_path
from torchconf.rules.fixes import draft_of, put_entries, servable, without_wheels
from torchconf.rules.installed_builds import (
    BASE,
    applied_sources,
    backends_of,
    build_of,
    family_places,
    reachable_range,
    route_at,
    routes_are_known,
    source_entries,
    source_on,
    without_scopes,
)
from torchconf.rules.rule import MARKERS_MAKE_SENSE, Finding, Fix, Premise, Rule, Severity
from torchconf.rules.wording import list_systems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.utils import NormalizedName

    from torchconf.model.backends import Backend
    from torchconf.model.project import Requirement, Source
    from torchconf.model.targets import Platform
    from torchconf.model.toml_path import Path
    from torchconf.rules.context import Context, Place

__all__ = ["RULES"]


class SiblingWithoutSource(Rule):
    """Torch comes from a PyTorch index, but a related package comes from PyPI."""

    code = "TC202"
    name = "sibling-without-source"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/#using-a-pytorch-index"
    fixes = "safe"
    requires = (Premise.SCOPES,)

    def check(self, context: Context) -> Iterator[Finding]:
        """Compare the places that ask for several packages of the family; then the lockfile."""
        reported: set[Path] = set()
        for place in family_places(context):
            for pair in _pairs(context, place):
                if pair.here or pair.requirement.path in reported:
                    continue
                if not any(_has_no_source(context, pair, place, p) for p in pair.platforms):
                    continue
                reported.add(pair.requirement.path)
                inside = reachable_range(context, place, pair.requirement)
                yield self.finding(
                    pair.requirement.path,
                    f"`{pair.package}` has no source, but `{pair.anchor}` comes from index "
                    f"`{pair.theirs.value}`",
                    help="add the same sources as for torch",
                    severity=Severity.WARNING if _is_loose(context, pair.package, inside) else None,
                    fix=_like_anchor(context, pair),
                )
        yield from self._locked(context)

    def _locked(self, context: Context) -> Iterator[Finding]:
        """Report what nobody declared, and uv has locked from PyPI."""
        main = canonicalize_name(context.catalog.main_package)
        text = context.workspace.lockfile
        sources = context.project.sources.get(main)
        if not text or not sources or context.project is not context.workspace.root:
            return
        routed = [b.registry for b in locked_builds(text, main) if context.is_pytorch(b.registry)]
        if not routed:
            return
        declared = {one.name for project in context.readers for one in project.requirements()}
        for package in _siblings(context):
            builds = locked_builds(text, package)
            if package in declared or not builds:
                continue
            if any(context.is_pytorch(build.registry) for build in builds):
                continue
            if not any(servable(context, registry, (package,)) for registry in routed):
                continue
            beside = locked_with(text, package, main)
            if beside and not any(map(context.is_pytorch, beside)):
                continue  # What brings it excludes the extras and groups that route torch.
            yield self.finding(
                sources_path(sources[0]),
                f"`{package}` is an indirect dependency and locked from PyPI, but "
                f"`{main}` is routed to an index",
                severity=Severity.WARNING if self._is_loose_lock(context, package) else None,
                help=f"make `{package}` a direct dependency, with the same sources as torch",
            )

    def _is_loose_lock(self, context: Context, package: str) -> bool:
        versions = (b.version for b in locked_builds(context.workspace.lockfile, package))
        return all(
            _is_loose(context, package, SpecifierSet(f"=={version.partition('+')[0]}"))
            for version in versions
        )


def _is_loose(context: Context, package: str, inside: SpecifierSet) -> bool:
    """Tell whether the newest release of a range declares no torch of its own.

    Such a release works with torch of another index, or runs on the CPU only.
    """
    if not context.catalog.is_bound(package):
        return True
    pairs = context.catalog.pairs(package)
    newest = next((each for each in pairs if inside.contains(each[0], prereleases=True)), None)
    if newest is None:
        return False
    _, needs, is_stated = newest
    return not is_stated or (package == "torchaudio" and "==" not in str(needs))


def _has_no_source(context: Context, pair: _Pair, place: Place, platform: Platform) -> bool:
    """Ask the routes whether no source serves a package here: one of another member may.

    Where they cannot be asked, none does.
    """
    if not routes_are_known(context):
        return True
    route = route_at(context, pair.package, place, platform)
    return route.pin is None or build_of(context, route.index) == ""


class SiblingDiffers(Rule):
    """Two packages of the PyTorch family come from different indexes."""

    code = "TC203"
    name = "sibling-differs"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/#using-a-pytorch-index"
    fixes = "unsafe"
    requires = (*MARKERS_MAKE_SENSE, Premise.SCOPES)

    def check(self, context: Context) -> Iterator[Finding]:
        """Compare the sources that count in each place, platform by platform."""
        reported: set[Path] = set()
        for place in family_places(context):
            for pair in _pairs(context, place):
                at = sources_path(pair.here[0]) if pair.here else ()
                if not pair.here or at in reported:
                    continue
                reported.add(at)
                where = list_systems(pair.platforms)
                yield self.finding(
                    at,
                    f"`{pair.package}` and `{pair.anchor}` have different sources on {where}",
                    help="use the same index, extra or group, and marker for both",
                    fix=_like_anchor(context, pair),
                )


class _Pair(NamedTuple):
    """A package and the one that it must go along with, where their builds differ."""

    anchor: NormalizedName
    package: NormalizedName
    requirement: Requirement
    there: tuple[Source, ...]
    here: tuple[Source, ...]
    platforms: tuple[Platform, ...]
    theirs: Source


def _siblings(context: Context) -> tuple[NormalizedName, ...]:
    """Return the family without the triton packages, which have rules of their own."""
    catalog = context.catalog
    return tuple(
        canonicalize_name(package)
        for package in catalog.family
        if package not in catalog.triton_packages
    )


def _pairs(context: Context, place: Place) -> Iterator[_Pair]:
    """Yield the packages of a place that another index serves than the one before them."""
    wanted = [
        (package, requirement)
        for package in _siblings(context)
        if (requirement := _asked(context, place, package)) is not None
        and requirement.url is None
        and all(source.kind == "index" for source in applied_sources(context, package, place))
    ]
    routed = [
        (package, requirement)
        for package, requirement in wanted
        if backends_of(context, applied_sources(context, package, place))
    ]
    if len(wanted) < 2 or not routed:  # noqa: PLR2004 - it takes two to differ
        return
    anchor, anchored = routed[0]
    there = applied_sources(context, anchor, place)
    for package, requirement in wanted:
        if package == anchor:
            continue
        here = applied_sources(context, package, place)
        platforms = tuple(
            platform
            for platform in SHOWN_PLATFORMS
            if platform in context.locked
            and platform in context.platforms(anchored.marker, requirement.marker)
            and _differ(context, package, platform, there, here)
        )
        if platforms:
            theirs = source_on(context, there, platforms[0]) or there[0]
            yield _Pair(anchor, package, requirement, there, here, platforms, theirs)


def _asked(context: Context, place: Place, package: str) -> Requirement | None:
    own = context.first_requirement(place, package)
    return own if own is not None else context.first_requirement(BASE, package)


def _differ(
    context: Context,
    package: NormalizedName,
    platform: Platform,
    there: tuple[Source, ...],
    here: tuple[Source, ...],
) -> bool:
    """Tell whether a package comes from elsewhere than its anchor, which has it, too."""
    theirs = source_on(context, there, platform)
    if theirs is None:
        return False
    index = context.index_of(theirs)
    backend = context.backend(index)
    if index is None or backend is None or platform in without_wheels(context, backend):
        return False
    if platform.os == "macos" and backend == context.catalog.fallback:
        return False  # The wheels of the CPU index are PyPI's there.
    ours = source_on(context, here, platform)
    if ours is None:
        return _has_wheels(context, package, backend, platform)
    other = context.index_of(ours)
    if other is None or build_of(context, other) in (None, build_of(context, index)):
        return False
    return context.backend(other) == backend or _has_wheels(context, package, backend, platform)


def _has_wheels(
    context: Context, package: NormalizedName, backend: Backend, platform: Platform
) -> bool:
    """Tell whether an index is known to carry a package for a platform, in any release."""
    catalog = context.catalog
    if package == catalog.main_package or catalog.goes_along(package, backend):
        return True
    return any(
        catalog.seen(package, version, backend, platform) for version in catalog.versions(package)
    )


def _like_anchor(context: Context, pair: _Pair) -> Fix | None:
    """Give a package the sources of its anchor, as far as its extras and groups ask for it."""
    entries = without_scopes(context, source_entries(context, pair.anchor), pair.package)
    if not entries:
        return None
    there = [(entry.get("extra"), entry.get("group")) for entry in entries]
    own = source_entries(context, pair.package)
    kept = [e for e in own if (e.get("extra"), e.get("group")) not in there] if own else []
    draft = draft_of(context)
    put_entries(draft, context, pair.package, [*kept, *entries])
    title = f"add the sources of `{pair.anchor}` to `{pair.package}`"
    return Fix(title, tuple(draft.steps), safe=not own)


RULES: tuple[type[Rule], ...] = (
    SiblingWithoutSource,
    SiblingDiffers,
)
"""The rules of this family, by code."""
