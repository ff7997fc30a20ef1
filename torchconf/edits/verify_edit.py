"""Comparing a text before and after, and refusing what is not what was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.edits.document import Document, Pair
from torchconf.edits.plan import Remove, Rename
from torchconf.edits.read_toml import exact_float, read_toml
from torchconf.edits.tokens import comments_of
from torchconf.errors import ProjectError, WriteRefused
from torchconf.model.toml_path import render_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchconf.edits.plan import Step
    from torchconf.model.toml_path import Path

__all__ = ["EditCheck"]

_HELP = (
    "the file was not changed; this is a bug in torchconf, please report this file and the command"
)


class EditCheck:
    """What has been seen before an edit and must be there after it."""

    __slots__ = ("comments", "file", "lines", "steps")

    def __init__(self, text: str, document: Document, steps: Sequence[Step], file: str) -> None:
        """Look at a document before it changes.

        Args:
            text: As it is.
            document: The same, taken apart.
            steps: What will be done.
            file: Its name, for errors.
        """
        self.comments = comments_of(text)
        self.lines = _lines_outside(document, steps)
        self.steps = steps
        self.file = file

    def refuse_loss(self, new: str, expected: dict[str, Any]) -> None:
        """Check the new text against what was meant, and against the old one.

        Args:
            new: The text after.
            expected: What it should say. A table or an array that the steps have emptied may also
                be missing: one without a header of its own cannot be written empty.

        Raises:
            WriteRefused: It says something else, a comment is gone, or another line differs.
        """
        file = self.file
        try:
            found = read_toml(new, file, parse_float=exact_float)
        except ProjectError as error:
            message = f"cannot read the edited text: {error.message}"
            raise _refusal(message, error.at) from error
        for number, step in enumerate(self.steps):
            if isinstance(step, Remove):
                emptied = _renamed(step.path, self.steps[number + 1 :])
                _forget_emptied(expected, found, emptied)
        if found != expected:
            place = render_path(_difference(expected, found))
            raise _refusal("the edited text does not have the intended meaning", f"{file}, {place}")
        # Imported here: only a command that writes needs it.
        from collections import Counter

        if lost := Counter(self.comments) - Counter(comments_of(new)):
            raise _refusal(f"the comment `{next(iter(lost))}` would be lost", file)
        lines = _lines_outside(Document(new), self.steps)
        if lines != self.lines:
            pairs = zip([*self.lines, ""], [*lines, ""], strict=False)
            line = next((one or other for one, other in pairs if one != other), "")
            raise _refusal(f"the line `{line}` would change", file)


def _refusal(message: str, at: str | None) -> WriteRefused:
    return WriteRefused(message, at=at, help=_HELP)


def _renamed(path: Path, later: Iterable[Step]) -> Path:
    """Return where a place is after the keys above it have got other names."""
    for step in later:
        if isinstance(step, Rename) and path[: len(step.path)] == step.path:
            path = (*step.path[:-1], step.name, *path[len(step.path) :])
    return path


def _forget_emptied(expected: dict[str, Any], found: dict[str, Any], path: Path) -> None:
    """Drop what a removal has left empty, if the other side does not have it."""
    for length in range(len(path) - 1, 0, -1):
        above, other = _at(expected, path[: length - 1]), _at(found, path[: length - 1])
        key = path[length - 1]
        if not isinstance(above, dict) or above.get(key, 0) not in ({}, []):
            continue
        if not (isinstance(other, dict) and key in other):
            del above[key]


def _at(data: Any, path: Path) -> Any:  # noqa: ANN401 - whatever TOML can hold
    for part in path:
        try:
            data = data[part]
        except (LookupError, TypeError):
            return None
    return data


def _difference(expected: object, found: object) -> Path:
    """Return the first place that differs."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in [*expected, *found]:
            if key not in found or key not in expected:
                return (key,)
            if expected[key] != found[key]:
                return (key, *_difference(expected[key], found[key]))
    if isinstance(expected, list) and isinstance(found, list):
        for number, (one, other) in enumerate(zip(expected, found, strict=False)):
            if one != other:
                return (number, *_difference(one, other))
    return ()


def _lines_outside(document: Document, steps: Iterable[Step]) -> list[str]:
    """Return the headers and key lines that no step is about."""
    own: set[Path] = set()
    above: set[Path] = set()
    for step in steps:
        # The entries of an array stand and fall together: their numbers change.
        numbers = (n for n, part in enumerate(step.path) if isinstance(part, int))
        names = step.path[: next(numbers, None)]
        own.add(names)
        above.update(names[:length] for length in range(len(names)))
        if isinstance(step, Rename) and len(names) == len(step.path):
            own.add((*names[:-1], step.name))

    def concerns(path: Path) -> bool:
        return path in above or any(path[:length] in own for length in range(len(path) + 1))

    lines = []
    for table in document.tables:
        if not concerns(table.keys):
            lines.append(f"{table.head}{table.tail}".rstrip("\r\n"))
        lines += [
            str(item).rstrip("\r\n")
            for item in table.body
            if isinstance(item, Pair) and not concerns((*table.keys, *item.keys))
        ]
    return lines
