"""What a plan comes to: how to install each target, and what the other platforms get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.catalog import Answer
from torchconf.errors.shown import shown
from torchconf.layout.selection import Selection, hints, selection_of
from torchconf.model.backends import PYPI
from torchconf.model.targets import SHOWN_PLATFORMS

if TYPE_CHECKING:
    from torchconf.catalog import Catalog
    from torchconf.layout.layouts import Scope
    from torchconf.model.targets import Platform, Target
    from torchconf.planner import Outcome
    from torchconf.resolve.wheels import Judged


def install_choices(outcome: Outcome) -> list[tuple[Target, Selection]]:
    """Return each target with the choice that installs its build."""
    found: list[tuple[Target, Selection]] = []
    for target in outcome.targets:
        for scope in outcome.scopes:
            if scope.kind == "" or scope.backend == target.backend:
                found.append((target, _selection(scope, outcome)))
                break
    return found


def _selection(scope: Scope, outcome: Outcome) -> Selection:
    """Return the choice that installs the builds of one scope."""
    if scope.kind:
        return selection_of(
            scope,
            outcome.scopes,
            outcome.default,
            outcome.member,
            by_machine=outcome.by_machine,
        )
    if outcome.planned.is_script:
        return Selection(script=outcome.planned.at)
    kind, name = outcome.carrier
    return Selection(
        extras=(name,) if kind == "extra" else (),
        groups=(name,) if kind == "group" else (),
        package=outcome.member,
    )


def commands_table(outcome: Outcome, catalog: Catalog) -> str:
    """Return the commands as aligned lines, and what else one should know to install."""
    rows = [(target, chosen.command()) for target, chosen in install_choices(outcome)]
    if not rows:
        return ""
    width = max(len(str(target)) for target, _ in rows)
    lines = [f"{target!s:{width}}  {command}" for target, command in rows]
    lines += hints(outcome.scopes, outcome.default, outcome.member, by_machine=outcome.by_machine)
    if outcome.planned.is_script:
        # Imported here: most projects are no scripts.
        from torchconf.report.tools import tool_lines

        lines += tool_lines(outcome.targets, catalog)
    return "".join(f"{shown(line)}\n" for line in lines)


def untargeted(outcome: Outcome, catalog: Catalog) -> tuple[str, ...]:
    """Say what platforms that are not targets get, with each choice of a build.

    The routes of the file as it will be decide, not what was meant.
    """
    targeted = {target.platform for target in outcome.targets}
    others = [platform for platform in SHOWN_PLATFORMS if platform not in targeted]
    if not others:
        return ()
    # Imported here: where every platform is a target, there is nothing to ask.
    from torchconf.resolve.choices import choice_of
    from torchconf.resolve.needs import needs_of
    from torchconf.resolve.routes import routes
    from torchconf.resolve.wheels import Wheels

    planned, around = outcome.planned, outcome.around
    found = routes(planned, members=around, needs=needs_of((planned, *around), catalog))
    if found.error is not None or found.doubt is not None:
        return ()
    wheels = Wheels(planned, catalog)
    said: dict[str, list[str]] = {}
    for platform in others:
        for scope in outcome.scopes:
            choice = choice_of(_selection(scope, outcome))
            route = found.row(catalog.main_package, platform.environment(), choice)
            judged = wheels.judge(catalog.main_package, platform, route)
            gets = _gets(judged, platform, outcome, catalog)
            by = f" with {scope.kind} `{scope.name}`" if scope.kind else ""
            said.setdefault(f"{gets}{by}", []).append(platform.key)
    return tuple(
        f"not targeted: {', '.join(platforms)} {'gets' if len(platforms) == 1 else 'get'} {gets}"
        for gets, platforms in said.items()
    )


def _gets(judged: Judged, platform: Platform, outcome: Outcome, catalog: Catalog) -> str:
    """Return the words for what a platform gets."""
    backend = judged.backend
    if backend is None:
        main = catalog.main_package
        return f"another {main}: {judged.reason}" if judged.reason else f"no {main}"
    if backend == PYPI and outcome.choice.release is not None:
        build = catalog.pypi_build(outcome.choice.release, platform)
        return backend.title + (f" ({build.title})" if build else "")
    lacks = judged.available is Answer.NO
    return backend.title + (", which has no wheel for it" if lacks else "")


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON data."""
    return {
        "layout": outcome.layout,
        "torch": str(outcome.choice.release) if outcome.choice.release else None,
        "targets": [
            {"target": str(target), "command": chosen.command()}
            for target, chosen in install_choices(outcome)
        ],
        "notes": list(outcome.plan.notes),
        "warnings": list(outcome.plan.warnings),
    }
