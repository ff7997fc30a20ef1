"""What is asked of an upgrade, and where it leads to, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchconf.model.backends import Backend
    from torchconf.model.targets import Target
    from torchconf.planner.assess import ReleaseChoice
    from torchconf.planner.upgrade.parts import Part

__all__ = ["Destination", "UpgradeRequest"]


class UpgradeRequest(NamedTuple):
    """What a user asks for: one field a flag of `upgrade`."""

    torch: str | None = None
    """A specifier, or a bare version, which means that release."""
    backends: tuple[tuple[str, str], ...] = ()
    """Old backend to new one, as typed."""
    everything: bool = False
    """Move each backend to the newest that all its targets share."""
    rename: bool = False
    """Whether extras and groups named after a backend get its new name."""
    record: bool = False
    """List the targets in a file that has no list yet."""
    within: str = ""
    """The line of torch for which there are wheels of what is built against it: `==2.12.*`."""


class Destination(NamedTuple):
    """Where a project can go."""

    choice: ReleaseChoice
    """The release, with the targets that the project has afterwards."""
    backends: Mapping[str, Backend]
    """Old backend to new one, of those that change."""
    given_up: tuple[Target, ...]
    """Targets that no one asked for by name, and that cannot follow."""
    notes: tuple[str, ...]
    parts: Mapping[Part, ReleaseChoice] = {}
    """What each extra or group gets, where they go their own ways."""
    is_settled: bool = False
    """Nothing moves: uv takes the newest of each index as it is."""
    tied: bool = False
    """Torch stays in its line: something is built against it."""

    def new(self, target: Target) -> Target:
        """Return what becomes of a target."""
        return target._replace(backend=self.backends.get(target.backend.name, target.backend))
