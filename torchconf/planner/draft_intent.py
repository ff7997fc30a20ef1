"""Draft the list `targets` in `[tool.torchconf]`: what a team asked for, for people to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.layout.intent import intended, served
from torchconf.layout.shared_builds import read_shared_configuration
from torchconf.model.intent import read_intent
from torchconf.model.read_project import read_again
from torchconf.model.target_spec import means, overlap
from torchconf.model.toml_path import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.edits.draft import Draft
    from torchconf.edits.plan import Value
    from torchconf.model.backends import Backend
    from torchconf.model.project import Project
    from torchconf.model.target_spec import TargetSpec
    from torchconf.model.targets import Target
    from torchconf.planner.decide import Decision
    from torchconf.planner.request import Request

_REASON = "what the project is for, as a list that people can read and edit"


def draft_intent(
    draft: Draft,
    request: Request,
    project: Project,
    catalog: Catalog,
    decision: Decision,
    around: Sequence[Project] = (),
) -> tuple[Target, ...]:
    """Write the list where all targets are named, and keep it where it is there.

    Args:
        draft: Of the project's file.
        request: What is asked for.
        project: As it is.
        catalog: What the indexes are.
        decision: What the project is to hold.
        around: The other members of its workspace, as they will be.

    Returns:
        What the plan comes to in targets: those listed, or all that the tables serve.

    Raises:
        ProjectError: The list is malformed.
    """
    listed = read_intent(project, catalog.vocabulary)
    after = decision.choice.targets
    if request.specs:
        wanted = tuple(dict.fromkeys(_meant(spec, after) for spec in request.specs))
        _arrange(draft, listed or (), wanted)
        return wanted
    added = tuple(_meant(spec, after, decision.before.targets) for spec in request.add)
    if listed is None:
        if request.record:
            record_intent(draft, project, catalog, added, around)
        return after
    kept = [spec for spec in listed if _stays(spec, request, decision)]
    _change(draft, listed, kept, added)
    return tuple(t for t in after if t in added or any(means(spec, t) for spec in kept))


def record_intent(
    draft: Draft,
    project: Project,
    catalog: Catalog,
    also: Iterable[Target] = (),
    around: Sequence[Project] = (),
) -> None:
    """List the targets that the tables have, and those just named; a list that is there stays."""
    if read_intent(project, catalog.vocabulary) is not None:
        return
    planned = read_again(project, draft.data, root=project.root)
    there = intended(planned, catalog, read_shared_configuration(planned, around, catalog))
    named = [target for target in there if not _is_brought_along(target, there)]
    _arrange(draft, (), [*dict.fromkeys([*named, *also])])


def _is_brought_along(target: Target, there: Sequence[Target]) -> bool:
    """Tell whether a machine has just what the usual machine of its system has."""
    usual = {
        t.backend for t in there if t.platform.os == target.platform.os and t.platform.is_usual
    }
    own = {t.backend for t in there if t.platform == target.platform}
    return not target.platform.is_usual and own <= usual


def _meant(spec: TargetSpec, targets: Sequence[Target], before: Sequence[Target] = ()) -> Target:
    """Return the target that a spec came to; a new one rather than one that was there."""
    fitting = [target for target in targets if means(spec, target)]
    return max(fitting, key=lambda target: (target not in before, target.backend.version))


def _stays(spec: TargetSpec, request: Request, decision: Decision) -> bool:
    """Tell whether what is listed is a target afterwards; what only the list has stays in it."""
    was = served(spec, decision.before)
    is_removed = any(overlap(each, spec) for each in request.remove)
    return not is_removed and (was is None or was in decision.choice.targets)


def _change(
    draft: Draft,
    listed: Sequence[TargetSpec],
    kept: Sequence[TargetSpec],
    added: Iterable[Target],
) -> None:
    """Take out what is a target no more, and put in what is new; the rest stays as it stands."""
    gone = [number for number, spec in enumerate(listed) if spec not in kept]
    for number in reversed(gone):
        draft.remove((*TARGETS, number), _REASON)
    for target in dict.fromkeys(added):
        if not any(means(spec, target) for spec in kept):
            draft.insert(TARGETS, str(target), _REASON)


def _arrange(draft: Draft, listed: Sequence[TargetSpec], wanted: Sequence[Target]) -> None:
    """Make the list say what is wanted; an entry that means the same keeps its spelling."""
    spelled = {
        spec.text: next((str(target) for target in wanted if means(spec, target)), spec.text)
        for spec in listed
    }

    def same(word: Value) -> str:
        return spelled.get(str(word), str(word))

    names: list[Value] = [str(target) for target in wanted]
    if draft.get(TARGETS) != names:
        draft.arrange(TARGETS, names, _REASON, same=same, kin=same)


def move_intent(
    draft: Draft, project: Project, catalog: Catalog, backends: Mapping[str, Backend]
) -> None:
    """Let entries that name a backend follow it to the one that takes its place."""
    for number, spec in enumerate(read_intent(project, catalog.vocabulary) or ()):
        new = backends.get(spec.backend.name) if spec.backend is not None else None
        if new is not None:
            draft.replace((*TARGETS, number), f"{spec.platform.short}-{new.name}", _REASON)
