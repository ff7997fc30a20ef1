"""Platforms and targets as values, and their one spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from torchconf.model.backends import Backend


class Platform(NamedTuple):
    """An operating system and a machine, as wheels tell them apart."""

    os: str
    machine: str
    release: str = ""
    """A word in the release of the kernel, where it tells machines of a platform from the usual
    ones; wheels do not tell these apart."""

    @property
    def key(self) -> str:
        """The full name: `linux-x86_64`."""
        return f"{self.os}-{self.machine}"

    @property
    def label(self) -> str:
        """The full name, and what tells the machines from the usual ones."""
        return f"{self.key}-{self.release}" if self.release else self.key

    @property
    def is_usual(self) -> bool:
        """Whether the bare name of the system means this machine."""
        return self.machine == USUAL_MACHINES[self.os]

    @property
    def short(self) -> str:
        """The name in a target: the bare OS where the machine is its usual one."""
        return self.os if self.is_usual else self.key

    @property
    def title(self) -> str:
        """The name in a table."""
        return f"{self.short}-{self.release}" if self.release else self.short

    @property
    def sys_platform(self) -> str:
        """Value of the marker variable `sys_platform`."""
        return SYS_PLATFORMS.get(self.os, self.os)

    @property
    def platform_machine(self) -> str:
        """Value of the marker variable `platform_machine`."""
        return (
            _WINDOWS_MACHINES.get(self.machine, self.machine)
            if self.os == "windows"
            else self.machine
        )

    def environment(self) -> dict[str, str]:
        """Return the marker variables that tell one platform from another."""
        told = {"platform_release": self.release} if self.release else {}
        return {
            **told,
            "sys_platform": self.sys_platform,
            "platform_machine": self.platform_machine,
            "platform_system": SYSTEMS.get(self.os, self.os),
            "os_name": "nt" if self.os == "windows" else "posix",
            "extra": "",
        }


SYS_PLATFORMS = {"linux": "linux", "windows": "win32", "macos": "darwin"}
SYSTEMS = {"linux": "Linux", "windows": "Windows", "macos": "Darwin"}
_WINDOWS_MACHINES = {"x86_64": "AMD64", "arm64": "ARM64"}
USUAL_MACHINES = {"linux": "x86_64", "windows": "x86_64", "macos": "arm64"}

PLATFORMS = (
    Platform("linux", "x86_64"),
    Platform("linux", "aarch64"),
    Platform("windows", "x86_64"),
    Platform("windows", "arm64"),
    Platform("macos", "arm64"),
    Platform("macos", "x86_64"),
)
"""Every platform that a target can name, in the order in which they are shown."""

SHOWN_PLATFORMS = (PLATFORMS[0], PLATFORMS[1], PLATFORMS[2], PLATFORMS[4])
"""The platforms that are shown and planned for even if no target names them."""


def platform_labelled(label: str) -> Platform:
    """Return the platform of a label."""
    platform = next(p for p in PLATFORMS if label == p.key or label.startswith(f"{p.key}-"))
    return platform._replace(release=label.removeprefix(platform.key).removeprefix("-"))


class Target(NamedTuple):
    """One backend on one platform."""

    platform: Platform
    backend: Backend

    def __str__(self) -> str:
        """Return the one spelling that is shown, written and used in file names."""
        return f"{self.platform.short}-{self.backend.name}"
