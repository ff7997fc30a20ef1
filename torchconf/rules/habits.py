"""What else goes wrong in projects with PyTorch: publishing, lockfiles, settings, builds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from torchconf.backends import is_nightly
from torchconf.lockfile import locked_builds
from torchconf.rules.builds import counting
from torchconf.rules.indexes import named_backend
from torchconf.rules.mending import UV, draft_of
from torchconf.rules.rule import Finding, Fix, Rule, Severity
from torchconf.rules.sources import names_in_builds
from torchconf.rules.wheels import is_published, served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.utils import NormalizedName

    from torchconf.project import Project, Requirement, Source
    from torchconf.rules.subject import Place, Subject

__all__ = ["RULES"]


def _open_sources(project: Project, family: set[str]) -> Iterator[Source]:
    """Yield the index sources of the family that are for no extra and no group."""
    for package, sources in project.sources.items():
        for source in sources:
            if package in family and source.index and not (source.extra or source.group):
                yield source


class LeakingSource(Rule):
    """A library routes torch for everybody who uses it from its source tree.

    uv reads the sources of path, git and workspace dependencies: they meet those of the project
    that uses the library. A published wheel carries no sources.

    Bad:
        [project]
        dependencies = ["torch"]

        [build-system]
        requires = ["hatchling"]
        build-backend = "hatchling.build"

        [tool.uv.sources]
        torch = { index = "pytorch-cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

    Good:
        [project]
        dependencies = ["torch"]

        [build-system]
        requires = ["hatchling"]
        build-backend = "hatchling.build"

        [dependency-groups]
        cpu = ["torch"]

        [tool.uv]
        default-groups = ["cpu"]

        [tool.uv.sources]
        torch = { index = "pytorch-cpu", group = "cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true
    """

    code = "TC501"
    name = "leaking-source"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Look at the library itself, and at libraries that this project uses by path."""
        project = subject.project
        family = set(subject.catalog.family)
        if is_published(subject) and not project.default_groups:
            base = {one.name for one in project.dependencies}
            for source in _open_sources(project, family):
                if source.package in base:
                    yield self.finding(
                        source.at,
                        f"whoever uses this project by path or git gets this source of "
                        f"`{source.package}`, too",
                        help="bind it to a dependency group, which users never install",
                    )
                    break
        yield from self._from_libraries(subject, family)

    def _from_libraries(self, subject: Subject, family: set[str]) -> Iterator[Finding]:
        project = subject.project
        for sources in project.sources.values():
            for source in sources:
                library = subject.whole.libraries.get(source.value)
                if source.kind not in ("path", "git") or library is None:
                    continue
                for theirs in _open_sources(library, family):
                    there = library.index_named(theirs.value)
                    ours = [
                        index
                        for one in project.sources_for(theirs.package)
                        if (index := subject.index_of(one)) is not None
                    ]
                    if there is None or not ours or any(one.url == there.url for one in ours):
                        continue
                    yield self.finding(
                        source.at,
                        f"`{source.package}` routes `{theirs.package}` to {there.url}, this "
                        "project elsewhere",
                        help="bind the source in the library to a dependency group of its own",
                        severity=Severity.ERROR if subject.routes.error else Severity.WARNING,
                    )
                    return


class PublishedPromise(Rule):
    """A published package promises a build that its metadata can not carry.

    Indexes and sources are not part of a wheel. `pip install demo[cu130]` gets PyPI's torch, and a
    pin to `+cu130` finds nothing there.

    Bad:
        [project]
        dependencies = ["numpy"]

        [project.optional-dependencies]
        cu130 = ["torch"]

        [build-system]
        requires = ["hatchling"]
        build-backend = "hatchling.build"

    Good:
        [project]
        dependencies = ["torch"]

        [build-system]
        requires = ["hatchling"]
        build-backend = "hatchling.build"

        [dependency-groups]
        cu130 = ["torch"]
    """

    code = "TC502"
    name = "published-promise"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report extras named after a backend that bring torch, or a pinned label."""
        if not is_published(subject):
            return
        main = subject.catalog.main_package
        family = set(subject.catalog.family)
        for section in subject.project.extras.values():
            backend = named_backend(subject, section.name)
            if backend is not None and any(one.name == main for one in section.requirements):
                yield self.finding(
                    section.at,
                    f"extra `{section.written}` is published without its index: from PyPI it "
                    f"brings PyPI's build, not {backend.title}",
                    help="say so in the README, with the `--index` to use, or use groups",
                )
                return
        for one in subject.project.dependencies:
            if one.name in family and any("+" in part.version for part in one.specifier):
                yield self.finding(
                    one.at,
                    f"`{one.raw}` is published, and PyPI has no such version",
                    help="publish the plain version; a source chooses the build while you develop",
                )
                return


class StaleLock(Rule):
    """The lockfile takes a package from elsewhere than its sources say.

    `uv sync --frozen`, and an image that copies an old lockfile, install what is locked.

    Bad:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

        # uv.lock
        [[package]]
        name = "torch"
        version = "2.13.0"
        source = { registry = "https://mirror.example.org/pypi/simple" }

    Good:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

        # uv.lock
        [[package]]
        name = "torch"
        version = "2.13.0"
        source = { registry = "https://download.pytorch.org/whl/cpu" }
    """

    code = "TC503"
    name = "stale-lock"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/projects/sync/"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Look for the index of each source among the registries of the lockfile."""
        text = subject.whole.lockfile
        if not text:
            return
        told: set[str] = set()
        for source in subject.family_sources:
            index = subject.index_of(source)
            if index is None or source.package in told:
                continue
            builds = locked_builds(text, source.package)
            asked = list(served(subject, source))
            if (
                not builds
                or not asked
                or not any(
                    subject.platforms(source.marker, one.marker) & subject.locked for one in asked
                )
            ):
                continue
            registries = {_bare(build.registry) for build in builds}
            if _bare(index.url) in registries:
                continue
            told.add(source.package)
            yield self.finding(
                source.at,
                f"uv.lock has `{source.package}` from {', '.join(sorted(registries))}, and not "
                f"from index `{source.value}`",
                help="run `uv lock`, and install with `--locked`",
            )


def _bare(url: str) -> str:
    """Return a URL without credentials and without a slash at its end."""
    return re.sub(r"//[^/@]*@", "//", url).rstrip("/")


class UvTooOld(Rule):
    """`required-version` admits a uv that is too old for these tables.

    Sources for extras are understood from 0.5.3 on; from 0.8 on, the tables that torchconf writes
    lock right. An older uv ignores what it does not know.

    Bad:
        [project.optional-dependencies]
        cpu = ["torch"]

        [tool.uv]
        required-version = ">=0.5"

        [tool.uv.sources]
        torch = { index = "pytorch-cpu", extra = "cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

    Good:
        [project.optional-dependencies]
        cpu = ["torch"]

        [tool.uv]
        required-version = ">=0.8"

        [tool.uv.sources]
        torch = { index = "pytorch-cpu", extra = "cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true
    """

    code = "TC505"
    name = "uv-too-old"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/reference/settings/#required-version"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Try the older releases that matter."""
        text = subject.project.uv.get("required-version")
        scoped = any(source.extra or source.group for source in subject.family_sources)
        if not isinstance(text, str) or not scoped:
            return
        try:
            specifier = SpecifierSet(text if re.match(r"\s*[<>=~!]", text) else f"=={text}")
        except InvalidSpecifier:
            return
        older = (
            "0.4.0",
            "0.4.30",
            "0.5.0",
            "0.5.2",
            "0.5.31",
            "0.6.0",
            "0.6.17",
            "0.7.0",
            "0.7.22",
        )
        named = [part.version for part in specifier if re.fullmatch(r"[0-9.]+", part.version)]
        small = [v for v in named if Version(v) < Version("0.8")]
        found = [v for v in (*older, *small) if specifier.contains(v)]
        if not found:
            return
        draft = draft_of(subject)
        draft.put((*UV, "required-version"), ">=0.8", "the first that locks these tables right")
        yield self.finding(
            "tool.uv.required-version",
            f"uv {min(found, key=Version)} is admitted, and needs 0.8 to lock these tables right",
            fix=Fix("require `>=0.8`", tuple(draft.steps), safe=False),
        )


class TorchBackendIdle(Rule):
    """`torch-backend` stands under `[tool.uv]`, where lock, sync and run do not read it.

    It is a setting of `uv pip` and `uv tool`.

    Bad:
        [project]
        dependencies = ["torch"]

        [tool.uv]
        torch-backend = "auto"

    Good:
        [project]
        dependencies = ["torch"]

        [tool.uv.pip]
        torch-backend = "auto"
    """

    code = "TC506"
    name = "torch-backend-idle"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/#automatic-backend-selection"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report the setting."""
        value = subject.project.uv.get("torch-backend")
        if not isinstance(value, str):
            return
        draft = draft_of(subject)
        draft.remove((*UV, "torch-backend"), "only `uv pip` reads it")
        pip = draft.get((*UV, "pip"))
        if pip is None or (isinstance(pip, dict) and "torch-backend" not in pip):
            draft.put((*UV, "pip", "torch-backend"), value, "only `uv pip` reads it")
        yield self.finding(
            "tool.uv.torch-backend",
            "`uv lock`, `uv sync` and `uv run` do not read `torch-backend`: only `uv pip` does",
            help="choose builds with sources; `torchconf init` writes them",
            fix=Fix("move it to `[tool.uv.pip]`", tuple(draft.steps), safe=False),
        )


class Nightly(Rule):
    """A nightly index, and nothing that says how pre-releases are meant.

    Nightly indexes have pre-releases only. A lower bound with `.dev` admits them for that package
    alone; `prerelease` for all. `if-necessary-or-explicit` is an old name of `if-necessary`.

    Bad:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-nightly" }

        [[tool.uv.index]]
        name = "pytorch-nightly"
        url = "https://download.pytorch.org/whl/nightly/cpu"
        explicit = true

    Good:
        [project]
        dependencies = ["torch>=2.15.0.dev0"]

        [tool.uv.sources]
        torch = { index = "pytorch-nightly" }

        [[tool.uv.index]]
        name = "pytorch-nightly"
        url = "https://download.pytorch.org/whl/nightly/cpu"
        explicit = true
    """

    code = "TC507"
    name = "nightly"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/concepts/resolution/#pre-release-handling"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Look at packages that a nightly index serves, and at `prerelease`."""
        mode = subject.project.workspace.uv.get("prerelease")
        nightly = [index for index in subject.pytorch_indexes if is_nightly(index.url)]
        if nightly and mode == "if-necessary-or-explicit" and subject.project.root is None:
            draft = draft_of(subject)
            draft.put((*UV, "prerelease"), "if-necessary", "its name today")
            yield self.finding(
                "tool.uv.prerelease",
                "`if-necessary-or-explicit` is deprecated: uv calls it `if-necessary`",
                fix=Fix("write `if-necessary`", tuple(draft.steps), safe=False),
            )
        if isinstance(mode, str):
            return
        for source in subject.family_sources:
            if subject.index_of(source) not in nightly:
                continue
            for one in served(subject, source):
                if not any(re.search(r"dev|a|b|rc", part.version) for part in one.specifier):
                    yield self.finding(
                        one.at,
                        f"`{one.name}` comes from a nightly index, and its range does not say so",
                        help="give it a lower bound with `.dev`, such as `>=2.15.0.dev0`",
                    )
                    return


# Packages of which PyPI has no wheels, and whose build imports torch without saying so.
_BUILDS = frozenset(
    [
        "flash-attn",
        "causal-conv1d",
        "mamba-ssm",
        "torch-scatter",
        "torch-sparse",
        "torch-cluster",
        "torch-spline-conv",
        "pytorch3d",
        "grouped-gemm",
        "gptqmodel",
        "auto-gptq",
    ]
)
# What the metadata of some of them would say, if they had any before they are built.
_METADATA = {"flash-attn": ["torch", "einops"]}


class BuildNeedsTorch(Rule):
    """A package needs torch to be built, and does not say so.

    flash-attn and its kind have no wheels on PyPI. uv builds them alone, without torch, and the
    build stops with `No module named 'torch'`. `match-runtime` gives the build the torch that is
    locked; it needs the metadata of the package beforehand.

    Bad:
        [project]
        dependencies = ["torch>=2.6.0", "flash-attn>=2.5.8"]

    Good:
        [project]
        dependencies = ["torch>=2.6.0", "flash-attn>=2.5.8"]

        [tool.uv.extra-build-dependencies]
        flash-attn = [{ requirement = "torch", match-runtime = true }]

        [[tool.uv.dependency-metadata]]
        name = "flash-attn"
        requires-dist = ["torch", "einops"]
    """

    code = "TC508"
    name = "build-needs-torch"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#augmenting-build-dependencies"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report packages that are built, with nothing that gives them torch."""
        uv = subject.project.workspace.uv
        if uv.get("no-build-isolation") is True or uv.get("find-links"):
            return
        if any(not i.explicit and not subject.is_pytorch(i.url) for i in subject.project.indexes):
            return  # It may have wheels.
        alone = uv.get("no-build-isolation-package")
        apart = {canonicalize_name(str(one)) for one in (alone if isinstance(alone, list) else ())}
        extra = uv.get("extra-build-dependencies")
        told = (
            {canonicalize_name(name): v for name, v in extra.items()}
            if isinstance(extra, dict)
            else {}
        )
        listed = uv.get("dependency-metadata")
        known = {
            canonicalize_name(str(one.get("name", "")))
            for one in (listed if isinstance(listed, list) else ())
            if isinstance(one, dict)
        }
        seen: set[str] = set()
        for place, one in subject.requirements:
            if one.name not in _BUILDS or one.name in apart or one.name in seen:
                continue
            if self._has_wheels(subject, place, one):
                continue
            seen.add(one.name)
            if one.name not in told:
                yield self.finding(
                    one.at,
                    f"`{one.name}` is built from source, and its build needs torch",
                    help="name torch in `extra-build-dependencies`, or use an index with wheels",
                    severity=self._severity(subject, place),
                    fix=self._told(subject, one.name, known=one.name in known),
                )
            elif one.name in _METADATA.keys() - known and _matches_runtime(told[one.name]):
                yield self.finding(
                    f"tool.uv.extra-build-dependencies.{one.name}",
                    f"`match-runtime` needs the metadata of `{one.name}` before it is built",
                    help="add them as `[[tool.uv.dependency-metadata]]`",
                    fix=self._told(subject, one.name, known=False),
                )

    def _severity(self, subject: Subject, place: Place) -> Severity | None:
        """An extra of a project that shows no uv may be for pip, whose users know the flag."""
        uses_uv = bool(subject.project.uv) or bool(subject.whole.lockfile)
        return Severity.INFO if place.kind == "extra" and not uses_uv else None

    def _has_wheels(self, subject: Subject, place: Place, one: Requirement) -> bool:
        if one.url is not None:
            return one.url.partition("#")[0].endswith(".whl")
        sources = counting(subject, one.name, place)
        return any(
            source.kind in ("index", "path") or source.value.partition("#")[0].endswith(".whl")
            for source in sources
        )

    def _told(self, subject: Subject, package: NormalizedName, *, known: bool) -> Fix | None:
        if package not in _METADATA or subject.project.root is not None:
            return None
        draft = draft_of(subject)
        if package not in names_in_builds(subject.project):
            entry = {"requirement": "torch", "match-runtime": True}
            path = (*UV, "extra-build-dependencies", package)
            if draft.get(path) is None:
                draft.put(path, [entry], "the build imports torch")  # type: ignore[list-item]  # a table of two kinds
        if not known:
            metadata = {"name": str(package), "requires-dist": list(_METADATA[package])}
            path_ = (*UV, "dependency-metadata")
            draft.insert(path_, metadata, "known before it is built")  # type: ignore[arg-type]  # likewise
        return Fix("build it with the locked torch", tuple(draft.steps), safe=False)


def _matches_runtime(listed: object) -> bool:
    entries = listed if isinstance(listed, list) else []
    return any(isinstance(one, dict) and one.get("match-runtime") is True for one in entries)


_NVIDIA = (
    r"nvidia-(cublas|cuda-cupti|cuda-nvrtc|cuda-runtime|cudnn|cufft|cufile|curand|cusolver|cusparse"
    r"|cusparselt|nccl|nvjitlink|nvshmem|nvtx)(-cu[0-9]+)?|cuda-toolkit"
)
_STRIPPERS = (
    ("pip", "no-emit-package"),
    ("exclude-dependencies",),
)


class NvidiaStripped(Rule):
    """A setting leaves out the CUDA libraries that torch needs on Linux.

    Torch for Linux has its CUDA libraries in packages of their own. Without them, `import torch`
    fails there; on Windows they are inside torch, and nothing is gained.

    Bad:
        [project]
        dependencies = ["torch"]

        [tool.uv]
        exclude-dependencies = ["nvidia-cublas-cu12"]

    Good:
        [project]
        dependencies = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true
    """

    code = "TC510"
    name = "nvidia-stripped"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/reference/settings/#exclude-dependencies"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report the settings that list CUDA libraries, unless every torch is a CPU build."""
        uv = subject.project.uv
        backends = {
            subject.source_backend(source)
            for source in subject.project.sources.get(canonicalize_name("torch"), ())
        }
        if backends == {subject.catalog.fallback} or "torch" not in subject.needed:
            return
        for path in _STRIPPERS:
            table: object = uv
            for key in path:
                table = table.get(key) if isinstance(table, dict) else None
            for number, name in enumerate(table if isinstance(table, list) else ()):
                if isinstance(name, str) and re.fullmatch(_NVIDIA, canonicalize_name(name)):
                    yield self.finding(
                        f"tool.uv.{'.'.join(path)}[{number}]",
                        f"`{name}` is left out, and torch for Linux needs it",
                        help="route torch to the CPU index where no GPU is used",
                    )
                    break


class NvidiaByHand(Rule):
    """CUDA libraries that torch itself pins are requirements of the project.

    Torch names the very versions that it was built with. A second list goes stale with the next
    release, and brings gigabytes to machines that have no use for them.

    Bad:
        [project]
        dependencies = ["torch", "nvidia-cublas-cu12 ; sys_platform == 'linux'"]

    Good:
        [project]
        dependencies = ["torch"]
    """

    code = "TC511"
    name = "nvidia-by-hand"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report the first of each list, next to torch."""
        if "torch" not in subject.needed:
            return
        told: set[Place] = set()
        for place, one in subject.requirements:
            if place in told or not one.name.startswith(("nvidia-", "cuda-")):
                continue
            if not re.fullmatch(_NVIDIA, one.name):
                continue
            told.add(place)
            names = [
                r.name
                for p, r in subject.requirements
                if p == place and re.fullmatch(_NVIDIA, r.name)
            ]
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            yield self.finding(
                one.at,
                f"`{one.name}`{more} in {place}: torch for Linux brings what it was built with",
                help="take it out, unless the project calls the library itself",
            )


class IgnoredInMember(Rule):
    """A setting stands in a member of a workspace, where uv does not read it.

    uv reads `environments`, `required-environments` and `constraint-dependencies` from the
    workspace root, and says nothing about those of a member.

    Bad:
        [tool.uv.workspace]
        members = ["member"]

        # member/pyproject.toml
        [project]
        dependencies = ["torch"]

        [tool.uv]
        environments = ["sys_platform == 'linux'"]

    Good:
        [tool.uv]
        environments = ["sys_platform == 'linux'"]

        [tool.uv.workspace]
        members = ["member"]

        # member/pyproject.toml
        [project]
        dependencies = ["torch"]
    """

    code = "TC512"
    name = "ignored-in-member"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/projects/workspaces/"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report the three settings in a member."""
        project = subject.project
        if project.root is None:
            return
        for key in ("environments", "required-environments", "constraint-dependencies"):
            if key in project.uv:
                yield self.finding(
                    f"tool.uv.{key}",
                    f"uv does not read `{key}` of a workspace member",
                    help=f"move it to {project.root.at}",
                )


RULES: tuple[type[Rule], ...] = (
    LeakingSource,
    PublishedPromise,
    StaleLock,
    UvTooOld,
    TorchBackendIdle,
    Nightly,
    BuildNeedsTorch,
    NvidiaStripped,
    NvidiaByHand,
    IgnoredInMember,
)
"""The rules of this family, by code."""
