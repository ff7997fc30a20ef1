"""`torchconf verify`: the table of `show`, as uv locks it."""

from __future__ import annotations

import sys
from itertools import islice

from torchconf.cli.parser import add_format, add_lock_options, add_script
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from torchconf.cli.options import CommonOptions, Format
    from torchconf.cli.parser import Parser
    from torchconf.resolve.table import Row
    from torchconf.resolve.verify import Verified
    from torchconf.workspace.opened import OpenProject

EPILOG = """\
Locks a copy of the project; its own files do not change. With --frozen or --locked, its uv.lock is
used instead. Exits with 1 if any build is wrong.

examples:
  torchconf verify
  torchconf verify --python 3.12 --format json
  torchconf verify -t linux-cuda
"""


class VerifyOptions(Record):
    """What `verify` is told."""

    target: tuple[str, ...]
    python: tuple[str, ...]
    package: str | None
    script: str | None
    frozen: bool
    locked: bool
    format: Format
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument(
        "-t", "--target", action="append", default=[], metavar="TARGET",
        help="verify only this target (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--python", action="append", default=[], metavar="VERSION",
        help="verify only this Python version, such as 3.12 (repeatable)",
    )  # fmt: skip
    parser.add_argument("--package", metavar="NAME", help="verify only this workspace member")
    add_script(parser)
    add_lock_options(parser)
    add_format(parser)


def run(options: VerifyOptions) -> int:
    """Ask uv, compare, and print."""
    # Imported here: `--help` needs none of these.
    from torchconf.cli.locked_folder import exports, locked_folder
    from torchconf.cli.python_versions import check_pythons
    from torchconf.cli.rows import rows_of
    from torchconf.errors import UvError
    from torchconf.model.pylock import Export
    from torchconf.report.json_data import print_json
    from torchconf.resolve.uv import spoken_failure
    from torchconf.resolve.verify import Found, pythons_of, verify
    from torchconf.workspace.opened import open_project

    context = open_project(options.common.project, script=options.script)
    check_pythons(options.python, context.project)
    around = context.workspace()
    rows = rows_of(context)
    rows = _asked_for(rows, options, context)
    if not rows:
        what = "script" if context.project.is_script else "project"
        sys.stderr.write(f"no PyTorch packages found in this {what}\n")
        if options.format == "json":
            print_json({"routes": []})
        return 0
    selections = list(dict.fromkeys(row.selection for row in rows))
    with locked_folder(context, frozen=options.frozen, locked=options.locked) as folder:
        words = ("--format", "pylock.toml")
        runs = exports(context, selections, folder, *words, quiet=options.common.quiet)
    found: list[Found] = []
    for selection, captured in zip(selections, runs, strict=True):
        if captured.returncode:
            found.append(Found(selection, None, spoken_failure(captured.stderr)))
            continue
        try:
            found.append(Found(selection, Export(captured.stdout, captured.command), None))
        except UvError as error:
            found.append(Found(selection, None, error.message))
    projects = (context.project, *around.members)
    pythons = options.python or pythons_of(context.project, context.catalog, found)
    verified = verify(rows, found, pythons, context.catalog, projects)
    wrong = _wrong(verified, options, context)
    if options.format == "json":
        print_json({"routes": [one.data() for one in verified]})
    else:
        _report_text(verified, wrong, options)
    return int(bool(wrong))


def _asked_for(
    rows: Sequence[Row], options: VerifyOptions, context: OpenProject
) -> tuple[Row, ...]:
    """Leave the rows of the targets and the member that were asked for."""
    from packaging.utils import canonicalize_name

    from torchconf.errors import RequestError

    if options.package is not None:
        wanted = canonicalize_name(options.package)
        rows = [row for row in rows if canonicalize_name(row.selection.package or "-") == wanted]
        if not rows:
            raise RequestError(f"no workspace member `{options.package}` uses PyTorch")
    if not options.target:
        return tuple(rows)
    from torchconf.cli.rows import members_of
    from torchconf.resolve.chosen_targets import chosen_targets

    chosen = chosen_targets(
        options.target, context.project, context.catalog, rows, members_of(context)
    )
    keys = {(target.platform.label, selection) for target, selection in chosen}
    return tuple(row for row in rows if (row.platform, row.selection) in keys)


def _wrong(
    verified: Sequence[Verified], options: VerifyOptions, context: OpenProject
) -> tuple[Verified, ...]:
    """Return what is an error: of the targets, if the command or the project lists some."""
    problems = [one for one in verified if one.problem is not None]
    if options.target:
        return tuple(problems)
    from torchconf.model.intent import listed_targets

    listed = listed_targets(context.project, context.catalog.vocabulary) or ()
    platforms = {one.spec.platform.label for one in listed if one.spec is not None}
    return tuple(
        one
        for one in problems
        if not one.is_foreseen and (not platforms or one.row.platform in platforms)
    )


def _report_text(
    verified: Sequence[Verified], wrong: Collection[Verified], options: VerifyOptions
) -> None:
    """Print a line per command, package and Python; a column per platform; then problems."""
    from torchconf.errors.shown import shown_lines
    from torchconf.report.messages import print_notes

    sys.stdout.writelines(_table(verified, wheels=options.common.verbose))
    sys.stdout.flush()
    errors = {id(one) for one in wrong}  # compared by value, this would be quadratic
    problems: dict[tuple[str, bool], list[Verified]] = {}
    for one in verified:
        if one.problem is not None:
            key = (one.problem.partition(" on Python")[0], id(one) in errors)
            problems.setdefault(key, []).append(one)
    for (problem, is_wrong), ones in problems.items():
        if options.common.quiet and not is_wrong:
            continue
        pythons = ", ".join(dict.fromkeys(one.python for one in ones))
        where = ", ".join(dict.fromkeys(one.row.platform for one in ones))
        commands = dict.fromkeys(one.row.command for one in ones)
        packages = ", ".join(dict.fromkeys(one.row.package for one in ones))
        word = "error" if is_wrong else "note"
        sys.stderr.write(f"{word}: {shown_lines(problem)}\n")
        print_notes([f"   at: {packages} on {where}, Python {pythons}"])
        print_notes(f"       `{command}`" for command in commands)
    if not options.common.quiet:
        number = sum(is_wrong for _, is_wrong in problems)
        count = f"{number} problem{'s' if number != 1 else ''}" if number else "all correct"
        sys.stderr.write(f"checked {len(verified)} builds that uv locked: {count}\n")


def _table(verified: Sequence[Verified], *, wheels: bool) -> Iterator[str]:
    """Yield the lines of the table: a command, and below it what it installs.

    A command beside its packages would leave no room for the platforms. Pythons with the same
    answers share a line.
    """
    from torchconf.errors import shown
    from torchconf.report.columns import plain_table, platform_title, spoken_span

    platforms = list(dict.fromkeys(one.row.platform for one in verified))
    answers: dict[tuple[str, str, str], dict[str, str]] = {}
    for one in verified:
        key = (one.row.command, one.row.package, one.python)
        answers.setdefault(key, {})[one.row.platform] = _cell(one, wheels=wheels)
    # By command, in the order in which they came.
    joined: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for (command, package, python), cells in answers.items():
        same = (package, *(cells.get(platform, "") for platform in platforms))
        joined.setdefault(command, {}).setdefault(same, []).append(python)
    rows = [
        [f"  {package}", spoken_span(pythons), *cells]
        for lines in joined.values()
        for (package, *cells), pythons in lines.items()
    ]
    head = ["  package", "python", *map(platform_title, platforms)]
    texts = iter(plain_table(head, rows).splitlines(keepends=True))
    yield from islice(texts, 2)
    for command, lines in joined.items():
        yield f"{shown(command)}\n"
        yield from islice(texts, len(lines))


def _cell(one: Verified, *, wheels: bool) -> str:
    if wheels and one.wheel is not None:
        return one.wheel
    if one.row.backend is None:
        return "error" if one.problem else "-"
    if one.wheel is None and one.problem:
        return f"{one.row.backend}: no wheel"
    version, _, label = (one.version or "").partition("+")
    shown = version if label == one.row.backend else one.version or ""
    return f"{one.row.backend} {shown}".strip()
