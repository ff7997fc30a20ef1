"""The flags of a choice on a machine on which `UV_NO_GROUP` may be set already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from torchconf.layout.selection import Selection

__all__ = ["flags_here"]


def flags_here(
    selection: Selection, groups: Collection[str], builds: Sequence[str], left_out: str
) -> list[str]:
    """Return the words that give a choice, whatever the variable says.

    A `--no-group` replaces the variable, so what else the variable leaves out is named, too.

    Args:
        selection: The choice.
        groups: What it enables, default groups included.
        builds: Every group that chooses a build.
        left_out: The value of the variable; empty where it is not set.
    """
    names = left_out.split()
    own = {canonicalize_name(group) for group in groups}
    chosen = [build for build in builds if canonicalize_name(build) in own]
    hidden = {*map(canonicalize_name, names)}
    named = (*selection.no_groups, *selection.left_out)
    if not named and not any(canonicalize_name(build) in hidden for build in chosen):
        return selection.flags()
    others = (build for build in builds if names and build not in chosen)
    once = {canonicalize_name(build): "" for build in chosen}
    for name in (*named, *others, *names):
        once.setdefault(canonicalize_name(name), name)
    out = tuple(filter(None, once.values()))
    return selection._replace(no_groups=out, left_out=()).flags()
