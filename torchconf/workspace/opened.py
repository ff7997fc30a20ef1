"""What several commands read first: a project or a script, its lockfile, the catalog."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from torchconf import files
from torchconf.catalog import Catalog, load_catalog
from torchconf.edits import edit_text
from torchconf.edits.read_toml import read_toml
from torchconf.errors import ProjectError, RequestError, TorchconfError
from torchconf.files import Change, spoken_path
from torchconf.files.reading import PYTHON
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.read_project import read_project
from torchconf.workspace.members import find_root, read_workspace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.edits.plan import Step
    from torchconf.model.project import Project
    from torchconf.workspace.members import Workspace

LOCKFILE = "uv.lock"


class OpenProject(NamedTuple):
    """A project on disk, as it was read. A script is one, too."""

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

    @property
    def lock_name(self) -> str:
        """The name of the lockfile: `uv.lock`, or `train.py.lock`."""
        return f"{os.path.basename(self.file.path)}.lock" if self.project.is_script else LOCKFILE

    @property
    def lock_path(self) -> str:
        """The path of the lockfile, which need not be there."""
        return os.path.join(self.lock_folder, self.lock_name)

    @property
    def uv_words(self) -> tuple[str, ...]:
        """What tells uv that a script is meant, in the folder of the lockfile."""
        return ("--script", os.path.basename(self.file.path)) if self.project.is_script else ()

    @property
    def lock_words(self) -> tuple[str, ...]:
        """What follows `uv` to lock it, in the folder of the lockfile."""
        return ("lock", *self.uv_words)

    def lockfile(self) -> str:
        """Read the text of the lockfile; empty if there is none."""
        return files.read_if_there(self.lock_path)

    def edit(self, file: files.SourceFile, steps: Iterable[Step]) -> Change:
        """Take the steps of a plan on one of its files; nothing is written.

        Raises:
            WriteRefused: The file cannot be edited as planned.
        """
        name = spoken_path(file.path)
        if not self.project.is_script:
            return Change(file, edit_text(file.text, steps, name))
        # Imported here: most projects are no scripts.
        from torchconf.edits.script import edit_script

        return Change(file, edit_script(file.text, steps, name, bom=file.bom))

    def workspace(self) -> Workspace:
        """Read the other members of the workspace, and path libraries."""
        file = self.root_file or self.file
        return read_workspace(self.file.path, self.project, self.project.root, file.path)


def open_project(
    folder: str | None, *, script: str | None = None, may_be_missing: bool = False
) -> OpenProject:
    """Read the project in a folder, or a script.

    Args:
        folder: None for the nearest folder above that has a pyproject.toml.
        script: The path of a script, which stands for the project.
        may_be_missing: Whether a folder without one will do; its file then reads as empty. Likewise
            a script without a block.

    Raises:
        ProjectError: There is none, or it cannot be read.
        RequestError: Both are named.
    """
    if script is not None:
        if folder is not None:
            raise RequestError("`--script` and `--project` name two files", help="omit one of them")
        return _open_script(script, may_be_missing=may_be_missing)
    if folder is not None:
        path = files.project_file(folder)
    elif may_be_missing:
        path = nearest_or_here()
    else:
        path = files.find_project(".")
    files.sweep(os.path.dirname(path))
    found = _opened(files.read_file(path, may_be_missing=may_be_missing))
    if found.root_file is not None:
        files.sweep(found.lock_folder)
    return found


def open_unsaved(path: str, text: str) -> OpenProject:
    """Return the project, or the script, of a text that an editor has of a file.

    Args:
        path: The absolute path of the file, which need not be there.
        text: What it will say. What surrounds it is read from the disk.

    Raises:
        ProjectError: The text or what surrounds it cannot be read.
    """
    file = files.SourceFile(path, path, text.encode("utf-8", "surrogatepass"))
    return _opened_script(file) if path.endswith(PYTHON) else _opened(file)


def _opened(file: files.SourceFile) -> OpenProject:
    shown = spoken_path(file.path)
    found = find_root(file.path)
    root_file, root = found if found is not None else (None, None)
    project = read_project(read_toml(file.text, shown), root=root, at=shown)
    return OpenProject(file, project, load_catalog().for_project(project), root_file)


def _open_script(path: str, *, may_be_missing: bool) -> OpenProject:
    if os.path.basename(path) == files.NAME:
        raise RequestError(
            f"`{path}` is a project, not a script", help="name its folder with `--project`"
        )
    files.sweep(os.path.dirname(os.path.abspath(path)))
    return _opened_script(files.read_file(path), may_be_missing=may_be_missing)


def _opened_script(file: files.SourceFile, *, may_be_missing: bool = False) -> OpenProject:
    # Imported here: most projects are no scripts.
    from torchconf.model.scripts import as_project, find_block

    shown = spoken_path(file.path)
    block = find_block(file.text, shown, bom=file.bom)
    if block is None and not may_be_missing:
        raise ProjectError(
            "no `# /// script` block in this file",
            at=shown,
            help="run `torchconf init --script FILE -t TARGET` to add one",
        )
    data = as_project(read_toml(block.padded, shown) if block else {})
    project = read_project(data, at=shown, is_script=True)
    return OpenProject(file, project, load_catalog().for_project(project), root_file=None)


def project_here(folder: str | None) -> Project | None:
    """Return the project in a folder, or the nearest one, for what does not need one.

    None if there is none, or nobody can read it.
    """
    try:
        path = files.project_file(folder) if folder is not None else files.find_project(".")
        file = files.read_file(path)
        found = find_root(file.path)
        root = found[1] if found is not None else None
        shown = spoken_path(file.path)
        return read_project(read_toml(file.text, shown), root=root, at=shown, problems=[])
    except TorchconfError:
        return None


def nearest_or_here() -> str:
    """Return the path of the nearest pyproject.toml, or where one would be made."""
    try:
        return files.find_project(".")
    except ProjectError:
        return os.path.join(os.getcwd(), files.NAME)
