"""The YAML of an environment, with the lines of everything; PyYAML is an extra of torchconf."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from torchconf.errors import ProjectError
from torchconf.migrate.old import Place
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yaml import Node, SafeLoader

__all__ = ["Entry", "Yaml", "read_yaml"]

_LONGEST = 1_000_000
"""PyYAML reads some hundred thousand characters in a second."""
_COMMENT = re.compile(r"[^#\n]*#\s*(.*)")


class Entry(NamedTuple):
    """A value, or a key of a mapping with its value."""

    at: Place
    key: str
    value: str | None
    """Of a scalar; None for anything else, null too."""
    node: Node
    comment: str
    """Behind it, on its last line."""

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return _kind(self.node) == "sequence"


class Yaml:
    """A document that is a mapping."""

    def __init__(self, path: str, text: str, root: Node) -> None:
        """Take the nodes of a document."""
        self.root = root
        self._path = path
        self._text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def pairs(self, node: Node) -> Iterator[Entry]:
        """Yield the keys of a mapping; nothing of anything else."""
        if _kind(node) == "mapping":
            for key, value in node.value:
                yield self._entry(str(key.value) if _kind(key) == "scalar" else "", key, value)

    def values(self, node: Node) -> Iterator[Entry]:
        """Yield the entries of a list; nothing of anything else."""
        if _kind(node) == "sequence":
            for value in node.value:
                yield self._entry("", value, value)

    def text(self, entry: Entry) -> str:
        """Return how an entry is written, on one line and without its comment."""
        if entry.value is not None:
            return f"{entry.key}: {entry.value}" if entry.key else entry.value
        first = self._starts[entry.at.line - 1]
        return " ".join(self._text[first : self._end(max(entry.at.line, entry.at.last))].split())

    def _end(self, line: int) -> int:
        """Return where a line ends."""
        return self._starts[line] if line < len(self._starts) else len(self._text)

    def _line(self, index: int) -> int:
        """Return the line of an offset as editors count; YAML has more ends of lines."""
        return bisect_right(self._starts, index)

    def _entry(self, key: str, first: Node, node: Node) -> Entry:
        line, end = self._line(first.start_mark.index), node.end_mark.index
        is_text = _kind(node) == "scalar" and not node.tag.endswith(":null")
        comment = _COMMENT.match(self._text, end, self._end(self._line(end))) if is_text else None
        last = self._line(max(first.start_mark.index, _end_of(node) - 1))
        return Entry(
            Place(self._path, line, last if last > line else 0),
            key,
            str(node.value) if is_text else None,
            node,
            comment[1].strip() if comment else "",
        )


def read_yaml(path: str, text: str) -> Yaml:
    """Read a document, safely: nothing of it is made but nodes.

    Raises:
        ProjectError: It is not YAML or not a mapping, or PyYAML is missing.
    """
    try:
        import yaml
    except ImportError as error:
        raise ProjectError(
            "reading conda's files needs PyYAML",
            at=path,
            help="install `torchconf[conda]`",
        ) from error
    if len(text) > _LONGEST:
        raise ProjectError(f"the file has more than {_LONGEST:,} characters", at=path)
    try:
        root = yaml.compose(text, Loader=_loader(path))
    except RecursionError as error:
        raise ProjectError("lists or mappings are nested too deeply", at=path) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        count = text.count("\n", 0, mark.index) if mark else 0
        place = f"{path}, line {count + 1}" if mark else path
        why = getattr(error, "problem", None) or getattr(error, "reason", None) or "no YAML"
        raise ProjectError(f"not valid YAML: {why}", at=place) from error
    if root is None or _kind(root) != "mapping":
        raise ProjectError(
            "not an environment of conda: there are no `dependencies`",
            at=path,
            help="name the file that lists the dependencies",
        )
    return Yaml(path, text, root)


def _end_of(node: Node) -> int:
    """Return where a value ends; the mark of a block is at what follows it."""
    while _kind(node) != "scalar" and node.value and not getattr(node, "flow_style", False):
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return int(node.end_mark.index)


def _kind(node: Node) -> str:
    """Return `scalar`, `sequence` or `mapping`."""
    return str(getattr(node, "id", ""))


def _loader(path: str) -> type[SafeLoader]:
    """Return what reads YAML without aliases, of which a few can mean millions of lines."""
    import yaml

    class Loader(yaml.SafeLoader):
        def compose_node(self, parent: Node | None, index: int) -> Node | None:
            if self.check_event(yaml.AliasEvent):
                event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML is not typed
                line = event.start_mark.line + 1
                raise ProjectError(
                    "torchconf does not follow aliases, such as `*name`",
                    at=f"{path}, line {line}",
                    help="write the value out",
                )
            return super().compose_node(parent, index)

    return Loader
