"""What became of each line of the old files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from torchconf.model.named_tuple import NamedTuple
from torchconf.model.toml_path import render_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.migrate.old import Item, OldFile, Place
    from torchconf.model.project import Project, Requirement

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
    section: str = ""
    """The list that it is for, as `dependency-groups.gpu`, if its package can be in several."""
    marker: str = ""
    """Of its requirement."""


class Ledger:
    """The accounts so far: one for each item, which no second one replaces."""

    def __init__(self) -> None:
        """Start with none."""
        # By identity: two lines can say the same, and values need not be hashable.
        self._found: dict[int, Account] = {}

    def note(
        self,
        item: Item,
        outcome: Verdict,
        into: str = "",
        why: str = "",
        package: str = "",
        section: str = "",
        marker: str = "",
    ) -> None:
        """Say what became of an item, unless that was said."""
        account = Account(item.at, item.text, outcome, into, why, package, section, marker)
        self._found.setdefault(id(item), account)

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
    accounts = tuple(accounts)
    lists: dict[str, dict[str, list[Requirement]]] = {}
    for place, requirements in (
        ("project.dependencies", planned.dependencies),
        *((render_path(each.path), each.requirements) for each in planned.extras.values()),
        *((render_path(each.path), each.requirements) for each in planned.groups.values()),
    ):
        for requirement in requirements:
            lists.setdefault(requirement.name, {}).setdefault(place, []).append(requirement)
    claimed = {(one.package, one.section) for one in accounts if one.section}
    return tuple(_settled(one, lists.get(one.package, {}), claimed) for one in accounts)


def _settled(
    one: Account, lists: dict[str, list[Requirement]], claimed: set[tuple[str, str]]
) -> Account:
    """Return an account that names the requirements which its line is about.

    Args:
        one: The account.
        lists: The requirements of its package, by the list that they stand in.
        claimed: Packages, and lists that other lines have put them in.
    """
    if one.section in lists:
        own = {one.section: lists[one.section]}
    else:
        own = {at: found for at, found in lists.items() if (one.package, at) not in claimed}
    places: dict[str, list[str]] = {}
    for at, requirements in (own or lists).items():
        same = [each for each in requirements if _marker(each.marker) == _marker(one.marker)]
        for requirement in same or requirements:
            places.setdefault(requirement.raw, []).append(at)
    if not places:
        return one
    into = "; ".join(f"{' and '.join(at)}: {raw}" for raw, at in places.items())
    same_text = all(_squeezed(raw) == _squeezed(one.text) for raw in places)
    changed = one.outcome == "taken" and not same_text
    return one._replace(into=into, outcome="changed" if changed else one.outcome)


def _marker(marker: object) -> str:
    return str(marker or "").replace('"', "'")


def _squeezed(text: str) -> str:
    return "".join(text.split())
