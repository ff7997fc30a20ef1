"""What a decision is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torchconf.catalog import Catalog
    from torchconf.layout.configuration import Configuration
    from torchconf.model.project import Project
    from torchconf.planner.request import Facts, Request

__all__ = ["Inputs"]


class Inputs(NamedTuple):
    """A request, and what the planner knows of the project that it is about."""

    request: Request
    project: Project
    catalog: Catalog
    facts: Facts
    before: Configuration
    """What the project's tables say now."""

    @property
    def main(self) -> str:
        """Return the package that all this is about: torch."""
        return self.catalog.main_package
