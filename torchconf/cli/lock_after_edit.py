"""`--lock`: run `uv lock` after a change, and restore every file if it fails."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torchconf import files
from torchconf.edits.read_toml import read_toml
from torchconf.errors import TorchconfError, UvError
from torchconf.files import spoken_path
from torchconf.interrupts import held, orderly
from torchconf.model.read_project import read_project
from torchconf.report.messages import print_notes
from torchconf.resolve.uv import run_uv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.files import SourceFile
    from torchconf.workspace.opened import OpenProject


def replace_and_lock(
    changes: Sequence[tuple[SourceFile, str]],
    context: OpenProject,
    *,
    quiet: bool,
    upgrade: Sequence[str] = (),
) -> None:
    """Replace files and run `uv lock`; if anything fails, restore them, and the lockfile.

    Args:
        changes: Each file as it was read, and its new text.
        context: The project, or the script.
        quiet: Say nothing of success.
        upgrade: Packages whose locked versions are given up.

    Raises:
        WriteRefused: A file was not replaced; all are as they were.
        UvError: uv is missing or failed; all are as they were.
    """
    lockfile = files.read_file(context.lock_path, may_be_missing=True)
    with orderly():
        try:
            files.replace_all(changes)
            _lock(context, upgrade, changes, quiet=quiet)
        except BaseException:
            with held():
                for before, text in changes:
                    _put_back(before, before.encode(text))
                _put_back(lockfile, None)
            raise
    if not quiet:
        sys.stderr.write(f"locked {spoken_path(context.lock_path)}\n")


def _lock(
    context: OpenProject,
    upgrade: Sequence[str],
    changes: Sequence[tuple[SourceFile, str]],
    *,
    quiet: bool,
) -> None:
    packages = [word for name in upgrade for word in ("--upgrade-package", name)]
    folder, words = context.lock_folder, context.lock_words
    run = run_uv(*words, *(["--quiet"] if quiet else []), *packages, folder=folder)
    if run.returncode != 0:
        raise UvError(
            f"`uv {' '.join(words)}` failed; all files restored",
            at=folder,
            help=(None if context.project.is_script else _cure(run.stderr, changes))
            or "see uv's error above",
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
            print_notes([f"warning: {before.path} has changed since and was not restored"])
        elif before.raw is None:
            files.remove_created(before)
        else:
            files.replace(now, before.text)
    except (TorchconfError, OSError) as error:
        # The other files are still to be put back.
        print_notes([f"warning: cannot restore {before.path}: {error}"])


def _cure(stderr: str, changes: Sequence[tuple[SourceFile, str]]) -> str | None:
    """Return what helps against a failure that `required-environments` brings about."""
    if "-compatible wheels" not in stderr:
        return None
    before = any(_requires_environments(file.text) for file, _ in changes)
    if not before and not any(_requires_environments(text) for _, text in changes):
        return None
    other = (
        "remove its platform from `required-environments`"
        if before
        else "omit `--required-environments`"
    )
    return (
        "a package has no wheel for one of the targets: give it a marker such as "
        f"`; sys_platform == 'linux'`, or {other}"
    )


def _requires_environments(text: str) -> bool:
    return read_project(read_toml(text)).required_environments != () if text else False
