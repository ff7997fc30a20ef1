"""Draft steps against a project's data: only what differs becomes a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.edits.plan import Insert, Put, Remove, Rename, Replace, take

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from torchconf.edits.plan import Step, Value
    from torchconf.model.toml_path import Path


class Draft:
    """Steps so far, and the data as they will be after them.

    What no step has changed is shared with the file: a file may have a finding in each of its
    entries, and each fix has a draft. Nobody changes what `get` returns.
    """

    def __init__(self, data: Mapping[str, object]) -> None:
        """Start from a parsed file, which is left as it is."""
        self.data: dict[str, Any] = dict(data)
        self.steps: list[Step] = []
        self._own: dict[int, object] = {id(self.data): self.data}

    def get(self, path: Path) -> Any:  # noqa: ANN401 - whatever stands there
        """Return what stands at a place, or None."""
        here: Any = self.data
        for part in path:
            if isinstance(part, str):
                here = here.get(part) if isinstance(here, dict) else None
            else:
                here = here[part] if isinstance(here, list) and part < len(here) else None
        return here

    def key(self, table: Path, name: str, same: Callable[[str], str]) -> str:
        """Return how a table spells a name, or the name as it is."""
        keys = self.get(table) or {}
        return next((key for key in keys if same(key) == same(name)), name)

    def put(self, path: Path, value: Value, reason: str, comment: str | None = None) -> None:
        """Set a key, unless it has that value."""
        if self.get(path) != value:
            self.take(Put(path, value, reason, comment))

    def insert(self, path: Path, value: Value, reason: str, position: int | None = None) -> None:
        """Put an entry into an array, at its end unless a position is given."""
        array = self.get(path)
        if array is None and position is None:
            self.take(Put(path, [value], reason))
        else:
            end = len(array) if isinstance(array, list) else 0
            self.take(Insert(path, end if position is None else position, value, reason))

    def replace(self, path: Path, value: Value, reason: str) -> None:
        """Set an entry of an array, unless it has that value."""
        if self.get(path) != value:
            self.take(Replace(path, value, reason))

    def remove(self, path: Path, reason: str) -> None:
        """Take away a key or an entry."""
        self.take(Remove(path, reason))

    def rename(self, path: Path, name: str, reason: str) -> None:
        """Give a key another name, unless it has that one."""
        if path[-1] != name:
            self.take(Rename(path, name, reason))

    def arrange(
        self,
        path: Path,
        wanted: Sequence[Value],
        reason: str,
        *,
        same: Callable[[Value], Hashable],
        kin: Callable[[Value], Hashable],
    ) -> None:
        """Make an array say what is wanted with as few steps as possible.

        Entries that are there already stay where they are, in their own spelling and order.

        Args:
            path: Of the array.
            wanted: All its entries.
            reason: Of every step.
            same: Equal for two entries that mean the same.
            kin: Equal for an entry and the one that may take its place.
        """
        current = self.get(path)
        if not isinstance(current, list):
            if not isinstance(current, dict) or len(wanted) != 1:
                self.put(path, list(wanted), reason)
            elif same(current) != same(wanted[0]):
                self.put(path, wanted[0], reason)
            return
        keys = list(map(same, wanted))
        pairs, surplus = _paired(list(map(same, current)), keys)
        missing = [number for number in range(len(wanted)) if number not in pairs]
        theirs, ours = [kin(current[n]) for n in surplus], [kin(wanted[n]) for n in missing]
        taking, _ = _paired(theirs, ours)
        for place, number in sorted((surplus[one], missing[n]) for n, one in taking.items()):
            self.replace((*path, place), wanted[number], reason)
        gone = {surplus[one] for one in taking.values()}
        for number in reversed([number for number in surplus if number not in gone]):
            self.remove((*path, number), reason)
        places: dict[Hashable, int] = {}
        for place, entry in enumerate(self.get(path)):
            places.setdefault(same(entry), place)
        new = {missing[n] for n in range(len(missing)) if n not in taking}
        last, inserted = -1, 0
        for number, entry in enumerate(wanted if new else ()):
            if number in new:
                # Behind all that is wanted before it.
                self.insert(path, entry, reason, last + 1 + inserted)
                inserted += 1
            last = max(last, places.get(keys[number], -1))

    def take(self, step: Step) -> None:
        """Take a step that somebody else has made."""
        take(self.data, step, self._own)
        self.steps.append(step)


def _paired(
    there: Sequence[Hashable], wanted: Sequence[Hashable]
) -> tuple[dict[int, int], list[int]]:
    """Give each entry that is there the first one wanted with an equal key, each once.

    Returns:
        Numbers of those wanted to numbers of those there, and the numbers there that are left.
    """
    waiting: dict[Hashable, list[int]] = {}
    for number in reversed(range(len(wanted))):
        waiting.setdefault(wanted[number], []).append(number)
    pairs: dict[int, int] = {}
    left: list[int] = []
    for number, key in enumerate(there):
        if same := waiting.get(key):
            pairs[same.pop()] = number
        else:
            left.append(number)
    return pairs, left


class CarefulDraft(Draft):
    """A draft on a file that may be malformed: without steps where one of them makes no sense."""

    is_broken = False

    def take(self, step: Step) -> None:
        """Take a step, unless one before it made no sense."""
        if self.is_broken:
            return
        try:
            super().take(step)
        except (LookupError, TypeError):
            self.is_broken = True
            self.steps.clear()
