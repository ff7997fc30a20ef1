"""Draft what members of a workspace hold where each machine says which build it is."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.edits.conflicts import are_apart
from torchconf.edits.draft import Draft
from torchconf.errors import ProjectError
from torchconf.layout.configuration import read_configuration
from torchconf.layout.machine_choice import MACHINE
from torchconf.model.toml_path import CONFLICTS, SOURCES
from torchconf.planner.draft_requirements import triton_requirements
from torchconf.planner.draft_tables import draft_default_groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.edits.plan import Value
    from torchconf.layout.layouts import Scope
    from torchconf.model.project import Project
    from torchconf.planner.decide import Decision

__all__ = ["draft_members"]


def draft_members(
    root: Draft, project: Project, catalog: Catalog, decision: Decision, around: Sequence[Project]
) -> Mapping[str, Draft]:
    """Give every member the groups, default groups and sources of its root, and keep them apart.

    Otherwise a plain command in a member installs PyPI's build, whatever the variable says.

    Args:
        root: Of the workspace root's file, drafted; the conflicts of all are added.
        project: The root as it is.
        catalog: Which packages are of the family.
        decision: What the root is to hold.
        around: The other members.

    Returns:
        By the file of each member.

    Raises:
        ProjectError: A member has tables that are not the root's.
    """
    found = {}
    needing: list[Project] = []
    for member in around:
        if any(r.name in decision.packages for r in member.requirements()):
            needing.append(member)
            _refuse(member, catalog, decision)
            found[member.at] = _drafted(member, root, decision)
        else:
            found[member.at] = _empty(member, decision)
    _keep_apart(root, project, decision, needing)
    return found


def _keep_apart(
    root: Draft, project: Project, decision: Decision, around: Sequence[Project]
) -> None:
    """Let no two builds be installed together, whoever needs them."""
    owners = [project.written_name or "", *(member.written_name or "" for member in around)]
    reason = "no two builds are installed together, whoever needs them"

    def draft(items: Sequence[tuple[str, Scope]]) -> None:
        if not all(
            are_apart(root, ("group", first.name), ("group", second.name), (one, other))
            for (one, first), (other, second) in combinations(items, 2)
        ):
            entry: list[Value] = [{"package": one, "group": scope.name} for one, scope in items]
            root.insert(CONFLICTS, entry, reason)

    for owner in owners[1:]:
        draft([(owner, scope) for scope in decision.scopes])
    for one, other in combinations(owners, 2):
        for first, second in permutations(decision.scopes, 2):
            draft([(one, first), (other, second)])


def _empty(member: Project, decision: Decision) -> Draft:
    """Define the groups that the variable names: before 0.12, uv refuses undefined ones."""
    draft = Draft(member.data)
    comment: str | None = "Empty: `UV_NO_GROUP` names these groups, so uv wants them defined."
    for scope in decision.scopes:
        path = ("dependency-groups", scope.name)
        if canonicalize_name(scope.name) not in member.groups:
            draft.put(path, [], "the variable of each machine names it", comment)
            comment = None
    return draft


def _refuse(member: Project, catalog: Catalog, decision: Decision) -> None:
    before = read_configuration(member, catalog)
    names = {canonicalize_name(scope.name) for scope in decision.scopes}
    taken = [name for name in member.groups if name in names and before.default != MACHINE]
    own = [name for name in member.sources if name in catalog.family]
    if taken or (own and before.default != MACHINE):
        raise ProjectError(
            f"`--default machine`: member `{member.written_name}` has builds of its own",
            at=member.place(f"dependency-groups.{taken[0]}" if taken else "tool.uv.sources"),
            help="remove its PyTorch sources and groups first",
        )


def _drafted(member: Project, root: Draft, decision: Decision) -> Draft:
    draft = Draft(member.data)
    declared = {requirement.name for requirement in member.requirements()}
    packages = [name for name in decision.packages if name in declared]
    if member.default_groups is None and "dev" not in member.groups:
        reason = "`default-groups` replaces uv's own default, `dev`, which must be defined"
        draft.put(("dependency-groups", "dev"), [], reason)
    tritons: dict[str, None] = {}
    for scope in decision.scopes:
        wanted = triton_requirements(decision, scope)
        tritons |= dict.fromkeys(wanted)
        table = ("dependency-groups",)
        path = (*table, draft.key(table, scope.name, canonicalize_name))
        lines: list[Value] = [*packages, *wanted.values()]
        if draft.get(path) is None:
            draft.put(path, lines, f"chooses {scope.backend.title}")
    before = member.is_default_group(canonicalize_name(decision.scopes[0].name))
    draft_default_groups(draft, decision, says_it=before)
    for name in (*packages, *tritons):
        key = root.key(SOURCES, name, canonicalize_name)
        own = draft.key(SOURCES, name, canonicalize_name)
        entries = root.get((*SOURCES, key))
        if entries is not None:
            draft.put((*SOURCES, own), entries, "as the workspace root routes it")
    return draft
