"""Files that somebody wrote, and what a command makes of them: the folders under `changes`.

A folder has `before.toml` and `command.txt`. With `after.toml`, that is the file afterwards; with
`error.txt`, the command is refused, its first lines are these, and the file stays as it was.
"""

from __future__ import annotations

import shlex
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.support.changes import CASES, CHANGES, FOLDER, REFUSALS, comments, lines_outside
from torchconf.cli import main


def run(case: Path) -> int:
    """Run the command of a case in the current folder."""
    command = shlex.split((case / "command.txt").read_text(encoding="utf-8"))
    assert command[0] == "torchconf"
    return main(command[1:])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "demo"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


# Nothing changes.


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name)
def test_what_is_refused_names_the_place_and_leaves_the_file(
    case: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = here / "pyproject.toml"
    shutil.copy(case / "before.toml", file)
    before = file.read_bytes()

    assert run(case) == 2
    assert file.read_bytes() == before
    assert sorted(path.name for path in here.iterdir()) == ["pyproject.toml"]
    told = capsys.readouterr().err.splitlines()
    expected = (case / "error.txt").read_text(encoding="utf-8").splitlines()
    assert told[: len(expected)] == expected
    assert any(line.startswith("   at: pyproject.toml") for line in told), "the place"


# Something does.


@pytest.mark.parametrize("case", CHANGES, ids=lambda case: case.name)
def test_command_turns_before_into_after(case: Path, here: Path) -> None:
    file = here / "pyproject.toml"
    shutil.copy(case / "before.toml", file)
    after = (case / "after.toml").read_bytes()

    assert run(case) == 0
    assert file.read_bytes() == after

    # A target that was removed can not be removed again.
    assert run(case) == (2 if "remove-target" in _command(case) else 0)
    assert file.read_bytes() == after, "a second run changes nothing"


@pytest.mark.parametrize("case", CHANGES, ids=lambda case: case.name)
def test_lines_outside_the_torch_tables_stay(case: Path) -> None:
    before = (case / "before.toml").read_bytes().removeprefix(b"\xef\xbb\xbf").decode()
    after = (case / "after.toml").read_bytes().removeprefix(b"\xef\xbb\xbf").decode()

    assert list(lines_outside(after)) == list(lines_outside(before))
    assert not Counter(comments(before)) - Counter(comments(after)), "comments stay"


def test_every_folder_is_a_case() -> None:
    assert {path.parent for path in FOLDER.glob("*/*")} == set(CASES)
    assert len(CHANGES) + len(REFUSALS) == len(CASES)
    assert len(CHANGES) >= 80


def _command(case: Path) -> str:
    return (case / "command.txt").read_text(encoding="utf-8")
