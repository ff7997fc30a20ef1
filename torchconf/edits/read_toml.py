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

    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    at = re.search(r"at line (\d+), column (\d+)", str(error))
    place = f"{file}, line {at[1]}" if at else file
    # Without a number it is the end of the text that is not as it should be.
    last = text.count("\n") + 1, len(text) - text.rfind("\n")
    spot = (int(at[1]), int(at[2])) if at else last
    why = re.sub(r" \(at .*\)$", "", str(error))
    try:
        tomlkit.parse(text)
    except (TOMLKitError, ValueError, RecursionError):
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
