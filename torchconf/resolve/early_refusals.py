"""What uv refuses before it resolves anything: settings and sources that contradict themselves."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NoReturn

from torchconf.errors import ProjectError
from torchconf.model.project import flatten_group
from torchconf.resolve.sourced import extra_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.markers import Marker
    from packaging.utils import NormalizedName

    from torchconf.model.project import Project, Requirement, Source
    from torchconf.resolve.lowering import Declared

__all__ = ["check_member", "check_names", "check_settings", "check_sources"]

_NONE_ON: frozenset[NormalizedName] = frozenset()
_PAIR = 2


def check_names(projects: Iterable[Project]) -> None:
    """Refuse two projects of one workspace that have one name."""
    known: dict[NormalizedName, Project] = {}
    for project in projects:
        if project.name is None:
            continue
        first = known.setdefault(project.name, project)
        if first.at != project.at:
            raise ProjectError(
                f"another workspace member is also named `{project.name}`: {first.at}",
                at=project.place("project.name"),
                path=("project", "name"),
                help="give one of them another name",
            )


def check_settings(declared: Declared) -> None:
    """Refuse conflicts, groups and environments that uv refuses."""
    for project in declared.projects:
        for conflict in project.conflicts:
            if len(set(conflict.items)) < _PAIR:
                _refuse(project, "a conflict needs at least two different items", conflict.at)
        for group in project.groups:
            flatten_group(project, group)
    for project in (declared.root, *declared.members.values()):
        _check_default_groups(project)
    for one, after in itertools.pairwise(declared.root.environments):
        if _overlap(declared, one.marker, after.marker):
            message = f"the environments `{one.raw}` and `{after.raw}` overlap"
            _refuse(declared.root, message, after.at)


def _check_default_groups(project: Project) -> None:
    if isinstance(project.default_groups, tuple):
        for group in project.default_groups:
            if group not in project.groups:
                message = f"default group `{group}` is not defined"
                _refuse(project, message, "tool.uv.default-groups", "define it, or remove it")


def _overlap(declared: Declared, one: Marker | None, other: Marker | None) -> bool:
    where = declared.universe.where
    return any(
        where(one, extras) & where(other, extras)
        for extras in ([_NONE_ON] if not declared.extras_in_markers else _extra_choices(declared))
    )


def _extra_choices(declared: Declared) -> list[frozenset[str]]:
    """Return the choices of extras under which two markers are tried for overlap."""
    names = sorted({name for one in declared.projects for name in one.extras})
    return [_NONE_ON, *(frozenset((name,)) for name in names), frozenset(names)]


def check_sources(declared: Declared, project: Project) -> None:
    """Refuse sources of a project that uv refuses, whatever requires their packages."""
    for package, sources in project.sources.items():
        if not sources:
            _refuse(project, f"`{package}` has no source", f"tool.uv.sources.{package}")
        for source in sources:
            _check_kind(project, source)
            if project.has_project:
                _check_scope(project, source)
        for one, after in itertools.pairwise(sources):
            same_scope = one.extra == after.extra and one.group == after.group
            if same_scope and _overlap(declared, one.marker, after.marker):
                _refuse(
                    project,
                    f"two sources of `{package}` apply to the same environments",
                    after.at,
                    "give them markers that exclude each other",
                )


def check_member(
    declared: Declared, project: Project, requirement: Requirement, counting: tuple[Source, ...]
) -> None:
    """Refuse a requirement on another member that is not sourced from the workspace."""
    name = requirement.name
    if name not in declared.members or name == project.name or project.name not in declared.members:
        return
    if not counting or any(source.kind != "workspace" for source in counting):
        _refuse(
            project,
            f"`{name}` is a member of the workspace and needs a workspace source",
            requirement.at,
            f"add `{name} = {{ workspace = true }}` to `tool.uv.sources`",
        )


def _refuse(project: Project, message: str, at: str, next_step: str | None = None) -> NoReturn:
    raise ProjectError(message, at=project.place(at), help=next_step)


def _check_kind(project: Project, source: Source) -> None:
    if source.kind in ("mixed", "none"):
        _refuse(
            project, "a source names exactly one of index, path, git, url, workspace", source.at
        )
    if source.extra and source.group:
        _refuse(project, "a source cannot have both `extra` and `group`", source.at)


def _check_scope(project: Project, source: Source) -> None:
    """Refuse a source whose extra or group is not there, or does not list the package."""
    if project.is_script:
        return  # uv leaves a source for an extra alone there: it never applies.
    if source.extra is not None:
        kind, name, defined = "extra", source.extra, project.extras
    elif source.group is not None:
        kind, name, defined = "group", source.group, project.groups
    else:
        return
    at = f"{source.at}.{kind}"
    if name not in defined:
        _refuse(project, f"{kind} `{name}` is not defined", at)
    if kind == "group":
        listed = {requirement.name for requirement in flatten_group(project, name)}
    else:
        listed = _listed(project, name)
    if source.package not in listed:
        message = f"{kind} `{name}` does not list `{source.package}`"
        _refuse(project, message, at, f"add it to the {kind}")


def _listed(project: Project, extra: NormalizedName) -> set[NormalizedName]:
    """Return the packages that an extra lists by itself."""
    found = {one.name for one in project.dependencies if extra_of(one) == extra}
    section = project.extras[extra].requirements
    return found | {one.name for one in section if extra_of(one, extra) == extra}
