"""`torchconf show`: which build each platform gets with each command, from pyproject.toml alone."""

from __future__ import annotations

import sys

from torchconf.cli.parser import add_format, add_script
from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from torchconf.cli.options import CommonOptions
    from torchconf.cli.parser import Parser
    from torchconf.model.project import Project
    from torchconf.resolve.table import Row
    from torchconf.workspace.opened import OpenProject

EPILOG = """\
The table is predicted from pyproject.toml. `no wheel` means that no wheel is available, `?` that it
is not known, `-` that the package is not installed. `cpu?` is provisional: a dependency that was
not read, or a new uv.lock, could change it; the uv.lock that is there decides if it is up to date.

examples:
  torchconf show
  torchconf show --project ../demo --format json
  torchconf show --format markdown
  torchconf show --format svg > builds.svg
  torchconf show --matrix
"""


class ShowOptions(Record):
    """What `show` is told."""

    matrix: bool
    script: str | None
    format: Literal["text", "json", "markdown", "html", "svg"]
    common: CommonOptions


def add_arguments(parser: Parser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    parser.add_argument(
        "--matrix", action="store_true",
        help="print the targets as the matrix of a GitHub workflow, a line of JSON",
    )  # fmt: skip
    add_script(parser)
    add_format(parser, "markdown", "html", "svg")


def run(options: ShowOptions) -> int:
    """Read the project and print its table."""
    # Imported here: `--help` needs none of these.
    from torchconf.cli.rows import rows_of
    from torchconf.report.json_data import print_json
    from torchconf.report.messages import print_notes
    from torchconf.workspace.opened import open_project

    context = open_project(options.common.project, script=options.script)
    rows = rows_of(context)
    if options.matrix:
        _print_matrix(context, rows)
    elif options.format == "json":
        print_json({"routes": [row.data() for row in rows]})
    elif not rows:
        from torchconf.files.old_names import hint_to_migrate

        if context.project.is_script:
            print_notes(["no PyTorch packages found in this script"])
            return 0
        hint = hint_to_migrate(context.folder, context.project.data)
        notes = ["no PyTorch packages found in this project", *([hint] if hint else [])]
        print_notes(notes)
    else:
        _print_table(options, context.project, rows)
    return 0


def _print_table(options: ShowOptions, project: Project, rows: Sequence[Row]) -> None:
    """Print it in the format that was asked for, of which only what is needed is imported."""
    if options.format == "text":
        from torchconf.report.builds import print_builds
        from torchconf.report.grid import notes_of
        from torchconf.report.messages import print_notes

        print_builds(rows, options.common.color)
        print_notes(f"note: {note}" for note in notes_of(rows))
        return
    from torchconf.report.streams import write_document

    name = options.script or project.name
    if options.format == "markdown":
        from torchconf.report.builds_markdown import builds_markdown

        text = builds_markdown(rows)
    elif options.format == "html":
        from torchconf.report.builds_html import builds_html

        text = builds_html(rows, name)
    else:
        from torchconf.report.builds_svg import builds_svg

        text = builds_svg(rows, name)
    write_document(text)


def _print_matrix(context: OpenProject, rows: Sequence[Row]) -> None:
    """Print one line, as `$GITHUB_OUTPUT` wants it."""
    import json

    from torchconf.cli.rows import members_of
    from torchconf.errors import RequestError
    from torchconf.report.ci_matrix import ci_matrix
    from torchconf.resolve.chosen_targets import chosen_targets

    pairs = chosen_targets((), context.project, context.catalog, rows, members_of(context))
    if not pairs:
        raise RequestError("this project has no targets", help="add some with `torchconf init`")
    sys.stdout.write(f"{json.dumps(ci_matrix(pairs, context.catalog, rows))}\n")
