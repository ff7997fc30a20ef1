"""The parts of a message: what stands between backticks is code."""

from __future__ import annotations


def code_spans(line: str) -> list[tuple[str, bool]]:
    """Return the parts of a line, each with whether it is code.

    A backtick without a second one is a sign like any other.
    """
    parts = line.split("`")
    if len(parts) % 2 == 0:
        return [(line, False)]
    return [(part, number % 2 == 1) for number, part in enumerate(parts) if part]
