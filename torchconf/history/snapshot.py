"""The files of a commit that say something about builds, written to a folder as they were.

What reads projects reads folders. So a commit becomes a folder: each pyproject.toml, each lockfile,
each script with a block, and empty files in the place of wheels, whose names are all that counts.
A link is followed within the commit, and never becomes one: it could lead anywhere.
"""

from __future__ import annotations

import errno
import os
import posixpath
from contextlib import suppress
from typing import TYPE_CHECKING

from torchconf.errors import TorchconfError
from torchconf.files import NAME
from torchconf.files.reading import PYTHON
from torchconf.history.git import LINK, SUBMODULE, Repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torchconf.history.git import Entry

__all__ = ["take_snapshot"]

_READ = frozenset({NAME, "uv.lock", ".gitignore"})
_LOCKED_SCRIPTS = tuple(f"{ending}.lock" for ending in PYTHON)
_BLOCK = "# /// script"
_MOST_LINKS = 10


def take_snapshot(repository: Repository, commit: str, into: str) -> list[str]:
    """Write the files of a commit.

    Args:
        repository: Which has it.
        commit: Its name.
        into: An empty folder.

    Returns:
        The places of submodules that cannot be read, because they are not checked out here or lack
        the commit.

    Raises:
        GitError: git cannot give them.
    """
    # Its top, for whoever looks for what git ignores.
    os.makedirs(os.path.join(into, ".git"), exist_ok=True)
    return list(_write(repository, commit, into, ""))


def _write(repository: Repository, commit: str, into: str, above: str) -> Iterator[str]:
    entries = {one.path: one for one in repository.files(commit) if _is_harmless(one.path)}
    scripts = {
        path for ending in PYTHON for path in repository.with_text(commit, _BLOCK, f"**/*{ending}")
    }
    for folder in {posixpath.dirname(path) for path in entries}:
        with suppress(OSError):
            os.makedirs(os.path.join(into, *folder.split("/")), exist_ok=True)
    wanted: dict[str, Entry] = {}
    for path, target in _followed(repository, entries).items():
        name = posixpath.basename(path)
        if name in _READ or name.endswith(_LOCKED_SCRIPTS) or path in scripts:
            wanted[path] = target
        elif name.endswith(".whl"):
            _put(into, path, b"")
    contents = repository.contents(entry.name for entry in wanted.values())
    for path, content in zip(wanted, contents, strict=True):
        _put(into, path, content)
    for entry in entries.values():
        if entry.mode == SUBMODULE:
            yield from _submodule(repository, entry, into, above)


def _submodule(repository: Repository, entry: Entry, into: str, above: str) -> Iterator[str]:
    """Write the files of a submodule as its commit of that time has them, if that is here."""
    place = f"{above}{entry.path}"
    inside = repository.below(entry.path)
    if inside is None:
        yield place
        return
    try:
        yield from _write(
            inside, entry.name, os.path.join(into, *entry.path.split("/")), f"{place}/"
        )
    except TorchconfError:
        yield place


def _followed(repository: Repository, entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return the files of a commit, and those to which a link leads, by the path of the link."""
    files = {p: e for p, e in entries.items() if e.mode not in {LINK, SUBMODULE}}
    links = [one for one in entries.values() if one.mode == LINK]
    if not links:
        return files
    targets = dict(
        zip(
            (one.path for one in links),
            map(os.fsdecode, repository.contents(one.name for one in links)),
            strict=True,
        )
    )
    found = dict(files)
    for path in targets:
        place = _end_of(path, targets)
        if place is None:
            continue
        if place in files:
            found[path] = files[place]
        start = f"{place}/" if place else ""
        if not path.startswith(start):  # a folder that holds the link would never end
            found |= {
                f"{path}/{inside.removeprefix(start)}": entry
                for inside, entry in files.items()
                if inside.startswith(start)
            }
    return found


def _end_of(path: str, targets: Mapping[str, str]) -> str | None:
    """Return where a link ends in its commit; None where that is outside, or nowhere."""
    for _ in range(_MOST_LINKS):
        if path not in targets:
            return path
        target = targets[path]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if target.startswith("/") or path.split("/")[0] == "..":
            return None
    return None


def _is_harmless(path: str) -> bool:
    """Tell whether a path stays in its folder, on every system: a tree can hold any name."""
    odd = ("\\", ":") if os.name == "nt" else ("\0",)
    parts = path.split("/")
    return not any(part in {"", ".", ".."} or part.lower() == ".git" for part in parts) and not any(
        sign in path for sign in odd
    )


def _put(into: str, path: str, content: bytes) -> None:
    place = os.path.join(into, *path.split("/"))
    try:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as file:
            file.write(content)
    except OSError as error:
        if error.errno not in _IMPOSSIBLE:
            raise


_IMPOSSIBLE = frozenset(
    {
        errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR, errno.EISDIR,
        errno.EEXIST,
    }
)  # fmt: skip
"""A name that this system does not have, or not beside another: no checkout here has it either."""
