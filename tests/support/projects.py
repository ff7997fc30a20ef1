"""Projects that tests start from, and the command line run on one of them.

`bare.toml` has no torch. `app.toml` and `library.toml` have it in their base dependencies, the
library with a build system. In `accelerate.toml` another dependency needs torch. `examples/` has
what the design shows to the letter, with the commands, and what `groups.toml` starts from.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.paths import TESTS
from torchconf.cli import main

PROJECTS = TESTS / "projects"
EXAMPLES = PROJECTS / "examples"
WHL = "https://download.pytorch.org/whl"

THREE_SYSTEMS = "-t linux-cu130 -t linux-cpu -t windows-cpu -t macos-cpu"
"""Linux has two backends, so that something must choose between them."""


_TABLE = re.compile(r"  (UV_NO_GROUP=\S.*)?uv sync")


class Result(NamedTuple):
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed on stdout, read as JSON."""
        return json.loads(self.out)

    def commands(self) -> dict[str, list[str]]:
        """Return the printed table: target to the words of its command, variables first."""
        pairs = (line.partition("  ") for line in self.out.splitlines() if _TABLE.search(line))
        return {target: shlex.split(command) for target, _, command in pairs}


def run_in(folder: Path, command: str) -> Result:
    """Run one command line in a folder, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        status = main(shlex.split(command))
    return Result(status, out.getvalue(), err.getvalue())


class Demo:
    """A folder named `demo`, in which commands are run."""

    def __init__(self, parent: Path, start: str | bytes | None = None) -> None:
        """Make the folder, with a pyproject.toml unless `start` is None."""
        self.folder = parent / "demo"
        self.folder.mkdir()
        self.path = self.folder / "pyproject.toml"
        if start is not None:
            self.path.write_bytes(start if isinstance(start, bytes) else start.encode())

    @classmethod
    def of(cls, parent: Path, project: str) -> Demo:
        """Start from one of the projects beside this file."""
        return cls(parent, (PROJECTS / f"{project}.toml").read_bytes())

    def __call__(self, command: str) -> Result:
        """Run one command line in the folder."""
        return run_in(self.folder, command)

    def init(self, flags: str) -> Result:
        """Run `init`, which must succeed."""
        result = self(f"init {flags}")
        assert result.status == 0, result.err
        return result

    @property
    def text(self) -> str:
        """What the file says, line endings as they are."""
        return self.path.read_bytes().decode()

    @property
    def data(self) -> dict[str, Any]:
        """What the file says, as data."""
        return tomllib.loads(self.text.removeprefix("\ufeff"))

    @property
    def project(self) -> dict[str, Any]:
        """Its `[project]`."""
        return dict(self.data["project"])

    @property
    def uv(self) -> dict[str, Any]:
        """Its `[tool.uv]`."""
        return dict(self.data["tool"]["uv"])

    def names(self) -> list[str]:
        """Return what lies in the folder."""
        return sorted(path.name for path in self.folder.iterdir())


def example_commands() -> dict[str, str]:
    """Return the command that writes each of the examples."""
    lines = (EXAMPLES / "commands.txt").read_text(encoding="utf-8").splitlines()
    return {name: command for name, _, command in (line.partition(": ") for line in lines)}
