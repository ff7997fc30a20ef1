"""Releases that must fit each other: torch, its companions, and triton."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from torchconf.catalog import Answer
from torchconf.model.backends import is_nightly
from torchconf.model.ranges import admits_newer, overlaps
from torchconf.model.targets import SHOWN_PLATFORMS
from torchconf.model.uv_lock import locked_builds
from torchconf.rules.fixes import draft_of
from torchconf.rules.installed_builds import (
    BASE,
    applied_sources,
    backends_of,
    build_of,
    family_places,
    reachable_range,
    source_on,
)
from torchconf.rules.rule import Finding, Fix, Premise, Rule, Severity
from torchconf.rules.wording import list_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchconf.model.backends import Backend
    from torchconf.model.project import Requirement
    from torchconf.model.toml_path import Path
    from torchconf.rules.context import Context, Place

__all__ = ["RULES"]


def _asked(context: Context, place: Place, package: str) -> Requirement | None:
    """Return what a place asks for of a package, else the base; None if nobody knows releases."""
    name = canonicalize_name(package)
    one = context.first_requirement(place, name) or context.first_requirement(BASE, name)
    if one is None or one.url is not None:
        return None
    if any("+" in p.version and not _is_backend(context, p.version) for p in one.specifier):
        return None  # Somebody's own build.
    known = all(
        s.kind == "index" and build_of(context, context.index_of(s)) is not None
        for s in applied_sources(context, name, place)
    )
    return one if known else None


def _is_backend(context: Context, version: str) -> bool:
    return bool(context.catalog.backend(version.partition("+")[2]).accelerator)


def _spoken(one: Requirement) -> str:
    return one.raw.partition(";")[0].strip()


class CompanionMisfit(Rule):
    """The ranges of torch and a related package lead to releases that do not fit each other."""

    code = "TC215"
    name = "companion-misfit"
    severity = Severity.ERROR
    reference = "https://github.com/pytorch/pytorch/wiki/PyTorch-Versions"
    fixes = "unsafe"
    requires = (Premise.RELEASE,)

    def check(self, context: Context) -> Iterator[Finding]:
        """Hold the ranges of each place against the pairs that the catalog knows."""
        main = context.catalog.main_package
        packages = [p for p in context.catalog.family if p != main and p in context.needed]
        if not packages:
            return
        reported: set[Path] = set()
        for place in family_places(context):
            torch = _asked(context, place, main)
            for package in packages if torch else ():
                one = _asked(context, place, package)
                if torch is None or one is None or one.path in reported:
                    continue
                if not self._is_known(context, place, torch, one):
                    continue
                finding = self._pair(context, place, torch, one)
                if finding is not None:
                    reported.add(one.path)
                    yield finding

    def _is_known(
        self, context: Context, place: Place, torch: Requirement, one: Requirement
    ) -> bool:
        """Tell whether both come somewhere from where releases are known: no nightly index."""
        sources = [applied_sources(context, each.name, place) for each in (torch, one)]
        for platform in context.platforms(torch.marker, one.marker):
            found = [source_on(context, some, platform) for some in sources]
            indexes = [context.index_of(source) for source in found if source]
            if not any(index and is_nightly(context.catalog.real(index.url)) for index in indexes):
                return True
        return False

    def _pair(
        self, context: Context, place: Place, torch: Requirement, one: Requirement
    ) -> Finding | None:
        known = context.catalog.pairs(one.name)
        asked = reachable_range(context, place, one)
        pairs = [each for each in known if asked.contains(each[0], prereleases=True)]
        inside = reachable_range(context, place, torch)
        paired = {version for version, _, _ in pairs}
        others = [v for v in context.catalog.versions(one.name) if asked.contains(v)]
        if not paired.issuperset(others) and not context.catalog.is_bound(one.name):
            return None  # Some release in the range may work with any torch.
        if not pairs:
            return None
        if not admits_newer(asked, known[0][0]) and not any(
            overlaps(inside, str(needs)) for _, needs, _ in pairs
        ):
            return self._finding(
                context,
                one,
                max(_releases(context, inside), default=None),
                f"no release of `{_spoken(one)}` is compatible with `{_spoken(torch)}`",
                severity=None,
            )
        # uv passes over what states a torch that cannot be, for an older one that states none.
        possible = [each for each in pairs if not each[2] or overlaps(inside, str(each[1]))]
        if not possible:
            return None
        version, needs, is_stated = _taken(context, place, one, possible)
        release = None if is_stated else _newest_torch(context, place, torch, one)
        if release is None or needs.contains(release, prereleases=True):
            return None
        return self._finding(
            context,
            one,
            release,
            f"uv locks {one.name} {version} with torch {release}, but needs torch {needs}, "
            "which its metadata does not say",
            severity=Severity.WARNING,
        )

    def _finding(
        self,
        context: Context,
        one: Requirement,
        release: Version | None,
        message: str,
        *,
        severity: Severity | None,
    ) -> Finding:
        fitting = context.catalog.companions(one.name, release) if release else None
        if not fitting:
            return self.finding(one.path, message, severity=severity)
        best = f"=={fitting[0]}"
        # Imported here: only a finding needs it.
        from torchconf.model.requirements import with_specifier

        draft = draft_of(context)
        draft.replace(one.path, with_specifier(one.raw, best), "it is compatible with this torch")
        return self.finding(
            one.path,
            message,
            help=f"{one.name} {fitting[0]} is compatible with torch {release}",
            severity=severity,
            fix=Fix(f"require `{one.name}{best}`", tuple(draft.steps), safe=False),
        )


def _releases(context: Context, inside: SpecifierSet) -> list[Version]:
    return [v for v in context.catalog.releases if inside.contains(v, prereleases=True)]


def _taken(
    context: Context,
    place: Place,
    one: Requirement,
    pairs: list[tuple[Version, SpecifierSet, bool]],
) -> tuple[Version, SpecifierSet, bool]:
    """Return the newest release that an index is not known to lack, or that is known at all."""
    backends = backends_of(context, applied_sources(context, one.name, place))
    there = [each for each in pairs if _may_be_there(context, one.name, each[0], backends)]
    return (there or pairs)[0]


def _may_be_there(
    context: Context, package: str, version: Version, backends: Iterable[Backend]
) -> bool:
    """Tell whether one of these indexes is not known to lack a release; with none, PyPI serves."""
    catalog = context.catalog
    return not backends or any(
        catalog.available(package, version, backend, platform, python) is not Answer.NO
        for backend in backends
        for platform in SHOWN_PLATFORMS[:1]
        for python in catalog.pythons
    )


def _newest_torch(
    context: Context, place: Place, torch: Requirement, one: Requirement
) -> Version | None:
    """Return the torch that uv takes next to a companion that declares none; None: nobody knows.

    A lockfile says it. Without one, other packages may hold torch back, unless its own range is
    narrow.
    """
    catalog = context.catalog
    text = context.workspace.lockfile
    inside = reachable_range(context, place, torch)
    if text:
        locked = {Version(b.version).public for b in locked_builds(text, torch.name)}
        theirs = {Version(b.version).public for b in locked_builds(text, one.name)}
        fits = {str(v): needs for v, needs, _ in catalog.pairs(one.name)}
        if any(fits[v].contains(t, prereleases=True) for v in theirs & fits.keys() for t in locked):
            return None
    asked = {each.name for each in (*context.flat(BASE), *context.flat(place))}
    held = asked & (catalog.dependents.keys() - set(catalog.family))
    if held and not _is_narrow(inside):
        return None
    releases = _releases(context, inside)
    for package in asked & set(catalog.family) - {torch.name}:
        pairs = catalog.pairs(package)
        line = _asked(context, place, package)
        range_ = reachable_range(context, place, line) if line else None
        if range_ is None or not pairs or admits_newer(range_, pairs[0][0]):
            continue
        needs = [each[1] for each in pairs if each[2] and range_.contains(each[0])]
        if needs:
            releases = [v for v in releases if any(each.contains(v) for each in needs)]
    backends = backends_of(context, applied_sources(context, torch.name, place))
    there = [v for v in releases if _may_be_there(context, torch.name, v, backends)]
    return max(there or releases, default=None)


def _is_narrow(inside: SpecifierSet) -> bool:
    """Tell whether a range holds torch to one minor release."""
    return any(part.operator in ("==", "===", "~=") for part in inside)


class TritonPin(Rule):
    """An exact triton version contradicts the one that torch requires."""

    code = "TC216"
    name = "triton-pin"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/resolution/"
    fixes = "unsafe"
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Hold triton pins on Linux against those of every torch that the range admits."""
        tritons = {"triton", *context.catalog.triton_packages}
        if not any(one.name in tritons for _, one in context.requirements):
            return
        for place in family_places(context):
            torch = _asked(context, place, context.catalog.main_package)
            if torch is None:
                continue
            if not any(one.name in tritons for one in context.flat(place)):
                continue
            inside = reachable_range(context, place, torch)
            if admits_newer(inside, max(context.catalog.releases)):
                continue
            releases = [v for v in context.catalog.releases if inside.contains(v)]
            for one in context.flat(place):
                pins = self._pins(context, place, one, releases)
                if not pins or not self._meets(context, torch, one):
                    continue
                asked = reachable_range(context, place, one)
                if any(overlaps(asked, str(pin)) for pin in pins):
                    continue
                draft = draft_of(context)
                draft.remove(one.path, "torch requires the version that it was built with")
                names = list_names(dict.fromkeys(f"{one.name}{pin}" for pin in pins))
                yield self.finding(
                    one.path,
                    f"`{_spoken(one)}` contradicts `{_spoken(torch)}`, which requires {names}",
                    help=f"remove it: torch brings its own {one.name}",
                    fix=Fix("remove it", tuple(draft.steps), safe=False),
                )

    def _pins(
        self, context: Context, place: Place, one: Requirement, releases: list[Version]
    ) -> list[SpecifierSet]:
        """Return what each release requires; nothing if one of them is unknown."""
        if one.url is not None or not one.specifier or not releases:
            return []
        catalog = context.catalog
        main = canonicalize_name(catalog.main_package)
        backends = backends_of(context, applied_sources(context, main, place))
        found: list[SpecifierSet | None] = []
        if one.name == "triton":
            if any(backend.accelerator != "cuda" for backend in backends):
                return []
            found = [
                catalog.triton_range(release, backend)
                for release in releases
                for backend in backends or (None,)
            ]
        elif one.name in catalog.triton_packages:
            for release in releases:
                tritons = [catalog.triton(backend, release) for backend in backends]
                own = [each for each in tritons if each and each.name == one.name]
                found += [SpecifierSet(f"=={e.pin}") if e.pin else None for e in own] or [None]
        return [] if None in found else [each for each in found if each is not None]

    def _meets(self, context: Context, torch: Requirement, one: Requirement) -> bool:
        """Tell whether both are installed together on the machines that torch has triton for."""
        return any(
            platform.key == "linux-x86_64" and platform in context.locked
            for platform in context.platforms(torch.marker, one.marker)
        )


RULES: tuple[type[Rule], ...] = (CompanionMisfit, TritonPin)
"""The rules of this family, by code."""
