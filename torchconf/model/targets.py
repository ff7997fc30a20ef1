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

    @property
    def key(self) -> str:
        """The full name: `linux-x86_64`."""
        return f"{self.os}-{self.machine}"

    @property
    def is_usual(self) -> bool:
        """Whether the bare name of the system means this machine."""
        return self.machine == USUAL_MACHINES[self.os]

    @property
    def short(self) -> str:
        """The name in a target: the bare OS where the machine is its usual one."""
        return self.os if self.is_usual else self.key

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
        return {
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


class Target(NamedTuple):
    """One backend on one platform."""

    platform: Platform
    backend: Backend

    def __str__(self) -> str:
        """Return the one spelling that is shown, written and used in file names."""
        return f"{self.platform.short}-{self.backend.name}"
