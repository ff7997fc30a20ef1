"""Conda's words for platforms, in `platforms:` and in selectors such as `# [linux]`."""

from __future__ import annotations

import re

from torchconf.migrate.extra_markers import NoMarker, normal_marker

__all__ = ["platform_key", "selector_marker"]

_KEYS = {
    "linux-64": "linux-x86_64",
    "linux-aarch64": "linux-aarch64",
    "osx-arm64": "macos-arm64",
    "osx-64": "macos-x86_64",
    "win-64": "windows-x86_64",
    "win-arm64": "windows-arm64",
}
_LINUX, _MACOS, _WINDOWS = (f"sys_platform == '{name}'" for name in ("linux", "darwin", "win32"))
_MARKERS = {
    "linux": _LINUX,
    "osx": _MACOS,
    "macos": _MACOS,
    "win": _WINDOWS,
    "windows": _WINDOWS,
    "unix": f"({_LINUX} or {_MACOS})",
    "linux64": f"({_LINUX} and platform_machine == 'x86_64')",
    "linux-64": f"({_LINUX} and platform_machine == 'x86_64')",
    "linux-aarch64": f"({_LINUX} and platform_machine == 'aarch64')",
    "aarch64": "platform_machine == 'aarch64'",
    "osx-64": f"({_MACOS} and platform_machine == 'x86_64')",
    "osx-arm64": f"({_MACOS} and platform_machine == 'arm64')",
    "arm64": "platform_machine == 'arm64'",
    "x86_64": "platform_machine == 'x86_64'",
    "win64": _WINDOWS,
    "win-64": _WINDOWS,
}
_OPPOSITE = {
    "linux": "sys_platform != 'linux'",
    "osx": "sys_platform != 'darwin'",
    "macos": "sys_platform != 'darwin'",
    "win": "sys_platform != 'win32'",
    "windows": "sys_platform != 'win32'",
    "unix": _WINDOWS,
    "arm64": "platform_machine != 'arm64'",
    "aarch64": "platform_machine != 'aarch64'",
}
_SELECTOR = re.compile(r"\[([^\[\]]*)\]")
_LONGEST = 200


def platform_key(word: str) -> str | None:
    """Return a platform as torchconf names it: `linux-x86_64` for `linux-64`; None for no such."""
    return _KEYS.get(word.strip())


def selector_marker(comment: str) -> str:
    """Return the marker of a selector; empty if a comment is no selector.

    Args:
        comment: What stands behind the `#`: `[linux]`, `[not win]`, `[osx and arm64]`.

    Raises:
        NoMarker: It asks for something else than platforms.
    """
    match = _SELECTOR.match(comment)
    if match is None:
        return ""
    words = re.findall(r"[()]|[\w-]+|\S", match[1].lower())
    if not words or len(match[1]) > _LONGEST:
        return ""
    parts: list[str] = []
    negated = False
    for word in words:
        if word == "not":
            negated = True
            continue
        table = _OPPOSITE if negated else _MARKERS
        negated = False
        if word in ("and", "or", "(", ")"):
            parts.append(word)
        elif word in table:
            parts.append(table[word])
        elif re.match(r"py(?:\d|$)", word):
            raise NoMarker(f"`[{match[1]}]` is not about platforms alone")
        else:
            return ""
    return normal_marker(" ".join(parts))
