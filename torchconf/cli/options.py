"""What the command line says, as frozen values; each command's own value is in its module."""

from __future__ import annotations

import sys

from torchconf.model.record import Record

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from typing import Literal

    from torchconf.report.colour import When

    Format = Literal["text", "json"]
    Layout = Literal["auto", "markers", "extras", "groups"]


class CommonOptions(Record):
    """What every command takes."""

    project: str | None
    color: When
    quiet: bool
    verbose: bool


class WritingOptions(Record):
    """How a command that writes goes about it, and how it reports."""

    dry_run: bool
    check: bool
    lock: bool
    yes: bool
    format: Format

    @property
    def writes(self) -> bool:
        """Whether files are written."""
        return not self.dry_run and not self.check

    @property
    def can_ask(self) -> bool:
        """Whether there is somebody to ask who has not declined."""
        return not (self.yes or self.check or self.format == "json") and is_terminal()


def is_terminal() -> bool:
    """Tell whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()
