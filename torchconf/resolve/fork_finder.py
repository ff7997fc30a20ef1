"""Finding a fork by what a choice includes, and a conflict set by what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.resolve.overlaps import Overlaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchconf.model.project import Item
    from torchconf.resolve.environments import Environments
    from torchconf.resolve.forks import Fork, Forks

__all__ = ["ForkFinder"]


class ForkFinder:
    """The forks by what they include, and the conflict sets by what they hold."""

    def __init__(self, found: Forks) -> None:
        """Arrange the forks of a workspace, and its conflict sets."""
        self._numbered = found.numbered
        self._forks = found.forks
        by_first: dict[int, list[int]] = {}
        for number, fork in enumerate(found.forks):
            by_first.setdefault(fork.first_included(), []).append(number)
        self._by_first = {
            first: (numbers, Overlaps(found.forks[number].environments for number in numbers))
            for first, numbers in by_first.items()
        }
        self._sets_of: dict[Item, list[int]] = {}
        for number, items in enumerate(found.sets):
            for item in items:
                self._sets_of.setdefault(item, []).append(number)
        self._open: dict[Item, Environments] | None = None

    def fork_at(self, point: Environments, items: frozenset[Item]) -> Fork | None:
        """Return the first fork that has a point and that a choice of items is installed from."""
        chosen = self._numbered.bits(items)
        firsts = [0, *map(self._numbered.bit, self._numbered.each(chosen))]
        found = [self._by_first[first] for first in firsts if first in self._by_first]
        agreeing = (
            next((n for n in self._at(point, *one) if self._forks[n].agrees(chosen)), None)
            for one in found
        )
        lowest = min((number for number in agreeing if number is not None), default=None)
        return None if lowest is None else self._forks[lowest]

    @staticmethod
    def _at(point: Environments, numbers: list[int], overlaps: Overlaps) -> Iterator[int]:
        """Yield the numbers of the forks that have a point, of some of them."""
        return (numbers[place] for place in overlaps.numbers(point))

    def open_to(self, item: Item) -> Environments:
        """Return the environments of the forks that do not exclude an item."""
        if self._open is None:
            self._open = {}
            every = self._numbered.bits(self._numbered.items)
            for fork in self._forks:
                for one in self._numbered.each(fork.without_excluded(every)):
                    self._open[one] = self._open.get(one, 0) | fork.environments
        return self._open.get(item, 0)

    def first_set_of_two(self, items: Iterable[Item]) -> int | None:
        """Return the number of the first conflict set that holds two of some items."""
        seen: set[int] = set()
        twice: list[int] = []
        for item in items:
            numbers = self._sets_of.get(item, ())
            twice += seen.intersection(numbers)
            seen.update(numbers)
        return min(twice, default=None)
