"""`torchconf show`: which build each platform gets by each choice, from the file alone."""

from __future__ import annotations

import sys

from torchconf.cli.parser import add_format

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from torchconf.resolve.table import Row

EPILOG = """\
The table is a prediction from the file, as uv would route each package; uv.lock is not read.
`no wheel` is known, `?` is not known, `-` is not installed.

examples:
  torchconf show
  torchconf show --project ../demo --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.epilog = EPILOG
    add_format(parser)


def run(options: argparse.Namespace) -> int:
    """Read the project and print its table."""
    # Imported here: `--help` needs none of these.
    from torchconf.resolve.table import route_table
    from torchconf.workspace.opened import open_project

    context = open_project(options)
    around = context.workspace()
    rows = route_table(
        context.project, context.catalog, members=around.members, libraries=around.libraries
    )
    if options.format == "json":
        _report_json(rows)
    elif not rows:
        sys.stderr.write("no PyTorch package is declared here\n")
    else:
        _report_text(rows, options)
    return 0


def _report_json(rows: Sequence[Row]) -> None:
    import json

    data = {"schema_version": 1, "routes": [row.data() for row in rows]}
    sys.stdout.write(json.dumps(data, indent=2) + "\n")


def _report_text(rows: Sequence[Row], options: argparse.Namespace) -> None:
    from torchconf import report

    if report.wants_colour(options, sys.stdout) or sys.stdout.isatty():
        report.print_rows(rows, options)
    else:
        head, lines = report.grid(rows)
        sys.stdout.write(report.plain_table(head, lines))
    reasons = dict.fromkeys(row.reason for row in rows if row.reason)
    sys.stderr.writelines(f"note: {reason}\n" for reason in reasons)
