"""Sources: which packages have one, which lack one, and whether siblings agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.lockfile import locked_builds
from torchconf.rules.builds import (
    BASE,
    build_of,
    counting,
    family_places,
    lists,
    source_entries,
    spoken_platforms,
    without_scopes,
)
from torchconf.rules.mending import UV, draft_of, put_entries, servable, without_wheels
from torchconf.rules.rule import Finding, Fix, Rule, Severity
from torchconf.targets import SHOWN_PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.utils import NormalizedName

    from torchconf.backends import Backend
    from torchconf.project import Project, Requirement, Source
    from torchconf.rules.subject import Place, Subject
    from torchconf.targets import Platform

__all__ = ["RULES"]


def names_in_builds(project: Project) -> set[str]:
    """Return the packages that are needed to build this project, or others for it."""
    system = project.data.get("build-system")
    lines = system.get("requires") if isinstance(system, dict) else None
    extra = project.uv.get("extra-build-dependencies")
    found = [*lines] if isinstance(lines, list) else []
    for listed in extra.values() if isinstance(extra, dict) else ():
        found += [
            entry.get("requirement") if isinstance(entry, dict) else entry
            for entry in (listed if isinstance(listed, list) else ())
        ]
    return {canonicalize_name(_head(line)) for line in found if isinstance(line, str)}


def _head(line: str) -> str:
    # Imported here: few projects build with PyTorch.
    import re

    match = re.match(r"\s*([A-Za-z0-9._-]+)", line)
    return match[1] if match else ""


class SourceForIndirect(Rule):
    """A package has a source, and no dependency list names it.

    uv finds a source through a requirement of the project: a dependency, an extra, a group, an
    override, or a constraint with a version. Without one, the package comes from PyPI when another
    package brings it.

    Bad:
        [project]
        dependencies = ["accelerate"]

        [tool.uv.sources]
        torch = { index = "pytorch-cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

    Good:
        [project]
        dependencies = ["accelerate", "torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true
    """

    code = "TC201"
    name = "source-for-indirect"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report family packages with an unscoped index source that no requirement leads to."""
        project = subject.project
        is_root = project is subject.whole.root
        readers = (project, *subject.whole.members) if is_root else (project,)
        if any({"dependencies", "optional-dependencies"} & one.dynamic for one in readers):
            return
        named = {one.name for reader in readers for one in reader.requirements()}
        for one in (*project.workspace.constraint_dependencies,):
            if one.specifier or one.url:
                named.add(one.name)
        named.update(one.name for one in project.workspace.override_dependencies)
        for reader in readers:
            named.update(map(canonicalize_name, names_in_builds(reader)))
        for package in dict.fromkeys(source.package for source in subject.family_sources):
            sources = project.sources[package]
            scoped = any(source.extra or source.group for source in sources)
            if package in named or scoped or not any(s.kind == "index" for s in sources):
                continue
            yield self.finding(
                sources[0].at.split("[")[0],
                f"`{package}` has a source, and no dependency list names it: it has no effect",
                help="make it a dependency, or constrain it to a version",
                fix=self._constrained(subject, package) if is_root else None,
            )

    def _constrained(self, subject: Subject, package: NormalizedName) -> Fix:
        draft = draft_of(subject)
        draft.insert((*UV, "constraint-dependencies"), f"{package}>=0", "now its source counts")
        title = f"constrain it (`{package}>=0`), so that its source holds wherever it comes along"
        return Fix(title, tuple(draft.steps), safe=False)


class SiblingWithoutSource(Rule):
    """Torch comes from one of PyTorch's indexes, and a package beside it from PyPI.

    What torchvision, torchaudio and the others bring in binary form fits just one build of torch.
    Their requirement on torch does not say which, so uv locks the mixture without a word, and the
    import fails.

    Bad:
        [project]
        dependencies = ["torch", "torchvision"]

        [tool.uv.sources]
        torch = { index = "pytorch-cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

    Good:
        [project]
        dependencies = ["torch", "torchvision"]

        [tool.uv.sources]
        torch = { index = "pytorch-cpu" }
        torchvision = { index = "pytorch-cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true
    """

    code = "TC202"
    name = "sibling-without-source"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/#using-a-pytorch-index"
    fixes = "safe"
    yields_to = ("TC207",)

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Compare the places that ask for several packages of the family; then the lockfile."""
        told: set[str] = set()
        for place in family_places(subject):
            for pair in _pairs(subject, place):
                if pair.here or pair.requirement.at in told:
                    continue
                told.add(pair.requirement.at)
                yield self.finding(
                    pair.requirement.at,
                    f"`{pair.package}` has no source, next to a `{pair.anchor}` from index "
                    f"`{pair.theirs.value}`",
                    help="give it the sources of torch",
                    fix=_like_anchor(subject, pair),
                )
        yield from self._locked(subject)

    def _locked(self, subject: Subject) -> Iterator[Finding]:
        """Report what nobody declared, and uv has locked from PyPI."""
        main = canonicalize_name(subject.catalog.main_package)
        text = subject.whole.lockfile
        sources = subject.project.sources.get(main)
        if not text or not sources or subject.project is not subject.whole.root:
            return
        routed = [b.registry for b in locked_builds(text, main) if subject.is_pytorch(b.registry)]
        if not routed:
            return
        declared = {
            one.name
            for project in (subject.project, *subject.whole.members)
            for one in project.requirements()
        }
        for package in _siblings(subject):
            builds = locked_builds(text, package)
            if package in declared or not builds:
                continue
            if any(subject.is_pytorch(build.registry) for build in builds):
                continue
            if not any(servable(subject, registry, (package,)) for registry in routed):
                continue
            yield self.finding(
                sources[0].at.split("[")[0],
                f"`{package}` came along and is locked from PyPI, next to a routed `{main}`",
                help=f"make `{package}` a dependency, with the sources of torch",
            )


class SiblingDiffers(Rule):
    """Two packages of PyTorch's family come from different indexes.

    Bad:
        [project]
        dependencies = ["torch", "torchvision"]

        [tool.uv.sources]
        torch = { index = "pytorch-cu130", marker = "sys_platform != 'darwin'" }
        torchvision = { index = "pytorch-cpu" }

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

    Good:
        [project]
        dependencies = ["torch", "torchvision"]

        [tool.uv.sources]
        torch = { index = "pytorch-cu130", marker = "sys_platform != 'darwin'" }
        torchvision = { index = "pytorch-cu130", marker = "sys_platform != 'darwin'" }

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true
    """

    code = "TC203"
    name = "sibling-differs"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/#using-a-pytorch-index"
    fixes = "unsafe"
    yields_to = ("TC205", "TC206", "TC207", "TC401", "TC402", "TC403")

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Compare the sources that count in each place, platform by platform."""
        told: set[str] = set()
        for place in family_places(subject):
            for pair in _pairs(subject, place):
                at = pair.here[0].at.split("[")[0] if pair.here else ""
                if not pair.here or at in told:
                    continue
                told.add(at)
                where = spoken_platforms(pair.platforms)
                yield self.finding(
                    at,
                    f"`{pair.package}` has another source than `{pair.anchor}` on {where}",
                    help="give both the same index, extra or group, and marker",
                    fix=_like_anchor(subject, pair),
                )


class _Pair:
    """A package and the one that it must go along with, where their builds differ."""

    def __init__(
        self,
        anchor: NormalizedName,
        package: NormalizedName,
        requirement: Requirement,
        there: tuple[Source, ...],
        here: tuple[Source, ...],
        platforms: tuple[Platform, ...],
        theirs: Source,
    ) -> None:
        self.anchor = anchor
        self.package = package
        self.requirement = requirement
        self.there = there
        self.here = here
        self.platforms = platforms
        self.theirs = theirs


def _siblings(subject: Subject) -> tuple[NormalizedName, ...]:
    """Return the family without the triton packages, which have rules of their own."""
    catalog = subject.catalog
    return tuple(
        canonicalize_name(package)
        for package in catalog.family
        if package not in catalog.triton_packages
    )


def _pairs(subject: Subject, place: Place) -> Iterator[_Pair]:
    """Yield the packages of a place that another index serves than the one before them."""
    wanted = [
        (package, requirement)
        for package in _siblings(subject)
        if (requirement := _asked(subject, place, package)) is not None
        and requirement.url is None
        and all(source.kind == "index" for source in counting(subject, package, place))
    ]
    routed = [
        (package, requirement)
        for package, requirement in wanted
        if _backends(subject, counting(subject, package, place))
    ]
    if len(wanted) < 2 or not routed:  # noqa: PLR2004 - it takes two to differ
        return
    anchor, anchored = routed[0]
    there = counting(subject, anchor, place)
    for package, requirement in wanted:
        if package == anchor:
            continue
        here = counting(subject, package, place)
        platforms = tuple(
            platform
            for platform in SHOWN_PLATFORMS
            if platform in subject.locked
            and platform in subject.platforms(anchored.marker, requirement.marker)
            and _differ(subject, package, platform, there, here)
        )
        if platforms:
            theirs = _source_on(subject, there, platforms[0]) or there[0]
            yield _Pair(anchor, package, requirement, there, here, platforms, theirs)


def _asked(subject: Subject, place: Place, package: str) -> Requirement | None:
    own = lists(subject, place, package)
    return own if own is not None else lists(subject, BASE, package)


def _backends(subject: Subject, sources: tuple[Source, ...]) -> tuple[Backend, ...]:
    found = (subject.source_backend(source) for source in sources)
    return tuple(backend for backend in found if backend is not None)


def _differ(
    subject: Subject,
    package: NormalizedName,
    platform: Platform,
    there: tuple[Source, ...],
    here: tuple[Source, ...],
) -> bool:
    """Tell whether a package comes from elsewhere than its anchor, which has it, too."""
    theirs = _source_on(subject, there, platform)
    if theirs is None:
        return False
    index = subject.index_of(theirs)
    backend = subject.backend(index)
    if index is None or backend is None or platform in without_wheels(subject, backend):
        return False
    if platform.os == "macos" and backend == subject.catalog.fallback:
        return False  # The wheels of the CPU index are PyPI's there.
    ours = _source_on(subject, here, platform)
    if ours is None:
        return _has_wheels(subject, package, backend, platform)
    other = subject.index_of(ours)
    if other is None or build_of(subject, other) in (None, build_of(subject, index)):
        return False
    return subject.backend(other) == backend or _has_wheels(subject, package, backend, platform)


def _source_on(subject: Subject, sources: tuple[Source, ...], platform: Platform) -> Source | None:
    return next((s for s in sources if platform in subject.platforms(s.marker)), None)


def _has_wheels(
    subject: Subject, package: NormalizedName, backend: Backend, platform: Platform
) -> bool:
    """Tell whether an index is known to carry a package for a platform, in any release."""
    catalog = subject.catalog
    own = f"{catalog.base_url}/{backend.name}"
    if package != catalog.main_package and not catalog.serves(own, package):
        # Torchvision is on every index that torch is on; of the others, only what was seen counts.
        return package == "torchvision"
    return package in (catalog.main_package, "torchvision", "torchaudio") or any(
        catalog.seen(package, version, backend, platform) for version in catalog.versions(package)
    )


def _like_anchor(subject: Subject, pair: _Pair) -> Fix | None:
    """Give a package the sources of its anchor, as far as its extras and groups ask for it."""
    entries = without_scopes(subject, source_entries(subject, pair.anchor), pair.package)
    if not entries:
        return None
    there = [(entry.get("extra"), entry.get("group")) for entry in entries]
    own = source_entries(subject, pair.package)
    kept = [e for e in own if (e.get("extra"), e.get("group")) not in there] if own else []
    draft = draft_of(subject)
    put_entries(draft, subject, pair.package, [*kept, *entries])
    title = f"give `{pair.package}` the sources of `{pair.anchor}`"
    return Fix(title, tuple(draft.steps), safe=not own)


class PlatformFallsToPypi(Rule):
    """A source for an accelerator leaves Linux or Windows to PyPI.

    PyPI's torch is a CUDA build on Linux and a CPU build on Windows, of whichever version is the
    newest. That may be just what is wanted; it is worth knowing.

    Bad:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cu130", marker = "sys_platform == 'linux'" }

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true

    Good:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = [
            { index = "pytorch-cu130", marker = "sys_platform == 'linux'" },
            { index = "pytorch-cpu", marker = "sys_platform != 'linux'" },
        ]

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true
    """

    code = "TC211"
    name = "platform-falls-to-pypi"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/"
    yields_to = ("TC205", "TC206", "TC207", "TC401", "TC402", "TC403")

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Look at torch in each place; a platform that was declared makes it a warning."""
        main = canonicalize_name(subject.catalog.main_package)
        told = set()
        for place in family_places(subject):
            requirement = lists(subject, place, main)
            sources = counting(subject, main, place)
            backends = _backends(subject, sources)
            if requirement is None or requirement.url or not sources:
                continue
            if all(backend == subject.catalog.fallback for backend in backends):
                continue
            left = tuple(
                platform
                for platform in (*SHOWN_PLATFORMS, *(subject.named - {*SHOWN_PLATFORMS}))
                if platform.os != "macos"
                and (platform.is_usual or platform in subject.named)
                and platform in subject.locked & subject.platforms(requirement.marker)
                and _source_on(subject, sources, platform) is None
            )
            at = sources[0].at.split("[")[0]
            if not left or (at, left) in told:
                continue
            told.add((at, left))
            meant = subject.named.intersection(left)
            yield self.finding(
                at,
                f"on {spoken_platforms(left)} no source of `{main}` holds: it comes from PyPI",
                help="add a source for the rest, such as the CPU index, or leave it so",
                severity=Severity.WARNING if meant else None,
            )


class SourceNeverApplies(Rule):
    """The marker of a source and those of its requirements exclude each other.

    Bad:
        [project]
        dependencies = ["torch ; sys_platform == 'darwin'"]

        [tool.uv.sources]
        torch = { index = "pytorch-cu130", marker = "sys_platform == 'linux'" }

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true

    Good:
        [project]
        dependencies = ["torch ; sys_platform == 'linux'"]

        [tool.uv.sources]
        torch = { index = "pytorch-cu130", marker = "sys_platform == 'linux'" }

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true
    """

    code = "TC212"
    name = "source-never-applies"
    severity = Severity.WARNING
    reference = (
        "https://docs.astral.sh/uv/concepts/projects/dependencies/#platform-specific-sources"
    )
    yields_to = ("TC205", "TC206", "TC207", "TC401", "TC402", "TC403")

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Compare the markers of each source with those of the requirements that it counts for."""
        universe = subject.whole.universe
        if universe is None:
            return
        is_root = subject.project is subject.whole.root
        for source in subject.family_sources:
            if source.kind != "index" or source.marker is None:
                continue
            asked = [
                one
                for place, one in _requirements(subject, source.package)
                if source in counting(subject, source.package, place)
            ]
            if is_root:
                asked += [
                    one
                    for member in subject.whole.members
                    for one in member.requirements()
                    if one.name == source.package
                ]
            if asked and not any(
                subject.where(one.marker, source.marker) & universe.supported for one in asked
            ):
                yield self.finding(
                    f"{source.at}.marker",
                    f"no requirement on `{source.package}` holds where this source does",
                    help="correct the marker of one of them",
                )


def _requirements(subject: Subject, package: str) -> Iterator[tuple[Place, Requirement]]:
    for place in subject.places:
        for requirement in subject.flat(place):
            if requirement.name == package:
                yield place, requirement


RULES: tuple[type[Rule], ...] = (
    SourceForIndirect,
    SiblingWithoutSource,
    SiblingDiffers,
    PlatformFallsToPypi,
    SourceNeverApplies,
)
"""The rules of this family, by code."""
