"""The lists that require a package which is built against torch: base, extras and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.errors import ProjectError
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.requirements import required_name
from torchconf.model.toml_path import DEPENDENCIES, EXTRAS, GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.layout.layouts import Scope
    from torchconf.model.toml_path import Path
    from torchconf.planner.built_sources import BuiltPlan

__all__ = ["BuiltLists", "Required"]


class Required(NamedTuple):
    """A line that requires the package."""

    path: Path
    """Of the list."""
    number: int
    text: str


class BuiltLists:
    """Where one package is required, and where it is to be."""

    def __init__(self, plan: BuiltPlan, name: str) -> None:
        self.edited, self.project, self.catalog, self.decision, _ = plan
        self.name = name

    def required(self, scope: Scope) -> list[Required]:
        """Return the lines that require it in one place."""
        path = self._path(scope)
        paths = [path] if scope.kind else self._places() or [path]
        return [
            Required(place, number, line)
            for place in paths
            for number, line in enumerate(self.edited.get(place) or ())
            if isinstance(line, str) and required_name(line) == self.name
        ]

    def has(self, scope: Scope) -> bool:
        """Tell whether the list of one place requires it."""
        return any(required_name(line) == self.name for line in self._lines(self._path(scope)))

    def former(self) -> str:
        """Return the requirement as the project has it somewhere, without its marker."""
        own = (one.raw for one in self.project.requirements() if one.name == self.name)
        return next(own, self.name).partition(";")[0].strip()

    def add(self, scope: Scope, line: str, reason: str) -> None:
        """Require it in one place.

        Raises:
            ProjectError: The build backend computes what is required there.
        """
        path = self._path(scope)
        self._refuse_dynamic(path)
        self.edited.insert(path, line, reason)

    def remove(self, lines: Iterable[Required]) -> None:
        """Take it out of the lists that have these lines."""
        for path in dict.fromkeys(line.path for line in lines):
            self._remove_from(path)

    def leave(self) -> None:
        """Take it out of places that hold it no more: another layout has others."""
        if self.decision.layout == self.decision.before.layout:
            return
        paths = [DEPENDENCIES] if self.decision.layout != "markers" else []
        paths += [
            self._section("extra" if self.decision.before.layout == "extras" else "group", name)
            for name in self.decision.before.scopes
            if self.decision.before.layout in {"extras", "groups"}
        ]
        for path in paths:
            self._remove_from(path)

    def refuse_elsewhere(self) -> None:
        """Refuse a requirement that no source of an extra or group reaches.

        Raises:
            ProjectError: There is one.
        """
        if self.decision.layout == "markers":
            return
        ours = {canonicalize_name(scope.name) for scope in self.decision.scopes}
        ours |= self.decision.before.scopes
        moves = self.decision.layout != self.decision.before.layout
        for one in self.project.requirements():
            in_scope = one.path[0] != "tool" and canonicalize_name(str(one.path[-2])) in ours
            goes = moves and one.path[:2] == DEPENDENCIES
            if one.name == self.name and not in_scope and not goes:
                kind = self.decision.scopes[0].kind
                raise ProjectError(
                    f"`{one.raw}` is required outside of each {kind} that chooses a build of torch",
                    at=self.project.place(one.at),
                    help=f"remove it there: each {kind} gets what fits its build",
                )

    def _path(self, scope: Scope) -> Path:
        """Return the list that it belongs in: beside torch."""
        if scope.kind:
            return self._section(scope.kind, scope.name)
        main = self.catalog.main_package
        if any(required_name(line) == main for line in self._lines(DEPENDENCIES)):
            return DEPENDENCIES
        for kind, sections in (("extra", self.project.extras), ("group", self.project.groups)):
            for section in sections.values():
                path = self._section(kind, section.written)
                if any(required_name(line) == main for line in self._lines(path)):
                    return path
        return DEPENDENCIES

    def _section(self, kind: str, name: str) -> Path:
        table = EXTRAS if kind == "extra" else GROUPS
        return (*table, self.edited.key(table, name, canonicalize_name))

    def _lines(self, path: Path) -> list[str]:
        return [line for line in self.edited.get(path) or () if isinstance(line, str)]

    def _places(self) -> list[Path]:
        """Return all lists that require it."""
        found = [
            one.path[:-1]
            for one in self.project.requirements()
            if one.name == self.name and one.path[0] != "tool"
        ]
        return list(dict.fromkeys(found))

    def _remove_from(self, path: Path) -> None:
        lines = self.edited.get(path) or []
        for number in reversed(range(len(lines))):
            if isinstance(lines[number], str) and required_name(lines[number]) == self.name:
                self.edited.remove((*path, number), "it is required beside its build of torch")

    def _refuse_dynamic(self, path: Path) -> None:
        key = path[1] if path[0] == "project" else ""
        if key in self.project.dynamic:
            raise ProjectError(
                f"`{key}` is dynamic: the build backend computes it, so it cannot be edited here",
                at=self.project.place("project.dynamic"),
                help=f"omit `--with {self.name}`, and add it where they are computed",
            )
