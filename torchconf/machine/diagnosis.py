"""Whether the torch that is installed is the one that the project asks for on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from packaging.version import InvalidVersion, Version

from torchconf.model.backends import PYPI, parse_backend

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.machine.fitting import Fit
    from torchconf.model.backends import Backend
    from torchconf.model.targets import Platform
    from torchconf.model.uv_lock import LockedBuild
    from torchconf.resolve.table import Row


class OfferedBuild(NamedTuple):
    """A way to install torch that the project offers on this platform."""

    command: str
    backend: str
    """A backend's name, or `pypi`."""


class ProjectBuilds(NamedTuple):
    """What a project says of torch on one platform."""

    choices: tuple[OfferedBuild, ...]
    unclear: str | None
    """Why some choice cannot be told."""
    locked: tuple[tuple[str, str], ...]
    """Version and backend of each build for the platform that the lockfile has."""


class Diagnosis(NamedTuple):
    """The answer, and what to do about it."""

    matches: bool | None
    """None: there is nothing to compare, or it cannot be told."""
    backend: str | None
    """The build that is installed, as far as its version tells."""
    reason: str | None
    command: str | None
    """What installs the build that is asked for."""


def read_wanted(
    rows: Iterable[Row], builds: Iterable[LockedBuild], platform: Platform, catalog: Catalog
) -> ProjectBuilds:
    """Pick out what concerns torch on one platform.

    Args:
        rows: Of `torchconf.resolve.table.overview`.
        builds: Of `torchconf.model.uv_lock.locked_builds`.
        platform: This machine's.
        catalog: For the backend of each registry.
    """
    own = [
        row for row in rows if (row.package, row.platform) == (catalog.main_package, platform.key)
    ]
    return ProjectBuilds(
        choices=tuple(OfferedBuild(row.command, row.backend) for row in own if row.backend),
        unclear=next((row.reason for row in own if row.backend is None and row.reason), None),
        locked=tuple(
            (build.version, (catalog.backend_of_url(build.registry) or PYPI).name)
            for build in builds
            if any(_is_for(wheel, platform) for wheel in build.wheels)
        ),
    )


def _is_for(wheel: str, platform: Platform) -> bool:
    """Tell whether a wheel is for a platform, from the last part of its file name."""
    tag = wheel.removesuffix(".whl").rpartition("-")[2]
    machines = ("amd64", platform.machine) if platform.machine == "x86_64" else (platform.machine,)
    return tag == "any" or (_TAGS[platform.os] in tag and tag.endswith((*machines, "universal2")))


_TAGS = {"linux": "linux", "windows": "win", "macos": "macosx"}


def judge(
    packages: Mapping[str, str],
    wanted: ProjectBuilds,
    fits: Sequence[Fit],
    platform: Platform,
    catalog: Catalog,
) -> Diagnosis:
    """Compare what is installed with what a project wants.

    Args:
        packages: The family packages that are installed, with their versions.
        wanted: By the project.
        fits: Of this machine: they choose among commands that are all right.
        platform: This machine's.
        catalog: For the names of backends.
    """
    main = catalog.main_package
    version = packages.get(main)
    best = _best(wanted, fits, platform, catalog)
    command = best.command if best else None
    if version is None:
        reason = f"{main} is not installed" if best else None
        return Diagnosis(matches=None, backend=None, reason=reason, command=command)
    label = version.partition("+")[2]
    built = backend_of_label(label, catalog)
    if label and built is None:
        reason = f"unknown build `+{label}`"
        return Diagnosis(matches=None, backend=None, reason=reason, command=None)
    may_be = [built.name] if built else _without_label(version, wanted, platform, catalog)
    same = [choice for choice in wanted.choices if choice.backend in may_be]
    shown = same[0].backend if same else may_be[0]
    if odd := _odd_companion(packages, built, catalog):
        return Diagnosis(matches=False, backend=shown, reason=odd, command=command)
    if best is None or not same:
        return _other_build(version, shown, wanted, best, platform)
    return _same_build(f"{main} {version}", same, best, wanted, fits)


def backend_of_label(label: str, catalog: Catalog) -> Backend | None:
    """Return the backend that a local version names; `cpu.cxx11.abi` begins with one."""
    for text in (label, label.partition(".")[0]):
        if found := parse_backend(text, catalog.accelerators):
            return found
    return None


def _other_build(
    version: str, shown: str, wanted: ProjectBuilds, best: OfferedBuild | None, platform: Platform
) -> Diagnosis:
    """Judge a build that no choice installs."""
    if best is None or wanted.unclear is not None:
        command = best.command if best else None
        return Diagnosis(matches=None, backend=shown, reason=wanted.unclear, command=command)
    asked = " or ".join(dict.fromkeys(choice.backend for choice in wanted.choices))
    reason = f"{version} is the {shown} build; the project asks for {asked} on {platform.key}"
    return Diagnosis(matches=False, backend=shown, reason=reason, command=best.command)


def _same_build(
    installed: str,
    same: Sequence[OfferedBuild],
    best: OfferedBuild,
    wanted: ProjectBuilds,
    fits: Sequence[Fit],
) -> Diagnosis:
    """Judge a build that some choice installs: its release may be another one than is locked."""
    chosen = best if best in same else same[0]
    backends = {choice.backend for choice in same}
    locked = [version for version, backend in wanted.locked if backend in backends]
    matches = True
    reason = None
    if wanted.locked and not locked:
        reason = f"uv.lock has no {chosen.backend} build yet: run `uv lock`"
    elif locked and installed.partition(" ")[2] not in locked:
        matches = False
        reason = f"{installed} is installed, but uv.lock has {' or '.join(dict.fromkeys(locked))}"
    elif unfit := next((f for f in fits if f.backend.name in backends and f.fits is False), None):
        reason = f"{chosen.backend} does not run on this machine: {unfit.reason}"
        reason += f"; run `{best.command}`" if best not in same else ""
    elif best not in same and _is_better(best.backend, backends, fits):
        reason = f"this machine also fits {best.backend}: run `{best.command}`"
    return Diagnosis(matches=matches, backend=chosen.backend, reason=reason, command=chosen.command)


def _without_label(
    version: str, wanted: ProjectBuilds, platform: Platform, catalog: Catalog
) -> list[str]:
    """Return what a version without a local part may be: PyPI's build, or an index's for macOS."""
    found = [PYPI.name] + [backend for known, backend in wanted.locked if known == version]
    return found + ([catalog.fallback.name] if platform.os == "macos" else [])


def _odd_companion(
    packages: Mapping[str, str], built: Backend | None, catalog: Catalog
) -> str | None:
    """Say so if a companion was built for another backend than torch."""
    for name, version in packages.items():
        other = backend_of_label(version.partition("+")[2], catalog)
        if other is not None and built is not None and other != built:
            torch = f"{catalog.main_package} {packages[catalog.main_package]}"
            return f"{name} {version} does not match {torch}"
    return None


def _best(
    wanted: ProjectBuilds, fits: Sequence[Fit], platform: Platform, catalog: Catalog
) -> OfferedBuild | None:
    """Return the choice whose build fits this machine best; the first one if none does."""
    order = {fit.backend.name: place for place, fit in enumerate(fits) if fit.fits}

    def place(choice: OfferedBuild) -> int:
        name = choice.backend
        if name == PYPI.name:
            build = _pypi_build(wanted, platform, catalog)
            name = build.name if build else name
        return order.get(name, len(order))

    return min(wanted.choices, key=place, default=None)


def _pypi_build(wanted: ProjectBuilds, platform: Platform, catalog: Catalog) -> Backend | None:
    releases = list(catalog.releases[:1])
    for version, backend in wanted.locked:
        if backend == PYPI.name:
            try:
                releases = [Version(version)]
            except InvalidVersion:
                continue
    return catalog.pypi_build(releases[0], platform) if releases else None


def _is_better(name: str, than: Iterable[str], fits: Sequence[Fit]) -> bool:
    """Tell whether a build fits, and better than others do."""
    order = [fit.backend.name for fit in fits if fit.fits]
    worse = [order.index(other) for other in than if other in order]
    return name in order and all(order.index(name) < place for place in worse)
