"""The lists of a workspace: what base dependencies, extras and groups ask for, flattened."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from torchconf.resolve.sourced import Lines, ListEntry, Sourced, entry_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.utils import NormalizedName

    from torchconf.model.project import Project
    from torchconf.resolve.environments import Environments
    from torchconf.resolve.lowering import Declared

__all__ = ["Lists"]

_NONE_ON: frozenset[NormalizedName] = frozenset()
_PAIR = 2


class Lists:
    """The lists of what a workspace declares, each made when it is first asked for."""

    def __init__(self, declared: Declared) -> None:
        """Take what was lowered."""
        self._declared = declared
        self._lists: dict[tuple[int, str, NormalizedName | None], Lines] = {}
        self._by_section: dict[int, dict[NormalizedName | None, list[Sourced]]] = {}
        self._led: dict[tuple[int, NormalizedName], NormalizedName] = {}

    def of_base(self, project: Project) -> Lines:
        """Return the list of the base dependencies."""
        return self._list(project, "base", None)

    def of_extra(self, project: Project, extra: NormalizedName) -> Lines:
        """Return the list of one extra, without the base dependencies."""
        return self._list(project, "extra", self._leads_on(project, extra))

    def of_group(self, project: Project, group: NormalizedName) -> Lines:
        """Return the list of one dependency group."""
        return self._list(project, "group", group)

    def _list(self, project: Project, kind: str, name: NormalizedName | None) -> Lines:
        key = (id(project), kind, name)
        found = self._lists.get(key)
        if found is None:
            if kind == "group" and name is not None:
                pieces = (
                    (piece, self._declared.where(piece))
                    for piece in self._declared.group(project, name)
                )
                entries = [entry_of(piece, there) for piece, there in pieces if there]
            else:
                entries = self._flattened(project, name)
            found = self._lists[key] = Lines(self._constrained(entries))
        return found

    def _own(self, project: Project, extra: NormalizedName | None) -> Iterator[ListEntry]:
        """Yield what stands in base, or what an extra adds to it."""
        on = _NONE_ON if extra is None else frozenset((extra,))
        pieces: Sequence[Sourced] = self._declared.published(project)
        if not self._declared.extras_in_markers:
            by_section = self._by_section.get(id(project))
            if by_section is None:
                by_section = self._by_section[id(project)] = {}
                for piece in pieces:
                    by_section.setdefault(piece.section, []).append(piece)
            pieces = by_section.get(extra, ())
        for piece in pieces:
            if piece.section == extra:
                environments = self._declared.where(piece, on)
            elif piece.section is None and self._declared.extras_in_markers:
                environments = self._declared.where(piece, on) & ~self._declared.where(piece)
            else:
                continue
            if environments:
                yield entry_of(piece, environments)

    def _leads_on(self, project: Project, extra: NormalizedName) -> NormalizedName:
        """Pass over extras that ask for nothing but another extra: these have its list."""
        passed: dict[NormalizedName, None] = {}
        while extra not in passed and (id(project), extra) not in self._led:
            own = list(itertools.islice(self._own(project, extra), _PAIR))
            if len(own) != 1 or own[0].name != project.name or len(own[0].extras) != 1:
                break
            if own[0].environments != self._declared.universe.everything:
                break
            passed[extra] = None
            extra = own[0].extras[0]
        last = self._led.get((id(project), extra), extra)
        self._led.update(((id(project), one), last) for one in passed)
        return last

    def _flattened(self, project: Project, extra: NormalizedName | None) -> list[ListEntry]:
        """Replace `demo[x]` by the requirements of x, in whose environments it stands.

        uv does so without asking whether a fork keeps x out.
        """
        entries: list[ListEntry] = []
        queue: list[ListEntry] = []
        for entry in self._own(project, extra):
            (queue if entry.name == project.name and entry.extras else entries).append(entry)
        seen: set[tuple[NormalizedName, Environments]] = set()
        for alias in queue:
            for name in alias.extras:
                if (name, alias.environments) in seen:
                    continue
                seen.add((name, alias.environments))
                for entry in self._own(project, name):
                    environments = entry.environments & alias.environments
                    if not environments:
                        continue
                    narrowed = ListEntry(
                        name=entry.name,
                        environments=environments,
                        sourced=entry.sourced,
                        extras=entry.extras,
                    )
                    itself = entry.name == project.name and entry.extras
                    (queue if itself else entries).append(narrowed)
        return entries

    def _constrained(self, entries: Iterable[ListEntry]) -> Iterator[ListEntry]:
        """Put beside each requirement the constraints of its name, with both markers joined."""
        for entry in entries:
            yield entry
            for constraint in self._declared.constraints.get(entry.name, ()):
                environments = entry.environments & self._declared.where(constraint)
                if environments:
                    yield entry_of(constraint, environments)

    def of_needed(self, names: Iterable[NormalizedName]) -> Lines:
        """Return the list of a package known to need others: each without a marker."""
        everywhere = self._declared.universe.everything
        entries: list[ListEntry] = []
        for name in sorted(set(names) - self._declared.excluded):
            overrides = self._declared.overrides.get(name)
            if overrides is None:
                entries.append(
                    ListEntry(name=name, environments=everywhere, sourced=None, extras=())
                )
            else:
                entries += [
                    entry_of(override, self._declared.where(override)) for override in overrides
                ]
        return Lines(self._constrained(entries))
