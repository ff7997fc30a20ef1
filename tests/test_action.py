"""The GitHub Action, run as GitHub runs it: its script, its inputs, an event, and a checkout."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from markdown_it import MarkdownIt

from tests.support.paths import ROOT
from tests.support.projects import run_in
from tests.support.repositories import Repo, clone_of_this_repository, git

ACTION = dict(yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8")))
(STEP,) = [step for step in ACTION["runs"]["steps"] if "run" in step]
GITHUB = MarkdownIt("commonmark").enable("table")
EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="bash here is not GitHub's")


def evaluated(text: str, contexts: Mapping[str, Any]) -> str:
    """Return a text with its expressions as GitHub evaluates them: names, and `||` between them."""

    def value(found: re.Match[str]) -> str:
        for name in found[1].split(" || "):
            here: Any = contexts
            for part in name.split("."):
                here = here.get(part) if isinstance(here, dict) else None
            if here:
                return str(here)
        return ""

    return EXPRESSION.sub(value, text)


class Ran(NamedTuple):
    """What a run of the action left."""

    status: int
    out: str
    err: str
    summary: str
    outputs: str

    def tables(self) -> list[list[str]]:
        """Return the cells of each table of the summary, as a reader sees them."""
        tables: list[list[str]] = []
        for token in GITHUB.parse(self.summary):
            if token.type == "table_open":
                tables.append([])
            elif token.type == "inline" and token.level > 3:  # in a cell
                assert not any(
                    part.type == "html_inline" and part.content not in {"<code>", "</code>"}
                    for part in token.children or []
                )
                words = (c.content for c in token.children or [] if c.type != "html_inline")
                tables[-1].append("".join(words))
        return tables


class Runner:
    """A machine of GitHub's, as far as the action sees it."""

    def __init__(self, folder: Path, action: Path | None = None) -> None:
        """Make it; without a folder of the action, `uvx` is the torchconf of these tests."""
        self.folder = folder
        self.action = action
        self.programs = folder / "programs"
        self.programs.mkdir(parents=True)
        if action is None:
            uvx = self.programs / "uvx"
            python = shlex.quote(sys.executable)
            uvx.write_text(f'#!/bin/sh\nshift 4\nexec {python} -m torchconf "$@"\n')
            uvx.chmod(0o755)
        else:
            (self.programs / "uvx").symlink_to(Path(sys.executable).parent / "uvx")

    def run(self, checkout: Path, event: Mapping[str, Any], **inputs: str) -> Ran:
        """Run the step in a checkout."""
        defaults = {name: entry["default"] for name, entry in ACTION["inputs"].items()}
        given = defaults | {name.replace("_", "-"): text for name, text in inputs.items()}
        contexts = {"inputs": given, "github": {"event": event}}
        files = {name: self.folder / name for name in ("summary", "output", "event.json")}
        for path in files.values():
            path.write_text("")
        files["event.json"].write_text(json.dumps(event))
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEP["run"]],
            cwd=checkout,
            env={
                **os.environ,
                "PATH": os.pathsep.join([str(self.programs), os.environ["PATH"]]),
                "GITHUB_ACTIONS": "true",
                "GITHUB_ACTION_PATH": str(self.action or ROOT),
                "GITHUB_EVENT_PATH": str(files["event.json"]),
                "GITHUB_STEP_SUMMARY": str(files["summary"]),
                "GITHUB_OUTPUT": str(files["output"]),
                **{name: evaluated(text, contexts) for name, text in STEP["env"].items()},
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(
            done.returncode,
            done.stdout,
            done.stderr,
            files["summary"].read_text(),
            files["output"].read_text(),
        )


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """Give a runner with the torchconf of these tests."""
    return Runner(tmp_path / "runner")


HOSTILE = "$(touch pwned)`touch pwned`;touch pwned\n::error::pwned"


def pull_request(repo: Repo, base: str, head: str, into: Path) -> tuple[Path, dict[str, Any]]:
    """Return a checkout as actions/checkout makes it of a pull request from a fork, and its event.

    One commit deep: the merge that GitHub tries out. No token is left in it.
    """
    git(repo.folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(repo.folder, "checkout", "--quiet", "--detach", base)
    git(repo.folder, "merge", "--quiet", "--no-ff", "--no-edit", head)
    git(repo.folder, "update-ref", "refs/pull/1/merge", "HEAD")
    git(into.parent, "init", "--quiet", str(into))
    git(into, "remote", "add", "origin", repo.folder.as_uri())
    git(into, "fetch", "--quiet", "--depth=1", "origin", "+refs/pull/1/merge:refs/remotes/pull/1")
    git(into, "checkout", "--quiet", "--detach", "refs/remotes/pull/1")
    event = {
        "action": "opened",
        "pull_request": {
            "title": HOSTILE,
            "body": HOSTILE,
            "base": {"sha": base, "ref": HOSTILE},
            "head": {"sha": head, "ref": HOSTILE, "repo": {"fork": True}},
        },
    }
    return into, event


START = """\
[project]
name = "demo"
version = "1"
requires-python = ">=3.11"
dependencies = ["torch>=2.12"]

[tool.uv.sources]
torch = { index = "gpu", marker = "sys_platform == 'linux'" }

[[tool.uv.index]]
name = "gpu"
url = "https://download.pytorch.org/whl/cu130"
explicit = true
"""


def test_a_pull_request_from_a_fork_gets_annotations_and_a_summary(
    tmp_path: Path, runner: Runner
) -> None:
    repo = Repo.make(tmp_path / "origin", {"pyproject.toml": START})
    base = git(repo.folder, "rev-parse", "HEAD")
    changed = START.replace("explicit = true\n", "").replace("cu130", "cu126")
    head = repo.commit({"pyproject.toml": changed})
    checkout, event = pull_request(repo, base, head, tmp_path / "checkout")
    ran = runner.run(checkout, event)
    assert ran.status == 1, ran.err
    assert ran.out == run_in(checkout, "check . --format github").out
    assert ran.outputs == "changed=true\n"
    findings, changes, builds = ran.tables()
    assert findings[:4] == ["severity", "place", "rule", "finding"]
    assert findings[6] == "TC101 index-not-explicit"
    # An index that is not explicit serves the other platforms, too.
    assert changes[5:15] == [
        "linux, linux-aarch64", "uv sync", "torch", "cu130", "cu126",
        "windows", "uv sync", "torch", "pypi", "cu126",
    ]  # fmt: skip
    assert builds[6:9] == ["uv sync", "torch", "cu126"]
    assert "pwned" not in {path.name for path in checkout.iterdir()}
    assert ran.out.count("::") == 2 * ran.out.count("\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fail_on", "warned", "changed"),
    [("error", 0, 0), ("warning", 1, 0), ("change", 0, 1), ("warning change", 1, 1), ("x", 2, 2)],
)
def test_what_fails_the_job(
    fail_on: str, warned: int, changed: int, tmp_path: Path, runner: Runner
) -> None:
    right = START.replace(">=2.12", ">=2.12,<2.13")
    repo = Repo.make(tmp_path / "demo", {"pyproject.toml": right})
    before = {"before": git(repo.folder, "rev-parse", "HEAD")}
    repo.commit({"pyproject.toml": right.replace("cu130", "cu126")})
    assert runner.run(repo.folder, before, fail_on=fail_on).status == changed
    repo.commit({"pyproject.toml": f'{right}[tool.uv]\ntorch-backend = "cu130"\n'})
    assert "::warning" in run_in(repo.folder, "check --format github").out
    assert runner.run(repo.folder, {}, fail_on=fail_on).status == warned


@pytest.mark.slow
def test_without_a_base_there_is_no_comparison(tmp_path: Path, runner: Runner) -> None:
    repo = Repo.make(tmp_path / "demo", {"pyproject.toml": START})
    for event in ({}, {"before": "0" * 40}):
        ran = runner.run(repo.folder, event)
        assert (ran.status, ran.outputs) == (0, "")
        assert "### Changes" not in ran.summary
        assert "### Builds" in ran.summary
    ran = runner.run(repo.folder, {"before": "1" * 40}, fail_on="change")
    assert ran.status == 2
    assert "`fetch-depth: 2`" in ran.summary
    ran = runner.run(repo.folder, {}, base="HEAD")
    assert ran.outputs == "changed=false\n"
    assert runner.run(repo.folder, {}, summary="false").summary == ""
    for base in ("--output=pwned", "$(touch pwned)", "HEAD; touch pwned"):
        runner.run(repo.folder, {}, base=base)
    assert {path.name for path in repo.folder.iterdir()} == {".git", "pyproject.toml"}


@pytest.mark.slow
def test_each_project_has_its_table_and_names_are_harmless(tmp_path: Path, runner: Runner) -> None:
    names = ["-p", "a|b", "$(touch pwned)", "`touch pwned`", "<script>", "a b", "app"]
    repo = Repo.make(
        tmp_path / "demo",
        {
            **{f"{name}/pyproject.toml": START for name in [*names, "app/inside"]},
            "app/train.py": '# /// script\n# dependencies = ["torch"]\n# ///\n',
            "app/other.py": '# /// script\n# dependencies = ["numpy"]\n# ///\n',
        },
    )
    base = git(repo.folder, "rev-parse", "HEAD")
    repo.commit({f"{name}/pyproject.toml": START.replace("cu130", "cu126") for name in names})
    ran = runner.run(repo.folder, {"before": base})
    assert ran.status == 0, ran.err
    blocks = [token.content.strip() for token in GITHUB.parse(ran.summary)
              if token.type == "code_block"]  # fmt: skip
    assert sorted(blocks) == sorted([*(f"./{name}/" for name in names), "./app/train.py"])
    tables = ran.tables()
    assert tables[0][:4] == ["severity", "place", "rule", "finding"]
    assert len(tables) == 2 + 2 * len(names), "one for the changes, and one for the builds"
    assert "html_block" not in {token.type for token in GITHUB.parse(ran.summary)}
    assert {path.name for path in repo.folder.iterdir()} == {".git", *names}


WILD = sorted(case.parent for case in (ROOT / "tests/wild").glob("*/case.toml"))


@pytest.mark.slow
@pytest.mark.parametrize("case", WILD, ids=lambda case: case.name)
def test_summary_and_annotations_of_a_wild_case_are_those_of_the_commands(
    case: Path, tmp_path: Path, runner: Runner
) -> None:
    texts = {
        path.relative_to(case).as_posix(): path.read_text(encoding="utf-8")
        for path in case.rglob("*")
        if path.is_file() and path.name != "case.toml"
    }
    repo = Repo.make(tmp_path / "origin", {"README.md": ""})
    base = git(repo.folder, "rev-parse", "HEAD")
    head = repo.commit(texts)
    checkout, event = pull_request(repo, base, head, tmp_path / "checkout")
    ran = runner.run(checkout, event)
    check = run_in(checkout, "check . --format github")
    assert (ran.status, ran.out) == (check.status, check.out), ran.err
    assert "Traceback" not in ran.err
    assert run_in(checkout, "check . --format markdown").out in ran.summary
    if (checkout / "pyproject.toml").exists():
        assert run_in(checkout, "show --format markdown").out.strip() in ran.summary
    different = run_in(checkout, f"diff {base} HEAD --format markdown")
    assert different.out in ran.summary
    ran.tables()


@pytest.mark.slow
@pytest.mark.network
def test_uvx_installs_the_action_itself(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    runner = Runner(tmp_path / "runner", clone_of_this_repository(tmp_path_factory))
    repo = Repo.make(tmp_path / "demo", {"pyproject.toml": START.replace("gpu", "x", 1)})
    ran = runner.run(repo.folder, {})
    assert ran.status == 1, ran.err
    assert ran.out.startswith("::error file=pyproject.toml,line=")
