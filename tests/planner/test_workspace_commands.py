"""Workspaces: uv accepts each command that is printed or shown, and it installs what is said."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from tests.support.few import every
from tests.support.projects import WHL, Demo
from tests.support.replica import Build, Replica
from tests.support.replica.uv import find_uv

MEMBERS = '[tool.uv.workspace]\nmembers = ["a", "b"]\n'
TORCH = "torch>=2.13,<2.14"
A_IS_LOCAL = "\n[tool.uv.sources]\na = { workspace = true }\n"
ONE_BUILD = "-t linux-cu130 -t macos-cpu"
TWO_BUILDS = "-t linux-cu130 -t linux-cpu -t macos-cpu"


def project(name: str, *requirements: str) -> str:
    listed = ", ".join(f'"{one}"' for one in requirements)
    return (
        f'[project]\nname = "{name}"\nversion = "0.1.0"\nrequires-python = ">=3.11,<3.14"\n'
        f"dependencies = [{listed}]\n"
    )


WORKSPACES = {
    "two members need torch": (project("root"), project("a", TORCH), project("b", TORCH)),
    "one member needs torch": (project("root"), project("a", TORCH), project("b", "filelock")),
    "the root needs torch": (project("root", TORCH), project("a", "filelock"), project("b")),
    "the root needs a member that needs torch": (
        project("root", "a") + A_IS_LOCAL,
        project("a", TORCH),
        project("b"),
    ),
    "all need torch": (project("root", TORCH), project("a", TORCH), project("b", TORCH)),
    "nobody needs torch": (project("root"), project("a"), project("b")),
    "the root is no project": ("", project("a", TORCH), project("b", TORCH)),
    "the root is no project, and one member needs another": (
        "",
        project("a", TORCH),
        project("b", "a") + A_IS_LOCAL,
    ),
}
REQUESTS = [
    ONE_BUILD,
    f"{TWO_BUILDS} --layout extras",
    f"{TWO_BUILDS} --layout groups",
    f"{TWO_BUILDS} --layout groups --default cpu",
]


def workspace(parent: Path, root: str, **members: str) -> Demo:
    demo = Demo(parent, root + "\n" + MEMBERS)
    for name, text in members.items():
        (demo.folder / name).mkdir()
        (demo.folder / name / "pyproject.toml").write_text(text)
    return demo


def use_replica(replica: Replica, demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in replica.environment(demo.folder).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{find_uv().parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.uv
@pytest.mark.parametrize("case", every(itertools.product(WORKSPACES, (".", "a"), REQUESTS), 31))
def test_printed_commands_install_what_they_say(
    case: tuple[str, str, str], tmp_path: Path, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, where, request = case
    root, a, b = WORKSPACES[kind]
    demo = workspace(tmp_path, root, a=a, b=b)
    use_replica(replica, demo, monkeypatch)
    result = demo(f"init {request} -y --project {where}")
    if result.status:
        assert (result.status, demo.text) == (2, root + "\n" + MEMBERS), "refused before writing"
        return
    replica.lock(demo.folder)
    for target, command in result.commands().items():
        system, _, backend = target.partition("-")
        platform = {"linux": "linux-x86_64", "macos": "macos-arm64"}[system]
        inside = demo.folder if "--package" in command else demo.folder / where
        build = replica.export(inside, *command[2:]).select(platform, "3.12")["torch"]
        assert isinstance(build, Build)
        assert build.index == f"{WHL}/{backend}", command
    for shown in (".", "a"):
        verified = demo(f"verify --python 3.12 --project {shown}")
        assert verified.status == 0, verified.out + verified.err


SCOPED = f"""
[[tool.uv.index]]
name = "pytorch-cpu"
url = "{WHL}/cpu"
explicit = true

[[tool.uv.index]]
name = "pytorch-cu130"
url = "{WHL}/cu130"
explicit = true

[tool.uv.sources]
torch = [
    {{ index = "pytorch-cpu", KIND = "cpu" }},
    {{ index = "pytorch-cu130", KIND = "cu130", marker = "sys_platform == 'linux'" }},
    {{ index = "pytorch-cpu", KIND = "cu130", marker = "sys_platform != 'linux'" }},
]
"""
GROUPS = SCOPED.replace("KIND", "group")
CELLS = (
    "environments = [\"sys_platform == 'linux'\", \"sys_platform == 'darwin'\", "
    "\"sys_platform == 'win32'\"]\n"
)
GROUPS_OF_THE_ROOT = f"""
[dependency-groups]
cpu = ["{TORCH}"]
cu130 = ["{TORCH}"]

[tool.uv]
conflicts = [[{{ group = "cpu" }}, {{ group = "cu130" }}]]
{CELLS}{GROUPS}"""
EXTRAS_OF_MEMBERS = """
[project.optional-dependencies]
cpu = ["a[cpu]", "b[cpu]"]
cu130 = ["a[cu130]", "b[cu130]"]

[tool.uv]
conflicts = [
    [{ package = "a", extra = "cpu" }, { package = "a", extra = "cu130" }],
    [{ package = "a", extra = "cpu" }, { package = "b", extra = "cu130" }],
    [{ package = "b", extra = "cpu" }, { package = "a", extra = "cu130" }],
    [{ package = "b", extra = "cpu" }, { package = "b", extra = "cu130" }],
]
"""
OWN_EXTRAS = f"""
[project.optional-dependencies]
cpu = ["{TORCH}"]
cu130 = ["{TORCH}"]
""" + SCOPED.replace("KIND", "extra")
LOCAL = "\n[tool.uv.sources]\na = { workspace = true }\nb = { workspace = true }\n"
OWN_GROUPS = f"""
[dependency-groups]
cpu = ["{TORCH}"]
cu130 = ["{TORCH}"]

[tool.uv]
default-groups = ["cpu"]
conflicts = [[{{ group = "cpu" }}, {{ group = "cu130" }}]]
{GROUPS}"""
RECIPES = {
    "groups of the root": (
        project("root") + GROUPS_OF_THE_ROOT,
        project("a", TORCH),
        project("b", TORCH),
    ),
    "a member's group of the same name is taken first": (
        project("root") + GROUPS_OF_THE_ROOT,
        project("a", TORCH) + '\n[dependency-groups]\ncu130 = ["filelock"]\n',
        project("b", TORCH),
    ),
    "default groups of the root are not a member's": (
        project("root")
        + GROUPS_OF_THE_ROOT.replace("[tool.uv]", '[tool.uv]\ndefault-groups = ["cpu"]'),
        project("a", TORCH),
        project("b", TORCH),
    ),
    "extras of members, and of the root that asks for them": (
        project("root") + EXTRAS_OF_MEMBERS + LOCAL,
        project("a") + OWN_EXTRAS,
        project("b") + OWN_EXTRAS,
    ),
    "default groups of a member are not those of a root without a project": (
        f"[tool.uv]\n{CELLS}",
        project("a", TORCH) + OWN_GROUPS,
        project("b", TORCH),
    ),
    "sources for a group of a root without a project": (
        f'[dependency-groups]\ncu130 = ["torchvision"]\n{GROUPS}',
        project("a", TORCH),
        project("b", TORCH),
    ),
}


@pytest.mark.uv
@pytest.mark.parametrize("recipe", every(RECIPES, 3))
def test_shown_commands_install_what_they_say(
    recipe: str, tmp_path: Path, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, a, b = RECIPES[recipe]
    demo = workspace(tmp_path, root, a=a, b=b)
    use_replica(replica, demo, monkeypatch)
    for shown in (".", "a", "b"):
        verified = demo(f"verify --python 3.12 --project {shown}")
        assert verified.status == 0, verified.out + verified.err
    assert demo("check --select TC301,TC314 -q").out == ""


def test_groups_of_the_root_have_rows_for_its_members(tmp_path: Path) -> None:
    root, a, b = RECIPES["groups of the root"]
    demo = workspace(tmp_path, root, a=a, b=b)
    for where in (".", "a"):
        out = demo(f"show --project {where}").out
        assert [line.split()[-4:] for line in out.splitlines() if "--package a" in line] == [
            ["pypi", "pypi", "pypi", "pypi"],
            ["cpu", "cpu", "cpu", "cpu"],
            ["cu130", "cu130", "cpu", "cpu"],
        ]


LIBRARY = f"""
[project.optional-dependencies]
cpu = ["{TORCH}"]
cu130 = ["{TORCH}"]

[tool.uv]
conflicts = [[{{ extra = "cpu" }}, {{ extra = "cu130" }}]]
""" + SCOPED.replace("KIND", "extra")
USER = """
[project.optional-dependencies]
cpu = ["library[cpu]"]
cu130 = ["library[cu130]"]

[tool.uv]
conflicts = [
    [{ extra = "cpu" }, { extra = "cu130" }],
    [{ package = "library", extra = "cpu" }, { package = "library", extra = "cu130" }],
]

[tool.uv.sources]
library = { path = "library" }
"""


@pytest.mark.uv
def test_conflicts_may_name_extras_of_a_library(
    tmp_path: Path, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = Demo(tmp_path, project("user") + USER)
    (demo.folder / "library").mkdir()
    (demo.folder / "library" / "pyproject.toml").write_text(project("library") + LIBRARY)
    use_replica(replica, demo, monkeypatch)
    verified = demo("verify --python 3.12")
    assert verified.status == 0, verified.out + verified.err
    shown = {line.rpartition("torch")[0].strip(): line for line in demo("show").out.splitlines()}
    assert shown["uv sync --extra cu130"].split()[-4:] == ["cu130", "cu130", "cpu", "cpu"]
    assert demo("check --select TC314 -q").out == ""
