"""Which TOML path stands at a place of a text: the way back from what `positions` tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.edits.brackets import Brackets
from torchconf.edits.document import Document, Pair

if TYPE_CHECKING:
    from torchconf.model.toml_path import Path

__all__ = ["path_at"]


def path_at(text: str, offset: int) -> Path:
    """Return the path of what stands at a place, as deep as it goes.

    Args:
        text: Valid TOML, without a byte order mark.
        offset: In characters from the beginning.

    Returns:
        Empty for a blank line, a comment, and whatever else belongs to no key and no header.
    """
    at = 0
    for table in Document(text).tables:
        start, at = at, at + len(table.head) + len(table.tail)
        if start <= offset < at:
            return table.path
        for item in table.body:
            start, at = at, at + len(str(item))
            if start <= offset < at:
                if isinstance(item, Pair):
                    return (*table.path, *_in_pair(item, offset - start))
                return ()
    return ()


def _in_pair(pair: Pair, offset: int) -> Path:
    value = offset - pair.column
    if 0 <= value < len(pair.value):
        return (*pair.keys, *_in_value(pair.value, value))
    return pair.keys


def _in_value(value: str, offset: int) -> Path:
    """Return what is inside an array or an inline table at a place; empty for its brackets."""
    if value[0] not in "[{":
        return ()
    brackets = Brackets(value)
    at = 1 + len(brackets.head)
    for number, entry in enumerate(brackets.entries):
        at += len(entry.lead)
        start = at + len(entry.key)
        end = start + len(entry.value)
        if at <= offset <= end:
            name: Path = (number,) if brackets.is_array else entry.keys
            inside = start <= offset < end
            return (*name, *(_in_value(entry.value, offset - start) if inside else ()))
        at = end + len(entry.gap) + len(entry.comma) + len(entry.trail)
    return ()
