"""The text of an old file: editors and shells left behind more than UTF-8."""

from __future__ import annotations

import codecs
import re

from torchconf.errors import ProjectError

__all__ = ["UNREADABLE", "decode"]

UNREADABLE = "\ufffd"
"""What stands in the place of bytes that are no character."""

# UTF-32 first: its mark begins with the one of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODING = re.compile(rb"^[ \t]*#.{0,200}?coding[:=][ \t]*([-\w.]+)", re.MULTILINE)
_SAMPLE = 2000
# Python has codecs that unpack archives, too; and some in which a letter is another one.
_TEXTUAL = re.compile(r"iso8859|cp\d|koi8|mac|gb|big5|euc|shift_jis")
_ASCII = bytes(range(32, 127))


def decode(path: str, content: bytes) -> str:
    """Return the text of an old file, its lines ended by a line feed each.

    A byte that is no character does no harm in a comment, so it is kept as `UNREADABLE`.

    Args:
        path: As the user knows the file; for the error.
        content: UTF-8, UTF-16 as `>` of an old PowerShell writes it, or what a coding comment says.

    Raises:
        ProjectError: It is no text.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            text = content.removeprefix(mark).decode(encoding, "replace")
            break
    else:
        text = content.decode(_guess(content), "replace")
    # Joined files can have a mark in the middle.
    text = text.replace("\ufeff", "").replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ProjectError(
            "not a text file: it contains a NUL byte",
            at=f"{path}, line {line}",
            help="pass the file as UTF-8 text",
        )
    return text


def _guess(content: bytes) -> str:
    """Return the encoding of what has no mark."""
    # In UTF-16 without a mark, every second byte of an ASCII text is 0.
    sample = content[:_SAMPLE]
    half = max(len(sample) // 2, 1)
    if sample.count(0) * 3 > half * 2:
        return "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
    first_lines = b"\n".join(content[:_SAMPLE].splitlines()[:2])
    if found := _CODING.search(first_lines):
        try:
            name = codecs.lookup(found[1].decode("ascii")).name
        except (LookupError, ValueError):
            return "utf-8"
        if _TEXTUAL.match(name) and _ASCII.decode(name, "replace") == _ASCII.decode("ascii"):
            return name
    return "utf-8"
