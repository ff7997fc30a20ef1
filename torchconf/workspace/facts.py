"""What the planner must know beside the project's file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from torchconf.model.uv_lock import locked_release, needs, reached
from torchconf.planner import Facts
from torchconf.workspace.opened import LOCKFILE

if TYPE_CHECKING:
    from torchconf.model.project import Project
    from torchconf.workspace.opened import OpenProject


def read_facts(context: OpenProject) -> Facts:
    """Gather what the planner must know beside the file."""
    project, catalog = context.project, context.catalog
    graph: dict[str, frozenset[str]] = dict(catalog.dependents)
    locked = None
    try:
        with open(os.path.join(context.lock_folder, LOCKFILE), encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        text = ""
    if text:
        locked = locked_release(text, catalog.main_package)
        for name, needed in needs(text).items():
            graph[name] = graph.get(name, frozenset()) | needed
    family = frozenset(catalog.family)
    declared = _installed_by_default(project) - family
    members = _members(context)
    return Facts(
        folder=os.path.basename(context.folder),
        locked=locked,
        needed=(reached(declared, graph) & family) - catalog.triton_packages,
        elsewhere=frozenset().union(*members.values()) & family - catalog.triton_packages,
        members=tuple(name for name, needed in members.items() if catalog.main_package in needed),
    )


def _members(context: OpenProject) -> dict[str, frozenset[str]]:
    """Return what the members of a workspace root declare by themselves, by member."""
    if not context.project.is_workspace_root:
        return {}
    return {
        member.written_name or "": frozenset(r.name for r in member.requirements())
        for member in context.workspace().members
    }


def _installed_by_default(project: Project) -> frozenset[str]:
    """Return the packages of the base dependencies and the default groups."""
    names = {requirement.name for requirement in project.dependencies}
    for group in project.installed_groups():
        names |= {requirement.name for requirement in project.groups[group].requirements}
    return frozenset(names)
