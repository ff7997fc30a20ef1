"""Refuse a request because of what stands in the project: what, where, and what to do first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from torchconf.errors import ProjectError, RequestError
from torchconf.layout.layouts import KINDS
from torchconf.layout.shared_builds import sharing_members
from torchconf.model.backends import PYPI
from torchconf.model.intent import read_intent
from torchconf.model.markers import may_hold, platform_marker
from torchconf.model.target_spec import overlap, spec_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from packaging.version import Version

    from torchconf.catalog import Catalog
    from torchconf.layout.configuration import Configuration
    from torchconf.layout.layouts import Layout, Scope
    from torchconf.model.project import Project
    from torchconf.model.target_spec import TargetSpec
    from torchconf.model.targets import Target
    from torchconf.planner.inputs import Inputs

__all__ = [
    "refuse_foreign",
    "refuse_inherited",
    "refuse_left_out",
    "refuse_old_triton",
    "refuse_open_index",
    "refuse_other_metadata",
    "refuse_overridden",
    "refuse_own_conflict",
    "refuse_root_without_torch",
    "refuse_shared",
    "refuse_shared_member",
    "refuse_to_drop",
    "refuse_unknown_index",
    "refuse_unreadable",
    "refuse_virtual_root",
    "refuse_without_torch",
    "refuse_without_wheels",
]


def refuse_unreadable(before: Configuration, help_: str) -> None:
    """Refuse tables that cannot be read: an edit could change what they mean."""
    found = [(one.why, one.at) for one in before.foreign]
    found += [(one.why, one.at) for one in before.unreadable]
    for why, at in found:
        raise ProjectError(f"cannot read the PyTorch configuration: {why}", at=at, help=help_)


def refuse_inherited(project: Project, catalog: Catalog) -> None:
    """Refuse members whose sources live in the root."""
    root = project.root
    if root is None or any(name in catalog.family for name in project.sources):
        return
    routed = [name for name in root.sources if name in catalog.family]
    if routed:
        raise ProjectError(
            "this workspace member takes its PyTorch sources from the workspace root",
            at=root.place(f"tool.uv.sources.{routed[0]}"),
            help="run the command in the root, or name it with `--project`",
        )


def refuse_other_metadata(inputs: Inputs) -> None:
    """Refuse a project whose metadata uv does not read: Poetry's, or those of setup.py."""
    tool = inputs.project.data.get("tool")
    if not inputs.project.has_project and isinstance(tool, dict) and "poetry" in tool:
        raise ProjectError(
            "the project metadata is in `[tool.poetry]`, which uv does not read",
            at=inputs.project.place("tool.poetry"),
            help="run `torchconf migrate` to move it to `[project]`; Poetry 2 reads that table too",
        )
    if (
        inputs.project.has_build_system
        and not inputs.project.has_project
        and not inputs.project.is_workspace_root
    ):
        raise ProjectError(
            "`pyproject.toml` has `[build-system]` but no `[project]`: the project metadata is "
            "elsewhere, such as in `setup.py`",
            at=inputs.project.place("build-system"),
            help="add `[project]` with its name, version and dependencies first",
        )
    if inputs.facts.has_setup and not inputs.project.is_workspace_root:
        # Setuptools ignores the requirements of setup.py where there is a `[project]`.
        raise ProjectError(
            "`pyproject.toml` has no `[project]`, and `setup.py` is beside it: the project "
            "metadata is there",
            at=inputs.project.at,
            help="add `[project]` with its name, version and dependencies first",
        )


def refuse_own_conflict(inputs: Inputs) -> None:
    """Refuse a project that stands in a conflict set with an extra or group of its own."""
    for conflict in inputs.project.conflicts:
        own = [item for item in conflict.items if item.package == inputs.project.name]
        if len(own) > 1 and any(item.kind == "project" for item in own):
            raise ProjectError(
                "a conflict set contains the project and its own extras or groups: "
                "these can never be installed",
                at=inputs.project.place(conflict.at),
                help="remove the project from the set",
            )


def refuse_without_torch(inputs: Inputs) -> None:
    """Refuse settings that take torch away: nothing would install what is asked for."""
    whole = inputs.project.workspace
    if inputs.request.remove:
        return
    if inputs.main in whole.exclude_dependencies:
        raise ProjectError(
            f"`exclude-dependencies` excludes `{inputs.main}`, so uv would not install it",
            at=whole.place("tool.uv.exclude-dependencies"),
            help=f"remove `{inputs.main}` from `exclude-dependencies` first",
        )
    overrides = [one for one in whole.override_dependencies if one.name == inputs.main]
    platforms = [spec.platform for spec in (*inputs.request.specs, *inputs.request.add)]
    for platform in platforms if overrides else ():
        if not any(may_hold(one.marker, platform) for one in overrides):
            raise ProjectError(
                f"`override-dependencies` removes `{inputs.main}` on "
                f"{platform.key}: `{overrides[0].raw}`",
                at=whole.place(overrides[0].at),
                help="remove the override first, or extend its marker to this platform",
            )


def _refuse_left_out_by_members(inputs: Inputs) -> None:
    """Refuse a target on whose platform no member requires torch, where the root does not either.

    The sources of the root would have no effect there.
    """
    project, main = inputs.project, inputs.main
    if any(one.name == main for one in project.requirements()) or project.root is not None:
        return
    theirs = [
        (member, one)
        for member in inputs.facts.around
        for one in member.requirements()
        if one.name == main and main not in member.sources
    ]
    for spec in inputs.request.add if theirs else ():
        if not any(may_hold(one.marker, spec.platform) for _, one in theirs):
            member, one = theirs[0]
            raise RequestError(
                f"`{one.raw}` of workspace member `{member.written_name}` excludes `{spec.text}`",
                at=member.place(one.at),
                help="extend its marker to this platform first",
            )


def refuse_old_triton(inputs: Inputs, targets: Iterable[Target], torch: SpecifierSet) -> None:
    """Refuse a CUDA build whose triton an open index of PyTorch's has no more.

    uv searches that index before PyPI for triton, too, and looks no further.
    """
    whole, catalog = inputs.project.workspace, inputs.catalog
    new = [
        target
        for target in targets
        if target.platform.os == "linux"
        and target.backend.accelerator == "cuda"
        and target not in inputs.before.targets
    ]
    is_first = whole.uv.get("index-strategy", "first-index") == "first-index"
    for index in whole.indexes if new and is_first else ():
        backend = catalog.backend_of_url(index.url, index.name)
        if backend is None or index.explicit or backend.accelerator != "cuda":
            continue
        first, last = catalog.first_seen(inputs.main, backend), catalog.ended(backend)
        range_ = [f">={first}"] if first else []
        has = SpecifierSet(",".join([*range_, f"<={last}"] if last else range_))
        for target in new:
            seen = catalog.seen_releases(
                inputs.main, target.backend, target.platform, catalog.pythons
            )
            if not any(each in has and each in torch for each in seen):
                raise ProjectError(
                    f"index `{index.name or index.url}` is open: uv takes triton from it, which it "
                    f"has for torch {has} only, and `{target}` needs another one",
                    at=whole.place(index.at),
                    help="add `explicit = true` to the index first",
                )


def refuse_root_without_torch(inputs: Inputs) -> None:
    """Refuse a root that has no torch, and whose members all have sources of their own."""
    if inputs.project.root is not None or inputs.before.packages:
        return
    users = [m for m in inputs.facts.around if any(r.name == inputs.main for r in m.requirements())]
    if users and all(inputs.main in member.sources for member in users):
        raise ProjectError(
            "the members of this workspace have PyTorch sources of their own, which those of "
            "the root would not change",
            at=users[0].place("tool.uv.sources"),
            help="run the command in a member, or name it with `--project`",
        )


def refuse_shared(inputs: Inputs) -> None:
    """Refuse to change in one member the builds that all of its workspace have.

    A companion may be added to one.
    """
    request = inputs.request
    if not request.packages or request.specs or request.add or request.remove:
        refuse_shared_member(inputs.project, inputs.facts.around, inputs.catalog)


def refuse_shared_member(project: Project, around: Sequence[Project], catalog: Catalog) -> None:
    """Refuse a member whose builds are those of its workspace."""
    root = project.root
    if root is None or catalog.main_package not in project.sources:
        return
    if any(one is project for one, _ in sharing_members(root, (project, *around), catalog)):
        raise ProjectError(
            f"`{project.written_name}` has the builds of its workspace: the root and all members "
            "that need torch must change together",
            at=root.place("tool.uv.conflicts"),
            help="run the command in the workspace root, or name it with `--project`",
        )


def refuse_virtual_root(inputs: Inputs, layout: Layout, *, together: bool) -> None:
    """Refuse extras or groups in a root without `[project]`: its members may have them."""
    project = inputs.project
    if layout == "markers" or project.has_project or not project.is_workspace_root:
        return
    if together and layout == "extras":
        return
    needing = any(map(inputs.facts.needing.holds, inputs.facts.around))
    raise RequestError(
        f"a workspace root without `[project]` cannot have the layout `{layout}`",
        at=project.at,
        help="pass `--layout extras` to give them to the members that need torch"
        if needing
        else "run the command in the member that needs torch",
    )


def refuse_left_out(inputs: Inputs, targets: Iterable[Target]) -> None:
    """Refuse a target that the project leaves out: by `environments`, or for want of torch."""
    entries = inputs.project.workspace.environments
    for target in targets if entries else ():
        if not any(may_hold(entry.marker, target.platform) for entry in entries):
            raise RequestError(
                f"`environments` excludes target `{target}`, so uv would not lock it",
                at=inputs.project.workspace.place("tool.uv.environments"),
                help=f'add an entry for it, such as "{platform_marker(target.platform)}"',
            )
    _refuse_left_out_by_members(inputs)


def refuse_overridden(inputs: Inputs, packages: Collection[str], layout: Layout) -> None:
    """Refuse extras and groups where an override stands in for what they list.

    uv finds no source with an extra or group then, and takes the package from PyPI.
    """
    if layout == "markers" or inputs.request.remove:
        return
    whole = inputs.project.workspace
    for one in whole.override_dependencies:
        if one.name in packages:
            raise ProjectError(
                f"`override-dependencies` replaces every requirement of `{one.name}`, so uv "
                f"ignores sources with `{KINDS[layout]}`: `{one.raw}`",
                at=whole.place(one.at),
                help="remove the override first, or give each platform one build",
            )


def refuse_foreign(
    inputs: Inputs, targets: Iterable[Target], packages: Collection[str], layout: Layout
) -> None:
    """Refuse to change what a platform gets from an entry that nobody but its author can write.

    Edits of other platforms keep such an entry as it stands.
    """
    there = set(inputs.before.targets)
    changed = set(targets) - there if inputs.request.add else there ^ set(targets)
    changed |= set(targets) if inputs.request.specs else set()
    for one in inputs.before.foreign if not inputs.request.force else ():
        source = one.source
        if source.package not in packages:
            continue
        scope = source.extra or source.group or ""
        names = inputs.before.names
        held = any(
            (target.backend != one.backend or inputs.request.remove)
            and may_hold(source.marker, target.platform)
            and scope in {"", canonicalize_name(names.get(target.backend.name, ""))}
            for target in changed
        )
        if held or inputs.before.layout not in {None, layout}:
            raise ProjectError(
                f"cannot read the PyTorch configuration: {one.why}",
                at=one.at,
                help="fix it first, or replace it with `--force`",
            )


def refuse_unknown_index(inputs: Inputs) -> None:
    """Refuse a target on a platform whose torch comes from where nobody knows what there is."""
    request = inputs.request
    specs = () if request.force else (*request.specs, *request.add)
    for one in inputs.before.foreign if specs else ():
        source = one.source
        if source.package != inputs.main or source.extra or source.group or one.backend:
            continue
        if any(may_hold(source.marker, spec.platform) for spec in specs):
            raise ProjectError(
                f"cannot read the PyTorch configuration: {one.why}",
                at=one.at,
                help="fix it first, or replace it with `--force`",
            )


def refuse_to_drop(inputs: Inputs, targets: Iterable[Target], scopes: Sequence[Scope]) -> None:
    """Refuse to take away what the project has, unless told to.

    A marker for a whole system may have brought another machine of it along. Plain CPU and
    PyPI's builds may be what is left where nothing else is asked for: such a platform loses
    nothing if it gets the same build, or if it is to have another one. Where the file lists its
    targets, no other build was asked for.
    """
    if not inputs.request.specs or inputs.request.takes:
        return
    listed = read_intent(inputs.project, inputs.catalog.vocabulary)
    kept = {(target.backend, target.platform.os) for target in targets}
    named = {target.platform.os for target in targets}
    plain = {inputs.catalog.fallback, PYPI}
    chosen = inputs.before.layout != "markers" and scopes[0].kind != ""

    def is_dropped(target: Target) -> bool:
        if (target.backend, target.platform.os) in kept:
            return False
        if target.backend not in plain:
            return True
        if inputs.before.layout is None or (target.backend == PYPI and not chosen):
            return False
        if target.platform.os in named and not chosen:
            return False
        return all(scope.at(target.platform) != target.backend for scope in scopes)

    gone = [
        target
        for target in inputs.before.targets
        if (listed is None or any(overlap(spec_of(target), spec) for spec in listed))
        and is_dropped(target)
    ]
    if gone:
        names = ", ".join(f"`{target}`" for target in gone)
        raise RequestError(
            f"the request leaves out a target of the project: {names}",
            at=inputs.project.place("tool.uv.sources"),
            help=f"add `-t {gone[0]}`, or remove it with `--force`",
        )


def refuse_base_pin(inputs: Inputs, layout: str, release: Version | None) -> None:
    """Refuse a torch that a base dependency excludes: groups leave what is published as it is."""
    is_new = layout == "groups" != inputs.before.layout
    if not is_new or inputs.request.torch is None or release is None:
        return
    for one in inputs.project.dependencies:
        if one.name == inputs.main and not one.specifier.contains(release, prereleases=True):
            raise ProjectError(
                f"`{one.raw}` excludes torch {release}, and `--torch` does not change it: with "
                "dependency groups, base dependencies stay as they are",
                at=inputs.project.place(one.at),
                help="change that requirement first, or request a torch that it allows",
            )


def refuse_without_wheels(
    named: Iterable[str], nowhere: Mapping[str, str], specs: Iterable[TargetSpec]
) -> None:
    """Refuse a companion that is asked for by name, and is known to have no wheel for any target.

    Args:
        named: What is asked for.
        nowhere: The companions without any, and the platforms that have some.
        specs: The targets.
    """
    for name in named:
        if name in nowhere:
            targets = ", ".join(f"`{spec.text}`" for spec in specs)
            there = f": it has wheels for {nowhere[name]}" if nowhere[name] else ""
            raise RequestError(
                f"`{name}` has no wheels for {targets}",
                help=f"omit `--with {name}`, or add a target that has some{there}",
            )


def refuse_open_index(inputs: Inputs, layout: Layout) -> None:
    """Refuse new extras or groups that lock each platform apart, or leave one to PyPI.

    An open index of PyTorch's comes first for whatever it has, and has no wheel of it for each
    platform; uv looks no further.
    """
    if layout in {"markers", inputs.before.layout}:
        return
    for index in inputs.project.workspace.indexes:
        if not index.explicit and inputs.catalog.backend_of_url(index.url, index.name):
            raise ProjectError(
                f"index `{index.name or index.url}` is open: uv searches it, and not PyPI, for "
                "torch without a source",
                at=inputs.project.workspace.place(index.at),
                help="add `explicit = true` to the index first",
            )
