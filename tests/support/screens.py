"""The wizard and `show` at a terminal, from real runs: text and pictures for the site.

`python -m tests.support.screens` writes them.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.support.paths import PAGES
from tests.support.projects import run_in
from tests.support.terminal import Screen, Terminal

PICTURES = PAGES / "assets"
PAGE = PAGES / "howto/new-project.md"
"""The page that shows the wizard as text."""
SCREEN = re.compile(r"(<!-- wizard; [^\n]*-->\n).*?(<!-- end -->)", re.DOTALL)
MACHINE = "Linux x86_64, glibc 2.39, NVIDIA GeForce RTX 4090"
FITS = {"cu132": "driver 580.95.05, Ada", "cu130": "driver 580.95.05, Ada"}
TARGETS = "-t linux-cuda -t linux-cpu -t windows-cuda -t macos-cpu"
COLUMNS = 96

THEME = TerminalTheme(
    (24, 26, 31),
    (222, 226, 233),
    [
        (24, 26, 31), (255, 121, 113), (129, 210, 124), (233, 196, 106),
        (122, 184, 255), (223, 156, 255), (94, 217, 217), (222, 226, 233),
    ],
    [
        (150, 156, 168), (255, 150, 143), (158, 228, 153), (245, 214, 140),
        (156, 203, 255), (235, 184, 255), (138, 232, 232), (255, 255, 255),
    ],
)  # fmt: skip
"""Colours with enough contrast for the picture's dark ground."""
FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
  <title>TITLE</title>
  <style>
  .{unique_id}-matrix {{
    font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
    font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width;
  }}
  .{unique_id}-title {{ font: bold 18px system-ui, sans-serif; }}
  {styles}
  </style>
  <defs>
  <clipPath id="{unique_id}-clip-terminal">
    <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
  </clipPath>
  {lines}
  </defs>
  {chrome}
  <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
  {backgrounds}
  <g class="{unique_id}-matrix">
  {matrix}
  </g>
  </g>
</svg>
"""
"""A picture that loads no font from elsewhere, as rich's own does."""


class PaintedScreen(Screen):
    """A screen that also knows how each of its cells is painted."""

    def __init__(self, columns: int, rows: int) -> None:
        super().__init__(columns, rows)
        self.paints: dict[tuple[int, int], str] = {}
        self._paint = "0"

    def _write(self, sign: str) -> None:
        super()._write(sign)
        if sign >= " ":
            self.paints[self.y + len(self.gone), self.x - 1] = self._paint

    def _control(self, private: str, parameters: str, letter: str) -> None:
        if letter == "m":
            fresh = parameters.split(";", maxsplit=1)[0] in {"", "0"}
            self._paint = parameters or "0" if fresh else f"{self._paint};{parameters}"
        super()._control(private, parameters, letter)

    @property
    def painted(self) -> Text:
        """What is shown, with its colours."""
        parts: list[str] = []
        for y, line in enumerate(self.text.splitlines()):
            for x, sign in enumerate(line):
                parts.append(f"\x1b[0;{self.paints.get((y, x), '0')}m{sign}")
            parts.append("\x1b[0m\n")
        return Text.from_ansi("".join(parts))


def picture(text: Text, title: str, unique_id: str) -> str:
    """Return the picture of a terminal that shows a text."""
    console = Console(
        width=COLUMNS,
        record=True,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
    )
    console.print(Text.assemble(text, "\n"), no_wrap=True, crop=True, end="")
    frame = FRAME.replace("TITLE", title)
    svg = console.export_svg(title=title, theme=THEME, code_format=frame, unique_id=unique_id)
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


class Shot(NamedTuple):
    """What a terminal shows at some moment."""

    text: str
    painted: Text


def wizard_shot() -> Shot:
    """Answer two questions, and return what is shown then."""
    with (
        TemporaryDirectory() as folder,
        Terminal(["init"], Path(folder), columns=COLUMNS, machine=MACHINE, fits=FITS) as terminal,
    ):
        screen = terminal.screen = PaintedScreen(COLUMNS, 24)
        terminal.answer("Which platforms", *["down"] * 2, "space", *["down"] * 2, "space", "enter")
        terminal.answer("torch builds for Linux?", "space", "enter")
        terminal.wait("torch builds for Windows?")
        terminal.wait("older builds")
        shot = Shot(screen.text, screen.painted)
        terminal.press("ctrl-c")
        terminal.finish()
    return shot


def result_shot() -> Shot:
    """Return what a configured project shows."""
    with TemporaryDirectory() as folder:
        assert run_in(Path(folder), f"init {TARGETS}").status == 0
        with Terminal(["show"], Path(folder), columns=COLUMNS) as terminal:
            screen = terminal.screen = PaintedScreen(COLUMNS, 24)
            assert terminal.finish() == 0
    prompt = Text.from_ansi("\x1b[2m$\x1b[0m torchconf show\n")
    return Shot(screen.text, Text.assemble(prompt, "\n", screen.painted))


def with_screen(text: str, shot: Shot) -> str:
    """Return a page's text with the wizard's screen in its place."""
    return SCREEN.sub(lambda match: f"{match[1]}```text\n{shot.text}```\n{match[2]}", text)


def pictures(wizard: Shot) -> dict[Path, str]:
    """Return the pictures, by their files."""
    return {
        PICTURES / "wizard.svg": picture(wizard.painted, "torchconf init", "wizard"),
        PICTURES / "show.svg": picture(result_shot().painted, "torchconf show", "show"),
    }


if __name__ == "__main__":
    shot = wizard_shot()
    PAGE.write_text(with_screen(PAGE.read_text("utf-8"), shot), encoding="utf-8")
    for path, svg in pictures(shot).items():
        path.write_text(svg, encoding="utf-8", newline="\n")
