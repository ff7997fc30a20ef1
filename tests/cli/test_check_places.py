"""`check` where people run it: before a commit, in a pull request, in code scanning."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no stubs
from markdown_it import MarkdownIt
from sarif_pydantic import Sarif  # type: ignore[import-untyped]  # it does not say that it has types

from tests.support.checked_texts import RIGHT, WRONG
from tests.support.projects import Demo, run_in
from tests.support.replica import Replica
from tests.support.repositories import Repo, clone_of_this_repository
from torchconf.resolve.uv import find_uv


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a git repository with this project as it is now, committed or not."""
    return clone_of_this_repository(tmp_path_factory)


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


# GitLab.

CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^[^./]"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
"""What <https://docs.gitlab.com/ci/testing/code_quality/> asks of a report."""


def quality(demo: Demo, command: str = "check --format gitlab") -> list[dict[str, Any]]:
    found = demo(command).json
    Draft202012Validator(CODE_QUALITY).validate(found)
    marks = [one["fingerprint"] for one in found]
    assert len(marks) == len(set(marks))
    return list(found)


def test_gitlab_gets_an_entry_for_each_finding(tmp_path: Path) -> None:
    demo = Demo(tmp_path, WRONG)
    (found,) = quality(demo)
    assert found["check_name"].startswith("TC405 ")
    assert found["severity"] == "critical"
    assert found["location"] == {"path": "pyproject.toml", "lines": {"begin": 10, "end": 10}}
    # It is the same finding further down.
    demo.path.write_text("# a comment\n" + WRONG)
    (moved,) = quality(demo)
    assert moved["location"]["lines"]["begin"] == 11
    assert moved["fingerprint"] == found["fingerprint"]
    demo.path.write_text(RIGHT)
    assert quality(demo) == []


def test_gitlab_is_told_of_the_files_that_can_be_read(tmp_path: Path) -> None:
    demo = Demo(tmp_path, WRONG)
    (demo.folder / "broken").mkdir()
    (demo.folder / "broken/pyproject.toml").write_text("[project")
    result = demo("check . --format gitlab")
    assert (result.status, len(result.json)) == (2, 1)
    assert "broken" in result.err


def test_python_files_without_torch_are_skipped_if_that_is_asked_for(tmp_path: Path) -> None:
    demo = Demo(tmp_path, RIGHT)
    block = '# /// script\n# dependencies = ["{}"]\n# ///\n'
    Path(demo.folder, "plain.py").write_text("print()\n")
    Path(demo.folder, "other.py").write_text(block.format("numpy"))
    Path(demo.folder, "train.py").write_text(block.format("torch"))
    names = "pyproject.toml plain.py other.py train.py"
    assert demo(f"check {names}").status == 2
    assert demo(f"check --skip-other-python {names}").status == 0
    assert "nothing found in 2 files" in demo(f"check --skip-other-python {names}").err
    assert demo("check --skip-other-python plain.py").status == 0
    assert demo("check --skip-other-python missing.py").status == 2


# Markdown.


def test_markdown_is_a_table_of_the_findings_and_a_list_of_what_could_not_be_read(
    tmp_path: Path,
) -> None:
    demo = Demo(tmp_path, WRONG)
    (demo.folder / "a|b").mkdir()
    (demo.folder / "a|b/pyproject.toml").write_text("[project")
    result = demo("check . --format markdown")
    assert result.status == 2
    tokens = MarkdownIt("commonmark").enable("table").parse(result.out)
    kinds = [token.type for token in tokens if token.level == 0 and token.nesting == 1]
    assert kinds == ["table_open", "paragraph_open", "bullet_list_open"]
    words = [
        "".join(part.content for part in token.children or [] if part.type != "html_inline")
        for token in tokens
        if token.type == "inline"
    ]
    assert words[:7] == [
        "severity", "place", "rule", "finding",
        "error", "pyproject.toml:10", "TC405 cuda-on-macos",
    ]  # fmt: skip
    assert words[8].startswith("found 1 error in 1 file")
    assert words[9].startswith("not valid TOML: ")
    assert words[9].endswith("(a|b/pyproject.toml)")


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
    Repo.make(demo.folder).commit()
    done = run_hook(hook, clone, demo.folder, tmp_path_factory)
    assert done.returncode == status, done.stdout + done.stderr
    assert ("TC405" in done.stdout) == (hook == "torchconf-check" and before == WRONG)
    assert (demo.text != before) == changed
    assert "[broken" not in done.stdout, "only pyproject.toml is looked at"


def run_hook(
    hook: str, clone: Path, folder: Path, factory: pytest.TempPathFactory, **env: str
) -> subprocess.CompletedProcess[str]:
    # One cache for all: the environment of the hooks is built once.
    cache = str(factory.getbasetemp() / "pre-commit")
    return subprocess.run(
        [
            sys.executable, "-m", "pre_commit", "try-repo", str(clone), hook,
            "--all-files", "--verbose", "--color", "never",
        ],
        cwd=folder,
        env=os.environ | {"PRE_COMMIT_HOME": cache} | env,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.network
def test_pre_commit_asks_uv_only_if_that_hook_is_chosen(
    clone: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, replica: Replica
) -> None:
    demo = Demo.of(tmp_path, "examples/markers")
    Repo.make(demo.folder).commit()
    # Only uv is inside the replica: the environment of the hook comes from PyPI.
    programs = tmp_path / "bin"
    programs.mkdir()
    inside = "".join(
        f"export {name}={shlex.quote(value)}\n"
        for name, value in replica.environment().items()
        if os.environ.get(name) != value
    )
    uv = programs / "uv"
    uv.write_text(f'#!/bin/sh\n{inside}exec {shlex.quote(find_uv())} "$@"\n', encoding="utf-8")
    uv.chmod(0o755)
    path = os.pathsep.join([str(programs), os.environ["PATH"]])

    def verify() -> subprocess.CompletedProcess[str]:
        return run_hook("torchconf-verify", clone, demo.folder, tmp_path_factory, PATH=path)

    done = verify()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all correct" in done.stdout
    # `check` has nothing to say of it, but uv takes different releases.
    demo.path.write_text(RIGHT)
    assert verify().returncode == 1


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
