"""Keep source entries that do what is wanted already, in their own words.

Whoever wrote `platform_system == 'Linux'`, or a marker that says more than the targets need, meant
it. An entry is rewritten only where it would give a target another build.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.model.markers import names_platforms, same_platforms, spell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from torchconf.edits.plan import Value
    from torchconf.model.targets import Platform


def keep_entries(
    wanted: Sequence[Value],
    current: Any,  # noqa: ANN401 - parsed TOML
    targeted: Callable[[str], AbstractSet[Platform]],
) -> list[Value]:
    """Return the wanted entries, with those that are there and do the same in their place.

    Args:
        wanted: The sources of one package, as a new file would have them.
        current: What the file has: a list of entries, one entry, or None.
        targeted: The platforms that matter to an extra or group, by its normalised name; to the
            project itself, under the empty name.
    """
    there = [current] if isinstance(current, dict) else current or []
    kept: list[Value] = []
    for scope in dict.fromkeys(map(_scope, wanted)):
        own = [entry for entry in wanted if _scope(entry) == scope]
        old = [entry for entry in there if _scope(entry) == scope]
        kept += _keep(own, old, targeted(scope[1])) if old else own
    return kept


def _keep(
    own: Sequence[Value], old: Sequence[Value], targeted: AbstractSet[Platform]
) -> list[Value]:
    """Choose the entries of one scope."""
    found: list[Value] = []
    new: list[Value] = []
    for entry in own:
        same = [other for other in old if _index(other) == _index(entry)]
        needed = _where(entry) & targeted
        if same and needed == _where_any(same) & targeted:
            found += same
        elif same or needed:
            found.append(entry)
            new.append(entry)
    taken = _where_any([entry for entry in found if entry not in new])
    beside = [_without(entry, taken) if entry in new else entry for entry in found]
    return next((some for some in (found, beside) if _apart(some, old)), list(own))


def _without(entry: Any, taken: AbstractSet[Platform]) -> Value:  # noqa: ANN401 - parsed TOML
    """Let an entry leave alone what others have already."""
    marker = spell(_where(entry) - taken)
    return {**entry, "marker": marker} if marker else entry


def _apart(entries: Sequence[Value], old: Sequence[Value]) -> bool:
    """Tell whether no platform has two indexes: uv refuses sources that overlap.

    Of markers that name more than the platforms known here, only uv could tell; those that stood
    side by side before may still do so.
    """
    return not any(
        _index(one) != _index(other)
        and (_where(one) & _where(other) or not (_is_known(one) and _is_known(other)))
        for one, other in combinations(entries, 2)
        if one not in old or other not in old
    )


def _is_known(entry: Any) -> bool:  # noqa: ANN401 - parsed TOML
    marker = entry.get("marker")
    return marker is None or names_platforms(marker)


def _where(entry: Any) -> frozenset[Platform]:  # noqa: ANN401 - parsed TOML
    return same_platforms(entry.get("marker"))


def _where_any(entries: Sequence[Value]) -> frozenset[Platform]:
    return frozenset[Any]().union(*map(_where, entries))


def _index(entry: Any) -> object:  # noqa: ANN401 - parsed TOML
    return entry.get("index")


def _scope(entry: Any) -> tuple[str, str]:  # noqa: ANN401 - parsed TOML
    for kind in ("extra", "group"):
        if kind in entry:
            return kind, canonicalize_name(entry[kind])
    return "", ""
