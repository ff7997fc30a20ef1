"""What extras and groups are called: as they are, as is asked for, or like their backend."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchconf.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.layout.configuration import Configuration
    from torchconf.layout.layouts import Layout
    from torchconf.model.project import Project
    from torchconf.model.targets import Target
    from torchconf.planner.request import Request


def scope_names(
    request: Request,
    project: Project,
    before: Configuration,
    layout: Layout,
    targets: Iterable[Target],
) -> dict[str, str]:
    """Return the name of each backend's extra or group, by backend name.

    Raises:
        RequestError: A name is not valid, taken, or for nothing.
    """
    backends = {target.backend for target in targets}
    used = sorted(backend.name for backend in backends)
    names = {backend.name: backend.extra for backend in backends} | dict(before.names)
    for backend, name in request.names:
        flag = f"`--name {backend}={name}`"
        if layout == "markers":
            raise RequestError(
                f"{flag}: the layout `markers` has neither extras nor groups",
                help="omit it, or pass `--layout extras`",
            )
        if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", name):
            raise RequestError(
                f"{flag}: `{name}` is not a valid name",
                help="use letters, digits, `-`, `_` and `.`; start and end with a letter or digit",
            )
        if backend not in used:
            raise RequestError(
                f"{flag} names a backend that no target uses",
                help=f"the targets have {', '.join(used)}",
            )
        is_default = project.is_default_group(canonicalize_name(name))
        if layout == "groups" and is_default and names[backend] != name:
            raise RequestError(
                f"{flag}: `{name}` is a default group, installed next to every build",
                help="choose another name",
            )
        names[backend] = name
    _refuse_same({backend: name for backend, name in names.items() if backend in used})
    return names


def _refuse_same(names: dict[str, str]) -> None:
    """Refuse one name for two backends, that of one which has no other name included."""
    taken: dict[str, str] = {}
    for backend, name in names.items():
        other = taken.setdefault(canonicalize_name(name), backend)
        if other != backend:
            raise RequestError(
                f"`--name` gives `{other}` and `{backend}` the same name: `{name}`",
                help="give each extra or group its own name",
            )
