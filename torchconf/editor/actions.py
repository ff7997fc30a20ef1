"""What an editor offers to do about a place: the fixes of `check`, one by one or all at once."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from torchconf.editor.changes import replacements
from torchconf.errors import TorchconfError, shown
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.editor.analysis import Analysis, Problem
    from torchconf.editor.changes import Replacement

__all__ = ["Action", "fix_all", "quick_fixes"]

_MOST = 12
"""Fixes that are tried for one request: each takes as long as a check."""


class Action(NamedTuple):
    """One offer."""

    title: str
    changes: tuple[Replacement, ...]
    is_safe: bool
    problem: Problem | None = None
    """What it solves; None for all at once."""


def quick_fixes(analysis: Analysis, start: int, end: int) -> Iterator[Action]:
    """Yield the fixes of what is found between two places. Unsafe ones say so.

    A fix is offered only if `check --fix` would take it, too.
    """
    unit = analysis.unit
    touched = [
        one
        for one in analysis.problems
        if one.start <= end and start <= one.end and one.placed and one.placed.finding.fix
    ]
    for problem in islice(touched, _MOST):
        placed = problem.placed
        if unit is None or placed is None or placed.finding.fix is None:
            continue
        new = unit.fix_one(placed)
        if new is None:
            continue
        fix = placed.finding.fix
        title = fix.title if fix.safe else f"{fix.title} (unsafe fix)"
        title = f"torchconf: {shown(title)}"
        yield Action(title, _changes(analysis, new), fix.safe, problem)


def fix_all(analysis: Analysis) -> Action | None:
    """Return the action that takes all safe fixes; None if there is nothing to fix."""
    if analysis.unit is None or not any(_is_safe(one) for one in analysis.problems):
        return None
    try:
        fixed = analysis.unit.fix(unsafe=False)[0]
    except TorchconfError:
        return None
    changes = _changes(analysis, fixed.text)
    return Action("torchconf: fix all safe findings", changes, is_safe=True) if changes else None


def _is_safe(problem: Problem) -> bool:
    fix = problem.placed.finding.fix if problem.placed else None
    return fix is not None and fix.safe


def _changes(analysis: Analysis, new: str) -> tuple[Replacement, ...]:
    return replacements(analysis.text, f"{analysis.mark}{new}")
