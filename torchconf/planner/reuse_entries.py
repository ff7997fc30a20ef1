"""Keep source entries that do what is wanted already, in their own words.

Whoever wrote `platform_system == 'Linux'`, or a marker that says more than the targets need, meant
it. An entry is rewritten only where it would give a target another build.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.model.markers import names_platforms, possible_platforms, spell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from torchconf.edits.plan import Value
    from torchconf.model.targets import Platform


def keep_entries(
    wanted: Sequence[Value],
    current: Any,  # noqa: ANN401 - parsed TOML
    targeted: Callable[[str], AbstractSet[Platform]],
    fixed: Sequence[Value] = (),
) -> list[Value] | None:
    """Return the wanted entries, with those that are there and do the same in their place.

    Args:
        wanted: The sources of one package, as a new file would have them.
        current: What the file has: a list of entries, one entry, or None.
        targeted: The platforms that matter to an extra or group, by its normalised name; to the
            project itself, under the empty name.
        fixed: Those that stay as they are: others find a place beside them.

    Returns:
        None if there is no place beside the fixed ones.
    """
    there = [current] if isinstance(current, dict) else current or []
    kept: list[Value] = []
    for scope in dict.fromkeys(map(_scope, wanted)):
        own = [entry for entry in wanted if _scope(entry) == scope]
        old = [entry for entry in there if _scope(entry) == scope]
        if not old:
            kept += own
            continue
        stay = [entry for entry in old if entry in fixed]
        found = _keep(own, old, stay, targeted(scope[1]))
        if found is None:
            return None
        kept += found
    return kept


def _keep(
    own: Sequence[Value],
    old: Sequence[Value],
    stay: Sequence[Value],
    targeted: AbstractSet[Platform],
) -> list[Value] | None:
    """Choose the entries of one scope."""
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
        elif same or needed:
            found.append(entry)
            new.append(entry)
    found = [*(entry for entry in stay if entry not in found), *found]
    taken = _where_any([entry for entry in found if entry not in new])
    beside = [_without(entry, taken) if entry in new else entry for entry in found]
    whole = None if stay else list(own)
    return next((some for some in (found, beside) if _apart(some, old)), whole)


def _without(entry: Any, taken: AbstractSet[Platform]) -> Value:  # noqa: ANN401 - parsed TOML
    """Let an entry leave alone what others have already."""
    marker = spell(_where(entry) - taken)
    return {**entry, "marker": marker} if marker else entry


def _apart(entries: Sequence[Value], old: Sequence[Value]) -> bool:
    """Tell whether no platform has two indexes: uv refuses sources that overlap.

    Those that stood side by side before may still do so.
    """
    return not any(
        _index(one) != _index(other) and _overlap(one, other)
        for one, other in combinations(entries, 2)
        if one not in old or other not in old
    )


def _overlap(one: Any, other: Any) -> bool:  # noqa: ANN401 - parsed TOML
    if _is_known(one) and _is_known(other):
        return bool(_where(one) & _where(other))
    # Imported here: markers about more than platforms are rare.
    from packaging.markers import Marker

    from torchconf.resolve.environments import Universe

    markers = [Marker(entry["marker"]) for entry in (one, other) if entry.get("marker")]
    if len(markers) < len((one, other)):
        return True
    universe = Universe(markers, [])
    return bool(universe.where(markers[0]) & universe.where(markers[1]))


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
