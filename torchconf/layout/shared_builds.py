"""Workspaces whose root and members have the same builds, which the root keeps apart.

Each member that needs torch holds its own extras or groups, with sources; conflicts in the root
name them by package. The root need not have torch itself: its extras then ask for its members'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.layout.configuration import read_configuration
from torchconf.model.intent import lists_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchconf.catalog import Catalog
    from torchconf.layout.configuration import Configuration
    from torchconf.model.project import Project

__all__ = ["alone", "is_bound", "read_shared_configuration", "sharing_members"]


def read_shared_configuration(
    project: Project, around: Sequence[Project], catalog: Catalog
) -> Configuration:
    """Read the PyTorch tables of a project; of a root without any, those that its members share.

    Args:
        project: The project.
        around: The other members of its workspace.
        catalog: What the indexes are.
    """
    own = read_configuration(project, catalog)
    if own.layout is not None or not project.is_workspace_root:
        return own
    sharing = [one for _, one in sharing_members(project, around, catalog)]
    if not sharing:
        return own
    there: set[str] = {name for one in sharing for name in one.packages}
    return sharing[0]._replace(
        packages=tuple(canonicalize_name(name) for name in catalog.family if name in there),
        unreadable=tuple(place for one in sharing for place in one.unreadable),
        foreign=tuple(entry for one in sharing for entry in one.foreign),
    )


def sharing_members(
    root: Project, around: Iterable[Project], catalog: Catalog
) -> tuple[tuple[Project, Configuration], ...]:
    """Return the members that have the builds of their workspace, each with its configuration.

    Empty where they do not have the same ones, or where the root says nothing of them.
    """
    if root.root is not None or not root.is_workspace_root:
        return ()
    main = catalog.main_package
    routing = [member for member in around if main in member.sources]
    found = [(member, read_configuration(alone(member, catalog), catalog)) for member in routing]
    kinds = {
        (one.layout, one.default, frozenset(one.targets), one.scopes, frozenset(one.names.items()))
        for _, one in found
    }
    if len(kinds) != 1 or not all(is_bound(root, member, one.scopes) for member, one in found):
        return ()
    return tuple(found)


def is_bound(root: Project, member: Project, scopes: Iterable[str]) -> bool:
    """Tell whether a root keeps builds of a member apart, or has an extra that asks for one.

    A root without `[project]` has no extras; where one build is left, its list of targets says it.
    """
    scopes = frozenset(scopes)
    if not root.has_project and len(scopes) == 1 and lists_targets(root):
        return True
    return any(
        item.package == member.name and item.name in scopes
        for conflict in root.conflicts
        for item in conflict.items
    ) or any(
        one.name == member.name and not scopes.isdisjoint(one.extras)
        for section in root.extras.values()
        for one in section.requirements
    )


def alone(member: Project, catalog: Catalog) -> Project:
    """Return a member as if its root had no sources of the family: it has, or gets, its own."""
    root = member.root
    if root is None:
        return member
    others = {name: own for name, own in root.sources.items() if name not in catalog.family}
    return member.changed(root=root.changed(sources=others))
