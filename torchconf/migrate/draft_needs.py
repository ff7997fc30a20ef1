"""Draft the requirements: each need in its list, in one spelling, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.migrate.direct_needs import brought_by_torch, indirect
from torchconf.migrate.draft_bounds import BoundDraft, Lists
from torchconf.migrate.merge_needs import Entry, is_overruled, merged
from torchconf.migrate.old import Bound, Need, items_of
from torchconf.migrate.pin_wording import Pins
from torchconf.migrate.requirement_text import (
    Wording,
    as_written,
    fetches,
    pinned,
    spelled,
)
from torchconf.migrate.settings import Where, where
from torchconf.model.markers import Area, render_areas
from torchconf.model.targets import PLATFORMS
from torchconf.model.toml_path import DEPENDENCIES, render_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchconf.edits.draft import Draft
    from torchconf.migrate.account import Ledger, Verdict
    from torchconf.migrate.draft_indexes import IndexDraft
    from torchconf.migrate.old import OldFile
    from torchconf.migrate.outcome import Migration
    from torchconf.migrate.roles import Role
    from torchconf.model.project import Requirement
    from torchconf.model.toml_path import Path

__all__ = ["NeedDraft"]


class NeedDraft:
    """The requirements and constraints of a draft."""

    def __init__(
        self,
        migration: Migration,
        draft: Draft,
        ledger: Ledger,
        indexes: IndexDraft,
        homes: Mapping[str, tuple[str, str]] | None,
    ) -> None:
        """Start with none."""
        self.migration = migration
        self.draft = draft
        self.ledger = ledger
        self.indexes = indexes
        self.homes = homes
        self.notes: list[str] = []
        self.read = {file.path: file for file in migration.files}
        self.family = frozenset(migration.catalog.family)
        places: dict[str, set[Role]] = {}
        for item in items_of(migration.files, Need):
            places.setdefault(canonicalize_name(item.name), set()).add(
                migration.roles[item.at.file]
            )
        self.routed = {
            name
            for name in self.family & places.keys()
            if len(places[name]) > 1 or not any(r.kind == "platform" for r in places[name])
        }
        """PyTorch's packages for more than one platform: the planner says what each gets."""
        self.has_torch = bool(migration.wishes)
        self.lists = Lists(draft)
        self.bounds = BoundDraft(migration.project, self.lists, ledger)
        self.declared: dict[str, list[Requirement]] = {}
        for requirement in migration.project.requirements():
            self.declared.setdefault(requirement.name, []).append(requirement)
        self.keeps = migration.keep_versions and not self.bounds.is_member
        self.pins = Pins(
            migration.files,
            migration.catalog,
            migration.torch,
            keep=self.keeps,
            loose=migration.loose,
        )

    def draft_all(self) -> None:
        """Draft everything that the files need."""
        entries: list[Entry] = []
        for file in self.migration.files:
            entries += self._entries(file)
        groups: dict[object, list[Entry]] = {}
        everywhere = {
            entry.wording: entry
            for entry in entries
            if entry.to == Where() and entry.name not in self.family
        }
        common = self._common(entries)
        for entry in entries:
            if entry.to.kind == "build" and entry.wording in common:
                entry = entry._replace(to=Where())  # noqa: PLW2901 - it moves to the base
            family = entry.name in self.family and not entry.wording.url
            # Markers of PyTorch's packages only choose the build, unless versions differ.
            marker = "" if family else entry.wording.marker
            # A file for one build often lists everything else again.
            again = everywhere.get(entry.wording) if entry.to.kind == "build" else None
            to = again.to if again else entry.to
            # Without a choice to make, what a build needs stands with all the rest.
            place = self._path(to) or to
            groups.setdefault((place, entry.name, marker, entry.wording.url), []).append(entry)
        for same in groups.values():
            self._draft(same)
        for item in items_of(self.migration.files, Bound):
            if why := self._brought(canonicalize_name(item.name)):
                self.ledger.note(item, "left out", why=why)
            else:
                self.bounds.constrain(item)
        self.lists.write()
        if self.migration.keep_versions and not self.keeps:
            self.notes.append(
                "no version is kept: uv reads constraints from the workspace root only"
            )

    def _common(self, entries: Iterable[Entry]) -> set[Wording]:
        """Return what the file of each build lists, apart from PyTorch's packages."""
        found: dict[Where, set[Wording]] = {}
        for entry in entries:
            if entry.to.kind == "build":
                own = found.setdefault(entry.to, set())
                if entry.name not in self.family:
                    own.add(entry.wording)
        return set.intersection(*found.values()) if len(found) > 1 else set()

    # From lines to requirements.

    def _entries(self, file: OldFile) -> Iterable[Entry]:
        role = self.migration.roles[file.path]
        unneeded = indirect(file, self.read)
        for item in file.items:
            if not isinstance(item, Need):
                continue
            name = canonicalize_name(item.name)
            why = self._brought(name) or unneeded.get(id(item), "")
            if why:
                keeps = self.keeps and not self._brought(name)
                if keeps and (kept := self.bounds.keep(item)):
                    self.ledger.note(item, "changed", kept, "other packages require it")
                self.ledger.note(item, "left out", why=why)
                continue
            if item.beside:
                self._beside(item, name)
                continue
            if role.kind == "bounds":
                self.bounds.constrain(item)
                continue
            yield from self._entry(item, where(item, role), file)

    def _beside(self, item: Need, name: str) -> None:
        """Account for what says only where a package comes from that `[project]` lists."""
        if name in self.family and item.source:
            # The planner writes the sources of PyTorch's packages.
            into, why = f"tool.uv.sources.{item.name}", f"the build of `{item.source}`"
            to = Where(item.section.kind, item.section.name) if item.section.name else Where()
            section = _shown(self._path(to) or DEPENDENCIES) if to.kind else ""
            self.ledger.note(item, "changed", into, why, name, section, item.marker)
        elif source := self.indexes.source(item, name):
            self.ledger.note(item, "changed", f"tool.uv.sources.{item.name}: {source}")
        else:
            self.ledger.note(item, "left out", why="`[project]` lists it already")

    def _brought(self, name: str) -> str:
        """Say why torch brings a package along; empty if it does not."""
        if not self.has_torch:
            return ""
        return brought_by_torch(name, self.migration.catalog.triton_packages)

    def _entry(self, item: Need, to: Where, file: OldFile) -> Iterable[Entry]:
        wording, why = as_written(item), ""
        role = self.migration.roles[file.path]
        if role.kind == "platform" and canonicalize_name(item.name) not in self.routed:
            platform = next(p for p in PLATFORMS if p.key == role.name)
            machine = None if platform.is_usual else platform.platform_machine
            own = render_areas([Area(platform.os, machine)])
            marker = f"({wording.marker}) and {own}" if wording.marker else own
            wording = wording._replace(marker=marker)
            why = f"{file.path} is for {platform.os}"
        if item.path:
            place = self.indexes.local_source(item)
            if place is None:
                return
            wording = wording._replace(name=place, url="", specifier="")
        worded = self.pins.word(item, wording, file)
        if worded.constraint:
            self.bounds.keep(item)
        yield Entry(item, to, worded.wording, worded.why or why)

    # Into the lists.

    def _draft(self, same: Sequence[Entry]) -> None:
        """Draft one requirement for all lines that ask for it."""
        first = next((entry for entry in same if entry.to == Where()), same[0])
        catalog = self.migration.catalog
        path = self._path(first.to)
        if path is None:
            return
        name = first.name
        if there := self._declared(path, name):
            for entry in same:
                self._keep_declared(entry, there, path)
            return
        same = self._of_one_tool(same)
        wordings = merged(same, only_builds=name in self.family)
        for wording in wordings:
            text = spelled(wording)
            if text is None:
                for entry in same:
                    self.ledger.note(entry.item, "unclear", why=_why_not(wording))
                return
        for wording in wordings:
            self.lists.add(path, wording.text, f"{first.item.at.file} asks for it")
        shown = _shown(path)
        for entry in same:
            own = next((w for w in wordings if w.marker == entry.wording.marker), wordings[0])
            if is_overruled(entry, own):
                self.ledger.note(entry.item, "left out", why=f"other lines require `{own.text}`")
                continue
            same_text = own.text.replace(" ", "") == entry.item.text.replace(" ", "")
            why = entry.why
            if len(same) > 1 and not same_text and not why:
                why = "merged with the other lines for it"
            outcome: Verdict = "taken" if same_text else "changed"
            into, section = f"{shown}: {own.text}", self._section(entry, path)
            self.ledger.note(entry.item, outcome, into, why, name, section, own.marker)
        if name not in catalog.family:
            self.indexes.source(first.item, name)

    def _of_one_tool(self, same: Sequence[Entry]) -> Sequence[Entry]:
        """Return the lines of the first tool: two tools describe one environment, each its way."""
        kinds = {file.path: file.format for file in self.migration.files}
        first = same[0].item.at.file
        for entry in same:
            if kinds[entry.item.at.file] != kinds[first]:
                self.ledger.note(entry.item, "left out", why=f"{first} requires it, too")
        return [entry for entry in same if kinds[entry.item.at.file] == kinds[first]]

    def _path(self, to: Where) -> Path | None:
        """Return the path of a list; None for one that is not known yet."""
        if to.kind == "build":
            if self.homes is None:
                return None
            kind, name = self.homes.get(to.name, ("", ""))
            to = Where(kind, name)
        if to.kind == "extra":
            return ("project", "optional-dependencies", to.name)
        if to.kind == "group":
            return ("dependency-groups", to.name)
        return DEPENDENCIES

    def _declared(self, path: Path, name: str) -> Sequence[Requirement]:
        """Return the requirements of a package that the file has already, in that list."""
        declared = self.declared.get(name, ())
        there = [each for each in declared if each.path[: len(path)] == path]
        # The planner moves torch to where the builds are.
        return there or (declared if name in self.family else ())

    def _keep_declared(self, entry: Entry, there: Sequence[Requirement], path: Path) -> None:
        """Account for a line about a package that the project requires already."""
        version = pinned(entry.item.specifier)
        if version and not any(
            each.specifier.contains(version, prereleases=True) for each in there
        ):
            raw = " and ".join(f"`{each.raw}`" for each in there)
            self.ledger.note(entry.item, "left out", why=f"the project requires {raw} already")
            return
        into = f"{_shown(there[0].path[:-1])}: {there[0].raw}"
        why = "the project requires it already"
        section, marker = self._section(entry, path), entry.wording.marker
        self.ledger.note(entry.item, "taken", into, why, entry.name, section, marker)

    def _section(self, entry: Entry, path: Path) -> str:
        """Return the list that a line is for; empty for torch in the base: each build gets it."""
        return "" if entry.to == Where() and entry.name in self.family else _shown(path)


def _why_not(wording: Wording) -> str:
    """Say why a need is no requirement."""
    if wording.url and not fetches(wording.url):
        return "uv cannot fetch from this URL; the only version control it supports is Git, `git+https://...`"
    if wording.name:
        return "it is not a valid requirement"
    return f"the package's name is unknown; `uv add {wording.url}` finds out"


def _shown(path: Path) -> str:
    return render_path(path)
