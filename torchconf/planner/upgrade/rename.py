"""Rename extras and groups that are named after a backend, wherever a file names them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.edits.conflicts import rename_member
from torchconf.errors import RequestError
from torchconf.layout.layouts import KINDS
from torchconf.layout.machine_choice import MACHINE
from torchconf.model.toml_path import DEFAULT_GROUPS, DEPENDENCIES, EXTRAS, GROUPS, UV
from torchconf.model.uv_variables import NO_GROUP
from torchconf.planner.draft_indexes import source_entries
from torchconf.planner.respecify import rename_backend

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from torchconf.edits.draft import Draft
    from torchconf.layout.configuration import Configuration
    from torchconf.layout.layouts import Kind
    from torchconf.model.backends import Backend
    from torchconf.model.project import Project
    from torchconf.model.toml_path import Path

__all__ = ["rename_scopes"]


def rename_scopes(
    files: Sequence[tuple[Project, Draft]],
    root: Draft,
    before: Configuration,
    backends: Mapping[str, Backend],
    *,
    rename: bool,
) -> tuple[str, ...]:
    """Rename the extras or groups that are named after an old backend, if that is asked for.

    Args:
        files: The project as it is, with its draft, and the members that have the same builds.
        root: Of the workspace root's file; one of these drafts if the project is the root.
        before: Which extra or group is for which backend.
        backends: Old to new.
        rename: It is asked for.

    Returns:
        Sentences on what was renamed, or kept.

    Raises:
        RequestError: The new name is taken.
    """
    kind = KINDS[before.layout] if before.layout else ""
    said: list[str] = []
    for old, new in backends.items():
        own = [before.names[old]] if old in before.names else []
        for name in (*own, *before.aliases.get(old, ())):
            after = rename_backend(name, old, new.name)
            if after == name:
                continue
            if not rename:
                said.append(f"{kind} `{name}` keeps its name; `--rename` changes it to `{after}`")
                continue
            for project, draft in files:
                _rename_in(files, draft, root, project, kind, name, after)
            said.append(f"renamed {kind} `{name}` to `{after}`")
            if before.default == MACHINE:
                said.append(f"machines with `{name}` in `{NO_GROUP}` must have `{after}` there")
    return tuple(said)


def _rename_in(
    files: Sequence[tuple[Project, Draft]],
    draft: Draft,
    root: Draft,
    project: Project,
    kind: Kind,
    old: str,
    new: str,
) -> None:
    """Rename an extra or group in one file, if it has it, and wherever that file asks for it."""
    reason = f"`{old}` is renamed to `{new}`"
    same = _same_as(old)
    extras = kind == "extra"
    sections = project.extras if extras else project.groups
    if canonicalize_name(new) in sections:
        what = "an extra" if extras else "a group"
        raise RequestError(
            f"{what} named `{new}` already exists",
            at=project.place(sections[canonicalize_name(new)].at),
            help="leave out `--rename`, or rename that one first",
        )
    table = EXTRAS if extras else GROUPS
    if section := sections.get(canonicalize_name(old)):
        draft.rename((*table, section.written), new, reason)
    for _, path, entry in source_entries(draft):
        if same(entry.get(kind)):
            draft.put((*path, kind), new, reason)
    rename_member(draft, kind, old, new, reason)
    if root is not draft:
        rename_member(root, kind, old, new, reason, project.name)
    if extras:
        names = {str(one.name) for one, _ in files if canonicalize_name(old) in one.extras}
        _rename_in_requirements(draft, names, old, new, reason)
    else:
        _rename_group(draft, same, new, reason)


def _same_as(name: str) -> Callable[[object], bool]:
    wanted = canonicalize_name(name)
    return lambda other: isinstance(other, str) and canonicalize_name(other) == wanted


def _rename_group(draft: Draft, same: Callable[[object], bool], new: str, reason: str) -> None:
    """Rename a group where it is a default, is included, or has settings."""
    defaults = draft.get(DEFAULT_GROUPS)
    for number, name in enumerate(defaults if isinstance(defaults, list) else ()):
        if same(name):
            draft.replace((*DEFAULT_GROUPS, number), new, reason)
    for group, entries in (draft.get(GROUPS) or {}).items():
        for number, entry in enumerate(entries):
            if isinstance(entry, dict) and same(entry.get("include-group")):
                draft.put(("dependency-groups", group, number, "include-group"), new, reason)
    for key in list(draft.get((*UV, "dependency-groups")) or {}):
        if same(key):
            draft.rename((*UV, "dependency-groups", key), new, reason)


def _rename_in_requirements(
    draft: Draft, names: Collection[str], old: str, new: str, reason: str
) -> None:
    """Rename an extra where the project asks for itself, or for another one: `demo[cu130]`."""
    tables: list[tuple[Path, Any]] = [(DEPENDENCIES, draft.get(DEPENDENCIES))]
    for table in (EXTRAS, GROUPS):
        tables += [((*table, key), lines) for key, lines in (draft.get(table) or {}).items()]
    same = _same_as(old)
    for path, lines in tables:
        for number, line in enumerate(lines or ()):
            match = re.match(r"\s*([A-Za-z0-9._-]+)\s*\[([^\]]*)\]", str(line))
            if match is None or canonicalize_name(match[1]) not in names:
                continue
            inside = re.sub(
                r"[A-Za-z0-9._-]+", lambda one: new if same(one[0]) else one[0], match[2]
            )
            text = f"{line[: match.start(2)]}{inside}{line[match.end(2) :]}"
            draft.replace((*path, number), text, reason)
