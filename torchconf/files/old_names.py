"""Files that another tool than uv reads, told from their names."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False  # `typing` takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "find_old_files",
    "format_of",
    "hint_to_migrate",
    "spoken_old_files",
    "tables_of",
    "title_of",
]

# The word is misspelt often enough: `requirments-gpu.txt`.
_REQUIREMENTS = re.compile(
    r"(?:.*[-_.])?(?:requi?re?ments?|constraints?)(?:[-_.].*)?[.](?:txt|in|pip)", re.IGNORECASE
)
_FOLDER = re.compile(r"requi?re?ments?|reqs?", re.IGNORECASE)
_CONDA = re.compile(r"(?:.*[-_.])?(?:environment|conda|env)(?:[-_.].*)?[.]ya?ml", re.IGNORECASE)
_NAMES = {"Pipfile": "pipenv", "pixi.toml": "pixi", "setup.cfg": "setup", "setup.py": "setup"}
_TITLES = {
    "pip": "a requirements file",
    "conda": "an environment of conda",
    "pipenv": "a file of Pipenv",
    "pixi": "a file of pixi",
    "setup": "a file of setuptools",
}
_TABLES = {"poetry": "Poetry", "pdm": "PDM", "pixi": "pixi"}
"""Tables under `[tool]` of a pyproject.toml, with the names of their tools."""
_TELLING = {
    "poetry": {"dependencies", "dev-dependencies", "group", "source", "name"},
    "pdm": {"source", "dev-dependencies", "resolution"},
    "pixi": {
        "dependencies",
        "pypi-dependencies",
        "feature",
        "environments",
        "project",
        "workspace",
    },
}
"""Keys that make a table more than settings of a tool."""
_SHOWN = 3


def format_of(path: str) -> str | None:
    """Return the format of a file that another tool reads, told from its name."""
    folder, name = os.path.split(path)
    if _REQUIREMENTS.fullmatch(name):
        return "pip"
    if _FOLDER.fullmatch(os.path.basename(folder)) and name.endswith((".txt", ".in")):
        return "pip"
    return "conda" if _CONDA.fullmatch(name) else _NAMES.get(name)


def title_of(path: str) -> str | None:
    """Return the words for such a file: `a requirements file`."""
    return _TITLES.get(format_of(path) or "")


def tables_of(data: Mapping[str, object]) -> list[str]:
    """Return the tables of other tools in a pyproject.toml that say what a project needs."""
    tools = data.get("tool")
    return [
        tool
        for tool in _TABLES
        if isinstance(tools, dict)
        and isinstance(table := tools.get(tool), dict)
        and not _TELLING[tool].isdisjoint(table)
    ]


def find_old_files(folder: str) -> list[str]:
    """Return the files of other tools in a folder, by name; those of setuptools come last."""
    found = [os.path.join(folder, name) for name in _names(folder)]
    for path in list(found):
        if _FOLDER.fullmatch(os.path.basename(path)) and os.path.isdir(path):
            found += [os.path.join(path, name) for name in _names(path)]
    known = [path for path in found if format_of(path) and os.path.isfile(path)]
    return sorted(known, key=lambda path: [*_TITLES].index(format_of(path) or "setup"))


def spoken_old_files(folder: str, data: Mapping[str, object] | None = None) -> str:
    """Return what `migrate` reads in a folder, `requirements.txt and Pipfile`; or nothing.

    Args:
        folder: Of a project, or of none.
        data: What its pyproject.toml says; None without one.
    """
    tables = [f"{_TABLES[tool]}'s tables" for tool in tables_of(data or {})]
    found = [path for path in find_old_files(folder) if format_of(path) != "setup"]
    names = [*tables, *(os.path.relpath(path, folder).replace(os.sep, "/") for path in found)]
    listed = names[:_SHOWN] + ([f"{len(names) - _SHOWN} more"] if names[_SHOWN:] else [])
    return " and ".join([", ".join(listed[:-1]), listed[-1]] if listed[1:] else listed)


def hint_to_migrate(folder: str, data: Mapping[str, object] | None = None) -> str:
    """Return a sentence on what `migrate` reads in a folder, as above; empty for nothing."""
    found = spoken_old_files(folder, data)
    return f"run `torchconf migrate` to turn {found} into a uv project" if found else ""


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
