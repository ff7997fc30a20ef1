"""What torch needs from its own index beside triton."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.model.requirements import required_name
from torchconf.rules.installed_builds import may_be_open
from torchconf.rules.rule import Finding, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

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
            missing = _missing(context, source, closure)
            if missing:
                first, more = missing[0], len(missing) - 1
                others = f" and {more} more packages" if more else ""
                yield self.finding(
                    source.path,
                    f"torch for {closure.backend.title} needs `{first}`{others} from index "
                    f"`{source.value}`, but PyPI has other packages under these names",
                    help=f"run `torchconf add-target linux-{closure.backend.name}`, which adds "
                    "sources and constraints; `--gpu` limits it to some GPUs",
                )


def _missing(context: Context, source: Source, closure: Closure) -> list[str]:
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
        for package in closure.packages
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
