"""The names in conflict sets: whether they are there, and what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.rules.fixes import draft_of, same_name
from torchconf.rules.rule import Finding, Fix, Premise, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.model.project import Conflict
    from torchconf.rules.context import Context

__all__ = ["RULES"]

_PAIR = 2


class ConflictKind(Rule):
    """A conflict says `extra` where the name is a group, or the reverse."""

    code = "TC302"
    name = "conflict-kind"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    fixes = "safe"
    stops_lock = True
    requires = (Premise.SETTING,)

    def check(self, context: Context) -> Iterator[Finding]:
        """Report items whose name is of the other kind; one fix corrects the whole set."""
        for conflict, entries in _written_sets(context):
            wrong = [
                (number, entry, kind)
                for number, entry, kind in entries
                if not _is_defined(context, kind, entry[kind])
                and _is_defined(context, _other(kind), entry[kind])
            ]
            if not wrong:
                continue
            draft = draft_of(context)
            for number, entry, kind in wrong:
                path = (*conflict.path, number)
                draft.put(
                    (*path, _other(kind)), entry[kind], "the name is defined in the other table"
                )
                draft.remove((*path, kind), "the name is defined in the other table")
            fix = Fix("correct the kind of each name", tuple(draft.steps), safe=True)
            for number, entry, kind in wrong:
                message = f"`{entry[kind]}` is a {_words(_other(kind))}, not a {_words(kind)}"
                message = message.replace("a extra", "an extra")
                yield self.finding((*conflict.path, number, kind), message, fix=fix)


def _words(kind: str) -> str:
    return "dependency group" if kind == "group" else kind


def _other(kind: str) -> str:
    return "group" if kind == "extra" else "extra"


def _is_defined(context: Context, kind: str, name: str) -> bool:
    project = context.project
    return canonicalize_name(name) in (project.extras if kind == "extra" else project.groups)


def _written_sets(
    context: Context,
) -> Iterator[tuple[Conflict, list[tuple[int, dict[str, str], str]]]]:
    """Yield the conflict sets, each with its entries on this project as they are written."""
    project = context.project
    table = project.uv.get("conflicts")
    if "optional-dependencies" in project.dynamic or not project.has_project:
        return
    for conflict in project.conflicts:
        written = table[int(conflict.path[-1])] if isinstance(table, list) else None
        entries = [
            (number, entry, kind)
            for number, entry in enumerate(written if isinstance(written, list) else ())
            if isinstance(entry, dict)
            and same_name(str(entry.get("package", project.name)), str(project.name))
            for kind in ("extra", "group")
            if isinstance(entry.get(kind), str) and entry[kind]
        ]
        yield conflict, entries


class ConflictUnknownName(Rule):
    """A conflict names an extra or a group that does not exist."""

    code = "TC303"
    name = "conflict-unknown-name"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    fixes = "unsafe"
    requires = (Premise.SETTING,)

    def check(self, context: Context) -> Iterator[Finding]:
        """Report names of this project's extras and groups that are not there."""
        for conflict, entries in _written_sets(context):
            for number, entry, kind in entries:
                name = entry[kind]
                if _is_defined(context, kind, name) or _is_defined(context, _other(kind), name):
                    continue
                yield self.finding(
                    (*conflict.path, number, kind),
                    f"{_words(kind)} `{name}` is not defined, so this entry has no effect",
                    fix=self._fix(context, conflict, number, kind, name),
                )

    def _fix(self, context: Context, conflict: Conflict, number: int, kind: str, name: str) -> Fix:
        # Imported here: few files need it.
        from difflib import get_close_matches

        project = context.project
        there = {str(item.name) for item in conflict.items}
        sections = project.extras if kind == "extra" else project.groups
        free = {str(key): one.written for key, one in sections.items() if key not in there}
        near = get_close_matches(canonicalize_name(name), free, n=1, cutoff=0.7)
        draft = draft_of(context)
        path = conflict.path
        if near:
            draft.put((*path, number, kind), free[near[0]], "this is its defined name")
            return Fix(f"use `{free[near[0]]}`", tuple(draft.steps), safe=False)
        if len(set(conflict.items)) > _PAIR:
            draft.remove((*path, number), "it is not defined")
            return Fix(f"remove `{name}` from the set", tuple(draft.steps), safe=False)
        draft.remove(path, "it has no effect")
        if not draft.get(path[:-1]):
            draft.remove(path[:-1], "it is empty")
        return Fix("remove the set", tuple(draft.steps), safe=False)


class SelfPackageConflict(Rule):
    """A conflict set contains both the project and one of its extras or groups."""

    code = "TC308"
    name = "self-package-conflict"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    fixes = "unsafe"
    stops_lock = True
    requires = (Premise.SETTING,)

    def check(self, context: Context) -> Iterator[Finding]:
        """Report the entry of the project."""
        for conflict in context.project.conflicts:
            whole = {item.package for item in conflict.items if item.kind == "project"}
            parts = {item.package for item in conflict.items if item.kind != "project"}
            for number, entry in enumerate(self._entries(context, conflict)):
                if set(entry) != {"package"}:
                    continue
                name = canonicalize_name(str(entry["package"]))
                if name not in whole & parts:
                    continue
                draft = draft_of(context)
                path = conflict.path
                if len(set(conflict.items)) > _PAIR:
                    draft.remove((*path, number), "an extra is always installed with its project")
                else:
                    draft.remove(path, "an extra is always installed with its project")
                yield self.finding(
                    (*conflict.path, number),
                    f"this set contains project `{name}` and its own extras or groups, so these "
                    "can never be installed",
                    help="list only extras and groups",
                    fix=Fix("remove the project from the set", tuple(draft.steps), safe=False),
                )

    def _entries(self, context: Context, conflict: Conflict) -> list[dict[str, object]]:
        table = context.project.uv.get("conflicts")
        written = table[int(conflict.path[-1])] if isinstance(table, list) else None
        return [e for e in written if isinstance(e, dict)] if isinstance(written, list) else []


RULES: tuple[type[Rule], ...] = (
    ConflictKind,
    ConflictUnknownName,
    SelfPackageConflict,
)
"""The rules of this family, by code."""
