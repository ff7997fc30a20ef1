"""A torch that came with a container: in its own Python, and not installed by uv.

Images such as NVIDIA's NGC and AMD's ROCm hold a torch of their own, which is on no index. uv would
make an environment beside it, and install another one. Nothing is run to find that out: the
records of the installed packages say it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from torchconf.machine.container import is_container
from torchconf.machine.installed import FOLDER_VARIABLE, environment_folder, package_folders
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Preinstalled", "find_preinstalled"]

_MOST = 10_000


class Preinstalled(NamedTuple):
    """A package that something else than uv has installed."""

    version: str
    folder: str


def find_preinstalled(
    package: str, folder: str, variables: Mapping[str, str], root: str = "/"
) -> Preinstalled | None:
    """Return the package that a container came with, where uv would install another one.

    Args:
        package: Its name.
        folder: Of the project or workspace.
        variables: Of the environment.
        root: Where the marks of a container are looked for.
    """
    if not is_container(root, variables):
        return None
    environment = environment_folder(folder, variables)
    if os.path.isdir(environment):
        # One that is named may be the image's own; the one in the project is the user's.
        prefixes = [environment] if variables.get(FOLDER_VARIABLE) else []
    else:
        prefixes = [*_prefixes(variables)]
    folders = (inside for prefix in prefixes for inside in package_folders(prefix))
    return next(filter(None, (_read(inside, package) for inside in folders)), None)


def _prefixes(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield where each Python on PATH keeps its packages; uvx puts one of its own first."""
    for place in variables.get("PATH", os.defpath).split(os.pathsep):
        programs = (os.path.join(place, name) for name in ("python3", "python"))
        if os.path.isabs(place) and any(map(os.path.isfile, programs)):
            prefix = os.path.dirname(os.path.realpath(place))
            yield prefix
            # Debian's Python has what its users install there.
            yield os.path.join(prefix, "local")


def _read(folder: str, package: str) -> Preinstalled | None:
    with suppress(OSError):
        for child in sorted(os.listdir(folder)):
            name, _, rest = child.partition("-")
            if name == package and rest.endswith(".dist-info"):
                if _text(os.path.join(folder, child, "INSTALLER")).strip() == "uv":
                    return None
                return Preinstalled(rest.removesuffix(".dist-info"), folder)
    return None


def _text(path: str) -> str:
    with suppress(OSError):
        if os.path.isfile(path):  # a pipe would wait
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read(_MOST)
    return ""
