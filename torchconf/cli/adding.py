"""The command that adds a target to a project, for a message that proposes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors import TorchconfError
from torchconf.model.target_spec import spec_of
from torchconf.planner import Request, plan_targets
from torchconf.workspace.facts import read_facts

if TYPE_CHECKING:
    from torchconf.model.targets import Target
    from torchconf.workspace.opened import OpenProject

__all__ = ["adding_command"]


def adding_command(context: OpenProject, target: Target) -> str | None:
    """Return the command that adds a target, with the layout that it needs; None: none does."""
    command = f"torchconf add-target {target}"
    facts = read_facts(context)
    for layout in ("auto", "extras", "groups"):
        request = Request(add=(spec_of(target),), layout=layout)
        try:
            plan_targets(request, context.project, context.catalog, facts)
        except TorchconfError:
            continue
        return command if layout == "auto" else f"{command} --layout {layout}"
    return None
