"""Finding and running the uv executable."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from torchconf.errors import UvError, hide_secrets
from torchconf.interrupts import held, orderly
from torchconf.layout.selection import assignments
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.uv_variables import NO_GROUP
from torchconf.resolve.programs import find_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future


class Run(NamedTuple):
    """A finished uv."""

    returncode: int
    stderr: str


def find_uv() -> str:
    """Return the path of uv: the one on PATH, else the one beside the Python that runs.

    Raises:
        UvError: There is none, or only one inside a project.
    """
    found = find_program("uv") or find_program("uv", os.path.dirname(sys.executable))
    if found is None:
        # Imported here: it is slow, for what it does.
        from shutil import which

        passed = which("uv")
        where = f" outside of a project; `{passed}` is not run" if passed else ""
        raise UvError(
            f"uv was not found{where}",
            help="install uv, or `torchconf[uv]`, which includes it",
        )
    return found


@orderly()
def run_uv(*arguments: str, folder: str) -> Run:
    """Run uv in a folder; what it reports on stderr is passed on as it comes, and returned.

    Raises:
        UvError: uv was not found or cannot be started.
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
        raise UvError(f"cannot start uv: {error}") from error


class Captured(NamedTuple):
    """A finished uv, with what it printed."""

    command: str
    returncode: int
    stdout: str
    stderr: str
    """Without credentials."""

    def succeed(self, message: str, *, help: str | None = None) -> str:
        """Return what was printed on stdout.

        Raises:
            UvError: uv failed; its own words follow the message.
        """
        if self.returncode == 0:
            return self.stdout
        raise UvError(f"{message}: {spoken_failure(self.stderr)}", at=self.command, help=help)


def spoken_failure(stderr: str) -> str:
    """Return uv's own words for what went wrong, without progress and warnings; one line each."""
    lines = [line.rstrip() for line in hide_secrets(stderr).splitlines()]
    starts = [n for n, line in enumerate(lines) if line.startswith("error:")]
    if not starts:
        return "\n".join(line for line in lines if line)[-2000:] or "uv printed no error message"
    return "\n".join(lines[starts[0] :]).removeprefix("error:").strip()


def uv_version() -> tuple[int, ...]:
    """Return the version of uv: `(0, 13, 9)`; empty if it is not told.

    Raises:
        UvError: uv was not found or cannot be started.
    """
    run = capture_uv(["--version"], folder=os.getcwd())
    match = re.match(r"uv (\d+)\.(\d+)\.(\d+)", run.stdout)
    return tuple(map(int, match.groups())) if match else ()


@orderly()
def capture_uv(
    arguments: Sequence[str], *, folder: str, variables: Mapping[str, str] | None = None
) -> Captured:
    """Run uv in a folder and return what it printed.

    The groups that variables leave out are those of this call, not those of this machine. uv runs
    in a process group of its own, which is killed if this process is interrupted: it may have
    started builds.

    Raises:
        UvError: uv was not found or cannot be started.
    """
    import subprocess

    program = find_uv()
    process = None
    try:
        with held():
            process = subprocess.Popen(
                [program, *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_around(variables or {}),
                encoding="utf-8",
                errors="replace",
                start_new_session=os.name == "posix",
            )
            _running.add(process.pid)
        stdout, stderr = process.communicate()
    except OSError as error:
        raise UvError(f"cannot start uv: {error}") from error
    except BaseException:
        if process is not None:
            _kill(process.pid)
            process.kill()
            process.communicate()
        raise
    finally:
        if process is not None:
            _running.discard(process.pid)
    command = hide_secrets(" ".join([*assignments(variables or {}), "uv", *arguments]))
    return Captured(command, process.returncode, stdout, hide_secrets(stderr))


def _around(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a uv that makes a choice of its own."""
    return {**{k: v for k, v in os.environ.items() if k not in _CHOICE}, **variables}


_CHOICE = frozenset({NO_GROUP, "UV_NO_DEFAULT_GROUPS", "UV_NO_DEV"})
"""The variables by which this machine leaves groups out."""


class Call(NamedTuple):
    """What uv is to be run with."""

    arguments: Sequence[str]
    variables: Mapping[str, str]


@orderly()
def capture_all(
    calls: Sequence[Call], *, folder: str, done: Callable[[], None] = lambda: None
) -> list[Captured]:
    """Run several uv at once, and return what they printed, in order.

    Args:
        calls: One for each.
        folder: Where they run.
        done: Called whenever one of them is done.

    Raises:
        UvError: uv was not found or cannot be started.
    """
    if len(calls) == 1:
        captured = [capture_uv(calls[0].arguments, folder=folder, variables=calls[0].variables)]
        done()
        return captured
    from concurrent.futures import ThreadPoolExecutor, as_completed, wait

    pool = ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1, len(calls) or 1))
    futures: list[Future[Captured]] = []
    try:
        futures = [
            pool.submit(capture_uv, call.arguments, folder=folder, variables=call.variables)
            for call in calls
        ]
        for _ in as_completed(futures):
            done()
        return [future.result() for future in futures]
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        # One may be about to start: it is killed as soon as it is known to run.
        while wait(futures, timeout=0.05).not_done:
            for pid in tuple(_running):
                _kill(pid)
        raise
    finally:
        pool.shutdown()


def run_quietly(command: Sequence[str]) -> int:
    """Run another program, such as git; return its exit status."""
    import subprocess

    return subprocess.run(command, capture_output=True, check=False).returncode


_running: set[int] = set()


def _kill(pid: int) -> None:
    """Kill a process and what it started, as far as the system knows groups."""
    import signal
    from contextlib import suppress

    with suppress(OSError):
        if os.name == "posix":
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)
