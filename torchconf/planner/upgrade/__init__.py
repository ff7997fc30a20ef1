"""Plan the move to another release of torch, or to other backends, everywhere at once.

What is there keeps its shape: requirements, pins, companions, triton packages, indexes, sources,
conflicts. Nothing is added but an upper bound where uv would not take the release otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchconf.edits.draft import Draft
from torchconf.errors import ProjectError, RequestError
from torchconf.layout.shared_builds import read_shared_configuration, sharing_members
from torchconf.model.backends import PYPI
from torchconf.model.intent import init_command
from torchconf.model.markers import may_hold
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.ranges import is_version, overlaps, public
from torchconf.model.read_project import read_again, read_project
from torchconf.model.target_spec import spec_of
from torchconf.model.targets import PLATFORMS
from torchconf.model.toml_path import INDEXES, TARGETS
from torchconf.planner import plan_targets
from torchconf.planner.admitted_ranges import admitted_range
from torchconf.planner.assess import Needs, assess
from torchconf.planner.bounds import Bounds
from torchconf.planner.draft_indexes import move_indexes
from torchconf.planner.draft_intent import move_intent, record_intent
from torchconf.planner.notes import unknowns
from torchconf.planner.obstacles import (
    refuse_inherited,
    refuse_shared_member,
    refuse_unreadable,
)
from torchconf.planner.request import Request
from torchconf.planner.upgrade.companions import route_companions
from torchconf.planner.upgrade.destination import Destination, UpgradeRequest
from torchconf.planner.upgrade.find_destination import find_destination
from torchconf.planner.upgrade.joined import joined_project
from torchconf.planner.upgrade.parts import find_parts, idle_sections, unknown_sources
from torchconf.planner.upgrade.rename import rename_scopes
from torchconf.planner.upgrade.requirements import (
    CUDA_TRITON,
    PlacedRequirement,
    respecify_requirements,
)
from torchconf.planner.uv_refusals import refuse_what_uv_refuses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.edits.plan import Step
    from torchconf.layout.configuration import Configuration
    from torchconf.model.backends import Backend
    from torchconf.model.project import Project, Requirement
    from torchconf.model.targets import Target
    from torchconf.planner.assess import ReleaseChoice
    from torchconf.planner.request import Facts
    from torchconf.planner.upgrade.built import Along

__all__ = ["Upgrade", "UpgradeRequest", "plan_upgrade"]

_MOST_ROUNDS = 8
"""More than a project has CUDA versions to go through."""


class Upgrade(NamedTuple):
    """The steps, and what they lead to."""

    steps: tuple[Step, ...]
    root_steps: tuple[Step, ...]
    """On the workspace root's file, where that is another one."""
    member_steps: Mapping[str, tuple[Step, ...]]
    """On the files of members that the project routes for, by what `Project.at` calls them."""
    choice: ReleaseChoice
    targets: tuple[Target, ...]
    backends: Mapping[str, Backend]
    """Old backend to new one, of those that change."""
    kept: bool
    """Some extra or group is still named after an old backend."""
    packages: tuple[str, ...]
    """The family packages of the project: what a lockfile has to upgrade."""
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def plan_upgrade(
    request: UpgradeRequest,
    project: Project,
    catalog: Catalog,
    facts: Facts,
    members: Sequence[Project] = (),
) -> Upgrade:
    """Plan an upgrade.

    Args:
        request: What is asked for.
        project: As it is.
        catalog: What is available.
        facts: What is known from outside the file.
        members: The other members of its workspace.

    Raises:
        RequestError: A target cannot follow; the newest release that all can have is named.
        ProjectError: The project has no torch, or holds something that is not understood.
    """
    if request.torch is None and (built := _built(project, catalog)):
        return _plan_along(built, request, project, catalog, facts, members)
    plan = _plan(request, project, catalog, facts, members)
    upgrade = plan.upgrade()
    if request.torch or request.backends or members or project.root is not None:
        return upgrade
    if plan.before.layout not in {"extras", "groups"}:
        return upgrade
    # What one extra or group gets may free another: a second run is to find nothing.
    for _ in range(_MOST_ROUNDS):
        if not upgrade.steps:
            break
        try:
            plan = _plan(request, plan.planned(), catalog, facts, ())
            further = plan.upgrade()
        except (ProjectError, RequestError):
            break
        if not further.steps:
            break
        upgrade = _joined(upgrade, further)
    return upgrade


def _built(project: Project, catalog: Catalog) -> tuple[str, ...]:
    """Return what the project has that is built against torch, from indexes that have it."""
    if all(name in catalog.family for name in project.sources):
        return ()
    # Imported here: few projects have any.
    from torchconf.planner.built_packages import kept_packages

    return kept_packages(project, catalog)


def _plan_along(
    built: tuple[str, ...],
    request: UpgradeRequest,
    project: Project,
    catalog: Catalog,
    facts: Facts,
    members: Sequence[Project],
) -> Upgrade:
    """Plan the move to the newest torch for which all that is built against it has wheels.

    Where none is known, torch stays in its line.
    """
    from torchconf.planner.built_packages import line_of
    from torchconf.planner.upgrade.built import held, lines_of

    declared = public(admitted_range(project, catalog.main_package))
    there = facts.locked or next((r for r in catalog.releases if r in declared), None)
    for line in lines_of(built, catalog):
        trial = request._replace(within=f"=={line}.*")
        try:
            plan = _plan(trial, project, catalog, facts, members)
            if plan.along is None or plan.along.doubts(plan.destination):
                continue
            upgrade = plan.upgrade()
        except (ProjectError, RequestError):
            continue
        break
    else:
        if there is None:
            return _plan(request, project, catalog, facts, members).upgrade()
        line = line_of(there)
        trial = request._replace(within=f"=={line}.*")
        upgrade = _plan(trial, project, catalog, facts, members).upgrade()
    try:
        free = _plan(request, project, catalog, facts, members).destination.choice.release
    except (ProjectError, RequestError):
        free = None
    if free is None or line_of(free) == line:
        return upgrade
    return upgrade._replace(notes=(*upgrade.notes, held(built, line)))


def _joined(one: Upgrade, further: Upgrade) -> Upgrade:
    """Return an upgrade that goes on to another one."""
    backends = {old: further.backends.get(new.name, new) for old, new in one.backends.items()}
    came = {new.name for new in one.backends.values()}
    backends |= {old: new for old, new in further.backends.items() if old not in came}
    return further._replace(
        steps=(*one.steps, *further.steps),
        backends=backends,
        kept=one.kept or further.kept,
        notes=tuple(dict.fromkeys((*one.notes, *further.notes))),
    )


def _plan(
    request: UpgradeRequest,
    project: Project,
    catalog: Catalog,
    facts: Facts,
    members: Sequence[Project],
) -> _Plan:
    """Find where a project can go; nothing is drafted."""
    before = read_shared_configuration(project, members, catalog)
    sharing = [one for one, _ in sharing_members(project, members, catalog)]
    whole = joined_project(project, sharing)
    help_ = "fix it first; run `torchconf check` for details"
    refuse_unreadable(before._replace(foreign=()), help_)
    for one in (project, *sharing):
        _refuse_own_builds(one, catalog)
    refuse_inherited(project, catalog)
    refuse_shared_member(project, members, catalog)
    _refuse_unknown_sources(whole, before, catalog)
    if not before.targets:
        for kept in before.foreign:
            raise ProjectError(
                f"cannot upgrade {kept.source.package}: {kept.why}",
                at=kept.at,
                help="change the versions by hand",
            )
        raise ProjectError(
            f"nothing to upgrade: the project does not require {catalog.main_package}",
            at=project.at,
            help=f"run `{init_command(project)}` to add it",
        )
    if before.layout is None:
        _refuse_open_index(project, catalog)
    destination = find_destination(
        request, whole, before, catalog, facts.locked, (project, *sharing)
    )
    along = None
    if built := _built(project, catalog):
        from torchconf.planner.upgrade.built import Along

        along = Along(project, catalog, before, built)
        destination = destination._replace(tied=True)
    return _Plan(request, project, catalog, facts, members, before, destination, along)


def _refuse_unknown_sources(project: Project, before: Configuration, catalog: Catalog) -> None:
    """Refuse if nothing can move: some release comes from where nobody knows what there is."""
    unknown = unknown_sources(before, catalog)
    parts = find_parts(project, before, catalog) if unknown else ()
    beside = any(part.held is None for part in parts)
    told_apart = {canonicalize_name(part.name) for part in parts if part.held and beside}
    for one in unknown:
        if (one.source.extra or one.source.group) not in told_apart:
            raise ProjectError(
                f"the releases of {one.source.package} are not known: {one.why}",
                at=one.at,
                help="change the versions by hand",
            )


def _refuse_own_builds(project: Project, catalog: Catalog) -> None:
    """Refuse a torch that is a text and no version: `torch===local-build`."""
    for one in (*project.requirements(), *project.workspace.constraint_dependencies):
        for part in one.specifier if one.name == catalog.main_package else ():
            if part.operator == "===" and not is_version(part.version):
                raise ProjectError(
                    f"`{one.raw}` names a build of your own, which torchconf cannot upgrade",
                    at=project.place(one.at),
                    help="change it by hand",
                )


def _refuse_open_index(project: Project, catalog: Catalog) -> None:
    """Refuse a project whose torch comes from an index that no source names."""
    whole = project.workspace
    indexes = [(index.url, index.at) for index in whole.indexes if not index.explicit]
    indexes += [(url, "tool.uv.extra-index-url") for url in whole.extra_index_url]
    indexes += [(whole.index_url, "tool.uv.index-url")] if whole.index_url else []
    for url, at in indexes:
        if catalog.backend_of_url(url) is not None:
            raise ProjectError(
                f"torch has no source, and uv searches {url} for every package",
                at=whole.place(at),
                help=f"run `{init_command(project)}` to add a source; run `torchconf check` for "
                "details",
            )


class _Plan:
    """The drafts of one upgrade: on the project's file, and on those that go with it."""

    def __init__(
        self,
        request: UpgradeRequest,
        project: Project,
        catalog: Catalog,
        facts: Facts,
        members: Sequence[Project],
        before: Configuration,
        destination: Destination,
        along: Along | None,
    ) -> None:
        self.along = along
        self.request = request
        self.project = project
        self.catalog = catalog
        self.facts = facts
        self.members = members
        self.before = before
        self.destination = destination
        self.draft = Draft(project.data)
        self.root = Draft(project.root.data) if project.root is not None else self.draft
        self.sharing = [one for one, _ in sharing_members(project, members, catalog)]
        self.whole = joined_project(project, self.sharing)
        self.followers = {
            member.at: (member, Draft(member.data))
            for member in members
            if project.is_workspace_root
            and (
                member in self.sharing or not any(name in catalog.family for name in member.sources)
            )
        }

    def upgrade(self) -> Upgrade:
        left = [] if self.destination.is_settled else [*self._respecify()]
        replaced = self._move_indexes()
        closed = self._close()
        routed = [
            *route_companions(self.draft, self.project, self.catalog, self.before, self.destination)
        ]
        beside = [*self._move_beside()]
        along = [*self.along.move(self.draft, self.destination)] if self.along else []
        names = self._rename()
        if self.destination.given_up and not self._is_idle():
            self._give_up()
        for project, draft in self._files():
            move_intent(draft, project, self.catalog, self.destination.backends)
        if not self._is_idle():
            self._verify()
            self._refuse_apart()
        if self.request.record:
            record_intent(self.draft, self.project, self.catalog, around=self._planned_members())
        if not self._is_idle() and self.before.layout is not None:
            around = self._planned_members() if self.sharing else ()
            were = self.members if self.sharing else ()
            refuse_what_uv_refuses(self.draft, self.draft, self.project, self.catalog, around, were)
        return Upgrade(
            steps=tuple(self.draft.steps),
            root_steps=() if self.root is self.draft else tuple(self.root.steps),
            member_steps={
                at: tuple(draft.steps) for at, (_, draft) in self.followers.items() if draft.steps
            },
            choice=self.destination.choice,
            targets=self.destination.choice.targets,
            backends=self.destination.backends,
            kept=bool(names) and not self.request.rename,
            packages=tuple(self.before.packages),
            notes=(
                *self._notes(),
                *names,
                *replaced,
                *closed,
                *routed,
                *beside,
                *along,
                *self.destination.notes,
                *dict.fromkeys(left),
            ),
            warnings=(
                *unknowns(self.destination.choice, self.catalog),
                *(self.along.unknown(self.destination) if self.along else ()),
            ),
        )

    def _files(self) -> Iterator[tuple[Project, Draft]]:
        """Yield the project and all members that go with it."""
        yield self.project, self.draft
        yield from self.followers.values()

    def _move_indexes(self) -> tuple[str, ...]:
        """Move the indexes of the project's file, and those that members have for themselves."""
        backends, elsewhere = self.destination.backends, self._used_elsewhere()
        beside = [self.followers[one.at] for one in self.sharing]
        said = move_indexes(self.draft, self.project, self.catalog, backends, elsewhere, beside)
        for member, draft in beside:
            own = member.changed(root=None)
            said += move_indexes(draft, own, self.catalog, backends, frozenset())
        return tuple(said)

    def _close(self) -> tuple[str, ...]:
        """Draft what the torch of new indexes needs from there, and take away that of old ones."""
        before = {target.backend for target in self.before.targets}
        after = {target.backend for target in self.destination.choice.targets}
        if before == after or not any(map(self.catalog.closure, before | after)):
            return ()
        # Imported here: few builds need it.
        from torchconf.planner.draft_closure import draft_closures

        if self.sharing:
            raise ProjectError(
                "workspace members that share the builds of their root cannot have this one: its "
                "torch needs more packages of its index",
                at=self.project.place("tool.uv.sources"),
                help="pass `--backend` to choose another build",
            )
        entries = [*(self.draft.get(INDEXES) or ()), *(self.root.get(INDEXES) or ())]
        names = {
            self.catalog.backend_of_url(entry["url"], entry.get("name")): entry["name"]
            for entry in reversed(entries)
            if "name" in entry and "url" in entry
        }
        return draft_closures(
            self.draft, self.root, self.catalog, before, after, (), lambda one: str(names[one])
        )

    def _move_beside(self) -> Iterator[str]:
        """Let what needs the CUDA of torch go along; yield what to say."""
        known = self.catalog.cuda_names
        if not any(
            one.name in known for project, _ in self._files() for one in project.requirements()
        ):
            return
        # Imported here: few projects have such packages.
        from torchconf.planner.upgrade.beside_cuda import Torch, move_beside

        within = admitted_range(self.whole, self.catalog.main_package)
        newest = next((each for each in self.catalog.releases if each in within), None)
        were = Torch(self.before.targets, self.facts.locked or newest)
        are = Torch(self.destination.choice.targets, self.destination.choice.release)
        become = {target: self.destination.new(target) for target in self.before.targets}
        for project, draft in self._files():
            yield from move_beside(draft, project, self.catalog, self.before, were, are, become)

    def _rename(self) -> tuple[str, ...]:
        """Rename extras or groups in each file that has them."""
        files = [*self._files()] if self.sharing else [(self.project, self.draft)]
        return rename_scopes(
            files, self.root, self.before, self.destination.backends, rename=self.request.rename
        )

    def _respecify(self) -> Iterator[str]:
        """Move the requirements: all of them, or those of each part; yield what is left alone."""
        lines = [*self._lines()]
        parts = []
        for part, choice in self.destination.parts.items():
            own_lines = [one for one in lines if one.requirement.path[:-1] in part.sections]
            targets = [t for t in self.before.targets if t.backend.name == part.backend]
            own = self._own_bounds(part.declared, targets)
            parts.append((own_lines, self.destination._replace(choice=choice), own))
        if not parts:
            within = public(admitted_range(self.whole, self.catalog.main_package))
            own = self._own_bounds(within, self.before.targets)
            parts.append((lines, self.destination, own))
        for own_lines, destination, own in parts:
            yield from respecify_requirements(
                own_lines,
                self.whole,
                self.catalog,
                self.before,
                destination,
                self.request.torch,
                own,
            )

    def _is_idle(self) -> bool:
        """Tell whether all is as it should be."""
        drafts = (self.draft, self.root, *(draft for _, draft in self.followers.values()))
        return not any(draft.steps for draft in drafts)

    def _lines(self) -> Iterator[PlacedRequirement]:
        """Yield every requirement of the family that moves along."""
        family = {*self.catalog.family, CUDA_TRITON}
        idle = idle_sections(self.project, self.before)
        for project, draft in self._files():
            counts = project is self.project or project in self.sharing
            published = project.has_build_system and self.before.layout == "groups"
            for one in project.requirements():
                if one.name in family and one.url is None and one.path[:-1] not in idle:
                    base = counts and one in project.dependencies
                    yield PlacedRequirement(
                        draft, one, project, is_base=base, is_promise=base and published
                    )
        shared = self.project.workspace
        # An override of triton replaces what torch asks for, so that it cannot contradict it.
        overrides = [one for one in shared.override_dependencies if one.name != CUDA_TRITON]
        for one in (*shared.constraint_dependencies, *overrides):
            if one.name in family and one.url is None:
                yield PlacedRequirement(self.root, one, shared, holds=True)

    def _used_elsewhere(self) -> frozenset[str]:
        """Return the names of indexes that sources in other files of the workspace use."""
        root = [self.project.root] if self.project.root else []
        return frozenset(
            source.index
            for other in (*root, *(one for one in self.members if one not in self.sharing))
            for sources in other.sources.values()
            for source in sources
            if source.index is not None
        )

    def _own_bounds(self, within: SpecifierSet, targets: Sequence[Target]) -> Bounds | None:
        """Return the bounds that torchconf would have written for what the project has now."""
        newest = next((r for r in self.catalog.releases if r in within), None)
        if newest is None:
            return None
        companions = {str(name): SpecifierSet() for name in self.before.packages}
        needs = Needs(within, companions, self.whole.requires_python)
        specs = [*map(spec_of, targets)]
        choice = assess(newest, specs, needs, self.catalog).choice
        tied = self.destination.tied
        return Bounds(choice, within, self.catalog, settled=False, held=(), pin=False, tied=tied)

    def _give_up(self) -> None:
        """Let other machines of a system have their CPU build, where the new backend has none."""
        specs = tuple(map(spec_of, self.destination.choice.targets))
        facts = self.facts._replace(locked=None)
        if self.sharing:
            facts = facts._replace(around=self._planned_members())
        outcome = plan_targets(Request(specs=specs), self.planned(), self.catalog, facts).plan
        drafts = [(self.draft, outcome.steps), (self.root, outcome.root_steps)]
        drafts += [(self.followers[at][1], own) for at, own in outcome.member_steps.items()]
        for draft, steps in drafts:
            for step in steps:
                if step.path[: len(TARGETS)] != TARGETS:  # Nobody asked for other targets.
                    draft.take(step)

    def planned(self) -> Project:
        """Return the project as the drafts say it will be."""
        root = None
        if self.project.root is not None:
            root = read_project(self.root.data, at=self.project.root.at)
        return read_again(self.project, self.draft.data, root=root)

    def _planned_members(self) -> tuple[Project, ...]:
        """Return the other members of the workspace, likewise."""
        root = self.planned()
        return tuple(
            read_project(
                self.followers[one.at][1].data if one.at in self.followers else one.data,
                root=root if self.project.is_workspace_root else root.root,
                at=one.at,
            )
            for one in self.members
        )

    def _verify(self) -> None:
        """See that the targets are those that were wanted."""
        around = self._planned_members() if self.sharing else ()
        after = read_shared_configuration(self.planned(), around, self.catalog)
        wanted = {self.destination.new(target) for target in self.before.targets}
        # PyPI's build is a target only where an upper bound holds it together with the others.
        now = {target for target in after.targets if target.backend != PYPI}
        wanted = {target for target in wanted if target.backend != PYPI}
        missing = (wanted & set(self.destination.choice.targets)) - now
        added = now - wanted
        added = {
            t
            for t in added
            if t.platform not in {old.platform for old in self.destination.given_up}
        }
        if missing or added:
            names = ", ".join(f"`{target}`" for target in sorted((missing or added), key=str))
            verb = "lose" if missing else "add"
            raise ProjectError(
                f"cannot upgrade these tables: the result would {verb} {names}",
                at=self.project.place("tool.uv.sources"),
                help="run `torchconf remove-target` and `torchconf add-target` instead",
            )

    def _refuse_apart(self) -> None:
        """Refuse to move torch away from what another member requires: one lock holds both."""
        main = self.catalog.main_package
        others = [each for each in self.members if each.at not in self.followers]
        theirs = [(m, r) for m in others for r in m.dependencies if r.name == main and not r.url]
        if not theirs:
            return

        def apart(project: Project) -> list[tuple[Project, Requirement]]:
            """Return the requirements of others that one of this project excludes somewhere."""
            own = [r for r in project.dependencies if r.name == main and not r.url]
            return [
                (member, other)
                for member, other in theirs
                for one in own
                if not overlaps(public(one.specifier), str(public(other.specifier)))
                and any(may_hold(one.marker, p) and may_hold(other.marker, p) for p in PLATFORMS)
            ]

        before = apart(self.project)
        if found := [each for each in apart(self.planned()) if each not in before]:
            member, other = found[0]
            raise ProjectError(
                f"`{other.raw}` of workspace member `{member.written_name}` excludes this release, "
                "and one uv.lock holds both",
                at=member.place(other.at),
                help="change that requirement first, or run the command in the workspace root",
            )

    def _notes(self) -> Iterator[str]:
        for one in self.before.foreign:
            if one.backend is None and one not in unknown_sources(self.before, self.catalog):
                yield f"{one.source.package} stays as it is: {one.why}, at {one.at}"
        release = self.destination.choice.release
        if release is not None and not self.destination.parts:
            why = " requested release" if self.request.torch else ""
            yield f"torch {release}: newest{why} available for all targets"
        for old, new in self.destination.backends.items():
            yield f"{old} becomes {new.name}{self._driver(old, new)}"
        for target in self.destination.given_up if not self._is_idle() else ():
            name = self.destination.new(target).backend.name
            yield f"{target.platform.key} gets CPU: {name} has no wheels of this torch for it"

    def _driver(self, old: str, new: Backend) -> str:
        """Say which driver a new backend needs, if the old one made do with an older one."""
        drivers, before = self.catalog.drivers(new), self.catalog.backend(old)
        if new.version < before.version or drivers == self.catalog.drivers(before) or not drivers:
            return ""
        lowest = dict.fromkeys(drivers.values())
        return f", which needs driver {' / '.join(lowest)} or newer"
