"""The cases from public threads and repositories, as `check` sees them.

`expect` of a case must be reported; nothing but information may be reported that is neither in
`expect` nor in `allowed`. A right file, and the fixed file of a case, gets nothing but information.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.checking import check_path
from tests.support.paths import CASES
from tests.support.projects import EXAMPLES
from torchconf.rules import Finding, Severity

FOLDERS = sorted(CASES.glob("[0-9]*"))
FIXED = sorted(path.parent for path in CASES.glob("[0-9]*/fixed/pyproject.toml"))


def told(case: Path) -> dict[str, Any]:
    return tomllib.loads((case / "case.toml").read_text(encoding="utf-8"))


def found_in(folder: Path) -> list[Finding]:
    return [finding for each in check_path(folder).values() for finding in each]


def alarms(found: list[Finding]) -> set[str]:
    """Return the codes of errors and warnings."""
    return {f.code for f in found if f.severity is not Severity.INFO and f.code != "TC404"}


def test_all_cases_are_here() -> None:
    assert len(FOLDERS) == 70
    assert len(FIXED) == sum(bool(told(case)["fixed"]) for case in FOLDERS)


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: case.name)
def test_what_is_expected_is_reported_and_nothing_else(case: Path) -> None:
    found = found_in(case)
    expected, allowed = set(told(case)["expect"]), set(told(case)["allowed"])

    assert expected <= {f.code for f in found}
    assert alarms(found) <= expected | allowed


@pytest.mark.parametrize("folder", FIXED, ids=lambda folder: folder.parent.name)
def test_a_fixed_file_gets_nothing_but_information(folder: Path) -> None:
    # Two of them keep what their case allows: a label in 006, and in 031 a CUDA source
    # that no Mac can install.
    assert alarms(found_in(folder)) <= set(told(folder.parent)["allowed"])


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_what_the_design_shows_gets_nothing_but_information(path: Path) -> None:
    assert alarms(found_in(path)) == set()
