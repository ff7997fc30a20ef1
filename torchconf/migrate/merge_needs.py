"""Several lines for one package: as few requirements as say what all of them say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from torchconf.migrate.requirement_text import Wording, joined, pinned
from torchconf.model.markers import may_hold
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import SHOWN_PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchconf.migrate.old import Need
    from torchconf.migrate.settings import Where

__all__ = ["Entry", "is_overruled", "merged"]


class Entry(NamedTuple):
    """A need, and the requirement that it becomes."""

    item: Need
    to: Where
    wording: Wording
    why: str

    @property
    def name(self) -> str:
        """The package, canonical."""
        return canonicalize_name(self.wording.name)

    @property
    def was_pin(self) -> bool:
        """Whether a pin became a lower bound."""
        return self.wording.specifier.startswith(">=") and bool(pinned(self.item.specifier))


def merged(same: Sequence[Entry], *, only_builds: bool) -> list[Wording]:
    """Return what several lines for one package ask for, in as few requirements as possible.

    Args:
        same: The lines.
        only_builds: Markers that leave no platform out only choose the build: it has one index.
    """
    first = same[0].wording
    extras = tuple(dict.fromkeys(extra for entry in same for extra in entry.wording.extras))
    by_marker: dict[str, list[Entry]] = {}
    for entry in same:
        by_marker.setdefault(entry.wording.marker, []).append(entry)
    found = [
        own[0].wording._replace(extras=extras, specifier=_joined(own)) for own in by_marker.values()
    ]
    specifiers = {wording.specifier for wording in found}
    if len(specifiers) == 1 and _is_everywhere(by_marker) and (only_builds or len(found) > 1):
        return [first._replace(extras=extras, specifier=specifiers.pop(), marker="")]
    return found


def is_overruled(entry: Entry, own: Wording) -> bool:
    """Tell whether a pin became a lower bound that the range of another line leaves no place for.

    Args:
        entry: A line.
        own: The requirement that it was merged into.
    """
    if not entry.was_pin or own.url:
        return False
    version = pinned(entry.item.specifier)
    return not SpecifierSet(own.specifier).contains(version, prereleases=True)


def _joined(same: Sequence[Entry]) -> str:
    """Return what lines with one marker say of the version.

    Where one file pins what another gives a range, the range is what was meant.
    """
    asked = [entry.wording.specifier for entry in same if not entry.was_pin]
    pins = [entry.wording.specifier for entry in same if entry.was_pin]
    if pins and not any(asked):
        return min(pins, key=lambda bound: Version(bound.removeprefix(">=")))
    return joined(asked)


def _is_everywhere(markers: Iterable[str]) -> bool:
    """Tell whether on each platform one of these markers holds."""
    try:
        parsed = [Marker(text) if text else None for text in markers]
    except InvalidMarker:
        return False
    return all(any(may_hold(marker, platform) for marker in parsed) for platform in SHOWN_PLATFORMS)
