"""Draft what leaves the tables of other tools: sources, or with `--remove-old` everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.model.toml_path import render_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from torchconf.edits.draft import Draft
    from torchconf.migrate.old import OldFile
    from torchconf.model.toml_path import Path

__all__ = ["TITLES", "remove_old_tables"]

_BUILDING = {
    "poetry": frozenset({"packages", "include", "exclude", "build"}),
    "pdm": frozenset({"build", "version"}),
}
"""Keys that a build backend reads, whoever installs the project."""
TITLES = {"poetry": "Poetry", "pdm": "PDM", "pixi": "pixi"}
"""What the tools are called that have tables in a pyproject.toml."""


def remove_old_tables(draft: Draft, files: Iterable[OldFile], *, everything: bool) -> Iterator[str]:
    """Take away what uv has now, so that it is said once.

    Args:
        draft: Of the project.
        files: As read.
        everything: Whether all tables of other tools go, but for what a build backend reads.

    Yields:
        A sentence on each table that leaves, or stays.
    """
    tools = [file.format for file in files if file.path == "pyproject.toml"]
    for tool in dict.fromkeys(tools):
        table = draft.get(("tool", tool))
        if not isinstance(table, dict):
            continue
        title = TITLES.get(tool, tool)
        if everything:
            kept = _BUILDING.get(tool, frozenset()) if _builds_with(draft, tool) else frozenset()
            yield from _everything(draft, tool, table, kept)
            continue
        if "source" in table:
            draft.remove(("tool", tool, "source"), f"uv has {title}'s sources as indexes")
            _remove_names(draft, ("tool", tool), table)
            yield f"{title}'s sources moved to `tool.uv.index`"
        yield f"the other tables of {title} stay, for {title}; `--remove-old` removes them"


def _everything(
    draft: Draft, tool: str, table: Mapping[str, Any], kept: Iterable[str]
) -> Iterator[str]:
    path: Path = ("tool", tool)
    stays = [key for key in table if key in kept]
    if not stays:
        draft.remove(path, "the project uses uv now")
        yield f"removed `{render_path(path)}`"
        return
    gone = [key for key in table if key not in kept]
    for key in gone:
        draft.remove((*path, key), "the project uses uv now")
    names = ", ".join(f"`{key}`" for key in gone)
    left = ", ".join(f"`{key}`" for key in stays)
    if gone:
        yield f"removed from `{render_path(path)}`: {names}; its build backend reads {left}"


def _builds_with(draft: Draft, tool: str) -> bool:
    backend = draft.get(("build-system", "build-backend"))
    return isinstance(backend, str) and tool in backend


def _remove_names(draft: Draft, path: Path, table: Mapping[str, Any]) -> None:
    """Take the names of sources out of the dependencies that name them."""
    groups = table.get("group")
    places: list[Path] = [(*path, "dependencies"), (*path, "dev-dependencies")]
    names = groups if isinstance(groups, dict) else ()
    places += [(*path, "group", name, "dependencies") for name in names]
    for place in places:
        needs = draft.get(place)
        for name, value in list(needs.items()) if isinstance(needs, dict) else ():
            entries = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
            for number, entry in entries:
                if isinstance(entry, dict) and "source" in entry:
                    own = (*place, name) if number is None else (*place, name, number)
                    draft.remove((*own, "source"), "the source has moved")
