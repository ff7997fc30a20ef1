"""How sure it is that one torch release serves all targets, and what it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from torchconf.catalog import Answer
from torchconf.model.backends import PYPI
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import admits_from, overlaps
from torchconf.model.targets import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from torchconf.catalog import Catalog
    from torchconf.model.backends import Backend
    from torchconf.model.target_spec import TargetSpec
    from torchconf.model.targets import Platform

# How sure the catalog is that a release serves all targets; lower is better. SURE: every wheel is
# known, of a release whose build matrix was read. COVERED: such a release, but not every Python was
# seen; it counts as there, since PyTorch builds a release for every Python that its matrix names.
# SEEN: some wheels of a newer release were.
SURE, COVERED, SEEN, UNKNOWN, MISSING = range(5)


class Needs(NamedTuple):
    """What a release must satisfy besides the targets."""

    torch: SpecifierSet
    packages: Mapping[str, SpecifierSet]
    """The companions, by name, and the range that the project allows."""
    python: SpecifierSet | None
    """None: not said yet, so that the release may decide."""
    platforms: Mapping[str, frozenset[Platform]] = {}
    """Where a companion is asked for, by name; everywhere if it is not in here."""

    def targets(self, package: str, targets: Sequence[Target]) -> list[Target]:
        """Return those of the targets for which a companion is asked for."""
        where = self.platforms.get(package)
        return [target for target in targets if where is None or target.platform in where]


class Doubt(NamedTuple):
    """What the catalog does not know."""

    text: str
    as_of: str
    """The day on which the index in question was read last."""


class ReleaseChoice(NamedTuple):
    """The release that was chosen."""

    release: Version | None
    """None: newer than the catalog."""
    targets: tuple[Target, ...]
    """The specs, each with its backend."""
    companions: Mapping[str, Version]
    """The newest companion for the release, where the catalog names one."""
    python: str | None
    """The lowest Python on which it serves every target."""
    certainty: int
    doubts: tuple[Doubt, ...]
    held_back: tuple[str, ...] = ()
    """Why a bare accelerator is not its newest backend, in words."""


class Assessment(NamedTuple):
    """One release held against all specs."""

    choice: ReleaseChoice
    missing: tuple[tuple[Target, str], ...]
    """What is known not to be there, each with the package or Python in words."""


def assess(
    release: Version, specs: Sequence[TargetSpec], needs: Needs, catalog: Catalog
) -> Assessment:
    """See how sure one release is. Torch decides; a companion in doubt is only said to be so."""
    pythons = catalog.supported_pythons(release, needs.python)
    targets, held_back = resolve_backends(release, specs, pythons, needs, catalog)
    if needs.python is None:
        pythons = _from_first_served(release, targets, pythons, catalog)
    certainty = SURE
    doubts: list[tuple[Target, str]] = []
    missing: list[tuple[Target, str]] = []
    for target in targets:
        rank, text = _torch(release, target, pythons, catalog)
        certainty = max(certainty, rank)
        if rank == MISSING:
            missing.append((target, text))
        elif text and rank != COVERED:
            doubts.append((target, text))
    companions: dict[str, Version] = {}
    for package, allowed in needs.packages.items():
        own = needs.targets(package, targets)
        found = _companion(package, release, allowed, needs.torch, own, pythons, catalog)
        doubts += found.doubts
        missing += found.missing
        if found.missing:
            certainty = MISSING
        elif found.version is not None:
            companions[package] = found.version
    choice = ReleaseChoice(
        release=release,
        targets=targets,
        companions=companions,
        python=pythons[0] if pythons else None,
        certainty=certainty,
        doubts=_doubted(doubts, catalog),
        held_back=held_back,
    )
    return Assessment(choice, tuple(missing))


def resolve_backends(
    release: Version,
    specs: Sequence[TargetSpec],
    pythons: Sequence[str],
    needs: Needs,
    catalog: Catalog,
) -> tuple[tuple[Target, ...], tuple[str, ...]]:
    """Give each bare accelerator the newest backend that all specs for it share.

    What is known to be missing counts against a backend, of torch first, now and in later releases,
    then of the companions; so does a companion of which nothing was ever seen there. A Python of
    which nothing is known does not.

    Returns:
        The targets, and why an accelerator is not its newest backend, in words.
    """
    chosen: dict[str, Backend] = {}
    held_back: list[str] = []
    for accelerator in dict.fromkeys(spec.accelerator for spec in specs if spec.backend is None):
        platforms = [w.platform for w in specs if w.accelerator == accelerator and not w.backend]
        ranked: list[tuple[tuple[int, bool, int], Backend, tuple[str, ...]]] = []
        for backend in _alive(accelerator, release, catalog):
            targets = [Target(platform, backend) for platform in platforms]
            torch = [_torch(release, target, pythons, catalog) for target in targets]
            # A release whose matrix was read is built for every Python that it names.
            rank = max(SURE if rank == COVERED else rank for rank, _ in torch)
            if rank == MISSING and ranked:
                continue
            fits = [
                _companion(
                    package,
                    release,
                    allowed,
                    needs.torch,
                    needs.targets(package, targets),
                    pythons,
                    catalog,
                )
                for package, allowed in needs.packages.items()
            ]
            lacks = [(t, what) for t, (r, what) in zip(targets, torch, strict=True) if r == MISSING]
            lacks += [lack for fit in fits for lack in fit.missing]
            unseen = [lack for fit in fits for lack in fit.unseen]
            leaves = any(leaves_platform(t, release, needs.torch, catalog) for t in targets)
            order = (rank, leaves, len(lacks) * 100 + len(unseen))
            ranked.append((order, backend, _spoken([*lacks, *unseen])))
            if order == (SURE, False, 0):
                break
        best = min(ranked, key=lambda entry: entry[0])
        chosen[accelerator] = best[1]
        lacks_of_newest = ranked[0][2]
        if best != ranked[0] and lacks_of_newest and best[0][0] < MISSING:
            held_back.append(
                f"`{accelerator}` means {best[1].name}: the catalog has no "
                f"{' and no '.join(lacks_of_newest)}"
            )
    found = (Target(spec.platform, spec.backend or chosen[spec.accelerator]) for spec in specs)
    return tuple(dict.fromkeys(found)), tuple(held_back)


def _alive(accelerator: str, release: Version, catalog: Catalog) -> tuple[Backend, ...]:
    """Return the backends of an accelerator that had begun by a release, and not yet ended."""
    every = catalog.newest_first(accelerator)
    alive = tuple(
        backend
        for backend in every
        if (catalog.first_seen(catalog.main_package, backend) or release) <= release
        and ((last := catalog.ended(backend)) is None or release <= Version(last))
    )
    return alive or every


def _from_first_served(
    release: Version, targets: Sequence[Target], pythons: Sequence[str], catalog: Catalog
) -> tuple[str, ...]:
    """Leave out the lowest Pythons for which some target is not sure to have torch."""
    for start, python in enumerate(pythons):
        if all(_torch(release, target, [python], catalog)[0] == SURE for target in targets):
            return tuple(pythons[start:])
    return tuple(pythons)


def _torch(
    release: Version, target: Target, pythons: Sequence[str], catalog: Catalog
) -> tuple[int, str]:
    """Rank torch itself on one target, with the Pythons in doubt or missing as text."""
    package = catalog.main_package
    answers = {
        python: catalog.available(package, release, target.backend, target.platform, python)
        for python in pythons
    }
    missing = [python for python, answer in answers.items() if answer is Answer.NO]
    if not pythons:
        return UNKNOWN, f"{package} for the Python that the project requires"
    if missing:
        return MISSING, package + _on(missing, answers)
    unknown = [python for python, answer in answers.items() if answer is Answer.UNKNOWN]
    covered = target.backend == PYPI or catalog.covered(release)
    if not unknown:
        return (SURE if covered else SEEN), ""
    seen = catalog.seen(package, release, target.backend, target.platform)
    if catalog.publisher_of(target.backend):
        # PyTorch's matrix says nothing of the Pythons that others build for.
        if len(unknown) == len(answers) and catalog.carries(package, release, target.backend):
            return SEEN, package + _on(unknown, answers)
        seen = len(unknown) < len(answers)
    rank = UNKNOWN if not seen else COVERED if covered else SEEN
    return rank, package + _on(unknown, answers)


class _CompanionFit(NamedTuple):
    """What is known of a companion for all targets."""

    version: Version | None = None
    doubts: tuple[tuple[Target, str], ...] = ()
    missing: tuple[tuple[Target, str], ...] = ()
    unseen: tuple[tuple[Target, str], ...] = ()
    """Those of the doubts that are about a whole index: no wheel of the release was seen there."""
    strange: int = 0
    """How strange the release is to the indexes: 1 for each that lacks it, 2 if all of them do."""


def _companion(
    package: str,
    release: Version,
    allowed: SpecifierSet,
    torch: SpecifierSet,
    targets: Sequence[Target],
    pythons: Sequence[str],
    catalog: Catalog,
) -> _CompanionFit:
    """Choose the newest companion that fits a torch release and is missing nowhere.

    Of several, the one with the fewest doubts wins, then the one that was seen on most of the
    indexes, then the newest: what is on PyPI alone may never come to the others.
    """
    fitting = catalog.companions(package, release)
    if fitting is None and not _may_be_old(package, allowed, torch, targets, catalog):
        fitting = ()
    if fitting is None:
        return _CompanionFit(doubts=tuple((t, package) for t in targets if t.backend != PYPI))
    found = [
        _companion_release(package, version, targets, pythons, catalog)
        for version in fitting
        if allowed.contains(version, prereleases=True)
    ]
    if not found:
        return _CompanionFit(missing=tuple((t, f"{package} that fits") for t in targets))
    return min(found, key=lambda one: (len(one.missing), len(one.doubts), one.strange))


def _may_be_old(
    package: str,
    allowed: SpecifierSet,
    torch: SpecifierSet,
    targets: Sequence[Target],
    catalog: Catalog,
) -> bool:
    """Tell whether a companion of which nothing fits may have older releases that do.

    Which ones belong to an old torch is not recorded. They count for who asks for such a torch, or
    for a backend that ended with it.
    """
    pairs = catalog.pairs(package)
    if not pairs:
        return True
    first = catalog.first_paired(package)
    ends = [Version(end) for t in targets if (end := catalog.ended(t.backend)) is not None]
    is_old = not admits_from(torch, str(first)) or min(ends, default=first) < first
    return is_old and overlaps(allowed, f"<{pairs[-1][0]}")


def _companion_release(
    package: str,
    version: Version,
    targets: Sequence[Target],
    pythons: Sequence[str],
    catalog: Catalog,
) -> _CompanionFit:
    doubts: list[tuple[Target, str]] = []
    missing: list[tuple[Target, str]] = []
    unseen: list[tuple[Target, str]] = []
    for target in targets:
        answers = {
            python: catalog.available(package, version, target.backend, target.platform, python)
            for python in pythons
        }
        for answer, where in ((Answer.NO, missing), (Answer.UNKNOWN, doubts)):
            some = [python for python, given in answers.items() if given is answer]
            if some:
                where.append((target, f"{package} {version}" + _on(some, answers)))
        if Answer.UNKNOWN in answers.values() and not (
            catalog.carries(package, version, target.backend)
            or catalog.goes_along(package, target.backend)
        ):
            unseen.append((target, f"{package} {version}"))
    backends = {target.backend for target in targets}
    lacking = [one for one in backends if not catalog.carries(package, version, one)]
    strange = len(lacking) * (1 if catalog.is_indexed(package, version) else 2)
    return _CompanionFit(version, tuple(doubts), tuple(missing), tuple(unseen), strange)


def _on(some: Sequence[str], of: Mapping[str, Answer]) -> str:
    return "" if len(some) == len(of) else f" on Python {', '.join(some)}"


def _spoken(doubts: Iterable[tuple[Target, str]]) -> tuple[str, ...]:
    """Join doubts over targets that have the same one."""
    grouped: dict[str, list[str]] = {}
    for target, text in doubts:
        grouped.setdefault(text, []).append(str(target))
    return tuple(f"{text} for {', '.join(targets)}" for text, targets in grouped.items())


def _doubted(doubts: Sequence[tuple[Target, str]], catalog: Catalog) -> tuple[Doubt, ...]:
    """Say what is not known, each with the day of its index; of others' indexes nobody knows."""
    doubts = [one for one in doubts if not catalog.publisher_of(one[0].backend)]
    days = dict.fromkeys(catalog.as_of_index(target.backend) for target, _ in doubts)
    return tuple(
        Doubt(text, day)
        for day in days
        for text in _spoken(one for one in doubts if catalog.as_of_index(one[0].backend) == day)
    )


def leaves_platform(
    target: Target, release: Version, within: SpecifierSet, catalog: Catalog
) -> bool:
    """Tell whether a later release of the same index seems to have nothing for the platform.

    uv takes the newest release of an index for all platforms alike, so that a later one without a
    wheel for this platform would be locked, and fail to install. Releases whose matrix was not
    read prove nothing.
    """
    package = catalog.main_package
    return any(
        later > release
        and catalog.covered(later)
        and within.contains(later)
        and catalog.carries(package, later, target.backend)
        and not catalog.seen(package, later, target.backend, target.platform)
        for later in catalog.releases
    )
