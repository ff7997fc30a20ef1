"""How a tool gets a build: `uvx` and `uv tool install` take it as a flag, and no file says it.

No other command of uv that installs projects or scripts has that flag: `uv run`, `uv sync` and
`uv lock` refuse it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchconf.catalog import Catalog
    from torchconf.model.backends import Backend
    from torchconf.model.targets import Target

__all__ = ["tool_commands", "tool_lines"]


def tool_commands(backend: Backend, catalog: Catalog) -> list[str]:
    """Return the commands that run or install a tool with a build; none if uv cannot."""
    if not catalog.is_torch_backend(backend):
        return []
    flag = f"--torch-backend {backend.name}"
    return [f"uvx {flag} TOOL", f"uv tool install {flag} TOOL"]


def tool_lines(targets: Iterable[Target], catalog: Catalog) -> Iterator[str]:
    """Yield a line for each build that a tool can have, with the targets that it is for."""
    by_backend: dict[Backend, list[str]] = {}
    for target in targets:
        by_backend.setdefault(target.backend, []).append(str(target))
    for backend, names in by_backend.items():
        if commands := tool_commands(backend, catalog):
            yield f"a tool on {', '.join(names)}: {' or '.join(f'`{c}`' for c in commands)}"
