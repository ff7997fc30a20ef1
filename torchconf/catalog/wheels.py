"""Wheels: which are there, which are known to be missing, and of which nobody knows."""

from __future__ import annotations

from enum import Enum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from torchconf.catalog.indexes import Indexes
from torchconf.catalog.recorded import as_range
from torchconf.model.backends import PYPI, Backend
from torchconf.model.ranges import admits_from, admits_python

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from packaging.specifiers import SpecifierSet

    from torchconf.model.targets import Platform, Target

_LISTED = {"linux-x86_64", "windows-x86_64"}
"""The platforms whose wheels are all known where a release is complete for `x86_64`."""


class Answer(Enum):
    """What the catalog can say of a wheel."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Wheels(Indexes):
    """What is known of single wheels."""

    @lru_cache(maxsize=256)  # noqa: B019 - there is one catalog
    def release_pythons(self, release: Version) -> tuple[str, ...]:
        """Return the Pythons that a torch release is built for: `3.10`, `3.11`, ..."""
        entry = self._release(release)
        named = entry.get("pythons")
        if named is None:
            cell = self._cell(self.main_package, str(release), PYPI)
            # Of an old release PyPI's own wheels were not recorded.
            every = self._data["wheels"].get(self.main_package, {}).get(str(release), {}).values()
            cells = [cell] if cell else [self._data["sets"][number] for number in every]
            seen = (text for each in cells for text in each[1].values())
            named = sorted({python for text in seen for python in text.split()})
        floor = as_range(entry.get("python", ""))
        return tuple(python for python in self.pythons if python in named and python in floor)

    @lru_cache(maxsize=256)  # noqa: B019 - there is one catalog
    def supported_pythons(self, release: Version, python: SpecifierSet | None) -> tuple[str, ...]:
        """Return the Pythons on which a torch release must be there.

        An open range ends with the release's own newest Python; a range with an upper bound means
        every Python in it. None stands for the release's own range.
        """
        built = self.release_pythons(release)
        if python is None:
            return built
        inside = tuple(version for version in self.pythons if admits_python(python, version))
        if not self.is_open(python):
            return inside
        return tuple(v for v in inside if v == inside[0] or v in built)

    def is_open(self, python: SpecifierSet | None) -> bool:
        """Tell whether a range of Pythons goes on after those that are known here."""
        major, minor = Version(self.pythons[-1]).release
        return python is None or admits_from(python, f"{major}.{minor + 1}")

    def carries(self, package: str, version: Version, backend: Backend) -> bool:
        """Tell whether an index is known to carry a release, on whichever platform."""
        return self._cell(package, str(version), backend) is not None

    def is_indexed(self, package: str, version: Version) -> bool:
        """Tell whether a release was seen on any of PyTorch's indexes."""
        return bool(
            self._data["wheels"].get(package, {}).get(str(version), {}).keys() - self._elsewhere
        )

    def is_on_an_index(self, package: str, version: Version) -> bool:
        """Tell whether a release was seen on one of PyTorch's own indexes, not only on PyPI."""
        cells = self._data["wheels"].get(package, {}).get(str(version), {})
        return not cells.keys() <= self._elsewhere

    def seen(self, package: str, version: Version, backend: Backend, platform: Platform) -> bool:
        """Tell whether at least one wheel is known for a platform, on whichever Python."""
        if platform.os == "macos" and backend == self.fallback and not self.is_apart:
            backend = PYPI
        cell = self._cell(package, str(version), backend)
        return cell is not None and bool(cell[1].get(platform.key))

    def pythons_named(self, version: Version, target: Target) -> tuple[str, ...]:
        """Return the Pythons of which somebody named a wheel of torch for a target."""
        cell = self._cell(self.main_package, str(version), target.backend)
        return tuple(cell[1].get(target.platform.key, "").split()) if cell else ()

    def has_no_wheel(self, package: str, version: Version, platform: Platform) -> bool:
        """Tell whether no index was seen to have a wheel for a platform, and PyPI has none.

        What goes along with torch may be on one of its indexes though nobody saw it.
        """
        if any(self.goes_along(package, backend) for backend in self.backends.values()):
            return False
        cells = self._data["wheels"].get(package, {}).get(str(version), {}).values()
        return not any(self._data["sets"][number][1].get(platform.key) for number in cells) and all(
            self.available(package, version, PYPI, platform, python) is Answer.NO
            for python in self.pythons
        )

    @cached_property
    def newest_indexed(self) -> Version | None:
        """The newest torch of which a wheel was seen on any of the PyTorch indexes."""
        wheels = self._data["wheels"].get(self.main_package, {})
        indexed = (Version(v) for v, cells in wheels.items() if cells.keys() - self._elsewhere)
        return next(indexed, None)

    def seen_releases(
        self, package: str, backend: Backend, platform: Platform, pythons: Sequence[str]
    ) -> Iterator[Version]:
        """Yield the releases of which a wheel for one of these Pythons was seen, newest first."""
        for version, cells in self._data["wheels"].get(package, {}).items():
            number = cells.get(backend.name)
            if number is not None:
                seen = self._data["sets"][number][1].get(platform.key, "").split()
                if any(serves_python(seen, python) for python in pythons):
                    yield Version(version)

    def released(
        self, package: str, backend: Backend, python: str, releases: Iterable[Version]
    ) -> Iterator[Version]:
        """Yield those releases of which an index has a wheel for a Python, on any platform."""
        for release in releases:
            cell = self._cell(package, str(release), backend)
            if cell and any(serves_python(pythons.split(), python) for pythons in cell[1].values()):
                yield release

    @lru_cache(maxsize=256)  # noqa: B019 - there is one catalog
    def first_seen(self, package: str, backend: Backend) -> Version | None:
        """Return the oldest release that an index is known to have carried of a package."""
        return min(self._known(package, backend), default=None)

    @lru_cache(maxsize=256)  # noqa: B019 - there is one catalog
    def last_seen(self, package: str, backend: Backend) -> Version | None:
        """Return the newest release that an index is known to carry of a package."""
        return max(self._known(package, backend), default=None)

    def _known(self, package: str, backend: Backend) -> list[Version]:
        return [
            Version(version)
            for version, cells in self._data["wheels"].get(package, {}).items()
            if backend.name in cells
        ]

    def goes_along(self, package: str, backend: Backend) -> bool:
        """Tell whether an index has a package that is built for every release of torch with it.

        Which of its wheels were seen is chance, so that any of them counts for all. Torchvision is
        on every index that torch is on.
        """
        return package == "torchvision" or (
            package == "torchaudio" and self.first_seen(package, backend) is not None
        )

    @lru_cache(maxsize=1 << 14)  # noqa: B019 - there is one catalog
    def available(  # noqa: PLR0911 - one return a reason
        self, package: str, version: Version, backend: Backend, platform: Platform, python: str
    ) -> Answer:
        """Say whether one wheel is there.

        Args:
            package: Canonical name: `torchvision`, not `TorchVision`.
            version: Public version: `2.11.0`.
            backend: The index to look in; `PYPI` for PyPI's own listing.
            platform: The machine it is for.
            python: `3.12`, or `3.13t` for a free-threaded one.

        Source: the facts beside `torchconf.catalog.compile`, recorded on `as_of`.
        """
        if backend is not PYPI and platform.key not in self.accelerator(backend).platforms:
            return Answer.NO
        if package == self.main_package:
            last = self.platform_end(platform)
            if last is not None and version > Version(last):
                return Answer.NO
            if self._python_is_missing(version, python):
                return Answer.NO
        cell = self._cell(package, str(version), backend)
        if (
            platform.os == "macos"
            and backend == self.fallback
            and not self.is_apart
            and self._serves_macos(package, cell, version)
        ):
            # The CPU index serves the very macOS wheels that PyPI does, whose listing is complete.
            return self.available(package, version, PYPI, platform, python)
        if cell is None:
            return self._without_cell(package, version, backend)
        complete, seen = cell
        pythons = seen.get(platform.key)
        # How far silence counts: `all`, `platforms`, `x86_64`, or several of them.
        listed = "all" in complete or ("x86_64" in complete and platform.key in _LISTED)
        if pythons is None:
            return Answer.NO if listed or "platforms" in complete else Answer.UNKNOWN
        if serves_python(pythons.split(), python):
            return Answer.YES
        return Answer.NO if listed else Answer.UNKNOWN

    def _serves_macos(self, package: str, cell: list[Any] | None, version: Version) -> bool:
        return self.covered(version) if package == self.main_package else cell is not None

    def _python_is_missing(self, release: Version, python: str) -> bool:
        entry = self._release(release)
        if python.rstrip("t") not in as_range(entry.get("python", "")):
            return True
        if "pythons" not in entry or python in entry["pythons"]:
            return False
        # A Python that the matrix does not name may still have been published early.
        cells = self._data["wheels"].get(self.main_package, {}).get(str(release), {})
        return not any(
            serves_python(pythons.split(), python)
            for number in cells.values()
            for pythons in self._data["sets"][number][1].values()
        )

    def _without_cell(self, package: str, version: Version, backend: Backend) -> Answer:
        if backend is PYPI:
            known = package in self._data["wheels"] and version <= self.versions(package)[0]
            return Answer.NO if known else Answer.UNKNOWN
        named = self._release(version).get("backends") if package == self.main_package else None
        # The matrix names the builds that have versions; of the others, and of those that PyTorch
        # does not publish, it says nothing.
        if named is not None and backend.version and not self.publisher_of(backend):
            return Answer.NO
        if package != self.main_package:
            return Answer.UNKNOWN
        if self.publisher_of(backend):
            # Only single wheels were seen.
            return Answer.UNKNOWN
        first, last = self.first_seen(package, backend), self.ended(backend)
        outside = (first is not None and version < first) or (
            last is not None and version > Version(last)
        )
        return Answer.NO if outside else Answer.UNKNOWN

    def lacks(
        self,
        package: str,
        within: SpecifierSet,
        backend: Backend,
        platform: Platform,
        python: SpecifierSet | None,
    ) -> bool:
        """Tell whether no release in a range has a wheel, as far as anybody has seen.

        Where a wheel was seen for another platform only, this one probably has none either.
        """
        pythons = [v for v in self.pythons if python is None or admits_python(python, v)]
        releases = [v for v in self.versions(package) if within.contains(v, prereleases=True)]
        if any(self.carries(package, version, backend) for version in releases):
            releases = [v for v in releases if self.seen(package, v, backend, platform)]
            if not releases:
                return True
        return bool(pythons and releases) and all(
            self.available(package, version, backend, platform, each) is Answer.NO
            for version in releases
            for each in pythons
        )


def serves_python(pythons: Collection[str], python: str) -> bool:
    """Tell whether wheels for these Pythons serve one; `3.9+` stands for every one from 3.9 on.

    `3.9+t` stands for the free-threaded ones from there.
    """
    if python in pythons:
        return True
    mark = "+t" if python.endswith("t") else "+"
    minor = int(python.rstrip("t").split(".")[1])
    return any(
        known.endswith(mark) and int(known[2:].partition("+")[0]) <= minor for known in pythons
    )
