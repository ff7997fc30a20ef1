"""The targets that a project has, each with the choice that installs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.errors import RequestError
from torchconf.model.targets import platform_labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.catalog import Catalog
    from torchconf.layout.selection import Selection
    from torchconf.model.project import Project
    from torchconf.model.targets import Platform, Target
    from torchconf.resolve.table import Row

__all__ = ["chosen_targets", "selection_for"]


def chosen_targets(
    words: Sequence[str],
    project: Project,
    catalog: Catalog,
    rows: Sequence[Row],
    members: Sequence[Project] = (),
) -> list[tuple[Target, Selection]]:
    """Return the project's targets that words name, all without words, with their choices.

    Args:
        words: As on a command line: `linux-cuda`.
        project: Whose targets they are.
        catalog: For the words, and the backends of indexes.
        rows: Of `show`.
        members: The other members of the workspace, for a root.

    Raises:
        RequestError: A word is no target, or no target of this project.
    """
    # Imported here: only a command that takes targets needs them.
    from torchconf.layout.intent import intended
    from torchconf.layout.shared_builds import read_shared_configuration
    from torchconf.model.target_spec import means, parse_target_spec

    before = read_shared_configuration(project, members, catalog)
    meant = intended(project, catalog, before)
    found: list[tuple[Target, Selection]] = []
    machines: dict[Target, Platform] = {}
    for target in dict.fromkeys([*meant, *before.targets]):
        name = before.names.get(target.backend.name, "")
        row = row_for(target, catalog.main_package, rows, name)
        if row is not None:
            found.append((target, row.selection))
            machines[target] = platform_labelled(row.platform)

    def on_its_machine(target: Target) -> Target:
        return target._replace(platform=machines[target])

    if not words:
        return [(on_its_machine(target), one) for target, one in found if target in meant]
    chosen: list[tuple[Target, Selection]] = []
    for word in words:
        wish = parse_target_spec(word, catalog.vocabulary)
        matching = [(target, selection) for target, selection in found if means(wish, target)]
        if not matching:
            names = ", ".join(str(target) for target, _ in found) or "no target"
            raise RequestError(
                f"`{word}` is not a target of this project", help=f"its targets: {names}"
            )
        chosen += [pair for pair in matching if pair not in chosen]
    return [(on_its_machine(target), selection) for target, selection in chosen]


def is_of(row: Row, platform: Platform) -> bool:
    """Tell whether a row is of a platform: of its usual machines, or of others."""
    return platform_labelled(row.platform)._replace(release="") == platform


def selection_for(
    target: Target, main: str, rows: Sequence[Row], name: str = ""
) -> Selection | None:
    """Return the choice that gives a target its build: the one of this name, else the first."""
    row = row_for(target, main, rows, name)
    return row.selection if row is not None else None


def row_for(target: Target, main: str, rows: Sequence[Row], name: str = "") -> Row | None:
    """Return the row that gives a target its build: of the choice of this name, else the first."""
    fitting = [
        row
        for row in rows
        if row.package == main
        and is_of(row, target.platform)
        and row.backend == target.backend.name
    ]
    normal = canonicalize_name(name or target.backend.extra)
    named = [row for row in fitting if normal in set(map(canonicalize_name, _chosen(row)))]
    return next((row for row in (*named, *fitting)), None)


def _chosen(row: Row) -> tuple[str, ...]:
    """Return what a choice names; what a machine leaves out says what it keeps."""
    kept = row.groups if row.selection.left_out else row.selection.groups
    return (*row.selection.extras, *kept)
