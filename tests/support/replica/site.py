"""What the replica answers to one request: pages, metadata and wheels, made when asked for.

Index pages are those of PEP 503 with the hashes of PEP 658, as download.pytorch.org writes them;
its wheels are on a second host, as they are since 2026.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from html import escape
from typing import NamedTuple
from urllib.parse import quote, unquote

from tests.support.replica.content import Content
from tests.support.replica.wheels import ReplicaWheel, build, metadata

FILES = {"download.pytorch.org": "download-r2.pytorch.org"}
"""Hosts whose wheels are elsewhere."""

FLAT = ".html"
"""What the name of an index ends in that is one page."""

COPIES = {"packages.example.org/pypi/": "packages.example.org/"}
"""Places that have the pages of others."""


FORBIDDING = (".pytorch.org", ".amd.com")
"""Hosts that say 403 for what they do not have; others say 404."""


class Fault(NamedTuple):
    """How the replica misbehaves for some URL.

    `delay` is in seconds. `truncate` is the number of bytes after which the connection breaks,
    although the header promised all of them. `body` is what is sent in place of the right one, with
    `headers`; `trickle` is the number of seconds between its bytes.
    """

    status: int | None = None
    delay: float = 0.0
    truncate: int | None = None
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    trickle: float = 0.0


class Answer(NamedTuple):
    """The answer to one request."""

    status: int
    content_type: str
    body: bytes


class Site:
    """All indexes of one content, on whatever host they are.

    `faults` maps patterns of host and path (`download.pytorch.org/whl/cu130/*`) to what goes wrong;
    `requests` lists what was asked for, in order.
    """

    def __init__(self, content: Content) -> None:
        self.content = content
        self.faults: dict[str, Fault] = {}
        self.requests: list[str] = []
        self.hosts = content.hosts | {FILES[host] for host in content.hosts & FILES.keys()}

    def fault(self, place: str) -> Fault:
        """Return what goes wrong at this host and path."""
        return next(
            (fault for pattern, fault in self.faults.items() if fnmatchcase(place, pattern)),
            Fault(),
        )

    def answer(self, host: str, path: str) -> Answer:
        """Answer a GET. Some hosts say 403 for what they do not have, others 404."""
        place = host + unquote(path).partition("?")[0]
        for copy, original in COPIES.items():
            place = place.replace(copy, original, 1) if place.startswith(copy) else place
        index, _, last = place.rstrip("/").rpartition("/")
        homes = {files: home for home, files in FILES.items()}
        index = homes.get(host, host) + index.removeprefix(host)
        if place in self.content.indexes:
            found = self._flat(place) if place.endswith(FLAT) else self._index(place)
        elif not place.endswith("/"):
            found = self._file(index, last) or self._file(f"{index}{FLAT}", last)
        elif index in self.content.indexes:
            found = self._package(index, last)
        else:
            found = self._index(place.rstrip("/"))
        return found or Answer(403 if host.endswith(FORBIDDING) else 404, "text/plain", b"")

    def _index(self, index: str) -> Answer | None:
        if index not in self.content.indexes:
            return None
        packages = sorted(self.content.indexes[index])
        return _page(f'<a href="{name}/">{name}</a><br/>' for name in packages)

    def _flat(self, index: str) -> Answer:
        """Return the page of all wheels that `format = "flat"` reads; it states no metadata."""
        below = quote(index.removesuffix(FLAT))
        served = self.content.indexes[index].values()
        return _page(
            f'<a href="https://{below}/{quote(wheel.filename)}">{wheel.filename}</a><br/>'
            for wheels in served
            for wheel in wheels
        )

    def _package(self, index: str, package: str) -> Answer | None:
        if package not in self.content.indexes[index]:
            return None
        return _page(_link(index, wheel) for wheel in self.content.indexes[index][package])

    def _file(self, index: str, filename: str) -> Answer | None:
        name = filename.removesuffix(".metadata")
        package = name.split("-", 1)[0].replace("_", "-").lower()
        for wheel in self.content.indexes.get(index, {}).get(package, ()):
            if wheel.filename == name:
                if name != filename:
                    return Answer(200, "text/plain", metadata(wheel))
                return Answer(200, "application/zip", build(wheel))
        return None


def _page(lines: Iterable[str]) -> Answer:
    text = "\n".join(["<!DOCTYPE html>", "<html><body>", *lines, "</body></html>", ""])
    return Answer(200, "text/html", text.encode())


def _link(index: str, wheel: ReplicaWheel) -> str:
    host, _, path = index.partition("/")
    url = f"https://{FILES.get(host, host)}/{path}/{quote(wheel.filename)}"
    core = hashlib.sha256(metadata(wheel)).hexdigest()
    python = ""
    if wheel.requires_python is not None:
        python = f' data-requires-python="{escape(wheel.requires_python)}"'
    return (
        f'<a href="{url}#sha256={_hash(wheel)}"{python} data-core-metadata="sha256={core}">'
        f"{wheel.filename}</a><br/>"
    )


@cache
def _hash(wheel: ReplicaWheel) -> str:
    return hashlib.sha256(build(wheel)).hexdigest()
