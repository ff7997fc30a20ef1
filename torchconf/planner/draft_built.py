"""Draft packages that are built against torch: requirement, source and index beside each build.

A package is required only where it has wheels. What its author wrote in the same sense stays; it
changes for the platforms whose build of torch changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from torchconf.errors import REFRESH, ProjectError, RequestError
from torchconf.model.backends import PYPI
from torchconf.model.markers import meet, names_platforms, possible_platforms
from torchconf.model.requirements import next_minor, with_marker
from torchconf.model.toml_path import render_path
from torchconf.planner.built_lists import BuiltLists
from torchconf.planner.built_packages import BuiltWheels, Wheel, home_of, line_of
from torchconf.planner.built_sources import BuiltPlan, BuiltSources, remove_unused
from torchconf.planner.source_builds import buildable, draft_build, no_wheels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from torchconf.catalog import Catalog
    from torchconf.edits.draft import Draft
    from torchconf.edits.plan import Value
    from torchconf.layout.layouts import Scope
    from torchconf.model.project import Project
    from torchconf.model.targets import Platform
    from torchconf.planner.built_lists import Required
    from torchconf.planner.decide import Decision

__all__ = ["draft_built"]


def draft_built(
    draft: Draft,
    project: Project,
    catalog: Catalog,
    decision: Decision,
    asked: Sequence[str],
    kept: Sequence[str],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Draft such packages in each place that chooses a build of torch.

    Args:
        draft: Of the project's file, with the extras, groups and indexes of the plan.
        project: As it is.
        catalog: Which wheels there are.
        decision: What the file is to hold.
        asked: What is asked for by name.
        kept: What the project has from indexes that are known to have it.

    Returns:
        What to say, and what to warn of.

    Raises:
        RequestError: No target has a build for which there are wheels.
        ProjectError: The file holds something that stands in the way.
    """
    if asked and (decision.together or (decision.by_machine and decision.default is not None)):
        raise RequestError(
            f"`--with {asked[0]}` cannot be added here: all machines share the requirements",
            help="use `--layout extras` or `--layout groups` in one project, or add it by hand",
        )
    if decision.together or decision.choice.release is None:
        return (), ()
    line = line_of(decision.choice.release)
    wheels = BuiltWheels(catalog, line, decision.choice.targets, project)
    plan = BuiltPlan(draft, project, catalog, decision, wheels)
    notes: list[str] = []
    warnings: list[str] = []
    for package in dict.fromkeys((*asked, *kept)):
        one = _Package(plan, package, asked=package in asked)
        notes += one.draft()
        warnings += one.warnings
    remove_unused(draft, project, catalog)
    if warnings:
        warnings.append(f"run {REFRESH} to read what its publisher has")
    return tuple(notes), tuple(dict.fromkeys(warnings))


class _Package:
    """One package in all places of a plan."""

    def __init__(self, plan: BuiltPlan, name: str, *, asked: bool) -> None:
        self.edited, self.project, self.catalog, self.decision, self.wheels = plan
        self.name = name
        self.asked = asked
        self.warnings: list[str] = []
        self.lists = BuiltLists(plan, name)
        self.sources = BuiltSources(plan, name)
        self.platforms = self.sources.platforms

    def draft(self) -> Iterator[str]:
        """Draft it, and yield what to say."""
        foreign = [
            source
            for source in self.project.sources.get(canonicalize_name(self.name), ())
            if home_of(source, self.project, self.catalog) is None
        ]
        if foreign:
            yield f"{self.name} stays as it is: its source at {foreign[0].at} is not changed"
            return
        served = {scope: self._served(scope) for scope in self.decision.scopes}
        if not any(served.values()) and self.asked:
            yield from self._from_source()
            return
        self.lists.refuse_elsewhere()
        former = self.lists.former()
        self.lists.leave()
        entries: list[Value] = []
        for scope, where in served.items():
            entries += self._in_scope(scope, where, former)
        yield from self.sources.arrange(entries)
        yield from self._said(served)

    def _served(self, scope: Scope) -> dict[Platform, Wheel]:
        """Return where each platform gets the package from."""
        found = {p: self.wheels.at(self.name, scope.at(p), p) for p in self.platforms}
        targets = {(t.platform, t.backend) for t in self.decision.choice.targets}
        wanted = {wheel for p, wheel in found.items() if (p, scope.at(p)) in targets}
        # For a machine that nobody asked for, no further index is worth its while.
        return {p: wheel for p, wheel in found.items() if wheel is not None and wheel in wanted}

    def _in_scope(self, scope: Scope, where: Mapping[Platform, Wheel], former: str) -> list[Value]:
        """Draft the requirement of one place, and return its sources."""
        lines = self.lists.required(scope)
        left_alone = not self.asked and scope.name not in self.decision.affected
        if left_alone or (lines and self._stays(scope, where, lines)):
            return self.sources.own(scope)
        changed = self._changed(scope)
        gone = frozenset(changed) - where.keys()
        if not where:
            if not gone:
                return self.sources.own(scope) if lines else []
            self.lists.remove(lines)
            return []
        if not lines:
            if not self._is_wanted(scope, where):
                return self.sources.own(scope)
            marker = self.sources.marker(where)
            text = f"{former} ; {marker}" if marker else former
            self.lists.add(scope, text, f"has wheels for {scope.backend.title} there")
        elif not self.asked:
            held = {p for line in lines for p in possible_platforms(_marker_of(line.text))}
            where = {p: wheel for p, wheel in where.items() if p in held | changed}
            if not (held.intersection(self.platforms) - changed) | (changed & where.keys()):
                self.lists.remove(lines)
                return []
        for line in lines:
            self._gate(line, scope, where)
        own = self.sources.own(scope)
        left = frozenset() if self.asked else gone
        served = self.sources.is_served(own, where, left)
        return own if served else self.sources.entries(scope, where)

    def _stays(
        self, scope: Scope, where: Mapping[Platform, Wheel], lines: Sequence[Required]
    ) -> bool:
        """Tell whether it stays as it is, because a platform whose build stays would lose it.

        Raises:
            ProjectError: The torch of the plan is not the one that it is built against.
        """
        held = {p for line in lines for p in possible_platforms(_marker_of(line.text))}
        own: list[Any] = self.sources.own(scope)
        led = {p for entry in own for p in possible_platforms(entry.get("marker"))}
        losing = [
            target
            for target in self.decision.before.targets
            if scope.at(target.platform) == target.backend
            and target.platform in (held & led) - where.keys()
            and (not scope.kind or target.backend == scope.backend)
        ]
        if self.asked or not (losing or self._moves(scope, where, held & led)):
            return False
        sources = self.project.sources.get(canonicalize_name(self.name), ())
        homes = filter(None, (home_of(one, self.project, self.catalog) for one in sources))
        if all(page.has_line(self.wheels.line) for page, _ in homes):
            return True
        raise ProjectError(
            f"`{self.name}` has no known wheels for torch {self.wheels.line} with `{losing[0]}`",
            at=self.project.place(render_path((*lines[0].path, lines[0].number))),
            help=f"`torchconf explain {self.name}` lists what it has wheels for",
        )

    def _moves(
        self, scope: Scope, where: Mapping[Platform, Wheel], has: AbstractSet[Platform]
    ) -> bool:
        """Tell whether a platform whose build stays would take it from another index."""
        stay = {p: where[p] for p in has - self._changed(scope) if p in where}
        return bool(stay) and not self.sources.is_served(self.sources.own(scope), stay, frozenset())

    def _is_wanted(self, scope: Scope, where: Mapping[Platform, Wheel]) -> bool:
        """Tell whether a place without it is to have it: asked for, or a new place."""
        if self.asked or self.decision.layout != self.decision.before.layout:
            return True
        return bool(self._changed(scope) & where.keys())

    def _changed(self, scope: Scope) -> set[Platform]:
        """Return the platforms whose build changes in a place; all of them for a new package."""
        if self.asked:
            return set(self.platforms)
        are, were = (
            {(t.platform, t.backend) for t in targets}
            for targets in (self.decision.choice.targets, self.decision.before.targets)
        )
        # A list may name fewer targets than the tables serve: what has its build keeps it.
        return {
            platform
            for platform, backend in are ^ were
            if (not scope.kind or backend == scope.backend)
            and (platform, scope.at(platform)) not in were
        }

    def _gate(self, line: Required, scope: Scope, where: Mapping[Platform, Wheel]) -> None:
        """Let a requirement hold where there are wheels, on the platforms that change."""
        text = _marker_of(line.text)
        held = possible_platforms(text).intersection(self.platforms)
        changed = self._changed(scope)
        new = (held - changed) | (
            changed & where.keys() & (held if self.asked and text else changed)
        )
        if new == held or not new:
            return
        known = {p: where[p] for p in self.platforms if p in new and p in where}
        whole = len(known) == len(new)
        marker = (self.sources.marker(known) if whole else self.sources.render(new)) or ""
        if text and not names_platforms(text):
            marker = meet(text, marker)
        gated = with_marker(line.text, marker) if text else f"{line.text.rstrip()} ; {marker}"
        self.edited.replace((*line.path, line.number), gated, "it has no wheels elsewhere")

    def _from_source(self) -> Iterator[str]:
        """Draft the build of a package of which nobody has wheels for a target."""
        built = self.catalog.built.source(self.name)
        targets = buildable(self.wheels)
        if built is None or not targets or self.project.root is not None:
            raise no_wheels(self.name, self.wheels, self.catalog)
        for scope in self.decision.scopes:
            own = {t.backend for t in targets if t.backend in {*scope.backends(), PYPI}}
            where = {p for p in self.platforms if p.os == "linux" and scope.at(p) in own}
            there = self.lists.has(scope)
            if where and not there and (not scope.kind or scope.backend in own):
                text = f"{self.name} ; {self.sources.render(where)}"
                self.lists.add(scope, text, "PyPI has its source only")
        draft_build(self.edited, self.name, built, self.catalog.main_package)
        spoken = ", ".join(map(str, targets))
        yield (
            f"{self.name} has no known wheels for {spoken}: uv builds it from source there, which "
            "needs the compiler of its CUDA or ROCm"
        )

    # Words.

    def _said(self, served: Mapping[Scope, Mapping[Platform, Wheel]]) -> Iterator[str]:
        """Say where it comes from, and where it is not."""
        targets = self.decision.choice.targets
        left: dict[str, None] = {}
        used: dict[str, dict[str, None]] = {}
        for target in targets:
            found = [
                where.get(target.platform)
                for scope, where in served.items()
                if scope.at(target.platform) == target.backend
            ]
            wheel = next((one for one in found if one), None)
            if wheel is None:
                left[str(target)] = None
                home = self.wheels.may_be_at(self.name, target.backend, target.platform)
                if home is not None and self.asked:
                    self.warnings.append(
                        f"it is not known whether {home.by} has {self.name} for torch "
                        f"{self.wheels.line} on {target}, so it is not required there"
                    )
            else:
                title = self.catalog.backend(wheel.build).title
                used.setdefault(wheel.family.by, {})[title] = None
                if not wheel.sure:
                    self.warnings.append(
                        f"it is not known whether {wheel.family.by} has {self.name} for torch "
                        f"{self.wheels.line} and {wheel.build}{self._known()}"
                    )
        if not self.asked:
            return
        bound = next_minor(Version(self.wheels.line))
        homes = " and ".join(f"{by} ({', '.join(builds)})" for by, builds in used.items())
        yield f"{self.name} for torch {self.wheels.line}: from {homes}; torch stays below {bound}"
        if left:
            spoken = ", ".join(left)
            yield f"{self.name} has no known wheels for {spoken}, and is not required there"

    def _known(self) -> str:
        """Name the torch for which there are wheels, if there are any."""
        lines = self.catalog.built.lines(self.name)
        return f"; the newest torch that it is known for is {lines[0]}" if lines else ""


def _marker_of(line: str) -> str | None:
    return line.partition(";")[2].strip() or None
