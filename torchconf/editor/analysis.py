"""One file as an editor has it: what is found in it, and what its tables come to."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from torchconf.errors import TorchconfError, of_endless_number, shown
from torchconf.files import BYTE_ORDER_MARK, spoken_path
from torchconf.files.reading import PYTHON
from torchconf.model.named_tuple import NamedTuple
from torchconf.rules import RULES, Severity
from torchconf.rules.rule_selection import RuleSelection
from torchconf.workspace.discovery import Gatherer

if TYPE_CHECKING:
    from torchconf.model.scripts import Block
    from torchconf.resolve.table import Row
    from torchconf.rules.engine import CheckResult, Placed, Unit
    from torchconf.workspace.opened import OpenProject

__all__ = ["Analysis", "Problem", "is_read"]

_REFERENCES = {rule.code: rule.reference for rule in RULES}


class Problem(NamedTuple):
    """What an editor marks: a finding, or what keeps the file from being checked."""

    start: int
    end: int
    severity: Severity
    message: str
    code: str | None = None
    link: str | None = None
    """Where to read more."""
    placed: Placed | None = None


class Analysis:
    """One text of one file. Whatever is asked for is derived once.

    Nothing that the text can say raises here: what is wrong with it is a problem like the others.
    """

    def __init__(self, path: str, text: str) -> None:
        """Take a text.

        Args:
            path: The absolute path of the file, which need not be there: what surrounds it counts.
            text: As the editor has it.
        """
        self.path = path
        self.text = text
        self.name = spoken_path(path)
        self.is_script = path.endswith(PYTHON)
        self.mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""
        """What the text begins with before what torchconf reads."""
        self._shift = len(self.mark)

    # What is found.

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong, in the order of the text."""
        if self._result is None:
            return (self._misread(self._error),) if self._error is not None else ()
        found = [self._problem(one) for one in self._result.findings]
        found += [self._mistake(*one) for one in self._result.mistakes]
        return tuple(sorted(found, key=lambda one: one.start))

    @property
    def unit(self) -> Unit | None:
        """What can be fixed; None where nothing could be checked."""
        return self._checked[0] if self._error is None else None

    @cached_property
    def _checked(self) -> tuple[Unit | None, CheckResult | None, TorchconfError | None]:
        unit = None
        try:
            block, error = self._found_block
            if self.is_script and block is None:
                return None, None, error
            unit = Gatherer(RuleSelection(), ()).unsaved(self.path, self.text).unit
            return unit, unit.check()[0], None
        except TorchconfError as error:
            return unit, None, error
        except ValueError as error:
            endless = of_endless_number(error, self.name)
            if endless is None:
                raise
            return unit, None, endless

    @property
    def _result(self) -> CheckResult | None:
        return self._checked[1]

    @property
    def _error(self) -> TorchconfError | None:
        return self._checked[2]

    def _problem(self, one: Placed) -> Problem:
        finding, span = one.finding, one.span
        start = self._place(span.line, span.column)
        return Problem(
            start,
            max(self._place(span.end_line, span.end_column), start),
            finding.severity,
            _spoken(finding.message, finding.help),
            finding.code,
            _REFERENCES[finding.code],
            one,
        )

    def _mistake(self, line: int, message: str) -> Problem:
        start = self._place(line, 1)
        return Problem(start, self._line_end(start), Severity.WARNING, shown(message))

    def _misread(self, error: TorchconfError) -> Problem:
        """Mark the place that could not be read; the beginning, if it is in another file."""
        at = error.at or ""
        if at != self.name and not at.startswith(f"{self.name}, "):
            where = f"{at}: " if at else ""
            message = _spoken(f"this file cannot be checked: {where}{error.message}", error.help)
            return Problem(0, self._line_end(0), Severity.ERROR, message)
        start, end = self._spot(error)
        return Problem(start, end, Severity.ERROR, _spoken(error.message, error.help))

    def _spot(self, error: TorchconfError) -> tuple[int, int]:
        spot, path = getattr(error, "spot", None), getattr(error, "path", ())
        if spot is not None:
            line, column = spot
            inside = self.block is not None and self.block.first_line <= line < self.block.end_line
            column += 2 if inside else 0
            start = self._place(line, column)
            return start, self._line_end(start)
        if path:
            from torchconf.edits.positions import Locator

            span = Locator(self.toml).span(path)
            return self.at_toml(*span[:2]), self.at_toml(*span[2:])
        return 0, self._line_end(0)

    # Places.

    @cached_property
    def _starts(self) -> list[int]:
        """Where the lines begin that torchconf counts: those of TOML and of uv."""
        return _starts(self.text)

    def _place(self, line: int, column: int) -> int:
        """Return the offset of a line and a column, which count from 1 and know no mark."""
        shift = self._shift if line == 1 else 0
        start = self._starts[min(line, len(self._starts)) - 1]
        return min(start + column - 1 + shift, len(self.text))

    def _line_end(self, offset: int) -> int:
        end = self.text.find("\n", offset)
        return (len(self.text) if end < 0 else end) - (self.text[end - 1 : end] == "\r")

    @property
    def block(self) -> Block | None:
        """The block of a script, if it has one that can be found."""
        return self._found_block[0]

    @cached_property
    def _found_block(self) -> tuple[Block | None, TorchconfError | None]:
        if not self.is_script:
            return None, None
        # Imported here: most documents are no scripts.
        from torchconf.model.scripts import find_block

        text = self.text[self._shift :]
        try:
            return find_block(text, self.name, bom=bool(self._shift)), None
        except TorchconfError as error:
            return None, error

    @cached_property
    def toml(self) -> str:
        """The TOML of the file: all of it, or the block of a script. It may be broken."""
        if self.is_script:
            return self.block.toml if self.block is not None else ""
        return self.text[self._shift :]

    def to_toml(self, offset: int) -> int | None:
        """Return the offset in `toml` of a place; None outside of the block of a script."""
        if not self.is_script:
            return max(offset - self._shift, 0)
        for start, length, prefix, inside in self._block_lines:
            if start <= offset <= start + length:
                return inside + max(offset - start - prefix, 0)
        return None

    def from_toml(self, offset: int) -> int:
        """Return the place of an offset in `toml`."""
        if not self.is_script:
            return offset + self._shift
        found = 0
        for start, _, prefix, inside in self._block_lines:
            if inside > offset:
                break
            found = start + prefix + offset - inside
        return found

    def at_toml(self, line: int, column: int) -> int:
        """Return the place of a line and a column of `toml`, which count from 1."""
        return self.from_toml(self._toml_starts[line - 1] + column - 1)

    @cached_property
    def _toml_starts(self) -> list[int]:
        return _starts(self.toml)

    @cached_property
    def _block_lines(self) -> list[tuple[int, int, int, int]]:
        """Each line of the block: its start, its length, its comment sign, its start in `toml`."""
        if self.block is None:
            return []
        lines, inside = [], 0
        for number in range(self.block.first_line, self.block.end_line):
            start = self._starts[number - 1] + (self._shift if number == 1 else 0)
            line = self.text[start : self._starts[number] - 1]
            prefix = 2 if line[1:].strip() else 1
            lines.append((start, len(line), prefix, inside))
            inside += len(line) - prefix + 1
        return lines

    # What the tables come to.

    @cached_property
    def context(self) -> OpenProject | None:
        """The project with what surrounds it; None where it cannot be read."""
        from torchconf.workspace.opened import open_unsaved

        try:
            return open_unsaved(self.path, self.text)
        except (TorchconfError, ValueError):
            return None

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The table of `show`; empty where it cannot be told."""
        from torchconf.resolve.table import route_table

        context = self.context
        if context is None:
            return ()
        try:
            around = context.workspace()
        except TorchconfError:
            return ()
        return route_table(
            context.project,
            context.catalog,
            members=around.members,
            libraries=around.libraries,
            lockfile=context.lockfile,
            linked=around.linked,
        )


def is_read(path: str) -> bool:
    """Tell whether a file is one that torchconf reads: a project, or what may be a script."""
    return os.path.basename(path) == "pyproject.toml" or path.endswith(PYTHON)


def _spoken(message: str, help_: str | None) -> str:
    return f"{shown(message)}\nhelp: {shown(help_)}" if help_ else shown(message)


def _starts(text: str) -> list[int]:
    starts = [0]
    at = text.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = text.find("\n", at + 1)
    return starts
