"""From a request and a project to a plan: what the file should say, and the steps to get there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.edits.draft import Draft
from torchconf.edits.plan import Plan
from torchconf.errors import RequestError
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.read_project import read_again, read_project
from torchconf.model.target_spec import means
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
from torchconf.planner.notes import (
    brought_along,
    changed_variables,
    doubts,
    limits,
    plain_members,
)
from torchconf.planner.request import Facts, Outcome, Request
from torchconf.planner.uv_refusals import read_planned, refuse_what_uv_refuses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.layout.layouts import Kind
    from torchconf.model.project import Project

__all__ = [
    "Facts",
    "Outcome",
    "Request",
    "parse_index_base",
    "parse_index_bases",
    "plan_targets",
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
    drafted = _draft_targets(draft, root, request, project, catalog, facts, decision, kept)
    members, bound = drafted.members, drafted.bound
    beside = draft_beside_cuda(draft, request, project, catalog, facts, decision, bound)
    built, unsure = _draft_built(draft, project, catalog, decision, asked, kept)
    around = tuple(
        read_project(members[each.at].data, root=each.root, at=each.at)
        if each.at in members
        else each
        for each in facts.around
    )
    relabelled = tuple(release_pins(draft, root, project, catalog)) if draft.steps else ()
    _, others = read_planned(draft, root, project, around)
    targets = draft_intent(draft, request, project, catalog, decision, others)
    mirrored = _at_mirrors(draft, request, catalog)
    changed = any(each.steps for each in (draft, root, *members.values()))
    if (decision.before.layout is not None or facts.around) and changed:
        refuse_what_uv_refuses(draft, root, project, catalog, around, facts.around)
    planned, others = read_planned(draft, root, project, around)
    if changed and facts.around and decision.layout == "markers":
        # Imported here: few projects are in a workspace.
        from torchconf.planner.moved_platforms import refuse_moved_platforms

        refuse_moved_platforms(request, project, planned, catalog, others, facts.around)
    plan = Plan(
        steps=tuple(draft.steps),
        notes=(
            f"layout {decision.layout}: {decision.reason}",
            *decision.why,
            *drafted.notes,
            *beside,
            *built,
            *mirrored,
            *relabelled,
            *limits(root, project),
            *brought_along(request, project, facts, decision),
            *(() if members else plain_members(decision, catalog, facts)),
            *changed_variables(decision),
        ),
        warnings=(*doubts(decision.choice, catalog), *drafted.warnings, *unsure),
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


class _Drafted(NamedTuple):
    """What the drafts of a plan's targets have come to."""

    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    members: Mapping[str, Draft] = {}
    """The drafts of the files of workspace members, by place."""
    bound: tuple[str, ...] = ()
    """What has gone with the CUDA that it was for."""


def _draft_targets(
    draft: Draft,
    root: Draft,
    request: Request,
    project: Project,
    catalog: Catalog,
    facts: Facts,
    decision: Decision,
    kept: Sequence[str],
) -> _Drafted:
    """Draft the requirements, sources and indexes of torch and its companions.

    Args:
        draft: Of the project's file.
        root: Of its workspace root's, or `draft` again.
        request: What is asked for.
        project: As it is.
        catalog: What is available.
        facts: What is known from outside the file.
        decision: What the file is to hold.
        kept: What the project has that is built against torch.
    """
    if decision.together:
        # Imported here: few projects are workspaces whose members share their builds.
        from torchconf.planner.draft_shared import draft_shared

        shared = draft_shared(draft, request, project, catalog, facts, decision)
        closed = _close(draft, root, request, project, catalog, decision)
        return _Drafted((*shared.notes, *closed), shared.warnings, shared.members)
    if decision.is_idle:
        return _Drafted(_close(draft, root, request, project, catalog, decision))
    widened = draft_requirements(draft, request, project, catalog, facts, decision)
    draft_tables(draft, root, request, project, catalog, decision)
    closed = _close(draft, root, request, project, catalog, decision)
    bound: tuple[str, ...] = ()
    if (
        request.add
        or request.remove
        or request.takes
        or (decision.layout != decision.before.layout)
    ):
        takes = bool(request.remove or request.takes)
        bound = bound_to_cuda(project, catalog, decision)
        also = {*kept, *bound}
        draft_removal(draft, project, catalog, decision, takes_indexes=takes, also=also)
    return _Drafted((*widened, *closed), bound=bound)


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
