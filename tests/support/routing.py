"""Machines, choices and routes in the words of the recorded cases."""

from __future__ import annotations

import shlex

from torchconf.resolve.routes import Route, SyncOptions

MACHINES = {
    "linux-x86_64": ("linux", "x86_64", "posix", "Linux"),
    "linux-aarch64": ("linux", "aarch64", "posix", "Linux"),
    "windows-x86_64": ("win32", "AMD64", "nt", "Windows"),
    "windows-arm64": ("win32", "ARM64", "nt", "Windows"),
    "macos-arm64": ("darwin", "arm64", "posix", "Darwin"),
    "macos-x86_64": ("darwin", "x86_64", "posix", "Darwin"),
}


VARIABLES = ("sys_platform", "platform_machine", "os_name", "platform_system")


PYPI = "pypi"


def machine(name: str) -> dict[str, str]:
    """Return the marker variables of a platform."""
    return dict(zip(VARIABLES, MACHINES[name], strict=True))


def choice(select: str) -> SyncOptions:
    """Read uv's options, `--no-group cpu --group cuda`, and what a machine leaves out."""
    words = iter(shlex.split(select))
    found: dict[str, set[str]] = {
        "extra": set(),
        "group": set(),
        "no-group": set(),
        "package": set(),
    }
    default_groups = True
    for word in words:
        if word == "--no-default-groups":
            default_groups = False
        elif word.startswith("UV_NO_GROUP="):
            found["no-group"].update(word.partition("=")[2].split(" "))
        else:
            found[word.removeprefix("--")].add(next(words))
    return SyncOptions(
        extras=frozenset(found["extra"]),
        groups=frozenset(found["group"]),
        no_groups=frozenset(found["no-group"]),
        default_groups=default_groups,
        packages=frozenset(found["package"]),
    )


def label(route: Route) -> str:
    """Return a route in the words of the cases."""
    if route.kind == "absent":
        return "absent"
    if route.kind != "index":
        return f"{route.kind}: {route.reason or route.error}"
    if route.index is None:
        return PYPI
    last = route.index.url.rstrip("/").rpartition("/")[2]
    return PYPI if last == "simple" else last
