"""What a script cannot have: uv reads no extras, groups or environments in its block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors import ProjectError, RequestError
from torchconf.model.scripts import PROJECT_ONLY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.model.project import Project
    from torchconf.model.targets import Platform, Target
    from torchconf.planner.request import Request

__all__ = ["refuse_in_script", "refuse_two_builds"]

_PROJECT = "run `torchconf init` in a folder of its own to make a project instead"


def refuse_in_script(request: Request, project: Project) -> None:
    """Refuse what needs a setting that uv refuses in a script.

    Raises:
        RequestError: A flag asks for it.
        ProjectError: The script has one, so that uv does not run it now.
    """
    for key in PROJECT_ONLY:
        if key in project.uv:
            raise ProjectError(
                f"uv refuses a script with `{key}` in `[tool.uv]`",
                at=project.place(f"tool.uv.{key}"),
                help="remove it first; run `torchconf explain TC003` for details",
            )
    asked = (
        (request.layout in {"extras", "groups"}, f"--layout {request.layout}", "conflicts"),
        (request.default not in {None, "none"}, f"--default {request.default}", "default-groups"),
        (bool(request.names), "--name", "conflicts"),
        (request.required_environments, "--required-environments", "required-environments"),
    )
    for is_asked, flag, setting in asked:
        if is_asked:
            raise RequestError(
                f"a script cannot have `{flag}`: uv refuses `{setting}` in the block of a script",
                at=project.at,
                help=f"omit it, or {_PROJECT}",
            )


def refuse_two_builds(project: Project, targets: Iterable[Target]) -> None:
    """Refuse two builds for one platform, between which only an extra or a group can choose.

    Raises:
        RequestError: Some platform has two.
    """
    found: dict[Platform, str] = {}
    for target in targets:
        first = found.setdefault(target.platform, target.backend.name)
        if first != target.backend.name:
            raise RequestError(
                f"a script has one build for each platform, but {target.platform.short} would have "
                f"{first} and {target.backend.name}: uv reads no extras or groups in a script",
                at=project.at,
                help=f"omit one of them, or {_PROJECT}",
            )
