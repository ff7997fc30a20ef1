"""Which folders are members: those that uv takes for the same patterns."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from torchconf.model.read_project import read_project
from torchconf.resolve.uv import find_uv
from torchconf.workspace.members import member_folders, workspace_around

FOLDERS = (
    ".",
    "packages",
    "packages/.hidden",
    "packages/core",
    "packages/core/plugins/one",
    "tool",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a project in each of the folders, called like the folder."""
    for name in FOLDERS:
        place = tmp_path / name
        place.mkdir(parents=True, exist_ok=True)
        title = Path(name).name.strip(".") or "root"
        (place / "pyproject.toml").write_text(
            f'[project]\nname = "{title}"\nversion = "0"\nrequires-python = ">=3.11"\n'
        )
    # uv refuses a pattern that matches a folder without a project.
    (tmp_path / "packages/core/plugins/pyproject.toml").write_text(
        '[project]\nname = "plugins"\nversion = "0"\nrequires-python = ">=3.11"\n'
    )
    return tmp_path


CASES = [
    ("packages/*", "", {"packages/.hidden", "packages/core"}),
    ("packages/[!.]*", "", {"packages/core"}),
    ("./packages/core/", "", {"packages/core"}),
    (
        "packages/**", "",
        {"packages/.hidden", "packages/core", "packages/core/plugins", "packages/core/plugins/one"},
    ),
    ("packages/**/plugins/**", "", {"packages/core/plugins/one"}),
    (
        "packages/**", "**/plugins/**",
        {"packages/.hidden", "packages/core", "packages/core/plugins"},
    ),
    ("packages/**", "packages/**", set[str]()),
    ("tool", "packages", {"tool"}),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "exclude", "expected"), CASES)
def test_patterns_name_members(
    folder: Path, pattern: str, exclude: str, expected: set[str]
) -> None:
    table = {"members": [pattern], "exclude": [exclude] if exclude else []}
    root = read_project({"tool": {"uv": {"workspace": table}}})
    found = {
        Path(each).relative_to(folder).as_posix() for each in member_folders(root, str(folder))
    }
    assert found == expected


@pytest.mark.uv
@pytest.mark.parametrize(("pattern", "exclude", "expected"), CASES)
def test_uv_takes_the_same(folder: Path, pattern: str, exclude: str, expected: set[str]) -> None:
    file = folder / "pyproject.toml"
    lists = f'members = ["{pattern}"]\nexclude = ["{exclude or "none"}"]\n'
    file.write_text(f"{file.read_text()}\n[tool.uv.workspace]\n{lists}")
    subprocess.run([find_uv(), "lock", "--offline"], cwd=folder, check=True, capture_output=True)
    packages = tomllib.loads((folder / "uv.lock").read_text())["package"]
    found = {each["source"].get("virtual", each["source"].get("editable")) for each in packages}
    assert found - {"."} == expected


@pytest.mark.parametrize(
    ("exclude", "place", "is_left_out"),
    [
        ("packages/old", "packages/old", True),
        ("packages/*", "packages/new", True),
        ("packages/*", "packages/new/inside", False),
        ("packages/**", "packages/new/inside", True),
        ("packages/**", "packages", False),
        ("**/inside", "packages/new/inside", True),
        ("**/inside", "inside", True),
        ("**/inside", "inside/new", False),
    ],
)
def test_a_new_folder_may_be_left_out(
    tmp_path: Path, exclude: str, place: str, is_left_out: bool
) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(f'[tool.uv.workspace]\nmembers = []\nexclude = ["{exclude}"]\n')
    assert (workspace_around(str(tmp_path / place)) is None) is is_left_out
