"""What `export` does with its files: `--check` names each that is out of date and writes none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from torchconf.cli.export import _deliver

TEXTS = {"a.txt": "one\n", "b.txt": "two\n", "c.txt": "three\n"}


class Told:
    """The options that matter here."""

    format = "requirements.txt"

    def __init__(self, folder: Path, *, check: bool = False, dry_run: bool = False) -> None:
        self.output = str(folder)
        self.check, self.dry_run = check, dry_run
        self.common = self
        self.quiet = False


def deliver(folder: Path, **flags: bool) -> int:
    options: Any = Told(folder, **flags)
    return _deliver(TEXTS, options)


@pytest.mark.parametrize("stale", [[], ["a.txt"], ["b.txt", "c.txt"], [*TEXTS]])
def test_check_names_every_file_that_is_out_of_date(
    stale: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in TEXTS.items():
        (tmp_path / name).write_text("old\n" if name in stale else text, encoding="utf-8")
    assert deliver(tmp_path, check=True) == bool(stale)
    said = capsys.readouterr().err
    assert [name for name in TEXTS if name in said] == stale
    assert {name for name in TEXTS if (tmp_path / name).read_text() == "old\n"} == set(stale)


def test_check_names_a_file_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("one\n", encoding="utf-8")
    assert deliver(tmp_path, check=True) == 1
    said = capsys.readouterr().err
    assert ("a.txt" in said, "b.txt" in said, "c.txt" in said) == (False, True, True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_dry_run_prints_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deliver(tmp_path / "new", dry_run=True) == 0
    said = capsys.readouterr().out
    assert all(text in said for text in TEXTS.values())
    assert not (tmp_path / "new").exists()


def test_files_are_written_and_those_that_stay_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("one\n", encoding="utf-8")
    assert deliver(tmp_path) == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == TEXTS
    first, *others = capsys.readouterr().err.splitlines()
    assert "wrote" not in first
    assert [line.split()[0] for line in others] == ["wrote", "wrote"]
