"""Choices next to base dependencies and default groups: what a plain `uv sync` gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.model.project import Item
from torchconf.model.toml_path import CONFLICTS, ENVIRONMENTS, EXTRAS, GROUPS
from torchconf.rules.fixes import draft_of
from torchconf.rules.installed_builds import (
    build_of,
    closed_environments,
    distinct_platforms,
    routes_are_known,
)
from torchconf.rules.rule import MARKERS_MAKE_SENSE, Finding, Fix, Premise, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.utils import NormalizedName

    from torchconf.edits.plan import Value
    from torchconf.model.project import Requirement, Source
    from torchconf.model.targets import Platform
    from torchconf.resolve.routes import Route
    from torchconf.rules.context import Context

__all__ = ["RULES"]


def _base_requirements(context: Context, package: str) -> list[Requirement]:
    return [one for one in context.project.dependencies if one.name == package and one.url is None]


def _scoped_sources(context: Context, package: NormalizedName) -> list[Source]:
    """Return the index sources of a package that are for an extra or a group."""
    sources = context.project.sources_for(package)
    return [s for s in sources if (s.extra or s.group) and s.index is not None]


def _item(context: Context, source: Source) -> Item | None:
    name = source.extra or source.group
    if context.project.name is None or name is None:
        return None
    return Item(context.project.name, "extra" if source.extra else "group", name)


def _base_packages(context: Context) -> list[NormalizedName]:
    """Return the family packages of the base dependencies that have scoped sources."""
    return [
        name
        for package in context.catalog.family
        if _base_requirements(context, name := canonicalize_name(package))
        and _scoped_sources(context, name)
    ]


def _plain(context: Context, package: str, platform: Platform) -> Iterator[Route]:
    """Yield what a plain `uv sync` takes a package from, once for each stretch of Pythons."""
    route = context.route(package, platform)
    if route.kind == "varies":
        yield from (each for _, each in route.by_python)
    else:
        yield route


class OneChoiceWins(Rule):
    """A source for one extra or group also applies without it."""

    code = "TC304"
    name = "one-choice-wins"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    fixes = "unsafe"
    requires = (Premise.CONFLICT,)

    def check(self, context: Context) -> Iterator[Finding]:
        """Ask the routes which pin serves a plain `uv sync`."""
        packages = _base_packages(context)
        if not packages or not routes_are_known(context):
            return
        for package in packages:
            for route in (
                each
                for platform in distinct_platforms(context)
                for each in _plain(context, package, platform)
            ):
                item = route.pin.item if route.pin is not None else None
                source = route.source
                if item is None or source is None or route.kind != "index":
                    continue
                if item.kind == "group" and item.name in context.project.installed_groups():
                    continue
                if context.sets_of(item) or item.package != context.project.name:
                    continue
                yield self.finding(
                    source.path,
                    f"every installation gets `{package}` from `{source.value}`, not only "
                    f"{item.kind} `{item.name}`: no conflict set separates it from the base "
                    "dependencies",
                    help="remove the package from the base dependencies, or add all "
                    "extras and groups to one conflict set",
                    fix=self._fix(context, package, item),
                )
                return

    def _fix(self, context: Context, package: NormalizedName, item: Item) -> Fix | None:
        """Add a choice that stands for PyPI's build, in conflict with the one that wins."""
        project = context.project
        extra = item.kind == "extra"
        if "pypi" in (project.extras if extra else project.groups) or not project.has_project:
            return None
        section = (project.extras if extra else project.groups)[item.name or package]
        lines: list[Value] = [one.raw for one in _base_requirements(context, package)]
        draft = draft_of(context)
        table = EXTRAS if extra else GROUPS
        draft.put((*table, "pypi"), lines, "a choice without a source: PyPI's build")
        entries: list[Value] = [{item.kind: section.written}, {item.kind: "pypi"}]
        draft.insert(CONFLICTS, entries, "each installs another build")
        title = f"add {item.kind} `pypi` for PyPI's build, in conflict with `{section.written}`"
        return Fix(title, tuple(draft.steps), safe=False)


class IneffectiveMarker(Rule):
    """The platform marker of a source for an extra or a group has no effect."""

    code = "TC305"
    name = "ineffective-marker"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/reference/settings/#environments"
    fixes = "unsafe"
    requires = (*MARKERS_MAKE_SENSE, Premise.SCOPES)
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Look for a fork that lies on both sides of a source's marker."""
        universe = context.workspace.universe
        if universe is None:
            return
        for package in _base_packages(context):
            cells = self._cells(context, package)
            for source in _scoped_sources(context, package):
                item = _item(context, source)
                if source.marker is None or item is None:
                    continue
                if not context.sets_of(item) and len(_scoped_sources(context, package)) > 1:
                    continue
                inside = context.where(source.marker)
                outside = universe.everything & ~inside
                if not any(c & inside & universe.supported and c & outside for c in cells):
                    continue
                if routes_are_known(context) and not self._reaches(context, package, source):
                    continue
                yield self.finding(
                    (*source.path, "marker"),
                    f"this marker has no effect: the base dependencies require `{package}` on "
                    "all platforms",
                    help="split `environments` where the markers of the sources are",
                    fix=self._fix(context),
                )
                return

    def _reaches(self, context: Context, package: NormalizedName, source: Source) -> bool:
        """Ask the routes whether a source serves a machine on which its marker does not hold."""
        extras = (source.extra,) if source.extra else ()
        groups = (source.group,) if source.group else ()
        others = context.conflicting_defaults.difference(groups)
        inside = context.platforms(source.marker)
        for platform in distinct_platforms(context):
            route = context.route(package, platform, extras=extras, groups=groups, no_groups=others)
            reached = [each for _, each in route.by_python] or [route]
            if platform not in inside and any(one.source == source for one in reached):
                return True
        return False

    def _cells(self, context: Context, package: NormalizedName) -> list[int]:
        """Return the sets of environments in which uv looks at the base dependencies."""
        universe = context.workspace.universe
        if universe is None:
            return []
        cells = [
            context.where(entry.marker) for entry in context.project.workspace.environments
        ] or [universe.everything]
        markers = {str(one.marker): one.marker for one in _base_requirements(context, package)}
        if len(markers) > 1:
            for marker in markers.values():
                where = context.where(marker)
                cells = [part for cell in cells for part in (cell & where, cell & ~where) if part]
        return cells

    def _fix(self, context: Context) -> Fix | None:
        if context.project.root is not None:
            return None  # A member's own `environments` are not read.
        wanted = closed_environments(context)
        if wanted is None:
            return None
        draft = draft_of(context)
        reason = "without this, uv ignores the markers of sources for extras and groups"
        draft.put(ENVIRONMENTS, list(wanted), reason)
        if not draft.steps:
            return None
        return Fix(
            "split `environments` by the markers of the sources", tuple(draft.steps), safe=False
        )


class ThirdBuild(Rule):
    """The base dependencies install another build next to those of the extras or groups."""

    code = "TC306"
    name = "third-build"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/"

    def check(self, context: Context) -> Iterator[Finding]:
        """Ask the routes what a plain `uv sync` installs on Linux and Windows."""
        packages = _base_packages(context)
        if not packages or context.is_script or not routes_are_known(context):
            return
        package = packages[0]
        if any(
            route.kind == "index" and build_of(context, route.index) == ""
            for platform in distinct_platforms(context)
            if platform.os != "macos"
            for route in _plain(context, package, platform)
        ):
            yield self.finding(
                _base_requirements(context, package)[0].path,
                f"without an extra or group, `{package}` comes from PyPI",
                help="remove it from the base dependencies, or make one choice a default group",
            )


RULES: tuple[type[Rule], ...] = (
    OneChoiceWins,
    IneffectiveMarker,
    ThirdBuild,
)
"""The rules of this family, by code."""
