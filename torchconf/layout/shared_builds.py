"""Workspaces whose root and members have the same builds, which the root keeps apart.

Each member that needs torch holds its own extras or groups, with sources; conflicts in the root
name them by package. The root need not have torch itself: its extras then ask for its members'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.layout.configuration import is_cut, read_configuration
from torchconf.model.intent import lists_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

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
    members = sharing_members(project, around, catalog)
    if not members:
        return own
    sharing = [own, *(one for _, one in members)]
    first = own
    if own.layout is None:
        routed = project.changed(sources=members[0][0].sources)
        first = sharing[1]._replace(cut=is_cut(routed, catalog))
    there: set[str] = {name for one in sharing for name in one.packages}
    return first._replace(
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
    bound = _bound(root) if routing else {}
    bare = _bare(root, catalog)
    found: list[tuple[Project, Configuration]] = []
    kind: object = None
    for member in routing:
        one = read_configuration(member.changed(root=bare), catalog)
        own = (one.layout, one.default, {*one.targets}, one.scopes, {*one.names.items()})
        if (found and own != kind) or not _is_bound(
            root, bound.get(member.name, set()), one.scopes
        ):
            return ()
        kind = own
        found.append((member, one))
    return tuple(found)


def is_bound(root: Project, member: Project, scopes: Iterable[str]) -> bool:
    """Tell whether a root keeps builds of a member apart, or has an extra that asks for one.

    A root without `[project]` has no extras; where one build is left, its list of targets says it.
    """
    return _is_bound(root, _bound(root).get(member.name, set()), scopes)


def _is_bound(root: Project, bound: AbstractSet[str | None], scopes: Iterable[str]) -> bool:
    scopes = frozenset(scopes)
    if not root.has_project and len(scopes) == 1 and lists_targets(root):
        return True
    return not scopes.isdisjoint(bound)


def _bound(root: Project) -> dict[str | None, set[str | None]]:
    """Return the extras and groups that a root keeps apart or asks for, by project."""
    found: dict[str | None, set[str | None]] = {}
    for conflict in root.conflicts:
        for item in conflict.items:
            found.setdefault(item.package, set()).add(item.name)
    for section in root.extras.values():
        for one in section.requirements:
            found.setdefault(one.name, set()).update(one.extras)
    return found


def alone(member: Project, catalog: Catalog) -> Project:
    """Return a member as if its root had no sources of the family: it has, or gets, its own."""
    return member if member.root is None else member.changed(root=_bare(member.root, catalog))


def _bare(root: Project, catalog: Catalog) -> Project:
    others = {name: own for name, own in root.sources.items() if name not in catalog.family}
    return root.changed(sources=others)
