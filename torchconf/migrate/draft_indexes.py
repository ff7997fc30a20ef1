"""Draft the indexes of other people, and the sources of what comes from them."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.errors import without_secrets
from torchconf.migrate.builds import ELSEWHERE
from torchconf.migrate.old import Need, OldIndex, items_of
from torchconf.migrate.told_by_text import has_torch_of_others, page_of
from torchconf.model.backends import host_of, is_nightly, is_pypi
from torchconf.model.toml_path import INDEXES, SOURCES

if TYPE_CHECKING:
    from collections.abc import Collection

    from torchconf.edits.draft import Draft
    from torchconf.migrate.account import Ledger
    from torchconf.migrate.outcome import Migration

__all__ = ["IndexDraft"]


class IndexDraft:
    """The indexes of a draft that are not PyTorch's."""

    def __init__(
        self, migration: Migration, draft: Draft, ledger: Ledger, builds: Collection[str]
    ) -> None:
        """Start with none."""
        self.migration = migration
        self.draft = draft
        self.ledger = ledger
        self.notes: list[str] = []
        self.builds = builds
        self.others = [i for i in items_of(migration.files, OldIndex) if self._build(i) is None]
        """Those that are not PyTorch's."""
        self.needed = {
            canonicalize_name(item.name): item.name
            for file in migration.files
            for item in file.items
            if isinstance(item, Need)
        }

    def draft_all(self) -> None:
        """Draft an entry for each index that uv must know, and account for all."""
        for file in self.migration.files:
            for item in file.items:
                if isinstance(item, OldIndex):
                    self._index(item)

    def local_source(self, item: Need) -> str | None:
        """Draft the source of a local package; return its name, None for the project itself."""
        if item.path in {".", "./", ""}:
            self.ledger.note(item, "left out", why="uv installs the project itself")
            return None
        if not item.name:
            self.ledger.note(item, "unclear", why="the package's name is unknown")
            return None
        source: dict[str, Any] = {"path": item.path}
        if item.editable:
            source["editable"] = True
        self.draft.put((*SOURCES, item.name), source, f"{item.at.file} installs it from a path")
        return item.name

    def source(self, item: Need, name: str) -> str:
        """Draft the source of a package that must come from one index; return that index."""
        for index in self.others:
            named = item.source and item.source in {index.name, index.url}
            page = page_of(index.url, self.migration.catalog)
            lists = any(fnmatchcase(name, pattern.lower()) for pattern in index.packages)
            if named or lists or (page and name in page.packages):
                entry: dict[str, Any] = {"index": self._entry(index, explicit=True)}
                if page and page.backend.startswith("cu"):
                    # The page has no wheels for macOS.
                    entry["marker"] = "sys_platform != 'darwin'"
                self.draft.put((*SOURCES, item.name), [entry], f"`{index.url}` has its wheels")
                return str(entry["index"])
        return ""

    def _build(self, item: OldIndex) -> str | None:
        """Return the build of PyTorch that an index serves; None for an index of others."""
        catalog = self.migration.catalog
        if page_of(item.url, catalog):
            return None
        backend = catalog.backend_of_url(item.url, item.name or None)
        if backend is not None:
            return backend.name
        root = catalog.base_url.rpartition("/")[0]
        return "" if catalog.real(item.url).startswith(f"{root}/") else None

    def _index(self, item: OldIndex) -> None:
        build = self._build(item)
        url = self.migration.catalog.real(item.url)
        if is_pypi(url):
            self.ledger.note(item, "left out", why="PyPI is uv's default index")
            return
        if is_nightly(url) and build is not None and build not in self.builds:
            why = "nothing else says whether nightly builds are meant; name targets with `-t`"
            self.ledger.note(item, "left out" if self.migration.overruled else "unclear", why=why)
            return
        if has_torch_of_others(item.url, self.migration.catalog):
            self._torch_of_others(item)
            return
        if build is not None:
            self._pytorch(item, build)
            return
        page = page_of(item.url, self.migration.catalog)
        if page:
            served = sorted(self.needed.keys() & page.packages)
            if not served:
                self.ledger.note(item, "left out", why="none of its packages is needed")
                return
            name = self._entry(item, explicit=True)
            why = f"for {', '.join(served)} only"
            self.ledger.note(item, "changed", f"tool.uv.index: {name} (explicit)", why)
            return
        name = self._entry(item, explicit=item.kind == "explicit")
        clean = without_secrets(item.url) == item.url
        why = {
            "index": "replaces PyPI as the default index",
            "extra": "uv searches it before PyPI, for every package",
            "links": "uv searches it before PyPI, for every package",
            "explicit": "only for the packages that name it",
        }[item.kind]
        if not clean:
            variable = re.sub(r"[^A-Z0-9]+", "_", name.upper())
            why += (
                f"; user and password stay out of the file: set UV_INDEX_{variable}_USERNAME and "
                f"UV_INDEX_{variable}_PASSWORD"
            )
        self.ledger.note(item, "taken" if clean else "changed", f"tool.uv.index: {name}", why)

    def _torch_of_others(self, item: OldIndex) -> None:
        """Draft an index with another publisher's builds of torch, for PyTorch's packages."""
        if not any(wish.build == ELSEWHERE for _, wish in self.migration.wishes):
            why = "PyTorch's own index is named, too, and a package has one index"
            self.ledger.note(item, "unclear", why=why)
            return
        catalog = self.migration.catalog
        name = self._entry(item, explicit=True)
        for package, written in self.needed.items():
            if package in catalog.family:
                self.draft.put((*SOURCES, written), [{"index": name}], f"from `{item.url}`")
        self.notes.append(
            f"torch comes from {catalog.publisher(item.url)}, index `{name}`: torchconf has no "
            "target for these builds"
        )
        into = f"tool.uv.index: {name} (explicit)"
        self.ledger.note(item, "changed", into, "only for PyTorch's packages")

    def _pytorch(self, item: OldIndex, build: str) -> None:
        if build in self.builds:
            why = "explicit: only for PyTorch's packages"
            self.ledger.note(item, "changed", f"tool.uv.index for the build {build}", why)
        elif build:
            why = f"no target has the build {build}"
            self.ledger.note(item, "left out", why=why)
        else:
            why = "the labels of pins say which build; without one it is PyPI's"
            self.ledger.note(item, "left out", why=why)

    def _entry(self, item: OldIndex, *, explicit: bool) -> str:
        """Draft the entry of an index unless it is there; return its name."""
        url = without_secrets(item.url)
        entries = self.draft.get(INDEXES) or []
        names = {entry.get("name") for entry in entries if isinstance(entry, dict)}
        for entry in entries:
            if isinstance(entry, dict) and str(entry.get("url", "")).rstrip("/") == url.rstrip("/"):
                return str(entry.get("name") or url)
        name = base = _name(item)
        number = 1
        while name in names:
            number += 1
            name = f"{base}-{number}"
        value: dict[str, Any] = {"name": name, "url": url}
        if item.kind == "links":
            value["format"] = "flat"
        if explicit:
            value["explicit"] = True
        if item.kind == "index":
            value["default"] = True
        self.draft.insert(INDEXES, value, f"{item.at.file} names it")
        return name


def _name(item: OldIndex) -> str:
    """Return a name for an index: its own, or its host's."""
    given = re.sub(r"[^A-Za-z0-9_.-]+", "-", item.name).strip("-")
    if given:
        return given
    parts = [
        p for p in host_of(item.url).split(".") if p not in {"www", "pypi", "data", "download"}
    ]
    return "-".join(parts[:-1]) or "-".join(parts) or "links"
