"""The cells of `environments`: pieces of the world that no marker of a scoped source cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchconf.layout.configuration import index_backends
from torchconf.model.backends import PYPI
from torchconf.model.markers import (
    closed_cells,
    holds,
    names_platforms,
    same_platforms,
    split_by,
)
from torchconf.model.read_project import read_again
from torchconf.model.target_spec import spec_of
from torchconf.model.targets import PLATFORMS, Target
from torchconf.model.toml_path import ENVIRONMENTS
from torchconf.planner.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torchconf.catalog import Catalog
    from torchconf.edits.draft import Draft
    from torchconf.layout.configuration import Configuration
    from torchconf.model.backends import Backend
    from torchconf.model.project import Project
    from torchconf.model.targets import Platform
    from torchconf.planner.decide import Decision


class Cells:
    """What `environments` must hold beside the scoped sources of a plan."""

    def __init__(
        self, draft: Draft, project: Project, catalog: Catalog, decision: Decision
    ) -> None:
        """Take a plan.

        Args:
            draft: What the file is to hold, as far as requirements go: the next run starts from it.
            project: As it is.
            catalog: Which wheels there are.
            decision: What the file is to hold.
        """
        self.catalog = catalog
        planned = read_again(project, draft.data, root=project.root)
        self.limits = Limits(planned, _after(decision), catalog.main_package, None, pin=False)
        self.environments = project.workspace.environments
        self.python = project.requires_python
        self.affected = frozenset(map(canonicalize_name, decision.affected))
        self.backends: dict[str, Backend] = {
            name: backend for name, (_, backend) in index_backends(project, catalog).items()
        }
        known = decision.before.indexes
        for scope in decision.scopes:
            for backend in scope.backends():
                if backend.name not in known:
                    self.backends.setdefault(f"pytorch-{backend.name}", backend)

    def of(self, sources: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Return the known systems, cut by the markers of scoped sources.

        uv ignores those where a base dependency holds the package without a marker, unless
        `environments` narrows the forks before.

        Returns:
            None where nothing was cut before, and a cut would give effect to a marker that leaves
            some source that stays without a wheel.
        """
        entries: list[tuple[str, Mapping[str, Any]]] = [
            (canonicalize_name(package), entry)
            for package, own in sources.items()
            for entry in ([own] if isinstance(own, dict) else own)
        ]

        def lacks(platform: Platform) -> bool:
            return self._base_lacks(platform) or any(
                self._lacks(package, entry, platform) for package, entry in entries
            )

        def cut(some: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
            return closed_cells((e["marker"] for e in some if "marker" in e), lacks)

        cells = cut(entry for _, entry in entries)
        if any(all(lacks(p) for p in PLATFORMS if holds(cell, p)) for cell in cells):
            # What is not touched was uncut before, and its markers had no effect.
            own = cut(entry for _, entry in entries if self._is_touched(entry))
            return None if own and not self.environments else own
        return cells

    def _is_touched(self, entry: Mapping[str, Any]) -> bool:
        return canonicalize_name(entry.get("extra") or entry.get("group") or "") in self.affected

    def _base_lacks(self, platform: Platform) -> bool:
        """Tell whether PyPI, where base dependencies come from without a choice, has no wheel."""
        main = self.catalog.main_package
        within = self.limits.admitted(main, [spec_of(Target(platform, PYPI))])
        return self.catalog.lacks(main, within, PYPI, platform, self.python)

    def _lacks(self, package: str, entry: Mapping[str, Any], platform: Platform) -> bool:
        """Tell whether one source is known to have no wheel of all that may be asked of it."""
        backend = self.backends.get(entry.get("index", ""))
        marker = entry.get("marker")
        if backend is None or (marker is not None and not holds(marker, platform)):
            return False
        within = self.limits.admitted(package, [spec_of(Target(platform, backend))])
        return self.catalog.lacks(package, within, backend, platform, self.python)


def _after(decision: Decision) -> Configuration:
    """Return what the tables say afterwards of extras or groups and their builds."""
    names: dict[str, str] = {}
    aliases: dict[str, tuple[str, ...]] = {}
    for scope in decision.scopes:
        if names.setdefault(scope.backend.name, scope.name) != scope.name:
            aliases[scope.backend.name] = (*aliases.get(scope.backend.name, ()), scope.name)
    return decision.before._replace(names=names, aliases=aliases)


def cut_environments(draft: Draft, cells: Sequence[str], *, anew: bool) -> None:
    """Cut `environments` where the sources' markers do; entries are split, never widened.

    Those that hold nothing but such a cut of former sources are replaced.
    """
    path = ENVIRONMENTS
    reason = "uv ignores the markers of scoped sources next to base dependencies without this"
    current = draft.get(path)
    entries = [current] if isinstance(current, str) else current or []
    wanted = list(cells if anew or not cells else split_by(entries, cells))
    if wanted and wanted != entries:
        draft.arrange(path, wanted, reason, same=_same_cell, kin=_same_cell)


def _same_cell(entry: Any) -> object:  # noqa: ANN401 - a parsed TOML value
    return same_platforms(entry) if names_platforms(entry) else entry
