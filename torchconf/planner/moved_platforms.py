"""Platforms that a change is not about, beside another member that has its own sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors import ProjectError
from torchconf.model.targets import SHOWN_PLATFORMS
from torchconf.resolve.needs import needs_of
from torchconf.resolve.route import SyncOptions
from torchconf.resolve.routes import routes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.model.project import Project
    from torchconf.model.targets import Platform
    from torchconf.planner.request import Request

__all__ = ["refuse_moved_platforms"]


def refuse_moved_platforms(
    request: Request,
    project: Project,
    planned: Project,
    catalog: Catalog,
    around: Sequence[Project],
    were: Sequence[Project],
) -> None:
    """Refuse a new target that gives its build to platforms that nobody named.

    uv splits a workspace at the markers of one member before it reads those of the next, and a
    source serves all of a part in which it holds somewhere.

    Args:
        request: What is asked for.
        project: As it is.
        planned: As it will be.
        catalog: Who needs torch.
        around: The other members of its workspace, as they will be.
        were: As they are.

    Raises:
        ProjectError: Naming these platforms, and the member in the way.
    """
    main = catalog.main_package
    own = [one for one in around if one.root is not None and main in one.sources]
    if not own or not request.add or request.force:
        return
    asked = {spec.platform for spec in request.add}
    before = _indexes(project, were, catalog)
    after = _indexes(planned, around, catalog)
    moved = [
        each.key for each in SHOWN_PLATFORMS if each not in asked and before[each] != after[each]
    ]
    if moved:
        name = own[0].written_name
        raise ProjectError(
            f"`{name}` has PyTorch sources of its own: beside these, uv would give the new build "
            f"to {', '.join(moved)}, too",
            at=own[0].place(f"tool.uv.sources.{main}"),
            help=f"remove the sources of `{name}`, and add its targets in the workspace root, "
            "which serves all members",
        )


def _indexes(
    project: Project, around: Sequence[Project], catalog: Catalog
) -> Mapping[Platform, object]:
    """Return where torch comes from on each platform."""
    found = routes(project, members=around, needs=needs_of((project, *around), catalog))
    one = {project.name} if project.root is not None and project.name else set()
    choice = SyncOptions(packages=frozenset(one))
    rows = {
        each: found.row(catalog.main_package, each.environment(), choice)
        for each in SHOWN_PLATFORMS
    }
    return {each: (row.kind, row.index and row.index.url) for each, row in rows.items()}
