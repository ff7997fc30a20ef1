"""Plans for files that uv would not lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors import ProjectError
from torchconf.model.read_project import read_again, read_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.catalog import Catalog
    from torchconf.edits.draft import Draft
    from torchconf.model.project import Project

__all__ = ["read_planned", "refuse_what_uv_refuses"]


def refuse_what_uv_refuses(
    draft: Draft,
    root: Draft,
    project: Project,
    catalog: Catalog,
    around: Sequence[Project] = (),
    were: Sequence[Project] | None = None,
) -> None:
    """Refuse a plan for a file that uv locks now and would not lock afterwards.

    What other parts of the file do to a change, an alias of an extra for example, only the routing
    rule can tell; and what the other members of a workspace do.

    Args:
        draft: Of the project's file.
        root: Of its workspace root's, or `draft` again.
        project: As it is.
        catalog: Who needs torch.
        around: The other members of its workspace, as they will be.
        were: As they are; None: they stay so.

    Raises:
        ProjectError: It is such a plan.
    """
    if not around and (project.root is not None or project.is_workspace_root):
        return
    # Imported here: a project without PyTorch tables has nothing that could get in the way.
    from torchconf.layout.shared_builds import sharing_members
    from torchconf.resolve.needs import needs_of
    from torchconf.resolve.routes import routes

    planned, members = read_planned(draft, root, project, around)
    needs = needs_of([planned, *members], catalog)
    error = routes(planned, members=members, needs=needs).error
    if error is None:
        return
    were = around if were is None else were
    needs = needs_of([project, *were], catalog)
    if routes(project, members=were, needs=needs).error is not None:
        return
    raise ProjectError(
        f"uv would refuse to lock the project after this change: {error.message}",
        at=error.at,
        help=_cure(project, catalog, around)
        if around and not sharing_members(planned, members, catalog)
        else "often an extra or group that includes another one is the cause; run "
        "`torchconf show` to see what each installs now",
    )


def read_planned(
    draft: Draft, root: Draft, project: Project, around: Sequence[Project]
) -> tuple[Project, tuple[Project, ...]]:
    """Return a project as the drafts say it will be, and the members around it."""
    if not draft.steps and not root.steps:
        return project, tuple(around)
    above = project.root and read_project(root.data, at=project.root.at)
    planned = read_again(project, draft.data, root=above)
    members = (
        read_project(each.data, root=above or planned, at=each.at) if each.root else each
        for each in around
    )
    return planned, tuple(members)


def _cure(project: Project, catalog: Catalog, around: Sequence[Project]) -> str:
    """Say what helps where another member stands in the way."""
    routing = [each for each in around if any(name in catalog.family for name in each.sources)]
    if not routing:
        return (
            "other members of this workspace require the package too: pass `--layout groups` in "
            "the workspace root"
        )
    one, other = project.written_name, routing[0].written_name
    return (
        f"`{other}` has builds of its own: give each member the same ones by hand, and declare in "
        "the workspace root a conflict for each pair of builds that differ, such as "
        f'`[{{ package = "{one}", group = "cpu" }}, {{ package = "{other}", group = "cuda" }}]`'
    )
