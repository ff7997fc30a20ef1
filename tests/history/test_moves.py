"""What has another place or another name, and what only looks like it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from torchconf.history.moves import moved, other_names


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({}, {}, {}),
        ({"a": "x"}, {"a": "x"}, {"a": "a"}),
        ({"a": "x"}, {"a": "y"}, {"a": "a"}),
        ({"a": "x"}, {}, {}),
        ({}, {"a": "x"}, {"a": None}),
        ({"a": "x"}, {"b": "x"}, {"b": "a"}),
        # A copy is new.
        ({"a": "x"}, {"a": "x", "b": "x"}, {"a": "a", "b": None}),
        # Nobody knows which of two it is.
        ({"a": "x", "b": "x"}, {"c": "x"}, {"c": None}),
        ({"a": "x"}, {"b": "x", "c": "x"}, {"b": None, "c": None}),
        # What has no name is the same only where it was.
        ({"a": None}, {"b": None}, {"b": None}),
        ({"a": None}, {"a": None}, {"a": "a"}),
    ],
)
def test_moved(
    before: Mapping[str, str | None],
    after: Mapping[str, str | None],
    found: Mapping[str, str | None],
) -> None:
    assert moved(before, after) == found


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"libs/a": "a"}, {"libs/a": "a"}, {}),
        ({"libs/a": "a"}, {"libs/a": "b"}, {"a": "b"}),
        # Another folder: its name tells that it is the same.
        ({"libs/a": "a"}, {"libs/b": "a"}, {}),
        # Two that have changed places.
        ({"libs/a": "a", "libs/b": "b"}, {"libs/a": "b", "libs/b": "a"}, {}),
        ({"libs/a": "a"}, {"libs/b": "b"}, {}),
    ],
)
def test_other_names(
    before: Mapping[str, str], after: Mapping[str, str], found: Mapping[str, str]
) -> None:
    assert other_names(before, after) == found
