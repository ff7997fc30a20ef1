"""Why a release was chosen, and why a bare accelerator is not its newest backend: in words."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from torchconf.errors import RequestError
from torchconf.planner.assess import Needs
from torchconf.planner.releases import choose_release

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchconf.catalog import Catalog
    from torchconf.model.target_spec import TargetSpec
    from torchconf.planner.assess import ReleaseChoice
    from torchconf.planner.limits import Limits

__all__ = ["reasons", "split_reasons"]


def reasons(
    part: ReleaseChoice,
    whole: ReleaseChoice,
    specs: Sequence[TargetSpec],
    limits: Limits,
    python: SpecifierSet | None,
    catalog: Catalog,
    locked: Version | None,
) -> tuple[str, ...]:
    """Say why it is this release, and why `cuda` is no newer one.

    Args:
        part: The release with the targets that it was chosen for.
        whole: The same with all targets of the project.
        specs: What is asked for these.
        limits: What the project says of versions.
        python: The Pythons of the project.
        catalog: What is available.
        locked: The release in uv.lock.
    """
    release = part.release
    if release is None:
        return part.held_back
    if catalog.is_apart:
        return (f"{catalog.channel} builds, from torch {release} on", *part.held_back)
    free, cause = _unlimited(release, specs, limits, python, catalog, locked)
    return (
        f"torch {release}: {_why(part, whole, cause, catalog, locked)}",
        *part.held_back,
        *(_older(part, free, specs, cause) if free is not None else ()),
    )


def split_reasons(
    parts: Sequence[Limits],
    found: Sequence[ReleaseChoice],
    specs: Sequence[TargetSpec],
    free: ReleaseChoice,
    main: str,
) -> tuple[str, ...]:
    """Say which release each range of Pythons has, and why a bare accelerator is no newer build.

    Args:
        parts: What each range of Pythons says of versions.
        found: What each gets.
        specs: What is asked for.
        free: What the last one would get without the others.
        main: Torch.
    """
    said = (
        f"torch {choice.release} on Python {', '.join(part.pythons or ())}"
        for part, choice in zip(parts, found, strict=True)
    )
    lines = [one for part in parts for one in part.of(main, specs) if one.specifier]
    held = [one for one in lines if not one.specifier.contains(free.release or "0")]
    cause = f"`{held[0].raw}` in {held[0].at}" if held else "another Python"
    return ("; ".join(said), *_older(found[0], free, specs, cause))


def _unlimited(
    release: Version,
    specs: Sequence[TargetSpec],
    limits: Limits,
    python: SpecifierSet | None,
    catalog: Catalog,
    locked: Version | None,
) -> tuple[ReleaseChoice | None, str]:
    """Return what nobody limits to older releases would get, and what does, with its place."""
    newest = catalog.newest_indexed
    if newest is None or release >= newest:
        return None, ""
    causes = [
        *((one, one.at) for one in limits.of(limits.main, specs)),
        *(
            (one, limits.whole.place(one.at))
            for one in limits.whole.constraint_dependencies
            if one.name == limits.main
        ),
    ]
    causes = [(one, at) for one, at in causes if newest not in one.specifier]
    free: ReleaseChoice | None = None
    if causes or limits.torch is not None or release == locked:
        with contextlib.suppress(RequestError):
            free = choose_release(specs, Needs(SpecifierSet(), {}, python), catalog)
    if free is None or free.release is None or free.release <= release:
        return None, ""
    if limits.torch is not None:
        return free, f"the requested `{limits.torch}`"
    newer = free.release
    found = (f"`{one.raw}` in {at}" for one, at in causes if newer not in one.specifier)
    return free, next(found, "uv.lock" if release == locked else "")


def _why(
    part: ReleaseChoice,
    whole: ReleaseChoice,
    cause: str,
    catalog: Catalog,
    locked: Version | None,
) -> str:
    if part.release == locked:
        return "the locked release, available for all targets"
    if cause:
        return f"newest that {cause} admits"
    ended = [
        backend.name
        for backend in dict.fromkeys(target.backend for target in part.targets)
        if (last := catalog.ended(backend)) is not None and Version(last) == part.release
    ]
    if ended:
        return f"the last release with wheels for {', '.join(ended)}"
    if set(part.targets) < set(whole.targets):
        return f"newest with wheels for {', '.join(map(str, part.targets))}"
    if part.doubts:
        return "newest with no known missing wheels"
    return "newest with wheels for every target and Python"


def _older(
    part: ReleaseChoice,
    free: ReleaseChoice,
    specs: Sequence[TargetSpec],
    cause: str,
) -> Iterator[str]:
    """Say what makes a bare accelerator an older backend than it could be."""
    for accelerator in dict.fromkeys(spec.accelerator for spec in specs if spec.backend is None):
        platforms = {s.platform for s in specs if s.accelerator == accelerator and not s.backend}
        now, then = (
            max(
                (t.backend for t in choice.targets if t.platform in platforms),
                key=lambda backend: (backend.accelerator == accelerator, backend.version),
            )
            for choice in (part, free)
        )
        if cause and now.version < then.version:
            yield (
                f"`{accelerator}` means {now.name}, not {then.name}: {cause} holds torch at "
                f"{part.release}"
            )
