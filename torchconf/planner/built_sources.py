"""Draft the sources and indexes of a package that is built against torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.catalog.built import Page
from torchconf.errors import ProjectError
from torchconf.model.markers import Area, areas, possible_platforms, render_areas
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import PLATFORMS, SHOWN_PLATFORMS
from torchconf.model.toml_path import INDEXES, SOURCES, render_path
from torchconf.planner.built_packages import BuiltWheels, Wheel, home_of
from torchconf.planner.draft_indexes import source_entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from torchconf.catalog import Catalog
    from torchconf.edits.draft import Draft
    from torchconf.edits.plan import Value
    from torchconf.layout.layouts import Scope
    from torchconf.model.project import Project
    from torchconf.model.targets import Platform
    from torchconf.planner.decide import Decision

__all__ = ["BuiltPlan", "BuiltSources", "remove_unused"]


class BuiltPlan(NamedTuple):
    """What is known while such packages are drafted."""

    draft: Draft
    project: Project
    catalog: Catalog
    decision: Decision
    wheels: BuiltWheels


class BuiltSources:
    """The sources of one package, and the markers that say where its wheels are."""

    def __init__(self, plan: BuiltPlan, name: str) -> None:
        self.edited, self.project, self.catalog, self.decision, self.wheels = plan
        self.name = name
        self.key = plan.draft.key(SOURCES, name, canonicalize_name)
        targeted = {target.platform for target in plan.decision.choice.targets}
        self.platforms = [p for p in PLATFORMS if p in targeted.union(SHOWN_PLATFORMS)]

    def marker(self, where: Mapping[Platform, Wheel]) -> str | None:
        """Return where it is required; sources with markers leave systems out that nobody names."""
        if len(set(where.values())) == 1:
            return self.render(frozenset(where))
        found: list[Area] = []
        for own in _by_wheel(where).values():
            apart = [platform for platform in self.platforms if platform not in own]
            found += areas(own, apart=apart)
        return render_areas(found)

    def render(self, where: AbstractSet[Platform]) -> str | None:
        """Return the marker of some platforms; None for all of them."""
        apart = [platform for platform in self.platforms if platform not in where]
        return render_areas(areas(where, apart=apart)) if apart else None

    def entries(self, scope: Scope, where: Mapping[Platform, Wheel]) -> list[Value]:
        """Return the sources of one place; what PyPI has needs none."""
        found: list[Value] = []
        for wheel, own in _by_wheel(where).items():
            if not wheel.family.url:
                continue
            entry: dict[str, Value] = {"index": self._index(wheel)}
            if scope.kind:
                entry[scope.kind] = scope.name
            marker = self.render(own)
            found.append({**entry, "marker": marker} if marker else entry)
        return found

    def _current(self) -> list[Any]:
        current = self.edited.get((*SOURCES, self.key))
        return [current] if isinstance(current, dict) else list(current or ())

    def own(self, scope: Scope) -> list[Value]:
        """Return the sources that one place has."""
        return [entry for entry in self._current() if _scope_of(entry) == _key_of(scope)]

    def is_served(
        self, own: Sequence[Any], where: Mapping[Platform, Wheel], left: AbstractSet[Platform]
    ) -> bool:
        """Tell whether sources lead each platform where it should go already.

        Args:
            own: The sources.
            where: The platforms that have wheels.
            left: Those that have none any more.
        """
        if any(left & possible_platforms(entry.get("marker")) for entry in own):
            return False
        for platform, wheel in where.items():
            held = [e for e in own if platform in possible_platforms(e.get("marker"))]
            wanted = [self._known_index(wheel, moves=False)] if wheel.family.url else []
            if [entry.get("index") for entry in held] != wanted:
                return False
        return True

    def arrange(self, entries: Sequence[Value]) -> Iterator[str]:
        """Arrange the sources of all places."""
        ours = {_key_of(scope) for scope in self.decision.scopes}
        gone = {canonicalize_name(name) for name in self.decision.gone}
        moved = self.decision.layout != self.decision.before.layout
        others = [
            entry
            for entry in self._current()
            if (key := _scope_of(entry)) not in ours and not moved and key[1] not in gone
        ]
        wanted = [*others, *entries]
        if wanted:
            reason = "its wheels are there, for this build of torch"
            path = (*SOURCES, self.key)
            self.edited.arrange(path, wanted, reason, same=_content, kin=_kin)
        elif self._current():
            self.edited.remove((*SOURCES, self.key), "no target has a build with its wheels")
            yield f"{self.name} is removed: no target is left with a build that it has wheels for"

    def _index(self, wheel: Wheel) -> str:
        """Return the name of an index; one of the same build and another torch is moved."""
        return self._known_index(wheel, moves=True) or self._new_index(wheel)

    def _known_index(self, wheel: Wheel, *, moves: bool) -> str | None:
        """Return the name of the index that the file has for some wheels, if it has one."""
        wanted = Page(wheel.family, wheel.build, self.wheels.line)
        for number, entry in enumerate(self.edited.get(INDEXES) or []):
            page = self.catalog.built.page(str(entry.get("url", "")))
            if page is None or "name" not in entry or page[:2] != wanted[:2]:
                continue
            if not page.has_line(wanted.line):
                if not moves:
                    return None
                self._refuse_to_part(str(entry["name"]), page.line)
                self.edited.put(
                    (*INDEXES, number, "url"), self._url(wheel), "the page of this torch"
                )
            return str(entry["name"])
        for index in self.project.root.indexes if self.project.root is not None else ():
            page = self.catalog.built.page(index.url)
            known = page is not None and page[:2] == wanted[:2] and page.has_line(wanted.line)
            if known and index.name:
                return index.name
        return None

    def _refuse_to_part(self, index: str, line: str) -> None:
        """Refuse another torch than that of an extra or group which the plan leaves alone."""
        affected = {_key_of(s) for s in self.decision.scopes if s.name in self.decision.affected}
        for _, path, entry in source_entries(self.edited):
            key = _scope_of(entry)
            if entry.get("index") == index and key[0] and key not in affected:
                raise ProjectError(
                    f"{key[0]} `{key[1]}` has wheels for torch {line}, and this would need torch "
                    f"{self.wheels.line}",
                    at=self.project.place(render_path(path)),
                    help="choose a build that has the same torch, or run `torchconf upgrade` first",
                )

    def _url(self, wheel: Wheel) -> str:
        return self.catalog.placed(wheel.family.index_url(wheel.build, self.wheels.line))

    def _new_index(self, wheel: Wheel) -> str:
        name = f"{wheel.family.name}-{wheel.build}"
        taken = self.project.index_named(name)
        if taken is not None:
            raise ProjectError(
                f"index name `{name}` is taken by {taken.url}",
                at=self.project.place(taken.at),
                help="rename that index, or correct its URL",
            )
        entry: dict[str, Value] = {"name": name, "url": self._url(wheel), "explicit": True}
        if wheel.family.flat:
            entry["format"] = "flat"
        self.edited.insert(INDEXES, entry, f"{wheel.family.title}, for {wheel.build}")
        return name


def _by_wheel(where: Mapping[Platform, Wheel]) -> dict[Wheel, frozenset[Platform]]:
    return {
        wheel: frozenset(platform for platform in where if where[platform] == wheel)
        for wheel in dict.fromkeys(where.values())
    }


def remove_unused(draft: Draft, project: Project, catalog: Catalog) -> None:
    """Take away explicit indexes of such packages that a source named, and none does any more."""
    named = {
        home[1].name
        for sources in project.sources.values()
        for source in sources
        if (home := home_of(source, project, catalog)) is not None
    }
    entries = [
        entry
        for listed in (draft.get(SOURCES) or {}).values()
        for entry in ([listed] if isinstance(listed, dict) else listed)
    ]
    unused = named - {entry.get("index") for entry in entries}
    indexes: list[dict[str, Any]] = draft.get(INDEXES) or []
    for number in reversed(range(len(indexes))):
        if indexes[number].get("explicit") is True and indexes[number].get("name") in unused:
            draft.remove((*INDEXES, number), "no source names it any more")


def _scope_of(entry: Any) -> tuple[str, str]:  # noqa: ANN401 - parsed TOML
    for kind in ("extra", "group"):
        if kind in entry:
            return kind, canonicalize_name(entry[kind])
    return "", ""


def _key_of(scope: Scope) -> tuple[str, str]:
    return scope.kind, canonicalize_name(scope.name) if scope.name else ""


def _content(entry: Any) -> tuple[object, ...]:  # noqa: ANN401 - parsed TOML
    return entry.get("index"), _scope_of(entry), possible_platforms(entry.get("marker"))


def _kin(entry: Any) -> tuple[object, ...]:  # noqa: ANN401 - parsed TOML
    return entry.get("index"), _scope_of(entry)
