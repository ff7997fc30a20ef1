"""TOML paths: one line that TOML itself reads back, whatever the keys are."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from torchconf.errors import ProjectError
from torchconf.model.read_project import read_project
from torchconf.model.toml_path import Path, render_path

PATHS = st.lists(st.one_of(st.text(), st.integers(min_value=0)), max_size=6).map(tuple)


@given(PATHS)
def test_a_rendered_path_is_one_line_that_can_be_printed(path: Path) -> None:
    assert render_path(path).isprintable()


@given(st.lists(st.text(), min_size=1, max_size=4))
@example(['a"b', "a\\b", "a\\", "", "x.y", "[0]", "\n", "\x85", "\U000e0001", "u0041", "\\u0041"])
def test_keys_are_spelled_as_toml_spells_them(keys: list[str]) -> None:
    value: object = True
    for key in reversed(keys):
        value = {key: value}
    assert tomllib.loads(f"{render_path(tuple(keys))} = true") == value


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("tool", "uv", "sources", "torch", 1, "index"), "tool.uv.sources.torch[1].index"),
        (("dependency-groups", "cu13.0", 0), 'dependency-groups."cu13.0"[0]'),
        (("", "é", 'a"b'), '""."é"."a\\"b"'),
        (("a\nb", "a\\b"), '"a\\u000Ab"."a\\\\b"'),
    ],
)
def test_paths_read_like_toml(path: Path, text: str) -> None:
    assert render_path(path) == text


def test_the_place_of_a_malformed_value_leads_back_to_it() -> None:
    key = 'cu13.0 "old"'
    problems: list[ProjectError] = []
    read_project({"dependency-groups": {key: [1]}}, problems=problems)
    assert {problem.path for problem in problems} == {("dependency-groups", key)}
