"""Projects in which each machine says which build it is: `UV_NO_GROUP` names the others."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from torchconf.model.backends import PYPI

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from torchconf.catalog import Catalog
    from torchconf.model.project import Conflict, Item, Project

__all__ = [
    "MACHINE",
    "clashing_defaults",
    "is_by_machine",
    "is_left_to_base",
    "own_sets",
]

MACHINE = "machine"
"""What `--default` takes where each machine says it, instead of a backend."""


def clashing_defaults(project: Project) -> Mapping[tuple[str, str | None], tuple[str, ...]]:
    """Return the default groups that some conflict set forbids next to an extra or group.

    Returns:
        By kind and name; the groups as they are written, in the order of the file.
    """
    found: dict[tuple[str, str | None], set[str]] = {}
    defaults = project.installed_groups()
    for _, own in own_sets(project) if defaults else ():
        members = {(item.kind, item.name) for item in own}
        for group in defaults:
            if ("group", group) in members:
                for kind, name in members:
                    if name != group:
                        found.setdefault((kind, name), set()).add(group)
    return {
        scope: tuple(project.groups[name].written for name in defaults if name in groups)
        for scope, groups in found.items()
    }


def is_by_machine(
    project: Project, catalog: Catalog, names: Mapping[str, Sequence[NormalizedName]]
) -> bool:
    """Tell whether each machine says which of the builds it is.

    Either all of them are default groups, which conflict; or the CPU's is, and what the base
    dependencies bring without it is PyPI's build.

    Args:
        project: The project.
        catalog: For the fallback and the family.
        names: The groups that choose a build, by backend name; normalised.
    """
    groups = [name for own in names.values() for name in own]
    default = [name for name in groups if project.is_default_group(name)]
    if len(groups) > 1 and default == groups:
        sets = [{item.name for item in own if item.kind == "group"} for _, own in own_sets(project)]
        return all(any({*pair} <= one for one in sets) for pair in combinations(groups, 2))
    fallback = catalog.fallback.name
    if names.keys() != {fallback, PYPI.name} or default != [*names[fallback]]:
        return False
    return all(is_left_to_base(project, catalog, name) for name in names[PYPI.name])


def is_left_to_base(project: Project, catalog: Catalog, group: str) -> bool:
    """Tell whether a group brings nothing that the base dependencies do not bring without it.

    It is there for the conflict: to leave out the default group is to choose it.
    """
    section = next((one for name, one in project.groups.items() if name == group), None)
    if section is None or section.includes:
        return False
    base = {requirement.name for requirement in project.dependencies}
    brought = {requirement.name for requirement in section.requirements}
    return catalog.main_package in brought <= base and not any(
        source.group == group for sources in project.sources.values() for source in sources
    )


def own_sets(project: Project) -> Iterator[tuple[Conflict, Sequence[Item]]]:
    """Yield the conflict sets of a project and its workspace, with the members of its own."""
    above = () if project.root is None else project.root.conflicts
    for conflict in (*project.conflicts, *above):
        yield conflict, [item for item in conflict.items if item.package == project.name]
