"""What a lock gives each machine: uv's export as pylock.toml, read by packaging's installer logic.

uv asks the Python that it runs for; nobody has six machines, so their markers and wheel tags are
put together here. Source: <https://packaging.python.org/en/latest/specifications/pylock-toml/>.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from packaging.markers import Environment, Marker
from packaging.pylock import Package, PackageSdist, PackageWheel, Pylock, PylockSelectError
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms

from torchconf.errors import UvError
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from torchconf.model.targets import Platform

__all__ = ["Build", "Export", "environment", "tags"]

_SOURCES = frozenset({"wheels", "sdist", "archive", "directory", "vcs"})
_NEWEST_GLIBC = 39
_MACOS = (14, 0)
_PATCHES: tuple[int, ...] = (9, *range(8, -1, -1), *range(10, 40))
"""Of a Python: a late one, else the newest before it, else the first after it."""


class Build(NamedTuple):
    """What one machine gets of a package."""

    version: str | None
    """With its label: `2.13.0+cu130`."""
    wheel: str | None
    """A file name, also that of a source distribution; None where there is nothing to install."""
    registry: str | None
    """The URL of its index; None for what comes from a folder, an archive or a repository."""
    hashes: tuple[str, ...] = ()
    """`sha256:...` of each file that this machine could take; empty if the lock has none."""
    is_missing: bool = False
    """Whether the lock names it for the machine, and has nothing that the machine can install."""
    direct: str | None = None
    """What stands after `name @` for a package from a repository, an archive or a folder."""
    file: str | None = None
    """The URL of the wheel or source distribution itself, or its path in the project."""


@lru_cache(maxsize=128)
def environment(platform: Platform, python: str, patch: int = _PATCHES[0]) -> Environment:
    """Return the marker environment of a machine with one patch of a Python such as `3.12`."""
    known = platform.environment()
    return Environment(
        implementation_name="cpython",
        implementation_version=f"{python}.{patch}",
        os_name=known["os_name"],
        platform_machine=known["platform_machine"],
        platform_release=known.get("platform_release", ""),
        platform_system=known["platform_system"],
        platform_version="",
        python_full_version=f"{python}.{patch}",
        platform_python_implementation="CPython",
        python_version=python,
        sys_platform=known["sys_platform"],
    )


@lru_cache(maxsize=128)
def tags(platform: Platform, python: str) -> tuple[Tag, ...]:
    """Return the tags of the wheels that a machine can install, best first."""
    major, minor = map(int, python.split("."))
    interpreter = f"cp{major}{minor}"
    platforms = list(_platform_tags(platform))
    return (
        *cpython_tags((major, minor), [interpreter], platforms),
        *compatible_tags((major, minor), interpreter, platforms),
    )


@lru_cache(maxsize=128)
def _ranks(platform: Platform, python: str) -> Mapping[Tag, int]:
    """Return the place of each tag among those of a machine; of two alike, the first."""
    return {tag: place for place, tag in reversed([*enumerate(tags(platform, python))])}


def _platform_tags(platform: Platform) -> Iterator[str]:
    if platform.os == "windows":
        yield {"x86_64": "win_amd64", "arm64": "win_arm64"}[platform.machine]
    elif platform.os == "macos":
        yield from mac_platforms(_MACOS, platform.machine)
    else:
        old_names = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
        for minor in range(_NEWEST_GLIBC, 4, -1):
            yield f"manylinux_2_{minor}_{platform.machine}"
            if minor in old_names:
                yield f"{old_names[minor]}_{platform.machine}"
        yield f"linux_{platform.machine}"


class Export:
    """One export: the packages of one choice of extras and groups, for all machines."""

    def __init__(self, text: str, command: str) -> None:
        """Read uv's output.

        Args:
            text: A pylock.toml.
            command: What gave it, for messages.

        Raises:
            UvError: It is none.
        """
        import tomllib

        from packaging.pylock import PylockValidationError

        try:
            data: dict[str, Any] = tomllib.loads(text)
            # Where nothing exists for a platform, uv writes an entry with neither wheels nor
            # source, and packaging rejects the whole file.
            entries: list[dict[str, Any]] = data.get("packages", [])
            self._empty = [
                (str(entry["name"]), entry.get("version"), entry.get("marker"))
                for entry in entries
                if not _SOURCES & entry.keys()
            ]
            data["packages"] = [entry for entry in entries if _SOURCES & entry.keys()]
            _refuse_countless_tags(entries, command)
            self.pylock = Pylock.from_dict(data)
        except (tomllib.TOMLDecodeError, PylockValidationError, KeyError) as error:
            raise UvError(f"cannot read uv's export: {error}", at=command) from error
        self._refusals: dict[tuple[Platform, str], str | None] = {}
        self._wheels: dict[int, list[tuple[PackageWheel, frozenset[Tag]]]] = {}
        self._by_name: dict[str, list[Package]] = {}
        for package in self.pylock.packages:
            self._by_name.setdefault(package.name, []).append(package)

    def names(self) -> tuple[str, ...]:
        """Return the packages, by name."""
        return tuple(sorted({*self._by_name, *(name for name, _, _ in self._empty)}))

    def refusal(self, platform: Platform, python: str) -> str | None:
        """Say why the lock as a whole is not for a machine; None if it is."""
        key = platform, python
        if key not in self._refusals:
            self._refusals[key] = self._refusal(platform, python)
        return self._refusals[key]

    def _refusal(self, platform: Platform, python: str) -> str | None:
        patch = self._patch(python)
        if patch is None:
            wanted = self.pylock.requires_python
            return f"the lockfile requires Python `{wanted}`, not {python}"
        try:
            where = environment(platform, python, patch)
            list(self._only(()).select(environment=where, tags=()))
        except PylockSelectError:
            return f"`environments` excludes {platform.key} on Python {python}"
        return None

    def _patch(self, python: str) -> int | None:
        """Return a patch release that the lock is for: `<3.14.1` leaves 3.14.0."""
        wanted: SpecifierSet | None = self.pylock.requires_python
        if wanted is None:
            return _PATCHES[0]
        return next((patch for patch in _PATCHES if f"{python}.{patch}" in wanted), None)

    def build(self, package: str, platform: Platform, python: str) -> Build | None:
        """Return what a machine gets of one package, or None if it gets none.

        Raises:
            PylockSelectError: The lock has two entries of it for this machine.
        """
        patch = self._patch(python)
        where = environment(platform, python, _PATCHES[0] if patch is None else patch)
        held = [p for p in self._by_name.get(package, ()) if _holds(p.marker, where)]
        if not held:
            for name, version, marker in self._empty:
                if name == package and _holds(Marker(marker) if marker else None, where):
                    return Build(version, None, None, is_missing=True)
            return None
        if len(held) > 1:
            raise PylockSelectError(f"the lock has two entries of {package} for this machine")
        (entry,) = held
        version = None if entry.version is None else str(entry.version)
        # Only what this machine can take: to rank all of its tags for all wheels takes long.
        ranks = _ranks(platform, python)
        usable = [
            (wheel, own) for wheel, known in self._wheels_of(entry) if (own := known & ranks.keys())
        ]
        wheels = [wheel for wheel, _ in usable]
        fitting = sorted({tag for _, own in usable for tag in own}, key=ranks.__getitem__)
        lock = self._only([replace(entry, wheels=wheels) if wheels else entry])
        try:
            for _, source in lock.select(environment=where, tags=fitting):
                return _build(entry, version, source, wheels)
        except PylockSelectError:
            return Build(version, None, entry.index, is_missing=True)
        return None

    def _wheels_of(self, entry: Package) -> list[tuple[PackageWheel, frozenset[Tag]]]:
        """Return the wheels of a package, each with the tags in its name."""
        found = self._wheels.get(id(entry))
        if found is None:
            found = [(wheel, _tags_of(wheel)) for wheel in entry.wheels or ()]
            self._wheels[id(entry)] = found
        return found

    def _only(self, packages: Sequence[Package]) -> Pylock:
        return Pylock(
            lock_version=self.pylock.lock_version,
            environments=self.pylock.environments,
            requires_python=self.pylock.requires_python,
            created_by=self.pylock.created_by,
            packages=packages,
        )


def _refuse_countless_tags(entries: Sequence[Mapping[str, Any]], command: str) -> None:
    """Refuse a lock with a wheel whose name packaging would expand for ever."""
    from torchconf.model.wheel_names import MOST_TAGS, count_tags

    for entry in entries:
        for wheel in entry.get("wheels", ()):
            name = str(wheel.get("name") or wheel.get("url") or wheel.get("path") or "")
            if count_tags(name.rpartition("/")[2]) > MOST_TAGS:
                raise UvError(
                    f"a wheel of {entry['name']} in the lockfile has more than {MOST_TAGS} tags",
                    at=command,
                    help="check the index that it comes from",
                )


def _holds(marker: Marker | None, where: Environment) -> bool:
    points: Mapping[str, str] = {name: str(value) for name, value in where.items()}
    return marker is None or marker.evaluate(
        {**points, "extras": frozenset(), "dependency_groups": frozenset()}, context="lock_file"
    )


def _direct(package: Package) -> str | None:
    if package.vcs is not None:
        place = package.vcs.url or package.vcs.path
        below = f"#subdirectory={package.vcs.subdirectory}" if package.vcs.subdirectory else ""
        return f"{package.vcs.type}+{place}@{package.vcs.commit_id}{below}"
    if package.archive is not None:
        return package.archive.url or package.archive.path
    return package.directory.path if package.directory is not None else None


def _tags_of(wheel: PackageWheel) -> frozenset[Tag]:
    from packaging.utils import InvalidWheelFilename

    from torchconf.model.wheel_names import parse_wheel_name

    try:
        return parse_wheel_name(wheel.filename)[2]
    except InvalidWheelFilename:
        return frozenset()


def _build(
    package: Package, version: str | None, source: object, usable: Sequence[PackageWheel]
) -> Build:
    if not isinstance(source, PackageWheel | PackageSdist):
        return Build(version, None, None, direct=_direct(package))
    files: list[PackageWheel | PackageSdist] = [*usable]
    if package.sdist is not None:
        files.append(package.sdist)
    found = [f"{name}:{value}" for each in files for name, value in sorted(each.hashes.items())]
    file = source.url or source.path
    return Build(version, source.filename, package.index, tuple(dict.fromkeys(found)), file=file)
