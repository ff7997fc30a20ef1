"""`torchconf new`: every template, for several sets of targets, held against the real tools."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.licenses import canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import torchconf.machine
from tests.support.checking import check_text
from tests.support.few import few, one_each
from tests.support.paths import PAGES, ROOT
from tests.support.projects import Demo, Result, run_in
from tests.support.recorded_machines import record
from tests.support.replica import Replica
from tests.support.replica.facts import FACTS
from tests.support.repositories import Repo, git
from tests.support.terminal import Terminal
from torchconf import __version__
from torchconf.cli.new_details import NEEDED
from torchconf.errors import TorchconfError
from torchconf.machine import read_machine
from torchconf.rules import Severity
from torchconf.templates import license_text, render, templates

TARGETS = {
    "cpu": "-t linux-cpu",
    "markers": "-t linux-cuda -t windows-cuda -t macos-cpu",
    "several": "-t linux-cuda -t linux-cpu -t macos-cpu",
    "rocm": "-t linux-rocm -t macos-cpu",
    "xpu": "-t linux-xpu -t windows-cpu",
}
NAMES = [template.name for template in templates()]


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    return Demo(tmp_path)


def made(demo: Demo, template: str, flags: str, name: str = "my-proj") -> Path:
    result = demo(f"new {template} {name} {flags}")
    assert result.status == 0, result.err
    return demo.folder / name


def test_list(demo: Demo) -> None:
    told = demo("new --list --format json").json
    assert [one["name"] for one in told["templates"]] == ["app", "library", "notebook", "training"]
    assert all(set(one) == {"name", "summary", "layouts"} for one in told["templates"])
    lines = demo("new --list").out.splitlines()
    assert "(layouts: groups, markers)" in lines[1]


@pytest.mark.parametrize("template", NAMES)
def test_a_new_project_is_as_ruff_wants_it(template: str, demo: Demo) -> None:
    ruff = shutil.which("ruff") or shutil.which("ruff", path=str(Path(sys.executable).parent))
    assert ruff is not None, "it is a test dependency"
    folder = made(demo, template, "--defaults")
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run([ruff, *words, "."], cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout


def requests() -> list[tuple[str, str, str]]:
    """Return every template with each of its layouts and each set of targets that they can have."""
    return [
        (template.name, layout, name)
        for template in templates()
        for layout in template.layouts
        for name in TARGETS
        # One command cannot choose between two builds.
        if not (layout == "markers" and name == "several")
    ]


@pytest.mark.uv
@pytest.mark.parametrize("one", one_each(requests(), lambda one: one[0]), ids="-".join)
def test_every_template_with_each_layout_for_every_set_of_targets(
    one: tuple[str, str, str], demo: Demo, inside_replica: Replica
) -> None:
    template, layout, targets = one
    folder = made(demo, template, f"{TARGETS[targets]} --layout {layout} --python 3.11")
    text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    found = check_text(text)
    assert [f"{f.code} {f.message}" for f in found if f.severity is not Severity.INFO] == []

    workflow = folder / ".github/workflows/ci.yml"
    assert "${{ matrix.os }}" in workflow.read_text(encoding="utf-8")
    commands = demo(f"show --project {folder} --format json").json["routes"]
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert any(f"`{row['command']}`" in readme for row in commands)
    for path in folder.rglob("*.py"):
        compile(path.read_text(encoding="utf-8"), str(path), "exec")
    for path in folder.rglob("*.ipynb"):
        json.loads(path.read_text(encoding="utf-8"))

    # What is not PyTorch's is not in the closed replica.
    ours = "ipykernel|jupyterlab|matplotlib|mypy<1.20|mypy|nbclient|pytest|ruff"
    slim = re.sub(rf'"({ours})",? ?', "", text)
    (folder / "pyproject.toml").write_text(slim, encoding="utf-8")
    inside_replica.lock(folder)
    assert inside_replica.uv("lock", "--check", cwd=folder).returncode == 0
    verified = demo(f"verify --project {folder} --locked")
    assert verified.status == 0, verified.err


@pytest.mark.parametrize("template", few(NAMES, NAMES[:1].__contains__))
def test_files_for_others_are_valid(template: str, demo: Demo) -> None:
    folder = made(demo, template, TARGETS["several"] + " --layout groups")
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows",
         str(folder / ".github/workflows/ci.yml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint is not None, "it is a test dependency"
    docker = str(folder / "Dockerfile")
    done = subprocess.run([hadolint, docker], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    command = [sys.executable, "-m", "pre_commit", "validate-config"]
    config = str(folder / ".pre-commit-config.yaml")
    done = subprocess.run([*command, config], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    for schema, file in (("dependabot", ".github/dependabot.yml"), ("renovate", "renovate.json")):
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
        done = subprocess.run(
            [*command, f"vendor.{schema}", str(folder / file)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("template", NAMES)
def test_what_the_readme_says_works_with_a_real_torch(template: str, demo: Demo) -> None:
    """The build is PyPI's: this machine needs no other index for it."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    flags = f"-t linux-pypi -t windows-pypi -t macos-pypi --python {python}"
    folder = made(demo, template, flags)
    readme = (folder / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"## (?:Test|Run)\n\n```sh\n(.*?)```", readme, re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines()]
    assert any("ruff format --check" in command for command in commands)
    if template == "training":
        assert any("torchrun" in command for command in commands)
        modules = ("my_proj", "my_proj.train")
        commands += [f"uv run --no-sync python -m {module} --epochs 3" for module in modules]
    said = ""
    for command in ("uv lock", f"uv sync --python {sys.executable}", *commands):
        if "jupyter lab" in command:
            command = "uv run --no-sync jupyter lab --version"  # noqa: PLW2901 - it would go on
        done = subprocess.run(
            shlex.split(command),
            cwd=folder,
            env=os.environ | {"UV_PYTHON": sys.executable, "PATH": uv_path()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        said += done.stdout
    if template == "training":
        assert said.count(": accuracy ") == 4, "once for each run, by whichever process is first"


def uv_path() -> str:
    """Return a PATH that has this environment's uv."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def test_one_dockerfile_takes_the_target_as_an_argument(demo: Demo) -> None:
    folder = made(demo, "app", TARGETS["several"])
    text = (folder / "Dockerfile").read_text(encoding="utf-8")
    data = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    first = data["tool"]["torchconf"]["targets"][0]
    assert f"ARG TARGET={first}\n" in text
    install = f'uvx torchconf@{__version__} sync "$TARGET" -- --locked --no-dev'
    assert text.count(install) == 2
    assert text.index("--no-install-project") < text.index("COPY --chown"), "a layer of its own"
    assert "USER 1000" in text
    assert not (made(demo, "app", "-t macos-cpu", "mac-only") / "Dockerfile").exists()


@pytest.mark.parametrize(
    "flags", ["--layout extras", "--layout groups", "--default cpu", "--default machine"]
)
def test_a_container_installs_what_the_readme_says(
    flags: str, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image is built on a machine without a GPU, for one that has one."""
    machine = read_machine(record("no-gpu")[0])
    monkeypatch.setattr(torchconf.machine, "this_machine", lambda: machine)
    monkeypatch.delenv("TORCHCONF_TARGET", raising=False)
    folder = made(demo, "app", f"{TARGETS['several']} {flags}")
    docker = (folder / "Dockerfile").read_text(encoding="utf-8")
    found = re.search(r'uvx torchconf@\S+ sync "\$TARGET" -- (.*--no-install-project)', docker)
    assert found is not None
    jobs = demo(f"show --matrix --project {folder}").json["include"]
    on_linux = [job for job in jobs if job["os"] == "ubuntu-latest"]
    assert len(on_linux) == 2
    for job in on_linux:
        result = run_in(folder, f"sync {job['target']} --dry-run -- {found[1]}")
        assert result.status == 0, result.err
        assert result.out.split()[1:] == ["sync", *job["flags"].split(), *found[1].split()]


@pytest.mark.parametrize(
    ("targets", "run"),
    [
        ("-t linux-cpu -t linux-cu130", {"linux-cu130": "--gpus all ", "linux-cpu": ""}),
        ("-t linux-rocm7.2", {"linux-rocm7.2": "--device=/dev/kfd --device=/dev/dri "}),
        ("-t linux-xpu", {"linux-xpu": "--device=/dev/dri "}),
        ("-t linux-pypi", {"linux-pypi": "--gpus all "}),
        (
            "-t linux-cu130 -t linux-aarch64-cu130",
            {"linux-cu130": "--gpus all ", "linux-aarch64-cu130": "--gpus all "},
        ),
    ],
)
def test_a_container_gets_the_gpus_of_its_target(
    targets: str, run: dict[str, str], demo: Demo
) -> None:
    folder = made(demo, "app", targets)
    readme = (folder / "README.md").read_text(encoding="utf-8")
    docker = (folder / "Dockerfile").read_text(encoding="utf-8")
    commands = {target: f"docker run --rm {flags}my-proj" for target, flags in run.items()}
    for target, command in commands.items():
        assert f"| {target} | `{command}` |" in readme
        assert f"{command}  ({target})" in docker
    assert f"ARG TARGET={next(iter(run))}\n" in docker, "the first one with a GPU"
    assert ("--group-add" in readme) == ("/dev/dri" in " ".join(run.values()))
    assert ("Intel's compute driver" in readme) == ("linux-xpu" in run)


@pytest.mark.parametrize("template", NAMES)
def test_ci_has_the_jobs_of_the_matrix(template: str, demo: Demo) -> None:
    folder = made(demo, template, "--defaults")
    text = (folder / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    (step,) = [step for step in jobs["targets"]["steps"] if "--matrix" in step.get("run", "")]
    words = re.search(r"uvx torchconf@\S+ (.*)\)", step["run"])
    assert words is not None
    matrix = demo(f"{words[1]} --project {folder}").json["include"]
    named = set(re.findall(r"matrix\.(\w+)", json.dumps(jobs["test"]))) - {"outputs"}
    assert named == {*matrix[0]} - {"gpu"}, "no runner of GitHub's has a GPU"
    data = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    assert [job["target"] for job in matrix] == data["tool"]["torchconf"]["targets"]


def test_ci_says_what_a_pull_request_means(demo: Demo) -> None:
    folder = made(demo, "app", "--defaults")
    repo = Repo.make(folder)
    base = repo.commit()
    git(folder, "switch", "--quiet", "--create", "change")
    assert demo(f"upgrade --torch 2.12 -y --project {folder}").status == 0
    repo.commit()
    git(folder, "switch", "--quiet", "--detach", base)
    git(folder, "merge", "--quiet", "--no-ff", "--no-edit", "change")
    workflow = yaml.safe_load((folder / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["targets"]["steps"]
    assert steps[0]["with"]["fetch-depth"] == 2
    (step,) = [step for step in steps if " diff " in step.get("run", "")]
    assert step["if"] == "github.event_name == 'pull_request'"
    words = re.search(r"uvx torchconf@\S+ (.*) >> ", step["run"])
    assert words is not None
    assert "| releases `" in demo(f"{words[1]} --project {folder}").out


def test_ci_tests_the_cpu_build_where_the_project_has_one(demo: Demo) -> None:
    """A library is tested without a GPU, on Linux as well, though only macOS asked for the CPU."""
    for template, flags in (("library", ""), ("app", None)):
        folder = made(demo, template, "--defaults", template)
        matrix = demo(f"show --matrix --project {folder}").json["include"]
        tested = {job["target"].rpartition("-")[0]: job["test_flags"] for job in matrix}
        assert all(job["test"] for job in matrix)
        assert tested.keys() == {"linux", "windows", "macos"}
        if flags is not None:
            assert set(tested.values()) == {flags}, "the default group"


@pytest.mark.parametrize("template", NAMES)
def test_checks_are_the_same_in_ci_readme_and_before_a_commit(template: str, demo: Demo) -> None:
    folder = made(demo, template, "--defaults")
    readme = (folder / "README.md").read_text(encoding="utf-8")
    block = re.search(r"## Test\n\n```sh\n(.*?)```", readme, re.DOTALL)
    assert block is not None
    checks = block[1].splitlines()
    workflow = yaml.safe_load((folder / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    assert [step["run"] for step in workflow["jobs"]["test"]["steps"][-len(checks) :]] == checks
    tools = [check.removeprefix("uv run --no-sync ").split()[0] for check in checks]
    assert tools[:2] == ["ruff", "ruff"]
    text = (folder / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    (local,) = [repo for repo in yaml.safe_load(text)["repos"] if repo["repo"] == "local"]
    assert [hook["entry"].split()[3] for hook in local["hooks"]] == [
        tool for tool in tools if tool in {"ruff", "mypy"}
    ]
    # What a check runs, the project requires.
    data = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    dev = {Requirement(line).name for line in data["dependency-groups"]["dev"]}
    assert {*tools} <= {*dev, *(["jupyter"] if "nbclient" in dev else [])}


@pytest.mark.parametrize(
    ("license_", "holds"),
    [
        ("MIT", "Permission is hereby granted, free of charge"),
        ("Apache-2.0", "Version 2.0, January 2004"),
        ("BSD-3-Clause", "Redistribution and use in source and binary forms"),
        ("GPL-3.0-or-later", "Version 3, 29 June 2007"),
        ("GPL-3.0-only", "Version 3, 29 June 2007"),
        ("MPL-2.0", "Mozilla Public License Version 2.0"),
    ],
)
def test_the_license_is_there(license_: str, holds: str, demo: Demo) -> None:
    folder = made(demo, "library", f"--defaults --license {license_}")
    text = (folder / "LICENSE").read_text(encoding="utf-8")
    assert holds in text
    assert "[year]" not in text
    assert "[fullname]" not in text
    if "Copyright (c)" in text:
        assert "The my-proj developers" in text.partition("\n\n")[2]
    assert f"{license_}: see [LICENSE](LICENSE)." in (folder / "README.md").read_text("utf-8")


@pytest.mark.parametrize("license_", ["EUPL-1.2", "MIT OR Apache-2.0"])
def test_a_license_whose_text_is_not_at_hand_is_not_made_up(license_: str, demo: Demo) -> None:
    folder = made(demo, "library", f"--defaults --license '{license_}'")
    assert not (folder / "LICENSE").exists()
    assert f"{license_}. Add the text of the license" in (folder / "README.md").read_text("utf-8")


@pytest.mark.parametrize("template", NAMES)
def test_new_lists_the_targets(template: str, demo: Demo) -> None:
    folder = made(demo, template, TARGETS["rocm"])
    data = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    assert data["tool"]["torchconf"]["targets"] == ["linux-rocm7.2", "macos-cpu"]
    assert demo(f"init -y --check --project {folder}").status == 0


@pytest.mark.parametrize(
    ("flags", "bound"),
    [
        ("--torch 2.12", r"torch>=2\.12\.\d+"),
        ("--torch '>=2.11,<2.14'", "torch>=2.11,<2.14"),
        ("", r"torch>=2\.\d+\.\d+"),
    ],
)
def test_a_library_says_from_which_torch_on(flags: str, bound: str, demo: Demo) -> None:
    folder = made(demo, "library", f"--defaults {flags}")
    data = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    (line,) = data["project"]["dependencies"]
    assert line == bound or re.fullmatch(bound, line)


@pytest.mark.slow
@pytest.mark.uv
@pytest.mark.network
@pytest.mark.parametrize(
    ("template", "layout"),
    [(template.name, layout) for template in templates() for layout in template.layouts],
)
def test_every_template_locks_with_rocm_and_its_tools(
    template: str, layout: str, demo: Demo, tmp_path: Path
) -> None:
    """The tools come from PyPI: a requirement of theirs may split the lockfile."""
    folder = made(demo, template, f"{TARGETS['rocm']} --layout {layout} --python 3.11")
    with Replica(closed=False, cache=tmp_path / "cache") as replica:
        replica.lock(folder)


@pytest.mark.parametrize(
    ("template", "modules"), [("app", ["__main__"]), ("training", ["__main__", "train"])]
)
def test_a_module_that_is_run_does_something(template: str, modules: list[str], demo: Demo) -> None:
    folder = made(demo, template, "--defaults")
    for module in modules:
        text = (folder / f"src/my_proj/{module}.py").read_text(encoding="utf-8")
        assert ast.unparse(ast.parse(text).body[-1]) == "if __name__ == '__main__':\n    main()"


def test_the_site_names_the_licenses_that_are_at_hand() -> None:
    stems = {path.stem for path in (ROOT / "templates/licenses").iterdir()}
    names = {*(stems - {"GPL-3.0"}), "GPL-3.0-only", "GPL-3.0-or-later"}
    assert {canonicalize_license_expression(name) for name in names} == names
    text = (PAGES / "reference/commands.md").read_text(encoding="utf-8")
    told = re.search(r"`LICENSE` is written for (.*?);", text, re.DOTALL)
    assert told is not None
    assert {*re.split(r", | and ", told[1].replace("\n", " "))} == names
    assert all(license_text(name, "The x developers", 2026) for name in names)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("app my-proj", "no target given"),
        ("nothing my-proj --defaults", "unknown template `nothing`"),
        ("app", "no folder given"),
        ("traning my-proj --defaults", "unknown template"),
        ("gh:somebody/template my-proj --defaults", "not one of torchconf's own templates"),
        ("app torch --defaults", "is the name of a package that the project needs"),
        ("app jinja2 --defaults", "is the name of a package that the project needs"),
        ("app Typing_Extensions --defaults", "is the name of a package that the project needs"),
        ("app my-proj --defaults --package numpy", "would shadow another package"),
        ("app my-proj --defaults --package typing_extensions", "would shadow another package"),
        ("app my-proj --defaults --set colour=red", "unknown template value `colour`"),
        ("app json --defaults", "would shadow another package"),
        ("app class --defaults", "is not a valid package name"),
        ("app déjà --defaults", "is not a valid project name"),
        (f"app {'a' * 200} --defaults", "is not a valid project name"),
        ("app my-proj --defaults --name ../x", "is not a valid project name"),
        ("app my-proj --defaults --package ../x", "is not a valid package name"),
        ("app my-proj --defaults --python two", "is not a version"),
        ("app my-proj --defaults --set x", "is not KEY=VALUE"),
        ("app my-proj --defaults --license mine", "unknown SPDX license"),
        ("app my-proj -t macos-rocm", "ROCm"),
    ],
)
def test_what_is_refused_leaves_nothing(flags: str, message: str, demo: Demo) -> None:
    result = demo(f"new {flags}")
    assert (result.status, message in result.err) == (2, True), result.err
    assert demo.names() == []


@pytest.mark.parametrize(
    ("name", "package"), [("my-Proj.2", "my_proj_2"), ("torch-demo", "torch_demo"), ("a", "a")]
)
def test_names_that_are_right(name: str, package: str, demo: Demo) -> None:
    folder = made(demo, "app", "--defaults", name)
    assert (folder / "src" / package / "main.py").is_file()
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == name
    assert project["scripts"] == {name: f"{package}.main:main"}


def test_what_the_templates_require_is_no_name_for_a_project(demo: Demo) -> None:
    for template in NAMES:
        text = (made(demo, template, "--defaults", template) / "pyproject.toml").read_text("utf-8")
        data = tomllib.loads(text)
        lines = [*data["project"]["dependencies"], *data["dependency-groups"]["dev"]]
        names = {Requirement(line).name for line in lines} - {"torch"}
        assert names <= set(NEEDED)


def test_what_torch_requires_is_no_name_for_a_project() -> None:
    releases = json.loads((FACTS / "pypi.json").read_text(encoding="utf-8"))["releases"]
    newest = next(one for one in releases if one["package"] == "torch")["requires_dist"]
    everywhere = [line for line in map(Requirement, newest) if line.marker is None]
    assert len(everywhere) > 5
    assert {canonicalize_name(line.name) for line in everywhere} <= set(NEEDED)


def test_the_current_folder_can_be_the_new_one(demo: Demo) -> None:
    before = demo.folder.stat().st_ino
    result = demo("new app . --defaults --name my-proj")
    assert result.status == 0, result.err
    assert demo.folder.stat().st_ino == before, "a shell that stands in it goes on standing there"
    assert {"README.md", "pyproject.toml", "src", "tests"} <= set(demo.names())
    assert not list(demo.folder.parent.glob(".torchconf-new-*"))


def test_a_move_that_fails_leaves_an_empty_folder_empty(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename

    def fail(source: str, place: str) -> None:
        if source.endswith("src") and str(demo.folder) == os.path.dirname(place):
            raise OSError(28, "No space left on device")
        rename(source, place)

    monkeypatch.setattr(os, "rename", fail)
    result = demo("new app . --defaults --name my-proj")
    assert (result.status, "no space left on the disk" in result.err) == (2, True)
    assert demo.names() == []
    assert not list(demo.folder.parent.glob(".torchconf-new-*"))


def test_a_template_error_names_the_file() -> None:
    with pytest.raises(TorchconfError) as caught:
        render("app", {"name": "x"}, shared=False)
    assert "cannot render" in caught.value.message
    assert "pyproject.toml" in str(caught.value.at)


def test_a_folder_with_something_in_it_is_refused(demo: Demo) -> None:
    (demo.folder / "my-proj").mkdir()
    made(demo, "app", "--defaults")
    before = sorted((demo.folder / "my-proj").rglob("*"))
    result = demo("new app my-proj --defaults")
    assert (result.status, "not empty" in result.err) == (2, True)
    assert sorted((demo.folder / "my-proj").rglob("*")) == before


def test_dry_run_prints_the_tree(demo: Demo) -> None:
    result = demo("new training my-proj --defaults --dry-run")
    lines = result.out.splitlines()
    assert lines[0] == "my-proj/"
    start = lines.index("    src/")
    assert lines[start + 1 : start + 3] == ["        my_proj/", "            __init__.py"]
    assert lines.count("    src/") == 1, "each folder once"
    assert demo.names() == []


def test_folders_above_go_again_if_something_fails(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "uv").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    (demo.folder / "there").mkdir()
    assert demo("new app there/a/b/my-proj --defaults --lock").status == 2
    assert demo.names() == ["there"]
    assert list((demo.folder / "there").iterdir()) == []
    assert demo("new app there/a/b/my-proj --defaults").status == 0
    assert (demo.folder / "there/a/b/my-proj/pyproject.toml").is_file()


WORKSPACE = '[project]\nname = "all"\nversion = "1"\n[tool.uv.workspace]\nmembers = ["libs/*"]\n'


@pytest.mark.parametrize("place", ["libs/my-proj", "my-proj", "libs/deep/my-proj"])
def test_a_folder_in_a_workspace_is_refused(place: str, demo: Demo) -> None:
    demo.path.write_text(WORKSPACE, encoding="utf-8")
    result = demo(f"new app {place} --defaults")
    assert result.status == 2
    assert "would belong to the workspace of pyproject.toml" in result.err
    assert f"`uv init {place}`" in result.err
    assert demo.names() == ["pyproject.toml"]


@pytest.mark.parametrize(
    "root",
    [
        WORKSPACE + 'exclude = ["my-*"]\n',
        WORKSPACE + 'exclude = ["./my-proj/"]\n',
        # A project of its own.
        '[project]\nname = "all"\nversion = "1"\n',
    ],
)
def test_a_folder_that_a_workspace_leaves_out_is_a_project_of_its_own(
    root: str, demo: Demo
) -> None:
    demo.path.write_text(root, encoding="utf-8")
    assert demo("new app my-proj --defaults").status == 0


def test_project_is_the_folder(demo: Demo) -> None:
    result = demo("new app --defaults --project my-proj")
    assert result.status == 0, result.err
    assert (demo.folder / "my-proj/src/my_proj/main.py").is_file()
    result = demo("new app other --defaults --project my-proj")
    assert (result.status, "given twice" in result.err) == (2, True)


@pytest.mark.parametrize("template", NAMES)
def test_the_next_commands_exist(template: str, demo: Demo) -> None:
    err = demo(f"new {template} my-proj --defaults").err
    steps = [line.strip() for line in err.partition("next:\n")[2].splitlines()]
    assert steps[:3] == ["cd my-proj", "uv lock", "uvx torchconf sync"]
    data = tomllib.loads((demo.folder / "my-proj/pyproject.toml").read_text(encoding="utf-8"))
    dev = {Requirement(line).name for line in data["dependency-groups"]["dev"]}
    programs = {"ruff", "pytest", "mypy"} & dev | {*data["project"].get("scripts", ())}
    programs |= {"jupyter"} if {"nbclient", "jupyterlab"} <= dev else set()
    ran = [step.split()[3] for step in steps if step.startswith("uv run --no-sync ")]
    assert ran
    assert {*ran} <= programs


def test_a_lock_that_fails_leaves_nothing(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "uv").write_text("#!/bin/sh\necho 'error: no' >&2\nexit 1\n")
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    result = demo("new app my-proj --defaults --lock")
    assert (result.status, "cannot lock" in result.err) == (2, True)
    assert demo.names() == []


def test_git_only_when_asked_for(demo: Demo) -> None:
    assert not (made(demo, "app", "--defaults") / ".git").exists()
    assert (made(demo, "app", "--defaults --git", "other") / ".git").is_dir()


def test_json(demo: Demo) -> None:
    result: Result = demo("new app my-proj --defaults --format json")
    assert result.json["files"][-1].startswith("tests/")
    assert result.json["written"] is True
    assert [one["target"] for one in result.json["targets"]][-1] == "macos-cpu"


def test_values_reach_the_texts(demo: Demo) -> None:
    folder = made(demo, "library", "--defaults --license Apache-2.0 --set description=Mine.")
    text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    assert 'description = "Mine."' in text
    assert 'license = "Apache-2.0"' in text


@pytest.mark.skipif(sys.platform == "win32", reason="pexpect has no terminal there")
@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["app", "my-proj"], []),
        ([], [("Which template?", "enter"), ("Folder of the project?", "my-proj", "enter")]),
    ],
)
def test_without_targets_a_terminal_is_asked(
    words: list[str], first: list[tuple[str, ...]], demo: Demo
) -> None:
    with Terminal(["new", *words], demo.folder, fits={"cu130": "it fits"}) as terminal:
        for question, *keys in (
            *first,
            ("Name of the project?", "enter"),
            ("Name of the package to import?", *["\x7f"] * 7, "mine", "enter"),
            ("Lowest Python version?", "enter"),
            ("License, as", "enter"),
            ("Which platforms should", "enter"),
            ("torch builds for Linux?", "enter"),
            ("Which packages", "enter"),
            ("Which version of torch?", "enter"),
            ("Should `uv lock` fail", "enter"),
        ):
            terminal.answer(question, *keys)
        assert terminal.finish() == 0
        assert "torchconf new app my-proj -t linux-cu130" in terminal.screen.joined
        assert "--package mine" in terminal.screen.joined
    assert (demo.folder / "my-proj/src/mine/main.py").is_file()
    data = tomllib.loads((demo.folder / "my-proj/pyproject.toml").read_text(encoding="utf-8"))
    assert data["tool"]["uv"]["index"][-1]["name"] == "pytorch-cu130"


@pytest.mark.skipif(sys.platform == "win32", reason="pexpect has no terminal there")
@pytest.mark.parametrize(
    ("words", "questions"),
    [
        ([], [("Which template?", "down", "enter"), ("Folder of the project?", "my-x", "enter")]),
        (["library"], [("Folder of the project?", "my-x", "enter")]),
        (["--project", "my-x"], [("Which template?", "down", "enter")]),
    ],
)
def test_a_terminal_is_asked_for_the_template_and_the_folder(
    words: list[str], questions: list[tuple[str, ...]], demo: Demo
) -> None:
    with Terminal(["new", *words, "--defaults"], demo.folder, fits={}) as terminal:
        for question, *keys in questions:
            terminal.answer(question, *keys)
        assert terminal.finish() == 0
    assert (demo.folder / "my-x/src/my_x/scaling.py").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="pexpect has no terminal there")
def test_ctrl_c_leaves_nothing(demo: Demo) -> None:
    with Terminal(["new", "app", "my-proj"], demo.folder, fits={}) as terminal:
        terminal.answer("Name of the project?", "ctrl-c")
        assert terminal.finish() == 130
    assert demo.names() == []


def test_somebody_s_cookiecutter_template_calls_init_in_its_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (PAGES / "howto/new-project.md").read_text(encoding="utf-8")
    hook = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert hook
    template = tmp_path / "template"
    inside = template / "{{cookiecutter.name}}"
    inside.mkdir(parents=True)
    (template / "hooks").mkdir()
    (template / "hooks/post_gen_project.py").write_text(hook[1], encoding="utf-8")
    (template / "cookiecutter.json").write_text('{"name": "theirs"}', encoding="utf-8")
    (inside / "pyproject.toml").write_text(
        '[project]\nname = "{{cookiecutter.name}}"\nversion = "0.1.0"\ndependencies = []\n',
        encoding="utf-8",
    )
    scripts = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", os.pathsep.join([scripts, os.environ["PATH"]]))
    monkeypatch.setenv("COOKIECUTTER_CONFIG", str(tmp_path / "none.yaml"))
    (tmp_path / "none.yaml").write_text(
        f"cookiecutters_dir: {tmp_path}\nreplay_dir: {tmp_path}\n", encoding="utf-8"
    )
    command = [sys.executable, "-m", "cookiecutter", "--no-input", "-o", str(tmp_path / "out")]
    done = subprocess.run(
        [*command, str(template)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    data = tomllib.loads((tmp_path / "out/theirs/pyproject.toml").read_text(encoding="utf-8"))
    assert "torch" in data["tool"]["uv"]["sources"]


@pytest.mark.parametrize("template", few(NAMES, NAMES[:1].__contains__))
def test_cookiecutter_makes_the_same_tree(
    template: str, demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", os.pathsep.join([scripts, os.environ["PATH"]]))
    (tmp_path / "none.yaml").write_text(
        f"cookiecutters_dir: {tmp_path}\nreplay_dir: {tmp_path}\n", encoding="utf-8"
    )
    monkeypatch.setenv("COOKIECUTTER_CONFIG", str(tmp_path / "none.yaml"))
    repository = ROOT
    command = [sys.executable, "-m", "cookiecutter", "--no-input", "-o", str(tmp_path / "out")]
    command += ["--directory", f"templates/{template}", str(repository), "name=my-proj"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    ours = made(demo, template, "--defaults")
    theirs = tmp_path / "out/my-proj"

    def tree(folder: Path) -> dict[str, bytes]:
        paths = [path for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    assert tree(theirs) == tree(ours)


ODD = 'say "hi" to C:\\dir, it\'s é 😀 <b> {x} """ end"'


def cookiecutter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *values: str) -> Any:
    """Let cookiecutter make a library of these values."""
    scripts = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", os.pathsep.join([scripts, os.environ["PATH"]]))
    (tmp_path / "none.yaml").write_text(
        f"cookiecutters_dir: {tmp_path}\nreplay_dir: {tmp_path}\n", encoding="utf-8"
    )
    monkeypatch.setenv("COOKIECUTTER_CONFIG", str(tmp_path / "none.yaml"))
    command = [sys.executable, "-m", "cookiecutter", "--no-input", "-o", str(tmp_path / "out")]
    command += ["--directory", "templates/library", str(ROOT), *values]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


def described(folder: Path) -> tuple[str, str | None]:
    """Return the description in the project's file, and in the docstring of its package."""
    data = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    (package,) = (folder / "src").iterdir()
    module = ast.parse((package / "__init__.py").read_text(encoding="utf-8"))
    return data["project"]["description"], ast.get_docstring(module)


def test_a_description_is_a_text_whatever_is_in_it(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_ = shlex.quote(f"description={ODD}")
    ours = made(demo, "library", f"--defaults --set {set_}")
    assert described(ours) == (ODD, ODD)
    done = cookiecutter(tmp_path, monkeypatch, "name=my-proj", f"description={ODD}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert described(tmp_path / "out/my-proj") == (ODD, ODD)


def test_a_description_is_one_line(demo: Demo) -> None:
    result = demo("new library x --defaults --set 'description=a\x1b[31mb'")
    assert result.status == 2
    assert "line break or a control character" in result.err


ANSWERS = ["name", "package", "python", "license", "targets", "description"]


EVIL = ('x"; CODE; "', "x'; CODE; '", 'x"] + [CODE] + ["', 'x"""; CODE; """')


@pytest.mark.parametrize("evil", few(EVIL, {EVIL[0]}.__contains__))
@pytest.mark.parametrize("key", few(ANSWERS, {"targets"}.__contains__))
def test_no_answer_becomes_code(
    key: str, evil: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_by_code = tmp_path / "made-by-code"
    code = f"open({str(made_by_code)!r}, 'w')".replace("/", "\\x2f")
    cookiecutter(tmp_path, monkeypatch, f"{key}={evil.replace('CODE', code)}")
    assert not made_by_code.exists()


def test_a_new_project_runs_the_torchconf_that_made_it(demo: Demo) -> None:
    workflow = made(demo, "app", "--defaults") / ".github/workflows/ci.yml"
    text = workflow.read_text(encoding="utf-8")
    assert {*re.findall(r"uvx torchconf\S* ", text)} == {f"uvx torchconf@{__version__} "}


def test_secrets_stay_out_of_the_image(demo: Demo) -> None:
    ignored = (made(demo, "app", "--defaults") / ".dockerignore").read_text(encoding="utf-8")
    assert {"**/.env", "**/.env.*", "**/*.key", "**/*.pem", "**/id_ed25519*", "**/.netrc"} <= {
        *ignored.splitlines()
    }
