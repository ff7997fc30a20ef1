"""The targets that a team lists in `[tool.torchconf]`: what the project is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors import ProjectError, RequestError
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.target_spec import TargetSpec, parse_target_spec
from torchconf.model.toml_path import TARGETS, Path, render_path

if TYPE_CHECKING:
    from torchconf.model.project import Project
    from torchconf.model.target_spec import Vocabulary
    from torchconf.model.targets import Platform

__all__ = [
    "ListedTarget",
    "init_command",
    "listed_platforms",
    "listed_targets",
    "lists_targets",
    "read_intent",
]

_EXAMPLE = 'write it as `targets = ["linux-cuda", "macos-cpu"]`'


class ListedTarget(NamedTuple):
    """One entry of the list, or the list itself where it is none."""

    path: Path
    spec: TargetSpec | None
    """None where it is no target, or one that stands in the list before."""
    error: ProjectError | None
    is_repeated: bool = False
    """Whether it stands in the list before, under whatever name."""


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
        at = project.place(render_path(path))
        try:
            spec = _read(word, vocabulary)
        except RequestError as error:
            told = ProjectError(error.message, at=at, help=error.help)
            found.append(ListedTarget(path, None, told))
            continue
        first = next((each.spec for each in found if each.spec and _same(each.spec, spec)), None)
        if first is None:
            found.append(ListedTarget(path, spec, None))
        else:
            again = f", the first time as `{first.text}`" if first.text != spec.text else ""
            message = f"target `{spec.text}` is listed twice{again}"
            told = ProjectError(message, at=at, help="remove one of the two")
            found.append(ListedTarget(path, None, told, is_repeated=True))
    return tuple(found)


def listed_platforms(project: Project, vocabulary: Vocabulary) -> frozenset[Platform]:
    """Return the platforms that the list of a file names; what is wrong with it, others say."""
    listed = listed_targets(project, vocabulary) or ()
    return frozenset(one.spec.platform for one in listed if one.spec is not None)


def _read(word: object, vocabulary: Vocabulary) -> TargetSpec:
    """Read one entry.

    Raises:
        RequestError: It is no target.
    """
    if not isinstance(word, str):
        raise RequestError("expected a target", help=_EXAMPLE)
    return parse_target_spec(word, vocabulary)


def _same(one: TargetSpec, other: TargetSpec) -> bool:
    """Tell whether two entries are one target, however they are spelled."""
    return one._replace(text=other.text) == other


def init_command(project: Project) -> str:
    """Return the command that writes what a project, or a script, is for."""
    if not project.is_script:
        return "torchconf init"
    # Imported here: most projects are no scripts.
    from shlex import quote

    return f"torchconf init --script {quote(project.at)}"


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
