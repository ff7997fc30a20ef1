"""Which builds are available on a platform with the other choices, and why the rest are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from torchconf.model.backends import PYPI
from torchconf.model.targets import Platform, Target
from torchconf.planner.admitted_ranges import declared_range
from torchconf.wizard.descriptions import backend_about, line, listed, platform_title, span
from torchconf.wizard.question import Option

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from torchconf.errors import TorchconfError
    from torchconf.model.backends import Accelerator, Backend
    from torchconf.model.target_spec import TargetSpec
    from torchconf.planner import Request
    from torchconf.wizard.session import Session

OLDER = "older"
"""The answer that leads to builds that ended long ago."""
PRERELEASE = "pre-release"
"""The answer that leads to builds that are no releases."""
LINES = 5
"""A build that has ended is offered at once if it is in one of so many lines of torch."""


def offered(
    session: Session, platform: Platform, *, recent: bool
) -> Iterator[tuple[Accelerator, Backend | None]]:
    """Yield the builds to show for a platform: None for an accelerator that it never had.

    Args:
        session: For the catalog, and what the project has.
        platform: The platform.
        recent: Whether to yield those that go on or ended not long ago, or the others.
    """
    catalog = session.catalog
    lines = list(dict.fromkeys(line(release) for release in catalog.releases))[:LINES]
    present = {t.backend for t in session.present if t.platform == platform}
    others = {a.word for a in catalog.accelerators if a.word and platform.key in a.platforms}
    for accelerator in catalog.accelerators:
        if platform.key not in accelerator.platforms:
            if recent and not accelerator.family and accelerator.name not in others:
                yield accelerator, None
            continue
        if not _is_asked_for(accelerator, platform, session):
            continue
        for backend in catalog.newest_first(accelerator.name):
            last = catalog.ended(backend)
            is_recent = last is None or last.rpartition(".")[0] in lines or backend in present
            if is_recent == recent and _was_seen(session, backend, platform):
                yield accelerator, backend


def _is_asked_for(accelerator: Accelerator, platform: Platform, session: Session) -> bool:
    """Tell whether to offer builds: those of others only where PyTorch has none, or are there."""
    if not accelerator.family:
        return True
    named = {one.name: one for one in session.catalog.accelerators}
    has = accelerator.word in named and platform.key in named[accelerator.word].platforms
    there = {t.backend.accelerator for t in session.present if t.platform == platform}
    return (bool(accelerator.word) and not (has and accelerator.word != accelerator.name)) or (
        accelerator.name in there
    )


def _was_seen(session: Session, backend: Backend, platform: Platform) -> bool:
    """Tell whether an index may have had torch for a platform."""
    catalog = session.catalog
    return (backend != PYPI and catalog.ended(backend) is None) or any(
        catalog.seen(catalog.main_package, release, backend, platform)
        for release in catalog.releases
    )


def build_choices(
    session: Session,
    platform: Platform,
    others: Request,
    later: Sequence[Platform] = (),
    *,
    recent: bool,
) -> list[Option]:
    """Return the choices for one platform.

    Args:
        session: The project, the catalog, the machine.
        platform: The platform.
        others: The request so far, without this platform's targets.
        later: The platforms that are still to have builds.
        recent: As in `offered`.
    """
    choices = []
    for accelerator, backend in offered(session, platform, recent=recent):
        if backend is None:
            where = platform_title(platform)
            reason = f"PyTorch has no {accelerator.title} build for {where}"
            choices.append(Option(accelerator.name, accelerator.title, disabled=reason))
        else:
            choices.append(_choice(session, platform, backend, others, later))
    if recent:
        choices.append(_choice(session, platform, PYPI, others, later))
    return choices


def older_choice(session: Session, platform: Platform) -> list[Option]:
    """Return the choice that leads to the builds that ended long ago, if there are any."""
    found = [b.title for _, b in offered(session, platform, recent=False) if b is not None]
    if not found:
        return []
    among = f": {found[0]} ... {found[-1]}" if len(found) > 1 else f": {found[0]}"
    return [Option(OLDER, "older builds", f"{len(found)} more, no longer updated{among}")]


def possible_build(session: Session, platform: Platform, others: Request) -> TargetSpec:
    """Return a build that a platform can have: plain CPU, unless only others are possible."""
    fallback = session.wish(f"{platform.short}-{session.catalog.fallback.name}")
    every = (fallback, *_builds(session, platform))
    return next((wish for wish in every if not why_not(session, wish, others)), fallback)


def shut_out(
    session: Session, wishes: Sequence[TargetSpec], later: Sequence[Platform]
) -> list[Platform]:
    """Return the platforms of which no build fits what was chosen before they are asked about."""
    return [
        platform
        for platform in later
        if all(_apart(session, [*wishes, wish]) for wish in _builds(session, platform))
    ]


def _builds(session: Session, platform: Platform) -> list[TargetSpec]:
    backends = [
        backend
        for recent in (True, False)
        for _, backend in offered(session, platform, recent=recent)
        if backend is not None
    ]
    backends += [PYPI] if _was_seen(session, PYPI, platform) else []
    return [session.wish(str(Target(platform, backend))) for backend in backends]


def _choice(
    session: Session,
    platform: Platform,
    backend: Backend,
    others: Request,
    later: Sequence[Platform],
) -> Option:
    wish = session.wish(str(Target(platform, backend)))
    about = backend_about(backend, platform, session.catalog)
    family = session.catalog.family_named(session.catalog.publisher_of(backend))
    about += f"; {family.sure}" if family else ""
    if platform == session.machine.platform:
        about += _here(backend, session)
    title = "PyPI" if backend == PYPI else backend.title
    reason = why_not(session, wish, others, later)
    return Option(backend.name, title, about if not reason else "", reason)


def _here(backend: Backend, session: Session) -> str:
    """Say what a build is on this machine."""
    machine = session.machine
    if backend.name in machine.unfit:
        return f" [does not run on this machine: {machine.unfit[backend.name]}]"
    if backend.name not in machine.fits:
        return ""
    if backend.name != next(iter(machine.fits)):
        return " [runs on this machine]"
    why = "" if backend == session.catalog.fallback else f": {machine.fits[backend.name]}"
    return f" [best for this machine{why}]"


def why_not(
    session: Session, wish: TargetSpec, others: Request, later: Sequence[Platform] = ()
) -> str:
    """Say in a few words why a wish cannot join a request; empty if it can."""
    chosen = others.specs or others.add
    if wish.backend == PYPI and not _was_seen(session, PYPI, wish.platform):
        return f"PyPI has no torch for {platform_title(wish.platform)}"
    if not _apart(session, [*chosen, wish]):
        error = _complaint(session, others, [*chosen, wish])
        without = shut_out(session, [*chosen, wish], later) if error is None else []
        if without:
            return _incompatible(session, wish, map(platform_title, without))
        if error is None:
            return ""
        if not chosen:
            return _before_range(session, wish) or error.message
    alone = _complaint(session, others._replace(packages=()), [wish])
    if alone is not None:
        return _before_range(session, wish) or alone.message
    apart = [other for other in chosen if _apart(session, [other, wish])]
    return _incompatible(session, wish, [other.text for other in apart or chosen])


def _incompatible(session: Session, wish: TargetSpec, others: Iterable[str]) -> str:
    backend, has = wish.backend, ""
    if backend and backend != PYPI and not session.catalog.channel_of(wish.accelerator):
        has = span(backend, session.catalog) + " only, "
    return f"{has}incompatible with {listed(others)}"


def _before_range(session: Session, wish: TargetSpec) -> str:
    """Say that a build or a platform ended before what the project requires; empty if not so."""
    catalog = session.catalog
    declared = declared_range(session.project, catalog.main_package)
    ends = [catalog.platform_end(wish.platform)]
    ends += [catalog.ended(wish.backend)] if wish.backend not in {None, PYPI} else []
    last = min((Version(end) for end in ends if end is not None), default=None)
    floors = [part for part in declared if part.operator in {">=", ">", "==", "~=", "==="}]
    if last is None or all(part.contains(last) for part in floors):
        return ""
    return f"available up to torch {last}; the project requires torch {declared}"


def _apart(session: Session, wishes: Sequence[TargetSpec]) -> bool:
    """Tell whether some build began after another had ended: the planner would say no."""
    catalog = session.catalog
    firsts, lasts = [], []
    for wish in wishes:
        ends = [catalog.platform_end(wish.platform)]
        if wish.backend is not None and wish.backend != PYPI:
            ends.append(catalog.ended(wish.backend))
            firsts.append(catalog.first_seen(catalog.main_package, wish.backend))
        lasts += [Version(end) for end in ends if end is not None]
    began = [first for first in firsts if first is not None]
    return bool(began and lasts) and max(began) > min(lasts)


def _complaint(
    session: Session, request: Request, wishes: Sequence[TargetSpec]
) -> TorchconfError | None:
    adding = bool(request.add)
    changed = (
        request._replace(add=tuple(wishes)) if adding else request._replace(specs=tuple(wishes))
    )
    return session.complaint(session.spread(changed))


def suggestion(
    session: Session, platform: Platform, choices: Sequence[Option], chosen: Sequence[TargetSpec]
) -> tuple[str, ...]:
    """Return what is pre-selected: what the project has, what fits, what others have, or CPU."""
    open_ = [choice.value for choice in choices if not choice.disabled]
    present = [target.backend.name for target in session.present if target.platform == platform]
    if kept := tuple(name for name in open_ if name in present):
        return kept
    if platform == session.machine.platform and session.machine.fits:
        return tuple(name for name in session.machine.fits if name in open_)[:1]
    alike = [wish.backend.name for wish in chosen if wish.backend is not None]
    if kept := tuple(name for name in open_ if name in alike):
        return kept
    fallback = session.catalog.fallback.name
    return (fallback,) if chosen and fallback in open_ else ()


def judge_request(session: Session, request: Request) -> str | None:
    """Return why the planner refuses a request and what it suggests, or None."""
    error = session.complaint(request)
    if error is None:
        return None
    return f"{error.message}; {error.help}" if error.help else error.message
