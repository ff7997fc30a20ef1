"""From a place in a TOML text to the path of what stands there, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.projects import EXAMPLES
from torchconf.edits.lookup import path_at
from torchconf.edits.positions import Locator

TEXT = """\
# a comment
[project] # another
dependencies = ["torch", "numpy"] # behind

[tool.uv]
sources.torch = [
    { index = "a", marker = "m" }, # first
    { index = "b" },
]
[[tool.uv.index]]
name = "a"
[[tool.uv.index]]
name = "b"
"""


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("a comment", ()),
        ("project]", ("project",)),
        ("another", ("project",)),
        ("dependencies", ("project", "dependencies")),
        ("numpy", ("project", "dependencies", 1)),
        ("behind", ("project", "dependencies")),
        ("\n[tool.uv]\n", ()),
        ("sources.torch", ("tool", "uv", "sources", "torch")),
        ("marker", ("tool", "uv", "sources", "torch", 0, "marker")),
        ('"m"', ("tool", "uv", "sources", "torch", 0, "marker")),
        ("first", ("tool", "uv", "sources", "torch")),
        ('"b" }', ("tool", "uv", "sources", "torch", 1, "index")),
        ('name = "b"', ("tool", "uv", "index", 1, "name")),
    ],
)
def test_a_place_leads_to_its_path(words: str, path: tuple[str | int, ...]) -> None:
    assert path_at(TEXT, TEXT.index(words)) == path


@pytest.mark.parametrize(
    "path", [EXAMPLES / "extras.toml", EXAMPLES / "groups.toml"], ids=lambda path: path.stem
)
def test_where_a_path_begins_it_is_found_again(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    locator = Locator(text)
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    for offset in range(0, len(text), 3):
        found = path_at(text, offset)
        if found:
            span = locator.span(found)
            assert path_at(text, starts[span.line - 1] + span.column - 1)[: len(found)] == found
