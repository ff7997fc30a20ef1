"""Accelerators and backends as values: how a build is named in an index URL.

Which accelerators and backends exist is data of the catalog; this module knows only shapes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

# Values are named tuples: frozen, and seven times cheaper to define than a frozen, slotted
# dataclass (0.15 ms against 1 ms each), which a command that answers in 100 ms can feel.


class Accelerator(NamedTuple):
    """A hardware family, as the catalog describes it."""

    name: str
    """The word in targets: `cuda`."""
    title: str
    """The word in sentences: `CUDA`."""
    pattern: str
    """Regular expression of a path segment; its groups are the parts of the version."""
    platforms: tuple[str, ...]
    """Platforms for which PyTorch's indexes ever carried it, such as `linux-x86_64`."""
    channel: str = ""
    """Of builds beside the stable ones: `nightly`."""
    family: str = ""
    """Of builds that others publish: the name of their family of indexes."""
    word: str = ""
    """Of these: the word in targets that means them where PyTorch has no such build."""
    where: str = ""
    """Of these: a marker that tells their machines from others of the same platform."""


class Backend(NamedTuple):
    """One published build, spelled as in its index URL."""

    name: str
    """The path segment: the last one of `https://download.pytorch.org/whl/<name>`."""
    accelerator: str
    """Name of its accelerator; empty for `PYPI`."""
    version: tuple[int, ...]
    """`(13, 0)` for CUDA 13.0; empty where the accelerator has no versions."""
    title: str
    """The words for a person: `CUDA 13.0`."""

    @property
    def extra(self) -> str:
        """Name of the extra or group that chooses this backend, normalised as PEP 685 says."""
        return re.sub(r"[-_.]+", "-", self.name)


PYPI = Backend("pypi", "", (), "PyPI's build")
"""Whatever PyPI serves: no index, no source."""


def parse_backend(segment: str, accelerators: Iterable[Accelerator]) -> Backend | None:
    """Read one path segment or one word of a target as a backend; None if it has no such shape."""
    for accelerator in accelerators:
        if match := re.fullmatch(accelerator.pattern, segment):
            version = tuple(int(part) for group in match.groups() for part in group.split("."))
            words = (accelerator.title, ".".join(map(str, version)), accelerator.channel)
            return Backend(segment, accelerator.name, version, " ".join(filter(None, words)))
    return None


def backend_of_url(url: str, accelerators: Iterable[Accelerator]) -> Backend | None:
    """Tell the backend from an index URL: the last path segment that is, or ends in, one.

    A mirror may name its folder `pytorch-<backend>` and put `/simple` after it; a name in
    the configuration is never looked at.
    """
    accelerators = tuple(accelerators)
    path = re.sub(r"^[a-z][a-z0-9+.-]*://[^/]*", "", url.partition("?")[0].partition("#")[0])
    for segment in reversed(path.lower().split("/")):
        if backend := parse_backend(segment, accelerators):
            return backend
        for start in re.finditer(r"[^a-z0-9]", segment):
            if backend := parse_backend(segment[start.end() :], accelerators):
                return backend
    return None


def host_of(url: str) -> str:
    """Return the host of a URL, in lower case; empty for a folder."""
    match = re.match(r"[a-z][a-z0-9+.-]*://(?:[^/?#]*@)?([^/?#:]*)", url.lower())
    return match[1] if match else ""


def is_below(url: str, places: Iterable[str]) -> bool:
    """Tell whether a URL is one of a host, of a host below it, or of a folder there.

    Args:
        url: Of an index.
        places: Hosts, `amd.com`, or hosts with the beginning of a path.
    """
    host, path = host_of(url), url.lower().partition("://")[2].partition("/")[2]
    for place in places:
        at, _, folder = place.partition("/")
        if f".{host}".endswith(f".{at}") and path.startswith(folder):
            return True
    return False


def is_pypi(url: str) -> bool:
    """Tell whether a URL is of PyPI itself."""
    return host_of(url).split(".") in PYPI_HOSTS


PYPI_HOSTS = (["pypi", "org"], ["www", "pypi", "org"], ["pypi", "python", "org"])


def is_nightly(url: str) -> bool:
    """Tell whether an index URL is one of the nightly indexes."""
    return "nightly" in url.lower().split("/")
