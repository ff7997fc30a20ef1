"""The targets of a project as the matrix of a GitHub workflow: a job for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.model.backends import PYPI
from torchconf.model.targets import Target
from torchconf.resolve.chosen_targets import selection_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.catalog import Catalog
    from torchconf.layout.selection import Selection
    from torchconf.model.backends import Backend
    from torchconf.resolve.table import Row

__all__ = ["ci_matrix", "published_build"]

RUNNERS = {
    "linux-x86_64": "ubuntu-latest",
    "linux-aarch64": "ubuntu-24.04-arm",
    "windows-x86_64": "windows-latest",
    "windows-arm64": "windows-11-arm",
    "macos-arm64": "macos-latest",
    "macos-x86_64": "macos-15-intel",
}
"""GitHub's own runner of each platform. None of them has a GPU."""


def ci_matrix(
    pairs: Sequence[tuple[Target, Selection]], catalog: Catalog, rows: Sequence[Row]
) -> dict[str, Any]:
    """Return what `fromJSON` makes a matrix of: nothing but `include`.

    GitHub would take any other key for a dimension of the matrix.

    Args:
        pairs: The targets of the project, each with the choice that installs it.
        catalog: For the build on PyPI, and for the one that needs no GPU.
        rows: Of `show`.
    """
    return {
        "include": [_entry(target, selection, pairs, catalog, rows) for target, selection in pairs]
    }


def _entry(
    target: Target,
    selection: Selection,
    pairs: Sequence[tuple[Target, Selection]],
    catalog: Catalog,
    rows: Sequence[Row],
) -> dict[str, Any]:
    """Return one job.

    Tests run once on each platform, on its build for the CPU wherever a choice gives it.
    """
    platform = target.platform
    here = [one for one, _ in pairs if one.platform == platform]
    tested = next((one for one in here if not _needs_gpu(one, catalog)), here[0])
    cpu = selection_for(Target(platform, catalog.fallback), catalog.main_package, rows)
    test = selection if cpu is None or not _needs_gpu(target, catalog) else cpu
    return {
        "target": str(target),
        "os": RUNNERS[platform.key],
        "flags": " ".join(selection.flags()),
        "gpu": _needs_gpu(target, catalog),
        "test": target == tested,
        "test_flags": " ".join(test.flags()),
    }


def _needs_gpu(target: Target, catalog: Catalog) -> bool:
    return catalog.plain(published_build(target, catalog)) != catalog.fallback


def published_build(target: Target, catalog: Catalog) -> Backend:
    """Return the build of a target; of PyPI's, what its newest known release is there."""
    if target.backend != PYPI:
        return target.backend
    builds = (catalog.pypi_build(release, target.platform) for release in catalog.releases)
    return next((build for build in builds if build is not None), catalog.fallback)
