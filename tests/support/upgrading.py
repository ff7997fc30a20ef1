"""What tests of `upgrade` share: the releases to move between, and the mark of those that lock."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.version import Version

from tests.support.checking import CATALOG

COVERED = [str(v) for v in sorted(CATALOG.releases) if CATALOG.covered(v) and v >= Version("1.13")]
"""Releases whose builds are documented, oldest first. Before, none was for Linux on aarch64."""


def inside(test: Any) -> Any:
    """Mark a test that runs commands which run uv in the replica."""
    return pytest.mark.uv(pytest.mark.usefixtures("inside_replica")(test))
