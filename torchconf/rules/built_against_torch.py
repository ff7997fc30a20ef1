"""Packages that are built against torch, and the CUDA libraries that torch brings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.model.cuda_libraries import CUDA_LIBRARY
from torchconf.model.targets import SHOWN_PLATFORMS
from torchconf.model.toml_path import UV
from torchconf.model.uv_lock import locked_builds
from torchconf.rules.context import names_in_builds
from torchconf.rules.fixes import draft_of
from torchconf.rules.installed_builds import applied_sources
from torchconf.rules.rule import Finding, Fix, Rule, Severity
from torchconf.rules.wording import list_systems

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from packaging.utils import NormalizedName

    from torchconf.model.project import Requirement
    from torchconf.model.targets import Platform
    from torchconf.rules.context import Context, Place

__all__ = ["RULES"]


class BuildNeedsTorch(Rule):
    """A package needs torch at build time without declaring it."""

    code = "TC508"
    name = "build-needs-torch"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#augmenting-build-dependencies"
    fixes = "unsafe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report packages that are built, with nothing that gives them torch, or not in time."""
        uv = context.project.workspace.uv
        listed = uv.get("dependency-metadata")
        described = {
            canonicalize_name(str(one.get("name", "")))
            for one in (listed if isinstance(listed, list) else ())
            if isinstance(one, dict)
        }
        extra = uv.get("extra-build-dependencies")
        declared = (
            {canonicalize_name(name): v for name, v in extra.items()}
            if isinstance(extra, dict)
            else {}
        )
        yield from self._undeclared(context, declared.keys(), described)
        yield from self._without_metadata(context, declared, described)

    def _undeclared(
        self, context: Context, declared: Collection[str], described: Collection[str]
    ) -> Iterator[Finding]:
        uv = context.project.workspace.uv
        if uv.get("no-build-isolation") is True or uv.get("find-links"):
            return
        if any(
            not i.explicit and not context.is_pytorch(i.url, i.name)
            for i in context.project.indexes
        ):
            return  # It may have wheels.
        from_source = context.catalog.built_from_source
        alone = uv.get("no-build-isolation-package")
        seen = {canonicalize_name(str(one)) for one in (alone if isinstance(alone, list) else ())}
        for place, one in context.requirements:
            if one.name not in from_source or one.name in seen or one.name in declared:
                continue
            where, help_ = (
                "",
                "add torch to `extra-build-dependencies`, or use an index that has wheels",
            )
            if self._has_wheels(context, place, one):
                left = self._without_source(context, place, one)
                if not left:
                    continue
                where = f" on {list_systems(left)}"
                help_ = f"require `{one.name}` only where its source applies, with the same marker"
            seen.add(one.name)
            yield self.finding(
                one.path,
                f"`{one.name}` is built from source{where} and needs torch at build time",
                help=help_,
                severity=self._severity(context, place),
                fix=None if where else self._fix(context, one.name, known=one.name in described),
            )

    def _without_metadata(
        self,
        context: Context,
        declared: Mapping[NormalizedName, object],
        described: Collection[str],
    ) -> Iterator[Finding]:
        """Report `match-runtime` for packages whose metadata only a build tells: uv refuses it."""
        waiting = {
            name
            for name, entries in declared.items()
            if name not in described and _matches_runtime(entries)
        }
        for place, one in context.requirements:
            if one.name not in waiting or locked_builds(context.workspace.lockfile, one.name):
                continue
            if self._tells_metadata(context, place, one):
                continue
            waiting.discard(one.name)
            yield self.finding(
                (*UV, "extra-build-dependencies", one.name),
                f"`match-runtime` needs the metadata of `{one.name}` before the build",
                help="add it as `[[tool.uv.dependency-metadata]]`",
                fix=self._fix(context, one.name, known=False),
            )

    def _tells_metadata(self, context: Context, place: Place, one: Requirement) -> bool:
        """Tell whether metadata are known, or may well be, without a build."""
        if self._has_wheels(context, place, one):
            return True
        kinds = {source.kind for source in applied_sources(context, one.name, place)}
        if one.url is not None or kinds & {"git", "url"}:
            return False
        if kinds & {"path", "workspace"}:
            return True
        built = context.catalog.built.source(one.name)
        if built is not None and built.metadata is not None:
            return one.specifier.contains(built.metadata)
        return built is None or not built.dynamic

    def _severity(self, context: Context, place: Place) -> Severity | None:
        """An extra of a project that shows no uv may be for pip, whose users know the flag."""
        uses_uv = bool(context.project.uv) or bool(context.workspace.lockfile)
        return Severity.INFO if place.kind == "extra" and not uses_uv else None

    def _has_wheels(self, context: Context, place: Place, one: Requirement) -> bool:
        if one.url is not None:
            return one.url.partition("#")[0].endswith(".whl")
        sources = applied_sources(context, one.name, place)
        return any(
            source.kind in ("index", "path") or source.value.partition("#")[0].endswith(".whl")
            for source in sources
        )

    def _without_source(
        self, context: Context, place: Place, one: Requirement
    ) -> tuple[Platform, ...]:
        """Return where a package is required, and none of its sources applies."""
        sources = applied_sources(context, one.name, place)
        served = [context.platforms(source.marker) for source in sources]
        there = context.platforms(one.marker) & context.locked
        return tuple(sorted(there.difference(*served), key=str)) if served else ()

    def _fix(self, context: Context, package: NormalizedName, *, known: bool) -> Fix | None:
        built = context.catalog.built.source(package)
        if built is None or built.needs is None or context.project.root is not None:
            return None
        draft = draft_of(context)
        if package not in names_in_builds(context.project):
            entry = {"requirement": "torch", "match-runtime": True}
            path = (*UV, "extra-build-dependencies", package)
            if draft.get(path) is None:
                draft.put(path, [entry], "the build imports torch")  # type: ignore[list-item]  # a table of two kinds
        if not known:
            metadata = {"name": str(package), "requires-dist": list(built.needs)}
            path_ = (*UV, "dependency-metadata")
            draft.insert(path_, metadata, "uv must know the metadata before the build")  # type: ignore[arg-type]  # likewise
        return Fix("build it with the locked torch", tuple(draft.steps), safe=False)


def _matches_runtime(listed: object) -> bool:
    entries = listed if isinstance(listed, list) else []
    return any(isinstance(one, dict) and one.get("match-runtime") is True for one in entries)


_STRIPPERS = (
    ("pip", "no-emit-package"),
    ("exclude-dependencies",),
)


class NvidiaStripped(Rule):
    """A setting excludes the CUDA libraries that torch needs on Linux."""

    code = "TC510"
    name = "nvidia-stripped"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/reference/settings/#exclude-dependencies"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report the settings that list CUDA libraries, unless no torch for Linux needs them."""
        uv = context.project.uv
        majors = self._majors(context)
        if majors == frozenset() or "torch" not in context.needed:
            return
        for path in _STRIPPERS:
            table: object = uv
            for key in path:
                table = table.get(key) if isinstance(table, dict) else None
            for number, name in enumerate(table if isinstance(table, list) else ()):
                is_text = isinstance(name, str)
                match = re.fullmatch(CUDA_LIBRARY, canonicalize_name(name)) if is_text else None
                label = match.group(2) if match else None
                if match and not (label and majors and int(label[3:]) not in majors):
                    yield self.finding(
                        (*UV, *path, number),
                        f"`{name}` is excluded, but torch for Linux needs it",
                        help="route torch to the CPU index if no GPU is used; "
                        "`torchconf export` writes a requirements file for each target, and "
                        "`torchconf migrate` reads a compiled one",
                    )
                    break

    def _majors(self, context: Context) -> frozenset[int] | None:
        """Return the majors of the CUDA that torch has on Linux; None where a build is unknown."""
        linux = frozenset(platform for platform in SHOWN_PLATFORMS if platform.os == "linux")
        covered: set[Platform] = set()
        majors: set[int] = set()
        for source in context.project.sources.get(canonicalize_name("torch"), ()):
            here = linux & context.platforms(source.marker)
            backend = context.source_backend(source)
            if here and backend is None:
                return None
            covered |= here
            if here and backend is not None and backend.accelerator == "cuda":
                majors.add(backend.version[0])
        return frozenset(majors) if linux <= covered else None


class NvidiaByHand(Rule):
    """The project requires CUDA libraries that torch itself pins."""

    code = "TC511"
    name = "nvidia-by-hand"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report the first of each list, next to torch."""
        if "torch" not in context.needed:
            return
        reported: set[Place] = set()
        for place, one in context.requirements:
            if place in reported or not one.name.startswith(("nvidia-", "cuda-")):
                continue
            on_linux = any(p.os == "linux" for p in context.platforms(one.marker))
            if not re.fullmatch(CUDA_LIBRARY, one.name) or not on_linux:
                continue
            reported.add(place)
            names = [
                r.name
                for p, r in context.requirements
                if p == place and re.fullmatch(CUDA_LIBRARY, r.name)
            ]
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            lines = [r for p, r in context.requirements if p == place and r.name in names]
            has_range = any(r.specifier for r in lines)
            yield self.finding(
                one.path,
                f"`{one.name}`{more} in {place}: torch for Linux already requires the "
                "versions it was built with"
                + (", and `uv lock` fails if a range here excludes them" if has_range else ""),
                help="remove it, unless the project uses the library directly; `torchconf migrate` "
                "leaves it out of a compiled requirements file",
            )


RULES: tuple[type[Rule], ...] = (
    BuildNeedsTorch,
    NvidiaStripped,
    NvidiaByHand,
)
"""The rules of this family, by code."""
