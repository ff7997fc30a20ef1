"""The table of `show` at a terminal: builds are told apart with colours and without."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import Demo
from torchconf.catalog import Answer
from torchconf.layout.selection import Selection
from torchconf.report.builds import print_builds
from torchconf.report.colour import When
from torchconf.resolve.table import Row

COLOUR = re.compile(r"\x1b\[([\d;]*)m")


class Terminal(io.StringIO):
    """A stream that says that it is a terminal, with an encoding."""

    def __init__(self, encoding: str | None = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a StringIO has none
        return self._encoding or ""

    def isatty(self) -> bool:
        return True


def row(build: str | None, platform: str, extra: str, **more: Any) -> Row:
    selection = Selection(extras=(extra,))
    usual = Row("torch", platform, selection, (), None, build, Answer.YES, None)
    return usual._replace(**more)


ROWS = [
    *(
        row(build, platform, extra)
        for extra, build in (("a", "cpu"), ("b", "cu130"), ("c", "rocm7.2"), ("d", "pypi"))
        for platform in ("linux-x86_64", "linux-aarch64")
    ),
    row("cu130", "linux-x86_64", "e", available=Answer.NO),
    row("cu130", "linux-aarch64", "e", available=Answer.UNKNOWN),
    row("cu130", "linux-x86_64", "f", provisional=True, reason="why"),
    row(None, "linux-aarch64", "f"),
]


def printed(
    patch: pytest.MonkeyPatch, *, color: When, encoding: str = "utf-8", columns: int = 80
) -> str:
    """Return what a terminal of some width is sent."""
    stream = Terminal(encoding)
    patch.setenv("COLUMNS", str(columns))
    patch.setenv("TERM", "xterm-256color")
    patch.setattr("sys.stdout", stream)
    print_builds(ROWS, color)
    return stream.getvalue()


def test_without_colours_each_build_has_its_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(monkeypatch, color="never")
    assert not COLOUR.sub("", text).isascii()
    lines = [[cell.strip() for cell in re.split(r"\s{2,}", line.rstrip())] for line in
             COLOUR.sub("", text).splitlines()]  # fmt: skip
    assert [line[-2:] for line in lines[2:]] == [
        ["○ cpu", "○ cpu"],
        ["▲ cu130", "▲ cu130"],
        ["■ rocm7.2", "■ rocm7.2"],
        ["◇ pypi", "◇ pypi"],
        ["\N{MULTIPLICATION SIGN} cu130: no wheel", "▲ cu130 ?"],
        ["▲ cu130?", "-"],
    ]
    assert {"31", "32", "33"}.isdisjoint(";".join(COLOUR.findall(text)).split(";"))


def test_with_colours_the_state_counts_for_more_than_the_build(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = printed(monkeypatch, color="always")
    found = dict(re.findall(r"\x1b\[([\d;]+)m(\S+ [^\x1b]*?)\s*\x1b", text))
    assert found["32"] == "▲ cu130"
    assert found["35"] == "■ rocm7.2"
    assert found["36"] == "◇ pypi"
    assert found["1;31"] == "\N{MULTIPLICATION SIGN} cu130: no wheel"
    assert found["33"] == "▲ cu130?"


def test_a_terminal_that_has_no_signs_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(monkeypatch, color="always", encoding="ascii").isascii()


@pytest.mark.parametrize(("columns", "gap"), [(80, 2), (54, 1)])
def test_columns_move_closer_in_a_narrow_terminal(
    columns: int, gap: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = COLOUR.sub("", printed(monkeypatch, color="never", columns=columns)).splitlines()
    assert max(map(len, lines)) <= columns
    assert f"uv sync --extra a{' ' * gap}torch{' ' * (gap + 2)}○ cpu" in lines[2]


def test_a_pipe_gets_the_words_alone(tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "examples/machine")
    assert demo("show").out.isascii()
    assert "▲ cu126" in demo("show --color always").out
