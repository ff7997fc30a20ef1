"""What became of each line of the old files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.migrate.old import Item, OldFile, Place

__all__ = ["Account", "Ledger"]

Verdict = Literal["taken", "changed", "left out", "unclear"]


class Account(NamedTuple):
    """What became of one line."""

    at: Place
    text: str
    outcome: Verdict
    into: str
    """What stands in the new file for it; empty if nothing does."""
    why: str
    """Half a sentence; empty where nothing needs to be said."""


class Ledger:
    """The accounts so far: one for each item, which no second one replaces."""

    def __init__(self) -> None:
        """Start with none."""
        # By identity: two lines can say the same, and values need not be hashable.
        self._found: dict[int, Account] = {}

    def note(self, item: Item, outcome: Verdict, into: str = "", why: str = "") -> None:
        """Say what became of an item, unless that was said."""
        self._found.setdefault(id(item), Account(item.at, item.text, outcome, into, why))

    def knows(self, item: Item) -> bool:
        """Tell whether there is an account of an item."""
        return id(item) in self._found

    def accounts(self, files: Iterable[OldFile]) -> tuple[Account, ...]:
        """Return one account for each item, in the order of the files.

        Nothing is silent: what nobody has decided about is unclear.
        """
        for file in files:
            for item in file.items:
                self.note(item, "unclear", why="nothing was decided about it")
        return tuple(self._found[id(item)] for file in files for item in file.items)
