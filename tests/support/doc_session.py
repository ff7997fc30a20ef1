"""What the commands of a page print, one after the other in one folder."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import torchconf.machine
from tests.support.doc_blocks import Block
from tests.support.recorded_machines import record
from tests.support.replica import Replica
from tests.support.repositories import git
from torchconf.cli import main
from torchconf.machine import read_machine

STARTS_UV = {"export", "run", "sync", "verify"}
"""Commands of torchconf that start uv."""


ELSEWHERE = {"example", "shown by", "written by"}
"""Notes of blocks that something else checks."""


HOME = "/home/me/demo"
"""Where the folder is said to be."""
OF_THE_MOMENT = re.compile(
    r"^(?:Using CPython|Creating virtual environment) .*\n| in [\d.]+m?s$", re.MULTILINE
)


class NotRunnableError(Exception):
    """A page has a command that its test cannot run."""


def needs_uv(session: list[Block]) -> bool:
    """Tell whether the real uv runs for a session."""
    return any(_starts_uv(command) for block in session for command, _ in block.runs)


def _starts_uv(command: str) -> bool:
    words = _ours(command)
    if words is None:
        return _words(command)[:1] == ["uv"]
    return "--lock" in words or (bool(STARTS_UV & {*words[:1]}) and "--dry-run" not in words)


def _words(command: str) -> list[str]:
    """Return the words of a command without the variables before them."""
    words = shlex.split(command)
    while words and "=" in words[0]:
        words.pop(0)
    return words


def _ours(command: str) -> list[str] | None:
    """Return the words after `torchconf`, or None for another program."""
    words = _words(command)
    words = words[1:] if words[:1] == ["uvx"] else words
    return words[1:] if words[:1] == ["torchconf"] else None


class Session:
    """A folder named `demo` in which the blocks of a page are carried out."""

    def __init__(self, parent: Path, replica: Replica | None) -> None:
        self.folder = parent / "demo"
        self.folder.mkdir()
        self._replica = replica

    def outputs(self, block: Block) -> Iterator[tuple[str, str, str]]:
        """Carry a block out; yield each of its commands, what it prints, and what it should."""
        if name := block.notes.get("file"):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        if block.language != "console" or block.notes.keys() & ELSEWHERE:
            return
        with ExitStack() as stack:
            if name := block.notes.get("machine"):
                here = read_machine(record(name)[0])
                stack.enter_context(patch.object(torchconf.machine, "this_machine", lambda: here))
            for command, expected in block.runs:
                yield command, self._run(command), expected

    def whole(self, block: Block) -> str:
        """Return the file that a block is said to be a part of; else the block itself."""
        name = block.notes.get("part of")
        return (self.folder / name).read_text(encoding="utf-8") if name else block.text

    def _run(self, command: str) -> str:
        words = _ours(command)
        if words is not None:
            return self._run_torchconf(words)
        match _words(command):
            case ["cat", name]:
                return (self.folder / name).read_text(encoding="utf-8")
            case ["git", *rest]:
                return git(self.folder, *rest)
            case ["uv", *rest] if self._replica is not None:
                run = self._replica.uv(*rest, cwd=self.folder)
                return self._steady(run.stderr + run.stdout)
        raise NotRunnableError(command)

    def _run_torchconf(self, words: list[str]) -> str:
        """Return what a command prints on both streams, in its order."""
        printed = io.StringIO()
        with chdir(self.folder), redirect_stdout(printed), redirect_stderr(printed):
            main(words)
        return self._steady(printed.getvalue())

    def _steady(self, printed: str) -> str:
        """Return what was printed without what is of this machine and this moment."""
        return OF_THE_MOMENT.sub("", printed).replace(str(self.folder), HOME)
