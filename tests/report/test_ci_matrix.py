"""`torchconf show --matrix`: the targets as jobs of a GitHub workflow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.paths import PAGES
from tests.support.projects import Demo

KEYS = ["target", "os", "flags", "gpu", "test", "test_flags"]


def matrix(demo: Demo, flags: str) -> list[dict[str, Any]]:
    """Return the jobs of a project that `init` has configured."""
    demo.init(flags)
    result = demo("show --matrix")
    assert (result.status, result.err) == (0, "")
    assert result.out.count("\n") == 1, "`$GITHUB_OUTPUT` takes one line"
    assert result.json.keys() == {"include"}, "any other key is a dimension of the matrix"
    assert {tuple(job) for job in result.json["include"]} == {tuple(KEYS)}
    return list(result.json["include"])


def rows(jobs: list[dict[str, Any]], *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(job[key] for key in keys) for job in jobs]


def test_a_job_for_each_target_and_one_for_each_platform_tests(tmp_path: Path) -> None:
    jobs = matrix(Demo(tmp_path), "-t linux-cu130 -t linux-cpu -t macos-cpu")
    assert rows(jobs, *KEYS) == [
        ("linux-cu130", "ubuntu-latest", "--extra cu130", True, False, "--extra cpu"),
        ("linux-cpu", "ubuntu-latest", "--extra cpu", False, True, "--extra cpu"),
        ("macos-cpu", "macos-latest", "--extra cpu", False, True, "--extra cpu"),
    ]


@pytest.mark.parametrize(
    ("flags", "tested"),
    [
        # The group of another platform's target serves this one, too.
        ("--layout groups", [("linux-cu130", "--no-group cpu --group cu130", "")]),
        ("--layout extras", [("linux-cu130", "--extra cu130", "--extra cpu")]),
        # Nothing chooses another build than that of the marker.
        ("--layout markers", [("linux-cu130", "", "")]),
    ],
)
def test_tests_take_the_cpu_build_where_a_choice_gives_it(
    flags: str, tested: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    default = " --default cpu" if "groups" in flags else ""
    jobs = matrix(Demo(tmp_path), f"-t linux-cu130 -t macos-cpu {flags}{default}")
    found = [job for job in jobs if job["test"] and job["gpu"]]
    assert rows(found, "target", "flags", "test_flags") == tested


def test_a_build_for_a_gpu_is_pypi_s_on_linux_only(tmp_path: Path) -> None:
    jobs = matrix(Demo(tmp_path), "-t linux-pypi -t windows-pypi -t macos-pypi")
    assert rows(jobs, "target", "gpu", "test") == [
        ("linux-pypi", True, True),
        ("windows-pypi", False, True),
        ("macos-pypi", False, True),
    ]


def test_each_platform_has_its_runner(tmp_path: Path) -> None:
    jobs = matrix(
        Demo(tmp_path), "-t linux-aarch64-cu130 -t windows-cu130 -t windows-arm64-cpu -t macos-cpu"
    )
    assert rows(jobs, "target", "os") == [
        ("linux-aarch64-cu130", "ubuntu-24.04-arm"),
        ("windows-cu130", "windows-latest"),
        ("windows-arm64-cpu", "windows-11-arm"),
        ("macos-cpu", "macos-latest"),
    ]


def test_a_project_without_targets_is_an_error(tmp_path: Path) -> None:
    demo = Demo(tmp_path, '[project]\nname = "x"\nversion = "1"\n')
    result = demo("show --matrix")
    assert (result.status, result.out) == (2, "")
    assert "this project has no targets" in result.err


def test_the_workflow_of_the_site_names_what_the_matrix_has() -> None:
    text = (PAGES / "howto/ci.md").read_text(encoding="utf-8")
    (block,) = [
        one for one in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "--matrix" in one
    ]
    jobs = yaml.safe_load(block)["jobs"]
    assert jobs["test"]["strategy"]["matrix"] == "${{ fromJSON(needs.targets.outputs.matrix) }}"
    named = set(re.findall(r"matrix\.(\w+)", block))
    assert named <= {*KEYS}
    assert {"os", "flags", "gpu"} <= named
