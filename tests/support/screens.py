"""The screen of the wizard that the README shows, from a real run.

`python -m tests.support.screens` writes it.
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.paths import README
from tests.support.terminal import Terminal

SCREEN = re.compile(r"(<!-- wizard: [^\n]*-->\n).*?(<!-- end -->)", re.DOTALL)
MACHINE = "Linux x86_64, glibc 2.39, NVIDIA GeForce RTX 4090"
FITS = {"cu132": "driver 580.95.05, Ada", "cu130": "driver 580.95.05, Ada"}


def wizard_screen() -> str:
    """Answer two questions, and return what is shown then."""
    with (
        TemporaryDirectory() as folder,
        Terminal(["init"], Path(folder), machine=MACHINE, fits=FITS) as terminal,
    ):
        terminal.answer("Which platforms", *["down"] * 2, "space", *["down"] * 2, "space", "enter")
        terminal.answer("torch builds for Linux?", "space", "enter")
        terminal.wait("torch builds for Windows?")
        terminal.wait("older builds")
        text = terminal.screen.text
        terminal.press("ctrl-c")
        terminal.finish()
    return f"```text\n{text}```\n"


def in_readme(text: str, screen: str) -> str:
    """Return the README's text with a screen in its place."""
    return SCREEN.sub(lambda match: f"{match[1]}{screen}{match[2]}", text)


if __name__ == "__main__":
    README.write_text(in_readme(README.read_text("utf-8"), wizard_screen()), encoding="utf-8")
