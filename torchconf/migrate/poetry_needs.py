"""One dependency as Poetry writes it: a version, a table, or one of a list of tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from torchconf.migrate.extra_markers import NoMarker, join_markers, normal_marker, split_extras
from torchconf.migrate.git_urls import git_url
from torchconf.migrate.old import LeftOut, Need, Section
from torchconf.migrate.poetry_versions import NoSpecifier, as_marker, convert, with_prereleases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchconf.migrate.old import Place

__all__ = ["needs_of"]

_KEYS = {
    "version", "extras", "optional", "markers", "python", "platform", "source", "git", "branch",
    "tag", "rev", "subdirectory", "path", "file", "develop", "url", "allow-prereleases",
    "allows-prereleases",
}  # fmt: skip


def needs_of(
    name: str, entry: object, at: Place, text: str, sections: Sequence[Section]
) -> Iterator[Need | LeftOut]:
    """Read one entry of a dependency.

    Args:
        name: Its name, as written.
        entry: The version, or the table.
        at: Where it stands.
        text: How it is written.
        sections: The parts of the project that it is for, unless its marker names extras.

    Yields:
        A need for each part of the project. What cannot be read is left out, with the reason.
    """
    table = {"version": entry} if isinstance(entry, str) else entry
    if not isinstance(table, dict):
        yield LeftOut(at, text, "this is neither a version nor a table", understood=False)
        return
    wrong = [key for key in table if key not in _KEYS]
    if wrong:
        why = f"a dependency has no key `{wrong[0]}`"
        yield LeftOut(at, text, why, understood=False)
    try:
        need = _need(name, table, at, text)
        parts = split_extras(need.marker) if need.marker else None
    except (NoSpecifier, NoMarker) as error:
        yield LeftOut(at, text, str(error), understood=False)
        return
    if not sections and (parts is None or any(not part.extra for part in parts)):
        yield LeftOut(at, text, "it is optional, and no extra lists it")
    if parts is None:
        yield from (need._replace(section=section) for section in sections)
    elif not parts:
        yield LeftOut(at, text, "no single extra satisfies its marker", understood=False)
    for part in parts or ():
        named = [Section("extra", part.extra)] if part.extra else sections
        yield from (need._replace(section=section, marker=part.marker) for section in named)


def _need(name: str, table: dict[str, Any], at: Place, text: str) -> Need:
    specifier, label = convert(_string(table, "version")) if "version" in table else ("", "")
    if table.get("allow-prereleases") is True or table.get("allows-prereleases") is True:
        specifier = with_prereleases(specifier)
    subdirectory = _string(table, "subdirectory")
    url, path = "", ""
    if "git" in table:
        revision = next(
            (_string(table, key) for key in ("rev", "tag", "branch") if key in table), ""
        )
        url = git_url(_string(table, "git"), revision, subdirectory)
    elif "url" in table:
        url = _string(table, "url")
        if subdirectory:
            url = f"{url}#subdirectory={subdirectory}"
    elif "path" in table or "file" in table:
        path = (_string(table, "path") or _string(table, "file")).replace("\\", "/")
        path = f"{path.rstrip('/')}/{subdirectory}" if subdirectory else path
    extras = table.get("extras", [])
    if not isinstance(extras, list) or not all(isinstance(extra, str) for extra in extras):
        raise NoSpecifier("`extras` is not a list of names")
    return Need(
        at,
        text,
        name,
        extras=tuple(extras),
        specifier=specifier,
        label=label,
        marker=_marker(table),
        url=url,
        path=path,
        editable=bool(path) and table.get("develop") is True,
        source=_string(table, "source"),
    )


def _marker(table: dict[str, Any]) -> str:
    """Return the marker that `markers`, `python` and `platform` make together."""
    markers = normal_marker(_string(table, "markers")) if "markers" in table else ""
    python = (
        as_marker(convert(_string(table, "python"), parts=2).specifier) if "python" in table else ""
    )
    return join_markers(markers, python, _platform(_string(table, "platform")))


def _platform(text: str) -> str:
    """Return the marker for `linux`, `!=win32`, or `linux || darwin`."""
    choices = []
    for choice in re.split(r"\s*\|\|?\s*", text.strip()) if text.strip() else ():
        found = [
            re.fullmatch(r"(==|=|!=)?\s*([\w-]+)", part)
            for part in re.split(r"\s*[, ]\s*(?=[!=\w])", choice)
        ]
        clauses = [
            f"sys_platform {'!=' if match[1] == '!=' else '=='} '{match[2]}'"
            for match in found
            if match
        ]
        if len(clauses) != len(found):
            raise NoMarker(f"`{text}` is not a platform")
        choices.append(" and ".join(clauses))
    return normal_marker(" or ".join(choices)) if choices else ""


def _string(table: dict[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise NoSpecifier(f"`{key}` is not a string")
    return value
