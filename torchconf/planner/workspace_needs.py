"""Who needs torch in a workspace: by itself, or through another member."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.model.named_tuple import NamedTuple
from torchconf.model.uv_lock import reached

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torchconf.catalog import Catalog
    from torchconf.model.project import Project

__all__ = ["WorkspaceNeeds", "installed_by_default", "workspace_needs"]


class WorkspaceNeeds(NamedTuple):
    """What the projects of a workspace need of the family, by their normalised names."""

    own: Mapping[str | None, frozenset[str]] = {}
    """What each declares, or what other packages bring that it installs, where it needs torch."""
    declared: Mapping[str | None, frozenset[str]] = {}
    """What each declares."""
    through: Mapping[str | None, tuple[str, ...]] = {}
    """The members that each always installs and that need torch, as they are written."""

    def holds(self, project: Project) -> bool:
        """Tell whether a project needs torch by itself."""
        return project.name in self.own

    def is_concerned(self, project: Project) -> bool:
        """Tell whether a project gets torch at all."""
        return self.holds(project) or bool(self.through.get(project.name))


def workspace_needs(
    projects: Iterable[Project], graph: Mapping[str, frozenset[str]], catalog: Catalog
) -> WorkspaceNeeds:
    """Find out who needs torch.

    Args:
        projects: The root and its members.
        graph: What packages bring along, by name.
        catalog: Which packages are of the family.
    """
    projects = tuple(projects)
    family = frozenset(catalog.family) - catalog.triton_packages
    names = {one.name for one in projects}
    others = {name: needed for name, needed in graph.items() if name not in names}
    own: dict[str | None, frozenset[str]] = {}
    declared: dict[str | None, frozenset[str]] = {}
    for one in projects:
        said = frozenset(requirement.name for requirement in one.requirements()) & family
        brought = reached(installed_by_default(one), others) & family
        if said or catalog.main_package in brought:
            own[one.name], declared[one.name] = said | brought, said
    written = {one.name: one.written_name or "" for one in projects}
    users: dict[str | None, list[str | None]] = {}
    for one in projects:
        for requirement in one.dependencies:
            users.setdefault(requirement.name, []).append(one.name)
    waiting = [*own]
    concerned = set(own)
    while waiting:
        fresh = set(users.get(waiting.pop(), ())) - concerned
        concerned |= fresh
        waiting += fresh
    through: dict[str | None, tuple[str, ...]] = {
        one.name: tuple(
            dict.fromkeys(
                written[requirement.name]
                for requirement in one.dependencies
                if requirement.name in concerned - {one.name}
            )
        )
        for one in projects
        if one.name in concerned
    }
    return WorkspaceNeeds(own, declared, through)


def installed_by_default(project: Project) -> frozenset[str]:
    """Return the packages of the base dependencies and the default groups."""
    names = {requirement.name for requirement in project.dependencies}
    for group in project.installed_groups():
        names |= {requirement.name for requirement in project.groups[group].requirements}
    return frozenset(names)
