"""`--lock`: run `uv lock` after a change, and put every file back if it fails."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from torchconf import files
from torchconf.cli.context import LOCKFILE
from torchconf.errors import UvError
from torchconf.uv import run_uv

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def locked(folder: str, *changed: files.SourceFile, quiet: bool) -> Iterator[None]:
    """Lock after the body has changed files; on any failure restore them, and the lockfile.

    Args:
        folder: Where to run uv.
        changed: The files that the body changes, as they were read.
        quiet: Say nothing of success.

    Raises:
        UvError: uv is missing or failed; everything is as it was.
    """
    lockfile = files.read_file(os.path.join(folder, LOCKFILE), may_be_missing=True)
    try:
        yield
        _lock(folder, quiet=quiet)
    except BaseException:
        for file in (*changed, lockfile):
            put_back(file)
        raise
    if not quiet:
        sys.stderr.write(f"locked {LOCKFILE}\n")


def _lock(folder: str, *, quiet: bool) -> None:
    run = run_uv("lock", *(["--quiet"] if quiet else []), folder=folder)
    if run.returncode != 0:
        raise UvError(
            "`uv lock` failed, so that every file was put back",
            at=folder,
            help=_cure(run.stderr) or "its reason stands above",
        )


def put_back(file: files.SourceFile) -> None:
    """Make a file what it was when it was read; one that was missing is removed."""
    if file.raw is None:
        with suppress(FileNotFoundError):
            os.remove(file.target)
        return
    now = files.read_file(file.path, may_be_missing=True)
    if now.raw != file.raw:
        files.replace(now, file.text)


def _cure(stderr: str) -> str | None:
    """Return what helps against a failure that `--required-environments` brings about."""
    if "-compatible wheels" not in stderr:
        return None
    return (
        "a package has no wheel for some target: give it a marker, such as "
        "`; sys_platform == 'linux'`, or leave out `--required-environments`"
    )
