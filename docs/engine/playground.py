"""What the playground asks about a pyproject.toml or a script that somebody pasted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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

    from torchconf.edits.plan import Step
    from torchconf.model.project import Project
    from torchconf.rules.engine import CheckResult, Placed

__all__ = ["Pasted", "change", "explain", "fix", "inspect", "rule"]


class Pasted(NamedTuple):
    """A text, and whether it is a script with a block of metadata."""

    text: str
    is_script: bool = False

    @property
    def name(self) -> str:
        """How it is called in messages."""
        return "script.py" if self.is_script else "pyproject.toml"

    def unit(self) -> Unit:
        """Return it as what the rules check."""
        file = CheckedFile(self.name, self.text, is_script=self.is_script)
        return Unit(file, catalog=catalog())

    def project(self) -> Project:
        """Read it.

        Raises:
            ProjectError: It cannot be read.
        """
        if not self.is_script:
            return read_text(self.text)
        # Imported here: few visitors have a script.
        from torchconf.edits.read_toml import read_toml
        from torchconf.model.read_project import read_project
        from torchconf.model.scripts import as_project, find_block

        block = find_block(self.text, self.name)
        read = as_project(read_toml(block.padded, self.name)) if block else {}
        return read_project(read, at=self.name, is_script=True)

    def edited(self, steps: Iterable[Step]) -> str:
        """Return the text after the steps of a plan."""
        if not self.is_script:
            return edit_text(self.text, steps)
        from torchconf.edits.script import edit_script

        return edit_script(self.text, steps, self.name)

    def changed(self, new: str, taken: Iterable[str] = ()) -> dict[str, Any]:
        """Return a new text, and how it differs."""
        diff = unified_diff(self.text, new, self.name)
        return {"text": new, "diff": diff, "taken": [*taken]}


def inspect(file: Pasted) -> dict[str, Any]:
    """Return the findings, the table, and the targets that a file has and could have."""
    (result,) = file.unit().check()
    project = file.project()
    found: dict[str, Any] = {"findings": _findings(result), "ignored": result.ignored}
    # A file can be wrong in a way that leaves no table; its findings then say so.
    try:
        found["table"] = table_of(project)
    except TorchconfError as error:
        found["no_table"] = error.message
    found["targets"] = _targets(project)
    return found


def fix(file: Pasted, place: list[Any] | None, *, unsafe: bool) -> dict[str, Any]:
    """Take one fix, or all.

    Args:
        file: The file.
        place: Code, place and message of the finding to fix; None for all.
        unsafe: Whether fixes that change more than what is surely wrong are taken too, of all.

    Raises:
        RequestError: The fix cannot be taken.
    """
    unit = file.unit()
    if place is None:
        (fixed,) = unit.fix(unsafe=unsafe)
        return file.changed(fixed.text, [finding.message for finding in fixed.taken])
    (result,) = unit.check()
    one = next((one for one in result.findings if _place(one) == list(place)), None)
    new = unit.fix_one(one) if one is not None else None
    if one is None or new is None:
        raise RequestError(
            "this fix is not taken: it would not help, or cause another finding",
            help="edit the file by hand",
        )
    return file.changed(new, [one.finding.message])


def explain(file: Pasted, platform: str, package: str, command: str) -> dict[str, Any]:
    """Explain one cell of the table, step by step."""
    # Imported here: only a click needs them.
    from torchconf.report.explain import explain_routes
    from torchconf.resolve.needs import needs_of
    from torchconf.resolve.routes import routes

    project = file.project()
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
    """Return the page of a rule.

    Raises:
        RequestError: There is none of this code.
    """
    from torchconf.report.explain import page
    from torchconf.rules import RULES

    found = next((one for one in RULES if one.code == code), None)
    if found is None:
        raise RequestError(f"unknown rule `{code}`")
    return {"code": found.code, "page": page(found), "reference": found.reference}


def change(file: Pasted, add: Iterable[str], remove: Iterable[str], layout: str) -> dict[str, Any]:
    """Add or remove targets, as `add-target` and `remove-target` do."""
    known = catalog()
    project = file.project()
    request = Request(
        add=tuple(parse_target_spec(word, known.vocabulary) for word in add),
        remove=tuple(parse_target_spec(word, known.vocabulary) for word in remove),
        layout=layout,
    )
    outcome = plan_targets(request, project, known, facts_of(project))
    return {**file.changed(file.edited(outcome.plan.steps)), **outcome_of(outcome)}


def _place(one: Placed) -> list[Any]:
    return [one.finding.code, one.finding.at, one.finding.message]


def _findings(result: CheckResult) -> list[dict[str, Any]]:
    return [
        said | {"place": _place(one), "title": one.finding.fix and one.finding.fix.title}
        for said, one in zip(data([result]), result.findings, strict=True)
    ]


def _targets(project: Project) -> dict[str, Any]:
    """Return the targets of a file, and those that it could have besides.

    What stands in the way of one is said when somebody asks for it: to plan each takes too long.
    """
    # Imported here: a file that cannot be read does not get this far.
    from docs.engine.kinds import kinds
    from torchconf.layout.configuration import read_configuration
    from torchconf.layout.intent import intended

    known = catalog()
    try:
        present = intended(project, known, read_configuration(project, known))
    except TorchconfError as error:
        return {"present": [], "possible": [], "doubt": error.message}
    there = {(target.platform, target.backend.accelerator) for target in present}
    return {
        "present": [str(target) for target in present],
        "possible": [
            f"{platform.short}-{kind.word}"
            for platform in PLATFORMS
            for kind in kinds(platform)
            if kind.accelerator and (platform, kind.accelerator.name) not in there
        ],
    }
