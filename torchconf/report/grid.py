"""The table of `show` as values, for whatever draws it: a line per command and package."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from torchconf.catalog import Answer
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import platform_labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.resolve.table import Row

__all__ = ["Cell", "Grid", "Line", "State", "grid_of", "notes_of"]


class State(Enum):
    """How sure a cell is, and whether something is wrong with it."""

    FOUND = "found"
    PROVISIONAL = "provisional"
    """Something that was not read could change it."""
    UNKNOWN = "not known"
    ABSENT = "not installed"
    WRONG = "wrong"


class Cell(NamedTuple):
    """What one platform gets."""

    text: str
    build: str | None
    """None: nothing is installed, or nothing is known."""
    state: State

    @property
    def spoken(self) -> str:
        """What the cell says, in words: aloud, `?` and `-` say nothing."""
        if self.state in {State.FOUND, State.WRONG}:
            return self.text
        return f"{self.build or ''} {self.state.value}".strip()


class Line(NamedTuple):
    """What one command installs of one package."""

    command: str
    package: str
    cells: tuple[Cell, ...]


class Grid(NamedTuple):
    """The table: a column per platform; the lines of a command follow each other."""

    platforms: tuple[str, ...]
    """As they are written: `linux`, `linux-aarch64`."""
    lines: tuple[Line, ...]

    @property
    def head(self) -> list[str]:
        """The titles of the columns."""
        return ["command", "package", *self.platforms]


def grid_of(rows: Sequence[Row]) -> Grid:
    """Turn rows into a table."""
    platforms = list(dict.fromkeys(row.platform for row in rows))
    cells: dict[str, dict[str, dict[str, Cell]]] = {}
    for row in rows:
        of_package = cells.setdefault(row.command, {}).setdefault(row.package, {})
        of_package[row.platform] = _cell(row)
    return Grid(
        tuple(platform_labelled(platform).title for platform in platforms),
        tuple(
            Line(command, package, tuple(found[platform] for platform in platforms))
            for command, packages in cells.items()
            for package, found in packages.items()
        ),
    )


def notes_of(rows: Sequence[Row]) -> list[str]:
    """Return why cells say what they say, each reason once."""
    reasons = dict.fromkeys((row.provisional, row.reason) for row in rows if row.reason)
    start = "a build with `?` is provisional: "
    return [f"{start if provisional else ''}{reason}" for provisional, reason in reasons]


def _cell(row: Row) -> Cell:
    if row.provisional:
        return Cell(f"{row.backend or '-'}?", row.backend, State.PROVISIONAL)
    if row.backend is None:
        return _without_build(row)
    if row.available is Answer.NO:
        return Cell(f"{row.backend}: no wheel", row.backend, State.WRONG)
    if row.available is Answer.UNKNOWN:
        return Cell(f"{row.backend} ?", row.backend, State.UNKNOWN)
    return Cell(row.backend, row.backend, State.FOUND)


def _without_build(row: Row) -> Cell:
    if row.reason is None:
        return Cell("-", None, State.ABSENT)
    is_refused = row.available is Answer.NO
    return Cell("error", None, State.WRONG) if is_refused else Cell("?", None, State.UNKNOWN)
