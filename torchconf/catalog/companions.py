"""What goes with torch: companions that fit it, triton packages, what needs its CUDA, or torch."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from packaging.version import Version

from torchconf.catalog.recorded import as_range
from torchconf.catalog.wheels import Answer, Wheels
from torchconf.model.backends import PYPI, Backend
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import lowest_named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.specifiers import SpecifierSet

    from torchconf.model.targets import Platform


class Triton(NamedTuple):
    """The triton package that an accelerator's torch needs, from the same index."""

    name: str
    bound: str | None
    """A version that this torch and every later one under the same name is above, or None."""
    pin: str | None
    """The version that this very torch pins, if a lockfile showed it."""
    marker: str | None = None
    """Where torch needs it, if not wherever the build is."""


class CudaMajor(NamedTuple):
    """A package that needs CUDA libraries of one major version."""

    name: str
    extra: str | None
    """The extra that brings them; None for the package itself."""
    versions: str | None
    """The releases that need these; None for all."""
    major: int
    platforms: tuple[str, ...] = ()
    """Where it has such a build, as far as anybody knows."""
    word: str = ""
    """What `--with` takes for it, whichever the major is: `cupy`; empty where it takes nothing."""
    python: str = ""
    """The lowest Python that its bound leaves a release for; empty where it excludes none."""

    @property
    def text(self) -> str:
        """Return a requirement of it, with the releases that are for this major."""
        extra = f"[{self.extra}]" if self.extra else ""
        return f"{self.name}{extra}{self.versions or ''}"


class Companions(Wheels):
    """What is known of packages beside torch."""

    @lru_cache(maxsize=256)  # noqa: B019 - there is one catalog
    def companions(self, package: str, release: Version) -> tuple[Version, ...] | None:
        """Return the releases of a companion that fit a torch release, newest first.

        None means that any release may do: the package states no torch, or its releases for a torch
        as old as this one were not recorded.
        """
        table = self._data["companions"].get(package)
        if table is None or release < self.first_paired(package):
            return None
        return tuple(
            Version(version)
            for version, needs, _ in table
            if needs and as_range(needs).contains(release, prereleases=True)
        )

    @lru_cache(maxsize=16)  # noqa: B019 - there is one catalog
    def first_paired(self, package: str) -> Version:
        """Return the oldest torch that a recorded release of a companion states."""
        stated = (
            lowest_named(as_range(needs)) for _, needs, _ in self._data["companions"][package]
        )
        return min(filter(None, stated), default=Version("0"))

    def torch_of(self, package: str, version: Version) -> SpecifierSet | None:
        """Return the range of torch that a companion release fits; None where nobody has said."""
        for known, needs, _ in self._data["companions"].get(package, ()):
            if needs and Version(known) == version:
                return as_range(needs)
        return None

    def is_bound(self, package: str) -> bool:
        """Tell whether releases of a companion work with some torch only: they fail with others."""
        return bool(self.pairs(package)) and self._data["companions"][package][0][2] is not None

    def leaves_torch_open(self, package: str, version: Version) -> bool:
        """Tell whether a newer release of a companion fits this torch as far as its metadata say.

        Such a release states no torch, so nothing but an upper bound keeps an installer from it.
        """
        return any(
            not stated and Version(other) > version
            for other, _, stated in self._data["companions"].get(package, ())
        )

    def fits(self, package: str, version: Version, release: Version) -> Answer:
        """Say whether a companion release works with a torch release.

        Its metadata say so, or its authors elsewhere: `facts/fits.json` has the evidence.
        """
        for known, needs, stated in self._data["companions"].get(package, ()):
            if needs and Version(known) == version:
                if as_range(needs).contains(release, prereleases=True):
                    return Answer.YES
                return Answer.UNKNOWN if stated is None else Answer.NO
        return Answer.UNKNOWN

    @lru_cache(maxsize=64)  # noqa: B019 - there is one catalog
    def pairs(self, package: str) -> tuple[tuple[Version, SpecifierSet, bool], ...]:
        """Return the releases of a companion that work with some torch only, newest first.

        Each with the torch that it fits, and whether its own metadata say so, so that an installer
        heeds it. Those that may work with other torches as well are left out.
        """
        return tuple(
            (Version(version), as_range(needs), stated)
            for version, needs, stated in self._data["companions"].get(package, ())
            if needs and stated is not None
        )

    def triton(self, backend: Backend, release: Version) -> Triton | None:
        """Return the triton package that this backend's torch needs as a direct requirement."""
        entry = self._data["accelerators"].get(backend.accelerator, {})
        for rule in entry.get("triton", ()):
            if as_range(rule["torch"]).contains(release, prereleases=True):
                pin = entry["triton_pins"].get(str(release))
                return Triton(rule["name"], rule["bound"], pin, rule.get("marker"))
        return None

    def triton_range(self, release: Version, backend: Backend | None) -> SpecifierSet | None:
        """Return which `triton` a CUDA build of a torch release requires on Linux, if known.

        None as the backend stands for PyPI's build.
        """
        entry = self._release(release)
        pin: str | None = entry.get("triton")
        if pin is None or (backend and backend.name in entry.get("triton_unknown", ())):
            return None
        return as_range(pin)

    def serves(self, url: str, package: str) -> bool | None:
        """Tell whether an index has any release of a package; None where nobody knows.

        PyTorch's own indexes are known, PyPI, and publishers that have nothing of the kind. What a
        mirror leaves out, nobody has looked at.
        """
        url = self.real(url)
        cells = self._data["wheels"].get(package, {}).values()
        if self.build_of_index(url) is PYPI:
            # Its listing of the family is complete.
            return package not in self.family or any(PYPI.name in each for each in cells)
        if package in self.family and self.publisher(url) == "":
            return False
        name = url.rstrip("/").removeprefix(f"{self.base_url}/")
        backend = self.backend(name) if self.is_known(name) else None
        pins = (self.triton(backend, release) for release in self.releases if backend)
        # What the torch of an index pins comes from there, whether or not anybody saw it.
        if any(name in each for each in cells) or any(pin and pin.name == package for pin in pins):
            return True
        return None

    def pypi_build(self, release: Version, platform: Platform) -> Backend | None:
        """Say which backend PyPI's own wheel of a torch release is, if known."""
        name = self._release(release).get("pypi", {}).get(platform.key)
        there = self.seen(self.main_package, release, PYPI, platform)
        return self.backend(name) if name and there else None

    def cuda_of(
        self, backend: Backend, release: Version | None, platform: Platform
    ) -> tuple[int, ...]:
        """Return the CUDA of a build, `(13, 0)`; empty where it has none, or nobody knows.

        Args:
            backend: The build; PyPI's is another one in each release.
            release: Of torch; None for the newest.
            platform: The machine.
        """
        if backend is PYPI or backend == PYPI:
            found = self.pypi_build(release or self.releases[0], platform)
        else:
            found = self.plain(backend)
        return found.version if found is not None and found.accelerator == "cuda" else ()

    @cached_property
    def cuda_majors(self) -> tuple[CudaMajor, ...]:
        """The packages beside PyTorch's that need CUDA libraries of one major version."""
        return tuple(
            CudaMajor(
                one["name"],
                one.get("extra"),
                one.get("versions"),
                one["major"],
                tuple(one.get("platforms", ())),
                one.get("word", ""),
                one.get("python", ""),
            )
            for one in self._data["cuda_majors"]
        )

    @cached_property
    def cuda_names(self) -> frozenset[str]:
        """The names of these packages."""
        return frozenset(one.name for one in self.cuda_majors)

    @cached_property
    def cuda_words(self) -> Mapping[str, None]:
        """What `--with` takes for them, whichever the CUDA is."""
        return {one.word: None for one in self.cuda_majors if one.word}

    @property
    def without_cuda(self) -> Mapping[str, str]:
        """What takes the place of such packages where there is no CUDA, by their word."""
        found: dict[str, str] = self._data["cuda_plain"]
        return found

    @cached_property
    def dependents(self) -> Mapping[str, frozenset[str]]:
        """Packages known to need torch or a companion by themselves: name to what they need."""
        found = {name: frozenset(needs) for name, needs in self._data["dependents"].items()}
        for package, table in self._data["companions"].items():
            if all(stated for _, _, stated in table):
                found[package] = found.get(package, frozenset()) | {self.main_package}
        return found

    @cached_property
    def changing_dependents(self) -> Mapping[str, tuple[tuple[Version, bool], ...]]:
        """Companions of which some releases need torch: each release, newest first, and whether."""
        return {
            package: tuple((Version(version), bool(stated)) for version, _, stated in table)
            for package, table in self._data["companions"].items()
            if len({bool(stated) for _, _, stated in table}) > 1
        }
