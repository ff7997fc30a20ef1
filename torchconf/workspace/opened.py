"""What several commands read first: the project's file, its lockfile, the catalog."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from torchconf import files
from torchconf.catalog import Catalog, load_catalog
from torchconf.edits.read_toml import read_toml
from torchconf.files import spoken_path
from torchconf.model.read_project import read_project
from torchconf.workspace.members import find_root, read_workspace

if TYPE_CHECKING:
    from torchconf.model.project import Project
    from torchconf.workspace.members import Workspace

LOCKFILE = "uv.lock"


class OpenProject(NamedTuple):
    """A project on disk, as it was read."""

    file: files.SourceFile
    project: Project
    catalog: Catalog
    root_file: files.SourceFile | None
    """Of the workspace root, where that is another file."""

    @property
    def folder(self) -> str:
        """The folder of the project."""
        return os.path.dirname(os.path.abspath(self.file.path))

    @property
    def lock_folder(self) -> str:
        """The folder of the lockfile: the workspace root's."""
        file = self.root_file or self.file
        return os.path.dirname(os.path.abspath(file.path))

    def lockfile(self) -> str:
        """Read the text of the lockfile; empty if there is none."""
        return files.read_if_there(os.path.join(self.lock_folder, LOCKFILE))

    def workspace(self) -> Workspace:
        """Read the other members of the workspace, and path libraries."""
        file = self.root_file or self.file
        return read_workspace(self.file.path, self.project, self.project.root, file.path)


def open_project(folder: str | None, *, may_be_missing: bool = False) -> OpenProject:
    """Read the project in a folder.

    Args:
        folder: None for the nearest folder above that has a pyproject.toml.
        may_be_missing: Whether a folder without one will do; its file then reads as empty.

    Raises:
        ProjectError: There is none, or it cannot be read.
    """
    if folder is not None:
        path = files.project_file(folder)
    elif may_be_missing:
        path = nearest_or_here()
    else:
        path = files.find_project(".")
    files.sweep(os.path.dirname(path))
    file = files.read_file(path, may_be_missing=may_be_missing)
    shown = spoken_path(file.path)
    found = find_root(file.path)
    root_file, root = found if found is not None else (None, None)
    if root_file is not None:
        files.sweep(os.path.dirname(root_file.path))
    project = read_project(read_toml(file.text, shown), root=root, at=shown)
    return OpenProject(file, project, load_catalog(), root_file)


def nearest_or_here() -> str:
    """Return the path of the nearest pyproject.toml, or where one would be made."""
    from torchconf.errors import ProjectError

    try:
        return files.find_project(".")
    except ProjectError:
        return os.path.join(os.getcwd(), files.NAME)
