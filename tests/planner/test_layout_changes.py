"""Every change of layout, from and to: nothing is lost, uv locks it, and it is made once."""

from __future__ import annotations

import re
import shlex
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.few import every
from tests.support.projects import WHL, Demo
from tests.support.replica import Build, Replica

PROJECT = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.12,<3.14"
dependencies = [{base}]
"""
BUILD = '\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
DEV = '\n[dependency-groups]\ndev = ["pytest"]\n'
TRAIN = '\n[project.optional-dependencies]\ntrain = ["torch", "rich"]\n'

BASES = {
    "no torch yet": PROJECT.format(base='"rich"'),
    "an application": PROJECT.format(base='"rich", "torch>=2.10"') + DEV,
    "a published library": PROJECT.format(base='"rich", "torch>=2.10"') + BUILD + DEV,
    "another extra with torch": PROJECT.format(base='"rich"') + TRAIN,
}
TARGETS = {
    "CUDA": "-t linux-cuda -t macos-cpu",
    "CUDA and companions": "-t linux-cu130 -t windows-cu130 -t macos-cpu "
    "--with torchvision --with torchaudio",
    "ROCm": "-t linux-rocm7.2 -t macos-cpu",
    "XPU": "-t linux-xpu -t windows-xpu -t macos-cpu --with torchvision",
}
LAYOUTS = (
    "markers", "extras", "groups", "groups --default cpu", "groups --default none",
    "groups --default machine",
)  # fmt: skip


class Change(NamedTuple):
    """One change of layout."""

    base: str
    targets: str
    before: str
    after: str
    extra: bool
    """Somebody has put a package of their own beside torch in between."""

    @property
    def name(self) -> str:
        """Say it in one line."""
        beside = ", with another package" if self.extra else ""
        return f"{self.base}, {self.targets}: {self.before} to {self.after}{beside}"


CHANGES = [
    Change(*parts)
    for parts in product(BASES, TARGETS, LAYOUTS, LAYOUTS, [False, True])
    if parts[2].split()[0] != parts[3].split()[0] and not (parts[4] and parts[2] == "markers")
]


def changed(change: Change, folder: Path) -> tuple[Demo, str]:
    """Write the first layout, and return the project with the command for the other one."""
    demo = Demo(folder, BASES[change.base])
    flags = TARGETS[change.targets]
    demo.init(f"{flags} --layout {change.before}")
    if change.extra:
        demo.path.write_text(
            re.sub(r'( *)"torch(?=[">])', r'\1"six",\n\1"torch', demo.text, count=1)
        )
    return demo, f"{flags} --layout {change.after}"


def required(demo: Demo) -> set[str]:
    """Return the names of everything that a project requires anywhere."""
    lists = [
        demo.project["dependencies"],
        *demo.project.get("optional-dependencies", {}).values(),
        *demo.data.get("dependency-groups", {}).values(),
    ]
    return {canonicalize_name(Requirement(line).name) for lines in lists for line in lines}


def ranges(demo: Demo) -> set[str]:
    """Return what the project says of torch, where it says something; else nothing, once."""
    found = re.findall(r'"(torch(?:[^"\w-][^"]*)?)"', demo.text)
    return {str(Requirement(line).specifier) for line in found} - {""} or {""}


def make(change: Change, folder: Path) -> tuple[Demo, dict[str, list[str]]]:
    """Make a change, check the file that it leaves, and return the printed commands."""
    demo, flags = changed(change, folder)
    before, said = required(demo), ranges(demo)
    result = demo.init(flags)
    written = demo.text

    assert required(demo) == before, "every package is still asked for, and no other one"
    assert ranges(demo) == said or said == {""}, "and the same versions of torch"
    assert demo.init(flags).out == result.out
    assert demo.text == written, "a second run changes nothing"
    kind = {"markers": set(), "extras": {"extra"}, "groups": {"group"}}[change.after.split()[0]]
    sources = [entry for entries in demo.uv["sources"].values() for entry in entries]
    assert {key for entry in sources for key in entry} - {"index", "marker"} == kind
    conflicts = demo.uv.get("conflicts", [])
    assert {key for conflict in conflicts for item in conflict for key in item} <= kind
    return demo, result.commands()


@pytest.mark.parametrize("change", every(CHANGES, 53), ids=lambda change: change.name)
def test_change_of_layout_loses_nothing(change: Change, tmp_path: Path) -> None:
    make(change, tmp_path)


REAL = '"pandas", "transformers", "accelerate", "jax", "onnxruntime"'
BUILDS = {
    "CUDA": "-t linux-cu130 -t linux-cpu -t windows-cu130 -t macos-cpu",
    "ROCm": "-t linux-rocm7.2 -t linux-cpu -t macos-cpu",
}


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("targets", BUILDS.values(), ids=BUILDS)
@pytest.mark.parametrize(
    ("base", "layout"), [(f'{REAL}, "torch"', "groups"), (REAL, "groups"), (REAL, "extras")]
)
def test_what_is_written_locks_with_real_dependencies(
    base: str, layout: str, targets: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, PROJECT.format(base=base) + BUILD)
    demo.init(f"{targets} --layout {layout}")
    assert ("environments" in demo.uv) == ('"torch"' in base), "cells only where they are needed"
    with Replica(closed=False, cache=tmp_path / "cache") as replica:
        replica.lock(demo.folder)


@pytest.mark.uv
@pytest.mark.parametrize("change", every(CHANGES, 181), ids=lambda change: change.name)
def test_change_of_layout_is_locked_and_gives_the_builds(
    change: Change, replica: Replica, tmp_path: Path
) -> None:
    demo, commands = make(change, tmp_path)
    replica.lock(demo.folder)
    assert len(commands) == TARGETS[change.targets].count("-t ")
    for target, words in commands.items():
        system, _, backend = target.partition("-")
        platform = {"linux": "linux-x86_64", "windows": "windows-x86_64", "macos": "macos-arm64"}
        export = replica.chosen(demo.folder, shlex.join(words))
        build = export.select(platform[system], "3.12")["torch"]
        assert isinstance(build, Build)
        assert build.index == f"{WHL}/{backend}", target


def test_a_base_dependency_that_moves_into_extras_is_required_on_every_target(
    tmp_path: Path,
) -> None:
    """Beside groups, it was not needed on macOS: they brought torch there."""
    base = "\"torch>=2.10 ; sys_platform == 'linux'\""
    demo = Demo(tmp_path, PROJECT.format(base=base))
    demo.init("-t linux-cu130 -t linux-cpu -t macos-cpu --layout groups --default none -y")
    assert demo.project["dependencies"] == ["torch>=2.10 ; sys_platform == 'linux'"]
    demo.init("--layout extras -y")
    text = demo.text
    cpu = demo.project["optional-dependencies"]["cpu"]
    assert cpu == ["torch>=2.10 ; sys_platform == 'linux' or sys_platform == 'darwin'"]
    demo.init("--layout extras -y")
    assert demo.text == text


# The last group that is left.

BASE = (
    '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.11,<3.14"\n'
    'dependencies = ["torch"]\n'
)


@pytest.mark.parametrize(
    ("flags", "gone", "default"),
    [
        ("-t linux-cu126 -t linux-cpu", "linux-cpu", ["dev", "cu126"]),
        ("-t linux-cu126 -t linux-cpu --default none", "linux-cpu", ["dev", "cu126"]),
        ("-t linux-cu126 -t linux-cpu --default cu126", "linux-cpu", ["dev", "cu126"]),
        # Conflicts keep two groups apart from what the base brings.
        ("-t linux-cu126 -t linux-cu130 -t linux-cpu", "linux-cpu", ["dev"]),
    ],
)
def test_a_single_group_beside_torch_in_the_base_is_the_default(
    flags: str, gone: str, default: list[str], tmp_path: Path
) -> None:
    """No conflict parts them any more: uv would take torch from its index without it, too."""
    demo = Demo(tmp_path, BASE)
    demo.init(f"{flags} --layout groups")
    assert demo(f"remove-target {gone}").status == 0
    assert demo.uv["default-groups"] == default
    found = demo("check")
    assert "TC304" not in found.out, found.out
    assert found.status == 0
    before = demo.text
    assert demo("init").status == 0
    assert demo.text == before


def test_a_group_that_something_else_parts_from_the_base_is_no_default(tmp_path: Path) -> None:
    demo = Demo(tmp_path, BASE)
    demo.init("-t linux-cu126 -t linux-cpu --layout groups")
    text = demo.text.replace("dev = []", 'dev = []\nold = ["torch<2.5"]')
    demo.path.write_text(
        text.replace('{ group = "cu126" },', '{ group = "cu126" },\n        { group = "old" },')
    )
    assert demo("remove-target linux-cpu").status == 0
    assert demo.uv["default-groups"] == ["dev"]


def test_a_single_group_cannot_leave_the_base_to_pypi(tmp_path: Path) -> None:
    demo = Demo(tmp_path, BASE)
    result = demo("init -t linux-cpu --layout groups --default none")
    assert (result.status, demo.text) == (2, BASE)
    assert "uv takes torch of the base dependencies from the index of cpu, too" in result.err
    demo.init("-t linux-cpu -t linux-pypi --layout groups --default none")
    assert "default-groups" not in demo.uv
    assert demo("check").status == 0
