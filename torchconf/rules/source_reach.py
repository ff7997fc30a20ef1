"""Sources: which packages have one, and where none of them holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.model.targets import SHOWN_PLATFORMS
from torchconf.model.toml_path import CONSTRAINTS
from torchconf.model.uv_lock import needs, reached
from torchconf.rules.context import names_in_builds, sources_path
from torchconf.rules.fixes import draft_of
from torchconf.rules.installed_builds import (
    applied_sources,
    backends_of,
    build_of,
    default_places,
    family_places,
    routes_are_known,
    source_on,
)
from torchconf.rules.rule import MARKERS_MAKE_SENSE, Finding, Fix, Premise, Rule, Severity
from torchconf.rules.wording import list_systems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.utils import NormalizedName

    from torchconf.model.project import Source
    from torchconf.model.targets import Platform
    from torchconf.rules.context import Context, Place

__all__ = ["RULES"]


class BaseNeedsTorch(Rule):
    """Torch is routed only in extras or groups, but a base dependency needs it too."""

    code = "TC204"
    name = "base-needs-torch"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report the first requirement of a plain `uv sync` that brings a torch of its own.

        What only the catalog's list says is information: it may hold for some releases only.
        """
        catalog = context.catalog
        main = canonicalize_name(catalog.main_package)
        sources = context.project.sources_for(main)
        if not sources or not all(source.extra or source.group for source in sources):
            return
        places = default_places(context)
        if any(context.first_requirement(place, main) for place in places):
            return
        text = context.workspace.lockfile
        graph = needs(text) if text else {}
        for place in places:
            if all(_exclude_each_other(context, place, source) for source in sources):
                continue
            for requirement in context.flat(place):
                known = main in catalog.dependents.get(requirement.name, ())
                locked = bool(graph) and main in reached([requirement.name], graph)
                if known or locked:
                    yield self.finding(
                        requirement.path,
                        f"`{requirement.name}` needs `{main}`, which comes from PyPI unless an "
                        "extra or group is selected",
                        help="move it to each extra or group, or make one of them a default group",
                        severity=None if locked else Severity.INFO,
                    )
                    return


def _exclude_each_other(context: Context, place: Place, source: Source) -> bool:
    """Tell whether a place conflicts with the extra or group that a source is for."""
    kind = "extra" if source.extra else "group"
    one = context.sets_naming(place.kind, place.name)
    other = context.sets_naming(kind, source.extra or source.group)
    return not one.isdisjoint(other)


class SourceForIndirect(Rule):
    """A package has a source but is not a dependency."""

    code = "TC201"
    name = "source-for-indirect"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources"
    fixes = "unsafe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report family packages with an unscoped index source that no requirement leads to."""
        project = context.project
        readers = context.readers
        if any({"dependencies", "optional-dependencies"} & one.dynamic for one in readers):
            return
        named = {one.name for reader in readers for one in reader.requirements()}
        for one in (*project.workspace.constraint_dependencies,):
            if one.specifier or one.url:
                named.add(one.name)
        named.update(one.name for one in project.workspace.override_dependencies)
        for reader in readers:
            named.update(map(canonicalize_name, names_in_builds(reader)))
        for package in dict.fromkeys(source.package for source in context.family_sources):
            sources = project.sources[package]
            scoped = any(source.extra or source.group for source in sources)
            if package in named or scoped or not any(s.kind == "index" for s in sources):
                continue
            yield self.finding(
                sources_path(sources[0]),
                f"the source of `{package}` has no effect, because it is not a direct dependency",
                help="make it a direct dependency, or add a constraint with a version",
                fix=self._fix(context, package) if project is context.workspace.root else None,
            )

    def _fix(self, context: Context, package: NormalizedName) -> Fix:
        draft = draft_of(context)
        draft.insert(CONSTRAINTS, f"{package}>=0", "now its source applies")
        title = f"add the constraint `{package}>=0`, so that its source applies"
        return Fix(title, tuple(draft.steps), safe=False)


def _comes_from_pypi(context: Context, package: str, place: Place, platform: Platform) -> bool:
    """Ask the routes, where they can say: a pin of another place may reach this one."""
    if not routes_are_known(context):
        return True
    extras = (place.name,) if place.kind == "extra" and place.name else ()
    groups = (place.name,) if place.kind == "group" and place.name else ()
    others = context.conflicting_defaults.difference(groups) if place.name else ()
    route = context.route(package, platform, extras=extras, groups=groups, no_groups=others)
    found = [each for _, each in route.by_python] or [route]
    return any(one.kind == "index" and build_of(context, one.index) == "" for one in found)


class PlatformFallsToPypi(Rule):
    """A source for an accelerator leaves Linux or Windows to PyPI."""

    code = "TC211"
    name = "platform-falls-to-pypi"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/"
    requires = (*MARKERS_MAKE_SENSE, Premise.SCOPES)

    def check(self, context: Context) -> Iterator[Finding]:
        """Look at torch in each place; a platform that was declared makes it a warning."""
        main = canonicalize_name(context.catalog.main_package)
        reported = set()
        for place in family_places(context):
            requirement = context.first_requirement(place, main)
            sources = applied_sources(context, main, place)
            backends = backends_of(context, sources)
            if requirement is None or requirement.url or not sources:
                continue
            if all(backend == context.catalog.fallback for backend in backends):
                continue
            left = tuple(
                platform
                for platform in (*SHOWN_PLATFORMS, *sorted(context.named - {*SHOWN_PLATFORMS}))
                if platform.os != "macos"
                and (platform.is_usual or platform in context.named)
                and platform in context.locked & context.platforms(requirement.marker)
                and source_on(context, sources, platform) is None
                and _comes_from_pypi(context, main, place, platform)
            )
            at = sources_path(sources[0])
            if not left or (at, left) in reported:
                continue
            reported.add((at, left))
            meant = context.named.intersection(left)
            yield self.finding(
                at,
                f"on {list_systems(left)}, `{main}` comes from PyPI, because no source applies",
                help="add a source for the other platforms, such as the CPU index, unless "
                "this is intended",
                severity=Severity.WARNING if meant else None,
            )


RULES: tuple[type[Rule], ...] = (
    SourceForIndirect,
    BaseNeedsTorch,
    PlatformFallsToPypi,
)
"""The rules of this family, by code."""
