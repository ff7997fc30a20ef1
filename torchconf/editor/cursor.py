"""Where a cursor stands in a TOML text that is being typed, and what the text already names.

The text may be broken in any way: a string or a bracket that is not closed yet ends where the next
line or the next header begins.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Cursor", "Said", "read_cursor"]

Keys: TypeAlias = tuple[str, ...]
"""A path without the numbers of entries: `("tool", "uv", "index", "name")`."""

_HEADER = re.compile(r"^[ \t]*(\[\[?)[ \t]*([A-Za-z_\"'][^\[\]#,={}\n]*)(\]\]?)?", re.MULTILINE)
_NO_HEADER = frozenset({"true", "false", "inf", "nan"})
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*(?:"""|\Z)'
    r"|'''(?:[^']|'(?!''))*(?:'''|\Z)"
    r'|"(?:[^"\\\n]|\\[^\n])*"?'
    r"|'[^'\n]*'?"
    r"|#[^\n]*|\n|[\[\]{}=,.]|[^\s\[\]{}=,.#\"']+"
)
_KEY_PART = re.compile(r'"([^"\n]*)"?|\'([^\'\n]*)\'?|([^\s."\']+)')


class Said(NamedTuple):
    """A key that has a string for its value, or a string in its array."""

    keys: Keys
    value: str


class Cursor(NamedTuple):
    """What the word at the cursor is."""

    kind: Literal["key", "value", "comment"]
    keys: Keys
    """Of a value: its key. Of a key: the table that it is in."""
    quote: str
    """The sign that the word stands in; empty without."""
    start: int
    """Where the word begins, behind the quotation mark."""
    end: int
    """Where it ends."""
    word: str
    """What of it stands before the cursor."""


class _Frame(NamedTuple):
    sign: str
    keys: Keys


def read_cursor(text: str, offset: int) -> tuple[Cursor, tuple[Said, ...], tuple[Keys, ...]]:
    """Read a text as far as it can be read.

    Returns:
        The cursor, the strings that the text holds by key, and all of its keys. What the cursor is
        in counts for neither.
    """
    reader = _Reader(text, offset)
    reader.read()
    cursor = reader.cursor or Cursor("key", reader.keys, "", offset, offset, "")
    return cursor, tuple(reader.said), tuple(dict.fromkeys(reader.known))


class _Reader:
    """One pass over a text, token by token."""

    def __init__(self, text: str, offset: int) -> None:
        self.text = text
        self.offset = offset
        self.cursor: Cursor | None = None
        self.said: list[Said] = []
        self.known: list[Keys] = []
        self._frames = [_Frame("", ())]
        self._parts: Keys = ()
        self._is_value = False

    @property
    def keys(self) -> Keys:
        """The keys of the value that is read, or of the table whose key is read."""
        frame = self._frames[-1]
        return (*frame.keys, *self._parts) if self._is_value else frame.keys

    def read(self) -> None:
        headers = {match.start(): match for match in _headers(self.text)}
        at = 0
        while at <= len(self.text):
            begins_line = at == 0 or self.text[at - 1] == "\n"
            if begins_line and (header := headers.get(at)):
                self._enter(header)
                at = header.end()
                continue
            token = _TOKEN.search(self.text, at)
            if token is None:
                break
            # Between two tokens there is only space.
            if self.cursor is None and self.offset < token.start():
                self._stand(self.offset, self.offset, "")
            start, end = token.span()
            at = end
            self._take(token[0], start, end)
        if self.cursor is None and self.offset <= len(self.text):
            self._stand(self.offset, self.offset, "")

    def _enter(self, header: re.Match[str]) -> None:
        names, start = header[2], header.start(2)
        parts = _parts(names)
        self._parts, self._is_value = (), False
        if self.cursor is None and header.start() <= self.offset <= header.end(2):
            done = _parts(names[: max(self.offset - start, 0)])[:-1]
            word = self.text[start : self.offset].rpartition(".")[2].strip()
            begin = self.offset - len(word)
            self.cursor = Cursor("key", done, "", begin, header.end(2), word)
        self._frames = [_Frame("", parts)]
        self.known.append(parts)

    def _take(self, token: str, start: int, end: int) -> None:
        inside = self.cursor is None and start < self.offset <= end
        first = token[0]
        if first == "#":
            if inside:
                word = re.search(r"[\w-]*\Z", self.text[start : self.offset])
                begin = self.offset - len(word[0] if word else "")
                rest = re.compile(r"[\w-]*").match(self.text, self.offset)
                stop = rest.end() if rest else self.offset
                before = self.text[begin : self.offset]
                self.cursor = Cursor("comment", (), "", begin, stop, before)
        elif first in "\"'":
            self._take_string(token, start, end, inside=inside)
        elif first in "\n[]{}=,.":
            self._take_sign(first)
            if self.cursor is None and self.offset == end and first != "\n":
                following = _TOKEN.match(self.text, end)
                if following is None or following[0][0] in "\n[]{}=,.#":
                    self._stand(end, end, "")
        else:
            if inside:
                self._stand(start, end, "")
            elif not self._is_value:
                self._parts = (*self._parts, token)
            if inside and not self._is_value:
                self._parts = (*self._parts, token)

    def _take_string(self, token: str, start: int, end: int, *, inside: bool) -> None:
        quote = token[:3] if token[:3] in ('"""', "'''") else token[0]
        closed = len(token) >= 2 * len(quote) and token.endswith(quote)
        stop = end - len(quote) if closed else end
        if inside and start + len(quote) <= self.offset <= stop:
            self._stand(start + len(quote), stop, quote)
        elif self._is_value:
            self.said.append(Said(self.keys, self.text[start + len(quote) : stop]))
        if not self._is_value:
            self._parts = (*self._parts, self.text[start + len(quote) : stop])

    def _take_sign(self, sign: str) -> None:
        frame = self._frames[-1]
        if sign == "\n":
            if not frame.sign:
                self._parts, self._is_value = (), False
        elif sign == "=" and not self._is_value:
            self._is_value = True
            self.known.append(self.keys)
        elif sign in "[{" and self._is_value:
            self._frames.append(_Frame(sign, self.keys))
            self._parts, self._is_value = (), sign == "["
        elif sign in "]}" and frame.sign:
            self._frames.pop()
            # Until the next comma or line nothing follows that would count.
            self._parts = ()
            self._is_value = self._frames[-1].sign == "["
            if not self._is_value:
                self._parts, self._is_value = (), False
        elif sign == "," and frame.sign:
            self._parts, self._is_value = (), frame.sign == "["

    def _stand(self, start: int, end: int, quote: str) -> None:
        kind: Literal["key", "value"] = "value" if self._is_value else "key"
        keys = self.keys
        if kind == "key" and self._parts:
            keys = (*keys, *self._parts)
        self.cursor = Cursor(kind, keys, quote, start, end, self.text[start : self.offset])


def _headers(text: str) -> Iterator[re.Match[str]]:
    """Yield what must be a header: a name in brackets at the beginning of a line.

    An array may have its entries there, too, but none of them is a bare name.
    """
    for match in _HEADER.finditer(text):
        name = match[2].strip()
        quoted = name[:1] in "\"'"
        if name in _NO_HEADER or (quoted and "." not in name and match[1] == "["):
            continue
        yield match


def _parts(names: str) -> Keys:
    found = [a or b or c for a, b, c in _KEY_PART.findall(names)]
    return (*found, "") if names.rstrip().endswith(".") or not names.strip() else tuple(found)
