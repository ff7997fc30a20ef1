"""Which torch release serves all targets, and with which companions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from packaging.version import Version

from torchconf.catalog import Answer
from torchconf.errors import RequestError
from torchconf.model.backends import PYPI
from torchconf.model.targets import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from torchconf.catalog import Catalog
    from torchconf.model.backends import Backend
    from torchconf.model.target_spec import TargetSpec

# How sure the catalog is that a release serves all targets; lower is better. SURE: every wheel is
# known, of a release whose build matrix was read. COVERED: such a release, but not every Python was
# seen. SEEN: some wheels of a newer release were.
SURE, COVERED, SEEN, UNKNOWN, MISSING = range(5)


class Needs(NamedTuple):
    """What a release must satisfy besides the targets."""

    torch: SpecifierSet
    packages: Mapping[str, SpecifierSet]
    """The companions, by name, and the range that the project allows."""
    python: SpecifierSet | None
    """None: not said yet, so that the release may decide."""


class ReleaseChoice(NamedTuple):
    """The release that was chosen."""

    release: Version | None
    """None: newer than the catalog."""
    targets: tuple[Target, ...]
    """The wishes, each with its backend."""
    companions: Mapping[str, Version]
    """The newest companion for the release, where the catalog names one."""
    python: str | None
    """The lowest Python on which it serves every target."""
    certainty: int
    doubts: tuple[str, ...]
    """What the catalog does not know, in words."""


class Examined(NamedTuple):
    """One release held against all wishes."""

    choice: ReleaseChoice
    missing: tuple[tuple[Target, str], ...]
    """What is known not to be there, each with the package or Python in words."""


def choose_release(
    wishes: Sequence[TargetSpec], needs: Needs, catalog: Catalog, locked: Version | None = None
) -> ReleaseChoice:
    """Return the newest release that the catalog has for every target and every Python.

    A release of which something is unknown is taken only if none is sure, and then one whose
    build matrix was read before one that was merely seen. The locked release is kept if it
    serves all targets.

    Raises:
        RequestError: No release can serve them, as far as the catalog covers it.
    """
    if locked is not None and locked in catalog.releases and locked in needs.torch:
        kept = examine(locked, wishes, needs, catalog).choice
        if kept.certainty <= COVERED:
            return kept
    tried: list[Examined] = []
    for release in catalog.releases:
        if needs.torch.contains(release, prereleases=True):
            tried.append(examine(release, wishes, needs, catalog))
            if tried[-1].choice.certainty == SURE:
                break
    possible = [one.choice for one in tried if one.choice.certainty < MISSING]
    if possible:
        return min(possible, key=lambda choice: choice.certainty)
    if not tried and _admits_newer(needs.torch, catalog):
        return _newer(wishes, needs, catalog)
    # Imported here: only an impossible request needs it.
    from torchconf.planner.refusals import refusal

    raise refusal(tried, wishes, needs, catalog)


def last_line(target: Target, catalog: Catalog) -> tuple[int, ...]:
    """Return the newest release line, such as `(2, 13)`, that a target is known to reach.

    Lines that go on reach as far as any of the PyTorch indexes does, seen or not: only one that
    has ended, or PyPI, whose listing is newer, parts from them.
    """
    backend = target.backend
    ends = [end for end in (catalog.ended(backend), catalog.platform_end(target.platform)) if end]
    if ends:
        return min(map(Version, ends)).release[:2]
    if backend == PYPI:
        newest = catalog.last_seen(catalog.main_package, PYPI)
    else:
        newest = catalog.newest_indexed
    return newest.release[:2] if newest else ()


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


def examine(
    release: Version, wishes: Sequence[TargetSpec], needs: Needs, catalog: Catalog
) -> Examined:
    """See how sure one release is. Torch decides; a companion in doubt is only said to be so."""
    pythons = catalog.supported_pythons(release, needs.python)
    targets = _resolve(release, wishes, pythons, needs, catalog)
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
        elif text:
            doubts.append((target, text))
    companions: dict[str, Version] = {}
    for package, allowed in needs.packages.items():
        found = _companion(package, release, allowed, targets, pythons, catalog)
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
        doubts=_spoken(doubts),
    )
    return Examined(choice, tuple(missing))


def _resolve(
    release: Version,
    wishes: Sequence[TargetSpec],
    pythons: Sequence[str],
    needs: Needs,
    catalog: Catalog,
) -> tuple[Target, ...]:
    """Give each bare accelerator the newest backend that all wishes for it share.

    Newest among those of which the catalog is equally sure: first for torch, now and in later
    releases, then for the companions.
    """
    chosen: dict[str, Backend] = {}
    for accelerator in {wish.accelerator for wish in wishes if wish.backend is None}:
        platforms = [w.platform for w in wishes if w.accelerator == accelerator and not w.backend]
        ranked: list[tuple[tuple[int, bool, int], Backend]] = []
        for backend in _alive(accelerator, release, catalog):
            targets = [Target(platform, backend) for platform in platforms]
            rank = max(_torch(release, target, pythons, catalog)[0] for target in targets)
            if rank == MISSING and ranked:
                continue
            companions = [
                _companion(package, release, allowed, targets, pythons, catalog)
                for package, allowed in needs.packages.items()
            ]
            leaves = any(leaves_platform(t, release, needs.torch, catalog) for t in targets)
            open_questions = sum(len(c.missing) * 100 + len(c.doubts) for c in companions)
            ranked.append(((rank, leaves, open_questions), backend))
            if ranked[-1][0] == (SURE, False, 0):
                break
        chosen[accelerator] = min(ranked, key=lambda pair: pair[0])[1]
    found = (Target(wish.platform, wish.backend or chosen[wish.accelerator]) for wish in wishes)
    return tuple(dict.fromkeys(found))


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
        return UNKNOWN, f"{package} on so new a Python"
    if missing:
        return MISSING, package + _on(missing, answers)
    unknown = [python for python, answer in answers.items() if answer is Answer.UNKNOWN]
    covered = target.backend == PYPI or catalog.covered(release)
    if not unknown:
        return (SURE if covered else SEEN), ""
    seen = catalog.seen(package, release, target.backend, target.platform)
    rank = UNKNOWN if not seen else COVERED if covered else SEEN
    return rank, package + _on(unknown, answers)


class _Found(NamedTuple):
    """What is known of a companion for all targets."""

    version: Version | None = None
    doubts: tuple[tuple[Target, str], ...] = ()
    missing: tuple[tuple[Target, str], ...] = ()


def _companion(
    package: str,
    release: Version,
    allowed: SpecifierSet,
    targets: Sequence[Target],
    pythons: Sequence[str],
    catalog: Catalog,
) -> _Found:
    """Choose the newest companion that fits a torch release and is missing nowhere.

    Of several, the one with the fewest doubts wins, then the newest.
    """
    fitting = catalog.companions(package, release)
    if fitting is None:
        return _Found(doubts=tuple((t, package) for t in targets if t.backend != PYPI))
    found = [
        _companion_release(package, version, targets, pythons, catalog)
        for version in fitting
        if allowed.contains(version, prereleases=True)
    ]
    if not found:
        return _Found(missing=tuple((t, f"{package} that fits") for t in targets))
    return min(found, key=lambda one: (len(one.missing), len(one.doubts)))


def _companion_release(
    package: str,
    version: Version,
    targets: Sequence[Target],
    pythons: Sequence[str],
    catalog: Catalog,
) -> _Found:
    doubts: list[tuple[Target, str]] = []
    missing: list[tuple[Target, str]] = []
    for target in targets:
        answers = {
            python: catalog.available(package, version, target.backend, target.platform, python)
            for python in pythons
        }
        for answer, where in ((Answer.NO, missing), (Answer.UNKNOWN, doubts)):
            some = [python for python, given in answers.items() if given is answer]
            if some:
                where.append((target, f"{package} {version}" + _on(some, answers)))
    return _Found(version, tuple(doubts), tuple(missing))


def _on(some: Sequence[str], of: Mapping[str, Answer]) -> str:
    return "" if len(some) == len(of) else f" on Python {', '.join(some)}"


def _spoken(doubts: Iterable[tuple[Target, str]]) -> tuple[str, ...]:
    """Join doubts over targets that have the same one."""
    grouped: dict[str, list[str]] = {}
    for target, text in doubts:
        grouped.setdefault(text, []).append(str(target))
    return tuple(f"{text} for {', '.join(targets)}" for text, targets in grouped.items())


def _admits_newer(torch: SpecifierSet, catalog: Catalog) -> bool:
    """Tell whether a range admits a release that the catalog is too old to know."""
    newest = max(catalog.releases)
    named = [Version(part.version.removesuffix(".*")) for part in torch]
    later = (Version(f"{v.major}.{v.minor}.{v.micro + 1}") for v in named)
    guesses = [Version("999"), *named, *later]
    return any(v > newest and torch.contains(v, prereleases=True) for v in guesses)


def _newer(wishes: Sequence[TargetSpec], needs: Needs, catalog: Catalog) -> ReleaseChoice:
    """Answer for a range that only a release newer than the catalog can satisfy."""
    newest = max(catalog.releases)
    for wish in wishes:
        last = catalog.ended(wish.backend) if wish.backend is not None else None
        if wish.backend is not None and last is not None:
            raise RequestError(
                f"target `{wish.text}` can not have torch {needs.torch}: "
                f"{wish.backend.title} ended with torch {last}",
                help=f"ask for torch {last} or older, or for another backend",
            )
    pythons = catalog.release_pythons(newest)
    targets = _resolve(newest, wishes, pythons, Needs(needs.torch, {}, None), catalog)
    return ReleaseChoice(
        release=None,
        targets=targets,
        companions={},
        python=pythons[0],
        certainty=UNKNOWN,
        doubts=(f"any torch {needs.torch}",),
    )
