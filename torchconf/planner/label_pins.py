"""Versions that name one build, such as `==2.11.0+cu128`, where its index goes.

Such a pin counts for the platforms of its marker and for the builds of the list that it stands in.
Where none of these is the named one any more, no index serves the version: the label is taken out.
So it is where the named build gets its first source, and some platform another build.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.model.backends import PYPI
from torchconf.model.markers import may_hold
from torchconf.model.ranges import is_exact
from torchconf.model.read_project import read_again, read_project
from torchconf.model.targets import PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.utils import NormalizedName

    from torchconf.catalog import Catalog
    from torchconf.edits.draft import Draft
    from torchconf.model.project import Project, Requirement
    from torchconf.model.targets import Platform

__all__ = ["release_pins"]


def release_pins(draft: Draft, root: Draft, project: Project, catalog: Catalog) -> Iterator[str]:
    """Take the labels out of pins whose build the drafted tables do not give them any more.

    Yields:
        A sentence on each pin that was changed.
    """
    before = {one.raw: one for one in _pins(project, catalog)}
    if not before:
        return
    above = read_project(root.data, at=project.root.at) if project.root else None
    planned = read_again(project, draft.data, root=above)
    for one in _pins(planned, catalog):
        label = _label(one)
        if one.raw not in before or label is None:
            continue
        then = _builds(project, before[one.raw], catalog)
        now = _builds(planned, one, catalog)
        if label not in then:
            # Its first source: elsewhere, and on macOS, no index has the version.
            on_macos = any(p.os == "macos" and may_hold(one.marker, p) for p in PLATFORMS)
            if label not in now or (now == {label} and not on_macos):
                continue
            why = f"`{one.raw}` names a build that not every platform gets"
        elif (label in now and then != {label}) or now == {label}:
            continue
        else:
            why = f"`{one.raw}` names a build that nothing selects there any more"
        text = re.sub(rf"[+]{re.escape(label)}(?![A-Za-z0-9.])", "", one.raw, count=1)
        holder = root if one.path[0] == "tool" else draft
        holder.replace(one.path, text, "no index serves that build there any more")
        yield f"{why}: now `{text}`"


def _pins(project: Project, catalog: Catalog) -> Iterator[Requirement]:
    """Yield the requirements of the family that name one build."""
    whole = project.workspace
    shared = (*whole.constraint_dependencies, *whole.override_dependencies)
    for one in (*project.requirements(), *shared):
        if one.name in catalog.family and one.url is None and _label(one) is not None:
            yield one


def _label(one: Requirement) -> str | None:
    """Return the label of the version that a requirement pins: `cu128`."""
    for part in one.specifier:
        _, plus, label = part.version.partition("+")
        if plus and is_exact(part):
            return label
    return None


def _builds(project: Project, one: Requirement, catalog: Catalog) -> frozenset[str]:
    """Return the builds that a requirement gets where it holds, of those that have labels."""
    sections = (*project.extras.values(), *project.groups.values())
    own = [section.name for section in sections if section.path == one.path[:-1]]
    # The base dependencies are installed with each extra and group, and without any.
    scopes: list[NormalizedName | None] = [*own] or [None, *(each.name for each in sections)]
    # The wheels for macOS have no label.
    platforms = [p for p in PLATFORMS if p.os != "macos" and may_hold(one.marker, p)]
    return frozenset(
        _build(project, one.name, scope, platform, catalog)
        for scope in scopes
        for platform in platforms
    )


def _build(
    project: Project,
    package: NormalizedName,
    scope: NormalizedName | None,
    platform: Platform,
    catalog: Catalog,
) -> str:
    for source in project.sources_for(package):
        if (source.extra or source.group) in {None, scope} and may_hold(source.marker, platform):
            index = project.index_named(source.index) if source.index else None
            backend = catalog.backend_of_url(index.url, index.name) if index else None
            return backend.name if backend else ""
    return PYPI.name
