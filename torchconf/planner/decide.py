"""Decide what a project is to have: release, targets, layout, scopes. No step is drafted here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchconf.catalog import Answer
from torchconf.errors import ProjectError, RequestError
from torchconf.layout.configuration import is_in_other_extra
from torchconf.layout.layouts import (
    Layout,
    Scope,
    choose_layout,
    left_to_base,
    make_scopes,
    widened,
    with_aliases,
)
from torchconf.layout.shared_builds import read_shared_configuration, sharing_members
from torchconf.model.backends import PYPI, Backend
from torchconf.model.intent import read_intent
from torchconf.model.markers import may_hold
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import is_exact
from torchconf.model.requirements import python_specifier
from torchconf.model.target_spec import spec_of
from torchconf.model.targets import PLATFORMS
from torchconf.planner.bounds import Bounds
from torchconf.planner.choose_builds import choose_builds, why_chosen
from torchconf.planner.companion_places import Places
from torchconf.planner.default_build import default_build
from torchconf.planner.inputs import Inputs
from torchconf.planner.limits import Limits
from torchconf.planner.obstacles import (
    refuse_base_pin,
    refuse_foreign,
    refuse_inherited,
    refuse_left_out,
    refuse_old_triton,
    refuse_open_index,
    refuse_other_metadata,
    refuse_overridden,
    refuse_own_conflict,
    refuse_root_without_torch,
    refuse_shared,
    refuse_to_drop,
    refuse_unknown_index,
    refuse_unreadable,
    refuse_virtual_root,
    refuse_without_torch,
    refuse_without_wheels,
)
from torchconf.planner.routed_packages import (
    named_companions,
    routable_packages,
    routed_packages,
)
from torchconf.planner.scope_names import scope_names
from torchconf.planner.target_changes import is_left_alone, wanted_specs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from packaging.utils import NormalizedName

    from torchconf.catalog import Catalog
    from torchconf.layout.configuration import Configuration
    from torchconf.model.project import Project, Requirement, Section
    from torchconf.model.target_spec import TargetSpec
    from torchconf.model.targets import Platform, Target
    from torchconf.planner.assess import ReleaseChoice
    from torchconf.planner.request import Facts, Request

__all__ = [
    "Decision",
    "affected_scopes",
    "bounds_of",
    "decide",
    "declared_packages",
    "shared_marker",
    "uncovered_specs",
]


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
    together: bool
    """Of a workspace root: each member that needs torch holds the same builds."""
    affected: frozenset[str]
    """Names of the scopes that the request is about; the others stay as they are."""
    bounds: Bounds
    cuts_environments: bool
    """uv heeds the markers of scoped sources only if `environments` has cells for them."""
    uncovered: tuple[TargetSpec, ...]
    """What is asked for on platforms on which no requirement of torch holds."""
    is_idle: bool
    """All that is to be added is there."""
    places: Places
    """Where the companions are required, and have wheels."""
    undeclared: frozenset[str] = frozenset()
    """Those of the packages that nothing requires directly so far: uv ignores their sources."""
    by_members: frozenset[str] = frozenset()
    """Those that workspace members require themselves, with markers of their own."""
    where: str | None = None
    """The marker that all requirements of torch share, for new sources: no source of torch applies
    elsewhere."""

    @property
    def gone(self) -> frozenset[str]:
        """Return the extras or groups that were there, and are in the plan no more; normalised."""
        if self.layout != self.before.layout:
            return self.before.scopes
        planned = {canonicalize_name(scope.name) for scope in self.scopes}
        return self.before.scopes - self.idle - planned

    @property
    def idle(self) -> frozenset[str]:
        """Return the extras or groups whose sources served no target, and serve none; normalised.

        Their markers hold nowhere, which is for `check` to say: no request is about them.
        """
        backends = {target.backend.name for target in self.before.targets}
        served = {
            canonicalize_name(name)
            for backend, first in self.before.names.items()
            if backend in backends
            for name in (first, *self.before.aliases.get(backend, ()))
        }
        planned = {canonicalize_name(scope.name) for scope in self.scopes}
        return self.before.scopes - served - planned

    def leaving(self, project: Project) -> dict[str, Section]:
        """Return the sections of those extras or groups."""
        extras = self.before.layout == "extras"
        sections: Mapping[NormalizedName, Section] = project.extras if extras else project.groups
        gone = self.gone
        return {name: section for name, section in sections.items() if name in gone}

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
    before = read_shared_configuration(project, facts.around, catalog)
    sharing = tuple(one for one, _ in sharing_members(project, facts.around, catalog))
    inputs = Inputs(request, project, catalog, facts, before, sharing)
    if not request.force:
        readable = before._replace(foreign=())
        refuse_unreadable(readable, "fix it first, or replace it with `--force`")
    refuse_other_metadata(inputs)
    refuse_own_conflict(inputs)
    refuse_inherited(project, catalog)
    refuse_without_torch(inputs)
    refuse_root_without_torch(inputs)
    refuse_shared(inputs)
    named = named_companions(inputs)
    packages = routed_packages(inputs, named)
    python = _python_range(inputs)
    specs = _specs(inputs)
    places = _places(inputs, specs, packages[1:], named)
    chosen = choose_builds(inputs, specs, python, places.asked)
    choice, torch = chosen.choice, chosen.torch
    packages = routable_packages(inputs, packages, named, choice, places)
    _refuse_in_script(inputs, choice.targets)
    refuse_left_out(inputs, choice.targets)
    refuse_old_triton(inputs, choice.targets, torch)
    layout, reason = _layout(inputs, choice.targets, packages)
    refuse_overridden(inputs, packages, layout)
    refuse_base_pin(inputs, layout, choice.release)
    refuse_foreign(inputs, choice.targets, packages, layout)
    lacks = partial(_lacks, inputs, choice, layout, python)
    names = scope_names(request, project, before, layout, choice.targets)
    changing = bool(request.add or request.remove)
    rest = before.rest if changing and before.layout in {None, "markers"} else None
    targets = (*choice.targets, *_spread(inputs, layout, choice.targets))
    scopes = make_scopes(layout, targets, catalog, names, lacks, rest)
    default, by_machine = default_build(inputs, layout, choice.targets)
    light = by_machine and default is not None
    if light:
        scopes = left_to_base(scopes)
    together = _together(inputs, layout, by_machine=by_machine)
    refuse_virtual_root(inputs, layout, together=together)
    refuse_to_drop(inputs, choice.targets, scopes)
    if layout == before.layout:
        scopes = with_aliases(scopes, before.aliases)
    cuts = not light and _cuts_environments(inputs, layout, packages, scopes, together=together)
    if cuts or any(scope.rest == PYPI for scope in scopes):
        refuse_open_index(inputs, layout)
    same = set(choice.targets) <= set(before.targets)
    uncovered = uncovered_specs(inputs, specs, layout)
    idle = bool(request.add) and same and layout == before.layout
    undeclared = frozenset(packages) - declared_packages(inputs)
    return Decision(
        before=before,
        packages=packages,
        required=frozenset({inputs.main, *named, *facts.needed})
        - (undeclared if request.remove else frozenset()),
        torch=torch,
        choice=choice,
        why=why_chosen(inputs, chosen, python),
        layout=layout,
        reason=reason,
        scopes=widened(scopes) if cuts else scopes,
        default=default,
        by_machine=by_machine,
        together=together,
        affected=affected_scopes(inputs, layout, scopes, choice.targets, uncovered),
        bounds=bounds_of(inputs, chosen.part, torch, choice.targets),
        cuts_environments=cuts,
        uncovered=uncovered,
        is_idle=idle and not uncovered and inputs.main not in undeclared and not request.force,
        undeclared=undeclared,
        by_members=facts.elsewhere,
        places=places,
        where=shared_marker(inputs) if (request.add or request.specs) and not uncovered else None,
    )


def _places(
    inputs: Inputs, specs: Sequence[TargetSpec], companions: Iterable[str], named: Iterable[str]
) -> Places:
    places = Places(inputs, specs, companions)
    refuse_without_wheels(named, places.nowhere, specs)
    return places


def _refuse_in_script(inputs: Inputs, targets: Iterable[Target]) -> None:
    """Refuse what uv refuses in a script."""
    if inputs.project.is_script:
        # Imported here: most projects are no scripts.
        from torchconf.planner.script_limits import refuse_in_script, refuse_two_builds

        refuse_in_script(inputs.request, inputs.project)
        refuse_two_builds(inputs.project, targets)


def _specs(inputs: Inputs) -> tuple[TargetSpec, ...]:
    """Return the targets that are wanted; a bare accelerator is the build that a pin names."""
    project, request = inputs.project, inputs.request
    at = project.place("tool.uv.sources")
    listed = read_intent(project, inputs.catalog.vocabulary)
    specs = wanted_specs(inputs.before, request, inputs.catalog, at, listed)
    refuse_unknown_index(inputs)
    limits = Limits(project, inputs.before, inputs.main, request.torch, pin=request.pin)
    return tuple(
        spec if spec.backend or request.torch else _labelled(spec, limits, inputs.catalog)
        for spec in specs
    )


def _labelled(spec: TargetSpec, limits: Limits, catalog: Catalog) -> TargetSpec:
    labels = limits.labels(spec)
    backend = catalog.vocabulary.backends.get(labels.pop()) if len(labels) == 1 else None
    if backend is None or backend.accelerator != spec.accelerator:
        return spec
    return spec._replace(backend=backend)


def bounds_of(
    inputs: Inputs, part: ReleaseChoice, torch: SpecifierSet, targets: Iterable[Target]
) -> Bounds:
    """Return the bounds of a project that is to have some targets."""
    request, before = inputs.request, inputs.before
    limits = Limits(
        inputs.project,
        before,
        inputs.main,
        request.torch,
        pin=request.pin,
        around=inputs.facts.around,
    )
    own: dict[Backend, list[TargetSpec]] = {}
    for target in part.targets:
        if part.release and inputs.catalog.triton(target.backend, part.release):
            own.setdefault(target.backend, []).append(spec_of(target))
    return Bounds(
        part,
        torch,
        inputs.catalog,
        settled=set(targets) <= set(before.targets) and request.torch is None,
        held={
            one.name
            for one in inputs.project.workspace.constraint_dependencies
            if any(map(is_exact, one.specifier))
        },
        pin=request.pin,
        tied=request.tied,
        there=before.targets if request.add else (),
        routed=inputs.project.sources if request.add else (),
        ranges={backend: limits.admitted(inputs.main, specs) for backend, specs in own.items()},
    )


def shared_marker(inputs: Inputs) -> str | None:
    """Return the marker that all requirements of torch share."""
    whole = inputs.project.workspace
    lines = [one for one in whole.override_dependencies if one.name == inputs.main]
    lines = lines or [
        one
        for project in (inputs.project, *inputs.facts.around)
        for one in project.requirements()
        if one.name == inputs.main
    ]
    markers = {one.raw.partition(";")[2].strip() for one in lines}
    return markers.pop() or None if len(markers) == 1 else None


def declared_packages(inputs: Inputs) -> frozenset[str]:
    """Return what is required directly somewhere: what uv applies sources to."""
    whole = inputs.project.workspace
    held = (one.name for one in whole.constraint_dependencies if one.specifier)
    lines = (*inputs.project.requirements(), *whole.override_dependencies)
    return inputs.facts.elsewhere.union(held, (one.name for one in lines))


def uncovered_specs(
    inputs: Inputs, specs: Sequence[TargetSpec], layout: Layout
) -> tuple[TargetSpec, ...]:
    """Return what is asked for on platforms that the requirements of torch leave out.

    Where another layout moves base dependencies into extras, only those count that move.
    """
    base = [line for line in inputs.project.dependencies if line.name == inputs.main]
    if not (layout == "extras" != inputs.before.layout and any(map(_says, base))):
        base = []
    limits = Limits(inputs.project, inputs.before, inputs.main, None, pin=False)

    def leaves_out(spec: TargetSpec) -> bool:
        if base:
            return not any(may_hold(line.marker, spec.platform) for line in base)
        return limits.leaves_out(spec)

    named = {spec.text for spec in inputs.request.add}
    scoped = inputs.before.layout not in {None, "markers"}
    return tuple(
        spec
        for spec in specs
        if (inputs.request.specs or spec.text in named)
        # A new extra or group brings a requirement of its own.
        and not (scoped and (spec.backend is None or spec.backend.name not in inputs.before.names))
        and leaves_out(spec)
    )


def _says(line: Requirement) -> bool:
    """Tell whether a requirement says more than a name."""
    return bool(line.specifier) or line.marker is not None


def _python_range(inputs: Inputs) -> SpecifierSet | None:
    if inputs.request.python is None:
        return inputs.project.requires_python
    return SpecifierSet(python_specifier(inputs.request.python))


def _layout(
    inputs: Inputs, targets: tuple[Target, ...], packages: Iterable[str]
) -> tuple[Layout, str]:
    """Return the layout and its reason; one that the project has is kept if it can hold all."""
    before = inputs.before.layout
    if inputs.project.is_script and before != "markers":
        return "markers", "a script has one build for each platform"
    where, asked = inputs.catalog.where, inputs.request.layout
    several = len({(t.platform, where(t.backend)) for t in targets}) < len(targets)
    # Only a marker that nobody expects tells such machines from others: it has to be asked for.
    told = any(where(t.backend) and t not in inputs.before.targets for t in targets)
    keeps = before is not None and (before != "markers" or not (several or told))
    layout, reason = choose_layout(
        before if asked == "auto" and before is not None and keeps else asked,
        targets,
        default=inputs.request.default,
        keep_base=_keeps_base(inputs, packages),
        where=inputs.catalog.where,
    )
    if layout == before:
        return layout, "already in use"
    if before is not None and asked == "auto" and not inputs.request.force:
        raise RequestError(
            f"the layout would change from `{before}` to `{layout}`, which changes the install "
            "commands",
            at=inputs.project.place("tool.uv.sources"),
            help=f"to change it, pass `--layout {layout}`"
            + ("" if several else "; to keep it, `--layout markers`"),
        )
    return layout, reason


def _together(inputs: Inputs, layout: Layout, *, by_machine: bool) -> bool:
    """Tell whether a workspace root and its members are to have the same builds.

    Machines that choose, and extras, need them in each member. Where members need torch in their
    base dependencies beside extras of the root, somebody wants that.

    Raises:
        ProjectError: Members have them, and would be left with them alone.
    """
    project, around = inputs.project, inputs.facts.around
    if project.root is not None or not project.is_workspace_root:
        return False
    before = inputs.before.layout
    are = bool(inputs.sharing)
    if are and layout != before and not by_machine and layout != "extras":
        raise ProjectError(
            f"the members of this workspace have {before} of their own, which the layout "
            f"`{layout}` in the root would leave as they are",
            at=project.place("tool.uv.conflicts"),
            help="pass `--default machine` or `--layout extras`, or change the members by hand",
        )
    needing = any(map(inputs.facts.needing.holds, around))
    return are or (needing and (by_machine or (layout == "extras" != before)))


def _parts(
    inputs: Inputs, layout: Layout, packages: Collection[str], scopes: Sequence[Scope]
) -> bool:
    """Tell whether extras of a workspace need forks by platform from the start.

    What one project requires beside its builds, or on other platforms than another one, would
    otherwise take the index of another project's extra on all platforms, as no other line parts
    them.
    """
    ours = {canonicalize_name(scope.name) for scope in scopes} | inputs.before.scopes
    moves = layout != inputs.before.layout
    leaving = inputs.before.scopes if moves else frozenset()
    whole = (inputs.project, *inputs.facts.around)
    for one in whole:
        beside = [section for name, section in one.extras.items() if name not in ours]
        beside += [section for name, section in one.groups.items() if name not in leaving]
        lines = [line for section in beside for line in section.requirements]
        if any(line.name in packages for line in (*lines, *(() if moves else one.dependencies))):
            return True
    covered = frozenset(spec.platform for spec in (*inputs.request.specs, *inputs.request.add))
    for scope in scopes:
        for package in packages:
            kinds = {
                frozenset(scope.at(platform) for platform in where)
                for one in whole
                if (where := _platforms_of(one, scope, package, covered))
            }
            if len(kinds) > 1 and any(len(kind) == 1 for kind in kinds):
                return True
    return False


def _platforms_of(
    project: Project, scope: Scope, package: str, covered: AbstractSet[Platform]
) -> frozenset[Platform]:
    """Return where a project requires a package with an extra; what is asked for is covered."""
    section = project.extras.get(canonicalize_name(scope.name))
    lines = (*project.dependencies, *(section.requirements if section else ()))
    own = [line for line in lines if line.name == package]
    found = {p for p in PLATFORMS for line in own if may_hold(line.marker, p)}
    return frozenset(found | covered) if own else frozenset()


def _cuts_environments(
    inputs: Inputs,
    layout: Layout,
    packages: Collection[str],
    scopes: Sequence[Scope],
    *,
    together: bool,
) -> bool:
    """Tell whether uv heeds the markers of scoped sources only if `environments` is cut.

    For groups, all that stands outside of them counts: the base dependencies, which another
    layout moves out of the way of extras, and any extra. Beside extras another one counts only
    where markers tell machines apart.
    """
    if layout == "markers":
        return False
    if layout == "groups" and not inputs.facts.elsewhere.isdisjoint(packages):
        return True  # For uv, what members need stands beside the groups of their root.
    in_base = any(r.name in packages for r in inputs.project.dependencies)
    if in_base and layout in {"groups", inputs.before.layout}:
        return True
    ours = {canonicalize_name(scope.name) for scope in scopes if scope.kind == "extra"}
    if inputs.before.layout == "extras":
        ours |= inputs.before.scopes
    by_machine = any(area.machine or area.without for s in scopes for area, _ in s.served)
    if together and layout == "extras" and _parts(inputs, layout, packages, scopes):
        return True
    whole = (inputs.project, *(inputs.facts.around if inputs.project.root is None else ()))
    return (layout == "groups" or by_machine) and any(
        is_in_other_extra(one, packages, ours) for one in whole
    )


def affected_scopes(
    inputs: Inputs,
    layout: Layout,
    scopes: Iterable[Scope],
    targets: Iterable[Target],
    uncovered: Iterable[TargetSpec],
) -> frozenset[str]:
    """Return the scopes whose targets or requirements change; `init` is about all of them."""
    everything = frozenset(scope.name for scope in scopes)
    if layout != inputs.before.layout or not (inputs.request.add or inputs.request.remove):
        return everything
    changed = set(targets) ^ set(inputs.before.targets)
    backends = {target.backend for target in changed} | {spec.backend for spec in uncovered}
    return frozenset(s.name for s in scopes if not s.kind or s.backend in backends)


def _keeps_base(inputs: Inputs, packages: Iterable[str]) -> bool:
    """Tell whether torch stays in what the project installs without any extra."""
    published = inputs.project.has_build_system and any(
        requirement.name in packages for requirement in inputs.project.dependencies
    )
    return published or bool(inputs.facts.needed or inputs.facts.elsewhere)


def _spread(inputs: Inputs, layout: Layout, targets: Sequence[Target]) -> Iterable[Target]:
    """Return what other machines of a system have with an extra or group that is listed for one.

    Where the tables serve the list, nobody asks for less: such a build is there for who chooses it.
    """
    before = inputs.before
    if not inputs.request.listed or layout != before.layout or layout == "markers":
        return ()
    listed = {(target.backend, target.platform.os) for target in targets}
    others = [target for target in before.targets if target not in targets]
    alike = [target for target in others if (target.backend, target.platform.os) in listed]
    # Plain CPU and PyPI's build are what is left for the other platforms.
    plain = {inputs.catalog.fallback, PYPI}
    serves = set(targets) <= set(before.targets)
    return alike if serves and all(t in alike or t.backend in plain for t in others) else ()


def _lacks(
    inputs: Inputs,
    choice: ReleaseChoice,
    layout: Layout,
    python: SpecifierSet | None,
    backend: Backend,
    platform: Platform,
) -> bool:
    """Tell whether a build must not spread to a platform, or has no torch for it.

    A list says nothing of a machine that it does not name: what this has, it keeps.
    """
    request, before = inputs.request, inputs.before
    keeps = request.listed and layout == before.layout == "markers"
    usual = [t for t in before.targets if not inputs.catalog.where(t.backend)]
    keeps = keeps and any(t.platform == platform and t.backend != backend for t in usual)
    changing = keeps or not request.specs
    if changing and is_left_alone(before, choice.targets, backend, platform):
        return True
    if backend != PYPI and platform.key not in inputs.catalog.accelerator(backend).platforms:
        return True
    if choice.release is None:
        return False
    pythons = inputs.catalog.supported_pythons(choice.release, python)
    return bool(pythons) and all(
        inputs.catalog.available(inputs.main, choice.release, backend, platform, version)
        is Answer.NO
        for version in pythons
    )
