"""What goes out: texts through a guard, documents as the bytes that they are.

`main` puts a guard before stdout and stderr. Whoever prints a value from outside makes it one
harmless line first (`shown`); the guard is there for what comes by another way, such as the words
of argparse and rich, and for secrets in the lines of files.
"""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager

from torchconf.errors.shown import MARK, defused, harmless, hide_secrets, is_clean

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, TextIO

__all__ = ["TAB", "guarded", "is_read_by_people", "unguarded", "write_commands", "write_document"]

TAB = "    "
"""What a tab is shown as: what stands below it does so wherever the terminal stops."""
_CODE = "(?:[0-4]|2[2-4]|3[0-79]|9[0-7])"
_COLOUR = rf"(\x1b\[(?:{_CODE}(?:;{_CODE})*)?m)"
"""What torchconf and rich colour texts with: nothing that hides them."""


class Guard:
    """A stream that shows control characters, bidirectional overrides and the like written out.

    No line begins with `::`, and none holds a secret. Otherwise it is the stream that it guards.
    """

    def __init__(self, stream: TextIO) -> None:
        """Guard a stream."""
        self.stream = stream
        self.hid = False
        """Whether a secret was taken out of what was written."""
        self._is_start = True

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        """Be the stream in everything else."""
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write a text, made harmless."""
        hidden = hide_secrets(text)
        self.hid = self.hid or hidden != text
        first, *others = hidden.split("\n")
        lines = [_line(first, is_start=self._is_start), *(_line(o, is_start=True) for o in others)]
        self.stream.write("\n".join(lines))
        self._is_start = not lines[-1].strip() and (self._is_start or len(lines) > 1)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts, made harmless."""
        for line in lines:
            self.write(line)


def _line(line: str, *, is_start: bool) -> str:
    # A runner does not mind spaces before its commands.
    if is_start and line.lstrip().startswith("::"):
        line = line.replace("::", r"\x3a:", 1)
    if is_clean(line):
        return line
    parts = re.split(_COLOUR, defused(line.replace("\t", TAB)))
    return "".join(part if number % 2 else harmless(part) for number, part in enumerate(parts))


@contextmanager
def guarded() -> Iterator[None]:
    """Guard stdout and stderr; say at the end if a secret was hidden."""
    before = sys.stdout, sys.stderr
    guards = [Guard(stream) for stream in before if stream is not None]
    for guard in guards:
        if guard.stream is sys.stdout:
            sys.stdout = guard
        elif guard.stream is sys.stderr:
            sys.stderr = guard
    try:
        yield
        if any(guard.hid for guard in guards) and sys.stderr is not None:
            sys.stderr.write(f"note: secrets in URLs are shown as `{MARK}`; files keep them\n")
    finally:
        sys.stdout, sys.stderr = before


def unguarded(stream: TextIO) -> TextIO:
    """Return the stream itself: for a library that moves the cursor, and for what is safe."""
    return stream.stream if isinstance(stream, Guard) else stream


def is_read_by_people(stream: TextIO) -> bool:
    """Tell whether what goes to stdout is read where it appears: at a terminal, in a CI log."""
    import os

    return stream.isatty() or os.environ.get("GITHUB_ACTIONS") == "true"


def write_document(text: str, *, hide: bool = False) -> None:
    """Write a document to stdout as it is: in UTF-8, with its own line endings.

    At a terminal it is a text like any other, and made harmless.

    Args:
        text: The document.
        hide: Whether it is shown rather than used, so that no secret may be in it.
    """
    if sys.stdout.isatty():
        sys.stdout.write(text.replace("\r\n", "\n"))
        return
    stream = unguarded(sys.stdout)
    if hide:
        hidden = hide_secrets(text)
        if isinstance(sys.stdout, Guard):
            sys.stdout.hid = sys.stdout.hid or hidden != text
        text = hidden
    stream.flush()
    if hasattr(stream, "buffer"):
        stream.buffer.write(text.encode("utf-8", "backslashreplace"))
        stream.buffer.flush()
    else:
        stream.write(text)


def write_commands(lines: Iterable[str]) -> None:
    """Write our own commands to GitHub's runner; what they hold is escaped already."""
    unguarded(sys.stdout).writelines(lines)
