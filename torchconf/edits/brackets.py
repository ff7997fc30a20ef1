"""An array or an inline table as text: insert and remove entries without losing comments.

A comment at the end of an entry's line belongs to the entry, and so do the comments above it. When
an array's entry is removed, its comments remain on lines of their own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.edits.tokens import COMMENT, KEY, comments_of, parse_key, value_end

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ArrayEntry", "Brackets"]

_space = re.compile(rf"(?:[ \t\r\n]++|{COMMENT})*+")
_line_end = re.compile(rf"[ \t]*+{COMMENT}")
_key = re.compile(rf"({KEY})[ \t]*+=[ \t]*+")


class ArrayEntry:
    """One entry with the white space and comments around it."""

    __slots__ = ("comma", "gap", "key", "keys", "lead", "trail", "value")

    def __init__(self, lead: str, value: str, *, key: str = "", keys: tuple[str, ...] = ()) -> None:
        """Create an entry without a comma."""
        self.lead = lead
        self.key = key
        """In an inline table: the key with its equals sign and the space around it."""
        self.keys = keys
        self.value = value
        self.gap = ""
        self.comma = ""
        self.trail = ""

    @property
    def own_line(self) -> bool:
        """Whether the entry begins a line."""
        return "\n" in self.lead

    @property
    def indent(self) -> str:
        """The white space before it on its line."""
        return self.lead[self.lead.rfind("\n") + 1 :]


class Brackets:
    """An array or an inline table."""

    __slots__ = ("close", "entries", "head", "is_array", "newline")

    def __init__(self, text: str) -> None:
        """Parse a value that begins with `[` or `{`."""
        self.is_array = text[0] == "["
        # Where a new line is needed, there is one: a comment, which only the end of a line ends.
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.entries: list[ArrayEntry] = []
        head = _line_end.match(text, 1)
        self.head = head[0] if head else ""
        """A comment after the opening bracket, on its line."""
        at = 1 + len(self.head)
        last = len(text) - 1
        while True:
            space = _match(_space, text, at)
            at += len(space)
            if at == last:
                break
            entry = ArrayEntry(space, "")
            if not self.is_array:
                entry.key = _match(_key, text, at)
                entry.keys = parse_key(entry.key.rstrip(" =\t"))
                at += len(entry.key)
            end = value_end(text, at)
            entry.value = text[at:end]
            self.entries.append(entry)
            space = _match(_space, text, end)
            at = end + len(space)
            if at == last:
                entry.trail = _match(_line_end, space, 0)
                space = space[len(entry.trail) :]
                break
            entry.gap = space
            entry.comma = ","
            entry.trail = _match(_line_end, text, at + 1)
            at += 1 + len(entry.trail)
        self.close = space
        """White space and comments before the closing bracket."""

    def __str__(self) -> str:
        """Return the text of the value."""
        opening, closing = "[]" if self.is_array else "{}"
        entries = "".join(
            f"{entry.lead}{entry.key}{entry.value}{entry.gap}{entry.comma}{entry.trail}"
            for entry in self.entries
        )
        return f"{opening}{self.head}{entries}{self.close}{closing}"

    @property
    def many_lines(self) -> bool:
        """Whether an entry or the closing bracket starts a new line."""
        return "\n" in self.close or any(entry.own_line for entry in self.entries)

    def insert(
        self, position: int, entry: ArrayEntry, newline: str, unit: str, pad: str = ""
    ) -> None:
        """Insert an entry, formatted like the existing ones.

        Args:
            position: Number of the entry to insert it before.
            entry: With an empty `lead`, to be filled in.
            newline: Line ending and indent of the line on which the value starts; empty if the
                first entry must stay on that line.
            unit: What the first entry is indented by.
            pad: Inside the braces of an inline table.
        """
        entries = self.entries
        if not entries:
            self._insert_first(entry, newline, unit, pad)
        elif position == len(entries):
            like = entries[-1]
            entry.lead = _plain(like.lead) if len(entries) > 1 or like.own_line else " "
            entry.comma = like.comma
            if not like.comma:
                like.comma = ","
                if gap := self._gap():
                    like.gap, like.trail = like.trail + gap, ""
            if like.trail and not entry.own_line:
                entry.lead = self.newline + unit
        else:
            like = entries[position]
            entry.lead = _plain(like.lead) if like.own_line else like.lead
            entry.comma = ","
            entry.gap = self._gap()
            if position == 0 and not like.own_line:
                like.lead = _plain(entries[1].lead) if len(entries) > 1 else " "
        entries.insert(position, entry)

    def _gap(self) -> str:
        """Return the white space before each comma where lines begin with commas."""
        return next((_plain(each.gap) for each in self.entries if "\n" in each.gap), "")

    def _insert_first(self, entry: ArrayEntry, newline: str, unit: str, pad: str) -> None:
        if "\n" in self.close:
            # Comments so far, or nothing over several lines. The comments stay above the entry.
            comments = self.close.rstrip() if "#" in self.close else ""
            base = self.close[self.close.rfind("\n") + 1 :]
            last = comments[comments.rfind("\n") + 1 :]
            indent = last[: last.index("#")] if comments else base + unit
            entry.lead = f"{comments}{self.newline}{indent}"
            self.close = f"{self.newline}{base}"
            entry.comma = "," if self.is_array else ""
        elif newline:
            entry.lead = newline + unit
            entry.comma = ","
            self.close = newline
        else:
            entry.lead = self.close = pad

    def spread(self, newline: str, unit: str) -> None:
        """Write each entry on a line of its own. A value on one line holds no comments."""
        for entry in self.entries:
            entry.lead = newline + unit
            entry.comma = ","
        self.close = newline

    def remove(self, position: int) -> list[str]:
        """Remove an entry.

        Returns:
            The comments of an entry of an inline table, which has no place for them. In an array
            they stay, and the list is empty.
        """
        gone = self.entries.pop(position)
        follows = position < len(self.entries)
        if not follows and self.entries:
            last = self.entries[-1]
            last.comma = gone.comma
            last.gap = last.gap if gone.comma or "#" in last.gap else ""
        comments = comments_of(f"{gone.lead}{gone.value}{gone.gap}\n{gone.trail}")
        if comments and not self.is_array:
            return comments
        after = self.entries[position].lead if follows else self.close
        before = self.entries[position - 1].trail if position else self.head
        newline = self.newline
        if comments:
            indent = gone.indent if gone.own_line else ""
            kept = "".join(f"{newline}{indent}{comment}" for comment in comments)
            after = kept + (after if "\n" in after else f"{newline}{indent}")
        elif not self.entries and not self.close.strip() and not self.head:
            after = ""
        elif follows and "\n" not in after and (position == 0 or gone.own_line):
            after = gone.lead
        elif follows and gone.own_line:
            # A blank line parted two groups, and still does.
            after = newline * (_line_ends(gone.lead) - _line_ends(after)) + after
        if before and "\n" not in after:
            after = newline + after
        if follows:
            self.entries[position].lead = after
        else:
            self.close = after
        return []

    def names(self, rest: Sequence[str | int]) -> set[str]:
        """Return the key after a path in each dotted key that starts with the path."""
        count = len(rest)
        return {
            each.keys[count]
            for each in self.entries
            if len(each.keys) > count and each.keys[:count] == tuple(rest)
        }

    def find(self, rest: Sequence[str | int]) -> tuple[ArrayEntry, Sequence[str | int]] | None:
        """Return the entry at the start of a path, and the rest of the path inside it."""
        if self.is_array:
            return self.entries[int(rest[0])], rest[1:]
        for entry in self.entries:
            if tuple(rest[: len(entry.keys)]) == entry.keys:
                return entry, rest[len(entry.keys) :]
        return None


def _match(pattern: re.Pattern[str], text: str, at: int) -> str:
    match = pattern.match(text, at)
    return match[0] if match else ""


def _newline(space: str) -> str:
    if "\n" not in space:
        return ""
    return "\r\n" if "\r\n" in space else "\n"


def _plain(lead: str) -> str:
    """Return the line break and indent, without the blank lines and comments of an entry."""
    return _newline(lead) + lead[lead.rfind("\n") + 1 :]


def _line_ends(lead: str) -> int:
    """Count the line breaks before the first comment or entry."""
    return lead.count("\n", 0, len(lead) - len(lead.lstrip()))
