"""The catalog where indexes are read from mirrors: by a site's file, or by a project's table."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from torchconf.errors import ProjectError, RequestError
from torchconf.files.reading import read_regular, reason
from torchconf.model.backends import PYPI, PYPI_HOSTS
from torchconf.model.mirrors import Mirror, MirrorSetting, listed_mirrors, make_mirror

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["STABLE", "mirrored_data", "read_site"]

STABLE = "pytorch"
"""PyTorch's stable indexes, which are no family of their own."""


def read_site(path: str) -> tuple[MirrorSetting, ...]:
    """Read the file that a site has for all its projects: a table of mirrors, at its top.

    Raises:
        ProjectError: It cannot be read, or is not such a table.
    """
    # Imported here: few have such a file.
    import tomllib

    try:
        table = tomllib.loads(read_regular(path).decode("utf-8"))
    except OSError as error:
        raise ProjectError(f"cannot read the mirrors: {reason(error)}", at=path) from error
    except ValueError as error:
        raise ProjectError(f"cannot read the mirrors: {error}", at=path) from error
    return tuple(one._replace(at=f"{path}, {one.family}") for one in listed_mirrors(table, path))


def mirrored_data(data: Mapping[str, Any], settings: Iterable[MirrorSetting]) -> dict[str, Any]:
    """Return the data of a catalog with mirrors, beside those that it has.

    Raises:
        RequestError: A setting makes no sense, with its place.
    """
    own = _own_urls(data)
    mirrors: dict[str, Mirror] = dict(data.get("mirrors", {}))
    for one in settings:
        if one.family not in own:
            near = get_close_matches(one.family, own, n=1)
            raise RequestError(
                f"unknown family of indexes `{one.family}`",
                at=one.at,
                help=f"did you mean `{near[0]}`?" if near else f"choose from {', '.join(own)}",
            )
        found = make_mirror(own[one.family], one.url)
        if found is None:
            raise RequestError(
                f"the mirror of `{one.family}` has other placeholders than {own[one.family]}",
                at=one.at,
                help="use the same ones, or a prefix without any",
            )
        mirrors[one.family] = found
    ordered = sorted(mirrors.items(), key=lambda item: -item[1].strength)
    return {**data, "mirrors": dict(ordered)}


def _own_urls(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the pattern of the URLs of each family that has one."""
    pypi = f"https://{'.'.join(PYPI_HOSTS[0])}/simple"
    families = {one["name"]: one["url"] for one in data["families"] if one.get("url")}
    return {STABLE: f"{data['base_url']}/{{build}}", **families, PYPI.name: pypi}
