"""Jetson: an extra of its own, or a marker about the kernel, since no platform tells one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import torchconf.machine
from tests.support.paths import TESTS
from tests.support.projects import Demo
from tests.support.recorded_machines import record
from tests.support.replica import Content, Replica
from tests.support.replica.export import Build
from tests.support.replica.publishers import JETSON_6, JETSON_7, nvidia
from torchconf.machine import read_machine

FIXED = TESTS / "cases/603-jetson-looks-like-spark-to-a-marker/fixed/pyproject.toml"
ONLY = "'tegra' in platform_release"
NOT = "'tegra' not in platform_release"


def start(python: str) -> str:
    return (
        f'[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = "{python}"\n'
        'dependencies = ["numpy"]\n'
    )


@pytest.fixture(scope="module")
def world(replica_of: Callable[[Content], Replica]) -> Replica:
    return replica_of(Content.from_facts().merged(nvidia()))


def sources(demo: Demo) -> dict[str, str | None]:
    """Return the marker of each index that torch comes from."""
    return {one["index"]: one.get("marker") for one in demo.uv["sources"]["torch"]}


@pytest.mark.uv
@pytest.mark.parametrize(
    ("python", "index", "release"),
    [(">=3.10,<3.11", JETSON_6, "2.10.0"), (">=3.12,<3.14", JETSON_7, "2.10.0")],
)
def test_it_is_an_extra_of_the_index_that_has_wheels_for_the_python(
    python: str, index: str, release: str, world: Replica, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, start(python))
    said = demo.init(
        "-t linux-aarch64-jetson -t linux-aarch64-cuda -t linux-cuda --with torchvision"
    )
    assert "documented by NVIDIA, not verified" in said.err
    assert demo("check --strict --ignore TC307").status == 0
    world.lock(demo.folder)
    commands = said.commands()
    jetson, spark = (
        world.chosen(demo.folder, " ".join(command)).select("linux-aarch64", python[2:6])
        for target, command in commands.items()
        if target.startswith("linux-aarch64")
    )
    torch = jetson["torch"]
    assert isinstance(torch, Build)
    assert (torch.version, (torch.index or "").rstrip("/")) == (release, index)
    other = spark["torch"]
    assert isinstance(other, Build)
    assert (other.version or "").startswith(f"{release}+cu")
    assert demo("init -y --check").status == 0


@pytest.mark.uv
def test_a_marker_about_the_kernel_is_written_where_it_is_asked_for(
    world: Replica, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, start(">=3.12,<3.14"))
    flags = "-t linux-aarch64-jetson -t linux-cuda -t macos-cpu --layout markers"
    demo.init(f"{flags} --with torchvision")
    assert sources(demo) == {
        "pytorch-cu130": f"sys_platform == 'linux' and {NOT}",
        "jetson-cu130": f"sys_platform == 'linux' and platform_machine == 'aarch64' and {ONLY}",
        "pytorch-cpu": "sys_platform != 'linux'",
    }
    assert demo("check --strict").status == 0
    assert demo(f"init {flags} --with torchvision --check").status == 0
    assert demo("init -y --check").status == 0
    world.lock(demo.folder)
    export = world.chosen(demo.folder, "uv sync")
    for machine, version in {
        "linux-aarch64-tegra": "2.10.0",
        "linux-aarch64": "2.10.0+cu130",
        "linux-x86_64": "2.10.0+cu130",
        "macos-arm64": "2.10.0",
    }.items():
        chosen = export.select(machine, "3.12")["torch"]
        assert isinstance(chosen, Build)
        assert chosen.version == version
    tegra = export.select("linux-aarch64-tegra", "3.12")["torch"]
    assert isinstance(tegra, Build)
    assert tegra.index == f"{JETSON_7}"


def test_show_and_explain_have_a_row_for_it(tmp_path: Path) -> None:
    demo = Demo(tmp_path, start(">=3.12,<3.14"))
    demo.init("-t linux-aarch64-jetson -t linux-cuda --layout markers")
    rows = {row["platform"]: row["backend"] for row in demo("show --format json").json["routes"]}
    assert rows["linux-aarch64-tegra"] == "jetson-cu130"
    assert rows["linux-aarch64"] == "cu130"
    assert "linux-aarch64-tegra" in demo("show").out
    told = demo("explain jetson").out
    assert told.startswith("torch on linux-aarch64-tegra, uv sync\n")
    assert "=> Jetson's CUDA 13.0" in told


def test_it_is_added_and_removed_and_the_rest_stays_as_it_is(tmp_path: Path) -> None:
    demo = Demo(tmp_path, start(">=3.12,<3.14"))
    demo.init("-t linux-cuda -t macos-cpu --torch 2.10")
    demo.path.write_text(
        demo.text.replace("\"sys_platform == 'linux'\"", "\"platform_system == 'Linux'\""),
        encoding="utf-8",
    )
    before = demo.text
    refused = demo("add-target linux-aarch64-jetson -y")
    assert refused.status == 2
    assert "to keep it, `--layout markers`" in refused.err
    assert demo.text == before
    assert demo("add-target linux-aarch64-jetson --layout markers -y").status == 0
    assert sources(demo)["pytorch-cu130"] == f"platform_system == 'Linux' and {NOT}"
    there = demo.text
    assert demo("add-target linux-aarch64-jetson -y").status == 0
    assert demo("init -y").status == 0
    assert demo.text == there
    assert demo("add-target windows-cuda -y").status == 0
    assert ONLY in str(sources(demo)["jetson-cu130"])
    assert demo("remove-target windows-cuda -y").status == 0
    assert demo("remove-target linux-aarch64-jetson -y").status == 0
    assert "tegra" not in demo.text
    assert sources(demo)["pytorch-cu130"] in {
        "platform_system == 'Linux'",
        "sys_platform == 'linux'",
    }


@pytest.mark.parametrize("layout", ["extras", "groups"])
def test_a_choice_of_its_own_comes_and_goes(layout: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, start(">=3.12,<3.14"))
    demo.init(f"-t linux-cuda -t linux-cpu -t macos-cpu --torch 2.10 --layout {layout}")
    before = demo.data
    for target in ("linux-aarch64-jetson", "windows-rocm --gpu gfx1201"):
        added = demo(f"add-target {target} -y")
        assert added.status == 0, added.err
        assert demo("check --strict --ignore TC307").status == 0
        assert demo(f"add-target {target} -y --check").status == 0
        assert demo("init -y --check").status == 0
    for target in ("windows-rocm", "linux-aarch64-jetson"):
        assert demo(f"remove-target {target} -y").status == 0
    assert demo.data == before


def test_what_people_write_is_edited_too(tmp_path: Path) -> None:
    """The answer that is public, with an index name and markers of its author's own."""
    demo = Demo(tmp_path, FIXED.read_bytes())
    assert demo("check --strict --ignore TC211").status == 0
    markers = sources(demo)
    added = demo("add-target windows-cpu -y")
    assert added.status == 0, added.err
    assert markers.items() <= sources(demo).items()
    gone = demo("remove-target linux-aarch64-jetson -y")
    assert gone.status == 0, gone.err
    assert "jetson" not in demo.text
    assert sources(demo)["pytorch-cu129"] == (
        "sys_platform == 'linux' and platform_machine == 'aarch64'"
    )


def test_upgrade_moves_it_along(tmp_path: Path) -> None:
    demo = Demo(tmp_path, start(">=3.12,<3.14"))
    demo.init("-t linux-aarch64-jetson -t linux-cuda --layout markers --torch 2.9")
    markers = sources(demo)
    moved = demo("upgrade -y")
    assert moved.status == 0, moved.err
    assert "torch>=2.10,<2.11" in demo.project["dependencies"]
    assert sources(demo) == markers


def test_upgrade_gives_it_the_build_of_another_jetpack_only_if_asked(tmp_path: Path) -> None:
    demo = Demo(tmp_path, start(">=3.10,<3.14"))
    demo.init("-t linux-aarch64-jetson-cu126 -t linux-cuda")
    assert demo("upgrade --all -y").status == 0
    assert JETSON_6 in demo.text
    assert demo("upgrade --backend jetson-cu126=jetson-cu130 -y").status == 0
    assert JETSON_6 not in demo.text
    assert f'url = "{JETSON_7}"' in demo.text
    refused = demo("upgrade --channel nightly")
    assert refused.status == 2
    assert "of which there are no nightly builds" in refused.err


@pytest.mark.parametrize(
    ("machine", "flags", "target", "command"),
    [
        ("jetson-orin", "-t linux-aarch64-jetson-cu126 -t linux-aarch64-cuda",
         "linux-aarch64-jetson-cu126", "uv sync --extra jetson-cu126"),
        ("jetson-thor", "-t linux-aarch64-jetson -t linux-cuda --layout markers",
         "linux-aarch64-jetson-cu130", "uv sync"),
        ("dgx-spark", "-t linux-aarch64-jetson -t linux-aarch64-cuda",
         "linux-aarch64-cu130", "uv sync --extra cu130"),
        ("dgx-spark", "-t linux-aarch64-jetson -t linux-cuda --layout markers",
         "linux-aarch64-cu130", "uv sync"),
    ],
)  # fmt: skip
def test_sync_takes_what_the_machine_is(
    machine: str,
    flags: str,
    target: str,
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = read_machine(record(machine)[0])
    monkeypatch.setattr(torchconf.machine, "this_machine", lambda: here)
    monkeypatch.delenv("TORCHCONF_TARGET", raising=False)
    demo = Demo(tmp_path, start(">=3.10,<3.14"))
    demo.init(flags)
    said = demo("sync --dry-run")
    assert said.err.startswith(f"target {target}: ")
    assert said.out.rstrip().endswith(command)
    assert demo("doctor --format json").json["sync"]["target"] == target
