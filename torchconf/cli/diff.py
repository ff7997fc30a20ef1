"""`torchconf diff`: which platform and choice gets another build by a change."""

from __future__ import annotations

import os
import sys

from torchconf.cli.parser import add_format
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from typing import Literal

    from torchconf.cli.options import CommonOptions
    from torchconf.cli.parser import Parser
    from torchconf.report.changes import Comparison

EPILOG = """\
Compares the tables of `torchconf show` between two git revisions, or between one (by default HEAD)
and the working tree: of the project, of everything below its folder, and of scripts with PyTorch in
their `# /// script` block. Where both have a uv.lock, the locked versions are compared too. `A..B`
compares two revisions, and `A...B` shows what B has changed since it left A.

examples:
  torchconf diff
  torchconf diff HEAD~1
  torchconf diff main...HEAD --format markdown
  torchconf diff v1.0 v1.1 --exit-code
"""


class DiffOptions(Record):
    """What `diff` is told."""

    revision: tuple[str, ...]
    exit_code: bool
    format: Literal["text", "json", "markdown"]
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument(
        "revision", nargs="*", metavar="REV", help="git revision to compare with (default: HEAD)"
    )
    parser.add_argument(
        "--exit-code", action="store_true", help="exit with 1 if anything is different"
    )
    add_format(parser, "markdown")


def run(options: DiffOptions) -> int:
    """Read both sides, compare and print."""
    # Imported here: `--help` needs none of these.
    from torchconf.cli.compared import compare
    from torchconf.history.git import open_repository
    from torchconf.history.revisions import read_revisions

    folder = _folder(options.common.project)
    repository = open_repository(folder)
    before, after = read_revisions(repository, options.revision)
    comparison = compare(repository, repository.place_of(folder), before, after)
    _print(comparison, options)
    if comparison.errors:
        return max(error.exit_code for error in comparison.errors)
    return int(options.exit_code and bool(comparison.projects))


def _folder(named: str | None) -> str:
    """Return the folder that is compared, which need not have a pyproject.toml any more."""
    from torchconf import files
    from torchconf.errors import ProjectError

    if named is not None:
        return os.path.dirname(os.path.abspath(files.project_file(named)))
    try:
        return os.path.dirname(files.find_project("."))
    except ProjectError:
        return os.getcwd()


def _print(comparison: Comparison, options: DiffOptions) -> None:
    from torchconf.report.changes import changes_data, changes_markdown, changes_text
    from torchconf.report.messages import print_notes
    from torchconf.report.streams import write_document

    errors = comparison.errors
    if options.format == "json":
        from torchconf.report.json_data import print_json

        data = changes_data(comparison)
        if errors:
            texts = [{"message": e.message, "at": e.at, "help": e.help} for e in errors]
            data |= {"error": texts[0], "errors": texts}
        print_json(data)
        return
    if options.format == "markdown":
        write_document(changes_markdown(comparison), hide=True)
    else:
        sys.stdout.write(changes_text(comparison))
        sys.stdout.flush()
        if not options.common.quiet:
            nothing = [] if comparison.projects or errors else [comparison.nothing]
            notes = (*comparison.reasons, *comparison.notes)
            print_notes([*nothing, *(f"note: {note}" for note in notes)])
    for error in errors:
        sys.stderr.write(error.spoken())
