"""The projects that lie on this disk and come along by path, with those that they need in turn."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from torchconf import files
from torchconf.edits.read_toml import read_toml
from torchconf.errors import TorchconfError
from torchconf.files import spoken_path
from torchconf.model.read_project import read_project
from torchconf.model.source_trees import places
from torchconf.workspace.members import find_root, member_folders

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.model.project import Project

__all__ = ["read_libraries"]


def read_libraries(projects: Iterable[Project]) -> dict[str, Project | None]:
    """Read the local source trees that projects reach, however many steps away.

    Returns:
        Projects by place, as `torchconf.model.source_trees` names them. None for a folder or an
        archive without a pyproject.toml, which has no sources. A place that is missing is not there
        or cannot be read.
    """
    found: dict[str, Project | None] = {}
    waiting = [*projects]
    # The members of their workspace are known without being looked for.
    own = {project.workspace.at for project in waiting}
    while waiting:
        for place in places(waiting.pop(0)):
            if place in found or place.rpartition("#")[0] in own:
                continue
            try:
                library = _read(place)
            except (TorchconfError, OSError, ValueError):
                continue  # uv says what is wrong with it.
            if library is not None:
                found[place] = library
                waiting.append(library)
            elif os.path.exists(place):
                found[place] = None
    return found


def _read(place: str) -> Project | None:
    """Read the project of one place; None if there is none."""
    root_file, hash_, member = place.rpartition("#")
    if hash_ and os.path.isfile(root_file):
        root = _view(root_file, None)
        for folder in member_folders(root, os.path.dirname(os.path.abspath(root_file))):
            project = _view(os.path.join(folder, files.NAME), root)
            if project.name == member:
                return project
        return root if root.name == member else None
    file = os.path.join(place, files.NAME)
    if not os.path.isfile(file):
        return None
    around = find_root(file)
    return _view(file, around[1] if around else None)


def _view(file: str, root: Project | None) -> Project:
    shown = spoken_path(file)
    data = read_toml(files.read_file(file).text, shown)
    return read_project(data, root=root, at=shown, problems=[])
