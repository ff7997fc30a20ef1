"""A day with the language server: thousands of edits, broken ones among them, in a large file.

`pytest -m slow tests/editor/test_endurance.py -s` prints how long a keystroke takes to be answered.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
from pathlib import Path

import pytest

from tests.support.editor import Editor, editor
from tests.support.projects import EXAMPLES
from torchconf.editor.analysis import Analysis

EXAMPLE = (EXAMPLES / "extras.toml").read_text(encoding="utf-8")
PIECES = ["[", "]", "{", "}", '"', "'", "=", "\n", ",", "#", "\\", "linux", "🔥", "\r", '"""', "é"]
EDITS = 5000
EDITED = 300
MOST = 100
"""Milliseconds of the processor for a keystroke in a thousand lines: a busy one takes twice as long
as a quiet one, which must answer within 50.
"""
MEGABYTE = 1024


def lines_of_others(number: int) -> str:
    """Return what a large file has besides: dependencies, and the tables of other tools."""
    needs = [
        f"    \"package-{n}>=1.{n},<2 ; sys_platform == 'linux'\", # {n}" for n in range(number)
    ]
    rules = [f'"tests/{n}.py" = ["S101", "D{n}"]' for n in range(number)]
    text = EXAMPLE.replace("dependencies = []", "\n".join(["dependencies = [", *needs, "]"]))
    return "\n".join([text, "[tool.ruff.lint.per-file-ignores]", *rules, ""])


def typed(text: str, chance: random.Random) -> str:
    """Return a text after one more keystroke, or one that takes some away."""
    at = chance.randrange(len(text) + 1)
    taken = chance.choice((0, 0, 1, 9))
    return f"{text[:at]}{chance.choice(PIECES)}{text[at + taken :]}"


def memory(it: Editor) -> int:
    """Return what the server holds, in kB."""
    status = Path(f"/proc/{it.process.pid}/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def seconds(it: Editor) -> float:
    """Return the processor time that the server has taken."""
    fields = Path(f"/proc/{it.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


linux = pytest.mark.skipif(sys.platform != "linux", reason="what it takes is read from /proc")


@pytest.mark.slow
@linux
def test_memory_stays_and_no_answer_is_stale(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    chance = random.Random(19)
    held = {}
    with editor(tmp_path) as it:
        it.start()
        it.open(path, EXAMPLE)
        text = EXAMPLE
        for version in range(2, EDITS + 2):
            # Most edits damage it further; now and then somebody undoes them all.
            text = EXAMPLE if version % 10 == 0 else typed(text, chance)
            it.change(path, text, version)
            # Mostly the next keystroke comes before the answer.
            if version % 25 == 0:
                it.wait(path, version)
            if version in (EDITS // 5, EDITS):
                held[version] = memory(it)
        told = it.wait(path, EDITS + 1)
        expected = [one.message for one in Analysis(str(path), text).problems]
        assert [one["message"] for one in told] == expected
        versions = [version for uri, version in it.said if uri == path.as_uri() and version]
        assert versions == sorted(versions)
        assert not it.logs
        assert it.leave() == 0
    print(f"memory after a fifth of the edits and after all, in kB: {[*held.values()]}")
    assert held[EDITS] - held[EDITS // 5] < 2 * MEGABYTE


@pytest.mark.slow
@linux
@pytest.mark.parametrize("number", [0, 480])
def test_a_keystroke_is_answered_at_once(number: int, tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    text = lines_of_others(number)
    took = []
    with editor(tmp_path) as it:
        it.start()
        it.open(path, text)
        before = seconds(it)
        for version in range(2, EDITED + 2):
            changed = text.replace("[tool.uv]", "[tool.uv" if version % 10 == 0 else "[tool.uv] #")
            start = time.perf_counter()
            it.change(path, changed + "x" * (version % 7), version)
            it.wait(path, version)
            took.append((time.perf_counter() - start) * 1000)
        each = (seconds(it) - before) * 1000 / EDITED
        assert it.leave() == 0
    took = sorted(took[20:])
    median, late = statistics.median(took), took[len(took) * 99 // 100]
    lines = text.count("\n")
    print(f"{lines} lines: median {median:.1f} ms, p99 {late:.1f} ms, {each:.1f} ms of processor")
    # Other programs take more from the clock than from the processor's time.
    assert each < MOST
