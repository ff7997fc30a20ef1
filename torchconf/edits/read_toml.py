"""Reading TOML with the standard library, and saying why it could not be read."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from torchconf.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["exact_float", "read_toml"]

_DEEPEST = 100


def read_toml(
    text: str, file: str = "pyproject.toml", *, parse_float: Callable[[str], Any] = float
) -> dict[str, Any]:
    """Read a document.

    Args:
        text: Without a byte order mark.
        file: Its name, for errors.
        parse_float: What becomes of a number with a fraction.

    Raises:
        ProjectError: It is not TOML, or it is TOML 1.1, which uv reads and this Python does not.
    """
    problem = ProjectError("arrays or tables are nested too deeply", at=file)
    try:
        data = tomllib.loads(text, parse_float=parse_float)
        if not _is_deep(data):
            return data
    except RecursionError:
        pass
    except tomllib.TOMLDecodeError as error:
        problem = _explain(text, file, error)
    except ValueError:  # Python reads no number of so many digits
        problem = ProjectError("a number has more than 4,300 digits", at=file)
    raise problem


def _is_deep(data: dict[str, Any]) -> bool:
    """Tell whether tables are nested as only an attacker nests them: `[a.a.a.a]` is cheap to read.

    Whatever follows them step by step would come to the end of Python's stack.
    """
    level: list[Any] = [data]
    for _ in range(_DEEPEST):
        level = [
            value
            for each in level
            for value in (each.values() if isinstance(each, dict) else each)
            if isinstance(value, dict | list)
        ]
        if not level:
            return False
    return True


def exact_float(text: str) -> tuple[str, str]:
    """Keep a number with a fraction as it is written: `nan` does not equal itself."""
    return ("float", text)


def _explain(text: str, file: str, error: tomllib.TOMLDecodeError) -> ProjectError:
    # Imported here: only a file that cannot be read needs it.
    import re
    import sys

    at = re.search(r"at line (\d+), column (\d+)", str(error))
    place = f"{file}, line {at[1]}" if at else file
    # Without a number it is the end of the text that is not as it should be.
    last = text.count("\n") + 1, len(text) - text.rfind("\n")
    spot = (int(at[1]), int(at[2])) if at else last
    why = re.sub(r" \(at .*\)$", "", str(error))
    if why.startswith(_WRONG_IN_ANY) or not _is_newer(text, spot[0]):
        return ProjectError(
            f"not valid TOML: {why}", at=place, spot=spot, help="uv cannot read it either"
        )
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return ProjectError(
        f"this is TOML 1.1, and Python {python} reads TOML 1.0: {why}",
        at=place,
        spot=spot,
        help="rewrite it as TOML 1.0: inline tables on one line and without a "
        "trailing comma, times with seconds, no `\\e` and no `\\x` in strings",
    )


_WRONG_IN_ANY = (
    "Expected '='", "Expected ']'", "Invalid value", "Invalid statement", "Illegal character",
    "Unterminated string", "Expected \"'\"", "Cannot ",
)  # fmt: skip
"""How the standard library begins to say what no TOML allows: most of what a person is typing.

Of what is new in 1.1, lines and a last comma in inline tables, two escapes, times without seconds,
it speaks otherwise.
"""
_TRIES = 2
"""Headers above the place of an error that are tried: an open bracket shows below its own table."""


def _is_newer(text: str, line: int) -> bool:
    """Tell whether a text is TOML 1.1, which tomlkit reads.

    tomlkit takes twenty times as long as the standard library. So first it gets the table with the
    error alone, where the standard library says that what is above and below is sound: if it
    cannot read that, it cannot read the whole.
    """
    part = _table_around(text, line)
    return (part is None or _tomlkit_reads(part)) and _tomlkit_reads(text)


def _tomlkit_reads(text: str) -> bool:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        tomlkit.parse(text)
    except (TOMLKitError, ValueError, RecursionError):
        return False
    return True


def _table_around(text: str, line: int) -> str | None:
    """Return the tables about a line, without those above and below that can be read."""
    import re

    lines = text.split("\n")
    header = re.compile(r"\[\[?[^\[\]=,]+\]\]?[ \t\r]*(#.*)?")
    headers = [number for number, each in enumerate(lines) if header.fullmatch(each)]
    below = next((number for number in headers if number >= line), len(lines))
    if not _is_sound(lines[below:]):
        return None
    above = [number for number in headers if number < line][: -_TRIES - 1 : -1]
    start = next((number for number in above if _is_sound(lines[:number])), None)
    return None if start is None else "\n".join(lines[start:below])


def _is_sound(lines: list[str]) -> bool:
    try:
        tomllib.loads("\n".join(lines))
    except (ValueError, RecursionError):
        return False
    return True
