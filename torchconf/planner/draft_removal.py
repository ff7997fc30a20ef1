"""Draft the removal of what no target needs any more. Comments stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.edits.conflicts import drop_members
from torchconf.errors import ProjectError
from torchconf.layout.layouts import KINDS
from torchconf.model.requirements import required_name
from torchconf.model.toml_path import (
    CONFLICTS,
    CONSTRAINTS,
    DEFAULT_GROUPS,
    DEPENDENCIES,
    ENVIRONMENTS,
    EXTRAS,
    GROUPS,
    INDEXES,
    SOURCES,
    UV,
)
from torchconf.planner.cells import Cells, cut_environments
from torchconf.planner.draft_indexes import remove_unused_indexes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from collections.abc import Set as AbstractSet

    from torchconf.catalog import Catalog
    from torchconf.edits.draft import Draft
    from torchconf.model.project import Project, Section
    from torchconf.model.toml_path import Path
    from torchconf.planner.decide import Decision

UNUSED = "no target needs it any more"


def draft_removal(
    draft: Draft,
    project: Project,
    catalog: Catalog,
    decision: Decision,
    *,
    takes_indexes: bool,
    elsewhere: AbstractSet[object] = frozenset(),
    beside: Collection[Project] = (),
    also: Collection[str] = (),
) -> None:
    """Take away scopes, sources, conflicts and defaults that are left without a target.

    Args:
        draft: Of the project's file.
        project: As it is.
        catalog: Which packages are of the family.
        decision: What the file is to hold.
        takes_indexes: Whether somebody asked for something to go: indexes go only then.
        elsewhere: Names of indexes that other files of the workspace will use.
        beside: The projects of these files, as they are.
        also: What else goes with an extra or group, as it is built against its torch.
    """
    gone = decision.gone
    if decision.before.layout in {"extras", "groups"}:
        _remove_sections(draft, project, catalog, decision, gone, also)
        drop_members(draft, KINDS[decision.before.layout], gone, UNUSED)
        if decision.before.layout == "groups":
            _remove_defaults(draft, gone)
    _remove_tritons(draft, catalog, decision)
    _remove_sources(draft, catalog)
    _join_environments(draft, project, catalog, decision, beside)
    if takes_indexes:
        remove_unused_indexes(draft, project, catalog, UNUSED, elsewhere, beside=beside)
    for path in (
        CONFLICTS,
        SOURCES,
        INDEXES,
        UV,
        EXTRAS,
        GROUPS,
        ("tool",),
    ):
        if draft.get(path) in ([], {}):
            draft.remove(path, UNUSED)


def _remove_sections(
    draft: Draft,
    project: Project,
    catalog: Catalog,
    decision: Decision,
    gone: Iterable[str],
    also: Collection[str],
) -> None:
    """Take the family out of extras or groups; one that holds nothing else goes whole."""
    extras = decision.before.layout == "extras"
    sections = project.extras if extras else project.groups
    table = EXTRAS if extras else GROUPS
    moved = decision.layout != decision.before.layout
    # In another layout, what is not routed stays where it was asked for.
    taken = catalog.triton_packages.union(decision.packages) if moved else catalog.family
    for name, section in sections.items():
        if name in gone:
            path = (*table, section.written)
            _refuse_named(project, section)
            _remove_lines(draft, path, {*taken, *also})
            if not draft.get(path):
                draft.remove(path, UNUSED)


def _refuse_named(project: Project, section: Section) -> None:
    """Refuse to take an extra or group away that others ask for: they would get no torch."""
    users: list[tuple[str, str]]
    if section is project.extras.get(section.name):
        holders = [("extra", one) for one in project.extras.values()]
        holders += [("group", one) for one in project.groups.values()]
        users = [
            (requirement.at, f"{kind} `{holder.written}`")
            for kind, holder in holders
            for requirement in holder.requirements
            if requirement.name == project.name and section.name in requirement.extras
        ]
    else:
        users = [
            (include.at, f"group `{group.written}`")
            for group in project.groups.values()
            for include in group.includes
            if include.group == section.name
        ]
    if users:
        raise ProjectError(
            f"`{section.written}` cannot be removed: {users[0][1]} includes it",
            at=project.place(users[0][0]),
            help=f"remove it from {users[0][1]} first",
        )


def _remove_lines(draft: Draft, path: Path, names: Iterable[str]) -> None:
    """Take the requirements of some packages out of a list."""
    names = frozenset(names)
    lines: list[Any] = draft.get(path) or []
    for number in reversed(range(len(lines))):
        line = lines[number]
        if isinstance(line, str) and required_name(line) in names:
            draft.remove((*path, number), UNUSED)


def _remove_defaults(draft: Draft, gone: Iterable[str]) -> None:
    path = DEFAULT_GROUPS
    current = draft.get(path)
    gone = frozenset(gone)
    for number in reversed(range(len(current))) if isinstance(current, list) else ():
        if canonicalize_name(current[number]) in gone:
            draft.remove((*path, number), UNUSED)


def _remove_tritons(draft: Draft, catalog: Catalog, decision: Decision) -> None:
    """Take away the triton packages of accelerators that no scope has any more."""
    # A project may have the package of an older torch, too.
    needed = {
        triton.name
        for scope in decision.scopes
        for backend in scope.backends()
        for release in catalog.releases
        if (triton := catalog.triton(backend, release)) is not None
    }
    unused = catalog.triton_packages - needed
    sources = draft.get(SOURCES) or {}
    for key in [key for key in sources if canonicalize_name(key) in unused]:
        draft.remove((*SOURCES, key), UNUSED)
        _remove_lines(draft, DEPENDENCIES, {canonicalize_name(key)})
        for table in (EXTRAS, GROUPS):
            for name in draft.get(table) or {}:
                _remove_lines(draft, (*table, name), {canonicalize_name(key)})
        _remove_lines(draft, CONSTRAINTS, {canonicalize_name(key)})


def _remove_sources(draft: Draft, catalog: Catalog) -> None:
    """Take away lists of sources that hold nothing any more."""
    sources = draft.get(SOURCES) or {}
    for key in [key for key in sources if canonicalize_name(key) in catalog.family]:
        if sources[key] == []:
            draft.remove((*SOURCES, key), UNUSED)


def _join_environments(
    draft: Draft,
    project: Project,
    catalog: Catalog,
    decision: Decision,
    beside: Collection[Project],
) -> None:
    """Rewrite `environments` where it held nothing but the cut of the source markers."""
    if decision.before.cut and draft.get(ENVIRONMENTS) is not None:
        sources: dict[str, list[Any]] = draft.get(SOURCES) or {}
        ours = {key: e for key, e in sources.items() if canonicalize_name(key) in catalog.family}
        cells = (
            Cells(draft, project, catalog, decision).of(ours) if decision.cuts_environments else ()
        )
        if cells:
            cut_environments(draft, cells, anew=True)
        elif not project.is_workspace_root or _have_no_other(beside, catalog):
            # In another workspace root, members may need them.
            draft.remove(ENVIRONMENTS, UNUSED)


def _have_no_other(members: Collection[Project], catalog: Catalog) -> bool:
    """Tell whether all is known of some members, and none has scoped sources for anything else."""
    return bool(members) and not any(
        source.extra or source.group
        for member in members
        for name, sources in member.sources.items()
        if name not in catalog.family
        for source in sources
    )
