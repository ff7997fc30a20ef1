"""Mirrors of indexes: which URL stands for which, told by the family of indexes.

A mirror is a prefix, which takes the place of the beginning of each URL of a family, or a pattern
with the placeholders that the family's own URL has: `https://mirror.example.org/{build}/simple`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.errors import ProjectError, RequestError, hide_secrets
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.toml_path import MIRRORS, render_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchconf.model.project import Project

__all__ = ["Mirror", "MirrorSetting", "listed_mirrors", "make_mirror", "read_mirrors", "refuse_url"]

_REST = "{rest}"
_PLACEHOLDER = re.compile(r"\{[a-z]+\}")
_EXAMPLE = 'write it as in `pytorch = "https://mirror.example.org/pytorch"`'


class MirrorSetting(NamedTuple):
    """What a person wrote: a family of indexes, its mirror, and where that stands."""

    family: str
    url: str
    at: str


class Mirror(NamedTuple):
    """Two patterns with the same placeholders: of the index itself, and of its mirror."""

    official: str
    copy: str

    @property
    def strength(self) -> int:
        """How much of a URL the patterns name: the more does, the surer a match is."""
        return len(_PLACEHOLDER.sub("", self.official))

    def placed(self, url: str) -> str | None:
        """Return where the mirror has what a URL names; None for a URL of another family."""
        return _translated(url, self.official, self.copy)

    def real(self, url: str) -> str | None:
        """Return what a URL of the mirror stands for; None for any other."""
        return _translated(url, self.copy, self.official)


def make_mirror(own: str, copy: str) -> Mirror | None:
    """Return the mirror of a family; None if the pattern has not the placeholders that it needs.

    Args:
        own: The pattern of the family's own URLs.
        copy: What a person gave for it: a prefix, or a pattern.
    """
    names = _PLACEHOLDER.findall(own)
    copy = copy.replace("{backend}", "{build}")
    if "{" not in copy:
        head = own[: own.index(names[0])].rpartition("/")[0] if names else own.rstrip("/")
        return Mirror(head + _REST, copy.rstrip("/") + _REST)
    if set(_PLACEHOLDER.findall(copy)) != set(names):
        return None
    return Mirror(own, copy)


def refuse_url(url: str, said: str, at: str | None = None, *, only: str | None = None) -> None:
    """Refuse the URL of a mirror that is none, or holds a secret: the file is shared.

    Args:
        url: A prefix, or a pattern.
        said: What a person calls it: `--index-base`.
        at: Where it stands, if in a file.
        only: The one placeholder that it may have; None for any.

    Raises:
        RequestError: It is refused.
    """
    # Imported here: only a mirror needs it.
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.netloc)
        usable = usable or (parts.scheme == "file" and bool(parts.path))
        bare = _PLACEHOLDER.sub("", url) if only is None else url.replace(only, "")
        usable = usable and not set("{}") & set(bare)
        secret = hide_secrets(url) != url or "@" in parts.netloc or bool(parts.query)
    except ValueError:
        usable, secret = False, False
    if not usable:
        raise RequestError(
            f"`{said}{'' if said.endswith('=') else ' '}{hide_secrets(url)}` is not a URL"
            if at is None
            else f"`{hide_secrets(url)}` is not the URL of a mirror",
            at=at,
            help="use one such as `https://mirror.example.org/pytorch/{backend}/simple`",
        )
    if secret:
        raise RequestError(
            f"`{said.rstrip('=')}` must not contain credentials, because "
            f"{'pyproject.toml' if at is None else 'the file'} is shared",
            at=at,
            help="set UV_INDEX_<NAME>_USERNAME and UV_INDEX_<NAME>_PASSWORD for each index, "
            "where <NAME> is the index name in capitals, with `_` for `-` and `.`",
        )


def read_mirrors(project: Project) -> tuple[MirrorSetting, ...]:
    """Return the mirrors that `[tool.torchconf.indexes]` of a project and of its root names.

    Raises:
        ProjectError: The table is malformed.
    """
    found: dict[str, MirrorSetting] = {}
    for one in (project.root, project):
        if one is not None and (table := _table(one)) is not None:
            at = one.place(render_path(MIRRORS))
            found |= {each.family: each for each in listed_mirrors(table, at)}
    return tuple(found.values())


def _table(project: Project) -> object:
    tool = project.data.get("tool")
    table = tool.get(MIRRORS[1]) if isinstance(tool, dict) else None
    return table.get(MIRRORS[2]) if isinstance(table, dict) else None


def listed_mirrors(table: object, at: str) -> tuple[MirrorSetting, ...]:
    """Read a table of mirrors.

    Args:
        table: Family to URL.
        at: Where it stands.

    Raises:
        ProjectError: It is no such table, or a URL in it is refused.
    """
    if not isinstance(table, dict):
        raise ProjectError("expected a table of mirrors", at=at, help=_EXAMPLE)
    return tuple(_setting(name, url, f"{at}.{name}") for name, url in _items(table))


def _items(table: Mapping[str, object]) -> list[tuple[str, object]]:
    return [*table.items()]


def _setting(name: str, url: object, at: str) -> MirrorSetting:
    if not isinstance(url, str):
        raise ProjectError("expected the URL of a mirror", at=at, help=_EXAMPLE)
    try:
        refuse_url(url, f"tool.torchconf.indexes.{name}", at)
    except RequestError as error:
        raise ProjectError(error.message, at=at, help=error.help) from error
    return MirrorSetting(name, url, at)


def _translated(url: str, form: str, other: str) -> str | None:
    match = re.fullmatch(_pattern(form.rstrip("/")), url.rstrip("/"))
    if match is None:
        return None
    return _PLACEHOLDER.sub(lambda name: match[name[0].strip("{}")], other)


def _pattern(form: str) -> str:
    """Return a regular expression for the URLs that a pattern stands for."""
    found, seen = "", set[str]()
    for part in re.split(r"(\{[a-z]+\})", form):
        name = part.strip("{}")
        if part == _REST:
            found += "(?P<rest>(?:/.*)?)"
        elif not _PLACEHOLDER.fullmatch(part):
            found += re.escape(part)
        else:
            # The same build stands wherever a pattern names it again.
            found += f"(?P={name})" if name in seen else f"(?P<{name}>[^?#]+?)"
            seen.add(name)
    return found
