"""The workspace that a project belongs to, as uv finds it: its root, and its other members."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from torchconf import files
from torchconf.edits.read_toml import read_toml
from torchconf.errors import ProjectError
from torchconf.files import spoken_path
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.read_project import read_project
from torchconf.model.source_trees import place_of_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torchconf.model.project import Project


class Workspace(NamedTuple):
    """What surrounds a project."""

    root_file: files.SourceFile | None = None
    """Of the workspace root, where that is another file than the project's own."""
    root: Project | None = None
    members: tuple[Project, ...] = ()
    """The other members."""
    libraries: Mapping[str, Project | None] = {}
    """Local libraries by place, as `torchconf.model.source_trees` names them."""
    linked: tuple[str, ...] = ()
    """The names of the files in the folders of `find-links`."""


def find_root(path: str) -> tuple[files.SourceFile, Project] | None:
    """Return the workspace root above a project, if it takes the project as a member."""
    folder = os.path.dirname(os.path.abspath(path))
    found = _root_above(folder)
    if found is None:
        return None
    file, root = found
    above = os.path.dirname(os.path.abspath(file.path))
    return found if folder in set(member_folders(root, above)) else None


def workspace_around(folder: str) -> str | None:
    """Return the file of the workspace root to which `uv init` would add a folder, if there is one.

    A folder that the workspace excludes is not added.
    """
    found = _root_above(folder)
    if found is None:
        return None
    file, root = found
    above = os.path.dirname(os.path.abspath(file.path))
    return None if _leaves_out(root, above, folder) else file.path


def _root_above(folder: str) -> tuple[files.SourceFile, Project] | None:
    """Return the nearest `[tool.uv.workspace]` above a folder: that decides, as in uv."""
    above = os.path.dirname(folder)
    while above != os.path.dirname(above):
        candidate = os.path.join(above, files.NAME)
        if os.path.isfile(candidate):
            file = files.read_file(candidate)
            if "workspace" in file.text:
                shown = spoken_path(candidate)
                root = read_project(read_toml(file.text, shown), at=shown)
                if root.is_workspace_root:
                    return file, root
        above = os.path.dirname(above)
    return None


def _leaves_out(root: Project, above: str, folder: str) -> bool:
    """Tell whether a pattern of `exclude` matches a folder, which need not be there yet."""
    place = os.path.relpath(folder, above).replace(os.sep, "/").split("/")
    patterns = (p.removeprefix("./").rstrip("/").split("/") for p in root.workspace_exclude)
    return any(_matches(place, pattern) for pattern in patterns)


def _matches(place: Sequence[str], pattern: Sequence[str]) -> bool:
    """Tell whether a path matches a pattern, each in its parts; `**` stands for any folders."""
    # Imported here: few projects are workspaces.
    from fnmatch import fnmatchcase

    if not pattern or not place:
        return not pattern and not place
    first, *rest = pattern
    if first == "**":
        starts = range(len(place)) if rest else (len(place),)
        return any(_matches(place[start:], rest) for start in starts)
    return fnmatchcase(place[0], first) and _matches(place[1:], rest)


def member_folders(root: Project, folder: str) -> Iterator[str]:
    """Yield the folders of a workspace's members: those that match, less those left out.

    As with uv, `**` goes down, and a star stands for names with a dot in front, too.
    """
    # Imported here: few projects are workspaces.
    from glob import glob

    def matches(patterns: Sequence[str]) -> Iterator[str]:
        for pattern in patterns:
            place = os.path.join(glob_escape(folder), pattern)
            for found in sorted(glob(place, recursive=True, include_hidden=True)):
                # For uv, `**` at the end stands for what is inside, and not for the folder itself.
                if pattern.endswith("/") or not found.endswith(os.sep):
                    yield os.path.normpath(found)

    left_out = set(matches(root.workspace_exclude))
    for member in dict.fromkeys(matches(root.workspace_members)):
        if member not in left_out and os.path.isfile(os.path.join(member, files.NAME)):
            yield member


def glob_escape(folder: str) -> str:
    """Return a folder so that its own name is no pattern."""
    from glob import escape

    return escape(folder)


def read_workspace(path: str, project: Project, root: Project | None, root_path: str) -> Workspace:
    """Read the other members of a project's workspace, and the local libraries it may reach.

    Args:
        path: Of the project's own file.
        project: The project.
        root: Its workspace root, if that is another project.
        root_path: Of the root's file, or of the project's own.
    """
    whole = root or project
    members: tuple[Project, ...] = ()
    if whole.is_workspace_root:
        own = os.path.dirname(os.path.abspath(path))
        folders = member_folders(whole, os.path.dirname(os.path.abspath(root_path)))
        members = tuple(
            _read(os.path.join(folder, files.NAME), whole) for folder in folders if folder != own
        )
    # Imported here: it reads workspaces, too.
    from torchconf.workspace.libraries import read_libraries

    libraries = read_libraries([project, *members, *([root] if root else [])])
    linked = tuple(_linked(whole, os.path.dirname(os.path.abspath(root_path))))
    return Workspace(members=members, libraries=libraries, linked=linked)


def _linked(project: Project, folder: str) -> Iterator[str]:
    """Yield the names of the files in the folders that `find-links` names."""
    setting = project.uv.get("find-links")
    for place in setting if isinstance(setting, list) else [setting]:
        if isinstance(place, str) and (place.startswith("file:") or "://" not in place):
            path = place_of_url(project, place) if place.startswith("file:") else place
            try:
                yield from sorted(os.listdir(os.path.join(folder, path or "")))
            except (OSError, ValueError):
                continue  # uv says so itself.


def _read(path: str, root: Project | None) -> Project:
    shown = spoken_path(path)
    try:
        return read_project(read_toml(files.read_file(path).text, shown), root=root, at=shown)
    except ProjectError as error:
        error.help = error.help or "the project is read together with this file"
        raise
