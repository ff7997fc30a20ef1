"""Conflict sets: which choices they must separate, and how."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, TypeVar

from torchconf.edits.conflicts import keep_apart
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.project import Item
from torchconf.model.ranges import overlap
from torchconf.rules.context import Place
from torchconf.rules.fixes import draft_of
from torchconf.rules.rule import Finding, Fix, Premise, Rule, Severity
from torchconf.rules.wording import list_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from packaging.markers import Marker
    from packaging.utils import NormalizedName

    from torchconf.edits.draft import Draft
    from torchconf.edits.plan import Value
    from torchconf.model.project import Requirement, Source
    from torchconf.rules.context import Context

__all__ = ["RULES"]

_T = TypeVar("_T")

_REASON = "each of these installs another build of the same packages"


def _scoped(context: Context) -> list[tuple[Item, Source]]:
    """Return the scoped index sources of this file that count, each with what conflicts name."""
    found = []
    package = context.project.name
    for source in context.family_sources:
        name = source.extra or source.group
        if package is None or name is None or source.kind != "index":
            continue
        kind = "extra" if source.extra else "group"
        if context.first_requirement(Place(kind, name), source.package) is not None:
            found.append((Item(package, "extra" if source.extra else "group", name), source))
    return found


def _apart(context: Context) -> list[tuple[Item, Item, Source]]:
    """Return pairs of items whose indexes collide, with no conflict set that holds both."""
    scoped: dict[NormalizedName, list[tuple[_Class, tuple[Item, Source]]]] = {}
    for item, source in _scoped(context):
        index = context.index_of(source)
        if index is not None:
            kind = _Class(context.set_numbers(item), index.url, source.marker)
            scoped.setdefault(source.package, []).append((kind, (item, source)))
    unknown = context.workspace.universe is None

    def collide(first: _Class, second: _Class) -> bool:
        meet = unknown or bool(context.where(first.marker, second.marker))
        return first.what != second.what and meet

    pairs: dict[tuple[Item, Item], Source] = {}
    for each in scoped.values():
        for (one, _), (other, after) in _pairs(each, collide):
            if one != other:
                pairs.setdefault((one, other), after)
    return [(one, other, source) for (one, other), source in pairs.items()]


class _Class(NamedTuple):
    """What decides whether entries of two items collide; entries of one class are alike."""

    sets: frozenset[int]
    """The conflict sets that hold the item."""
    what: str
    """The URL of an index, or a range."""
    marker: Marker | None


def _pairs(
    classed: Sequence[tuple[_Class, _T]], collide: Callable[[_Class, _Class], bool]
) -> Iterator[tuple[_T, _T]]:
    """Yield the pairs of which no conflict set holds both, and of which the classes collide.

    Classes are few where entries are many, so they are compared and not the entries. The order is
    that of `itertools.combinations`.
    """
    by_sets: dict[frozenset[int], dict[_Class, list[int]]] = {}
    for number, (kind, _) in enumerate(classed):
        by_sets.setdefault(kind.sets, {}).setdefault(kind, []).append(number)
    found: list[tuple[int, int]] = []
    for own, others in itertools.combinations_with_replacement(by_sets, 2):
        if not own.isdisjoint(others):
            continue
        kinds = (
            itertools.combinations_with_replacement(by_sets[own], 2)
            if own == others
            else itertools.product(by_sets[own], by_sets[others])
        )
        for first, second in kinds:
            if collide(first, second):
                ones, twos = by_sets[own][first], by_sets[others][second]
                found += (
                    itertools.combinations(ones, 2)
                    if ones is twos
                    else ((min(pair), max(pair)) for pair in itertools.product(ones, twos))
                )
    for one, other in sorted(found):
        yield classed[one][1], classed[other][1]


def _groups_of(pairs: Iterable[tuple[Item, Item, Source]]) -> list[tuple[list[Item], Source]]:
    """Join pairs that share an item."""
    group_of: dict[Item, _Joined] = {}
    for number, (one, other, source) in enumerate(pairs):
        both = {id(group): group for item in (one, other) if (group := group_of.get(item))}
        joined = sorted(both.values(), key=lambda group: group.last) or [_Joined(source)]
        for item in (*(item for group in joined[1:] for item in group.items), one, other):
            joined[0].items[item] = None
            group_of[item] = joined[0]
        joined[0].last = number
    groups = {id(group): group for group in group_of.values()}
    return [
        (list(group.items), group.source)
        for group in sorted(groups.values(), key=lambda group: group.last)
    ]


class _Joined:
    """Items that belong together, the source of their first pair, and the number of the last."""

    def __init__(self, source: Source) -> None:
        self.items: dict[Item, None] = {}
        self.source = source
        self.last = 0


def _one_set(draft: Draft, context: Context, items: Iterable[Item]) -> None:
    """Make one conflict set hold all items: the one with most of them, or a new one."""
    keep_apart(draft, [_written(item, context) for item in items], _REASON)


def _written(item: Item, context: Context) -> tuple[str, str]:
    """Return the kind of an item, and its name as the file writes it."""
    project = context.project
    sections = project.extras if item.kind == "extra" else project.groups
    section = sections.get(item.name) if item.name else None
    return item.kind, section.written if section else str(item.name)


class MissingConflict(Rule):
    """Extras or groups take a package from different indexes and do not conflict."""

    code = "TC301"
    name = "missing-conflict"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    fixes = "safe"
    breaks = Premise.CONFLICT
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Report each set of choices once."""
        for items, source in _groups_of(_apart(context)):
            draft = draft_of(context)
            _one_set(draft, context, items)
            names = list_names(str(item.name) for item in items)
            yield self.finding(
                source.path,
                f"{names} take `{source.package}` from different indexes, but no conflict "
                "set contains all of them",
                help="add all of them to one set of `conflicts`",
                fix=Fix("add them to one conflict set", tuple(draft.steps), safe=True),
            )


class IncompatibleChoices(Rule):
    """Two extras or groups require incompatible versions of a package."""

    code = "TC310"
    name = "incompatible-choices"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    fixes = "safe"
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Compare the family's requirements in extras and groups, pair by pair.

        It is information where nothing shows that uv is used: pip installs one extra at a time.
        """
        project = context.project
        if project.name is None:
            return
        known = {frozenset((one, other)) for one, other, _ in _apart(context)}
        reported: set[frozenset[Item]] = set()
        asked: dict[str, list[tuple[Item, Requirement]]] = {}
        for place in context.places:
            if place.name is not None:
                item = Item(project.name, "extra" if place.kind == "extra" else "group", place.name)
                for line in context.flat(place):
                    if line.specifier:
                        asked.setdefault(line.name, []).append((item, line))
        for package in context.catalog.family:
            lines = asked.get(package, [])
            pairs = _incompatible(context, lines) if len(lines) > 1 else ()
            for (one, line), (other, after) in pairs:
                pair = frozenset((one, other))
                if one == other or pair in known or pair in reported:
                    continue
                reported.add(pair)
                draft = draft_of(context)
                _one_set(draft, context, (one, other))
                yield self.finding(
                    after.path,
                    f"`{other.name}` requires `{package}{after.specifier}` and `{one.name}` "
                    f"requires `{package}{line.specifier}`: no release satisfies both",
                    help="add both to one set of `conflicts`",
                    severity=None if project.uv or context.workspace.lockfile else Severity.INFO,
                    fix=Fix("add them to one conflict set", tuple(draft.steps), safe=True),
                )


def _incompatible(
    context: Context, asked: Sequence[tuple[Item, Requirement]]
) -> Iterator[tuple[tuple[Item, Requirement], tuple[Item, Requirement]]]:
    """Yield the pairs of requirements on one package that no release satisfies together."""
    ranges = {str(line.specifier): line.specifier for _, line in asked}

    together: bool | None = None

    def collide(first: _Class, second: _Class) -> bool:
        nonlocal together
        if together or not context.where(first.marker, second.marker):
            return False
        if together is None:
            # What satisfies all of them satisfies each two of them.
            together = overlap(*ranges.values())
        return not together and not overlap(ranges[first.what], ranges[second.what])

    sets = {item: _sets_of(context, item) for item, _ in asked}
    classed = [
        (_Class(sets[item], str(line.specifier), line.marker), (item, line)) for item, line in asked
    ]
    yield from _pairs(classed, collide)


def _sets_of(context: Context, item: Item) -> frozenset[int]:
    """Return the numbers of the conflict sets of an item, those of groups that it includes, too.

    uv lets a group stand in for those that it includes.
    """
    groups = context.project.groups
    found = set(context.set_numbers(item))
    reached = [item.name] if item.kind == "group" and item.name else []
    for name in reached:  # which grows
        for include in groups[name].includes if name in groups else ():
            if include.group not in reached:
                reached.append(include.group)
                found |= context.set_numbers(item._replace(name=include.group))
    return frozenset(found)


class PairwiseConflicts(Rule):
    """Conflicts are declared in pairs instead of one set."""

    code = "TC312"
    name = "pairwise-conflicts"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    fixes = "unsafe"
    requires = (Premise.SETTING,)

    def check(self, context: Context) -> Iterator[Finding]:
        """Report sets that keep each of three or more items from each other, and none holds all."""
        project = context.project
        small = [c for c in project.conflicts if len(set(c.items)) > 1]
        named = dict.fromkeys(item for conflict in small for item in conflict.items)
        items = [item for item in named if self._is_choice(context, item)]
        sets = [frozenset(conflict.items) for conflict in small]
        rivals = _Rivals(context, items)
        for start in items:
            if rivals.are_in_one_set(start):
                continue
            clique, common = [start], rivals.of(start)
            for item in items:
                if item in common and item != start:
                    clique.append(item)
                    common &= rivals.of(item)
            whole = frozenset(clique)
            inside = [one for one, held in zip(small, sets, strict=True) if held <= whole]
            if not inside or any(whole <= held for held in sets):
                continue
            first, *rest = inside
            draft = draft_of(context)
            held = list(first.items)
            for item in clique:
                if item not in held:
                    entry: dict[str, Value] = {}
                    if item.package != project.name:
                        entry["package"] = str(item.package)
                    kind, name = _written(item, context)
                    entry[kind] = name
                    draft.insert(first.path, entry, _REASON)
            for conflict in reversed(rest):
                draft.remove(conflict.path, "one set replaces the pairs")
            names = list_names(str(item.name or item.package) for item in clique)
            yield self.finding(
                first.path,
                f"{names} conflict in pairs: uv needs one set to mean 'one of these'",
                severity=None if self._has_base(context) else Severity.INFO,
                fix=Fix("merge them into one set", tuple(draft.steps), safe=False),
            )
            return

    def _is_choice(self, context: Context, item: Item) -> bool:
        """Tell whether an item brings a package of the family; others just exclude each other."""
        if item.name is None or item.package != context.project.name:
            return False
        family = set(context.catalog.family)
        return any(one.name in family for one in context.flat(Place(item.kind, item.name)))

    def _has_base(self, context: Context) -> bool:
        routed = {source.package for _, source in _scoped(context)}
        return any(line.name in routed for line in context.project.dependencies)


class _Rivals:
    """Which items conflict with which: those of the same sets have the same rivals."""

    def __init__(self, context: Context, items: Iterable[Item]) -> None:
        kept = frozenset(items)
        self._context = context
        self._sets = [kept.intersection(one.items) for one in context.workspace.conflicts]
        self._own = {id(one) for one in context.project.conflicts}
        self._of: dict[frozenset[int], frozenset[Item]] = {}

    def of(self, item: Item) -> frozenset[Item]:
        """Return what shares a conflict set with an item, and the item itself."""
        numbers = self._context.set_numbers(item)
        if numbers not in self._of:
            self._of[numbers] = frozenset(one for n in numbers for one in self._sets[n])
        return self._of[numbers]

    def are_in_one_set(self, item: Item) -> bool:
        """Tell whether one conflict set of this file holds all rivals of an item."""
        return any(
            len(self._sets[number]) == len(self.of(item))
            for number in self._context.set_numbers(item)
            if id(self._context.workspace.conflicts[number]) in self._own
        )


RULES: tuple[type[Rule], ...] = (
    MissingConflict,
    IncompatibleChoices,
    PairwiseConflicts,
)
"""The rules of this family, by code."""
