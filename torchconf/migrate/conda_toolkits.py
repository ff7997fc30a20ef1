"""Packages of conda that choose a build of torch without being it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torchconf.migrate.conda_spec import Spec

__all__ = ["TOOLKITS", "strongest", "toolkit_backend"]

TOOLKITS = (
    "pytorch-cuda", "cpuonly", "pytorch-cpu", "pytorch-gpu", "pytorch-mutex", "cuda-version",
    "cudatoolkit", "cuda-toolkit", "cuda", "cuda-runtime",
)  # fmt: skip
"""The first of them that a file names says which build is meant: it is closest to torch."""
_ANY_CUDA = "cuda"
"""The newest CUDA that fits."""


def strongest(names: list[str]) -> str:
    """Return which of the packages of a file decides on the build; empty if none does."""
    return next((name for name in TOOLKITS if name in names), "")


def toolkit_backend(name: str, spec: Spec) -> str:
    """Return the build that a line means: `cu121` for `pytorch-cuda=12.1`.

    Args:
        name: One of `TOOLKITS`.
        spec: The line.
    """
    if name in ("cpuonly", "pytorch-cpu"):
        return "cpu"
    if name == "pytorch-mutex":
        return "cpu" if "cpu" in spec.build else _ANY_CUDA
    if name == "pytorch-gpu":
        return _ANY_CUDA
    found = re.fullmatch(r"={0,2}([0-9]+)[.]([0-9]+)(?:[.*][0-9.*]*)?", spec.version)
    return f"cu{found[1]}{found[2]}" if found else _ANY_CUDA
