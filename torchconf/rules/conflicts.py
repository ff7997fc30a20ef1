"""Conflict sets: which variants they must keep apart, and what they must not hold."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from torchconf.project import Item
from torchconf.rules.builds import lists
from torchconf.rules.mending import UV, draft_of, same_name
from torchconf.rules.rule import Finding, Fix, Rule, Severity
from torchconf.rules.scopes import aliases, sets_naming, spoken
from torchconf.rules.subject import Place, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName

    from torchconf.drafting import Draft
    from torchconf.plan import Value
    from torchconf.project import Conflict, Requirement, Source
    from torchconf.rules.subject import Subject

__all__ = ["RULES"]

_PAIR = 2
_REASON = "each of these brings another build of the same packages"


def _scoped(subject: Subject) -> list[tuple[Item, Source]]:
    """Return the scoped index sources of this file that count, each with what conflicts name."""
    found = []
    package = subject.project.name
    for source in subject.family_sources:
        name = source.extra or source.group
        if package is None or name is None or source.kind != "index":
            continue
        kind = "extra" if source.extra else "group"
        if lists(subject, Place(kind, name), source.package) is not None:
            found.append((Item(package, "extra" if source.extra else "group", name), source))
    return found


def _apart(subject: Subject) -> list[tuple[Item, Item, Source]]:
    """Return pairs of items whose indexes collide, with no conflict set that holds both."""
    pairs: dict[tuple[Item, Item], Source] = {}
    for (one, source), (other, after) in itertools.combinations(_scoped(subject), 2):
        if source.package != after.package or one == other or subject.conflicts_with(one, other):
            continue
        first, second = subject.index_of(source), subject.index_of(after)
        if first is None or second is None or first.url == second.url:
            continue
        if subject.where(source.marker, after.marker) or subject.whole.universe is None:
            pairs.setdefault((one, other), after)
    return [(one, other, source) for (one, other), source in pairs.items()]


def _groups_of(pairs: Iterable[tuple[Item, Item, Source]]) -> list[tuple[list[Item], Source]]:
    """Join pairs that share an item."""
    found: list[tuple[list[Item], Source]] = []
    for one, other, source in pairs:
        joined = [group for group in found if one in group[0] or other in group[0]]
        items = list(dict.fromkeys([*(i for group in joined for i in group[0]), one, other]))
        place = joined[0][1] if joined else source
        found = [group for group in found if group not in joined]
        found.append((items, place))
    return found


def _one_set(draft: Draft, subject: Subject, items: Iterable[Item]) -> None:
    """Make one conflict set hold all items: the one with most of them, or a new one."""
    items = list(items)
    conflicts = subject.project.conflicts
    shared = [len({*one.items} & {*items}) for one in conflicts]
    if not shared or max(shared) == 0:
        draft.insert((*UV, "conflicts"), [_entry(item, subject) for item in items], _REASON)
        return
    best = conflicts[shared.index(max(shared))]
    for item in items:
        if item not in best.items:
            draft.insert(path_of(best.at), _entry(item, subject), _REASON)


def _entry(item: Item, subject: Subject) -> dict[str, Value]:
    """Write an item as the file writes names."""
    project = subject.project
    sections = project.extras if item.kind == "extra" else project.groups
    section = sections.get(item.name) if item.name else None
    return {item.kind: section.written if section else str(item.name)}


class MissingConflict(Rule):
    """Two extras or groups route a package to different indexes, and no conflict keeps them apart.

    uv resolves all extras and groups together, and refuses: 'requirements contain conflicting
    indexes'. It takes one set that holds all of them; pairs are not the same.

    Bad:
        [project.optional-dependencies]
        cpu = ["torch"]
        cu130 = ["torch"]

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

    code = "TC301"
    name = "missing-conflict"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    fixes = "safe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report each set of variants once."""
        for items, source in _groups_of(_apart(subject)):
            draft = draft_of(subject)
            _one_set(draft, subject, items)
            names = spoken(str(item.name) for item in items)
            yield self.finding(
                source.at,
                f"{names} take `{source.package}` from different indexes, and no conflict set "
                "holds them together",
                help="name all of them in one set of `conflicts`",
                fix=Fix("put them into one conflict set", tuple(draft.steps), safe=True),
            )


class ConflictKind(Rule):
    """A conflict says `extra` where the name is a group, or the reverse.

    uv accepts a name that it does not know, and nothing is kept apart.

    Bad:
        [dependency-groups]
        cpu = ["torch"]
        cu130 = ["torch"]

        [tool.uv]
        conflicts = [[{ extra = "cpu" }, { extra = "cu130" }]]

    Good:
        [dependency-groups]
        cpu = ["torch"]
        cu130 = ["torch"]

        [tool.uv]
        conflicts = [[{ group = "cpu" }, { group = "cu130" }]]
    """

    code = "TC302"
    name = "conflict-kind"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    fixes = "safe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report items whose name is of the other kind; a fix mends the whole set."""
        for conflict, entries in _written_sets(subject):
            wrong = [
                (number, entry, kind)
                for number, entry, kind in entries
                if not _is_defined(subject, kind, entry[kind])
                and _is_defined(subject, _other(kind), entry[kind])
            ]
            if not wrong:
                continue
            draft = draft_of(subject)
            for number, entry, kind in wrong:
                path = (*path_of(conflict.at), number)
                draft.put((*path, _other(kind)), entry[kind], f"it is a {_other(kind)}")
                draft.remove((*path, kind), f"it is a {_other(kind)}")
            fix = Fix("say what the names are", tuple(draft.steps), safe=True)
            for number, entry, kind in wrong:
                message = f"`{entry[kind]}` is a {_words(_other(kind))}, not a {_words(kind)}"
                message = message.replace("a extra", "an extra")
                yield self.finding(f"{conflict.at}[{number}].{kind}", message, fix=fix)


def _words(kind: str) -> str:
    return "dependency group" if kind == "group" else kind


def _other(kind: str) -> str:
    return "group" if kind == "extra" else "extra"


def _is_defined(subject: Subject, kind: str, name: str) -> bool:
    project = subject.project
    return canonicalize_name(name) in (project.extras if kind == "extra" else project.groups)


def _written_sets(
    subject: Subject,
) -> Iterator[tuple[Conflict, list[tuple[int, dict[str, str], str]]]]:
    """Yield the conflict sets, each with its entries on this project as they are written."""
    project = subject.project
    table = project.uv.get("conflicts")
    if "optional-dependencies" in project.dynamic or not project.has_project:
        return
    for conflict in project.conflicts:
        written = table[int(path_of(conflict.at)[-1])] if isinstance(table, list) else None
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
    """A conflict names an extra or a group that is defined nowhere.

    uv accepts it without a word; what was meant is not kept apart.

    Bad:
        [project.optional-dependencies]
        cpu = ["torch"]
        cu130 = ["torch"]

        [tool.uv]
        conflicts = [[{ extra = "cpu" }, { extra = "cuda130" }]]

    Good:
        [project.optional-dependencies]
        cpu = ["torch"]
        cu130 = ["torch"]

        [tool.uv]
        conflicts = [[{ extra = "cpu" }, { extra = "cu130" }]]
    """

    code = "TC303"
    name = "conflict-unknown-name"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report names of this project's extras and groups that are not there."""
        for conflict, entries in _written_sets(subject):
            for number, entry, kind in entries:
                name = entry[kind]
                if _is_defined(subject, kind, name) or _is_defined(subject, _other(kind), name):
                    continue
                yield self.finding(
                    f"{conflict.at}[{number}].{kind}",
                    f"{_words(kind)} `{name}` is not defined: nothing is kept apart from it",
                    fix=self._mended(subject, conflict, number, kind, name),
                )

    def _mended(
        self, subject: Subject, conflict: Conflict, number: int, kind: str, name: str
    ) -> Fix:
        # Imported here: few files need it.
        from difflib import get_close_matches

        project = subject.project
        there = {str(item.name) for item in conflict.items}
        sections = project.extras if kind == "extra" else project.groups
        free = {str(key): one.written for key, one in sections.items() if key not in there}
        near = get_close_matches(canonicalize_name(name), free, n=1, cutoff=0.7)
        draft = draft_of(subject)
        path = path_of(conflict.at)
        if near:
            draft.put((*path, number, kind), free[near[0]], "it is defined by this name")
            return Fix(f"name `{free[near[0]]}`", tuple(draft.steps), safe=False)
        if len(set(conflict.items)) > _PAIR:
            draft.remove((*path, number), "it is not defined")
            return Fix(f"take `{name}` out of the set", tuple(draft.steps), safe=False)
        draft.remove(path, "it keeps nothing apart")
        if not draft.get(path[:-1]):
            draft.remove(path[:-1], "it is empty")
        return Fix("take the set away", tuple(draft.steps), safe=False)


class SelfPackageConflict(Rule):
    """The project itself stands in a conflict set with one of its own extras or groups.

    That set says that the project and the extra can not be installed together, so the extra can
    not be installed at all.

    Bad:
        [project.optional-dependencies]
        cpu = ["torch"]
        cu130 = ["torch"]

        [tool.uv]
        conflicts = [[{ package = "demo" }, { extra = "cpu" }, { extra = "cu130" }]]

    Good:
        [project.optional-dependencies]
        cpu = ["torch"]
        cu130 = ["torch"]

        [tool.uv]
        conflicts = [[{ extra = "cpu" }, { extra = "cu130" }]]
    """

    code = "TC308"
    name = "self-package-conflict"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report the entry of the project."""
        for conflict in subject.project.conflicts:
            whole = {item.package for item in conflict.items if item.kind == "project"}
            parts = {item.package for item in conflict.items if item.kind != "project"}
            for number, entry in enumerate(self._entries(subject, conflict)):
                if set(entry) != {"package"}:
                    continue
                name = canonicalize_name(str(entry["package"]))
                if name not in whole & parts:
                    continue
                draft = draft_of(subject)
                path = path_of(conflict.at)
                if len(set(conflict.items)) > _PAIR:
                    draft.remove((*path, number), "an extra comes with its project")
                else:
                    draft.remove(path, "an extra comes with its project")
                yield self.finding(
                    f"{conflict.at}[{number}]",
                    f"`{name}` stands in a conflict set with a part of itself: that part can never "
                    "be installed",
                    help="name extras and groups only",
                    fix=Fix("take the project out of the set", tuple(draft.steps), safe=False),
                )

    def _entries(self, subject: Subject, conflict: Conflict) -> list[dict[str, object]]:
        table = subject.project.uv.get("conflicts")
        written = table[int(path_of(conflict.at)[-1])] if isinstance(table, list) else None
        return [e for e in written if isinstance(e, dict)] if isinstance(written, list) else []


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

    def check(self, subject: Subject) -> Iterator[Finding]:
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
        subject: Subject,
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
    subject: Subject,
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


def _brought(subject: Subject, kind: str, name: NormalizedName) -> list[NormalizedName]:
    """Return the packages that have an index source for just this extra or group."""
    return [
        package
        for package, sources in subject.project.sources.items()
        if any(
            s.kind == "index" and name == (s.extra if kind == "extra" else s.group) for s in sources
        )
    ]


def _brought_by(subject: Subject, package: NormalizedName, group: NormalizedName) -> bool:
    return any(source.group == group for source in subject.project.sources_for(package))


class IncompatibleVariants(Rule):
    """Two extras or groups ask for releases of a package that exclude each other.

    uv resolves them together and finds no solution, unless a conflict set holds both.

    Bad:
        [project.optional-dependencies]
        old = ["torch==2.6.0"]
        new = ["torch==2.9.1"]

        [tool.uv]
        package = false

    Good:
        [project.optional-dependencies]
        old = ["torch==2.6.0"]
        new = ["torch==2.9.1"]

        [tool.uv]
        conflicts = [[{ extra = "old" }, { extra = "new" }]]
    """

    code = "TC310"
    name = "incompatible-variants"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    fixes = "safe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Compare the family's requirements in extras and groups, pair by pair.

        It is information where nothing shows that uv is used: pip installs one extra at a time.
        """
        project = subject.project
        if project.name is None:
            return
        known = {frozenset((one, other)) for one, other, _ in _apart(subject)}
        told: set[frozenset[Item]] = set()
        for package in subject.catalog.family:
            asked = [
                (Item(project.name, "extra" if p.kind == "extra" else "group", p.name), line)
                for p in subject.places
                if p.name is not None
                for line in subject.flat(p)
                if line.name == package and line.specifier
            ]
            for (one, line), (other, after) in itertools.combinations(asked, 2):
                pair = frozenset((one, other))
                if one == other or pair in known | told or subject.conflicts_with(one, other):
                    continue
                if not subject.where(line.marker, after.marker):
                    continue
                if not _exclude(subject, package, line, after):
                    continue
                told.add(pair)
                draft = draft_of(subject)
                _one_set(draft, subject, (one, other))
                yield self.finding(
                    after.at,
                    f"`{other.name}` asks for `{package}{after.specifier}`, `{one.name}` for "
                    f"`{package}{line.specifier}`: no release is both",
                    help="name both in one set of `conflicts`",
                    severity=None if project.uv or subject.whole.lockfile else Severity.INFO,
                    fix=Fix("put them into one conflict set", tuple(draft.steps), safe=True),
                )


def _exclude(subject: Subject, package: str, one: Requirement, other: Requirement) -> bool:
    """Tell whether no release, known or named, is in both ranges."""
    both = one.specifier & other.specifier
    named = [Version(text) for part in both if (text := _plain(part.version))]
    later = [Version(f"{v.major}.{v.minor}.{v.micro + 1}") for v in named]
    much = [Version(f"{v.major}.{v.minor + 1}.0") for v in named]
    candidates = (*subject.catalog.versions(package), *named, *later, *much, Version("999"))
    return not any(_in(both, version) for version in candidates)


def _in(specifier: SpecifierSet, version: Version) -> bool:
    return specifier.contains(version, prereleases=True)


def _plain(text: str) -> str | None:
    try:
        Version(text.removesuffix(".*"))
    except ValueError:
        return None
    return text.removesuffix(".*")


class PairwiseConflicts(Rule):
    """Pairs of conflicts stand where one set is meant.

    `[a, b], [a, c], [b, c]` does not mean 'one of these' to uv. Next to a base dependency, the fork
    without the first two is never split for the third, and a plain `uv sync` gets its build.

    Bad:
        [project]
        dependencies = ["torch"]

        [project.optional-dependencies]
        cpu = ["torch"]
        cu126 = ["torch"]
        cu130 = ["torch"]

        [tool.uv]
        conflicts = [
            [{ extra = "cpu" }, { extra = "cu126" }],
            [{ extra = "cpu" }, { extra = "cu130" }],
            [{ extra = "cu126" }, { extra = "cu130" }],
        ]

        [tool.uv.sources]
        torch = [
            { index = "pytorch-cpu", extra = "cpu" },
            { index = "pytorch-cu126", extra = "cu126" },
            { index = "pytorch-cu130", extra = "cu130" },
        ]

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

        [[tool.uv.index]]
        name = "pytorch-cu126"
        url = "https://download.pytorch.org/whl/cu126"
        explicit = true

        [[tool.uv.index]]
        name = "pytorch-cu130"
        url = "https://download.pytorch.org/whl/cu130"
        explicit = true

    Good:
        [project.optional-dependencies]
        cpu = ["torch"]
        cu126 = ["torch"]
        cu130 = ["torch"]

        [tool.uv]
        conflicts = [[{ extra = "cpu" }, { extra = "cu126" }, { extra = "cu130" }]]
    """

    code = "TC312"
    name = "pairwise-conflicts"
    severity = Severity.WARNING
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report sets that keep each of three or more items from each other, and none holds all."""
        project = subject.project
        small = [c for c in project.conflicts if len(set(c.items)) >= _PAIR]
        items = dict.fromkeys(item for conflict in small for item in conflict.items)
        for start in items:
            clique = [start]
            for item in items:
                if item != start and all(subject.conflicts_with(item, one) for one in clique):
                    clique.append(item)
            whole = set(clique)
            if len(clique) <= _PAIR or any(whole <= set(one.items) for one in small):
                continue
            inside = [c for c in small if set(c.items) <= whole]
            first, *rest = inside
            draft = draft_of(subject)
            held = list(first.items)
            for item in clique:
                if item not in held:
                    entry: dict[str, Value] = {}
                    if item.package != project.name:
                        entry["package"] = str(item.package)
                    draft.insert(path_of(first.at), {**entry, **_entry(item, subject)}, _REASON)
            for conflict in reversed(rest):
                draft.remove(path_of(conflict.at), "one set says it all")
            names = spoken(str(item.name or item.package) for item in clique)
            yield self.finding(
                first.at,
                f"{names} exclude each other pair by pair: uv wants one set for 'one of these'",
                severity=None if self._has_base(subject) else Severity.INFO,
                fix=Fix("make one set of them", tuple(draft.steps), safe=False),
            )
            return

    def _has_base(self, subject: Subject) -> bool:
        routed = {source.package for _, source in _scoped(subject)}
        return any(line.name in routed for line in subject.project.dependencies)


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

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report the set, once for each pair."""
        for conflict in subject.project.conflicts:
            groups = {i.name for i in conflict.items if i.kind == "group"}
            if len(groups) < _PAIR:
                continue
            for includer, included, _ in _includes(subject):
                if includer in groups and included in groups:
                    yield self.finding(
                        conflict.at,
                        f"group `{includer}` includes `{included}`, and this set keeps them apart",
                        help="let each list what it needs itself",
                    )


RULES: tuple[type[Rule], ...] = (
    MissingConflict,
    ConflictKind,
    ConflictUnknownName,
    SelfPackageConflict,
    HiddenVariant,
    IncompatibleVariants,
    PairwiseConflicts,
    NestedGroupsInConflict,
)
"""The rules of this family, by code."""
