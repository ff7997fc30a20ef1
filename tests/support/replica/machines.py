"""The machines that a lock is judged for: their markers and wheel tags.

uv asks the interpreter that it runs for; nobody has six machines, so both are put together here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from packaging.markers import Environment
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms

NEWEST_GLIBC = 39
LATE_PATCH = 9


class Machine(NamedTuple):
    """An operating system and a processor, in the words of markers."""

    sys_platform: str
    platform_machine: str
    platform_system: str
    os_name: str
    platform_release: str = ""


MACHINES = {
    "linux-x86_64": Machine("linux", "x86_64", "Linux", "posix"),
    "linux-aarch64": Machine("linux", "aarch64", "Linux", "posix"),
    "windows-x86_64": Machine("win32", "AMD64", "Windows", "nt"),
    "windows-arm64": Machine("win32", "ARM64", "Windows", "nt"),
    "macos-arm64": Machine("darwin", "arm64", "Darwin", "posix"),
    "macos-x86_64": Machine("darwin", "x86_64", "Darwin", "posix"),
}
"""Platforms as torchconf spells them."""

TOLD = {"linux-aarch64-tegra": MACHINES["linux-aarch64"]._replace(platform_release="5.15-tegra")}
"""Machines that a marker tells from others of their platform: a Jetson."""


def environment(platform: str, python: str) -> Environment:
    """Return the marker environment of a machine.

    Args:
        platform: A key of `MACHINES`.
        python: `3.12`, which stands for a late patch of it, or exactly `3.12.3`; `t` at the end
            is free threading, which no marker tells.
    """
    machine = {**MACHINES, **TOLD}[platform]
    minor = ".".join(python.rstrip("t").split(".")[:2])
    full = f"{minor}.{LATE_PATCH}" if minor == python.rstrip("t") else python.rstrip("t")
    return Environment(
        implementation_name="cpython",
        implementation_version=full,
        os_name=machine.os_name,
        platform_machine=machine.platform_machine,
        platform_release=machine.platform_release,
        platform_system=machine.platform_system,
        platform_version="",
        python_full_version=full,
        platform_python_implementation="CPython",
        python_version=minor,
        sys_platform=machine.sys_platform,
    )


@cache
def tags(platform: str, python: str) -> tuple[Tag, ...]:
    """Return the tags of the wheels that a machine can install, best first."""
    major, minor = (int(part) for part in python.rstrip("t").split(".")[:2])
    interpreter = f"cp{major}{minor}"
    abi = interpreter + ("t" if python.endswith("t") else "")
    platforms = list(_platforms(platform))
    return (
        *cpython_tags((major, minor), [abi], platforms),
        *compatible_tags((major, minor), interpreter, platforms),
    )


def _platforms(platform: str) -> Iterator[str]:
    system, machine = platform.split("-")[:2]
    if system == "windows":
        yield {"x86_64": "win_amd64", "arm64": "win_arm64"}[machine]
    elif system == "macos":
        yield from mac_platforms((14, 0), machine)
    else:
        old_names = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
        for minor in range(NEWEST_GLIBC, 16 if machine == "aarch64" else 4, -1):
            yield f"manylinux_2_{minor}_{machine}"
            if minor in old_names:
                yield f"{old_names[minor]}_{machine}"
        yield f"linux_{machine}"
