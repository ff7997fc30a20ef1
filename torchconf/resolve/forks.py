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

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from torchconf.errors import ProjectError
from torchconf.model.project import Item
from torchconf.resolve.overlaps import Overlaps, split_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from torchconf.model.project import Project
    from torchconf.resolve.environments import Environments
    from torchconf.resolve.lowering import Declared
    from torchconf.resolve.sourced import Lines, Pin

__all__ = ["Fork", "Forks", "TooManyForks", "spoken"]

_MOST_FORKS = 5000
_PAIR = 2


class TooManyForks(Exception):
    """The conflicts of the project split it into more forks than can be walked in time."""


class Numbered:
    """The items of a workspace by number, in the order in which uv walks their lists.

    A set of items is an integer with one bit per item: a fork may exclude thousands.
    """

    def __init__(self, declared: Declared, sets: Iterable[tuple[Item, ...]]) -> None:
        """Number the items of all members, and what else sets and pins name."""
        self._numbers: dict[Item, int] = {}
        self._extras: dict[int, int] = {}
        self.items: list[Item] = []
        for name, member in sorted(declared.members.items()):
            self._number(Item(name, "project"))
            for extra in sorted(member.extras):
                self._number(Item(name, "extra", extra))
            for group in sorted(member.groups):
                self._number(Item(name, "group", group))
        for one in sets:
            for item in one:
                self._number(item)
        for pins in declared.pins.values():
            for pin in pins:
                if pin.item is not None:
                    self._number(pin.item)

    def _number(self, item: Item) -> None:
        if item not in self._numbers:
            self._numbers[item] = len(self.items)
            self.items.append(item)
            if item.kind == "extra":
                self._number(Item(item.package, "project"))
                whole = self._numbers[Item(item.package, "project")]
                self._extras[whole] = self._extras.get(whole, 0) | self.bit(item)

    def bit(self, item: Item) -> int:
        """Return the set of one item; an empty one if neither a member nor a set has it."""
        number = self._numbers.get(item)
        return 0 if number is None else 1 << number

    def bits(self, items: Iterable[Item]) -> int:
        """Return a set of items."""
        found = 0
        for item in items:
            found |= self.bit(item)
        return found

    def each(self, bits: int) -> Iterator[Item]:
        """Yield the items of a set, by number."""
        while bits:
            lowest = bits & -bits
            yield self.items[lowest.bit_length() - 1]
            bits ^= lowest

    def kept_out(self, included: int, excluded: int) -> int:
        """Add to what is excluded the extras of excluded projects, less those that are included."""
        found = excluded
        for whole, extras in self._extras.items():
            if excluded >> whole & 1:
                found |= extras & ~included
        return found


class Fork:
    """One resolution: its environments, the items it includes and excludes, and its pins."""

    __slots__ = ("_included", "_numbered", "_out", "_written_out", "environments", "pins")

    def __init__(
        self,
        numbered: Numbered,
        environments: Environments,
        included: int = 0,
        excluded: int = 0,
        pins: Mapping[NormalizedName, Pin] | None = None,
    ) -> None:
        """Store the parts, sets of items as `numbered` makes them; pins are copied."""
        self._numbered = numbered
        self.environments = environments
        self._included = included
        self._written_out = excluded
        self._out = numbered.kept_out(included, excluded)
        self.pins: dict[NormalizedName, Pin] = dict(pins or {})

    def __repr__(self) -> str:
        """Show what distinguishes forks."""
        pins = {name: pin.index.url for name, pin in self.pins.items()}
        return (
            f"Fork({self.environments:#x}, included={set(self.included)}, "
            f"excluded={set(self.excluded)}, pins={pins})"
        )

    @property
    def included(self) -> frozenset[Item]:
        """The items that it includes."""
        return frozenset(self._numbered.each(self._included))

    @property
    def excluded(self) -> frozenset[Item]:
        """The items that it excludes."""
        return frozenset(self._numbered.each(self._written_out))

    def excludes(self, item: Item) -> bool:
        """Tell whether an item is excluded: by itself, or as an extra of an excluded project."""
        return bool(self._out & self._numbered.bit(item))

    def without_excluded(self, items: int) -> int:
        """Return a set of items less those that are excluded."""
        return items & ~self._out

    def agrees(self, chosen: int) -> bool:
        """Tell whether a choice of items is installed from this fork."""
        return not (self._included & ~chosen or self._written_out & chosen)

    def first_included(self) -> int:
        """Return the set of the first item that it includes; empty if it includes none."""
        return self._included & -self._included

    def narrowed(self, environments: Environments) -> Fork:
        """Return a copy for other environments."""
        return Fork(self._numbered, environments, self._included, self._written_out, self.pins)

    def filtered(self, included: int, excluded: int) -> Fork | None:
        """Return a copy with more items included and excluded; None if an item would be both."""
        now_in = self._included | included
        now_out = self._written_out | excluded
        if now_in & now_out:
            return None
        return Fork(self._numbered, self.environments, now_in, now_out, self.pins)


class Forks:
    """The forks of one workspace.

    Attributes:
        sets: The conflict sets, as written and derived.
        numbered: The items by number.
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
        self.numbered = Numbered(declared, self.sets)
        self.starts = self._start()
        self._bits = [self.numbered.bits(items) for items in self.sets]
        self._defined = self.numbered.bits(filter(self._is_defined, self.numbered.items))
        self._sets_of: dict[Item, list[int]] = {}
        for number, items in enumerate(self.sets):
            for item in items:
                self._sets_of.setdefault(item, []).append(number)
        self._walked = self._in_uv_order()
        self._pins = {
            name: _PinsByItem(pins, self.numbered) for name, pins in declared.pins.items()
        }
        forks = [Fork(self.numbered, environments) for environments in self.starts]
        for number in range(len(self.sets)):
            forks = self._split_over(forks, number)
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
                including = _including(member, item)
                for one in [one for one in sets if item in one] if including else ():
                    for group in including:
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

    def _split_over(self, forks: list[Fork], number: int) -> list[Fork]:
        """Split every fork over one conflict set: step 2."""
        items, whole = self.sets[number], self._bits[number]
        split: list[Fork] = []
        for fork in forks:
            possible = fork.without_excluded(whole)
            if not possible & self._defined or (
                possible.bit_count() < _PAIR
                and not self._conflicts_elsewhere(possible, number, fork)
            ):
                split.append(fork)
                continue
            parts = [fork.filtered(0, whole)]
            bits = map(self.numbered.bit, items)
            parts += [fork.filtered(one, whole ^ one) for one in bits]
            split += [part for part in parts if part is not None]
            if len(split) > _MOST_FORKS:
                raise TooManyForks
        return split

    def _conflicts_elsewhere(self, possible: int, number: int, fork: Fork) -> bool:
        """Tell whether the remaining item is in another set with an item that is not excluded."""
        return any(
            other != number and fork.without_excluded(self._bits[other]) & ~possible
            for item in self.numbered.each(possible)
            for other in self._sets_of[item]
        )

    def _is_defined(self, item: Item) -> bool:
        # A set may name extras of a library that the project requires by path.
        named = (one for one in self._declared.libraries.values() if one is not None)
        member = self._declared.members.get(item.package) or next(
            (library for library in named if library.name == item.package), None
        )
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

    def _member_lists(self, fork: Fork) -> Iterator[Lines]:
        """Yield the lists of all members that a fork does not exclude, in uv's order."""
        declared = self._declared
        root = declared.root
        if not root.has_project:
            for group in sorted(root.groups):
                yield declared.lists.of_group(root, group)
        for whole, member, extras, groups in self._walked:
            brought = fork.without_excluded(extras)
            # An extra brings the project with it.
            if brought or fork.without_excluded(whole):
                yield declared.lists.of_base(member)
            for item in self.numbered.each(brought):
                if item.name is not None:
                    yield declared.lists.of_extra(member, item.name)
            for item in self.numbered.each(fork.without_excluded(groups)):
                if item.name is not None:
                    yield declared.lists.of_group(member, item.name)

    def _in_uv_order(self) -> list[tuple[int, Project, int, int]]:
        """Return each member with the sets of itself, its extras and its groups."""
        return [
            (
                self.numbered.bit(Item(name, "project")),
                member,
                self.numbered.bits(Item(name, "extra", extra) for extra in member.extras),
                self.numbered.bits(Item(name, "group", group) for group in member.groups),
            )
            for name, member in sorted(self._declared.members.items())
        ]

    def _further_lists(self, fork: Fork) -> Iterator[Lines]:
        """Yield the lists of local libraries and of packages known to need others."""
        declared = self._declared
        within = fork.environments & declared.universe.supported
        queue = [entry for lines in self._member_lists(fork) for entry in lines.within(within)]
        libraries: dict[tuple[int, NormalizedName | None], Lines] = {}
        brought: dict[NormalizedName, Lines] = {}
        for entry in queue:
            if not entry.environments & within:
                continue
            library = declared.library(entry.sourced) if entry.sourced else None
            if library is not None:
                for extra in (None, *entry.extras):
                    if extra is not None and fork.excludes(Item(entry.name, "extra", extra)):
                        continue
                    key = (id(library), extra)
                    if key not in libraries and (extra is None or extra in library.extras):
                        libraries[key] = (
                            declared.lists.of_base(library)
                            if extra is None
                            else declared.lists.of_extra(library, extra)
                        )
                        queue += libraries[key]
            elif entry.name in self._needs and entry.name not in brought:
                brought[entry.name] = declared.lists.of_needed(self._needs[entry.name])
                queue += brought[entry.name]
        yield from libraries.values()
        for _, entries in sorted(brought.items()):
            yield entries

    def _settle(self, fork: Fork, entries: Lines) -> list[Fork]:
        """Apply one list to a fork: step 3."""
        within = fork.environments & self._declared.universe.supported
        by_name: dict[NormalizedName, list[Environments]] = {}
        for entry in entries.within(within):
            by_name.setdefault(entry.name, []).append(entry.environments)
        if not by_name:
            return [fork]
        parts = self._split_by_markers(fork, by_name)
        if not parts:
            return [fork]
        settled = []
        anywhere = {name: reduce(or_, sets) for name, sets in by_name.items()}
        for part in parts:
            # One part alone is no split: the fork keeps the wider set that it had.
            own = fork.narrowed(part if len(parts) > 1 else fork.environments)
            names = [name for name, where in anywhere.items() if where & part]
            self._set_indexes(own, names)
            settled.append(own)
        return settled

    def _split_by_markers(
        self, fork: Fork, by_name: Mapping[NormalizedName, list[Environments]]
    ) -> list[Environments]:
        """Split where one name has several markers, or where a marker raises the lowest Python."""
        universe = self._declared.universe
        lowest = universe.lowest_python(fork.environments & universe.supported)
        markers: list[Environments] = []
        for _, sets in sorted(by_name.items()):
            distinct = list(dict.fromkeys(sets))
            if len(distinct) > 1 or universe.lowest_python(distinct[0]) > lowest:
                markers += [holds for holds in distinct if holds != universe.everything]
        return split_apart(fork.environments, markers, universe.supported)

    def pins_of(self, name: NormalizedName, fork: Fork) -> Iterator[Pin]:
        """Yield the pins of a package that apply to a fork, in their order."""
        pins = self._pins.get(name)
        return pins.which_match(fork) if pins else iter(())

    def _set_indexes(self, fork: Fork, names: list[NormalizedName]) -> None:
        """Give each name of a list the index of its matching pins, or fail as the lock does."""
        for name in names:
            for pin in self.pins_of(name, fork):
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


class _PinsByItem:
    """The pins of one package: each extra may have one, and a fork excludes most of them."""

    def __init__(self, pins: Sequence[Pin], numbered: Numbered) -> None:
        self._numbered = numbered
        self._free = [(number, pin) for number, pin in enumerate(pins) if pin.item is None]
        self._of: dict[Item, list[tuple[int, Pin]]] = {}
        for number, pin in enumerate(pins):
            if pin.item is not None:
                self._of.setdefault(pin.item, []).append((number, pin))
        self._bits = numbered.bits(self._of)
        self._overlaps = Overlaps(pin.environments for _, pin in self._free)
        self._anywhere = reduce(or_, (pin.environments for pin in pins), 0)

    def which_match(self, fork: Fork) -> Iterator[Pin]:
        """Yield the pins that apply to a fork, in their order."""
        if not self._anywhere & fork.environments:
            return
        found = [self._free[number] for number in self._overlaps.numbers(fork.environments)]
        for item in self._numbered.each(fork.without_excluded(self._bits)):
            found += [pair for pair in self._of[item] if pair[1].environments & fork.environments]
        for _, pin in sorted(found, key=lambda pair: pair[0]):
            yield pin


def _including(member: Project, item: Item) -> list[Item]:
    """Return the groups that include a group, directly or through others."""
    includers: dict[NormalizedName, list[NormalizedName]] = {}
    for name, section in member.groups.items():
        for one in section.includes:
            includers.setdefault(one.group, []).append(name)
    if item.name is None:
        return []
    above = [item.name]
    seen = {item.name}
    for name in above:
        fresh = [one for one in includers.get(name, ()) if one not in seen]
        seen.update(fresh)
        above += dict.fromkeys(fresh)
    # In the order in which repeated walks over all groups, by name, come upon them.
    found = {item.name: None}
    left = sorted(above[1:])
    while left:
        for name in left:
            if any(one.group in found for one in member.groups[name].includes):
                found[name] = None
        left = [name for name in left if name not in found]
    return [Item(item.package, "group", name) for name in found][1:]


def _order(item: Item) -> tuple[str, str, str]:
    return item.package, item.kind, item.name or ""


def spoken(item: Item) -> str:
    """Name an item in a message."""
    return f"project `{item.package}`" if item.name is None else f"{item.kind} `{item.name}`"
