"""Handing over to uv: from here on it is uv that runs, prints, and ends."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from torchconf.errors import UvError
from torchconf.resolve.programs import find_program, is_program
from torchconf.resolve.uv import find_uv

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["become", "quoted", "run_and_wait", "this_uv"]

UV = "UV"
"""The variable in which uv tells what it starts where it is itself."""
_UNSIGNED, _SIGN = 1 << 32, 1 << 31


def this_uv(variables: Mapping[str, str]) -> str:
    """Return the path of uv: the one that started this process, else one that is found.

    Raises:
        UvError: There is none, or only one inside a project.
    """
    told = variables.get(UV)
    return told if told and is_program(told) else find_uv()


def quoted(program: str, words: Sequence[str]) -> str:
    """Return a command as the user's shell takes it; uv by its name if that finds the same one."""
    found = find_program("uv")
    first = "uv" if found is not None and os.path.samefile(found, program) else program
    if sys.platform == "win32":
        import subprocess

        return subprocess.list2cmdline([first, *words])
    import shlex

    return shlex.join([first, *words])


def become(program: str, words: Sequence[str], variables: Mapping[str, str]) -> int:
    """Replace this process by uv, so that its exit status and its signals are uv's.

    Windows has no such call: there uv runs as a child, and its exit status is returned.

    Raises:
        UvError: uv cannot be started.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    command = [program, *words]
    try:
        if sys.platform == "win32":
            return run_and_wait(command, variables)
        _restore_signals()
        os.execve(program, command, dict(variables))  # noqa: S606 - no shell is wanted
    except OSError as error:
        raise UvError(f"cannot start uv: {error}") from error


def run_and_wait(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run a program to its end and return its exit status; Ctrl-C is its own affair."""
    import subprocess

    with subprocess.Popen(command, env=dict(variables)) as process:
        while True:
            try:
                status = process.wait()
            except KeyboardInterrupt:
                # The child has been told, too: it ends in its own way.
                continue
            # Windows counts statuses such as that of Ctrl-C without a sign, which `sys.exit` does.
            return status - _UNSIGNED if status >= _SIGN else status


def _restore_signals() -> None:
    """Undo what Python has told the system to ignore, which a new program would inherit."""
    import signal

    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
