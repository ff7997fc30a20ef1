"""The table of `show` for a project on the disk, as several commands need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.resolve.table import route_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.layout.selection import Selection
    from torchconf.model.project import Project
    from torchconf.resolve.table import Row
    from torchconf.workspace.opened import OpenProject

__all__ = ["members_of", "rows_of"]


def members_of(context: OpenProject) -> tuple[Project, ...]:
    """Return the members of a workspace root, whose builds may be those of the root."""
    return context.workspace().members if context.project.is_workspace_root else ()


def rows_of(
    context: OpenProject, *, also: Iterable[Selection] = (), on: Iterable[str] = ()
) -> tuple[Row, ...]:
    """Return the rows of a project, with its workspace, local libraries and lockfile.

    Args:
        context: The project.
        also: Choices that it need not have.
        on: Further platforms.
    """
    around = context.workspace()
    return route_table(
        context.project,
        context.catalog,
        members=around.members,
        libraries=around.libraries,
        lockfile=context.lockfile,
        linked=around.linked,
        also=also,
        on=on,
    )
