"""A TOML document as tables, key lines, comments and blank lines, each with its exact text."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from torchconf.edits.style import USUAL, Style, learn
from torchconf.edits.tokens import COMMENT, KEY, comments_of, parse_key, value_end
from torchconf.errors import WriteRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.edits.brackets import Brackets
    from torchconf.model.toml_path import Path


__all__ = ["Document", "Pair", "Table", "is_blank", "starts_with"]

_SAMPLES = 100
"""How many keys tell how a table is written: a thousand would be asked again for each new one."""
_other_line = re.compile(rf"[ \t]*+(?:{COMMENT})?(?:\r?\n|\Z)")
# A header, or a key with its equals sign; which of them, the bracket tells.
_line = re.compile(rf"([ \t]*+)(\[\[?+)?+[ \t]*+({KEY})([ \t]*+(?:=|\]\]?+)[ \t]*+)")


class Pair:
    """A key and its value, with the rest of its last line."""

    __slots__ = ("equals", "indent", "key", "keys", "tail", "value")

    def __init__(self, indent: str, key: str, equals: str, value: str, tail: str) -> None:
        """Take the parts, which follow one another in the text."""
        self.indent = indent
        self.key = key
        self.keys = parse_key(key)
        self.equals = equals
        self.value = value
        self.tail = tail

    def __str__(self) -> str:
        """Put the text together again."""
        return f"{self.indent}{self.key}{self.equals}{self.value}{self.tail}"

    @property
    def column(self) -> int:
        """Where the value starts on its line."""
        return len(self.indent) + len(self.key) + len(self.equals)


class Table:
    """A header and what follows it, up to the next header. The first one has no header."""

    __slots__ = ("body", "head", "in_array", "keys", "path", "tail")

    def __init__(self, head: str, tail: str, keys: tuple[str, ...], *, in_array: bool) -> None:
        """Make an empty table; its path is told when the document counts its tables."""
        self.head = head
        self.tail = tail
        self.keys = keys
        self.in_array = in_array
        self.path: Path = ()
        self.body: list[Pair | str] = []

    def pairs(self) -> Iterator[Pair]:
        """Yield the keys that stand under this header."""
        return (item for item in self.body if isinstance(item, Pair))


class Document:
    """All tables in the order of the file."""

    __slots__ = ("_habits", "newline", "parsed", "tables", "unended")

    def __init__(self, text: str) -> None:
        """Take a text apart that is valid TOML."""
        self._habits: Style | None = None
        self.parsed: dict[str, Brackets] = {}
        """The value that the last step has changed, as it left it."""
        crlf = text.count("\r\n")
        self.newline = "\r\n" if crlf * 2 > text.count("\n") else "\n"
        self.unended = bool(text) and not text.endswith("\n")
        if self.unended:
            # Every line ends like the others while lines come and go.
            text += self.newline
        self.tables = [Table("", "", (), in_array=False)]
        body = self.tables[0].body
        at = 0
        while at < len(text):
            if other := _other_line.match(text, at):
                body.append(other[0])
                at = other.end()
                continue
            line = _line.match(text, at)
            if line is None:
                message = f"cannot parse a line that Python can: `{text[at : at + 80]}`"
                raise WriteRefused(
                    message, help="this is a bug in torchconf; please report this line"
                )
            indent, bracket, key, end = line.groups()
            start = line.end()
            stop = start if bracket else value_end(text, start)
            at = text.index("\n", stop) + 1
            if bracket:
                keys = parse_key(key)
                table = Table(line[0], text[stop:at], keys, in_array=bracket == "[[")
                self.tables.append(table)
                body = table.body
            else:
                body.append(Pair(indent, key, end, text[start:stop], text[stop:at]))
        self.count()

    def __str__(self) -> str:
        """Put the text together again."""
        pieces: list[str] = []
        for table in self.tables:
            pieces += (table.head, table.tail)
            pieces += map(str, table.body)
        text = "".join(pieces)
        return text.removesuffix("\n").removesuffix("\r") if self.unended else text

    def count(self) -> None:
        """Number the tables of arrays, after some came or went."""
        counts: dict[Path, int] = {}
        for table in self.tables:
            path: Path = ()
            for key in table.keys[: -1 if table.in_array else None]:
                path += (key,)
                if path in counts:
                    path += (counts[path] - 1,)
            if table.in_array:
                path += table.keys[-1:]
                number = counts[path] = counts.get(path, 0) + 1
                path += (number - 1,)
            table.path = path

    def find(self, path: Path) -> tuple[Table, Pair, Path] | None:
        """Find the key whose value is at a path, or holds it; the rest leads on inside."""
        for table in self.tables:
            if not starts_with(path, table.path):
                continue
            rest = path[len(table.path) :]
            for pair in table.pairs():
                if starts_with(rest, pair.keys):
                    return table, pair, rest[len(pair.keys) :]
        return None

    def table(self, path: Path) -> Table | None:
        """Find the table with this very header."""
        return next((table for table in self.tables if table.path == path), None)

    def dotted(self, path: Path) -> Iterator[tuple[Table, Pair]]:
        """Yield the dotted keys that make up, or fill, a table which has no header there."""
        for table in self.tables:
            if len(table.path) < len(path) and starts_with(path, table.path):
                rest = path[len(table.path) :]
                for pair in table.pairs():
                    if len(pair.keys) > len(rest) and starts_with(pair.keys, rest):
                        yield table, pair

    def below(self, path: Path) -> list[Table]:
        """Return the tables whose headers are at or below a path."""
        return [table for table in self.tables if starts_with(table.path, path)]

    def like(self, table: Table) -> Pair | None:
        """Return a key to write a new one like: the last of this table, or of its siblings."""
        siblings = (other for other in self.tables if other.in_array and other.keys == table.keys)
        for each in (table, *siblings):
            if pairs := [*each.pairs()]:
                return pairs[-1]
        return None

    def equals(self, table: Table, keys: tuple[str, ...], like: Pair | None) -> str:
        """Return the equals sign of a new key: aligned, if that of an older sibling's key is."""
        if table.in_array:
            for other in self.tables:
                if other.in_array and other.keys == table.keys:
                    for pair in other.pairs():
                        if pair.keys == keys:
                            return pair.equals
        return like.equals if like and like.equals in ("=", " = ") else " = "

    def style(self, table: Table) -> Style:
        """Tell how values are written in a table; if it does not show, in the document."""
        if self._habits is None:
            self._habits = learn(
                ((pair.indent, pair.value) for each in self.tables for pair in each.pairs()), USUAL
            )
        siblings = (
            pair
            for each in self.tables
            if each.in_array and each.keys == table.keys
            for pair in each.pairs()
        )
        pairs = [*islice(table.pairs(), _SAMPLES)] or [*islice(siblings, _SAMPLES)]
        return learn(((pair.indent, pair.value) for pair in pairs), self._habits)

    def add(self, table: Table, number: int) -> None:
        """Put a table in before the table of that number, with a blank line around it.

        Comments directly above a header belong to it and stay there.
        """
        before = self.tables[number - 1]
        attached: list[Pair | str] = []
        if number < len(self.tables):
            while before.body and is_comment(before.body[-1]):
                attached.insert(0, before.body.pop())
        blank: list[Pair | str] = []
        for item in reversed(before.body):
            if not is_blank(item):
                break
            blank.append(item)
        if not blank and (before.head or before.body):
            before.body.append(self.newline)
        if number < len(self.tables):
            table.body += [*(blank or [self.newline]), *attached]
        self.tables.insert(number, table)
        self.count()

    def dissolve(self, table: Table) -> None:
        """Take a table away. Its comments stay where they are, on lines of their own."""
        number = self.tables.index(table)
        kept = self.tables[number - 1].body
        follows = number + 1 < len(self.tables)
        lines: list[str] = [f"{comment}{self.newline}" for comment in comments_of(table.tail)]
        for item in table.body:
            lines += [item] if isinstance(item, str) else self.comment_lines(item)
        for line in lines:
            # A blank line after a blank line, or at the very top, parts nothing any more.
            if not is_blank(line) or (not is_blank(kept[-1]) if kept else number > 1):
                kept.append(line)
        del self.tables[number]
        self.count()
        if not follows:
            while kept and is_blank(kept[-1]):
                kept.pop()
        elif kept and is_comment(kept[-1]) and not (table.body and is_comment(table.body[-1])):
            # Without a blank line, the comment would seem to belong to the next header.
            kept.append(self.newline)

    def is_idle(self, table: Table) -> bool:
        """Tell a header that says nothing: nothing under it, and tables below it imply it."""
        empty = bool(table.head) and not table.in_array and all(map(is_blank, table.body))
        return empty and len(self.below(table.path)) > 1

    def drop(self, table: Table, pair: Pair) -> None:
        """Take a key away. Its comments stay, on lines of their own."""
        body = table.body
        at = body.index(pair)
        lines = self.comment_lines(pair)
        body[at : at + 1] = lines
        if lines:
            return
        start = end = at
        while start > 0 and is_blank(body[start - 1]):
            start -= 1
        while end < len(body) and is_blank(body[end]):
            end += 1
        before, after = body[start:at], body[at:end]
        ends_file = end == len(body) and table is self.tables[-1]
        begins_file = start == 0 and not table.head
        if ends_file or begins_file:
            body[start:end] = []
        elif start == 0 and any(table.pairs()):
            body[start:end] = before
        elif before and after:
            body[start:end] = before if len(before) > len(after) else after

    def comment_lines(self, pair: Pair) -> list[str]:
        """Return the comments of a key as lines."""
        comments = comments_of(pair.value) + comments_of(pair.tail)
        return [f"{pair.indent}{comment}{self.newline}" for comment in comments]


def starts_with(path: Path, beginning: Path) -> bool:
    """Tell whether a path is at or below another."""
    return path[: len(beginning)] == beginning


def is_blank(item: Pair | str) -> bool:
    """Tell a blank line."""
    return isinstance(item, str) and not item.strip()


def is_comment(item: Pair | str) -> bool:
    """Tell a line that is nothing but a comment."""
    return isinstance(item, str) and bool(item.strip())
