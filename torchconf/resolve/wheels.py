"""Which build an index serves, and whether it has a wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from torchconf.catalog import Answer
from torchconf.errors import hide_secrets
from torchconf.model.backends import PYPI, is_nightly
from torchconf.model.markers import holds
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import admits_python, public

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

    from torchconf.catalog import Catalog
    from torchconf.model.backends import Backend
    from torchconf.model.project import Index, Project
    from torchconf.model.targets import Platform
    from torchconf.resolve.find_links import FindLinks, Wheel
    from torchconf.resolve.route import Route

__all__ = ["Wheels", "build_of"]


def build_of(  # noqa: PLR0911 - one return a kind of route
    route: Route, catalog: Catalog
) -> tuple[Backend | None, str | None]:
    """Tell which backend a route leads to, and what stands in the way of saying so."""
    if route.kind == "index":
        if route.index is None:
            return PYPI, None
        backend = catalog.build_of_index(route.index.url, route.index.name)
        if backend is not None:
            return backend, None
        return None, _unknown_index(route.index, catalog)
    if route.kind == "error" and route.error is not None:
        return None, route.error.message
    if route.kind == "varies":
        parts = ", ".join(
            f"{_spoken(one, catalog)} on Python {pythons}" for pythons, one in route.by_python
        )
        return None, f"supported Pythons differ: {parts}"
    if route.kind == "direct":
        wheel = _direct_wheel(route, catalog)
        labelled = catalog.backend(wheel.version.local or "") if wheel else PYPI
        if labelled.accelerator:
            return labelled, None
        return None, "it comes from a path, Git or a URL"
    # Of what is not installed, it does not matter where it would come from.
    return None, None if route.kind == "absent" else route.reason


def _direct_wheel(route: Route, catalog: Catalog) -> Wheel | None:
    """Return the wheel of a path or a URL, as its name tells: `torch-2.9.0+cu128-cp312-...whl`."""
    place = route.source.value if route.source else route.requirement and route.requirement.url
    # Imported here: few projects name a wheel.
    from urllib.parse import urlsplit

    from torchconf.resolve.find_links import wheels_named

    return next(wheels_named([urlsplit(place or "").path.rpartition("/")[2]], catalog), None)


def _unknown_index(index: Index, catalog: Catalog) -> str:
    """Say why nobody knows what an index has."""
    family = catalog.family_of(index.url)
    if family is not None:
        url = hide_secrets(index.url)
        what = family.wheels if catalog.main_package in family.packages else _NOTHING
        known = f"; the catalog does not know them ({family.sure})" if family.wheels else ""
        return f"{url} is of {family.title}: it has {what}{known}"
    return f"no known backend in the URL {hide_secrets(index.url)}"


_NOTHING = "none of PyTorch's packages"


def _spoken(route: Route, catalog: Catalog) -> str:
    backend, _ = build_of(route, catalog)
    return backend.name if backend else route.kind


class Judged(NamedTuple):
    """Which build a row has, and whether there is a wheel of it."""

    backend: Backend | None
    reason: str | None
    """What stands in the way of saying so."""
    available: Answer
    is_linked: bool = False
    """Whether `find-links` has it."""


class Wheels:
    """Whether wheels are there, for the many rows that ask the same."""

    def __init__(self, project: Project, catalog: Catalog, linked: Iterable[str] = ()) -> None:
        """Take a project.

        Args:
            project: Whose ranges count.
            catalog: What is known of wheels.
            linked: The names of the files in the folders of `find-links`.
        """
        self.project = project
        self.catalog = catalog
        python = project.requires_python
        self.pythons = [
            version
            for version in reversed(catalog.pythons)
            if python is None or admits_python(python, version)
        ]
        self.answers: dict[tuple[str, Platform, Backend, str], Answer] = {}
        self._links: FindLinks | None = None
        if project.workspace.uv.get("find-links"):
            # Imported here: few projects have that setting.
            from torchconf.resolve.find_links import FindLinks

            self._links = FindLinks(project, catalog, linked, self.pythons)

    def judge(self, package: str, platform: Platform, route: Route) -> Judged:
        """Tell which build a route leads to on a platform, and whether there is a wheel."""
        backend, reason = build_of(route, self.catalog)
        if backend is None and (built := self._built(package, platform, route)) is not None:
            return built
        if self._links is not None and route.kind == "index" and route.pin is None:
            within = self._within(package, route)
            newest = self._newest(package, backend, within) if backend else None
            linked = self._links.serve(package, platform, within, newest)
            if linked is not None:
                known = Answer.YES if linked.backend else Answer.UNKNOWN
                return Judged(linked.backend, linked.reason, known, is_linked=True)
        if backend is not None and (doubt := self._unheard_of(backend, platform)) is not None:
            return Judged(None, doubt, Answer.UNKNOWN)
        return Judged(
            backend,
            reason,
            self._available(package, platform, route, backend),
        )

    def _unheard_of(self, backend: Backend, platform: Platform) -> str | None:
        """Say so if a publisher names no build for a platform: nobody has read its whole index."""
        if backend.name not in self.catalog.names_of_others:
            return None
        accelerator = self.catalog.accelerator(backend)
        if platform.key in accelerator.platforms:
            return None
        known = ", ".join(accelerator.platforms)
        return f"{accelerator.title} ({backend.name}) is documented for {known} only"

    def _built(self, package: str, platform: Platform, route: Route) -> Judged | None:
        """Judge a route to an index of what is built against torch; None for any other route."""
        if route.kind != "index" or route.index is None or package in self.catalog.family:
            return None
        page = self.catalog.built.page(route.index.url)
        if page is None or package not in page.family.packages:
            return None
        line = page.line or self._line_of_torch()
        has = self.catalog.built.has
        known = has(package, page.family, line, page.build, platform) if line else Answer.UNKNOWN
        return Judged(self.catalog.backend(page.build), None, known)

    def _line_of_torch(self) -> str:
        """Return the newest line of torch that the project admits, as far as it is known."""
        within = SpecifierSet()
        for one in self.project.requirements():
            if one.name == self.catalog.main_package:
                within &= public(one.specifier)
        found = next((each for each in self.catalog.releases if each in within), None)
        return f"{found.major}.{found.minor}" if found else ""

    def _newest(self, package: str, backend: Backend, within: SpecifierSet) -> Version | None:
        """Return the newest release of an index that a project admits, as far as it is known."""
        catalog = self.catalog
        admitted = [v for v in catalog.versions(package) if within.contains(v, prereleases=True)]
        found = [
            next(catalog.released(package, backend, python, admitted), None)
            for python in self.pythons
        ]
        return max((version for version in found if version is not None), default=None)

    def _within(self, package: str, route: Route) -> SpecifierSet:
        within = route.requirement.specifier if route.requirement else SpecifierSet()
        for requirement in self.project.workspace.constraint_dependencies:
            if requirement.name == package:
                within &= requirement.specifier
        return within

    def _available(
        self, package: str, platform: Platform, route: Route, backend: Backend | None
    ) -> Answer:
        """Say whether some release in the declared range has a wheel there for some Python."""
        if route.kind in {"absent", "error"}:
            return Answer.NO
        if backend is None or (
            route.index is not None and is_nightly(self.catalog.real(route.index.url))
        ):
            return Answer.UNKNOWN
        if route.kind == "direct":
            wheel = _direct_wheel(route, self.catalog)
            there = wheel is not None and wheel.serves(platform, self.pythons)
            return Answer.YES if there else Answer.NO
        within = self._within(package, route)
        key = (package, platform, backend, str(within))
        if key not in self.answers:
            self.answers[key] = self._answer(package, platform, backend, within)
        return self.answers[key]

    def _answer(
        self, package: str, platform: Platform, backend: Backend, within: SpecifierSet
    ) -> Answer:
        if backend != PYPI and platform.key not in self.catalog.accelerator(backend).platforms:
            return Answer.NO
        if (taken := self._taken(package, platform, backend, within)) is not None:
            return taken
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

    def _taken(
        self, package: str, platform: Platform, backend: Backend, within: SpecifierSet
    ) -> Answer | None:
        """Answer for the one release that uv takes, where that one is known to lack the wheel.

        uv takes the newest release of the index that some platform can install; older ones that
        have more wheels count only if something else holds the release back, or if the platform
        stands in `required-environments`.
        """
        catalog = self.catalog
        required = self.project.workspace.required_environments
        if any(holds(entry.marker, platform) for entry in required):
            return None
        admitted = [v for v in catalog.versions(package) if within.contains(v, prereleases=True)]
        answers: list[Answer] = []
        for python in self.pythons:
            newest = next(catalog.released(package, backend, python, admitted), None)
            if newest is None:
                continue
            if catalog.available(package, newest, backend, platform, python) is not Answer.NO:
                return None
            newer = (version for version in admitted if version > newest)
            unknown = any(
                catalog.available(package, version, backend, platform, python) is not Answer.NO
                for version in newer
            )
            answers.append(Answer.UNKNOWN if unknown or self._is_held_back(package) else Answer.NO)
        if not answers:
            return None
        return Answer.NO if set(answers) == {Answer.NO} else Answer.UNKNOWN

    def _is_held_back(self, package: str) -> bool:
        """Tell whether a companion has a bound, which may hold the release of this one back."""
        return any(
            requirement.specifier and requirement.name in self.catalog.family
            for requirement in (
                *self.project.requirements(),
                *self.project.workspace.constraint_dependencies,
            )
            if requirement.name != package
        )
