"""Decide what a project is to have: release, targets, layout, scopes. No step is drafted here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchconf.catalog import Answer
from torchconf.errors import ProjectError, RequestError
from torchconf.layout.configuration import is_in_other_extra, read_configuration
from torchconf.layout.layouts import (
    KINDS,
    Layout,
    Scope,
    choose_layout,
    left_to_base,
    make_scopes,
    ordered,
    widened,
    with_aliases,
)
from torchconf.layout.machine_choice import MACHINE
from torchconf.model.backends import PYPI, Backend
from torchconf.model.intent import read_intent
from torchconf.model.markers import may_hold, platform_marker
from torchconf.model.ranges import admits_python
from torchconf.model.requirements import python_specifier
from torchconf.model.target_spec import spec_of
from torchconf.model.targets import Target
from torchconf.planner.assess import UNKNOWN, Needs, ReleaseChoice
from torchconf.planner.bounds import Bounds
from torchconf.planner.limits import Limits
from torchconf.planner.reasons import reasons, split_reasons
from torchconf.planner.releases import choose_release
from torchconf.planner.scope_names import scope_names
from torchconf.planner.target_changes import is_left_alone, wanted_specs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from torchconf.catalog import Catalog
    from torchconf.layout.configuration import Configuration
    from torchconf.model.project import Project, Section
    from torchconf.model.target_spec import TargetSpec
    from torchconf.model.targets import Platform
    from torchconf.planner.request import Facts, Request


class Decision(NamedTuple):
    """What a plan is to bring about."""

    before: Configuration
    packages: tuple[str, ...]
    """Torch and the companions to route, in the catalog's order."""
    required: frozenset[str]
    """Those of them that become a requirement where there is none."""
    torch: SpecifierSet
    """What is asked for, required and pinned, all at once."""
    choice: ReleaseChoice
    why: tuple[str, ...]
    """Why it is this release, and these backends."""
    layout: Layout
    reason: str
    """Of the layout."""
    scopes: tuple[Scope, ...]
    default: Backend | None
    """The backend whose group becomes a default group."""
    by_machine: bool
    """Each machine says which build it is. All groups are default groups, or only `default`'s."""
    affected: frozenset[str]
    """Names of the scopes that the request is about; the others stay as they are."""
    bounds: Bounds
    cuts_environments: bool
    """uv heeds the markers of scoped sources only if `environments` has cells for them."""
    uncovered: tuple[TargetSpec, ...]
    """What is asked for on platforms on which no requirement of torch holds."""
    is_idle: bool
    """All that is to be added is there."""

    @property
    def gone(self) -> frozenset[str]:
        """Return the extras or groups that were there, and are in the plan no more; normalised."""
        if self.layout != self.before.layout:
            return self.before.scopes
        return self.before.scopes - {canonicalize_name(scope.name) for scope in self.scopes}

    def leaving(self, project: Project) -> dict[str, Section]:
        """Return the sections of those extras or groups."""
        extras = self.before.layout == "extras"
        sections: Mapping[NormalizedName, Section] = project.extras if extras else project.groups
        return {name: section for name, section in sections.items() if name in self.gone}

    def platforms_of(self, name: str) -> tuple[frozenset[Platform], frozenset[Platform]]:
        """Return the platforms that are targets of an extra or group, and those that were.

        For no name, all of them.
        """
        backends = {s.backend for s in self.scopes if canonicalize_name(s.name) == name}
        are, were = (
            frozenset(t.platform for t in targets if not name or t.backend in backends)
            for targets in (self.choice.targets, self.before.targets)
        )
        return are, were


def decide(request: Request, project: Project, catalog: Catalog, facts: Facts) -> Decision:
    """Decide what the file is to hold.

    Raises:
        RequestError: It is not available, or is ambiguous.
        ProjectError: The file holds something that is not understood.
    """
    return _Deciding(request, project, catalog, facts).decide()


def declared_range(project: Project, package: str) -> SpecifierSet:
    """Return all that a project's requirements say of a package, joined."""
    joined = SpecifierSet()
    for requirement in project.requirements():
        if requirement.name == package:
            joined &= requirement.specifier
    return joined


def pinned_range(project: Project, package: str) -> SpecifierSet:
    """Return what the constraints of a project, or of its workspace, say of a package."""
    joined = SpecifierSet()
    for requirement in project.workspace.constraint_dependencies:
        if requirement.name == package:
            joined &= requirement.specifier
    return joined


def admitted_range(project: Project, package: str) -> SpecifierSet:
    """Return all that requirements and constraints say of a package, joined."""
    return declared_range(project, package) & pinned_range(project, package)


def refuse_unreadable(before: Configuration, help_: str) -> None:
    """Refuse tables that cannot be read: an edit could change what they mean."""
    found = [(one.why, one.at) for one in before.foreign]
    found += [(one.why, one.at) for one in before.unreadable]
    for why, at in found:
        raise ProjectError(f"cannot read the PyTorch configuration: {why}", at=at, help=help_)


def refuse_inherited(project: Project, catalog: Catalog) -> None:
    """Refuse members whose sources live in the root."""
    root = project.root
    if root is None or any(name in catalog.family for name in project.sources):
        return
    routed = [name for name in root.sources if name in catalog.family]
    if routed:
        raise ProjectError(
            "this workspace member takes its PyTorch sources from the workspace root",
            at=root.place(f"tool.uv.sources.{routed[0]}"),
            help="run the command in the root, or name it with `--project`",
        )


class _Chosen(NamedTuple):
    """A release, for all targets or for those that may have one of their own."""

    choice: ReleaseChoice
    """With all targets of the project."""
    part: ReleaseChoice
    """With those for which the release was chosen."""
    torch: SpecifierSet
    """The range of these."""
    specs: tuple[TargetSpec, ...] = ()
    """What is asked for them."""


def _succeeds(
    choose: Callable[[Sequence[TargetSpec]], object], specs: Sequence[TargetSpec]
) -> bool:
    try:
        choose(specs)
    except RequestError:
        return False
    return True


def _finder(
    python: SpecifierSet | None, catalog: Catalog
) -> Callable[[Sequence[TargetSpec], SpecifierSet], Version | None]:
    """Return what finds the release that a range would give, whatever the companions need."""

    def find(specs: Sequence[TargetSpec], torch: SpecifierSet) -> Version | None:
        try:
            return choose_release(specs, Needs(torch, {}, python), catalog).release
        except RequestError:
            return None

    return find


class _Deciding:
    def __init__(self, request: Request, project: Project, catalog: Catalog, facts: Facts) -> None:
        self.request = request
        self.project = project
        self.catalog = catalog
        self.facts = facts
        self.main = catalog.main_package
        self.before = read_configuration(project, catalog)

    def decide(self) -> Decision:
        if not self.request.force:
            readable = self.before._replace(foreign=())
            refuse_unreadable(readable, "fix it first, or replace it with `--force`")
        self._refuse_other_metadata()
        self._refuse_own_conflict()
        refuse_inherited(self.project, self.catalog)
        self._refuse_without_torch()
        self._refuse_for_others()
        named = self._named()
        packages = self._packages(named)
        python = self._python_range()
        at = self.project.place("tool.uv.sources")
        listed = read_intent(self.project, self.catalog.vocabulary)
        specs = wanted_specs(self.before, self.request, self.catalog, at, listed)
        chosen = self._choose(specs, packages[1:], python)
        choice, torch = chosen.choice, chosen.torch
        packages = tuple(p for p in packages if p in named or self._is_known(p, choice))
        self._refuse_left_out(choice.targets)
        layout, reason = self._layout(choice.targets, packages)
        self._refuse_overridden(packages, layout)
        self._refuse_foreign(choice.targets, packages, layout)

        def lacks(backend: Backend, platform: Platform) -> bool:
            changing = not self.request.specs
            if changing and is_left_alone(self.before, choice.targets, backend, platform):
                return True
            return self._lacks(backend, platform, choice, python)

        names = scope_names(self.request, self.project, self.before, layout, choice.targets)
        changing = bool(self.request.add or self.request.remove)
        rest = self.before.rest if changing and self.before.layout in {None, "markers"} else None
        scopes = make_scopes(layout, choice.targets, self.catalog, names, lacks, rest)
        default, by_machine = self._default(layout, choice.targets)
        light = by_machine and default is not None
        if light:
            scopes = left_to_base(scopes)
        self._refuse_to_drop(choice.targets, scopes)
        if layout == self.before.layout:
            scopes = with_aliases(scopes, self.before.aliases)
        cuts = not light and self._cuts_environments(layout, packages, scopes)
        if cuts or any(scope.rest == PYPI for scope in scopes):
            self._refuse_open_index(layout)
        same = set(choice.targets) <= set(self.before.targets)
        pinned = self.request.pin or self.before.pinned
        uncovered = self._uncovered(specs)
        idle = bool(self.request.add) and same and layout == self.before.layout
        return Decision(
            before=self.before,
            packages=packages,
            required=frozenset({self.main, *named, *self.facts.needed}),
            torch=torch,
            choice=choice,
            why=self._why(chosen, python),
            layout=layout,
            reason=reason,
            scopes=widened(scopes) if cuts else scopes,
            default=default,
            by_machine=by_machine,
            affected=self._affected(layout, scopes, choice.targets),
            bounds=Bounds(
                chosen.part,
                torch,
                self.catalog,
                settled=same and self.request.torch is None,
                pinned=pinned,
                pin=self.request.pin,
                there=self.before.targets if self.request.add else (),
                routed=self.project.sources if self.request.add else (),
            ),
            cuts_environments=cuts,
            uncovered=uncovered,
            is_idle=idle and not uncovered and not self.request.force,
        )

    def _choose(
        self, specs: Sequence[TargetSpec], companions: Sequence[str], python: SpecifierSet | None
    ) -> _Chosen:
        """Choose a release for all targets, or for those that are added, where they may differ.

        What is there, or only taken away, need not be possible as it was.
        """
        limits = Limits(
            self.project,
            self.before,
            self.main,
            self.request.torch,
            pin=self.request.pin,
            around=self.facts.around,
        )

        def choose(some: Sequence[TargetSpec]) -> _Chosen:
            torch = limits.admitted(self.main, some)
            packages = {name: limits.admitted(name, some) for name in companions}
            needs = Needs(torch, packages, python)
            part = choose_release(some, needs, self.catalog, self.facts.locked)
            rest = [Target(s.platform, s.backend) for s in specs if s not in some and s.backend]
            targets = tuple(dict.fromkeys((*rest, *part.targets)))
            whole = part if len(some) == len(specs) else part._replace(targets=targets)
            return _Chosen(whole, part, torch, tuple(some))

        try:
            return choose(specs)
        except RequestError as error:
            refused = error
        there = tuple(Target(spec.platform, spec.backend) for spec in specs if spec.backend)
        if self.request.remove:
            nothing = ReleaseChoice(None, there, {}, None, UNKNOWN, ())
            return _Chosen(nothing, nothing, limits.admitted(self.main, specs))
        asked = self._asked(specs)
        there_before = set(self.before.targets)
        if self.request.add:
            # A machine that its system brings along need not have what nobody asked for there.
            served = [
                s for s in specs if s in asked or s.platform.is_usual or _succeeds(choose, [s])
            ]
            joined = limits.admitted(self.main, specs)
            there_only = [s for s in specs if s not in asked]
            own = {s.backend for s in asked}
            beside = [s for s in specs if s in asked or s.backend in own]
            apart = self.before.layout != "markers" and not _succeeds(choose, there_only)
            for some, fewer in (
                (served, len(served) < len(specs)),
                (asked, False),
                # Extras or groups that cannot share a release as it is hold one each.
                (beside, bool(there_only) and apart),
            ):
                if fewer or limits.admitted(self.main, some) != joined:
                    try:
                        return choose(some)
                    except RequestError:
                        continue
            if all(s.backend and Target(s.platform, s.backend) in there_before for s in asked):
                self._refuse_without_wheels(asked, limits)
                nothing = ReleaseChoice(None, there, {}, None, UNKNOWN, ())
                return _Chosen(nothing, nothing, limits.admitted(self.main, specs))
        if chosen := self._choose_by_python(specs, companions, python, limits):
            return chosen
        limits.refuse_labels(specs)
        if self.request.torch is None:
            find = _finder(python, self.catalog)
            parts = limits.by_python(specs, self._pythons(python))
            impossible = (p for p in parts if find(specs, p.admitted(self.main, specs)) is None)
            next(impossible, limits).blame(specs, refused, find)
        raise refused

    def _choose_by_python(
        self,
        specs: Sequence[TargetSpec],
        companions: Sequence[str],
        python: SpecifierSet | None,
        limits: Limits,
    ) -> _Chosen | None:
        """Choose the builds where each range of Pythons has a torch of its own.

        There is no one release then, and a bare accelerator is the newest that all ranges have.
        """
        inside = self._pythons(python)
        parts = limits.by_python(specs, inside)

        def choose(part: Limits, some: Sequence[TargetSpec]) -> ReleaseChoice:
            pythons = part.pythons or ()
            own = SpecifierSet(",".join(f"!={p}.*" for p in inside if p not in pythons))
            needs = Needs(
                part.admitted(self.main, some),
                {name: part.admitted(name, some) for name in companions},
                own if python is None else own & python,
            )
            return choose_release(some, needs, self.catalog, self.facts.locked)

        for first in parts:
            try:
                targets = choose(first, specs).targets
                fixed = [*map(spec_of, targets)]
                found = [choose(part, fixed) for part in parts]
            except RequestError:
                continue
            doubts = tuple(dict.fromkeys(doubt for one in found for doubt in one.doubts))
            choice = found[-1]._replace(
                release=None,
                doubts=doubts,
                held_back=split_reasons(parts, found, specs, choose(parts[-1], specs), self.main),
            )
            return _Chosen(choice, choice, parts[-1].admitted(self.main, fixed))
        return None

    def _pythons(self, python: SpecifierSet | None) -> list[str]:
        return [p for p in self.catalog.pythons if python is None or admits_python(python, p)]

    def _why(self, chosen: _Chosen, python: SpecifierSet | None) -> tuple[str, ...]:
        limits = Limits(
            self.project, self.before, self.main, self.request.torch, pin=self.request.pin
        )
        return (
            *reasons(
                chosen.part,
                chosen.choice,
                chosen.specs,
                limits,
                python,
                self.catalog,
                self.facts.locked,
            ),
            *self._of_project(chosen.choice.targets),
        )

    def _of_project(self, targets: Sequence[Target]) -> Iterator[str]:
        """Say where a bare accelerator means an older build because the project has that one."""
        there = {target.backend for target in self.before.targets}
        for spec in (*self.request.specs, *self.request.add):
            own = [
                target.backend
                for target in targets
                if target.platform == spec.platform
                and target.backend.accelerator == spec.accelerator
                and target.backend in there
            ]
            newest = self.catalog.newest_first(spec.accelerator)
            if spec.backend is None and own and newest[0] not in own:
                yield f"`{spec.text}` means {own[-1].name}, which the project has"

    def _asked(self, specs: Sequence[TargetSpec]) -> list[TargetSpec]:
        """Return the targets that are new; if none is, those that are named."""
        new = [
            spec
            for spec in specs
            if spec.backend is None
            or Target(spec.platform, spec.backend) not in self.before.targets
        ]
        named = {spec.text for spec in self.request.add}
        return new or [spec for spec in specs if spec.text in named]

    def _refuse_without_wheels(self, asked: Sequence[TargetSpec], limits: Limits) -> None:
        """Refuse a target that is there by its source only: its index has no wheel for it."""
        for spec in asked:
            torch = limits.admitted(self.main, [spec])
            if any(torch.contains(r, prereleases=True) for r in self.catalog.releases):
                choose_release([spec], Needs(torch, {}, None), self.catalog)

    def _uncovered(self, specs: Sequence[TargetSpec]) -> tuple[TargetSpec, ...]:
        """Return what is asked for on platforms that the requirements of torch leave out."""
        limits = Limits(self.project, self.before, self.main, None, pin=False)
        asked = {(spec.platform, spec.accelerator) for spec in self.request.add}
        scoped = self.before.layout not in {None, "markers"}
        return tuple(
            spec
            for spec in specs
            if (self.request.specs or (spec.platform, spec.accelerator) in asked)
            # A new extra or group brings a requirement of its own.
            and not (
                scoped and (spec.backend is None or spec.backend.name not in self.before.names)
            )
            and limits.leaves_out(spec)
        )

    # What is asked.

    def _refuse_to_drop(self, targets: Iterable[Target], scopes: Sequence[Scope]) -> None:
        """Refuse to take away what the project has, unless told to.

        A marker for a whole system may have brought another machine of it along. Plain CPU and
        PyPI's builds may be what is left where nothing else is asked for: such a platform loses
        nothing if it gets the same build, or if it is to have another one.
        """
        if not self.request.specs or self.request.force or self.request.listed:
            return
        kept = {(target.backend, target.platform.os) for target in targets}
        named = {target.platform.os for target in targets}
        plain = {self.catalog.fallback, PYPI}
        chosen = self.before.layout != "markers" and scopes[0].kind != ""

        def is_dropped(target: Target) -> bool:
            if (target.backend, target.platform.os) in kept:
                return False
            if target.backend not in plain:
                return True
            if self.before.layout is None or (target.backend == PYPI and not chosen):
                return False
            if target.platform.os in named and not chosen:
                return False
            return all(scope.at(target.platform) != target.backend for scope in scopes)

        gone = [target for target in self.before.targets if is_dropped(target)]
        if gone:
            names = ", ".join(f"`{target}`" for target in gone)
            raise RequestError(
                f"the request leaves out a target of the project: {names}",
                at=self.project.place("tool.uv.sources"),
                help=f"add `-t {gone[0]}`, or remove it with `--force`",
            )

    def _refuse_open_index(self, layout: Layout) -> None:
        """Refuse new extras or groups that lock each platform apart, or leave one to PyPI.

        An open index of PyTorch's comes first for whatever it has, and has no wheel of it for each
        platform; uv looks no further.
        """
        if layout in {"markers", self.before.layout}:
            return
        for index in self.project.workspace.indexes:
            if not index.explicit and self.catalog.backend_of_url(index.url, index.name):
                raise ProjectError(
                    f"index `{index.name or index.url}` is open: uv searches it, and not PyPI, for "
                    "torch without a source",
                    at=self.project.workspace.place(index.at),
                    help="add `explicit = true` to the index first",
                )

    def _refuse_foreign(
        self, targets: Iterable[Target], packages: Collection[str], layout: Layout
    ) -> None:
        """Refuse to change what a platform gets from an entry that nobody but its author can write.

        Edits of other platforms keep such an entry as it stands.
        """
        there = set(self.before.targets)
        changed = set(targets) - there if self.request.add else there ^ set(targets)
        changed |= set(targets) if self.request.specs else set()
        for one in self.before.foreign if not self.request.force else ():
            source = one.source
            if source.package not in packages:
                continue
            scope = source.extra or source.group or ""
            names = self.before.names
            held = any(
                target.backend != one.backend
                and may_hold(source.marker, target.platform)
                and scope in {"", canonicalize_name(names.get(target.backend.name, ""))}
                for target in changed
            )
            if held or self.before.layout not in {None, layout}:
                raise ProjectError(
                    f"cannot read the PyTorch configuration: {one.why}",
                    at=one.at,
                    help="fix it first, or replace it with `--force`",
                )

    def _refuse_own_conflict(self) -> None:
        """Refuse a project that stands in a conflict set with an extra or group of its own."""
        for conflict in self.project.conflicts:
            own = [item for item in conflict.items if item.package == self.project.name]
            if len(own) > 1 and any(item.kind == "project" for item in own):
                raise ProjectError(
                    "a conflict set contains the project and its own extras or groups: "
                    "these can never be installed",
                    at=self.project.place(conflict.at),
                    help="remove the project from the set",
                )

    def _refuse_for_others(self) -> None:
        """Refuse a root that has no torch, and whose members all have sources of their own."""
        if self.project.root is not None or self.before.packages:
            return
        users = [m for m in self.facts.around if any(r.name == self.main for r in m.requirements())]
        if users and all(self.main in member.sources for member in users):
            raise ProjectError(
                "the members of this workspace have PyTorch sources of their own, which those of "
                "the root would not change",
                at=users[0].place("tool.uv.sources"),
                help="run the command in a member, or name it with `--project`",
            )

    def _refuse_other_metadata(self) -> None:
        """Refuse a project whose metadata uv does not read: Poetry's, or those of setup.py."""
        tool = self.project.data.get("tool")
        if not self.project.has_project and isinstance(tool, dict) and "poetry" in tool:
            raise ProjectError(
                "the project metadata is in `[tool.poetry]`, which uv does not read",
                at=self.project.place("tool.poetry"),
                help="move it to `[project]` first; Poetry 2 reads that table too",
            )
        if (
            self.project.has_build_system
            and not self.project.has_project
            and not self.project.is_workspace_root
        ):
            raise ProjectError(
                "`pyproject.toml` has `[build-system]` but no `[project]`: the project metadata is "
                "elsewhere, such as in `setup.py`",
                at=self.project.place("build-system"),
                help="add `[project]` with its name, version and dependencies first",
            )

    def _refuse_left_out(self, targets: Iterable[Target]) -> None:
        """Refuse a target that the project's own `environments` leave out of the lockfile."""
        entries = self.project.workspace.environments
        for target in targets if entries else ():
            if not any(may_hold(entry.marker, target.platform) for entry in entries):
                raise RequestError(
                    f"`environments` excludes target `{target}`, so uv would not lock it",
                    at=self.project.workspace.place("tool.uv.environments"),
                    help=f'add an entry for it, such as "{platform_marker(target.platform)}"',
                )

    def _refuse_without_torch(self) -> None:
        """Refuse settings that take torch away: nothing would install what is asked for."""
        whole = self.project.workspace
        if self.request.remove:
            return
        if self.main in whole.exclude_dependencies:
            raise ProjectError(
                f"`exclude-dependencies` excludes `{self.main}`, so uv would not install it",
                at=whole.place("tool.uv.exclude-dependencies"),
                help=f"remove `{self.main}` from `exclude-dependencies` first",
            )
        overrides = [one for one in whole.override_dependencies if one.name == self.main]
        platforms = [spec.platform for spec in (*self.request.specs, *self.request.add)]
        for platform in platforms if overrides else ():
            if not any(may_hold(one.marker, platform) for one in overrides):
                raise ProjectError(
                    f"`override-dependencies` removes `{self.main}` on "
                    f"{platform.key}: `{overrides[0].raw}`",
                    at=whole.place(overrides[0].at),
                    help="remove the override first, or extend its marker to this platform",
                )

    def _refuse_overridden(self, packages: Collection[str], layout: Layout) -> None:
        """Refuse extras and groups where an override stands in for what they list.

        uv finds no source with an extra or group then, and takes the package from PyPI.
        """
        if layout == "markers" or self.request.remove:
            return
        whole = self.project.workspace
        for one in whole.override_dependencies:
            if one.name in packages:
                raise ProjectError(
                    f"`override-dependencies` replaces every requirement of `{one.name}`, so uv "
                    f"ignores sources with `{KINDS[layout]}`: `{one.raw}`",
                    at=whole.place(one.at),
                    help="remove the override first, or give each platform one build",
                )

    def _named(self) -> frozenset[str]:
        """Return the companions that are asked for by name."""
        named: set[str] = set()
        companions = self._companions()
        for text in self.request.packages:
            name = canonicalize_name(text)
            if name not in {self.main, *companions}:
                raise RequestError(
                    f"`{text}` is not a torch companion on the PyTorch indexes",
                    help=f"choose from {', '.join(companions)}; for other packages run `uv add`",
                )
            named.add(name)
        return frozenset(named)

    def _companions(self) -> list[str]:
        return [
            name
            for name in self.catalog.family
            if name != self.main and name not in self.catalog.triton_packages
        ]

    def _packages(self, named: frozenset[str]) -> tuple[str, ...]:
        """Return torch, what is named, and what must come along with it."""
        there = {*self.facts.needed, *self.facts.elsewhere, *self.before.packages}
        return (
            self.main,
            *(
                n
                for n in self._companions()
                if n in named or (n in there and self._follows(n) and self._is_concerned(n))
            ),
        )

    def _follows(self, name: str) -> bool:
        """Tell whether a companion that nobody named goes where torch goes.

        One that is routed beside torch does, and one that is not routed yet but built against one
        torch. What its author routes elsewhere, or leaves to PyPI on purpose, stays; and where a
        target goes, nothing comes.
        """
        sources = self.project.sources_for(canonicalize_name(name))
        if not sources and self.request.remove:
            return False
        if not sources:
            return self.catalog.companions(name, self.catalog.releases[0]) is not None
        beside = {s.value for s in self.project.sources_for(canonicalize_name(self.main))}
        return all(s.kind == "index" and (not beside or s.value in beside) for s in sources)

    def _is_concerned(self, name: str) -> bool:
        """Tell whether a companion is required, or may be, on a platform that gets a target."""
        brought = {*self.facts.needed, *self.facts.elsewhere}
        lines = [one for one in self.project.requirements() if one.name == name]
        if not self.request.add or name in brought or not lines:
            return True
        platforms = {spec.platform for spec in self.request.add}
        return any(may_hold(one.marker, platform) for one in lines for platform in platforms)

    def _is_known(self, name: str, choice: ReleaseChoice) -> bool:
        """Tell whether a package is routed already, or is on the index of every target."""
        if name == self.main or self.project.sources_for(canonicalize_name(name)):
            return True
        version = choice.companions.get(name)
        if version is None:
            return False
        return all(
            self.catalog.seen(name, version, target.backend, target.platform)
            or self.catalog.carries(name, version, target.backend)
            or self.catalog.goes_along(name, target.backend)
            for target in choice.targets
            if target.backend != PYPI
        )

    def _python_range(self) -> SpecifierSet | None:
        if self.request.python is None:
            return self.project.requires_python
        return SpecifierSet(python_specifier(self.request.python))

    # How it is laid out.

    def _layout(self, targets: tuple[Target, ...], packages: Iterable[str]) -> tuple[Layout, str]:
        """Return the layout and its reason; one that the project has is kept if it can hold all."""
        before = self.before.layout
        several = len({target.platform for target in targets}) < len(targets)
        keeps = before is not None and (before != "markers" or not several)
        asked = self.request.layout
        layout, reason = choose_layout(
            before if asked == "auto" and before is not None and keeps else asked,
            targets,
            default=self.request.default,
            keep_base=self._keeps_base(packages),
        )
        if layout != "markers" and not self.project.has_project and self.project.is_workspace_root:
            raise RequestError(
                f"a workspace root without `[project]` cannot have the layout `{layout}`",
                at=self.project.at,
                help="run the command in the member that needs torch",
            )
        if layout == before:
            return layout, "already in use"
        if before is not None and asked == "auto" and not self.request.force:
            raise RequestError(
                f"the layout would change from `{before}` to `{layout}`, which changes the install "
                "commands",
                at=self.project.place("tool.uv.sources"),
                help=f"to change it, pass `--layout {layout}`",
            )
        return layout, reason

    def _cuts_environments(
        self, layout: Layout, packages: Collection[str], scopes: Sequence[Scope]
    ) -> bool:
        """Tell whether uv heeds the markers of scoped sources only if `environments` is cut.

        For groups, all that stands outside of them counts: the base dependencies, which another
        layout moves out of the way of extras, and any extra. Beside extras another one counts only
        where markers tell machines apart.
        """
        if layout == "markers":
            return False
        if layout == "groups" and not self.facts.elsewhere.isdisjoint(packages):
            return True  # For uv, what members need stands beside the groups of their root.
        in_base = any(r.name in packages for r in self.project.dependencies)
        if in_base and layout in {"groups", self.before.layout}:
            return True
        ours = {canonicalize_name(scope.name) for scope in scopes if scope.kind == "extra"}
        if self.before.layout == "extras":
            ours |= self.before.scopes
        by_machine = any(area.machine or area.without for s in scopes for area, _ in s.served)
        return (layout == "groups" or by_machine) and is_in_other_extra(
            self.project, packages, ours
        )

    def _affected(
        self, layout: Layout, scopes: Iterable[Scope], targets: Iterable[Target]
    ) -> frozenset[str]:
        """Return the scopes whose targets change; `init` is about all of them."""
        everything = frozenset(scope.name for scope in scopes)
        if layout != self.before.layout or not (self.request.add or self.request.remove):
            return everything
        changed = set(targets) ^ set(self.before.targets)
        backends = {target.backend for target in changed}
        return frozenset(s.name for s in scopes if not s.kind or s.backend in backends)

    def _keeps_base(self, packages: Iterable[str]) -> bool:
        """Tell whether torch stays in what the project installs without any extra."""
        published = self.project.has_build_system and any(
            requirement.name in packages for requirement in self.project.dependencies
        )
        return published or bool(self.facts.needed or self.facts.elsewhere)

    def _lacks(
        self,
        backend: Backend,
        platform: Platform,
        choice: ReleaseChoice,
        python: SpecifierSet | None,
    ) -> bool:
        """Tell whether an index is known to have no torch for a platform."""
        if backend != PYPI and platform.key not in self.catalog.accelerator(backend).platforms:
            return True
        if choice.release is None:
            return False
        pythons = self.catalog.supported_pythons(choice.release, python)
        return bool(pythons) and all(
            self.catalog.available(self.main, choice.release, backend, platform, version)
            is Answer.NO
            for version in pythons
        )

    def _default(self, layout: Layout, targets: Iterable[Target]) -> tuple[Backend | None, bool]:
        """Return the backend that plain `uv sync` is to install, and whether machines choose.

        Only for the layout `groups`.
        """
        asked = self.request.default or self.before.default
        if layout != "groups" or self.request.default == "none":
            return None, False
        backends = ordered({target.backend for target in targets}, self.catalog)
        word = asked.lower() if asked else None
        if word == MACHINE:
            self._refuse_machine(backends)
            if len(backends) > 1:
                return (self.catalog.fallback if self._is_light(backends) else None), True
            return backends[0], False
        there = {backend.name for backend in backends}
        if word is None or (self.request.remove and asked not in there):
            # A default group of the root is none of its members', whatever it brings there. One
            # that no other conflicts with brings its build everywhere.
            if self.before.layout == "groups" or (self.facts.elsewhere and len(backends) > 1):
                return None, False
            own = next((b for b in backends if b == self.catalog.fallback), backends[0])
            return own, False
        meant = [b for b in backends if word in {b.name, b.accelerator}]
        chosen = next((b for b in meant if b.name == word), meant[0] if len(meant) == 1 else None)
        if chosen is None and self.request.default and len(meant) > 1:
            raise RequestError(
                f"`--default {asked}` could mean {' or '.join(backend.name for backend in meant)}",
                help=f"say which: `--default {meant[-1].name}`",
            )
        if chosen is None:
            raise RequestError(
                f"`--default {asked}` is not a backend of any target"
                if self.request.default
                else f"the default group is for `{asked}`, which no target uses any more; pass "
                "`--default`",
                help=f"the targets have {', '.join(backend.name for backend in backends)}",
            )
        return chosen, False

    def _refuse_machine(self, backends: Sequence[Backend]) -> None:
        """Refuse to leave a choice to machines that have none, or that would not be asked."""
        if self.request.default is not None and len(backends) == 1:
            raise RequestError(
                f"`--default machine`: all targets have the build {backends[0].name}, so there is "
                "nothing for a machine to choose",
                help="omit `--default`, or add a target with another build",
            )
        whole = self.project.root is None and bool(self.request.specs)
        if whole and self.facts.elsewhere and self.project.has_project:
            return
        if self.request.default is None and (self.project.root or self.facts.elsewhere):
            raise ProjectError(
                "each machine chooses the build of this workspace, and the groups, sources and "
                "conflicts of its root and members must change together",
                at=self.project.place("tool.uv.default-groups"),
                help="change the root and all members that need torch by hand",
            )
        if self.project.root is not None:
            raise ProjectError(
                "`--default machine` cannot be written in one workspace member: the conflicts "
                "between its builds and those of other members belong in the root",
                at=self.project.place("tool.uv.default-groups"),
                help="pass `--default BACKEND` or `--default none`",
            )
        if self.facts.elsewhere:
            raise ProjectError(
                "`--default machine` in a workspace root: members that need torch would get "
                "PyPI's build, with or without `UV_NO_GROUP`",
                at=self.project.place("tool.uv.workspace"),
                help="pass `--default BACKEND` or `--default none`",
            )

    def _is_light(self, backends: Sequence[Backend]) -> bool:
        """Tell whether only machines with PyPI's build need to say so.

        The base dependencies bring that build, and the default group of the CPU build stands
        before it. What is published stays as it is.
        """
        project = self.project
        if {*backends} != {self.catalog.fallback, PYPI} or "dependencies" in project.dynamic:
            return False
        if self.facts.elsewhere:
            return False  # The root of a workspace need not have torch itself.
        if self.before.default == MACHINE:
            group = canonicalize_name(self.before.names[PYPI.name])
            return not project.is_default_group(group)
        in_base = any(r.name == self.main for r in project.dependencies)
        return bool(self.request.specs) and (in_base or not project.has_build_system)
