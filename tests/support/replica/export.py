"""What a lock gives each machine, read from uv's export by packaging's own installer logic."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from packaging.markers import Environment, Marker
from packaging.pylock import Package, PackageSdist, PackageWheel, Pylock, PylockSelectError

from tests.support.replica.machines import environment, tags

_SOURCES = {"wheels", "sdist", "archive", "directory", "vcs"}


@dataclass(frozen=True, slots=True)
class Build:
    """What one machine installs of a package.

    `wheel` is a file name, also that of a source distribution; it and `index`, a URL, are None
    for a package from a folder, an archive or a repository.
    """

    version: str | None
    wheel: str | None = None
    index: str | None = None


Choice = Build | Literal["no wheel", "absent"]


class Selection(dict[str, Choice]):
    """Package to what one machine gets of it; `absent` for any that it does not."""

    def __missing__(self, package: str) -> Choice:
        return "absent"


class Export(NamedTuple):
    """A pylock.toml as uv exports it.

    uv writes an entry with neither wheels nor source where nothing exists for a platform.
    packaging rejects the whole file then, so these are not in `pylock` but in `empty`.
    """

    text: str
    pylock: Pylock
    empty: Sequence[tuple[str, Marker | None]]

    @classmethod
    def parse(cls, text: str) -> Export:
        """Read uv's export."""
        data = tomllib.loads(text)
        packages: list[dict[str, Any]] = data.get("packages", [])
        empty = [entry for entry in packages if not _SOURCES & entry.keys()]
        data["packages"] = [entry for entry in packages if _SOURCES & entry.keys()]
        return cls(
            text,
            Pylock.from_dict(data),
            [
                (entry["name"], Marker(entry["marker"]) if "marker" in entry else None)
                for entry in empty
            ],
        )

    def select(self, platform: str, python: str) -> Selection:
        """Return what a machine installs.

        Args:
            platform: `linux-x86_64` and the like, a key of `machines.MACHINES`.
            python: `3.12`, `3.14t` or `3.12.3`.

        Raises:
            PylockSelectError: The lock is not for this Python or this machine at all, or holds two
                entries of one package for it.
        """
        where = environment(platform, python)
        fitting = tags(platform, python)
        chosen = Selection()
        for name, marker in self.empty:
            if _holds(marker, where):
                chosen[name] = "no wheel"
        with contextlib.suppress(PylockSelectError):
            for package, source in self.pylock.select(environment=where, tags=fitting):
                chosen[package.name] = _build(package, source)
            return chosen
        # Raises for a Python or a machine that the lock leaves out.
        list(_only(self.pylock, []).select(environment=where, tags=()))
        by_name: dict[str, list[Package]] = {}
        for package in self.pylock.packages:
            by_name.setdefault(package.name, []).append(package)
        for name, packages in by_name.items():
            # One package at a time: `select` stops at the first that has no wheel.
            lock = _only(self.pylock, packages)
            try:
                for package, source in lock.select(environment=where, tags=fitting):
                    chosen[name] = _build(package, source)
            except PylockSelectError:
                held = [package for package in packages if _holds(package.marker, where)]
                if len(held) != 1 or not held[0].wheels:
                    raise
                chosen[name] = "no wheel"
        return chosen


def _only(pylock: Pylock, packages: Sequence[Package]) -> Pylock:
    return Pylock(
        lock_version=pylock.lock_version,
        environments=pylock.environments,
        requires_python=pylock.requires_python,
        created_by=pylock.created_by,
        packages=packages,
    )


def _holds(marker: Marker | None, where: Environment) -> bool:
    # A mapping of plain strings: `Environment` cannot be one that holds sets as well.
    points = {name: str(value) for name, value in where.items()}
    return marker is None or marker.evaluate(
        {**points, "extras": frozenset(), "dependency_groups": frozenset()}, context="lock_file"
    )


def _build(package: Package, source: object) -> Build:
    version = None if package.version is None else str(package.version)
    if isinstance(source, PackageWheel | PackageSdist):
        return Build(version, source.filename, package.index)
    return Build(version)
