"""The shape of a catalog: wheel tags as platforms and Pythons, equal cells as one, one text.

Shared by what compiles the packaged catalog and by what reads the live indexes.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any, TypeAlias

from packaging.version import Version

__all__ = ["Cell", "intern", "platforms_of", "python_of", "render"]

Cell: TypeAlias = "dict[str, Any]"
"""`seen`: platform to Pythons, and `complete`: how far its silence counts."""


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


def python_of(tag: str, requires: str | None = None) -> str | None:
    """Turn a Python tag of the facts into `3.13`, `3.13t`, or `3.9+` where every later one will do.

    Args:
        tag: `cp313`; `cp39-abi3` and `py39-none` are for 3.9 and every later Python 3.
        requires: The wheel's `Requires-Python`. It bounds wheels whose tag names no Python: `py3`.
    """
    tag = re.sub(r"^\d+-", "", tag)
    if match := re.fullmatch(r"cp3(\d{1,2})-abi3", tag):
        return f"3.{match[1]}+"
    if match := re.fullmatch(r"(?:py2\.)?py3(\d{0,2})-none", tag):
        floors = re.findall(r">=\s*3\.(\d{1,2})(?!\d)", requires or "")
        return f"3.{max(map(int, [match[1] or '0', *floors]))}+"
    if match := re.fullmatch(r"cp3(\d{1,2})(t?)(?:-none)?", tag):
        return f"3.{match[1]}{match[2]}"
    return None


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


def _newest_first(releases: dict[str, Any]) -> dict[str, Any]:
    return {version: releases[version] for version in sorted(releases, key=Version, reverse=True)}


def _python_order(python: str) -> tuple[int, str]:
    match = re.fullmatch(r"3\.(\d+)([t+]?)", python)
    if match is None:
        message = f"not a Python of the catalog: {python}"
        raise ValueError(message)
    return int(match[1]), match[2]
