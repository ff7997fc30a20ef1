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
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.checking import check_text
from tests.support.few import few, one_each
from tests.support.paths import README, ROOT
from tests.support.projects import Demo, Result
from tests.support.replica import Replica
from tests.support.replica.facts import FACTS
from tests.support.terminal import Terminal
from torchconf import __version__
from torchconf.cli.new_details import NEEDED
from torchconf.errors import TorchconfError
from torchconf.rules import Severity
from torchconf.templates import render, templates

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
    assert "training" in demo("new --list").out


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
    slim = re.sub(r'"(matplotlib|pytest|mypy|ruff|ipykernel)",? ?', "", text)
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
    (docker,) = folder.glob("Dockerfile.*")
    done = subprocess.run([hadolint, str(docker)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.network
def test_from_an_empty_folder_to_a_green_test_run_with_a_real_torch(demo: Demo) -> None:
    """The build is PyPI's: this machine needs no other index for it."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    flags = f"-t linux-pypi -t windows-pypi -t macos-pypi --python {python}"
    folder = made(demo, "training", flags)
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    for command in (
        [uv, "lock"],
        [uv, "sync", "--python", sys.executable],
        [uv, "run", "--no-sync", "pytest"],
        [uv, "run", "--no-sync", "my-proj", "--epochs", "3"],
    ):
        done = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | {"UV_PYTHON": sys.executable},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "accuracy" in done.stdout


def test_a_dockerfile_for_each_accelerator_on_linux(demo: Demo) -> None:
    folder = made(demo, "app", TARGETS["several"])
    (file,) = folder.glob("Dockerfile*")
    text = file.read_text(encoding="utf-8")
    backend = file.name.partition(".")[2]
    assert f"--no-install-project --extra {backend}" in text
    assert text.index("--no-install-project") < text.index("COPY --chown"), "a layer of its own"
    assert "USER 1000" in text
    assert not list(made(demo, "app", TARGETS["cpu"], "cpu-only").glob("Dockerfile*"))


def test_ci_takes_the_cpu_build_where_there_is_one(demo: Demo) -> None:
    text = (made(demo, "app", TARGETS["several"]) / ".github/workflows/ci.yml").read_text()
    assert 'target: linux-cpu\n            flags: "--extra cpu"' in text
    assert text.count("- os: ubuntu-latest") == 2, "and the other build is resolved"


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
        ("app my-proj -t windows-rocm", "ROCm"),
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
    facts = json.loads((FACTS / "requires.json").read_text(encoding="utf-8"))["pypi"]["torch"]
    newest = facts[max(facts, key=Version)]["requires_dist"]
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
    assert (result.status, "No space left" in result.err) == (2, True)
    assert demo.names() == []
    assert not list(demo.folder.parent.glob(".torchconf-new-*"))


def test_ci_takes_the_cpu_build_of_another_platform_s_target_too(demo: Demo) -> None:
    """A library is tested without a GPU, on Linux as well, though only macOS asked for the CPU."""
    text = (made(demo, "library", "--defaults") / ".github/workflows/ci.yml").read_text()
    rows = re.findall(r'os: (\S+)\n +target: (\S+)\n +flags: "(.*)"\n +tests: (\S+)', text)
    tested = [(target, flags) for _, target, flags, tests in rows if tests == "true"]
    assert tested == [("linux-cpu", ""), ("windows-cpu", ""), ("macos-cpu", "")]
    resolved = [
        (os_, target.rpartition("-")[0]) for os_, target, _, tests in rows if tests != "true"
    ]
    assert resolved == [("ubuntu-latest", "linux"), ("windows-latest", "windows")]
    assert text.count("uv sync --locked --dry-run") == 1


def test_one_dockerfile_for_both_machines(demo: Demo) -> None:
    folder = made(demo, "app", "-t linux-cu130 -t linux-aarch64-cu130 -t linux-cpu")
    assert [path.name for path in folder.glob("Dockerfile*")] == ["Dockerfile.cu130"]
    folder = made(demo, "app", "-t linux-aarch64-cu130 -t linux-cpu", "arm")
    assert [path.name for path in folder.glob("Dockerfile*")] == ["Dockerfile.cu130"]


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
    assert "my-proj/src/my_proj/train.py" in result.out
    assert demo.names() == []


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
def test_without_targets_a_terminal_is_asked(demo: Demo) -> None:
    with Terminal(["new", "app", "my-proj"], demo.folder, fits={"cu130": "it fits"}) as terminal:
        for question, *keys in (
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
def test_ctrl_c_leaves_nothing(demo: Demo) -> None:
    with Terminal(["new", "app", "my-proj"], demo.folder, fits={}) as terminal:
        terminal.answer("Name of the project?", "ctrl-c")
        assert terminal.finish() == 130
    assert demo.names() == []


def test_somebody_s_cookiecutter_template_calls_init_in_its_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = README.read_text(encoding="utf-8")
    hook = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
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


@pytest.mark.parametrize("key", ["name", "package", "python", "license", "targets", "description"])
def test_no_answer_becomes_code(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_by_code = tmp_path / "made-by-code"
    code = f"open({str(made_by_code)!r}, 'w')".replace("/", "\\x2f")
    for evil in (f'x"; {code}; "', f"x'; {code}; '", f'x"] + [{code}] + ["', f'x"""; {code}; """'):
        cookiecutter(tmp_path, monkeypatch, f"{key}={evil}")
        assert not made_by_code.exists()


def test_a_new_project_runs_the_torchconf_that_made_it(demo: Demo) -> None:
    workflow = made(demo, "app", "--defaults") / ".github/workflows/ci.yml"
    text = workflow.read_text(encoding="utf-8")
    assert re.findall(r"uvx torchconf\S* ", text) == [f"uvx torchconf@{__version__} "]


def test_secrets_stay_out_of_the_image(demo: Demo) -> None:
    ignored = (made(demo, "app", "--defaults") / ".dockerignore").read_text(encoding="utf-8")
    assert {"**/.env", "**/.env.*", "**/*.key", "**/*.pem", "**/id_ed25519*", "**/.netrc"} <= {
        *ignored.splitlines()
    }
