"""Finding, reading and replacing files, so that no byte of theirs is lost."""

from __future__ import annotations

from typing import NamedTuple

from torchconf.files.litter import sweep
from torchconf.files.reading import (
    BYTE_ORDER_MARK,
    NAME,
    SourceFile,
    find_project,
    from_project,
    project_file,
    read_file,
    read_if_there,
    spoken_path,
)
from torchconf.files.replacing import (
    changed_so_far,
    forget_changes,
    remove_created,
    replace,
    replace_all,
)

__all__ = [
    "BYTE_ORDER_MARK",
    "NAME",
    "Change",
    "SourceFile",
    "changed_so_far",
    "find_project",
    "forget_changes",
    "from_project",
    "project_file",
    "read_file",
    "read_if_there",
    "remove_created",
    "replace",
    "replace_all",
    "spoken_path",
    "sweep",
    "unified_diff",
]


class Change(NamedTuple):
    """A file as it was read, and its new text."""

    file: SourceFile
    text: str

    @property
    def is_one(self) -> bool:
        """Whether there is anything to write."""
        return self.text != self.file.text or self.file.raw is None

    @property
    def diff(self) -> str:
        """The difference, as `diff -u` writes it."""
        mark = BYTE_ORDER_MARK if self.file.bom else ""
        name = spoken_path(self.file.path)
        return unified_diff(f"{mark}{self.file.text}", f"{mark}{self.text}", name)


def unified_diff(old: str, new: str, name: str = NAME) -> str:
    """Return the difference between two texts as `diff -u` writes it; empty if there is none."""
    if old == new:
        return ""
    # Imported here: only a run that shows a difference needs it.
    from difflib import unified_diff as diff

    lines = []
    for line in diff(_lines(old), _lines(new), name, name):
        lines.append(line)
        if not line.endswith("\n"):
            lines.append("\n\\ No newline at end of file\n")
    return "".join(lines)


def _lines(text: str) -> list[str]:
    """Split at line feeds only: `splitlines` knows further characters, which TOML does not."""
    *lines, rest = text.split("\n")
    return [*(f"{line}\n" for line in lines), *([rest] if rest else [])]
