"""Which packages are known to bring others, at the releases that projects admit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torchconf.catalog import Catalog
    from torchconf.model.project import Project

__all__ = ["needs_of"]


def needs_of(projects: Iterable[Project], catalog: Catalog) -> Mapping[str, frozenset[str]]:
    """Return what packages need by themselves: name to names.

    A companion whose newest releases need no torch may need it at those that a project admits.
    One that has sources comes from PyTorch's indexes, which may lack the newest of PyPI.
    """
    changing = catalog.changing_dependents
    found = catalog.dependents
    if not changing:
        return found
    projects = tuple(projects)
    routed = {name for project in projects for name in project.sources}
    ranges = [
        (requirement.name, requirement.specifier)
        for project in projects
        for requirement in (*project.requirements(), *project.workspace.constraint_dependencies)
        if requirement.name in changing
    ]
    for package in {name for name, _ in ranges}:
        admitted = [
            needs_torch
            for version, needs_torch in changing[package]
            if (package not in routed or catalog.is_on_an_index(package, version))
            and all(
                within.contains(version, prereleases=True)
                for name, within in ranges
                if name == package
            )
        ]
        if admitted and admitted[0]:
            found = {**found, package: frozenset({catalog.main_package})}
    return found
