"""Nightly builds as targets: what is written locks with the real uv, and leads back again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.few import few
from tests.support.projects import Demo
from tests.support.replica import Content, Replica
from tests.support.replica.channels import NEWEST, TRITON, nightly
from tests.support.replica.export import Build

WHL = "https://download.pytorch.org/whl"
START = (
    '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
    'dependencies = ["numpy"]\n'
)
LINUX = "sys_platform == 'linux'"
THREE = "-t linux-cuda-nightly -t windows-cpu-nightly -t macos-cpu-nightly --with torchvision"


@pytest.fixture(scope="module")
def world(replica_of: Callable[[Content], Replica]) -> Replica:
    return replica_of(Content.from_facts().merged(nightly()))


def test_a_target_is_an_explicit_index_a_bound_and_the_triton_of_that_index(
    tmp_path: Path,
) -> None:
    demo = Demo(tmp_path, START)
    said = demo.init(THREE)
    assert demo.project["dependencies"] == [
        "numpy",
        "torch>=2.16.0.dev0",
        "torchvision>=0.dev0",
        "triton ; sys_platform == 'linux'",
    ]
    assert {i["url"]: i["explicit"] for i in demo.uv["index"]} == {
        f"{WHL}/nightly/cpu": True,
        f"{WHL}/nightly/cu134": True,
    }
    linux = {"index": "pytorch-cu134-nightly", "marker": "sys_platform == 'linux'"}
    assert demo.uv["sources"]["triton"] == [linux]
    # Nothing but nightly indexes has such a torch, so that no platform is left to PyPI.
    assert demo.uv["sources"]["torch"] == [
        linux,
        {"index": "pytorch-cpu-nightly", "marker": "sys_platform != 'linux'"},
    ]
    assert "linux-cu134-nightly  uv sync" in said.out
    assert "not verified" in said.err
    assert demo(f"init {THREE} --check").status == 0, "a second run changes nothing"
    assert demo("check --strict").err.startswith("nothing found")


@pytest.mark.parametrize("layout", few(["markers", "extras", "groups"], {"extras"}.__contains__))
def test_uv_locks_the_newest_day_for_every_platform(
    layout: str, world: Replica, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, START)
    more = "" if layout == "markers" else "-t linux-cpu-nightly -t linux-rocm-nightly"
    said = demo.init(f"{THREE} {more} --layout {layout}")
    world.lock(demo.folder)
    expected = {
        "linux-cu134-nightly": ("linux-x86_64", f"{NEWEST}+cu134", ("triton", TRITON)),
        "windows-cpu-nightly": ("windows-x86_64", f"{NEWEST}+cpu", None),
        "macos-cpu-nightly": ("macos-arm64", NEWEST, None),
        "linux-cpu-nightly": ("linux-x86_64", f"{NEWEST}+cpu", None),
        "linux-rocm10.0-nightly": ("linux-x86_64", f"{NEWEST}+rocm10.0", ("triton-rocm", TRITON)),
    }
    commands = said.commands()
    assert commands.keys() == expected.keys() if more else {*commands} == {*expected} - {
        "linux-cpu-nightly", "linux-rocm10.0-nightly"
    }  # fmt: skip
    for target, words in commands.items():
        platform, version, triton = expected[target]
        chosen = world.chosen(demo.folder, " ".join(words)).select(platform, "3.12")
        built = {name: one for name, one in chosen.items() if isinstance(one, Build)}
        torch, vision = built["torch"], built["torchvision"]
        assert torch.version == version
        assert "/nightly/" in (torch.index or "")
        assert vision.index == torch.index
        found = {(n, built[n].version) for n in ("triton", "triton-rocm") if n in built}
        assert found == ({triton} if triton else set())
        verified = demo(f"verify --frozen --python 3.12 -t {target}")
        assert verified.status == 0, verified.out
    assert demo("check --strict --ignore TC307").err.startswith("nothing found")


@pytest.mark.uv
def test_without_the_triton_of_that_index_uv_finds_none(world: Replica, tmp_path: Path) -> None:
    """What the requirement is for: the hash is on no other index."""
    demo = Demo(tmp_path, START)
    demo.init(THREE)
    text = demo.text.replace("    \"triton ; sys_platform == 'linux'\",\n", "")
    assert text != demo.text
    demo.path.write_text(text, encoding="utf-8")
    run = world.uv("lock", cwd=demo.folder)
    assert run.returncode == 1
    assert "no version of triton" in run.stderr


CHOICES = {
    "markers": "-t linux-cu130 -t windows-cpu -t macos-cpu",
    "extras": "-t linux-cu130 -t linux-cpu -t linux-rocm7.2 -t macos-cpu",
    "groups": "-t linux-cu130 -t linux-cpu -t macos-cpu --default cpu",
    "machine": "-t linux-cu130 -t linux-cpu -t macos-cpu --default machine",
}


def test_no_platform_keeps_a_stable_build(tmp_path: Path) -> None:
    """Windows is no target here, but the torch of all is nightly: no stable index has it."""
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cu130 -t macos-cpu")
    stable = demo.text
    assert demo("upgrade --channel nightly -y").status == 0
    assert all("/nightly/" in index["url"] for index in demo.uv["index"])
    text = demo.text
    demo.init("")
    assert demo.text == text
    assert demo("upgrade --channel stable -y").status == 0
    assert demo.text == stable


def test_a_build_for_windows_alone_has_no_triton_of_linux(tmp_path: Path) -> None:
    """The nightly triton is for Linux only: no line of it can apply, and nothing is left behind."""
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cu130 -t windows-cu132 -t windows-cpu")
    assert demo("upgrade --channel nightly -y").status == 0
    apart = [
        extra for extra, lines in demo.project["optional-dependencies"].items() if len(lines) > 1
    ]
    assert apart == ["cu130-nightly"]
    assert len(demo.uv["sources"]["triton"]) == 1
    removed = demo("remove-target windows-cu132-nightly -y")
    assert removed.status == 0, removed.err


@pytest.mark.parametrize("name", CHOICES)
def test_upgrade_leads_to_nightly_and_back(name: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init(f"{CHOICES[name]} --with torchvision")
    stable = demo.data
    there = demo("upgrade --channel nightly -y")
    assert there.status == 0, there.err
    urls = {index["url"] for index in demo.uv["index"]}
    assert {f"{WHL}/nightly/cpu", f"{WHL}/nightly/cu130"} <= urls
    assert all("/nightly/" in url for url in urls)
    assert "torch>=2.16.0.dev0" in demo.text
    assert demo("check --strict --ignore TC307").err.startswith("nothing found")
    back = demo("upgrade --channel stable -y")
    assert back.status == 0, back.err
    assert demo.data == stable


def test_a_build_that_nobody_listed_is_read_back(tmp_path: Path) -> None:
    entry = '\n[[tool.uv.index]]\nname = "old"\nexplicit = true\n'
    text = START.replace("numpy", "torch>=2.9") + (
        f'\n[tool.uv.sources]\ntorch = {{ index = "old", marker = "{LINUX}" }}\n'
        f'{entry}url = "{WHL}/nightly/cu121"\n'
        '\n[tool.torchconf]\ntargets = ["linux-cu121-nightly"]\n'
    )
    demo = Demo(tmp_path, text)
    assert "TC4" not in demo("check --strict").out
    there = demo("upgrade --channel stable -y --dry-run")
    assert there.status == 0, there.err


def test_a_target_is_added_to_and_taken_from_nightly_builds(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init(THREE)
    before = demo.data
    assert demo("add-target linux-aarch64-cpu-nightly -y").status == 0
    own = "sys_platform == 'linux' and platform_machine == 'x86_64'"
    assert f"triton ; {own}" in demo.project["dependencies"]
    assert demo.uv["sources"]["torch"][0]["marker"] == own
    assert demo("remove-target linux-aarch64-cpu-nightly -y").status == 0
    assert demo.data["tool"]["torchconf"] == before["tool"]["torchconf"]


def test_a_mirror_has_the_same_folders(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init(f"{THREE} --index-base https://mirror.example.org/pytorch")
    assert [index["url"] for index in demo.uv["index"]] == [
        "https://mirror.example.org/pytorch/nightly/cpu",
        "https://mirror.example.org/pytorch/nightly/cu134",
    ]
    assert demo("add-target linux-aarch64-cu130-nightly -y").status == 0
    assert demo.uv["index"][-1]["url"] == "https://mirror.example.org/pytorch/nightly/cu130"


@pytest.mark.parametrize(
    ("start", "command", "message"),
    [
        ("", "init -t linux-cuda-nightly -t macos-cpu -y", "nightly and stable builds have"),
        ("-t linux-cuda", "add-target windows-cpu-nightly -y", "the project has stable builds"),
        ("-t linux-cuda", "init -t linux-cuda-nightly -y", "the project has stable builds"),
        ("-t linux-cuda", "upgrade --channel stable -y", "the project has stable builds already"),
        ("-t linux-cuda", "upgrade --channel beta -y", "unknown channel `beta`"),
        ("-t linux-cuda", "upgrade --channel nightly --all -y", "`--channel` moves all targets"),
        (THREE, "upgrade --channel nightly -y", "the project has nightly builds already"),
        ("-t linux-pypi", "upgrade --channel nightly -y", "PyPI has no nightly builds"),
        ("", "init -t linux-cuda-beta -y", "`linux-cuda-beta` is not a target"),
        ("", "init -t macos-cuda-nightly -y", "target `macos-cuda-nightly` is not available"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(
    start: str, command: str, message: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, START)
    if start:
        demo.init(start)
    before = demo.text
    said = demo(command)
    assert said.status == 2, said.err
    assert message in said.err
    assert demo.text == before


def test_show_and_explain_name_the_builds(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init(THREE)
    assert "cu134-nightly" in demo("show").out
    assert "one of PyTorch's nightly builds" in demo("explain linux torch").out
