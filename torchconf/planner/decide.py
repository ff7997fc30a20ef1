"""Decide what a project is to have: release, targets, layout, scopes. No step is drafted here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchconf.catalog import Answer
from torchconf.errors import ProjectError, RequestError
from torchconf.layout.configuration import is_in_other_extra, read_configuration
from torchconf.layout.layouts import (
    Layout,
    Scope,
    choose_layout,
    make_scopes,
    ordered,
    widened,
    with_aliases,
)
from torchconf.model.backends import PYPI, Backend
from torchconf.model.markers import platform_marker
from torchconf.model.requirements import exact_version, python_specifier, torch_specifier
from torchconf.model.targets import Target
from torchconf.planner.assess import UNKNOWN, Needs, ReleaseChoice
from torchconf.planner.bounds import Bounds
from torchconf.planner.releases import choose_release
from torchconf.planner.scope_names import scope_names
from torchconf.planner.target_changes import is_left_alone, wanted_specs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

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
    torch: SpecifierSet
    """What is asked for, required and pinned, all at once."""
    choice: ReleaseChoice
    layout: Layout
    reason: str
    """Of the layout."""
    scopes: tuple[Scope, ...]
    default: Backend | None
    """The backend whose group becomes a default group."""
    affected: frozenset[str]
    """Names of the scopes that the request is about; the others stay as they are."""
    bounds: Bounds
    cuts_environments: bool
    """uv heeds the markers of scoped sources only if `environments` has cells for them."""

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

    def platforms_of(self, name: str) -> frozenset[Platform]:
        """Return the platforms that are targets of an extra or group, or were; all for no name."""
        backends = {s.backend for s in self.scopes if canonicalize_name(s.name) == name}
        return frozenset(
            target.platform
            for target in (*self.before.targets, *self.choice.targets)
            if not name or target.backend in backends
        )


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
            refuse_unreadable(self.before, "fix it first, or replace it with `--force`")
        self._refuse_poetry()
        self._refuse_own_conflict()
        refuse_inherited(self.project, self.catalog)
        packages = self._packages()
        torch = self._torch_range()
        python = self._python_range()
        companions = {
            name: admitted_range(self.project, name) for name in packages if name != self.main
        }
        needs = Needs(torch, companions, python)
        at = self.project.place("tool.uv.sources")
        specs = wanted_specs(self.before, self.request, self.catalog, at)
        choice = self._choose(specs, needs)
        self._refuse_left_out(choice.targets)
        layout, reason = self._layout(choice.targets, packages)

        def lacks(backend: Backend, platform: Platform) -> bool:
            changing = not self.request.specs
            if changing and is_left_alone(self.before, choice.targets, backend, platform):
                return True
            return self._lacks(backend, platform, choice, python)

        names = scope_names(self.request, self.project, self.before, layout, choice.targets)
        changing = bool(self.request.add or self.request.remove)
        rest = self.before.rest if changing and self.before.layout in {None, "markers"} else None
        scopes = make_scopes(layout, choice.targets, self.catalog, names, lacks, rest)
        self._refuse_to_drop(choice.targets, scopes)
        if layout == self.before.layout:
            scopes = with_aliases(scopes, self.before.aliases)
        cuts = self._cuts_environments(layout, packages, scopes)
        same = set(choice.targets) <= set(self.before.targets)
        pinned = self.request.pin or self.before.pinned
        return Decision(
            before=self.before,
            packages=packages,
            torch=torch,
            choice=choice,
            layout=layout,
            reason=reason,
            scopes=widened(scopes) if cuts else scopes,
            default=self._default(layout, choice.targets),
            affected=self._affected(layout, scopes, choice.targets),
            bounds=Bounds(
                choice,
                torch,
                self.catalog,
                settled=same and self.request.torch is None,
                pinned=pinned,
                pin=self.request.pin,
            ),
            cuts_environments=cuts,
        )

    def _choose(self, specs: Sequence[TargetSpec], needs: Needs) -> ReleaseChoice:
        """Choose a release; what is there, or only taken away, need not be possible as it was."""
        targets = tuple(Target(spec.platform, spec.backend) for spec in specs if spec.backend)
        try:
            return choose_release(specs, needs, self.catalog, self.facts.locked)
        except RequestError as error:
            new = len(targets) < len(specs) or not set(targets) <= set(self.before.targets)
            if self.request.remove or new or not self.request.add:
                self._refuse_local_versions()
            if not self.request.remove and (new or not self.request.add):
                limit = next((r for r in self.project.requirements() if r.name == self.main), None)
                if limit is not None and limit.specifier and self.request.torch is None:
                    error.at = error.at or self.project.place(limit.at)
                raise
        return ReleaseChoice(None, targets, {}, None, UNKNOWN, ())

    def _refuse_local_versions(self) -> None:
        """Say which requirement names one build, where no release serves all."""
        for requirement in self.project.requirements():
            for part in requirement.specifier if requirement.name == self.main else ():
                _, plus, local = part.version.partition("+")
                if plus:
                    raise ProjectError(
                        f"`{requirement.raw}` names one build, but the targets need different ones",
                        at=self.project.place(requirement.at),
                        help=f"leave out `+{local}`: the index of each target selects its build",
                    )

    # What is asked.

    def _refuse_to_drop(self, targets: Iterable[Target], scopes: Sequence[Scope]) -> None:
        """Refuse to take away what the project has, unless told to.

        A marker for a whole system may have brought another machine of it along. Plain CPU and
        PyPI's builds may be what is left where nothing else is asked for: such a platform loses
        nothing if it gets the same build, or if it is to have another one.
        """
        if not self.request.specs or self.request.force:
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

    def _refuse_own_conflict(self) -> None:
        """Refuse a project that stands in a conflict set with an extra or group of its own."""
        for conflict in self.project.conflicts:
            own = [item for item in conflict.items if item.package == self.project.name]
            if len(own) > 1 and any(item.kind == "project" for item in own):
                raise ProjectError(
                    "a conflict set holds the project and its own extras or groups, so "
                    "uv installs none of them",
                    at=self.project.place(conflict.at),
                    help="remove the project from the set",
                )

    def _refuse_poetry(self) -> None:
        """Refuse a project that uv would not read: its metadata are Poetry's."""
        tool = self.project.data.get("tool")
        if not self.project.has_project and isinstance(tool, dict) and "poetry" in tool:
            raise ProjectError(
                "the project metadata is in `[tool.poetry]`, which uv does not read",
                at=self.project.place("tool.poetry"),
                help="move it to `[project]` first; Poetry 2 reads that table too",
            )

    def _refuse_left_out(self, targets: Iterable[Target]) -> None:
        """Refuse a target that the project's own `environments` leave out of the lockfile."""
        entries = self.project.workspace.environments
        for target in targets if entries else ():
            if not any(entry.marker.evaluate(target.platform.environment()) for entry in entries):
                raise RequestError(
                    f"`environments` leaves out target `{target}`, so uv would not lock it",
                    at=self.project.workspace.place("tool.uv.environments"),
                    help=f'add an entry for it, such as "{platform_marker(target.platform)}"',
                )

    def _packages(self) -> tuple[str, ...]:
        companions = [
            name
            for name in self.catalog.family
            if name != self.main and name not in self.catalog.triton_packages
        ]
        found = {self.main, *self.facts.needed, *self.facts.elsewhere, *self.before.packages}
        for text in self.request.packages:
            name = canonicalize_name(text)
            if name not in {self.main, *companions}:
                raise RequestError(
                    f"`{text}` is not a torch companion on the PyTorch indexes",
                    help=f"choose from {', '.join(companions)}; for other packages run `uv add`",
                )
            found.add(name)
        return tuple(name for name in (self.main, *companions) if name in found)

    def _torch_range(self) -> SpecifierSet:
        """Join what is asked for, or else what the project requires, with what it pins."""
        pinned = pinned_range(self.project, self.main)
        exact = exact_version(self.request.torch)
        if self.request.pin and exact is not None:
            return SpecifierSet(f"=={exact}") & pinned
        if self.request.torch is not None:
            return SpecifierSet(torch_specifier(self.request.torch)) & pinned
        return admitted_range(self.project, self.main)

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
        return published or bool(self.facts.needed)

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

    def _default(self, layout: Layout, targets: Iterable[Target]) -> Backend | None:
        """Return the backend that plain `uv sync` is to install, for the layout `groups`."""
        if layout != "groups" or self.request.default == "none":
            return None
        backends = ordered({target.backend for target in targets}, self.catalog)
        there = {backend.name for backend in backends}
        asked = self.request.default or self.before.default
        if asked is None or (self.request.remove and asked not in there):
            if self.before.layout == "groups":
                return None
            return next((b for b in backends if b == self.catalog.fallback), backends[0])
        word = asked.lower()
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
        return chosen
