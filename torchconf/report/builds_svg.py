"""The table of `show` as a picture: for a page that takes no tables, in light and dark."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from torchconf.errors.shown import shown
from torchconf.report.grid import grid_of
from torchconf.report.marks import LOOKS, marks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchconf.report.grid import Grid
    from torchconf.resolve.table import Row

__all__ = ["builds_svg"]

_SIZE = 14
_ADVANCE = 8.6
"""Width of a character at that size: a little more than that of the usual fonts, 0.6 of it."""
_LINE = 24
_EDGE = 16
_GAP = 3
"""Characters between columns."""


def builds_svg(rows: Sequence[Row], name: str | None) -> str:
    """Return the picture; empty without rows.

    Args:
        rows: The rows.
        name: What the project is called.
    """
    return "".join(_picture(grid_of(rows), name)) if rows else ""


def _picture(grid: Grid, name: str | None) -> Iterator[str]:
    lines = [*_texts(grid)]
    columns = [max(map(_width, column)) for column in zip(grid.head, *lines, strict=True)]
    starts = [
        _EDGE + _ADVANCE * sum(width + _GAP for width in columns[:n]) for n in range(len(columns))
    ]
    width = round(starts[-1] + _ADVANCE * columns[-1] + _EDGE)
    height = _LINE * (len(lines) + 1) + 2 * _EDGE
    yield '<svg xmlns="http://www.w3.org/2000/svg" role="img" '
    yield 'aria-labelledby="builds-name builds-text" '
    yield f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">\n'
    title = f"PyTorch builds of {_text(name)}" if name else "PyTorch builds"
    yield f'<title id="builds-name">{title}</title>\n'
    yield f'<desc id="builds-text">{_spoken(grid)}</desc>\n'
    yield f"<style>{_style()}</style>\n"
    yield f'<rect class="page" x="0.5" y="0.5" rx="6" width="{width - 1}" height="{height - 1}"/>\n'
    head = [f'<tspan class="head">{_text(title)}</tspan>' for title in grid.head]
    yield _line(0, head, starts)
    marks = marks_of(grid)
    before = ""
    for number, (line, texts) in enumerate(zip(grid.lines, lines, strict=True), 1):
        command = _text(line.command) if line.command != before else ""
        before = line.command
        looks = [marks[cell].look.name for cell in line.cells]
        cells = [
            f'<tspan class="{look}">{_text(text)}</tspan>'
            for look, text in zip(looks, texts[2:], strict=True)
        ]
        yield _line(number, [command, _text(line.package), *cells], starts)
    yield "</svg>\n"


def _texts(grid: Grid) -> Iterator[list[str]]:
    marks = marks_of(grid)
    for line in grid.lines:
        cells = [f"{marks[cell].sign} {cell.text}" for cell in line.cells]
        yield [line.command, line.package, *cells]


def _line(number: int, cells: Sequence[str], starts: Sequence[float]) -> str:
    y = _EDGE + _LINE * (number + 0.7)
    texts = "".join(
        f'<text x="{x:.1f}" y="{y:.1f}">{cell}</text>'
        for x, cell in zip(starts, cells, strict=True)
        if cell
    )
    return f"{texts}\n"


def _style() -> str:
    light = " ".join(f".{look.name} {{ fill: {look.light} }}" for look in LOOKS)
    dark = " ".join(f".{look.name} {{ fill: {look.dark} }}" for look in LOOKS)
    return (
        f"text {{ font: {_SIZE}px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; "
        "white-space: pre; fill: #1f2328 } .head, .wrong { font-weight: 700 } "
        f".page {{ fill: #ffffff; stroke: #d1d9e0 }} {light} "
        "@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } "
        f".page {{ fill: #0d1117; stroke: #3d444d }} {dark} }}"
    )


def _spoken(grid: Grid) -> str:
    """Return the table in words, a sentence for each line."""
    sentences = []
    for line in grid.lines:
        cells = zip(grid.platforms, line.cells, strict=True)
        found = ", ".join(f"{platform} {cell.spoken}" for platform, cell in cells)
        sentences.append(f"{line.command}: {line.package} {found}.")
    return _text(" ".join(sentences))


def _width(text: str) -> int:
    """Return how many columns a text takes."""
    return sum(2 if east_asian_width(sign) in {"W", "F"} else 1 for sign in shown(text))


def _text(text: str) -> str:
    return escape(shown(text))
