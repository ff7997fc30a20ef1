"""Packages that are built against one release of torch: who has which wheels, and for what.

Three answers, as for torch. A table of their publisher says which builds there are for a line of
torch, such as `2.12`; of a line that no table names, nobody knows.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from torchconf.catalog import Answer
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchconf.catalog import Catalog
    from torchconf.catalog.families import Family
    from torchconf.model.targets import Platform

__all__ = ["Built", "Page", "SourceBuild"]

_WHOLE = "*"
"""In a row of the table: the builds that it does not name are not there."""


class SourceBuild(NamedTuple):
    """How a package is built that PyPI has as a source distribution only."""

    dynamic: bool = False
    """Only a build tells its metadata."""
    metadata: str | None = None
    """The release from which on they are there before it is built."""
    needs: tuple[str, ...] | None = None
    """What its metadata require; None where nobody has looked."""


class Page(NamedTuple):
    """An index of wheels that are built against torch."""

    family: Family
    build: str
    line: str
    """Of torch, if it is for one line only; else empty."""

    def has_line(self, line: str) -> bool:
        """Tell whether it may have wheels for a line."""
        return self.line in {"", line}


class Built:
    """What is known of these packages."""

    def __init__(self, data: Mapping[str, Any], catalog: Catalog) -> None:
        """Wrap the data of a catalog; its families are not read before they are asked for."""
        self._wheels: Mapping[str, Mapping[str, Mapping[str, Mapping[str, str]]]] = data["wheels"]
        self._builds: Mapping[str, Mapping[str, Any]] = data["builds"]
        self._catalog = catalog

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The families that have such packages, in order of preference."""
        return tuple(family for family in self._catalog.families if family.is_built_against)

    @cached_property
    def packages(self) -> frozenset[str]:
        """Every package of which somebody publishes wheels."""
        return frozenset(package for family in self.families for package in family.packages)

    def source(self, package: str) -> SourceBuild | None:
        """Return how a package is built from its source distribution; None where it need not be."""
        entry = self._builds.get(package)
        if entry is None:
            return None
        needs = tuple(entry["needs"]) if "needs" in entry else None
        return SourceBuild(entry.get("dynamic", False), entry.get("metadata"), needs)

    def homes(self, package: str) -> tuple[Family, ...]:
        """Return the families that have a package, in order of preference."""
        return tuple(family for family in self.families if package in family.packages)

    def page(self, url: str) -> Page | None:
        """Return what an index has, if it is one of a family that has such packages."""
        family = self._catalog.family_of(url)
        if family is None or not family.is_built_against:
            return None
        found = family.page(self._catalog.real(url))
        return Page(family, *found) if found else None

    def lines(self, package: str) -> tuple[str, ...]:
        """Return the lines of torch for which wheels are known, newest first."""
        found = {
            line
            for family in self.homes(package)
            for line, row in self._rows(family, package).items()
            if any(row.values())
        }
        return tuple(sorted(found, key=Version, reverse=True))

    def builds(self, package: str, family: Family, line: str) -> Mapping[str, tuple[str, ...]]:
        """Return the builds that are known for a line of torch, by platform."""
        row = self._rows(family, package).get(line, {})
        return {platform: tuple(row[platform].split()) for platform in row if row[platform]}

    def has(
        self, package: str, family: Family, line: str, build: str, platform: Platform
    ) -> Answer:
        """Say whether a family has a wheel.

        Args:
            package: Canonical name.
            family: One of its homes.
            line: Of torch: `2.12`.
            build: Of torch: `cu130`.
            platform: The machine it is for.

        Source: the facts beside `torchconf.catalog.compile`, `built.json`.
        """
        rows = self._rows(family, package)
        row = rows.get(line)
        if row is not None:
            if build in row.get(platform.key, "").split():
                return Answer.YES
            if _WHOLE in row or any(build in builds.split() for builds in row.values()):
                return Answer.NO
        elsewhere = bool(family.platforms) and platform.key not in family.platforms
        if elsewhere or build not in family.builds:
            return Answer.NO
        # A package without any CPU build is not going to have one for the next torch.
        whole = [each for each in rows.values() if _WHOLE in each]
        if whole and _kind(build) not in {
            _kind(b) for each in whole for builds in each.values() for b in builds.split()
        }:
            return Answer.NO
        return Answer.UNKNOWN

    def _rows(self, family: Family, package: str) -> Mapping[str, Mapping[str, str]]:
        return self._wheels.get(family.name, {}).get(package, {})


def _kind(build: str) -> str:
    """Return the accelerator of a build: `cu` of `cu130`."""
    return re.sub(r"[0-9.]+$", "", build)
