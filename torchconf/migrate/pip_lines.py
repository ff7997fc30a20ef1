"""The lines of a requirements file: continued ones joined, comments beside them."""

from __future__ import annotations

import re

from torchconf.migrate.old import Place
from torchconf.model.named_tuple import NamedTuple

__all__ = ["Line", "split_lines", "without_comment"]

# One space is enough to find it: `\s+#` would look at a long run of spaces again and again.
_COMMENT = re.compile(r"(?:^|\s)#")


class Line(NamedTuple):
    """What pip takes as one line."""

    number: int
    """Of its first line in the file, counted from 1."""
    last: int
    """Of the last one that was joined to it; the same for a line that nothing continues."""
    text: str
    """Without comments; empty in a line that is only a comment."""
    comments: tuple[str, ...] = ()
    """Behind it and below it, up to the next line that is not a comment; without `#`."""

    def place(self, path: str) -> Place:
        """Return where the line stands in a file."""
        return Place(path, self.number, self.last if self.last > self.number else 0)


def without_comment(text: str) -> tuple[str, str | None]:
    """Return a line without its comment, and the comment without its `#`; None if there is none."""
    found = _COMMENT.search(text)
    if found is None:
        return text.strip(), None
    return text[: found.start()].strip(), text[found.end() :].rstrip()


def split_lines(text: str) -> tuple[Line, ...]:
    r"""Return the lines of a file as pip joins them.

    A line that ends in `\` goes on in the next one, except that a comment ends what it stands in.
    Blank lines are left out; what is only a comment belongs to the line above it, and is a line of
    its own where there is none, or a blank one.
    """
    lines: list[Line] = []
    parts: list[str] = []
    comments: list[str] = []
    first = last = 0  # The line that is being put together; 0: none is.
    continued = False
    # Not `splitlines`, which ends a line at a form feed, too: editors count line feeds.
    for number, raw in enumerate([*re.split(r"\r\n|\n|\r", text), ""], 1):
        content, comment = without_comment(raw)
        if first and not continued and (content or comment is None):
            lines.append(Line(first, last, "".join(parts).strip(), tuple(comments)))
            parts, comments, first = [], [], 0
        last = number if continued or not first else last
        continued = comment is None and content.endswith("\\")
        if content or comment is not None:
            first = first or number
            # What is in front of a backslash, spaces too, is joined without anything between.
            parts.append(raw.rstrip().rstrip("\\") if continued else content)
            comments += [] if comment is None else [comment]
    if first:
        lines.append(Line(first, last, "".join(parts).strip(), tuple(comments)))
    return tuple(lines)
