"""The files of a repository that name a backend which a project has left."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

from torchconf.files import spoken_path
from torchconf.files.walking import find_files, repository
from torchconf.model.named_tuple import NamedTuple
from torchconf.planner.upgrade.mentions import mention_pattern, mentions
from torchconf.workspace.opened import LOCKFILE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from torchconf.files import Change
    from torchconf.model.backends import Backend
    from torchconf.workspace.opened import OpenProject

_LARGEST = 1 << 20
_MOST = 20_000
"""Files that are looked at: a folder of data must not take minutes."""
_SHOWN = 5
"""Lines of one file that are printed."""


class Mention(NamedTuple):
    """One line that names an old backend."""

    path: str
    line: int
    text: str


def find_mentions(
    context: OpenProject, changes: Sequence[Change], old: Iterable[Backend], *, kept: bool
) -> list[Mention]:
    """Return the lines that name old backends, in every text of the repository but lockfiles.

    Args:
        context: The project.
        changes: Of its files, which are searched as they will be.
        old: The backends.
        kept: Some extra or group is still named after one, which is no news.
    """
    pattern = mention_pattern(old)
    edited = {os.path.realpath(change.file.target): change.text for change in changes}
    found: list[Mention] = []
    for path in islice(find_files(repository(context.lock_folder), ignored=False), _MOST):
        own = edited.get(os.path.realpath(path))
        text = _read(path) if own is None else own
        if text is not None and pattern.search(text):
            lines = mentions(text, pattern, beside_names=kept and own is not None)
            found += [Mention(spoken_path(path), *line) for line in lines]
    return found


def find_installs(
    context: OpenProject, read: Iterable[str], builds: Collection[str]
) -> list[Mention]:
    """Return the lines of images, workflows and scripts that install another build.

    Args:
        context: The project.
        read: Files that were read already, relative to its folder.
        builds: Those that the project has.
    """
    # Imported here: few commands ask.
    from torchconf.migrate.installs import installs, may_install

    top = repository(context.folder)
    known = {os.path.realpath(os.path.join(context.folder, path)) for path in read}
    found: list[Mention] = []
    for path in islice(find_files(top, ignored=False), _MOST):
        name = os.path.relpath(path, top).replace(os.sep, "/")
        if not may_install(name) or os.path.realpath(path) in known:
            continue
        text = _read(path) or ""
        found += [
            Mention(spoken_path(path), one.line, one.text)
            for one in installs(text, context.catalog, builds)
        ]
    return found


def _read(path: str) -> str | None:
    """Return what a file says; None for one that is no text, too large, or written by a tool."""
    name = os.path.basename(path)
    if name == LOCKFILE or name.endswith((".lock", "-lock.json", "-lock.yaml")):
        return None
    try:
        if os.path.getsize(path) > _LARGEST:
            return None
        with open(path, "rb") as file:
            return file.read().decode()
    except (OSError, UnicodeDecodeError):
        return None


def spoken(found: Sequence[Mention]) -> Iterator[str]:
    """Yield mentions as lines, `Dockerfile:3: ...`; of a file that has many, only the first."""
    for path in dict.fromkeys(one.path for one in found):
        own = [one for one in found if one.path == path]
        yield from (f"{path}:{one.line}: {one.text[:100]}" for one in own[:_SHOWN])
        if len(own) > _SHOWN:
            yield f"{path}: and {len(own) - _SHOWN} more lines"
