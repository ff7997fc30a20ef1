"""From which index uv takes a package, from the file alone.

This is a model of what `uv lock` and `uv sync` do with indexes; not of versions. Its words are those
of `torchconf.lowering` (pin, list) and of `torchconf.environments` (environment set), and:

- *item*: what a conflict can name: an extra, a dependency group, or the project itself.
- *fork*: one of the resolutions that a lockfile is put together from: an environment set, the items
  included, the items excluded, and one index at most per package. An item that is neither is *free*.
- A pin *matches* a fork if their environment sets overlap and the pin's item is not excluded. It then
  works on every requirement of its package there, routed or not, direct or transitive.

The rule, after lowering and the pin table:

1. One fork per entry of `environments`, else one of everything (`_start`).
2. Each conflict set, in the order written, splits each fork (`_split_over`): one with all of its items
   excluded, and per item one with that item included and the others excluded. A set that names a
   group also counts for groups that include the group. A set with fewer than two items left in a
   fork splits it no more, and the item left stays free.
3. In each fork the lists are walked (`_walk`): base, extras by name, groups by name, then local
   libraries, then what packages known to need others bring. Where one name of a list has several
   markers, the fork is split by each of them (`_split_by_markers`). In every fork that results, all
   matching pins of a name in the list must be one URL, and the one that was set before: that index is
   then the fork's for good, or else the lock fails (`_set_indexes`).
4. What has no index in its fork comes from the first open index that carries it, else from the default.
5. A row is read (`Routes.row`) from the fork that has the machine, all of whose included items are
   chosen and none of whose excluded ones are, along what its lists reach from the choice.

Three things follow that surprise people. An index set by a wide fork stays when the fork is split
later, so a platform marker on a source can come too late. A pin without a scope works everywhere, and
one whose item no conflict names does too. What no declared requirement names has no pin at all.

Checked against uv 0.13.9: `tests/test_routes.py` has recorded cases, `tests/test_routes_uv.py` asks uv.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from packaging.utils import canonicalize_name

from torchconf.environments import TooManyEnvironments
from torchconf.errors import ProjectError, RequestError
from torchconf.lowering import Declared
from torchconf.project import Include, Index, Item, Project, Record, Requirement, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from torchconf.environments import Environments
    from torchconf.lowering import Entry, Pin

__all__ = ["Choice", "Fork", "Route", "RouteKind", "Routes", "routes"]

RouteKind = Literal["absent", "index", "direct", "varies", "error", "unknown"]

_MOST_FORKS = 5000


class Choice(Record):
    """What is installed: `uv sync --extra ... --group ... --no-group ... --package ...`.

    Without `packages`, the project itself is installed, or every member where the workspace root is
    no project.
    """

    extras: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    no_groups: frozenset[str] = frozenset()
    default_groups: bool = True
    packages: frozenset[str] = frozenset()


class Route(Record):
    """The answer for one package, one machine and one choice.

    Attributes:
        kind: `index`: it comes from `index`. `absent`: nothing known here brings it, and if something
            did, it would come from `index`. `direct`: it comes from a path, a git repository or a URL;
            see `source` or `requirement`. `varies`: supported Pythons differ; see `by_python`.
            `error`: uv refuses; see `error`. `unknown`: see `reason`.
        index: The index; None stands for PyPI.
        pin: The pin that set the index, if one did.
        source: The source entry behind it.
        requirement: The declared requirement that brings the package, if one does.
        needed_by: The packages known to need it that bring it.
        fork: The fork that the row was read from.
        reason: One sentence, for `unknown`.
        error: What uv would say, for `error`.
        by_python: Pairs of a Python specifier and its route, for `varies`.
    """

    kind: RouteKind
    index: Index | None = None
    pin: Pin | None = None
    source: Source | None = None
    requirement: Requirement | None = None
    needed_by: frozenset[NormalizedName] = frozenset()
    fork: Fork | None = None
    reason: str | None = None
    error: ProjectError | None = None
    by_python: tuple[tuple[str, Route], ...] = ()


class Fork:
    """One resolution: where it holds, what is in it, what is kept out, and the pins it took."""

    __slots__ = ("environments", "excluded", "included", "pins")

    def __init__(
        self,
        environments: Environments,
        included: frozenset[Item] = frozenset(),
        excluded: frozenset[Item] = frozenset(),
        pins: Mapping[NormalizedName, Pin] | None = None,
    ) -> None:
        """Take the parts as they are."""
        self.environments = environments
        self.included = included
        self.excluded = excluded
        self.pins: dict[NormalizedName, Pin] = dict(pins or {})

    def __repr__(self) -> str:
        """Name what tells forks apart."""
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
        """Tell whether a pin works in this fork."""
        overlap = pin.environments & self.environments
        return bool(overlap) and not (pin.item is not None and self.excludes(pin.item))

    def agrees(self, chosen: frozenset[Item]) -> bool:
        """Tell whether a choice of items is installed from this fork."""
        return self.included <= chosen and self.excluded.isdisjoint(chosen)

    def narrowed(self, environments: Environments) -> Fork:
        """Return a copy with another environment set."""
        return Fork(environments, self.included, self.excluded, self.pins)

    def filtered(self, included: Iterable[Item], excluded: Iterable[Item]) -> Fork | None:
        """Return a copy with more items included and excluded; None where that contradicts."""
        now_in = self.included.union(included)
        now_out = self.excluded.union(excluded)
        return None if now_in & now_out else Fork(self.environments, now_in, now_out, self.pins)


class _Reached(Record):
    """What one row reaches: each package with the first line that brought it, and with needers."""

    entries: dict[NormalizedName, Entry]
    needed_by: dict[NormalizedName, set[NormalizedName]]
    asked: dict[Item, None]


def routes(
    project: Project,
    *,
    members: Sequence[Project] = (),
    libraries: Mapping[str, Project | None] | None = None,
    needs: Mapping[str, frozenset[str]] | None = None,
    carries: Callable[[Index, str], bool | None] = lambda _index, _package: None,
) -> Routes:
    """Work out the forks of a project, or of its workspace.

    Args:
        project: The project that commands are run in: on its own, a workspace root or a member.
        members: The other members of its workspace.
        libraries: Local libraries by path, or git URL, as the source entry writes it. None for one
            that was looked at and has no sources. A library that is reached and not listed here makes
            every answer unknown.
        needs: Packages known to need others by themselves: `{"accelerate": {"torch"}}`.
        carries: Whether an open index has a package; None for not known. Only open indexes are asked.

    Returns:
        The forks, or the lock error. Neither an error nor an oddity of the project raises here.
    """
    return Routes(project, members, libraries, needs or {}, carries)


class Routes:
    """What uv's lockfile would hold, as far as indexes go.

    Attributes:
        project: The project that was asked about.
        error: Why `uv lock` would fail, or None. Every row has it then.
        doubt: Why nothing can be said, or None. Every row is unknown then.
        forks: The forks, each with the pins that it took.
        pins: The pin table, by package.
    """

    def __init__(
        self,
        project: Project,
        members: Sequence[Project],
        libraries: Mapping[str, Project | None] | None,
        needs: Mapping[str, frozenset[str]],
        carries: Callable[[Index, str], bool | None],
    ) -> None:
        """Do the work; `routes` says what the arguments are."""
        self.project = project
        self.error: ProjectError | None = None
        self.doubt: str | None = None
        self.forks: tuple[Fork, ...] = ()
        self.pins: Mapping[NormalizedName, list[Pin]] = {}
        self._carries = carries
        self._needs = {
            canonicalize_name(name): frozenset(map(canonicalize_name, needed))
            for name, needed in needs.items()
        }
        self._rows: dict[tuple[object, ...], list[tuple[str, Fork | None, _Reached | str]]] = {}
        try:
            self._declared = Declared(project, members, libraries)
            self.pins = self._declared.pins
            self._sets = self._conflict_sets()
            self.forks = tuple(self._walked())
        except ProjectError as error:
            self.error = error
        except TooManyEnvironments:
            self.doubt = "the markers of this project tell too many environments apart"
        else:
            self.doubt = self._doubt()

    # Steps 1 and 2: where the forks come from.

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
            sets = list(dict.fromkeys(sets))
        return sets

    def _start(self) -> list[Fork]:
        """Return the forks that the lock starts with: step 1."""
        universe = self._declared.universe
        entries = self._declared.root.environments
        if not entries:
            return [Fork(universe.everything)]
        return [Fork(universe.where(entry.marker)) for entry in entries]

    def _split_over(self, forks: list[Fork], items: tuple[Item, ...]) -> list[Fork]:
        """Split every fork over one conflict set: step 2."""
        split: list[Fork] = []
        for fork in forks:
            possible = [item for item in items if not fork.excludes(item)]
            if not any(self._is_defined(item) for item in possible):
                split.append(fork)
            elif len(possible) < 2 and not self._conflicts_elsewhere(possible, items, fork):  # noqa: PLR2004 - a conflict is between two
                split.append(fork)
            else:
                parts = [fork.filtered((), items)]
                for item in items:
                    parts.append(fork.filtered((item,), (one for one in items if one != item)))
                split += [part for part in parts if part is not None]
            if len(split) > _MOST_FORKS:
                raise TooManyEnvironments
        return split

    def _conflicts_elsewhere(
        self, possible: list[Item], items: tuple[Item, ...], fork: Fork
    ) -> bool:
        """Tell whether the item left stands in another set with another item that is possible."""
        return any(
            item in other and any(one != item and not fork.excludes(one) for one in other)
            for item in possible
            for other in self._sets
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

    def _walked(self) -> Iterator[Fork]:
        forks = self._start()
        for items in self._sets:
            forks = self._split_over(forks, items)
        for fork in forks:
            yield from self._walk(fork)

    def _walk(self, fork: Fork) -> Iterator[Fork]:
        """Walk all lists in one fork, and yield the forks that it ends in."""
        forks = [fork]
        for entries in self._member_lists(fork):
            forks = [part for one in forks for part in self._settle(one, entries)]
        for one in forks:
            parts = [one]
            for entries in self._further_lists(one):
                parts = [part for wide in parts for part in self._settle(wide, entries)]
            yield from parts

    def _member_lists(self, fork: Fork) -> Iterator[tuple[Entry, ...]]:
        """Yield the lists of all members that a fork does not exclude, in uv's order."""
        declared = self._declared
        root = declared.root
        if not root.has_project:
            for group in sorted(root.groups):
                yield declared.group(root, group)
        for name, member in sorted(declared.members.items()):
            extras = [x for x in sorted(member.extras) if not fork.excludes(Item(name, "extra", x))]
            # An extra brings the project with it.
            if extras or not fork.excludes(Item(name, "project")):
                yield declared.base(member)
            for extra in extras:
                yield declared.extra(member, extra)
            for group in sorted(member.groups):
                if not fork.excludes(Item(name, "group", group)):
                    yield declared.group(member, group)

    def _further_lists(self, fork: Fork) -> Iterator[tuple[Entry, ...]]:
        """Yield the lists of local libraries and of packages known to need others."""
        declared = self._declared
        within = fork.environments & declared.universe.supported
        queue = [entry for entries in self._member_lists(fork) for entry in entries]
        libraries: dict[tuple[int, NormalizedName | None], tuple[Entry, ...]] = {}
        brought: dict[NormalizedName, tuple[Entry, ...]] = {}
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
                            declared.base(library)
                            if extra is None
                            else declared.extra(library, extra)
                        )
                        queue += libraries[key]
            elif entry.name in self._needs and entry.name not in brought:
                brought[entry.name] = declared.brought(self._needs[entry.name])
                queue += brought[entry.name]
        yield from libraries.values()
        for _, entries in sorted(brought.items()):
            yield entries

    def _settle(self, fork: Fork, entries: tuple[Entry, ...]) -> list[Fork]:
        """Work one list into a fork: step 3."""
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
            for pin in self.pins.get(name, ()):
                if not fork.matches(pin):
                    continue
                before = fork.pins.setdefault(name, pin)
                if before.index.url != pin.index.url:
                    urls = " and ".join(sorted(f"`{one.index.url}`" for one in (before, pin)))
                    message = f"requirements contain conflicting indexes for `{name}`: {urls}"
                    raise ProjectError(
                        message,
                        at=self.project.place(pin.source.at),
                        help="put the extras or groups of its sources into one set of `conflicts`",
                    )

    def _doubt(self) -> str | None:
        """Say why nothing can be said, if so."""
        for member in self._declared.members.values():
            if {"dependencies", "optional-dependencies"} & member.dynamic:
                return f"the dependencies of `{member.name}` are dynamic"
        return None

    # Step 4.

    def index_for(
        self, package: NormalizedName, fork: Fork
    ) -> tuple[Index | None, Pin | None, str | None]:
        """Return where a package comes from in a fork: the index, its pin, or what is not known."""
        pin = fork.pins.get(package)
        if pin is None:
            # Nothing declared names it here, but a pin that matches would work on what brings it.
            matching = [one for one in self.pins.get(package, ()) if fork.matches(one)]
            pin = matching[0] if matching else None
        if pin is not None:
            return pin.index, pin, None
        root = self._declared.root
        default = next((index for index in root.indexes if index.default), None)
        for index in root.indexes:
            if index.explicit or index.default:
                continue
            carried = self._carries(index, package)
            if carried is None:
                reason = f"the open index `{index.name or index.url}` may have `{package}`"
                return None, None, reason
            if carried:
                return index, None, None
        if default is None and root.index_url is not None:
            default = Index(
                name=None,
                url=root.index_url,
                explicit=False,
                default=True,
                at="tool.uv.index-url",
            )
        return default, None, None

    # Step 5: the rows.

    def row(self, package: str, machine: Mapping[str, str], choice: Choice | None = None) -> Route:
        """Answer for one package.

        Args:
            package: Its name.
            machine: Marker variables and values: `{"sys_platform": "linux", "platform_machine":
                "x86_64", "os_name": "posix", "platform_system": "Linux"}`.
            choice: What is installed; None for a plain `uv sync`.

        Raises:
            RequestError: The choice names an extra, a group or a package that does not exist.
        """
        choice = choice or Choice()
        chosen = self._chosen(choice)
        if self.error is not None:
            return Route(kind="error", error=self.error)
        if self.doubt is not None:
            return Route(kind="unknown", reason=self.doubt)
        name = canonicalize_name(package)
        unread = [one for one in self._declared.unread if one.name != name]
        if unread:
            reason = f"`{unread[0].name}` is a source tree whose own sources were not read"
            return Route(kind="unknown", requirement=unread[0].requirement, reason=reason)
        refused = self._refused(chosen)
        if refused is not None:
            return Route(kind="error", error=refused)
        answers = [
            (python, self._route(name, fork, reached))
            for python, fork, reached in self._read(chosen, machine)
        ]
        if not answers:
            return Route(kind="error", error=self._no_environment())
        first = answers[0][1]
        if all(_same(first, other) for _, other in answers):
            return first
        return Route(kind="varies", by_python=tuple(answers))

    def _route(self, package: NormalizedName, fork: Fork | None, reached: _Reached | str) -> Route:
        """Answer for one package, one fork and one Python."""
        if isinstance(reached, str) or fork is None:
            return Route(kind="unknown", reason=str(reached))
        entry = reached.entries.get(package)
        needed_by = frozenset(reached.needed_by.get(package, ()))
        sourced = entry.sourced if entry else None
        if sourced is not None and (
            sourced.requirement.url or (sourced.source and sourced.index is None)
        ):
            return Route(
                kind="direct", source=sourced.source, requirement=sourced.requirement, fork=fork
            )
        index, pin, reason = self.index_for(package, fork)
        if entry is None and not needed_by:
            return Route(kind="absent", index=index, pin=pin, fork=fork)
        return Route(
            kind="unknown" if reason else "index",
            index=index,
            pin=pin,
            source=pin.source if pin else None,
            requirement=sourced.requirement if sourced else None,
            needed_by=needed_by,
            fork=fork,
            reason=reason,
        )

    def _targets(self, choice: Choice) -> list[Project]:
        """Return the projects that a choice installs."""
        members = self._declared_members()
        if not choice.packages:
            return [self.project] if self.project.has_project else [self.project, *members.values()]
        found = []
        for package in sorted(choice.packages):
            name = canonicalize_name(package)
            if name not in members:
                message = f"`{package}` is not a member of this workspace"
                raise RequestError(message, help=f"members: {', '.join(sorted(members))}")
            found.append(members[name])
        return found

    def _declared_members(self) -> Mapping[NormalizedName, Project]:
        if hasattr(self, "_declared"):
            return self._declared.members
        return {self.project.name: self.project} if self.project.name else {}

    def _chosen(self, choice: Choice) -> tuple[list[Project], frozenset[Item], frozenset[str]]:
        """Return the targets of a choice, its items, and the groups of a root without a name.

        Groups are the default ones (`dev` where the file does not say) without `no_groups`, and
        `groups`.
        """
        targets = self._targets(choice)
        items: set[Item] = set()
        nameless: set[str] = set()
        found: set[str] = set()
        for target in targets:
            defaults = target.default_groups
            if not choice.default_groups:
                groups: set[str] = set()
            elif defaults == "all":
                groups = set(target.groups)
            else:
                groups = {g for g in (defaults or ("dev",)) if g in target.groups}
            groups -= set(map(canonicalize_name, choice.no_groups))
            groups |= {g for g in map(canonicalize_name, choice.groups) if g in target.groups}
            extras = {x for x in map(canonicalize_name, choice.extras) if x in target.extras}
            found |= groups | extras
            if target.name is None:
                nameless |= groups
                continue
            items.add(Item(target.name, "project"))
            items |= {Item(target.name, "group", canonicalize_name(group)) for group in groups}
            items |= {Item(target.name, "extra", extra) for extra in extras}
        for kind, names in (("extra", choice.extras), ("group", choice.groups)):
            for name in names:
                if canonicalize_name(name) not in found:
                    raise RequestError(f"{kind} `{name}` is not defined")
        return targets, frozenset(items), frozenset(nameless)

    def _refused(
        self, chosen: tuple[list[Project], frozenset[Item], frozenset[str]]
    ) -> ProjectError | None:
        """Return uv's refusal to install two items of one conflict set."""
        for items in self._sets:
            both = [item for item in items if item in chosen[1]]
            if len(both) > 1:
                words = " and ".join(_spoken(item) for item in both[:2])
                return ProjectError(
                    f"{words} are incompatible with the declared conflicts",
                    at=self.project.place("tool.uv.conflicts"),
                )
        return None

    def _no_environment(self) -> ProjectError:
        return ProjectError(
            "the platform is not compatible with the supported environments",
            at=self._declared.root.place("tool.uv.environments"),
        )

    def _read(
        self,
        chosen: tuple[list[Project], frozenset[Item], frozenset[str]],
        machine: Mapping[str, str],
    ) -> list[tuple[str, Fork | None, _Reached | str]]:
        """Read what a choice reaches on a machine, per supported Python."""
        key = (chosen[1], chosen[2], tuple(t.name for t in chosen[0]), *sorted(machine.items()))
        rows = self._rows.get(key)
        if rows is None:
            rows = self._rows[key] = []
            universe = self._declared.universe
            starts = [fork.environments for fork in self._start()]
            for python, point in universe.by_python(universe.on(machine)):
                if any(point & start for start in starts):
                    rows.append((python, *self._read_point(chosen, point)))
        return rows

    def _read_point(
        self,
        chosen: tuple[list[Project], frozenset[Item], frozenset[str]],
        point: Environments,
    ) -> tuple[Fork | None, _Reached | str]:
        targets, items, nameless = chosen
        # What has no requirement left in the lock does not count as chosen.
        alive = frozenset(item for item in items if self._is_alive(item))
        forks = [fork for fork in self.forks if fork.environments & point]
        while True:
            fork = next((fork for fork in forks if fork.agrees(alive)), None)
            if fork is None:
                return None, "no part of the lock fits this choice"
            reached = self._reach(targets, alive, nameless, fork, point)
            new = [item for item in reached.asked if item not in alive]
            for item in new:
                for items_of_set in self._sets:
                    if item in items_of_set and any(
                        other in items and other != item for other in items_of_set
                    ):
                        return None, (
                            f"this choice switches on {_spoken(item)} through another requirement, "
                            "next to what it conflicts with"
                        )
            more = alive.union(
                item for item in new if any(one.agrees(alive | {item}) for one in forks)
            )
            if more == alive:
                return fork, reached
            alive = more

    def _is_alive(self, item: Item) -> bool:
        """Tell whether the lock has any requirement of an item."""
        if item.kind == "project" or item.name is None:
            return True
        declared = self._declared
        member = declared.members[item.package]
        entries = (declared.extra if item.kind == "extra" else declared.group)(member, item.name)
        return any(
            entry.environments & fork.environments & declared.universe.supported
            for fork in self.forks
            if not fork.excludes(item)
            for entry in entries
        )

    def _reach(
        self,
        targets: list[Project],
        chosen: frozenset[Item],
        nameless: frozenset[str],
        fork: Fork,
        point: Environments,
    ) -> _Reached:
        """Walk the lists of a fork from a choice, along what holds at one point."""
        declared = self._declared
        entries: dict[NormalizedName, Entry] = {}
        needed_by: dict[NormalizedName, set[NormalizedName]] = {}
        asked: dict[Item, None] = {}
        queue: list[tuple[Project, Entry]] = []
        seen: set[tuple[int, NormalizedName | None]] = set()

        def visit(project: Project, extra: NormalizedName | None) -> None:
            if (id(project), extra) not in seen and (extra is None or extra in project.extras):
                seen.add((id(project), extra))
                lines = declared.base(project) if extra is None else declared.extra(project, extra)
                queue.extend((project, entry) for entry in lines)

        for target in targets:
            visit(target, None)
            for item in chosen:
                if item.package != target.name or item.name is None or fork.excludes(item):
                    continue
                if item.kind == "extra":
                    visit(target, item.name)
                elif item.kind == "group":
                    queue += [(target, entry) for entry in declared.group(target, item.name)]
            if target.name is None:
                for group in nameless:
                    lines = declared.group(target, canonicalize_name(group))
                    queue += [(target, entry) for entry in lines]
        while queue:
            project, entry = queue.pop(0)
            if not entry.environments & point:
                continue
            inside = declared.members.get(entry.name)
            library = declared.library(entry.sourced) if entry.sourced else None
            if inside is not None:
                visit(inside, None)
                for extra in entry.extras:
                    item = Item(entry.name, "extra", extra)
                    asked[item] = None
                    if not fork.excludes(item):
                        visit(inside, extra)
                continue
            if library is not None:
                for extra_name in (None, *entry.extras):
                    visit(library, extra_name)
                continue
            # A constraint stands after the requirement that it constrains.
            entries.setdefault(entry.name, entry)
            for needed in self._needs.get(entry.name, ()):
                if entry.name not in needed_by.setdefault(needed, set()):
                    needed_by[needed].add(entry.name)
                    queue += [
                        (project, brought) for brought in declared.brought(frozenset((needed,)))
                    ]
        return _Reached(entries=entries, needed_by=needed_by, asked=asked)


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


def _spoken(item: Item) -> str:
    """Name an item in a message."""
    return f"project `{item.package}`" if item.name is None else f"{item.kind} `{item.name}`"


def _same(one: Route, other: Route) -> bool:
    """Tell whether two answers are the same to a user."""
    return one.kind == other.kind and (one.index and one.index.url) == (
        other.index and other.index.url
    )
