"""The folder of a new project: written whole, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING

from torchconf import files
from torchconf.errors import RequestError, WriteRefused
from torchconf.files.litter import MADE, locked
from torchconf.files.reading import reason
from torchconf.interrupts import held, orderly
from torchconf.resolve.programs import find_program
from torchconf.resolve.uv import capture_uv, run_quietly

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def refuse_full(folder: str) -> None:
    """Refuse a folder in which there is something already."""
    if os.path.lexists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
        raise WriteRefused(
            "the folder exists and is not empty", at=folder, help="choose another folder"
        )


@orderly()
def make_folder(folder: str, texts: Mapping[str, str], *, lock: bool, git: bool) -> None:
    """Make the project beside its place, and move it there; a failure leaves nothing behind.

    Args:
        folder: Its place.
        texts: Its files: path to text.
        lock: Whether to run `uv lock` in it.
        git: Whether to run `git init` in it.
    """
    parent = os.path.dirname(folder)
    missing = _missing(parent)
    try:
        try:
            os.makedirs(parent, exist_ok=True)
            files.sweep(parent)
            made = tempfile.mkdtemp(prefix=MADE, dir=parent)
        except OSError as error:
            raise WriteRefused(
                f"cannot write to this folder: {reason(error)}", at=parent
            ) from error
        with locked([made]):
            _fill_and_move(made, folder, texts, lock=lock, git=git)
    except BaseException:
        with held():
            for place in missing:
                # One in which somebody else has put something stays.
                with suppress(OSError):
                    os.rmdir(place)
        raise


def _missing(folder: str) -> list[str]:
    """Return the folders that have to be made for one, the innermost first."""
    found: list[str] = []
    while not os.path.lexists(folder) and folder != os.path.dirname(folder):
        found.append(folder)
        folder = os.path.dirname(folder)
    return found


def _fill_and_move(
    made: str, folder: str, texts: Mapping[str, str], *, lock: bool, git: bool
) -> None:
    try:
        for name, text in texts.items():
            path = os.path.join(made, *name.split("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
        if lock:
            capture_uv(["lock"], folder=made).succeed("uv cannot lock the new project")
        if git:
            _start_repository(made)
        # A folder that `mkdtemp` made is for its owner alone.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(made, 0o777 & ~mask)
        with held() as waiting:
            if not waiting:
                _move(made, folder)
    except BaseException as error:
        with held():
            shutil.rmtree(made, ignore_errors=True)
        if isinstance(error, OSError):
            raise WriteRefused(f"cannot write the project: {reason(error)}", at=folder) from error
        raise


def _move(made: str, folder: str) -> None:
    """Move what was made to its place.

    An empty folder that is there stays, and is filled: a shell may stand in it.
    """
    if not os.path.isdir(folder):
        os.replace(made, folder)
        return
    moved: list[str] = []
    try:
        for name in sorted(os.listdir(made)):
            os.rename(os.path.join(made, name), os.path.join(folder, name))
            moved.append(name)
        os.rmdir(made)
    except BaseException:
        for name in moved:
            os.rename(os.path.join(folder, name), os.path.join(made, name))
        raise


def _start_repository(folder: str) -> None:
    git = find_program("git")
    if git is None or run_quietly([git, "init", "--quiet", folder]):
        raise RequestError("cannot run `git init`", help="omit `--git`")


def read_folder(folder: str, wanted: Iterable[str]) -> dict[str, str]:
    """Return the files of a template as they are in a folder that cookiecutter has made."""
    return {name: files.read_file(os.path.join(folder, name)).text for name in wanted}


def complete_folder(folder: str, texts: Mapping[str, str]) -> None:
    """Write all files of a project whose folder is there: each whole, or none."""
    changes = []
    for name, text in texts.items():
        path = os.path.join(folder, *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        changes.append((files.read_file(path, may_be_missing=True), text))
    files.replace_all(changes)
