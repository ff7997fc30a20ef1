"""Which wheels the replica serves, and where.

An index is named by its host and path without a slash at the end
(`download.pytorch.org/whl/cu130`), as the server sees it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from packaging.version import Version

from tests.support.replica import wheels, world
from tests.support.replica.facts import FACTS, read_facts
from tests.support.replica.stand_ins import stand_ins
from tests.support.replica.wheels import ReplicaWheel, filename

PYTORCH = "download.pytorch.org/whl"
PACKAGES = "packages.example.org/simple"
"""The index that stands for PyPI in closed mode."""

PLATFORMS = {
    "any": "any",
    "linux-x86_64": "manylinux_2_28_x86_64",
    "linux-aarch64": "manylinux_2_28_aarch64",
    "windows-x86_64": "win_amd64",
    "windows-arm64": "win_arm64",
    "macos-arm64": "macosx_14_0_arm64",
    "macos-x86_64": "macosx_10_9_x86_64",
}
"""Platforms as torchconf spells them, to the tag that today's wheels carry."""

Packages = Mapping[str, tuple[ReplicaWheel, ...]]


class Release(NamedTuple):
    """One release of a package as a test states it: a wheel for each platform and Python.

    `platforms` are torchconf's words (`linux-x86_64`) or wheel tags; `any` gives one pure wheel.
    `pythons` are versions (`3.12`, `3.14t`).
    """

    version: str
    platforms: Iterable[str] = ("linux-x86_64", "linux-aarch64", "windows-x86_64")
    pythons: Iterable[str] = ("3.10", "3.11", "3.12", "3.13", "3.14")
    requires: Iterable[str] = ()
    requires_python: str | None = None

    def wheels(self, package: str) -> Iterator[ReplicaWheel]:
        """Yield the wheels of this release of `package`."""
        pythons = ["cp" + python.replace(".", "") for python in self.pythons]
        for platform in self.platforms:
            tag = PLATFORMS.get(platform, platform)
            for python in ["py3-none"] if tag == "any" else pythons:
                yield ReplicaWheel(
                    filename(package, self.version, python, tag),
                    tuple(self.requires),
                    self.requires_python,
                )


class Content(NamedTuple):
    """The world of one replica: index to package to wheels."""

    indexes: Mapping[str, Packages]

    @classmethod
    def of(cls, stated: Mapping[str, Mapping[str, Iterable[Release | ReplicaWheel]]]) -> Content:
        """Return a small world that a test states by hand.

            Content.of({"cu130": {"torch": [Release("2.13.0+cu130", ["linux-x86_64"])]}})

        Args:
            stated: A key is a folder of the PyTorch index (`cu130`, `test/cu130`), `pypi` for what
                stands for PyPI, or the URL of a mirror under `example.org`. Ordinary packages are
                on `pypi` anyway; `stand_ins` lists them.
        """
        indexes: dict[str, Packages] = {
            _place(index): {
                package: tuple(
                    wheel
                    for entry in entries
                    for wheel in (
                        [entry] if isinstance(entry, ReplicaWheel) else entry.wheels(package)
                    )
                )
                for package, entries in packages.items()
            }
            for index, packages in stated.items()
        }
        everything = (
            wheel
            for packages in indexes.values()
            for served in packages.values()
            for wheel in served
        )
        indexes[PACKAGES] = {**stand_ins(everything), **indexes.get(PACKAGES, {})}
        return cls(indexes)

    @classmethod
    def from_facts(cls, facts: Path | None = None, *, newest: str = "2.13.0") -> Content:
        """Return the catalog's world; `world.indexes` says what is in it.

        Args:
            facts: Folder of the catalog's facts; by default the one in this checkout.
            newest: Newest torch on the PyTorch indexes. Of later ones only single wheels were
                ever seen, and they are served as seen. PyPI's releases are always complete.
        """
        return _from_facts(facts or FACTS, newest)

    def mirrored(self, pattern: str) -> Content:
        """Return this world plus a copy of every PyTorch index, and of `pypi`, elsewhere.

        Args:
            pattern: `https://mirror.example.org/pytorch/{backend}`, as `--index-base` takes it.
        """
        backends = {
            index.removeprefix(f"{PYTORCH}/"): packages
            for index, packages in self.indexes.items()
            if index.startswith(f"{PYTORCH}/")
        }
        backends["pypi"] = self.indexes[PACKAGES]
        copies = {
            _place(pattern.format(backend=backend)): packages
            for backend, packages in backends.items()
        }
        return Content({**self.indexes, **copies})

    def merged(self, other: Content) -> Content:
        """Return both worlds; a package that both have on one index is the other's."""
        both = {
            index: {**self.indexes.get(index, {}), **other.indexes.get(index, {})}
            for index in {**self.indexes, **other.indexes}
        }
        return Content(both)

    @property
    def hosts(self) -> frozenset[str]:
        """Every host that an index of this world is on."""
        return frozenset(index.split("/", 1)[0] for index in self.indexes)

    def digest(self) -> str:
        """Return the name of this world: uv's cache of one is of no use to another.

        How a wheel is made counts too, so that a change of it does not meet a stale cache.
        """
        sha = hashlib.sha256(Path(wheels.__file__).read_bytes())
        for index, packages in sorted(self.indexes.items()):
            for package, served in sorted(packages.items()):
                sha.update(f"{index}/{package}\n".encode())
                for wheel in served:
                    sha.update(repr(tuple(wheel)).encode())
        return sha.hexdigest()[:16]


@cache
def _from_facts(facts: Path, newest: str) -> Content:
    """Return the same world for the same words: to put it together takes long."""
    return Content.of(world.indexes(read_facts(facts), Version(newest)))


def _place(index: str) -> str:
    if index == "pypi":
        return PACKAGES
    if index.startswith("https://"):
        return index.removeprefix("https://").rstrip("/")
    return f"{PYTORCH}/{index}"
