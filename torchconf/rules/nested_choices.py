"""Extras and groups that bring others along, past the conflict sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.rules.conflicts import PAIR
from torchconf.rules.context import path_of
from torchconf.rules.fixes import draft_of
from torchconf.rules.rule import Finding, Fix, Rule, Severity
from torchconf.rules.source_scopes import aliases, sets_naming

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.utils import NormalizedName

    from torchconf.rules.context import Context

__all__ = ["RULES"]


class HiddenVariant(Rule):
    """An alias or an included group brings a routed package past the conflict set.

    A set knows the names in it. Where an extra asks for another one, or a group includes another
    one, the sources are those of the one name and the conflict is that of the other: uv reports
    conflicting indexes, or takes the package from PyPI. To add the included group to the set makes
    the error vanish, and sends the including one to PyPI.

    Bad:
        [dependency-groups]
        torch-gpu = ["torch"]
        gpu = [{ include-group = "torch-gpu" }, "numpy"]
        cpu = ["torch"]

        [tool.uv]
        conflicts = [[{ group = "gpu" }, { group = "cpu" }]]

        [tool.uv.sources]
        torch = [
            { index = "pytorch-cu130", group = "torch-gpu" },
            { index = "pytorch-cpu", group = "cpu" },
        ]

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

    Good:
        [dependency-groups]
        torch-gpu = ["torch"]
        gpu = [{ include-group = "torch-gpu" }, "numpy"]
        cpu = ["torch"]

        [tool.uv]
        conflicts = [[{ group = "gpu" }, { group = "cpu" }]]

        [tool.uv.sources]
        torch = [
            { index = "pytorch-cu130", group = "gpu" },
            { index = "pytorch-cpu", group = "cpu" },
        ]

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true
    """

    code = "TC309"
    name = "hidden-variant"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-groups"
    fixes = "unsafe"

    def check(self, subject: Context) -> Iterator[Finding]:
        """Report aliases at the set that does not name them, and groups at their include."""
        told = set()
        for alias, _, extra in aliases(subject):
            for conflict in sets_naming(subject, "extra", extra):
                if _brought(subject, "extra", extra) and conflict.at not in told:
                    told.add(conflict.at)
                    yield self.finding(
                        conflict.at,
                        f"extra `{alias.written}` brings what `{extra}` routes, and is not in this "
                        "set",
                        help=f"let `{alias.written}` list the packages itself, or remove it",
                    )
        for includer, included, at in _includes(subject):
            packages = _brought(subject, "group", included)
            alone = [p for p in packages if not _brought_by(subject, p, includer)]
            outer = sets_naming(subject, "group", includer)
            inner = sets_naming(subject, "group", included)
            if not alone or not (outer or inner) or any(one in inner for one in outer):
                continue
            yield self.finding(
                at,
                f"group `{includer}` brings `{alone[0]}` of group `{included}`: the conflict names "
                "one of them, the source the other",
                help=f"let the source name `{includer}`; do not add `{included}` to the set",
                fix=self._moved(subject, alone, includer, included) if not inner else None,
            )

    def _moved(
        self,
        subject: Context,
        packages: Iterable[NormalizedName],
        includer: NormalizedName,
        included: NormalizedName,
    ) -> Fix:
        draft = draft_of(subject)
        written = subject.project.groups[includer].written
        for package in packages:
            for source in subject.project.sources.get(package, ()):
                if source.group == included:
                    draft.put((*path_of(source.at), "group"), written, "the conflict names it")
        title = f"let the sources name `{written}`"
        return Fix(title, tuple(draft.steps), safe=False)


def _includes(
    subject: Context,
) -> Iterator[tuple[NormalizedName, NormalizedName, str]]:
    """Yield what each group includes, at whatever depth: includer, included, place."""
    groups = subject.project.groups
    for name, section in groups.items():
        seen: set[NormalizedName] = {name}
        waiting = [(include.group, include.at) for include in section.includes]
        while waiting:
            included, at = waiting.pop(0)
            if included in seen or included not in groups:
                continue
            seen.add(included)
            yield name, included, at
            waiting += [(include.group, at) for include in groups[included].includes]


def _brought(subject: Context, kind: str, name: NormalizedName) -> list[NormalizedName]:
    """Return the packages that have an index source for just this extra or group."""
    return [
        package
        for package, sources in subject.project.sources.items()
        if any(
            s.kind == "index" and name == (s.extra if kind == "extra" else s.group) for s in sources
        )
    ]


def _brought_by(subject: Context, package: NormalizedName, group: NormalizedName) -> bool:
    return any(source.group == group for source in subject.project.sources_for(package))


class NestedGroupsInConflict(Rule):
    """One conflict set holds a group and a group that it includes.

    uv writes a lockfile that it can not read back.

    Bad:
        [dependency-groups]
        gpu = ["torch"]
        train = [{ include-group = "gpu" }]

        [tool.uv]
        conflicts = [[{ group = "gpu" }, { group = "train" }]]

    Good:
        [dependency-groups]
        gpu = ["torch"]
        train = ["torch"]

        [tool.uv]
        conflicts = [[{ group = "gpu" }, { group = "train" }]]
    """

    code = "TC313"
    name = "nested-groups-in-conflict"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"

    def check(self, subject: Context) -> Iterator[Finding]:
        """Report the set, once for each pair."""
        for conflict in subject.project.conflicts:
            groups = {i.name for i in conflict.items if i.kind == "group"}
            if len(groups) < PAIR:
                continue
            for includer, included, _ in _includes(subject):
                if includer in groups and included in groups:
                    yield self.finding(
                        conflict.at,
                        f"group `{includer}` includes `{included}`, and this set keeps them apart",
                        help="let each list what it needs itself",
                    )


RULES: tuple[type[Rule], ...] = (
    HiddenVariant,
    NestedGroupsInConflict,
)
"""The rules of this family, by code."""
