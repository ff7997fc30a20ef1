"""Packages that are built against one line of torch: which torch suits them, and whose wheels.

Each line of torch has wheels of its own. So torch is of the newest line for which most targets have
wheels, and stays there on all platforms: one that needs none of these packages would go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name

from torchconf.catalog import Answer
from torchconf.errors import ProjectError, RequestError
from torchconf.model.backends import PYPI
from torchconf.model.markers import may_hold
from torchconf.model.ranges import public
from torchconf.planner.admitted_ranges import admitted_range
from torchconf.planner.decide import decide

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.specifiers import SpecifierSet

    from torchconf.catalog import Catalog
    from torchconf.catalog.built import Page
    from torchconf.catalog.families import Family
    from torchconf.model.backends import Backend
    from torchconf.model.project import Index, Project, Source
    from torchconf.model.target_spec import TargetSpec
    from torchconf.model.targets import Platform, Target
    from torchconf.planner.decide import Decision
    from torchconf.planner.request import Facts, Request

__all__ = [
    "BuiltWheels",
    "Wheel",
    "asked_packages",
    "count_possible",
    "decide_with_built",
    "home_of",
    "kept_packages",
    "line_of",
]


class Wheel(NamedTuple):
    """Where a package comes from, beside one build of torch."""

    family: Family
    build: str
    sure: bool
    """Its wheels are known; else nobody knows whether there are any."""


class BuiltWheels:
    """The wheels that there are beside a torch."""

    def __init__(
        self,
        catalog: Catalog,
        line: str,
        targets: Sequence[Target],
        project: Project | None = None,
    ) -> None:
        """Look at one line of torch, `2.12`, the targets that get it, and what a project has."""
        self.catalog = catalog
        self.line = line
        self.targets = targets
        self.project = project
        self._homes: dict[str, list[Family]] = {}

    def build(self, backend: Backend, platform: Platform) -> str | None:
        """Return the build of torch that a platform gets: PyPI's is one of those of the indexes."""
        if platform.os == "macos":
            return self.catalog.fallback.name
        if backend != PYPI:
            return backend.name
        found = next((r for r in self.catalog.releases if line_of(r) == self.line), None)
        built = self.catalog.pypi_build(found, platform) if found else None
        return built.name if built else None

    def at(self, package: str, backend: Backend, platform: Platform) -> Wheel | None:
        """Return where a package comes from on a platform; None where there are no wheels.

        Where it is unknown whether there are any, uv might refuse to lock: so only a package of
        which none are known for any target is taken on trust, and for targets only.
        """
        build = self.build(backend, platform)
        if build is None:
            return None
        if package not in self._homes:
            # The fewer indexes, the better: whoever serves most targets comes first.
            homes = self.catalog.built.homes(package)
            self._homes[package] = sorted(homes, key=lambda one: -self._served(package, one))
        is_target = any((t.platform, t.backend) == (platform, backend) for t in self.targets)
        for page in self._own(package, build, platform):
            answer = self.catalog.built.has(package, page.family, self.line, build, platform)
            if answer is Answer.YES or (is_target and page.line and answer is Answer.UNKNOWN):
                return Wheel(page.family, build, sure=True)
        if (known := self._first(package, build, platform, Answer.YES)) is not None:
            return Wheel(known, build, sure=True)
        if not is_target or any(self._served(package, home) for home in self._homes[package]):
            return None
        unknown = self._first(package, build, platform, Answer.UNKNOWN)
        return Wheel(unknown, build, sure=False) if unknown else None

    def may_be_at(self, package: str, backend: Backend, platform: Platform) -> Family | None:
        """Return who may have a package for a platform, where nobody knows."""
        build = self.build(backend, platform)
        return self._first(package, build, platform, Answer.UNKNOWN) if build else None

    def _first(self, package: str, build: str, platform: Platform, answer: Answer) -> Family | None:
        homes = self._homes.get(package) or self.catalog.built.homes(package)
        has = self.catalog.built.has
        return next(
            (one for one in homes if has(package, one, self.line, build, platform) is answer), None
        )

    def _own(self, package: str, build: str, platform: Platform) -> Iterator[Page]:
        """Yield the pages that the project names for a platform: its author has seen them."""
        if self.project is not None:
            for source in self.project.sources.get(canonicalize_name(package), ()):
                home = home_of(source, self.project, self.catalog)
                if home is None or not may_hold(source.marker, platform):
                    continue
                if home[0].build == build and home[0].has_line(self.line):
                    yield home[0]

    def _served(self, package: str, family: Family) -> int:
        """Count the targets for which one family is known to have a package."""
        has = self.catalog.built.has
        builds = [(self.build(t.backend, t.platform), t.platform) for t in self.targets]
        return sum(
            build is not None and has(package, family, self.line, build, platform) is Answer.YES
            for build, platform in builds
        )

    def score(self, packages: Sequence[str]) -> int:
        """Count the packages and targets for which wheels are known."""
        found = (self.at(p, t.backend, t.platform) for p in packages for t in self.targets)
        return sum(wheel is not None and wheel.sure for wheel in found)


def line_of(release: object) -> str:
    """Return the line of a release: `2.12` for 2.12.1."""
    return ".".join(str(release).split(".")[:2])


def asked_packages(request: Request, catalog: Catalog) -> tuple[str, ...]:
    """Return the packages built against torch that are asked for by name."""
    names = map(canonicalize_name, request.packages)
    return tuple(dict.fromkeys(name for name in names if name in catalog.built_names))


def kept_packages(project: Project, catalog: Catalog) -> tuple[str, ...]:
    """Return those that the project takes from indexes that are known to have them."""
    declared = {requirement.name for requirement in project.requirements()}
    return tuple(
        name
        for name, sources in project.sources.items()
        if name in declared
        and sources
        and all(home_of(source, project, catalog) is not None for source in sources)
    )


def home_of(source: Source, project: Project, catalog: Catalog) -> tuple[Page, Index] | None:
    """Return what a source leads to, and the index, if that is known to have its package."""
    index = project.index_named(source.value) if source.kind == "index" else None
    page = catalog.built.page(index.url) if index else None
    known = index is not None and page is not None and source.package in page.family.packages
    return (page, index) if known and page and index else None


def decide_with_built(
    request: Request, project: Project, catalog: Catalog, facts: Facts, packages: Sequence[str]
) -> Decision:
    """Decide what a file is to hold that requires packages which are built against torch.

    Args:
        request: What is asked for.
        project: As it is.
        catalog: What is available.
        facts: What is known from outside the file.
        packages: All of these packages that the project is to have.

    Raises:
        RequestError, ProjectError: As for a project without them.
    """
    tied = request._replace(tied=True)
    if (kept := _at_its_line(tied, project, catalog, facts, packages)) is not None:
        return kept
    names = " and ".join(packages)
    best: tuple[int, Decision] | None = None
    # What a new target gets may not part from what is there: they share the pages of one torch.
    there = public(admitted_range(project, catalog.main_package)) if request.add else None
    for trial in _trials(tied, catalog, packages, there):
        try:
            found = decide(trial, project, catalog, facts)
        except (ProjectError, RequestError):
            continue
        line = line_of(found.choice.release)
        score = BuiltWheels(catalog, line, found.choice.targets).score(packages)
        if score and (best is None or score > best[0]):
            known = f"torch {found.choice.release}: newest for which wheels of {names} are known"
            best = score, found._replace(why=(known, *found.why[1:]))
        if best and best[0] >= count_possible(packages, found.choice.targets, catalog):
            break
    if best:
        return best[1]
    found = decide(request, project, catalog, facts)
    wheels = BuiltWheels(catalog, line_of(found.choice.release), found.choice.targets)
    targets = found.choice.targets
    if any(wheels.at(p, t.backend, t.platform) for p in packages for t in targets):
        return decide(tied, project, catalog, facts)
    return found


def _at_its_line(
    request: Request, project: Project, catalog: Catalog, facts: Facts, packages: Sequence[str]
) -> Decision | None:
    """Return what leaves torch in the line that its author chose: the pages of wheels name it.

    An older line, for which more wheels are known, is for packages and ranges that are new.
    """
    homes = [
        home_of(source, project, catalog)
        for package in packages
        for source in project.sources.get(canonicalize_name(package), ())
    ]
    lines = {home[0].line for home in homes if home is not None} - {""}
    is_new = request.torch is not None or {*packages} - {*kept_packages(project, catalog)}
    if is_new or len(lines) != 1:
        return None
    try:
        found = decide(request._replace(within=f"=={lines.pop()}.*"), project, catalog, facts)
    except (ProjectError, RequestError):
        return None
    line = line_of(found.choice.release)
    wheels = BuiltWheels(catalog, line, found.choice.targets, project)
    if not wheels.score(packages):
        return None
    why = f"torch {found.choice.release}: the project has a page of wheels for torch {line}"
    return found._replace(why=(why, *found.why[1:]))


def _trials(
    request: Request, catalog: Catalog, packages: Sequence[str], there: SpecifierSet | None
) -> Iterator[Request]:
    """Yield requests for each line of torch with wheels, newest first, and for each build in it.

    Args:
        request: What is asked for.
        catalog: Which wheels there are.
        packages: All that is built against torch.
        there: What the project admits of torch; None for anything.
    """
    known = {line: None for package in packages for line in catalog.built.lines(package)}
    releases = [r for r in catalog.releases if there is None or r in there]
    newest = [line for release in releases if (line := line_of(release)) in known]
    for line in dict.fromkeys(newest):
        own = request._replace(within=f"=={line}.*")
        yield own
        for name in _builds(line, catalog, packages) if _is_bare(request) else ():
            backend = catalog.backend(name)
            yield own._replace(
                specs=tuple(_with_backend(spec, backend) for spec in request.specs),
                add=tuple(_with_backend(spec, backend) for spec in request.add),
            )


def _is_bare(request: Request) -> bool:
    return any(spec.backend is None for spec in (*request.specs, *request.add))


def _with_backend(spec: TargetSpec, backend: Backend) -> TargetSpec:
    """Let a bare accelerator be one build."""
    same = spec.backend is None and spec.accelerator == backend.accelerator
    return spec._replace(backend=backend) if same else spec


def _builds(line: str, catalog: Catalog, packages: Sequence[str]) -> list[str]:
    """Return the builds with wheels for a line of torch, newest first."""
    found = {
        build
        for package in packages
        for family in catalog.built.homes(package)
        for builds in catalog.built.builds(package, family, line).values()
        for build in builds
    }
    return sorted(found, key=lambda name: catalog.backend(name).version, reverse=True)


def count_possible(packages: Sequence[str], targets: Sequence[Target], catalog: Catalog) -> int:
    """Count the packages and targets that have wheels with some line and build of torch."""
    count = 0
    for package in packages:
        kinds = {
            (platform, catalog.backend(build).accelerator)
            for family in catalog.built.homes(package)
            for line in catalog.built.lines(package)
            for platform, builds in catalog.built.builds(package, family, line).items()
            for build in builds
        }
        for target in targets:
            own = _accelerators(target, catalog)
            count += any((target.platform.key, kind) in kinds for kind in own)
    return count


def _accelerators(target: Target, catalog: Catalog) -> set[str]:
    """Return what the torch of a target may be for: PyPI's build is another one in each release."""
    if target.platform.os == "macos":
        return {catalog.fallback.accelerator}
    if target.backend != PYPI:
        return {target.backend.accelerator}
    builds = (catalog.pypi_build(release, target.platform) for release in catalog.releases)
    return {build.accelerator for build in builds if build is not None}
