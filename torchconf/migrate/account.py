"""What became of each line of the old files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.migrate.old import Item, OldFile, Place
    from torchconf.model.project import Project

__all__ = ["Account", "Ledger", "settled"]

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
    package: str = ""
    """The package that it asks for, by its canonical name, if it asks for one."""


class Ledger:
    """The accounts so far: one for each item, which no second one replaces."""

    def __init__(self) -> None:
        """Start with none."""
        # By identity: two lines can say the same, and values need not be hashable.
        self._found: dict[int, Account] = {}

    def note(
        self, item: Item, outcome: Verdict, into: str = "", why: str = "", package: str = ""
    ) -> None:
        """Say what became of an item, unless that was said."""
        self._found.setdefault(id(item), Account(item.at, item.text, outcome, into, why, package))

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


def settled(accounts: Iterable[Account], planned: Project) -> tuple[Account, ...]:
    """Return accounts of what stands in the project in the end: the planner may have moved it.

    Args:
        accounts: Of a draft.
        planned: The project as it will be.
    """
    sections = [
        ("project.dependencies", planned.dependencies),
        *((each.at, each.requirements) for each in planned.extras.values()),
        *((each.at, each.requirements) for each in planned.groups.values()),
    ]
    found: list[Account] = []
    for one in accounts:
        places: dict[str, list[str]] = {}
        for place, requirements in sections if one.package else ():
            for requirement in requirements:
                if requirement.name == one.package:
                    places.setdefault(requirement.raw, []).append(place)
        stands = any(one.into == f"{p}: {raw}" for raw, at in places.items() for p in at)
        if places and not stands:
            into = "; ".join(f"{' and '.join(at)}: {raw}" for raw, at in places.items())
            kept = one.outcome != "taken" or into.endswith(one.text)
            found.append(one._replace(into=into, outcome=one.outcome if kept else "changed"))
        else:
            found.append(one)
    return tuple(found)
