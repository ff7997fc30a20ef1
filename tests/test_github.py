"""The files for GitHub, ours and those of a new project: valid, pinned, and clean for zizmor.

`python -m tests.test_github` copies the commits of our actions, which Dependabot moves, to the
templates, which it cannot read, and writes the preset for Renovate.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.support.paths import ROOT
from torchconf.catalog import load_catalog
from torchconf.cli import main

TEMPLATES = sorted((ROOT / "templates/shared/.github/workflows").glob("*.yml"))
PRESET = ROOT / ".github/renovate-pytorch.json"
OURS = (ROOT / "action.yml", *sorted((ROOT / ".github/workflows").glob("*.yml")))
USES = re.compile(
    r"uses: (?P<action>[\w./-]+)@(?P<commit>\S+)(?P<version> # v[\d.]+)?$", re.MULTILINE
)


def pins(path: Path) -> dict[str, str]:
    """Return the actions of a file, each with its commit and its version in a comment."""
    found = USES.finditer(path.read_text(encoding="utf-8"))
    return {use["action"]: f"{use['commit']}{use['version'] or ''}" for use in found}


def with_our_pins(text: str) -> str:
    """Return the template with the commits that our own files use."""
    ours = {action: pin for path in OURS for action, pin in pins(path).items()}
    return USES.sub(lambda use: f"uses: {use['action']}@{ours[use['action']]}", text)


def preset() -> str:
    """Return the preset that makes Renovate move PyTorch's packages together."""
    rule = {
        "description": "PyTorch's packages fit each other by release: they move in one pull "
        "request, or not at all.",
        "groupName": "pytorch",
        # torch 2.13 comes with torchvision 0.28, and with another major version of triton.
        "separateMajorMinor": False,
        "matchPackageNames": sorted(load_catalog().family),
    }
    data = {
        "$schema": "https://docs.renovatebot.com/renovate-schema.json",
        "description": "Move PyTorch's packages together.",
        "packageRules": [rule],
    }
    return f"{json.dumps(data, indent=2)}\n"


def valid(schema: str, *paths: Path) -> None:
    """Hold files against a schema that check-jsonschema has with it."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    done = subprocess.run([*command, *map(str, paths)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def clean(folder: Path) -> None:
    """Let zizmor audit a repository: a finding of any severity fails, code smells included."""
    zizmor = shutil.which("zizmor", path=str(Path(sys.executable).parent)) or shutil.which("zizmor")
    assert zizmor is not None, "it is a test dependency"
    command = [zizmor, "--offline", "--pedantic", "--collect=all", "--strict-collection"]
    paths = [folder / name for name in (".github", "action.yml", ".pre-commit-config.yaml")]
    here = [str(path) for path in paths if path.exists()]
    done = subprocess.run([*command, *here], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a new project."""
    folder = tmp_path / "demo"
    assert main(["new", "library", str(folder), "--defaults"]) == 0
    return folder


def test_our_files_are_clean_for_zizmor() -> None:
    clean(ROOT)


def test_a_new_project_is_clean_for_zizmor(project: Path) -> None:
    clean(project)


@pytest.mark.parametrize(
    ("pattern", "schema"),
    [
        ("action.yml", "vendor.github-actions"),
        (".github/workflows/*.yml", "vendor.github-workflows"),
        (".github/workflows/*.yml", "custom.github-workflows-require-timeout"),
        (".github/dependabot.yml", "vendor.dependabot"),
        (".github/ISSUE_TEMPLATE/config.yml", "vendor.github-issue-config"),
        (".github/ISSUE_TEMPLATE/[!c]*.yml", "vendor.github-issue-forms"),
    ],
)
def test_our_files_are_valid(pattern: str, schema: str) -> None:
    paths = sorted(ROOT.glob(pattern))
    assert paths
    valid(schema, *paths)


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("validate-config", ".pre-commit-config.yaml"),
        ("validate-manifest", ".pre-commit-hooks.yaml"),
    ],
)
def test_files_for_pre_commit_are_valid(kind: str, file: str) -> None:
    command = [sys.executable, "-m", "pre_commit", kind, str(ROOT / file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_preset_for_renovate_is_that_of_new_projects(project: Path) -> None:
    assert PRESET.read_text(encoding="utf-8") == preset(), "`python -m tests.test_github`"
    valid("vendor.renovate", PRESET)
    theirs = json.loads((project / "renovate.json").read_text(encoding="utf-8"))
    assert theirs["packageRules"] == json.loads(preset())["packageRules"]
    bot = yaml.safe_load((project / ".github/dependabot.yml").read_text(encoding="utf-8"))
    (group,) = [one["groups"] for one in bot["updates"] if one["package-ecosystem"] == "uv"]
    assert group["pytorch"]["patterns"] == theirs["packageRules"][0]["matchPackageNames"]


def test_files_of_a_new_project_are_valid(project: Path) -> None:
    workflows = sorted((project / ".github/workflows").glob("*.yml"))
    assert [path.name for path in workflows] == [path.name for path in TEMPLATES]
    valid("vendor.github-workflows", *workflows)
    valid("custom.github-workflows-require-timeout", *workflows)
    valid("vendor.dependabot", project / ".github/dependabot.yml")


def careful(path: Path) -> None:
    """Refuse a workflow whose jobs have more than they say, or leave a token in the checkout."""
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}, "each job says what it needs"
    for job in workflow["jobs"].values():
        assert job["permissions"]
        for step in job.get("steps", ()):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", OURS[1:], ids=lambda path: path.name)
def test_our_jobs_have_the_permissions_that_they_name(path: Path) -> None:
    careful(path)


def test_jobs_of_a_new_project_have_the_permissions_that_they_name(project: Path) -> None:
    for template in TEMPLATES:
        careful(project / ".github/workflows" / template.name)


@pytest.mark.parametrize(
    "path", [*OURS, *TEMPLATES], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_actions_are_pinned_to_commits_with_a_version(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    elsewhere = [line for line in re.findall(r"uses: (\S+)", text) if not line.startswith("$/")]
    assert len(elsewhere) == len(USES.findall(text))
    for pin in pins(path).values():
        assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin), pin


def test_ci_runs_on_each_python_that_the_classifiers_name() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    named = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    words = [line.rpartition(" :: ")[2] for line in named["project"]["classifiers"]]
    pythons = [word for word in words if re.fullmatch(r"3\.\d+", word)]
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == pythons


def test_an_action_is_the_same_commit_everywhere() -> None:
    ours: dict[str, str] = {}
    for path in OURS:
        for action, pin in pins(path).items():
            assert ours.setdefault(action, pin) == pin, f"{action} in {path.name}"
    for template in TEMPLATES:
        text = template.read_text(encoding="utf-8")
        assert text == with_our_pins(text), "`python -m tests.test_github` copies them"


if __name__ == "__main__":
    for template in TEMPLATES:
        now = template.read_text(encoding="utf-8")
        template.write_text(with_our_pins(now), encoding="utf-8")
    PRESET.write_text(preset(), encoding="utf-8")
