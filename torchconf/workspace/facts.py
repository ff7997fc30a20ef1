"""What the planner must know beside the project's file, as it stands on the disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from torchconf.errors import TorchconfError
from torchconf.planner.facts import gather_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.model.project import Project
    from torchconf.planner import Facts
    from torchconf.workspace.opened import OpenProject


def read_facts(context: OpenProject) -> Facts:
    """Read the lockfile and the members of the workspace."""
    project = context.project
    facts = gather_facts(
        project,
        context.catalog,
        folder=os.path.basename(context.folder),
        lockfile=context.lockfile(),
        members=_other_members(context),
        libraries=_libraries(project),
    )
    if project.has_project or project.is_script or not project.data:
        return facts
    return facts._replace(has_setup=os.path.isfile(os.path.join(context.folder, "setup.py")))


def _libraries(project: Project) -> Iterator[Project]:
    """Read the local libraries that a project reaches."""
    by_path = any(
        source.kind == "path" for entries in project.sources.values() for source in entries
    )
    if by_path or any(requirement.url for requirement in project.requirements()):
        # Imported here: few projects have one.
        from torchconf.workspace.libraries import read_libraries

        yield from filter(None, read_libraries([project]).values())


def _other_members(context: OpenProject) -> tuple[Project, ...]:
    """Read the other members of the workspace; around a member, only if all can be read."""
    if context.project.is_workspace_root:
        return context.workspace().members
    if context.project.root is None:
        return ()
    try:
        return context.workspace().members
    except TorchconfError:
        return ()
