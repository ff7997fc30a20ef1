"""Whether this process runs in a container, told by files, variables, and the first process."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["is_container"]

_MARKS = (".dockerenv", "run/.containerenv", ".singularity.d")
"""Files and folders at the root of a container, by Docker, Podman and Apptainer."""
_VARIABLES = (
    "container", "KUBERNETES_SERVICE_HOST", "APPTAINER_CONTAINER", "SINGULARITY_CONTAINER",
    "NVIDIA_PYTORCH_VERSION", "NVIDIA_BUILD_ID",
)  # fmt: skip
"""What is set inside of containers, and in NVIDIA's images wherever they run."""
_GROUPS = re.compile(r"docker|containerd|kubepods|libpod|lxc")
_MOST = 100_000


def is_container(root: str, variables: Mapping[str, str]) -> bool:
    """Tell whether this process runs in a container.

    Args:
        root: Where its marks are looked for.
        variables: Of the environment.
    """
    if any(os.path.lexists(os.path.join(root, mark)) for mark in _MARKS):
        return True
    if any(variables.get(name) for name in _VARIABLES):
        return True
    with suppress(OSError):
        place = os.path.join(root, "proc/1/cgroup")
        with open(place, encoding="utf-8", errors="replace") as file:
            return _GROUPS.search(file.read(_MOST)) is not None
    return False
