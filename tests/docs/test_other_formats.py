"""Blocks of the pages that other programs read: Dockerfiles, and the task of an editor."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checked_texts import WARNED, WRONG
from tests.support.doc_blocks import Block, blocks
from tests.support.paths import PAGES
from tests.support.projects import Demo


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
    (block,) = blocks_of("howto/editors.md", "json")
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
