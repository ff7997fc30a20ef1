"""The weekly upkeep of a new project: what its workflow finds, writes and proposes."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.support.paths import ROOT
from tests.support.projects import run_in
from tests.support.repositories import Repo, git
from torchconf import __version__
from torchconf.catalog import load_catalog

pytestmark = pytest.mark.skipif(os.name == "nt", reason="bash here is not GitHub's")

UVX = """\
#!/bin/sh
[ "$1 $2 $3" = "--from torchconf[refresh]=={version} torchconf" ] || exit 9
shift 3
[ "$1 $2" != "catalog refresh" ] || exit 0
exec {python} -m torchconf "$@"
"""
GH = """\
#!/bin/sh
echo "$@" >> {folder}/said
case "$1 $2" in
  "pr list") cat {folder}/open ;;
  "pr create" | "pr edit") for last; do :; done; cp "$last" {folder}/body ;;
esac
"""


class Upkeep(NamedTuple):
    """A project with its upkeep, and what stands for GitHub."""

    origin: Repo
    folder: Path
    workflow: dict[str, Any]

    def job(self, name: str) -> str:
        """Run the scripts of a job in a new checkout; return its outputs."""
        number = len([*self.folder.glob("checkout*")])
        checkout = self.folder / f"checkout{number}"
        git(self.folder, "clone", "--quiet", self.origin.folder.as_uri(), str(checkout))
        output = self.folder / "output"
        output.write_text("")
        for step in self.workflow["jobs"][name]["steps"]:
            if "run" not in step:
                continue
            done = subprocess.run(
                ["bash", "-e", "-c", step["run"]],
                cwd=checkout,
                env={
                    **os.environ,
                    **self.workflow["jobs"][name].get("env", {}),
                    "HOME": str(self.folder),
                    "PATH": os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]]),
                    "RUNNER_TEMP": str(self.folder / "temp"),
                    "GITHUB_OUTPUT": str(output),
                },
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
        return output.read_text()

    def said(self) -> list[str]:
        """Return what gh was told so far."""
        path = self.folder / "said"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def upkeep(tmp_path: Path) -> Upkeep:
    """Give a project whose torch is not the newest."""
    project = tmp_path / "origin"
    done = run_in(tmp_path, "new library origin -t linux-cu126 -t macos-cpu --defaults")
    assert done.status == 0, done.err
    done = run_in(project, "upgrade --torch 2.11 -y")
    assert done.status == 0, done.err
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "open").write_text("")
    python = shlex.quote(sys.executable)
    for name, text in (
        ("uvx", UVX.format(version=__version__, python=python)),
        ("gh", GH.format(folder=shlex.quote(str(tmp_path)))),
    ):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    repo = Repo.make(project)
    repo.commit()
    text = (project / ".github/workflows/upkeep.yml").read_text(encoding="utf-8")
    return Upkeep(repo, tmp_path, yaml.safe_load(text))


def test_a_newer_torch_becomes_one_pull_request_that_says_what_it_means(upkeep: Upkeep) -> None:
    assert upkeep.job("upgrade") == "changed=true\n"
    assert upkeep.said() == [], "the first job has no token"
    upkeep.job("propose")
    assert upkeep.said()[-1].startswith("pr create --head pytorch-upkeep --title Upgrade PyTorch")
    body = (upkeep.folder / "body").read_text()
    assert "| releases `>=2.11.0,<2.12` | releases `>=2.13,<2.14` |" in body
    branch = upkeep.origin.checkout("pytorch-upkeep", upkeep.folder / "branch")
    data = tomllib.loads((branch / "pyproject.toml").read_text())
    assert any("2.13" in line for line in json.dumps(data).split(","))
    assert run_in(branch, "upgrade --check").status == 0, "it is up to date"
    # Next week it is the same pull request.
    (upkeep.folder / "open").write_text("7\n")
    upkeep.job("propose")
    assert upkeep.said()[-1].startswith("pr edit 7 --body-file")
    # Once it is merged, there is nothing to do.
    git(upkeep.origin.folder, "merge", "--quiet", "pytorch-upkeep")
    assert upkeep.job("upgrade") == ""


def test_what_may_write_runs_nothing_of_a_dependency(upkeep: Upkeep) -> None:
    jobs = upkeep.workflow["jobs"]
    assert jobs["upgrade"]["permissions"] == {"contents": "read"}
    scripts = " ".join(step.get("run", "") for step in jobs["propose"]["steps"])
    assert not re.search(r"\b(uvx?|torchconf|python|pip)\b", scripts)
    assert "GH_TOKEN" not in json.dumps(jobs["upgrade"])


def test_the_page_shows_the_workflow() -> None:
    """With versions that people can read, and without what is particular to one project."""
    text = (ROOT / "templates/shared/.github/workflows/upkeep.yml").read_text(encoding="utf-8")
    text = re.sub(r"@[0-9a-f]{40} # (v\d+)\S*", r"@\1", text)
    text = re.sub(r"\{% (?:end)?raw %\}", "", text)
    text = text.replace("=={{ torchconf }}", f"=={__version__}").replace("{{ python }}", "3.12")
    page = (ROOT / "docs/pages/howto/upgrade.md").read_text(encoding="utf-8")
    assert f"```yaml\n{text}```\n" in page


def test_the_page_shows_the_group_and_the_preset_of_the_family() -> None:
    page = (ROOT / "docs/pages/howto/upgrade.md").read_text(encoding="utf-8")
    (bot,) = re.findall(r"```yaml\n(version: 2\n.*?)```", page, re.DOTALL)
    (update,) = yaml.safe_load(bot)["updates"]
    assert update["groups"]["pytorch"]["patterns"] == sorted(load_catalog().family)
    (preset,) = re.findall(r"github>torchconf/torchconf//([\w./-]+)", page)
    assert (ROOT / f"{preset}.json").is_file()
