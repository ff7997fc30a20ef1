"""Carry out a request: plan, edit, show or write, lock, report. What writing commands share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torchconf import files
from torchconf.files import spoken_path
from torchconf.planner import plan_targets
from torchconf.report.messages import print_diff, print_notes, print_warnings
from torchconf.report.outcome import commands_table, outcome_data, untargeted
from torchconf.workspace.facts import read_facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.cli.options import CommonOptions, WritingOptions
    from torchconf.files import Change
    from torchconf.planner import Outcome, Request
    from torchconf.workspace.opened import OpenProject


def carry_out(
    context: OpenProject,
    request: Request,
    writing: WritingOptions,
    common: CommonOptions,
    notes: Sequence[str] = (),
) -> int:
    """Plan a request, and write, print or check what it changes; return the exit status.

    Args:
        context: The project.
        request: What is asked for.
        writing: How to go about it.
        common: What every command takes.
        notes: What else to say.
    """
    outcome = plan_targets(request, context.project, context.catalog, read_facts(context))
    said = (*outcome.plan.notes, *notes)
    outcome = outcome._replace(plan=outcome.plan._replace(notes=said))
    changes = make_changes(context, outcome)
    changed = any(change.is_one for change in changes)
    if changed and writing.writes:
        write_changes(context, changes, lock=writing.lock, quiet=common.quiet)
    if writing.format == "json":
        _report_json(context, outcome, changes, writing)
    else:
        _report_text(context, outcome, changes, writing, common)
    return 1 if writing.check and changed else 0


def make_changes(context: OpenProject, outcome: Outcome) -> list[Change]:
    """Edit the text of every file that a plan is about; nothing is written.

    Raises:
        WriteRefused: A file cannot be edited as planned.
    """
    members = [(files.read_file(at), steps) for at, steps in outcome.plan.member_steps.items()]
    return [
        context.edit(file, steps)
        for file, steps in (
            (context.root_file, outcome.plan.root_steps),
            (context.file, outcome.plan.steps),
            *members,
        )
        if file is not None and (steps or file is context.file)
    ]


def write_changes(
    context: OpenProject,
    changes: Sequence[Change],
    *,
    lock: bool,
    quiet: bool,
    upgrade: Sequence[str] = (),
) -> None:
    """Replace all files or none; with `lock` run uv, and restore everything if it fails.

    Args:
        context: The project.
        changes: Of its files.
        lock: Whether to run `uv lock` afterwards.
        quiet: Whether to report only failures of it.
        upgrade: Packages whose locked versions are given up.
    """
    if not lock:
        files.replace_all(changes)
        return
    # Imported here: few runs lock.
    from torchconf.cli.lock_after_edit import replace_and_lock

    replace_and_lock(changes, context, quiet=quiet, upgrade=upgrade)


def _report_text(
    context: OpenProject,
    outcome: Outcome,
    changes: Sequence[Change],
    writing: WritingOptions,
    common: CommonOptions,
) -> None:
    print_warnings(outcome.plan.warnings, common.color)
    if not common.quiet:
        print_notes((*outcome.plan.notes, *untargeted(outcome, context.catalog)))
    if writing.dry_run:
        print_diff("".join(change.diff for change in changes), common.color)
        return
    for change in changes:
        shown = spoken_path(change.file.path)
        if writing.check:
            would = f"{shown} would change" if change.is_one else f"{shown}: no changes needed"
            print_notes([would])
        elif not common.quiet:
            done = f"wrote {shown}" if change.is_one else f"{shown}: no changes needed"
            print_notes([done])
    if not writing.check:
        sys.stdout.write(commands_table(outcome, context.catalog))


def _report_json(
    context: OpenProject, outcome: Outcome, changes: Sequence[Change], writing: WritingOptions
) -> None:
    # Imported here: most people read the text.
    from torchconf.report.json_data import print_json

    changed = any(change.is_one for change in changes)
    print_json(
        {
            "path": context.file.path,
            "changed": changed,
            "written": changed and writing.writes,
            **outcome_data(outcome),
            "diff": "".join(change.diff for change in changes),
        }
    )
