"""Several builds in a workspace: what is written serves every member, or is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.projects import WHL, Demo
from tests.support.replica import Build, Replica

TARGETS = "-t linux-cu130 -t linux-cpu -t macos-cpu"
ROOT = """\
[project]
name = "root"
version = "0.1.0"
requires-python = ">=3.12,<3.14"

[tool.uv.workspace]
members = ["a", "b"]
"""
MEMBER = """\
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.12,<3.14"
dependencies = ["torch>=2.13,<2.14"]
"""
OWN = f"""
[tool.uv.sources]
torch = {{ index = "pytorch-cpu" }}

[[tool.uv.index]]
name = "pytorch-cpu"
url = "{WHL}/cpu"
explicit = true
"""


@pytest.fixture
def root(tmp_path: Path) -> Demo:
    """Make a workspace with two members that need torch."""
    demo = Demo(tmp_path, ROOT)
    for name in ("a", "b"):
        (demo.folder / name).mkdir()
        (demo.folder / name / "pyproject.toml").write_text(MEMBER.format(name=name))
    return demo


def texts(demo: Demo) -> list[str]:
    return [path.read_text() for path in sorted(demo.folder.rglob("pyproject.toml"))]


@pytest.mark.uv
def test_groups_of_the_root_serve_its_members(root: Demo, replica: Replica) -> None:
    members = texts(root)[:2]
    result = root.init(TARGETS)
    assert texts(root)[:2] == members, "members keep torch in their base dependencies"
    assert result.commands() == {
        "linux-cu130": ["uv", "sync", "--package", "a", "--group", "cu130"],
        "linux-cpu": ["uv", "sync", "--package", "a", "--group", "cpu"],
        "macos-cpu": ["uv", "sync", "--package", "a", "--group", "cpu"],
    }
    assert "`uv sync` in that member, installs PyPI's build" in result.err
    assert root("add-target linux-rocm7.2 -y").status == 0
    replica.lock(root.folder)
    for group, index in {"cu130": "cu130", "rocm7-2": "rocm7.2", "cpu": "cpu"}.items():
        for member in ("a", "b"):
            export = replica.export(root.folder, "--package", member, "--group", group)
            build = export.select("linux-x86_64", "3.12")["torch"]
            assert isinstance(build, Build)
            assert build.index == f"{WHL}/{index}"


def test_a_second_run_and_a_removal_keep_the_cells(root: Demo) -> None:
    root.init(TARGETS)
    written = texts(root)
    root.init(TARGETS)
    assert texts(root) == written
    assert root("add-target linux-rocm7.2 -y").status == 0
    assert len(root.uv["environments"]) == 4
    assert root("remove-target linux-rocm7.2 -y").status == 0
    assert texts(root) == written


def test_builds_of_a_second_member_are_refused_without_the_conflicts(root: Demo) -> None:
    assert root(f"init {TARGETS} --project a").status == 0
    before = texts(root)
    result = root(f"init {TARGETS} --project b")
    assert (result.status, texts(root)) == (2, before)
    assert '[{ package = "b", group = "cpu" }, { package = "a", group = "cuda" }]' in result.err


def test_root_is_refused_where_every_member_has_sources_of_its_own(root: Demo) -> None:
    for name in ("a", "b"):
        (root.folder / name / "pyproject.toml").write_text(MEMBER.format(name=name) + OWN)
    before = texts(root)
    result = root("add-target linux-cu130")
    assert (result.status, texts(root)) == (2, before)
    assert "run the command in a member" in result.err


@pytest.mark.uv
def test_a_build_that_would_reach_other_platforms_beside_a_member_is_refused(
    root: Demo, replica: Replica
) -> None:
    own = OWN.replace('cpu" }', 'cpu", marker = "sys_platform == \'darwin\'" }')
    (root.folder / "a" / "pyproject.toml").write_text(MEMBER.format(name="a") + own)
    root.path.write_text(ROOT.replace("\n[", 'dependencies = ["torch>=2.13,<2.14"]\n\n[', 1))
    before = texts(root)
    result = root("add-target linux-cu130")
    assert (result.status, texts(root)) == (2, before)
    assert (
        "beside these, uv would give the new build to linux-aarch64, windows-x86_64, too"
        in result.err
    )

    (root.folder / "a" / "pyproject.toml").write_text(MEMBER.format(name="a"))
    assert root("add-target linux-cu130").status == 0
    assert root("add-target macos-cpu").status == 0
    replica.lock(root.folder)
    build = replica.selected(root.folder, "macos-arm64", "3.12")["torch"]
    assert isinstance(build, Build)
    assert build.index == f"{WHL}/cpu"


def test_every_build_stays_a_default_group(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    demo.init("-t linux-cu130 -t linux-cpu --layout groups --default cpu")
    both = 'default-groups = ["dev", "cpu", "cu130"]'
    demo.path.write_text(demo.text.replace('default-groups = ["dev", "cpu"]', both))
    assert demo("add-target linux-cu126 -y").status == 0
    assert demo.uv["default-groups"] == ["dev", "cpu", "cu130", "cu126"]
    assert demo("remove-target linux-cu126 -y").status == 0
    assert demo.uv["default-groups"] == ["dev", "cpu", "cu130"]
    demo.init("--default cu130")
    assert demo.uv["default-groups"] == ["dev", "cu130"]


def test_a_pin_of_a_member_counts_at_the_root(tmp_path: Path) -> None:
    demo = Demo(tmp_path, ROOT)
    for name, line in (("a", "torch==2.11.0"), ("b", "torch")):
        (demo.folder / name).mkdir()
        text = MEMBER.format(name=name).replace("torch>=2.13,<2.14", line)
        (demo.folder / name / "pyproject.toml").write_text(text)
    # CUDA 13.2 begins with torch 2.12.
    result = demo("add-target windows-cuda")
    assert result.status == 0, result.err
    assert "windows-cu130" in result.commands()
    refused = demo("add-target linux-cu132")
    assert refused.status == 2
    assert "torch==2.11.0" in refused.err
    assert str(Path("a", "pyproject.toml")) in refused.err


def test_one_group_alone_is_a_default_of_the_root(root: Demo) -> None:
    root("add-target linux-cu130")
    result = root("init -y --layout groups")
    assert result.status == 0, result.err
    assert "cu130" in root.uv["default-groups"]
    assert "PyPI's build" not in result.err.partition("not targeted")[0]
    assert not root("check --strict --format json").json["findings"]


def test_a_companion_that_a_local_library_brings_goes_along(tmp_path: Path) -> None:
    demo = Demo(
        tmp_path,
        ROOT.partition("\n[tool.uv.workspace]")[0]
        + 'dependencies = ["torch>=2.8", "vision-tools"]\n\n'
        + '[tool.uv.sources]\nvision-tools = { path = "libs/vision" }\n',
    )
    library = demo.folder / "libs" / "vision" / "pyproject.toml"
    library.parent.mkdir(parents=True)
    library.write_text(
        '[project]\nname = "vision-tools"\nversion = "1"\ndependencies = ["torchvision"]\n'
    )
    result = demo("add-target linux-cu130")
    assert result.status == 0, result.err
    assert "torchvision becomes a direct requirement" in result.err
    assert demo.uv["sources"]["torchvision"] == demo.uv["sources"]["torch"]
