"""The builds of a platform as a person asks for them: `cuda`, `rocm`, `jetson`, `pypi`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from docs.engine.state import catalog
from torchconf.model.backends import PYPI
from torchconf.wizard.descriptions import platform_title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.model.backends import Accelerator
    from torchconf.model.targets import Platform

__all__ = ["Kind", "kinds"]


class Kind(NamedTuple):
    """One word after the platform in a target, and what it means there."""

    word: str
    title: str
    accelerator: Accelerator | None = None
    """None for PyPI, and where nobody publishes it."""
    reason: str = ""
    """Why it is not published; empty if it is."""


def kinds(platform: Platform) -> Iterator[Kind]:
    """Yield PyTorch's accelerators, in whosever index they are, what only others have, and PyPI."""
    known = catalog()
    own = [one for one in known.accelerators if not one.family]
    others = {
        one.word: one
        for one in known.accelerators
        if one.family and one.word and platform.key in one.platforms
    }
    for one in own:
        if platform.key in one.platforms:
            yield Kind(one.name, one.title, one)
        elif one.name in others:
            yield Kind(one.name, others[one.name].title, others[one.name])
        else:
            where = platform_title(platform)
            yield Kind(one.name, one.title, None, f"PyTorch has no {one.title} build for {where}")
    names = {one.name for one in own}
    yield from (Kind(word, one.title, one) for word, one in others.items() if word not in names)
    yield Kind(PYPI.name, "PyPI")
