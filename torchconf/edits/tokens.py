"""Where the words of a TOML text begin and end.

The text is known to be valid: the standard library has read it before. So these patterns only have
to find ends, and need not tell good from bad. Quantifiers are possessive: no text makes them slow.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "COMMENT",
    "KEY",
    "comments_of",
    "parse_key",
    "replace_part",
    "tokens",
    "value_end",
]

_BASIC = r'"(?:[^"\\\n]++|\\.)*+"'
_LITERAL = r"'[^'\n]*+'"
_STRING = (
    r'"""(?:[^"\\]++|\\[\s\S]|"{1,2}(?!"))*+"{3,5}'
    r"|'''(?:[^']++|'{1,2}(?!'))*+'{3,5}"
    rf"|{_BASIC}|{_LITERAL}"
)
COMMENT = r"#[^\r\n]*+"
_PART = rf"(?:[A-Za-z0-9_-]++|{_BASIC}|{_LITERAL})"
KEY = rf"(?:{_PART}(?:[ \t]*+\.[ \t]*+)?+)++"

_part = re.compile(_PART)
# What may stand in a document and not mean itself: brackets in strings and comments do not count.
_token = re.compile(rf"{_STRING}|{COMMENT}|[\[\]{{}}=]")
_scalar = re.compile(r"[^,\]}#\r\n]++")


def value_end(text: str, start: int) -> int:
    """Return where the value ends that begins at `start`."""
    first = text[start]
    if first not in "[{":
        match = (_token if first in "\"'" else _scalar).match(text, start)
        # The rest of a date with a space in it would be taken for trailing white space otherwise.
        return start + len(match[0].rstrip(" \t")) if match else start
    depth = 0
    for match in _token.finditer(text, start):
        if match[0] in ("[", "{"):
            depth += 1
        elif match[0] in ("]", "}"):
            depth -= 1
            if not depth:
                return match.end()
    return len(text)


def tokens(text: str) -> Iterator[re.Match[str]]:
    """Yield strings, comments, brackets and equals signs, in order."""
    return _token.finditer(text)


def comments_of(text: str) -> list[str]:
    """Return the comments of a document, or of a value, without white space at their ends."""
    if "#" not in text:
        return []
    return [match[0].rstrip() for match in _token.finditer(text) if match[0][0] == "#"]


def parse_key(text: str) -> tuple[str, ...]:
    """Return the parts of a dotted key as they are meant: `a."b.c"` is `("a", "b.c")`."""
    if '"' not in text and "'" not in text:
        return tuple(part.strip(" \t") for part in text.split(".")) if "." in text else (text,)
    return tuple(_unquote(part) for part in _part.findall(text))


def replace_part(text: str, number: int, part: str) -> str:
    """Return a dotted key, or a header, with one of its parts replaced."""
    match = [*_part.finditer(text)][number]
    return f"{text[: match.start()]}{part}{text[match.end() :]}"


def _unquote(part: str) -> str:
    if part[0] not in "\"'":
        return part
    if part[0] == "'" or "\\" not in part:
        return part[1:-1]
    # Imported here: quoted keys with escapes are rare.
    import tomllib

    return next(iter(tomllib.loads(f"{part} = 0")))
