"""Where a TOML path stands in a text: line and column, for messages about it."""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from torchconf.edits.brackets import Brackets
from torchconf.edits.document import Document, Pair, starts_with
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from torchconf.edits.brackets import ArrayEntry
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
        document = Document(text)
        self._document = document
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self._tables: dict[Path, list[int]] = {}
        self._offsets: dict[int, int] = {}
        self._pairs: dict[int, dict[Path, tuple[int, Pair]]] = {}
        self._entries: dict[str, tuple[bool, list[tuple[int, ArrayEntry]]] | None] = {}
        at = 0
        for number, table in enumerate(document.tables):
            self._tables.setdefault(table.path, []).append(number)
            self._offsets[id(table)] = at + len(table.head) - len(table.head.lstrip(" \t"))
            at += len(table.head) + len(table.tail)
            for item in table.body:
                if isinstance(item, Pair):
                    self._offsets[id(item)] = at + len(item.indent)
                at += len(str(item))

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
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def _find(self, path: Path) -> tuple[Pair, Path] | None:
        """Find the key whose value is at a path, or holds it; the rest leads on inside."""
        tables = self._document.tables
        above = (self._tables.get(path[:length], ()) for length in range(len(path) + 1))
        for number in sorted(itertools.chain.from_iterable(above)):
            table = tables[number]
            pairs = self._pairs.get(number)
            if pairs is None:
                pairs = self._pairs[number] = {}
                for place, pair in enumerate(table.pairs()):
                    pairs.setdefault(pair.keys, (place, pair))
            rest = path[len(table.path) :]
            beginnings = (rest[:length] for length in range(1, len(rest) + 1))
            found = [pairs[beginning] for beginning in beginnings if beginning in pairs]
            if found:
                pair = min(found, key=lambda each: each[0])[1]
                return pair, rest[len(pair.keys) :]
        return None

    def _stretch(self, path: Path) -> tuple[int, int]:
        document = self._document
        for length in range(len(path), 0, -1):
            part = path[:length]
            if found := self._find(part):
                pair, rest = found
                start = self._offsets[id(pair)]
                if not rest:
                    return start, start + len(str(pair)) - len(pair.indent) - len(pair.tail)
                start += len(pair.key) + len(pair.equals)
                if stretch := self._inside(pair.value, rest):
                    return start + stretch[0], start + stretch[1]
            elif (numbers := self._tables.get(part)) and document.tables[numbers[0]].head:
                table = document.tables[numbers[0]]
                start = self._offsets[id(table)]
                head = table.head.lstrip(" \t")
                return start, start + len(head.rstrip())
            elif dotted := next(document.dotted(part), None):
                _, pair = dotted
                start = self._offsets[id(pair)]
                return start, start + len(pair.key)
            elif below := next((t for t in document.below(part) if t.head), None):
                start = self._offsets[id(below)]
                return start, start + len(below.head.strip())
        return 0, 0

    def _inside(self, value: str, rest: Path) -> tuple[int, int] | None:
        """Return the stretch of a path inside a value, the key of an inline table included."""
        if value not in self._entries:
            self._entries[value] = _entries(value)
        found = self._entries[value]
        if found is None or found[0] != isinstance(rest[0], int):
            return None
        is_array, entries = found
        if isinstance(rest[0], int):
            entries = entries[rest[0] : rest[0] + 1] if rest[0] >= 0 else []
        for at, entry in entries:
            if is_array or starts_with(rest, entry.keys):
                deeper = rest[1:] if is_array else rest[len(entry.keys) :]
                start = at + len(entry.key)
                end = start + len(entry.value)
                stretch = self._inside(entry.value, deeper) if deeper else None
                return (start + stretch[0], start + stretch[1]) if stretch else (at, end)
        return None


def _entries(value: str) -> tuple[bool, list[tuple[int, ArrayEntry]]] | None:
    """Return whether a value is an array, and its entries with their offsets."""
    if value[0] not in "[{":
        return None
    brackets = Brackets(value)
    found: list[tuple[int, ArrayEntry]] = []
    at = 1 + len(brackets.head)
    for entry in brackets.entries:
        at += len(entry.lead)
        found.append((at, entry))
        at += len(entry.key) + len(entry.value) + len(entry.gap) + len(entry.comma)
        at += len(entry.trail)
    return brackets.is_array, found
