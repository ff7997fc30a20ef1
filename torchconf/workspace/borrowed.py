"""What a commit does not hold because git does not track it, taken from the disk as it is now.

A local library beside the repository, or a folder of wheels that git ignores, is read with every
state of a project. Without it, the project of a commit would differ from that of the disk in what
neither of them has changed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from torchconf import files
from torchconf.edits.read_toml import read_toml
from torchconf.errors import TorchconfError
from torchconf.model.read_project import read_project
from torchconf.model.source_trees import places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchconf.model.project import Project

__all__ = ["borrow"]


def borrow(projects: Iterable[Project], top: str, shown: str, base: str) -> None:
    """Copy what projects need and a snapshot lacks: the files of libraries, the names of wheels.

    Args:
        projects: As they were read from the snapshot.
        top: The snapshot of the repository.
        shown: The repository itself.
        base: The temporary folder: nothing is written outside of it.
    """
    waiting = list(projects)
    seen: set[str] = set()
    for project in waiting:
        folders = [*places(project), *_links(project)]
        for place in map(os.path.abspath, folders):
            real = os.path.normpath(os.path.join(shown, os.path.relpath(place, top)))
            is_inside = place.startswith(os.path.join(base, ""))
            if place in seen or not is_inside or os.path.lexists(place) or not os.path.isdir(real):
                continue
            seen.add(place)
            with suppress(TorchconfError, OSError):
                waiting += _copy(real, place)


def _links(project: Project) -> Iterator[str]:
    """Yield the folders of `find-links`."""
    setting = project.workspace.uv.get("find-links")
    folder = os.path.dirname(os.path.abspath(project.workspace.at))
    for place in setting if isinstance(setting, list) else [setting]:
        if isinstance(place, str) and "://" not in place:
            yield os.path.join(folder, place)


def _copy(real: str, place: str) -> Iterator[Project]:
    """Copy what a folder says; yield the project that it is."""
    os.makedirs(place)
    for name in sorted(os.listdir(real)):
        if name.endswith(".whl"):
            with open(os.path.join(place, name), "wb"):
                pass
    source, target = (os.path.join(folder, files.NAME) for folder in (real, place))
    if os.path.isfile(source):
        file = files.read_file(source)
        with open(target, "wb") as copy:
            copy.write(file.raw or b"")
        yield read_project(read_toml(file.text, target), at=target, problems=[])
