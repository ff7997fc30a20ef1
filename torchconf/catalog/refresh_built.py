"""What live indexes have of packages that are built against torch: tables from names of files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from packaging.utils import InvalidWheelFilename, canonicalize_name
from packaging.version import Version

from torchconf.catalog.encoding import platforms_of
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.wheel_names import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from torchconf.catalog import Catalog
    from torchconf.catalog.families import Family

__all__ = ["Asked", "Rows", "pages_of", "rows_of", "with_rows"]

Rows: TypeAlias = "dict[str, dict[str, dict[str, set[str]]]]"
"""Package, line of torch and platform, to the builds there."""

_LINES = 6
"""The newest lines of torch whose pages are looked for."""
_LINE_IN_LABEL = re.compile(r"torch\.?([0-9]+\.[0-9]+)")
"""As in `2.8.3.post1+cu.13.0.torch.2.12`, and in `2.8.3+cu12.8torch2.10.0cxx11abiTRUE`."""


class Asked(NamedTuple):
    """One page of a family."""

    url: str
    build: str
    package: str
    """Empty for a page of all packages."""
    line: str
    """Of torch, if the page is for one; else the labels of its wheels say it."""


def pages_of(family: Family, catalog: Catalog) -> list[Asked]:
    """Return the pages that have all of a family, the likeliest first."""
    builds = sorted(family.builds, key=lambda name: catalog.backend(name).version, reverse=True)
    if not family.url:
        return []
    if family.flat:
        lines = dict.fromkeys(f"{each.major}.{each.minor}" for each in catalog.releases)
        return [
            Asked(catalog.placed(family.index_url(build, line)), build, "", line)
            for line in [*lines][:_LINES]
            for build in builds
        ]
    return [
        Asked(catalog.placed(family.index_url(build)), build, package, "")
        for package in family.packages
        for build in builds
    ]


def rows_of(
    family: Family, read: Iterable[tuple[Asked, Sequence[str] | None]], everywhere: list[str]
) -> Rows:
    """Return what the names of files on some pages say.

    Args:
        family: Whose pages they are.
        read: Each page with its files; None for one that is not there.
        everywhere: The platforms of a wheel for all of them.
    """
    found: Rows = {}
    for asked, files in read:
        for file in files or ():
            if not file.endswith(".whl"):
                continue
            try:
                name, version, tags = parse_wheel_name(file)
            except (InvalidWheelFilename, ValueError):
                continue
            package = canonicalize_name(name)
            label = _LINE_IN_LABEL.search(version.local or "")
            line = asked.line or (label[1] if label else "")
            if package not in family.packages or not line or version.is_prerelease:
                continue
            for platform in _platforms({tag.platform for tag in tags}, everywhere):
                rows = found.setdefault(package, {}).setdefault(line, {})
                rows.setdefault(platform, set()).add(asked.build)
    return found


def _platforms(tags: Iterable[str], everywhere: list[str]) -> Iterator[str]:
    """Yield the platforms of a wheel; one for all Macs is for each kind of them."""
    for tag in tags:
        machines = ("arm64", "x86_64") if tag.endswith("universal2") else ("universal2",)
        for machine in machines:
            yield from platforms_of(tag.replace("universal2", machine), everywhere)


def with_rows(
    wheels: dict[str, dict[str, dict[str, dict[str, str]]]], family: str, rows: Rows
) -> dict[str, dict[str, dict[str, dict[str, str]]]]:
    """Return tables with what was read: of a line that is there now, all builds are known."""
    own = {package: {**lines} for package, lines in wheels.get(family, {}).items()}
    for package, lines in rows.items():
        table = own.setdefault(package, {})
        for line in sorted(lines, key=Version):
            platforms = {p: " ".join(sorted(lines[line][p])) for p in sorted(lines[line])}
            table[line] = {**platforms, "*": ""}
    return {**wheels, family: own}
