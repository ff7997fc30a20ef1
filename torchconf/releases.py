"""Which torch release serves all targets, and with which companions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from torchconf.backends import PYPI
from torchconf.catalog import Answer
from torchconf.errors import RequestError
from torchconf.targets import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchconf.backends import Backend
    from torchconf.catalog import Catalog
    from torchconf.targets import Wish

# How sure the catalog is that a release serves all targets; lower is better. COVERED: its build
# matrix was read and wheels were seen, but not for every Python. SEEN: wheels were seen.
SURE, COVERED, SEEN, UNKNOWN, MISSING = range(5)

# No public Python: a range that admits it has no upper bound that anybody meant.
_FAR_PYTHON = "3.99"


class Needs(NamedTuple):
    """What a release must satisfy besides the targets."""

    torch: SpecifierSet
    packages: Mapping[str, SpecifierSet]
    """The companions, by name, and the range that the project allows."""
    python: SpecifierSet | None
    """None: not said yet, so that the release may decide."""


class Choice(NamedTuple):
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


class _Tried(NamedTuple):
    choice: Choice
    missing: tuple[tuple[Target, str], ...]


def choose_release(
    wishes: Sequence[Wish], needs: Needs, catalog: Catalog, locked: Version | None = None
) -> Choice:
    """Return the newest release that the catalog has for every target and every Python.

    A release of which something is unknown is taken only if none is sure, and then one whose
    build matrix was read before one that was merely seen. The locked release is kept if it
    serves all targets.

    Raises:
        RequestError: No release can serve them, as far as the catalog covers it.
    """
    if locked is not None and locked in catalog.releases and locked in needs.torch:
        kept = _try(locked, wishes, needs, catalog).choice
        if kept.certainty <= COVERED:
            return kept
    tried: list[_Tried] = []
    for release in catalog.releases:
        if needs.torch.contains(release, prereleases=True):
            tried.append(_try(release, wishes, needs, catalog))
            if tried[-1].choice.certainty == SURE:
                break
    possible = [one.choice for one in tried if one.choice.certainty < MISSING]
    if possible:
        return min(possible, key=lambda choice: choice.certainty)
    if not tried and _admits_newer(needs.torch, catalog):
        return _newer(wishes, needs, catalog)
    raise _refusal(tried, wishes, needs, catalog)


def last_line(backend: Backend, catalog: Catalog) -> tuple[int, ...]:
    """Return the newest release line, such as `(2, 13)`, that a backend is known to reach.

    Lines that go on reach as far as any of the PyTorch indexes does, seen or not: only one that
    has ended, or PyPI, whose listing is newer, parts from them.
    """
    ended = catalog.ended(backend)
    if ended is not None:
        return Version(ended).release[:2]
    if backend == PYPI:
        newest = catalog.last_seen(catalog.main_package, PYPI)
    else:
        known = (catalog.last_seen(catalog.main_package, b) for b in catalog.backends.values())
        newest = max(filter(None, known), default=None)
    return newest.release[:2] if newest else ()


def supported_pythons(
    release: Version, python: SpecifierSet | None, catalog: Catalog
) -> tuple[str, ...]:
    """Return the Pythons on which a release must be there.

    An open range ends with the release's own newest Python; a range with an upper bound means
    every Python in it.
    """
    built = catalog.release_pythons(release)
    if python is None:
        return built
    inside = tuple(version for version in catalog.pythons if python.contains(f"{version}.99"))
    if not python.contains(_FAR_PYTHON):
        return inside
    floor = inside[:1]
    return tuple(version for version in inside if version in floor or version in built)


def _try(release: Version, wishes: Sequence[Wish], needs: Needs, catalog: Catalog) -> _Tried:
    """See how sure one release is. Torch decides; a companion in doubt is only said to be so."""
    pythons = supported_pythons(release, needs.python, catalog)
    targets = _resolve(release, wishes, pythons, needs.packages, catalog)
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
        elif rank != SURE:
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
    choice = Choice(
        release=release,
        targets=targets,
        companions=companions,
        python=pythons[0] if pythons else None,
        certainty=certainty,
        doubts=_spoken(doubts),
    )
    return _Tried(choice, tuple(missing))


def _resolve(
    release: Version,
    wishes: Sequence[Wish],
    pythons: Sequence[str],
    packages: Mapping[str, SpecifierSet],
    catalog: Catalog,
) -> tuple[Target, ...]:
    """Give each bare accelerator the newest backend that all wishes for it share.

    Newest among those of which the catalog is equally sure: first for torch, then for the
    companions.
    """
    chosen: dict[str, Backend] = {}
    for accelerator in {wish.accelerator for wish in wishes if wish.backend is None}:
        platforms = [w.platform for w in wishes if w.accelerator == accelerator and not w.backend]
        ranked: list[tuple[tuple[int, int], Backend]] = []
        for backend in catalog.newest_first(accelerator):
            targets = [Target(platform, backend) for platform in platforms]
            rank = max(_torch(release, target, pythons, catalog)[0] for target in targets)
            if rank == MISSING and ranked:
                continue
            companions = [
                _companion(package, release, allowed, targets, pythons, catalog)
                for package, allowed in packages.items()
            ]
            open_questions = sum(len(c.missing) * 100 + len(c.doubts) for c in companions)
            ranked.append(((rank, open_questions), backend))
            if ranked[-1][0] == (SURE, 0):
                break
        chosen[accelerator] = min(ranked, key=lambda pair: pair[0])[1]
    targets = (Target(wish.platform, wish.backend or chosen[wish.accelerator]) for wish in wishes)
    return tuple(dict.fromkeys(targets))


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
        whole = len(missing) == len(answers)
        return MISSING, "" if whole else f"Python {', '.join(missing)}"
    unknown = [python for python, answer in answers.items() if answer is Answer.UNKNOWN]
    if not unknown:
        return SURE, ""
    seen = catalog.seen(package, release, target.backend, target.platform)
    rank = UNKNOWN if not seen else COVERED if catalog.covered(release) else SEEN
    whole = len(unknown) == len(answers)
    return rank, package if whole else f"{package} on Python {', '.join(unknown)}"


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
        return _Found(missing=tuple((t, f"{package} for this torch") for t in targets))
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
    guesses = [Version("999"), *named, *(Version(f"{v}.0") for v in named)]
    return any(v > newest and torch.contains(v, prereleases=True) for v in guesses)


def _newer(wishes: Sequence[Wish], needs: Needs, catalog: Catalog) -> Choice:
    """Answer for a range that only a release newer than the catalog can satisfy."""
    newest = max(catalog.releases)
    going_on = [
        wish
        for wish in wishes
        if wish.backend is not None
        and wish.backend != PYPI
        and (last := catalog.ended(wish.backend)) is not None
        and newest > Version(last)
    ]
    if going_on:
        wish = going_on[0]
        assert wish.backend is not None
        raise RequestError(
            f"target `{wish.text}` can not have torch {needs.torch}: "
            f"{wish.backend.title} ended with torch {catalog.ended(wish.backend)}",
            help="ask for a torch up to that release, or for another backend",
        )
    pythons = catalog.release_pythons(newest)
    targets = _resolve(newest, wishes, pythons, {}, catalog)
    return Choice(
        release=None,
        targets=targets,
        companions={},
        python=pythons[0],
        certainty=UNKNOWN,
        doubts=(f"any torch {needs.torch}",),
    )


def _refusal(
    tried: Sequence[_Tried], wishes: Sequence[Wish], needs: Needs, catalog: Catalog
) -> RequestError:
    """Say which target can not be served, and the nearest thing that can be had."""
    spec = str(needs.torch)
    if not tried:
        releases = ", ".join(map(str, catalog.releases[:4]))
        return RequestError(
            f"no torch release is {spec}",
            help=f"the newest are {releases}",
        )
    anything = Needs(SpecifierSet(), needs.packages, needs.python)
    alternatives = []
    for wish in wishes:
        alone = [
            one.choice.release
            for release in catalog.releases
            if (one := _try(release, [wish], anything, catalog)).choice.certainty <= COVERED
        ]
        alternatives.append((wish, max(filter(None, alone), default=None)))
    nothing = [wish for wish, newest in alternatives if newest is None]
    last = tried[0]
    detail = _missing_words(last)
    if nothing:
        text = nothing[0].text
        pythons = f" on Python {needs.python}" if needs.python else ""
        loose = Needs(SpecifierSet(), {}, None)
        found = [
            release
            for release in catalog.releases
            if _try(release, [nothing[0]], loose, catalog).choice.certainty <= COVERED
        ]
        have = (
            f"; without that there is torch {found[0]} on Python {catalog.release_pythons(found[0])[0]} and later"
            if found
            else ""
        )
        packages = f" with {', '.join(needs.packages)}" if needs.packages else ""
        return RequestError(
            f"target `{text}` can not be had{packages}{pythons}: {detail}",
            help=f"change what is asked{have}",
        )
    newest = "; ".join(f"`{wish.text}` has torch up to {found}" for wish, found in alternatives)
    common = " that all targets have" if len(wishes) > 1 else ""
    wanted = f" {spec}" if spec else ""
    return RequestError(f"there is no torch{wanted}{common}: {detail}", help=newest)


def _missing_words(tried: _Tried) -> str:
    release = tried.choice.release
    parts: dict[str, list[str]] = {}
    for target, text in tried.missing:
        parts.setdefault(text, []).append(str(target))
    named = tried.missing and "; ".join(
        f"{', '.join(targets)}" + (f" ({text})" if text else "") for text, targets in parts.items()
    )
    if not named:
        named = ", ".join(map(str, tried.choice.targets))
    return f"torch {release} is not published for {named}"
