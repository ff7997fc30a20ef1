"""Where a dependency that comes from no index lies: a folder, a repository, another workspace.

A *place* is a string that names one such tree: a path as messages have paths, the URL of a
repository, or `FILE#NAME` for a member of the workspace of which FILE is the root.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.model.project import Project, Source

__all__ = ["place_of_source", "place_of_url", "places"]

_ARCHIVES = (".whl", ".zip", ".tar", ".tgz", ".tbz", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz",
             ".tar.zst", ".tar.lzma")  # fmt: skip


def place_of_source(project: Project, source: Source) -> str | None:
    """Return where a source entry finds a tree; None for an index, an archive or a plain URL.

    Args:
        project: Whose requirement it is for; the entry may be its workspace root's.
        source: The entry.
    """
    if source.kind == "workspace":
        return f"{project.workspace.at}#{source.package}"
    if source.kind == "git":
        return source.value
    if source.kind != "path" or source.value.endswith(_ARCHIVES):
        return None
    own = project.sources.get(source.package, ())
    return _path((project if source in own else project.workspace).at, source.value)


def place_of_url(project: Project, url: str | None) -> str | None:
    """Return where the URL of a requirement finds a tree; None for an archive."""
    if url is None or url.endswith(_ARCHIVES):
        return None
    if url.startswith("git+"):
        return url
    if not url.startswith("file:"):
        return None
    # Imported here: few requirements name a folder.
    from urllib.parse import unquote

    path = unquote(url.removeprefix("file:").removeprefix("//").partition("#")[0])
    for variable in ("${PROJECT_ROOT}", "$PROJECT_ROOT"):
        if variable in path:
            return _path(project.at, path.rpartition(variable)[2].lstrip("/") or ".")
    return _path(project.at, path)


def places(project: Project) -> Iterator[str]:
    """Yield where the trees lie that the sources and requirements of a project name."""
    for owner in (project, project.root):
        for sources in owner.sources.values() if owner else ():
            for source in sources:
                if (place := place_of_source(project, source)) is not None:
                    yield place
    for requirement in project.requirements():
        if (place := place_of_url(project, requirement.url)) is not None:
            yield place


def _path(file: str, path: str) -> str:
    return os.path.normpath(os.path.join(os.path.dirname(file), path))
