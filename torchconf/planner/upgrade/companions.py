"""Companions without a source that the indexes of the new builds have, and of the old had not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.model.backends import PYPI
from torchconf.model.toml_path import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.catalog import Catalog
    from torchconf.edits.draft import Draft
    from torchconf.layout.configuration import Configuration
    from torchconf.model.project import Project
    from torchconf.model.targets import Target
    from torchconf.planner.upgrade.destination import Destination

__all__ = ["route_companions"]


def route_companions(
    draft: Draft,
    project: Project,
    catalog: Catalog,
    before: Configuration,
    destination: Destination,
) -> Iterator[str]:
    """Give each of them the sources that torch has; they must match its build.

    Yields:
        A sentence on each.
    """
    main = draft.key(SOURCES, catalog.main_package, canonicalize_name)
    routed: Any = draft.get((*SOURCES, main))
    for name in before.packages if destination.backends and routed else ():
        version = destination.choice.companions.get(name)
        if name in catalog.triton_packages or version is None or project.sources_for(name):
            continue

        def has(target: Target, name: str = name, version: Any = version) -> bool:  # noqa: ANN401 - a version
            return target.backend == PYPI or (
                catalog.seen(name, version, target.backend, target.platform)
                or catalog.carries(name, version, target.backend)
                or catalog.goes_along(name, target.backend)
            )

        if all(map(has, before.targets)) or not all(map(has, destination.choice.targets)):
            continue
        entries = [routed] if isinstance(routed, dict) else list(routed)
        own = [entry for entry in entries if _is_listed(name, entry, project)]
        if own:
            draft.put((*SOURCES, name), own, "built against one torch")
            yield f"{name} gets the same index as torch: it must match the build of torch"


def _is_listed(name: str, entry: Any, project: Project) -> bool:  # noqa: ANN401 - parsed TOML
    """Tell whether the extra or group of a source lists a package: uv refuses it otherwise."""
    for kind, tables in (("extra", project.extras), ("group", project.groups)):
        if kind in entry:
            section = tables.get(canonicalize_name(entry[kind]))
            return section is not None and any(r.name == name for r in section.requirements)
    return True
