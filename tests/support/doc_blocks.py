"""The code blocks of the site's pages: what each is, and what checks it.

A comment on the line above a block says more than its language does:

    <!-- file: pyproject.toml -->      the block is this file of the demo project
    <!-- part of: pyproject.toml -->   the block stands in this file
    <!-- wrong: TC405 -->              a pyproject.toml of which `check` says just that
    <!-- new folder -->                what follows is a project of its own
    <!-- machine: nvidia-blackwell --> commands run on this machine of tests/machines
    <!-- example -->                   from another place; only its form is checked
    <!-- shown by: test_module -->     a test of its own checks the block
    <!-- written by: module -->        a program of its own writes it, and its test compares

Several are separated by semicolons. Blocks of `console` are commands, each after `$ `, with what
they print: they run one after the other, and `...` stands for lines that are left out. Commands of
`sh` are read as torchconf and uv read them, and do not run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import PAGES, README, ROOT

FENCE = re.compile(
    r"(?:^[ ]*<!-- (?P<notes>[^\n]*) -->\n)?"
    r"^(?P<indent>[ ]*)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
LEFT_OUT = "...\n"
KINDS = {"file", "part of", "wrong", "new folder", "machine", "example", "shown by", "written by"}


class Block(NamedTuple):
    """One fenced block."""

    language: str
    text: str
    notes: dict[str, str]
    span: tuple[int, int]
    """Where its text stands in the page."""
    indent: str

    @property
    def commands(self) -> list[str]:
        """The commands of a block of `sh`, continued lines joined."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line for line in map(str.strip, lines) if line and not line.startswith("#")]

    @property
    def runs(self) -> Iterator[tuple[str, str]]:
        """The commands of a block of `console`, each with what it prints."""
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            yield command, printed


def pages() -> list[Path]:
    """Return the pages that are written by hand, the README among them."""
    return [README, *sorted(PAGES.rglob("*.md"))]


def page_name(page: Path) -> str:
    """Return what a page is called: `howto/ci`, `README`."""
    return page.relative_to(ROOT if page == README else PAGES).with_suffix("").as_posix()


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    return [
        Block(
            found["language"],
            re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE),
            _notes(found["notes"] or ""),
            found.span("text"),
            found["indent"],
        )
        for found in FENCE.finditer(text)
    ]


def _notes(words: str) -> dict[str, str]:
    pairs = (word.partition(":") for word in words.split(";"))
    notes = {kind.strip(): about.strip() for kind, _, about in pairs}
    return {kind: about for kind, about in notes.items() if kind in KINDS}


def sessions(text: str) -> Iterator[list[Block]]:
    """Yield the blocks of a page that belong to one folder."""
    session: list[Block] = []
    for block in blocks(text):
        if "new folder" in block.notes and session:
            yield session
            session = []
        session.append(block)
    if session:
        yield session


def agrees(printed: str, expected: str) -> bool:
    """Tell whether an output is the expected one; `...` stands for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == LEFT_OUT else re.escape(line)
        for line in expected.splitlines(keepends=True)
    )
    return re.fullmatch(pattern, printed) is not None
