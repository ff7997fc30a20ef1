"""The table of `show` in Markdown, as a reader that judges like GitHub understands it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.support.hostile import written
from tests.support.projects import Demo
from torchconf.errors.shown import shown
from torchconf.report.markdown import as_code, as_text, markdown_list, markdown_table

GITHUB = MarkdownIt("commonmark").enable("table")
"""CommonMark with HTML, and GitHub's tables."""

HOSTILE = [
    "a|b", "a\\|b", "a\\\\|b", "|", "\\", "`", "``a`b``", "` `", " a ", "a`|`b", "a\\",
    "<b>x</b>", "<script>alert(1)</script>", "<!--", "-->", "]]>", "&lt;b&gt;", "&#124;", "&amp",
    "[x](javascript:alert(1))", "![x](//example.org/x.png)", "[x]: /y", "**x**", "__x__", "~~x~~",
    "# x", "- x", "1. x", "> x", "---", "| --- |", "$x$", "@somebody", "#1", "x\ny", "x\r\n\r\n# y",
    "\x1b[31mx", "\u202ex", "x\u2028y", "\udcff", "</code><b>", "`</code>|<b>`",
]  # fmt: skip
OURS = {"<code>", "</code>"}


def cells(text: str) -> list[list[Token]]:
    """Return each cell's contents; there must be one table, and nothing else."""
    tokens = GITHUB.parse(text)
    assert tokens[0].type == "table_open"
    assert tokens[-1].type == "table_close"
    return [token.children or [] for token in tokens if token.type == "inline"]


def words(tokens: list[Token]) -> Iterator[str]:
    """Yield what a reader sees; only our own tags may be in it, and only signs beside it."""
    for token in tokens:
        if token.type == "html_inline":
            assert token.content in OURS
        else:
            assert token.type in {"text", "text_special", "code_inline"}
            yield token.content


def seen(tokens: list[Token]) -> str:
    return "".join(words(tokens))


def is_table_of(text: str, render: str, width: int) -> None:
    """Hold a table to what it should say: the text in every cell, and after it the next one."""
    table = markdown_table([render] * width, [[render] * width, ["end"] * width])
    found = [seen(cell) for cell in cells(table)]
    assert len(found) == 3 * width, table
    assert {one.strip() for one in found[: 2 * width]} == {shown(text).strip()}
    assert found[2 * width :] == ["end"] * width


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_says_what_it_is_told(text: str) -> None:
    is_table_of(text, as_code(text), 2)
    is_table_of(text, as_text(text), 2)
    assert all(token.type == "code_inline" or "<code>" in as_code(text)
               for token in cells(markdown_table([as_code(text)], []))[0])  # fmt: skip


@given(st.text(st.one_of(st.sampled_from("`|\\<>&;#* _[]()!\n-"), st.characters()), min_size=1))
def test_a_cell_says_whatever_it_is_told(text: str) -> None:
    if shown(text).strip():
        is_table_of(text, as_code(text), 1)
        is_table_of(text, as_text(text), 1)


@pytest.mark.parametrize("text", [*HOSTILE, *(f"is `{text}` so" for text in HOSTILE)])
def test_a_line_of_a_list_is_one_line(text: str) -> None:
    tokens = GITHUB.parse(markdown_list([text, "end"]))
    found = [token.children or [] for token in tokens if token.type == "inline"]
    assert [token.type for token in tokens if token.nesting == 1] == [
        "bullet_list_open", *("list_item_open", "paragraph_open") * 2,
    ]  # fmt: skip
    assert seen(found[0]).replace("`", "").strip() == shown(text).replace("`", "").strip()
    assert seen(found[1]) == "end"


def test_commands_and_builds_are_code(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "examples/machine")
    text = demo("show --format markdown").out
    table, _, notes = text.partition("\n\n")
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()]
    assert rows[0] == ["command", "package", "linux", "linux-aarch64", "windows", "macos"]
    assert rows[4] == [
        '`UV_NO_GROUP="cu126 cu130" uv sync`', "`torch`", *["`cpu`"] * 4,
    ]  # fmt: skip
    assert rows[3] == ["`uv sync`", "`torchvision`", *["error"] * 4]
    assert notes.startswith("- uv refuses this command where `UV_NO_GROUP` is not set: group `cpu`")


def test_the_table_is_that_of_the_terminal(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "examples/extras")
    plain = [re.split(r"\s{2,}", line) for line in demo("show").out.splitlines()]
    found = [seen(cell) for cell in cells(demo("show --format markdown").out)]
    assert found == [cell for line in plain for cell in line]


@pytest.mark.skipif(os.name == "nt", reason="file names there have no such signs")
@pytest.mark.parametrize("name", ["a|b`c<b>&lt;.py", "<!--\\|x.py", "**a**|.py"])
def test_the_name_of_a_script_is_text(name: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    (demo.folder / name).write_text("print()\n", encoding="utf-8")
    script = shlex.quote(name)
    assert demo(f"init --script {script} -t linux-cu130 -t macos-cpu").status == 0
    found = cells(demo(f"show --script {script} --format markdown").out)
    assert seen(found[6]) == f"uv run --script {script}"
    assert [seen(cell) for cell in found[8:]] == ["cu130", "cu130", "cpu", "cpu"]


@pytest.mark.parametrize("place", ["index name", "index URL", "index of a source", "version"])
@pytest.mark.parametrize("text", ["a|b`c<b>&lt;", "</code>\\|<script>"])
def test_what_a_file_says_is_text(place: str, text: str, tmp_path: Path) -> None:
    result = Demo(tmp_path, written(place, text))("show --format markdown")
    assert result.status == 0, result.err
    tokens = GITHUB.parse(result.out)
    assert "html_block" not in {token.type for token in tokens}
    assert "cu130" in "".join(seen(token.children or []) for token in tokens)


def test_without_torch_nothing_is_printed(tmp_path: Path) -> None:
    result = Demo.of(tmp_path, "bare")("show --format markdown")
    assert (result.status, result.out) == (0, "")
    assert "no PyTorch packages" in result.err
