"""Which lines of a compiled file somebody asked for, and which only follow from them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.migrate.old import Need
from torchconf.migrate.requirement_text import pinned
from torchconf.migrate.roles import is_lock
from torchconf.model.cuda_libraries import CUDA_LIBRARY

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from torchconf.migrate.old import OldFile

__all__ = ["brought_by_torch", "indirect"]

BROUGHT = "other packages require it; uv.lock pins its version"


def brought_by_torch(name: str, triton_packages: Collection[str]) -> str:
    """Say why a package need not be listed next to torch; empty if it has to be.

    Args:
        name: Canonical.
        triton_packages: The triton packages of PyTorch's own indexes.
    """
    if re.fullmatch(CUDA_LIBRARY, name):
        return (
            "not needed: torch's CUDA builds for Linux install CUDA's libraries themselves; "
            "other builds have none"
        )
    if name == "triton" or name in triton_packages:
        return "each build of torch installs the triton that it needs"
    if name == "pkg-resources":
        return "pip lists it on Debian, but it is not a package"
    if name in {"cuda-bindings", "cuda-pathfinder"}:
        return "torch's CUDA builds install it"
    return ""


def indirect(file: OldFile, read: Mapping[str, OldFile]) -> dict[int, str]:
    """Return the needs of a compiled file that nobody asked for, each with the reason.

    Args:
        file: Any file; one that a person wrote has none.
        read: All files that were read, by path.

    Returns:
        By `id` of the need.
    """
    needs = [item for item in file.items if isinstance(item, Need)]
    if not file.compiled:
        sources = _locked_by(file, needs, read)
    else:
        folder = file.path.rpartition("/")[0]
        sources = [source for source in file.sources if _path(source, folder, read)]
    if sources:
        whole = " and ".join(sources)
        return {id(need): f"{whole} lists what is needed; uv.lock pins versions" for need in needs}
    if not any(need.via for need in needs):
        return {}
    return {id(need): BROUGHT for need in needs if need.via and not any(map(_is_file, need.via))}


def _locked_by(file: OldFile, needs: list[Need], read: Mapping[str, OldFile]) -> list[str]:
    """Return the files that one is the lock of, to go by its name and by what it lists."""
    if not is_lock(file.path) or not all(pinned(need.specifier) for need in needs):
        return []
    names = {canonicalize_name(need.name) for need in needs}
    found = []
    for path, other in read.items():
        if other.format == "pip" and not other.compiled and not is_lock(path):
            listed = {canonicalize_name(n.name) for n in other.items if isinstance(n, Need)}
            # Not all: a lock can be older, or of another system.
            found += [path] if listed & names else []
    return found


def _path(source: str, folder: str, read: Mapping[str, OldFile]) -> str:
    """Return the path by which a source was read: it may be said from either folder."""
    for path in (source, f"{folder}/{source}" if folder else source):
        if path in read:
            return path
    return ""


def _is_file(via: str) -> bool:
    """Tell a file that asks for something from a package that does: `-r requirements.in`."""
    return bool(re.match(r"-[rc]\s|.*[(/]|.*[.](?:in|txt|toml|cfg|py)\b", via))
