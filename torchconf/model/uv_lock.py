"""What a uv.lock says of PyTorch: the locked release, and who needs which package.

The lockfile is read as text: a real one has a megabyte, and parsing it would take longer than all
else that `init` does. uv writes it in one form, one package after the other.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

# Patterns as text: most runs meet no lockfile and should not pay for compiling them.
_HEAD = r'(?m)^name = "([^"]+)"\n(?:version = "([^"]+)"\n)?'
_DEPENDENCIES = r"(?ms)^dependencies = \[\n(.*?)^\]"
_NAME = r'\{ name = "([^"]+)"'
_WITH = r'\{ name = "([^"]+)", version = "[^"]+", source = \{ registry = "([^"]+)" \}'
_REGISTRY = r'(?m)^source = \{ registry = "([^"]+)" \}'
_WHEEL = r'"([^"]+\.whl)"'


class LockedBuild(NamedTuple):
    """One of the builds that a lockfile has of a package."""

    version: str
    """With its local part: `2.13.0+cpu`."""
    registry: str
    """The URL of its index."""
    wheels: tuple[str, ...]
    """File names; `+` may be written `%2B`."""


@lru_cache(maxsize=4)
def read_blocks(text: str) -> dict[str, tuple[tuple[str, re.Match[str]], ...]]:
    """Return the packages of a lockfile by name: the text of each, and the match of its head."""
    found: dict[str, tuple[tuple[str, re.Match[str]], ...]] = {}
    for block in text.split("[[package]]\n")[1:]:
        head = re.match(_HEAD, block)
        if head:
            found[head[1]] = (*found.get(head[1], ()), (block, head))
    return found


def locked_release(text: str, package: str) -> Version | None:
    """Return the newest public version that a lockfile has of a package: `2.13.0`."""
    versions: list[Version] = []
    for _, head in read_blocks(text).get(package, ()):
        if head[2]:
            with suppress(InvalidVersion):
                versions.append(Version(Version(head[2]).public))
    return max(versions, default=None)


def locked_builds(text: str, package: str) -> tuple[LockedBuild, ...]:
    """Return the builds that a lockfile has of a package."""
    found = []
    for block, head in read_blocks(text).get(package, ()):
        source = re.search(_REGISTRY, block)
        if source and head[2]:
            wheels = tuple(url.rpartition("/")[2] for url in re.findall(_WHEEL, block))
            found.append(LockedBuild(head[2], source[1], wheels))
    return tuple(found)


def needs(text: str) -> dict[str, frozenset[str]]:
    """Return what each package of a lockfile depends on; extras and groups are left out."""
    found: dict[str, frozenset[str]] = {}
    for name, blocks in read_blocks(text).items():
        for block, _ in blocks:
            if listed := re.search(_DEPENDENCIES, block):
                names = frozenset(re.findall(_NAME, listed[1]))
                found[name] = found.get(name, frozenset()) | names
    return found


def is_brought_by_others(
    text: str, package: str, projects: Collection[str], known: Collection[str]
) -> bool:
    """Tell whether a lockfile has a package because of something that nobody knows to need it.

    Args:
        text: Of uv.lock.
        package: Its name.
        projects: Those of the workspace: what they ask for stands in their files.
        known: The packages of which it is known what they need. They count if they are brought by
            something unknown themselves.
    """
    waiting, seen = [package], {package}
    while waiting:
        for name in _users(text, waiting.pop()):
            if name not in projects and name not in known:
                return True
            if name not in projects and name not in seen:
                seen.add(name)
                waiting.append(name)
    return False


def _users(text: str, package: str) -> Iterator[str]:
    """Yield the packages of a lockfile that need another: it is searched and not read."""
    head, needle = '[[package]]\nname = "', f'{{ name = "{package}"'
    at = text.find(needle)
    while at >= 0:
        start = text.rfind(head, 0, at) + len(head)
        yield text[start : text.find('"', start)]
        following = text.find(head, at)
        at = text.find(needle, following) if following >= 0 else -1


def locked_with(text: str, package: str, other: str) -> frozenset[str]:
    """Return the indexes of the builds of another package that a package is locked beside.

    Empty where the lockfile has one build of the other package only: it names none then.
    """
    return frozenset(
        registry
        for block, _ in read_blocks(text).get(package, ())
        if (listed := re.search(_DEPENDENCIES, block))
        for name, registry in re.findall(_WITH, listed[1])
        if name == other
    )


def reached(names: Iterable[str], graph: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return everything that some packages bring along, themselves left out."""
    waiting = [canonicalize_name(name) for name in names]
    first = frozenset(waiting)
    seen = set(waiting)
    while waiting:
        for name in graph.get(waiting.pop(), frozenset()):
            known = canonicalize_name(name)
            if known not in seen:
                seen.add(known)
                waiting.append(known)
    return frozenset(seen) - first
