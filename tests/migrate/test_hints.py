"""Other commands beside old files: they say what they saw, and name `migrate`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.projects import Demo

OLD = {
    "requirements.txt": "torch==2.3.1+cu121\n",
    "requirements/gpu.txt": "torch\n",
    "environment.yml": "name: demo\ndependencies:\n  - pytorch\n",
    "Pipfile": "[packages]\ntorch = '*'\n",
    "pixi.toml": "[workspace]\nname = 'demo'\n",
}
POETRY = "[tool.poetry]\nname = 'demo'\n"


def beside(demo: Demo, name: str) -> None:
    path = demo.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(OLD[name])


@pytest.mark.parametrize("command", ["show", "check", "check .", "upgrade", "add-target linux-cpu"])
@pytest.mark.parametrize("name", OLD)
def test_a_folder_without_a_project_is_no_dead_end(name: str, command: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    beside(demo, name)
    result = demo(command)
    assert result.status == 2
    assert f"run `torchconf migrate` to turn {name} into a uv project" in result.err


@pytest.mark.parametrize("name", OLD)
@pytest.mark.parametrize("command", ["check {}", "show --project {}", "init --project {}"])
def test_a_file_of_another_tool_is_called_what_it_is(
    command: str, name: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path)
    beside(demo, name)
    result = demo(command.format(name))
    assert result.status == 2
    assert "TOML" not in result.err
    assert f"run `torchconf migrate {name}`" in result.err


def test_setup_files_are_no_reason_to_migrate(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    (demo.folder / "setup.cfg").write_text("[metadata]\nname = demo\n")
    assert "migrate" not in demo("show").err
    assert "a file of setuptools" in demo("check setup.cfg").err


def test_init_says_what_lies_beside_it(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    beside(demo, "requirements.txt")
    result = demo("init -t linux-cpu --format json")
    assert any("`torchconf migrate`" in note for note in result.json["notes"])
    assert "migrate" not in demo("init -y").err, "a project with targets has been set up"


@pytest.mark.parametrize("command", ["check", "add-target linux-cpu --dry-run"])
def test_a_project_without_torch_is_told_where_torch_may_be(command: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, "[project]\nname = 'demo'\nversion = '0'\n")
    assert "migrate" not in demo(command).err
    beside(demo, "requirements.txt")
    assert "turn requirements.txt into" in demo(command).err
    assert demo("init -t linux-cpu").status == 0
    assert "migrate" not in demo(command).err


def test_show_names_migrate_where_only_other_files_know_torch(tmp_path: Path) -> None:
    demo = Demo(tmp_path, "[project]\nname = 'demo'\nversion = '0'\n")
    assert "migrate" not in demo("show").err
    beside(demo, "environment.yml")
    assert "turn environment.yml into" in demo("show").err


def test_tables_of_poetry_are_no_dead_end(tmp_path: Path) -> None:
    demo = Demo(tmp_path, POETRY)
    assert "run `torchconf migrate`" in demo("init -t linux-cpu").err
    assert "turn Poetry's tables into" in demo("show").err
