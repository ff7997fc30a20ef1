"""Which build plain commands install, or whether each machine says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.errors import ProjectError, RequestError
from torchconf.layout.layouts import ordered
from torchconf.layout.machine_choice import MACHINE
from torchconf.model.backends import PYPI, Backend

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torchconf.layout.layouts import Layout
    from torchconf.model.targets import Target
    from torchconf.planner.inputs import Inputs

__all__ = ["default_build"]


def default_build(
    inputs: Inputs, layout: Layout, targets: Iterable[Target]
) -> tuple[Backend | None, bool]:
    """Return the backend that plain `uv sync` is to install, and whether machines choose.

    Only for the layout `groups`.
    """
    asked = inputs.request.default or inputs.before.default
    if layout != "groups":
        return None, False
    backends = ordered({target.backend for target in targets}, inputs.catalog)
    if inputs.request.default == "none":
        _refuse_none(inputs, backends)
        return None, False
    word = asked.lower() if asked else None
    if word == MACHINE:
        _refuse_machine(inputs, backends)
        if len(backends) > 1:
            return (inputs.catalog.fallback if _is_light(inputs, backends) else None), True
        return backends[0], False
    there = {backend.name for backend in backends}
    if word is None or (inputs.request.remove and asked not in there):
        return _unasked(inputs, backends), False
    meant = [b for b in backends if word in {b.name, b.accelerator}]
    chosen = next((b for b in meant if b.name == word), meant[0] if len(meant) == 1 else None)
    if chosen is None and inputs.request.default and len(meant) > 1:
        raise RequestError(
            f"`--default {asked}` could mean {' or '.join(backend.name for backend in meant)}",
            help=f"say which: `--default {meant[-1].name}`",
        )
    if chosen is None:
        raise RequestError(
            f"`--default {asked}` is not a backend of any target"
            if inputs.request.default
            else f"the default group is for `{asked}`, which no target uses any more; pass "
            "`--default`",
            help=f"the targets have {', '.join(backend.name for backend in backends)}",
        )
    return chosen, False


def _unasked(inputs: Inputs, backends: Sequence[Backend]) -> Backend | None:
    """Return what plain `uv sync` is to install where nobody says it."""
    if inputs.before.layout == "groups":
        alone = inputs.request.remove and _is_everywhere(inputs, backends)
        return backends[0] if alone else None
    # A default group of the root is none of its members', whatever it brings there. One
    # that no other conflicts with brings its build everywhere.
    if inputs.facts.elsewhere and len(backends) > 1:
        return None
    return next((b for b in backends if b == inputs.catalog.fallback), backends[0])


def _is_everywhere(inputs: Inputs, backends: Sequence[Backend]) -> bool:
    """Tell whether the only group serves the base dependencies, too: no conflict parts them.

    As a default group it says so: plain commands install what they would get anyway.
    """
    in_base = any(line.name == inputs.main for line in inputs.project.dependencies)
    ours = inputs.before.scopes
    beside = (
        conflict.items
        for conflict in inputs.project.workspace.conflicts
        if any(item.name in ours for item in conflict.items)
    )
    is_apart = any(item.name not in ours for items in beside for item in items)
    return len(backends) == 1 and in_base and not is_apart


def _refuse_none(inputs: Inputs, backends: Sequence[Backend]) -> None:
    """Refuse to let plain commands install another build than the only group has."""
    if backends[0] != PYPI and _is_everywhere(inputs, backends):
        raise RequestError(
            "`--default none`: beside a single group, uv takes torch of the base dependencies "
            f"from the index of {backends[0].name}, too",
            help="omit `--default`, or add a target with another build, such as `-t linux-pypi`",
        )


def _refuse_machine(inputs: Inputs, backends: Sequence[Backend]) -> None:
    """Refuse to leave a choice to machines that have none, or that would not be asked."""
    if inputs.request.default is not None and len(backends) == 1:
        raise RequestError(
            f"`--default machine`: all targets have the build {backends[0].name}, so there is "
            "nothing for a machine to choose",
            help="omit `--default`, or add a target with another build",
        )
    if inputs.project.root is not None:
        raise ProjectError(
            "`--default machine` cannot be written in one workspace member: the conflicts "
            "between its builds and those of other members belong in the root",
            at=inputs.project.place("tool.uv.default-groups"),
            help="run the command in the workspace root, or pass `--default BACKEND`",
        )


def _is_light(inputs: Inputs, backends: Sequence[Backend]) -> bool:
    """Tell whether only machines with PyPI's build need to say so.

    The base dependencies bring that build, and the default group of the CPU build stands
    before it. What is published stays as it is.
    """
    project = inputs.project
    if {*backends} != {inputs.catalog.fallback, PYPI} or "dependencies" in project.dynamic:
        return False
    if any(map(inputs.facts.needing.holds, inputs.facts.around)):
        return False  # The root of a workspace need not have torch itself.
    if inputs.before.default == MACHINE:
        group = canonicalize_name(inputs.before.names[PYPI.name])
        return not project.is_default_group(group)
    in_base = any(r.name == inputs.main for r in project.dependencies)
    return bool(inputs.request.specs) and (in_base or not project.has_build_system)
