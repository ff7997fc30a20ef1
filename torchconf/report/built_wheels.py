"""Who has wheels of a package that is built against torch, and for which builds of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchconf.catalog import Catalog

__all__ = ["built_text"]

_LINES = 4
"""The newest lines of torch that are listed."""


def built_text(packages: Iterable[str], catalog: Catalog) -> Iterator[str]:
    """Yield what to say of each package; nothing of one that is not built against torch."""
    for package in packages:
        if package in catalog.built_names:
            yield "".join(f"{line}\n" for line in _lines(package, catalog))


def _lines(package: str, catalog: Catalog) -> Iterator[str]:
    built = catalog.built
    homes = built.homes(package)
    yield f"wheels of {package}, for each line of torch:"
    known = False
    for line in built.lines(package)[:_LINES]:
        for family in homes:
            by_builds: dict[tuple[str, ...], list[str]] = {}
            for platform, builds in built.builds(package, family, line).items():
                by_builds.setdefault(builds, []).append(platform)
            for builds, platforms in by_builds.items():
                known = True
                yield f"  torch {line}  {', '.join(builds)} on {', '.join(platforms)}: {family.by}"
    if not known:
        names = " and ".join(family.by for family in homes)
        yield f"  {names} may have some; no list of them is known" if homes else "  none are known"
    if built.source(package) is not None:
        yield "  PyPI has a source distribution, whose build needs torch"
    yield "  for other releases of torch, wheels are unknown"
