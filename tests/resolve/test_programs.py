"""Programs are found on PATH, and never in a project, whose files may be a stranger's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from torchconf.errors import UvError
from torchconf.resolve.programs import find_program
from torchconf.resolve.uv import find_uv

ENDING = ".exe" if sys.platform == "win32" else ""


def place(folder: Path, name: str = "uv") -> Path:
    """Put a program into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / f"{name}{ENDING}"
    program.write_text("#!/bin/sh\necho a stranger's\n", encoding="utf-8")
    program.chmod(0o755)
    return program


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a project that has a uv of its own in several folders, and stand in it."""
    folder = tmp_path / "project"
    for inside in ("", "bin", "deep/er/bin", "uv-not-a-file"):
        place(folder / inside)
    (folder / "pyproject.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


INSIDE = ("", ".", "./", "bin", "../project", "../project/bin", "deep/../bin", "~/bin")


@pytest.mark.parametrize("entry", INSIDE)
def test_an_entry_that_is_empty_or_relative_leads_nowhere(project: Path, entry: str) -> None:
    assert project.is_dir()
    assert find_program("uv", entry) is None


@pytest.mark.parametrize("entry", ["", "bin", "deep/er/bin"])
def test_nor_does_one_inside_the_project(
    project: Path, tmp_path: Path, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_program("uv", str(project / entry)) is None
    link = tmp_path / "link"
    link.symlink_to(project / entry)
    assert find_program("uv", str(link)) is None
    monkeypatch.chdir(tmp_path / "project/deep")
    assert find_program("uv", str(project / entry)) is None
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert find_program("uv", str(project / entry)) is None


def test_the_folder_in_which_one_stands_needs_no_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = place(tmp_path / "repository/bin")
    monkeypatch.chdir(tmp_path / "repository")
    assert find_program("uv", str(program.parent)) is None
    monkeypatch.chdir(tmp_path)
    assert find_program("uv", str(program.parent)) is None


@pytest.mark.parametrize("entry", INSIDE)
def test_the_search_goes_on_behind_it(project: Path, tmp_path: Path, entry: str) -> None:
    program = place(tmp_path / "programs")
    path = os.pathsep.join([entry, str(project / "bin"), str(program.parent), ""])
    assert find_program("uv", path) == str(program)


def test_what_is_no_program_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a/uv").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b/uv").write_text("", encoding="utf-8")
    program = place(tmp_path / "c")
    entries = [str(tmp_path / name) for name in ("none", "a", "b", "c")]
    assert find_program("uv", os.pathsep.join(entries)) == str(program)


def test_a_home_is_no_project_even_if_it_has_a_pyproject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = place(tmp_path / "home/.local/bin")
    (tmp_path / "home/pyproject.toml").write_text("", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for here in (tmp_path / "home", tmp_path):
        monkeypatch.chdir(here)
        assert find_program("uv", str(program.parent)) == str(program)


def test_the_uv_beside_the_python_that_runs_counts_in_a_project_too(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", str(project / "bin/python"))
    assert find_uv() == str(project / f"bin/uv{ENDING}")
    monkeypatch.setattr(sys, "executable", str(project / "none/python"))
    with pytest.raises(UvError, match="uv was not found"):
        find_uv()


def test_a_uv_that_is_not_run_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(project / "none/python"))
    monkeypatch.setenv("PATH", str(project / "bin"))
    with pytest.raises(UvError, match=r"outside of a project; `.*uv.*` is not run"):
        find_uv()


def test_windows_finds_the_endings_that_it_runs_and_not_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("PATHEXT", ".EXE;.BAT")
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        for name in ("uv", "uv.BAT"):
            (tmp_path / folder / name).write_text("", encoding="utf-8")
            (tmp_path / folder / name).chmod(0o755)
    monkeypatch.chdir(tmp_path / "here")
    assert find_program("uv", "") is None
    assert find_program("uv", str(tmp_path / "there")) == str(tmp_path / "there/uv.BAT")
