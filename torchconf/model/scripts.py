"""The metadata block of a script, as PEP 723 has it: TOML in comments.

    # /// script
    # dependencies = ["torch"]
    # ///

Source: <https://packaging.python.org/en/latest/specifications/inline-script-metadata/>.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from torchconf.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Block", "as_project", "find_block", "from_project", "with_block"]

_OPEN = "# /// script"
_CLOSE = "# ///"
_STANDARD = ("dependencies", "requires-python")


class Block(NamedTuple):
    """The TOML of a script, and where it stands."""

    toml: str
    """Without the comment signs; lines end as in the script."""
    first_line: int
    """Number of its first line in the script, from 1."""
    end_line: int
    """Number of the line that closes the block."""

    def column(self, column: int) -> int:
        """Return the column in the script of a column in the TOML."""
        return column + len("# ")


def find_block(text: str, file: str) -> Block | None:
    """Return the block of a script, or None if it has none.

    Raises:
        ProjectError: There are two, or the block is not closed.
    """
    if _OPEN not in text:
        return None
    lines = text.split("\n")
    starts = [n for n, line in enumerate(lines) if line.rstrip("\r ") == _OPEN]
    if not starts:
        return None
    end = starts[0]
    close = None
    while end + 1 < len(lines) and _is_content(lines[end + 1]):
        end += 1
        if lines[end].rstrip("\r ") == _CLOSE:
            close = end
    if close is None:
        message = f"the block `{_OPEN}` is not closed"
        place = f"{file}, line {starts[0] + 1}"
        raise ProjectError(message, at=place, help=f"add a closing line `{_CLOSE}`")
    if any(start > close for start in starts):
        second = next(start for start in starts if start > close)
        message = f"there is more than one block `{_OPEN}`"
        raise ProjectError(message, at=f"{file}, line {second + 1}", help="remove all but one")
    inside = lines[starts[0] + 1 : close]
    toml = "".join(f"{line[2:] if line[1:2] == ' ' else line[1:]}\n" for line in inside)
    return Block(toml, starts[0] + 2, close + 1)


def _is_content(line: str) -> bool:
    return line[:1] == "#" and line[1:2] in ("", " ", "\r")


def with_block(text: str, block: Block, toml: str) -> str:
    """Return a script with other TOML in its block; every other line stays."""
    lines = text.split("\n")
    new = toml.removesuffix("\n").split("\n") if toml else []
    inside = [f"# {line}" if line.strip("\r") else f"#{line}" for line in new]
    return "\n".join([*lines[: block.first_line - 1], *inside, *lines[block.end_line - 1 :]])


# A script has `dependencies` where a project has `project.dependencies`; the rest is the same.


def as_project(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a block as those of a project that asks for the same."""
    project = {"name": "script", "version": "0"}
    project |= {key: data[key] for key in _STANDARD if key in data}
    return {"project": project} | {key: data[key] for key in data if key not in _STANDARD}


def from_project(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return the path in a block of a path in `as_project`."""
    return path[1:] if path[:1] == ("project",) else path
