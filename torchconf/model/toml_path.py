"""A place in a TOML document: as parts for the code, as one line for people.

`("tool", "uv", "sources", "torch", 1)` is `tool.uv.sources.torch[1]`. Values and findings carry the
parts, and render them where they are shown: nothing parses the line.
"""

from __future__ import annotations

from typing import TypeAlias

__all__ = [
    "CONFLICTS",
    "CONSTRAINTS",
    "DEFAULT_GROUPS",
    "DEPENDENCIES",
    "ENVIRONMENTS",
    "EXCLUDES",
    "EXTRAS",
    "GROUPS",
    "INDEXES",
    "MIRRORS",
    "REQUIRED_ENVIRONMENTS",
    "REQUIRED_VERSION",
    "SOURCES",
    "TARGETS",
    "UV",
    "Path",
    "render_path",
]

Path: TypeAlias = tuple[str | int, ...]
"""Keys of tables, and numbers of entries, which count from 0."""

# What may require a package.
DEPENDENCIES: Path = ("project", "dependencies")
EXTRAS: Path = ("project", "optional-dependencies")
GROUPS: Path = ("dependency-groups",)
UV: Path = ("tool", "uv")
# The tables and keys that more than one room reads or edits.
CONFLICTS: Path = (*UV, "conflicts")
CONSTRAINTS: Path = (*UV, "constraint-dependencies")
EXCLUDES: Path = (*UV, "exclude-dependencies")
DEFAULT_GROUPS: Path = (*UV, "default-groups")
REQUIRED_VERSION: Path = (*UV, "required-version")
ENVIRONMENTS: Path = (*UV, "environments")
INDEXES: Path = (*UV, "index")
REQUIRED_ENVIRONMENTS: Path = (*UV, "required-environments")
SOURCES: Path = (*UV, "sources")
# What a team asked for, in the one table that is ours.
TARGETS: Path = ("tool", "torchconf", "targets")
MIRRORS: Path = ("tool", "torchconf", "indexes")

_BARE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def render_path(path: Path) -> str:
    """Render a path on one line: `dependency-groups."cu13.0"[0]`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in path)
    return "".join(parts).removeprefix(".")


def _key(key: str) -> str:
    """Write a key as TOML does; what cannot be printed is escaped: a path is always one line."""
    if key and _BARE.issuperset(key):
        return key
    return f'"{"".join(map(_escaped, key))}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\U{code:08X}" if code > 0xFFFF else f"\\u{code:04X}"  # noqa: PLR2004 - TOML's \u
