"""The table of `show`: which build each platform gets with each command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torchconf.catalog import Answer
from torchconf.errors.shown import shown
from torchconf.model.targets import PLATFORMS
from torchconf.report.colour import wants_colour
from torchconf.report.columns import plain_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.report.colour import When
    from torchconf.resolve.table import Row


def print_builds(rows: Sequence[Row], color: When) -> None:
    """Print the table: with rich at a terminal or where colour is wanted, else as plain text."""
    head, lines = build_grid(rows)
    if wants_colour(color, sys.stdout) or sys.stdout.isatty():
        _print_rich(head, lines, color)
    else:
        sys.stdout.write(plain_table(head, lines))


def build_grid(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Turn rows into a table: a line per command and package, a column per platform."""
    platforms = list(dict.fromkeys(row.platform for row in rows))
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        lines.setdefault((row.command, row.package), {})[row.platform] = _cell(row)
    order = {
        command: number for number, command in enumerate(dict.fromkeys(r.command for r in rows))
    }
    found = sorted(lines.items(), key=lambda item: order[item[0][0]])
    short = {platform.key: platform.short for platform in PLATFORMS}
    return ["command", "package", *(short[platform] for platform in platforms)], [
        [command, package, *(cells[platform] for platform in platforms)]
        for (command, package), cells in found
    ]


def _cell(row: Row) -> str:
    if row.provisional:
        return f"{row.backend or '-'}?"
    if row.backend is None:
        return "-" if row.reason is None else "error" if row.available is Answer.NO else "?"
    if row.available is Answer.NO:
        return f"{row.backend}: no wheel"
    return f"{row.backend} ?" if row.available is Answer.UNKNOWN else row.backend


def _print_rich(head: Sequence[str], lines: Sequence[Sequence[str]], color: When) -> None:
    # Imported here: rich costs more than all else that `show` does.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in head:
        table.add_column(title, overflow="fold")
    before = ""
    for line in lines:
        command = "" if line[0] == before else line[0]
        before = line[0]
        cells = [Text(shown(cell), style=_style(cell)) for cell in line[2:]]
        table.add_row(Text(shown(command), style="cyan"), Text(shown(line[1])), *cells)
    coloured = wants_colour(color, sys.stdout)
    Console(no_color=not coloured, force_terminal=coloured or None, highlight=False).print(table)


def _style(cell: str) -> str:
    if cell.endswith("no wheel") or cell == "error":
        return "red"
    return "yellow" if cell.endswith("?") else "dim" if cell == "-" else "green"
