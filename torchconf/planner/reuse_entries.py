"""Keep source entries that do what is wanted already, in their own words.

Whoever wrote `platform_system == 'Linux'`, or a marker that says more than the targets need, meant
it. An entry is rewritten only where it would give a target another build.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.model.markers import (
    meet,
    names_platforms,
    overlap_for_uv,
    possible_platforms,
    spell,
)
from torchconf.model.targets import PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from torchconf.edits.plan import Value
    from torchconf.model.targets import Platform


def keep_entries(
    wanted: Sequence[Value],
    current: Any,  # noqa: ANN401 - parsed TOML
    targeted: Callable[[str], tuple[AbstractSet[Platform], AbstractSet[Platform]]],
    fixed: Sequence[Value] = (),
    left_to: Mapping[str, AbstractSet[Platform]] | None = None,
) -> list[Value] | None:
    """Return the wanted entries, with those that are there and do the same in their place.

    Args:
        wanted: The sources of one package, as a new file would have them.
        current: What the file has: a list of entries, one entry, or None.
        targeted: The platforms that are targets of an extra or group, and those that were, by its
            normalised name; of the project itself, under the empty name.
        fixed: Those that stay as they are: others find a place beside them.
        left_to: None where something is to go. Otherwise an entry of another index loses only the
            targets, but for those that are left to its index, by name.

    Returns:
        None if there is no place beside the fixed ones.
    """
    there = _by_scope([current] if isinstance(current, dict) else current or [])
    kept: list[Value] = []
    for scope, own in _by_scope(wanted).items():
        old = there.get(scope)
        if not old:
            kept += own
            continue
        stay = [entry for entry in old if entry in fixed]
        are, were = targeted(scope[1])
        left = [] if left_to is None else _left_over(own, old, are, left_to)
        left = [entry for entry in left if entry not in stay]
        found = _keep(own, old, [*stay, *left], are, were)
        if found is None and left:
            found = _keep(own, old, stay, are, were)
        if found is None:
            return None
        kept += found
    return kept


def _by_scope(entries: Sequence[Value]) -> dict[tuple[str, str], list[Value]]:
    found: dict[tuple[str, str], list[Value]] = {}
    for entry in entries:
        found.setdefault(_scope(entry), []).append(entry)
    return found


def _keep(
    own: Sequence[Value],
    old: Sequence[Value],
    stay: Sequence[Value],
    are: AbstractSet[Platform],
    were: AbstractSet[Platform],
) -> list[Value] | None:
    """Choose the entries of one scope."""
    targeted = are | were
    # Where its author left some platforms without a source, so goes what is a target no more.
    served = targeted if _where_any(old) == possible_platforms(None) else are
    found: list[Value] = []
    new: list[Value] = []
    for entry in own:
        same = [other for other in old if _index(other) == _index(entry)]
        fixed = [other for other in same if other in stay]
        needed = _where(entry) & targeted
        if same and needed == _where_any(same) & targeted:
            found += same
        elif fixed:
            found += fixed
            if needed - _where_any(fixed):
                new.append(_without(entry, _where_any(fixed)))
                found.append(new[-1])
        elif same or needed & served:
            found.append(entry)
            new.append(entry)
    found = [*(entry for entry in stay if entry not in found), *found]
    taken = _where_any([entry for entry in found if entry not in new])
    beside = [_without(entry, taken) if entry in new else entry for entry in found]
    narrow = [_with_machines(entry, old, are) if entry in new else entry for entry in found]
    whole = None if stay else list(own)
    return next((some for some in (found, beside, narrow) if _apart(some, old)), whole)


def _left_over(
    own: Sequence[Value],
    old: Sequence[Value],
    are: AbstractSet[Platform],
    left_to: Mapping[str, AbstractSet[Platform]],
) -> list[Value]:
    """Return what is left of the entries of indexes that nobody wants here.

    They lose the targets, and the machines that nothing tells apart from these. What then holds
    for no known platform goes.
    """
    wanted = set(map(_index, own))
    held = list(map(_where, [*own, *old]))

    def signature(platform: Platform) -> tuple[object, ...]:
        return platform.os, *(platform in each for each in held)

    left: list[Value] = []
    for entry in [entry for entry in old if _index(entry) not in wanted]:
        alike = set(map(signature, are - left_to.get(str(_index(entry)), frozenset())))
        taken = frozenset(p for p in possible_platforms(None) if signature(p) in alike)
        if (_where(entry) - taken).intersection(PLATFORMS):
            left.append(_without(entry, taken) if _where(entry) & taken else entry)
    return left


def _without(entry: Any, taken: AbstractSet[Platform]) -> Value:  # noqa: ANN401 - parsed TOML
    """Let an entry leave alone what others have already."""
    marker = spell(_where(entry) - taken)
    if marker is None and (others := spell(possible_platforms(None) - (_where(entry) & taken))):
        marker = meet(entry["marker"], others) if entry.get("marker") else others
    return {**entry, "marker": marker} if marker else entry


def _with_machines(entry: Any, old: Sequence[Value], are: AbstractSet[Platform]) -> Value:  # noqa: ANN401 - parsed TOML
    """Let an entry name its machines: others stand for a machine of whichever system.

    What an entry of the same index holds for already stays as it is written.
    """
    same = [_marker(other) for other in old if _index(other) == _index(entry)]
    there = same[0] if len(same) == 1 else None
    marker = spell((_where(entry) & are) - (possible_platforms(there) if there else frozenset()))
    if marker is None:
        return dict(entry)
    parts = [f"({part})" if " and " in part else part for part in (there, marker) if part]
    return {**entry, "marker": " or ".join(parts) if there else marker}


def _apart(entries: Sequence[Value], old: Sequence[Value]) -> bool:
    """Tell whether no platform has two indexes: uv refuses sources that overlap.

    Those that stood side by side before may still do so.
    """
    there = set(map(_content, old))
    return not any(
        _index(one) != _index(other) and _overlap(one, other)
        for one in entries
        if _content(one) not in there
        for other in entries
    )


def _content(entry: Any) -> frozenset[tuple[str, str]]:  # noqa: ANN401 - parsed TOML
    return frozenset((key, repr(value)) for key, value in entry.items())


def _overlap(one: Any, other: Any) -> bool:  # noqa: ANN401 - parsed TOML
    if _is_known(one) and _is_known(other):
        return overlap_for_uv(one.get("marker"), other.get("marker"))
    # Imported here: markers about more than platforms are rare.
    from packaging.markers import Marker

    from torchconf.resolve.environments import Universe

    markers = [Marker(entry["marker"]) for entry in (one, other) if entry.get("marker")]
    if len(markers) < len((one, other)):
        return True
    universe = Universe(markers, [])
    return bool(universe.where(markers[0]) & universe.where(markers[1]))


def _marker(entry: Any) -> str | None:  # noqa: ANN401 - parsed TOML
    marker: str | None = entry.get("marker")
    return marker


def _is_known(entry: Any) -> bool:  # noqa: ANN401 - parsed TOML
    marker = entry.get("marker")
    return marker is None or names_platforms(marker)


def _where(entry: Any) -> frozenset[Platform]:  # noqa: ANN401 - parsed TOML
    return possible_platforms(entry.get("marker"))


def _where_any(entries: Sequence[Value]) -> frozenset[Platform]:
    return frozenset[Any]().union(*map(_where, entries))


def _index(entry: Any) -> object:  # noqa: ANN401 - parsed TOML
    return entry.get("index")


def _scope(entry: Any) -> tuple[str, str]:  # noqa: ANN401 - parsed TOML
    for kind in ("extra", "group"):
        if kind in entry:
            return kind, canonicalize_name(entry[kind])
    return "", ""
