"""What torch needs from its own index beside triton."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.model.markers import may_hold, overlap
from torchconf.model.requirements import required_name
from torchconf.model.targets import PLATFORMS
from torchconf.rules.installed_builds import may_be_open
from torchconf.rules.rule import Finding, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchconf.catalog.families import Closure
    from torchconf.model.project import Source
    from torchconf.rules.context import Context

__all__ = ["RULES"]


class UnroutedRuntime(Rule):
    """Packages that torch needs from its own index are left to PyPI."""

    code = "TC114"
    name = "unrouted-runtime"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources"
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Look at each index that torch comes from, once."""
        seen = set()
        for source in context.project.sources_for(canonicalize_name(context.catalog.main_package)):
            backend = context.source_backend(source)
            closure = context.catalog.closure(backend) if backend is not None else None
            if closure is None or source.value in seen:
                continue
            seen.add(source.value)
            packages = [
                package
                for package in _needed(context, closure)
                if _is_needed_at(source, closure.common.get(package))
            ]
            missing = _missing(context, source, packages)
            if missing:
                first, more = missing[0], len(missing) - 1
                others = f" and {more} more packages" if more else ""
                # What the torch of others needs is documented, and was not read.
                is_sure = not context.catalog.publisher_of(closure.backend) or any(
                    one.value == source.value
                    for package in packages
                    for one in context.project.sources_for(canonicalize_name(package))
                )
                yield self.finding(
                    source.path,
                    f"torch for {closure.backend.title} needs `{first}`{others} from index "
                    f"`{source.value}`, but PyPI has other packages under these names",
                    help=f"run `torchconf add-target {_target(context, source, closure)}`, which "
                    "adds sources and constraints; `--gpu` limits it to some GPUs",
                    severity=None if is_sure else Severity.INFO,
                )


def _target(context: Context, source: Source, closure: Closure) -> str:
    """Return the target that the source serves."""
    served = context.catalog.accelerator(closure.backend).platforms
    for platform in PLATFORMS:
        if platform.key in served and may_hold(source.marker, platform):
            return f"{platform.short}-{closure.backend.name}"
    return f"linux-{closure.backend.name}"


def _is_needed_at(source: Source, where: str | None) -> bool:
    """Tell whether a package is needed where a choice has torch from an index.

    What other builds need from elsewhere is needed for sure in some places only.
    """
    if where is None or not (source.extra or source.group):
        return True
    return source.marker is None or overlap(str(source.marker), where)


def _needed(context: Context, closure: Closure) -> tuple[str, ...]:
    """Return what torch needs: for the GPUs whose extras are asked for, if it has extras."""
    if not closure.device:
        return closure.packages
    extras = {
        extra
        for one in context.project.requirements()
        if one.name in context.catalog.family
        for extra in one.extras
    }
    if closure.all_devices in extras:
        return closure.packages
    return closure.of(gpu for gpu in closure.by_gpu if closure.extras([gpu])[0] in extras)


def _missing(context: Context, source: Source, packages: Iterable[str]) -> list[str]:
    """Return the packages that uv would look for on PyPI."""
    project = context.project
    whole = project.workspace
    held = {
        one.name
        for one in (*whole.constraint_dependencies, *whole.override_dependencies)
        if one.specifier
    }
    held.update(one.name for one in project.requirements())
    lines = whole.uv.get("exclude-dependencies")
    excluded = {
        canonicalize_name(required_name(line))
        for line in (lines if isinstance(lines, list) else ())
        if isinstance(line, str)
    }
    return [
        package
        for package in packages
        if package not in excluded
        and not may_be_open(context, canonicalize_name(package))
        and not (
            package in held
            and any(
                one.value == source.value for one in project.sources_for(canonicalize_name(package))
            )
        )
    ]


RULES: tuple[type[Rule], ...] = (UnroutedRuntime,)
"""The rules of this family, by code."""
