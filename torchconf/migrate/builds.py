"""Which builds of torch the old files mean: told from labels, indexes, file names and markers."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchconf.migrate.requirement_text import pinned
from torchconf.migrate.told_by_text import (
    conda_build,
    has_torch_of_others,
    label_backend,
    page_of,
    wheel_platforms,
)
from torchconf.model.backends import PYPI, is_nightly, is_pypi, parse_backend
from torchconf.model.markers import may_hold
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import PLATFORMS, Platform

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchconf.catalog import Catalog
    from torchconf.migrate.old import Bound, Need, OldIndex, Platforms, Toolkit
    from torchconf.migrate.roles import Role

__all__ = [
    "BY_NAME",
    "ELSEWHERE",
    "Evidence",
    "Setting",
    "Wish",
    "is_meant",
    "wishes_of",
]

_USUAL = tuple(p for p in PLATFORMS if p.key in {"linux-x86_64", "windows-x86_64", "macos-arm64"})
"""The platforms that a project is for if nothing else is said."""


BY_NAME = "the name of the file"
ELSEWHERE = "elsewhere"
"""The build of an index that is neither PyTorch's nor a mirror of it."""


class Wish(NamedTuple):
    """A build on a platform, and what told it."""

    platform: Platform
    build: str
    """As in a target: `cu121`, or `cuda` for the newest."""
    told_by: str
    guessed: bool
    """The platform is one that nobody named."""
    stands_in: bool = False
    """It is the build for the CPU, because the one that is meant does not exist there."""

    @property
    def target(self) -> str:
        """The target, as `-t` takes it."""
        return f"{self.platform.short}-{self.build}"


class Evidence(NamedTuple):
    """What one file, or one section of it, says about builds."""

    needs: tuple[Need, ...] = ()
    """Of PyTorch's packages."""
    bounds: tuple[Bound, ...] = ()
    indexes: tuple[OldIndex, ...] = ()
    toolkits: tuple[Toolkit, ...] = ()
    platforms: tuple[Platforms, ...] = ()
    admits_previews: bool = False
    """Whether pre-releases are asked for, as by `--pre`."""

    def with_more(self, other: Evidence) -> Evidence:
        """Return what both say, this first."""
        return Evidence(
            self.needs + other.needs,
            self.bounds + other.bounds,
            self.indexes + other.indexes,
            self.toolkits + other.toolkits,
            self.platforms + other.platforms,
            self.admits_previews or other.admits_previews,
        )


class Setting(NamedTuple):
    """One choice of a build: what its own file says, and what the files say that it includes."""

    role: Role
    own: Evidence
    around: Evidence = Evidence()
    otherwise: str = PYPI.name
    """The build if nothing is said."""


def _family(word: str, catalog: Catalog) -> tuple[str, str]:
    """Return what `cuda12` consists of; both are empty for a backend, the number for `cuda`."""
    for known in catalog.accelerators:
        if found := re.fullmatch(rf"{known.name}([0-9]*)", word):
            return known.name, found[1]
    return "", ""


def is_meant(word: str, build: str, catalog: Catalog) -> bool:
    """Tell whether a build is what a toolkit's word means: `cu126` is for `cuda` and `cuda12`."""
    accelerator, major = _family(word, catalog)
    backend = parse_backend(build, catalog.accelerators)
    if word == build or backend is None or not accelerator:
        return word == build
    return backend.accelerator == accelerator and major in {"", str(backend.version[0])}


def wishes_of(setting: Setting, catalog: Catalog) -> tuple[Wish, ...]:
    """Return the builds that a choice means, one for each platform that it is for."""
    return tuple(_Reading(setting, catalog).wishes())


class _Reading:
    def __init__(self, setting: Setting, catalog: Catalog) -> None:
        self.setting = setting
        self.catalog = catalog
        self.main = catalog.main_package

    def wishes(self) -> Iterator[Wish]:
        platforms, named = self._platforms()
        for platform in platforms:
            if not self._is_needed(platform):
                continue
            build, told_by = self._build(platform)
            fitting = self._fitting(build, platform)
            yield Wish(platform, fitting, told_by, not named, stands_in=fitting != build)

    def _platforms(self) -> tuple[Sequence[Platform], bool]:
        if self.setting.role.kind == "platform":
            return [p for p in PLATFORMS if p.key == self.setting.role.name], True
        for evidence in (self.setting.own, self.setting.around):
            keys = {key for item in evidence.platforms for key in item.platforms}
            keys |= {key for need in evidence.needs for key in wheel_platforms(need.url)}
            if keys:
                return [p for p in PLATFORMS if p.key in keys], True
        markers = " ".join(need.marker for need in self.setting.own.needs)
        more = {p.key for p in PLATFORMS if p not in _USUAL and _names(markers, p)}
        usual = {platform.key for platform in _USUAL}
        served = [
            self._served(build)
            for evidence in (self.setting.own, self.setting.around)
            for build, _ in self._index_builds(evidence)
        ]
        # An index for none of the usual platforms, as for a Jetson, is for its own.
        special = {key for keys in served if usual.isdisjoint(keys) for key in keys}
        named = bool(special) and not more and all(map(usual.isdisjoint, served))
        found = special if named else usual | more | special
        return [p for p in PLATFORMS if p.key in found], named

    def _is_needed(self, platform: Platform) -> bool:
        """Tell whether torch is needed on a platform: no marker leaves it out."""
        for evidence in (self.setting.own, self.setting.around):
            needs = [n for n in evidence.needs if canonicalize_name(n.name) == self.main]
            if needs:
                return any(_holds(need.marker, platform) for need in needs)
        return True

    def _build(self, platform: Platform) -> tuple[str, str]:
        """Return the build that is meant for a platform, and what tells it."""
        own, around, role = self.setting.own, self.setting.around, self.setting.role
        first = self._from_pins(own, platform) or self._from_indexes(own, platform)
        if first:
            return first
        if role.kind == "build":
            return role.name, BY_NAME
        second = self._from_pins(around, platform) or self._from_indexes(around, platform)
        return second or (self.setting.otherwise, "")

    def _from_pins(self, evidence: Evidence, platform: Platform) -> tuple[str, str] | None:
        needs = [need for need in evidence.needs if _holds(need.marker, platform)]
        # Torch speaks first.
        needs.sort(key=lambda need: canonicalize_name(need.name) != self.main)
        for need in needs:
            if label := label_backend(need.label, self.catalog):
                return label, f"`{need.text}`"
            if build := self._of_url(need.url):
                return build, f"`{need.text}`"
        for bound in evidence.bounds:
            label = label_backend(bound.label, self.catalog)
            if label and _holds(bound.marker, platform):
                return label, f"`{bound.text}`"
        for need in needs:
            if build := self._of_source(need.source) or conda_build(need.build):
                return build, f"`{need.text}`"
            if platform.os != "macos" and self._was_found_on_pypi(need, evidence):
                return PYPI.name, f"`{need.text}`"
        return None

    def _was_found_on_pypi(self, need: Need, evidence: Evidence) -> bool:
        """Tell whether a program has pinned torch without a label: then it is PyPI's.

        On a Mac no release has a label. Where the file that was compiled names a build, that says
        more than the machine that somebody compiled it on.
        """
        is_main = canonicalize_name(need.name) == self.main
        if not (need.via and is_main and pinned(need.specifier)):
            return False
        others = (index for index in evidence.indexes if index.at.file != need.at.file)
        return all(self._of_url(index.url) in {"", PYPI.name} for index in others)

    def _of_source(self, source: str) -> str:
        """Return the build of the index that a need names, by its name or its URL."""
        known = (*self.setting.own.indexes, *self.setting.around.indexes)
        urls = [index.url for index in known if index.name == source] if source else []
        return next(filter(None, map(self._of_url, [source, *urls])), "")

    def _of_url(self, url: str) -> str:
        if not url:
            return ""
        url = self.catalog.real(url)
        if is_pypi(url):
            return PYPI.name
        if is_nightly(url) and not self._means_nightly():
            return ""
        backend = self.catalog.backend_of_url(url)
        return backend.name if backend else ""

    def _means_nightly(self) -> bool:
        """Tell whether an installer gets its torch from a nightly index.

        A version that is asked for is another one, and beside PyPI a stable release goes first.
        """
        sides = (self.setting.own, self.setting.around)
        builds = [
            index
            for side in sides
            for index in side.indexes
            if self.catalog.backend_of_url(index.url) is not None
        ]
        lines: list[Need | Bound] = [need for side in sides for need in side.needs]
        lines += [bound for side in sides for bound in side.bounds]
        asked = (one.specifier for one in lines if canonicalize_name(one.name) == self.main)
        nightly = [index for index in builds if is_nightly(self.catalog.real(index.url))]
        in_place = any(index.kind in {"index", "explicit"} for index in nightly)
        return (
            (in_place or any(side.admits_previews for side in sides))
            and len(nightly) == len(builds)
            and not any(asked)
        )

    def _from_indexes(self, evidence: Evidence, platform: Platform) -> tuple[str, str] | None:
        # What is said of some platforms is meant there, whatever is said of all.
        for one in sorted(evidence.toolkits, key=lambda one: not one.marker):
            if _holds(one.marker, platform):
                return self._newest(one.backend, evidence), f"`{one.text}`"
        found = list(self._index_builds(evidence))
        # Of two builds of one release, pip takes the one whose label is the higher.
        there = [each for each in found if platform.key in self._served(each[0])]
        others = [one for one in evidence.indexes if has_torch_of_others(one.url, self.catalog)]
        if found:
            return max(there or found)
        return (ELSEWHERE, f"`{others[0].text}`") if others else None

    def _index_builds(self, evidence: Evidence) -> Iterator[tuple[str, str]]:
        """Yield the build of each index that may serve torch, and what names it."""
        for index in evidence.indexes:
            if index.kind == "explicit" and not self._serves_torch(index):
                continue  # It counts only for what names it.
            page = page_of(index.url, self.catalog)
            backend = page.backend if page else self._of_url(index.url)
            if backend and backend != PYPI.name:
                yield backend, f"`{index.text}`"

    def _served(self, build: str) -> tuple[str, ...]:
        """Return the platforms for which there ever was such a build, for any version."""
        backend = parse_backend(build, self.catalog.everything)
        return self.catalog.accelerator(backend).platforms if backend else ()

    def _newest(self, word: str, evidence: Evidence) -> str:
        """Return the backend that `cuda12` means: the newest that has the newest torch."""
        accelerator, major = _family(word, self.catalog)
        if not major:
            return word
        asked = SpecifierSet()
        for need in evidence.needs:
            if canonicalize_name(need.name) == self.main:
                asked &= SpecifierSet(need.specifier)
        backends = [b for b in self.catalog.newest_first(accelerator) if str(b.version[0]) == major]
        for release in asked.filter(self.catalog.releases):
            for backend in backends:
                if self.catalog.carries(self.main, release, backend):
                    return backend.name
        return accelerator

    def _serves_torch(self, index: OldIndex) -> bool:
        """Tell whether an index is said to be that of torch."""
        return any(fnmatchcase(self.main, pattern.lower()) for pattern in index.packages)

    def _fitting(self, build: str, platform: Platform) -> str:
        """Return a build, or the one for the CPU where its accelerator has none for a platform."""
        if build in {PYPI.name, ELSEWHERE}:
            return build
        backend = parse_backend(build, self.catalog.everything)
        name = backend.accelerator if backend else build
        for known in self.catalog.everything:
            if known.name == name and platform.key in known.platforms:
                return build
            if known.name == name and known.channel:
                return f"{self.catalog.fallback.name}-{known.channel}"
        return self.catalog.fallback.name


def _holds(marker: str, platform: Platform) -> bool:
    if not marker:
        return True
    try:
        return may_hold(Marker(marker), platform)
    except InvalidMarker:
        return True


def _names(markers: str, platform: Platform) -> bool:
    """Tell whether markers name the machine of a platform that is none of the usual ones."""
    return platform.platform_machine in markers and not platform.is_usual
