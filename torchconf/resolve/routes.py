"""From which index uv takes a package, from the file alone.

This is a model of what `uv lock` and `uv sync` do with indexes; not of versions. Three modules hold
the rule, each with its part of it in words: `lowering` (requirements, sources, pins, lists),
`forks` (conflict sets, forks, the index of each fork) and this one, which reads rows:

1. A choice is its extras, the default groups without `--no-group`, the groups added, and the
   project. Two items of one conflict set, as written or derived: uv refuses to install them.
2. An extra or group of which the lock has no requirement does not count as chosen from here on.
3. Where no entry of `environments` holds: 'platform is not compatible'.
4. What a chosen group, or another member, asks for as `demo[x]` is chosen too, if a fork agrees.
5. The row's fork has the machine; all of its included items are chosen and none of its excluded
   ones. A package is there if the fork's lists lead to it from the choice, along requirements that
   hold on the machine. It comes from the fork's index; without one from the first open index, in
   the order written, that carries it; else from the default one.
6. If the supported Pythons give different answers, the answer is all of them.

One thing is not in the file: uv begins with the forks of the uv.lock that it finds. These can only
be narrower, so that a source no longer reaches beyond its marker; an up-to-date uv.lock decides.

Three things follow that surprise people. An index set by a wide fork stays when the fork is split
later, so a platform marker on a source can come too late. A pin without a scope works everywhere,
and one whose item no conflict names does too. What no declared requirement names has no pin at
all.

Checked against uv 0.13.9: `tests/resolve/test_routes.py` has recorded cases, `test_routes_uv.py`
asks uv.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, cast

from packaging.utils import canonicalize_name

from torchconf.errors import ProjectError, RequestError
from torchconf.model.project import Index, Item, Project, Record
from torchconf.model.toml_path import UV
from torchconf.resolve.environments import TooManyEnvironments
from torchconf.resolve.fork_finder import ForkFinder
from torchconf.resolve.forks import Forks, TooManyForks, spoken
from torchconf.resolve.lowering import Declared, members_of
from torchconf.resolve.reached import Reached
from torchconf.resolve.route import Route, RouteKind, SyncOptions
from torchconf.resolve.sourced import Doubt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from torchconf.model.project import Requirement
    from torchconf.resolve.environments import Environments, Universe
    from torchconf.resolve.evidence import Evidence
    from torchconf.resolve.forks import Fork
    from torchconf.resolve.sourced import Pin

__all__ = ["Route", "RouteKind", "Routes", "SyncOptions", "routes"]


def routes(
    project: Project,
    *,
    members: Sequence[Project] = (),
    libraries: Mapping[str, Project | None] | None = None,
    needs: Mapping[str, frozenset[str]] | None = None,
    carries: Callable[[Index, str], bool | None] = lambda _index, _package: None,
    lockfile: Callable[[], str] = str,
    universe: Universe | None = None,
    asked: Iterable[str] = (),
) -> Routes:
    """Work out where the packages of a project, or of its workspace, come from.

    Args:
        project: The project that commands are run in: on its own, a workspace root or a member.
        members: The other members of its workspace.
        libraries: Local libraries by place, as `torchconf.model.source_trees` names them. None for
            one that was looked at and has no sources. A library that is reached and not listed here
            makes answers provisional.
        needs: Packages known to need others by themselves: `{"accelerate": {"torch"}}`. The names
            are normalised.
        carries: Whether an open index has a package; None for not known.
        lockfile: Gives the text of uv.lock, empty if there is none. It is read only where the files
            alone leave a doubt, and decides if it was made from them.
        universe: The environments of all these projects, where they were numbered before.
        asked: Packages that rows are asked for though the files may say nothing of them. The
            lockfile is read for these, and for those that the files name.

    Returns:
        The answers. What is wrong with the project is an answer too; nothing raises here.
    """
    return Routes(
        project, members, libraries, needs or {}, carries, lockfile, universe, frozenset(asked)
    )


class _Chosen(Record):
    """A choice in terms of the project: what is installed, and the groups of a nameless root.

    A group of the workspace root may stand among the items of a member: uv looks there for a group
    that the one member installed does not define.
    """

    targets: tuple[Project, ...]
    items: frozenset[Item]
    nameless: frozenset[NormalizedName]


class Routes:
    """What uv's lockfile would hold, as far as indexes go.

    Attributes:
        project: The project that was asked about.
        error: Why `uv lock` would fail, or why uv could not read what it locked, or None. Every row
            has it then.
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
        lockfile: Callable[[], str],
        universe: Universe | None = None,
        asked: frozenset[str] = frozenset(),
    ) -> None:
        """Do the work; `routes` says what the arguments are."""
        self.project = project
        self.error: ProjectError | None = None
        self.forks: tuple[Fork, ...] = ()
        self.pins: Mapping[NormalizedName, Sequence[Pin]] = {}
        self._carries = carries
        self._lockfile = lockfile
        self._asked = cast("frozenset[NormalizedName]", asked)
        self._evidence: Evidence | None = None
        self._brought: dict[NormalizedName, bool] = {}
        self._locked: Environments = 0
        self._members = members_of(project, members)
        self._needs = cast("Mapping[NormalizedName, frozenset[NormalizedName]]", needs)
        self._choices: dict[SyncOptions, _Chosen] = {}
        self._rows: dict[tuple[object, ...], list[tuple[str, Reached | Route]]] = {}
        self._default = _default_index(project.workspace)
        self.doubt: str | None = self._not_covered()
        if self.doubt is None:
            self._work(members, libraries, universe)

    def _work(
        self,
        members: Sequence[Project],
        libraries: Mapping[str, Project | None] | None,
        universe: Universe | None,
    ) -> None:
        try:
            self._declared = Declared(self.project, members, libraries, universe)
            self.pins = self._declared.pins
            found = Forks(self._declared, self._needs)
        except ProjectError as error:
            self.error = error
        except TooManyEnvironments:
            self.doubt = "the markers of this project have too many combinations"
        except TooManyForks:
            self.doubt = "the conflicts of this project have too many combinations"
        else:
            self.forks = found.forks
            self.error = found.unreadable
            self._sets = found.sets
            self._locked = reduce(or_, found.starts)
            self._found = ForkFinder(found)
            self._pins_of = found.pins_of

    def _not_covered(self) -> str | None:
        """Say which part of the project the rule does not cover, if there is one."""
        root = self.project.workspace
        if root.uv.get("no-sources"):
            return "`no-sources` is set"
        for member in (root, *self._members.values()):
            if "optional-dependencies" in member.dynamic:
                return f"the build backend of `{member.name}` computes its extras"
            if "dependency-groups" in member.uv:
                return "`[tool.uv.dependency-groups]` has settings for single groups"
        for change in root.dependency_changes:
            theirs = self._needs.get(change.package, frozenset())
            if change.package in self._members or not theirs.isdisjoint(change.names):
                return f"`{change.setting}` changes the dependencies of `{change.package}`"
        return None

    def row(
        self, package: str, machine: Mapping[str, str], choice: SyncOptions | None = None
    ) -> Route:
        """Answer for one package.

        Args:
            package: Its name.
            machine: Marker variables and values: `{"sys_platform": "linux", "platform_machine":
                "x86_64", "os_name": "posix", "platform_system": "Linux"}`.
            choice: What is installed; None for a plain `uv sync`.

        Raises:
            RequestError: The choice names an extra, a group or a package that does not exist.
        """
        chosen = self._chosen(choice or SyncOptions())
        name = canonicalize_name(package)
        error = self.error
        if error is None and self.doubt is None:
            error = self._refused(chosen)
        if error is not None:
            return Route(kind="error", error=error)
        if self.doubt is not None:
            unknown = Route(kind="unknown", reason=self.doubt)
            return self._settled(name, unknown, chosen, machine, "")
        answers = [
            (
                python,
                reached
                if isinstance(reached, Route)
                else self._answer(name, reached, chosen, machine, python),
            )
            for python, reached in self._read(chosen, machine)
        ]
        # Pythons that `environments` leaves out do not count beside those that it holds.
        answers = [one for one in answers if one[1].kind != "error"] or answers
        first = answers[0][1]
        if len(answers) == 1:
            return first
        lines = tuple(dict.fromkeys(one for _, route in answers for one in route.lines))
        if all(_same(first, other) for _, other in answers):
            route = next((route for _, route in answers if route.doubt), first)
            return route if route.lines == lines else route.changed(lines=lines)
        return Route(kind="varies", by_python=tuple(answers), lines=lines)

    def _answer(
        self,
        package: NormalizedName,
        reached: Reached,
        chosen: _Chosen,
        machine: Mapping[str, str],
        python: str,
    ) -> Route:
        route = self._route(package, reached)
        is_open = route.kind == "absent" and route.doubt is None and bool(reached.entries)
        if is_open and self._may_be_brought(package):
            # By what is installed, though nothing read says so: only the lockfile knows.
            return self._by_lock(package, route, chosen, machine, python)
        return self._settled(package, route, chosen, machine, python)

    def _settled(
        self,
        package: NormalizedName,
        route: Route,
        chosen: _Chosen,
        machine: Mapping[str, str],
        python: str,
    ) -> Route:
        """Let the lockfile decide where the files alone leave a doubt."""
        if route.doubt is None and route.kind != "unknown":
            if not self._reaches_too_far(route):
                return route
            has = f"index `{route.index.name}`" if route.index else "PyPI"
            doubted = route.changed(
                doubt=f"without uv.lock, `{package}` would come from {has}, as the marker of its "
                "source would have no effect"
            )
            settled = self._by_lock(package, doubted, chosen, machine, python)
            return route if settled is doubted else settled
        return self._by_lock(package, route, chosen, machine, python)

    def _may_be_brought(self, package: NormalizedName) -> bool:
        """Tell whether the lockfile has a package because of something that nobody knows of."""
        found = self._brought.get(package)
        if found is None:
            # Imported here: of most projects everything is known without their lockfile.
            from torchconf.model.uv_lock import is_brought_by_others

            text = self._lockfile()
            found = bool(text) and is_brought_by_others(text, package, self._members, self._needs)
            self._brought[package] = found
        return found

    def _reaches_too_far(self, route: Route) -> bool:
        """Tell whether a source serves a fork in part of which its marker does not hold.

        uv begins with the forks of the lockfile that it finds. So one that another dependency split
        by platform is narrow enough at the next `uv lock`, and the marker takes effect.
        """
        if route.pin is None or route.fork is None or route.kind != "index":
            return False
        within = route.fork.environments & self._declared.universe.supported
        return bool(within & ~route.pin.environments)

    def _by_lock(
        self,
        package: NormalizedName,
        route: Route,
        chosen: _Chosen,
        machine: Mapping[str, str],
        python: str,
    ) -> Route:
        """Return what the lockfile makes of an answer in doubt."""
        # Imported here: most projects leave no doubt.
        from torchconf.model.lock_graph import Start
        from torchconf.resolve.evidence import Evidence, Where

        if self._evidence is None:
            brought = (name for some in self._needs.values() for name in some)
            wanted = {*self._asked, *self.pins, *self._needs, *brought}
            locked = {
                name: [pin for pin in pins if pin.environments & self._locked]
                for name, pins in self.pins.items()
            }
            projects = self._members.values()
            self._evidence = Evidence(self._lockfile(), projects, wanted, locked)

        def names(target: Project, kind: str) -> frozenset[str]:
            return frozenset(
                str(one.name)
                for one in chosen.items
                if (one.package, one.kind) == (target.name, kind)
            )

        starts = tuple(
            Start(str(target.name), names(target, "extra"), names(target, "group"))
            for target in chosen.targets
        )
        root = self.project.workspace
        if root.name is not None and root not in chosen.targets:
            shared = names(root, "group")
            if shared:
                starts += (Start(str(root.name), frozenset(), shared, is_whole=False),)
        where = Where(starts, tuple(machine.items()), python)
        return self._evidence.settle(route, package, where)

    def _doubt(self, package: NormalizedName, reached: Reached, pin: Pin | None) -> Doubt | None:
        """Say what could change the answer for one package, if anything could.

        Pins are collected from every source tree that anything reaches. So one that was not read
        could route a package for any choice, unless a pin that is known does: uv refuses two.
        """
        if package in self._declared.mixed:
            reason = f"`{package}` has index sources and sources of other kinds"
            return Doubt(name=None, reason=reason)
        is_there = package in reached.entries
        for doubt in reached.doubts:
            # What comes from a source tree itself does not depend on that tree's sources.
            if doubt.name != package and (
                doubt.pins is None or not is_there or (pin is None and doubt.may_pin(package))
            ):
                return doubt
        for doubt in self._declared.doubts.values():
            if is_there and pin is None and doubt.name != package and doubt.may_pin(package):
                return doubt
        return None

    def _route(self, package: NormalizedName, reached: Reached) -> Route:
        """Answer for one package where a fork was found."""
        entry = reached.entries.get(package)
        sourced = entry.sourced if entry else None
        if sourced is not None and sourced.is_direct:
            return Route(
                kind="direct",
                source=sourced.source,
                requirement=sourced.requirement,
                lines=_lines(reached, package),
                fork=reached.fork,
            )
        index, pin, reason = self.origin(package, reached.fork)
        doubt = self._doubt(package, reached, pin)
        if doubt is not None and doubt.pins is not None and entry is None:
            # Nobody declares everything there, so that nothing is known to be absent.
            return Route(kind="unknown", fork=reached.fork, reason=doubt.reason)
        kind: RouteKind = "absent" if entry is None else "unknown" if reason else "index"
        return Route(
            kind=kind,
            index=index,
            pin=pin,
            source=pin.source if pin else None,
            requirement=sourced.requirement if sourced else None,
            lines=_lines(reached, package),
            needed_by=frozenset(reached.needed_by.get(package, ())),
            fork=reached.fork,
            reason=reason,
            doubt=doubt.reason if doubt else None,
        )

    def origin(
        self, package: NormalizedName, fork: Fork
    ) -> tuple[Index | None, Pin | None, str | None]:
        """Return where a fork takes a package from: the index, its pin, or why nobody knows."""
        # Where no list of the fork names it, a pin that matches would still work on what brings it.
        pin = fork.pins.get(package) or next(self._pins_of(package, fork), None)
        if pin is not None:
            return pin.index, pin, None
        root = self.project.workspace
        first_index = root.uv.get("index-strategy", "first-index") == "first-index"
        for index in _open_indexes(root):
            if not first_index:
                return None, None, "`index-strategy` lets any open index provide the package"
            carried = self._carries(index, package)
            if carried is None:
                reason = (
                    f"index `{index.name or index.url}` is not explicit and may have `{package}`"
                )
                return None, None, reason
            if carried:
                return index, None, None
        return self._default, None, None

    # Choices.

    def _chosen(self, choice: SyncOptions) -> _Chosen:
        """Put a choice in terms of the project: step 1."""
        chosen = self._choices.get(choice)
        if chosen is not None:
            return chosen
        targets = self._targets(choice)
        items: set[Item] = set()
        nameless: set[NormalizedName] = set()
        # Where several projects are installed, the root says which groups are default groups.
        chooser = targets[0] if len(targets) == 1 else self.project.workspace
        for target in targets:
            groups = _groups(target, choice, chooser)
            if target.name is None:
                nameless |= groups
                continue
            extras = {canonicalize_name(extra) for extra in choice.extras} & target.extras.keys()
            items.add(Item(target.name, "project"))
            items.update(Item(target.name, "group", group) for group in groups)
            items.update(Item(target.name, "extra", extra) for extra in extras)
        for name in choice.extras:
            if not any(canonicalize_name(name) in target.extras for target in targets):
                raise RequestError(f"extra `{name}` is not defined")
        root = self.project.workspace
        for name in choice.groups:
            group = canonicalize_name(name)
            if any(group in target.groups for target in targets):
                continue
            if len(targets) > 1 or group not in root.groups:
                raise RequestError(f"dependency group `{name}` is not defined")
            if root.name is None:
                nameless.add(group)
            else:
                items.add(Item(root.name, "group", group))
        chosen = self._choices[choice] = _Chosen(
            targets=tuple(targets), items=frozenset(items), nameless=frozenset(nameless)
        )
        return chosen

    def _targets(self, choice: SyncOptions) -> list[Project]:
        """Return the projects that a choice installs."""
        if not choice.packages:
            others = () if self.project.has_project else self._members.values()
            return [self.project, *others]
        targets = []
        for package in sorted(choice.packages):
            target = self._members.get(canonicalize_name(package))
            if target is None:
                message = f"`{package}` is not a member of this workspace"
                raise RequestError(message, help=f"members: {', '.join(sorted(self._members))}")
            targets.append(target)
        return targets

    def _refused(self, chosen: _Chosen) -> ProjectError | None:
        """Return uv's refusal to install two items of one conflict set."""
        first = self._found.first_set_of_two(chosen.items)
        if first is None:
            return None
        both = [spoken(item) for item in self._sets[first] if item in chosen.items][:2]
        message = f"{' and '.join(both)} are incompatible with the declared conflicts"
        return ProjectError(message, at=self.project.place("tool.uv.conflicts"))

    # Reading.

    def _read(
        self, chosen: _Chosen, machine: Mapping[str, str]
    ) -> list[tuple[str, Reached | Route]]:
        """Read what a choice reaches on a machine, for each stretch of supported Pythons."""
        names = tuple(target.name for target in chosen.targets)
        key = (names, chosen.items, chosen.nameless, *sorted(machine.items()))
        rows = self._rows.get(key)
        if rows is None:
            universe = self._declared.universe
            rows = self._rows[key] = [
                (python, self._read_point(chosen, point))
                for python, point in universe.by_python(universe.on(machine))
            ] or [("", _not_supported(self.project, "project.requires-python"))]
        return rows

    def _read_point(self, chosen: _Chosen, point: Environments) -> Reached | Route:
        """Read one point: steps 2 to 5."""
        if not point & self._locked:
            return _not_supported(self.project.workspace, "tool.uv.environments")
        alive = frozenset(item for item in chosen.items if self._is_alive(item))
        while True:
            fork = self._found.fork_at(point, alive)
            if fork is None:
                return Route(
                    kind="unknown", reason="no part of the lockfile has these extras and groups"
                )
            reached = self._reach(chosen, alive, fork, point)
            asked = [item for item in reached.asked if item not in alive]
            for item in asked:
                if self._conflicts(item, chosen.items):
                    reason = f"{spoken(item)} is enabled together with one that it conflicts with"
                    return Route(kind="unknown", fork=fork, reason=reason)
            also = [item for item in asked if self._found.fork_at(point, alive | {item})]
            if not also:
                return reached
            alive = alive.union(also)

    def _conflicts(self, item: Item, items: frozenset[Item]) -> bool:
        """Tell whether an item stands in one conflict set with another one of some items."""
        others = [one for one in items if one != item]
        return any(self._found.first_set_of_two((item, other)) is not None for other in others)

    def _is_alive(self, item: Item) -> bool:
        """Tell whether the lock has any requirement of an item: step 2."""
        if item.name is None:
            return True
        declared = self._declared
        member = self._members[item.package]
        lines = (declared.lists.of_extra if item.kind == "extra" else declared.lists.of_group)(
            member, item.name
        )
        where = self._found.open_to(item) & declared.universe.supported
        return any(line.environments & where for line in lines)

    def _reach(
        self, chosen: _Chosen, items: frozenset[Item], fork: Fork, point: Environments
    ) -> Reached:
        """Follow the lists of a fork from a choice: step 5."""
        reached = Reached(self._declared, fork, point)
        for target in chosen.targets:
            own = [one for one in items if one.package == target.name and not fork.excludes(one)]
            extras = [item.name for item in own if item.kind == "extra" and item.name]
            groups = [item.name for item in own if item.kind == "group" and item.name]
            reached.start(target, extras, groups if target.name else chosen.nameless)
        root = self.project.workspace
        if root not in chosen.targets:
            kept = (i for i in items if i.package == root.name and not fork.excludes(i))
            named = [item.name for item in kept if item.kind == "group" and item.name]
            reached.add_groups(root, named if root.name else chosen.nameless)
        reached.follow(self._needs)
        return reached


def _lines(reached: Reached, package: NormalizedName) -> tuple[tuple[Requirement, ...], ...]:
    """Return the requirements and constraints of a package that a row reaches."""
    sourced = (line.sourced for line in reached.lines.get(package, ()))
    return (tuple(one.requirement for one in sourced if one is not None),)


def _groups(target: Project, choice: SyncOptions, chooser: Project) -> set[NormalizedName]:
    """Return the groups of a project that a choice enables; `chooser` has the default groups."""
    groups = target.groups.keys() & chooser.default_names if choice.default_groups else set()
    groups -= {canonicalize_name(group) for group in choice.no_groups}
    groups |= {canonicalize_name(group) for group in choice.groups}
    return groups & target.groups.keys()


def _open_indexes(root: Project) -> Iterator[Index]:
    """Yield the indexes that uv asks for any package before the default one, in its order."""
    for index in root.indexes:
        if not index.explicit and not index.default:
            yield index
    for url in root.extra_index_url:
        yield Index(
            name=None, url=url, explicit=False, default=False, path=(*UV, "extra-index-url")
        )


def _default_index(root: Project) -> Index | None:
    """Return the index that serves what no other does; None for PyPI."""
    for index in root.indexes:
        if index.default:
            return index
    if root.index_url is None:
        return None
    return Index(
        name=None, url=root.index_url, explicit=False, default=True, path=(*UV, "index-url")
    )


def _not_supported(project: Project, at: str) -> Route:
    message = "the platform is not compatible with the supported environments"
    return Route(kind="error", error=ProjectError(message, at=project.place(at)))


def _same(one: Route, other: Route) -> bool:
    """Tell whether two answers are the same to a user."""
    return one.kind == other.kind and (one.index and one.index.url) == (
        other.index and other.index.url
    )
