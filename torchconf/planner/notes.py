"""What a plan says beside its steps: what came along, what is not known, what machines must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.errors import REFRESH
from torchconf.layout.machine_choice import MACHINE
from torchconf.model.toml_path import ENVIRONMENTS
from torchconf.model.uv_variables import NO_GROUP

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from torchconf.catalog import Catalog
    from torchconf.edits.draft import Draft
    from torchconf.model.project import Project
    from torchconf.planner.assess import ReleaseChoice
    from torchconf.planner.decide import Decision
    from torchconf.planner.request import Facts, Request

__all__ = [
    "brought_along",
    "changed_variables",
    "doubts",
    "limits",
    "plain_members",
    "unknowns",
]


def limits(root: Draft, project: Project) -> tuple[str, ...]:
    """Say what `environments` leaves out that this plan writes."""
    if project.workspace.environments or not root.get(ENVIRONMENTS):
        return ()
    return ("`environments` limits uv.lock to Linux, macOS and Windows: uv refuses other systems",)


def brought_along(
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


def plain_members(decision: Decision, catalog: Catalog, facts: Facts) -> tuple[str, ...]:
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


def changed_variables(decision: Decision) -> Iterator[str]:
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


def doubts(choice: ReleaseChoice, catalog: Catalog) -> tuple[str, ...]:
    """Say how sure the wheels of a plan are: a channel of builds is looked at as a whole."""
    if catalog.is_apart:
        family = catalog.channels[catalog.channel]
        return (f"{family['title']}: {family['sure']}, and not every day has every build",)
    return unknowns(choice, catalog)


def unknowns(choice: ReleaseChoice, catalog: Catalog) -> tuple[str, ...]:
    """Say what the catalog does not know of a release that was chosen."""
    missing = [f"the catalog of {day} has no information on {text}" for text, day in choice.doubts]
    refresh = (f"run {REFRESH} to read the live indexes",) if missing else ()
    return (*missing, *refresh, *_of_others(choice, catalog))


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
