"""Tables and texts for pages, from what the program says in its help."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SIGNS = {"<": "&lt;", "{": "&#123;", "*": "&#42;", "[": "&#91;"}
"""What Markdown, HTML or an extension would take for its own."""


def as_markdown(text: str) -> str:
    """Return a text of the program; what stands between backticks is code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if number % 2 else "".join(_SIGNS.get(sign, sign) for sign in part)
        for number, part in enumerate(parts)
    )


def as_cell(text: str) -> str:
    """Return Markdown that can stand in a cell, as GitHub reads it."""
    return " ".join(text.split()).replace("|", "\\|")


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *(map(as_cell, row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
