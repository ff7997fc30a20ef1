"""Markers about extras, which uv ignores: which part of a project they mean, and what is left."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name

from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NoMarker", "OneExtra", "join_markers", "normal_marker", "split_extras"]

_TOKEN = re.compile(r"""\(|\)|"[^"]*"|'[^']*'|[^\s()"']+""")
_LONGEST = 2000
_DEEPEST = 50


class NoMarker(ValueError):
    """A marker that cannot be read; its text is half a sentence."""


class OneExtra(NamedTuple):
    """Where a requirement belongs."""

    extra: str
    """As it is written in the marker; empty for the project itself."""
    marker: str
    """What is left of the marker; empty if it always holds."""


def normal_marker(text: str) -> str:
    """Return a marker in the usual spelling, with quotes that a string of TOML need not escape.

    Raises:
        NoMarker: It is none.
    """
    try:
        if len(text) > _LONGEST or text.count("(") > _DEEPEST:
            raise NoMarker("the marker is too long")
        spelled = str(Marker(text))
        return spelled if "'" in spelled else spelled.replace('"', "'")
    except InvalidMarker as error:
        raise NoMarker(f"`{text}` is not a marker") from error


def join_markers(*markers: str) -> str:
    """Return a marker that holds where all of them do; an empty one always holds."""
    kept = [marker for marker in dict.fromkeys(markers) if marker]
    if len(kept) == 1:
        return kept[0]
    return " and ".join(f"({marker})" if " or " in marker else marker for marker in kept)


def split_extras(text: str) -> tuple[OneExtra, ...]:
    """Take the extras out of a marker.

    Returns:
        One entry for the project itself, if the marker can hold without any extra, and one for
        each extra that makes a difference alone. Empty if no single extra is enough.

    Raises:
        NoMarker: It is none, or it asks something else of an extra than whether it is that one.
    """
    marker = normal_marker(text)
    if "extra" not in marker:
        return (OneExtra("", marker),)
    tokens = _TOKEN.findall(marker)
    values = (
        other
        for number, token in enumerate(tokens)
        if token == "extra"  # noqa: S105 - a word of a marker
        for other in (*tokens[number + 2 : number + 3], *tokens[max(number - 2, 0) : number - 1])
    )
    extras = dict.fromkeys(value[1:-1] for value in values if value[0] in "\"'")
    plain = _Reader(tokens, "").read()
    if plain is True:
        return (OneExtra("", ""),)
    left = {"": plain} | {extra: _Reader(tokens, extra).read() for extra in extras}
    return tuple(
        OneExtra(extra, _spoken(rest))
        for extra, rest in left.items()
        if rest is not False and (not extra or rest != plain)
    )


def _spoken(rest: str | bool) -> str:  # noqa: FBT001 - what is left of a marker
    return normal_marker(rest) if isinstance(rest, str) else ""


class _Reader:
    """What is left of a marker when it is known which extra is chosen: a text, or the answer."""

    def __init__(self, tokens: list[str], extra: str) -> None:
        """Take the tokens of a marker in the usual spelling."""
        self._tokens = tokens
        self._extra = extra
        self._at = 0

    def read(self) -> str | bool:
        """Read the whole marker."""
        return self._any()

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next()
        self._at += 1
        return token

    def _any(self) -> str | bool:
        return self._joined("or", self._all, whole=True)

    def _all(self) -> str | bool:
        return self._joined("and", self._one, whole=False)

    def _joined(self, word: str, part: Callable[[], str | bool], *, whole: bool) -> str | bool:
        """Join parts by `or` or `and`; `whole` is the answer that decides alone."""
        parts = [part()]
        while self._next() == word:
            self._take()
            parts.append(part())
        if whole in parts:
            return whole
        left = [each for each in parts if isinstance(each, str)]
        if not left:
            return not whole
        return left[0] if len(left) == 1 else f"({f' {word} '.join(left)})"

    def _one(self) -> str | bool:
        if self._next() == "(":
            self._take()
            inside = self._any()
            self._take()
            return inside
        left, operator = self._take(), self._take()
        if operator == "not":
            operator = f"not {self._take()}"
        right = self._take()
        if right == "extra":
            left, right = right, left
        if left != "extra":
            return f"{left} {operator} {right}"
        if operator not in ("==", "!="):
            raise NoMarker(f"`{left} {operator} {right}` cannot be said in uv's terms")
        same = canonicalize_name(right[1:-1]) == canonicalize_name(self._extra)
        return same == (operator == "==")
