"""Blocks of the pages that other programs read: Dockerfiles, and the task of an editor."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import torchconf
from tests.support.checked_texts import WARNED, WRONG
from tests.support.doc_blocks import Block, blocks
from tests.support.paths import PAGES, ROOT
from tests.support.projects import Demo
from torchconf.cli import COMMANDS


def blocks_of(page: str, language: str) -> list[Block]:
    """Return the blocks of one language of a page."""
    found = blocks((PAGES / page).read_text(encoding="utf-8"))
    return [block for block in found if block.language == language]


@pytest.mark.skipif(sys.platform == "win32", reason="hadolint is not there")
@pytest.mark.parametrize("block", blocks_of("howto/docker.md", "dockerfile"))
def test_dockerfiles_are_clean_for_hadolint(block: Block) -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint is not None, "it is a test dependency"
    done = subprocess.run(
        [hadolint, "-"], input=block.text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(("text", "kind"), [(WRONG, "error"), (WARNED, "warning")])
def test_the_problem_matcher_reads_what_check_prints(text: str, kind: str, tmp_path: Path) -> None:
    *_, block = blocks_of("howto/editors/vscode.md", "json")
    (task,) = json.loads(block.text)["tasks"]
    pattern = task["problemMatcher"]["pattern"]
    demo = Demo(tmp_path, text)
    result = demo(task["command"].removeprefix("uvx torchconf "))
    (line,) = result.out.splitlines()
    found = re.fullmatch(pattern["regexp"], line)
    assert found is not None
    told = [found[pattern[key]] for key in ("severity", "file", "column")]
    assert told == [kind, "pyproject.toml", "1"]
    assert text.splitlines()[int(found[pattern["line"]]) - 1].startswith("torch")
    assert "torch" in found[pattern["message"]]


def steps(value: object) -> Iterator[dict[str, Any]]:
    """Yield the steps that use an action, wherever they stand."""
    if isinstance(value, dict) and "uses" in value:
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from steps(one)


def test_hooks_and_inputs_of_the_page_about_ci_exist() -> None:
    found = [yaml.safe_load(block.text) for block in blocks_of("howto/ci.md", "yaml")]
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    (repository,) = next(one["repos"] for one in found if "repos" in one)
    assert {hook["id"] for hook in repository["hooks"]} <= hooks
    inputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    (ours,) = (step for step in steps(found) if step["uses"].startswith("torchconf/"))
    assert ours["with"].keys() <= inputs.keys()
    versions = {repository["rev"], ours["uses"].partition("@")[2]}
    assert versions == {f"v{torchconf.__version__}"}


def test_the_skill_has_what_agents_read_first() -> None:
    _, front, body = (PAGES / "SKILL.md").read_text(encoding="utf-8").split("---\n", 2)
    skill = yaml.safe_load(front)
    assert skill.keys() == {"name", "description"}
    assert skill["name"] == "torchconf"
    assert 100 < len(skill["description"]) < 1024
    named = set(re.findall(r"`torchconf ([a-z-]+)", body))
    assert {"init", "add-target", "check", "show", "explain"} <= named <= set(COMMANDS)
