"""The shape of a catalog: wheel tags as platforms and Pythons, equal cells as one, one text.

Shared by what compiles the packaged catalog and by what reads the live indexes.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeAlias

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from torchconf.model.ranges import admits_python

__all__ = ["PLANNED", "Cell", "cells_of", "intern", "platforms_of", "pythons_of", "render"]

Cell: TypeAlias = "dict[str, Any]"
"""`seen`: platform to Pythons, and `complete`: how far its silence counts."""

PLANNED = "planned"
"""In a cell's `complete`: PyTorch's build matrix names it, and nobody has seen a wheel of it."""

_MINORS = range(60)
"""The minor versions of Python 3 that a wheel can be for."""
_LONGEST = 200  # letters; no `Requires-Python` has half as many


def render(catalog: dict[str, Any]) -> str:
    """Return the canonical text of a catalog: sorted, one top-level entry a line, no spaces.

    Releases stand newest first. Readers of the catalog rely on it: sorting versions would take
    longer than all else that they do.
    """
    sorted_text = json.dumps(catalog, sort_keys=True)
    ordered: dict[str, Any] = json.loads(sorted_text)
    ordered["releases"] = _newest_first(ordered["releases"])
    ordered["wheels"] = {name: _newest_first(each) for name, each in ordered["wheels"].items()}
    lines = ",\n".join(
        f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}"
        for key, value in ordered.items()
    )
    return f"{{\n{lines}\n}}\n"


def platforms_of(tag: str, anywhere: list[str]) -> list[str]:
    """Map a wheel's platform tag to the platforms it installs on.

    Args:
        tag: `manylinux_2_27_x86_64.manylinux_2_28_x86_64`, which is `linux-x86_64`.
        anywhere: The platforms of a wheel for any.
    """
    if tag == "any":
        return anywhere
    names = {"win_amd64": "windows-x86_64", "win_arm64": "windows-arm64"}
    found = set()
    for part in tag.split("."):
        if part in names:
            found.add(names[part])
        elif match := re.fullmatch(r"(?:many)?linux(?:\d+|_\d+_\d+)?_(x86_64|aarch64)", part):
            found.add(f"linux-{match[1]}")
        elif match := re.fullmatch(r"macosx_\d+_\d+_(arm64|x86_64)", part):
            found.add(f"macos-{match[1]}")
    return sorted(found)


def pythons_of(tag: str, requires: str | None = None) -> tuple[str, ...]:
    """Say which Pythons a wheel serves: `3.13`, `3.13t`, or `3.9+` where every later one will do.

    A wheel for any ABI (`py3-none`) serves free-threaded Pythons as well: `3.9+t`. One for the
    stable ABI does not.

    Args:
        tag: `cp313`, `cp39-abi3`, `py39-none`, with a build number or without.
        requires: The wheel's `Requires-Python`, which bounds whatever the tag says.
    """
    tag = re.sub(r"^\d+-", "", tag)
    admitted = _admitted(requires or "")
    if match := re.fullmatch(r"cp3(\d{1,2})(t?)(?:-none)?", tag):
        return (f"3.{match[1]}{match[2]}",) if int(match[1]) in admitted else ()
    match = re.fullmatch(r"cp3(\d{1,2})-(abi3)|(?:py2\.)?py3(\d{0,2})-none", tag)
    if match is None:
        return ()
    minors = [minor for minor in admitted if minor >= int(match[1] or match[3] or 0)]
    kinds = ("",) if match[2] else ("", "t")
    if not minors or minors[-1] != _MINORS[-1]:
        return tuple(f"3.{minor}{kind}" for kind in kinds for minor in minors)
    # From the last one that is left out, every later Python will do.
    start = next(
        (after for before, after in pairwise(reversed(minors)) if before - after > 1), None
    )
    first = minors[0] if start is None else minors[minors.index(start) + 1]
    return tuple(
        f"3.{minor}{kind}" if minor < first else f"3.{minor}+{kind}"
        for kind in kinds
        for minor in minors
        if minor <= first
    )


@lru_cache(maxsize=256)
def _admitted(requires: str) -> tuple[int, ...]:
    """Return the minor versions of Python 3 that a `Requires-Python` admits.

    What nobody can read bounds nothing.
    """
    try:
        within = SpecifierSet(requires if len(requires) < _LONGEST else "")
        return tuple(minor for minor in _MINORS if admits_python(within, f"3.{minor}"))
    except ValueError:
        return tuple(_MINORS)


def intern(
    cells: dict[tuple[str, str, str], Cell],
) -> tuple[list[Any], dict[str, Any]]:
    """Give equal cells one number: `sets[number]` is `[complete, {platform: "3.10 3.11"}]`."""
    numbers: dict[str, int] = {}
    wheels: dict[str, Any] = defaultdict(lambda: defaultdict(dict))
    for (package, version, backend), cell in sorted(cells.items()):
        seen = {
            platform: " ".join(sorted(pythons, key=_python_order))
            for platform, pythons in cell["seen"].items()
            if pythons
        }
        text = json.dumps([" ".join(sorted(cell["complete"])), seen], sort_keys=True)
        number = numbers.setdefault(text, len(numbers))
        wheels[package][version][backend] = number
    return [json.loads(text) for text in numbers], {
        package: dict(versions) for package, versions in wheels.items()
    }


def cells_of(catalog: dict[str, Any]) -> dict[tuple[str, str, str], Cell]:
    """Return the cells of a catalog, as `intern` takes them."""
    return {
        (package, version, backend): {
            "complete": set(catalog["sets"][number][0].split()),
            "seen": {p: set(text.split()) for p, text in catalog["sets"][number][1].items()},
        }
        for package, versions in catalog["wheels"].items()
        for version, numbers in versions.items()
        for backend, number in numbers.items()
    }


def _newest_first(releases: dict[str, Any]) -> dict[str, Any]:
    return {version: releases[version] for version in sorted(releases, key=Version, reverse=True)}


def _python_order(python: str) -> tuple[int, str]:
    match = re.fullmatch(r"3\.(\d+)(t|\+t?)?", python)
    if match is None:
        message = f"not a Python of the catalog: {python}"
        raise ValueError(message)
    return int(match[1]), match[2] or ""
