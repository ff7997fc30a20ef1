"""Which of a project's targets a machine takes, and why; from what is known to fit it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.machine.fitting import ORDER, Fit
from torchconf.model.backends import PYPI
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchconf.model.backends import Backend
    from torchconf.model.targets import Platform, Target

__all__ = ["BestTarget", "best_target", "by_reason", "judge_targets", "reasons"]


class BestTarget(NamedTuple):
    """The target that a machine takes if nobody names one."""

    target: Target
    fits: bool | None
    """None: nobody knows. False: no target of the project runs on this machine."""
    reason: str


def judge_targets(
    targets: Iterable[Target], platform: Platform, fits: Sequence[Fit], pypi: Backend | None = None
) -> tuple[Fit, ...]:
    """Judge the targets of a platform: what fits, the best first, then the unknown, then the rest.

    Args:
        targets: Of a project.
        platform: The machine's.
        fits: Of the machine, the best first.
        pypi: The build that PyPI has for it, where that is known.
    """
    places = {fit.backend: place for place, fit in enumerate(fits)}
    judged: list[tuple[int, int, Fit]] = []
    for target in dict.fromkeys(targets):
        if target.platform == platform:
            build = pypi if target.backend == PYPI else target.backend
            place = places.get(build, len(fits)) if build else len(fits)
            if place < len(fits):
                fit = fits[place]._replace(target=target)
            else:
                fit = Fit(target, None, "what this build needs is unknown", current=False)
            judged.append((ORDER.index(fit.fits), place, fit))
    return tuple(fit for _, _, fit in sorted(judged, key=lambda one: one[:2]))


def best_target(judged: Sequence[Fit]) -> BestTarget | None:
    """Choose among the targets of a machine's platform; None if there is none.

    A build for a GPU comes before the one without, and that before one of which nobody knows
    whether it runs: in CI without a GPU it is the CPU build.

    Args:
        judged: As `judge_targets` gives them.
    """
    if not judged:
        return None
    best, *others = judged
    failing = [fit for fit in others if fit.fits is False]
    if best.fits is False:
        return BestTarget(best.target, best.fits, reasons(judged))
    said = [best.reason]
    if not others:
        said.insert(0, f"the only target for {best.target.platform.key}")
    elif len(failing) == len(others):
        said.append(f"nothing else fits ({reasons(failing)})")
    return BestTarget(best.target, best.fits, "; ".join(said))


def reasons(fits: Iterable[Fit]) -> str:
    """Say why some targets do not fit, on one line."""
    return "; ".join(by_reason(fits))


def by_reason(fits: Iterable[Fit]) -> list[str]:
    """Join targets that share a reason: `linux-cu132, linux-cu130: no NVIDIA GPU found`."""
    found: dict[str, list[str]] = {}
    for fit in fits:
        found.setdefault(fit.reason, []).append(str(fit.target))
    return [f"{', '.join(names)}: {reason}" for reason, names in found.items()]
