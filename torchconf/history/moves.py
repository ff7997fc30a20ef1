"""What has another place or another name than before, told from places and names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["moved", "other_names"]


def moved(
    before: Mapping[str, str | None], after: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Return for each place of now the place of before; None for what is new.

    What is gone from one place and new at another is the same if its name is, and if no other one
    of that name has come or gone.

    Args:
        before: Names by place; None for what has no name.
        after: Likewise.
    """
    gone = {place: name for place, name in before.items() if place not in after and name}
    new = {place: name for place, name in after.items() if place not in before and name}
    found: dict[str, str | None] = {p: p if p in before else None for p in after}
    left = _places(gone)
    for name, places in _places(new).items():
        from_ = left.get(name, [])
        if len(places) == len(from_) == 1:
            found[places[0]] = from_[0]
    return found


def _places(names: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the places of each name."""
    found: dict[str, list[str]] = {}
    for place, name in names.items():
        found.setdefault(name, []).append(place)
    return found


def other_names(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Return the new names of members by their old ones: those whose folder has stayed."""
    known = {*before.values()} & {*after.values()}
    return {
        name: after[folder]
        for folder, name in before.items()
        if folder in after and name not in known and after[folder] not in known
    }
