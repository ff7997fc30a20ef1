"""What a range of versions admits, told from the range itself and not by trying versions."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet
from packaging.version import Version


def overlaps(one: SpecifierSet, other: str) -> bool:
    """Tell whether some version is in both ranges."""
    # Here `packaging` imports its module of ranges, which takes longer than its other modules.
    return not (one.to_range() & SpecifierSet(other).to_range()).is_empty


def admits_newer(specifier: SpecifierSet, release: Version) -> bool:
    """Tell whether a range admits a release after this one; a `.post1` of it is not after it."""
    return _reaches(specifier, release, f">{release.public}")


def admits_from(specifier: SpecifierSet, release: str) -> bool:
    """Tell whether a range admits this release or a later one."""
    return _reaches(specifier, Version(release), f">={release}")


def _reaches(specifier: SpecifierSet, release: Version, range_: str) -> bool:
    """Answer for the usual bounds without the algebra: starts are to be quick."""
    ends = [part for part in specifier if part.operator not in {">=", ">", "!="}]
    if not ends:
        return True
    for part in ends:
        if part.operator in {"<", "<=", "=="} and not part.version.endswith(".*"):
            end = Version(part.version)
            if end < release or (end == release and part.operator == "<"):
                return False
    return overlaps(specifier, range_)
