"""The table of `show` at a terminal and in a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torchconf.errors.shown import shown
from torchconf.report.colour import wants_colour
from torchconf.report.columns import plain_table, platform_title
from torchconf.report.grid import grid_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from torchconf.report.colour import When
    from torchconf.report.grid import Grid
    from torchconf.resolve.table import Row

_NO_WIDTH = 10_000
"""Columns that no table has."""


def print_builds(rows: Sequence[Row], color: When) -> None:
    """Print the table: with rich at a terminal or where colour is wanted, else as plain text."""
    grid = grid_of(rows)
    if wants_colour(color, sys.stdout) or sys.stdout.isatty():
        _print_rich(grid, color)
    else:
        lines = [[line.command, line.package, *(c.text for c in line.cells)] for line in grid.lines]
        sys.stdout.write(plain_table(grid.head, lines))


def _print_rich(grid: Grid, color: When) -> None:
    # Imported here: rich costs more than all else that `show` does.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from torchconf.report.marks import marks_of

    marks = marks_of(grid)
    has_signs = _can_show("".join(mark.sign for mark in marks.values()), sys.stdout)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    # A machine stands below its system: beside it, it would take the room that commands need.
    titles = [platform_title(title) for title in grid.head]
    deep = max(title.count("\n") for title in titles)
    for title in titles:
        table.add_column("\n" * (deep - title.count("\n")) + title, overflow="fold")
    before = ""
    for line in grid.lines:
        command = "" if line.command == before else line.command
        before = line.command
        cells = []
        for cell in line.cells:
            sign = f"{marks[cell].sign} " if has_signs else ""
            cells.append(Text(sign + shown(cell.text), style=marks[cell].look.terminal))
        table.add_row(Text(shown(command), style="bold"), Text(shown(line.package)), *cells)
    coloured = wants_colour(color, sys.stdout)
    console = Console(no_color=not coloured, force_terminal=coloured or None, highlight=False)
    unbounded = console.options.update_width(_NO_WIDTH)
    if console.measure(table, options=unbounded).maximum > console.width:
        table.padding = (0, 1, 0, 0)
    console.print(table)


def _can_show(signs: str, stream: TextIO) -> bool:
    """Tell whether a stream's encoding has the signs."""
    try:
        signs.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
