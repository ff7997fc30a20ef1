"""The table of `show` about one place of the file, in two or three lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.report.grid import State, grid_of
from torchconf.report.markdown import as_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torchconf.report.grid import Cell, Line
    from torchconf.resolve.table import Row

__all__ = ["build_lines", "builds_in_short"]

_MOST_LINES = 3


def build_lines(rows: Iterable[Row], concerns: Callable[[Row], bool]) -> list[str]:
    """Return what the commands install that a place has to do with, as a list of Markdown.

    Args:
        rows: Of the project.
        concerns: Tells whether the place has to do with a row; then all platforms are shown.
    """
    rows = tuple(rows)
    keys = {(row.command, row.package) for row in rows if concerns(row)}
    grid = grid_of([row for row in rows if (row.command, row.package) in keys])
    # Companions mostly get what the first package gets: that is said once.
    merged: dict[tuple[str, str], list[str]] = {}
    for line in grid.lines:
        told = _in_short(grid.platforms, line)
        merged.setdefault((line.command, told), []).append(line.package)
    lines = [
        f"- {as_code(command)}: {', '.join(packages)}: {told}"
        for (command, told), packages in merged.items()
    ]
    left = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], f"- and {left} more: `torchconf show`"] if left > 0 else lines


def builds_in_short(rows: Sequence[Row]) -> str:
    """Return what the platforms get of one package by one command: `cu130 on linux; cpu on macos`.

    Args:
        rows: Of the package and the command, at least one.
    """
    grid = grid_of(rows)
    return _in_short(grid.platforms, grid.lines[0])


def _in_short(platforms: Sequence[str], line: Line) -> str:
    found: dict[str, list[str]] = {}
    for platform, cell in zip(platforms, line.cells, strict=True):
        found.setdefault(_spoken(cell), []).append(platform)
    if len(found) == 1:
        return f"{next(iter(found))} everywhere"
    return "; ".join(f"{build} on {', '.join(names)}" for build, names in found.items())


def _spoken(cell: Cell) -> str:
    """Return the words for a cell: in a sentence, a sign says nothing."""
    if cell.state is State.WRONG and cell.build is None:
        return "refused by uv"
    return cell.spoken
