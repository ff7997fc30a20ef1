"""Single rows of pixi's tables, and what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.migrate.conda_packages import CondaPackages, cuda_backend
from torchconf.migrate.conda_platforms import platform_key, selector_marker
from torchconf.migrate.conda_spec import parse_spec
from torchconf.migrate.extra_markers import NoMarker
from torchconf.migrate.old import BASE, LeftOut, Part, Platforms, Section, Toolkit
from torchconf.migrate.poetry_versions import NoSpecifier
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torchconf.migrate.old import Item, Place
    from torchconf.model.toml_path import Path

__all__ = [
    "CONDA",
    "WRONG",
    "Scope",
    "named_platforms",
    "package_row",
    "platform_rows",
    "scope_of",
    "system_row",
    "target_marker",
]

WRONG = "its value has the wrong type"
CONDA = ("dependencies", "host-dependencies", "build-dependencies")
"""The tables of conda's packages."""
_SOURCES = {"index-url", "extra-index-urls", "find-links"}


class Scope(NamedTuple):
    """The part of the project that a table is about."""

    place: Path
    packages: CondaPackages
    """What conda lists for this part of the project, its targets included."""
    has_index: bool
    """Whether the part says where its wheels come from."""
    section: Section = BASE
    marker: str = ""


def scope_of(place: Path, table: dict[str, Any], section: Section) -> Scope:
    """Look through a table for what tells its build: of the whole file, or of a feature."""
    options = table.get("pypi-options")
    has_index = isinstance(options, dict) and not _SOURCES.isdisjoint(options)
    targets = table.get("target")
    listed = [("", table)]
    for name, target in targets.items() if isinstance(targets, dict) else ():
        if isinstance(target, dict):
            listed.append((target_marker(name), target))
    names = (
        (name, marker)
        for marker, one in listed
        for key in CONDA
        if isinstance(packages := one.get(key), dict)
        for name in packages
    )
    return Scope(place, CondaPackages(names), has_index, section)


def target_marker(name: str) -> str:
    """Return the marker of a target, `linux-64` or `unix`; empty for one that is unknown."""
    try:
        return selector_marker(f"[{name}]")
    except NoMarker:
        return ""


def named_platforms(table: object) -> dict[str, str]:
    """Return the platforms that a workspace has under names of its own, `linux-64-cuda`."""
    listed = table.get("platforms") if isinstance(table, dict) else None
    found: dict[str, str] = {}
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get("platform"), str):
            found[str(one.get("name", one["platform"]))] = one["platform"]
    return found


def platform_rows(
    value: object, at: Place, text: str, section: Section, named: Mapping[str, str]
) -> Iterator[Item]:
    """Yield what a list of platforms says.

    Args:
        value: The list: names, or tables with a `platform`.
        at: Where it stands.
        text: How it is written.
        section: The part of the project that it is about.
        named: The platforms that have names of their own.
    """
    words = [_word(one) for one in value] if isinstance(value, list) else []
    names = [named.get(word, word) for word in words if word]
    keys = tuple(dict.fromkeys(key for name in names if (key := platform_key(name))))
    if keys:
        yield Platforms(at, text, keys, section)
    others = [name for name in names if platform_key(name) is None]
    if others:
        yield LeftOut(at, text, f"PyTorch has no builds for `{others[0]}`")
    elif not keys:
        yield LeftOut(at, text, WRONG, understood=False)


def _word(value: object) -> str:
    """Return the name of a platform; empty for what is none."""
    if isinstance(value, dict):
        value = value.get("platform")
    return value if isinstance(value, str) else ""


def package_row(name: str, entry: object, at: Place, text: str, scope: Scope) -> Iterator[Item]:
    """Yield what one package of conda means."""
    table = {"version": entry} if isinstance(entry, str) else entry
    spoken = [table.get(key, "") for key in ("version", "build")] if isinstance(table, dict) else []
    if not isinstance(table, dict) or not all(isinstance(one, str) for one in spoken):
        yield LeftOut(at, text, "this is neither a version nor a table", understood=False)
        return
    if not {"git", "path", "url"}.isdisjoint(table):
        why = "conda builds it from source; uv does not"
        yield LeftOut(at, text, why, understood=False)
        return
    try:
        spec = parse_spec(f"{name} {table.get('version', '*')}")
        spec = spec._replace(build=table.get("build", spec.build))
        yield from scope.packages.items(at, text, spec, scope.marker, scope.section)
    except NoSpecifier as error:
        yield LeftOut(at, text, str(error), understood=False)


def system_row(name: str, value: object, at: Place, text: str, scope: Scope) -> Item:
    """Return what a requirement on the machine means: its CUDA tells the build, if nothing else."""
    if name != "cuda" or not isinstance(value, str):
        return LeftOut(at, text, "wheel names say which systems they run on")
    if scope.has_index or scope.packages.choose:
        return Part(at, text, "other lines set the build")
    return Toolkit(at, text, cuda_backend(value), scope.section, scope.marker)
