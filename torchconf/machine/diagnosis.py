"""Whether the torch that is installed is the one that the project asks for on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from torchconf.model.backends import PYPI, parse_backend
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from torchconf.catalog import Catalog
    from torchconf.machine.fitting import Fit
    from torchconf.model.backends import Backend
    from torchconf.model.targets import Platform, Target
    from torchconf.model.uv_lock import LockedBuild
    from torchconf.resolve.table import Row


class OfferedBuild(NamedTuple):
    """A way to install torch that the project offers on this platform."""

    command: str
    backend: str
    """A backend's name, or `pypi`."""


class SyncChoice(NamedTuple):
    """What `torchconf sync` takes here."""

    target: str | None
    """None: it refuses."""
    reason: str
    command: str | None
    """What it runs; where it refuses, what adds a target that it would take."""


class ProjectBuilds(NamedTuple):
    """What a project says of torch on one platform."""

    choices: tuple[OfferedBuild, ...]
    unclear: str | None
    """Why some choice cannot be told."""
    locked: tuple[tuple[str, str], ...]
    """Version and backend of each build for the platform that the lockfile has."""
    newest: Version | None
    """The newest release that the project admits: what PyPI gives where nothing is locked."""


class Diagnosis(NamedTuple):
    """The answer, and what to do about it."""

    matches: bool | None
    """None: there is nothing to compare, or it cannot be told."""
    backend: str | None
    """The build that is installed, as far as its version tells."""
    reason: str | None
    command: str | None
    """What installs the build that is asked for, or adds one that runs here."""
    hint: str | None = None
    """What else would be better, where nothing is wrong."""


def read_wanted(
    rows: Iterable[Row],
    builds: Iterable[LockedBuild],
    platform: Platform,
    catalog: Catalog,
    admitted: SpecifierSet,
    *,
    is_told: bool = False,
) -> ProjectBuilds:
    """Pick out what concerns torch on one platform.

    Args:
        rows: Of `torchconf.resolve.table.overview`.
        builds: Of `torchconf.model.uv_lock.locked_builds`.
        platform: This machine's.
        catalog: For the backend of each registry.
        admitted: The releases of torch that the project admits.
        is_told: Whether a marker tells this machine from others of its platform, if one does.
    """
    rows = [row for row in rows if row.package == catalog.main_package]
    own = [row for row in rows if row.platform == platform.key]
    if is_told:
        own = [row for row in rows if row.platform.startswith(f"{platform.key}-")] or own
    return ProjectBuilds(
        choices=tuple(OfferedBuild(row.command, row.backend) for row in own if row.backend),
        unclear=next((row.reason for row in own if _is_unclear(row)), None),
        locked=tuple(
            (build.version, (catalog.backend_of_url(build.registry) or PYPI).name)
            for build in builds
            if any(_is_for(wheel, platform) for wheel in build.wheels)
        ),
        newest=next((release for release in catalog.releases if release in admitted), None),
    )


def _is_unclear(row: Row) -> bool:
    """Tell whether a choice may install a build that is not known; uv refuses some, which is."""
    return row.backend is None and row.reason is not None and row.available.value != "no"


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
    adding: Callable[[Target], str | None],
    taken: OfferedBuild | None = None,
) -> Diagnosis:
    """Compare what is installed with what a project wants.

    Args:
        packages: The family packages that are installed, with their versions.
        wanted: By the project.
        fits: Of this machine: they choose among commands that are all right.
        platform: This machine's.
        catalog: For the names of backends.
        adding: Returns the command that adds a target, if one can be added.
        taken: What `torchconf sync` takes here.
    """
    main = catalog.main_package
    version = packages.get(main)
    here = _Here(fits, pypi_build(version, wanted, platform, catalog), adding)
    best = taken if taken and here.runs(taken) is not False else here.best(wanted)
    command = best.command if best else None
    if version is None:
        reason = f"{main} is not installed" if wanted.choices else None
        return Diagnosis(matches=None, backend=None, reason=reason, command=command)
    label = version.partition("+")[2]
    built = backend_of_label(label, catalog)
    if label and built is None:
        reason = f"unknown build `+{label}`"
        return Diagnosis(matches=None, backend=None, reason=reason, command=None)
    may_be = [built.name] if built else _without_label(version, wanted, platform, catalog)
    may_be += _of_others(built, wanted, platform, catalog)
    same = [choice for choice in wanted.choices if choice.backend in may_be]
    shown = same[0].backend if same else may_be[0]
    if odd := _odd_companion(packages, built, catalog):
        return Diagnosis(matches=False, backend=shown, reason=odd, command=command)
    if not same:
        return _other_build(version, shown, wanted, best, platform)
    return _same_build(f"{main} {version}", same, best, wanted, here, catalog)


class _Here(NamedTuple):
    """Which builds run on this machine."""

    fits: Sequence[Fit]
    pypi: Backend | None
    """The build that PyPI gives."""
    adding: Callable[[Target], str | None]

    def fit(self, choice: OfferedBuild) -> Fit | None:
        """Return what is known of a build on this machine."""
        pypi = self.pypi.name if self.pypi else ""
        name = pypi if choice.backend == PYPI.name else choice.backend
        return next((fit for fit in self.fits if fit.backend.name == name), None)

    def runs(self, choice: OfferedBuild) -> bool | None:
        """Tell whether a build runs here; None: nobody knows."""
        fit = self.fit(choice)
        return None if fit is None else fit.fits

    def place(self, choice: OfferedBuild) -> int:
        """Return how good a build is here: 0 is the best."""
        fit = self.fit(choice)
        return self.fits.index(fit) if fit is not None and fit.fits else len(self.fits)

    def best(self, wanted: ProjectBuilds) -> OfferedBuild | None:
        """Return the choice whose build fits best, or what would add one; never one that fails."""
        able = [choice for choice in wanted.choices if self.runs(choice) is not False]
        if able or not wanted.choices:
            return min(able, key=self.place, default=None)
        return self.added()

    def added(self) -> OfferedBuild | None:
        """Return what adds the build that fits this machine best."""
        fit = next((fit for fit in self.fits if fit.fits), None)
        command = self.adding(fit.target) if fit is not None else None
        return OfferedBuild(command, fit.backend.name) if fit and command else None


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
    command = best.command if best else None
    if not wanted.choices or wanted.unclear is not None:
        return Diagnosis(matches=None, backend=shown, reason=wanted.unclear, command=command)
    asked = " or ".join(dict.fromkeys(choice.backend for choice in wanted.choices))
    reason = f"{version} is the {shown} build; the project asks for {asked} on {platform.key}"
    return Diagnosis(matches=False, backend=shown, reason=reason, command=command)


def _same_build(
    installed: str,
    same: Sequence[OfferedBuild],
    best: OfferedBuild | None,
    wanted: ProjectBuilds,
    here: _Here,
    catalog: Catalog,
) -> Diagnosis:
    """Judge a build that some choice installs: its release may be another one than is locked."""
    chosen = best if best and best.backend in {choice.backend for choice in same} else same[0]
    backends = {choice.backend for choice in same}
    locked = [version for version, backend in wanted.locked if backend in backends]
    matches = True
    reason = hint = None
    other = best if best != chosen else None
    fit = here.fit(chosen)
    able = chosen if fit is None or fit.fits is not False else best
    if locked and installed.partition(" ")[2] not in locked:
        matches = False
        reason = f"{installed} is installed, but uv.lock has {' or '.join(dict.fromkeys(locked))}"
    elif fit is not None and fit.fits is False:
        named = chosen.backend if chosen.backend != PYPI.name else f"PyPI's {fit.backend.name}"
        reason = f"{named} does not run on this machine: {fit.reason}"
    elif wanted.locked and not locked:
        reason = f"uv.lock has no {chosen.backend} build yet"
    else:
        hint = _hint(chosen, other, here, catalog)
    command = able.command if able else None
    return Diagnosis(
        matches=matches, backend=chosen.backend, reason=reason, command=command, hint=hint
    )


def _hint(
    chosen: OfferedBuild, other: OfferedBuild | None, here: _Here, catalog: Catalog
) -> str | None:
    """Name a better build: one of the project, or one for a GPU where this one is for none."""
    if other is not None and here.place(other) < here.place(chosen):
        return f"this machine also fits {other.backend}: run `{other.command}`"
    fit, first = here.fit(chosen), next(iter(here.fits), None)
    if fit is None or first is None or first is fit or not fit.fits:
        return None
    if catalog.maker(fit.backend.accelerator) or not catalog.maker(first.backend.accelerator):
        return None
    added = here.added()
    return f"this machine also fits {added.backend}: run `{added.command}`" if added else None


def _without_label(
    version: str, wanted: ProjectBuilds, platform: Platform, catalog: Catalog
) -> list[str]:
    """Return what a version without a local part may be: PyPI's build, or an index's for macOS."""
    found = [PYPI.name] + [backend for known, backend in wanted.locked if known == version]
    return found + ([catalog.fallback.name] if platform.os == "macos" else [])


def _of_others(
    built: Backend | None, wanted: ProjectBuilds, platform: Platform, catalog: Catalog
) -> list[str]:
    """Return the builds of others that a project has here, and a label may be of.

    They are labelled by the CUDA or ROCm that is inside, or not at all.
    """
    if built in {catalog.fallback, PYPI}:
        return []
    maker = catalog.maker(built.accelerator) if built else None
    names = dict.fromkeys(choice.backend for choice in wanted.choices)
    others = (catalog.backend(name) for name in names if name in catalog.names_of_others)
    return [
        other.name
        for other in others
        if platform.key in catalog.accelerator(other).platforms
        and maker in {None, catalog.maker(other.accelerator)}
    ]


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


def pypi_build(
    installed: str | None, wanted: ProjectBuilds, platform: Platform, catalog: Catalog
) -> Backend | None:
    """Return the build that PyPI gives: of the locked release, else of the one that is there."""
    releases = [version for version, backend in wanted.locked if backend == PYPI.name]
    for text in (*releases, installed or ""):
        try:
            return catalog.pypi_build(Version(Version(text).public), platform)
        except InvalidVersion:
            continue
    return catalog.pypi_build(wanted.newest, platform) if wanted.newest else None
