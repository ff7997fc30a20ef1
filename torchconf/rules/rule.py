"""What a rule is, and what it reports."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from torchconf.errors import hide_secrets
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.toml_path import render_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.edits.plan import Step
    from torchconf.model.toml_path import Path
    from torchconf.rules.context import Context

__all__ = ["MARKERS_MAKE_SENSE", "Finding", "Fix", "Premise", "Rule", "Severity"]


class Severity(Enum):
    """How much a finding matters."""

    ERROR = "error"
    """uv refuses the file, or installs another build than it says."""
    WARNING = "warning"
    """Most probably not what was meant."""
    INFO = "info"
    """Worth knowing; the file may be just right."""


class Premise(Enum):
    """What rules take for granted. Where one does not hold, the rule that breaks it reports."""

    PLATFORM_NAMES = "markers name platforms as Python does"
    MACHINE_NAMES = "markers know all names of a machine"
    PLATFORM_MARKERS = "markers of sources ask for platforms, not for extras or groups"
    SCOPES = "the extra or group of a source lists the package"
    CONFLICT = "extras and groups with different builds exclude each other"
    USED_INDEX = "a source names the index"
    RELEASE = "the index has a release in the range"
    MACOS = "no accelerator is routed on macOS"
    SETTING = "uv reads the setting from this file"


MARKERS_MAKE_SENSE = (Premise.PLATFORM_NAMES, Premise.MACHINE_NAMES, Premise.PLATFORM_MARKERS)


class Fix(NamedTuple):
    """What corrects a finding."""

    title: str
    """What it does, as an order: `make the index explicit`."""
    steps: tuple[Step, ...]
    """On the file that the finding is about, made for the file as it was checked."""
    safe: bool
    """Whether it can be taken without asking: it changes nothing but what is surely wrong."""


class Finding(NamedTuple):
    """One place where something is wrong."""

    code: str
    name: str
    severity: Severity
    message: str
    """One sentence, lower case, literals in backticks."""
    path: Path
    """The place: `("tool", "uv", "sources", "torch", 1, "index")`."""
    help: str | None
    """The next step, for a person."""
    fix: Fix | None

    @property
    def at(self) -> str:
        """The place as people write it: `tool.uv.sources.torch[1].index`."""
        return render_path(self.path)


class Rule:
    """One way to be wrong. `pages` has a page for each: what is wrong, why, examples."""

    code: ClassVar[str]
    """For tools: `TC101`."""
    name: ClassVar[str]
    """For people, after the problem: `index-not-explicit`."""
    severity: ClassVar[Severity]
    """Of most of its findings; a finding may differ."""
    reference: ClassVar[str]
    """Where uv, PyTorch or a standard says so."""
    fixes: ClassVar[str] = "no"
    """Which fixes it has: `safe`, `unsafe`, or `no`; `safe` also where only some are."""
    is_optional: ClassVar[bool] = False
    """Whether it only runs where it is selected by code or name."""
    breaks: ClassVar[Premise | None] = None
    """What does not hold where this rule reports."""
    is_last_resort: ClassVar[bool] = False
    """Whether it is silent where another rule reports what stops the lock."""
    stops_lock: ClassVar[bool] = False
    """Whether uv does not lock a project in which this rule reports an error."""
    requires: ClassVar[tuple[Premise, ...]] = ()
    """What must hold for this rule to say anything: where a premise is broken on the same entry of
    the file, or on something in it, this rule is silent, so that one cause gives one finding."""

    def check(self, context: Context) -> Iterator[Finding]:
        """Yield what is wrong with one file. Nothing that a file can say may raise here."""
        raise NotImplementedError

    def finding(
        self,
        path: Path,
        message: str,
        *,
        help: str | None = None,
        severity: Severity | None = None,
        fix: Fix | None = None,
    ) -> Finding:
        """Return a finding of this rule. A fix without steps is none."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity or self.severity,
            message=hide_secrets(message),
            path=path,
            help=help and hide_secrets(help),
            fix=fix._replace(title=hide_secrets(fix.title)) if fix and fix.steps else None,
        )
