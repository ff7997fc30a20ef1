"""Names of wheels, parsed only if that cannot take for ever.

A name says its tags in three parts, `py2.py3-none-any`, and stands for each combination of them. A
name of a few kilobytes stands for more combinations than any memory holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

if TYPE_CHECKING:
    from packaging.tags import Tag
    from packaging.utils import NormalizedName
    from packaging.version import Version

__all__ = ["count_tags", "parse_wheel_name"]

MOST_TAGS = 1000
"""More than any wheel has; the largest known ones have a few dozen."""


def count_tags(filename: str) -> int:
    """Return how many tags the name of a wheel stands for, without making them."""
    count = 1
    for part in filename.removesuffix(".whl").rsplit("-", 3)[1:]:
        count *= part.count(".") + 1
    return count


def parse_wheel_name(filename: str) -> tuple[NormalizedName, Version, frozenset[Tag]]:
    """Return the package, the version and the tags of a wheel.

    Raises:
        InvalidWheelFilename: It is none, or one that nobody has built.
    """
    if count_tags(filename) > MOST_TAGS:
        message = f"{filename[:80]}... has {count_tags(filename)} tags"
        raise InvalidWheelFilename(message)
    name, version, _, tags = parse_wheel_filename(filename)
    return name, version, tags
