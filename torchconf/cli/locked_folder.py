"""A folder with a lockfile to export from: the project's own, or that of a locked copy of it."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from torchconf.errors import UvError
from torchconf.files import spoken_path
from torchconf.interrupts import orderly
from torchconf.model.uv_versions import LOCKS_RIGHT_SINCE
from torchconf.resolve.uv import (
    Call,
    capture_all,
    capture_uv,
    spoken_failure,
    uv_version,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchconf.layout.selection import Selection
    from torchconf.resolve.uv import Captured
    from torchconf.workspace.opened import OpenProject

__all__ = ["exports", "locked_folder"]


@contextmanager
def locked_folder(context: OpenProject, *, frozen: bool, locked: bool) -> Iterator[str]:
    """Give a folder with a lockfile: the project's own, or a copy of the project, locked.

    Args:
        context: The project.
        frozen: Take its own lockfile as it is.
        locked: Take its own lockfile, which must be up to date.

    Raises:
        UvError: uv is missing, or cannot lock; or the lockfile is missing or out of date.
    """
    check_version()
    folder = context.lock_folder
    if frozen or locked:
        _own(context, is_locked=locked)
        yield folder
        return
    # Imported here: only a copy needs them.
    import tempfile

    from torchconf.files.litter import COPY, sweep
    from torchconf.files.litter import locked as locked_folders
    from torchconf.files.project_copy import mirror, mirror_script

    around = context.workspace()
    places = (os.path.relpath(place, folder) for place in around.libraries if "#" not in place)
    outside = tuple(path for path in places if ".." in path.split(os.sep))
    sweep(tempfile.gettempdir())
    with orderly(), tempfile.TemporaryDirectory(prefix=COPY) as into, locked_folders([into]):
        place = os.path.realpath(into)
        if context.project.is_script:
            beside = tuple(os.path.relpath(one, folder) for one in around.libraries)
            copy = mirror_script(os.path.abspath(context.file.path), beside, place)
        else:
            copy = mirror(folder, outside, place)
        run = capture_uv([*context.lock_words], folder=copy)
        what = "script" if context.project.is_script else "project"
        run.succeed(f"uv cannot lock this {what}", help=_other_python(run))
        yield copy


def check_version() -> None:
    """Warn of a uv that is too old to lock these tables right."""
    version = uv_version()
    oldest = tuple(map(int, LOCKS_RIGHT_SINCE.split(".")))
    if version and version < oldest:
        found = ".".join(map(str, version))
        sys.stderr.write(
            f"warning: uv {found} is older than {LOCKS_RIGHT_SINCE} and may lock the wrong builds\n"
        )


def _other_python(run: Captured) -> str | None:
    """Say what helps where uv was told to use a Python that the project does not admit."""
    told = os.environ.get("UV_PYTHON")
    if not told or "interpreter resolved to" not in run.stderr:
        return None
    return f"`UV_PYTHON` is `{told}`: choose a Python that `requires-python` admits, or unset it"


def _own(context: OpenProject, *, is_locked: bool) -> None:
    folder, name, words = context.lock_folder, context.lock_name, context.lock_words
    command = f"run `uv {shlex.join(words)}`"
    if not os.path.isfile(context.lock_path):
        raise UvError(f"{name} not found", at=folder, help=command)
    if is_locked:
        run = capture_uv([*words, "--check"], folder=folder)
        if run.returncode:
            raise UvError(
                f"{name} is out of date: {spoken_failure(run.stderr)}",
                at=spoken_path(context.lock_path),
                help=command,
            )


def exports(
    context: OpenProject, selections: Sequence[Selection], folder: str, *extra: str, quiet: bool
) -> list[Captured]:
    """Export each choice, several at once; with a progress bar at a terminal, unless quiet."""
    project = context.uv_words or ("--no-emit-workspace",)
    calls = [
        Call(
            ["export", *selection.words(), "--frozen", *project, *extra],
            selection.environment,
        )
        for selection in selections
    ]
    if len(calls) == 1 or quiet:
        return capture_all(calls, folder=folder)
    from torchconf.report.progress import progress

    with progress("running uv export", len(calls)) as advance:
        return capture_all(calls, folder=folder, done=advance)
