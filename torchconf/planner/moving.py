"""Texts that an upgrade changes: specifiers at a new version, in the shape that they had."""

from __future__ import annotations

import re

from packaging.version import InvalidVersion, Version

from torchconf.requirements import next_minor, with_specifier

__all__ = ["moved", "renamed_backend"]

_PART = r"(===|==|~=|!=|<=|>=|<|>)\s*([^,;\s)]+)"
_MINOR = 2


def moved(text: str, new: Version, upper: str | None) -> str:
    """Return a requirement that asks for another release.

    A pin stays a pin, a lower bound a lower bound. An upper bound moves along where it was next to
    the lower one, or where the new release is not below it.

    Args:
        text: The requirement as it is written; without a specifier it stays as it is.
        new: The release.
        upper: What it must stay below, where targets would part otherwise: `2.12`.
    """
    head = text.partition(";")[0]
    parts = re.findall(_PART, head)
    if not parts:
        return text
    lower = next((value for operator, value in parts if operator in (">=", ">")), None)
    found: list[str] = []
    exact = False
    for operator, value in parts:
        if operator == "!=":
            found.append(f"{operator}{value}")
        elif operator in ("<", "<="):
            found.append(_upper(operator, value, new, upper, lower))
        else:
            exact = exact or operator in ("==", "===")
            sign = ">=" if operator == ">" else operator
            found.append(f"{sign}{_like(value, new, operator)}")
    if upper is not None and not exact and not any(p.startswith("<") for p in found):
        found.append(f"<{upper}")
    joint = ", " if ", " in head else ","
    return with_specifier(text, joint.join(found))


def _like(value: str, new: Version, operator: str) -> str:
    """Write a version with as many numbers as another one, if they say it all; keep its label."""
    public, plus, label = value.partition("+")
    star = public.endswith(".*")
    count = len(public.removesuffix(".*").split("."))
    numbers = [str(number) for number in (*new.release, 0, 0)[:3]]
    if star or operator in ("~=", ">=", ">"):
        text = ".".join(numbers[: max(count, _MINOR)])
    else:
        text = ".".join(numbers[:_MINOR] if count == _MINOR and numbers[2] == "0" else numbers)
    return f"{text}{'.*' if star else ''}{plus}{label}"


def _upper(operator: str, value: str, new: Version, upper: str | None, lower: str | None) -> str:
    if upper is not None:
        return f"<{upper}"
    try:
        bound = Version(value)
        beside = lower is not None and operator == "<" and value == next_minor(Version(lower))
    except InvalidVersion:
        return f"{operator}{value}"
    inside = new < bound if operator == "<" else new <= bound
    return f"{operator}{value}" if inside and not beside else f"<{next_minor(new)}"


def renamed_backend(text: str, old: str, new: str) -> str:
    """Return a name or a URL with the last mention of one backend replaced by another.

    Both spellings count: `rocm7.2` and `rocm7-2`.
    """
    for before, after in ((old, new), (old.replace(".", "-"), new.replace(".", "-"))):
        pattern = rf"(?<![a-zA-Z0-9]){re.escape(before)}(?![0-9])"
        places = list(re.finditer(pattern, text, re.IGNORECASE))
        if places:
            return text[: places[-1].start()] + after + text[places[-1].end() :]
    return text
