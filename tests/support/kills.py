"""One run after the other, each ended by a signal at a later moment; what each left is printed.

`python -m tests.support.kills FOLDER calls|lines STEP SIGNAL...` runs a command that changes two
files of a workspace. A signal comes after one of its calls of the system, or before one of the
lines that deal with files: in each run a later one. Each run is a fork: nothing is loaded again.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from torchconf.cli import main

CALLS = ("open", "link", "replace", "unlink", "fsync", "chmod", "stat", "close", "listdir")
TRACED = ("files/replacing.py", "files/litter.py", "torchconf/interrupts.py")
TEXTS = {
    "pyproject.toml": '[tool.uv.workspace]\nmembers = ["member"]\n',
    "member/pyproject.toml": (
        '[project]\nname = "member"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["torch"]\n'
    ),
}
COMMAND = ("init", "--project", "member", "-t", "linux-cu130", "-t", "macos-cpu", "--pin", "-y")


class Left(NamedTuple):
    """What one run left."""

    signal: str
    moment: int
    status: int
    """How it ended; less than zero: by that signal."""
    new: list[bool]
    """Which files are as they should be afterwards; the others are as they were."""
    litter: list[str]
    litter_later: list[str]
    """What is still there after the next run, of another command."""
    message: str


def make(folder: Path) -> None:
    """Write the workspace."""
    (folder / "member").mkdir(parents=True, exist_ok=True)
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")


def read(folder: Path) -> dict[str, str]:
    """Return the files of the workspace."""
    return {name: (folder / name).read_text(encoding="utf-8") for name in TEXTS}


def litter(folder: Path) -> list[str]:
    """Return every file that is none of the workspace's."""
    names = (path.name for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if name != "pyproject.toml")


def run(
    folder: Path, command: tuple[str, ...], number: int = 0, moment: int = 0, kind: str = ""
) -> int:
    """Run a command in a child, with a signal at one moment; return how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.chdir(folder)
    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{folder}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    left = [moment]
    if kind == "calls":
        for name in CALLS:
            setattr(os, name, counted(getattr(os, name), left, number))
    elif kind == "lines":
        sys.settrace(counting_lines(left, number))
    status = main(command)
    sys.stderr.flush()
    os._exit(status)


def counted(call: Callable[..., Any], left: list[int], number: int) -> Callable[..., Any]:
    """Return a call that sends a signal when its turn has come."""

    def counting(*arguments: Any, **named: Any) -> Any:
        result = call(*arguments, **named)
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), number)
        return result

    return counting


def counting_lines(left: list[int], number: int) -> Callable[..., Any]:
    """Return a tracer that sends a signal before a line, when its turn has come."""

    def traced(frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.endswith(TRACED):
            return None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), number)
        return traced

    return traced


def runs(folder: Path, kind: str, step: int, name: str) -> None:
    """Print what each run left, up to the first that ended before its signal."""
    make(folder)
    old = read(folder)
    os.chdir(folder)
    # It still counts as a call. No power is cut, so that nobody needs to wait for the disk.
    os.fsync = lambda fd: None  # noqa: ARG005 - its name is the parameter's
    for command in ((*COMMAND, "--dry-run"), ("show", "--project", "member")):
        main(command)  # loads what is loaded late
    assert run(folder, COMMAND) == 0
    new = read(folder)
    moment = step
    while True:
        make(folder)
        status = run(folder, COMMAND, getattr(signal, name), moment, kind)
        message = Path(f"{folder}.err").read_text(encoding="utf-8")
        now = read(folder)
        assert all(now[each] in (old[each], new[each]) for each in TEXTS), now
        first = litter(folder)
        assert run(folder, ("show", "--project", "member")) == 0
        which = [now[each] == new[each] for each in TEXTS]
        left = Left(name, moment, status, which, first, litter(folder), message)
        print(json.dumps(left._asdict()), flush=True)
        if status == 0:
            return
        moment += step


if __name__ == "__main__":
    place, kind_, step_, *signals = sys.argv[1:]
    for each_ in signals:
        runs(Path(place), kind_, int(step_), each_)
