"""Why no release can serve a request, and the nearest alternative."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from torchconf.errors import RequestError
from torchconf.model.ranges import overlaps
from torchconf.planner.assess import COVERED, Needs, assess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.version import Version

    from torchconf.catalog import Catalog
    from torchconf.model.target_spec import TargetSpec
    from torchconf.model.targets import Target
    from torchconf.planner.assess import Assessment


def _unmatched(torch: SpecifierSet, catalog: Catalog) -> RequestError:
    """Say that no known release is in a range; one that is too old may well exist."""
    newest = ", ".join(map(str, catalog.releases[:4]))
    help_ = f"the newest releases are {newest}"
    oldest = min(catalog.releases)
    if overlaps(torch, f"<{oldest}"):
        help_ = f"torchconf knows torch from {oldest} on; write the sources of an older one by hand"
    return RequestError(f"no torch release matches {torch}", help=help_)


def refusal(
    tried: Sequence[Assessment], specs: Sequence[TargetSpec], needs: Needs, catalog: Catalog
) -> RequestError:
    """Find the part of a request that stands in the way.

    Args:
        tried: The releases in the range that was asked for, newest first; each misses something.
        specs: The targets.
        needs: What else was asked for.
        catalog: What is available.
    """
    if not tried:
        return _unmatched(needs.torch, catalog)
    anything = SpecifierSet()
    reason = f": {_missing(min(tried, key=_distance))}"
    names = ", ".join(f"`{spec.text}`" for spec in specs)
    if found := _newest(specs, needs._replace(python=None), catalog):
        if found.choice.release is not None:
            lacking = assess(found.choice.release, specs, needs, catalog)
            reason = f": {_missing(lacking)}" if lacking.missing else reason
        return RequestError(
            f"no torch release supports {names} on Python {needs.python}{reason}",
            help=f"torch {found.choice.release} supports them on Python {found.choice.python} and "
            f"later: set `requires-python` to `>={found.choice.python}`",
        )
    if needs.packages and (found := _newest(specs, needs._replace(packages={}), catalog)):
        packages = " and ".join(needs.packages)
        return RequestError(
            f"no torch release with {packages} supports {names}{reason}",
            help=_below(specs, needs, catalog)
            or f"torch {found.choice.release} is available without {packages}",
        )
    if str(needs.torch) and (found := _newest(specs, needs._replace(torch=anything), catalog)):
        return RequestError(
            f"no torch {needs.torch} supports {names}{reason}",
            help=f"choose torch {found.choice.release}, or a range that includes it",
        )
    if len(specs) > 1:
        spans = [f"`{spec.text}` has {_span(spec, catalog)}" for spec in specs]
        return RequestError(f"no torch release supports {names} together", help="; ".join(spans))
    return RequestError(
        f"target {names} is not available{reason}",
        help=f"`{specs[0].text}` alone has {_span(specs[0], catalog)}",
    )


def _below(specs: Sequence[TargetSpec], needs: Needs, catalog: Catalog) -> str | None:
    """Say below which Python a release has all, if it lacks something on its newest one alone."""
    for release in catalog.releases if needs.python is None else ():
        *most, newest = catalog.release_pythons(release) or ("",)
        if most and needs.torch.contains(release, prereleases=True):
            within = f">={most[0]},<{newest}"
            older = needs._replace(python=SpecifierSet(within))
            if not assess(release, specs, older, catalog).missing:
                pythons = f"Python {most[0]} to {most[-1]}"
                return f"torch {release} supports them on {pythons}: `--python '{within}'`"
    return None


def _distance(assessed: Assessment) -> tuple[bool, int]:
    """Tell how near a release comes: nearest is one that lacks no target altogether."""
    lacks = any(" " not in what for _, what in assessed.missing)
    return lacks, len(assessed.missing)


def _newest(specs: Sequence[TargetSpec], needs: Needs, catalog: Catalog) -> Assessment | None:
    """Return the newest release that the catalog is sure of, or fairly sure, if there is one."""
    assessed = [
        assess(release, specs, needs, catalog)
        for release in catalog.releases
        if needs.torch.contains(release, prereleases=True)
    ]
    best = min(assessed, key=lambda one: one.choice.certainty, default=None)
    return best if best and best.choice.certainty <= COVERED else None


def _span(spec: TargetSpec, catalog: Catalog) -> str:
    """Say from which torch to which one a spec can be served."""
    needs = Needs(SpecifierSet(), {}, None)
    served: list[Version] = [
        release
        for release in (*catalog.releases, *catalog.older_releases)
        if assess(release, [spec], needs, catalog).choice.certainty <= COVERED
    ]
    if not served:
        return "no torch that the catalog covers"
    span = str(served[0]) if len(served) == 1 else f"{served[-1]} to {served[0]}"
    return f"torch {span}"


def _missing(assessed: Assessment) -> str:
    """Say what one release lacks, and for whom."""
    grouped: dict[str, list[Target]] = {}
    for target, what in assessed.missing:
        # `torch 2.6.0 has no torch` is no sentence.
        package, space, rest = what.partition(" ")
        spoken = f"wheel{space}{rest}" if package == "torch" else what
        grouped.setdefault(spoken, []).append(target)
    parts = [f"{what} for {', '.join(map(str, targets))}" for what, targets in grouped.items()]
    return f"torch {assessed.choice.release} has no {' and no '.join(parts)}"
