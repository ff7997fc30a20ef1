"""What a project says about itself in Poetry's tables, in the form that `[project]` has for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.migrate.old import About, Item, LeftOut

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchconf.migrate.old import Place

__all__ = ["ABOUT", "about", "entry_point", "script"]

_STAYS = "Poetry's build backend still reads it"
_PERSON = re.compile(r"\s*(?P<name>[^<>]*?)\s*(?:<(?P<email>[^<>\s]+)>)?\s*")


def about(key: str, value: object, at: Place, text: str) -> Item:
    """Return what one key of `[tool.poetry]` says."""
    return ABOUT[key](key, value, at, text)


def script(name: str, value: object, at: Place, text: str) -> Item:
    """Return what one entry of `[tool.poetry.scripts]` says."""
    reference: object = value
    if isinstance(value, dict):
        reference = value.get("reference", value.get("callable"))
        if value.get("type") == "file":
            return LeftOut(at, text, _STAYS)
    return _entry_point("scripts", name, reference, at, text)


def entry_point(group: str, name: str, value: object, at: Place, text: str) -> Item:
    """Return what one entry of a table in `[tool.poetry.plugins]` says."""
    found = _entry_point("entry-points", name, value, at, text)
    return found._replace(value={group: found.value}) if isinstance(found, About) else found


def _entry_point(key: str, name: str, value: object, at: Place, text: str) -> Item:
    if not isinstance(value, str):
        return _wrong(at, text)
    return About(at, text, key, {name: value})


def _wrong(at: Place, text: str) -> LeftOut:
    return LeftOut(at, text, "its value has the wrong type", understood=False)


def _string(key: str, value: object, at: Place, text: str) -> Item:
    return About(at, text, key, value) if isinstance(value, str) else _wrong(at, text)


def _strings(key: str, value: object, at: Place, text: str) -> Item:
    names = _names(value)
    return _wrong(at, text) if names is None else About(at, text, key, names)


def _names(value: object) -> list[str] | None:
    if not isinstance(value, list):
        return None
    names = [name for name in value if isinstance(name, str)]
    return names if len(names) == len(value) else None


def _people(key: str, value: object, at: Place, text: str) -> Item:
    names = _names(value)
    if names is None:
        return _wrong(at, text)
    people: list[dict[str, str]] = []
    for name in names:
        match = _PERSON.fullmatch(name)
        found = {k: v for k, v in match.groupdict().items() if v} if match else {}
        people.append(found or {"name": name})
    return About(at, text, key, people)


def _license(key: str, value: object, at: Place, text: str) -> Item:
    if not isinstance(value, str):
        return _wrong(at, text)
    # Imported here: few projects that are read have a license.
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return About(at, text, key, str(canonicalize_license_expression(value)))
    except InvalidLicenseExpression:
        return About(at, text, key, {"text": value})


def _readme(key: str, value: object, at: Place, text: str) -> Item:
    names = [value] if isinstance(value, str) else _names(value)
    if not names:
        return _wrong(at, text)
    if len(names) > 1:
        return LeftOut(at, text, "`[project]` has one readme", understood=False)
    return About(at, text, key, names[0])


def _url(key: str, value: object, at: Place, text: str) -> Item:
    return (
        About(at, text, "urls", {key.capitalize(): value})
        if isinstance(value, str)
        else _wrong(at, text)
    )


def _package_mode(_: str, value: object, at: Place, text: str) -> Item:
    return About(at, text, "package", value) if isinstance(value, bool) else _wrong(at, text)


def _left_out(why: str, *, understood: bool = True) -> Callable[[str, object, Place, str], Item]:
    return lambda _key, _value, at, text: LeftOut(at, text, why, understood)


ABOUT: dict[str, Callable[[str, object, Place, str], Item]] = {
    **dict.fromkeys(("name", "version", "description"), _string),
    **dict.fromkeys(("keywords", "classifiers"), _strings),
    **dict.fromkeys(("authors", "maintainers"), _people),
    **dict.fromkeys(("homepage", "repository", "documentation"), _url),
    "license": _license,
    "readme": _readme,
    "package-mode": _package_mode,
    **dict.fromkeys(("packages", "include", "exclude", "build", "format"), _left_out(_STAYS)),
    **dict.fromkeys(("requires-poetry", "requires-plugins"), _left_out("only Poetry needs it")),
    "build-constraints": _left_out(
        "uv has `tool.uv.build-constraint-dependencies` for this", understood=False
    ),
}
"""The keys of `[tool.poetry]` that have no table of their own here, and what becomes of each."""
