"""What a uv.lock installs for each row of a table, whether the lockfile is up to date or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.model.lock_graph import Installed, LockGraph, Start
from torchconf.model.ranges import admits_python
from torchconf.model.targets import PLATFORMS
from torchconf.model.uv_lock import locked_builds
from torchconf.resolve.evidence import Where, environment_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchconf.model.project import Project
    from torchconf.resolve.table import Row

__all__ = ["with_locked"]


def with_locked(
    rows: Sequence[Row],
    lockfile: str,
    project: Project,
    members: Sequence[Project],
    pythons: Iterable[str],
) -> tuple[Row, ...]:
    """Return rows with what the lockfile installs.

    Args:
        rows: Of a table.
        lockfile: The text of uv.lock; empty if there is none.
        project: Whose table it is.
        members: The other members of its workspace.
        pythons: The versions of Python that are known: `3.12`.
    """
    if not lockfile:
        return tuple(rows)
    if project.is_script:
        return tuple(row._replace(locked=_of_index(lockfile, row)) for row in rows)
    try:
        graph = LockGraph(
            lockfile,
            {row.package for row in rows},
            [one.name for one in (project, *members) if one.name],
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        return tuple(rows)  # uv did not write it so, and says itself what is wrong with it.
    range_ = project.requires_python
    supported = [one for one in pythons if range_ is None or admits_python(range_, one)]
    read = _Reader(graph, project, members, supported)
    found = [(row, read.of(row)) for row in rows]
    nameless = project.workspace.name is None
    return tuple(
        row._replace(
            locked=_of_index(lockfile, row)
            if nameless and not locked and row.groups and row.backend is not None
            else locked
        )
        for row, locked in found
    )


class _Reader:
    """Reads a lockfile row by row; what rows share is worked out once."""

    def __init__(
        self,
        graph: LockGraph,
        project: Project,
        members: Sequence[Project],
        pythons: Sequence[str],
    ) -> None:
        self._graph = graph
        self._pythons = pythons
        whole = [project] if project.has_project else members
        self._installed = [str(one.name) for one in whole if one.name]
        self._root = project.workspace.name
        self._groups = {
            str(one.name): frozenset(map(str, one.groups)) for one in (project, *members)
        }
        self._machines = {one.key: tuple(one.environment().items()) for one in PLATFORMS}
        self._found: dict[Where, dict[str, Installed]] = {}

    def of(self, row: Row) -> tuple[Installed, ...]:
        if row.is_refused:
            return ()
        package = row.selection.package
        names = self._installed if package is None else [canonicalize_name(package)]
        extras = frozenset(map(canonicalize_name, row.selection.extras))
        groups = frozenset(map(canonicalize_name, row.groups))
        starts = tuple(Start(name, extras, groups) for name in names)
        if package is not None and self._root is not None:
            # uv looks in the root for a group that the member does not define.
            theirs = groups - self._groups.get(names[0], frozenset())
            if theirs and names[0] != self._root:
                starts += (Start(self._root, frozenset(), theirs, is_whole=False),)
        found: dict[Installed, None] = {}
        for python in self._pythons:
            where = Where(starts, self._machines[row.platform], f">={python}")
            if where not in self._found:
                self._found[where] = self._graph.installed(starts, environment_of(where))
            if row.package in self._found[where]:
                found[self._found[where][row.package]] = None
        return tuple(found)


def _of_index(lockfile: str, row: Row) -> tuple[Installed, ...]:
    """Return the builds that a lockfile has from the index of a row.

    What a script requires, or a root without a name, stands in the head of the lockfile and not in
    a package, so that there is nothing to start from.
    """
    builds = locked_builds(lockfile, row.package)
    same = [one for one in builds if one.registry.rstrip("/") == (row.origin or "").rstrip("/")]
    return tuple(Installed(one.version, one.registry) for one in same or builds)
