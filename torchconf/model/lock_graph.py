"""What a uv.lock installs: its packages followed from a project, as `uv sync` follows them.

Only the packages through which others of interest are reached are parsed: a real lockfile has a
megabyte, and nearly all of it is about the rest.

Conflicting extras and groups stand in its markers as extras with encoded names,
`extra == 'extra-4-demo-cu130'`: the kind, the length of the package's name, the package, the item.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from packaging.markers import Marker

from torchconf.model.named_tuple import NamedTuple
from torchconf.model.uv_lock import read_blocks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from collections.abc import Set as AbstractSet

__all__ = ["Installed", "LockGraph", "Start"]

_METADATA = "[package.metadata]"
_NAME = r'\{ name = "([^"]+)"'
_EXTRA = re.compile(r"extra (==|!=) '([^']*)'")


class Installed(NamedTuple):
    """What a lockfile installs of a package."""

    version: str | None
    registry: str | None
    """The URL of its index; None where it comes from none."""


class Start(NamedTuple):
    """A project that is installed, with some of its extras and groups; names are normalised."""

    name: str
    extras: frozenset[str]
    groups: frozenset[str]
    is_whole: bool = True
    """Whether the project itself is installed, and not only groups of it."""


class _Edge(NamedTuple):
    name: str
    version: str | None
    source: object
    extras: tuple[str, ...]
    marker: str | None


class _Package(NamedTuple):
    version: str | None
    source: object
    base: tuple[_Edge, ...]
    extras: Mapping[str, tuple[_Edge, ...]]
    groups: Mapping[str, tuple[_Edge, ...]]


class LockGraph:
    """The part of a lockfile through which some packages are reached."""

    def __init__(self, text: str, wanted: Collection[str], members: Collection[str]) -> None:
        """Read a lockfile.

        Args:
            text: Of uv.lock.
            wanted: The packages of interest.
            members: The projects of the workspace.

        Raises:
            ValueError: It is not as uv writes it.
        """
        blocks = {name: [block for block, _ in found] for name, found in read_blocks(text).items()}
        relevant = _reaching(blocks, wanted) | {*members}
        self.metadata: dict[str, dict[str, Any]] = {}
        self._packages: dict[str, list[_Package]] = {}
        # Imported here: only an answer that is in doubt needs it.
        import tomllib

        for name in relevant & blocks.keys():
            for block in blocks[name]:
                data = tomllib.loads(re.sub(r"(?ms)^wheels = \[\n.*?^\]\n", "", block))
                table = cast("dict[str, Any]", data.get("package", {}))
                self.metadata.setdefault(name, table.get("metadata", {}))
                self._packages.setdefault(name, []).append(
                    _Package(
                        data.get("version"),
                        data.get("source"),
                        _edges(data.get("dependencies", ()), relevant),
                        _lists(table.get("optional-dependencies", {}), relevant),
                        _lists(table.get("dev-dependencies", {}), relevant),
                    )
                )

    def has(self, name: str) -> bool:
        """Tell whether a package was read."""
        return name in self._packages

    def installed(
        self, starts: Iterable[Start], environment: Mapping[str, str]
    ) -> dict[str, Installed]:
        """Return the packages that a choice installs, of those that were read.

        Args:
            starts: What is installed.
            environment: Every marker variable of the machine, but for `extra`.
        """
        starts = tuple(starts)
        on = {
            _encoded(kind, start.name, item)
            for start in starts
            for kind, items in (("extra", start.extras), ("group", start.groups))
            for item in items
        } | {_encoded("project", start.name) for start in starts if start.is_whole}
        while True:
            found, asked = self._walk(starts, environment, on)
            if asked <= on:
                return found
            on |= asked

    def _walk(
        self, starts: Iterable[Start], environment: Mapping[str, str], on: AbstractSet[str]
    ) -> tuple[dict[str, Installed], set[str]]:
        found: dict[str, Installed] = {}
        asked: set[str] = set()
        seen: set[tuple[str, str | None, str]] = set()
        queue: list[_Edge] = []
        for start in starts:
            for package in self._packages.get(start.name, ()):
                queue += package.base if start.is_whole else ()
                for extra in start.extras:
                    queue += package.extras.get(extra, ())
                for group in start.groups:
                    queue += package.groups.get(group, ())
        while queue:
            edge = queue.pop()
            # As in uv, what an edge asks for counts as chosen already for its own marker.
            asks = {_encoded("extra", edge.name, extra) for extra in edge.extras}
            if edge.marker is not None and not _holds(edge.marker, environment, on | asks):
                continue
            for package in self._packages.get(edge.name, ()):
                if edge.version not in (None, package.version):
                    continue
                if edge.source not in (None, package.source):
                    continue
                registry = _registry(package.source)
                found[edge.name] = Installed(package.version, registry)
                for part in ("", *edge.extras):
                    key = (edge.name, package.version, part)
                    if key not in seen:
                        seen.add(key)
                        queue += package.extras.get(part, ()) if part else package.base
            asked |= asks
        return found, asked


def _registry(source: object) -> str | None:
    return source.get("registry") if isinstance(source, dict) else None


def _encoded(kind: str, package: str, item: str | None = None) -> str:
    return f"{kind}-{len(package)}-{package}" + (f"-{item}" if item is not None else "")


def _reaching(blocks: Mapping[str, list[str]], wanted: Collection[str]) -> set[str]:
    """Return the packages from which others are reached, those included."""
    users: dict[str, set[str]] = {}
    for name, texts in blocks.items():
        for text in texts:
            for needed in re.findall(_NAME, text.partition(_METADATA)[0]):
                users.setdefault(needed, set()).add(name)
    found = {*wanted}
    waiting = [*wanted]
    while waiting:
        new = users.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _lists(table: Mapping[str, Any], relevant: AbstractSet[str]) -> dict[str, tuple[_Edge, ...]]:
    return {name: _edges(entries, relevant) for name, entries in table.items()}


def _edges(entries: Iterable[Any], relevant: AbstractSet[str]) -> tuple[_Edge, ...]:
    return tuple(
        _Edge(
            entry["name"],
            entry.get("version"),
            entry.get("source"),
            tuple(entry.get("extra", ())),
            entry.get("marker"),
        )
        for entry in entries
        if entry["name"] in relevant
    )


def _holds(marker: str, environment: Mapping[str, str], on: AbstractSet[str]) -> bool:
    """Tell whether a marker holds; `extra` in it is the choice, which may have several at once."""

    def fact(match: re.Match[str]) -> str:
        return "os_name != ''" if (match[2] in on) == (match[1] == "==") else "os_name == ''"

    return _parsed(_EXTRA.sub(fact, marker)).evaluate({**environment})


@lru_cache(maxsize=4096)
def _parsed(marker: str) -> Marker:
    return Marker(marker)
