"""Carry out `migrate`: read old files, plan, ask about what is unclear, write, report."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from torchconf.cli.carry_out import write_changes
from torchconf.cli.plan_migration import Planned, Planning, make_changes
from torchconf.errors import ProjectError, RequestError
from torchconf.files import from_project, spoken_path
from torchconf.files.old_names import find_old_files, spoken_old_files, tables_of
from torchconf.migrate.outcome import Migration
from torchconf.model.named_tuple import NamedTuple
from torchconf.report.json_data import print_json
from torchconf.report.messages import print_diff, print_notes, print_warnings
from torchconf.report.migration import accounts_data, accounts_text, unclear_lines
from torchconf.report.outcome import commands_table, outcome_data, untargeted
from torchconf.workspace.mentions import find_installs, spoken
from torchconf.workspace.old_files import is_inside, load_old_files
from torchconf.workspace.opened import open_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.cli.migrate import MigrateOptions
    from torchconf.files import Change
    from torchconf.workspace.mentions import Mention
    from torchconf.workspace.old_files import Beside, OldFiles
    from torchconf.workspace.opened import OpenProject


class _Work(NamedTuple):
    """All that a report is about."""

    options: MigrateOptions
    context: OpenProject
    old: OldFiles
    planned: Planned
    changes: Sequence[Change]
    installs: Sequence[Mention] = ()
    """Lines elsewhere that install another build."""

    @property
    def changed(self) -> bool:
        return any(change.is_one for change in self.changes)


def carry_out_migration(options: MigrateOptions) -> int:
    """Do what `migrate` is for; return the exit status."""
    context = open_project(options.common.project, may_be_missing=True)
    old = _old_files(options, context)
    migration = Migration(
        old.read,
        context.project,
        context.catalog,
        keep_versions=options.keep_versions,
        remove_old=options.remove_old,
        torch=options.torch,
        overruled=bool(options.target),
        python_asked=options.python is not None,
    )
    planned = Planning(options, context, migration).plan()
    changes = make_changes(context, planned)
    builds = {t.backend.name for t in planned.outcome.targets} if planned.outcome else set()
    others = find_installs(context, [file.path for file in old.read], builds)
    work = _Work(options, context, old, planned, changes, others)
    writing, common = options.writing, options.common
    unclear = unclear_lines(planned.drafted.accounts)
    asks = writing.writes and writing.can_ask and (work.changed or bool(unclear))
    lock = writing.lock
    if asks:
        # Imported here, so that only the questions pay for it.
        from torchconf.cli.ask_migration import ask_to_write

        answer = ask_to_write(
            unclear, spoken_path(context.file.path), lambda: _show(work), common.color, lock=lock
        )
        if answer is None:
            sys.stderr.write("nothing written\n")
            return 1
        lock = answer
    elif unclear and writing.writes and not writing.yes:
        _refuse_unclear(unclear)
    if work.changed and writing.writes:
        write_changes(context, work.changes, lock=lock, quiet=common.quiet)
    if writing.format == "json":
        _report_json(work)
    else:
        if not asks:
            _say_what_became(work)
        _say_what_was_done(work, locked=lock)
    return 1 if writing.check and work.changed else 0


def _old_files(options: MigrateOptions, context: OpenProject) -> OldFiles:
    tables = tables_of(context.project.data)
    own = [context.file.path] if tables else []
    found = find_old_files(context.folder)
    # A link may lead anywhere; who names it knows where.
    outside = [path for path in found if not is_inside(path, context.folder)]
    named = [from_project(options.common.project, path) or "." for path in options.files]
    paths = named or [*own, *(path for path in found if path not in outside)]
    old = load_old_files(paths, context.folder)
    if not options.files:
        old = old._replace(outside=tuple(map(spoken_path, outside)))
    if not old.read:
        if old.outside:
            first = old.outside[0]
            raise RequestError(
                f"{first} leads outside of the project's folder",
                at=spoken_path(context.folder),
                help=f"name it to read it: `torchconf migrate {first}`",
            )
        raise RequestError(
            "there is nothing to migrate: no requirements file, environment.yml, Pipfile or "
            "pixi.toml, and no table of Poetry or PDM",
            at=spoken_path(context.folder),
            help=_elsewhere(options, context)
            or "name the files, `torchconf migrate FILE...`, or start with `torchconf init`",
        )
    return old


def _elsewhere(options: MigrateOptions, context: OpenProject) -> str:
    """Say what to do where the files lie in this folder, below that of the project."""
    here = os.getcwd()
    if options.common.project or os.path.realpath(here) == os.path.realpath(context.folder):
        return ""
    found = spoken_old_files(here)
    if not found:
        return ""
    return f"pass `--project .` to make a project of this folder, which has {found}"


def _refuse_unclear(unclear: Sequence[str]) -> None:
    first, more = unclear[0], len(unclear) - 1
    also = f" (and {more} more)" if more else ""
    raise ProjectError(
        f"cannot migrate a line: {first}{also}",
        help="run `torchconf migrate --dry-run` to see all lines; change the line, or pass `-y` "
        "to leave out such lines",
    )


def _notes(work: _Work) -> list[str]:
    planned = work.planned
    notes = [*planned.drafted.notes, *planned.notes]
    notes += map(_stays, work.old.beside)
    notes += [
        f"{name} leads outside of the project's folder and was not read; name it to read it"
        for name in work.old.outside
    ]
    if planned.outcome is not None:
        notes += planned.outcome.plan.notes
        notes += untargeted(planned.outcome, work.context.catalog)
    return notes


def _stays(beside: Beside) -> str:
    """Say of a file that it stays, and what it requires besides."""
    if not beside.requires:
        return f"{beside.file} stays as it is: it is for the build backend of the package"
    listed = ", ".join(f"`{one}`" for one in beside.requires)
    return (
        f"{beside.file} stays as it is; it requires {listed}, which uv reads in "
        "`project.dependencies` alone"
    )


def _say_what_became(work: _Work) -> None:
    """Say what became of each line, and what was chosen; what is unclear even if quiet."""
    common, planned = work.options.common, work.planned
    if common.quiet:
        print_warnings(unclear_lines(planned.drafted.accounts), common.color)
    else:
        print_notes(accounts_text(planned.drafted.accounts))
    if planned.outcome is not None:
        print_warnings(planned.outcome.plan.warnings, common.color)
    if not common.quiet:
        print_notes(_notes(work))
    if work.installs and not common.quiet:
        sys.stderr.write("these files install other builds; update them by hand:\n")
        print_notes(f"  {line}" for line in spoken(work.installs))


def _show(work: _Work) -> None:
    """Show, before a question, what would be written and why."""
    _say_what_became(work)
    sys.stderr.flush()
    sys.stdout.write("\n")
    print_diff("".join(change.diff for change in work.changes), work.options.common.color)
    sys.stdout.flush()


def _say_what_was_done(work: _Work, *, locked: bool) -> None:
    writing, common = work.options.writing, work.options.common
    if writing.dry_run:
        print_diff("".join(change.diff for change in work.changes), common.color)
        return
    for change in work.changes:
        shown = spoken_path(change.file.path)
        if not change.is_one:
            done = f"{shown}: no changes needed"
        else:
            done = f"{shown} would change" if writing.check else f"wrote {shown}"
        if writing.check or not common.quiet:
            print_notes([done])
    if writing.check or work.planned.outcome is None:
        return
    if not common.quiet:
        lock = "" if locked else "`uv lock`, then "
        print_notes([f"next: {lock}`torchconf verify`, which shows what each target gets"])
    sys.stderr.flush()
    sys.stdout.write(commands_table(work.planned.outcome, work.context.catalog))


def _report_json(work: _Work) -> None:
    outcome = work.planned.outcome
    data = outcome_data(outcome) if outcome else {"layout": None, "torch": None, "targets": []}
    print_json(
        {
            "path": work.context.file.path,
            "changed": work.changed,
            "written": work.changed and work.options.writing.writes,
            **data,
            "notes": _notes(work),
            "warnings": list(outcome.plan.warnings) if outcome else [],
            "files": [file.path for file in work.old.read],
            "lines": accounts_data(work.planned.drafted.accounts),
            "mentions": [one._asdict() for one in work.installs],
            "diff": "".join(change.diff for change in work.changes),
        }
    )
