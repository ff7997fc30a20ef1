"""What is read from a uv.lock: the locked release, and who needs which package."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from tests.support.projects import THREE_SYSTEMS, Demo
from tests.support.replica import Replica
from torchconf.model.uv_lock import locked_release, needs, reached

LOCK = """\
version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "accelerate"
version = "1.13.0"
source = { registry = "https://packages.example.org/simple" }
dependencies = [
    { name = "numpy" },
    { name = "torch", version = "2.13.0", source = { registry = "https://download.pytorch.org/whl/cpu" }, marker = "sys_platform == 'darwin'" },
    { name = "torch", version = "2.13.0+cpu", source = { registry = "https://download.pytorch.org/whl/cpu" } },
]

[[package]]
name = "demo"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "accelerate" },
]

[package.optional-dependencies]
vision = [
    { name = "torchvision" },
]

[package.metadata]
requires-dist = [{ name = "accelerate" }]

[[package]]
name = "numpy"
version = "2.4.4"
source = { registry = "https://packages.example.org/simple" }

[[package]]
name = "torch"
version = "2.12.1+cu130"
source = { registry = "https://download.pytorch.org/whl/cu130" }
dependencies = [
    { name = "triton", marker = "sys_platform == 'linux'" },
]

[[package]]
name = "torch"
version = "2.13.0"
source = { registry = "https://download.pytorch.org/whl/cpu" }
dependencies = [
    { name = "filelock" },
]

[[package]]
name = "torch-geometric"
version = "9.9.9"
source = { registry = "https://packages.example.org/simple" }
"""  # noqa: E501 - uv writes one entry a line


@pytest.mark.parametrize(
    ("package", "release"),
    [("torch", "2.13.0"), ("numpy", "2.4.4"), ("demo", "0.1.0"), ("torch-geometric", "9.9.9")],
)
def test_locked_release_is_the_newest_public_version(package: str, release: str) -> None:
    assert locked_release(LOCK, package) == Version(release)


@pytest.mark.parametrize("package", ["torchvision", "tor", "geometric", ""])
def test_package_that_is_not_locked_has_no_release(package: str) -> None:
    assert locked_release(LOCK, package) is None


def test_local_versions_are_not_part_of_a_release() -> None:
    only = LOCK.replace('version = "2.13.0"\nsource', 'version = "2.12.1+cpu"\nsource')
    assert locked_release(only, "torch") == Version("2.12.1")


def test_package_without_a_version_is_passed_over() -> None:
    dynamic = LOCK.replace('name = "demo"\nversion = "0.1.0"\n', 'name = "demo"\n')
    assert locked_release(dynamic, "demo") is None
    assert needs(dynamic)["demo"] == {"accelerate"}


def test_needs_are_joined_over_the_forks_and_leave_extras_out() -> None:
    assert needs(LOCK) == {
        "accelerate": {"numpy", "torch"},
        "demo": {"accelerate"},
        "torch": {"filelock", "triton"},
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version = 1\n",
        "not a lockfile",
        "[[package]]\n",
        '[[package]]\nname = "torch"\n',
        '[[package]]\nname = "torch"\nversion = "not a version"\n',
        '[[package]]\nname = "torch"\nversion = ""\n',
        LOCK[: LOCK.index("torch-geometric")],
        LOCK.replace("\n", "\r\n"),
    ],
)
def test_broken_lockfile_is_no_failure(text: str) -> None:
    assert locked_release(text, "torch") in {None, Version("2.13.0")}
    assert isinstance(needs(text), dict)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["accelerate"], {"numpy", "torch", "filelock", "triton"}),
        (["Accelerate"], {"numpy", "torch", "filelock", "triton"}),
        (["demo", "accelerate"], {"numpy", "torch", "filelock", "triton"}),
        (["numpy"], set()),
        (["nothing"], set()),
        ([], set()),
    ],
)
def test_reached_is_all_that_comes_along(names: list[str], found: set[str]) -> None:
    assert reached(names, needs(LOCK)) == found


def test_reached_ends_where_packages_need_each_other() -> None:
    circle = {"a": frozenset({"b"}), "b": frozenset({"c"}), "c": frozenset({"a", "d"})}
    assert reached(["a"], circle) == {"b", "c", "d"}


def test_lockfile_of_the_real_uv_is_read(replica: Replica, tmp_path: Path) -> None:
    demo = Demo.of(tmp_path, "accelerate")
    demo.init(f"{THREE_SYSTEMS} --torch ==2.12.0")
    replica.lock(demo.folder)
    text = (demo.folder / "uv.lock").read_text(encoding="utf-8")
    assert locked_release(text, "torch") == Version("2.12.0")
    graph = needs(text)
    assert "torch" in graph["accelerate"]
    assert "torch" not in graph["demo"], "what groups bring is not what the project needs"
    assert {"torch", "triton"} <= reached(["accelerate"], graph)
