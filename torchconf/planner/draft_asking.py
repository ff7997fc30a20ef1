"""Draft the extras of one project that ask for those of others: `a[cu130]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.errors import ProjectError
from torchconf.model.requirements import parse_requirement
from torchconf.model.toml_path import EXTRAS, SOURCES
from torchconf.planner.draft_removal import UNUSED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from torchconf.edits.draft import Draft
    from torchconf.model.project import Project
    from torchconf.planner.decide import Decision

__all__ = ["drop_asking", "drop_empty_extras", "keep_asking"]


def keep_asking(draft: Draft, members: Iterable[str], decision: Decision) -> None:
    """Let each extra that chooses a build ask for the same extra of some members.

    Args:
        draft: Of the file.
        members: Their names, as they are written.
        decision: What the workspace is to hold.
    """
    for member in members:
        for scope in decision.scopes:
            path = (*EXTRAS, draft.key(EXTRAS, scope.name, canonicalize_name))
            lines = draft.get(path) or ()
            asking = any(_asks(line, {canonicalize_name(member)}, {scope.name}) for line in lines)
            if not asking:
                line = f"{member}[{scope.name}]"
                draft.insert(path, line, f"{member} brings {scope.backend.title}")
        key = draft.key(SOURCES, member, canonicalize_name)
        if draft.get((*SOURCES, key)) is None:
            reason = "the member of this workspace"
            draft.put((*SOURCES, key), {"workspace": True}, reason)


def drop_asking(
    draft: Draft, project: Project, members: Sequence[Project], gone: AbstractSet[str]
) -> None:
    """Let an extra that goes ask for none of its members any more.

    Raises:
        ProjectError: Another extra or a group asks for one that goes.
    """
    names = {str(member.name) for member in members}
    for section in (*project.extras.values(), *project.groups.values()):
        for one in section.requirements:
            asks = one.name in names and not gone.isdisjoint(one.extras)
            if asks and section.name not in gone:
                raise ProjectError(
                    f"`{one.raw}` asks for an extra that would go",
                    at=project.place(one.at),
                    help="remove that requirement first",
                )
    for name, section in project.extras.items():
        lines = draft.get((*EXTRAS, section.written)) or []
        for number in reversed(range(len(lines)) if name in gone else ()):
            if _asks(lines[number], names, {name}):
                draft.remove((*EXTRAS, section.written, number), UNUSED)


def drop_empty_extras(draft: Draft, project: Project, gone: AbstractSet[str]) -> None:
    """Take away the extras that asked for nothing else."""
    for name, section in project.extras.items():
        path = (*EXTRAS, section.written)
        if name in gone and section.requirements and draft.get(path) == []:
            draft.remove(path, UNUSED)
    if draft.get(EXTRAS) == {}:
        draft.remove(EXTRAS, UNUSED)


def _asks(line: str, names: Collection[str], extras: Iterable[str]) -> bool:
    """Tell whether a requirement asks for an extra of one of some projects."""
    parsed = parse_requirement(line)
    wanted = set(map(canonicalize_name, extras))
    asked = set(map(canonicalize_name, parsed.extras))
    return canonicalize_name(parsed.name) in names and wanted <= asked
