"""What the catalog knows not to be there. Unknown is not missing, and reports nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from torchconf.catalog import Answer
from torchconf.model.backends import is_nightly
from torchconf.model.ranges import admits_from, admits_newer, overlaps, public
from torchconf.model.requirements import next_minor
from torchconf.model.targets import SHOWN_PLATFORMS
from torchconf.rules.fixes import draft_of, limited_to_wheels, wheel_marker, without_wheels
from torchconf.rules.installed_builds import served_requirements
from torchconf.rules.rule import MARKERS_MAKE_SENSE, Finding, Fix, Premise, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from torchconf.catalog import Catalog
    from torchconf.model.backends import Backend
    from torchconf.model.project import Requirement, Source
    from torchconf.model.targets import Platform
    from torchconf.rules.context import Context

__all__ = ["RULES"]

# The packages of which every index carries every release.
_SURE = ("torch", "torchvision", "torchaudio")


def _there(
    context: Context,
    source: Source,
    backend: Backend,
    requirement: Requirement,
    platforms: Iterable[Platform],
) -> bool:
    """Tell whether some release of a range is, or may be, on an index for one of the platforms."""
    catalog = context.catalog
    package = source.package
    specifier = public(requirement.specifier)
    labels = {
        part.version.partition("+")[2] for part in requirement.specifier if "+" in part.version
    }
    if labels and all(
        label != backend.name for label in labels if catalog.backend(label).accelerator
    ):
        known = [label for label in labels if catalog.backend(label).accelerator]
        if known and backend != catalog.fallback:
            return False
    return any(_has_release(catalog, package, specifier, backend, p) for p in platforms)


# Two rules ask for the same, and so do projects that are checked together.
@lru_cache(maxsize=4096)
def _has_release(
    catalog: Catalog, package: str, specifier: SpecifierSet, backend: Backend, platform: Platform
) -> bool:
    """Tell whether some release of a range is, or may be, on an index for one platform."""
    last = catalog.ended(backend)
    versions = catalog.versions(package)
    if not versions or (last is None and admits_newer(specifier, max(versions))):
        return True
    inside = [version for version in versions if specifier.contains(version, prereleases=True)]
    if not inside and package != catalog.main_package and overlaps(specifier, f"<{max(versions)}"):
        return True  # Of an old companion, nobody may have seen a wheel.
    return any(
        catalog.available(package, version, backend, platform, python) is not Answer.NO
        for version in inside
        for python in (catalog.release_pythons(version) or catalog.pythons)
    )


def _judged(context: Context) -> Iterator[tuple[Source, Backend, list[Requirement]]]:
    """Yield the sources of which the catalog can say something."""
    for source in context.family_sources:
        backend = context.source_backend(source)
        index = context.index_of(source)
        if backend is None or index is None or source.package not in _SURE:
            continue
        url = context.catalog.real(index.url)
        parts = url.lower().split("/")
        if is_nightly(url) or "test" in parts or not context.catalog.is_known(backend.name):
            continue
        yield source, backend, list(served_requirements(context, source))


class VersionNotOnIndex(Rule):
    """The index of a source has no release in the requested range."""

    code = "TC110"
    name = "version-not-on-index"
    severity = Severity.ERROR
    reference = "https://pytorch.org/get-started/previous-versions/"
    breaks = Premise.RELEASE

    def check(self, context: Context) -> Iterator[Finding]:
        """Hold each source against the ranges that it counts for."""
        for source, backend, requirements in _judged(context):
            for one in requirements:
                platforms = context.platforms(source.marker, one.marker) & context.locked
                platforms = platforms - without_wheels(context, backend)
                if not platforms or not one.specifier:
                    continue
                if _there(context, source, backend, one, platforms):
                    continue
                catalog = context.catalog
                first, last = catalog.first_seen(source.package, backend), catalog.ended(backend)
                known = f"from {first}" if first else ""
                known += f" to {last}" if last else " on" if first else ""
                yield self.finding(
                    source.path,
                    f"index `{source.value}` ({backend.title}) has no `{source.package}"
                    f"{one.specifier}`" + (f": it has {source.package} {known}" if known else ""),
                    help="use another index for this range, or another range for this index",
                )
                break


class EndedIndex(Rule):
    """An index no longer receives new torch releases."""

    code = "TC111"
    name = "ended-index"
    severity = Severity.INFO
    reference = "https://github.com/pytorch/pytorch/blob/main/RELEASE.md"
    requires = (Premise.USED_INDEX,)

    def check(self, context: Context) -> Iterator[Finding]:
        """Report the indexes of lines that have ended, where torch may go on without them."""
        ranges: list[SpecifierSet] | None = None
        # An index of somebody else's packages may be named after a backend, too.
        routed = {id(context.index_of(source)) for source in context.family_sources}
        host = context.catalog.base_url.rpartition("/")[0]
        for index in context.pytorch_indexes:
            backend = context.backend(index)
            last = context.catalog.ended(backend) if backend else None
            url = context.catalog.real(index.url)
            if backend is None or last is None or is_nightly(url):
                continue
            if id(index) not in routed and not url.startswith(host):
                continue
            after = next_minor(Version(last))
            ranges = self._ranges(context) if ranges is None else ranges
            if ranges and not any(admits_from(each, after) for each in ranges):
                continue
            yield self.finding(
                index.path,
                f"{backend.title} ended with torch {last}: this index has no newer release",
            )

    def _ranges(self, context: Context) -> list[SpecifierSet]:
        """Return the ranges in which the project and the members ask for torch."""
        main = canonicalize_name(context.catalog.main_package)
        base = SpecifierSet()
        for one in context.project.dependencies:
            if one.name == main and one.marker is None:
                base &= public(one.specifier)
        return [
            public(one.specifier) & base
            for project in (context.project, *context.workspace.members)
            for one in project.requirements()
            if one.name == main
        ]


class NoWheelsThere(Rule):
    """A source applies on a platform for which its index has no wheels."""

    code = "TC406"
    name = "no-wheels-there"
    severity = Severity.WARNING
    reference = "https://pytorch.org/get-started/locally/"
    fixes = "unsafe"
    requires = (*MARKERS_MAKE_SENSE, Premise.MACOS, Premise.RELEASE)

    def check(self, context: Context) -> Iterator[Finding]:
        """Report platforms without wheels; as information where the system as a whole has some."""
        for source, backend, requirements in _judged(context):
            if backend == context.catalog.fallback or (
                source.marker is None and self._scoped(source)
            ):
                continue
            never = without_wheels(context, backend)
            missing: list[Platform] = []
            for platform in (*SHOWN_PLATFORMS, *sorted(context.named - {*SHOWN_PLATFORMS})):
                if platform not in context.locked or platform.os == "macos":
                    continue
                asked = [
                    one
                    for one in requirements
                    if platform in context.platforms(source.marker, one.marker)
                ]
                if asked and (
                    platform in never
                    or not any(_there(context, source, backend, one, (platform,)) for one in asked)
                ):
                    missing.append(platform)
            if not missing:
                continue
            served_ = [p.os for p in SHOWN_PLATFORMS if p not in never and p not in missing]
            whole = [p for p in missing if p.os not in served_]
            grave = bool(whole) or bool(context.declared.intersection(missing))
            yield self.finding(
                source.path if source.marker is None else (*source.path, "marker"),
                f"{backend.title} has no wheels of `{source.package}` for "
                f"{', '.join(platform.key for platform in missing)}",
                help="exclude the platform in the marker" if source.marker else "add a marker",
                severity=None if grave else Severity.INFO,
                fix=self._fix(context, source, backend, missing),
            )

    def _scoped(self, source: Source) -> bool:
        """Whether an extra or a group chooses it: one does so on a machine that has the build."""
        return source.extra is not None or source.group is not None

    def _fix(
        self, context: Context, source: Source, backend: Backend, missing: Sequence[Platform]
    ) -> Fix | None:
        if wheel_marker(context, backend) is None or not set(missing) <= without_wheels(
            context, backend
        ):
            return None
        marker = limited_to_wheels(context, source.marker, source.raw_marker, backend)
        draft = draft_of(context)
        draft.put((*source.path, "marker"), marker, "no wheels are published for other platforms")
        if not draft.steps:
            return None
        return Fix(f"set its marker to `{marker}`", tuple(draft.steps), safe=False)


RULES: tuple[type[Rule], ...] = (
    VersionNotOnIndex,
    EndedIndex,
    NoWheelsThere,
)
"""The rules of this family, by code."""
