"""Draft what stands under `[tool.uv]`: groups, conflicts, environments, pins, sources, indexes."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchconf.edits.conflicts import are_apart, keep_apart
from torchconf.edits.plan import Put
from torchconf.errors import ProjectError
from torchconf.layout.configuration import index_backends
from torchconf.layout.layouts import KINDS, uncut
from torchconf.layout.machine_choice import MACHINE
from torchconf.model.backends import PYPI
from torchconf.model.markers import (
    holds,
    meet,
    names_platforms,
    overlap,
    platform_marker,
    possible_platforms,
    same_platforms,
)
from torchconf.model.ranges import overlaps, uv_range
from torchconf.model.requirements import parse_requirement, required_name
from torchconf.model.targets import PLATFORMS
from torchconf.model.toml_path import (
    CONSTRAINTS,
    DEFAULT_GROUPS,
    DEPENDENCIES,
    EXTRAS,
    GROUPS,
    REQUIRED_ENVIRONMENTS,
    REQUIRED_VERSION,
    SOURCES,
    render_path,
)
from torchconf.model.uv_variables import NO_GROUP
from torchconf.model.uv_versions import NO_GROUP_SINCE
from torchconf.planner.cells import Cells, cut_environments
from torchconf.planner.draft_indexes import Indexes
from torchconf.planner.draft_requirements import triton_marker
from torchconf.planner.reuse_entries import keep_entries
from torchconf.planner.told_machines import (
    with_told_entries,
    without_told,
    without_told_entries,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.edits.draft import Draft
    from torchconf.edits.plan import Value
    from torchconf.layout.layouts import Scope
    from torchconf.model.backends import Backend
    from torchconf.model.project import Project
    from torchconf.model.targets import Platform
    from torchconf.planner.decide import Decision
    from torchconf.planner.request import Request


def draft_tables(
    draft: Draft,
    root: Draft,
    request: Request,
    project: Project,
    catalog: Catalog,
    decision: Decision,
) -> tuple[Scope, ...]:
    """Draft everything under `[tool.uv]`, in the order of uv's guide.

    Args:
        draft: Of the project's file.
        root: Of the workspace root's file, or `draft` again: `environments`,
            `required-environments` and `constraint-dependencies` count only there.
        request: What is asked for.
        project: As it is.
        catalog: What is available.
        decision: What the file is to hold.

    Returns:
        The scopes as the sources have them: without markers where uv would ignore these.

    Raises:
        ProjectError: The name that an index should have is taken.
    """
    if decision.by_machine:
        require_uv(root, project, NO_GROUP_SINCE, f"older versions of uv ignore `{NO_GROUP}`")
    if decision.layout == "groups":
        draft_default_groups(draft, decision, says_it=decision.before.default == MACHINE)
    if decision.layout != "markers" and decision.affected:
        _draft_conflicts(draft, root, project, decision)
    indexes = Indexes(request, project, catalog, decision)
    sources, decision = plan_sources(draft, root, request, project, catalog, decision, indexes)
    draft_settings(root, request, catalog, decision)
    draft_sources(draft, sources)
    indexes.draft(draft)
    return decision.scopes


def _draft_conflicts(draft: Draft, root: Draft, project: Project, decision: Decision) -> None:
    """Keep the builds of one project apart, unless its root does so already."""
    own = (project.written_name or "",) * 2
    if not all(
        are_apart(draft, (one.kind, one.name), (other.kind, other.name))
        or (
            root is not draft
            and are_apart(root, (one.kind, one.name), (other.kind, other.name), own)
        )
        for one, other in combinations(decision.scopes, 2)
        if one.backend != other.backend
    ):
        names = [(scope.kind, scope.name) for scope in decision.scopes]
        reason = "each of these brings another build of the same packages"
        keep_apart(draft, names, reason)


def plan_sources(
    draft: Draft,
    root: Draft,
    request: Request,
    project: Project,
    catalog: Catalog,
    decision: Decision,
    indexes: Indexes,
) -> tuple[dict[str, list[Value]], Decision]:
    """Return the sources of a file, and cut `environments` where uv needs that.

    Args:
        draft: Of the file, with the requirements of the plan.
        root: Of the workspace root's file, or `draft` again.
        request: What is asked for.
        project: As it is.
        catalog: What is available.
        decision: What the file is to hold.
        indexes: The names of the indexes.

    Returns:
        By package; and the decision, without markers where a cut would give effect to a wrong one.
    """
    sources = _plan_sources(draft, decision, indexes)
    changes = request.specs or request.add or request.remove
    same = decision.layout == decision.before.layout and not changes
    if decision.cuts_environments and decision.affected and (decision.before.cut or not same):
        cells = Cells(draft, project, catalog, decision).of(sources)
        if cells is None:
            decision = decision._replace(scopes=uncut(decision.scopes))
            return _plan_sources(draft, decision, indexes), decision
        cut_environments(root, cells, anew=decision.before.cut)
    return sources, decision


def draft_settings(root: Draft, request: Request, catalog: Catalog, decision: Decision) -> None:
    """Draft what is asked for all of a workspace, and counts in its root."""
    if request.required_environments:
        _require_environments(root, decision)
    if request.pin:
        _draft_pins(root, catalog, decision)


def draft_sources(draft: Draft, sources: Mapping[str, list[Value]]) -> None:
    """Arrange the sources of each package."""
    for key, entries in sources.items():
        reason = "each platform gets its build from one index"
        draft.arrange((*SOURCES, key), entries, reason, same=_same_source, kin=_scope_and_index)


def draft_default_groups(draft: Draft, decision: Decision, *, says_it: bool) -> None:
    """Let plain `uv sync` install the default backend, next to what it installed before.

    Args:
        draft: Of a file with the groups of the plan.
        decision: What the project is to hold.
        says_it: Whether machines say already which build they are.
    """
    names = [scope.name for scope in decision.scopes]
    path = DEFAULT_GROUPS
    reason = "what plain `uv sync` installs"
    ours = set(map(canonicalize_name, names))
    default = next((s.name for s in decision.scopes if s.backend == decision.default), None)
    current = draft.get(path)
    if current is None and default is None and not decision.by_machine:
        return
    before = ["dev"] if current is None else current
    if current == "all":
        before = list(draft.get(GROUPS) or {})
    kept = [name for name in before if canonicalize_name(name) not in ours]
    wanted = [*kept, default] if default else kept
    if decision.by_machine and default is None:
        there = set(map(_same_name, before))
        wanted = [*before, *(name for name in names if _same_name(name) not in there)]
    if isinstance(current, list):
        draft.arrange(
            path, wanted, reason, same=_same_name, kin=lambda name: _same_name(name) in ours
        )
    else:
        draft.put(path, list(wanted), reason)
    if decision.by_machine and not says_it:
        # uv's own error does not name the variable.
        comment = _EACH if default is None else _ONLY.format(default)
        draft.take(Put(path, draft.get(path), reason, comment))


_EACH = (
    "Each machine says which build it is: UV_NO_GROUP names the groups of all other builds,\n"
    "with one space between them. Set it for this project's directory, not for all projects."
)
_ONLY = (
    "A machine that needs PyPI's build instead sets UV_NO_GROUP={}, for this project's directory,\n"
    "not for all projects."
)


def require_uv(draft: Draft, project: Project, since: str, why: str) -> None:
    """Require a uv that does what a plan needs, unless the project does so already.

    Args:
        draft: Of the workspace root's file.
        project: A project of the workspace.
        since: The first version that does it.
        why: What older ones do instead.

    Raises:
        ProjectError: The project requires an older one.
    """
    path = REQUIRED_VERSION
    text = draft.get(path)
    specifier = uv_range(text) if isinstance(text, str) else SpecifierSet()
    if specifier is None or not overlaps(specifier, f"<{since}"):
        return
    if not overlaps(specifier, f">={since}"):
        raise ProjectError(
            f"`{text}` excludes uv {since} and newer: {why}",
            at=project.workspace.place(render_path(path)),
            help="allow a newer uv first",
        )
    upper = (str(part) for part in specifier if part.operator not in {">", ">="})
    draft.put(path, ",".join((f">={since}", *sorted(upper))), why)


def _require_environments(draft: Draft, decision: Decision) -> None:
    path = REQUIRED_ENVIRONMENTS
    targeted = {target.platform for target in decision.choice.targets}
    current = draft.get(path) or []
    for platform in PLATFORMS:
        if platform in targeted and not any(holds(entry, platform) for entry in current):
            reason = "uv then refuses at lock time what would fail to install"
            draft.insert(path, platform_marker(platform), reason)


def _draft_pins(draft: Draft, catalog: Catalog, decision: Decision) -> None:
    """Hold the exact versions of the whole family, as far as the catalog knows them."""
    choice = decision.choice
    if choice.release is None:
        return
    pins: dict[str, object] = {catalog.main_package: choice.release, **choice.companions}
    for scope in decision.scopes:
        for backend in scope.backends():
            triton = decision.bounds.triton(backend)
            if triton is not None and triton.pin is not None:
                pins[triton.name] = triton.pin
    add_pins(draft, pins)


def add_pins(draft: Draft, pins: Mapping[str, object]) -> None:
    """Add exact versions to the constraints, for packages that have no constraint yet."""
    reason = "one version everywhere"
    current = draft.get(CONSTRAINTS)
    there = {required_name(str(line)) for line in current or ()}
    lines: list[Value] = [f"{name}=={pin}" for name, pin in pins.items() if name not in there]
    if current is None and lines:
        comment = "`torchconf upgrade` moves these pins together"
        draft.put(CONSTRAINTS, lines, reason, comment)
        return
    for line in lines:
        draft.insert(CONSTRAINTS, line, reason)


def _plan_sources(draft: Draft, decision: Decision, indexes: Indexes) -> dict[str, list[Value]]:
    """Give every package of the family one index on every platform, in every scope."""

    def entry(scope: Scope, backend: Backend) -> Value:
        scope = without_told(scope)
        found: dict[str, Value] = {"index": indexes.name(backend)}
        if scope.kind:
            found[scope.kind] = scope.name
        marker = scope.marker(backend)
        return found if marker is None else {**found, "marker": marker}

    wanted: dict[str, list[Value]] = {name: [] for name in decision.packages}
    affected = [scope for scope in decision.scopes if scope.name in decision.affected]
    for scope in affected:
        for backend in without_told(scope).backends():
            for name in decision.packages:
                if _is_listed(name, scope, draft, decision):
                    own = entry(scope, backend)
                    if name != decision.packages[0] and backend != indexes.catalog.fallback:
                        own = _beside_torch(own, decision)
                    wanted[name].append(own)
    for scope in affected:
        for backend in scope.backends():
            triton = decision.bounds.triton(backend)
            if triton is not None and possible_platforms(triton_marker(triton, scope, backend)):
                wanted.setdefault(triton.name, []).append(entry(scope, backend))
    # Builds of one channel have another torch than those of the others: none of these is left.
    goes = indexes.request.remove or indexes.request.force or indexes.request.renew
    of_pypi = frozenset(t.platform for t in decision.choice.targets if t.backend == PYPI)
    left = None if goes else dict.fromkeys(_pypi_names(indexes), of_pypi)
    found: dict[str, list[Value]] = {}
    for name, anew in wanted.items():
        key = draft.key(SOURCES, name, canonicalize_name)
        current = draft.get((*SOURCES, key))
        current = _defined(current, indexes.project) if indexes.request.force else current
        fixed = () if indexes.request.force else _fixed(current, key, decision, indexes)
        nowhere = {indexes.name(b) for b in _without(name, decision, indexes.catalog)}
        new = _applicable(anew, current, name, draft, decision, nowhere)
        there = without_told_entries(current, indexes)
        entries = keep_entries(new, there, partial(_targeted, decision, name), fixed, left)
        if entries is None:
            raise ProjectError(
                f"no source fits beside the sources of {name} that must stay as they are",
                at=indexes.project.place(render_path((*SOURCES, key))),
                help="add the source by hand, or replace these with `--force`",
            )
        telling = affected if name in decision.packages else ()
        entries = with_told_entries(entries, current, telling, indexes, nowhere)
        if entries or current is not None:
            stay = [*_untouched(current, decision), *entries]
            found[key] = [*(entry for entry in fixed if entry not in stay), *stay]
        if current is None and name in decision.packages[1:]:
            # As its author routes torch, so goes what must come along with it.
            routed = next(iter(found.values()), entries)
            ours = {(scope.kind, canonicalize_name(scope.name)) for scope in affected}
            own = [e for e in routed if _same_source(e)[1:3] in ours]
            found[key] = _applicable(own, None, name, draft, decision, nowhere)
    return found


def _beside_torch(entry: Any, decision: Decision) -> Value:  # noqa: ANN401 - a parsed TOML value
    """Let the source of a companion hold only where those of torch apply.

    Each build of it names the very build of torch that it needs, and elsewhere that is PyPI's.
    """
    marker = _marker(entry)
    if decision.layout != "markers" or decision.where is None or marker is None:
        return dict(entry)
    return {**entry, "marker": meet(marker, decision.where)}


def _targeted(
    decision: Decision, name: str, scope: str
) -> tuple[frozenset[Platform], frozenset[Platform]]:
    """Return where the sources of a package count: those that had no effect, wherever they hold."""
    are, were = decision.platforms_of(scope)
    if name in decision.undeclared and decision.layout == decision.before.layout == "markers":
        return are, frozenset(PLATFORMS)
    return are, were


def _defined(current: Any, project: Project) -> Any:  # noqa: ANN401 - parsed TOML
    """Leave out sources of indexes that nobody has defined: uv takes nothing from there."""
    entries = [current] if isinstance(current, dict) else current
    if not isinstance(entries, list):
        return current
    kept = [
        entry
        for entry in entries
        if not isinstance(entry, dict)
        or "index" not in entry
        or project.index_named(entry["index"]) is not None
    ]
    return current if len(kept) == len(entries) else kept


def _fixed(
    current: Any,  # noqa: ANN401 - parsed TOML
    key: str,
    decision: Decision,
    indexes: Indexes,
) -> list[Value]:
    """Return the entries that stay as they are: those that nobody can write, and PyPI by name.

    PyPI gives way where a platform that it has is to get another build.
    """
    if isinstance(current, dict):
        entries = [((*SOURCES, key), current)]
    else:
        entries = [((*SOURCES, key, number), entry) for number, entry in enumerate(current or ())]
    foreign = {one.source.path for one in decision.before.foreign}
    pypi = _pypi_names(indexes)
    served = {target.platform for target in decision.choice.targets if target.backend != PYPI}
    return [
        entry
        for path, entry in entries
        if path in foreign
        or (entry.get("index") in pypi and not possible_platforms(_marker(entry)) & served)
    ]


def _is_listed(name: str, scope: Scope, draft: Draft, decision: Decision) -> bool:
    """Tell whether an extra or group lists a package: uv refuses a source for it otherwise."""
    if not scope.kind or name in decision.required:
        return True
    tables = EXTRAS, GROUPS
    section = draft.get((*tables[scope.kind == "group"], scope.name))
    lines = [line for line in section or () if isinstance(line, str)]
    others = any(not isinstance(line, str) for line in section or ())
    return others or any(required_name(line) == name for line in lines)


def _applicable(
    entries: Sequence[Value],
    current: Any,  # noqa: ANN401 - parsed TOML
    name: str,
    draft: Draft,
    decision: Decision,
    nowhere: Collection[str],
) -> list[Value]:
    """Leave out sources of new indexes that hold nowhere where a package is required, or is."""
    listed = [current] if isinstance(current, dict) else current or ()
    there = {_scope_and_index(entry) for entry in listed}
    return [
        entry
        for entry in entries
        if _scope_and_index(entry) in there
        or (
            _same_source(entry)[0] not in nowhere
            and (name in decision.by_members or _may_apply(entry, name, draft))
        )
    ]


def _without(name: str, decision: Decision, catalog: Catalog) -> Iterator[Backend]:
    """Yield the builds whose index was never seen to have a companion, nor need have it."""
    served = decision.places.served.get(name)
    if served is None:
        return
    needing = {t.backend for t in decision.choice.targets if t.platform in served}
    for backend in {backend for scope in decision.scopes for backend in scope.backends()} - needing:
        if not catalog.goes_along(name, backend) and catalog.first_seen(name, backend) is None:
            yield backend


def _may_apply(entry: Any, name: str, draft: Draft) -> bool:  # noqa: ANN401 - parsed TOML
    """Tell whether a source may hold where its extra, group or base requires a package."""
    kind = "extra" if "extra" in entry else "group" if "group" in entry else ""
    tables = {"extra": EXTRAS, "group": GROUPS}
    lines = draft.get((*tables[kind], entry[kind]) if kind else DEPENDENCIES) or ()
    if any(not isinstance(line, str) for line in lines):
        return True  # A group that is included may require it anywhere.
    asked = map(parse_requirement, lines)
    gates = [line.marker for line in asked if canonicalize_name(line.name) == name]
    marker = _marker(entry)
    if marker is None or not gates or None in gates:
        return True
    return any(overlap(marker, str(gate)) for gate in gates)


def _pypi_names(indexes: Indexes) -> set[str]:
    """Return the names of the indexes that are PyPI."""
    known = index_backends(indexes.project, indexes.catalog)
    return {name for name, (_, backend) in known.items() if backend == PYPI}


def _untouched(current: Any, decision: Decision) -> list[Value]:  # noqa: ANN401 - parsed TOML
    """Return the entries of scopes that the request is not about, and that stay."""
    same_layout = decision.layout == decision.before.layout != "markers"
    if not same_layout or current is None:
        return []
    planned = {scope.name for scope in decision.scopes}
    left_alone = set(map(canonicalize_name, planned - decision.affected))
    there = decision.before.scopes - decision.idle
    changed = there.union(map(canonicalize_name, planned)) - left_alone
    entries = current if isinstance(current, list) else [current]
    kind = KINDS[decision.layout]
    return [e for e in entries if kind not in e or _scope_and_index(e)[2] not in changed]


def _same_name(name: Value) -> str:
    return canonicalize_name(str(name))


def _same_source(entry: Any) -> tuple[object, ...]:  # noqa: ANN401 - a parsed TOML value
    scope = entry.get("extra") or entry.get("group") or ""
    kind = "extra" if "extra" in entry else "group" if "group" in entry else ""
    marker = entry.get("marker")
    # A marker that names more than platforms is equal to itself only.
    sense = same_platforms(marker) if marker is None or names_platforms(marker) else marker
    return entry.get("index"), kind, canonicalize_name(scope), sense


def _marker(entry: Any) -> str | None:  # noqa: ANN401 - a parsed TOML value
    marker: str | None = entry.get("marker")
    return marker


def _scope_and_index(entry: Any) -> tuple[object, ...]:  # noqa: ANN401 - a parsed TOML value
    return _same_source(entry)[:3]
