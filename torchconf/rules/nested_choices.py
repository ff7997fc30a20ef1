"""Extras and groups that bring others along, past the conflict sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.model.toml_path import CONFLICTS
from torchconf.rules.fixes import draft_of, put_entries, same_name
from torchconf.rules.installed_builds import source_entries
from torchconf.rules.rule import Finding, Fix, Premise, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.utils import NormalizedName

    from torchconf.model.project import Requirement, Section
    from torchconf.model.toml_path import Path
    from torchconf.rules.context import Context

__all__ = ["RULES"]


class AliasOfRoutedExtra(Rule):
    """An extra includes another extra that has sources of its own."""

    code = "TC209"
    name = "alias-of-routed-extra"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources"
    fixes = "unsafe"

    def check(self, context: Context) -> Iterator[Finding]:
        """Report self-references to an extra that a conflict set keeps from the alias."""
        for alias, line, extra in _aliases(context):
            routed = _brought(context, "extra", extra)
            alone = [p for p in routed if not _has_own_source(context, p, alias)]
            if alone:
                yield self.finding(
                    line.path,
                    f"extra `{alias.written}` gets `{alone[0]}` from PyPI, because the "
                    f"sources are for extra `{extra}`",
                    help=f"list the packages in `{alias.written}`, with its own sources and "
                    "conflict",
                    fix=self._fix(context, alias, line, extra),
                )

    def _fix(
        self, context: Context, alias: Section, line: Requirement, extra: NormalizedName
    ) -> Fix | None:
        project = context.project
        section = project.extras[extra]
        if line.marker is not None or any(one.name == project.name for one in section.requirements):
            return None
        draft = draft_of(context)
        path = line.path
        *above, number = path
        draft.remove(path, "it adds requirements without their sources")
        for offset, one in enumerate(section.requirements):
            draft.insert(tuple(above), one.raw, f"as in `{extra}`", int(number) + offset)
        for package in _brought(context, "extra", extra):
            entries = source_entries(context, package)
            new = [
                {**entry, "extra": alias.written}
                for entry in entries
                if same_name(str(entry.get("extra", "")), extra)
            ]
            put_entries(draft, context, package, [*entries, *new])
        for number_, conflict in enumerate(project.conflicts):
            if any(item.name == extra and item.kind == "extra" for item in conflict.items):
                draft.insert(
                    (*CONFLICTS, number_),
                    {"extra": alias.written},
                    "it is one of the conflicting choices",
                )
        title = f"make `{alias.written}` independent, with the sources of `{extra}`"
        return Fix(title, tuple(draft.steps), safe=False)


class HiddenBuild(Rule):
    """An extra or a group includes a routed package that its conflict set does not know about."""

    code = "TC309"
    name = "hidden-build"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-groups"
    fixes = "unsafe"
    stops_lock = True

    def check(self, context: Context) -> Iterator[Finding]:
        """Report aliases at the set that does not name them, and groups at their include."""
        reported = set()
        for alias, _, extra in _aliases(context):
            if ("extra", extra) not in context.routed_alone:
                continue
            for number in sorted(context.sets_naming("extra", extra)):
                conflict = context.project.conflicts[number]
                if conflict.path not in reported:
                    reported.add(conflict.path)
                    yield self.finding(
                        conflict.path,
                        f"extra `{alias.written}` includes the routed packages of `{extra}` but "
                        "is not in this set",
                        help=f"list the packages in `{alias.written}` directly, or remove it",
                    )
        groups = context.project.groups
        routed = [name for kind, name in context.routed_alone if kind == "group"]
        apart = any(context.sets_naming("group", name) for name in routed)
        for includer, included, path in _includes(
            context,
            # Where no set names what is included, one must name what includes it.
            [name for name in groups if apart or context.sets_naming("group", name)]
            if routed
            else (),
        ):
            packages = _brought(context, "group", included)
            alone = [p for p in packages if not _brought_by(context, p, includer)]
            outer = context.sets_naming("group", includer)
            inner = context.sets_naming("group", included)
            if not alone or not (outer or inner) or not outer.isdisjoint(inner):
                continue
            yield self.finding(
                path,
                f"group `{includer}` includes `{alone[0]}` from group `{included}`: the "
                "conflict names one group, the source the other",
                help=f"use `{includer}` in the source; do not add `{included}` to the conflict set",
                fix=self._fix(context, alone, includer, included) if not inner else None,
            )

    def _fix(
        self,
        context: Context,
        packages: Iterable[NormalizedName],
        includer: NormalizedName,
        included: NormalizedName,
    ) -> Fix:
        draft = draft_of(context)
        written = context.project.groups[includer].written
        for package in packages:
            for source in context.project.sources.get(package, ()):
                if source.group == included:
                    draft.put((*source.path, "group"), written, "the conflict names this group")
        title = f"use `{written}` in the sources"
        return Fix(title, tuple(draft.steps), safe=False)


def _includes(
    context: Context, includers: Iterable[NormalizedName]
) -> Iterator[tuple[NormalizedName, NormalizedName, Path]]:
    """Yield what some groups include, at whatever depth: includer, included, place."""
    groups = context.project.groups
    for name in includers:
        seen: set[NormalizedName] = {name}
        waiting = [(include.group, include.path) for include in groups[name].includes]
        for included, path in waiting:
            if included in seen or included not in groups:
                continue
            seen.add(included)
            yield name, included, path
            waiting += [(include.group, path) for include in groups[included].includes]


def _brought(context: Context, kind: str, name: NormalizedName) -> list[NormalizedName]:
    """Return the packages that have an index source for just this extra or group."""
    return list(context.routed_alone.get((kind, name), ()))


def _brought_by(context: Context, package: NormalizedName, group: NormalizedName) -> bool:
    sources = context.project.sources_within(package, group=group)
    return any(source.group == group for source in sources)


class NestedGroupsInConflict(Rule):
    """One conflict set contains a group and another group that it includes."""

    code = "TC313"
    name = "nested-groups-in-conflict"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    stops_lock = True
    requires = (Premise.SETTING,)

    def check(self, context: Context) -> Iterator[Finding]:
        """Report the set, once for each pair."""
        for conflict in context.project.conflicts:
            groups = {i.name for i in conflict.items if i.kind == "group"}
            if len(groups) <= 1:
                continue
            inside = [name for name in context.project.groups if name in groups]
            for includer, included, _ in _includes(context, inside):
                if included in groups:
                    yield self.finding(
                        conflict.path,
                        f"group `{includer}` includes `{included}`, but they conflict in this set",
                        help="list the requirements of each group directly",
                    )


def _aliases(context: Context) -> Iterator[tuple[Section, Requirement, NormalizedName]]:
    """Yield the extras that ask for another extra of the project which is kept from them.

    A conflict set that names the one and not the other does that.
    """
    project = context.project
    for section in project.extras.values():
        for line in section.requirements:
            if line.name != project.name:
                continue
            for extra in line.extras:
                if extra == section.name or extra not in project.extras:
                    continue
                sets = context.sets_naming("extra", extra)
                if not sets <= context.sets_naming("extra", section.name):
                    yield section, line, extra


def _has_own_source(context: Context, package: NormalizedName, section: Section) -> bool:
    """Tell whether a package has a source for just this extra."""
    sources = context.project.sources_within(package, extra=section.name)
    return any(source.extra == section.name for source in sources)


RULES: tuple[type[Rule], ...] = (
    AliasOfRoutedExtra,
    HiddenBuild,
    NestedGroupsInConflict,
)
"""The rules of this family, by code."""
