"""What uv.lock has to say where the files alone leave a doubt.

A lockfile is evidence as long as it was made from the requirements and sources of now: uv keeps a
copy of them in it, for each project of the workspace. It then decides. Where it has what the files
say as well, there is no doubt left; else the answer keeps one, which says what the lockfile has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.errors import hide_secrets
from torchconf.model.backends import is_pypi
from torchconf.model.lock_graph import Installed, LockGraph, Start
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.project import Index
from torchconf.resolve.route import Route

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from torchconf.model.project import Project
    from torchconf.resolve.route import RouteKind
    from torchconf.resolve.sourced import Pin

__all__ = ["Evidence", "Where", "environment_of"]

# What uv takes a machine to be besides what its platform says.
_CPYTHON = {
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_version": "",
    "extra": "",
}
_PARTS = 3


class Where(NamedTuple):
    """A choice on a machine: one row of a lockfile."""

    starts: tuple[Start, ...]
    machine: tuple[tuple[str, str], ...]
    python: str
    """A specifier such as `>=3.11,<3.13`; empty for any."""


class Evidence:
    """A lockfile next to the projects that it was made from."""

    def __init__(
        self,
        text: str,
        projects: Iterable[Project],
        wanted: Collection[NormalizedName],
        pins: Mapping[NormalizedName, Sequence[Pin]],
    ) -> None:
        """Read a lockfile.

        Args:
            text: Of uv.lock; empty if there is none.
            projects: The projects of the workspace.
            wanted: The packages that are asked for.
            pins: What the requirements and sources of the projects come to.
        """
        self._pins = pins
        self._projects = tuple(projects)
        self._wanted = frozenset(wanted)
        self._found: dict[Where, dict[str, Installed]] = {}
        self._graph: LockGraph | None = None
        try:
            graph = LockGraph(text, wanted, [one.name for one in self._projects if one.name])
            if text and all(self._is_current(graph, project) for project in self._projects):
                self._graph = graph
        except (ValueError, LookupError, TypeError, AttributeError):
            return  # uv did not write it so, and says itself what is wrong with it.

    def settle(self, route: Route, package: NormalizedName, where: Where) -> Route:
        """Return what a lockfile makes of an answer that is in doubt."""
        if self._graph is None or package not in self._wanted:
            return route
        if where not in self._found:
            self._found[where] = self._graph.installed(where.starts, environment_of(where))
        found = self._found[where].get(package)
        url = found.registry if found else None
        kind: RouteKind = "absent" if found is None else "index" if url else "direct"
        index = self._index(url) if url else None
        told = route.index.url if route.index else None
        if route.kind == kind and (kind != "index" or told == (index.url if index else None)):
            return route.changed(doubt=None)
        doubt = None
        # What nothing that was read brings, the tree that was not read may well bring.
        if route.kind not in {"unknown", "absent"}:
            has = f"has no `{package}` from an index"
            if url:
                has = f"has `{package}` from {hide_secrets(url)}"
            doubt = f"{route.doubt}; uv.lock {has} here"
        return Route(kind=kind, index=index, lines=route.lines, fork=route.fork, doubt=doubt)

    def _index(self, url: str) -> Index | None:
        """Return the index that a lockfile means by a URL; None for PyPI as uv's own default."""
        for project in self._projects:
            for one in (project, project.workspace):
                for index in one.indexes:
                    if index.url.rstrip("/") == url.rstrip("/"):
                        return index
        if is_pypi(url):
            return None
        return Index(name=None, url=url, explicit=True, default=False, path=())

    def _is_current(self, graph: LockGraph, project: Project) -> bool:
        """Tell whether a project asks for what it asked for when it was locked."""
        if project.name is None or not graph.has(project.name):
            return project.name is None
        metadata = graph.metadata[project.name]
        groups = metadata.get("requires-dev", {})
        locked = [
            *metadata.get("requires-dist", []),
            *(entry for group in groups.values() for entry in group),
        ]
        # uv puts the requirements in the place of an extra of its own that a project asks for.
        itself = {project.name}
        declared = {requirement.name for requirement in project.requirements()} - itself
        listed = {one["name"] for one in locked} - itself
        if "dependencies" not in project.dynamic and declared != listed:
            return False
        for name in self._wanted & declared:
            used = {str(one["index"]) for one in locked if one["name"] == name and "index" in one}
            if used not in (self._of_pins(project, name), _of_sources(project, name)):
                return False
        return True

    def _of_pins(self, project: Project, name: NormalizedName) -> set[str]:
        """Return the indexes of a package's sources that hold where the project requires it."""
        lines = set(project.requirements())
        return {pin.index.url for pin in self._pins.get(name, ()) if pin.requirement in lines}


def _of_sources(project: Project, name: NormalizedName) -> set[str]:
    """Return the indexes of all sources of a package: all that is known where there are no pins."""
    indexes = [project.index_named(one.value) for one in project.sources_for(name) if one.index]
    return {index.url for index in indexes if index is not None}


def environment_of(where: Where) -> dict[str, str]:
    """Return the marker variables of a machine with the lowest Python of a range."""
    found = re.search(r"(>=?)([0-9.]+)", where.python)
    numbers = [int(number) for number in found[2].split(".")] if found else [3, 8]
    numbers += [0] * (_PARTS - len(numbers))
    if found and found[1] == ">":
        numbers[-1] += 1
    return {
        **_CPYTHON,
        **dict(where.machine),
        "python_version": ".".join(map(str, numbers[:2])),
        "python_full_version": ".".join(map(str, numbers)),
        "implementation_version": ".".join(map(str, numbers)),
    }
