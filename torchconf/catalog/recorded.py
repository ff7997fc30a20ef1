"""The data of the catalog as they are stored, and what is asked of them directly."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from torchconf.model.backends import PYPI, Backend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchconf.model.targets import Platform

PYTORCH = "pytorch"
"""PyTorch's indexes, where days are said of an index."""


class Recorded:
    """The data. Versions are public ones: `2.13.0`, never `2.13.0+cu130`."""

    def __init__(self, data: dict[str, Any]) -> None:
        """Wrap validated data; nothing is parsed before it is asked for."""
        self._data = data
        self.as_of: str = data["as_of"]
        """The day of the oldest of what is in it; `as_of_index` has that of each index."""
        self.base_url: str = data["base_url"]
        self.main_package: str = data["main_package"]
        self.family: tuple[str, ...] = tuple(data["family"])
        """Torch first, then its companions, then the triton packages."""
        self.triton_packages: frozenset[str] = frozenset(
            rule["name"] for entry in data["accelerators"].values() for rule in entry["triton"]
        )
        self.pythons: tuple[str, ...] = tuple(data["pythons"])

    def as_of_index(self, backend: Backend) -> str:
        """Return the day on which an index was read last: PyPI's, or that of PyTorch's indexes."""
        key = PYPI.name if backend is PYPI else PYTORCH
        day: str = self._data["as_of_indexes"].get(key, self.as_of)
        return day

    @property
    def dates(self) -> Mapping[str, str]:
        """The day on which each of the indexes was read last: `pypi` and `pytorch`."""
        days: dict[str, str] = self._data["as_of_indexes"]
        return days

    @cached_property
    def releases(self) -> tuple[Version, ...]:
        """The releases of torch that the catalog describes, newest first."""
        return tuple(map(Version, self._data["releases"]))

    @lru_cache(maxsize=64)  # noqa: B019 - there is one catalog
    def versions(self, package: str) -> tuple[Version, ...]:
        """Every release of one package that was seen anywhere, newest first."""
        return tuple(map(Version, self._data["wheels"].get(package, ())))

    @cached_property
    def older_releases(self) -> tuple[Version, ...]:
        """Releases of torch that were only seen, before those that the catalog describes."""
        oldest = min(self.releases)
        return tuple(seen for seen in self.versions(self.main_package) if seen < oldest)

    def covered(self, release: Version) -> bool:
        """Tell whether the build matrix of a torch release was read."""
        return "pythons" in self._release(release)

    def platform_end(self, platform: Platform) -> str | None:
        """Return the last torch release for a platform that has ended, else None."""
        ended: str | None = self._data["platform_ends"].get(platform.key)
        return ended

    def macos_minimum(self, release: Version) -> str | None:
        """Return the lowest macOS that a torch release runs on: `14.0`."""
        minimum: str | None = self._release(release).get("macos")
        return minimum

    def _release(self, release: Version) -> dict[str, Any]:
        entry: dict[str, Any] = self._data["releases"].get(str(release), {})
        return entry

    def _cell(self, package: str, version: str, backend: Backend) -> list[Any] | None:
        number = self._data["wheels"].get(package, {}).get(version, {}).get(backend.name)
        if number is None:
            return None
        cell: list[Any] = self._data["sets"][number]
        return cell


@lru_cache(maxsize=256)
def as_range(text: str) -> SpecifierSet:
    """Return a range as the data spell it; each is read once."""
    return SpecifierSet(text)
