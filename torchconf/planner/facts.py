"""What the planner must know beside the project's file, told from texts that were read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.model.uv_lock import locked_release, needs, reached
from torchconf.planner.request import NOBODY, Facts
from torchconf.planner.workspace_needs import installed_by_default, workspace_needs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.catalog import Catalog
    from torchconf.model.project import Project


def gather_facts(
    project: Project,
    catalog: Catalog,
    *,
    folder: str,
    lockfile: str = "",
    members: Iterable[Project] = (),
    libraries: Iterable[Project] = (),
) -> Facts:
    """Gather what the planner must know beside the file.

    Args:
        project: The project.
        catalog: Who is known to need torch.
        folder: Name of the project's folder.
        lockfile: The text of uv.lock; empty if there is none.
        members: The other members of the workspace.
        libraries: Local libraries that the project reaches.
    """
    members = tuple(members)
    graph: dict[str, frozenset[str]] = dict(catalog.dependents)
    for name, needed in needs(lockfile).items() if lockfile else ():
        graph[name] = graph.get(name, frozenset()) | needed
    for library in libraries:
        name = library.name or ""
        graph[name] = graph.get(name, frozenset()) | {r.name for r in library.dependencies}
    family = frozenset(catalog.family)
    declared = installed_by_default(project) - family
    # Sources of a root reach what the dependencies of its members bring, if the root requires it.
    routed = (m for m in members if project.root is None and project.has_project)
    beside = frozenset().union(
        *(installed_by_default(m) for m in routed if catalog.main_package not in m.sources)
    )
    by_member = {
        member.written_name or "": frozenset(r.name for r in member.requirements())
        for member in (members if project.root is None else ())
    }
    return Facts(
        folder=folder,
        locked=locked_release(lockfile, catalog.main_package) if lockfile else None,
        needed=(reached(declared | (beside - family), graph) & family) - catalog.triton_packages,
        elsewhere=frozenset().union(*by_member.values()) & family - catalog.triton_packages,
        members=tuple(name for name, needed in by_member.items() if catalog.main_package in needed),
        around=members,
        needing=workspace_needs((project, *members), graph, catalog) if by_member else NOBODY,
    )
