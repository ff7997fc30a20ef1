"""Notes and warnings on stderr, diffs on stdout."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torchconf.report.colour import paint, wants_colour

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.report.colour import When

_DIFF_COLOURS = {"+": "32", "-": "31", "@": "36"}


def print_notes(lines: Iterable[str]) -> None:
    """Print what was chosen and why, on stderr."""
    sys.stderr.writelines(f"{line}\n" for line in lines)


def print_warnings(lines: Iterable[str], color: When) -> None:
    """Print what could not be known, on stderr."""
    word = paint("warning", "33") if wants_colour(color, sys.stderr) else "warning"
    sys.stderr.writelines(f"{word}: {line}\n" for line in lines)


def print_diff(text: str, color: When) -> None:
    """Print a unified diff on stdout."""
    if not wants_colour(color, sys.stdout):
        sys.stdout.write(text)
        return
    for line in text.splitlines(keepends=True):
        code = _DIFF_COLOURS.get(line[:1])
        body = line.rstrip("\r\n")
        sys.stdout.write(f"{paint(body, code)}{line[len(body) :]}" if code else line)
