"""Workspaces: what counts only in the root is written there, both files together or not at all."""

from __future__ import annotations

import json
import os
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.replica import Build, Replica
from torchconf import files
from torchconf.cli import main

ROOT = '[tool.uv.workspace]\nmembers = ["packages/*"]\nexclude = ["packages/old"]\n'
MEMBER = """\
[project]
name = "core"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["torch>=2.4"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""
INIT = "-t linux-cu130 -t linux-cpu -t macos-cpu --required-environments --pin"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Make a root without a project, and one member, a library with torch in its dependencies."""
    member = tmp_path / "packages" / "core"
    member.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(ROOT)
    (member / "pyproject.toml").write_text(MEMBER)
    return tmp_path


def run(folder: Path, words: str) -> int:
    """Run torchconf on a folder."""
    command, *rest = shlex.split(words)
    return main([command, "--project", str(folder), *rest])


def data(folder: Path) -> dict[str, Any]:
    """Read a folder's pyproject.toml."""
    return tomllib.loads((folder / "pyproject.toml").read_text())


def test_root_gets_what_uv_reads_only_there(workspace: Path) -> None:
    member = workspace / "packages" / "core"
    assert run(member, f"init {INIT}") == 0
    assert data(workspace)["tool"]["uv"] == {
        "workspace": {"members": ["packages/*"], "exclude": ["packages/old"]},
        "environments": [
            "sys_platform == 'linux'",
            "sys_platform == 'darwin'",
            "sys_platform == 'win32'",
        ],
        "required-environments": [
            "sys_platform == 'linux' and platform_machine == 'x86_64'",
            "sys_platform == 'darwin' and platform_machine == 'arm64'",
        ],
        "constraint-dependencies": ["torch==2.13.0"],
    }
    assert set(data(member)["tool"]["uv"]) == {"default-groups", "conflicts", "sources", "index"}


def test_second_run_changes_neither_file(workspace: Path) -> None:
    member = workspace / "packages" / "core"
    assert run(member, f"init {INIT}") == 0
    before = [(folder / "pyproject.toml").read_bytes() for folder in (workspace, member)]
    assert run(member, f"init {INIT} --check") == 0
    assert run(member, f"init {INIT}") == 0
    assert before == [(folder / "pyproject.toml").read_bytes() for folder in (workspace, member)]


def test_dry_run_shows_both_files_and_writes_none(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    member = workspace / "packages" / "core"
    assert run(member, f"init {INIT} --dry-run") == 0
    out = capsys.readouterr().out
    headers = [line for line in out.splitlines() if line.startswith("+++ ")]
    assert len(headers) == 2
    assert "+required-environments = [" in out
    assert "+conflicts = [" in out
    assert (workspace / "pyproject.toml").read_text() == ROOT
    assert (member / "pyproject.toml").read_text() == MEMBER


def test_neither_file_is_written_if_one_can_not_be(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    member = workspace / "packages" / "core"
    real = os.replace

    def fails_for_the_member(source: str, target: str) -> None:
        if Path(target).parent.name == "core":
            raise PermissionError(13, "Permission denied")
        real(source, target)

    monkeypatch.setattr("torchconf.files.replacing.os.replace", fails_for_the_member)
    assert run(member, f"init {INIT}") == 2
    assert "error:" in capsys.readouterr().err
    assert (workspace / "pyproject.toml").read_text() == ROOT
    assert (member / "pyproject.toml").read_text() == MEMBER
    assert sorted(p.name for p in member.iterdir()) == ["pyproject.toml"]
    assert files.NAME in {p.name for p in workspace.iterdir()}


def test_printed_commands_name_the_member_and_real_uv_takes_them(
    workspace: Path, replica: Replica, capsys: pytest.CaptureFixture[str]
) -> None:
    member = workspace / "packages" / "core"
    assert run(member, f"init {INIT} --format json") == 0
    targets = json.loads(capsys.readouterr().out)["targets"]
    assert {t["target"]: t["command"] for t in targets} == {
        "linux-cu130": "uv sync --package core --no-group cpu --group cu130",
        "linux-cpu": "uv sync --package core",
        "macos-cpu": "uv sync --package core",
    }
    replica.lock(workspace)
    wanted = {"linux-cu130": "+cu130", "linux-cpu": "+cpu", "macos-cpu": ""}
    platforms = {"linux": "linux-x86_64", "macos": "macos-arm64"}
    for target in targets:
        words = shlex.split(target["command"])[2:]
        platform = platforms[target["target"].partition("-")[0]]
        build = replica.selected(workspace, platform, "3.12", *words)["torch"]
        assert isinstance(build, Build)
        assert build.version == f"2.13.0{wanted[target['target']]}"


@pytest.mark.usefixtures("inside_replica")
def test_lock_failure_puts_both_files_back(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    member = workspace / "packages" / "core"
    broken = MEMBER.replace('"torch>=2.4"', '"torch>=2.4", "no-such-package"')
    (member / "pyproject.toml").write_text(broken)
    assert run(member, f"init {INIT} --lock") == 2
    assert "all files restored" in capsys.readouterr().err
    assert (workspace / "pyproject.toml").read_text() == ROOT
    assert (member / "pyproject.toml").read_text() == broken
    assert not (workspace / "uv.lock").exists()


def test_folder_that_is_left_out_is_a_project_of_its_own(workspace: Path) -> None:
    old = workspace / "packages" / "old"
    old.mkdir()
    (old / "pyproject.toml").write_text(MEMBER.replace("core", "old"))
    assert run(old, f"init {INIT}") == 0
    assert (workspace / "pyproject.toml").read_text() == ROOT
    assert "environments" in data(old)["tool"]["uv"]


def test_member_that_inherits_its_sources_is_sent_to_the_root(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(workspace, "init -t linux-cu130 -t macos-cpu") == 0
    assert "project" not in data(workspace), "a root without a project does not get one"
    assert "torch" in data(workspace)["tool"]["uv"]["sources"]
    member = workspace / "packages" / "core"
    capsys.readouterr()
    assert run(member, "add-target windows-cuda") == 2
    error = capsys.readouterr().err
    assert "takes its PyTorch sources from the workspace root" in error
    assert (member / "pyproject.toml").read_text() == MEMBER
    assert run(workspace, "add-target windows-cuda") == 0


def test_show_lists_the_members_that_need_torch(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(workspace, "init -t linux-cu130 -t macos-cpu") == 0
    capsys.readouterr()
    assert run(workspace, "show --format json") == 0
    rows = json.loads(capsys.readouterr().out)["routes"]
    found = {(r["command"], r["platform"]): r["backend"] for r in rows}
    assert found["uv sync --package core", "linux-x86_64"] == "cu130"
    assert found["uv sync --package core", "macos-arm64"] == "cpu"


def test_virtual_root_has_no_extras_to_choose_by(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(workspace, "init -t linux-cu130 -t linux-cpu") == 2
    error = capsys.readouterr().err
    assert "a workspace root without `[project]` cannot have the layout" in error
    assert "pass `--layout extras`" in error
    assert (workspace / "pyproject.toml").read_text() == ROOT
