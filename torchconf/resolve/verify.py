"""The table of `show` as uv really locks it, and what is wrong with it. Nothing here runs uv.

A row is one package on one platform by one choice of extras and groups on one Python. Its problem,
if it has one, is a sentence; some are as foreseen: a CUDA extra on a Mac has no wheel, and `show`
says so as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.pylock import PylockSelectError
from packaging.version import InvalidVersion, Version

from torchconf.catalog import Answer
from torchconf.layout.selection import Selection
from torchconf.model.backends import PYPI
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import admits_python
from torchconf.model.targets import PLATFORMS, platform_labelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from torchconf.catalog import Catalog
    from torchconf.model.project import Project
    from torchconf.model.pylock import Build, Export
    from torchconf.model.targets import Platform
    from torchconf.resolve.table import Row

__all__ = ["Found", "Verified", "pythons_of", "verify"]


class Found(NamedTuple):
    """What one choice of extras and groups gives: uv's export, or why there is none."""

    selection: Selection
    export: Export | None
    error: str | None
    is_meant: bool = False
    """Whether the project wants uv to refuse this choice."""


class Verified(NamedTuple):
    """One row of the table."""

    row: Row
    """As `show` has it; `index_name` and `backend` are those of the lock, if it has the package."""
    python: str
    version: str | None
    wheel: str | None
    problem: str | None
    is_foreseen: bool = False
    """Whether `show` says so, too: of a build that was chosen by name, or of no choice at all."""

    def data(self) -> dict[str, Any]:
        """Return the row as JSON data, with its keys in their order."""
        found = self.row.data()
        found.pop("reason", None)
        found.pop("provisional", None)
        return found | {
            "python": self.python,
            "version": self.version,
            "wheel": self.wheel,
            "problem": self.problem,
        }


def pythons_of(
    project: Project,
    catalog: Catalog,
    found: Iterable[Found],
    platforms: Sequence[Platform] = PLATFORMS,
) -> tuple[str, ...]:
    """Return the Pythons worth a row: all that `requires-python` admits.

    An open range ends with the newest Python for which the lock has a torch on every platform on
    which it has one for the lowest.
    """
    python = project.requires_python
    inside = [each for each in catalog.pythons if python is None or admits_python(python, each)]
    exports = [one.export for one in found if one.export is not None]
    if not catalog.is_open(python):
        return tuple(inside)
    main = catalog.main_package

    def served(python: str) -> frozenset[Platform]:
        return frozenset(
            platform
            for platform in platforms
            if any(_installs(export, main, platform, python) for export in exports)
        )

    wanted = served(inside[0]) if inside else frozenset()
    while len(inside) > 1 and not wanted <= served(inside[-1]):
        inside.pop()
    return tuple(inside)


def _installs(export: Export, package: str, platform: Platform, python: str) -> bool:
    try:
        build = export.build(package, platform, python)
    except PylockSelectError:
        return True
    return build is not None and not build.is_missing


def verify(
    rows: Sequence[Row],
    found: Sequence[Found],
    pythons: Sequence[str],
    catalog: Catalog,
    projects: Sequence[Project],
) -> tuple[Verified, ...]:
    """Return the rows of `show` as uv locks them, one for each Python.

    Args:
        rows: Of `show`.
        found: What each choice gives.
        pythons: The Pythons.
        catalog: What is known of PyTorch's wheels.
        projects: The project and the members of its workspace: names of indexes, and ranges.
    """
    by_machine = {row.selection.package for row in rows if row.selection.left_out}
    # Where each machine says which build it is, uv refuses the command that does not.
    refused = {Selection(package=package) for package in by_machine}
    by_selection = {one.selection: one._replace(is_meant=one.selection in refused) for one in found}
    names = {
        index.url.rstrip("/"): index.name
        for project in projects
        for one in (project, project.workspace)
        for index in one.indexes
    }
    verified = [
        _verified(
            row,
            by_selection[row.selection],
            platform_labelled(row.platform),
            python,
            catalog,
            names,
        )
        for row in rows
        if row.selection in by_selection
        for python in pythons
    ]
    return tuple(_compared(verified, catalog, projects))


def _verified(
    row: Row,
    found: Found,
    platform: Platform,
    python: str,
    catalog: Catalog,
    names: Mapping[str, str | None],
) -> Verified:
    if found.export is None:
        return Verified(
            row._replace(backend=None, index_name=None, available=Answer.NO),
            python, None, None, found.error, found.is_meant,
        )  # fmt: skip
    refusal = found.export.refusal(platform, python)
    if refusal is not None:
        empty = row._replace(backend=None, index_name=None, available=Answer.NO)
        return Verified(empty, python, None, None, refusal, is_foreseen=row.backend is None)
    try:
        build = found.export.build(row.package, platform, python)
    except PylockSelectError as error:
        return Verified(row, python, None, None, str(error))
    if build is None:
        problem = None
        if row.backend is not None and row.reason is None:
            problem = _wrong_model(row, "nothing")
        empty = row._replace(backend=None, index_name=None, available=Answer.NO)
        return Verified(empty, python, None, None, problem)
    return _installed(row, build, python, platform, catalog, names)


def _installed(
    row: Row,
    build: Build,
    python: str,
    platform: Platform,
    catalog: Catalog,
    names: Mapping[str, str | None],
) -> Verified:
    """Judge a package that the lock has for a machine."""
    name = names.get((build.registry or "").rstrip("/"))
    backend = _backend(build, catalog, name)
    available = Answer.NO if build.is_missing else Answer.YES
    if build.registry is None and build.is_missing:
        # The lock does not say from where nothing came.
        backend, name = row.backend or backend, row.index_name
    real = row._replace(backend=backend, index_name=name, available=available)
    problem = None
    foreseen = False
    if build.is_missing:
        problem = f"no wheel of {row.package} {build.version or ''}".rstrip()
        problem += f" for {platform.key} on Python {python}"
        foreseen = row.available is Answer.NO and bool(row.selection.extras or row.groups)
    elif row.backend is not None and backend != row.backend and not row.provisional:
        problem = _wrong_model(row, backend or "another publisher's build")
    elif backend and (wrong := _other_label(build, backend, catalog)):
        problem = wrong
    return Verified(real, python, build.version, build.wheel, problem, foreseen)


def _wrong_model(row: Row, real: str) -> str:
    return (
        f"`show` predicts {row.backend}, uv locks {real}; this is a bug in torchconf, please report"
        " it"
    )


def _backend(build: Build, catalog: Catalog, name: str | None) -> str | None:
    """Tell which build a lock has: from its index, else from the label of its version."""
    known = catalog.build_of_index(build.registry or "", name)
    if known is not None:
        return known.name
    if (page := catalog.built.page(build.registry or "")) is not None:
        return page.build
    label = (build.version or "").partition("+")[2]
    labelled = catalog.backend(label) if label else PYPI
    return None if labelled == PYPI and catalog.publisher(build.registry or "") else labelled.name


def _other_label(build: Build, backend: str, catalog: Catalog) -> str | None:
    """Say that a wheel is another build than the name of its index."""
    label = (build.version or "").partition("+")[2]
    known = catalog.backend(label) if label else PYPI
    if known is PYPI or backend == PYPI.name:
        return None
    # How others label their builds is theirs: by the version of ROCm that is inside.
    if catalog.publisher_of(catalog.backend(backend)):
        return None
    # A nightly build has the label of the stable one.
    if known.name in {backend, catalog.plain(catalog.backend(backend)).name}:
        return None
    return f"wrong build: the index of {backend} gives {build.version}"


def _compared(
    verified: Sequence[Verified], catalog: Catalog, projects: Sequence[Project]
) -> Iterator[Verified]:
    """Compare rows with each other: releases of torch, companions, and where they come from."""
    main = catalog.main_package
    torch = {_key(one): one for one in verified if one.row.package == main}
    newest: dict[str, Version] = {}
    for one in torch.values():
        version = _public(one.version)
        if version is not None and one.wheel is not None:
            newest[one.python] = max(version, newest.get(one.python, version))
    for one in verified:
        problem = one.problem
        beside = torch.get(_key(one))
        if problem is None and one.wheel is not None:
            if one.row.package == main:
                problem = _lags(one, newest.get(one.python), projects, main)
            elif beside is not None and beside.wheel is not None:
                problem = _does_not_fit(one, beside, catalog)
        yield one._replace(problem=problem)


def _key(one: Verified) -> tuple[Selection, str, str]:
    return one.row.selection, one.row.platform, one.python


def _public(version: str | None) -> Version | None:
    try:
        return Version(Version(version).public) if version else None
    except InvalidVersion:
        return None


def _lags(
    one: Verified, newest: Version | None, projects: Sequence[Project], main: str
) -> str | None:
    """Say that a target has an older torch than another, unless the project asks for just that."""
    own = _public(one.version)
    if own is None or newest is None or own == newest:
        return None
    for project in projects:
        for wanted in _ranges(project, main, one):
            if not wanted.contains(newest, prereleases=True):
                return None
    return f"torch is {own} here but {newest} elsewhere; keep them equal with a bound or a pin"


def _ranges(project: Project, main: str, one: Verified) -> Iterator[SpecifierSet]:
    sections = [
        section.requirements
        for names, table in (
            (one.row.selection.extras, project.extras),
            (one.row.groups, project.groups),
        )
        for section in table.values()
        if section.written in names
    ]
    constraints = project.workspace.constraint_dependencies
    for requirement in (*project.dependencies, *constraints, *(r for s in sections for r in s)):
        if requirement.name == main:
            yield requirement.specifier


def _does_not_fit(one: Verified, torch: Verified, catalog: Catalog) -> str | None:
    """Say what is wrong between a companion and its torch."""
    package = one.row.package
    torch_version, own = _public(torch.version), _public(one.version)
    platform = platform_labelled(one.row.platform)
    # The build of PyPI and that of the CPU index are the same thing on some platforms.
    plain = torch_version is not None and catalog.pypi_build(torch_version, platform)
    alike = (PYPI.name, None, plain.name if plain else None)
    if one.row.backend == PYPI.name and torch.row.backend not in alike and platform.os != "macos":
        carried = catalog.serves(f"{catalog.base_url}/{torch.row.backend}", package)
        if carried:
            return f"it comes from PyPI, but torch comes from {torch.row.backend}"
    if own is None or torch_version is None:
        return None
    page = catalog.built.page(one.row.origin or "") if package in catalog.built_names else None
    if page is not None and not page.has_line(".".join(map(str, torch_version.release[:2]))):
        return f"{package} is of a page for torch {page.line}, but torch is {torch_version}"
    if catalog.fits(package, own, torch_version) is Answer.NO:
        return f"{package} {own} does not fit torch {torch_version}"
    return None
