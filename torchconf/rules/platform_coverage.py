"""Platforms that a source or `environments` covers, and should not, or the reverse."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from torchconf.model.targets import PLATFORMS
from torchconf.model.toml_path import ENVIRONMENTS
from torchconf.resolve.environments import mentions_extra
from torchconf.rules.fixes import draft_of, limited_to_wheels, put_at, wheel_marker, without_wheels
from torchconf.rules.rule import Finding, Fix, Premise, Rule, Severity
from torchconf.rules.wording import list_systems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.markers import Marker
    from packaging.version import Version

    from torchconf.edits.plan import Step
    from torchconf.model.project import Source
    from torchconf.rules.context import Context

__all__ = ["RULES"]


class CudaOnMacos(Rule):
    """A source for an accelerator applies on macOS, where it has no wheels."""

    code = "TC405"
    name = "cuda-on-macos"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/#using-a-pytorch-index"
    fixes = "safe"
    breaks = Premise.MACOS
    requires = (Premise.PLATFORM_NAMES, Premise.PLATFORM_MARKERS)

    def check(self, context: Context) -> Iterator[Finding]:
        """Report unscoped sources that lead a requirement to such an index on macOS."""
        for source in context.family_sources:
            backend = context.source_backend(source)
            if source.extra or source.group or backend is None:
                continue
            lacking = without_wheels(context, backend)
            covered = context.platforms(source.marker) & context.locked & lacking
            if not any(platform.os == "macos" for platform in covered):
                continue
            if not any(
                platform.os == "macos" and platform in covered
                for one in _asked(context, source)
                for platform in context.platforms(one, source.marker)
            ):
                continue
            at = source.path if source.marker is None else (*source.path, "marker")
            marker = limited_to_wheels(context, source.marker, source.raw_marker, backend)
            fix = None
            if wheel_marker(context, backend) is not None:
                draft = draft_of(context)
                draft.put((*source.path, "marker"), marker, "macOS gets PyPI's build")
                steps = (*draft.steps, *_gated_tritons(context, source, marker))
                fix = Fix(f"set its marker to `{marker}`", steps, safe=True)
            yield self.finding(
                at,
                f"`{source.package}` comes from index `{source.value}` on macOS too, "
                f"where {backend.title} has no wheels",
                help=f"add a marker: `{wheel_marker(context, backend)}`",
                fix=fix,
            )


def _gated_tritons(context: Context, source: Source, marker: str) -> Iterator[Step]:
    """Yield steps that ask for a triton package only where its source holds: PyPI has none."""
    if source.package in context.catalog.triton_packages:
        for _, one in context.required(source.package):
            if one.marker is None:
                yield put_at(
                    one.path, f"{one.raw.rstrip()} ; {marker}", "torch needs it only there"
                )


def _asked(context: Context, source: Source) -> Iterator[Marker | None]:
    """Yield the markers of the requirements that a source of this file may serve."""
    for project in context.readers:
        for one in context.overridden(project.requirements()):
            if one.name == source.package and one.url is None:
                yield one.marker
    for one in context.project.workspace.constraint_dependencies:
        if one.name == source.package and one.specifier:
            yield None


class Environments(Rule):
    """`environments` is invalid or excludes a platform that is needed."""

    code = "TC408"
    name = "environments"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/reference/settings/#environments"
    requires = (Premise.PLATFORM_NAMES, Premise.SETTING)
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Look at the entries, and at the systems that none of them holds."""
        entries = context.project.environments
        for one in (*entries, *context.project.required_environments):
            if mentions_extra(one.marker):
                yield self.finding(
                    one.path, f"`{one.path[2]}` cannot test an extra", severity=Severity.WARNING
                )
                return
        for one, after in itertools.pairwise(entries):
            if context.where(one.marker, after.marker):
                yield self.finding(
                    after.path,
                    f"this entry overlaps with `{one.raw}`, which uv rejects",
                    help="make the markers mutually exclusive",
                )
                return
        if not entries or not context.needed or context.project.root is not None:
            return
        at = ENVIRONMENTS
        outside = context.declared - context.locked
        if outside:
            named = ", ".join(sorted(platform.key for platform in outside))
            yield self.finding(
                at,
                f"no entry includes {named}, which is a declared platform",
                help="add an entry for it",
                severity=Severity.WARNING,
            )
            return
        systems = [p for p in PLATFORMS if p.is_usual]
        gone = [
            system
            for system in systems
            if not any(platform.os == system.os for platform in context.locked)
        ]
        if gone:
            yield self.finding(
                at,
                f"no entry includes {list_systems(gone)}: uv refuses to use the project there",
                severity=Severity.INFO,
            )


class IntelMac(Rule):
    """Intel Macs are a target, but torch has not supported them since 2.3."""

    code = "TC407"
    name = "intel-mac"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/reference/settings/#required-environments"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report a declared platform that ended, if nothing sets it apart."""
        if not context.named:
            return
        # Imported here: few projects say which platforms they are for.
        from torchconf.model.markers import holds

        catalog = context.catalog
        required = context.project.workspace.required_environments
        for platform in sorted(context.named):
            last = catalog.platform_end(platform)
            twins = [p for p in PLATFORMS if p.os == platform.os and p != platform]
            apart = any(
                holds(entry.marker, platform) and not any(holds(entry.marker, p) for p in twins)
                for entry in required
            )
            if last is None or apart or platform not in context.locked:
                continue
            open_ = [
                one
                for _, one in context.required(catalog.main_package)
                if platform in context.platforms(one.marker)
                and any(
                    str(version) != last and one.specifier.contains(version) and version > _of(last)
                    for version in catalog.releases
                )
                and any(p in context.platforms(one.marker) for p in twins)
            ]
            if not open_:
                continue
            yield self.finding(
                open_[0].path,
                f"torch {last} is the last release for {platform.key}, which is a "
                "declared platform",
                help="add it to `required-environments`, or add a separate requirement for it",
            )


def _of(text: str) -> Version:
    # Imported here: hardly a file comes this far.
    from packaging.version import Version

    return Version(text)


RULES: tuple[type[Rule], ...] = (
    CudaOnMacos,
    IntelMac,
    Environments,
)
"""The rules of this family, by code."""
