"""What a range of versions admits, told from the range itself and not by trying versions."""

from __future__ import annotations

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

TYPE_CHECKING = False  # `typing` is not needed to read a range
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def overlap(first: SpecifierSet, *others: SpecifierSet) -> bool:
    """Tell whether some version is in all of these ranges."""
    every = (first, *others)
    if any(all(one.contains(named) for one in every) for named in _named(every)):
        return True
    # Here `packaging` imports its module of ranges, which takes longer than its other modules.
    common = first.to_range()
    for other in others:
        common &= other.to_range()
    return not common.is_empty


def _named(ranges: Iterable[SpecifierSet]) -> Iterator[Version]:
    """Yield versions that ranges name and may admit: one that all of them do admit is proof."""
    for specifier in ranges:
        for part in specifier:
            if part.operator in {">=", "==", "~="} and not part.version.endswith(".*"):
                yield Version(part.version)


def uv_range(text: str) -> SpecifierSet | None:
    """Return what a `required-version` admits, None if it is malformed: a bare version is exact."""
    try:
        return SpecifierSet(text if text.strip()[:1] in set("<>=~!") else f"=={text}")
    except InvalidSpecifier:
        return None


def overlaps(one: SpecifierSet, other: str) -> bool:
    """Tell whether some version is in both ranges."""
    return overlap(one, SpecifierSet(other))


def admits_newer(specifier: SpecifierSet, release: Version) -> bool:
    """Tell whether a range admits a release after this one; a `.post1` of it is not after it."""
    return _reaches(specifier, release, f">{release.public}")


def admits_from(specifier: SpecifierSet, release: str) -> bool:
    """Tell whether a range admits this release or a later one."""
    first = Version(release)
    if specifier.contains(first, prereleases=True):
        return True
    return _reaches(specifier, first, f">={release}")


def admits_python(python: SpecifierSet, version: str) -> bool:
    """Tell whether a range admits any patch release of a Python: `==3.12.4` admits `3.12`."""
    first = Version(f"{version}.0")
    if python.contains(first):
        return True
    # The usual bounds, without the algebra, as below.
    major, minor = first.release[:2]
    following = Version(f"{major}.{minor + 1}")
    for part in python:
        if part.operator in {">", ">="} and Version(part.version) >= following:
            return False
        if part.operator in {"<", "<="} and Version(part.version) <= first:
            return False
    return overlaps(python, f"=={version}.*")


def public(specifier: SpecifierSet) -> SpecifierSet:
    """Return a range without local labels: `==2.8.0` for `==2.8.0+cu128`."""
    if not any("+" in part.version for part in specifier):
        return specifier
    try:
        return SpecifierSet(",".join(str(part).partition("+")[0] for part in specifier))
    except InvalidSpecifier:
        return specifier


def joined_range(specifiers: Iterable[SpecifierSet]) -> str:
    """Return what ranges admit together, as one: without bounds that another one is narrower than.

    Lower bounds come first: `>=2.11,<2.14`.
    """
    parts = {str(part): part for specifier in specifiers for part in specifier}
    for signs, narrower in (((">=", ">"), max), (("<=", "<"), min)):
        ends = [part for part in parts.values() if part.operator in signs]
        if len(ends) > 1:
            # Of `>2` and `>=2`, and of `<2` and `<=2`, the first one is narrower.
            ends.sort(key=lambda part: len(part.operator))
            kept = narrower(ends, key=lambda part: Version(part.version))
            for part in ends:
                if part is not kept:
                    parts.pop(str(part), None)
    return ",".join(sorted(parts, key=lambda text: (text[0] == "<", text)))


def exclusions(declared: SpecifierSet) -> SpecifierSet:
    """Return the releases that a range leaves out by name: `!=2.8.0`."""
    return SpecifierSet(",".join(str(part) for part in declared if part.operator == "!="))


def is_exact(part: Specifier) -> bool:
    """Tell a part of a range that names one version: `==2.13.0`, not `==2.13.*`."""
    return part.operator in {"==", "==="} and not part.version.endswith(".*")


def is_version(text: str) -> bool:
    """Tell a version from other text, which `===` may be followed by."""
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def lowest_named(declared: SpecifierSet) -> Version | None:
    """Return the lowest release that a range means to admit."""
    found: list[Version] = []
    for part in declared:
        if part.operator in {">=", ">", "==", "===", "~="}:
            try:
                found.append(Version(Version(part.version.removesuffix(".*")).public))
            except InvalidVersion:
                continue
    return max(found, default=None)


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
