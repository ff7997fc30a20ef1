"""The files of a new project, as texts: those of its template, filled in for its targets."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from torchconf.catalog import load_catalog
from torchconf.cli.new_target_values import target_values
from torchconf.edits import edit_text
from torchconf.edits.read_toml import read_toml
from torchconf.files import NAME
from torchconf.model.read_project import read_project
from torchconf.planner import Facts, plan_targets
from torchconf.templates import license_text, render, render_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchconf.model.project import Project
    from torchconf.planner import Outcome, Request
    from torchconf.templates import Template

__all__ = ["commands", "complete", "plan", "read_text"]


def read_text(texts: Mapping[str, str]) -> Project:
    """Return the project of a template's files."""
    return read_project(read_toml(texts[NAME], NAME), at=NAME)


def plan(
    texts: Mapping[str, str], values: Mapping[str, str], request: Request
) -> tuple[dict[str, str], Outcome]:
    """Plan the torch tables; return the texts that the plan is for, with it.

    A template that requires torch itself is published with it: it then says from which release on.
    """
    catalog, facts = load_catalog(), Facts(folder=values["name"])
    outcome = plan_targets(request, read_text(texts), catalog, facts)
    bare = json.dumps(catalog.main_package)
    release = outcome.choice.release
    if release is None or bare not in texts[NAME]:
        return dict(texts), outcome
    asked = request.torch if request.torch and not request.torch[0].isdigit() else None
    bound = json.dumps(f"{catalog.main_package}{asked or f'>={release}'}")
    bounded = {**texts, NAME: texts[NAME].replace(bare, bound)}
    return bounded, plan_targets(request, read_text(bounded), catalog, facts)


def complete(
    template: Template, texts: Mapping[str, str], values: Mapping[str, str], outcome: Outcome
) -> dict[str, str]:
    """Return all files: with the torch tables, and with what all templates share."""
    own = {**texts, NAME: edit_text(texts[NAME], outcome.plan.steps, NAME)}
    holder = f"The {values['name']} developers"
    license_ = license_text(values["license"], holder, time.localtime().tm_year)
    if license_ is not None:
        own["LICENSE"] = license_
    has_types = "[tool.mypy]" in own[NAME]
    run, test = commands(template, values)
    shared = {
        **values,
        **target_values(outcome, load_catalog(), values["name"]),
        "checks": [
            "uv run --no-sync ruff check",
            "uv run --no-sync ruff format --check",
            *(["uv run --no-sync mypy"] if has_types else []),
            test,
        ],
        "has_types": has_types,
        "license_text": license_ is not None,
        "run": run,
    }
    return dict(sorted({**own, **render(template.name, shared, shared=True)}.items()))


def commands(template: Template, values: Mapping[str, str]) -> tuple[list[str], str]:
    """Return the commands that run a project, and the one that tests it."""
    run = [render_text(command, values) for command in template.run]
    return run, render_text(template.test, values)
