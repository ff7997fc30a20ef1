"""Conflict sets: which choices they must separate, and how."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from torchconf.edits.conflicts import keep_apart
from torchconf.model.project import Item
from torchconf.model.ranges import overlaps
from torchconf.rules.context import Place
from torchconf.rules.fixes import draft_of
from torchconf.rules.rule import Finding, Fix, Premise, Rule, Severity
from torchconf.rules.wording import list_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchconf.edits.draft import Draft
    from torchconf.edits.plan import Value
    from torchconf.model.project import Source
    from torchconf.rules.context import Context

__all__ = ["RULES"]

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
    pairs: dict[tuple[Item, Item], Source] = {}
    for (one, source), (other, after) in itertools.combinations(_scoped(context), 2):
        if source.package != after.package or one == other or context.conflicts_with(one, other):
            continue
        first, second = context.index_of(source), context.index_of(after)
        if first is None or second is None or first.url == second.url:
            continue
        if context.where(source.marker, after.marker) or context.workspace.universe is None:
            pairs.setdefault((one, other), after)
    return [(one, other, source) for (one, other), source in pairs.items()]


def _groups_of(pairs: Iterable[tuple[Item, Item, Source]]) -> list[tuple[list[Item], Source]]:
    """Join pairs that share an item."""
    found: list[tuple[list[Item], Source]] = []
    for one, other, source in pairs:
        joined = [group for group in found if one in group[0] or other in group[0]]
        items = list(dict.fromkeys([*(i for group in joined for i in group[0]), one, other]))
        place = joined[0][1] if joined else source
        found = [group for group in found if group not in joined]
        found.append((items, place))
    return found


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
        for package in context.catalog.family:
            asked = [
                (Item(project.name, "extra" if p.kind == "extra" else "group", p.name), line)
                for p in context.places
                if p.name is not None
                for line in context.flat(p)
                if line.name == package and line.specifier
            ]
            for (one, line), (other, after) in itertools.combinations(asked, 2):
                pair = frozenset((one, other))
                if one == other or pair in known | reported or context.conflicts_with(one, other):
                    continue
                if not context.where(line.marker, after.marker):
                    continue
                if overlaps(line.specifier, str(after.specifier)):
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
        items = dict.fromkeys(
            item for conflict in small for item in conflict.items if self._is_choice(context, item)
        )
        for start in items:
            clique = [start]
            for item in items:
                if item != start and all(context.conflicts_with(item, one) for one in clique):
                    clique.append(item)
            whole = set(clique)
            inside = [c for c in small if set(c.items) <= whole]
            if not inside or any(whole <= set(one.items) for one in small):
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


RULES: tuple[type[Rule], ...] = (
    MissingConflict,
    IncompatibleChoices,
    PairwiseConflicts,
)
"""The rules of this family, by code."""
