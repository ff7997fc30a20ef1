"""Dependencies that a build backend reads from old files: from now on the project lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchconf.edits.draft import Draft
    from torchconf.migrate.old import OldFile
    from torchconf.model.project import Project
    from torchconf.model.toml_path import Path

__all__ = ["lists_statically"]

_SETUPTOOLS: Path = ("tool", "setuptools", "dynamic")
_KEYS = ("dependencies", "optional-dependencies")


def lists_statically(draft: Draft, project: Project, files: Sequence[OldFile]) -> Iterator[str]:
    """Take lists that were read out of `dynamic`, as a key is either there or in `[project]`.

    Args:
        draft: Of the project.
        project: As it is.
        files: As read.

    Yields:
        A sentence on each key that was dynamic.

    Raises:
        ProjectError: Something else says them, which nobody has read.
    """
    read = {file.path for file in files}
    poetry = any(file.format == "poetry" for file in files)
    for key in _KEYS:
        if key not in project.dynamic:
            continue
        named = _named(draft.get((*_SETUPTOOLS, key)))
        if named and named <= read:
            table = draft.get(_SETUPTOOLS)
            alone = isinstance(table, dict) and len(table) == 1
            draft.remove(_SETUPTOOLS if alone else (*_SETUPTOOLS, key), "`[project]` lists them")
        elif not poetry:
            raise ProjectError(
                f"`{key}` is dynamic: the build backend says it, and not the files that were read",
                at=project.place("project.dynamic"),
                help=f"list `{key}` in `[project]`, and take the word out of `dynamic`",
            )
        dynamic = draft.get(("project", "dynamic"))
        if dynamic == [key]:
            draft.remove(("project", "dynamic"), "`[project]` lists them")
        else:
            draft.remove(("project", "dynamic", dynamic.index(key)), "`[project]` lists them")
        yield f"`{key}` is no longer dynamic: `[project]` lists what the build backend read"


def _named(entry: object) -> set[str]:
    """Return the files that setuptools reads for a key."""
    if not isinstance(entry, dict):
        return set()
    if "file" not in entry:
        return set().union(*map(_named, entry.values())) if entry else set()
    files = entry["file"]
    names = files if isinstance(files, list) else [files]
    return {name for name in names if isinstance(name, str)}
