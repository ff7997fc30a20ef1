"""A TOML file with the lines of everything in it, so that no line is forgotten.

A reader walks over the data and takes what it reads by its path; what nobody took is left over.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from torchconf.edits.brackets import Brackets
from torchconf.edits.document import Document
from torchconf.edits.read_toml import read_toml
from torchconf.edits.tokens import tokens
from torchconf.errors import ProjectError
from torchconf.migrate.old import LeftOut, Part, Place
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchconf.migrate.old import Item
    from torchconf.model.toml_path import Path

_DEPTH = 6
"""How deep inside a value entries are found by themselves."""
_LONGEST = 12
"""How long a path is at most that a reader asks for."""


class _Statement(NamedTuple):
    """A header, or a key with its value."""

    start: int
    end: int
    is_header: bool


class TomlFile:
    """A file, or some tables of it, and who has taken which line."""

    def __init__(self, path: str, text: str, scopes: tuple[Path, ...] = ((),)) -> None:
        """Read a file.

        Args:
            path: Its name, for places and errors.
            text: Without a byte order mark.
            scopes: The tables whose lines must be accounted for.

        Raises:
            ProjectError: It is not TOML.
        """
        self.path = path
        self.data: dict[str, Any] = read_toml(text, path)
        self._text = text
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self._statements: list[_Statement] = []
        self._at: dict[Path, list[int]] = {}
        self._inside: dict[Path, tuple[int, int, int]] = {}
        self._taken: set[int] = set()
        self._rest: list[Item] = []
        at = 0
        for table in Document(text).tables:
            if table.head and any(_overlaps(table.path, scope) for scope in scopes):
                self._add(table.path, at, at + len(table.head), is_header=True)
            at += len(table.head) + len(table.tail)
            for item in table.body:
                if not isinstance(item, str):
                    where = (*table.path, *item.keys)
                    if any(_overlaps(where, scope) for scope in scopes):
                        start = at + len(item.indent)
                        value = start + len(item.key) + len(item.equals)
                        number = self._add(where, start, value + len(item.value), is_header=False)
                        self._look_into(where, number, value, item.value, _DEPTH)
                at += len(str(item))

    def of_tool(self, tool: str) -> dict[str, Any]:
        """Return the table that a tool has in a pyproject.toml.

        Raises:
            ProjectError: It has none.
        """
        tools = self.data.get("tool")
        table = tools.get(tool) if isinstance(tools, dict) else None
        if not isinstance(table, dict):
            raise ProjectError(
                f"the file has no table `[tool.{tool}]`",
                at=self.path,
                help="name the file that lists the dependencies",
            )
        return table

    def _add(self, path: Path, start: int, end: int, *, is_header: bool) -> int:
        number = len(self._statements)
        self._statements.append(_Statement(start, end, is_header))
        for length in range(1, min(len(path), _LONGEST) + 1):
            self._at.setdefault(path[:length], []).append(number)
        return number

    def _look_into(self, path: Path, number: int, at: int, value: str, depth: int) -> None:
        """Note where the entries of an array or an inline table stand."""
        if not depth or value[0] not in "[{" or len(path) > _LONGEST:
            return
        brackets = Brackets(value)
        at += 1 + len(brackets.head)
        for count, entry in enumerate(brackets.entries):
            at += len(entry.lead)
            end = at + len(entry.key) + len(entry.value)
            where = (*path, count) if brackets.is_array else (*path, *entry.keys)
            for length in range(len(path) + 1, len(where) + 1):
                # A table of dotted keys begins with the first and ends with the last of them.
                _, start, _ = self._inside.get(where[:length], (number, at, end))
                self._inside[where[:length]] = (number, start, end)
            self._look_into(where, number, at + len(entry.key), entry.value, depth - 1)
            at = end + len(entry.gap) + len(entry.comma) + len(entry.trail)

    def take(self, *path: str | int) -> tuple[Place, str]:
        """Take what stands at a path and below it.

        Returns:
            Its place and its text, on one line and without comments. What stands in several places
            is where the first of them is; the others are parts of it.
        """
        while path[:-1] and path not in self._inside and path not in self._at:
            path = path[:-1]
        if path in self._inside:
            number, start, end = self._inside[path]
            self._taken.add(number)
            return self._place(start, end), self._spoken(start, end)
        numbers = self._at.get(path, [])
        self._taken.update(numbers)
        runs = [*_runs(numbers)]
        if not runs:
            return Place(self.path, 1), ""
        first = self._run(runs[0])
        for run in runs[1:]:
            at, text = self._run(run)
            self._rest.append(Part(at, text, f"read with line {first[0].line}"))
        return first

    def account(self, items: Iterable[Item]) -> tuple[Item, ...]:
        """Return items in the order of their lines, and one for each line that nobody took.

        Args:
            items: What the reader makes of what it takes.
        """
        found = [*items]
        found += self._rest
        for number, statement in enumerate(self._statements):
            if number not in self._taken and not statement.is_header:
                at, text = self._run([number])
                found.append(
                    LeftOut(at, text, "torchconf does not know this key", understood=False)
                )
        return tuple(sorted(found, key=lambda item: item.at.line))

    def _run(self, numbers: list[int]) -> tuple[Place, str]:
        statements = [self._statements[number] for number in numbers]
        spoken = [self._spoken(each.start, each.end) for each in statements]
        if statements[0].is_header:
            head = spoken.pop(0)
            text = f"{head} {', '.join(spoken)}".rstrip()
        else:
            text = ", ".join(spoken)
        return self._place(statements[0].start, statements[-1].end), text

    def _place(self, start: int, end: int) -> Place:
        line = bisect_right(self._lines, start)
        last = bisect_right(self._lines, max(start, end - 1))
        return Place(self.path, line, last if last != line else 0)

    def _spoken(self, start: int, end: int) -> str:
        """Return a stretch of the text on one line and without its comments."""
        text = self._text[start:end]
        if "\n" not in text:
            return text.strip()
        pieces: list[str] = []
        at = 0
        for token in tokens(text):
            if token[0][0] == "#":
                pieces.append(text[at : token.start()])
                at = token.end()
        return " ".join("".join([*pieces, text[at:]]).split())


def _overlaps(path: Path, scope: Path) -> bool:
    """Tell whether a path is at, below or above a table."""
    length = min(len(path), len(scope))
    return path[:length] == scope[:length]


def _runs(numbers: list[int]) -> Iterator[list[int]]:
    """Part rising numbers where one is missing."""
    run: list[int] = []
    for number in numbers:
        if run and number != run[-1] + 1:
            yield run
            run = []
        run.append(number)
    if run:
        yield run
