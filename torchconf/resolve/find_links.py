"""What `find-links` adds: wheels in a folder or on a page, next to those of the indexes.

uv looks there for every package that no source routes, and takes the newest release of all. A
wheel with a label, `2.9.1+rocm7.2.1`, is newer than the release without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.catalog import serves_python
from torchconf.errors import hide_secrets
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from torchconf.catalog import Catalog
    from torchconf.model.backends import Backend
    from torchconf.model.project import Project
    from torchconf.model.targets import Platform

__all__ = ["FindLinks", "Linked", "Wheel", "wheels_named"]


class Linked(NamedTuple):
    """A wheel that `find-links` has for a machine, or the doubt whether it has one."""

    backend: Backend | None
    """Told from the label; None if that names none."""
    reason: str | None


class Wheel(NamedTuple):
    """What the name of a wheel tells."""

    package: str
    version: Version
    pythons: frozenset[str]
    platforms: frozenset[str]

    def serves(self, platform: Platform, pythons: Iterable[str]) -> bool:
        """Tell whether it fits a machine and one of these Pythons."""
        fits = any(serves_python(self.pythons, python) for python in pythons)
        return fits and platform.key in self.platforms


class FindLinks:
    """The `find-links` of a project."""

    def __init__(
        self, project: Project, catalog: Catalog, files: Iterable[str], pythons: Sequence[str]
    ) -> None:
        """Take what was read.

        Args:
            project: Whose setting it is.
            catalog: Which platforms there are.
            files: The names of the files in its folders.
            pythons: Those that the project supports.
        """
        self._catalog = catalog
        self._pythons = pythons
        setting = project.workspace.uv.get("find-links")
        places = setting if isinstance(setting, list) else [setting] if setting else []
        self._pages = [
            place
            for place in places
            if isinstance(place, str) and "://" in place and not place.startswith("file:")
        ]
        self._wheels = [*wheels_named(files, catalog)] if places else []

    def serve(
        self, package: str, platform: Platform, within: SpecifierSet, newest: Version | None
    ) -> Linked | None:
        """Return what uv takes from there for a package without a source; None for nothing.

        Args:
            package: Its name.
            platform: The machine.
            within: The releases that are admitted.
            newest: The newest one of the index.
        """
        for page in self._pages:
            if package in self._catalog.family and self._catalog.serves(page, package) is not False:
                shown = hide_secrets(page)
                return Linked(None, f"the `find-links` page {shown} may have `{package}`")
        fitting = [
            wheel
            for wheel in self._wheels
            if wheel.package == package
            and (newest is None or wheel.version >= newest)
            and within.contains(wheel.version, prereleases=True)
            and wheel.serves(platform, self._pythons)
        ]
        if not fitting:
            return None
        version = max(wheel.version for wheel in fitting)
        backend = self._catalog.backend(version.local or "")
        if backend.accelerator:
            return Linked(backend, None)
        return Linked(None, f"`find-links` has {package} {version}, but its build is not known")


def wheels_named(files: Iterable[str], catalog: Catalog) -> Iterator[Wheel]:
    """Yield the wheels that file names tell of; what is no wheel is passed over."""
    # Imported here: few projects have such folders.
    from packaging.utils import InvalidWheelFilename

    from torchconf.catalog.encoding import platforms_of, pythons_of
    from torchconf.model.wheel_names import parse_wheel_name

    anywhere = list(catalog.accelerator(catalog.fallback).platforms)
    for file in files:
        try:
            name, version, tags = parse_wheel_name(file.replace("%2B", "+"))
        except InvalidWheelFilename:
            continue
        pythons = {
            python
            for tag in tags
            for python in pythons_of(
                f"{tag.interpreter}-{tag.abi}" if tag.abi in {"abi3", "none"} else tag.abi
            )
        }
        platforms = {one for tag in tags for one in platforms_of(tag.platform, anywhere)}
        yield Wheel(name, version, frozenset(pythons), frozenset(platforms))
