"""Which Pythons a set of wheels serves: the stable ABI at its edge, free-threaded builds apart."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet

from torchconf.catalog import load_catalog, serves_python
from torchconf.model.targets import Platform


@pytest.mark.parametrize(
    ("pythons", "python", "admitted"),
    [
        ("3.11 3.12", "3.12", True),
        ("3.11 3.12", "3.13", False),
        ("3.11 3.12", "3.10", False),
        ("3.9+", "3.8", False),
        ("3.9+", "3.9", True),
        ("3.9+", "3.10", True),
        ("3.10+", "3.9", False),
        ("3.10+", "3.10", True),
        ("3.9+", "3.13t", False),
        ("3.9+ 3.13t", "3.13t", True),
        ("3.13t", "3.13", False),
        ("3.13", "3.13t", False),
        ("", "3.12", False),
    ],
)
def test_wheels_serve_a_python(pythons: str, python: str, *, admitted: bool) -> None:
    assert serves_python(pythons.split(), python) is admitted


@pytest.mark.parametrize(
    ("python", "lacks"),
    [("==3.14.*", True), (">=3.14", True), (">=3.13", False), ("==3.12.*", False), (None, False)],
)
def test_a_platform_whose_only_wheels_are_for_other_pythons_has_none(
    python: str | None, *, lacks: bool
) -> None:
    """The cu129 of Windows ended before Python 3.14; that of Linux went on."""
    catalog = load_catalog()
    within, backend = SpecifierSet(">=2.8"), catalog.backend("cu129")
    asked = SpecifierSet(python) if python else None
    for platform, answer in (
        (Platform("windows", "x86_64"), lacks),
        (Platform("linux", "x86_64"), False),
    ):
        assert catalog.lacks("torch", within, backend, platform, asked) == answer
