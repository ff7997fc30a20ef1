"""Notes and warnings on stderr, diffs on stdout."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torchconf.errors.shown import shown
from torchconf.report.colour import paint, wants_colour
from torchconf.report.streams import is_read_by_people, write_document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.report.colour import When

_DIFF_COLOURS = {"+": "32", "-": "31", "@": "36"}


def print_notes(lines: Iterable[str]) -> None:
    """Print what was chosen and why, on stderr, each on a line."""
    sys.stderr.writelines(f"{shown(line)}\n" for line in lines)


def print_warnings(lines: Iterable[str], color: When) -> None:
    """Print what could not be known, on stderr."""
    word = paint("warning", "33") if wants_colour(color, sys.stderr) else "warning"
    sys.stderr.writelines(f"{word}: {shown(line)}\n" for line in lines)


def print_diff(text: str, color: When) -> None:
    """Print a unified diff on stdout: byte by byte for another program, harmless for people.

    Secrets in it are hidden in any case.
    """
    if not is_read_by_people(sys.stdout) and not wants_colour(color, sys.stdout):
        write_document(text, hide=True)
        return
    coloured = wants_colour(color, sys.stdout)
    for line in text.replace("\ufeff", "").split("\n")[:-1]:
        code = _DIFF_COLOURS.get(line[:1]) if coloured else None
        body = line.removesuffix("\r")
        sys.stdout.write(f"{paint(body, code) if code else body}\n")
