"""The rules of `check`: one class per way to be wrong, one module per family.

A rule sees a `Context`, a file with what surrounds it, and yields findings. Nothing here reads a
file or prints. The families: shapes and keys (`shapes`); what was written for other tools
(`foreign_tables`); indexes (`indexes`), what they are called (`index_names`), and those of wheels
that are built against torch (`wheel_pages`); sources and whom they reach (`source_reach`), what
they can choose by (`source_markers`), the extras and groups that they are for (`source_scopes`),
the packages beside torch (`companions`, `tritons`); conflicts (`conflicts`), the names in them
(`conflict_names`), what goes past them (`nested_choices`), what they leave to a plain `uv sync`
(`plain_sync`, `default_groups`), what uv refuses besides (`refused_locks`); platforms in markers
(`marker_values`), those that are covered (`platform_coverage`), those that are locked
(`locked_cells`) and those that the project lists (`listed_targets`); what the catalog knows to be
missing (`missing_wheels`, `requested_versions`) or not to fit (`release_pairs`, `cuda_majors`); and
what else goes wrong (`publishing`, `built_against_torch`, `project_settings`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.rules import (
    built_against_torch,
    closures,
    companions,
    conflict_names,
    conflicts,
    cuda_majors,
    default_groups,
    foreign_tables,
    index_names,
    indexes,
    listed_targets,
    locked_cells,
    marker_values,
    missing_wheels,
    nested_choices,
    plain_sync,
    platform_coverage,
    project_settings,
    publishing,
    refused_locks,
    release_pairs,
    requested_versions,
    shapes,
    source_markers,
    source_reach,
    source_scopes,
    tritons,
    wheel_pages,
)
from torchconf.rules.context import Context, Workspace
from torchconf.rules.rule import Finding, Fix, Premise, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchconf.model.toml_path import Path

__all__ = [
    "RULES",
    "Context",
    "Finding",
    "Fix",
    "Rule",
    "Severity",
    "Workspace",
    "find",
    "without_last_resorts",
]

_FAMILIES = (
    shapes,
    foreign_tables,
    indexes,
    index_names,
    wheel_pages,
    source_reach,
    companions,
    source_markers,
    source_scopes,
    tritons,
    closures,
    conflicts,
    conflict_names,
    nested_choices,
    plain_sync,
    default_groups,
    refused_locks,
    marker_values,
    platform_coverage,
    locked_cells,
    listed_targets,
    missing_wheels,
    requested_versions,
    release_pairs,
    cuda_majors,
    publishing,
    built_against_torch,
    project_settings,
)

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (rule() for family in _FAMILIES for rule in family.RULES),
        key=lambda rule: rule.code,
    )
)
"""Every rule, by code."""

# What another rule explains is not worth the routes that a last resort asks for.
_LAST_RESORTS_LAST = sorted(RULES, key=lambda rule: rule.is_last_resort)


def find(context: Context, also: Iterable[str] = ()) -> tuple[Finding, ...]:
    """Return what is wrong with one file, one finding for one cause, by code.

    Args:
        context: The file.
        also: Codes of optional rules to run too.
    """
    also = frozenset(also)
    found: dict[tuple[str, Path, str], tuple[Rule, Finding]] = {}
    broken: dict[Premise, list[Path]] = {}
    explained = False
    for rule in _LAST_RESORTS_LAST:
        if (rule.is_optional and rule.code not in also) or (rule.is_last_resort and explained):
            continue
        for finding in rule.check(context):
            found[finding.code, finding.path, finding.message] = rule, finding
            explained = explained or _stops_lock(rule, finding)
            if rule.breaks is not None:
                broken.setdefault(rule.breaks, []).append(finding.path)
    return tuple(
        finding
        for rule, finding in sorted(found.values(), key=lambda pair: pair[0].code)
        if not any(
            _is_one_entry(finding.path, cause)
            for premise in rule.requires
            for cause in broken.get(premise, ())
        )
    )


def _stops_lock(rule: Rule, finding: Finding) -> bool:
    return rule.stops_lock and finding.severity is Severity.ERROR


def without_last_resorts(found: Sequence[tuple[Finding, ...]]) -> list[tuple[Finding, ...]]:
    """Leave out what one file says of a refused lock where another file has the cause."""
    by_code = {rule.code: rule for rule in RULES}
    explained = any(_stops_lock(by_code[one.code], one) for each in found for one in each)
    if not explained:
        return list(found)
    return [tuple(o for o in each if not by_code[o.code].is_last_resort) for each in found]


def _is_one_entry(one: Path, other: Path) -> bool:
    """Tell whether one place is the other, or lies in it."""
    short = min(len(one), len(other))
    return one[:short] == other[:short]
