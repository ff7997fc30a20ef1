"""Large sets of cases: a few are in every run, the others are marked slow."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


def few(values: Iterable[T], kept: Callable[[T], bool]) -> list[Any]:
    """Return parameters for all values; those that are not kept are marked slow."""
    return [
        value if kept(value) else pytest.param(value, marks=pytest.mark.slow) for value in values
    ]


def one_each(values: Iterable[T], kind: Callable[[T], Hashable]) -> list[Any]:
    """Return parameters for all values; the first of each kind is not marked slow."""
    seen: set[Hashable] = set()

    def is_first(value: T) -> bool:
        number = len(seen)
        seen.add(kind(value))
        return len(seen) > number

    return few(values, is_first)


def every(values: Iterable[T], step: int) -> list[Any]:
    """Return parameters for all values; one in `step` is not marked slow."""
    numbered = list(values)
    kept = {id(value) for value in numbered[::step]}
    return few(numbered, lambda value: id(value) in kept)
