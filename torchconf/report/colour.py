"""Colour, where it is wanted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from typing import TextIO

When = Literal["auto", "always", "never"]


def wants_colour(when: When, stream: TextIO) -> bool:
    """Tell whether to colour what goes to a stream.

    Args:
        when: `auto` means: at a terminal that can show it, unless `NO_COLOR` is set.
        stream: Where the text goes.
    """
    if when != "auto":
        return when == "always"
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def paint(text: str, code: str) -> str:
    """Return a text between the sequences that colour it; `code` as in `31` for red."""
    return f"\033[{code}m{text}\033[0m"
