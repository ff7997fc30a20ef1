"""The table of `show` in Markdown: for a README, a pull request or a job's summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.report.grid import grid_of, notes_of
from torchconf.report.markdown import as_code, as_text, markdown_list, markdown_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.report.grid import Cell
    from torchconf.resolve.table import Row


def builds_markdown(rows: Sequence[Row]) -> str:
    """Return the table, and below it why its cells say what they say; empty without rows."""
    if not rows:
        return ""
    grid = grid_of(rows)
    table = markdown_table(
        [as_text(title) for title in grid.head],
        [
            [as_code(line.command), as_code(line.package), *map(_cell, line.cells)]
            for line in grid.lines
        ],
    )
    notes = markdown_list(notes_of(rows))
    return f"{table}\n{notes}" if notes else table


def _cell(cell: Cell) -> str:
    """Return the build as code, and in words what is the matter with it."""
    if cell.build is None:
        return as_text(cell.text)
    return f"{as_code(cell.build)}{as_text(cell.text.removeprefix(cell.build))}"
