"""Fixes that are taken at once, because they change different places of a file.

The steps of each were made for the file as it was checked. Taken after those of another fix, they
must still mean the same: no step may lead into what another one sets, and entries of an array that
come and go move those behind them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING

from torchconf.edits.plan import Insert, Remove, Rename
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchconf.edits.plan import Step
    from torchconf.model.toml_path import Path
    from torchconf.rules.rule import Finding

__all__ = ["Fixable", "apart", "joined"]


class Fixable(NamedTuple):
    """A finding with a fix, and the file that it is about."""

    file: str
    finding: Finding

    @property
    def place(self) -> tuple[str, Path, str]:
        """What tells this finding from the others, while its file is fixed."""
        return self.file, self.finding.path, self.finding.message

    @property
    def steps(self) -> tuple[Step, ...]:
        """What its fix does."""
        return self.finding.fix.steps if self.finding.fix else ()


def apart(candidates: Sequence[Fixable], most: int) -> list[Fixable]:
    """Return the first of these, and those after it whose fixes touch neither it nor each other.

    One that touches an earlier one waits, and so do those that touch the one that waits.

    Args:
        candidates: In the order in which they would be taken one by one.
        most: How many to return.
    """
    if most == 1 or not candidates or _moves_itself(candidates[0].steps):
        return [*candidates[:1]]
    # Whoever takes the last of several entries takes the table, too, if it sees it empty.
    thinned = [(one, above) for one in candidates for above in _thinned(one.steps)]
    first = {(one.file, above): one for one, above in reversed(thinned)}
    last = {(one.file, above): one for one, above in thinned}
    grounds: dict[str, _Ground] = {}
    chosen: list[Fixable] = []
    for one in candidates:
        ground = grounds.setdefault(one.file, _Ground())
        empties = any(
            first[one.file, above] is not one and last[one.file, above] is one
            for above in _thinned(one.steps)
        )
        waits = empties or not ground.is_free(one.steps) or _moves_itself(one.steps)
        ground.occupy(one.steps)
        if not chosen or not waits:
            chosen.append(one)
        if len(chosen) == most:
            break
    return chosen


def joined(bundle: Sequence[Fixable]) -> dict[str, tuple[Step, ...]]:
    """Return the steps of fixes that touch different places, by file, to be taken in this order."""
    if len(bundle) == 1:
        return {bundle[0].file: bundle[0].steps}
    moves: dict[str, _Moves] = {}
    found: dict[str, tuple[Step, ...]] = {}
    for one in bundle:
        moved = moves.setdefault(one.file, _Moves())
        found.setdefault(one.file, ())
        found[one.file] += tuple(moved.after(step) for step in one.steps)
        for step in one.steps:
            moved.note(step)
    return found


class _Ground:
    """The places of one file that fixes touch."""

    def __init__(self) -> None:
        self._places: set[Path] = set()
        self._above: set[Path] = set()

    def is_free(self, steps: Iterable[Step]) -> bool:
        return not any(
            place in self._above or any(place[:n] in self._places for n in range(len(place) + 1))
            for step in steps
            for place in _places(step)
        )

    def occupy(self, steps: Iterable[Step]) -> None:
        for step in steps:
            for place in _places(step):
                self._places.add(place)
                self._above.update(place[:n] for n in range(len(place)))


class _Moves:
    """By how much the entries of arrays have moved, by the numbers that they had."""

    def __init__(self) -> None:
        self._gone: dict[Path, list[int]] = {}
        self._come: dict[Path, list[int]] = {}

    def note(self, step: Step) -> None:
        if isinstance(step, Insert):
            insort(self._come.setdefault(step.path, []), step.position)
        elif isinstance(step, Remove) and isinstance(number := step.path[-1], int):
            insort(self._gone.setdefault(step.path[:-1], []), number)

    def after(self, step: Step) -> Step:
        if not self._gone and not self._come:
            return step
        path = tuple(
            part if isinstance(part, str) else self._number(step.path[:n], part)
            for n, part in enumerate(step.path)
        )
        if isinstance(step, Insert):
            return step._replace(path=path, position=self._number(step.path, step.position))
        return step._replace(path=path)

    def _number(self, array: Path, number: int) -> int:
        gone, come = self._gone.get(array, ()), self._come.get(array, ())
        return number - bisect_left(gone, number) + bisect_right(come, number)


def _places(step: Step) -> tuple[Path, ...]:
    if isinstance(step, Insert):
        return ((*step.path, step.position),)
    if isinstance(step, Rename):
        return step.path, (*step.path[:-1], step.name)
    return (step.path,)


def _thinned(steps: Iterable[Step]) -> set[Path]:
    """Return the tables and arrays that lose an entry."""
    return {step.path[:-1] for step in steps if isinstance(step, Remove)}


def _moved_array(step: Step) -> Path | None:
    """Return the array behind whose entry of this step the others move."""
    if isinstance(step, Insert):
        return step.path
    if isinstance(step, Remove) and isinstance(step.path[-1], int):
        return step.path[:-1]
    return None


def _moves_itself(steps: Sequence[Step]) -> bool:
    """Tell whether a step names a place by a number that an earlier one has changed."""
    return any(
        step.path[: len(array)] == array
        for number, moving in enumerate(steps)
        if (array := _moved_array(moving)) is not None
        for step in steps[number + 1 :]
    )
