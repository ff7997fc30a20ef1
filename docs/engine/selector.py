"""The answer of the selector: what `torchconf init` writes, and how each target is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docs.engine.state import (
    DEFAULT_FOLDER,
    catalog,
    empty_project,
    facts_of,
    read_text,
    request_of,
)
from torchconf.edits import edit_text
from torchconf.errors import RequestError
from torchconf.layout.selection import hints
from torchconf.model.target_spec import means
from torchconf.planner import plan_targets
from torchconf.report.grid import grid_of, notes_of
from torchconf.report.outcome import outcome_data, untargeted
from torchconf.resolve.table import route_table
from torchconf.wizard.equivalent_command import command_words

if TYPE_CHECKING:
    from torchconf.model.project import Project
    from torchconf.planner import Outcome

__all__ = ["answer", "outcome_of", "table_of"]


def answer(state: dict[str, Any]) -> dict[str, Any]:
    """Return the file, the commands, the table and the line that makes the same.

    Raises:
        TorchconfError: What `init` would say.
    """
    request = request_of(state)
    if not request.specs:
        raise RequestError("no build is selected", help="select a build for at least one platform")
    project = empty_project()
    facts = facts_of(project, state.get("name") or DEFAULT_FOLDER)
    outcome = plan_targets(request, project, catalog(), facts)
    text = edit_text("", outcome.plan.steps)
    return {
        "text": text,
        **outcome_of(outcome),
        "resolved": {
            spec.text: str(target)
            for spec in request.specs
            for target in outcome.targets
            if means(spec, target)
        },
        "table": table_of(read_text(text)),
        "words": command_words("init", request),
    }


def outcome_of(outcome: Outcome) -> dict[str, Any]:
    """Return how each target is installed, and what is to be said."""
    data = outcome_data(outcome)
    return {
        **data,
        "hints": [*hints(outcome.scopes, outcome.default, by_machine=outcome.by_machine)]
        if outcome.scopes
        else [],
        "notes": [*data["notes"], *untargeted(outcome, catalog())],
    }


def table_of(project: Project) -> dict[str, Any]:
    """Return the table of `show`: titles, and a line per command and package."""
    rows = route_table(project, catalog())
    grid = grid_of(rows)
    return {
        "head": grid.head,
        "platforms": list(dict.fromkeys(row.platform for row in rows)),
        "rows": [
            [line.command, line.package, [[c.text, c.build, c.state.value] for c in line.cells]]
            for line in grid.lines
        ],
        "notes": notes_of(rows),
    }
