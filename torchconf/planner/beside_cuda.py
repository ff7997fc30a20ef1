"""What a plan does with packages that need the CUDA of torch: they are added, move along, or go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.catalog import Catalog
    from torchconf.edits.draft import Draft
    from torchconf.model.project import Project
    from torchconf.planner.decide import Decision
    from torchconf.planner.request import Facts, Request

__all__ = ["bound_to_cuda", "draft_beside_cuda"]

# The modules that do the work are imported where they are used: few projects have such packages.


def bound_to_cuda(project: Project, catalog: Catalog, decision: Decision) -> tuple[str, ...]:
    """Return what goes with extras or groups that go, as it is for the CUDA of their torch."""
    if not _has_some(project, catalog) or decision.layout != decision.before.layout:
        return ()
    from torchconf.planner.draft_cuda import bound_names

    return bound_names(decision.leaving(project).values(), catalog)


def draft_beside_cuda(
    draft: Draft,
    request: Request,
    project: Project,
    catalog: Catalog,
    facts: Facts,
    decision: Decision,
    bound: Iterable[str],
) -> tuple[str, ...]:
    """Draft the others; return what to say of them.

    Args:
        draft: Of the project's file, with the extras or groups of the plan.
        request: What is asked for.
        project: As it is.
        catalog: Which package is for which CUDA.
        facts: What is known from outside the file.
        decision: What the file is to hold.
        bound: What has gone, as `bound_to_cuda` says it.
    """
    names = map(canonicalize_name, request.packages)
    words = [name for name in names if name in catalog.cuda_words]
    known = _has_some(project, catalog)
    if not words and not known:
        return ()
    from torchconf.planner.draft_cuda import bring_along, draft_cuda

    said = [f"`{name}` is removed together with the CUDA that it was for" for name in bound]
    if known and decision.layout == decision.before.layout == "markers":
        said += _moved(draft, project, catalog, facts, decision)
    said += draft_cuda(draft, words, project, catalog, decision, request.python)
    if known:
        said += bring_along(draft, words, project, catalog, decision)
    return tuple(said)


def _has_some(project: Project, catalog: Catalog) -> bool:
    return any(one.name in catalog.cuda_names for one in project.requirements())


def _moved(
    draft: Draft, project: Project, catalog: Catalog, facts: Facts, decision: Decision
) -> Iterable[str]:
    """Let what is there follow a build that takes the place of another one."""
    from torchconf.planner.upgrade.beside_cuda import Torch, move_beside

    (scope,), before = decision.scopes, decision.before.targets
    return move_beside(
        draft,
        project,
        catalog,
        decision.before,
        Torch(before, facts.locked or decision.choice.release),
        Torch(decision.choice.targets, decision.choice.release),
        {target: target._replace(backend=scope.at(target.platform)) for target in before},
    )
