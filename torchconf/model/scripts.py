"""The metadata block of a script, as PEP 723 has it: TOML in comments.

    # /// script
    # dependencies = ["torch"]
    # ///

Source: <https://packaging.python.org/en/latest/specifications/inline-script-metadata/>. Which lines
are a block, uv says: it looks at the first `# /// script` of a file only, wherever that stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.errors import ProjectError
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "PROJECT_ONLY",
    "Block",
    "as_project",
    "find_block",
    "from_project",
    "with_block",
    "with_empty_block",
]

_OPEN = "# /// script"
_CLOSE = "# ///"
_STANDARD = ("dependencies", "requires-python")

PROJECT_ONLY = (
    "environments",
    "required-environments",
    "conflicts",
    "default-groups",
    "minimum-libc-version",
    "dependency-groups",
    "dev-dependencies",
    "workspace",
    "package",
    "managed",
    "build-backend",
    "cache-keys",
    "pip",
)
"""What uv 0.13.9 refuses in the `[tool.uv]` of a script: 'unknown field'."""


class Block(NamedTuple):
    """The TOML of a script, and where it stands."""

    toml: str
    """Without the comment signs; lines end as in the script."""
    first_line: int
    """Number of its first line in the script, from 1."""
    end_line: int
    """Number of the line that closes the block."""

    @property
    def padded(self) -> str:
        """The TOML behind as many blank lines as stand above it: errors name the script's lines."""
        above = self.first_line - 1
        return "\n" * above + self.toml

    def column(self, column: int) -> int:
        """Return the column in the script of a column in the TOML."""
        return column + len("# ")


def find_block(text: str, file: str, *, bom: bool = False) -> Block | None:
    """Return the block of a script, or None if it has none.

    Args:
        text: Of the script, without a byte order mark.
        file: Its name, for errors.
        bom: Whether a byte order mark stands before the text.

    Raises:
        ProjectError: There are two, it is not closed, or uv does not see it.
    """
    if _OPEN not in text:
        return None
    lines = text.split("\n")
    first = text.count("\n", 0, text.index(_OPEN))
    if not _is(lines[first], _OPEN):
        _refuse_unseen(lines, first, file)
        return None
    close = _closing(lines, first, file)
    if bom and first == 0:
        raise ProjectError(
            f"uv does not see the block `{_OPEN}`: a byte order mark stands right before it",
            at=f"{file}, line 1",
            help="save the file as UTF-8 without a byte order mark, or put an empty line above",
        )
    second = _next_block(lines, close + 1)
    if second is not None:
        message = f"there is more than one block `{_OPEN}`"
        raise ProjectError(
            message,
            at=f"{file}, line {second + 1}",
            spot=(second + 1, 1),
            help="remove all but one",
        )
    toml = "".join(f"{_uncommented(line)}\n" for line in lines[first + 1 : close])
    return Block(toml, first + 2, close + 1)


def _is(line: str, sign: str) -> bool:
    return line.removesuffix("\r") == sign


def _last(lines: Sequence[str], start: int) -> int:
    """Return the number of the last line that could close a block; 0 if none does."""
    end = start
    found = 0
    while end + 1 < len(lines) and _is_content(lines[end + 1]):
        end += 1
        if lines[end].rstrip() == _CLOSE:
            found = end
    return found


def _next_block(lines: Sequence[str], start: int) -> int | None:
    """Return the number of the first line from there on that opens a block which is closed."""
    number = start
    while number < len(lines):
        if _is(lines[number], _OPEN):
            if _last(lines, number):
                return number
            # No line of this run closes anything, wherever a block would begin in it.
            while number + 1 < len(lines) and _is_content(lines[number + 1]):
                number += 1
        number += 1
    return None


def _closing(lines: Sequence[str], start: int, file: str) -> int:
    close = _last(lines, start)
    if not close:
        raise ProjectError(
            f"the block `{_OPEN}` is not closed",
            at=f"{file}, line {start + 1}",
            spot=(start + 1, 1),
            help=f"add a closing line `{_CLOSE}`; each line before it begins with `# `",
        )
    if not _is(lines[close], _CLOSE):
        raise _trailing(_CLOSE, close, file)
    return close


def _refuse_unseen(lines: Sequence[str], first: int, file: str) -> None:
    """Refuse a block that uv passes over without a word."""
    if lines[first].rstrip() == _OPEN and _last(lines, first):
        raise _trailing(_OPEN, first, file)
    number = _next_block(lines, first + 1)
    if number is not None:
        raise ProjectError(
            f"uv does not see the block `{_OPEN}` in line {number + 1}: it only looks at the first "
            "place with these words",
            at=f"{file}, line {first + 1}",
            spot=(first + 1, 1),
            help="move the block above that line",
        )


def _trailing(sign: str, number: int, file: str) -> ProjectError:
    message = f"uv does not accept the line `{sign}` with spaces behind it"
    return ProjectError(
        message, at=f"{file}, line {number + 1}", spot=(number + 1, 1), help="remove the spaces"
    )


def _is_content(line: str) -> bool:
    return line[:1] == "#" and line[1:2] in ("", " ", "\r")


def _uncommented(line: str) -> str:
    """Return the TOML of a line. An empty one keeps its space, if it has one: both are empty."""
    return line[2:] if line[1:].strip() else line[1:]


def _commented(line: str) -> str:
    return f"# {line}" if line.strip() else f"#{line}"


def with_block(text: str, block: Block, toml: str) -> str:
    """Return a script with other TOML in its block; every other line stays."""
    lines = text.split("\n")
    inside = map(_commented, toml.removesuffix("\n").split("\n") if toml else ())
    return "\n".join([*lines[: block.first_line - 1], *inside, *lines[block.end_line - 1 :]])


def with_empty_block(text: str, *, bom: bool = False) -> str:
    """Return a script that has no block with an empty one, where people look for it first.

    Args:
        text: Of the script, without a byte order mark.
        bom: Whether a byte order mark stands before it, right behind which uv sees no block.
    """
    newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    lines = text.split("\n")
    above = 1 if lines[0].startswith("#!") else 0
    # Python looks for the encoding in the first two lines.
    for number, line in enumerate(lines[:2], start=1):
        if line.startswith("#") and ("coding:" in line or "coding=" in line):
            above = number
    head = "".join(f"{line}\n" for line in lines[:above])
    rest = "\n".join(lines[above:])
    if bom and not above:
        head = newline
    if above == len(lines):
        head = f"{head.removesuffix(chr(10))}{newline}"
    gap = newline if rest.strip("\r\n") and not rest.startswith(("\n", "\r\n")) else ""
    return f"{head}{_OPEN}{newline}{_CLOSE}{newline}{gap}{rest}"


# A script has `dependencies` where a project has `project.dependencies`; the rest is the same.


def as_project(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a block as those of a project that asks for the same."""
    # No name is needed, and one that another package has would mean the project itself.
    project = {"name": "this-pep723-script", "version": "0"}
    project |= {key: data[key] for key in _STANDARD if key in data}
    return {"project": project} | {key: data[key] for key in data if key == "tool"}


def from_project(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return the path in a block of a path in `as_project`."""
    return path[1:] if path[:1] == ("project",) else path
