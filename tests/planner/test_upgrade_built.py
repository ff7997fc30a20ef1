"""`upgrade` where something is built against torch: it goes along, or torch stays where it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.projects import Demo
from tests.support.replica import Content, Replica
from tests.support.replica.export import Build
from tests.support.replica.gpu_wheels import gpu_wheels

X86 = "sys_platform == 'linux' and platform_machine == 'x86_64'"
PROJECT = f"""\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11,<3.14"
dependencies = [
    "torch>=2.11.0,<2.12",
    # Fast.
    "flash-attn ; sys_platform == 'linux'",
    "pyg-lib ; {X86}",
]

[tool.uv.sources]
torch = [{{ index = "pytorch-cu130", marker = "sys_platform != 'darwin'" }}]
flash-attn = [{{ index = "astral-cu130", marker = "sys_platform == 'linux'" }}]
pyg-lib = {{ index = "pyg" }}

[[tool.uv.index]]
name = "astral-cu130"
url = "https://wheels.astral.sh/simple/cu130/"
explicit = true

[[tool.uv.index]]
name = "pyg"
url = "https://data.pyg.org/whl/torch-2.11.0%2Bcu130.html"
explicit = true
format = "flat"

[[tool.uv.index]]
name = "pytorch-cu130"
url = "https://download.pytorch.org/whl/cu130"
explicit = true
"""


@pytest.fixture(scope="module")
def world(replica_of: Callable[[Content], Replica]) -> Replica:
    return replica_of(Content.from_facts(newest="2.14.0").merged(gpu_wheels()))


def test_torch_goes_as_far_as_there_are_wheels_and_the_page_goes_along(tmp_path: Path) -> None:
    demo = Demo(tmp_path, PROJECT)
    said = demo("upgrade")
    assert demo.text == PROJECT.replace("torch>=2.11.0,<2.12", "torch>=2.12.1,<2.13").replace(
        "torch-2.11.0%2Bcu130", "torch-2.12.0%2Bcu130"
    )
    assert "index `pyg` has the wheels for torch 2.12 now" in said.err
    assert "torch stays at 2.12: no newer one is known for which there are wheels" in said.err
    assert "run `torchconf catalog refresh`" in said.err
    assert demo("upgrade --check").status == 0
    assert demo("check --strict --ignore TC211").status == 0


def test_another_build_takes_its_indexes_along(tmp_path: Path) -> None:
    demo = Demo(tmp_path, PROJECT)
    assert demo("upgrade --all").status == 0
    assert "cu130" not in demo.text
    urls = [entry["url"] for entry in demo.uv["index"]]
    assert urls == [
        "https://wheels.astral.sh/simple/cu132/",
        "https://data.pyg.org/whl/torch-2.12.0%2Bcu132.html",
        "https://download.pytorch.org/whl/cu132",
    ]
    assert demo.uv["sources"]["flash-attn"][0]["index"] == "astral-cu132"
    assert demo("check --strict --ignore TC211").status == 0


def test_two_builds_that_become_one_share_its_index(tmp_path: Path) -> None:
    start = PROJECT.partition("dependencies")[0] + "dependencies = []\n"
    demo = Demo(tmp_path, start)
    demo.init("-t linux-cu126 -t windows-cu130 --torch 2.11 --with pyg-lib")
    result = demo("upgrade --all")
    assert result.status == 0, result.err
    names = [entry["name"] for entry in demo.uv["index"]]
    assert len(set(names)) == len(names)
    assert {entry["index"] for entry in demo.uv["sources"]["pyg-lib"]} == {"pyg-cu132"}
    assert demo("check --strict --ignore TC211").status == 0


def test_what_is_asked_for_by_name_is_done_and_warned_of(tmp_path: Path) -> None:
    demo = Demo(tmp_path, PROJECT)
    said = demo("upgrade --torch 2.13")
    assert "torch>=2.13.0,<2.14" in demo.text
    assert "torch-2.13.0%2Bcu130.html" in demo.text
    assert "it is not known whether Astral has flash-attn for torch 2.13 and cu130" in said.err


def test_what_is_known_to_be_missing_is_refused(tmp_path: Path) -> None:
    text = PROJECT.replace("flash-attn", "pytorch3d").replace("cu130", "cu126")
    demo = Demo(tmp_path, text)
    result = demo("upgrade --backend cu126=cu130")
    assert (result.status, demo.text) == (2, text)
    assert "there are no wheels of pytorch3d for torch 2.11 with cu130 on linux-" in result.err


def test_a_build_that_holds_torch_is_named_and_not_the_wheels(tmp_path: Path) -> None:
    text = PROJECT.replace("cu130", "cu128")
    demo = Demo(tmp_path, text)
    said = demo("upgrade")
    assert demo.text == text
    assert "cu128 ended with torch 2.11.0" in said.err
    assert "torch stays at" not in said.err


def test_pypis_torch_takes_the_index_of_its_new_build(tmp_path: Path) -> None:
    """PyPI's torch is for CUDA 13.0 up to 2.14; the indexes stay while that is so."""
    text = PROJECT.replace(
        'torch = [{ index = "pytorch-cu130", marker = "sys_platform != \'darwin\'" }]\n', ""
    )
    text = text[: text.index('\n[[tool.uv.index]]\nname = "pytorch-cu130"')]
    demo = Demo(tmp_path, text)
    assert demo("upgrade").status == 0
    assert "torch>=2.12" in demo.text
    assert "simple/cu130/" in demo.text
    assert "torch-2.12.0%2Bcu130" in demo.text


def test_extras_go_together(tmp_path: Path) -> None:
    start = PROJECT.partition("dependencies")[0] + "dependencies = []\n"
    demo = Demo(tmp_path, start)
    flags = "-t linux-cu126 -t linux-cu130 -t linux-cpu -t macos-cpu --layout extras"
    demo.init(f"{flags} --torch 2.11 --with flash-attn --with pyg-lib")
    result = demo("upgrade")
    assert result.status == 0, result.err
    lines = [one for own in demo.project["optional-dependencies"].values() for one in own]
    assert {line for line in lines if line.startswith("torch")} == {"torch>=2.12,<2.13"}
    pages = {entry["url"] for entry in demo.uv["index"] if "pyg" in entry["url"]}
    assert pages == {
        f"https://data.pyg.org/whl/torch-2.12.0+{build}.html" for build in ("cpu", "cu126", "cu130")
    }
    assert demo("upgrade --check").status == 0
    assert demo("check --strict").status == 0


@pytest.mark.uv
def test_uv_takes_the_new_wheels(world: Replica, tmp_path: Path) -> None:
    demo = Demo(tmp_path, PROJECT)
    demo("upgrade")
    world.lock(demo.folder)
    found = world.export(demo.folder).select("linux-x86_64", "3.12")
    versions = {name: str(own.version) for name, own in found.items() if isinstance(own, Build)}
    assert versions["torch"] == "2.12.1+cu130"
    assert versions["flash-attn"] == "2.8.3.post1+cu.13.0.torch.2.12"
    assert versions["pyg-lib"] == "0.9.0+pt212cu130"
    mac = world.export(demo.folder).select("macos-arm64", "3.12")["torch"]
    assert isinstance(mac, Build)
    assert str(mac.version).startswith("2.12")
