"""What one row reaches: the lists of a fork, followed from a choice along what holds there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.model.project import Item
from torchconf.resolve.sourced import Doubt, dynamic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.utils import NormalizedName

    from torchconf.model.project import Project
    from torchconf.resolve.environments import Environments
    from torchconf.resolve.forks import Fork
    from torchconf.resolve.lowering import Declared
    from torchconf.resolve.sourced import ListEntry

__all__ = ["Reached"]


class Reached:
    """What one row reaches, following the lists of a fork along what holds at one point.

    `entries` has the first line that brought each package, `lines` all of them, `needed_by` who is
    known to need it, `asked` the extras of members that something asks for, and `doubts` the source
    trees of which not everything was read.
    """

    def __init__(self, declared: Declared, fork: Fork, point: Environments) -> None:
        """Begin with nothing."""
        self.fork = fork
        self.entries: dict[NormalizedName, ListEntry] = {}
        self.lines: dict[NormalizedName, list[ListEntry]] = {}
        self.needed_by: dict[NormalizedName, set[NormalizedName]] = {}
        self.asked: dict[Item, None] = {}
        self.doubts: list[Doubt] = []
        self._declared = declared
        self._point = point
        self._queue: list[ListEntry] = []
        self._seen: set[tuple[int, NormalizedName | None]] = set()

    def start(self, project: Project, extras: Iterable[str], groups: Iterable[str]) -> None:
        """Begin with a project, and with extras and groups of it."""
        self._visit(project, map(canonicalize_name, extras))
        self.add_groups(project, groups)

    def add_groups(self, project: Project, groups: Iterable[str]) -> None:
        """Follow groups of a project too, without the project itself."""
        for group in sorted(groups):
            self._queue += self._declared.lists.of_group(project, canonicalize_name(group)).within(
                self._point
            )

    def follow(self, needs: Mapping[NormalizedName, frozenset[NormalizedName]]) -> None:
        """Follow everything to its end."""
        while self._queue:
            line = self._queue.pop(0)
            if not line.environments & self._point:
                continue
            member = self._declared.members.get(line.name)
            library = self._declared.library(line.sourced) if line.sourced else None
            if member is None and library is None and line.sourced is not None:
                unread = self._declared.doubts.get(line.sourced.tree or "")
                self.doubts += [unread] if unread else []
            tree = member or library
            if tree is not None:
                asked = [Item(line.name, "extra", extra) for extra in line.extras]
                self.asked.update(dict.fromkeys(asked))
                kept = (item.name for item in asked if item.name and not self.fork.excludes(item))
                self._visit(tree, kept)
            else:
                # A constraint stands after the requirement that it constrains.
                self.entries.setdefault(line.name, line)
                self.lines.setdefault(line.name, []).append(line)
                self._need(line.name, needs.get(line.name, frozenset()))

    def _visit(self, project: Project, extras: Iterable[NormalizedName]) -> None:
        if (id(project), None) not in self._seen:
            self._seen.add((id(project), None))
            self._queue += self._declared.lists.of_base(project).within(self._point)
            if "dependencies" in project.dynamic:
                self.doubts.append(dynamic(project))
        for extra in sorted(extras):
            if extra in project.extras and (id(project), extra) not in self._seen:
                self._seen.add((id(project), extra))
                self._queue += self._declared.lists.of_extra(project, extra).within(self._point)

    def _need(self, package: NormalizedName, needed: frozenset[NormalizedName]) -> None:
        for name in needed:
            needers = self.needed_by.setdefault(name, set())
            for line in self._declared.lists.of_needed((name,)):
                if line.environments & self._point and package not in needers:
                    needers.add(package)
                    self._queue.append(line)
