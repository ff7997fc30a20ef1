"""Choices of version constraints, `^1.13 || ^2.0`, as one specifier where one means the same."""

from __future__ import annotations

from itertools import pairwise

from packaging.specifiers import Specifier
from packaging.version import Version

from torchconf.model.named_tuple import NamedTuple

__all__ = ["NoSpecifier", "below", "bounds", "union"]

_ZERO = Version("0")
_MOST_GAPS = 40
"""So many `!=3.0.*` are still a specifier that somebody reads."""


class NoSpecifier(ValueError):
    """A constraint that no specifier expresses; its text is half a sentence."""


def below(version: Version, position: int, parts: int) -> str:
    """Return the bound below the next release that differs in one part.

    After a pre-release, `^2.0rc1`, that is as far as after the release itself.
    """
    release = (*version.release[:position], version.release[position] + 1)
    release += (0,) * (parts - len(release))
    epoch = f"{version.epoch}!" if version.epoch else ""
    return f"<{epoch}{'.'.join(map(str, release))}"


class _Stretch(NamedTuple):
    """A choice that is one stretch of versions."""

    lower: Version | None
    upper: Version | None
    closed: bool
    """Whether the upper end belongs to it."""
    clauses: tuple[str, str]

    @property
    def begins(self) -> bool:
        """Whether the lower end belongs to it."""
        return self.clauses[0].startswith(">=")

    @property
    def is_empty(self) -> bool:
        """Whether no version is in it."""
        if self.lower is None or self.upper is None or self.lower < self.upper:
            return False
        return self.lower > self.upper or not (self.begins and self.closed)


def union(choices: list[list[str]], text: str) -> str:
    """Return one specifier for several choices: their hull, without the gaps in it."""
    if not all(choices):
        return ""
    stretches = sorted(
        (each for choice in choices if not (each := _stretch(choice, text)).is_empty),
        key=lambda each: (each.lower is not None, each.lower or _ZERO, not each.begins),
    )
    if not stretches:
        raise NoSpecifier(f"no version fits `{text}`")
    merged = [stretches[0]]
    for each in stretches[1:]:
        last = merged[-1]
        if _touch(last, each):
            end = max(
                last, each, key=lambda one: (one.upper is None, one.upper or _ZERO, one.closed)
            )
            merged[-1] = end._replace(lower=last.lower, clauses=(last.clauses[0], end.clauses[1]))
        else:
            merged.append(each)
    gaps = [gap for one, other in pairwise(merged) for gap in _gap(one, other, text)]
    if len(gaps) > _MOST_GAPS:
        raise NoSpecifier(f"no short specifier means the same as `{text}`")
    return ",".join(filter(None, [merged[0].clauses[0], merged[-1].clauses[1], *gaps]))


def _touch(one: _Stretch, other: _Stretch) -> bool:
    """Tell whether nothing is between two stretches, of which the first begins first."""
    if one.upper is None or other.lower is None or other.lower < one.upper:
        return True
    return other.lower == one.upper and (one.closed or other.begins)


def _stretch(clauses: list[str], text: str) -> _Stretch:
    lower: Version | None = None
    upper: Version | None = None
    closed = False
    spoken = ["", ""]
    for clause in clauses:
        for bound in bounds(clause, text):
            version, is_open = Version(bound.lstrip("<>=")), "=" not in bound
            if bound[0] == ">":
                if lower is None or (version, is_open) > (lower, "=" not in spoken[0]):
                    lower, spoken[0] = version, bound
            elif upper is None or (version, not is_open) < (upper, closed):
                upper, closed, spoken[1] = version, not is_open, bound
    return _Stretch(lower, upper, closed, (spoken[0], spoken[1]))


def bounds(clause: str, text: str) -> list[str]:
    """Return a clause as bounds: `==2.*` is `>=2,<3`."""
    parsed = Specifier(clause)
    if parsed.operator in ("<", "<=", ">=", ">"):
        return [clause]
    if parsed.operator == "==" and parsed.version.endswith(".*"):
        version = Version(parsed.version[:-2])
        return [f">={version}", below(version, len(version.release) - 1, 1)]
    if parsed.operator == "~=":
        version = Version(parsed.version)
        return [f">={version}", below(version, len(version.release) - 2, 1)]
    if parsed.operator == "==":
        return [f">={parsed.version}", f"<={parsed.version}"]
    raise NoSpecifier(f"no specifier means the same as `{text}`")


def _gap(one: _Stretch, other: _Stretch, text: str) -> list[str]:
    """Return what is between two stretches, as `!=3.0.*` for each part of it, or as `!=3.9.7`."""
    start, end = one.upper, other.lower
    if start is not None and start == end and not one.closed and not other.begins:
        return [f"!={start}"]
    if (
        start is None
        or end is None
        or one.closed
        or not other.begins
        or not all(str(each) == ".".join(map(str, each.release)) for each in (start, end))
    ):
        raise NoSpecifier(f"no specifier means the same as `{text}`")
    length = max(len(start.release), len(end.release))
    at, stop = (each.release + (0,) * (length - len(each.release)) for each in (start, end))
    found: list[str] = []
    while at < stop and len(found) <= _MOST_GAPS:
        for size in range(1, length + 1):
            after = (*at[: size - 1], at[size - 1] + 1, *(0,) * (length - size))
            if after <= stop and not any(at[size:]):
                break
        found.append(f"!={'.'.join(map(str, at[:size]))}.*")
        at = after
    return found
