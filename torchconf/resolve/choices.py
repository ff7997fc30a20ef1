"""The choices of extras and groups that are worth a row, and what each one really enables."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from packaging.utils import canonicalize_name

from torchconf.layout.machine_choice import clashing_defaults, is_left_to_base
from torchconf.layout.selection import Selection
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.project import flatten_group
from torchconf.model.source_trees import place_of_source, place_of_url
from torchconf.resolve.route import SyncOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from torchconf.catalog import Catalog
    from torchconf.model.project import Project, Requirement

_Part: TypeAlias = "tuple[int, NormalizedName | None]"

__all__ = [
    "Around",
    "choice_of",
    "enabled_groups",
    "lacks",
    "owner_of",
    "selections",
    "selections_in",
]


class Around(NamedTuple):
    """The projects that requirements of one project may lead to."""

    members: Sequence[Project] = ()
    libraries: Mapping[str, Project | None] = {}

    def trees(self, project: Project, requirement: Requirement) -> Iterator[Project | None]:
        """Yield the source trees of a requirement; None for one that was not read."""
        sources = project.sources_for(requirement.name)
        places = [place_of_source(project, source) for source in sources]
        for place in places or [place_of_url(project, requirement.url)]:
            member = next((one for one in self.members if one.name == requirement.name), None)
            if member is not None or place is not None:
                yield member or self.libraries.get(place or "")


def selections(
    project: Project, catalog: Catalog, package: str | None = None, around: Around | None = None
) -> tuple[Selection, ...]:
    """Return the choices worth a row: none, then each extra or group that has a say in torch.

    An extra or group that conflicts with a default group is chosen instead of it. Where default
    groups conflict with each other, each machine leaves out all but one of them.

    Args:
        project: Whose extras and groups are to be chosen from.
        catalog: Which packages are of the family.
        package: Its name where it is a member of a workspace.
        around: What its requirements may lead to.
    """
    clashing = clashing_defaults(project)
    around = around or Around()
    say = _Say(project, catalog, around)
    plain = Selection(package=package)
    machines = [
        plain._replace(left_out=clashing["group", name])
        for name in project.installed_groups()
        if ("group", name) in clashing
    ]

    def beside(selection: Selection, kind: str, name: NormalizedName) -> Iterator[Selection]:
        others = clashing.get((kind, name), ())
        if machines and not others:
            # No command of this project is accepted without the choice of a machine.
            yield from (selection._replace(left_out=one.left_out) for one in machines)
        elif machines:
            yield selection._replace(left_out=others)
        elif others and kind == "group" and is_left_to_base(project, catalog, name):
            yield plain._replace(left_out=others)
        else:
            yield selection._replace(no_groups=others)

    found = [plain, *machines]
    for name, section in project.extras.items():
        if say.of("extra", name):
            found += beside(plain._replace(extras=(section.written,)), "extra", name)
    defaults = frozenset(project.installed_groups())
    for name, section in project.groups.items():
        if name not in defaults and say.of("group", name):
            found += beside(plain._replace(groups=(section.written,)), "group", name)
    root = project.workspace
    say = _Say(root, catalog, around)
    found += [
        # The default groups of the root are not installed with a member.
        Selection(groups=(section.written,), package=package)
        for name, section in root.groups.items()
        if name not in project.groups and say.of("group", name)
    ]
    return tuple(found)


def selections_in(
    project: Project, members: Sequence[Project], catalog: Catalog, around: Around | None = None
) -> list[tuple[Project, Selection]]:
    """Return the choices worth a row where a project is; in a root, those of its members, too.

    Args:
        project: In whose folder commands are run.
        members: The other members of its workspace that may have torch.
        catalog: Which packages are of the family.
        around: What its requirements may lead to.
    """
    if project.is_script:
        return [(project, Selection(script=project.at))]
    own = project.written_name if project.root is not None else None
    found = [(project, selection) for selection in selections(project, catalog, own, around)]
    theirs: list[tuple[Project, Selection]] = []
    for member in members if project.is_workspace_root else ():
        names = selections(member, catalog, member.written_name, around)
        theirs += [(member, selection) for selection in names]
    if not project.has_project:
        # All members are installed there, each with the extras of these names that it has.
        extras = dict.fromkeys(
            one.extras for _, one in theirs if one == Selection(one.extras, package=one.package)
        )
        found += [(project, Selection(extras)) for extras in extras if extras]
    return found + theirs


class _Say:
    """Which extras and groups bring a family package, or are the scope of a source.

    One that brings a source tree which nobody has read may do so. What is asked for is followed
    from extra to extra; what each one leads to is found once.
    """

    def __init__(self, project: Project, catalog: Catalog, around: Around) -> None:
        self._project = project
        self._family = frozenset(catalog.family)
        self._around = around
        self._scopes = {
            scope
            for package, sources in project.sources.items()
            if package in self._family
            for source in sources
            for scope in (("extra", source.extra), ("group", source.group))
        }
        self._leads: dict[_Part, bool] = {}

    def of(self, kind: str, name: NormalizedName) -> bool:
        """Tell it of one extra or group of the project."""
        if (kind, name) in self._scopes:
            return True
        project = self._project
        if kind == "group":
            return self._brings(project, flatten_group(project, name))
        return self._brings(project, project.extras[name].requirements)

    def _brings(self, project: Project, lines: Sequence[Requirement]) -> bool:
        """Tell whether requirements lead to a family package, or may do so."""
        brings, parts = self._next(project, lines)
        return brings or any(self._part_brings(*part) for part in parts)

    def _part_brings(self, project: Project, extra: NormalizedName | None) -> bool:
        """Follow an extra, or without one the base dependencies."""
        first = (id(project), extra)
        if first in self._leads:
            return self._leads[first]
        asking: dict[_Part, list[_Part]] = {first: []}
        waiting: list[tuple[Project, NormalizedName | None]] = [(project, extra)]
        bringing: list[_Part] = []
        for tree, part in waiting:
            here = (id(tree), part)
            brings, after = self._next(tree, _listed(tree, part))
            for other, name in after:
                there = (id(other), name)
                brings = brings or self._leads.get(there, False)
                if there not in self._leads:
                    if there not in asking:
                        asking[there] = []
                        waiting.append((other, name))
                    asking[there].append(here)
            if brings:
                bringing.append(here)
        leading = set(bringing)
        for here in bringing:
            fresh = [one for one in asking[here] if one not in leading]
            leading.update(fresh)
            bringing += dict.fromkeys(fresh)
        self._leads.update((part, part in leading) for part in asking)
        return self._leads[first]

    def _next(
        self, owner: Project, lines: Sequence[Requirement]
    ) -> tuple[bool, list[tuple[Project, NormalizedName | None]]]:
        """Tell whether requirements bring something themselves, and where they lead."""
        parts: list[tuple[Project, NormalizedName | None]] = []
        for line in lines:
            if line.name in self._family:
                return True, []
            itself = line.name == owner.name
            for tree in (owner,) if itself else self._around.trees(owner, line):
                if tree is None:
                    return True, []
                parts += ((tree, part) for part in (*([] if itself else [None]), *line.extras))
        return False, parts


def _listed(project: Project, extra: NormalizedName | None) -> Sequence[Requirement]:
    """Return what an extra lists, or without one the base dependencies."""
    if extra is None:
        return project.dependencies
    section = project.extras.get(extra)
    return section.requirements if section else ()


def owner_of(selection: Selection, project: Project, members: Sequence[Project]) -> Project | None:
    """Return the project that a choice installs; None for a member that is not there."""
    if selection.package is None:
        return project
    wanted = canonicalize_name(selection.package)
    return next((one for one in (project, *members) if one.name == wanted), None)


def lacks(owner: Project, members: Sequence[Project], selection: Selection) -> bool:
    """Tell whether uv refuses a choice because an extra or a group of it is not defined.

    Args:
        owner: The project that is installed.
        members: The others that are installed with it: those of a root that is no project.
        selection: The choice.
    """
    installed = (owner, *members)
    groups = {name for one in (*installed, owner.workspace) for name in one.groups}
    extras = {name for one in installed for name in one.extras}
    named = (*selection.groups, *selection.no_groups, *selection.left_out)
    return not (
        groups.issuperset(map(canonicalize_name, named))
        and extras.issuperset(map(canonicalize_name, selection.extras))
    )


def enabled_groups(project: Project, selection: Selection) -> tuple[str, ...]:
    """Return the groups that a selection really installs, the default groups included."""
    installed = (project.groups[name].written for name in project.installed_groups())
    off = {*selection.no_groups, *selection.left_out}
    return (*(one for one in installed if one not in off), *selection.groups)


def choice_of(selection: Selection) -> SyncOptions:
    """Return a selection in the words of the routing rule."""
    return SyncOptions(
        extras=frozenset(selection.extras),
        groups=frozenset(selection.groups),
        no_groups=frozenset((*selection.no_groups, *selection.left_out)),
        packages=frozenset({selection.package} if selection.package else ()),
    )
