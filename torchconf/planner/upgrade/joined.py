"""The projects of a workspace that hold the same builds, read as one."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName

    from torchconf.model.project import Project, Section

__all__ = ["joined_project"]


def joined_project(root: Project, members: Sequence[Project]) -> Project:
    """Return a root that requires all that its members require, in extras and groups, too.

    What stands in one file only is told by whoever places a requirement.
    """
    if not members:
        return root
    every = (root, *members)
    sources = {name: own for one in reversed(every) for name, own in one.sources.items()}
    pythons = [one.requires_python for one in every if one.requires_python is not None]
    return root.changed(
        dependencies=tuple(line for one in every for line in one.dependencies),
        extras=_joined(one.extras for one in every),
        groups=_joined(one.groups for one in every),
        sources=sources,
        requires_python=reduce(_both, pythons) if pythons else None,
    )


def _joined(
    tables: Iterable[Mapping[NormalizedName, Section]],
) -> dict[NormalizedName, Section]:
    """Return the sections of all tables; those of one name have the entries of all."""
    found: dict[NormalizedName, Section] = {}
    for table in tables:
        for name, section in table.items():
            there = found.get(name)
            entries = section.entries if there is None else (*there.entries, *section.entries)
            found[name] = (there or section).changed(entries=entries)
    return found


def _both(one: SpecifierSet, other: SpecifierSet) -> SpecifierSet:
    return one & other
