"""Many sets of environments: which of them overlap one, and splitting one by all of them."""

from __future__ import annotations

from functools import reduce
from itertools import accumulate
from operator import or_
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from torchconf.resolve.environments import Environments

__all__ = ["Overlaps", "split_apart"]

_TOGETHER = 16


class Overlaps:
    """Sets of environments, most of which overlap few others.

    Above them are the unions of each sixteen of them, above these the unions of those, and so on.
    """

    def __init__(self, sets: Iterable[Environments]) -> None:
        """Join the sets."""
        self._levels = [[*sets]]
        while len(self._levels[-1]) > _TOGETHER:
            below = self._levels[-1]
            starts = range(0, len(below), _TOGETHER)
            self._levels.append([reduce(or_, below[at : at + _TOGETHER]) for at in starts])

    def numbers(self, environments: Environments) -> Iterator[int]:
        """Yield the numbers of the sets that overlap these environments, in their order."""
        return self._below(len(self._levels) - 1, 0, len(self._levels[-1]), environments)

    def _below(self, level: int, start: int, end: int, environments: Environments) -> Iterator[int]:
        sets = self._levels[level]
        for number in range(start, min(end, len(sets))):
            if not sets[number] & environments:
                continue
            if level == 0:
                yield number
            else:
                first = number * _TOGETHER
                yield from self._below(level - 1, first, first + _TOGETHER, environments)


class _Part:
    """A part of what is split; with sides, it has been split into these."""

    def __init__(self, environments: Environments) -> None:
        self.environments = environments
        self.sides: list[_Part] | None = None


def _ends(part: _Part) -> list[_Part]:
    return [part] if part.sides is None else part.sides


def split_apart(
    whole: Environments, markers: Sequence[Environments], supported: Environments
) -> list[Environments]:
    """Split environments on some markers, one after the other: where it does not hold, and where.

    Sides without a supported environment are dropped.

    Returns:
        The parts; those of one split stand where stood what was split.
    """
    later = list(accumulate(reversed(markers), or_, initial=0))[-2::-1]
    root = _Part(whole)
    # A part in which no later marker holds is not looked at again.
    waiting = [root]
    for holds, rest in zip(markers, later, strict=True):
        still: list[_Part] = []
        for part in waiting:
            if part.environments & holds:
                sides = (part.environments & ~holds, part.environments & holds)
                part.sides = [_Part(side) for side in sides if side & supported]
            still += [one for one in _ends(part) if one.environments & rest]
        waiting = still
    found: list[Environments] = []
    stack = [root]
    while stack:
        part = stack.pop()
        if part.sides is None:
            found.append(part.environments)
        else:
            stack += reversed(part.sides)
    return found
