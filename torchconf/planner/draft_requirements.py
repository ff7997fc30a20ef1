"""Draft what a project requires: its table, and torch and its companions in base or in scopes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.requirements import Requirement as Parsed
from packaging.utils import canonicalize_name

from torchconf.errors import ProjectError
from torchconf.model.backends import PYPI
from torchconf.model.markers import (
    Area,
    meet,
    names_platforms,
    possible_platforms,
    render_areas,
)
from torchconf.model.ranges import is_exact
from torchconf.model.requirements import (
    python_specifier,
    torch_specifier,
    with_marker,
    with_specifier,
    with_wider_marker,
)
from torchconf.model.toml_path import DEPENDENCIES, EXTRAS, GROUPS
from torchconf.planner.bounds import lowest_companion
from torchconf.planner.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from torchconf.catalog import Catalog, Triton
    from torchconf.edits.draft import Draft
    from torchconf.layout.layouts import Scope
    from torchconf.model.backends import Backend
    from torchconf.model.project import Project, Requirement, Section
    from torchconf.model.targets import Platform
    from torchconf.model.toml_path import Path
    from torchconf.planner.decide import Decision
    from torchconf.planner.request import Facts, Request


def draft_requirements(
    draft: Draft,
    request: Request,
    project: Project,
    catalog: Catalog,
    facts: Facts,
    decision: Decision,
    *,
    follows: bool = False,
) -> tuple[str, ...]:
    """Draft all that stands under `[project]` and `[dependency-groups]`; return what to say of it.

    Args:
        draft: Of the project's file.
        request: What is asked for.
        project: As it is.
        catalog: What is available.
        facts: What is known from outside the file.
        decision: What the file is to hold.
        follows: The request is about the workspace root: nothing else of this member changes.

    Raises:
        ProjectError: Something that would have to be edited is dynamic.
    """
    requires = _Requires(draft, request, project, catalog, facts, decision)
    if not follows:
        requires.draft_project()
    requires.draft_all()
    for path, text in requires.further:
        draft.insert(path, text, "no requirement of torch applies to one of the targets")
    return tuple(requires.notes())


def draft_project(
    draft: Draft,
    request: Request,
    project: Project,
    catalog: Catalog,
    facts: Facts,
    decision: Decision,
) -> None:
    """Draft the table of a project that need not have torch itself."""
    _Requires(draft, request, project, catalog, facts, decision).draft_project()


def triton_requirements(decision: Decision, scope: Scope) -> dict[str, str]:
    """Return the triton requirements of a scope, each with the marker of its source."""
    found: dict[str, str] = {}
    for backend in scope.backends():
        triton = decision.bounds.triton(backend)
        if triton is not None:
            text = f"{triton.name}{decision.bounds.triton_specifier(triton, backend)}"
            marker = triton_marker(triton, scope, backend)
            if possible_platforms(marker):
                found[triton.name] = f"{text} ; {marker}" if marker else text
    return found


def triton_marker(triton: Triton, scope: Scope, backend: Backend) -> str | None:
    """Return where a triton package is required: where its build is, and torch needs it."""
    marker = scope.marker(backend)
    if marker is None or triton.marker is None:
        return marker or triton.marker
    return meet(marker, triton.marker)


class _Requires:
    def __init__(
        self,
        draft: Draft,
        request: Request,
        project: Project,
        catalog: Catalog,
        facts: Facts,
        decision: Decision,
    ) -> None:
        self.draft = draft
        self.request = request
        self.project = project
        self.catalog = catalog
        self.facts = facts
        self.decision = decision
        self.main = catalog.main_package
        self.leaving = decision.leaving(project)
        self.in_base = {*facts.elsewhere, *(r.name for r in project.dependencies)}
        self.is_change = bool(request.add or request.remove)
        self.widened: dict[Path, str] = {}
        self.further: list[tuple[Path, str]] = []
        for platform in dict.fromkeys(spec.platform for spec in decision.uncovered):
            self._cover(platform)

    def draft_all(self) -> None:
        if self.project.root is None:
            # An override stands in the place of what the lists say.
            for override in self.project.override_dependencies:
                if override.name in self.decision.packages:
                    self._update(override)
        if self.decision.layout == "markers":
            self._in_base_dependencies()
            return
        self._dev_group()
        stays = self.decision.layout in {"groups", self.decision.before.layout}
        moved = self._move_out_of_base(() if stays else self.decision.packages)
        if self.decision.by_machine and self.decision.default is not None:
            self._into_base()
        for scope in self.decision.scopes:
            if scope.name in self.decision.affected:
                self._in_scope(scope, moved)

    def _cover(self, platform: Platform) -> None:
        """Let torch be required on a platform that its requirements leave out.

        The marker of one requirement is widened; where several share the platforms among
        themselves, or one names a build, another requirement is added.
        """
        specs = [spec for spec in self.decision.uncovered if spec.platform == platform]
        limits = Limits(self.project, self.decision.before, self.main, None, pin=False)
        own = [
            requirement
            for requirement in self.project.requirements()
            if requirement.name == self.main
            and all(limits.is_in_scope(requirement, spec) for spec in specs)
        ]
        beside = [requirement for requirement in own if requirement.path[:-1] == own[0].path[:-1]]
        machine = None if platform.is_usual else platform.platform_machine
        marker = render_areas([Area(platform.os, machine)])
        only, text = beside[0], self.widened.get(beside[0].path, beside[0].raw)
        if len(beside) == 1 and "+" not in str(only.specifier):
            self.widened[only.path] = with_wider_marker(text, marker)
        else:
            exact = {part.version for one in beside for part in one.specifier if is_exact(part)}
            pins = {version.partition("+")[0] for version in exact}
            text = f"{self.main}=={pins.pop()}" if len(pins) == 1 else self._new(self.main)
            self.further.append((only.path[:-1], f"{text} ; {marker}"))

    def draft_project(self) -> None:
        """Draft name, version and Pythons."""
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
        elif (
            self.project.requires_python is None
            and path[1] not in self.project.dynamic
            and not (has_project and self.is_change)
        ):
            floor = choice.python or self.catalog.pythons[0]
            reason = "the lowest Python that this torch has for all targets"
            self.draft.put(path, f">={floor}", reason)
        if not has_project:
            self.draft.put(DEPENDENCIES, [], "filled below")

    def _move_tritons(self, scope: Scope, requirements: Iterable[Requirement]) -> None:
        """Let triton be required where its build is, once it came to a platform or left one."""
        there = {r.name: r for r in requirements if r.name in self.catalog.triton_packages}
        for backend in scope.backends() if there else ():
            triton = self.decision.bounds.triton(backend)
            line = there.get(canonicalize_name(triton.name)) if triton else None
            are, were = (
                {target.platform for target in targets if target.backend == backend}
                for targets in (self.decision.choice.targets, self.decision.before.targets)
            )
            marker = triton_marker(triton, scope, backend) if triton else None
            has = line.raw.partition(";")[2].strip() if line else ""
            if line is None or marker is None or not has or not names_platforms(has):
                continue
            where = possible_platforms(has)
            if (were - are) & where or not are - were <= where:
                text = with_marker(line.raw, marker)
                self.draft.replace(line.path, text, "torch needs it where its build is")

    def _in_base_dependencies(self) -> None:
        gone = [r for section in self.leaving.values() for r in section.requirements]
        stays = [r for r in self.project.requirements() if r.path not in {r.path for r in gone}]
        homeless = {r.name for r in gone} - {r.name for r in self.project.dependencies}
        declared = self.facts.elsewhere.union(r.name for r in stays) - homeless
        for requirement in stays:
            if requirement.name in self.decision.packages:
                self._update(requirement)
        lines: list[str] = []
        beside = [r for r in stays if r.path[:-1] == DEPENDENCIES]
        for name in self.decision.packages:
            if name not in declared:
                own = self._joined(name, self.leaving.values())
                new = [self._gated(self._new(name), name, beside, lines)]
                lines += own or (new if name in self.decision.required else [])
        self._move_tritons(self.decision.scopes[0], stays)
        tritons = triton_requirements(self.decision, self.decision.scopes[0])
        lines += [self._as_ranged(t, gone) for name, t in tritons.items() if name not in declared]
        if lines and "dependencies" in self.project.dynamic:
            self._refuse_dynamic("dependencies")
        for line in lines:
            self.draft.insert(DEPENDENCIES, line, "direct requirement, so that its source applies")

    def _into_base(self) -> None:
        """Let the base dependencies bring what a machine gets that leaves the default group out.

        Nothing else holds its release to that of the others.
        """
        there = {requirement.name for requirement in self.project.dependencies}
        for requirement in self.project.dependencies:
            if requirement.name in self.decision.packages:
                self._update(requirement)
        for name in self.decision.packages:
            if name in self.decision.required and name not in there:
                former = self._joined(name, self.leaving.values()) or self._siblings(name)
                new = self._gated(self._new(name), name, self.project.dependencies, ())
                for line in former or [new]:
                    self.draft.insert(
                        DEPENDENCIES, line, "what `UV_NO_GROUP` leaves is PyPI's build"
                    )
                self.in_base.add(name)

    def _dev_group(self) -> None:
        """Define `dev` if `default-groups` will name it, ahead of the groups of this plan."""
        writes = self.decision.default is not None or self.decision.by_machine
        untouched = self.project.default_groups is None and writes
        if untouched and "dev" not in self.project.groups:
            reason = "`default-groups` replaces uv's own default, `dev`, which must be defined"
            self.draft.put(("dependency-groups", "dev"), [], reason)

    def _move_out_of_base(self, packages: Collection[str]) -> dict[str, list[Requirement]]:
        """Take packages out of the base dependencies, and the triton packages of a new layout."""
        tritons = {
            name
            for scope in self.decision.scopes
            for name in triton_requirements(self.decision, scope)
        }
        if packages:
            tritons |= self.catalog.triton_packages
        elif self.decision.layout == self.decision.before.layout:
            tritons = set()
        moved: dict[str, list[Requirement]] = {}
        for requirement in reversed(self.project.dependencies):
            if requirement.name in tritons.union(packages):
                moved.setdefault(requirement.name, []).insert(0, requirement)
                self.draft.remove(requirement.path, f"each {self.kind} brings its own build")
        return moved

    @property
    def kind(self) -> str:
        return self.decision.scopes[0].kind

    def _in_scope(self, scope: Scope, moved: Mapping[str, Sequence[Requirement]]) -> None:
        path, section = self._section(scope)
        there = {r.name for r in section.requirements} if section else set()
        lines: list[str] = []
        declared = self.facts.elsewhere.union(r.name for r in self.project.requirements())
        beside = section.requirements if section else ()
        for name in self.decision.packages:
            wanted = declared if section is None or not self.is_change else frozenset[str]()
            if name not in there and name in self.decision.required | wanted:
                lines += (
                    self._brought(name, scope, moved.get(name, ()))
                    or self._siblings(name)
                    or [
                        self._gated(self._new(name, bare=name in self.in_base), name, beside, lines)
                    ]
                )
        for requirement in section.requirements if section else ():
            if requirement.name in self.decision.packages:
                self._update(requirement)
        before = [r for lines in moved.values() for r in lines]
        before += [r for section in self.leaving.values() for r in section.requirements]
        self._move_tritons(scope, section.requirements if section else ())
        tritons = triton_requirements(self.decision, scope)
        lines += [self._as_ranged(t, before) for name, t in tritons.items() if name not in there]
        reason = f"chooses {scope.backend.title}"
        if section is None:
            self.draft.put(path, list(lines), reason)
            return
        for line in lines:
            self.draft.insert(path, line, reason)

    # What a former layout had.

    def _brought(self, name: str, scope: Scope, moved: Sequence[Requirement]) -> list[str]:
        """Return the lines of a package in the base and in the scope that this one replaces."""
        former = self.decision.before.names.get(scope.backend.name, "")
        own = self.leaving.get(canonicalize_name(former))
        lines = [r for r in own.requirements if r.name == name] if own else []
        if not moved or not any(r.specifier or r.marker for r in moved):
            found = list(map(self._kept, lines or moved))
            return found or self._joined(name, self.leaving.values())
        if not any(r.specifier for r in lines):
            return list(map(self._kept, moved))
        return [self._join([*moved, *lines])]

    def _joined(self, name: str, sections: Iterable[Section]) -> list[str]:
        """Return the lines of a package: as all sections have them, or one that says it all."""
        found = [
            lines
            for section in sections
            if (lines := [r for r in section.requirements if r.name == name])
            and all(map(self._is_met, lines))
        ]
        if len({tuple(r.raw for r in lines) for lines in found}) <= 1:
            return [self._kept(r) for lines in found[:1] for r in lines]
        return [self._join([r for lines in found for r in lines])]

    def _is_met(self, requirement: Requirement) -> bool:
        """Tell whether a requirement admits what was chosen; extras that part may have others."""
        release, name = self.decision.choice.release, requirement.name
        if release is None:
            return True
        if name != self.main:
            fitting = self.catalog.companions(name, release) or ()
            return not fitting or any(requirement.specifier.contains(each) for each in fitting)
        return self.request.torch is not None or requirement.specifier.contains(
            release, prereleases=True
        )

    def _join(self, requirements: Sequence[Requirement]) -> str:
        """Return one line for several of a package: what all say of its versions."""
        parts = dict.fromkeys(part for r in requirements for part in sorted(map(str, r.specifier)))
        text = requirements[0].raw.partition(";")[0].strip()
        return self._within(with_specifier(text, ",".join(parts)), requirements[0].name)

    def _as_ranged(self, text: str, before: Iterable[Requirement]) -> str:
        """Return a new triton requirement with the range that the project has for it already."""
        if self.request.renew:
            return text
        name = text.partition(";")[0]
        same = (r for r in before if re.match(rf"{re.escape(r.name)}(?![\w-])", name))
        kept = next((str(r.specifier) for r in same if r.specifier), None)
        return with_specifier(text, kept) if kept else text

    def _siblings(self, name: str) -> list[str]:
        """Return a requirement as the extras or groups of other backends have it."""
        for scope in self.decision.scopes:
            _, section = self._section(scope)
            for requirement in section.requirements if section else ():
                fits = requirement.marker is None and self._is_met(requirement)
                if requirement.name == name and fits:
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
        table = EXTRAS if extras else GROUPS
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
        beside = [r for r in self.project.requirements() if r.path[:-1] == requirement.path[:-1]]
        path = requirement.path
        if any(one.name == requirement.name and one.path != path for one in beside):
            # Imported here: few lists require a package twice.
            from torchconf.planner.draft_devices import names_devices

            if names_devices(requirement.raw, self.catalog):
                return  # The line beside it says which versions.
        self.draft.replace(path, self._kept(requirement), "keeps all targets together")

    def _kept(self, requirement: Requirement) -> str:
        """Return a requirement that is there already, with what is asked for and bounded."""
        text = self.widened.get(requirement.path, requirement.raw)
        return self._within(text, requirement.name)

    def _within(self, text: str, name: str) -> str:
        if name == self.main and self.request.torch is not None:
            text = with_specifier(text, torch_specifier(self.request.torch))
        elif self.request.renew and name in self.decision.choice.companions:
            text = with_specifier(text, f">={self.decision.choice.companions[name]}")
        return self.decision.places.gated(self.decision.bounds.keep_within(text, name), name)

    def notes(self) -> Iterator[str]:
        """Say where torch is required that was not before."""
        notes = self.decision.places.notes
        yield from (notes[name] for name in self.decision.packages if name in notes)
        for text in self.widened.values():
            yield f"the marker of torch excluded a target and was extended: `{text}`"
        for _, text in self.further:
            yield f"no requirement of torch applied to one of the targets; added `{text}`"

    def _new(self, name: str, *, bare: bool = False) -> str:
        """Return a new requirement: a lower bound, and an upper one where a line has ended.

        Args:
            name: Of the package.
            bare: The project's own dependencies say which versions.
        """
        return self.decision.bounds.keep_within(name + self._range(name, bare=bare), name)

    def _gated(
        self, text: str, name: str, beside: Iterable[Requirement], lines: Iterable[str]
    ) -> str:
        """Give a new companion the marker of the torch beside it, as far as it has wheels.

        Args:
            text: The requirement of the companion.
            name: Of the companion.
            beside: What stands in the same list.
            lines: What this plan adds to it.
        """
        if name == self.main:
            return text
        return self.decision.places.gated(self._beside(text, beside, lines), name)

    def _beside(self, text: str, beside: Iterable[Requirement], lines: Iterable[str]) -> str:
        """Return a requirement with the marker of the torch beside it."""
        overrides = [r for r in self.project.workspace.override_dependencies if r.name == self.main]
        own = overrides or [r for r in beside if r.name == self.main]
        texts = [self.widened.get(r.path, r.raw) for r in own]
        if not overrides:
            texts += [line for line in lines if canonicalize_name(Parsed(line).name) == self.main]
            texts += [line for _, line in self.further] if texts else []
        markers = dict.fromkeys(text.partition(";")[2].strip() for text in texts)
        if not markers or "" in markers:
            return text
        if all(map(names_platforms, markers)):
            where = {platform for marker in markers for platform in possible_platforms(marker)}
            if where == possible_platforms(None):
                return text
        parts = [f"({marker})" if len(markers) > 1 else marker for marker in markers]
        return f"{text} ; {' or '.join(parts)}"

    def _range(self, name: str, *, bare: bool) -> str:
        main = name == self.main
        if main and self.request.torch is not None:
            return torch_specifier(self.request.torch)
        if self._is_mixed() or self._is_unknown():
            return ""
        lower = self.decision.choice.release if main else self._lowest_companion(name)
        if bare or (name in self.facts.needed and name not in self.request.packages):
            # Where an upper bound is needed, a lower one keeps a resolver from going far below.
            lower = lower if main and self.decision.bounds.torch is not None else None
        return f">={lower}" if lower else ""

    def _is_mixed(self) -> bool:
        """Tell whether some platform gets torch from where nobody knows, or knows only older ones.

        That is an index which is not PyTorch's, a nightly one, or an open one of PyTorch's, which
        uv searches before PyPI.
        """
        if self.decision.layout != "markers":
            return False
        foreign = self.decision.before.foreign
        if any(one.backend is None and one.source.package == self.main for one in foreign):
            return True
        is_left = self.decision.scopes[0].rest == PYPI
        indexes = self.project.workspace.indexes if is_left else ()
        return any(
            not index.explicit and self.catalog.backend_of_url(index.url, index.name)
            for index in indexes
        )

    def _is_unknown(self) -> bool:
        """Tell whether nobody knows any release of torch that a target's index has."""
        return any(
            self.catalog.publisher_of(target.backend)
            and self.catalog.last_seen(self.main, target.backend) is None
            for target in self.decision.choice.targets
        )

    def _lowest_companion(self, name: str) -> Version | None:
        """Return the companion of the lowest torch that the project admits."""
        if not str(self.decision.torch):
            is_bare = any(r.name == self.main for r in self.project.requirements())
            return None if is_bare else self.decision.choice.companions.get(name)
        lowest = lowest_companion(name, self.decision.torch, self.catalog)
        chosen = self.decision.choice.companions.get(name)
        # The choice may be an older one, which is known on the index of every target.
        return min(lowest, chosen) if lowest and chosen else lowest
