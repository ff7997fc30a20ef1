"""Plain tables: aligned columns, for people and for pipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def plain_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned columns, for a pipe."""
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    lines = [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join(lines) + "\n"


def spoken_span(versions: Sequence[str]) -> str:
    """Return versions as a cell: the only one, or the first and the last; `-` for none."""
    if not versions:
        return "-"
    return versions[0] if len(versions) == 1 else f"{versions[0]}-{versions[-1]}"
