"""What became of the lines of old files: as text for people, as data for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from torchconf.migrate.account import Account

__all__ = ["accounts_data", "accounts_text", "unclear_lines"]

_MANY = 3
"""Lines with one fate that are listed one by one."""
_WIDEST = 100


def accounts_data(accounts: Iterable[Account]) -> list[dict[str, Any]]:
    """Return the accounts as JSON data."""
    return [
        {
            "file": one.at.file,
            "line": one.at.line,
            "text": one.text,
            "outcome": one.outcome,
            "into": one.into,
            "why": one.why,
        }
        for one in accounts
    ]


def accounts_text(accounts: Sequence[Account]) -> Iterator[str]:
    """Yield the accounts as lines, file by file; many lines with one fate share one."""
    for file in dict.fromkeys(one.at.file for one in accounts):
        yield f"{file}:"
        own = [one for one in accounts if one.at.file == file]
        fates: dict[str, list[Account]] = {}
        for one in own:
            if one.outcome == "left out":
                fates.setdefault(one.why, []).append(one)
        for one in own:
            same = fates.get(one.why, []) if one.outcome == "left out" else []
            if len(same) <= _MANY:
                yield _alone(one)
            elif same[0] is one:
                yield from _together(same)


def unclear_lines(accounts: Iterable[Account]) -> list[str]:
    """Return the lines that nobody understands, each with its place and the reason."""
    return [
        f"{one.at.file}:{one.at.line}: {_short(one.text)}: {one.why}"
        for one in accounts
        if one.outcome == "unclear"
    ]


def _alone(one: Account) -> str:
    start = f"  line {one.at.line}: {_short(one.text)}"
    why = f" ({one.why})" if one.why else ""
    if one.outcome == "left out":
        return f"{start}: left out: {one.why}"
    if one.outcome == "unclear":
        return f"{start}: not migrated: {one.why}"
    return f"{start} -> {one.into}{why}" if one.into else f"{start}: read{why}"


def _together(same: Sequence[Account]) -> Iterator[str]:
    numbers = _ranges([one.at.line for one in same])
    yield f"  lines {numbers}: left out: {same[0].why}:"
    row = "   "
    for name in (_short(one.text, 40) for one in same):
        if len(row) + len(name) > _WIDEST:
            yield row
            row = "   "
        row += f" {name},"
    yield row.rstrip(",")


def _ranges(numbers: Sequence[int]) -> str:
    """Return numbers in few words: `3-9, 12`."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return ", ".join(f"{r[0]}-{r[-1]}" if len(r) > 1 else str(r[0]) for r in found)


def _short(text: str, width: int = 70) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width - 3]}..."
