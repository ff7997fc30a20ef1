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
    if layout != "groups" or inputs.request.default == "none":
        return None, False
    backends = ordered({target.backend for target in targets}, inputs.catalog)
    word = asked.lower() if asked else None
    if word == MACHINE:
        _refuse_machine(inputs, backends)
        if len(backends) > 1:
            return (inputs.catalog.fallback if _is_light(inputs, backends) else None), True
        return backends[0], False
    there = {backend.name for backend in backends}
    if word is None or (inputs.request.remove and asked not in there):
        # A default group of the root is none of its members', whatever it brings there. One
        # that no other conflicts with brings its build everywhere.
        if inputs.before.layout == "groups" or (inputs.facts.elsewhere and len(backends) > 1):
            return None, False
        own = next((b for b in backends if b == inputs.catalog.fallback), backends[0])
        return own, False
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
