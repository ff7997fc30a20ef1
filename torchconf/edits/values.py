"""Changes inside one value, as text: entries of arrays, keys of inline tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.edits.brackets import ArrayEntry, Brackets
from torchconf.edits.read_toml import exact_float, read_toml
from torchconf.edits.style import Style, learn, render, render_key
from torchconf.edits.tokens import comments_of, parse_key, replace_part

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    Rest: TypeAlias = Sequence[str | int]

__all__ = ["WIDTH", "Spot", "insert_entry", "put_value", "remove_entry", "rename_key"]

WIDTH = 88
"""Columns past which an array does not stay on one line when an entry comes in."""
_SIBLINGS = 20


class Spot:
    """Where a value stands, and how its surroundings are written."""

    __slots__ = ("column", "newline", "parsed", "saved", "style")

    def __init__(
        self,
        style: Style,
        newline: str,
        column: int,
        saved: list[str],
        parsed: dict[str, Brackets] | None = None,
    ) -> None:
        """Describe a place.

        Args:
            style: The habits of the table around it.
            newline: Line ending and indent of the line on which the value starts; empty inside an
                inline table, where nothing new breaks lines.
            column: Where on that line it starts.
            saved: Takes up comments that lose their place.
            parsed: Holds the value as a former step has left it: a thousand steps in one array
                parse it once.
        """
        self.style = style
        self.newline = newline
        self.column = column
        self.saved = saved
        self.parsed = {} if parsed is None else parsed

    def parse(self, text: str) -> Brackets:
        """Return the array or inline table of a text."""
        return self.parsed.pop(text, None) or Brackets(text)

    def keep(self, brackets: Brackets) -> str:
        """Return the text of an array or an inline table, which reads as it is now."""
        text = str(brackets)
        self.parsed.clear()
        self.parsed[text] = brackets
        return text

    def inside(self, brackets: Brackets, entry: ArrayEntry) -> Spot:
        """Describe the place of an entry."""
        newline = self.newline
        if not brackets.is_array:
            newline = ""
        elif newline and entry.own_line:
            newline = newline.rstrip(" \t") + entry.indent
        # A few siblings tell; all of a thousand would be asked again for each new one.
        siblings = brackets.entries[:_SIBLINGS]
        style = learn([(each.indent, each.value) for each in siblings if each.value], self.style)
        return Spot(style, newline, len(entry.indent) if entry.own_line else WIDTH, self.saved)


def put_value(text: str, rest: Rest, value: object, spot: Spot) -> str:
    """Set what stands at a path inside a value.

    Args:
        text: The value as written.
        rest: The path, from this value on; empty for the value itself.
        value: What to set.
        spot: Where the value stands.

    Returns:
        The same text, if it says so already.
    """
    if not rest:
        return _assign(text, value, spot)
    brackets = spot.parse(text)
    if found := brackets.find(rest):
        entry, deeper = found
        entry.value = put_value(entry.value, deeper, value, spot.inside(brackets, entry))
        return spot.keep(brackets)
    if names := brackets.names(rest):
        # Dotted keys make up what is to be set.
        keep = value if isinstance(value, dict) else {}
        for name in sorted(names):
            if name not in keep:
                text = remove_entry(text, (*rest, name), spot)
        if not names.isdisjoint(keep):
            for name, item in keep.items():
                text = put_value(text, (*rest, name), item, spot)
            return text
        return put_value(text, rest, value, spot)
    _add_key(brackets, rest, value, spot)
    return str(brackets)


def insert_entry(text: str, rest: Rest, position: int, value: object, spot: Spot) -> str:
    """Put an entry into the array at a path inside a value; the array may be missing."""
    brackets = spot.parse(text)
    if not rest:
        _insert(brackets, position, value, spot)
    elif found := brackets.find(rest):
        entry, deeper = found
        inner = spot.inside(brackets, entry)
        entry.value = insert_entry(entry.value, deeper, position, value, inner)
        return spot.keep(brackets)
    else:
        _add_key(brackets, rest, [value], spot)
    return str(brackets)


def remove_entry(text: str, rest: Rest, spot: Spot) -> str:
    """Take away an entry or a key inside a value. Comments stay, or go to `spot.saved`."""
    brackets = spot.parse(text)
    found = brackets.find(rest)
    if found and found[1]:
        entry, deeper = found
        entry.value = remove_entry(entry.value, deeper, spot.inside(brackets, entry))
        return spot.keep(brackets)
    if brackets.is_array:
        brackets.remove(int(rest[0]))
        return spot.keep(brackets) if brackets.entries else str(brackets)
    # More than one, where dotted keys make up a table.
    for number in reversed(range(len(brackets.entries))):
        if brackets.entries[number].keys[: len(rest)] == tuple(rest):
            spot.saved += brackets.remove(number)
    return str(brackets)


def rename_key(text: str, rest: Rest, name: str) -> str:
    """Give a key of an inline table inside a value another name; dotted keys begin with it."""
    brackets = Brackets(text)
    found = brackets.find(rest)
    if found and found[1]:
        entry, deeper = found
        entry.value = rename_key(entry.value, deeper, name)
        return str(brackets)
    for entry in brackets.entries:
        if entry.keys[: len(rest)] == tuple(rest):
            entry.key = replace_part(entry.key, len(rest) - 1, render_key((name,)))
            entry.keys = parse_key(entry.key.rstrip(" =\t"))
    return str(brackets)


def _assign(text: str, value: object, spot: Spot) -> str:
    old = read_toml(f"x = {text}", parse_float=exact_float)["x"]
    if old == value:
        return text
    if isinstance(old, list) and isinstance(value, list):
        return _assign_list(Brackets(text), old, value, spot)
    if isinstance(old, dict) and isinstance(value, dict):
        for key in sorted(old.keys() - value.keys()):
            text = remove_entry(text, (key,), spot)
        for key, item in value.items():
            text = put_value(text, (key,), item, spot)
        return _in_order(Brackets(text), list(value))
    spot.saved += comments_of(text)
    style = learn([(spot.newline.lstrip("\r\n"), text)], spot.style)
    return render(value, style, spot.newline)


def _assign_list(brackets: Brackets, old: list[object], value: list[object], spot: Spot) -> str:
    """Turn one list into another, so that the entries of both keep their text and comments."""
    short = min(len(old), len(value))
    same = next((n for n in range(short) if old[n] != value[n]), short)
    tail = next((n for n in range(short - same) if old[-1 - n] != value[-1 - n]), short - same)
    for number in range(same, short - tail):
        entry = brackets.entries[number]
        entry.value = _assign(entry.value, value[number], spot.inside(brackets, entry))
    for number in reversed(range(short - tail, len(old) - tail)):
        brackets.remove(number)
    for number in range(short - tail, len(value) - tail):
        _insert(brackets, number, value[number], spot)
    return str(brackets)


def _in_order(brackets: Brackets, keys: list[str]) -> str:
    """Let the keys of an inline table follow one another as they do in the new value."""
    entries = {entry.keys[0]: entry for entry in brackets.entries}
    if len(entries) == len(brackets.entries) and not comments_of(str(brackets)):
        parts = [(entries[key].key, entries[key].keys, entries[key].value) for key in keys]
        for entry, part in zip(brackets.entries, parts, strict=True):
            entry.key, entry.keys, entry.value = part
    return str(brackets)


def _add_key(brackets: Brackets, rest: Rest, value: object, spot: Spot) -> None:
    """Add a key to an inline table, dotted if the table that it goes into is written so."""
    keys = tuple(str(part) for part in rest)
    if not any(entry.keys[0] == keys[0] for entry in brackets.entries):
        for key in reversed(keys[1:]):
            value = {key: value}
        keys = keys[:1]
    style = learn([("", str(brackets))], spot.style)
    key = render_key(keys) + style.equals
    entry = ArrayEntry("", render(value, style), key=key, keys=keys)
    brackets.insert(len(brackets.entries), entry, "", style.unit, style.pad)


def _insert(brackets: Brackets, position: int, value: object, spot: Spot) -> None:
    # A list that stands over many lines stays so, however wide it is; it can have many entries.
    may_break = bool(spot.newline) and not brackets.many_lines
    had_room = may_break and spot.column + len(str(brackets)) <= WIDTH
    entry = ArrayEntry("", "")
    brackets.insert(position, entry, spot.newline, spot.style.unit)
    inner = spot.inside(brackets, entry)
    newline = inner.newline if brackets.many_lines and not _keeps_to_a_line(brackets, value) else ""
    entry.value = render(value, inner.style, newline)
    may_break = may_break and not brackets.many_lines and "\n" not in entry.value
    # Tables are long: one a line is what people make of them, even if the first was too long.
    roomy = had_room or (entry.value[0] == "{" and spot.column < WIDTH)
    if may_break and roomy and spot.column + len(str(brackets)) > WIDTH:
        brackets.spread(spot.newline, spot.style.unit)


def _keeps_to_a_line(brackets: Brackets, value: object) -> bool:
    """Tell whether a list or table is put among lists that stand on one line each."""
    if not isinstance(value, list | dict):
        return False
    lists = [entry.value for entry in brackets.entries if entry.value[:1] == "["]
    return bool(lists) and not any("\n" in text for text in lists)
