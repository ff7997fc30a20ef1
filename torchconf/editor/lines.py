"""Lines and columns as an editor counts them, and as offsets in the text."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Encoding", "Lines"]

Encoding: TypeAlias = Literal["utf-8", "utf-16", "utf-32"]
"""In whose units columns are counted. A client that says nothing counts those of UTF-16."""

_ENDS = re.compile(r"\r\n|\n|\r")
"""What ends a line for the protocol. `str.splitlines` knows further characters."""


def _utf16(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _utf8(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


_WIDTHS: dict[Encoding, Callable[[str], int]] = {"utf-8": _utf8, "utf-16": _utf16, "utf-32": len}


class Lines:
    """The lines of one text. Lines and columns count from 0."""

    def __init__(self, text: str, encoding: Encoding = "utf-16") -> None:
        """Count the lines of a text."""
        self.text = text
        self._width = _WIDTHS[encoding]
        self._is_plain = text.isascii()
        self._starts = [0]
        self._ends: list[int] = []
        for end in _ENDS.finditer(text):
            self._ends.append(end.start())
            self._starts.append(end.end())
        self._ends.append(len(text))

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset."""
        line = bisect_right(self._starts, offset) - 1
        start = self._starts[line]
        if self._is_plain:
            return line, offset - start
        return line, self._width(self.text[start:offset])

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a line and a column; of what is not there, the nearest place."""
        if line < 0:
            return 0
        if line >= len(self._starts):
            return len(self.text)
        start, end = self._starts[line], self._ends[line]
        if self._is_plain:
            return min(start + max(column, 0), end)
        at, left = start, column
        while at < end and left > 0:
            left -= self._width(self.text[at])
            at += 1
        # A column in the middle of a character means the place before it.
        return at - 1 if left < 0 else at
