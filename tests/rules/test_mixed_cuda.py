"""How sure TC513 is where the releases that a range admits are for different CUDAs."""

from __future__ import annotations

import pytest

from tests.support.checking import check_text
from tests.support.projects import WHL
from torchconf.rules import Severity

PROJECT = f"""[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["torch>=2.11,<2.14", "onnxruntime-gpu{{range}}"]

[tool.uv.sources]
torch = {{{{ index = "pytorch-{{build}}" }}}}

[[tool.uv.index]]
name = "pytorch-{{build}}"
url = "{WHL}/{{build}}"
explicit = true
"""
LOCK = """version = 1
revision = 3

[[package]]
name = "onnxruntime-gpu"
version = "{version}"
source = {{ registry = "https://mirror.example.org/simple" }}
"""


@pytest.mark.parametrize(
    ("build", "range_", "locked", "severity"),
    [
        ("cu130", "", None, None),
        ("cu130", ">=1.27", None, None),
        ("cu126", "<1.27", None, None),
        # uv takes the newest, or what it has locked.
        ("cu130", ">=1.20", None, Severity.INFO),
        ("cu126", ">=1.20", None, Severity.WARNING),
        ("cu126", ">=1.20", "1.26.0", Severity.INFO),
        ("cu130", ">=1.20", "1.26.0", Severity.WARNING),
        ("cu130", ">=1.20", "1.31.1", Severity.INFO),
        # It does not keep what the range excludes.
        ("cu126", ">=1.22", "1.20.0", Severity.WARNING),
        # No release fits.
        ("cu126", ">=1.27", None, Severity.WARNING),
        ("cu126", "", None, Severity.WARNING),
    ],
)
def test_severity(build: str, range_: str, locked: str | None, severity: Severity | None) -> None:
    lockfile = LOCK.format(version=locked) if locked else ""
    text = PROJECT.format(range=range_, build=build)
    found = [one for one in check_text(text, lockfile=lockfile) if one.code == "TC513"]
    assert [one.severity for one in found] == ([severity] if severity else [])
