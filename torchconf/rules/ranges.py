"""Ranges of versions: without local labels, and what they admit that no catalog knows yet."""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

__all__ = ["FAR", "admits_newer", "public"]

FAR = Version("999")


def public(specifier: SpecifierSet) -> SpecifierSet:
    """Return a range without local labels: `==2.8.0` for `==2.8.0+cu128`."""
    parts = ",".join(re.sub(r"\+.*", "", str(part)) for part in specifier)
    try:
        return SpecifierSet(parts)
    except InvalidSpecifier:
        return specifier


def admits_newer(specifier: SpecifierSet, newest: Version) -> bool:
    """Tell whether a range admits a release after one."""
    named = [
        Version(re.sub(r"\.\*$", "", part.version))
        for part in specifier
        if _is_version(part.version)
    ]
    guesses = [FAR, *named, *(Version(f"{v.major}.{v.minor}.{v.micro + 1}") for v in named)]
    return any(v > newest and specifier.contains(v, prereleases=True) for v in guesses)


def _is_version(text: str) -> bool:
    return re.fullmatch(r"[0-9]+(\.[0-9]+)*(\.\*)?", text) is not None
