"""Taking the steps of a plan, one after the other, on a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.edits.document import Pair, Table, is_comment, starts_with
from torchconf.edits.placement import AS_TABLES, has_header, key_number, table_number
from torchconf.edits.plan import Insert, Put, Remove, Rename, Replace
from torchconf.edits.style import render, render_key
from torchconf.edits.tokens import parse_key, replace_part
from torchconf.edits.values import (
    WIDTH,
    Spot,
    insert_entry,
    put_value,
    remove_entry,
    rename_key,
)
from torchconf.errors import WriteRefused
from torchconf.model.toml_path import EXTRAS, GROUPS, SOURCES, render_path

if TYPE_CHECKING:
    from typing import TypeGuard

    from torchconf.edits.document import Document
    from torchconf.edits.plan import Step
    from torchconf.model.toml_path import Path

__all__ = ["take"]

ON_ONE_LINE = frozenset({"default-groups", "targets"})
"""Keys whose arrays are lists of a few names, and are written as such."""
ALIKE = frozenset({EXTRAS, GROUPS, SOURCES})
"""Tables whose arrays are of one kind, so that a new one is written like the others."""


def take(document: Document, step: Step) -> None:
    """Do in the document what `torchconf.edits.plan.meaning` does in the data."""
    match step:
        case Put():
            _put(document, step.path, step.value, step.comment)
        case Insert():
            _insert(document, step.path, step.position, step.value)
        case Replace():
            _put(document, step.path, step.value)
        case Remove():
            _remove(document, step.path)
        case Rename():
            _rename(document, step.path, step.name)


def _put(document: Document, path: Path, value: object, comment: str | None = None) -> None:
    if found := document.find(path):
        table, pair, rest = found
        spot = _spot(document, table, pair)
        pair.value = put_value(pair.value, rest, value, spot)
        _comment(document, table, pair, spot.saved, comment)
    elif isinstance(value, dict) and _is_there(document, path):
        _put_keys(document, path, value)
    elif isinstance(value, list) and value and document.below((*path, 0)) and _are_tables(value):
        _put_tables(document, path, value)
    else:
        _remove(document, path)
        _create(document, path, value, comment)


def _put_keys(document: Document, path: Path, value: dict[str, object]) -> None:
    """Set a table that is written with a header or dotted keys, key by key."""
    for key in sorted(_keys(document, path) - value.keys()):
        _remove(document, (*path, key))
    for key, item in value.items():
        _put(document, (*path, key), item)
    if not _is_there(document, path):
        _create(document, path, value)


def _put_tables(document: Document, path: Path, value: list[dict[str, object]]) -> None:
    """Set an array of tables, table by table."""
    count = len({table.path[len(path)] for table in document.below(path)})
    for number in reversed(range(len(value), count)):
        _remove(document, (*path, number))
    for number, item in enumerate(value):
        if number < count:
            _put_keys(document, (*path, number), item)
        else:
            _create_table(document, (*path, number), item)


def _insert(document: Document, path: Path, position: int, value: object) -> None:
    if found := document.find(path):
        table, pair, rest = found
        spot = _spot(document, table, pair)
        pair.value = insert_entry(pair.value, rest, position, value, spot)
        _comment(document, table, pair, spot.saved, None)
    elif isinstance(value, dict) and document.below((*path, 0)):
        _create_table(document, (*path, position), value)
    else:
        _create(document, path, [value])


def _remove(document: Document, path: Path) -> None:
    """Take away what is there. A table that a former step has emptied may be gone already."""
    if found := document.find(path):
        table, pair, rest = found
        if rest:
            spot = _spot(document, table, pair)
            pair.value = remove_entry(pair.value, rest, spot)
            _comment(document, table, pair, spot.saved, None)
        else:
            document.drop(table, pair)
            if document.is_idle(table):
                document.dissolve(table)
        return
    for table, pair in [*document.dotted(path)]:
        document.drop(table, pair)
    for table in document.below(path):
        document.dissolve(table)


def _rename(document: Document, path: Path, name: str) -> None:
    """Rename a key wherever it occurs: once, in dotted keys, or in headers."""
    found = document.find(path)
    if found and found[2]:
        _, pair, rest = found
        pair.value = rename_key(pair.value, rest, name)
        return
    key = render_key((name,))
    for table, pair in [found[:2]] if found else [*document.dotted(path)]:
        pair.key = replace_part(pair.key, len(path) - len(table.path) - 1, key)
        pair.keys = parse_key(pair.key)
    for table in document.below(path):
        number = len(_names(path)) - 1
        table.head = replace_part(table.head, number, key)
        table.keys = (*table.keys[:number], name, *table.keys[number + 1 :])
    document.count()


def _create(document: Document, path: Path, value: object, comment: str | None = None) -> None:
    """Write what is not there yet."""
    if path == AS_TABLES and isinstance(value, list) and value and _are_tables(value):
        for number, item in enumerate(value):
            _create_table(document, (*path, number), item, None if number else comment)
    elif isinstance(value, dict) and has_header(path):
        _create_table(document, path, value, comment)
    else:
        _create_pair(document, path, value, comment)


def _create_table(
    document: Document, path: Path, value: dict[str, object], comment: str | None = None
) -> Table:
    keys = tuple(part for part in path if isinstance(part, str))
    in_array = isinstance(path[-1], int)
    name = render_key(keys)
    head = f"[[{name}]]" if in_array else f"[{name}]"
    for sibling in document.tables:
        if in_array and sibling.in_array and sibling.keys == keys:
            head = sibling.head.rstrip()
    table = Table(head, document.newline, keys, in_array=in_array)
    number = table_number(document, path)
    document.add(table, number)
    if comment:
        document.tables[number - 1].body += _comment_lines(document, "", comment)
    for key, item in value.items():
        _put(document, (*path, key), item)
    return table


def _create_pair(document: Document, path: Path, value: object, comment: str | None) -> None:
    *above, key = path
    if not isinstance(key, str):
        message = f"entry {key} of a `[[...]]` array can only be a table"
        raise WriteRefused(message, at=render_path(tuple(above)))
    table, prefix = _home(document, tuple(above)) or (
        _create_table(document, tuple(above), {}),
        (),
    )
    like = document.like(table)
    indent = like.indent if like else table.head[: -len(table.head.lstrip())]
    equals = document.equals(table, (*prefix, key), like)
    newline = "" if key in ON_ONE_LINE else document.newline + indent
    written = render_key((*prefix, key))
    text = render(value, document.style(table), newline)
    if (*table.path, *prefix) in ALIKE and _on_one_line(table, prefix):
        short = render(value, document.style(table))
        if len(indent + written + equals + short) <= WIDTH:
            text = short
    pair = Pair(indent, written, equals, text, document.newline)
    at = key_number(document, table, prefix)
    table.body.insert(at, pair)
    _comment(document, table, pair, [], comment)


def _on_one_line(table: Table, prefix: tuple[str, ...]) -> bool:
    """Tell whether the arrays beside a new key stay on their lines, as far as any tells."""
    arrays = [
        pair.value
        for pair in table.pairs()
        if starts_with(pair.keys, prefix) and pair.value[0] == "[" and pair.value != "[]"
    ]
    return bool(arrays) and not any("\n" in text for text in arrays)


def _home(document: Document, path: Path) -> tuple[Table, tuple[str, ...]] | None:
    """Find the header under which the keys of a table stand, and how they begin there."""
    if table := document.table(path):
        return table, ()
    for table, _ in document.dotted(path):
        return table, _names(path[len(table.path) :])
    # Below an entry of an array a header of its own would depend on the order of the entries.
    for length in range(len(path) - 1, 0, -1):
        if isinstance(path[length - 1], int) and (table := document.table(path[:length])):
            return table, _names(path[length:])
    return None


def _names(path: Path) -> tuple[str, ...]:
    return tuple(part for part in path if isinstance(part, str))


def _spot(document: Document, table: Table, pair: Pair) -> Spot:
    newline = "" if pair.keys[-1] in ON_ONE_LINE else document.newline + pair.indent
    return Spot(document.style(table), newline, pair.column, [], document.parsed)


def _comment(
    document: Document, table: Table, pair: Pair, saved: list[str], comment: str | None
) -> None:
    """Write comments above a key: those that lost their place, and a new one if it is not there."""
    lines = [f"{pair.indent}{text}{document.newline}" for text in saved]
    there = {str(item).strip() for item in table.body if is_comment(item)}
    lines += [
        line
        for line in _comment_lines(document, pair.indent, comment or "")
        if line.strip() not in there
    ]
    at = table.body.index(pair)
    table.body[at:at] = lines


def _comment_lines(document: Document, indent: str, comment: str) -> list[str]:
    return [f"{indent}# {line}{document.newline}" for line in comment.splitlines()]


def _is_there(document: Document, path: Path) -> bool:
    return bool(document.below(path)) or any(document.dotted(path))


def _keys(document: Document, path: Path) -> set[str]:
    """Return the keys of a table that is written with a header or dotted keys."""
    names = {pair.keys[len(path) - len(table.path)] for table, pair in document.dotted(path)}
    for table in document.below(path):
        names.update(_names(table.path[len(path) : len(path) + 1]))
        if len(table.path) == len(path):
            names.update(pair.keys[0] for pair in table.pairs())
    return names


def _are_tables(value: list[object]) -> TypeGuard[list[dict[str, object]]]:
    return all(isinstance(item, dict) for item in value)
