"""What each platform gets by each choice of extras and groups, from the file alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.specifiers import SpecifierSet

from torchconf.catalog import Answer
from torchconf.layout.selection import Selection
from torchconf.model.backends import PYPI, is_nightly
from torchconf.model.project import flatten_group
from torchconf.model.ranges import admits_python
from torchconf.model.targets import PLATFORMS, SHOWN_PLATFORMS
from torchconf.resolve.routes import SyncOptions, routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.model.backends import Backend
    from torchconf.model.project import Index, Project
    from torchconf.model.targets import Platform
    from torchconf.resolve.routes import Route


class Row(NamedTuple):
    """One package on one platform by one choice."""

    package: str
    platform: str
    selection: Selection
    groups: tuple[str, ...]
    """What the command really enables, default groups included."""
    index_name: str | None
    """None for PyPI, and where nothing is installed."""
    backend: str | None
    """Of the index; `pypi`; None: not installed by this choice."""
    available: Answer
    reason: str | None
    """Why nothing, or nothing certain, can be said."""
    provisional: bool = False
    """Whether something that was not read could change this; `reason` says what."""

    @property
    def command(self) -> str:
        """The uv command that installs this choice."""
        return self.selection.command()

    def data(self) -> dict[str, Any]:
        """Return the row as JSON data, with its keys in their order."""
        return {
            "package": self.package,
            "platform": self.platform,
            "extras": self.selection.extras,
            "groups": self.groups,
            "index": self.index_name,
            "backend": self.backend,
            "available": self.available.value,
            "command": self.command,
            **({"provisional": True} if self.provisional else {}),
            **({"reason": self.reason} if self.reason is not None else {}),
        }


def route_table(
    project: Project,
    catalog: Catalog,
    *,
    members: Sequence[Project] = (),
    libraries: Mapping[str, Project | None] | None = None,
    lockfile: Callable[[], str] = str,
) -> tuple[Row, ...]:
    """Return a row per family package, platform and choice.

    Args:
        project: The project that commands are run in.
        catalog: For what each index has, and who needs torch.
        members: The other members of its workspace.
        libraries: Local libraries, as `torchconf.resolve.routes.routes` takes them.
        lockfile: Gives the text of uv.lock.
    """
    found = routes(
        project,
        members=members,
        libraries=libraries,
        needs=catalog.dependents,
        carries=lambda index, package: catalog.serves(index.url, package),
        lockfile=lockfile,
    )
    everyone = (project, *members)
    packages = packages_of(everyone, catalog)
    wheels = Wheels(project, catalog)
    own = project.written_name if project.root is not None else None
    chosen = [(project, selection) for selection in selections(project, catalog, own)]
    for member in members if project.is_workspace_root else ():
        if any(requirement.name in packages for requirement in member.requirements()):
            chosen += [(member, s) for s in selections(member, catalog, member.written_name)]
    choices = [
        (selection, choice_of(selection), _enabled(owner, selection)) for owner, selection in chosen
    ]
    platforms = [(platform, platform.environment()) for platform in _platforms(project, catalog)]
    rows: list[Row] = []
    for package in packages:
        for platform, machine in platforms:
            for selection, choice, groups in choices:
                route = found.row(package, machine, choice)
                backend, reason = build_of(route, catalog)
                rows.append(
                    Row(
                        package=package,
                        platform=platform.key,
                        selection=selection,
                        groups=groups,
                        index_name=route.index.name if backend and route.index else None,
                        backend=backend.name if backend else None,
                        available=wheels.available(package, platform, route, backend),
                        reason=reason or route.doubt,
                        provisional=reason is None and route.doubt is not None,
                    )
                )
    return tuple(rows)


def selections(
    project: Project, catalog: Catalog, package: str | None = None
) -> tuple[Selection, ...]:
    """Return the choices worth a row: none, then each extra or group that has a say in torch.

    An extra or group that conflicts with a default group is chosen instead of it.

    Args:
        project: Whose extras and groups are to be chosen from.
        catalog: Which packages are of the family.
        package: Its name where it is a member of a workspace.
    """
    found = [Selection(package=package)]
    found += [
        Selection(
            extras=(section.written,),
            no_groups=tuple(_clashing(project, "extra", name)),
            package=package,
        )
        for name, section in project.extras.items()
        if _has_a_say(project, "extra", name, catalog)
    ]
    defaults = project.installed_groups()
    found += [
        Selection(
            groups=(section.written,),
            no_groups=tuple(_clashing(project, "group", name)),
            package=package,
        )
        for name, section in project.groups.items()
        if name not in defaults and _has_a_say(project, "group", name, catalog)
    ]
    return tuple(found)


def _clashing(project: Project, kind: str, name: str) -> Iterator[str]:
    """Yield the default groups that some conflict set forbids next to an extra or group."""
    for group in project.installed_groups():
        for conflict in project.conflicts:
            members = {(item.kind, item.name) for item in conflict.items}
            if (kind, name) in members and ("group", group) in members and group != name:
                yield next((s.written for n, s in project.groups.items() if n == group), group)
                break


def _has_a_say(project: Project, kind: str, name: str, catalog: Catalog) -> bool:
    """Tell whether an extra or group brings a family package, or is the scope of a source."""
    if any(
        name == (source.extra if kind == "extra" else source.group)
        for package, sources in project.sources.items()
        if package in catalog.family
        for source in sources
    ):
        return True
    return any(package in catalog.family for package in _brought(project, kind, name, ()))


def _brought(project: Project, kind: str, name: str, above: tuple[str, ...]) -> Iterator[str]:
    """Yield the packages of an extra or group, those of the project's own extras included."""
    if kind == "extra":
        section = next((s for n, s in project.extras.items() if n == name), None)
        requirements = section.requirements if section else ()
    else:
        requirements = next(
            (flatten_group(project, group) for group in project.groups if group == name), ()
        )
    for requirement in requirements:
        yield requirement.name
        if requirement.name == project.name:
            for extra in requirement.extras:
                if extra not in above:
                    yield from _brought(project, "extra", extra, (*above, extra))


def packages_of(projects: Iterable[Project], catalog: Catalog) -> list[str]:
    """Return the family packages that are declared, routed, or needed by something declared."""
    found: set[str] = set()
    dependents = catalog.dependents
    for project in projects:
        declared = {requirement.name for requirement in project.requirements()}
        found |= declared | set(project.sources)
        for name in declared & dependents.keys():
            found |= dependents[name]
    return [name for name in catalog.family if name in found]


def _platforms(project: Project, catalog: Catalog) -> list[Platform]:
    """Return the usual platforms, and any other that a target names."""
    if not _names_machines(project):
        return list(SHOWN_PLATFORMS)
    # Imported here: few projects name a machine that is not shown anyway.
    from torchconf.layout.configuration import read_configuration

    targeted = {target.platform for target in read_configuration(project, catalog).targets}
    return [platform for platform in PLATFORMS if platform in {*SHOWN_PLATFORMS, *targeted}]


def _names_machines(project: Project) -> bool:
    """Tell whether a marker of the configuration looks at the machine."""
    markers = [s.marker for sources in project.sources.values() for s in sources if s.marker]
    markers += [entry.marker for entry in project.workspace.required_environments]
    return any("platform_machine" in str(marker) for marker in markers)


def _enabled(project: Project, selection: Selection) -> tuple[str, ...]:
    """Return the groups that a selection really installs, the default groups included."""
    defaults = project.installed_groups()
    kept = (
        section.written
        for name, section in project.groups.items()
        if name in defaults and section.written not in selection.no_groups
    )
    return (*kept, *selection.groups)


def choice_of(selection: Selection) -> SyncOptions:
    """Return a selection in the words of the routing rule."""
    return SyncOptions(
        extras=frozenset(selection.extras),
        groups=frozenset(selection.groups),
        no_groups=frozenset(selection.no_groups),
        packages=frozenset({selection.package} if selection.package else ()),
    )


def build_of(  # noqa: PLR0911 - one return a kind of route
    route: Route, catalog: Catalog
) -> tuple[Backend | None, str | None]:
    """Tell which backend a route leads to, and what stands in the way of saying so."""
    if route.kind == "index":
        if route.index is None:
            return PYPI, None
        backend = _index_backend(route.index, catalog)
        if backend is not None:
            return backend, None
        return None, f"no known backend in the URL {route.index.url}"
    if route.kind == "error" and route.error is not None:
        return None, route.error.message
    if route.kind == "varies":
        parts = ", ".join(
            f"{_spoken(one, catalog)} on Python {pythons}" for pythons, one in route.by_python
        )
        return None, f"supported Pythons differ: {parts}"
    if route.kind == "direct":
        return None, "it comes from a path, Git or a URL"
    return None, route.reason


def _index_backend(index: Index, catalog: Catalog) -> Backend | None:
    return catalog.build_of_index(index.url, index.name)


def _spoken(route: Route, catalog: Catalog) -> str:
    backend, _ = build_of(route, catalog)
    return backend.name if backend else route.kind


class Wheels:
    """Whether wheels are there, for the many rows that ask the same."""

    def __init__(self, project: Project, catalog: Catalog) -> None:
        self.project = project
        self.catalog = catalog
        python = project.requires_python
        self.pythons = [
            version
            for version in reversed(catalog.pythons)
            if python is None or admits_python(python, version)
        ]
        self.answers: dict[tuple[str, Platform, Backend, str], Answer] = {}

    def available(
        self, package: str, platform: Platform, route: Route, backend: Backend | None
    ) -> Answer:
        """Say whether some release in the declared range has a wheel there for some Python."""
        if route.kind in {"absent", "error"}:
            return Answer.NO
        if backend is None or (route.index is not None and is_nightly(route.index.url)):
            return Answer.UNKNOWN
        within = route.requirement.specifier if route.requirement else SpecifierSet()
        for requirement in self.project.workspace.constraint_dependencies:
            if requirement.name == package:
                within &= requirement.specifier
        key = (package, platform, backend, str(within))
        if key not in self.answers:
            self.answers[key] = self._answer(package, platform, backend, within)
        return self.answers[key]

    def _answer(
        self, package: str, platform: Platform, backend: Backend, within: SpecifierSet
    ) -> Answer:
        if backend != PYPI and platform.key not in self.catalog.accelerator(backend).platforms:
            return Answer.NO
        seen = self.catalog.seen_releases(package, backend, platform, self.pythons)
        if any(within.contains(version, prereleases=True) for version in seen):
            return Answer.YES
        answers = {
            self.catalog.available(package, version, backend, platform, python)
            for version in self.catalog.versions(package)
            if within.contains(version, prereleases=True)
            for python in self.pythons
        }
        return Answer.NO if answers == {Answer.NO} else Answer.UNKNOWN
