"""Places: an editor counts the units of an encoding, torchconf counts characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchconf.editor.lines import Encoding, Lines

TEXT = "a = 'é'\r\nname = \"🔥x\" # 🔥\nlast"


@pytest.mark.parametrize(
    ("encoding", "column"), [("utf-32", 9), ("utf-16", 10), ("utf-8", 12)], ids=str
)
def test_a_column_counts_the_units_of_the_encoding(encoding: Encoding, column: int) -> None:
    lines = Lines(TEXT, encoding)
    behind = TEXT.index("🔥") + 1

    assert lines.position(behind) == (1, column)
    assert lines.offset(1, column) == behind


@pytest.mark.parametrize(
    ("line", "column", "offset"),
    [
        (0, 99, TEXT.index("\r")),  # behind the end of a line: its end
        (9, 0, len(TEXT)),  # behind the last line: the end of the text
        (-1, 5, 0),
        (1, 9, TEXT.index("🔥")),  # in the middle of a character: before it
    ],
)
def test_a_place_that_is_not_there_is_the_nearest_one(line: int, column: int, offset: int) -> None:
    assert Lines(TEXT, "utf-16").offset(line, column) == offset


@pytest.mark.parametrize("sign", ["\f", "\x0b", "\x85", "\u2028"])
def test_what_only_python_takes_for_the_end_of_a_line_ends_none(sign: str) -> None:
    assert Lines(f"a{sign}b\nc").position(4) == (1, 0)


@given(
    st.text(st.sampled_from("ab\r\n\u2028é🔥🔥"), max_size=30), st.sampled_from(["utf-8", "utf-16"])
)
def test_every_offset_comes_back(text: str, encoding: Encoding) -> None:
    lines = Lines(text, encoding)
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] != "\r\n":  # no place is between these two
            assert lines.offset(*lines.position(offset)) == offset
