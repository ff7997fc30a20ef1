"""Where a TOML path stands in a text: line and column, for messages about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torchconf.edits.brackets import Brackets
from torchconf.edits.document import Document, Pair, starts_with

if TYPE_CHECKING:
    from torchconf.model.toml_path import Path

__all__ = ["Locator", "Span"]


class Span(NamedTuple):
    """A stretch of a text; lines and columns count from 1, columns in characters."""

    line: int
    column: int
    end_line: int
    """Of its last character."""
    end_column: int
    """Behind its last character."""


class Locator:
    """Answers for many paths of one text."""

    def __init__(self, text: str) -> None:
        """Take a text apart that is valid TOML, without a byte order mark."""
        self._text = text
        self._document = Document(text)

    def span(self, path: Path) -> Span:
        """Return where a path stands.

        Returns:
            A key of a table: the key with its value, an entry of an array: the entry, a table with
            a header: the header. What is not there is where the nearest thing above it is; the
            beginning of the text, if nothing is.
        """
        start, end = self._stretch(path)
        return Span(*self._place(start), *self._place(end))

    def _place(self, offset: int) -> tuple[int, int]:
        before = self._text.rfind("\n", 0, offset)
        return self._text.count("\n", 0, offset) + 1, offset - before

    def _stretch(self, path: Path) -> tuple[int, int]:
        document = self._document
        for length in range(len(path), 0, -1):
            part = path[:length]
            if found := document.find(part):
                table, pair, rest = found
                start = self._offset(table, pair)
                if not rest:
                    return start, start + len(str(pair)) - len(pair.indent) - len(pair.tail)
                start += len(pair.key) + len(pair.equals)
                if stretch := _inside(pair.value, rest):
                    return start + stretch[0], start + stretch[1]
            elif (table_at := document.table(part)) and table_at.head:
                start = self._offset(table_at, None)
                head = table_at.head.lstrip(" \t")
                return start, start + len(head.rstrip())
            elif dotted := next(document.dotted(part), None):
                table, pair = dotted
                start = self._offset(table, pair)
                return start, start + len(pair.key)
            elif below := next((t for t in document.below(part) if t.head), None):
                start = self._offset(below, None)
                return start, start + len(below.head.strip())
        return 0, 0

    def _offset(self, wanted: object, pair: Pair | None) -> int:
        """Return where a header begins, or a key below it, without the indent."""
        at = 0
        for table in self._document.tables:
            if table is wanted and pair is None:
                return at + len(table.head) - len(table.head.lstrip(" \t"))
            at += len(table.head) + len(table.tail)
            for item in table.body:
                if item is pair:
                    return at + len(pair.indent)
                at += len(str(item))
        return at


def _inside(value: str, rest: Path) -> tuple[int, int] | None:
    """Return the stretch of a path inside a value, the key of an inline table included."""
    if value[0] not in "[{":
        return None
    brackets = Brackets(value)
    if brackets.is_array != isinstance(rest[0], int):
        return None
    at = 1 + len(brackets.head)
    for number, entry in enumerate(brackets.entries):
        at += len(entry.lead)
        here = rest[:1] == (number,) if brackets.is_array else starts_with(rest, entry.keys)
        if here:
            deeper = rest[1:] if brackets.is_array else rest[len(entry.keys) :]
            if not deeper:
                return at, at + len(entry.key) + len(entry.value)
            start = at + len(entry.key)
            found = _inside(entry.value, deeper)
            if found is None:
                return at, start + len(entry.value)
            return start + found[0], start + found[1]
        at += len(entry.key) + len(entry.value) + len(entry.gap) + len(entry.comma)
        at += len(entry.trail)
    return None
