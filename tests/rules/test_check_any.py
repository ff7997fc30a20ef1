"""What holds for any file: no fault, nothing lost by a fix, no finding in what torchconf writes.

The files are made by changing real ones; `tests/support/made_files.py` says how.
"""

from __future__ import annotations

import random
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.checking import CATALOG, alarms
from tests.support.conformance import Case, cases, init
from tests.support.made_files import make_file
from tests.support.projects import EXAMPLES, Demo
from torchconf.edits.tokens import comments_of
from torchconf.errors import TorchconfError
from torchconf.rules import Severity
from torchconf.rules.engine import CheckedFile, Unit


def try_file(seed: int) -> None:
    """Check and fix a made file in all ways: an answer or an error, never a fault."""
    before = make_file(seed).decode("utf-8-sig")
    unit = Unit(CheckedFile("pyproject.toml", before), catalog=CATALOG)
    told = f"seed {seed}\n{before}"
    try:
        (outcome,) = unit.check()
    except TorchconfError:
        return
    lines = before.split("\n")
    for one in outcome.findings:
        assert 1 <= one.span.line <= one.span.end_line <= len(lines), told
        assert 1 <= one.span.column <= len(lines[one.span.line - 1]) + 1, told
    for unsafe in (False, True):
        (fixed,) = unit.fix(unsafe=unsafe)
        tomllib.loads(fixed.text)
        assert not Counter(comments_of(before)) - Counter(comments_of(fixed.text)), told
        (again,) = Unit(CheckedFile("pyproject.toml", fixed.text), catalog=CATALOG).fix(
            unsafe=unsafe
        )
        assert again.text == fixed.text, f"{told}\n--- a second fix\n{fixed.text}"
        was = Counter(one.finding.code for one in outcome.findings)
        for code, count in Counter(
            one.finding.code
            for one in fixed.outcome.findings
            if one.finding.severity is not Severity.INFO
        ).items():
            assert count <= was[code], f"{told}\n--- more {code}\n{fixed.text}"


@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**9))
def test_a_made_file_is_checked_and_fixed_without_a_fault(seed: int) -> None:
    try_file(seed)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_two_thousand_made_files_are_checked_and_fixed_without_a_fault(part: int) -> None:
    for seed in range(part * 100, part * 100 + 100):
        try_file(seed)


# What torchconf writes.


def alarms_after(case: Case, folder: Path) -> list[str]:
    """Run `init` and return what `check` finds afterwards; nothing where it was refused."""
    folder.mkdir(parents=True)
    file = folder / "pyproject.toml"
    if case.text:
        file.write_text(case.text, encoding="utf-8")
    if init(folder, *case.words).status:
        return []
    found = alarms(file.read_text(encoding="utf-8"))
    if case.values("--default") == ["none"]:
        # One build alone serves everybody in uv, also where somebody wants it for nobody.
        builds = {target.rpartition("-")[2] for target in case.targets}
        found = [alarm for alarm in found if len(builds) > 1 or not alarm.startswith("TC304")]
    return [f"{case}: {alarm}" for alarm in found]


def test_what_init_writes_gets_no_finding(tmp_path: Path) -> None:
    some = cases(30, seed=0)
    assert [a for n, case in enumerate(some) for a in alarms_after(case, tmp_path / str(n))] == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_what_init_writes_gets_no_finding_for_every_request_of_the_conformance_test(
    seed: int, tmp_path: Path
) -> None:
    some = cases(30, seed)
    assert [a for n, case in enumerate(some) for a in alarms_after(case, tmp_path / str(n))] == []


ADDED = ("windows-cuda", "linux-rocm7.2", "linux-aarch64-cu130", "linux-xpu", "macos-cpu")


@pytest.mark.parametrize("layout", sorted(path.stem for path in EXAMPLES.glob("*.toml")))
def test_what_add_target_writes_gets_no_finding(layout: str, tmp_path: Path) -> None:
    start = (EXAMPLES / f"{layout}.toml").read_text(encoding="utf-8")
    random.Random(layout).shuffle(order := [*ADDED])
    demo = Demo(tmp_path, start)
    added = [target for target in order if demo(f"add-target {target}").status == 0]
    assert added
    assert alarms(demo.text) == []
