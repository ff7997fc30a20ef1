"""A place in a TOML document: as parts for the code, as one line for people.

`("tool", "uv", "sources", "torch", 1)` is `tool.uv.sources.torch[1]`. What is rendered here is
parsed here, so that a place can be shown, kept in a report and edited afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import re

__all__ = ["INDEXES", "SOURCES", "UV", "Path", "parse_path", "path_below", "render_path"]

Path: TypeAlias = tuple[str | int, ...]
"""Keys of tables, and numbers of entries, which count from 0."""

UV: Path = ("tool", "uv")
SOURCES: Path = (*UV, "sources")
INDEXES: Path = (*UV, "index")

_BARE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def render_path(path: Path) -> str:
    """Render a path on one line: `dependency-groups."cu13.0"[0]`."""
    text = ""
    for part in path:
        text = path_below(text, part)
    return text


def path_below(at: str, part: str | int) -> str:
    """Extend a rendered path by one part; a key is quoted where TOML would want it."""
    if isinstance(part, int):
        return f"{at}[{part}]"
    key = part if part and _BARE.issuperset(part) else _quoted(part)
    return f"{at}.{key}" if at else key


def parse_path(at: str) -> Path:
    """Parse a path that `render_path` wrote, or that a person wrote in the same way."""
    # Imported here: reading a project renders paths and parses none.
    import re

    parts = re.findall(r'"((?:[^"\\]|\\.)*)"|\[([0-9]+)\]|([^.\[\]"]+)', at)
    return tuple(
        int(number) if number else bare or re.sub(r"\\(U.{8}|u.{4}|.)", _unescaped, quoted)
        for quoted, number, bare in parts
    )


def _quoted(key: str) -> str:
    """Quote a key; what cannot be printed is escaped, so that a path is always one line."""
    return f'"{"".join(map(_escaped, key))}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\U{code:08X}" if code > 0xFFFF else f"\\u{code:04X}"  # noqa: PLR2004 - TOML's \u


def _unescaped(match: re.Match[str]) -> str:
    escape = match[1]
    return chr(int(escape[1:], 16)) if len(escape) > 1 else escape
