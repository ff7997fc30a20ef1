"""Poetry: `[tool.poetry]` of a pyproject.toml, alone or beside `[project]`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.migrate.old import About, LeftOut, Need, OldFile, Part, PythonBound, Section
from torchconf.migrate.poetry_about import ABOUT, about, entry_point, script
from torchconf.migrate.poetry_needs import needs_of
from torchconf.migrate.poetry_project import WRONG, Meaning, read_source, section_of_group
from torchconf.migrate.poetry_versions import NoSpecifier, convert_python
from torchconf.migrate.toml_file import TomlFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torchconf.migrate.old import Item, Place
    from torchconf.model.toml_path import Path

__all__ = ["read_poetry"]

_TABLE = ("tool", "poetry")
_MOST = 50
"""Groups that one group includes, those that they include among them."""


def read_poetry(path: str, text: str) -> OldFile:
    """Read Poetry's tables of a pyproject.toml.

    Raises:
        ProjectError: It is not TOML, or Poetry has no table in it.
    """
    file = TomlFile(path, text, (_TABLE,))
    table = file.of_tool("poetry")
    return OldFile(path, "poetry", file.account(_Reader(file, table).read()))


class _Reader:
    """The tables of one file."""

    def __init__(self, file: TomlFile, table: dict[str, Any]) -> None:
        self._file = file
        self._table = table
        self._meaning = Meaning(file.data.get("project"), table)

    def _take(self, *path: str | int) -> tuple[Place, str]:
        return self._file.take(*_TABLE, *path)

    def read(self) -> Iterator[Item]:
        """Yield an item for each line, table by table."""
        for key, value in self._table.items():
            match key, value:
                case "dependencies", dict():
                    yield from self._main(value)
                case "dev-dependencies", dict():
                    yield from self._of_group((key,), value, Section("group", "dev"))
                case "group", dict():
                    yield from self._groups(value)
                case "extras", dict():
                    yield from self._extras(value)
                case "source", list():
                    yield from self._sources(value)
                case (("scripts" | "plugins" | "urls"), dict()):
                    yield from self._entries(key, value)
                case _ if key in ABOUT:
                    yield about(key, value, *self._take(key))
                case _:
                    known = key in {"dependencies", "dev-dependencies", "group", "extras", "source"}
                    why = WRONG if known else f"Poetry has no key `{key}`"
                    yield LeftOut(*self._take(key), why, understood=False)

    def _main(self, table: dict[str, Any]) -> Iterator[Item]:
        """Yield what the project itself needs, or what one of its extras adds."""
        for name, value in table.items():
            place = ("dependencies", name)
            if canonicalize_name(name) == "python":
                yield _python(value, *self._take(*place))
                continue
            listed = self._meaning.listed(name)
            if listed is None:
                yield from self._needs(place, value, partial(self._meaning.sections, name))
            elif listed:
                for item in self._needs(place, value, partial(_always, listed)):
                    yield item._replace(beside=True) if isinstance(item, Need) else item
            else:
                yield LeftOut(
                    *self._take(*place), "Poetry ignores it: `[project]` does not list it"
                )

    def _needs(
        self, place: Path, value: object, sections: Callable[[object], Sequence[Section]]
    ) -> Iterator[Item]:
        """Yield what one name of a table of dependencies needs."""
        name = str(place[-1])
        if not isinstance(value, list):
            yield from needs_of(name, value, *self._take(*place), sections(value))
            return
        for number, entry in enumerate(value):
            at, text = self._take(*place, number)
            text = f"{name} = {text}" if text.startswith("{") else text
            yield from needs_of(name, entry, at, text, sections(entry))
        if not value:
            yield LeftOut(*self._take(*place), "it is empty")

    def _of_group(self, place: Path, table: dict[str, Any], section: Section) -> Iterator[Item]:
        """Yield what a table of dependencies of a group needs."""
        for name, value in table.items():
            if canonicalize_name(name) == "python":
                at, text = self._take(*place, name)
                yield LeftOut(at, text, "Poetry ignores the Python of a group")
            else:
                yield from self._needs((*place, name), value, partial(_always, [section]))

    def _groups(self, table: dict[str, Any]) -> Iterator[Item]:
        """Yield what dependency groups need; what a group includes, it needs too."""
        needs: dict[str, list[Need]] = {}
        group_keys = {"dependencies", "optional"}
        for name, group in table.items():
            if not isinstance(group, dict):
                yield LeftOut(*self._take("group", name), WRONG, understood=False)
                continue
            section = section_of_group(name, group)
            for key, value in group.items():
                if key == "dependencies" and isinstance(value, dict):
                    found = [*self._of_group(("group", name, key), value, section)]
                    needs[canonicalize_name(name)] = [one for one in found if isinstance(one, Need)]
                    yield from found
                elif key == "optional" and isinstance(value, bool):
                    why = f"whether group `{name}` is installed unless it is asked for"
                    yield Part(*self._take("group", name, key), why)
                elif key != "include-groups":
                    why = WRONG if key in group_keys else f"a group has no key `{key}`"
                    yield LeftOut(*self._take("group", name, key), why, understood=False)
        includes: dict[str, object] = {
            canonicalize_name(name): group.get("include-groups", [])
            for name, group in table.items()
            if isinstance(group, dict)
        }
        for name, group in table.items():
            if isinstance(group, dict) and "include-groups" in group:
                section = section_of_group(name, group)
                at, text = self._take("group", name, "include-groups")
                yield from _included(section, name, at, text, includes, needs)

    def _extras(self, table: dict[str, Any]) -> Iterator[Item]:
        for name, value in table.items():
            at, text = self._take("extras", name)
            if self._meaning.has_own_extras:
                yield LeftOut(at, text, "Poetry ignores it: `[project]` has the extras")
                continue
            names = value if isinstance(value, list) else [value]
            missing = self._meaning.missing(names)
            for one in missing:
                why = f"no dependency is called `{one}`" if isinstance(one, str) else WRONG
                yield LeftOut(at, text, why, understood=False)
            if not missing:
                yield Part(at, text, f"extra `{name}` is read with the dependencies that it lists")

    def _sources(self, sources: list[Any]) -> Iterator[Item]:
        names = [source.get("name") for source in sources if isinstance(source, dict)]
        has_pypi = any(isinstance(name, str) and name.lower() == "pypi" for name in names)
        alone = self._meaning.is_second and not has_pypi
        for number, source in enumerate(sources):
            yield read_source(source, *self._take("source", number), alone=alone)
        if not sources:
            yield LeftOut(*self._take("source"), "it is empty")

    def _entries(self, key: str, table: dict[str, Any]) -> Iterator[Item]:
        """Yield an item for each script, plugin or URL."""
        for name, value in table.items():
            if key == "plugins" and isinstance(value, dict):
                for entry, reference in value.items():
                    yield entry_point(name, entry, reference, *self._take(key, name, entry))
                continue
            at, text = self._take(key, name)
            if key == "scripts":
                yield script(name, value, at, text)
            elif key == "urls" and isinstance(value, str):
                yield About(at, text, "urls", {name: value})
            else:
                yield LeftOut(at, text, WRONG, understood=False)


def _always(sections: Sequence[Section], _: object) -> Sequence[Section]:
    return sections


def _included(
    section: Section,
    name: str,
    at: Place,
    text: str,
    includes: dict[str, object],
    needs: dict[str, list[Need]],
) -> Iterator[Item]:
    """Yield what a group needs because it includes others."""
    start = canonicalize_name(name)
    seen: dict[str, None] = {start: None}
    left: list[str] = [start]
    while left and len(seen) <= _MOST:
        others = includes[left.pop()]
        for other in others if isinstance(others, list) else [others]:
            key = canonicalize_name(other) if isinstance(other, str) else ""
            if key not in includes:
                yield LeftOut(at, text, f"no group is called `{other}`", understood=False)
            elif key not in seen:
                seen[key] = None
                left.append(key)
    if left:
        yield LeftOut(at, text, f"it includes more than {_MOST} groups", understood=False)
        return
    for group in [*seen][1:]:
        yield from (need._replace(section=section) for need in needs.get(group, ()))
    yield Part(at, text, f"group `{name}` gets what they need")


def _python(value: object, at: Place, text: str) -> Item:
    if not isinstance(value, str):
        return LeftOut(at, text, WRONG, understood=False)
    try:
        return PythonBound(at, text, convert_python(value))
    except NoSpecifier as error:
        return LeftOut(at, text, str(error), understood=False)
