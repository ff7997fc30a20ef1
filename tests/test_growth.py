"""What a command does grows with its file as the file grows, and not as its square.

Counted in calls, which no other program on the machine changes; the slow test takes CPU seconds.
"""

import io
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import FrameType

import pytest

from tests.growth import COMMANDS, PROMISED, QUICK, measure
from tests.support.few import every
from tests.support.growing import FIXABLE, SHAPES, Files
from torchconf.cli import main

SMALL = 30
TOLERATED = 1.6
"""An exponent between sizes at which what does not grow still counts; 2 is a square."""
MEASURED = (
    *((shape, command) for shape in SHAPES for command in ("check", "show", "add-target")),
    *((shape, "fix") for shape in FIXABLE),
)


def calls(files: Files, words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many functions one command calls."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    count = 0

    def note(_frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal count
        count += 1

    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        before = sys.getprofile()
        sys.setprofile(note)
        try:
            main(words)
        finally:
            sys.setprofile(before)
    return count


@pytest.mark.parametrize("measured", every(MEASURED, 16))
def test_twice_as_much_takes_twice_as_many_calls(
    measured: tuple[Callable[[int], Files], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape, command = measured
    words = COMMANDS[command]
    calls(shape(1), words, tmp_path / "first", monkeypatch)  # Modules are imported, values cached.
    none, once, twice = (
        calls(shape(size), words, tmp_path / str(size), monkeypatch)
        for size in (1, SMALL, 2 * SMALL)
    )

    assert twice - none <= 2**TOLERATED * max(once - none, 1000), (none, once, twice)


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "command"), MEASURED)
def test_a_thousand_of_each_take_little_more_than_ten_times_a_hundred(
    shape: Callable[[int], Files], command: str
) -> None:
    costs, power = measure(shape, COMMANDS[command], (10, 100, 300, 1000), 60)

    assert costs[-1] < QUICK or power <= PROMISED + 0.3, (costs, power)
