"""`--lock`: run `uv lock` after a change, and put every file back if it fails."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from torchconf import files
from torchconf.errors import TorchconfError, UvError
from torchconf.resolve.uv import run_uv
from torchconf.workspace.opened import LOCKFILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.files import SourceFile


def replace_and_lock(
    changes: Sequence[tuple[SourceFile, str]],
    folder: str,
    *,
    quiet: bool,
    anew: Sequence[str] = (),
) -> None:
    """Replace files and run `uv lock`; if anything fails, restore them, and the lockfile.

    Args:
        changes: Each file as it was read, and its new text.
        folder: Of the lockfile, where uv runs.
        quiet: Say nothing of success.
        anew: Packages of which the lockfile shall not keep the versions that it has.

    Raises:
        WriteRefused: A file was not replaced; all are as they were.
        UvError: uv is missing or failed; all are as they were.
    """
    lockfile = files.read_file(os.path.join(folder, LOCKFILE), may_be_missing=True)
    written = files.replace_all(changes)
    try:
        _lock(folder, anew, quiet=quiet)
    except BaseException:
        for (before, _), now in zip(changes, written, strict=True):
            _put_back(before, now.raw)
        _put_back(lockfile, None)
        raise
    if not quiet:
        sys.stderr.write(f"locked {LOCKFILE}\n")


def _lock(folder: str, anew: Sequence[str], *, quiet: bool) -> None:
    packages = [word for name in anew for word in ("--upgrade-package", name)]
    run = run_uv("lock", *(["--quiet"] if quiet else []), *packages, folder=folder)
    if run.returncode != 0:
        raise UvError(
            "`uv lock` failed, so that every file was put back",
            at=folder,
            help=_cure(run.stderr) or "its reason stands above",
        )


def _put_back(before: SourceFile, written: bytes | None) -> None:
    """Make a file what it was; one that somebody has changed since is left to them.

    Args:
        before: As it was read; a file that was missing is removed.
        written: What this run wrote; None for a file that only uv writes.
    """
    try:
        now = files.read_file(before.path, may_be_missing=True)
        if now.raw == before.raw:
            return
        if written is not None and now.raw != written:
            sys.stderr.write(f"warning: {before.path} was changed meanwhile, and is left so\n")
        elif before.raw is None:
            with suppress(FileNotFoundError):
                os.remove(before.target)
        else:
            files.replace(now, before.text)
    except (TorchconfError, OSError) as error:
        # The other files are still to be put back.
        sys.stderr.write(f"warning: {before.path} was not put back: {error}\n")


def _cure(stderr: str) -> str | None:
    """Return what helps against a failure that `--required-environments` brings about."""
    if "-compatible wheels" not in stderr:
        return None
    return (
        "a package has no wheel for some target: give it a marker, such as "
        "`; sys_platform == 'linux'`, or leave out `--required-environments`"
    )
