"""The targets that a team lists in `[tool.torchconf]`: what the project is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torchconf.errors import ProjectError, RequestError
from torchconf.model.target_spec import TargetSpec, parse_target_spec
from torchconf.model.toml_path import TARGETS, Path, render_path

if TYPE_CHECKING:
    from torchconf.model.project import Project
    from torchconf.model.target_spec import Vocabulary

__all__ = ["ListedTarget", "listed_targets", "lists_targets", "read_intent"]

_EXAMPLE = 'write it as `targets = ["linux-cuda", "macos-cpu"]`'


class ListedTarget(NamedTuple):
    """One entry of the list, or the list itself where it is none."""

    path: Path
    spec: TargetSpec | None
    """None where it is no target, or one that stands in the list before."""
    error: ProjectError | None


def lists_targets(project: Project) -> bool:
    """Tell whether a file has a list, sound or not."""
    tool = project.data.get("tool")
    table = tool.get("torchconf") if isinstance(tool, dict) else None
    return isinstance(table, dict) and table.get("targets") is not None


def listed_targets(project: Project, vocabulary: Vocabulary) -> tuple[ListedTarget, ...] | None:
    """Return what the list of a file has, in its order; None if the file has no list."""
    tool = project.data.get("tool")
    table = tool.get("torchconf") if isinstance(tool, dict) else None
    words = table.get("targets") if isinstance(table, dict) else None
    if words is None:
        return None
    if not isinstance(words, list):
        at = project.place(render_path(TARGETS))
        error = ProjectError("expected an array of targets", at=at, help=_EXAMPLE)
        return (ListedTarget(TARGETS, None, error),)
    found: list[ListedTarget] = []
    for number, word in enumerate(words):
        path = (*TARGETS, number)
        try:
            spec = _read(word, [each.spec for each in found if each.spec], vocabulary)
        except RequestError as error:
            at = project.place(render_path(path))
            told = ProjectError(error.message, at=at, help=error.help)
            found.append(ListedTarget(path, None, told))
        else:
            found.append(ListedTarget(path, spec, None))
    return tuple(found)


def _read(word: object, before: list[TargetSpec], vocabulary: Vocabulary) -> TargetSpec:
    """Read one entry.

    Raises:
        RequestError: It is no target, or stands in the list before.
    """
    if not isinstance(word, str):
        raise RequestError("expected a target", help=_EXAMPLE)
    spec = parse_target_spec(word, vocabulary)
    for other in before:
        if other._replace(text=spec.text) == spec:
            again = f", the first time as `{other.text}`" if other.text != word else ""
            raise RequestError(
                f"target `{word}` is listed twice{again}", help="remove one of the two"
            )
    return spec


def read_intent(project: Project, vocabulary: Vocabulary) -> tuple[TargetSpec, ...] | None:
    """Return the targets that a file lists, in its order; None if it has no list.

    Raises:
        ProjectError: The list holds something that is no target, or a target twice; with its place.
    """
    tool = project.data.get("tool")
    if isinstance(tool, dict) and not isinstance(tool.get("torchconf", {}), dict):
        raise ProjectError(
            "expected a table", at=project.place(render_path(TARGETS[:-1])), help=_EXAMPLE
        )
    listed = listed_targets(project, vocabulary)
    for each in listed or ():
        if each.error is not None:
            raise each.error
    return None if listed is None else tuple(each.spec for each in listed if each.spec)
