"""The patterns of a `.gitignore`, in time that grows with pattern and path and not with their ways.

pathspec makes regular expressions. That of `a*a*a*b` tries every way to share out a name among its
stars, that of `a/**/a/**/b` every way to share out the folders: forty stars never end. No way but
the first needs to be tried: where one star follows another, the text between them may just as well
be taken where it is found first, as the second star reaches all that comes behind. An atomic group
does that: what it has matched is not tried in another way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pathspec import GitIgnoreSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_patterns"]

# What pathspec makes of `*` and `?` in a name, of `/**/` and of a leading `**/`.
_STAR = "[^/]*"
_ANY = "[^/]"
_FOLDERS = "(?:/.+)?"
_ABOVE = "^(?:.+/)?"


def read_patterns(lines: Iterable[str]) -> GitIgnoreSpec:
    """Read the lines of a `.gitignore`."""
    spec = GitIgnoreSpec.from_lines(lines)
    for pattern in spec.patterns:
        regex = pattern.regex
        text = _tried_once(regex.pattern) if regex is not None else None
        if regex is not None and text != regex.pattern:
            pattern.regex = re.compile(text)
    return spec


def _tried_once(regex: str) -> str:
    """Return a regular expression that matches the same, with what needs no second try atomic."""
    first, *pieces = regex.split(_FOLDERS)
    if not pieces:
        return _stars_once(first)
    if first.startswith(_ABOVE):
        found = f"^(?>(?:[^/]+/)*?{_stars_once(first.removeprefix(_ABOVE))}(?=/))"
    else:
        found = _stars_once(first)
    for piece in pieces[:-1]:
        found += f"(?>(?:/[^/]+)*?{_stars_once(piece)}(?=/))"
    return found + _FOLDERS + _stars_once(pieces[-1])


def _stars_once(regex: str) -> str:
    first, *pieces = regex.split(_STAR)
    found = first
    for number, piece in enumerate(pieces, start=1):
        # The last star of a name may have to reach further, so that the name ends.
        ends_name = number == len(pieces) or "/" in piece.replace(_ANY, "")
        found += f"{_STAR}{piece}" if ends_name else f"(?>{_STAR}?{piece})"
    return found
