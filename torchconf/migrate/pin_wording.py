"""What a line asks of a version: pins become bounds, a label is for the index, a URL has a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.errors import without_secrets
from torchconf.migrate.old import Need, OldIndex, items_of
from torchconf.migrate.requirement_text import Wording, lower_bound, pinned
from torchconf.migrate.told_by_text import label_backend, page_of, wheel_platforms
from torchconf.model.markers import platform_marker
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.catalog import Catalog
    from torchconf.migrate.old import OldFile

__all__ = ["Pins"]


_NO_SECRETS = (
    "user and password stay out of the file: uv reads them from .netrc, or git asks for them"
)


class Pinned(NamedTuple):
    """A requirement as it will be worded, and why it differs."""

    wording: Wording
    why: str = ""
    constraint: str = ""
    """A version to keep as a constraint; empty for none."""


class Pins:
    """How the pins of some files are worded."""

    def __init__(
        self,
        files: Sequence[OldFile],
        catalog: Catalog,
        torch: str | None,
        *,
        keep: bool,
        loose: bool,
    ) -> None:
        """Look for labels, and for pages with wheels for one torch.

        Args:
            files: As read.
            catalog: Which packages are PyTorch's.
            torch: What is asked of torch; None for what the files ask.
            keep: Whether versions are kept as constraints.
            loose: Whether releases of PyTorch's packages that files pin become lower bounds.
        """
        self.catalog = catalog
        self.torch = torch
        self.keep = keep
        self.loose = loose
        self.labelled = {
            canonicalize_name(item.name)
            for item in items_of(files, Need)
            if label_backend(item.label, catalog)
        }
        """Packages of which some line names a build: their release is one that was chosen."""
        needed = {canonicalize_name(item.name) for item in items_of(files, Need)}
        pages = (page_of(item.url, catalog) for item in items_of(files, OldIndex))
        told = [p.release for p in pages if p and p.release and needed & p.packages]
        told += filter(None, map(_built_against, items_of(files, Need)))
        self.held = next(iter(told), "")
        """The release of torch that other packages are built against."""

    def word(self, item: Need, wording: Wording, file: OldFile) -> Pinned:
        """Return a requirement with the range that a line means."""
        name = canonicalize_name(item.name)
        if item.url:
            return self._by_url(item, wording)
        if self.torch is not None and name == self.catalog.main_package:
            return Pinned(wording._replace(specifier=""), "`--torch` says which release")
        version = pinned(item.specifier)
        if name == self.catalog.main_package and self.held:
            return self._held(wording, version)
        exact = re.fullmatch(r"==([0-9]+[.][0-9]+[.][0-9]+)[.][*]", item.specifier)
        if exact and name in self.catalog.family:
            # What conda means by `2.5.1`; PyTorch's releases have no fourth part.
            return Pinned(wording._replace(specifier=f"=={exact[1]}"))
        if not version:
            return Pinned(wording, self._label(item))
        return self._pin(item, wording, version, file)

    def _label(self, item: Need) -> str:
        label = label_backend(item.label, self.catalog)
        return f"the label `{item.label}` is a build, which its index chooses" if label else ""

    def _pin(self, item: Need, wording: Wording, version: str, file: OldFile) -> Pinned:
        name = canonicalize_name(item.name)
        if self.loose and name in self.catalog.family:
            why = "the files pin different releases, but the builds of a project share one"
            return Pinned(wording._replace(specifier=lower_bound(version)), why)
        of_tool = file.format != "pip" and not file.compiled
        by_hand = of_tool or file.path.endswith(".in")
        if by_hand or (name in self.labelled and not file.compiled):
            return Pinned(wording, self._label(item))
        bound = wording._replace(specifier=lower_bound(version))
        if self.keep:
            why = f"the version is kept as a constraint: `{item.name}=={version}`"
            return Pinned(bound, why, version)
        return Pinned(bound, "uv.lock holds exact versions; `--keep-versions` keeps this one")

    def _held(self, wording: Wording, version: str) -> Pinned:
        release = version or (self.held if self.held.count(".") > 1 else f"{self.held}.*")
        why = f"other packages here are built against torch {self.held}"
        return Pinned(wording._replace(specifier=f"=={release}"), why)

    def _by_url(self, item: Need, wording: Wording) -> Pinned:
        """Return the requirement for a wheel or a repository."""
        if canonicalize_name(item.name) in self.catalog.family and (release := _release(item.url)):
            specifier = lower_bound(release) if self.loose else f"=={release}"
            why = "the index has this wheel; the build comes from its name"
            return Pinned(wording._replace(specifier=specifier, url=""), why)
        clean = without_secrets(wording.url)
        hidden = "" if clean == wording.url else _NO_SECRETS
        wording = wording._replace(url=clean)
        if not item.name:
            why = "name inferred from the URL; `uv lock` says if it is another"
            return Pinned(wording._replace(name=_repository(item.url)), _both(why, hidden))
        keys = set(wheel_platforms(item.url))
        own = next((p for p in PLATFORMS if p.key in keys), None)
        if own is None or wording.marker or len(keys) > 1:
            return Pinned(wording, hidden)
        why = "the wheel is for that platform only"
        return Pinned(wording._replace(marker=platform_marker(own)), _both(why, hidden))


def _both(why: str, more: str) -> str:
    return "; ".join(filter(None, (why, more)))


def _release(url: str) -> str:
    """Return the public version in the name of a wheel."""
    name = url.partition("#")[0].rpartition("/")[2].replace("%2B", "+").replace("%2b", "+")
    _, dash, rest = name.partition("-")
    return rest.partition("-")[0].partition("+")[0] if dash and name.endswith(".whl") else ""


def _built_against(item: Need) -> str:
    """Return the release of torch that a wheel says it was built against: `+cu12torch2.5`."""
    if item.url.endswith(".whl"):
        label = item.url.rpartition("/")[2].replace("%2B", "+").partition("+")[2]
    else:
        label = item.label
    found = re.search(r"(?:torch|pt)([12])[.]?([0-9]{1,2})(?![0-9])", label)
    return f"{found[1]}.{found[2]}" if found else ""


def _repository(url: str) -> str:
    """Return the name that a repository has: `clip` of `git+https://.../CLIP.git@main`."""
    path = re.sub(r"[#?].*", "", url).rstrip("/")
    last = path.rpartition("/")[2].partition("@")[0].removesuffix(".git")
    return re.sub(r"[^A-Za-z0-9]+", "-", last).strip("-").lower()
