"""Tables in Markdown as GitHub reads it: what a cell says is text, whatever signs are in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors.shown import shown
from torchconf.report.code_spans import code_spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["as_code", "as_message", "as_text", "markdown_list", "markdown_table"]


def as_code(text: str) -> str:
    """Return a text from outside as code: commands, and names that a file gives.

    In code GitHub makes no links, no mentions and no numbers of issues.
    """
    text = shown(text)
    if not text.strip():
        return as_text(text)
    # A code span ends at a backtick, and readers of tables differ about a `\` before a `|`.
    if any(sign in text for sign in "`|\\") or text != text.strip():
        return f"<code>{_written_out(text)}</code>"
    return f"`{text}`"


def as_text(text: str) -> str:
    """Return words of our own as text: for names that others gave, take `as_code`."""
    return _written_out(shown(text))


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table.

    Args:
        head: The titles, as Markdown.
        rows: The cells, as Markdown: see `as_code` and `as_text`.
    """
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def markdown_list(lines: Iterable[str]) -> str:
    """Return messages as a list, a line each; what stands between backticks is code."""
    return "".join(f"- {as_message(line)}\n" for line in lines)


def as_message(line: str) -> str:
    """Return a message: its parts between backticks as code, the others as text."""
    parts = [as_code(part) if is_code else as_text(part) for part, is_code in code_spans(line)]
    text = "".join(parts)
    if text[:1].isalpha() or text.startswith(("`", "&", "<")):
        return text
    # What could be a list, a title or a line of its own.
    return f"&#{ord(text[0])};{text[1:]}" if text else text


def _written_out(text: str) -> str:
    """Return a text in which every sign that Markdown or HTML could take for its own is a number.

    Such a reference is a plain sign wherever it stands, in a table too.
    """
    plain = " -.,:;()?+='"
    return "".join(sign if sign.isalnum() or sign in plain else f"&#{ord(sign)};" for sign in text)
