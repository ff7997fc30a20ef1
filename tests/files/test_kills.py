"""A run that is ended by a signal at any moment: two files or none, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.few import few
from tests.support.kills import Left
from tests.support.paths import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")

ALL = ("SIGINT", "SIGTERM", "SIGHUP", "SIGKILL")


def kills(folder: Path, kind: str, step: int, *signals: str) -> list[Left]:
    """Return what is left by all runs."""
    command = [sys.executable, "-m", "tests.support.kills", str(folder / "workspace"), kind]
    done = subprocess.run(
        [*command, str(step), *signals], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [Left(**json.loads(line)) for line in done.stdout.splitlines() if line[0] == "{"]


def hold(left: Left) -> None:
    """Compare one of them with what is promised."""
    assert not left.litter_later, left
    if left.signal == "SIGKILL":
        return
    assert not left.litter, left
    assert len(set(left.new)) == 1, left
    number = getattr(signal, left.signal)
    assert left.status in {0, 128 + number, -number}, left
    if left.status == 128 + number:
        assert left.message.startswith("interrupted"), left
        assert ("changed: " in left.message) is left.new[0], left
    elif left.status == -number:
        assert left.signal != "SIGINT", left


@pytest.mark.parametrize("name", few(ALL, {"SIGTERM"}.__contains__))
def test_a_signal_leaves_two_files_or_none(name: str, tmp_path: Path) -> None:
    found = kills(tmp_path, "calls", 7, name)
    assert len(found) > 4
    for left in found:
        hold(left)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["calls", "lines"])
@pytest.mark.parametrize("name", ALL)
def test_a_signal_at_every_moment_leaves_two_files_or_none(
    name: str, kind: str, tmp_path: Path
) -> None:
    found = kills(tmp_path, kind, 1, name)
    assert len(found) > {"calls": 30, "lines": 200}[kind]
    for left in found:
        hold(left)
    if name != "SIGKILL":
        assert {True, False} == {new for left in found for new in left.new if left.status}
