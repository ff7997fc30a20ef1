"""Packages that need CUDA libraries, and of which major version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchconf.model.backends import is_pypi
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import SHOWN_PLATFORMS
from torchconf.model.uv_lock import locked_builds
from torchconf.resolve.cuda import entries_of, pypi_cuda
from torchconf.rules.installed_builds import (
    BASE,
    applied_sources,
    build_of,
    reachable_range,
    source_on,
)
from torchconf.rules.rule import Finding, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchconf.catalog import CudaMajor
    from torchconf.model.project import Requirement
    from torchconf.model.targets import Platform
    from torchconf.model.toml_path import Path
    from torchconf.rules.context import Context, Place

__all__ = ["RULES"]


class _Need(NamedTuple):
    """A requirement, and the CUDA majors that its releases need, those of the newest first."""

    requirement: Requirement
    majors: tuple[int, ...]


class MixedCuda(Rule):
    """Packages of one installation need CUDA libraries of different major versions."""

    code = "TC513"
    name = "mixed-cuda"
    severity = Severity.WARNING
    reference = "https://docs.nvidia.com/deploy/cuda-compatibility/"

    def check(self, context: Context) -> Iterator[Finding]:
        """Compare torch, and then the other packages, with what stands beside them."""
        known = context.catalog.cuda_names
        if not any(one.name in known for _, one in context.requirements):
            return
        reported: set[Path] = set()
        for place in context.places:
            for platform in SHOWN_PLATFORMS:
                if platform.os == "macos" or platform not in context.locked:
                    continue
                needs = self._needs(context, place, platform)
                torch = self._torch(context, place, platform)
                first = torch or next(((one, n.majors[0]) for one, n in _named(needs)), None)
                for need in needs if first else ():
                    one = need.requirement
                    said, major = first or ("", 0)
                    if need.majors == (major,) or one.path in reported:
                        continue
                    reported.add(one.path)
                    yield self._finding(need, said, major)

    def _finding(self, need: _Need, said: str, major: int) -> Finding:
        one = need.requirement
        name = one.raw.partition(";")[0].strip()
        if major in need.majors[1:]:
            return self.finding(
                one.path,
                f"`{name}` leads to a release for CUDA {need.majors[0]}, but {said} is for "
                f"CUDA {major}",
                help="allow only releases for the same CUDA: otherwise one of the packages may run "
                "on the CPU",
            )
        if major == need.majors[0]:
            other = next(each for each in need.majors if each != major)
            return self.finding(
                one.path,
                f"`{name}` allows releases for CUDA {other}, but {said} is for CUDA {major}",
                help="allow only releases for the same CUDA",
                severity=Severity.INFO,
            )
        return self.finding(
            one.path,
            f"`{name}` is for CUDA {need.majors[0]}, but {said} is for CUDA {major}",
            help="use packages for the same CUDA: otherwise one of them may run on the CPU",
        )

    def _needs(self, context: Context, place: Place, platform: Platform) -> list[_Need]:
        found: list[_Need] = []
        for one in dict.fromkeys((*context.flat(BASE), *context.flat(place))):
            if one.name not in context.catalog.cuda_names:
                continue
            from_pypi = self._is_from_pypi(context, one, place, platform)
            rows = entries_of(one, platform, context.catalog, from_pypi=from_pypi)
            locked = _locked_majors(context, one, rows)
            majors = tuple(dict.fromkeys((*locked, *(row.major for row in rows))))
            if majors and platform in context.platforms(one.marker):
                found.append(_Need(one, majors))
        return found

    def _is_from_pypi(
        self, context: Context, one: Requirement, place: Place, platform: Platform
    ) -> bool:
        source = source_on(context, applied_sources(context, one.name, place), platform)
        index = context.index_of(source) if source else None
        return source is None or (index is not None and is_pypi(context.catalog.real(index.url)))

    def _torch(self, context: Context, place: Place, platform: Platform) -> tuple[str, int] | None:
        """Return the words for the torch of a place, and its CUDA; None without or if unknown."""
        catalog = context.catalog
        main = canonicalize_name(catalog.main_package)
        one = context.first_requirement(place, main) or context.first_requirement(BASE, main)
        if one is None or one.url or platform not in context.platforms(one.marker):
            return None
        source = source_on(context, applied_sources(context, main, place), platform)
        if source is not None and source.kind != "index":
            return None
        if source is None or build_of(context, context.index_of(source)) == "":
            inside = reachable_range(context, place, one)
            newest, version = pypi_cuda(inside, platform, catalog)
            return (f"PyPI's torch {newest}", int(version.partition(".")[0])) if version else None
        backend = context.source_backend(source)
        if backend is None or backend.accelerator != "cuda":
            return None
        return f"torch from `{source.value}`", backend.version[0]


def _locked_majors(context: Context, one: Requirement, rows: Sequence[CudaMajor]) -> list[int]:
    """Return the major of what `uv.lock` holds, if it is one: uv keeps that."""
    text = context.workspace.lockfile
    builds = locked_builds(text, one.name) if text and len(rows) > 1 else ()
    found = {
        row.major
        for build in builds
        for row in rows
        if one.specifier.contains(build.version)
        and (row.versions is None or SpecifierSet(row.versions).contains(build.version))
    }
    return [*found] if len(found) == 1 else []


def _named(needs: list[_Need]) -> Iterator[tuple[str, _Need]]:
    for need in needs:
        if len(need.majors) == 1:
            yield f"`{need.requirement.raw.partition(';')[0].strip()}`", need


RULES: tuple[type[Rule], ...] = (MixedCuda,)
"""The rules of this family, by code."""
