"""Plain tables: aligned columns, for people and for pipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors.shown import shown

if TYPE_CHECKING:
    from collections.abc import Sequence


_USUAL = 80
"""Columns of a terminal: where two spaces between cells are too many for it, one is enough."""


def plain_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned columns, for a pipe; a title may have several lines."""
    rows = [[shown(cell) for cell in row] for row in rows]
    deep = max(title.count("\n") for title in head) + 1
    titles = [title.split("\n") for title in head]
    above = [[""] * (deep - len(title)) + title for title in titles]
    every = [*(list(line) for line in zip(*above, strict=True)), *rows]
    widths = [max(len(row[n]) for row in every) for n in range(len(head))]
    gap = " " if len(head) <= _USUAL - sum(widths) < 2 * (len(head) - 1) else "  "
    lines = [
        gap.join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in every
    ]
    return "\n".join(lines) + "\n"


def platform_title(key: str) -> str:
    """Return the title of a platform's column, as narrow as it can be: its machine below."""
    return key.replace("-", "\n", 1)


def spoken_span(versions: Sequence[str]) -> str:
    """Return versions as a cell: the only one, or the first and the last; `-` for none."""
    if not versions:
        return "-"
    return versions[0] if len(versions) == 1 else f"{versions[0]}-{versions[-1]}"
