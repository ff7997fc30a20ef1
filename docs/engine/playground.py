"""What the playground asks about a pyproject.toml that somebody pasted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docs.engine.selector import outcome_of, table_of
from docs.engine.state import catalog, facts_of, read_text
from torchconf.edits import edit_text
from torchconf.errors import RequestError, TorchconfError
from torchconf.files import unified_diff
from torchconf.model.target_spec import parse_target_spec
from torchconf.model.targets import PLATFORMS
from torchconf.planner import Request, plan_targets
from torchconf.report.findings import data
from torchconf.rules.engine import CheckedFile, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.model.project import Project
    from torchconf.rules.engine import CheckResult, Placed

__all__ = ["change", "explain", "fix", "inspect", "rule"]

_NAME = "pyproject.toml"
_BOM = "\ufeff"


def inspect(text: str) -> dict[str, Any]:
    """Return the findings, the table, and the targets that a file has and could have."""
    text = text.removeprefix(_BOM)
    (result,) = _unit(text).check()
    project = read_text(text)
    found: dict[str, Any] = {"findings": _findings(result), "ignored": result.ignored}
    # A file can be wrong in a way that leaves no table; its findings then say so.
    try:
        found["table"] = table_of(project)
    except TorchconfError as error:
        found["no_table"] = error.message
    found["targets"] = _targets(project)
    return found


def fix(text: str, place: list[Any] | None = None, *, unsafe: bool = False) -> dict[str, Any]:
    """Take one fix, or all that are safe.

    Args:
        text: The file.
        place: Code, place and message of the finding to fix; None for all.
        unsafe: Whether fixes that change more than what is surely wrong are taken too.
    """
    text = text.removeprefix(_BOM)
    unit = _unit(text)
    if place is None:
        (fixed,) = unit.fix(unsafe=unsafe)
        return _changed(text, fixed.text, [finding.message for finding in fixed.taken])
    (result,) = unit.check()
    one = next((one for one in result.findings if _place(one) == list(place)), None)
    if one is None or one.finding.fix is None:
        raise RequestError("this finding has no fix any more", help="check the file again")
    return _changed(text, edit_text(text, one.finding.fix.steps), [one.finding.message])


def explain(text: str, platform: str, package: str, command: str) -> dict[str, Any]:
    """Explain one cell of the table, step by step."""
    # Imported here: only a click needs them.
    from torchconf.report.explain import explain_routes
    from torchconf.resolve.needs import needs_of
    from torchconf.resolve.routes import routes

    project = read_text(text.removeprefix(_BOM))
    known = catalog()
    found = routes(
        project,
        needs=needs_of((project,), known),
        carries=lambda index, package: known.serves(index.url, package),
    )
    where = [one for one in PLATFORMS if one.key == platform]
    explained = explain_routes(project, found, known, platforms=where, packages=[package])
    return {"explanations": [one.data() for one in explained if one.command == command]}


def rule(code: str) -> dict[str, Any]:
    """Return the page of a rule."""
    from torchconf.report.explain import page
    from torchconf.rules import RULES

    found = next((one for one in RULES if one.code == code), None)
    if found is None:
        raise RequestError(f"unknown rule `{code}`")
    return {"code": found.code, "page": page(found), "reference": found.reference}


def change(
    text: str, add: Iterable[str], remove: Iterable[str], layout: str = "auto"
) -> dict[str, Any]:
    """Add or remove targets, as `add-target` and `remove-target` do."""
    text = text.removeprefix(_BOM)
    known = catalog()
    project = read_text(text)
    request = Request(
        add=tuple(parse_target_spec(word, known.vocabulary) for word in add),
        remove=tuple(parse_target_spec(word, known.vocabulary) for word in remove),
        layout=layout,
    )
    outcome = plan_targets(request, project, known, facts_of(project))
    return {
        **_changed(text, edit_text(text, outcome.plan.steps), []),
        **outcome_of(outcome),
    }


def _unit(text: str) -> Unit:
    return Unit(CheckedFile(_NAME, text), catalog=catalog())


def _place(one: Placed) -> list[Any]:
    return [one.finding.code, one.finding.at, one.finding.message]


def _findings(result: CheckResult) -> list[dict[str, Any]]:
    return [
        said | {"place": _place(one), "title": one.finding.fix and one.finding.fix.title}
        for said, one in zip(data([result]), result.findings, strict=True)
    ]


def _changed(old: str, new: str, taken: list[str]) -> dict[str, Any]:
    return {"text": new, "diff": unified_diff(old, new, _NAME), "taken": taken}


def _targets(project: Project) -> dict[str, Any]:
    """Return the targets of a file, and those that it could have besides.

    What stands in the way of one is said when somebody asks for it: to plan each takes too long.
    """
    # Imported here: a file that cannot be read does not get this far.
    from torchconf.layout.configuration import read_configuration
    from torchconf.layout.intent import intended

    known = catalog()
    try:
        present = intended(project, known, read_configuration(project, known))
    except TorchconfError as error:
        return {"present": [], "possible": [], "doubt": error.message}
    kinds = {(target.platform, target.backend.accelerator) for target in present}
    return {
        "present": [str(target) for target in present],
        "possible": [
            f"{platform.short}-{kind.name}"
            for platform in PLATFORMS
            for kind in known.accelerators
            if platform.key in kind.platforms and (platform, kind.name) not in kinds
        ],
    }
