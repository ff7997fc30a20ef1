"""Changes in Markdown as GitHub renders them, whatever names a stranger has chosen."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from torchconf.catalog import Answer
from torchconf.errors.shown import shown
from torchconf.history.revisions import WORKING_TREE, Revision
from torchconf.layout.selection import Selection
from torchconf.report.changes import Compared, Comparison, changes_markdown, changes_text
from torchconf.resolve.table import Row
from torchconf.resolve.table_changes import table_changes

GITHUB = MarkdownIt("commonmark").enable("table")
"""CommonMark with HTML, and GitHub's tables."""

HOSTILE = (
    "plain", "a|b", "`", "a`|`b", "<script>alert(1)</script>", "<!--", "@somebody", "#1", "x\ny",
    "](javascript:x)", "![x](//example.org/x.png)", "| --- |", "\\|", "</code><b>", "$(id)",
    "${{ secrets.X }}", "::error::x", "\u202ex",
)  # fmt: skip


def comparison(text: str) -> Comparison:
    """Return changes in which everything that a repository can choose is one text."""
    row = Row(
        "torch", "linux-x86_64", Selection(extras=(text,), package=text), (), text, "cu130",
        Answer.YES, None, origin=f"https://example.org/{text}",
    )  # fmt: skip
    later = [
        row._replace(backend="cpu"),
        row._replace(platform="windows-x86_64", origin="https://example.net"),
        row._replace(platform="macos-arm64", backend=None, available=Answer.NO, reason=text),
    ]
    changes = table_changes([row._replace(platform=one.platform) for one in later], later)
    assert len(changes) == 3
    projects = (
        Compared(text, None, is_new=True, is_gone=False, changes=changes),
        Compared("pyproject.toml", text, is_new=False, is_gone=False, changes=changes[:1]),
    )
    return Comparison(Revision(text, "0" * 40), WORKING_TREE, projects, (text,), ())


def seen(token: Token) -> str:
    """Return what a reader sees; only our own tags may be in it, and only text beside them."""
    said = ""
    for part in token.children or []:
        if part.type == "html_inline":
            assert part.content in {"<code>", "</code>"}
        else:
            assert part.type in {"text", "text_special", "code_inline"}
            said += part.content
    return said


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_reader_sees_is_what_was_said(text: str) -> None:
    told = comparison(text)
    tokens = GITHUB.parse(changes_markdown(told))
    opened = [token.type for token in tokens if token.nesting == 1 and token.level == 0]
    assert opened == ["paragraph_open", *("paragraph_open", "table_open") * 2, "bullet_list_open"]
    words = [seen(token) for token in tokens if token.type == "inline"]
    text = shown(text)
    assert text in words[0]
    assert words[1] == f"{text} (new)"
    head = ["platforms", "command", "packages", "before", "after"]
    assert words[2:7] == head
    command = f"uv sync --package {text} --extra {text}"
    assert words[7:12] == ["linux", command, "torch", "cu130", "cpu"]
    cu130 = f"cu130 from https://example.org/{text}"
    assert words[12:17] == ["windows", command, "torch", cu130, "cu130 from https://example.net"]
    assert words[17:22] == ["macos", command, "torch", "cu130", "refused by uv"]
    assert words[22:28] == [f"pyproject.toml (was {text})", *head]
    # In a message, backticks are ours: what stands between two of them is code.
    assert [said.replace("`", "") for said in words[33:]] == [text.replace("`", "")] * 2


def test_the_text_says_the_same() -> None:
    lines = changes_text(comparison("x")).splitlines()
    moved = "cu130 from https://example.org/x -> cu130 from https://example.net"
    assert lines == [
        "x (new)",
        "  linux, uv sync --package x --extra x: cu130 -> cpu (torch)",
        f"  windows, uv sync --package x --extra x: {moved} (torch)",
        "  macos, uv sync --package x --extra x: cu130 -> refused by uv (torch)",
        "pyproject.toml (was x)",
        "  linux, uv sync --package x --extra x: cu130 -> cpu (torch)",
    ]


def test_no_changes_are_one_line() -> None:
    nothing = Comparison(Revision("main", "0" * 40), WORKING_TREE, (), (), ())
    assert changes_text(nothing) == ""
    tokens = GITHUB.parse(changes_markdown(nothing))
    assert [seen(token) for token in tokens if token.type == "inline"] == [
        "No build changes between main (000000000000) and the working tree."
    ]
