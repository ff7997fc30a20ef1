"""Finding and running the uv executable."""

from __future__ import annotations

import os
import shutil
import sys
from typing import NamedTuple

from torchconf.errors import UvError


class Run(NamedTuple):
    """A finished uv."""

    returncode: int
    stderr: str


def find_uv() -> str:
    """Return the path of uv: the one on PATH, else the one beside the Python that runs.

    Raises:
        UvError: There is none.
    """
    beside = os.path.dirname(sys.executable)
    found = shutil.which("uv") or shutil.which("uv", path=beside)
    if found is None:
        raise UvError(
            "uv was not found",
            help="install it, or install `torchconf[uv]`, which brings it along",
        )
    return found


def run_uv(*arguments: str, folder: str) -> Run:
    """Run uv in a folder; what it reports on stderr is passed on as it comes, and returned.

    Raises:
        UvError: uv was not found or can not be started.
    """
    # Imported here: only a command that runs uv needs it.
    import subprocess

    try:
        with subprocess.Popen(
            [find_uv(), *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        ) as process:
            lines: list[str] = []
            try:
                for line in process.stderr or ():
                    sys.stderr.write(line)
                    lines.append(line)
            except BaseException:
                process.kill()
                raise
            return Run(process.wait(), "".join(lines))
    except OSError as error:
        raise UvError(f"uv can not be started: {error}") from error
