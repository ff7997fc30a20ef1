"""What the requirements and the constraints of a project say of a package, joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

if TYPE_CHECKING:
    from torchconf.model.project import Project

__all__ = ["admitted_range", "declared_range", "pinned_range"]


def declared_range(project: Project, package: str) -> SpecifierSet:
    """Return all that a project's requirements say of a package, joined."""
    joined = SpecifierSet()
    for requirement in project.requirements():
        if requirement.name == package:
            joined &= requirement.specifier
    return joined


def pinned_range(project: Project, package: str) -> SpecifierSet:
    """Return what the constraints of a project, or of its workspace, say of a package."""
    joined = SpecifierSet()
    for requirement in project.workspace.constraint_dependencies:
        if requirement.name == package:
            joined &= requirement.specifier
    return joined


def admitted_range(project: Project, package: str) -> SpecifierSet:
    """Return all that requirements and constraints say of a package, joined."""
    return declared_range(project, package) & pinned_range(project, package)
