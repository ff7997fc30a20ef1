"""Variants next to base dependencies and default groups: what a plain `uv sync` gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.project import Item
from torchconf.rules.builds import build_of, is_judged, machines
from torchconf.rules.mending import UV, draft_of, raw_marker
from torchconf.rules.rule import Finding, Fix, Rule, Severity
from torchconf.rules.scopes import spoken
from torchconf.rules.subject import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.utils import NormalizedName

    from torchconf.plan import Value
    from torchconf.project import Requirement, Source
    from torchconf.routes import Route
    from torchconf.rules.subject import Subject
    from torchconf.targets import Platform

__all__ = ["RULES"]


def _base_requirements(subject: Subject, package: str) -> list[Requirement]:
    return [one for one in subject.project.dependencies if one.name == package and one.url is None]


def _scoped_sources(subject: Subject, package: NormalizedName) -> list[Source]:
    """Return the index sources of a package that are for an extra or a group."""
    sources = subject.project.sources_for(package)
    return [s for s in sources if (s.extra or s.group) and s.index is not None]


def _item(subject: Subject, source: Source) -> Item | None:
    name = source.extra or source.group
    if subject.project.name is None or name is None:
        return None
    return Item(subject.project.name, "extra" if source.extra else "group", name)


def _base_packages(subject: Subject) -> list[NormalizedName]:
    """Return the family packages of the base dependencies that have scoped sources."""
    return [
        name
        for package in subject.catalog.family
        if _base_requirements(subject, name := canonicalize_name(package))
        and _scoped_sources(subject, name)
    ]


def _plain(subject: Subject, package: str, platform: Platform) -> Iterator[Route]:
    """Yield what a plain `uv sync` takes a package from, once for each stretch of Pythons."""
    route = subject.route(package, platform)
    if route.kind == "varies":
        yield from (each for _, each in route.by_python)
    else:
        yield route


class OneVariantWins(Rule):
    """A source for an extra or a group serves everybody.

    Where a base dependency asks for torch, too, and no conflict set names the extra, uv has no fork
    without it: the index of the extra is the only one, and a plain `uv sync` gets it as well.

    Bad:
        [project]
        dependencies = ["torch"]

        [project.optional-dependencies]
        cpu = ["torch"]

        [tool.uv.sources]
        torch = [{ index = "pytorch-cpu", extra = "cpu" }]

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true

    Good:
        [project.optional-dependencies]
        cpu = ["torch"]

        [tool.uv.sources]
        torch = [{ index = "pytorch-cpu", extra = "cpu" }]

        [[tool.uv.index]]
        name = "pytorch-cpu"
        url = "https://download.pytorch.org/whl/cpu"
        explicit = true
    """

    code = "TC304"
    name = "one-variant-wins"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/config/#conflicting-dependencies"
    fixes = "unsafe"
    yields_to = ("TC301",)

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Ask the routes which pin serves a plain `uv sync`."""
        packages = _base_packages(subject)
        if not packages or not is_judged(subject):
            return
        for package in packages:
            for route in (
                each
                for platform in machines(subject)
                for each in _plain(subject, package, platform)
            ):
                item = route.pin.item if route.pin is not None else None
                source = route.source
                if item is None or source is None or route.kind != "index":
                    continue
                if item.kind == "group" and item.name in _defaults(subject):
                    continue
                if subject.sets_of(item) or item.package != subject.project.name:
                    continue
                yield self.finding(
                    source.at,
                    f"everybody gets `{package}` from `{source.value}`, not just {item.kind} "
                    f"`{item.name}`: no conflict separates it from the base dependencies",
                    help="move the package out of the base dependencies, or name the variants in "
                    "one conflict set",
                    fix=self._separated(subject, package, item),
                )
                return

    def _separated(self, subject: Subject, package: NormalizedName, item: Item) -> Fix | None:
        """Add a variant that stands for PyPI's build, in conflict with the one that wins."""
        project = subject.project
        extra = item.kind == "extra"
        if "pypi" in (project.extras if extra else project.groups) or not project.has_project:
            return None
        section = (project.extras if extra else project.groups)[item.name or package]
        lines: list[Value] = [one.raw for one in _base_requirements(subject, package)]
        draft = draft_of(subject)
        table = ("project", "optional-dependencies") if extra else ("dependency-groups",)
        draft.put((*table, "pypi"), lines, "a variant that no source serves: PyPI's build")
        entries: list[Value] = [{item.kind: section.written}, {item.kind: "pypi"}]
        draft.insert((*UV, "conflicts"), entries, "each brings another build")
        title = f"add {item.kind} `pypi` for PyPI's build, in conflict with `{section.written}`"
        return Fix(title, tuple(draft.steps), safe=False)


def _defaults(subject: Subject) -> frozenset[str]:
    """Return the groups that a plain `uv sync` installs; normalised."""
    project = subject.project
    if project.default_groups == "all":
        return frozenset(project.groups)
    named = project.default_groups
    return frozenset({"dev"} if named is None else named) & frozenset(project.groups)


class GateVoid(Rule):
    """The platform marker of a scoped source has no effect.

    Where a base dependency asks for torch without a marker, uv gives its fork of the extra one
    index, on all platforms, before the marker is looked at: macOS gets the CUDA index. It needs
    `environments` that are cut where the markers are.

    Bad:
        [project]
        dependencies = ["torch"]

        [project.optional-dependencies]
        cpu = ["torch"]
        cu130 = ["torch"]

        [tool.uv]
        conflicts = [[{ extra = "cpu" }, { extra = "cu130" }]]

        [tool.uv.sources]
        torch = [
            { index = "pytorch-cpu", extra = "cpu" },
            { index = "pytorch-cu130", extra = "cu130", marker = "sys_platform != 'darwin'" },
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
        [project]
        dependencies = ["torch"]

        [project.optional-dependencies]
        cpu = ["torch"]
        cu130 = ["torch"]

        [tool.uv]
        environments = ["sys_platform == 'darwin'", "sys_platform != 'darwin'"]
        conflicts = [[{ extra = "cpu" }, { extra = "cu130" }]]

        [tool.uv.sources]
        torch = [
            { index = "pytorch-cpu", extra = "cpu" },
            { index = "pytorch-cu130", extra = "cu130", marker = "sys_platform != 'darwin'" },
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

    code = "TC305"
    name = "gate-void"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/reference/settings/#environments"
    fixes = "unsafe"
    yields_to = ("TC205", "TC206", "TC207", "TC401", "TC402", "TC403")

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Look for a fork that lies on both sides of a source's marker."""
        universe = subject.whole.universe
        if universe is None:
            return
        for package in _base_packages(subject):
            cells = self._cells(subject, package)
            for source in _scoped_sources(subject, package):
                item = _item(subject, source)
                if source.marker is None or item is None or not subject.sets_of(item):
                    continue
                inside = subject.where(source.marker)
                outside = universe.everything & ~inside
                if not any(c & inside & universe.supported and c & outside for c in cells):
                    continue
                if is_judged(subject) and not self._reaches(subject, package, source):
                    continue
                yield self.finding(
                    f"{source.at}.marker",
                    f"this marker is void: the base asks for `{package}` on all platforms",
                    help="cut `environments` where the markers of the sources are",
                    fix=self._cut(subject),
                )
                return

    def _reaches(self, subject: Subject, package: NormalizedName, source: Source) -> bool:
        """Ask the routes whether a source serves a machine on which its marker does not hold."""
        extras = (source.extra,) if source.extra else ()
        groups = (source.group,) if source.group else ()
        others = [
            item.name
            for conflict in subject.project.conflicts
            for item in conflict.items
            if item.kind == "group" and item.name and item.name not in groups
        ]
        inside = subject.platforms(source.marker)
        for platform in machines(subject):
            route = subject.route(package, platform, extras=extras, groups=groups, no_groups=others)
            reached = [each for _, each in route.by_python] or [route]
            if platform not in inside and any(one.source == source for one in reached):
                return True
        return False

    def _cells(self, subject: Subject, package: NormalizedName) -> list[int]:
        """Return the sets of environments in which uv looks at the base dependencies."""
        universe = subject.whole.universe
        if universe is None:
            return []
        cells = [
            subject.where(entry.marker) for entry in subject.project.workspace.environments
        ] or [universe.everything]
        markers = {str(one.marker): one.marker for one in _base_requirements(subject, package)}
        if len(markers) > 1:
            for marker in markers.values():
                where = subject.where(marker)
                cells = [part for cell in cells for part in (cell & where, cell & ~where) if part]
        return cells

    def _cut(self, subject: Subject) -> Fix | None:
        if subject.project.root is not None:
            return None  # A member's own `environments` are not read.
        # Imported here, as in `mending`: only a finding needs it.
        from torchconf.markers import cut_by, meet, names_platforms, overlap

        choices: dict[tuple[str, ...], list[tuple[str | None, object]]] = {}
        for package in _base_packages(subject):
            for source in _scoped_sources(subject, package):
                raw = raw_marker(subject, source)
                if raw is not None and not names_platforms(raw):
                    return None
                key = (package, str(source.extra), str(source.group))
                choices.setdefault(key, []).append((raw, source.value))
        cells = cut_by(choices.values())
        draft = draft_of(subject)
        entries: list[Value] = []
        for entry in subject.project.environments:
            if not names_platforms(entry.raw):
                return None
            parts = [cell for cell in cells if overlap(entry.raw, cell)]
            entries += [meet(entry.raw, cell) for cell in parts] or [entry.raw]
        reason = "uv ignores the markers of scoped sources next to base dependencies without this"
        draft.put((*UV, "environments"), entries or list(cells), reason)
        if not draft.steps:
            return None
        return Fix("cut `environments` by the sources' markers", tuple(draft.steps), safe=False)


class ThirdBuild(Rule):
    """Next to the variants, the base dependencies bring a build of their own.

    There are no default extras: `uv sync` without one installs PyPI's build, which is CUDA on Linux
    and CPU elsewhere. That may be wanted; often nobody has thought of it.

    Bad:
        [project]
        dependencies = ["torch"]

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

    code = "TC306"
    name = "third-build"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/guides/integration/pytorch/"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Ask the routes what a plain `uv sync` installs on Linux and Windows."""
        packages = _base_packages(subject)
        if not packages or not is_judged(subject):
            return
        package = packages[0]
        if any(
            route.kind == "index" and build_of(subject, route.index) == ""
            for platform in machines(subject)
            if platform.os != "macos"
            for route in _plain(subject, package, platform)
        ):
            yield self.finding(
                _base_requirements(subject, package)[0].at,
                f"without an extra or a group, `{package}` comes from PyPI: a build next to "
                "those of the sources",
                help="take it out of the base dependencies, or give one variant to a default group",
            )


class DefaultGroupClash(Rule):
    """A default group is in conflict with something that one may choose.

    With one default group it is worth knowing: the other variant needs `--no-group`. With two of
    one set, or with `default-groups = "all"`, plain `uv sync` fails.

    Bad:
        [dependency-groups]
        cpu = ["torch"]
        cu130 = ["torch"]

        [tool.uv]
        default-groups = "all"
        conflicts = [[{ group = "cpu" }, { group = "cu130" }]]

    Good:
        [dependency-groups]
        dev = []
        cpu = ["torch"]
        cu130 = ["torch"]

        [tool.uv]
        default-groups = ["dev"]
        conflicts = [[{ group = "cpu" }, { group = "cu130" }]]
    """

    code = "TC307"
    name = "default-group-clash"
    severity = Severity.INFO
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#default-groups"
    fixes = "unsafe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Compare the conflict sets with the default groups."""
        project = subject.project
        defaults = _defaults(subject)
        written = "default-groups" in project.uv
        family = set(subject.catalog.family)
        for conflict in project.conflicts:
            own = [i for i in conflict.items if i.package == project.name and i.name]
            chosen = [i for i in own if i.kind == "group" and i.name in defaults]
            others = [i for i in own if i not in chosen]
            at = "tool.uv.default-groups" if written else conflict.at
            names = spoken(str(item.name) for item in chosen)
            if len(chosen) > 1:
                yield self.finding(
                    at,
                    f"plain `uv sync` fails: {names} are default groups, and exclude each other",
                    severity=Severity.ERROR,
                    fix=self._written_out(subject) if project.default_groups == "all" else None,
                )
            elif chosen and any(
                line.name in family
                for item in others
                for line in subject.flat(Place(item.kind, item.name))
            ):
                example = others[0]
                yield self.finding(
                    at,
                    f"{names} is a default group: to have another variant, say `--no-group "
                    f"{chosen[0].name} --{example.kind} {example.name}`",
                )

    def _written_out(self, subject: Subject) -> Fix:
        project = subject.project
        variants = {
            item.name
            for conflict in project.conflicts
            for item in conflict.items
            if item.kind == "group"
        }
        kept: list[Value] = [
            s.written for name, s in project.groups.items() if name not in variants
        ]
        draft = draft_of(subject)
        draft.put((*UV, "default-groups"), kept, "all but those that exclude each other")
        title = "write out the groups that exclude no other"
        return Fix(title, tuple(draft.steps), safe=False)


class DefaultGroupUndefined(Rule):
    """`default-groups` names a group that does not exist.

    uv refuses to lock, to run and to add.

    Bad:
        [dependency-groups]
        cpu = ["torch"]

        [tool.uv]
        default-groups = ["dev", "cpu"]

    Good:
        [dependency-groups]
        dev = []
        cpu = ["torch"]

        [tool.uv]
        default-groups = ["dev", "cpu"]
    """

    code = "TC311"
    name = "default-group-undefined"
    severity = Severity.ERROR
    reference = "https://docs.astral.sh/uv/concepts/projects/dependencies/#default-groups"
    fixes = "safe"

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Report names that are not there."""
        project = subject.project
        written = project.uv.get("default-groups")
        for number, name in enumerate(written if isinstance(written, list) else ()):
            if not isinstance(name, str) or canonicalize_name(name) in project.groups:
                continue
            yield self.finding(
                f"tool.uv.default-groups[{number}]",
                f"default group `{name}` is not defined",
                help="define it in `[dependency-groups]`, or take it out",
                fix=self._mended(subject, number, name),
            )

    def _mended(self, subject: Subject, number: int, name: str) -> Fix:
        # Imported here: few files need it.
        from difflib import get_close_matches

        draft = draft_of(subject)
        path = (*UV, "default-groups", number)
        written = {str(key): one.written for key, one in subject.project.groups.items()}
        near = get_close_matches(canonicalize_name(name), written, n=1, cutoff=0.75)
        if name == "dev":
            # What `uv add --dev` installs later shall count.
            draft.put(("dependency-groups", "dev"), [], "a default group must be defined")
            return Fix("define it, empty", tuple(draft.steps), safe=True)
        if near:
            draft.replace(path, written[near[0]], "it is defined by this name")
            return Fix(f"name `{written[near[0]]}`", tuple(draft.steps), safe=False)
        draft.remove(path, "it is not defined")
        return Fix("take it out", tuple(draft.steps), safe=True)


RULES: tuple[type[Rule], ...] = (
    OneVariantWins,
    GateVoid,
    ThirdBuild,
    DefaultGroupClash,
    DefaultGroupUndefined,
)
"""The rules of this family, by code."""
