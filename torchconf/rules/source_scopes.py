"""Extras and groups of sources: whether they are there, and whether they do what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.model.backends import PYPI
from torchconf.resolve.environments import comparisons
from torchconf.rules.context import Place, path_of
from torchconf.rules.fixes import UV, draft_of, put_entries, same_name
from torchconf.rules.index_names import named_backend
from torchconf.rules.installed_builds import (
    SOURCES,
    counting,
    lists,
    own_sources,
    source_entries,
)
from torchconf.rules.rule import Finding, Fix, Rule, Severity
from torchconf.rules.source_markers import all_sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.utils import NormalizedName

    from torchconf.edits.plan import Value
    from torchconf.model.project import Conflict, Item, Requirement, Section, Source
    from torchconf.rules.context import Context

__all__ = ["RULES"]


class ScopeMissing(Rule):
    """A source is for an extra or a group that is not there, or does not list the package.

    uv refuses to lock.

    Bad:
        [dependency-groups]
        cpu = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cpu", extra = "cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

    Good:
        [dependency-groups]
        cpu = ["torch"]

        [tool.uv.sources]
        torch = { index = "pytorch-cpu", group = "cpu" }

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true
    """

    code = "TC207"
    name = "scope-missing"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#multiple-sources"
    fixes = "unsafe"

    def check(self, subject: Context) -> Iterator[Finding]:
        """Report scopes of sources that are not defined, or do not list the package."""
        project = subject.project
        dynamic = {"optional-dependencies"} & project.dynamic
        if not project.has_project or dynamic:
            return
        for source in all_sources(subject):
            name = source.extra or source.group
            if name is None or (source.extra and source.group):
                continue
            kind = "extra" if source.extra else "group"
            sections = project.extras if source.extra else project.groups
            place = Place(kind, name)
            if name not in sections:
                message = f"{kind} `{name}` is not defined"
                fix = self._other_kind(subject, source, name, kind)
            elif not _listed(subject, place, source.package):
                message = f"{kind} `{name}` does not list `{source.package}`"
                fix = self._other_kind(subject, source, name, kind) or self._listed(
                    subject, source, sections[name]
                )
            else:
                continue
            yield self.finding(f"{source.at}.{kind}", message, fix=fix)

    def _other_kind(
        self, subject: Context, source: Source, name: NormalizedName, kind: str
    ) -> Fix | None:
        other = "group" if kind == "extra" else "extra"
        if not _listed(subject, Place(other, name), source.package):
            return None
        draft = draft_of(subject)
        path = path_of(source.at)
        entry = draft.get(path)
        draft.put((*path, other), entry[kind], f"`{name}` is a {other}")
        draft.remove((*path, kind), f"`{name}` is a {other}")
        return Fix(f"`{name}` is a {other}: say so", tuple(draft.steps), safe=False)

    def _listed(self, subject: Context, source: Source, section: Section) -> Fix:
        known = subject.required(source.package)
        line = known[0][1].raw if known else source.package
        draft = draft_of(subject)
        draft.insert(path_of(section.at), line, "a source for it needs a requirement on it")
        return Fix(f"list `{line}` in `{section.written}`", tuple(draft.steps), safe=False)


def _listed(subject: Context, place: Place, package: str) -> bool:
    """Tell whether an extra or a group asks for a package, as uv sees it before it locks."""
    if lists(subject, place, package):
        return True
    project = subject.project
    if place.kind != "extra" or place.name is None:
        return False
    # A base requirement with the marker `extra == 'x'` belongs to that extra.
    return any(
        one.name == package
        and one.marker is not None
        and any(t.variable == "extra" and t.value == place.name for t in comparisons(one.marker))
        for one in project.dependencies
    ) or any(
        _listed(subject, Place("extra", extra), package)
        for one in subject.flat(place)
        if one.name == project.name
        for extra in one.extras
        if extra != place.name and extra in project.extras
    )


class UnroutedVariant(Rule):
    """One of several conflicting extras or groups lists torch, and has no source for it.

    It gets PyPI's build, whatever its name says.

    Bad:
        [project.optional-dependencies]
        cpu = ["torch"]
        cu130 = ["torch"]

        [tool.uv]
        conflicts = [[{ extra = "cpu" }, { extra = "cu130" }]]

        [tool.uv.sources]
        torch = [{ index = "pytorch-cpu", extra = "cpu" }]

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

    Good:
        [project.optional-dependencies]
        cpu = ["torch"]
        cu130 = ["torch"]

        [tool.uv]
        conflicts = [[{ extra = "cpu" }, { extra = "cu130" }]]

        [tool.uv.sources]
        torch = [
            { index = "pytorch-cpu", extra = "cpu" },
            { index = "pytorch-cu130", extra = "cu130" },
        ]

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true
    """

    code = "TC208"
    name = "unrouted-variant"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/"
    fixes = "unsafe"

    def check(self, subject: Context) -> Iterator[Finding]:
        """Report variants without a source: a warning where the name promises a backend."""
        main = canonicalize_name(subject.catalog.main_package)
        if any(not (s.extra or s.group) for s in subject.project.sources_for(main)):
            return
        for conflict in subject.project.conflicts:
            places = [_place(item) for item in conflict.items]
            asking = [
                (place, line)
                for place in places
                if place is not None and (line := lists(subject, place, main)) is not None
            ]
            routed = [place for place, _ in asking if counting(subject, main, place)]
            for place, line in asking:
                if place in routed or not routed or line.url is not None or place.name is None:
                    continue
                if place.name == PYPI.name:
                    continue  # As its name says.
                backend = named_backend(subject, place.name)
                promised = backend is not None and backend != subject.catalog.fallback
                yield self.finding(
                    line.at,
                    f"{place} has no source for `{main}`: it gets PyPI's build",
                    help=f'add a source with `{place.kind} = "{place.name}"`',
                    severity=None if promised else Severity.INFO,
                    fix=self._routed(subject, place, routed[0]),
                )

    def _routed(self, subject: Context, place: Place, like: Place) -> Fix | None:
        backend = named_backend(subject, place.name or "")
        index = next(
            (i for i in subject.pytorch_indexes if backend and subject.backend(i) == backend), None
        )
        if index is None or index.name is None:
            return None
        draft = draft_of(subject)
        family = [canonicalize_name(name) for name in subject.catalog.family]
        for package in family:
            found = own_sources(subject, package)
            if not found or not lists(subject, place, package):
                continue
            if not counting(subject, package, like):
                continue
            entry: Value = {"index": index.name, place.kind: str(place.name)}
            if isinstance(found[1], list):
                draft.insert((*SOURCES, found[0]), entry, f"{place} gets {index.name}")
            else:
                put_entries(draft, subject, package, [*source_entries(subject, package), entry])
        return Fix(f"route it to index `{index.name}`", tuple(draft.steps), safe=False)


def _place(item: Item) -> Place | None:
    return Place(item.kind, item.name) if item.name is not None else None


class AliasOfRoutedExtra(Rule):
    """An extra asks for another extra of the project, which has sources of its own.

    The sources count for the extra that they name. Under the alias, the requirements are there and
    the sources are not: the packages come from PyPI.

    Bad:
        [project.optional-dependencies]
        cpu = ["torch"]
        cu130 = ["torch"]
        gpu = ["demo[cu130]"]

        [tool.uv]
        conflicts = [[{ extra = "cpu" }, { extra = "cu130" }]]

        [tool.uv.sources]
        torch = [
            { index = "pytorch-cpu", extra = "cpu" },
            { index = "pytorch-cu130", extra = "cu130" },
        ]

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true

    Good:
        [project.optional-dependencies]
        cpu = ["torch"]
        cu130 = ["torch"]

        [tool.uv]
        conflicts = [[{ extra = "cpu" }, { extra = "cu130" }]]

        [tool.uv.sources]
        torch = [
            { index = "pytorch-cpu", extra = "cpu" },
            { index = "pytorch-cu130", extra = "cu130" },
        ]

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true
    """

    code = "TC209"
    name = "alias-of-routed-extra"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources"
    fixes = "unsafe"

    def check(self, subject: Context) -> Iterator[Finding]:
        """Report self-references to an extra that a conflict set keeps from the alias."""
        for alias, line, extra in aliases(subject):
            routed = _routed_packages(subject, extra)
            alone = [p for p in routed if not counting_scoped(subject, p, alias)]
            if alone:
                yield self.finding(
                    line.at,
                    f"extra `{alias.written}` gets `{alone[0]}` from PyPI: the sources are those "
                    f"of extra `{extra}`",
                    help=f"list the packages in `{alias.written}`, with sources and a conflict of "
                    "its own",
                    fix=self._expanded(subject, alias, line, extra),
                )

    def _expanded(
        self, subject: Context, alias: Section, line: Requirement, extra: NormalizedName
    ) -> Fix | None:
        project = subject.project
        section = project.extras[extra]
        if line.marker is not None or any(one.name == project.name for one in section.requirements):
            return None
        draft = draft_of(subject)
        path = path_of(line.at)
        *above, number = path
        draft.remove(path, "it brings requirements without their sources")
        for offset, one in enumerate(section.requirements):
            draft.insert(tuple(above), one.raw, f"as `{extra}` has it", int(number) + offset)
        for package in _routed_packages(subject, extra):
            entries = source_entries(subject, package)
            new = [
                {**entry, "extra": alias.written}
                for entry in entries
                if same_name(str(entry.get("extra", "")), extra)
            ]
            put_entries(draft, subject, package, [*entries, *new])
        for number_, conflict in enumerate(project.conflicts):
            if any(item.name == extra and item.kind == "extra" for item in conflict.items):
                draft.insert(
                    (*UV, "conflicts", number_), {"extra": alias.written}, "it is a variant, too"
                )
        title = f"make `{alias.written}` an extra of its own, with the sources of `{extra}`"
        return Fix(title, tuple(draft.steps), safe=False)


def aliases(subject: Context) -> Iterator[tuple[Section, Requirement, NormalizedName]]:
    """Yield the extras that ask for another extra of the project which is kept from them.

    A conflict set that names the one and not the other does that.
    """
    project = subject.project
    for section in project.extras.values():
        for line in section.requirements:
            if line.name != project.name:
                continue
            for extra in line.extras:
                if extra == section.name or extra not in project.extras:
                    continue
                sets = sets_naming(subject, "extra", extra)
                if sets and not all(_names(one, "extra", section.name) for one in sets):
                    yield section, line, extra


def sets_naming(subject: Context, kind: str, name: str) -> list[Conflict]:
    """Return the conflict sets that name an extra or a group of this project."""
    return [one for one in subject.project.conflicts if _names(one, kind, name)]


def _names(conflict: Conflict, kind: str, name: str) -> bool:
    return any(item.kind == kind and item.name == name for item in conflict.items)


def _routed_packages(subject: Context, extra: NormalizedName) -> list[NormalizedName]:
    return [
        package
        for package, sources in subject.project.sources.items()
        if any(source.extra == extra and source.kind == "index" for source in sources)
    ]


def counting_scoped(subject: Context, package: NormalizedName, section: Section) -> bool:
    """Tell whether a package has a source for just this extra."""
    return any(source.extra == section.name for source in subject.project.sources_for(package))


def spoken(items: Iterable[str]) -> str:
    """Join names for a message."""
    names = [f"`{name}`" for name in items]
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


RULES: tuple[type[Rule], ...] = (
    ScopeMissing,
    UnroutedVariant,
    AliasOfRoutedExtra,
)
"""The rules of this family, by code."""
