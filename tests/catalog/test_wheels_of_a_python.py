"""Which Pythons a set of wheels serves: the stable ABI at its edge, free-threaded builds apart."""

from __future__ import annotations

import pytest

from torchconf.catalog import serves_python


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
