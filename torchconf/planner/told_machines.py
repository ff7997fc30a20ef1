"""Sources for machines that only a further marker tells from others of their platform.

The other sources are planned as if there were no such machines, so that they stay as their author
wrote them; then each that would hold there gets the opposite of that marker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.model.markers import holds, opposite, platform_marker, render_areas, render_rest
from torchconf.model.targets import PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from torchconf.edits.plan import Value
    from torchconf.layout.layouts import Scope
    from torchconf.model.markers import Area
    from torchconf.planner.draft_indexes import Indexes

__all__ = ["with_told_entries", "without_told", "without_told_entries"]


def without_told(scope: Scope) -> Scope:
    """Return a scope as if it had no such machines."""
    if not any(area.only or area.unless for area, _ in scope.served):
        return scope
    return scope._replace(
        served=tuple(
            (area._replace(unless=()), backend) for area, backend in scope.served if not area.only
        )
    )


def without_told_entries(current: Any, indexes: Indexes) -> Any:  # noqa: ANN401 - parsed TOML
    """Return the sources of a package as if there were no such machines."""
    wheres = _wheres(indexes)
    listed = [current] if isinstance(current, dict) else current or []
    if not any(_names(entry, wheres) for entry in listed):
        return current
    found: list[Value] = []
    for entry in listed:
        marker = entry.get("marker")
        plain = _plain(marker, wheres) if marker else marker
        if plain == marker or entry.get("extra") or entry.get("group"):
            found.append(entry)
        elif plain is not None:
            rest = {key: value for key, value in entry.items() if key != "marker"}
            found.append({**rest, "marker": plain} if plain else rest)
    return found


def with_told_entries(
    entries: Sequence[Value],
    current: Any,  # noqa: ANN401 - parsed TOML
    scopes: Iterable[Scope],
    indexes: Indexes,
    nowhere: Container[object],
) -> list[Value]:
    """Return sources with those for such machines, and the others without these machines.

    Args:
        entries: For the usual machines.
        current: What the file has.
        scopes: Whose machines these are.
        indexes: The names of the indexes.
        nowhere: The names of those that have nothing of the package.
    """
    told = [
        (area, backend)
        for scope in scopes
        if not scope.kind
        for area, backend in scope.served
        if area.only and indexes.name(backend) not in nowhere
    ]
    if not told:
        return list(entries)
    there = [current] if isinstance(current, dict) else current or []
    found: list[Value] = []
    for entry in entries:
        changed: Any = entry
        for area, _ in told:
            changed = _apart(changed, area)
        found.append(changed)
    for area, backend in told:
        new: dict[str, Value] = {"index": indexes.name(backend), "marker": render_areas([area])}
        same = (e for e in there if e.get("index") == new["index"] and _is_same(e, new))
        found.append(next(same, new))
    return found


def _wheres(indexes: Indexes) -> list[str]:
    return [one.where for one in indexes.catalog.accelerators if one.where]


def _names(entry: Any, wheres: Iterable[str]) -> bool:  # noqa: ANN401 - parsed TOML
    marker = entry.get("marker") or ""
    return any(where in marker or opposite(where) in marker for where in wheres)


def _plain(marker: str, wheres: Iterable[str]) -> str | None:
    """Return a marker without what tells such machines; None for one that is for them only.

    Empty for one that excludes nothing else.
    """
    for where in wheres:
        if where in marker and opposite(where) not in marker:
            return None
        begin, found, end = marker.rpartition(f" and {opposite(where)}")
        if found and not end:
            inner = begin[1:-1] if begin.startswith("(") and begin.endswith(")") else begin
            return inner if " or " in begin else begin
        for platform in PLATFORMS:
            marker_ = platform_marker(platform).replace("==", "!=").replace(" and ", " or ")
            if marker == f"{marker_} or {opposite(where)}":
                return ""
    return marker


def _apart(entry: Any, area: Area) -> Value:  # noqa: ANN401 - parsed TOML
    """Let a source leave such machines alone, if it holds there."""
    marker = entry.get("marker")
    if marker is None:
        return {**entry, "marker": render_rest([area])}
    here = (p for p in PLATFORMS if area._replace(only="").holds(p.os, p.platform_machine))
    if opposite(area.only) in marker or not any(holds(marker, platform) for platform in here):
        return dict(entry)
    text = f"({marker})" if " or " in marker else marker
    return {**entry, "marker": f"{text} and {opposite(area.only)}"}


def _is_same(entry: Any, new: Any) -> bool:  # noqa: ANN401 - parsed TOML
    """Tell whether a source is for the same machines, in whichever words."""
    machines = [
        platform._replace(release=release)
        for platform in PLATFORMS
        for release in ("", new["marker"].rpartition("' in ")[0].rpartition("'")[2])
    ]
    marker = entry.get("marker")
    return bool(marker) and all(holds(marker, one) == holds(new["marker"], one) for one in machines)
