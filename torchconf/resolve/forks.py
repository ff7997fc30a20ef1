"""The forks of a lockfile: conflict sets, lists, and the index that each fork takes.

uv builds a lockfile from several resolutions. Each of them is a *fork*: a set of environments,
the items it includes, the items it excludes, and at most one index per package. An *item* is
anything a conflict can name: an extra, a dependency group, or the project itself. An item that a
fork neither includes nor excludes is *free*. A pin *matches* a fork if their environments overlap
and the fork does not exclude the pin's item. It then applies to every requirement of its package in
the fork: with or without a source, direct or transitive.

1. Start with one fork per entry of `environments`, or with a single fork for all environments.
2. Split every fork by each conflict set, in the order written: one fork excludes all items of the
   set, and for each item one fork includes it and excludes the others. A set that names a group
   also applies to the groups that include it. If the fork has excluded all but one item of a set,
   the set does not split it and the item stays free, unless that item is also in another set with
   an item that is not excluded.
3. In each fork, walk the requirement lists: base, extras by name, groups by name, local libraries,
   and then what known dependents of PyTorch require. If a list has a name with several markers,
   split the fork by each marker. In every resulting fork, all pins that match a name in the list
   must have the same URL, which must also be the one set earlier. That index stays the fork's index
   for the package. Otherwise the lock fails with 'Requirements contain conflicting indexes'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors import ProjectError
from torchconf.model.project import Include, Item, Project

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.utils import NormalizedName

    from torchconf.resolve.environments import Environments
    from torchconf.resolve.lowering import Declared, ListEntry, Pin

__all__ = ["Fork", "Forks", "TooManyForks", "spoken"]

_MOST_FORKS = 5000
_PAIR = 2


class TooManyForks(Exception):
    """The conflicts of the project split it into more forks than can be walked in time."""


class Fork:
    """One resolution: its environments, the items it includes and excludes, and its pins."""

    __slots__ = ("environments", "excluded", "included", "pins")

    def __init__(
        self,
        environments: Environments,
        included: frozenset[Item] = frozenset(),
        excluded: frozenset[Item] = frozenset(),
        pins: Mapping[NormalizedName, Pin] | None = None,
    ) -> None:
        """Store the parts; pins are copied."""
        self.environments = environments
        self.included = included
        self.excluded = excluded
        self.pins: dict[NormalizedName, Pin] = dict(pins or {})

    def __repr__(self) -> str:
        """Show what distinguishes forks."""
        pins = {name: pin.index.url for name, pin in self.pins.items()}
        return (
            f"Fork({self.environments:#x}, included={set(self.included)}, "
            f"excluded={set(self.excluded)}, pins={pins})"
        )

    def excludes(self, item: Item) -> bool:
        """Tell whether an item is excluded: by itself, or as an extra of an excluded project."""
        if item in self.excluded:
            return True
        return (
            item.kind == "extra"
            and Item(item.package, "project") in self.excluded
            and item not in self.included
        )

    def matches(self, pin: Pin) -> bool:
        """Tell whether a pin applies to this fork."""
        overlap = pin.environments & self.environments
        return bool(overlap) and not (pin.item is not None and self.excludes(pin.item))

    def agrees(self, chosen: frozenset[Item]) -> bool:
        """Tell whether a choice of items is installed from this fork."""
        return self.included <= chosen and self.excluded.isdisjoint(chosen)

    def narrowed(self, environments: Environments) -> Fork:
        """Return a copy for other environments."""
        return Fork(environments, self.included, self.excluded, self.pins)

    def filtered(self, included: Iterable[Item], excluded: Iterable[Item]) -> Fork | None:
        """Return a copy with more items included and excluded; None if an item would be both."""
        now_in = self.included.union(included)
        now_out = self.excluded.union(excluded)
        return None if now_in & now_out else Fork(self.environments, now_in, now_out, self.pins)


class Forks:
    """The forks of one workspace.

    Attributes:
        sets: The conflict sets, as written and derived.
        starts: The environment sets that the lock starts with.
        forks: The final forks, each with its pins.
        unreadable: Why uv could not read the lockfile that it wrote, or None.
    """

    def __init__(
        self, declared: Declared, needs: Mapping[NormalizedName, frozenset[NormalizedName]]
    ) -> None:
        """Split and walk all forks.

        Raises:
            ProjectError: The lock fails.
            TooManyForks: There are more than 5,000.
        """
        self._declared = declared
        self._needs = needs
        self.unreadable: ProjectError | None = None
        self.sets = self._conflict_sets()
        self.starts = self._start()
        forks = [Fork(environments) for environments in self.starts]
        for items in self.sets:
            forks = self._split_over(forks, items)
        self.forks = tuple(one for fork in forks for one in self._walk(fork))

    def _conflict_sets(self) -> list[tuple[Item, ...]]:
        """Return the conflict sets as written, then those derived from included groups."""
        members = self._declared.members
        written = [
            tuple(sorted(set(conflict.items), key=_order))
            for _, member in sorted(members.items())
            for conflict in member.conflicts
        ]
        if not self._declared.root.has_project:
            written += [
                tuple(sorted(set(c.items), key=_order)) for c in self._declared.root.conflicts
            ]
        sets = list(dict.fromkeys(written))
        for member in members.values():
            named = {
                item
                for one in sets
                for item in one
                if item.kind == "group" and item.package == member.name
            }
            for item in sorted(named, key=_order):
                for one in [one for one in sets if item in one]:
                    for group in _including(member, item):
                        derived = {group if other == item else other for other in one}
                        sets.append(tuple(sorted(derived, key=_order)))
                        if len(derived) < _PAIR:
                            self.unreadable = self._nested(item, group)
            sets = list(dict.fromkeys(sets))
        return sets

    def _nested(self, item: Item, group: Item) -> ProjectError:
        return ProjectError(
            f"{spoken(group)} includes {spoken(item)}, and both are in one conflict set: uv "
            "writes a lockfile that it cannot read",
            at=self._declared.root.place("tool.uv.conflicts"),
            help="remove one of them from the conflict set",
        )

    def _start(self) -> list[Environments]:
        universe = self._declared.universe
        entries = self._declared.root.environments
        return [universe.where(entry.marker) for entry in entries] or [universe.everything]

    def _split_over(self, forks: list[Fork], items: tuple[Item, ...]) -> list[Fork]:
        """Split every fork over one conflict set: step 2."""
        split: list[Fork] = []
        for fork in forks:
            possible = [item for item in items if not fork.excludes(item)]
            idle = not any(self._is_defined(item) for item in possible)
            if idle or (
                len(possible) < _PAIR and not self._conflicts_elsewhere(possible, items, fork)
            ):
                split.append(fork)
                continue
            parts = [fork.filtered((), items)]
            parts += [fork.filtered((one,), {*items} - {one}) for one in items]
            split += [part for part in parts if part is not None]
            if len(split) > _MOST_FORKS:
                raise TooManyForks
        return split

    def _conflicts_elsewhere(
        self, possible: list[Item], items: tuple[Item, ...], fork: Fork
    ) -> bool:
        """Tell whether the remaining item is in another set with an item that is not excluded."""
        return any(
            item in other and any(one != item and not fork.excludes(one) for one in other)
            for item in possible
            for other in self.sets
            if other != items
        )

    def _is_defined(self, item: Item) -> bool:
        member = self._declared.members.get(item.package)
        if member is None:
            return False
        if item.kind == "project":
            return True
        return item.name in (member.extras if item.kind == "extra" else member.groups)

    # Step 3: the lists.

    def _walk(self, fork: Fork) -> Iterator[Fork]:
        """Walk all lists in one fork, and yield the forks that result."""
        forks = [fork]
        for entries in self._member_lists(fork):
            forks = [part for one in forks for part in self._settle(one, entries)]
        for one in forks:
            parts = [one]
            for entries in self._further_lists(one):
                parts = [part for wide in parts for part in self._settle(wide, entries)]
            yield from parts

    def _member_lists(self, fork: Fork) -> Iterator[tuple[ListEntry, ...]]:
        """Yield the lists of all members that a fork does not exclude, in uv's order."""
        declared = self._declared
        root = declared.root
        if not root.has_project:
            for group in sorted(root.groups):
                yield declared.group_list(root, group)
        for name, member in sorted(declared.members.items()):
            extras = [x for x in sorted(member.extras) if not fork.excludes(Item(name, "extra", x))]
            # An extra brings the project with it.
            if extras or not fork.excludes(Item(name, "project")):
                yield declared.base_list(member)
            for extra in extras:
                yield declared.extra_list(member, extra)
            for group in sorted(member.groups):
                if not fork.excludes(Item(name, "group", group)):
                    yield declared.group_list(member, group)

    def _further_lists(self, fork: Fork) -> Iterator[tuple[ListEntry, ...]]:
        """Yield the lists of local libraries and of packages known to need others."""
        declared = self._declared
        within = fork.environments & declared.universe.supported
        queue = [entry for entries in self._member_lists(fork) for entry in entries]
        libraries: dict[tuple[int, NormalizedName | None], tuple[ListEntry, ...]] = {}
        brought: dict[NormalizedName, tuple[ListEntry, ...]] = {}
        while queue:
            entry = queue.pop(0)
            if not entry.environments & within:
                continue
            library = declared.library(entry.sourced) if entry.sourced else None
            if library is not None:
                for extra in (None, *entry.extras):
                    key = (id(library), extra)
                    if key not in libraries and (extra is None or extra in library.extras):
                        libraries[key] = (
                            declared.base_list(library)
                            if extra is None
                            else declared.extra_list(library, extra)
                        )
                        queue += libraries[key]
            elif entry.name in self._needs and entry.name not in brought:
                brought[entry.name] = declared.needed_list(self._needs[entry.name])
                queue += brought[entry.name]
        yield from libraries.values()
        for _, entries in sorted(brought.items()):
            yield entries

    def _settle(self, fork: Fork, entries: tuple[ListEntry, ...]) -> list[Fork]:
        """Apply one list to a fork: step 3."""
        within = fork.environments & self._declared.universe.supported
        by_name: dict[NormalizedName, list[Environments]] = {}
        for entry in entries:
            if entry.environments & within:
                by_name.setdefault(entry.name, []).append(entry.environments)
        if not by_name:
            return [fork]
        parts = self._split_by_markers(fork, by_name)
        if not parts:
            return [fork]
        settled = []
        for part in parts:
            # One part alone is no split: the fork keeps the wider set that it had.
            own = fork.narrowed(part if len(parts) > 1 else fork.environments)
            names = [name for name, sets in by_name.items() if any(one & part for one in sets)]
            self._set_indexes(own, names)
            settled.append(own)
        return settled

    def _split_by_markers(
        self, fork: Fork, by_name: Mapping[NormalizedName, list[Environments]]
    ) -> list[Environments]:
        """Split where one name has several markers, or where a marker raises the lowest Python."""
        universe = self._declared.universe
        lowest = universe.lowest_python(fork.environments & universe.supported)
        parts = [fork.environments]
        for _, sets in sorted(by_name.items()):
            distinct = list(dict.fromkeys(sets))
            if len(distinct) == 1 and universe.lowest_python(distinct[0]) <= lowest:
                continue
            for holds in distinct:
                if holds == universe.everything:
                    continue
                split = []
                for part in parts:
                    if not part & holds:
                        split.append(part)
                    else:
                        sides = (part & ~holds, part & holds)
                        split += [side for side in sides if side & universe.supported]
                parts = split
        return parts

    def _set_indexes(self, fork: Fork, names: list[NormalizedName]) -> None:
        """Give each name of a list the index of its matching pins, or fail as the lock does."""
        for name in names:
            for pin in self._declared.pins.get(name, ()):
                if not fork.matches(pin):
                    continue
                before = fork.pins.setdefault(name, pin)
                if before.index.url != pin.index.url:
                    urls = " and ".join(sorted(f"`{one.index.url}`" for one in (before, pin)))
                    message = f"requirements contain conflicting indexes for `{name}`: {urls}"
                    raise ProjectError(
                        message,
                        at=pin.at,
                        path=pin.source.path,
                        help="put the extras or groups of its sources into one set of `conflicts`",
                    )


def _including(member: Project, item: Item) -> Iterator[Item]:
    """Yield the groups that include a group, directly or through others."""
    found = {item.name}
    grown = True
    while grown:
        grown = False
        for name, section in sorted(member.groups.items()):
            if name in found:
                continue
            if any(isinstance(one, Include) and one.group in found for one in section.entries):
                found.add(name)
                grown = True
                yield Item(item.package, "group", name)


def _order(item: Item) -> tuple[str, str, str]:
    return item.package, item.kind, item.name or ""


def spoken(item: Item) -> str:
    """Name an item in a message."""
    return f"project `{item.package}`" if item.name is None else f"{item.kind} `{item.name}`"
