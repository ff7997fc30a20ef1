"""Where a new header and a new key go: in the order of uv's guide, beside what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.edits.document import Pair, is_blank, is_comment, starts_with

if TYPE_CHECKING:
    from torchconf.edits.document import Document, Table
    from torchconf.model.toml_path import Path

__all__ = ["AS_TABLES", "has_header", "key_number", "table_number"]

AS_TABLES = ("tool", "uv", "index")
"""The array that is written with a `[[header]]` for each entry."""


def has_header(path: Path) -> bool:
    """Tell whether a table is written with a header rather than inline, as the guide has it."""
    return len(path) <= (3 if path[0] == "tool" else 2) and all(isinstance(p, str) for p in path)


def table_number(document: Document, path: Path) -> int:
    """Return the position of a new table in the document."""
    if isinstance(path[-1], int):
        return _beside_entries(document, path) or table_number(document, path[:-1])
    match path:
        case ("project",):
            number = 1
        case ("project", *_):
            number = _after(document, ("project",)) or 1
        case ("dependency-groups",):
            number = max(_after(document, ("project",)), _after(document, ("build-system",)))
            number = number or _before(document, ("tool",))
        case ("tool", "uv"):
            number = _before(document, path)
        case ("tool", "uv", "sources") if table := document.table(path[:2]):
            number = document.tables.index(table) + 1
        case ("tool", "uv", "sources"):
            number = _before(document, AS_TABLES)
        case ("tool", "uv", "index"):
            number = _after(document, ("tool", "uv", "sources"))
        case _:
            number = 0
    return number or _end(document, path)


def _beside_entries(document: Document, path: Path) -> int:
    """Return the number behind the entry before this one, or before the one after it."""
    *array, number = path
    if isinstance(number, int) and number and document.below((*array, number - 1)):
        return _after(document, (*array, number - 1))
    return _before(document, path)


def _before(document: Document, path: Path) -> int:
    """Return the number of the first table there; 0 if there is none."""
    for number, table in enumerate(document.tables):
        if number and starts_with(table.path, path):
            return number
    return 0


def _after(document: Document, path: Path) -> int:
    """Return the number behind the run of tables that begins there; 0 if there is none."""
    table = document.table(path)
    number = document.tables.index(table) if table else _before(document, path)
    while 0 < number < len(document.tables) and starts_with(document.tables[number].path, path):
        number += 1
    return number


def _end(document: Document, path: Path) -> int:
    """Return the number behind the nearest relatives, or behind everything."""
    for length in range(len(path), 1 if path[0] == "tool" else 0, -1):
        if number := _after(document, path[:length]):
            return number
        for table, _ in document.dotted(path[:length]):
            return document.tables.index(table) + 1
    return len(document.tables)


def key_number(document: Document, table: Table, prefix: Path) -> int:
    """Return where in the body of a table a new key goes.

    Args:
        document: Of the table.
        table: Under whose header it goes.
        prefix: How the dotted keys begin that it belongs to; empty if it belongs to the header.
    """
    body = table.body
    pairs = [(n, item.keys) for n, item in enumerate(body, start=1) if isinstance(item, Pair)]
    beside = [number for number, keys in pairs if starts_with(keys, prefix)]
    at = end = (beside or [number for number, _ in pairs] or [0])[-1]
    while end < len(body) and is_comment(body[end]):
        end += 1
    # Comments after the last key end the table, unless they run on into the next header.
    if end == len(body):
        return end if table is document.tables[-1] else at
    return end if is_blank(body[end]) else at
