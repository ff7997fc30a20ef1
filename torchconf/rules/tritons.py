"""The triton packages that ROCm's and Intel's torch need from the same index."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from packaging.utils import canonicalize_name

from torchconf.model.toml_path import SOURCES
from torchconf.rules.fixes import draft_of
from torchconf.rules.installed_builds import (
    BASE,
    applied_sources,
    distinct_platforms,
    family_places,
    may_be_open,
    own_sources,
    reachable_range,
    route_at,
    routes_are_known,
)
from torchconf.rules.rule import Finding, Fix, Premise, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.specifiers import SpecifierSet

    from torchconf.catalog import Triton
    from torchconf.edits.plan import Value
    from torchconf.model.backends import Backend
    from torchconf.model.project import Requirement, Source
    from torchconf.model.toml_path import Path
    from torchconf.rules.context import Context, Place

__all__ = ["RULES"]


class _MissingTriton(Rule):
    """What two rules share: an accelerator whose torch pins a triton package of its own."""

    requires = (Premise.PLATFORM_MARKERS,)
    accelerator: ClassVar[str]

    def check(self, context: Context) -> Iterator[Finding]:
        main = canonicalize_name(context.catalog.main_package)
        reported = set()
        for place in family_places(context):
            for source in applied_sources(context, main, place):
                torch = _required_at(context, place, main, source)
                if torch is None or torch.url is not None:
                    continue
                backend = context.source_backend(source)
                if (
                    backend is None
                    or backend.accelerator != self.accelerator
                    or source.path in reported
                ):
                    continue
                triton = _needed(context, backend, reachable_range(context, place, torch))
                if triton is None:
                    continue
                finding = self._missing(context, place, source, torch, triton)
                if finding is not None:
                    reported.add(source.path)
                    yield finding

    def _missing(
        self,
        context: Context,
        place: Place,
        source: Source,
        torch: Requirement,
        triton: Triton,
    ) -> Finding | None:
        name = canonicalize_name(triton.name)
        asked = context.first_requirement(place, name) or context.first_requirement(BASE, name)
        routed = any(s.index == source.index for s in applied_sources(context, name, place))
        if (asked is not None and routed) or may_be_open(context, name):
            return None
        if _is_served(context, place, source, name):
            return None
        held = asked is None and self._older(context, place, source, torch, name)
        draft = draft_of(context)
        marker = source.raw_marker
        if asked is None:
            bound = f">={triton.bound}" if triton.bound else ""
            line = f"{name}{bound}" + (f" ; {marker}" if marker else "")
            path = torch.path
            above: Path = path[:-1]
            draft.insert(above, line, "torch needs it, and PyPI does not have it")
        if not routed:
            entry: dict[str, Value] = {"index": source.value}
            if source.extra or source.group:
                entry["extra" if source.extra else "group"] = str(source.extra or source.group)
            if marker:
                entry["marker"] = marker
            found = own_sources(context, name)
            if found is None:
                value: Value = [entry] if marker else entry
                draft.put((*SOURCES, triton.name), value, "only that index has it")
            elif isinstance(found[1], list):
                draft.insert((*SOURCES, found[0]), entry, "only that index has it")
            else:
                draft.put((*SOURCES, found[0]), [found[1], entry], "only that index has it")
        others = asked is None and any(
            context.required(other) for other in context.catalog.triton_packages if other != name
        )
        what = "it is not a direct dependency" if asked is None else "it has no source"
        title = f"add `{name}`" if asked is None else f"route `{name}` to `{source.value}`"
        return self.finding(
            source.path,
            f"torch from `{source.value}` needs `{name}` from the same index, but {what}",
            help=f"make `{name}` a direct dependency with the source and the marker of torch",
            severity=Severity.INFO if held else None,
            fix=None if others or held else Fix(title, tuple(draft.steps), safe=asked is not None),
        )

    def _older(
        self, context: Context, place: Place, source: Source, torch: Requirement, name: str
    ) -> bool:
        """Tell whether an older torch of the range has its triton package: uv takes that one."""
        backend = context.source_backend(source)
        if backend is None:
            return False
        inside = reachable_range(context, place, torch)
        tritons = {
            triton.name
            for release in context.catalog.releases
            if inside.contains(release) and (triton := context.catalog.triton(backend, release))
        }
        return any(
            any(s.index == source.index for s in applied_sources(context, one.name, place))
            for one in (*context.flat(place), *context.flat(BASE))
            if one.name in tritons - {name}
        )


def _required_at(
    context: Context, place: Place, package: str, source: Source
) -> Requirement | None:
    """Return the requirement of a place, or of the base, that a source counts for."""
    found = [one for each in (place, BASE) for one in context.flat(each) if one.name == package]
    there = (one for one in found if context.platforms(one.marker, source.marker))
    return next(there, found[0] if found else None)


def _is_served(context: Context, place: Place, source: Source, name: str) -> bool:
    """Ask the routes whether a package comes from an index wherever torch does.

    The requirement of another member of the workspace may say so: one lock is for all of them.
    """
    if not context.project.workspace.is_workspace_root or not routes_are_known(context):
        return False
    index = context.index_of(source)
    found = [
        route_at(context, name, place, platform)
        for platform in distinct_platforms(context)
        if platform in context.platforms(source.marker)
    ]
    return bool(found) and all(route.pin is not None and route.index == index for route in found)


def _needed(context: Context, backend: Backend, specifier: SpecifierSet) -> Triton | None:
    """Return the triton package of the newest torch that a range can lead to on an index."""
    catalog = context.catalog
    main = catalog.main_package
    inside = [v for v in catalog.releases if specifier.contains(v, prereleases=True)]
    carried = [v for v in inside if catalog.carries(main, v, backend)]
    newest = max(carried or inside, default=None)
    if newest is None:
        return None
    return catalog.triton(backend, newest)


class RocmTriton(_MissingTriton):
    """Torch is routed to a ROCm index, but the triton package that it needs is not."""

    code = "TC213"
    name = "rocm-triton"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/#using-a-pytorch-index"
    fixes = "safe"
    accelerator = "rocm"


class XpuTriton(_MissingTriton):
    """Torch is routed to an XPU index, but the triton package that it needs is not."""

    code = "TC214"
    name = "xpu-triton"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/#using-a-pytorch-index"
    fixes = "safe"
    accelerator = "xpu"


RULES: tuple[type[Rule], ...] = (RocmTriton, XpuTriton)
"""The rules of this family, by code."""
