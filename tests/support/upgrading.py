"""What tests of `upgrade` share: the releases to move between, and the mark of those that lock."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.checking import CATALOG

COVERED = [str(v) for v in sorted(CATALOG.releases) if CATALOG.covered(v)]
"""Releases whose build matrix was read, oldest first."""


def inside(test: Any) -> Any:
    """Mark a test that runs commands which run uv in the replica."""
    return pytest.mark.uv(pytest.mark.usefixtures("inside_replica")(test))
