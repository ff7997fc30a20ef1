"""The catalog: which wheels are published where, as far as anybody has seen.

Three answers, not two: a wheel is available (seen, or named by PyTorch's build matrix), known to be
missing (the release is covered and the wheel is not there), or unknown (newer than the catalog,
or never covered). Unknown never refuses.
"""

from __future__ import annotations

import json
import os
import sys
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from torchconf.catalog.companions import Companions, CudaMajor, Triton
from torchconf.catalog.recorded import PYTORCH
from torchconf.catalog.validation import validated
from torchconf.catalog.wheels import Answer, serves_python
from torchconf.errors import CatalogError, shown
from torchconf.files.catalog_file import PACKAGED, chosen_file, read_catalog
from torchconf.files.reading import reason
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from torchconf.catalog.built import Built
    from torchconf.model.backends import Accelerator, Backend
    from torchconf.model.mirrors import MirrorSetting
    from torchconf.model.project import Project
    from torchconf.model.target_spec import Vocabulary

__all__ = [
    "INDEXES",
    "PYTORCH",
    "Answer",
    "Catalog",
    "CudaMajor",
    "Loaded",
    "Triton",
    "load_catalog",
    "load_chosen",
    "serves_python",
    "validated",
]

INDEXES = "TORCHCONF_INDEXES"
"""The variable that names a file with the mirrors of a site."""


class Catalog(Companions):
    """Everything that is asked of the data, and other catalogs that come from them.

    Each class that this one inherits from, `Recorded`, `Builds`, `Indexes`, `Wheels`, `Companions`,
    answers what its module is about, and knows those before it.
    """

    @lru_cache(maxsize=8)  # noqa: B019 - there is one catalog
    def view(self, channel: str) -> Catalog:
        """Return the catalog of a channel's builds, or of the stable ones beside those.

        Args:
            channel: `nightly`, or `stable`; empty for stable builds beside which all others are
                somebody else's.
        """
        from torchconf.catalog.channels import STABLE, channel_view, stable_view

        if not channel:
            return Catalog({**self._data, "reads_channels": False})
        if channel == STABLE:
            return Catalog(stable_view(self._data, self.channels.values()))
        return Catalog(channel_view(self._data, self.channels[channel]))

    def mirrored(self, settings: Iterable[MirrorSetting]) -> Catalog:
        """Return the catalog for somebody who reads indexes from mirrors.

        Args:
            settings: Family by family; one given later counts.

        Raises:
            RequestError: There is no such family, or a pattern lacks what tells its indexes apart.
        """
        settings = tuple(settings)
        if not settings:
            return self
        # Imported here: few have mirrors.
        from torchconf.catalog.mirrors import mirrored_data

        return Catalog(mirrored_data(self._data, settings))

    def for_project(self, *projects: Project) -> Catalog:
        """Return the catalog with the mirrors that files name in `[tool.torchconf.indexes]`.

        Args:
            projects: The project, or a workspace root and its members.

        Raises:
            ProjectError: The table of one is malformed.
            RequestError: As in `mirrored`.
        """
        naming = [one for one in projects if _names_mirrors(one) or _names_mirrors(one.root)]
        if not naming:
            return self
        # Imported here: few have mirrors.
        from torchconf.model.mirrors import read_mirrors

        return self.mirrored(one for project in naming for one in read_mirrors(project))

    @cached_property
    def built(self) -> Built:
        """The packages that are built against one release of torch, and who has their wheels."""
        # Imported here: only a project with such a package needs it.
        from torchconf.catalog.built import Built

        return Built(self._data["built"], self)

    @cached_property
    def built_names(self) -> frozenset[str]:
        """The names of these packages."""
        return self.built.packages.union(self.built_from_source)

    @property
    def built_from_source(self) -> Collection[str]:
        """Those that PyPI has as a source distribution only, which needs torch to be built."""
        names: Mapping[str, object] = self._data["built"]["builds"]
        return names.keys()

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words of targets."""
        # Imported here: only a command that takes targets needs it.
        from torchconf.model.target_spec import Vocabulary

        current = [
            backend
            for accelerator in self.accelerators
            for backend in self.newest_first(accelerator.name)
            if self.ended(backend) is None
        ]
        return Vocabulary(
            accelerators=self.everything,
            backends={
                **self.backends,
                **{
                    name: self.backend(name)
                    for channel, family in self.channels.items()
                    for name in (f"{build}-{channel}" for build in family["builds"])
                },
            },
            words={
                word: (entry["accelerator"], entry["os"])
                for word, entry in self._data["words"].items()
            },
            ambiguous=frozenset(self._data["ambiguous"]),
            current=tuple(current),
            as_of=self._data["as_of_indexes"].get(PYTORCH, self.as_of),
            elsewhere=self.other_builds,
            others=self._other_words(),
        )

    def _other_words(self) -> Mapping[str, tuple[tuple[Accelerator, Backend | None], ...]]:
        """Return the words for builds that others publish, each with what it means."""
        found: dict[str, list[tuple[Accelerator, Backend | None]]] = {}
        for name, entry in self._data["backends"].items():
            if "family" in entry:
                backend = self.backends[name]
                word = entry["build"].rpartition("/")[2]
                meant = (self.accelerator(backend), backend)
                found.setdefault(word, []).append(meant)
                if meant[0].word and backend.version:
                    number = ".".join(map(str, backend.version))
                    found.setdefault(f"{meant[0].word}{number}", []).append(meant)
        for accelerator in self.accelerators:
            if word := accelerator.word:
                # An accelerator with one build that is called like it means just that one.
                backend_ = self.backends.get(accelerator.name)
                found.setdefault(word, []).append((accelerator, backend_))
        return {word: tuple(builds) for word, builds in found.items()}


def load_catalog(path: str | os.PathLike[str] | None = None) -> Catalog:
    """Load the catalog of a file, of `TORCHCONF_CATALOG`, of the user's cache, or the packaged one.

    Raises:
        CatalogError: The file is not a catalog of this version's shape. A broken one in the cache
            is left aside, with a warning.
    """
    if path is None:
        return load_chosen().catalog
    name = os.fspath(path)
    try:
        return _parsed(read_catalog(name), name)
    except OSError as error:
        raise CatalogError(f"cannot read the catalog: {reason(error)}", at=name) from error
    except (ValueError, RecursionError) as error:
        raise CatalogError(f"cannot read the catalog: {error}", at=name) from error


class Loaded(NamedTuple):
    """A catalog, and where it is from."""

    catalog: Catalog
    path: str
    source: str
    """`file`, `cache` or `packaged`."""


def load_chosen() -> Loaded:
    """Load the catalog that commands use. Errors as in `load_catalog`."""
    path, source = chosen_file()
    if source == "cache":
        try:
            return Loaded(_at_site(load_catalog(path)), path, source)
        except CatalogError as error:
            sys.stderr.write(f"warning: {shown(str(error))}; using the packaged catalog\n")
            path, source = PACKAGED, "packaged"
    return Loaded(_at_site(load_catalog(path)), path, source)


def _at_site(catalog: Catalog) -> Catalog:
    """Return the catalog with the mirrors of this machine's site, if it names any."""
    path = os.environ.get(INDEXES)
    if not path:
        return catalog
    # Imported here: few have mirrors.
    from torchconf.catalog.mirrors import read_site

    return catalog.mirrored(read_site(path))


@lru_cache(maxsize=4)
def _parsed(text: str, name: str) -> Catalog:
    """Give the same catalog for the same text: it is never changed, and remembers its answers."""
    return Catalog(validated(json.loads(text), name))


def _names_mirrors(project: Project | None) -> bool:
    tool = project.data.get("tool") if project is not None else None
    table = tool.get("torchconf") if isinstance(tool, dict) else None
    return isinstance(table, dict) and table.get("indexes") is not None
