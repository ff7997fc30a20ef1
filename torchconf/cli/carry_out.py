"""Carry out a request: plan, edit, show or write, lock, report. What writing commands share."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from torchconf import files, report
from torchconf.edits import edit_text
from torchconf.files import Change, spoken_path
from torchconf.planner import plan_targets
from torchconf.workspace.facts import read_facts

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from torchconf.planner import Outcome, Request
    from torchconf.workspace.opened import OpenProject


def carry_out(options: argparse.Namespace, context: OpenProject, request: Request) -> int:
    """Plan a request, and write, print or check what it changes; return the exit status."""
    outcome = plan_targets(request, context.project, context.catalog, read_facts(context))
    changes = make_changes(context, outcome)
    changed = any(change.is_one for change in changes)
    if changed and not options.dry_run and not options.check:
        write_changes(options, context, changes)
    if options.format == "json":
        _report_json(options, context, outcome, changes)
    else:
        _report_text(options, context, outcome, changes)
    return 1 if options.check and changed else 0


def make_changes(context: OpenProject, outcome: Outcome) -> list[Change]:
    """Edit the text of every file that a plan is about; nothing is written.

    Raises:
        WriteRefused: A file can not be edited as planned.
    """
    return [
        Change(file, edit_text(file.text, steps, spoken_path(file.path)))
        for file, steps in (
            (context.root_file, outcome.plan.root_steps),
            (context.file, outcome.plan.steps),
        )
        if file is not None and (steps or file is context.file)
    ]


def write_changes(
    options: argparse.Namespace,
    context: OpenProject,
    changes: Sequence[Change],
    anew: Sequence[str] = (),
) -> None:
    """Replace all files or none; with `--lock` run uv, and put everything back if it fails.

    Args:
        options: Those of the command line.
        context: The project.
        changes: Of its files.
        anew: Packages of which the lockfile shall not keep the versions that it has.
    """
    if not options.lock:
        files.replace_all(changes)
        return
    # Imported here: few runs lock.
    from torchconf.cli.lock_after_edit import replace_and_lock

    replace_and_lock(changes, context.lock_folder, quiet=bool(options.quiet), anew=anew)


def _report_text(
    options: argparse.Namespace, context: OpenProject, outcome: Outcome, changes: Sequence[Change]
) -> None:
    report.warnings(outcome.plan.warnings, options)
    if not options.quiet:
        report.notes((*outcome.plan.notes, *report.others(outcome, context.catalog)))
    if options.dry_run:
        report.diff("".join(change.diff for change in changes), options)
        return
    for change in changes:
        shown = spoken_path(change.file.path)
        if options.check:
            sys.stderr.write(f"{shown} {'would change' if change.is_one else 'is as asked'}\n")
        elif not options.quiet:
            done = f"wrote {shown}" if change.is_one else f"{shown} is as asked, left alone"
            sys.stderr.write(f"{done}\n")
    if not options.check:
        sys.stdout.write(report.commands_table(outcome))


def _report_json(
    options: argparse.Namespace, context: OpenProject, outcome: Outcome, changes: Sequence[Change]
) -> None:
    changed = any(change.is_one for change in changes)
    data: dict[str, Any] = {
        "schema_version": 1,
        "path": context.file.path,
        "changed": changed,
        "written": changed and not options.dry_run and not options.check,
        **report.outcome_data(outcome),
        "diff": "".join(change.diff for change in changes),
    }
    sys.stdout.write(json.dumps(data, indent=2) + "\n")
