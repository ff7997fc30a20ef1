"""A real pseudo-terminal with a screen that can be read: for commands that ask.

To start Python and to load what asks takes longer than to ask. So one process loads it, and each
terminal gets a copy of that process; the process that runs the tests has threads, and cannot be
copied.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pexpect  # type: ignore[import-untyped] # it has no stubs
from pexpect.fdpexpect import fdspawn  # type: ignore[import-untyped] # as above
from prompt_toolkit.application import application
from prompt_toolkit.key_binding.defaults import load_key_bindings

from torchconf.cli import main, run_wizard
from torchconf.model.targets import PLATFORMS
from torchconf.wizard import MachineFacts

KEYS = {
    "enter": "\r", "up": "\x1b[A", "down": "\x1b[B", "space": " ", "ctrl-c": "\x03",
    "ctrl-d": "\x04",
}  # fmt: skip

PATIENCE = 120
"""Seconds in which a terminal that waits for nobody says something, however busy the machine."""

_COPIED = get_context("forkserver")
# Whatever else a copy needs, it loads itself: this saves time and decides nothing.
_COPIED.set_forkserver_preload(
    [
        __name__, "torchconf.cli.add_target", "torchconf.cli.init", "torchconf.cli.new",
        "torchconf.cli.parser", "torchconf.cli.remove_target", "torchconf.planner",
        "torchconf.edits.verify_edit", "torchconf.planner.refusals", "torchconf.resolve.routes",
        "torchconf.wizard.prompts", "difflib", "questionary", "prompt_toolkit.input.vt100",
    ]
)  # fmt: skip

_SEQUENCE = re.compile(r"\x1b\[([?>]?)([0-9;]*)([A-Za-z])|\x1b\][^\x07]*\x07|\x1b[()][A-Z0-9]")
_PARTIAL = re.compile(r"\x1b(?:\[[?>]?[0-9;]*|\][^\x07]*|[()])?\Z")


class Screen:
    """What a terminal of some size shows after some output, and what has scrolled away."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.lines: list[list[str]] = [[" "] * columns for _ in range(rows)]
        self.gone: list[str] = []
        self._flows = [False] * rows
        """Whether a line goes on in the next one."""
        self.x = self.y = 0
        self.styles: set[str] = set()
        """Parameters of every SGR sequence."""
        self.asked = 0
        """How often the cursor's position was asked for."""
        self._rest = ""

    @property
    def text(self) -> str:
        """All lines, those that scrolled away first."""
        shown = "\n".join("".join(line).rstrip() for line in self.lines)
        return ("".join(self.gone) + shown).rstrip() + "\n"

    @property
    def joined(self) -> str:
        """All lines in one, with single spaces: what is broken over lines reads as it is meant."""
        lines = [*self.gone]
        for line, flows in zip(self.lines, self._flows, strict=True):
            lines.append("".join(line) if flows else "".join(line).rstrip() + "\n")
        return re.sub(r"\s+", " ", "".join(lines))

    def feed(self, text: str) -> None:
        """Take output."""
        text = self._rest + text
        partial = _PARTIAL.search(text)
        self._rest = partial[0] if partial else ""
        text = text[: partial.start()] if partial else text
        place = 0
        while place < len(text):
            if match := _SEQUENCE.match(text, place):
                if match[3]:
                    self._control(match[1], match[2], match[3])
                place = match.end()
            else:
                self._write(text[place])
                place += 1

    def _write(self, sign: str) -> None:
        if sign == "\r":
            self.x = 0
        elif sign == "\n":
            self._down()
        elif sign == "\b":
            self.x = max(self.x - 1, 0)
        elif sign >= " ":
            if self.x == self.columns:
                self.x = 0
                self._flows[self.y] = True
                self._down()
            self.lines[self.y][self.x] = sign
            self.x += 1

    def _down(self) -> None:
        if self.y + 1 < self.rows:
            self.y += 1
            return
        line = "".join(self.lines.pop(0))
        self.gone.append(line if self._flows.pop(0) else line.rstrip() + "\n")
        self.lines.append([" "] * self.columns)
        self._flows.append(False)

    def _clear_line(self) -> None:
        self.lines[self.y][self.x :] = [" "] * (self.columns - self.x)
        self._flows[self.y] = False

    def _control(self, private: str, parameters: str, letter: str) -> None:
        numbers = [int(part or 0) for part in parameters.split(";")]
        count = numbers[0] or 1
        match letter:
            case "A":
                self.y = max(self.y - count, 0)
            case "B":
                self.y = min(self.y + count, self.rows - 1)
            case "C":
                self.x = min(self.x + count, self.columns - 1)
            case "D":
                self.x = max(min(self.x, self.columns - 1) - count, 0)
            case "H":
                self.y, self.x = count - 1, (numbers[1] if len(numbers) > 1 else 1) - 1
            case "J":
                self._clear_line()
                for number in range(self.y + 1, self.rows):
                    self.lines[number] = [" "] * self.columns
                    self._flows[number] = False
            case "K":
                self._clear_line()
            case "m":
                self.styles |= set(parameters.split(";"))
            case "n":
                self.asked += 1
            case "h" | "l" | "q":
                assert private or letter == "q", f"unknown mode {parameters}"
            case _:
                raise AssertionError(f"unknown sequence {parameters}{letter}")


class Terminal:
    """A running torchconf; a context manager."""

    def __init__(
        self,
        words: Sequence[str],
        folder: Path,
        *,
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] | None = None,
        machine: str = "a test",
        fits: Mapping[str, str] | None = None,
        unfit: Mapping[str, str] | None = None,
    ) -> None:
        kept = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "COLUMNS", "LINES"}}
        variables = {**kept, "TERM": "xterm-256color", **(environment or {})}
        # The machine is a fact that a test states: no GPU is looked for.
        facts = MachineFacts(PLATFORMS[0], machine, fits or {}, unfit or {})
        self.screen = Screen(columns, rows)
        ours, theirs = pty.openpty()
        self.mode = termios.tcgetattr(ours)
        """As it was before."""
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        with Connection(theirs) as line:
            self._process = _COPIED.Process(
                target=_run, args=(line, [*words], folder, variables, facts), daemon=True
            )
            self._process.start()
        self.child: Any = fdspawn(ours, encoding="utf-8")
        self.child.delaybeforesend = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        self.child.close()

    def wait(self, text: str, seconds: float = PATIENCE) -> str:
        """Read until the screen shows a text; return the screen."""
        end = time.monotonic() + seconds
        while " ".join(text.split()) not in self.screen.joined:
            assert time.monotonic() < end, f"no {text!r} in\n{self.screen.text}"
            assert self._read(), f"the end, and no {text!r} in\n{self.screen.text}"
        return self.screen.text

    def press(self, *keys: str) -> None:
        """Send keys by their names, or text as it is."""
        for key in keys:
            self.child.send(KEYS.get(key, key))

    def answer(self, question: str, *keys: str) -> None:
        """Wait for a question that is not answered yet, and press keys."""
        self.wait(question)
        self.press(*keys)

    def line(self, question: str, text: str) -> None:
        """Wait until a question has been put in plain lines, and write one."""
        self.wait(question)
        while not self.screen.text.rstrip().endswith(">"):
            assert self._read(), f"the end, and no prompt in\n{self.screen.text}"
        self.press(f"{text}\r")

    def has_its_mode(self) -> bool:
        """Tell whether the terminal shows what is typed, line by line, as it did before."""
        return termios.tcgetattr(self.child.child_fd) == self.mode

    def end_by(self, number: int) -> None:
        """Send the process a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def finish(self) -> int:
        """Read to the end; return the exit status."""
        while self._read():
            pass
        self._process.join()
        status = self._process.exitcode
        assert status is not None
        assert status >= 0, f"killed by signal {-status}"
        return status

    def _read(self) -> bool:
        try:
            self.screen.feed(self.child.read_nonblocking(4096, timeout=PATIENCE))
        except pexpect.EOF:
            return False
        except pexpect.TIMEOUT:
            raise AssertionError(f"nothing happens any more:\n{self.screen.text}") from None
        while self.screen.asked:
            self.screen.asked -= 1
            self.child.send(f"\x1b[{self.screen.y + 1};{self.screen.x + 1}R")
        return True


def _run(
    line: Connection,
    words: list[str],
    folder: Path,
    variables: Mapping[str, str],
    machine: MachineFacts,
) -> None:
    """Run a command in this process, as if it had been started at a terminal."""
    os.setsid()
    fcntl.ioctl(line.fileno(), termios.TIOCSCTTY, 0)
    for number in range(3):
        os.dup2(line.fileno(), number)
    line.close()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    encoding = os.environ.get("PYTHONIOENCODING", "utf-8")
    sys.stdin = os.fdopen(0, "r", 1, encoding)
    sys.stdout = os.fdopen(1, "w", 1, encoding)
    sys.stderr = os.fdopen(2, "w", 1, encoding, "backslashreplace")
    run_wizard.find_machine = lambda catalog: machine  # noqa: ARG005 - its name is the parameter's
    # They are the same for each question, which makes them three times.
    vars(application)["load_key_bindings"] = cache(load_key_bindings)
    sys.exit(main(words))
