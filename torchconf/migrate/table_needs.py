"""A package as a table of Pipenv or pixi: version, extras, index, git, path, url."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.migrate.extra_markers import join_markers, normal_marker
from torchconf.migrate.git_urls import git_url
from torchconf.migrate.old import BASE, LeftOut, Need, Section
from torchconf.migrate.pip_requirement import read_specifier
from torchconf.migrate.poetry_versions import NoSpecifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.migrate.old import Item, Place

__all__ = ["VARIABLES", "read_package"]

VARIABLES = (
    "os_name", "sys_platform", "platform_machine", "platform_python_implementation",
    "platform_release", "platform_system", "platform_version", "python_version",
    "python_full_version", "implementation_name", "implementation_version",
)  # fmt: skip
"""Keys that are variables of a marker, for Pipenv: `sys_platform = "== 'linux'"`."""
_REVISIONS = ("ref", "rev", "tag", "branch")
_KEYS = {
    "version", "extras", "index", "markers", "git", "subdirectory", "path", "file", "url",
    "editable", *_REVISIONS, *VARIABLES,
}  # fmt: skip


def read_package(
    name: str, entry: object, at: Place, text: str, section: Section = BASE, marker: str = ""
) -> Iterator[Item]:
    """Read what one name of a table needs.

    Args:
        name: The name, as written.
        entry: A version, `*` for any, or a table.
        at: Where it stands.
        text: How it is written.
        section: The part of the project that it belongs to.
        marker: Where it is needed, as far as its table says.
    """
    table = {"version": entry} if isinstance(entry, str) else entry
    if not isinstance(table, dict):
        yield LeftOut(at, text, "this is neither a version nor a table", understood=False)
        return
    unknown = [key for key in table if key not in _KEYS]
    if unknown:
        yield LeftOut(at, text, f"a package has no key `{unknown[0]}`", understood=False)
    try:
        yield _need(name, table, at, text, marker)._replace(section=section)
    except ValueError as error:
        yield LeftOut(at, text, str(error), understood=False)


def _need(name: str, table: dict[str, Any], at: Place, text: str, marker: str) -> Need:
    version = _string(table, "version").strip()
    spelled = read_specifier(
        "" if version == "*" else f"=={version}" if version[:1].isdigit() else version
    )
    if spelled is None:
        raise NoSpecifier(f"`{version}` is not a version")
    extras = table.get("extras", [])
    if not isinstance(extras, list) or not all(isinstance(extra, str) for extra in extras):
        raise NoSpecifier("`extras` is not a list of names")
    own = [normal_marker(f"{key} {_string(table, key)}") for key in VARIABLES if key in table]
    if "markers" in table:
        own.append(normal_marker(_string(table, "markers")))
    url, path = _place(table)
    return Need(
        at,
        text,
        name,
        extras=tuple(extras),
        specifier=spelled.specifier,
        label=spelled.label,
        marker=join_markers(*own, marker),
        url=url,
        path=path,
        editable=bool(path) and table.get("editable") is True,
        source=_string(table, "index"),
    )


def _place(table: dict[str, Any]) -> tuple[str, str]:
    """Return the URL or the path that a package comes from; both empty if an index has it."""
    subdirectory = _string(table, "subdirectory")
    if "git" in table:
        revision = next((_string(table, key) for key in _REVISIONS if key in table), "")
        return git_url(_string(table, "git"), revision, subdirectory), ""
    place = next((_string(table, key) for key in ("url", "file", "path") if key in table), "")
    if "://" in place:
        return f"{place}#subdirectory={subdirectory}" if subdirectory else place, ""
    return "", place.replace("\\", "/")


def _string(table: dict[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise NoSpecifier(f"`{key}` is not a string")
    return value
