"""What each platform gets by each choice of extras and groups, from the file alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.markers import Marker

from torchconf.catalog import Answer
from torchconf.layout.selection import Selection
from torchconf.model.intent import listed_platforms, lists_targets
from torchconf.model.markers import opposite, told
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import joined_range
from torchconf.model.targets import PLATFORMS, SHOWN_PLATFORMS
from torchconf.model.uv_variables import NO_GROUP
from torchconf.resolve.choices import (
    Around,
    choice_of,
    enabled_groups,
    lacks,
    owner_of,
    selections_in,
)
from torchconf.resolve.needs import needs_of
from torchconf.resolve.routes import routes
from torchconf.resolve.wheels import Wheels

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.model.lock_graph import Installed
    from torchconf.model.project import Project, Requirement
    from torchconf.model.targets import Platform
    from torchconf.resolve.route import Route, SyncOptions
    from torchconf.resolve.wheels import Judged


class Row(NamedTuple):
    """One package on one platform by one choice."""

    package: str
    platform: str
    selection: Selection
    groups: tuple[str, ...]
    """What the command really enables, default groups included."""
    index_name: str | None
    """None for PyPI, and where nothing is installed."""
    backend: str | None
    """Of the index; `pypi`; None: not installed by this choice."""
    available: Answer
    reason: str | None
    """Why nothing, or nothing certain, can be said."""
    provisional: bool = False
    """Whether something that was not read could change this; `reason` says what."""
    origin: str | None = None
    """The URL of the index; of what comes from none, its path, repository or URL. None for PyPI."""
    lines: tuple[tuple[Requirement, ...], ...] = ()
    """What requires and bounds the package: for each stretch of Pythons that has others."""
    is_defined: bool = True
    """Whether the project has the extras, groups and member of this choice."""
    locked: tuple[Installed, ...] | None = None
    """What uv.lock installs, as `with_locked` finds it; None where there is no lockfile."""

    @property
    def bounds(self) -> str:
        """The releases that are admitted, `>=2.11,<2.12`; empty for any."""
        return " or ".join(
            dict.fromkeys(joined_range(one.specifier for one in line) for line in self.lines)
        )

    @property
    def is_refused(self) -> bool:
        """Whether uv refuses this choice, or the whole project."""
        is_nothing = self.backend is None and self.available is Answer.NO
        return is_nothing and self.reason is not None and not self.provisional

    @property
    def command(self) -> str:
        """The uv command that installs this choice."""
        return self.selection.command()

    def data(self) -> dict[str, Any]:
        """Return the row as JSON data, with its keys in their order."""
        return {
            "package": self.package,
            "platform": self.platform,
            "extras": self.selection.extras,
            "groups": self.groups,
            "index": self.index_name,
            "backend": self.backend,
            "available": self.available.value,
            "command": self.command,
            **({"provisional": True} if self.provisional else {}),
            **({"reason": self.reason} if self.reason is not None else {}),
        }


class _Choice(NamedTuple):
    """One way to install, as a command says it and as the routing rule reads it."""

    selection: Selection
    choice: SyncOptions
    groups: tuple[str, ...]

    @property
    def is_plain(self) -> bool:
        """Whether it names no extra and no group."""
        return self.selection == Selection(package=self.selection.package)


def route_table(
    project: Project,
    catalog: Catalog,
    *,
    members: Sequence[Project] = (),
    libraries: Mapping[str, Project | None] | None = None,
    lockfile: Callable[[], str] = str,
    linked: Iterable[str] = (),
    also: Iterable[Selection] = (),
    on: Iterable[str] = (),
) -> tuple[Row, ...]:
    """Return a row per family package, platform and choice.

    Args:
        project: The project that commands are run in.
        catalog: For what each index has, and who needs torch.
        members: The other members of its workspace.
        libraries: Local libraries, as `torchconf.resolve.routes.routes` takes them.
        lockfile: Gives the text of uv.lock.
        linked: The names of the files in the folders of `find-links`.
        also: Choices to answer for that the project need not have.
        on: Platforms to answer for, beside those that it has.
    """
    root = [project.root] if project.root else []
    around = Around([*members, *root], libraries or {})
    read = [library for library in around.libraries.values() if library is not None]
    # A member may ask for an extra of its root.
    read += [one for one in root if _is_asked_for(one, (project, *members))]
    needs = needs_of((project, *members, *read), catalog)
    packages = packages_of((project, *members, *read), needs, catalog)
    found = routes(
        project,
        members=members,
        libraries=libraries,
        needs=needs,
        carries=lambda index, package: catalog.serves(index.url, package),
        lockfile=lockfile,
        asked=packages,
    )
    wheels = Wheels(project, catalog, linked)
    using = [one for one in _using((project, *members), packages) if one is not project]
    chosen = selections_in(project, using, catalog, around)
    choices = [_choice(owner, selection) for owner, selection in chosen]
    shown = {*_platforms(project, catalog, members), *(p for p in PLATFORMS if p.key in {*on})}
    platforms = [
        (each, each.environment())
        for platform in PLATFORMS
        if platform in shown
        for each in (platform, *told_machines(platform, project, catalog))
    ]
    by_machine = {one.selection.package for one in choices if one.selection.left_out}
    own = {one.selection for one in choices}
    asked, undefined = _further((one for one in also if one not in own), project, members)
    rows: list[Row] = []
    for package in packages:
        for platform, machine in platforms:
            for one in (*choices, *asked):
                route = found.row(package, machine, one.choice)
                judged = wheels.judge(package, platform, route)
                row = _row(package, platform, one, route, judged)
                if route.kind == "error" and one.is_plain:
                    is_meant = one.selection.package in by_machine
                    row = row._replace(reason=refused(row.reason, is_meant=is_meant))
                rows.append(row)
    rows += (
        undefined_row(package, platform.label, selection)
        for package in packages
        for platform, _ in platforms
        for selection in undefined
    )
    return tuple(rows)


def _choice(owner: Project, selection: Selection) -> _Choice:
    return _Choice(selection, choice_of(selection), enabled_groups(owner, selection))


def _further(
    also: Iterable[Selection], project: Project, members: Sequence[Project]
) -> tuple[list[_Choice], list[Selection]]:
    """Return further choices that a project has as well, and those that it does not have."""
    there: list[_Choice] = []
    undefined: list[Selection] = []
    for selection in dict.fromkeys(also):
        owner = owner_of(selection, project, members)
        whole = selection.package is None and not project.has_project
        if owner is None or lacks(owner, members if whole else (), selection):
            undefined.append(selection)
        else:
            there.append(_choice(owner, selection))
    return there, undefined


def _row(package: str, platform: Platform, one: _Choice, route: Route, judged: Judged) -> Row:
    return Row(
        package=package,
        platform=platform.label,
        selection=one.selection,
        groups=one.groups,
        index_name=_index_name(route, judged),
        backend=judged.backend.name if judged.backend else None,
        available=judged.available,
        reason=judged.reason or route.doubt,
        provisional=judged.reason is None and route.doubt is not None,
        origin=_origin(route),
        lines=route.lines,
    )


def told_machines(platform: Platform, project: Project, catalog: Catalog) -> Iterator[Platform]:
    """Yield the machines of a platform that sources tell from the usual ones."""
    for accelerator in catalog.accelerators:
        if accelerator.where and platform.key in accelerator.platforms:
            marker = str(Marker(accelerator.where))
            if any(
                marker in str(source.marker) or opposite(marker) in str(source.marker)
                for one in (project, project.root)
                for sources in (one.sources.values() if one else ())
                for source in sources
            ):
                yield told(platform, accelerator.where)


def undefined_row(package: str, platform: str, selection: Selection) -> Row:
    """Return the row of a choice that a project does not have: uv refuses its command."""
    return Row(
        package, platform, selection, selection.groups, None, None, Answer.NO, _UNDEFINED,
        is_defined=False,
    )  # fmt: skip


_UNDEFINED = "this project does not define that choice"


def _origin(route: Route) -> str | None:
    if route.kind == "index":
        return route.index.url if route.index else None
    if route.kind != "direct":
        return None
    if route.source is not None:
        return route.source.value
    return route.requirement.url if route.requirement is not None else None


def _is_asked_for(root: Project, projects: Iterable[Project]) -> bool:
    return any(one.name == root.name for each in projects for one in each.requirements())


def _using(members: Sequence[Project], packages: Collection[str]) -> list[Project]:
    """Return the members that require a package, or another member that does."""
    users: dict[str, list[Project]] = {}
    for member in members:
        for requirement in member.requirements():
            users.setdefault(requirement.name, []).append(member)
    found: dict[str | None, Project] = {}
    waiting = [member for name in packages for member in users.get(name, ())]
    while waiting:
        member = waiting.pop()
        if member.name not in found:
            found[member.name] = member
            waiting += users.get(member.name or "", ())
    return [member for member in members if member.name in found]


def refused(reason: str | None, *, is_meant: bool) -> str | None:
    """Say why uv refuses the plain command, where each machine has to say which build it is."""
    if not is_meant:
        return reason
    return f"uv refuses this command where `{NO_GROUP}` is not set: {reason}"


def _index_name(route: Route, judged: Judged) -> str | None:
    named = judged.backend is not None and not judged.is_linked and route.index is not None
    return route.index.name if named and route.index else None


def packages_of(
    projects: Iterable[Project], needs: Mapping[str, frozenset[str]], catalog: Catalog
) -> list[str]:
    """Return the family packages that are declared, routed, or needed by something declared.

    And behind them what is built against torch, where its indexes are known.
    """
    found: set[str] = set()
    beyond: dict[str, None] = {}
    for project in projects:
        declared = {requirement.name for requirement in project.requirements()}
        found |= declared | set(project.sources)
        for name in declared & needs.keys():
            found |= needs[name]
        for name in project.sources:
            if name in declared and name not in catalog.family and name in catalog.built_names:
                beyond[name] = None
    return [*(name for name in catalog.family if name in found), *beyond]


def _platforms(project: Project, catalog: Catalog, members: Sequence[Project]) -> list[Platform]:
    """Return the usual platforms, and any other that a target names, or that the file lists."""
    targeted: set[Platform] = set()
    if lists_targets(project):
        targeted |= listed_platforms(project, catalog.vocabulary)
    if any(map(_names_machines, (project, *members))):
        # Imported here: few projects name a machine that is not shown anyway.
        from torchconf.layout.shared_builds import read_shared_configuration

        found = read_shared_configuration(project, members, catalog)
        targeted |= {target.platform for target in found.targets}
    return [platform for platform in PLATFORMS if platform in {*SHOWN_PLATFORMS, *targeted}]


def _names_machines(project: Project) -> bool:
    """Tell whether a marker of the configuration looks at the machine."""
    markers = [s.marker for sources in project.sources.values() for s in sources if s.marker]
    markers += [entry.marker for entry in project.workspace.required_environments]
    return any("platform_machine" in str(marker) for marker in markers)
