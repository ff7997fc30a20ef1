"""The table of `show`: which build each platform gets with each command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torchconf.errors.shown import shown
from torchconf.report.colour import wants_colour
from torchconf.report.columns import plain_table
from torchconf.report.grid import State, grid_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.report.colour import When
    from torchconf.report.grid import Grid
    from torchconf.resolve.table import Row


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

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in grid.head:
        table.add_column(title, overflow="fold")
    before = ""
    for line in grid.lines:
        command = "" if line.command == before else line.command
        before = line.command
        cells = [Text(shown(cell.text), style=_STYLES[cell.state]) for cell in line.cells]
        table.add_row(Text(shown(command), style="cyan"), Text(shown(line.package)), *cells)
    coloured = wants_colour(color, sys.stdout)
    Console(no_color=not coloured, force_terminal=coloured or None, highlight=False).print(table)


_STYLES = {
    State.FOUND: "green",
    State.UNSURE: "yellow",
    State.ABSENT: "dim",
    State.WRONG: "red",
}
