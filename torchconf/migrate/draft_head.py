"""Draft the head of `[project]`: what it is called, what it says of itself, and its Pythons."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from torchconf.migrate.old import About, PythonBound, items_of
from torchconf.model.ranges import is_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.edits.draft import Draft
    from torchconf.migrate.account import Ledger, Verdict
    from torchconf.migrate.old import OldFile
    from torchconf.model.project import Project
    from torchconf.model.toml_path import Path

__all__ = ["HeadDraft"]

_SAYS = "as the old files say"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_PYTHON: Path = ("project", "requires-python")


class HeadDraft:
    """The head of `[project]` in a draft."""

    def __init__(
        self, files: Sequence[OldFile], project: Project, draft: Draft, ledger: Ledger
    ) -> None:
        """Start with what the project has."""
        self.files = files
        self.project = project
        self.draft = draft
        self.ledger = ledger

    def draft_all(self, folder: str, python: str | None, *, asked: bool) -> None:
        """Draft everything but the lists of requirements.

        Args:
            folder: The name of the project's folder.
            python: For `requires-python`, if neither the project nor the files say it.
            asked: Whether somebody says which Pythons, whatever the files say.
        """
        self._about(folder)
        self._python(python, asked=asked)

    def _about(self, folder: str) -> None:
        new = not self.project.has_project
        said: dict[str, Any] = {}
        for item in items_of(self.files, About):
            path = ("tool", "uv", "package") if item.key == "package" else ("project", item.key)
            there = said.get(item.key, self.draft.get(path))
            value, why = item.value, ""
            if item.key == "version" and not is_version(str(value)):
                self.ledger.note(item, "left out", why=f"`{value}` is not a valid version")
                continue
            if item.key == "name" and not _NAME.fullmatch(str(value)):
                value, why = (
                    _name(str(value)),
                    "a name may contain letters, digits, `-`, `_` and `.`",
                )
            if isinstance(there, dict) and isinstance(value, dict):
                said[item.key] = _merged(value, there)
            elif there is None and item.key not in self.project.dynamic:
                said[item.key] = value
            elif there != value:
                self.ledger.note(item, "left out", why=f"the project has a `{item.key}` already")
                continue
            into = ".".join(path)
            self.ledger.note(item, "changed" if why else "taken", into, why)
        if new:
            said = {"name": _name(folder), "version": "0.1.0"} | said
        package = said.pop("package", None)
        for key in sorted(said, key=_place):
            self.draft.put(("project", key), said[key], _SAYS)
        if package is not None:
            self.draft.put(("tool", "uv", "package"), package, _SAYS)

    def _python(self, python: str | None, *, asked: bool) -> None:
        for item in items_of(self.files, PythonBound):
            there = self.draft.get(_PYTHON)
            text = python_range(item.specifier)
            if asked:
                self.ledger.note(item, "left out", why="`--python` says which Pythons")
            elif there is not None or _PYTHON[1] in self.project.dynamic:
                outcome: Verdict = "taken" if there == text else "left out"
                why = "" if there == text else "requires-python says it already"
                self.ledger.note(item, outcome, f"project.requires-python: {there}", why)
            else:
                self.draft.put(_PYTHON, text, _SAYS)
                outcome = "taken" if text == item.specifier else "changed"
                self.ledger.note(item, outcome, f"project.requires-python: {text}")
        known = self.draft.get(_PYTHON) is not None or _PYTHON[1] in self.project.dynamic
        if python is not None and not known:
            self.draft.put(_PYTHON, python, "the Pythons that this torch has for all targets")


_ORDER = ("name", "version", "description", "readme", "license", "authors", "maintainers")


def _name(text: str) -> str:
    """Return the name of a project that comes closest to a text."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower() or "project"


def _place(key: str) -> int:
    return _ORDER.index(key) if key in _ORDER else len(_ORDER)


def _merged(new: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
    """Return a table with the keys of another, table by table; what is there stays."""
    found = dict(there)
    for key, value in new.items():
        old = found.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            found[key] = _merged(value, old)
        else:
            found.setdefault(key, value)
    return found


def python_range(specifier: str) -> str:
    """Return a range for `requires-python`: an environment's one Python is where it starts."""
    found = re.fullmatch(r"\s*={1,2}\s*([0-9]+[.][0-9]+)(?:[.][0-9*]+)?\s*", specifier)
    return f">={found[1]}" if found else specifier
