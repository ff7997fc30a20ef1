"""Where a cursor stands in a text that is being typed. `|` is the cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchconf.editor.cursor import read_cursor

ROWS = [
    # (text, kind, keys, quote, word, the whole word)
    ("|", "key", (), "", "", ""),
    ("[tool.uv]\nso|", "key", ("tool", "uv"), "", "so", "so"),
    ("[tool.u|v]", "key", ("tool",), "", "u", "uv"),
    (
        '[[tool.uv.index]]\nurl = "htt|p"',
        "value",
        ("tool", "uv", "index", "url"),
        '"',
        "htt",
        "http",
    ),
    ("[[tool.uv.index]]\nname = |", "value", ("tool", "uv", "index", "name"), "", "", ""),
    ("[tool.uv]\nindex = [{ name = '|' }]", "value", ("tool", "uv", "index", "name"), "'", "", ""),
    ("tool.uv.sources.torch = { | }", "key", ("tool", "uv", "sources", "torch"), "", "", ""),
    (
        '[tool.uv.sources]\ntorch = [\n  { index = "a" },\n  { extra = "b|',
        "value",
        ("tool", "uv", "sources", "torch", "extra"),
        '"',
        "b",
        "b",
    ),
    # A comma and a closed brace begin anew.
    (
        '[tool.uv.sources]\ntorch = { index = "a", ma| }',
        "key",
        ("tool", "uv", "sources", "torch"),
        "",
        "ma",
        "ma",
    ),
    (
        '[tool.uv]\nconflicts = [[{ extra = "a" }, { extra = "|" }]]',
        "value",
        ("tool", "uv", "conflicts", "extra"),
        '"',
        "",
        "",
    ),
    ("[tool.uv]\na = [[1], [2]]\nde|", "key", ("tool", "uv"), "", "de", "de"),
    # What is not closed ends with its line, or with the next header.
    ('[a]\nb = "c\n[d]\ne = "f|', "value", ("d", "e"), '"', "f", "f"),
    ("[a]\nb = [\n[tool.uv]\nc|", "key", ("tool", "uv"), "", "c", "c"),
    # What looks like a header in a string is none, nor is an entry of an array.
    ('[a]\nb = """\nx = |\n"""', "value", ("a", "b"), '"""', "\nx = ", "\nx = \n"),
    ('[a]\nb = [\n["x"],\n["|"]]', "value", ("a", "b"), '"', "", ""),
    ("a = 1 # torchconf: ignore[TC4|]", "comment", (), "", "TC4", "TC4"),
    ('"quoted key".b = "|"', "value", ("quoted key", "b"), '"', "", ""),
]


@pytest.mark.parametrize(("marked", "kind", "keys", "quote", "word", "whole"), ROWS)
def test_the_word_at_the_cursor(
    marked: str, kind: str, keys: tuple[str, ...], quote: str, word: str, whole: str
) -> None:
    offset = marked.index("|")
    text = marked.replace("|", "")

    cursor, _, _ = read_cursor(text, offset)

    assert (cursor.kind, cursor.keys, cursor.quote, cursor.word) == (kind, keys, quote, word)
    assert text[cursor.start : cursor.end] == whole


def test_a_broken_text_still_names_what_it_names() -> None:
    text = '[dependency-groups]\ncpu = ["torch"]\ngpu = [\n[[tool.uv.index]]\nname = "a"\nurl = "h'
    _, said, known = read_cursor(text, 0)

    assert [(one.keys, one.value) for one in said] == [
        (("dependency-groups", "cpu"), "torch"),
        (("tool", "uv", "index", "name"), "a"),
        (("tool", "uv", "index", "url"), "h"),
    ]
    assert ("dependency-groups", "gpu") in known


@given(st.text(st.sampled_from("ab.=,[]{}\"'#\n \\"), max_size=40), st.integers(0, 40))
def test_any_text_has_a_cursor_within_it(text: str, offset: int) -> None:
    offset = min(offset, len(text))
    cursor, _, _ = read_cursor(text, offset)

    assert 0 <= cursor.start <= offset <= cursor.end <= len(text)
    assert text[cursor.start : offset] == cursor.word
