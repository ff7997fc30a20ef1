"""Who brings CUDA libraries, and of which version, where a choice is installed on a platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.layout.selection import Selection
from torchconf.model.backends import PYPI, is_pypi
from torchconf.model.markers import may_hold
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import overlaps, public
from torchconf.resolve.choices import choice_of, selections_in
from torchconf.resolve.wheels import Wheels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from torchconf.catalog import Catalog, CudaMajor
    from torchconf.model.project import Project, Requirement
    from torchconf.model.targets import Platform
    from torchconf.resolve.choices import Around
    from torchconf.resolve.routes import Routes

__all__ = ["Bringer", "bringers", "entries_of", "meeting", "pypi_cuda"]


class Bringer(NamedTuple):
    """A package that brings or needs CUDA, or torch that does not."""

    platform: str
    selection: Selection
    package: str
    said: str
    """The package in words: its requirement, or torch and where it comes from."""
    cuda: tuple[str, ...]
    """The versions, that of the newest release first: `13.0`, or the major alone. Empty: none."""
    is_known: bool = True
    """Whether anybody can say; `cuda` is empty if not."""

    @property
    def major(self) -> str:
        """The major version of what uv takes: the newest release."""
        return self.cuda[0].partition(".")[0] if self.cuda else ""

    def data(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {
            "platform": self.platform,
            "command": self.selection.command(),
            "extras": list(self.selection.extras),
            "groups": list(self.selection.groups),
            "package": self.package,
            "from": self.said,
            "cuda": list(self.cuda) if self.is_known else None,
        }


def entries_of(
    one: Requirement, platform: Platform, catalog: Catalog, *, from_pypi: bool
) -> tuple[CudaMajor, ...]:
    """Return what the releases that a requirement admits need on a platform, the newest first.

    Args:
        one: The requirement.
        platform: The machine.
        catalog: What is known of such packages.
        from_pypi: Whether PyPI's releases are meant: nobody knows what another index has under a
            number.
    """
    rows = [
        row
        for row in catalog.cuda_majors
        if row.name == one.name
        and (row.extra is None or row.extra in one.extras)
        and (not row.platforms or platform.key in row.platforms)
        and (row.versions is None or (from_pypi and overlaps(one.specifier, row.versions)))
    ]
    # A bare name gets the newest release, which the first row is about.
    return tuple(rows if one.specifier else rows[:1])


def pypi_cuda(
    inside: SpecifierSet, platform: Platform, catalog: Catalog
) -> tuple[Version | None, str]:
    """Return the newest torch of a range, and the CUDA of PyPI's build of it: `13.2`, or empty."""
    newest = next((release for release in catalog.releases if inside.contains(release)), None)
    if newest is None or catalog.pypi_build(newest, platform) is None:
        return None, ""
    return newest, ".".join(map(str, catalog.cuda_of(PYPI, newest, platform)))


def bringers(
    project: Project,
    routes: Routes,
    catalog: Catalog,
    platforms: Sequence[Platform],
    around: Around,
    linked: Iterable[str] = (),
) -> Iterator[Bringer]:
    """Yield for each choice and platform its torch, if it has one, and the packages beside it.

    Args:
        project: Whose extras and groups are chosen from.
        routes: Of the project or its workspace.
        catalog: What is known of such packages, and of PyPI's torch.
        platforms: The machines.
        around: The projects that its requirements may lead to.
        linked: The names of the files in the folders of `find-links`.
    """
    wheels = Wheels(project, catalog, linked)
    for selection in _selections(project, catalog, around):
        lines = [*_lines(project, selection)]
        for platform in platforms:
            torch = _torch(project, routes, wheels, catalog, selection, platform, lines)
            if torch is not None:
                yield torch
            for one in lines:
                yield from _beside(project, catalog, selection, platform, one)


def meeting(there: Iterable[Bringer]) -> list[str]:
    """Return the majors that meet in one place; empty if all packages have the same."""
    found = {one.major for one in there if one.major}
    return sorted(found, key=int) if len(found) > 1 else []


def _selections(project: Project, catalog: Catalog, around: Around) -> list[Selection]:
    """Return the choices that have a say in torch, and those that list such a package."""
    chosen = selections_in(project, around.members, catalog, around)
    found = [selection for owner, selection in chosen if owner is project]
    named = {canonicalize_name(one) for each in found for one in (*each.extras, *each.groups)}
    known = catalog.cuda_names
    defaults = set(project.installed_groups())
    package = project.written_name if project.root is not None else None
    for name, section in project.extras.items():
        if name not in named and any(one.name in known for one in section.requirements):
            found.append(Selection(extras=(section.written,), package=package))
    for name, section in project.groups.items():
        lists = any(one.name in known for one in section.requirements)
        if lists and name not in named | defaults:
            found.append(Selection(groups=(section.written,), package=package))
    return found


def _lines(project: Project, selection: Selection) -> Iterator[Requirement]:
    """Yield what a choice asks for in this file, each requirement once."""
    off = {canonicalize_name(one) for one in (*selection.no_groups, *selection.left_out)}
    groups = [name for name in project.installed_groups() if name not in off]
    groups += map(canonicalize_name, selection.groups)
    waiting = [canonicalize_name(one) for one in selection.extras]
    lines = [*project.dependencies]
    for name in groups:
        lines += project.flat_groups.get(name) or ()
    seen = set(waiting)
    for line in lines:
        if line.name == project.name:
            waiting += [extra for extra in line.extras if extra not in seen]
    for name in waiting:
        section = project.extras.get(name)
        for line in section.requirements if section else ():
            lines.append(line)
            if line.name == project.name:
                waiting += [extra for extra in line.extras if extra not in seen]
                seen.update(line.extras)
    yield from dict.fromkeys(lines)


def _torch(
    project: Project,
    routes: Routes,
    wheels: Wheels,
    catalog: Catalog,
    selection: Selection,
    platform: Platform,
    lines: Iterable[Requirement],
) -> Bringer | None:
    main = catalog.main_package
    route = routes.row(main, platform.environment(), choice_of(selection))
    if route.kind in {"absent", "error"}:
        return None
    backend = wheels.judge(main, platform, route).backend
    if backend == PYPI:
        inside = _range(project, lines, main, platform)
        newest, version = pypi_cuda(inside, platform, catalog)
        said = f"PyPI's {main}" + (f" {newest}" if newest else "")
        return Bringer(
            platform.key, selection, main, said, (version,) if version else (), newest is not None
        )
    where = f" from `{route.index.name}`" if route.index and route.index.name else ""
    version = ".".join(map(str, catalog.cuda_of(backend, None, platform))) if backend else ""
    return Bringer(
        platform.key,
        selection,
        main,
        f"{main}{where}",
        (version,) if version else (),
        backend is not None,
    )


def _range(
    project: Project, lines: Iterable[Requirement], name: str, platform: Platform
) -> SpecifierSet:
    """Return which releases of torch a choice admits."""
    from packaging.specifiers import SpecifierSet

    found = SpecifierSet()
    for one in (*lines, *project.workspace.constraint_dependencies):
        if one.name == name and may_hold(one.marker, platform):
            found &= public(one.specifier)
    return found


def _beside(
    project: Project,
    catalog: Catalog,
    selection: Selection,
    platform: Platform,
    one: Requirement,
) -> Iterator[Bringer]:
    if one.name not in catalog.cuda_names or not may_hold(one.marker, platform):
        return
    extras = {None, *map(canonicalize_name, selection.extras)}
    groups = {None, *project.installed_groups(), *map(canonicalize_name, selection.groups)}
    sources = [
        source
        for source in project.sources_for(one.name)
        if source.extra in extras and source.group in groups and may_hold(source.marker, platform)
    ]
    indexes = [project.index_named(source.index) for source in sources if source.index]
    from_pypi = not sources or any(index and is_pypi(catalog.real(index.url)) for index in indexes)
    rows = entries_of(one, platform, catalog, from_pypi=from_pypi)
    if rows:
        said = one.raw.partition(";")[0].strip()
        majors = dict.fromkeys(str(row.major) for row in rows)
        yield Bringer(platform.key, selection, one.name, f"`{said}`", tuple(majors))
