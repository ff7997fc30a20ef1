"""A copy of a project to lock in, so that the project itself stays as it is.

Folders are created, files are links to the real ones, and what uv writes is copied. What a
`.gitignore` names, and environments, are left out.
"""

from __future__ import annotations

import os

from torchconf.errors import UvError
from torchconf.files.reading import NAME
from torchconf.files.walking import find_files

__all__ = ["mirror", "mirror_script"]

_COPIED = frozenset({NAME, "uv.lock"})


def mirror(folder: str, outside: tuple[str, ...], into: str) -> str:
    """Copy a project.

    Args:
        folder: Of the project, or of its workspace root.
        outside: Local libraries that it names, as it writes them: `../library`.
        into: An empty folder.

    Returns:
        The folder of the copy.

    Raises:
        UvError: It cannot be copied.
    """
    ups = [path.replace("\\", "/").split("/").count("..") for path in outside]
    place = os.path.join(into, *(f"above-{n}" for n in range(max(ups, default=0))), "project")
    try:
        _copy(folder, place)
        for path in outside:
            source = os.path.normpath(os.path.join(folder, path))
            target = os.path.normpath(os.path.join(place, path))
            if not os.path.isabs(path) and not os.path.lexists(target):
                if os.path.isdir(source):
                    _copy(source, target)
                elif os.path.isfile(source):
                    _link(source, target)
    except OSError as error:
        raise UvError(f"cannot copy the project to lock it: {error}", at=folder) from error
    return place


def mirror_script(path: str, libraries: tuple[str, ...], into: str) -> str:
    """Copy a script, its lockfile, and the local libraries that it names; return the folder.

    Args:
        path: Of the script. What lies beside it is not copied: that may be anything.
        libraries: As they are found from the folder of the script.
        into: An empty folder.

    Raises:
        UvError: They cannot be copied.
    """
    folder, name = os.path.split(path)
    ups = [place.replace("\\", "/").split("/").count("..") for place in libraries]
    copy = os.path.join(into, *(f"above-{n}" for n in range(max(ups, default=0))), "script")
    try:
        os.makedirs(copy)
        for each in (name, f"{name}.lock"):
            if os.path.isfile(os.path.join(folder, each)):
                _duplicate(os.path.join(folder, each), os.path.join(copy, each))
        for place in libraries:
            source = os.path.normpath(os.path.join(folder, place))
            target = os.path.normpath(os.path.join(copy, place))
            if os.path.isdir(source) and not os.path.lexists(target):
                _copy(source, target)
            elif os.path.isfile(source) and not os.path.lexists(target):
                _link(source, target)
    except OSError as error:
        raise UvError(f"cannot copy the script to lock it: {error}", at=path) from error
    return copy


def _copy(folder: str, place: str) -> None:
    os.makedirs(place, exist_ok=True)
    for path in find_files(folder):
        target = os.path.join(place, os.path.relpath(path, folder))
        if os.path.basename(path) in _COPIED:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            _duplicate(path, target)
        else:
            _link(path, target)
    lock = os.path.join(folder, "uv.lock")
    if os.path.isfile(lock):  # even where git ignores it
        _duplicate(lock, os.path.join(place, "uv.lock"))


def _link(path: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        os.symlink(os.path.abspath(path), target)
    except OSError:  # Windows asks for a privilege
        _duplicate(path, target)


def _duplicate(path: str, target: str) -> None:
    with open(path, "rb") as source, open(target, "wb") as copy:
        copy.write(source.read())
