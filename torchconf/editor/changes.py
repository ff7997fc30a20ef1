"""The difference between two texts, as the edits that an editor makes."""

from __future__ import annotations

from torchconf.model.named_tuple import NamedTuple

__all__ = ["Replacement", "replacements"]


class Replacement(NamedTuple):
    """A stretch of the old text, and what stands there in the new one."""

    start: int
    end: int
    text: str


def replacements(old: str, new: str) -> tuple[Replacement, ...]:
    """Return what turns one text into another, by whole lines, in the order of the old text."""
    # Imported here: few requests change anything.
    from difflib import SequenceMatcher

    before, after = _lines(old), _lines(new)
    first = 0
    most = min(len(before), len(after))
    while first < most and before[first] == after[first]:
        first += 1
    last = 0
    while last < most - first and before[-1 - last] == after[-1 - last]:
        last += 1
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    middle = before[first : len(before) - last], after[first : len(after) - last]
    codes = SequenceMatcher(None, *middle, autojunk=False).get_opcodes()
    return tuple(
        Replacement(starts[first + a], starts[first + b], "".join(middle[1][c:d]))
        for kind, a, b, c, d in codes
        if kind != "equal"
    )


def _lines(text: str) -> list[str]:
    *lines, rest = text.split("\n")
    return [*(f"{line}\n" for line in lines), *([rest] if rest else [])]
