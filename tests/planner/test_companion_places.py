"""A companion without wheels for some target is required, and routed, where it has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.projects import Demo
from tests.support.replica import Replica

HEAD = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.10,<3.13"
"""
LISTED = HEAD + 'dependencies = ["torch==2.6.0", "{xformers}"]\n'
LINUX_AND_WINDOWS = (
    "(sys_platform == 'linux' and platform_machine == 'x86_64') or sys_platform == 'win32'"
)
CUDA = "-t linux-cu124 -t windows-cu124"
NEW = f"{HEAD}dependencies = []\n"


def xformers_of(demo: Demo) -> tuple[str, list[str]]:
    """Return the requirement of xformers, and the indexes that its sources name."""
    lines = [line for line in demo.project["dependencies"] if line.startswith("xformers")]
    assert len(lines) == 1
    sources = demo.uv.get("sources", {}).get("xformers", [])
    return lines[0], [source["index"] for source in sources]


@pytest.mark.parametrize(
    ("targets", "missing", "where"),
    [
        (f"{CUDA} -t macos-cpu", "macOS", "Linux x86_64 and Windows"),
        (f"{CUDA} -t macos-pypi", "macOS", "Linux x86_64 and Windows"),
        (
            "-t linux-cu126 -t linux-aarch64-cu126 -t macos-cpu",
            "Linux aarch64 and macOS",
            "Linux x86_64 and Windows",
        ),
    ],
)
def test_a_new_companion_is_required_where_it_has_wheels(
    targets: str, missing: str, where: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, NEW)

    done = demo(f"init {targets} --torch 2.6.0 --with xformers -y")

    line, indexes = xformers_of(demo)
    assert f"xformers has no wheels for {missing}: required on {where} only\n" in done.err
    assert line.partition(" ; ")[2] == LINUX_AND_WINDOWS
    assert "pytorch-cpu" not in indexes
    assert len(indexes) == 1


def test_a_new_companion_with_wheels_for_all_targets_has_no_marker(tmp_path: Path) -> None:
    demo = Demo(tmp_path, NEW)
    done = demo(f"init {CUDA} --torch 2.6.0 --with xformers -y")
    assert xformers_of(demo) == ("xformers>=0.0.29.post3", ["pytorch-cu124"])
    assert "no wheels" not in done.err


def test_an_index_without_a_companion_is_no_source_of_it_for_the_rest(tmp_path: Path) -> None:
    """The index for the CPU serves torch on all other platforms, and has no xformers at all."""
    demo = Demo(tmp_path, NEW)
    demo(f"init {CUDA} -t macos-cpu --torch 2.6.0 --with torchvision --with xformers -y")
    sources = demo.uv["sources"]
    assert [s["index"] for s in sources["torchvision"]] == ["pytorch-cu124", "pytorch-cpu"]
    assert [s["index"] for s in sources["xformers"]] == ["pytorch-cu124"]


@pytest.mark.parametrize("layout", ["extras", "groups"])
def test_a_choice_has_no_source_where_its_own_requirement_does_not_hold(
    layout: str, tmp_path: Path
) -> None:
    """Elsewhere the extra `cu126` has torch for the CPU, but no torchao."""
    demo = Demo(tmp_path, NEW)
    targets = "-t linux-cu126 -t linux-cpu -t macos-cpu"
    demo(f"init {targets} --with torchao --with torchvision --layout {layout} -y")

    def indexes(package: str) -> list[tuple[str, str]]:
        sources = demo.uv["sources"][package]
        return [(source[layout.removesuffix("s")], source["index"]) for source in sources]

    own = [("cpu", "pytorch-cpu"), ("cu126", "pytorch-cu126")]
    assert indexes("torchao") == own
    assert indexes("torchvision") == [*own, ("cu126", "pytorch-cpu")]
    assert demo("check --strict --ignore TC307").status == 0
    once = demo.text
    demo("init -y")
    assert demo.text == once


@pytest.mark.parametrize("xformers", ["xformers", f"xformers ; {LINUX_AND_WINDOWS}"])
@pytest.mark.uv
def test_a_requirement_that_is_there_stays_and_is_routed_where_there_are_wheels(
    xformers: str, replica: Replica, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, LISTED.format(xformers=xformers))
    assert demo(f"init {CUDA} -t macos-cpu -y").status == 0
    assert xformers_of(demo) == (xformers, ["pytorch-cu124"])
    once = demo.text

    assert demo(f"init {CUDA} -t macos-cpu -y").status == 0
    assert demo("init -y").status == 0
    assert demo("add-target macos-cpu -y").status == 0

    assert demo.text == once
    replica.lock(demo.folder)
    errors = [f for f in demo("check --format json").json["findings"] if f["severity"] == "error"]
    assert errors == []


@pytest.mark.uv
def test_a_target_that_is_added_brings_no_source_that_uv_could_not_lock(
    replica: Replica, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, LISTED.format(xformers="xformers"))
    demo(f"init {CUDA} -y")
    assert demo("add-target macos-cpu -y").status == 0
    assert xformers_of(demo) == ("xformers", ["pytorch-cu124"])
    replica.lock(demo.folder)


@pytest.mark.parametrize("layout", ["markers", "extras"])
def test_a_companion_that_no_target_has_is_refused(layout: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, NEW)
    result = demo(f"init -t macos-cpu --layout {layout} --with xformers")
    assert (result.status, demo.text) == (2, NEW)
    assert "error: `xformers` has no wheels for `macos-cpu`" in result.err
    assert "it has wheels for Linux x86_64 and Windows x86_64" in result.err


@pytest.mark.parametrize("targets", ["-t macos-cpu", "-t linux-aarch64-cu130 -t macos-cpu"])
def test_what_old_releases_lack_a_new_one_may_have(targets: str, tmp_path: Path) -> None:
    """Nobody knows, so it is warned of; its source is there at once, and not after another run."""
    demo = Demo(tmp_path, NEW)
    result = demo(f"init {targets} --with torchao")
    assert "no information on torchao" in result.err
    assert demo.uv["sources"]["torchao"]
    before = demo.text
    assert demo(f"init {targets} --with torchao").status == 0
    assert demo.text == before
