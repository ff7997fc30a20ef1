"""`check` where people run it: before a commit, in a pull request, in code scanning."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from sarif_pydantic import Sarif  # type: ignore[import-untyped]  # it does not say that it has types

from tests.support.checked_texts import RIGHT, WRONG
from tests.support.paths import ROOT
from tests.support.projects import Demo, run_in

REPOSITORY = ROOT
HOOKS = REPOSITORY / ".pre-commit-hooks.yaml"
ACTION = REPOSITORY / "action.yml"
SHIPPED = ("pyproject.toml", "README.md", "LICENSE", "torchconf", HOOKS.name, ACTION.name)
"""What a clone has of that which an installation needs."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a git repository with this project as it is now, committed or not."""
    folder = tmp_path_factory.mktemp("clone") / "torchconf"
    folder.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    for name in (*SHIPPED, "templates"):
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        elif source.exists():
            shutil.copy(source, folder / name)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    """Put a folder under git."""
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for words in (["init", "--quiet"], ["add", "-A"], [*identity, "commit", "-qm", "all"]):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


# SARIF.


def test_sarif_is_what_the_standard_says(tmp_path: Path) -> None:
    demo = Demo(tmp_path, WRONG)
    result = demo("check --format sarif")
    assert result.status == 1
    log = Sarif.model_validate(result.json)
    (run,) = log.runs
    assert run.results is not None
    (found,) = run.results
    assert (log.version, found.rule_id) == ("2.1.0", "TC405")
    location = result.json["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "pyproject.toml"
    assert location["region"] == {
        "startLine": 10, "startColumn": 1, "endLine": 10, "endColumn": 36,
    }  # fmt: skip
    (rule,) = result.json["runs"][0]["tool"]["driver"]["rules"]
    assert rule["id"] == "TC405"


def test_sarif_without_findings_is_valid_too(tmp_path: Path) -> None:
    result = Demo(tmp_path, RIGHT)("check --format sarif")
    assert result.status == 0
    (run,) = Sarif.model_validate(result.json).runs
    assert run.results == []


# pre-commit.


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize(
    ("hook", "before", "status", "changed"),
    [
        ("torchconf-check", WRONG, 1, False),
        ("torchconf-check", RIGHT, 0, False),
        ("torchconf-fix", WRONG, 1, True),
    ],
)
def test_pre_commit_runs_the_hooks(
    clone: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    hook: str,
    before: str,
    status: int,
    changed: bool,
) -> None:
    demo = Demo(tmp_path, before)
    (demo.folder / "notes.toml").write_text("[broken\n", encoding="utf-8")
    commit(demo.folder)
    # One cache for all: the environment of the hook is built once.
    cache = str(tmp_path_factory.getbasetemp() / "pre-commit")
    done = subprocess.run(
        [
            sys.executable, "-m", "pre_commit", "try-repo", str(clone), hook,
            "--all-files", "--verbose", "--color", "never",
        ],
        cwd=demo.folder,
        env=os.environ | {"PRE_COMMIT_HOME": cache},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    assert ("TC405" in done.stdout) == (hook == "torchconf-check" and before == WRONG)
    assert (demo.text != before) == changed
    assert "[broken" not in done.stdout, "only pyproject.toml is looked at"


# GitHub.


def action() -> dict[str, Any]:
    return dict(yaml.safe_load(ACTION.read_text(encoding="utf-8")))


@pytest.mark.network
def test_the_action_annotates_the_lines_of_a_change(clone: Path, tmp_path: Path) -> None:
    demo = Demo(tmp_path, WRONG)
    inputs = {name: entry["default"] for name, entry in action()["inputs"].items()}
    inputs["args"] = "--strict  --ignore TC111"
    (step,) = [step for step in action()["runs"]["steps"] if "run" in step]
    env = {
        name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: inputs[found[1]], text)
        for name, text in step["env"].items()
    }
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=demo.folder,
        env=os.environ | env | {"GITHUB_ACTION_PATH": str(clone), "PATH": beside},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith("::error file=pyproject.toml,line=10,endLine=10,")


# Members elsewhere.

VICTIM = """\
[project]
name = "victim"
version = "1"
requires-python = ">=3.11"
dependencies = ["torch"]

[tool.uv.sources]
torch = { index = "pytorch-cu130" }

[[tool.uv.index]]
name = "pytorch-cu130"
url = "https://download.pytorch.org/whl/cu130"
"""


def outsider(tmp_path: Path, how: str) -> tuple[Path, Path]:
    """Make a workspace that takes a project outside of it as a member; return it and the file."""
    root = tmp_path / "stranger"
    other = tmp_path / "victim"
    root.mkdir()
    other.mkdir()
    (other / "pyproject.toml").write_text(VICTIM, encoding="utf-8")
    members = {"above": "../victim", "folder": "packages/*", "file": "packages/*"}[how]
    (root / "pyproject.toml").write_text(
        f'[tool.uv.workspace]\nmembers = ["{members}"]\n', encoding="utf-8"
    )
    (root / "packages").mkdir()
    if how == "folder":
        (root / "packages/link").symlink_to(other)
    elif how == "file":
        (root / "packages/link").mkdir()
        (root / "packages/link/pyproject.toml").symlink_to(other / "pyproject.toml")
    return root, other / "pyproject.toml"


@pytest.mark.parametrize("how", ["above", "folder", "file"])
def test_a_member_outside_the_workspace_is_only_written_if_it_is_named(
    how: str, tmp_path: Path
) -> None:
    root, victim = outsider(tmp_path, how)
    assert "TC405" in run_in(root, "check").out, "it is checked"
    for command in ("check --fix", "check . --fix", "check --diff"):
        result = run_in(root, command)
        assert victim.read_text(encoding="utf-8") == VICTIM
        assert "+torch" not in result.out
    assert "is outside of this folder; name it to fix it" in run_in(root, "check --fix").err
    run_in(root, "check --fix ../victim/pyproject.toml")
    assert "sys_platform" in victim.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [".", "pyproject.toml", "here.toml/pyproject.toml", "demo"])
def test_a_path_beside_project_is_one_inside_of_it_if_it_is_there(
    path: str, tmp_path: Path
) -> None:
    for name, text in (("demo", WRONG), ("other", RIGHT), ("other/here.toml", WRONG)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(text)
    found = run_in(tmp_path / "other", f"check --project ../demo --format json {path}").json
    if path == "demo":
        assert found["error"]["message"]
    else:
        assert {Path(one["path"]).parent.name for one in found["findings"]} == {
            "here.toml" if "here" in path else "demo"
        }
