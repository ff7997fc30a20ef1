"""What decides how Poetry's tables are meant: its extras, and a `[project]` beside them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.migrate.old import BASE, LeftOut, OldIndex, Section

if TYPE_CHECKING:
    from typing import Literal

    from torchconf.migrate.old import Item, Place

__all__ = ["WRONG", "Meaning", "read_source", "section_of_group"]

WRONG = "its value has the wrong type"


class Meaning:
    """How the tables of one file are meant."""

    def __init__(self, project: object, table: dict[str, Any]) -> None:
        """Look at `[project]` and at the tables of Poetry."""
        self._project: dict[str, Any] = project if isinstance(project, dict) else {}
        own = table.get("dependencies")
        self._own = {canonicalize_name(name) for name in own} if isinstance(own, dict) else set()
        self._extras = _extras_by_name(table.get("extras"))
        self._listed = _listed_by_name(self._project)
        dynamic = self._project.get("dynamic")
        names = (
            [name for name in dynamic if isinstance(name, str)] if isinstance(dynamic, list) else []
        )
        self._is_mixed = not {"dependencies", "optional-dependencies"}.isdisjoint(names)
        wanted = table.get("requires-poetry")
        self.is_second = bool(self._project) or (
            isinstance(wanted, str) and "2" in re.split(r"\D+", wanted)
        )
        """Whether these tables are for Poetry 2."""

    @property
    def has_own_extras(self) -> bool:
        """Whether the extras are those of `[project]`."""
        return self._listed is not None

    def listed(self, name: str) -> list[Section] | None:
        """Return where `[project]` lists a package; None if it is for Poetry's tables to list it.

        An empty list means that Poetry ignores the package.
        """
        key = canonicalize_name(name)
        if self._listed is None or (self._is_mixed and key not in self._listed):
            return None
        return self._listed.get(key, [])

    def sections(self, name: str, entry: object) -> list[Section]:
        """Return what an entry of `dependencies` is for; empty if it is optional and unused."""
        if not isinstance(entry, dict) or entry.get("optional") is not True:
            return [BASE]
        return [Section("extra", extra) for extra in self._extras.get(canonicalize_name(name), ())]

    def missing(self, names: list[Any]) -> list[Any]:
        """Return what an extra lists that is not a dependency."""
        return [one for one in names if not isinstance(one, str) or _name(one) not in self._own]


def section_of_group(name: str, group: dict[str, Any]) -> Section:
    """Return a group as a part of the project; `main` is the project itself."""
    if canonicalize_name(name) == "main":
        return BASE
    return Section("group", name, optional=group.get("optional") is True)


def read_source(source: object, at: Place, text: str, *, alone: bool) -> Item:
    """Read one entry of `[[tool.poetry.source]]`.

    Args:
        source: The entry.
        at: Where it stands.
        text: How it is written.
        alone: Whether a source without a priority stands in place of PyPI, as since Poetry 2.
    """
    name = source.get("name") if isinstance(source, dict) else None
    if not isinstance(source, dict) or not isinstance(name, str):
        return LeftOut(at, text, "a source has a name and a URL", understood=False)
    if name.lower() == "pypi":
        return LeftOut(at, text, "PyPI is uv's default index")
    url, priority = source.get("url"), source.get("priority")
    if not isinstance(url, str):
        return LeftOut(at, text, "a source has a name and a URL", understood=False)
    kind: Literal["index", "extra", "links", "explicit"] = "extra"
    if isinstance(priority, str):
        priority = priority.lower()
    elif source.get("secondary") is True:
        priority = "secondary"
    if url.endswith((".html", ".htm")):
        kind = "links"
    elif priority == "explicit":
        kind = "explicit"
    elif (
        priority == "default"
        or source.get("default") is True
        or (priority in (None, "primary") and alone)
    ):
        kind = "index"
    return OldIndex(at, text, url, kind, name)


def _name(text: str) -> str:
    """Return the name of what an extra or `[project]` lists: `torch` of `torch[x]>=2`."""
    return canonicalize_name(re.split(r"[\[\s<>=!~;(@]", text.strip())[0])


def _extras_by_name(table: object) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for extra, names in table.items() if isinstance(table, dict) else ():
        for name in names if isinstance(names, list) else ():
            if isinstance(name, str):
                found.setdefault(_name(name), []).append(extra)
    return found


def _listed_by_name(project: dict[str, Any]) -> dict[str, list[Section]] | None:
    """Return where `[project]` lists each package; None if it lists none."""
    own, extras = project.get("dependencies"), project.get("optional-dependencies")
    if own is None and not extras:
        return None
    tables: list[tuple[Section, Any]] = [(BASE, own)]
    if isinstance(extras, dict):
        tables += [(Section("extra", name), entries) for name, entries in extras.items()]
    found: dict[str, list[Section]] = {}
    for section, entries in tables:
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, str):
                found.setdefault(_name(entry), []).append(section)
    return found
