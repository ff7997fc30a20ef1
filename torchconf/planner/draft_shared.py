"""Draft a workspace whose root and members have the same builds: every file, and what joins them.

Each project that needs torch is planned like a project of its own. The root keeps their builds
apart, one pair of different ones at a time, and names the indexes.
"""

from __future__ import annotations

from itertools import combinations, permutations
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.edits.conflicts import ConflictIndex, drop_members, keep_apart
from torchconf.edits.draft import Draft
from torchconf.errors import ProjectError
from torchconf.layout.configuration import read_configuration
from torchconf.layout.layouts import KINDS
from torchconf.layout.machine_choice import MACHINE
from torchconf.layout.shared_builds import alone, is_bound
from torchconf.model.intent import read_intent
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.target_spec import spec_of
from torchconf.model.toml_path import CONFLICTS, SOURCES
from torchconf.model.uv_versions import ASKS_MEMBERS_SINCE
from torchconf.planner.cells import Cells, cut_environments
from torchconf.planner.decide import (
    affected_scopes,
    bounds_of,
    declared_packages,
    shared_marker,
    uncovered_specs,
)
from torchconf.planner.draft_asking import drop_asking, drop_empty_extras, keep_asking
from torchconf.planner.draft_indexes import Indexes, named_indexes
from torchconf.planner.draft_intent import draft_intent
from torchconf.planner.draft_removal import UNUSED, draft_removal
from torchconf.planner.draft_requirements import draft_project, draft_requirements
from torchconf.planner.draft_tables import (
    draft_default_groups,
    draft_settings,
    draft_sources,
    draft_tables,
    plan_sources,
    require_uv,
)
from torchconf.planner.inputs import Inputs
from torchconf.planner.label_pins import release_pins
from torchconf.planner.limits import Limits
from torchconf.planner.obstacles import refuse_unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torchconf.catalog import Catalog
    from torchconf.edits.plan import Value
    from torchconf.layout.configuration import Configuration
    from torchconf.model.project import Project
    from torchconf.planner.decide import Decision
    from torchconf.planner.request import Facts, Request

__all__ = ["SharedBuilds", "draft_shared"]

_TOGETHER = "no two builds are installed together, whoever needs them"
_SLOW, _TOO_MANY = 500, 5000
"""Combinations of builds that uv resolves, and that it splits the world into on the way. With two
builds, eight projects take it a second or two, ten take ten, and each further one trebles that."""


class SharedBuilds(NamedTuple):
    """What was drafted beside the file of the root."""

    members: Mapping[str, Draft]
    """By the file of each member."""
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def draft_shared(
    root: Draft,
    request: Request,
    project: Project,
    catalog: Catalog,
    facts: Facts,
    decision: Decision,
) -> SharedBuilds:
    """Draft the builds of a workspace in its root and in every member that needs torch.

    Args:
        root: Of the workspace root's file.
        request: What is asked for.
        project: The root as it is.
        catalog: What is available.
        facts: What is known from outside the file.
        decision: What the workspace is to hold.

    Raises:
        ProjectError: A member has tables of its own, or uv could not lock so many.
    """
    return _Sharing(root, request, project, catalog, facts, decision).draft()


class _Sharing:
    def __init__(
        self,
        root: Draft,
        request: Request,
        project: Project,
        catalog: Catalog,
        facts: Facts,
        decision: Decision,
    ) -> None:
        self.root = root
        self.request = request
        self.project = project
        self.catalog = catalog
        self.facts = facts
        self.decision = decision
        self.needing = facts.needing
        self.extras = decision.layout == "extras"
        self.drafts: dict[str, Draft] = {}
        self.holders: list[Project] = []
        self.notes: list[str] = []
        changes = request.add or request.remove or request.takes
        self.takes = bool(request.remove or request.takes)
        self.removes = bool(changes) or decision.layout != decision.before.layout

    def draft(self) -> SharedBuilds:
        of_root = self.decision
        if not self.extras:
            self._root_with_groups()
            self.holders.append(self.project)
        elif self.needing.holds(self.project):
            self.holders.append(self.project)
        for member in self.facts.around:
            if self._is_holder(member):
                self.holders.append(member)
                self.drafts[member.at] = self._hold(member)
            elif not self.extras:
                self.drafts[member.at] = self._empty(member)
            elif self.needing.is_concerned(member):
                self.drafts[member.at] = self._ask(member)
        warnings = self._count_forks()
        if self.extras:
            of_root = self._root_with_extras()
        if self.removes:
            self._remove(self.root, self.project, of_root)
        self._keep_apart()
        if self.extras:
            self.notes += self._where()
        return SharedBuilds(self.drafts, tuple(dict.fromkeys(self.notes)), tuple(warnings))

    def _where(self) -> Iterator[str]:
        """Say which projects have the extras, and what brings them together."""
        have = [m.written_name or "" for m in self.facts.around if m.at in self.drafts]
        names = ", ".join(f"`{name}`" for name in have)
        sync = f"uv sync --extra {self.decision.scopes[-1].name}"
        if self.project.has_project:
            yield f"extras of the workspace root ask for those of its members: {names}"
        else:
            yield (
                f"a workspace root without `[project]` has no extras; its members have them: "
                f"{names}. `{sync}` in the root installs all members"
            )

    def _is_holder(self, member: Project) -> bool:
        """Tell whether a member holds builds: of groups, one that gets torch from another, too."""
        return self.needing.holds(member) if self.extras else self.needing.is_concerned(member)

    def _count_forks(self) -> Iterator[str]:
        """Say, or refuse, what uv would have to resolve."""
        builds = len({scope.backend for scope in self.decision.scopes})
        holders = len(self.holders)
        if builds == 1:
            return
        forks = builds * (2**holders - 1) + 1
        if (builds + 1) * (builds * (2 ** (holders - 1) - 1) + 1) > _TOO_MANY:
            raise ProjectError(
                f"{holders} projects of this workspace would hold {builds} builds each: "
                f"uv would resolve {forks:,} combinations of them, which takes very long",
                at=self.project.place("tool.uv.workspace"),
                help="pass `--layout groups` to hold the builds in the root alone",
            )
        if forks > _SLOW:
            yield f"`uv lock` resolves {forks:,} combinations of builds, which can take a minute"

    # The root.

    def _root_with_groups(self) -> None:
        """Draft the root as a project that needs whatever its members need."""
        parts = (self.root, self.request, self.project, self.catalog)
        if not self.decision.is_idle:
            self.notes += draft_requirements(*parts, self.facts, self.decision)
            scopes = draft_tables(
                self.root, self.root, self.request, self.project, self.catalog, self.decision
            )
            # Members go by the same markers.
            self.decision = self.decision._replace(scopes=scopes, cuts_environments=False)

    def _root_with_extras(self) -> Decision:
        """Draft the extras of the root: what it needs itself, and those of its members."""
        parts = (self.request, self.project, self.catalog)
        own = self.decision
        if self.needing.holds(self.project):
            own = self._own(self.project)
            self.notes += draft_requirements(self.root, *parts, self._facts(self.project), own)
            sources, _ = plan_sources(self.root, self.root, *parts, own, Indexes(*parts, own))
            draft_sources(self.root, sources)
        else:
            draft_project(self.root, *parts, self.facts, self.decision)
        if self.project.has_project:
            asked = [m.written_name or "" for m in self.facts.around if m.at in self.drafts]
            keep_asking(self.root, asked, self.decision)
        require_uv(
            self.root,
            self.project,
            ASKS_MEMBERS_SINCE,
            "older versions of uv install nothing for extras that ask for those of members",
        )
        draft_settings(self.root, self.request, self.catalog, self.decision)
        Indexes(*parts, self.decision).draft(self.root, self._used())
        if own.cuts_environments:
            # The sources of members need the cells, whatever those of the root do.
            self._cut()
            own = own._replace(before=own.before._replace(cut=False))
        return own

    def _cut(self) -> None:
        """Cut `environments` by the sources of members, which are the same."""
        member = next(one for one in self.holders if one is not self.project)
        draft = self.drafts[member.at]
        sources = {
            key: entries
            for key, entries in (draft.get(SOURCES) or {}).items()
            if canonicalize_name(key) in self.catalog.family
        }
        own = self._own(alone(member, self.catalog))
        cells = Cells(draft, member, self.catalog, own).of(sources)
        if cells:
            cut_environments(self.root, cells, anew=self.decision.before.cut)

    def _used(self) -> set[object]:
        """Return the names of indexes that members use and do not define."""
        found: set[object] = set()
        for member in self.facts.around:
            draft = self.drafts.get(member.at) or Draft(member.data)
            own = {index.name for index in member.indexes}
            found |= named_indexes(draft) - own
        return found

    # Members.

    def _hold(self, member: Project) -> Draft:
        """Plan a member that holds builds of its own."""
        draft = Draft(member.data)
        member = alone(member, self.catalog)
        own = self._own(member)
        same = set(own.choice.targets) <= set(own.before.targets)
        if not (self.request.add and same and not own.uncovered and not self._is_new(own)):
            parts = (self.request, member, self.catalog)
            facts = self._facts(member)
            self.notes += draft_requirements(draft, *parts, facts, own, follows=True)
            if not self.extras:
                says_it = own.before.default == MACHINE
                draft_default_groups(draft, own, says_it=says_it)
            sources, _ = plan_sources(draft, self.root, *parts, own, Indexes(*parts, own))
            draft_sources(draft, sources)
        if self.extras:
            keep_asking(draft, self.needing.through.get(member.name, ()), own)
        if self.removes or self._is_new(own):
            self._remove(draft, member, own)
        self.notes += release_pins(draft, self.root, member, self.catalog)
        self._keep_list(draft, member, own)
        return draft

    def _is_new(self, own: Decision) -> bool:
        return own.layout != own.before.layout

    def _ask(self, member: Project) -> Draft:
        """Let a member's extras ask for those of the members that it always installs."""
        draft = Draft(member.data)
        keep_asking(draft, self.needing.through[member.name], self.decision)
        if self.removes and self.decision.before.layout == "extras":
            drop_asking(draft, member, self.facts.around, self.decision.gone)
            drop_empty_extras(draft, member, self.decision.gone)
        self._keep_list(draft, member, self.decision)
        return draft

    def _empty(self, member: Project) -> Draft:
        """Define the groups that the variable names: before 0.12, uv refuses undefined ones."""
        draft = Draft(member.data)
        names = [scope.name for scope in self.decision.scopes if self.decision.by_machine]
        missing = [name for name in names if canonicalize_name(name) not in member.groups]
        comment = "Empty: `UV_NO_GROUP` names these groups, so uv wants them defined."
        for name in missing:
            said = comment if missing == names and name == names[0] else None
            draft.put(
                ("dependency-groups", name), [], "the variable of each machine names it", said
            )
        for name, section in member.groups.items():
            path = ("dependency-groups", section.written)
            if name in self.decision.gone and draft.get(path) == []:
                draft.remove(path, UNUSED)
        self._keep_list(draft, member, self.decision)
        return draft

    def _keep_list(self, draft: Draft, member: Project, own: Decision) -> None:
        """Keep a list of targets that a member has; none is written into a file without one.

        It may be for fewer targets than its workspace.
        """
        if read_intent(member, self.catalog.vocabulary) is not None:
            request = self.request._replace(record=False, specs=())
            draft_intent(draft, request, member, self.catalog, own)

    def _remove(self, draft: Draft, project: Project, own: Decision) -> None:
        if own.before.layout == "extras":
            drop_asking(draft, project, self.facts.around, own.gone)
        is_root = project is self.project
        draft_removal(
            draft,
            project,
            self.catalog,
            own,
            takes_indexes=self.takes,
            elsewhere=self._used() if is_root else frozenset(),
            beside=self.facts.around if is_root else (),
        )
        if not is_root and own.before.layout in {"extras", "groups"}:
            kind = KINDS[own.before.layout]
            drop_members(self.root, kind, own.gone, UNUSED, project.written_name)

    def _own(self, project: Project) -> Decision:
        """Return the decision as it is for one project: its tables, its packages, its bounds."""
        before = read_configuration(project, self.catalog)
        before = before._replace(cut=self.decision.before.cut)
        self._refuse(project, before)
        decision, request, main = self.decision, self.request, self.catalog.main_package
        targets = decision.choice.targets
        specs = tuple(map(spec_of, targets))
        inputs = Inputs(request, project, self.catalog, self._facts(project), before)
        torch = Limits(project, before, main, request.torch, pin=request.pin).admitted(main, specs)
        named = {canonicalize_name(name) for name in request.packages}
        wanted = {main, *named, *self._needs(project)}
        declared = {requirement.name for requirement in project.requirements()}
        packages = tuple(name for name in decision.packages if name in wanted)
        uncovered = uncovered_specs(inputs, specs, decision.layout)
        return decision._replace(
            before=before,
            packages=packages,
            required=frozenset({main, *named}) | (frozenset(packages) - declared),
            torch=torch,
            affected=affected_scopes(inputs, decision.layout, decision.scopes, targets, uncovered),
            bounds=bounds_of(inputs, decision.bounds.choice, torch, targets),
            uncovered=uncovered,
            undeclared=frozenset(packages) - declared_packages(inputs),
            where=shared_marker(inputs)
            if (request.add or request.specs) and not uncovered
            else None,
        )

    def _needs(self, project: Project) -> frozenset[str]:
        """Return what a project needs itself; of groups, what comes with other members, too.

        The extras of other members are asked for.
        """
        needing, found = self.needing, frozenset[str]()
        seen, waiting = {project.name}, [project.name]
        while waiting:
            name = waiting.pop()
            found |= needing.own.get(name, frozenset())
            via = () if self.extras else needing.through.get(name, ())
            fresh = set(map(canonicalize_name, via)) - seen
            seen |= fresh
            waiting += fresh
        return found

    def _facts(self, project: Project) -> Facts:
        """Return what is known of one project alone."""
        needs = self._needs(project)
        declared = self.needing.declared.get(project.name, frozenset())
        base = frozenset() if self.extras else needs - declared
        return self.facts._replace(needed=needs - declared, elsewhere=base, around=())

    def _refuse(self, project: Project, before: Configuration) -> None:
        """Refuse a member whose tables are not those of its workspace."""
        refuse_unreadable(before._replace(foreign=()), "fix it first; see `torchconf check`")
        if before.layout is None and self.extras:
            return
        names = {backend: canonicalize_name(name) for backend, name in before.names.items()}
        scopes = {
            scope.backend.name: canonicalize_name(scope.name) for scope in self.decision.scopes
        }
        shared = before.layout == self.decision.before.layout and all(
            scopes.get(backend, name) == name or before.layout != self.decision.layout
            for backend, name in names.items()
        )
        bound = project is self.project or is_bound(self.project, project, before.scopes)
        taken = [s for s in scopes.values() if s in project.groups and before.layout is None]
        if taken or (before.layout is not None and not (shared and bound)):
            key = f"dependency-groups.{taken[0]}" if taken else "tool.uv.sources"
            raise ProjectError(
                f"member `{project.written_name}` has builds of its own",
                at=project.place(key),
                help="remove its PyTorch sources and groups first",
            )

    # What joins them.

    def _keep_apart(self) -> None:
        """Let no two builds be installed together, whoever needs them."""
        scopes = self.decision.scopes
        conflicts = ConflictIndex(self.root)
        for number, holder in enumerate(self.holders):
            name = holder.written_name or ""
            pairs = [p for p in combinations(scopes, 2) if p[0].backend != p[1].backend]
            if not all(
                conflicts.are_apart((one.kind, one.name), (two.kind, two.name), (name, name))
                for one, two in pairs
            ):
                own = None if holder is self.project else name
                keep_apart(self.root, [(s.kind, s.name) for s in scopes], _TOGETHER, own)
            # uv splits the world set by set: what joins few projects comes first.
            for other in self.holders[:number]:
                self._keep_two_apart(other.written_name or "", name, conflicts)

    def _keep_two_apart(self, one: str, other: str, conflicts: ConflictIndex) -> None:
        """Let no build of one project be installed with a different one of another."""
        for first, second in permutations(self.decision.scopes, 2):
            items = (first.kind, first.name), (second.kind, second.name)
            if first.backend != second.backend and not conflicts.are_apart(*items, (one, other)):
                entry: list[Value] = [
                    {"package": package, kind: name}
                    for package, (kind, name) in zip((one, other), items, strict=True)
                ]
                self.root.insert(CONFLICTS, entry, _TOGETHER)
                conflicts.add(entry)
