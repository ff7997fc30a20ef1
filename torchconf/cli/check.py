"""`torchconf check`: find configuration that uv accepts but installs wrongly, and fix it."""

from __future__ import annotations

import os
import sys

from torchconf.errors import RequestError, TorchconfError, of_endless_number
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Literal

    from torchconf.cli.options import CommonOptions
    from torchconf.cli.parser import Parser
    from torchconf.model.targets import Platform
    from torchconf.rules.engine import CheckResult, Fixed
    from torchconf.rules.rule_selection import RuleSelection
    from torchconf.workspace.discovery import Gathered, Gatherer, Look

EPILOG = """\
A PATH is a pyproject.toml, a script with a `# /// script` block, a folder, or `-` for standard
input. A folder stands for every pyproject.toml and every script with PyTorch packages in its block
below it that git does not ignore. With `--project`, a relative PATH is looked for there first.
Without PATH, the project and the members of its workspace are checked.
`torchconf explain TC405` explains a rule.

To ignore a finding, add the comment `# torchconf: ignore[TC405]` to its line. To ignore a rule
everywhere, add `ignore = ["TC405"]` to `[tool.torchconf]`.

examples:
  torchconf check
  torchconf check --fix
  torchconf check . --format github
  torchconf check --select TC2,TC3 --diff pyproject.toml
"""


class CheckOptions(Record):
    """What `check` is told."""

    path: tuple[str, ...]
    target: tuple[str, ...]
    format: Literal["text", "json", "github", "gitlab", "markdown", "sarif"]
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    strict: bool
    exit_zero: bool
    statistics: bool
    fix: bool
    unsafe_fixes: bool
    diff: bool
    watch: bool
    stdin_filename: str | None
    skip_other_python: bool
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument("path", nargs="*", metavar="PATH", help="file or folder to check")
    parser.add_argument(
        "-t", "--target", action="append", default=[], metavar="PLATFORM",
        help="a platform or target that the project must support (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--format", "--output-format", dest="format",
        choices=("text", "json", "github", "gitlab", "markdown", "sarif"), default="text",
        help="output format (default: text); `gitlab` is a code quality report",
    )  # fmt: skip
    parser.add_argument(
        "--skip-other-python", action="store_true",
        help="skip Python files without PyTorch in a `# /// script` block, even if they are named",
    )  # fmt: skip
    parser.add_argument(
        "--watch", action="store_true",
        help="check again whenever a file changes (extra `torchconf[watch]`); Ctrl-C stops it",
    )  # fmt: skip
    rules = parser.add_argument_group("rules")
    rules.add_argument(
        "--select", action="append", default=[], metavar="RULES",
        help="rules to run: codes, code prefixes, names or ALL, separated by commas",
    )  # fmt: skip
    rules.add_argument(
        "--ignore", action="append", default=[], metavar="RULES", help="rules to skip"
    )
    rules.add_argument("--strict", action="store_true", help="exit with 1 on warnings too")
    rules.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 even if there are findings"
    )
    rules.add_argument(
        "--statistics", action="store_true", help="show the number of findings per rule"
    )
    fixing = parser.add_argument_group("fixing")
    fixing.add_argument("--fix", action="store_true", help="apply safe fixes")
    fixing.add_argument(
        "--unsafe-fixes", action="store_true", help="apply unsafe fixes too (with --fix or --diff)"
    )
    fixing.add_argument(
        "--diff", "--dry-run", dest="diff", action="store_true",
        help="show what --fix would change without writing it",
    )  # fmt: skip
    fixing.add_argument(
        "--stdin-filename", metavar="FILE", help="file name to use for standard input"
    )


def run(options: CheckOptions) -> int:
    """Gather, check, perhaps fix, and report; return the exit status."""
    # Imported here: `--help` needs none of these.
    from torchconf.rules import RULES
    from torchconf.rules.rule_selection import RuleSelection, read_selection
    from torchconf.workspace.discovery import Gatherer, Look

    if "-" in options.path and len(options.path) > 1:
        raise RequestError(
            "`-` cannot be combined with other paths", help="check standard input on its own"
        )
    selection = RuleSelection(
        read_selection(options.select, RULES, "--select"),
        read_selection(options.ignore, RULES, "--ignore"),
    )
    writes = options.fix or options.diff
    targets = _platforms(options.target)

    def gather() -> Look:
        gatherer = Gatherer(selection, targets, writes=writes)
        return Look(gatherer, _units(options, gatherer))

    if options.watch:
        return _watch(options, selection, gather)
    return _check_all(options, selection, gather())


def _watch(options: CheckOptions, selection: RuleSelection, gather: Callable[[], Look]) -> int:
    from torchconf import files
    from torchconf.cli.watching import require_watchfiles, watch

    others = (
        ("--fix", options.fix),
        ("--diff", options.diff),
        ("-", "-" in options.path),
        (f"--format {options.format}", options.format != "text"),
    )
    for word, is_there in others:
        if is_there:
            raise RequestError(
                f"`--watch` and `{word}` cannot be combined", help="omit one of them"
            )
    require_watchfiles()
    paths = [files.from_project(options.common.project, path) for path in options.path]
    named = [path for path in paths if os.path.isdir(path)]
    return watch(gather, lambda look: _check_all(options, selection, look), named)


def _check_all(options: CheckOptions, selection: RuleSelection, look: Look) -> int:
    """Check what was gathered, perhaps fix it, and report; return the exit status."""
    gatherer, units = look
    if options.fix or options.diff:
        fixed = [one for unit in units for one in _fix(options, unit, gatherer)]
        outcomes = [one.outcome for one in fixed]
    else:
        fixed = []
        outcomes = [outcome for unit in units for outcome in _check(unit, gatherer)]
    if not options.common.quiet:
        _note_words(selection.words, outcomes)
        _note_outside(gatherer.outside)
        if not options.path:
            _note_old_files(outcomes)
    _report(options, outcomes, fixed, gatherer)
    return _status(options, outcomes, fixed, gatherer.errors)


def _note_outside(paths: Iterable[str]) -> None:
    from torchconf.report.messages import print_notes

    print_notes(f"note: {path} is outside of this folder; name it to fix it" for path in paths)


def _note_old_files(outcomes: Sequence[CheckResult]) -> None:
    """Say where only the files of other tools can know of torch."""
    if any("torch" in outcome.document.text for outcome in outcomes):
        return
    from torchconf.files.old_names import hint_to_migrate
    from torchconf.report.messages import print_notes

    for outcome in outcomes[:1]:
        if hint := hint_to_migrate(os.path.dirname(outcome.document.name) or "."):
            print_notes([f"note: {hint}"])


def _note_words(words: Sequence[str], outcomes: Sequence[CheckResult]) -> None:
    """Say which comments hide nothing, and once which rules have another name today."""
    from torchconf.report.messages import print_notes
    from torchconf.rules.rule_selection import notes_on_old_names

    said = (*words, *(name for outcome in outcomes for name in outcome.old_names))
    mistakes = (
        f"note: {outcome.document.name}:{line}: {message}"
        for outcome in outcomes
        for line, message in outcome.mistakes
    )
    print_notes((*notes_on_old_names(said), *mistakes))


def _platforms(words: Sequence[str]) -> set[Platform]:
    """Return the platforms of words such as `macos-x86_64`, or `windows-cuda`."""
    if not words:
        return set()
    # Imported here: few runs name a platform.
    from torchconf.catalog import load_catalog
    from torchconf.model.target_spec import parse_platform, parse_target_spec

    vocabulary = load_catalog().vocabulary
    return {parse_platform(word) or parse_target_spec(word, vocabulary).platform for word in words}


def _units(options: CheckOptions, gatherer: Gatherer) -> list[Gathered]:
    from torchconf import files
    from torchconf.workspace.discovery import read_standard_input

    if options.path == ("-",):
        return [gatherer.standard_input(read_standard_input(), options.stdin_filename)]
    folder = options.common.project
    if options.path:
        paths = [files.from_project(folder, path) for path in options.path]
        if options.skip_other_python:
            paths = [*gatherer.without_other_python(paths)]
        return [*gatherer.gather(paths)]
    path = files.find_project(".") if folder is None else files.project_file(folder)
    return [gatherer.project(path)]


def _check(gathered: Gathered, gatherer: Gatherer) -> tuple[CheckResult, ...]:
    try:
        return gathered.unit.check()
    except (TorchconfError, ValueError) as error:
        gatherer.errors.append(_of_this_unit(error, gathered))
        return ()


def _of_this_unit(error: Exception, gathered: Gathered) -> TorchconfError:
    """Return what keeps one unit from being checked, so that the others are; raise what must not.

    Raises:
        ValueError: A mistake of ours.
    """
    if isinstance(error, TorchconfError):
        return error
    if isinstance(error, ValueError) and (
        endless := of_endless_number(error, next(iter(gathered.files), None))
    ):
        return endless
    raise error


def _fix(options: CheckOptions, gathered: Gathered, gatherer: Gatherer) -> tuple[Fixed, ...]:
    """Fix the documents of one unit; write them all or none, unless only a diff is asked for."""
    from torchconf import files

    try:
        fixed = gathered.unit.fix(unsafe=options.unsafe_fixes)
        changes = [
            (gathered.files[one.document.name], one.text)
            for one in fixed
            if one.taken and one.document.name in gathered.files
        ]
        if not options.diff:
            files.replace_all(changes)
    except (TorchconfError, ValueError) as error:
        gatherer.errors.append(_of_this_unit(error, gathered))
        return ()
    return fixed


def _report(
    options: CheckOptions,
    outcomes: Sequence[CheckResult],
    fixed: Sequence[Fixed],
    gatherer: Gatherer,
) -> None:
    if options.format in ("json", "gitlab", "markdown", "sarif"):
        _report_data(options, outcomes, gatherer.errors)
        return
    from torchconf.report import findings
    from torchconf.report.colour import wants_colour
    from torchconf.report.messages import print_diff
    from torchconf.report.streams import write_commands, write_document

    color, quiet = options.common.color, options.common.quiet
    if options.diff:
        from torchconf.files import unified_diff

        for one in fixed:
            name = one.document.name
            mark = gatherer.mark_of(name)
            diff = unified_diff(f"{mark}{one.document.text}", f"{mark}{one.text}", name)
            print_diff(diff, color)
    elif options.fix and options.path == ("-",):
        for one in fixed:
            write_document(f"{gatherer.mark}{one.text}")
    elif options.format == "github":
        write_commands(findings.workflow_commands(outcomes))
    elif options.statistics:
        from torchconf.report.columns import plain_table

        rows = findings.statistics(outcomes)
        sys.stdout.write(plain_table(["count", "code", "name", "severity"], rows) if rows else "")
    elif quiet:
        sys.stdout.writelines(findings.one_line(one) for one in findings.placed(outcomes))
    else:
        coloured = wants_colour(color, sys.stdout)
        for outcome in outcomes:
            sys.stdout.writelines(findings.text(outcome, colour=coloured))
    _report_errors(options, gatherer.errors)
    if not quiet and outcomes:
        sys.stdout.flush()
        sys.stderr.write(findings.summary(outcomes, fixed=sum(len(one.taken) for one in fixed)))


def _report_errors(options: CheckOptions, errors: Sequence[TorchconfError]) -> None:
    if options.format == "github":
        from torchconf.report.annotations import error_command
        from torchconf.report.streams import write_commands

        write_commands(map(error_command, errors))
    for error in errors:
        sys.stderr.write(error.spoken())


def _report_data(
    options: CheckOptions, outcomes: Sequence[CheckResult], errors: Sequence[TorchconfError]
) -> None:
    from torchconf.report import findings
    from torchconf.report.json_data import print_json, write_json

    if options.format == "sarif":
        from torchconf.report.sarif import sarif

        write_json(sarif(outcomes))
        _report_errors(options, errors)
        return
    if options.format == "gitlab":
        from torchconf.report.gitlab import code_quality

        write_json(code_quality(outcomes))
        _report_errors(options, errors)
        return
    if options.format == "markdown":
        from torchconf.report.findings_markdown import findings_markdown
        from torchconf.report.streams import write_document

        write_document(findings_markdown(outcomes, errors), hide=True)
        _report_errors(options, errors)
        return
    data: dict[str, object] = {"findings": findings.data(outcomes)}
    if options.statistics:
        data["statistics"] = [
            {"count": int(count), "code": code, "name": name, "severity": severity}
            for count, code, name, severity in findings.statistics(outcomes)
        ]
    if errors:
        texts = [{"message": e.message, "at": e.at, "help": e.help} for e in errors]
        data |= {"error": texts[0], "errors": texts}
    print_json(data)


def _status(
    options: CheckOptions,
    outcomes: Sequence[CheckResult],
    fixed: Sequence[Fixed],
    errors: Sequence[TorchconfError],
) -> int:
    from torchconf.rules import Severity

    if errors:
        return max(error.exit_code for error in errors)
    if options.exit_zero:
        return 0
    wrong = {Severity.ERROR, Severity.WARNING} if options.strict else {Severity.ERROR}
    found = any(one.finding.severity in wrong for each in outcomes for one in each.findings)
    return int(found or (options.diff and any(one.taken for one in fixed)))
