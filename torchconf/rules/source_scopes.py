"""Extras and groups of sources: whether they are there, and whether they do what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.model.backends import PYPI
from torchconf.model.toml_path import SOURCES
from torchconf.resolve.environments import comparisons
from torchconf.rules.context import Place
from torchconf.rules.fixes import draft_of, put_entries
from torchconf.rules.installed_builds import (
    applied_sources,
    own_sources,
    source_entries,
)
from torchconf.rules.rule import Finding, Fix, Premise, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.utils import NormalizedName

    from torchconf.edits.plan import Value
    from torchconf.model.project import Item, Section, Source
    from torchconf.rules.context import Context

__all__ = ["RULES"]


class ScopeMissing(Rule):
    """A source is for an extra or a group that does not exist or does not list the package."""

    code = "TC207"
    name = "scope-missing"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#multiple-sources"
    fixes = "unsafe"
    breaks = Premise.SCOPES
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Report scopes of sources that are not defined, or do not list the package."""
        project = context.project
        dynamic = {"optional-dependencies"} & project.dynamic
        if not project.has_project or dynamic or context.is_script:
            return  # TC003 has more to say of a script.
        for source in context.sources:
            name = source.extra or source.group
            if name is None or (source.extra and source.group):
                continue
            kind = "extra" if source.extra else "group"
            sections = project.extras if source.extra else project.groups
            place = Place(kind, name)
            if name not in sections:
                message = f"{kind} `{name}` is not defined"
                fix = self._fix(context, source, name, kind)
            elif not _listed(context, place, source.package):
                message = f"{kind} `{name}` does not list `{source.package}`"
                fix = self._fix(context, source, name, kind) or self._listed(
                    context, source, sections[name]
                )
            else:
                continue
            yield self.finding((*source.path, kind), message, fix=fix)

    def _fix(self, context: Context, source: Source, name: NormalizedName, kind: str) -> Fix | None:
        other = "group" if kind == "extra" else "extra"
        if not _listed(context, Place(other, name), source.package):
            return None
        draft = draft_of(context)
        path = source.path
        entry = draft.get(path)
        draft.put((*path, other), entry[kind], f"`{name}` is a {other}")
        draft.remove((*path, kind), f"`{name}` is a {other}")
        return Fix(
            f"use `{other}` instead, because `{name}` is a {other}", tuple(draft.steps), safe=False
        )

    def _listed(self, context: Context, source: Source, section: Section) -> Fix:
        known = context.required(source.package)
        line = known[0][1].raw if known else source.package
        draft = draft_of(context)
        draft.insert(section.path, line, "a source needs a requirement")
        return Fix(f"add `{line}` to `{section.written}`", tuple(draft.steps), safe=False)


def _listed(context: Context, place: Place, package: str) -> bool:
    """Tell whether an extra or a group asks for a package, as uv sees it before it locks."""
    if context.first_requirement(place, package):
        return True
    project = context.project
    if place.kind != "extra" or place.name is None:
        return False
    # A base requirement with the marker `extra == 'x'` belongs to that extra.
    return any(
        one.name == package
        and one.marker is not None
        and any(t.variable == "extra" and t.value == place.name for t in comparisons(one.marker))
        for one in project.dependencies
    ) or any(
        _listed(context, Place("extra", extra), package)
        for one in context.flat(place)
        if one.name == project.name
        for extra in one.extras
        if extra != place.name and extra in project.extras
    )


class UnroutedChoice(Rule):
    """One of several conflicting extras or groups lists torch without a source for it."""

    code = "TC208"
    name = "unrouted-choice"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/"
    fixes = "unsafe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report choices without a source: a warning where the name promises a backend."""
        main = canonicalize_name(context.catalog.main_package)
        if any(not (s.extra or s.group) for s in context.project.sources_for(main)):
            return
        for conflict in context.project.conflicts:
            places = [_place(item) for item in conflict.items]
            asking = [
                (place, line)
                for place in places
                if place is not None
                and (line := context.first_requirement(place, main)) is not None
            ]
            routed = {place: None for place, _ in asking if applied_sources(context, main, place)}
            for place, line in asking:
                if place in routed or not routed or line.url is not None or place.name is None:
                    continue
                if place.name == PYPI.name:
                    continue  # As its name says.
                backend = context.named_backend(place.name)
                promised = backend is not None and backend != context.catalog.fallback
                yield self.finding(
                    line.path,
                    f"{place} has no source for `{main}` and gets PyPI's build",
                    help=f'add a source with `{place.kind} = "{place.name}"`',
                    severity=None if promised else Severity.INFO,
                    fix=self._fix(context, place, next(iter(routed))),
                )

    def _fix(self, context: Context, place: Place, like: Place) -> Fix | None:
        backend = context.named_backend(place.name or "")
        index = next(
            (i for i in context.pytorch_indexes if backend and context.backend(i) == backend), None
        )
        if index is None or index.name is None:
            return None
        draft = draft_of(context)
        family = [canonicalize_name(name) for name in context.catalog.family]
        for package in family:
            found = own_sources(context, package)
            if not found or not context.first_requirement(place, package):
                continue
            if not applied_sources(context, package, like):
                continue
            entry: Value = {"index": index.name, place.kind: str(place.name)}
            if isinstance(found[1], list):
                draft.insert((*SOURCES, found[0]), entry, f"{place} gets {index.name}")
            else:
                put_entries(draft, context, package, [*source_entries(context, package), entry])
        return Fix(f"route it to index `{index.name}`", tuple(draft.steps), safe=False)


def _place(item: Item) -> Place | None:
    return Place(item.kind, item.name) if item.name is not None else None


RULES: tuple[type[Rule], ...] = (
    ScopeMissing,
    UnroutedChoice,
)
"""The rules of this family, by code."""
