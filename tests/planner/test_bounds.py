"""Bounds, from small ranges and the catalog alone."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.support.checking import CATALOG
from torchconf.planner.bounds import lowest_companion

TORCH = ">=2.14,<2.15"


def test_of_the_companions_that_fit_the_lowest_torch_the_newest_is_taken() -> None:
    lowest = min(release for release in CATALOG.releases if release in SpecifierSet(TORCH))
    fitting = CATALOG.companions("torchvision", lowest)
    assert fitting is not None
    assert len(fitting) > 1
    indexed = [version for version in fitting if CATALOG.is_indexed("torchvision", version)]
    assert lowest_companion("torchvision", SpecifierSet(TORCH), CATALOG) == max(indexed)


@pytest.mark.parametrize(
    ("torch", "torchvision"), [("==2.9.0", "0.24.0"), (">=2.8,<2.10", "0.23.0")]
)
def test_the_companion_is_that_of_the_lowest_torch(torch: str, torchvision: str) -> None:
    assert lowest_companion("torchvision", SpecifierSet(torch), CATALOG) == Version(torchvision)


def test_a_range_that_admits_no_known_torch_has_no_companion() -> None:
    assert lowest_companion("torchvision", SpecifierSet(">=900"), CATALOG) is None
