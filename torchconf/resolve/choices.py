"""The choices of extras and groups that are worth a row, and what each one really enables."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torchconf.layout.selection import Selection
from torchconf.model.project import flatten_group
from torchconf.model.source_trees import place_of_source, place_of_url
from torchconf.resolve.route import SyncOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.model.project import Project, Requirement

__all__ = ["Around", "choice_of", "enabled_groups", "selections"]


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

    An extra or group that conflicts with a default group is chosen instead of it.

    Args:
        project: Whose extras and groups are to be chosen from.
        catalog: Which packages are of the family.
        package: Its name where it is a member of a workspace.
        around: What its requirements may lead to.
    """
    around = around or Around()
    found = [Selection(package=package)]
    found += [
        Selection(
            extras=(section.written,),
            no_groups=tuple(_clashing(project, "extra", name)),
            package=package,
        )
        for name, section in project.extras.items()
        if _has_a_say(project, "extra", name, catalog, around)
    ]
    defaults = project.installed_groups()
    found += [
        Selection(
            groups=(section.written,),
            no_groups=tuple(_clashing(project, "group", name)),
            package=package,
        )
        for name, section in project.groups.items()
        if name not in defaults and _has_a_say(project, "group", name, catalog, around)
    ]
    root = project.workspace
    found += [
        # The default groups of the root are not installed with a member.
        Selection(groups=(section.written,), package=package)
        for name, section in root.groups.items()
        if name not in project.groups and _has_a_say(root, "group", name, catalog, around)
    ]
    return tuple(found)


def _clashing(project: Project, kind: str, name: str) -> Iterator[str]:
    """Yield the default groups that some conflict set forbids next to an extra or group."""
    for group in project.installed_groups():
        for conflict in project.conflicts:
            members = {(item.kind, item.name) for item in conflict.items}
            if (kind, name) in members and ("group", group) in members and group != name:
                yield next((s.written for n, s in project.groups.items() if n == group), group)
                break


def _has_a_say(project: Project, kind: str, name: str, catalog: Catalog, around: Around) -> bool:
    """Tell whether an extra or group brings a family package, or is the scope of a source.

    One that brings a source tree which nobody has read may do so.
    """
    if any(
        name == (source.extra if kind == "extra" else source.group)
        for package, sources in project.sources.items()
        if package in catalog.family
        for source in sources
    ):
        return True
    tables = project.extras if kind == "extra" else project.groups
    section = next((section for key, section in tables.items() if key == name), None)
    if section is None:
        return False
    waiting = [
        (project, requirement)
        for requirement in (
            section.requirements if kind == "extra" else flatten_group(project, section.name)
        )
    ]
    seen: set[tuple[int, str]] = set()
    while waiting:
        owner, requirement = waiting.pop()
        if requirement.name in catalog.family:
            return True
        itself = requirement.name == owner.name
        for tree in (owner,) if itself else around.trees(owner, requirement):
            if tree is None:
                return True
            for part in (*([] if itself else [""]), *requirement.extras):
                if (id(tree), part) not in seen:
                    seen.add((id(tree), part))
                    waiting += [(tree, one) for one in _listed(tree, part)]
    return False


def _listed(project: Project, extra: str) -> Sequence[Requirement]:
    """Return what an extra lists, or without one the base dependencies."""
    if not extra:
        return project.dependencies
    return next((s.requirements for name, s in project.extras.items() if name == extra), ())


def enabled_groups(project: Project, selection: Selection) -> tuple[str, ...]:
    """Return the groups that a selection really installs, the default groups included."""
    defaults = project.installed_groups()
    kept = (
        section.written
        for name, section in project.groups.items()
        if name in defaults and section.written not in selection.no_groups
    )
    return (*kept, *selection.groups)


def choice_of(selection: Selection) -> SyncOptions:
    """Return a selection in the words of the routing rule."""
    return SyncOptions(
        extras=frozenset(selection.extras),
        groups=frozenset(selection.groups),
        no_groups=frozenset(selection.no_groups),
        packages=frozenset({selection.package} if selection.package else ()),
    )
