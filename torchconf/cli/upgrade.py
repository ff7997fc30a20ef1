"""`torchconf upgrade`: upgrade torch or backends across the project."""

from __future__ import annotations

import os
import sys

from torchconf.cli.parser import add_format, add_script, add_writing
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.version import Version

    from torchconf.cli.options import CommonOptions, WritingOptions
    from torchconf.cli.parser import Parser
    from torchconf.files import Change
    from torchconf.model.project import Project
    from torchconf.planner.upgrade import Upgrade
    from torchconf.workspace.mentions import Mention
    from torchconf.workspace.opened import OpenProject

EPILOG = """\
Without --torch, upgrades to the newest torch that is available for all targets. A pin stays a pin
and a lower bound a lower bound. Extras and groups keep their names unless --rename is given.

examples:
  torchconf upgrade --dry-run
  torchconf upgrade --torch 2.13
  torchconf upgrade --all --rename
  torchconf upgrade --channel nightly
"""


class UpgradeOptions(Record):
    """What `upgrade` is told."""

    torch: str | None
    backend: tuple[str, ...]
    all: bool
    rename: bool
    record: bool
    script: str | None
    channel: str | None
    writing: WritingOptions
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument(
        "--torch", metavar="SPEC", help="torch version or range: 2.13, '>=2.12,<2.14'"
    )
    parser.add_argument(
        "--backend", action="append", default=[], metavar="OLD=NEW",
        help="replace a backend with another of its accelerator (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--all",
        action="store_true",
        help="move each backend to the newest available for its targets",
    )
    parser.add_argument(
        "--rename", action="store_true", help="rename extras and groups named after a backend"
    )
    parser.add_argument(
        "--record", action="store_true",
        help="list the targets in `[tool.torchconf]` if the file has no list yet",
    )  # fmt: skip
    add_script(parser)
    parser.add_argument(
        "--channel", metavar="NAME",
        help="change all targets to the builds of a channel: `nightly`, or `stable`",
    )  # fmt: skip
    add_writing(parser, force=False)
    add_format(parser)


def run(options: UpgradeOptions) -> int:
    """Plan, show or write, and list what else names an old backend."""
    # Imported here: `--help` needs none of these.
    from torchconf.cli.carry_out import write_changes
    from torchconf.planner.upgrade import UpgradeRequest, plan_upgrade
    from torchconf.workspace.facts import read_facts
    from torchconf.workspace.mentions import find_mentions
    from torchconf.workspace.opened import open_project

    writing, common = options.writing, options.common
    context = open_project(options.common.project, script=options.script)
    if options.channel is not None:
        return _change_channel(context, options)
    _refuse_channel(context)
    request = UpgradeRequest(
        torch=options.torch,
        backends=_pairs(options.backend),
        everything=options.all,
        rename=options.rename,
        record=options.record,
    )
    facts = read_facts(context)
    members = context.workspace().members
    facts = facts._replace(locked=_locked(context, members, facts.locked))
    upgrade = plan_upgrade(request, context.project, context.catalog, facts, members)
    changes = _changes(context, upgrade)
    changed = any(change.is_one for change in changes)
    release = upgrade.choice.release
    stale = facts.locked is not None and release is not None and facts.locked < release
    if writing.writes and (changed or (writing.lock and stale)):
        write_changes(
            context, changes, lock=writing.lock, quiet=common.quiet, upgrade=upgrade.packages
        )
    old = [context.catalog.backend(name) for name in upgrade.backends]
    found = find_mentions(context, changes, old, kept=upgrade.kept) if old else []
    outdated = writing.writes and (changed or stale)
    hint = _lock_hint(context, upgrade, stale=stale) if outdated else None
    if writing.format == "json":
        _report_json(context, upgrade, changes, found, writing)
    else:
        _report_text(upgrade, changes, found, None if writing.lock else hint, options)
    return int(writing.check and changed)


def _refuse_channel(context: OpenProject) -> None:
    """Refuse to move between the releases of builds that have none."""
    from torchconf.errors import RequestError
    from torchconf.layout.configuration import channels_of

    there = channels_of(context.project, context.catalog)
    if "" not in there and there:
        raise RequestError(
            f"{there.pop()} builds have no releases to move to: uv takes the newest that it finds",
            at=context.project.place("tool.uv.sources"),
            help="run `uv lock --upgrade`, or `torchconf upgrade --channel stable` to leave them",
        )


def _change_channel(context: OpenProject, options: UpgradeOptions) -> int:
    """Let the same targets have nightly builds, or stable ones again."""
    from torchconf.cli.carry_out import carry_out
    from torchconf.errors import RequestError
    from torchconf.planner import Request
    from torchconf.planner.channel import targets_in

    if options.backend or options.all or options.rename:
        raise RequestError(
            "`--channel` moves all targets to the newest builds there",
            help="omit `--backend`, `--all` and `--rename`",
        )
    specs, default = targets_in(options.channel or "", context.project, context.catalog)
    request = Request(
        specs=specs, torch=options.torch, default=default, record=options.record, renew=True
    )
    return carry_out(context, request, options.writing, options.common)


def _locked(
    context: OpenProject, members: Sequence[Project], newest: Version | None
) -> Version | None:
    """Return the oldest release that is locked from an index that the sources of torch name.

    Other platforms may go their own way, and be at a newer one. What came from an index that was
    left since says nothing about those that are there now.
    """
    from packaging.utils import canonicalize_name
    from packaging.version import Version

    from torchconf.layout.shared_builds import read_shared_configuration, sharing_members
    from torchconf.model.backends import PYPI
    from torchconf.model.uv_lock import locked_builds

    if newest is None:
        return None
    catalog, project = context.catalog, context.project
    main = canonicalize_name(catalog.main_package)
    sharing = (one for one, _ in sharing_members(project, members, catalog))
    indexes = (
        owner.index_named(source.index)
        for owner in (project, *sharing)
        for source in owner.sources_for(main)
        if source.index
    )
    named = {index.url.rstrip("/") for index in indexes if index is not None}
    targets = read_shared_configuration(project, members, catalog).targets
    from_pypi = any(target.backend == PYPI for target in targets)
    builds = locked_builds(context.lockfile(), catalog.main_package)
    if not builds:
        return newest
    releases = [
        Version(Version(build.version).public)
        for build in builds
        if build.registry.rstrip("/") in named
        or (from_pypi and catalog.build_of_index(build.registry) == PYPI)
    ]
    return min(releases, default=None)


def _pairs(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Read each `--backend OLD=NEW`; no backend can become two others."""
    from torchconf.errors import RequestError

    found: dict[str, str] = {}
    for text in texts:
        old, _, new = (part.strip().lower() for part in text.partition("="))
        if not (old and new):
            raise RequestError(
                f"`--backend {text}` is not OLD=NEW",
                help="see the examples of `torchconf upgrade --help`",
            )
        if found.setdefault(old, new) != new:
            raise RequestError(
                f"`--backend` is given twice for {old}: {found[old]} and {new}",
                help="pass it once for each backend",
            )
    return tuple(found.items())


def _changes(context: OpenProject, upgrade: Upgrade) -> list[Change]:
    """Edit the text of every file that the plan is about; nothing is written."""
    from torchconf import files

    members = [(files.read_file(at), steps) for at, steps in upgrade.member_steps.items()]
    return [
        context.edit(file, steps)
        for file, steps in (
            (context.root_file, upgrade.root_steps),
            (context.file, upgrade.steps),
            *members,
        )
        if file is not None and steps
    ]


def _lock_hint(context: OpenProject, upgrade: Upgrade, *, stale: bool) -> str | None:
    """Say which command takes the release into the lockfile; a script need not have one."""
    if context.project.is_script and not context.lockfile():
        return None
    from shlex import quote

    packages = upgrade.packages if stale else ()
    words = ["uv lock", *(f"--upgrade-package {name}" for name in packages)]
    words += [f"--script {quote(context.project.at)}"] if context.project.is_script else []
    return f"run `{' '.join(words)}` to update {os.path.basename(context.lock_path)}"


def _report_text(
    upgrade: Upgrade,
    changes: Sequence[Change],
    found: Sequence[Mention],
    hint: str | None,
    options: UpgradeOptions,
) -> None:
    from torchconf.files import spoken_path
    from torchconf.report.messages import print_diff, print_notes, print_warnings
    from torchconf.workspace.mentions import spoken

    writing, color, quiet = options.writing, options.common.color, options.common.quiet
    print_warnings(upgrade.warnings, color)
    if not quiet:
        print_notes(upgrade.notes)
    if writing.dry_run:
        print_diff("".join(change.diff for change in changes), color)
    if not changes and not quiet:
        sys.stderr.write("no changes needed\n")
    for change in changes if not writing.dry_run else ():
        shown = spoken_path(change.file.path)
        if writing.check:
            print_notes([f"{shown} would change"])
        elif not quiet:
            print_notes([f"wrote {shown}"])
    if hint is not None and not quiet:
        print_notes([hint])
    if found and not quiet:
        sys.stderr.write("these files still mention an old backend; update them by hand:\n")
        print_notes(f"  {line}" for line in spoken(found))


def _report_json(
    context: OpenProject,
    upgrade: Upgrade,
    changes: Sequence[Change],
    found: Sequence[Mention],
    writing: WritingOptions,
) -> None:
    from torchconf.report.json_data import print_json

    print_json(
        {
            "path": context.file.path,
            "changed": bool(changes),
            "written": bool(changes) and writing.writes,
            "torch": str(upgrade.choice.release) if upgrade.choice.release else None,
            "backends": {old: new.name for old, new in upgrade.backends.items()},
            "targets": [str(target) for target in upgrade.targets],
            "notes": list(upgrade.notes),
            "warnings": list(upgrade.warnings),
            "mentions": [one._asdict() for one in found],
            "diff": "".join(change.diff for change in changes),
        }
    )
