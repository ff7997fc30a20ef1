"""A need as a requirement of uv's: pins become bounds, labels are for the index."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import is_exact, is_version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.migrate.old import Need

__all__ = ["Wording", "as_written", "fetches", "joined", "lower_bound", "pinned", "spelled"]


class Wording(NamedTuple):
    """One requirement, in parts."""

    name: str
    extras: tuple[str, ...]
    specifier: str
    marker: str
    url: str

    @property
    def text(self) -> str:
        """The requirement, as `uv add` writes it."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        url = f" @ {self.url}" if self.url else ""
        marker = f" ; {self.marker}" if self.marker else ""
        return f"{self.name}{extras}{self.specifier if not url else ''}{url}{marker}"


def as_written(need: Need) -> Wording:
    """Return a need in parts, with all that it says."""
    return Wording(need.name, need.extras, need.specifier, need.marker, need.url)


def spelled(wording: Wording) -> str | None:
    """Return the text of a requirement; None if it is none for uv."""
    if wording.url and not fetches(wording.url):
        return None
    try:
        specifier = Requirement(wording.text).specifier
    except (InvalidRequirement, RecursionError):
        return None
    # `===` may be followed by anything, but not for uv.
    odd = any(each.operator == "===" and not is_version(each.version) for each in specifier)
    return None if odd else wording.text


def fetches(url: str) -> bool:
    """Tell whether uv can fetch from a URL: an archive, or a repository of git."""
    return re.match(r"(?:git\+(?:https?|ssh|file)|https?|file)://", url, re.IGNORECASE) is not None


def pinned(specifier: str) -> str:
    """Return the one public version that a specifier pins; empty if it pins none."""
    try:
        parts = list(SpecifierSet(specifier))
    except InvalidSpecifier:
        return ""
    if len(parts) == 1 and is_exact(parts[0]) and is_version(parts[0].version):
        return Version(parts[0].version).public
    return ""


def lower_bound(version: str) -> str:
    """Return the lower bound for what a pin means: its minor release, `>=2.3` for `2.3.1`.

    A pre-release is named in full, as nothing else admits it, and so is a release whose first
    numbers say nothing.
    """
    parsed = Version(version)
    numbers, rest = parsed.release[:2], parsed.release[2:]
    if parsed.is_prerelease or not rest or not any(numbers):
        return f">={version}"
    epoch = f"{parsed.epoch}!" if parsed.epoch else ""
    return f">={epoch}{'.'.join(map(str, numbers))}"


def joined(specifiers: Iterable[str]) -> str:
    """Return one specifier that says what all of them say, each part once."""
    parts = [part.strip() for text in specifiers for part in text.split(",")]
    return ",".join(dict.fromkeys(part for part in parts if part))
