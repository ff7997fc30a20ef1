"""Draft what a project requires: its table, and torch and its companions in base or in scopes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.edits.draft import Draft
from torchconf.errors import ProjectError
from torchconf.model.requirements import (
    python_specifier,
    torch_specifier,
    with_specifier,
)
from torchconf.planner.bounds import lowest_companion

if TYPE_CHECKING:
    from packaging.version import Version

    from torchconf.catalog import Catalog
    from torchconf.layout.layouts import Scope
    from torchconf.model.project import Project, Requirement, Section
    from torchconf.model.toml_path import Path
    from torchconf.planner.decide import Decision
    from torchconf.planner.request import Facts, Request

_BASE: Path = ("project", "dependencies")


def draft_requirements(
    request: Request, project: Project, catalog: Catalog, facts: Facts, decision: Decision
) -> Draft:
    """Start a draft with all that stands under `[project]` and `[dependency-groups]`.

    Raises:
        ProjectError: Something that would have to be edited is dynamic.
    """
    return _Requires(request, project, catalog, facts, decision).draft_all()


def triton_requirements(decision: Decision, scope: Scope) -> dict[str, str]:
    """Return the triton requirements of a scope, each with the marker of its source."""
    found: dict[str, str] = {}
    for backend in scope.backends():
        triton = decision.bounds.triton(backend)
        if triton is not None:
            text = f"{triton.name}{decision.bounds.triton_specifier(triton)}"
            found[triton.name] = f"{text} ; {scope.marker(backend)}"
    return found


class _Requires:
    def __init__(
        self, request: Request, project: Project, catalog: Catalog, facts: Facts, decision: Decision
    ) -> None:
        self.request = request
        self.project = project
        self.catalog = catalog
        self.facts = facts
        self.decision = decision
        self.main = catalog.main_package
        self.draft = Draft(project.data)

    def draft_all(self) -> Draft:
        self._project_table()
        if self.decision.layout == "markers":
            self._in_base_dependencies()
            return self.draft
        self._dev_group()
        stays = self.decision.layout == "groups" or self.decision.cuts_environments
        moved = {} if stays else self._move_out_of_base()
        for scope in self.decision.scopes:
            if scope.name in self.decision.affected:
                self._in_scope(scope, moved)
        return self.draft

    def _project_table(self) -> None:
        has_project, choice = self.project.has_project, self.decision.choice
        if not has_project and self.project.is_workspace_root:
            return
        if not has_project:
            name = re.sub(r"[^A-Za-z0-9]+", "-", self.facts.folder).strip("-").lower()
            reason = "a project needs a name"
            self.draft.put(("project", "name"), name or "project", reason)
            self.draft.put(("project", "version"), "0.1.0", reason)
        path: Path = ("project", "requires-python")
        if self.request.python is not None and path[1] in self.project.dynamic:
            self._refuse_dynamic("requires-python")
        if self.request.python is not None:
            self.draft.put(path, python_specifier(self.request.python), "as requested")
        elif self.project.requires_python is None and path[1] not in self.project.dynamic:
            floor = choice.python or self.catalog.pythons[0]
            reason = "the lowest Python that this torch has for all targets"
            self.draft.put(path, f">={floor}", reason)
        if not has_project:
            self.draft.put(_BASE, [], "filled below")

    def _in_base_dependencies(self) -> None:
        own = {requirement.name for requirement in self.project.requirements()}
        declared = self.facts.elsewhere.union(own)
        for requirement in self.project.requirements():
            if requirement.name in self.decision.packages:
                self._update(requirement)
        lines = [self._new(name) for name in self.decision.packages if name not in declared]
        tritons = triton_requirements(self.decision, self.decision.scopes[0])
        lines += [text for name, text in tritons.items() if name not in declared]
        if lines and "dependencies" in self.project.dynamic:
            self._refuse_dynamic("dependencies")
        for line in lines:
            self.draft.insert(_BASE, line, "direct requirement, so that its source applies")

    def _dev_group(self) -> None:
        """Define `dev` if `default-groups` will name it, ahead of the groups of this plan."""
        untouched = self.project.default_groups is None and self.decision.default is not None
        if untouched and "dev" not in self.project.groups:
            reason = "`default-groups` replaces uv's own default, `dev`, which must be defined"
            self.draft.put(("dependency-groups", "dev"), [], reason)

    def _move_out_of_base(self) -> dict[str, list[str]]:
        """Take the family out of the base dependencies; return its new lines."""
        moved: dict[str, list[str]] = {}
        numbers: list[int] = []
        for number, requirement in enumerate(self.project.dependencies):
            if requirement.name in self.decision.packages:
                moved.setdefault(requirement.name, []).append(self._kept(requirement))
                numbers.append(number)
            elif requirement.name in self.catalog.triton_packages:
                numbers.append(number)
        for number in reversed(numbers):
            self.draft.remove((*_BASE, number), "each extra brings its own build")
        return moved

    def _in_scope(self, scope: Scope, moved: dict[str, list[str]]) -> None:
        path, section = self._section(scope)
        there = {r.name for r in section.requirements} if section else set()
        in_base = {requirement.name for requirement in self.project.dependencies}
        lines: list[str] = []
        for name in self.decision.packages:
            if name not in there:
                lines += (
                    moved.get(name)
                    or self._siblings(name)
                    or [self._new(name, bare=name in in_base)]
                )
        for requirement in section.requirements if section else ():
            if requirement.name in self.decision.packages:
                self._update(requirement)
        tritons = triton_requirements(self.decision, scope)
        lines += [text for name, text in tritons.items() if name not in there]
        reason = f"chooses {scope.backend.title}"
        if section is None:
            self.draft.put(path, list(lines), reason)
            return
        for line in lines:
            self.draft.insert(path, line, reason)

    def _siblings(self, name: str) -> list[str]:
        """Return a requirement as the extras or groups of other backends have it."""
        for scope in self.decision.scopes:
            _, section = self._section(scope)
            for requirement in section.requirements if section else ():
                if requirement.name == name and requirement.marker is None:
                    return [self._kept(requirement)]
        return []

    def _section(self, scope: Scope) -> tuple[Path, Section | None]:
        """Return the path of a scope's requirements, and the section if it is there."""
        extras = scope.kind == "extra"
        if extras and "optional-dependencies" in self.project.dynamic:
            self._refuse_dynamic("optional-dependencies")
        sections = self.project.extras if extras else self.project.groups
        section = sections.get(canonicalize_name(scope.name))
        name = section.written if section else scope.name
        table: Path = ("project", "optional-dependencies") if extras else ("dependency-groups",)
        return (*table, name), section

    def _refuse_dynamic(self, key: str) -> None:
        raise ProjectError(
            f"`{key}` is dynamic: the build backend computes it, so it cannot be edited here",
            at=self.project.place("project.dynamic"),
            help="leave out `--python`"
            if key == "requires-python"
            else "pass `--layout groups`, which does not need it",
        )

    # The text of a requirement.

    def _update(self, requirement: Requirement) -> None:
        path = requirement.path
        self.draft.replace(path, self._kept(requirement), "keeps all targets together")

    def _kept(self, requirement: Requirement) -> str:
        """Return a requirement that is there already, with what is asked for and bounded."""
        text = requirement.raw
        if requirement.name == self.main and self.request.torch is not None:
            text = with_specifier(text, torch_specifier(self.request.torch))
        return self.decision.bounds.keep_within(text, requirement.name)

    def _new(self, name: str, *, bare: bool = False) -> str:
        """Return a new requirement: a lower bound, and an upper one where a line has ended.

        Args:
            name: Of the package.
            bare: The project's own dependencies say which versions.
        """
        return self.decision.bounds.keep_within(name + self._range(name, bare=bare), name)

    def _range(self, name: str, *, bare: bool) -> str:
        main = name == self.main
        if main and self.request.torch is not None:
            return torch_specifier(self.request.torch)
        lower = self.decision.choice.release if main else self._lowest_companion(name)
        if bare or (name in self.facts.needed and name not in self.request.packages):
            # Where an upper bound is needed, a lower one keeps a resolver from going far below.
            lower = lower if main and self.decision.bounds.torch is not None else None
        return f">={lower}" if lower else ""

    def _lowest_companion(self, name: str) -> Version | None:
        """Return the companion of the lowest torch that the project admits."""
        if not str(self.decision.torch):
            is_bare = any(r.name == self.main for r in self.project.requirements())
            return None if is_bare else self.decision.choice.companions.get(name)
        return lowest_companion(name, self.decision.torch, self.catalog)
