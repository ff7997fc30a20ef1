"""Files that `poetry export` wrote: no header says so, but each line repeats the Pythons."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker, Marker

from torchconf.migrate.old import Item, Need, PythonBound

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["without_repeated_pythons"]

_FEWEST = 3
"""Lines that make a habit."""
_LONGEST = 500
"""More characters than a marker of Poetry's has; looking for brackets takes the square of it."""
_PYTHON = re.compile(r"python(?:_full)?_version (>=|<|>|<=) ['\"]([0-9.]+)['\"]")


def without_repeated_pythons(items: Sequence[Item]) -> list[Item] | None:
    """Say the Pythons of an export once; None if the file is no such export.

    Args:
        items: Of the file; an export pins everything, for the Pythons of the project.
    """
    needs = [item for item in items if isinstance(item, Need)]
    pinned = all(need.specifier.startswith("==") or need.url or need.path for need in needs)
    if len(needs) < _FEWEST or not pinned:
        return None
    common = set.intersection(*(set(_clauses(need.marker)) for need in needs))
    pythons = [clause for clause in _clauses(needs[0].marker) if clause in common]
    bounds = [found for clause in pythons if (found := _PYTHON.fullmatch(clause))]
    if not any(found[1] == ">=" for found in bounds):
        return None
    said = {found[0] for found in bounds}
    specifier = ",".join(f"{found[1]}{found[2]}" for found in bounds)
    bound = PythonBound(needs[0].at, " and ".join(found[0] for found in bounds), specifier)
    return [bound, *(_without(item, said) for item in items)]


def _clauses(marker: str) -> list[str]:
    """Return the parts of a marker that all have to hold."""
    if len(marker) > _LONGEST:
        return []
    parts = re.split(r"\s+and\s+(?![^(]*\))", marker)
    return [] if re.search(r"\sor\s(?![^(]*\))", marker) else [part.strip() for part in parts]


def _without(item: Item, said: set[str]) -> Item:
    if not isinstance(item, Need):
        return item
    marker = " and ".join(part for part in _clauses(item.marker) if part not in said)
    if len(marker) > 1 and marker.startswith("(") and marker.find(")") == len(marker) - 1:
        marker = marker[1:-1]
    try:
        if marker:
            Marker(marker)
    except InvalidMarker:
        return item
    return item._replace(marker=marker)
