"""What an editor writes beside the requirements on PyTorch: the build that each platform gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.editor.builds import builds_in_short
from torchconf.editor.hover import installs
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.editor.analysis import Analysis
    from torchconf.model.project import Project, Requirement
    from torchconf.resolve.table import Row

__all__ = ["Hint", "hints"]


class Hint(NamedTuple):
    """A text behind a place that is not in the file."""

    offset: int
    text: str
    command: str
    """What installs it."""


def hints(analysis: Analysis) -> Iterator[Hint]:
    """Yield a hint for each requirement whose builds `show` knows, in the order of the file."""
    context = analysis.context
    if context is None:
        return
    from torchconf.edits.positions import Locator
    from torchconf.model.scripts import from_project

    locator = Locator(analysis.toml)
    by_package: dict[str, list[Row]] = {}
    for row in analysis.rows:
        by_package.setdefault(row.package, []).append(row)
    found = []
    for requirement, extra, group in _places(context.project):
        rows = [r for r in by_package.get(requirement.name, ()) if installs(r, extra, group)]
        if rows:
            command = rows[0].command
            told = builds_in_short([row for row in rows if row.command == command])
            path = from_project(requirement.path) if analysis.is_script else requirement.path
            end = analysis.at_toml(*locator.span(path)[2:])
            found.append(Hint(end, told, command))
    yield from sorted(found, key=lambda hint: hint.offset)


def _places(project: Project) -> Iterator[tuple[Requirement, str | None, str | None]]:
    for requirement in project.dependencies:
        yield requirement, None, None
    for name, extra in project.extras.items():
        yield from ((requirement, name, None) for requirement in extra.requirements)
    for name, group in project.groups.items():
        yield from ((requirement, None, name) for requirement in group.requirements)
