"""Pre-release builds: nightly ones, which come from indexes of their own, and are no releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.model.targets import Target
from torchconf.wizard.build_choices import PRERELEASE, why_not
from torchconf.wizard.descriptions import backend_about
from torchconf.wizard.question import Option

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchconf.model.backends import Backend
    from torchconf.model.target_spec import TargetSpec
    from torchconf.model.targets import Platform
    from torchconf.planner import Request
    from torchconf.wizard.session import Session

__all__ = ["are_prereleases", "prerelease_choice", "prerelease_choices", "suggested"]


def _prereleases(session: Session, platform: Platform) -> Iterator[Backend]:
    """Yield the pre-release builds for a platform, the newest of each accelerator first."""
    catalog = session.catalog
    for channel, family in catalog.channels.items():
        builds = [catalog.backend(f"{build}-{channel}") for build in family["builds"]]
        for accelerator in catalog.everything:
            if accelerator.channel == channel and platform.key in accelerator.platforms:
                own = [one for one in builds if one.accelerator == accelerator.name]
                yield from sorted(own, key=lambda one: one.version, reverse=True)


def prerelease_choice(session: Session, platform: Platform) -> list[Option]:
    """Return the choice that leads to the pre-release builds, if there are any."""
    names = [backend.title for backend in _prereleases(session, platform)]
    if not names:
        return []
    about = f"{len(names)} more, for all platforms or none: {names[0]} ... {names[-1]}"
    return [Option(PRERELEASE, "pre-release builds", about)]


def prerelease_choices(session: Session, platform: Platform, others: Request) -> list[Option]:
    """Return the pre-release builds for one platform.

    Args:
        session: The project, the catalog, the machine.
        platform: The platform.
        others: The request so far, without this platform's targets.
    """
    choices = []
    for backend in _prereleases(session, platform):
        wish = session.wish(str(Target(platform, backend)))
        reason = why_not(session, wish, others)
        about = backend_about(backend, platform, session.catalog)
        choices.append(Option(backend.name, backend.title, "" if reason else about, reason))
    return choices


def suggested(session: Session, platform: Platform, choices: Sequence[Option]) -> tuple[str, ...]:
    """Return the pre-release build that is pre-selected: that of the machine, or the first."""
    catalog = session.catalog
    open_ = [choice.value for choice in choices if not choice.disabled]
    present = {t.backend.name for t in session.present if t.platform == platform}
    if kept := tuple(name for name in open_ if name in present):
        return kept
    if platform != session.machine.platform:
        return ()
    plain = {name: catalog.plain(catalog.backend(name)).name for name in open_}
    return tuple(name for name in open_ if plain[name] in session.machine.fits)[:1]


def are_prereleases(session: Session, wishes: Sequence[TargetSpec]) -> bool:
    """Tell whether targets are pre-release builds: their torch has no release to choose."""
    return any(session.catalog.channel_of(wish.accelerator) for wish in wishes)
