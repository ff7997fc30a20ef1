"""Markers about extras: which part of a project they mean, and what is left of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker

from torchconf.migrate.extra_markers import NoMarker, join_markers, split_extras

LINUX = "sys_platform == 'linux'"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("sys_platform == 'linux'", [("", LINUX)]),
        ("extra != 'cuda'", [("", "")]),
        ("extra == 'cuda'", [("cuda", "")]),
        ("'cuda' == extra", [("cuda", "")]),
        ("extra == 'cpu' and extra != 'cuda'", [("cpu", "")]),
        ("extra == 'cuda' and sys_platform == 'linux'", [("cuda", LINUX)]),
        (
            "sys_platform == 'linux' and (extra == 'a' or extra == 'b')",
            [("a", LINUX), ("b", LINUX)],
        ),
        ("sys_platform == 'linux' or extra == 'a'", [("", LINUX), ("a", "")]),
        ("sys_platform == 'linux' and extra != 'a'", [("", LINUX)]),
        ("extra == 'a' and extra == 'b'", []),
    ],
)
def test_a_marker_belongs_to(text: str, parts: list[tuple[str, str]]) -> None:
    assert [*split_extras(text)] == parts


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("linux", "`linux` is not a marker"),
        ("", "`` is not a marker"),
        ("extra in 'a, b'", "`extra in 'a, b'` cannot be said in uv's terms"),
        ("(" * 3000, "the marker is too long"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(NoMarker) as raised:
        split_extras(text)
    assert str(raised.value) == why


def test_markers_are_joined_with_brackets_where_they_need_them() -> None:
    assert join_markers("", LINUX, LINUX) == LINUX
    assert join_markers("a == 'b' or c == 'd'", LINUX) == f"(a == 'b' or c == 'd') and {LINUX}"


ATOM = st.sampled_from(
    ["sys_platform == 'linux'", "python_version >= '3.9'"]
    + [f"extra {sign} '{name}'" for sign in ("==", "!=") for name in "ab"]
)
MARKER = st.recursive(
    ATOM,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
    max_leaves=6,
)


@given(MARKER)
def test_the_parts_hold_where_the_marker_holds(text: str) -> None:
    parts = dict(split_extras(text))
    for platform in ("linux", "win32"):
        for python in ("3.8", "3.10"):
            here = {"sys_platform": platform, "python_version": python}

            def holds(extra: str, here: dict[str, str] = here) -> bool:
                if extra not in parts:
                    return False
                return not parts[extra] or Marker(parts[extra]).evaluate(here)

            plain = Marker(text).evaluate({**here, "extra": ""})
            assert holds("") == plain
            for extra in "ab":
                chosen = Marker(text).evaluate({**here, "extra": extra})
                # What the project itself requires, no extra takes away.
                assert (holds("") or holds(extra)) == (plain or chosen)
