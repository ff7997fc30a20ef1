"""`torchconf upgrade`: move to another torch or backend everywhere at once."""

from __future__ import annotations

import sys

from torchconf.cli.parser import add_format, add_writing

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from torchconf.cli.context import Context
    from torchconf.cli.writing import Change
    from torchconf.planner.upgrade import Upgrade

EPILOG = """\
Without --torch it is the newest torch that all targets can have. What is there keeps its shape: a
pin stays a pin, a lower bound a lower bound. Extras and groups keep their names without --rename.

examples:
  torchconf upgrade --dry-run
  torchconf upgrade --torch 2.13
  torchconf upgrade --all --rename
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument(
        "--torch", metavar="SPEC", help="a release or a range: 2.13, '>=2.12,<2.14'"
    )
    parser.add_argument(
        "--backend", action="append", default=[], metavar="OLD=NEW",
        help="move to another build of the same accelerator (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--all", action="store_true", help="move each backend to the newest that its targets share"
    )
    parser.add_argument(
        "--rename", action="store_true", help="rename extras and groups named after a backend"
    )
    add_writing(parser)
    add_format(parser)


def run(options: argparse.Namespace) -> int:
    """Plan, show or write, and list what else names an old backend."""
    # Imported here: `--help` needs none of these.
    from torchconf.cli.context import open_project
    from torchconf.cli.workspace import spoken_path
    from torchconf.cli.writing import Change, write_changes
    from torchconf.edits import edit_text
    from torchconf.planner.upgrade import UpgradeRequest, plan_upgrade

    context = open_project(options)
    request = UpgradeRequest(
        torch=options.torch,
        backends=tuple(map(_pair, options.backend)),
        everything=options.all,
        rename=options.rename,
    )
    upgrade = plan_upgrade(request, context.project, context.catalog)
    changes = [
        Change(file, edit_text(file.text, steps, spoken_path(file.path)))
        for file, steps in (
            (context.root_file, upgrade.root_steps),
            (context.file, upgrade.steps),
        )
        if file is not None and steps
    ]
    changed = any(change.is_one for change in changes)
    if changed and not options.dry_run and not options.check:
        write_changes(options, context, changes)
    mentions = list(_mentions(context, upgrade)) if upgrade.backends else []
    if options.format == "json":
        _report_json(options, upgrade, changes, mentions)
    else:
        _report_text(options, upgrade, changes, mentions)
    return int(options.check and changed)


def _pair(text: str) -> tuple[str, str]:
    from torchconf.errors import RequestError

    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise RequestError(
            f"`--backend {text}` is not OLD=NEW", help="name the old backend and the new one"
        )
    return old.strip().lower(), new.strip().lower()


_TEXTS = (".md", ".rst", ".txt", ".yml", ".yaml", ".sh", ".ps1", ".bat", ".cfg", ".ini", ".json")
_NAMES = ("Dockerfile", "Containerfile", "Makefile", "justfile", "Justfile")
_LARGEST = 1 << 20


def _mentions(context: Context, upgrade: Upgrade) -> Sequence[str]:
    """Return the lines of other files that name an old backend: `Dockerfile:3: ...`."""
    import os
    import re

    from torchconf.cli.workspace import spoken_path
    from torchconf.files.walking import find_files

    words = "|".join(
        re.escape(each) for old in upgrade.backends for each in {old, old.replace(".", "-")}
    )
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![0-9])")
    found: list[str] = []
    for path in find_files(context.lock_folder):
        name = os.path.basename(path)
        if not (name.endswith(_TEXTS) or name.startswith(_NAMES)):
            continue
        try:
            if os.path.getsize(path) > _LARGEST:
                continue
            with open(path, encoding="utf-8") as file:
                lines = file.read().splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        found += [
            f"{spoken_path(path)}:{number}: {line.strip()}"
            for number, line in enumerate(lines, start=1)
            if pattern.search(line)
        ]
    return found


def _spoken(upgrade: Upgrade) -> list[str]:
    release = upgrade.choice.release
    lines = (
        [f"torch {release}: the newest that was asked for and all targets have"] if release else []
    )
    lines += [f"{old} becomes {new.name}" for old, new in upgrade.backends.items()]
    return [*lines, *upgrade.notes]


def _report_text(
    options: argparse.Namespace,
    upgrade: Upgrade,
    changes: Sequence[Change],
    mentions: Sequence[str],
) -> None:
    from torchconf import report
    from torchconf.cli.workspace import spoken_path

    if not options.quiet:
        report.notes(_spoken(upgrade))
    if options.dry_run:
        report.diff("".join(change.diff for change in changes), options)
    elif not changes and not options.quiet:
        sys.stderr.write("everything is there already\n")
    for change in changes if not options.dry_run else ():
        shown = spoken_path(change.file.path)
        if options.check:
            sys.stderr.write(f"{shown} would change\n")
        elif not options.quiet:
            sys.stderr.write(f"wrote {shown}; `uv lock` takes it from here\n")
    if mentions and not options.quiet:
        sys.stderr.write("these still name an old backend, and are yours to change:\n")
        sys.stderr.writelines(f"  {line}\n" for line in mentions)


def _report_json(
    options: argparse.Namespace,
    upgrade: Upgrade,
    changes: Sequence[Change],
    mentions: Sequence[str],
) -> None:
    import json

    data = {
        "schema_version": 1,
        "changed": bool(changes),
        "written": bool(changes) and not options.dry_run and not options.check,
        "torch": str(upgrade.choice.release) if upgrade.choice.release else None,
        "backends": {old: new.name for old, new in upgrade.backends.items()},
        "targets": [str(target) for target in upgrade.choice.targets],
        "notes": list(upgrade.notes),
        "mentions": list(mentions),
        "diff": "".join(change.diff for change in changes),
    }
    sys.stdout.write(json.dumps(data, indent=2) + "\n")
