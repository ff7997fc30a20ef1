"""From a request and a project to a plan: what the file should say, and the steps to get there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.edits.draft import Draft
from torchconf.edits.plan import Plan
from torchconf.errors import REFRESH, ProjectError, RequestError
from torchconf.layout.machine_choice import MACHINE
from torchconf.model.read_project import read_again, read_project
from torchconf.model.target_spec import means
from torchconf.model.toml_path import ENVIRONMENTS
from torchconf.model.uv_variables import NO_GROUP
from torchconf.planner.beside_cuda import bound_to_cuda, draft_beside_cuda
from torchconf.planner.channel import in_channel
from torchconf.planner.decide import Decision, decide
from torchconf.planner.draft_indexes import Indexes
from torchconf.planner.draft_intent import draft_intent
from torchconf.planner.draft_removal import draft_removal
from torchconf.planner.draft_requirements import draft_requirements
from torchconf.planner.draft_tables import draft_tables
from torchconf.planner.index_base import parse_index_base, parse_index_bases
from torchconf.planner.label_pins import release_pins
from torchconf.planner.request import Facts, Outcome, Request

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.layout.layouts import Kind
    from torchconf.model.project import Project
    from torchconf.planner.assess import ReleaseChoice

__all__ = [
    "Facts",
    "Outcome",
    "Request",
    "parse_index_base",
    "parse_index_bases",
    "plan_targets",
    "refuse_what_uv_refuses",
    "unknowns",
]


def plan_targets(request: Request, project: Project, catalog: Catalog, facts: Facts) -> Outcome:
    """Plan what `init`, `add-target` and `remove-target` write.

    Args:
        request: Wishes may be empty if the project has targets.
        project: As read; an empty file reads as a project without `[project]`.
        catalog: What is available.
        facts: What is known from outside the file.

    Raises:
        RequestError: It is not available, or is ambiguous.
        ProjectError: The file holds something that is not understood, or not to be edited.
    """
    catalog = catalog.mirrored(request.mirrors)
    request, catalog = in_channel(request, project, catalog)
    asked, kept = _built(request, project, catalog)
    request = _with_needs(request, asked, catalog)
    both = tuple(dict.fromkeys((*asked, *kept)))
    decision = _decide(request, project, catalog, facts, both)
    draft = Draft(project.data)
    # uv reads some settings from the workspace root only.
    root = Draft(project.root.data) if project.root is not None else draft
    widened: tuple[str, ...] = ()
    members: Mapping[str, Draft] = {}
    bound: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()
    if decision.together:
        # Imported here: few projects are workspaces whose members share their builds.
        from torchconf.planner.draft_shared import draft_shared

        shared = draft_shared(draft, request, project, catalog, facts, decision)
        members, widened, slow = shared.members, shared.notes, shared.warnings
        closed = _close(draft, root, request, project, catalog, decision)
    elif not decision.is_idle:
        widened = draft_requirements(draft, request, project, catalog, facts, decision)
        draft_tables(draft, root, request, project, catalog, decision)
        closed = _close(draft, root, request, project, catalog, decision)
        changes = request.add or request.remove or request.takes
        if changes or decision.layout != decision.before.layout:
            takes = bool(request.remove or request.takes)
            bound = bound_to_cuda(project, catalog, decision)
            also = {*kept, *bound}
            draft_removal(draft, project, catalog, decision, takes_indexes=takes, also=also)
    else:
        closed = _close(draft, root, request, project, catalog, decision)
    beside = draft_beside_cuda(draft, request, project, catalog, facts, decision, bound)
    built, unsure = _draft_built(draft, project, catalog, decision, asked, kept)
    around = tuple(
        read_project(members[each.at].data, root=each.root, at=each.at)
        if each.at in members
        else each
        for each in facts.around
    )
    relabelled = tuple(release_pins(draft, root, project, catalog)) if draft.steps else ()
    _, others = _planned(draft, root, project, around)
    targets = draft_intent(draft, request, project, catalog, decision, others)
    mirrored = _at_mirrors(draft, request, catalog)
    changed = any(each.steps for each in (draft, root, *members.values()))
    if (decision.before.layout is not None or facts.around) and changed:
        refuse_what_uv_refuses(draft, root, project, catalog, around, facts.around)
    planned, others = _planned(draft, root, project, around)
    if changed and facts.around and decision.layout == "markers":
        # Imported here: few projects are in a workspace.
        from torchconf.planner.moved_platforms import refuse_moved_platforms

        refuse_moved_platforms(request, project, planned, catalog, others, facts.around)
    plan = Plan(
        steps=tuple(draft.steps),
        notes=(
            f"layout {decision.layout}: {decision.reason}",
            *decision.why,
            *widened,
            *closed,
            *beside,
            *built,
            *mirrored,
            *relabelled,
            *_limits(root, project),
            *_brought_along(request, project, facts, decision),
            *(() if members else _plain_members(decision, catalog, facts)),
            *_changed_variables(decision),
        ),
        warnings=(*_doubts(decision.choice, catalog), *slow, *unsure),
        root_steps=() if root is draft else tuple(root.steps),
        member_steps={at: tuple(each.steps) for at, each in members.items() if each.steps},
    )
    member = _member(project, catalog, facts, decision)
    return Outcome(
        plan=plan,
        layout=decision.layout,
        scopes=decision.scopes,
        targets=targets,
        # A member that is installed alone gets none of the default groups of its root.
        default=decision.default if member is None or project.root is not None else None,
        by_machine=decision.by_machine,
        choice=decision.choice,
        planned=planned,
        around=others,
        member=member,
        carrier=_carrier(
            project
            if decision.before.layout in {None, decision.layout}
            else read_again(project, draft.data),
            catalog,
        ),
    )


def _close(
    draft: Draft,
    root: Draft,
    request: Request,
    project: Project,
    catalog: Catalog,
    decision: Decision,
) -> tuple[str, ...]:
    """Draft what the torch of some indexes needs from there; return what to say of it."""
    before = {target.backend for target in decision.before.targets}
    after = {target.backend for target in decision.choice.targets}
    if not request.gpus and not any(map(catalog.closure, before | after)):
        return ()
    # Imported here: few builds need it.
    from torchconf.planner.draft_closure import draft_closures

    if project.root is not None and any(map(catalog.closure, after - before)):
        raise RequestError(
            "a workspace member cannot have this build by itself: its torch needs more packages of "
            "its index, and uv reads constraints, and sources for them, from the workspace root",
            at=project.root.at,
            help="run the command in the workspace root, or name it with `--project`",
        )
    if decision.together and any(map(catalog.closure, after)):
        raise RequestError(
            "workspace members that share the builds of their root cannot have this one: its torch "
            "needs more packages of its index",
            help="use `--layout groups`, or another build",
        )
    name = Indexes(request, project, catalog, decision).name
    specs = (*request.specs, *request.add)
    asked = {t.backend for t in decision.choice.targets for spec in specs if means(spec, t)}
    return draft_closures(draft, root, catalog, before, after, request.gpus, name, asked)


def _at_mirrors(draft: Draft, request: Request, catalog: Catalog) -> tuple[str, ...]:
    """Draft what mirrors change in the tables that are there; return what to say of it."""
    if not catalog.mirrors:
        return ()
    # Imported here: few projects have mirrors.
    from torchconf.planner.draft_mirrors import draft_mirrors

    return tuple(draft_mirrors(draft, request, catalog))


def _built(
    request: Request, project: Project, catalog: Catalog
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is built against torch: what is asked for, and what the project has."""
    names = (*map(canonicalize_name, request.packages), *project.sources)
    if all(name in catalog.family for name in names):
        return (), ()
    # Imported here: few projects have any.
    from torchconf.planner.built_packages import asked_packages, kept_packages

    return asked_packages(request, catalog), kept_packages(project, catalog)


def _with_needs(request: Request, asked: Sequence[str], catalog: Catalog) -> Request:
    """Ask for the companions of torch, too, that packages built against it require."""
    needed = {name for package in asked for name in catalog.dependents.get(package, ())}
    needed -= {catalog.main_package, *catalog.triton_packages}
    named = set(map(canonicalize_name, request.packages))
    more = [name for name in catalog.family if name in needed - named]
    return request._replace(packages=(*request.packages, *more)) if more else request


def _decide(
    request: Request, project: Project, catalog: Catalog, facts: Facts, built: Sequence[str]
) -> Decision:
    """Decide what the file is to hold; what is built against torch says which torch, too."""
    if not built or request.remove:
        return decide(request, project, catalog, facts)
    if catalog.channel in catalog.channels:
        raise RequestError(
            f"`{built[0]}` is built against torch releases, and {catalog.channel} builds are none",
            help="omit it, or use stable builds",
        )
    from torchconf.planner.built_packages import decide_with_built

    return decide_with_built(request, project, catalog, facts, built)


def _draft_built(
    draft: Draft,
    project: Project,
    catalog: Catalog,
    decision: Decision,
    asked: Sequence[str],
    kept: Sequence[str],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Draft what is built against torch; return what to say of it, and what to warn of."""
    if not asked and (not kept or decision.is_idle):
        return (), ()
    from torchconf.planner.draft_built import draft_built

    return draft_built(draft, project, catalog, decision, asked, kept)


def refuse_what_uv_refuses(
    draft: Draft,
    root: Draft,
    project: Project,
    catalog: Catalog,
    around: Sequence[Project] = (),
    were: Sequence[Project] | None = None,
) -> None:
    """Refuse a plan for a file that uv locks now and would not lock afterwards.

    What other parts of the file do to a change, an alias of an extra for example, only the routing
    rule can tell; and what the other members of a workspace do.

    Args:
        draft: Of the project's file.
        root: Of its workspace root's, or `draft` again.
        project: As it is.
        catalog: Who needs torch.
        around: The other members of its workspace, as they will be.
        were: As they are; None: they stay so.
    """
    if not around and (project.root is not None or project.is_workspace_root):
        return
    # Imported here: a project without PyTorch tables has nothing that could get in the way.
    from torchconf.layout.shared_builds import sharing_members
    from torchconf.resolve.needs import needs_of
    from torchconf.resolve.routes import routes

    planned, members = _planned(draft, root, project, around)
    needs = needs_of([planned, *members], catalog)
    error = routes(planned, members=members, needs=needs).error
    if error is None:
        return
    were = around if were is None else were
    needs = needs_of([project, *were], catalog)
    if routes(project, members=were, needs=needs).error is not None:
        return
    raise ProjectError(
        f"uv would refuse to lock the project after this change: {error.message}",
        at=error.at,
        help=_cure(project, catalog, around)
        if around and not sharing_members(planned, members, catalog)
        else "often an extra or group that includes another one is the cause; run "
        "`torchconf show` to see what each installs now",
    )


def _planned(
    draft: Draft, root: Draft, project: Project, around: Sequence[Project]
) -> tuple[Project, tuple[Project, ...]]:
    """Return a project as the drafts say it will be, and the members around it."""
    if not draft.steps and not root.steps:
        return project, tuple(around)
    above = project.root and read_project(root.data, at=project.root.at)
    planned = read_again(project, draft.data, root=above)
    members = (
        read_project(each.data, root=above or planned, at=each.at) if each.root else each
        for each in around
    )
    return planned, tuple(members)


def _cure(project: Project, catalog: Catalog, around: Sequence[Project]) -> str:
    """Say what helps where another member stands in the way."""
    routing = [each for each in around if any(name in catalog.family for name in each.sources)]
    if not routing:
        return (
            "other members of this workspace require the package too: pass `--layout groups` in "
            "the workspace root"
        )
    one, other = project.written_name, routing[0].written_name
    return (
        f"`{other}` has builds of its own: give each member the same ones by hand, and declare in "
        "the workspace root a conflict for each pair of builds that differ, such as "
        f'`[{{ package = "{one}", group = "cpu" }}, {{ package = "{other}", group = "cuda" }}]`'
    )


def _member(project: Project, catalog: Catalog, facts: Facts, decision: Decision) -> str | None:
    """Return what `--package` takes: a member's name, or at the root the one that needs torch."""
    if project.root is not None:
        return project.written_name
    if decision.together or decision.layout == "extras":
        return None  # Extras of the root are none of a member's, and may ask for theirs.
    if any(requirement.name == catalog.main_package for requirement in project.requirements()):
        return None
    return facts.members[0] if facts.members else None


def _carrier(project: Project, catalog: Catalog) -> tuple[Kind, str]:
    """Return the extra or group that torch stands in, if it does not stand in the base."""
    if any(requirement.name == catalog.main_package for requirement in project.dependencies):
        return "", ""
    for kind, sections in (("extra", project.extras), ("group", project.groups)):
        for name, section in sections.items():
            if any(r.name == catalog.main_package for r in section.requirements):
                if kind == "extra":
                    return "extra", section.written
                if project.is_default_group(name):
                    return "", ""
                return "group", section.written
    return "", ""


def _limits(root: Draft, project: Project) -> tuple[str, ...]:
    """Say what `environments` leaves out that this plan writes."""
    if project.workspace.environments or not root.get(ENVIRONMENTS):
        return ()
    return ("`environments` limits uv.lock to Linux, macOS and Windows: uv refuses other systems",)


def _brought_along(
    request: Request, project: Project, facts: Facts, decision: Decision
) -> Iterator[str]:
    """Say which packages get a source or a requirement that nobody asked for by name."""
    if decision.is_idle:
        return
    named = set(map(canonicalize_name, request.packages))
    declared = facts.elsewhere.union(requirement.name for requirement in project.requirements())
    main = decision.packages[0]
    is_brought = request.add and not declared.isdisjoint(decision.packages)
    routed = project.sources_for(canonicalize_name(main))
    if main not in declared and (is_brought or (routed and main in decision.undeclared)):
        yield f"{main} becomes a direct requirement: uv applies sources only to direct requirements"
    for name in decision.packages[1:]:
        if name in named:
            continue
        if name in decision.required and name not in declared:
            yield (
                f"{name} becomes a direct requirement: a dependency needs it, and uv applies "
                "sources only to direct requirements"
            )
        elif not project.sources_for(canonicalize_name(name)):
            yield f"{name} gets the same index as torch: it must match the build of torch"
    yield from _tritons(request, project, decision, declared)


def _tritons(
    request: Request, project: Project, decision: Decision, declared: Collection[str]
) -> Iterator[str]:
    """Say which triton packages come with a target that is added."""
    brought = {
        triton.name: backend.title
        for scope in decision.scopes
        if scope.name in decision.affected
        for backend in scope.backends()
        if (triton := decision.bounds.triton(backend)) is not None
    }
    for name, title in brought.items() if request.add else ():
        if name not in declared and not project.sources_for(canonicalize_name(name)):
            yield (
                f"{name} becomes a direct requirement: torch for {title} needs it, and uv applies "
                "sources only to direct requirements"
            )


def _plain_members(decision: Decision, catalog: Catalog, facts: Facts) -> tuple[str, ...]:
    """Say what members get from a plain command, where groups of their root choose the build."""
    plain = [
        each.written_name
        for each in facts.around
        if each.written_name in facts.members and catalog.main_package not in each.sources
    ]
    if decision.layout != "groups" or not plain or len(decision.scopes) == 1:
        return ()
    return (
        "`--package` with a group of the workspace root requires uv 0.12.12 or newer",
        f"plain `uv sync --package {plain[0]}`, or `uv sync` in that member, installs PyPI's build",
    )


def _changed_variables(decision: Decision) -> Iterator[str]:
    """Say what each machine has to change that says already which build it is."""
    if decision.before.default != MACHINE or decision.layout != decision.before.layout:
        return
    after = {canonicalize_name(scope.name): scope.name for scope in decision.scopes}
    new = [name for same, name in after.items() if same not in decision.before.scopes]
    if not decision.by_machine:
        yield f"no machine needs `{NO_GROUP}` any more: unset it, as uv refuses undefined groups"
        return
    if new:
        names = " and ".join(f"`{name}`" for name in new)
        yield f"each machine with another build must add {names} to its `{NO_GROUP}`"
    if gone := sorted(decision.gone):
        names = " and ".join(f"`{name}`" for name in gone)
        yield f"each machine must take {names} out of its `{NO_GROUP}`: uv refuses undefined groups"


def _doubts(choice: ReleaseChoice, catalog: Catalog) -> tuple[str, ...]:
    if catalog.is_apart:
        family = catalog.channels[catalog.channel]
        return (f"{family['title']}: {family['sure']}, and not every day has every build",)
    return unknowns(choice, catalog)


def unknowns(choice: ReleaseChoice, catalog: Catalog) -> tuple[str, ...]:
    """Say what the catalog does not know of a release that was chosen."""
    doubts = [f"the catalog of {day} has no information on {text}" for text, day in choice.doubts]
    refresh = (f"run {REFRESH} to read the live indexes",) if doubts else ()
    return (*doubts, *refresh, *_of_others(choice, catalog))


def _of_others(choice: ReleaseChoice, catalog: Catalog) -> Iterator[str]:
    """Say how sure it is what the indexes of others have."""
    targets = {t.backend: t for t in choice.targets if catalog.publisher_of(t.backend)}
    for backend, target in targets.items():
        family = catalog.family_named(catalog.publisher_of(backend))
        named = choice.release and catalog.pythons_named(choice.release, target)
        what = f"torch {choice.release}" if choice.release else "which torch it has"
        last = catalog.last_seen(catalog.main_package, backend)
        unknown = f"not known: {what}" + (f", but {last} was named" if last else "")
        known = f"{what} is known for Python {', '.join(named)}" if named else unknown
        yield f"{backend.name}: {family.sure if family else ''}; {known}"
