"""The rules of `check`: one class per way to be wrong, one module per family.

A rule sees a `Subject`, a file with what surrounds it, and yields findings. Nothing here reads a
file or prints. The families: shapes and keys (`shapes`); indexes (`indexes`) and what they are
called (`index_names`); sources (`sources`), what they can choose by (`choosing`), the extras and
groups that they are for (`scopes`), the packages beside torch (`siblings`, `tritons`); conflicts
(`conflicts`), the names in them (`conflict_names`), what goes past them (`nesting`) and what they
leave to base dependencies (`variants`) and default groups (`default_groups`); platforms in markers
(`platforms`) and those that are covered (`coverage`); what the catalog knows not to be there
(`wheels`, `versions`); and what else goes wrong (`publishing`, `compiled`, `habits`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.rules import (
    choosing,
    compiled,
    conflict_names,
    conflicts,
    coverage,
    default_groups,
    habits,
    index_names,
    indexes,
    nesting,
    platforms,
    publishing,
    scopes,
    shapes,
    siblings,
    sources,
    tritons,
    variants,
    versions,
    wheels,
)
from torchconf.rules.rule import Finding, Fix, Rule, Severity
from torchconf.rules.subject import Subject, Whole, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.plan import Path

__all__ = ["RULES", "Finding", "Fix", "Rule", "Severity", "Subject", "Whole", "find", "path_of"]

_FAMILIES = (
    shapes,
    indexes,
    index_names,
    sources,
    siblings,
    choosing,
    scopes,
    tritons,
    conflicts,
    conflict_names,
    nesting,
    variants,
    default_groups,
    platforms,
    coverage,
    wheels,
    versions,
    publishing,
    compiled,
    habits,
)

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (rule() for family in _FAMILIES for rule in family.RULES),
        key=lambda rule: rule.code,
    )
)
"""Every rule, by code."""


def find(subject: Subject, also: Iterable[str] = ()) -> tuple[Finding, ...]:
    """Return what is wrong with one file, one finding for one cause, by code.

    Args:
        subject: The file.
        also: Codes of optional rules that shall run too.
    """
    also = frozenset(also)
    found = [
        finding
        for rule in RULES
        if not rule.is_optional or rule.code in also
        for finding in rule.check(subject)
    ]
    causes: dict[str, list[Path]] = {}
    for finding in found:
        causes.setdefault(finding.code, []).append(path_of(finding.at))
    yields = {rule.code: rule.yields_to for rule in RULES if rule.yields_to}
    return tuple(
        finding
        for finding in {(one.code, one.at, one.message): one for one in found}.values()
        if not any(
            _is_one_entry(path_of(finding.at), cause)
            for code in yields.get(finding.code, ())
            for cause in causes.get(code, ())
        )
    )


def _is_one_entry(one: Path, other: Path) -> bool:
    """Tell whether one place is the other, or lies in it."""
    short = min(len(one), len(other))
    return one[:short] == other[:short]
