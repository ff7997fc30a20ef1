"""What a plan comes to: how to install each target, and what the other platforms get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.errors.shown import shown
from torchconf.layout.selection import Selection, hints, selection_of
from torchconf.model.backends import PYPI
from torchconf.model.targets import SHOWN_PLATFORMS

if TYPE_CHECKING:
    from torchconf.catalog import Catalog
    from torchconf.model.targets import Target
    from torchconf.planner import Outcome


def install_commands(outcome: Outcome) -> list[tuple[Target, str]]:
    """Return each target with the command that installs its build."""
    found: list[tuple[Target, str]] = []
    for target in outcome.targets:
        for scope in outcome.scopes:
            if scope.kind == "":
                kind, name = outcome.carrier
                selection = Selection(
                    extras=(name,) if kind == "extra" else (),
                    groups=(name,) if kind == "group" else (),
                    package=outcome.member,
                )
            elif scope.backend == target.backend:
                selection = selection_of(scope, outcome.scopes, outcome.default, outcome.member)
            else:
                continue
            found.append((target, selection.command()))
            break
    return found


def commands_table(outcome: Outcome) -> str:
    """Return the commands as aligned lines, and what else one should know to install."""
    rows = install_commands(outcome)
    if not rows:
        return ""
    width = max(len(str(target)) for target, _ in rows)
    lines = [f"{target!s:{width}}  {command}" for target, command in rows]
    lines += hints(outcome.scopes, outcome.default, outcome.member)
    return "".join(f"{shown(line)}\n" for line in lines)


def untargeted(outcome: Outcome, catalog: Catalog) -> tuple[str, ...]:
    """Say what platforms that are not targets get, in each scope."""
    targeted = {target.platform for target in outcome.targets}
    found: dict[str, list[str]] = {}
    for platform in SHOWN_PLATFORMS:
        if platform in targeted:
            continue
        for scope in outcome.scopes:
            backend = scope.at(platform)
            build = (
                catalog.pypi_build(outcome.choice.release, platform)
                if (backend == PYPI and outcome.choice.release)
                else None
            )
            gets = backend.title + (f" ({build.title})" if build else "")
            by = f" with {scope.kind} `{scope.name}`" if scope.kind else ""
            found.setdefault(f"{gets}{by}", []).append(platform.key)
    return tuple(
        f"not targeted: {', '.join(platforms)} {'gets' if len(platforms) == 1 else 'get'} {gets}"
        for gets, platforms in found.items()
    )


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON data."""
    return {
        "layout": outcome.layout,
        "torch": str(outcome.choice.release) if outcome.choice.release else None,
        "targets": [
            {"target": str(target), "command": command}
            for target, command in install_commands(outcome)
        ],
        "notes": list(outcome.plan.notes),
        "warnings": list(outcome.plan.warnings),
    }
