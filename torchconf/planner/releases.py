"""Which torch release serves all targets: the newest that the catalog has for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.errors import RequestError
from torchconf.model.backends import PYPI
from torchconf.model.ranges import admits_newer
from torchconf.planner.assess import (
    COVERED,
    MISSING,
    UNKNOWN,
    Assessment,
    Doubt,
    Needs,
    ReleaseChoice,
    assess,
    resolve_backends,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.version import Version

    from torchconf.catalog import Catalog
    from torchconf.model.target_spec import TargetSpec


def choose_release(
    specs: Sequence[TargetSpec], needs: Needs, catalog: Catalog, locked: Version | None = None
) -> ReleaseChoice:
    """Return the newest release that the catalog has for every target and every Python.

    A release whose build matrix was read counts as there on every Python of that matrix; one that
    was merely seen is taken only if there is no other. The locked release is kept if it serves all
    targets.

    Raises:
        RequestError: No release can serve them, as far as the catalog covers it.
    """
    if locked is not None and locked in catalog.releases and locked in needs.torch:
        kept = assess(locked, specs, needs, catalog).choice
        if kept.certainty <= COVERED:
            return kept
    tried: list[Assessment] = []
    for releases in (catalog.releases, catalog.older_releases):
        # An old release is for who asks for it.
        for release in releases if not tried else ():
            if needs.torch.contains(release, prereleases=True):
                tried.append(assess(release, specs, needs, catalog))
                if tried[-1].choice.certainty <= COVERED:
                    break
    possible = [one.choice for one in tried if one.choice.certainty < MISSING]
    if possible:
        # If nobody is known to have all of it, the release that most targets are known to have.
        return min(possible, key=lambda one: (one.certainty, -_known(one, catalog)))
    if not tried and admits_newer(needs.torch, max(catalog.releases)):
        return _newer(specs, needs, catalog)
    # Imported here: only an impossible request needs it.
    from torchconf.planner.refusals import refusal

    raise refusal(tried, specs, needs, catalog)


def _known(choice: ReleaseChoice, catalog: Catalog) -> int:
    """Count the targets whose index is known to have a release."""
    return sum(
        choice.release is not None
        and catalog.carries(catalog.main_package, choice.release, target.backend)
        for target in choice.targets
    )


def _newer(specs: Sequence[TargetSpec], needs: Needs, catalog: Catalog) -> ReleaseChoice:
    """Answer for a range that only a release newer than the catalog can satisfy."""
    newest = max(catalog.releases)
    for spec in specs:
        last = catalog.ended(spec.backend) if spec.backend is not None else None
        if spec.backend is not None and last is not None:
            raise RequestError(
                f"target `{spec.text}` is not available with torch {needs.torch}: "
                f"{spec.backend.title} ended with torch {last}",
                help=f"request torch {last} or older, or another backend",
            )
    pythons = catalog.release_pythons(newest)
    targets, _ = resolve_backends(newest, specs, pythons, Needs(needs.torch, {}, None), catalog)
    return ReleaseChoice(
        release=None,
        targets=targets,
        companions={},
        python=pythons[0],
        certainty=UNKNOWN,
        doubts=(Doubt(f"any torch {needs.torch}", catalog.as_of_index(PYPI)),),
    )
