"""The table of `show` for a project on the disk, as several commands need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.resolve.table import route_table

if TYPE_CHECKING:
    from torchconf.resolve.table import Row
    from torchconf.workspace.opened import OpenProject

__all__ = ["rows_of"]


def rows_of(context: OpenProject) -> tuple[Row, ...]:
    """Return the rows of a project, with its workspace, local libraries and lockfile."""
    around = context.workspace()
    return route_table(
        context.project,
        context.catalog,
        members=around.members,
        libraries=around.libraries,
        lockfile=context.lockfile,
        linked=around.linked,
    )
