"""How values are written: as the file writes its own, else as the examples do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.edits.tokens import tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["USUAL", "Style", "learn", "render", "render_key", "render_string"]

_bare = re.compile(r"[A-Za-z0-9_-]+")
_literal = re.compile(r"[^'\x00-\x08\x0a-\x1f\x7f]*")
_escaped = re.compile(r'["\\\x00-\x08\x0a-\x1f\x7f]')
_first_entry = re.compile(r"\[[ \t]*(?:#[^\n]*)?\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*([ \t]*)[^\s#\]]")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f"}


class Style:
    """The habits of one writer."""

    __slots__ = ("equals", "pad", "quote", "unit")

    def __init__(self, quote: str, unit: str, pad: str, equals: str) -> None:
        """Keep the habits.

        Args:
            quote: Around a string that either quote could enclose.
            unit: What the entries of an array are indented by.
            pad: Between a brace and what it encloses.
            equals: Between key and value, in an inline table.
        """
        self.quote = quote
        self.unit = unit
        self.pad = pad
        self.equals = equals


USUAL = Style('"', "    ", " ", " = ")


def learn(samples: Iterable[tuple[str, str]], fallback: Style) -> Style:
    """Tell the habits from values that are there.

    Args:
        samples: White space before the line, and the value as written.
        fallback: For what no sample shows.
    """
    quote = unit = pad = equals = None
    literal = False
    for indent, text in samples:
        if unit is None and text[0] == "[" and (entry := _first_entry.match(text)):
            unit = entry[1].removeprefix(indent)
        for token in tokens(text):
            first = token[0][0]
            if first == '"' and "'" not in token[0]:
                quote = '"'
            elif first == "'":
                literal = True
            elif first == "{" and pad is None and text[token.end()] != "}":
                pad = " " if text[token.end()].isspace() else ""
            elif first == "=" and equals is None:
                equals = " = " if text[token.start() - 1].isspace() else "="
            else:
                continue
            if None not in (quote, pad, equals):
                break
        if None not in (quote, unit, pad, equals):
            break
    return Style(
        quote or ("'" if literal else fallback.quote),
        fallback.unit if unit is None else unit,
        fallback.pad if pad is None else pad,
        fallback.equals if equals is None else equals,
    )


def render(value: object, style: Style, newline: str = "") -> str:  # noqa: PLR0911 - one a type
    """Write a value.

    Args:
        value: A string, a number, a date, a list or a dict of such.
        style: Its habits.
        newline: Line ending and indent of the line on which the value starts. Arrays are written
            with one entry a line then, except inside an inline table; without it on one line.
    """
    match value:
        case str():
            return render_string(value, style.quote)
        case bool():
            return "true" if value else "false"
        case dict():
            pairs = ", ".join(
                f"{render_key((key,))}{style.equals}{render(item, style)}"
                for key, item in value.items()
            )
            return f"{{{style.pad}{pairs}{style.pad}}}" if pairs else "{}"
        case [] | ():
            return "[]"
        case list() if newline:
            inner = newline + style.unit
            lines = "".join(f"{inner}{render(item, style, inner)}," for item in value)
            return f"[{lines}{newline}]"
        case list():
            return f"[{', '.join(render(item, style) for item in value)}]"
        case _:
            return value.isoformat() if hasattr(value, "isoformat") else repr(value)


def render_string(text: str, quote: str = '"') -> str:
    """Write a string on one line, in these quotes where it can be."""
    if quote == "'" and _literal.fullmatch(text):
        return f"'{text}'"
    return f'"{_escaped.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}"


def render_key(parts: Iterable[str]) -> str:
    """Write a dotted key, with quotes only where they are needed."""
    return ".".join(part if _bare.fullmatch(part) else render_string(part) for part in parts)
