"""What to change in a pyproject.toml: steps, each with its reason, and what they mean as data.

Every step is understood twice: here on plain data, in `torchconf.edits` on the document with its
comments and layout. After an edit the new text is read back and must say what `meaning` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from torchconf.model.toml_path import Path

Value: TypeAlias = "str | bool | list[Value] | dict[str, Value]"


class Put(NamedTuple):
    """Set one key of a table; the tables above it are created where they are missing."""

    path: Path
    value: Value
    reason: str
    comment: str | None = None
    """A comment line to stand above the key, without its `#`."""


class Insert(NamedTuple):
    """Put one entry into an array, which is created where it is missing."""

    path: Path
    """Of the array."""
    position: int
    """Where to insert the entry, counted when this step is taken."""
    value: Value
    reason: str


class Replace(NamedTuple):
    """Set one entry of an array to another value."""

    path: Path
    """Of the entry: its last part is a number, counted when this step is taken."""
    value: Value
    reason: str


class Remove(NamedTuple):
    """Take away one key of a table, or one entry of an array. Comments stay."""

    path: Path
    reason: str


class Rename(NamedTuple):
    """Give one key of a table another name. It stays where it stands, with all its comments."""

    path: Path
    """Of the key, by the name that it has."""
    name: str
    reason: str


Step: TypeAlias = Put | Insert | Replace | Remove | Rename


class Plan(NamedTuple):
    """Ordered steps, and what a person should know about them."""

    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences on what was chosen and why: the version, the layout, other platforms."""
    warnings: tuple[str, ...] = ()
    """Sentences on what could not be known."""
    root_steps: tuple[Step, ...] = ()
    """Steps on the workspace root's file, where that is another one."""
    member_steps: Mapping[str, tuple[Step, ...]] = {}
    """Steps on the files of other members, by path."""


def meaning(data: Mapping[str, object], steps: Iterable[Step]) -> dict[str, object]:
    """Return what the file must say after these steps; `data` is left as it is.

    Args:
        data: The parsed file before.
        steps: In the order in which they are taken.

    Raises:
        LookupError: A step names a place that is not there. A plan that was made for these data
            never does.
        TypeError: A step takes a table for an array, or the reverse.
    """
    # Imported here: only a command that writes needs it.
    from copy import deepcopy

    result = deepcopy(dict(data))
    for step in steps:
        take(result, step)
    return result


def with_paths(steps: Iterable[Step], change: Callable[[Path], Path]) -> tuple[Step, ...]:
    """Return the same steps at other places."""
    return tuple(step._replace(path=change(step.path)) for step in steps)


def take(data: dict[str, object], step: Step, own: dict[int, object] | None = None) -> None:
    """Take one step on plain data, in place. Errors as in `meaning`.

    Args:
        data: The data.
        step: The step.
        own: The tables and arrays that may be changed, by `id`; any other is replaced by a copy
            before it is changed, and the copy added here. None if all may be.
    """
    from copy import deepcopy

    value = None if isinstance(step, Remove | Rename) else deepcopy(step.value)
    match step:
        case Put(path=(*above, str(key))):
            _table(_walk(data, above, own, create=dict), above)[key] = value
        case Insert(path=path, position=position):
            array = _array(_walk(data, path, own, create=list), path)
            if not 0 <= position <= len(array):
                raise LookupError(f"no position {position} in {path}")
            array.insert(position, value)
        case Replace(path=(*above, int(number))):
            array = _array(_walk(data, above, own), above)
            array[number] = value
        case Remove(path=(*above, str(key))):
            del _table(_walk(data, above, own), above)[key]
        case Remove(path=(*above, int(number))):
            del _array(_walk(data, above, own), above)[number]
        case Rename(path=(*above, str(key)), name=name):
            _rename(_table(_walk(data, above, own), above), key, name)
        case _:
            raise TypeError(f"not a step that can be taken: {step}")


def _rename(table: dict[str, object], key: str, name: str) -> None:
    if key not in table or name in table:
        raise LookupError(f"no `{key}` that could become `{name}`")
    items = [(name if each == key else each, value) for each, value in table.items()]
    table.clear()
    table.update(items)


def _walk(
    data: object,
    path: Iterable[str | int],
    own: dict[int, object] | None = None,
    create: type | None = None,
) -> object:
    """Follow a path; with `create`, make what is missing: tables, and at the end that type."""
    parts = list(path)
    here = data
    for count, part in enumerate(parts, start=1):
        holder: Any
        if isinstance(part, str):
            holder = _table(here, parts[:count])
            if part not in holder and create is not None:
                holder[part] = create() if count == len(parts) else {}
        else:
            holder = _array(here, parts[:count])
        here = holder[part]
        if own is not None and isinstance(here, dict | list) and id(here) not in own:
            here = holder[part] = here.copy()
            own[id(here)] = here
    return here


def _table(value: object, path: Iterable[str | int]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"not a table: {tuple(path)}")
    return value


def _array(value: object, path: Iterable[str | int]) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"not an array: {tuple(path)}")
    return value
