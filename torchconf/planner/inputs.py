"""What a decision is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from torchconf.catalog import Catalog
    from torchconf.layout.configuration import Configuration
    from torchconf.model.project import Project, Source
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
    sharing: tuple[Project, ...] = ()
    """Of a workspace root: the members that have the same builds."""

    @property
    def main(self) -> str:
        """Return the package that all this is about: torch."""
        return self.catalog.main_package

    def sources_for(self, package: NormalizedName) -> tuple[Source, ...]:
        """Return the sources of a package: the project's, else those of the first member."""
        own = (one.sources_for(package) for one in (self.project, *self.sharing))
        return next(filter(None, own), ())
