"""What a build, a platform or a release is, in a few words from the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.model.backends import PYPI

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

    from torchconf.catalog import Catalog
    from torchconf.model.backends import Backend
    from torchconf.model.targets import Platform

_SYSTEMS = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}
_MACHINES = {
    ("linux", "aarch64"): "on ARM",
    ("windows", "arm64"): "on ARM",
    ("macos", "x86_64"): "on Intel",
}
_MAKERS = {"nvidia": "NVIDIA", "amd": "AMD", "intel": "Intel"}
_MACHINE_NOTES = {
    ("linux", "x86_64"): "Intel and AMD processors, including WSL",
    ("linux", "aarch64"): "Grace, Jetson, Graviton, containers on a Mac",
    ("windows", "x86_64"): "Intel and AMD processors",
    ("macos", "arm64"): "Apple silicon",
}


def platform_title(platform: Platform) -> str:
    """Return the name of a platform: `Windows on ARM`."""
    machine = _MACHINES.get((platform.os, platform.machine), "")
    return f"{_SYSTEMS[platform.os]} {machine}".strip()


def platform_about(platform: Platform, catalog: Catalog) -> str:
    """Say which machines a platform stands for, and whether it has ended."""
    last = catalog.platform_end(platform)
    notes = [_MACHINE_NOTES.get((platform.os, platform.machine), "")]
    notes += [f"up to torch {last}"] if last else []
    return ", ".join(filter(None, notes))


def backend_about(backend: Backend, platform: Platform, catalog: Catalog) -> str:
    """Say what a build needs, and whether it has ended: `driver 580 or newer, Turing and later`."""
    if backend == PYPI:
        build = catalog.pypi_build(catalog.releases[0], platform)
        return "the build on PyPI" + (f", currently {build.title}" if build else "")
    parts = []
    driver = catalog.drivers(backend).get(platform.os)
    if driver is not None:
        parts.append(f"driver {driver} or newer")
    if generations := _generations(backend, platform, catalog):
        parts.append(generations)
    if catalog.plain(backend) == catalog.fallback:
        words = catalog.vocabulary.words.items()
        own = [word.upper() for word, meant in words if meant == (backend.accelerator, platform.os)]
        parts.append(f"{', '.join(own)} included" if own else "any machine")
    maker = catalog.maker(backend.accelerator)
    if maker and not parts:
        parts.append(f"{_MAKERS.get(maker, maker)} GPUs")
    if last := catalog.ended(backend):
        parts.append(f"up to torch {last}")
    return ", ".join(parts)


def _generations(backend: Backend, platform: Platform, catalog: Catalog) -> str:
    """Say from which GPU to which one: `Turing and later`, `Maxwell to Hopper`."""
    low, high = catalog.capability(backend, platform) or (None, None)
    if low is None:
        return ""

    def named(capability: str) -> str:
        names = catalog.generations(backend.accelerator)
        known = [name for start, name in names if _number(start) <= _number(capability)]
        return known[-1] if known else capability

    return f"{named(low)} to {named(high)}" if high is not None else f"{named(low)} and later"


def _number(capability: str) -> tuple[int, ...]:
    return tuple(map(int, capability.split(".")))


def span(backend: Backend, catalog: Catalog) -> str:
    """Say which torch a build is for: `torch 2.0.0 to 2.7.1`."""
    first = catalog.first_seen(catalog.main_package, backend)
    last = catalog.ended(backend)
    return f"torch {first} to {last}" if last else f"torch {first} and later"


def line(release: Version) -> str:
    """Return the line of a release: `2.13` for 2.13.0."""
    return f"{release.major}.{release.minor}"


def listed(names: Iterable[str], limit: int = 3) -> str:
    """Join names; of many, name the first ones."""
    names = list(names)
    rest = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {rest} more" if rest > 0 else "")
