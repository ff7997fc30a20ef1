"""Texts that an upgrade changes: specifiers at a new version, in the shape that they had."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from torchconf.model.requirements import next_minor, with_specifier, with_upper_bound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchconf.model.backends import Backend

__all__ = ["names_backend", "relabel", "rename_backend", "respecify"]

_PART = r"(===|==|~=|!=|<=|>=|<|>)\s*([^,;\s)]+)"
_MINOR = 2


def respecify(text: str, new: Version, upper: str | None, own: str | None = None) -> str:
    """Return a requirement that asks for another release.

    A pin stays a pin, a lower bound a lower bound. An upper bound moves along where it was next to
    the lower one, or where the new release is not below it.

    Args:
        text: The requirement as it is written; without a specifier it stays as it is.
        new: The release.
        upper: What it must stay below, where targets would part otherwise: `2.12`.
        own: The upper bound that torchconf would have written for the old release: it goes where
            the new one needs none.
    """
    head = text.partition(";")[0]
    parts = re.findall(_PART, head)
    if not parts:
        return text
    lower = next((value for operator, value in parts if operator in (">=", ">")), None)
    excluded = SpecifierSet(",".join(f"!={value}" for sign, value in parts if sign == "!="))
    found: list[str] = []
    for operator, value in parts:
        if operator == "!=":
            found.append(f"{operator}{value}")
        elif operator in ("<", "<="):
            if not (operator == "<" and value == own and lower is not None):
                found.append(_upper(operator, value, new, lower))
        else:
            sign = ">=" if operator == ">" else operator
            like = _like(value, new, operator)
            # `>=2.8,!=2.8.0` would mean another release than the one that is said.
            short = sign == ">=" and like not in excluded
            found.append(f"{sign}{new.public if short else like}")
    joint = ", " if ", " in head else ","
    text = with_specifier(text, joint.join(found))
    if upper is None:
        return text
    bounded = with_upper_bound(text, upper)
    return bounded if bounded == text else bounded.replace(f",<{upper}", f"{joint}<{upper}")


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


def _upper(operator: str, value: str, new: Version, lower: str | None) -> str:
    try:
        bound = Version(value)
        beside = lower is not None and operator == "<" and value == next_minor(Version(lower))
    except InvalidVersion:
        return f"{operator}{value}"
    inside = new < bound if operator == "<" else new <= bound
    if inside and not beside:
        return f"{operator}{value}"
    alone = operator == "<=" and lower is None
    return f"<={_like(value, new, '==')}" if alone else f"<{next_minor(new)}"


def relabel(text: str, backends: Mapping[str, Backend]) -> str:
    """Return a requirement whose local version names the new backend: `==2.13.0+cu132`."""
    for old, new in backends.items():
        text = re.sub(rf"[+]{re.escape(old)}(?![A-Za-z0-9.])", f"+{new.name}", text)
    return text


def rename_backend(text: str, old: str, new: str) -> str:
    """Return a name or a URL with the last mention of one backend replaced by another.

    Both spellings count: `rocm7.2` and `rocm7-2`.
    """
    found = [*re.finditer(names_backend(old), text, re.IGNORECASE)]
    if not found:
        return text
    last = found[-1]
    plain = "-" in last[0]
    return f"{text[: last.start()]}{new.replace('.', '-') if plain else new}{text[last.end() :]}"


def names_backend(name: str) -> str:
    """Return the regular expression of a backend's name, in either spelling, as a word."""
    parts = "[.-]".join(map(re.escape, name.split(".")))
    return rf"(?<![A-Za-z0-9]){parts}(?![A-Za-z0-9]|[.][0-9])"
