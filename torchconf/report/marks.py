"""How builds are told apart at a glance: each has a sign and a colour of its own.

The sign says the same as the colour, for whoever sees no colours or has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.model.named_tuple import NamedTuple
from torchconf.report.grid import State

if TYPE_CHECKING:
    from torchconf.report.grid import Cell, Grid

__all__ = ["LOOKS", "Look", "Mark", "marks_of"]


class Look(NamedTuple):
    """A colour, wherever it is shown."""

    name: str
    """As a class of a stylesheet."""
    terminal: str
    """One of the terminal's own sixteen colours, which suit its background; "" for none."""
    light: str
    """On a light page, with a contrast of 4.5 at least; so is `dark` on a dark one."""
    dark: str


class Mark(NamedTuple):
    """How a cell looks."""

    sign: str
    """One character; a space for none."""
    look: Look


_CPU = Mark("○", Look("cpu", "", "#424a53", "#c9d1d9"))
_PYPI = Mark("◇", Look("pypi", "cyan", "#0b5c66", "#76e3ea"))
_OTHERS = (
    Mark("▲", Look("build1", "green", "#116329", "#7ee787")),
    Mark("■", Look("build2", "magenta", "#6639ba", "#d2a8ff")),
    Mark("◆", Look("build3", "bright_blue", "#0550ae", "#79c0ff")),
    Mark("●", Look("build4", "bright_magenta", "#99286e", "#f778ba")),
    Mark("▼", Look("build5", "bright_cyan", "#7a3e00", "#ffa657")),
    Mark("★", Look("build6", "bright_green", "#3b5b00", "#c5e478")),
)
"""For builds with an accelerator, in the order of the table."""
_UNSURE = Look("unsure", "yellow", "#7d4e00", "#e3b341")
_STATES = {
    State.PROVISIONAL: _UNSURE,
    State.UNKNOWN: _UNSURE,
    State.ABSENT: Look("absent", "dim", "#59636e", "#9198a1"),
    State.WRONG: Look("wrong", "bold red", "#a40e26", "#ff7b72"),
}
LOOKS = tuple(dict.fromkeys([*(mark.look for mark in (_CPU, _PYPI, *_OTHERS)), *_STATES.values()]))
"""All of them, for a stylesheet."""


def marks_of(grid: Grid) -> dict[Cell, Mark]:
    """Return the mark of each cell: what is the matter with it counts for more than its build."""
    cells = dict.fromkeys(cell for line in grid.lines for cell in line.cells)
    builds = dict.fromkeys(cell.build for cell in cells if cell.build)
    usual = {"cpu": _CPU, "pypi": _PYPI}
    others = [build for build in builds if build not in usual]
    marks = {**usual, **{build: _OTHERS[n % len(_OTHERS)] for n, build in enumerate(others)}}
    found = {}
    for cell in cells:
        mark = marks[cell.build] if cell.build else Mark(" ", _STATES[State.ABSENT])
        if cell.state is State.WRONG:
            mark = Mark("\N{MULTIPLICATION SIGN}", mark.look)
        found[cell] = Mark(mark.sign, _STATES.get(cell.state, mark.look))
    return found
