"""Which targets a project is for: those that it lists, else those that its tables can mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors import ProjectError
from torchconf.model.backends import PYPI
from torchconf.model.intent import init_command, read_intent
from torchconf.model.markers import holds
from torchconf.model.target_spec import means
from torchconf.model.targets import Platform, Target
from torchconf.model.toml_path import TARGETS, render_path

if TYPE_CHECKING:
    from torchconf.catalog import Catalog
    from torchconf.layout.configuration import Configuration
    from torchconf.model.project import Project
    from torchconf.model.target_spec import TargetSpec

__all__ = ["intended", "served"]

_NOWHERE = Platform("other", "other")
"""A system that no target can name: what takes it takes whatever is left."""


def served(spec: TargetSpec, configuration: Configuration) -> Target | None:
    """Return the target of the tables that a spec means; None if they do not serve it."""
    here = [t for t in configuration.targets if t.platform == spec.platform]
    if spec.backend is not None:
        target = Target(spec.platform, spec.backend)
        # What no source names is PyPI's, also where nothing holds its release to the others'.
        is_left = spec.backend == PYPI and not here
        return target if target in here or is_left else None
    fitting = [target for target in here if means(spec, target)]
    return max(fitting, key=lambda target: target.backend.version, default=None)


def intended(
    project: Project, catalog: Catalog, configuration: Configuration
) -> tuple[Target, ...]:
    """Return what commands call the targets: those listed, else those that can have been meant.

    Without a list, a platform that only gets the CPU build that is left over is no target.

    Raises:
        ProjectError: The list is malformed, or names a target that the tables do not serve.
    """
    specs = read_intent(project, catalog.vocabulary)
    if specs is None:
        return _without_leftovers(catalog, configuration)
    found: list[Target] = []
    for number, spec in enumerate(specs):
        target = served(spec, configuration)
        if target is None:
            raise ProjectError(
                f"target `{spec.text}` is listed, but the tables do not serve it",
                at=project.place(render_path((*TARGETS, number))),
                help=f"run `{init_command(project)} -y` to bring the tables in line with the list",
            )
        found.append(target)
    return tuple(dict.fromkeys(found))


def _without_leftovers(catalog: Catalog, configuration: Configuration) -> tuple[Target, ...]:
    """Leave out the platforms that no marker names, and that get nothing but the fallback.

    Where just one system is left, a marker that excludes the others names it.
    """
    plain = {catalog.fallback, PYPI}
    targets = configuration.targets
    if all(target.backend in plain for target in targets):
        return targets
    leftover = {
        platform
        for platform in {target.platform for target in targets}
        if {t.backend for t in targets if t.platform == platform} == {catalog.fallback}
        and _is_left(platform, configuration)
    }
    if len({platform.os for platform in leftover}) == 1:
        return targets
    return tuple(target for target in targets if target.platform not in leftover)


def _is_left(platform: Platform, configuration: Configuration) -> bool:
    """Tell whether a platform has its build only from sources that take any other system too."""
    sources = [
        source
        for source in configuration.sources
        if source.marker is None or holds(source.marker, platform)
    ]
    return all(source.marker is None or holds(source.marker, _NOWHERE) for source in sources)
