"""Words that several rules put into their messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.model.targets import Platform

__all__ = ["list_names", "list_systems"]


def list_names(items: Iterable[str]) -> str:
    """Join names for a message: `a`, `b` and `c`."""
    return _joined([f"`{name}`" for name in items])


def list_systems(platforms: Iterable[Platform]) -> str:
    """Name operating systems in a message: Linux and Windows."""
    titles = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}
    return _joined(list(dict.fromkeys(titles[platform.os] for platform in platforms)))


def _joined(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
