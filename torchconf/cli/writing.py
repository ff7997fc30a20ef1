"""Carry out a request: plan, edit, show or write, lock, report. What writing commands share."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from torchconf import files, report
from torchconf.cli.context import spoken_path
from torchconf.cli.facts import read_facts
from torchconf.edits import edit_text
from torchconf.files import unified_diff
from torchconf.planner import plan_targets

if TYPE_CHECKING:
    import argparse

    from torchconf.cli.context import Context
    from torchconf.planner import Outcome, Request


def carry_out(options: argparse.Namespace, context: Context, request: Request) -> int:
    """Plan a request, and write, print or check what it changes; return the exit status."""
    outcome = plan_targets(request, context.project, context.catalog, read_facts(context))
    text = edit_text(context.file.text, outcome.plan.steps, context.project.at)
    changed = text != context.file.text or context.file.raw is None
    if changed and not options.dry_run and not options.check:
        _write(options, context, text)
    if options.format == "json":
        _report_json(options, context, outcome, text, changed=changed)
    else:
        _report_text(options, context, outcome, text, changed=changed)
    return 1 if options.check and changed else 0


def _write(options: argparse.Namespace, context: Context, text: str) -> None:
    """Replace the file; with `--lock` run uv, and put everything back if it fails."""
    if not options.lock:
        files.replace(context.file, text)
        return
    # Imported here: few runs lock.
    from torchconf.cli.locking import locked

    with locked(context.folder, context.file, quiet=bool(options.quiet)):
        files.replace(context.file, text)


def _report_text(
    options: argparse.Namespace, context: Context, outcome: Outcome, text: str, *, changed: bool
) -> None:
    shown = spoken_path(context.file.path)
    report.warnings(outcome.plan.warnings, options)
    if not options.quiet:
        report.notes((*outcome.plan.notes, *report.others(outcome, context.catalog)))
    if options.dry_run:
        report.diff(unified_diff(context.file.text, text, shown), options)
        return
    if options.check:
        sys.stderr.write(f"{shown} would change\n" if changed else f"{shown} is as asked\n")
        return
    if not options.quiet:
        sys.stderr.write(f"wrote {shown}\n" if changed else f"{shown} is as asked, left alone\n")
    sys.stdout.write(report.commands_table(outcome))


def _report_json(
    options: argparse.Namespace, context: Context, outcome: Outcome, text: str, *, changed: bool
) -> None:
    data: dict[str, Any] = {
        "schema_version": 1,
        "path": context.file.path,
        "changed": changed,
        "written": changed and not options.dry_run and not options.check,
        **report.outcome_data(outcome),
        "diff": unified_diff(context.file.text, text),
    }
    sys.stdout.write(json.dumps(data, indent=2) + "\n")
