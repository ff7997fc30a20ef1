"""What a lockfile installs, followed as `uv sync` follows it."""

from __future__ import annotations

import pytest

from torchconf.model.lock_graph import LockGraph, Start

WORKSPACE = """\
version = 1
[[package]]
name = "core"
version = "1"
source = { editable = "core" }

[package.optional-dependencies]
cpu = [
    { name = "torch", version = "2.13.0+cpu", source = { registry = "https://x/cpu" }, marker = "extra == 'extra-4-core-cpu'" },
]
gpu = [
    { name = "torch", version = "2.13.0+cu130", source = { registry = "https://x/cu130" }, marker = "extra == 'extra-4-core-gpu'" },
]

[[package]]
name = "demo"
version = "1"
source = { virtual = "." }

[package.optional-dependencies]
cpu = [
    { name = "core", extra = ["cpu"], marker = "extra == 'extra-4-core-cpu'" },
]
gpu = [
    { name = "core", extra = ["gpu"], marker = "extra == 'extra-4-core-gpu' and extra != 'extra-4-core-cpu'" },
]

[[package]]
name = "torch"
version = "2.13.0+cpu"
source = { registry = "https://x/cpu" }

[[package]]
name = "torch"
version = "2.13.0+cu130"
source = { registry = "https://x/cu130" }
"""  # noqa: E501 - uv writes such lines


@pytest.mark.parametrize(
    ("name", "extras", "version"),
    [
        ("demo", {"cpu"}, "2.13.0+cpu"),
        ("demo", {"gpu"}, "2.13.0+cu130"),
        ("core", {"cpu"}, "2.13.0+cpu"),
        ("demo", set(), None),
        ("core", set(), None),
        ("demo", {"other"}, None),
    ],
)
def test_an_extra_of_the_root_that_asks_for_one_of_a_member_counts_as_that_one(
    name: str, extras: set[str], version: str | None
) -> None:
    graph = LockGraph(WORKSPACE, {"torch"}, ["core", "demo"])
    found = graph.installed([Start(name, frozenset(extras), frozenset())], {"os_name": "posix"})
    assert (found["torch"].version if "torch" in found else None) == version


GROUPS = """\
version = 1
[[package]]
name = "demo"
version = "1"
source = { virtual = "." }
dependencies = [
    { name = "torch", version = "2.13.0+cu130", source = { registry = "https://x/cu130" } },
]

[package.dev-dependencies]
cpu = [
    { name = "torch", version = "2.13.0+cpu", source = { registry = "https://x/cpu" } },
]
""" + WORKSPACE[WORKSPACE.index('[[package]]\nname = "torch"') :]


@pytest.mark.parametrize(("is_whole", "version"), [(True, "2.13.0+cu130"), (False, "2.13.0+cpu")])
def test_a_group_of_the_root_comes_without_the_root(*, is_whole: bool, version: str) -> None:
    graph = LockGraph(GROUPS, {"torch"}, ["demo"])
    groups = frozenset() if is_whole else frozenset({"cpu"})
    start = Start("demo", frozenset(), groups, is_whole=is_whole)
    assert graph.installed([start], {"os_name": "posix"})["torch"].version == version
