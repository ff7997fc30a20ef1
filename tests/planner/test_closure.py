"""ROCm 7.14, whose torch needs 28 packages of its own index that PyPI has under the same names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.few import few
from tests.support.projects import Demo
from tests.support.replica import Content, Replica
from tests.support.replica.channels import GPUS, ROCM, rocm
from tests.support.replica.export import Build

START = (
    '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.12,<3.14"\n'
    'dependencies = ["numpy"]\n'
)
SHARED = {"rocm", "rocm-sdk-core", "rocm-sdk-libraries"}
ALL = SHARED | {f"rocm-sdk-device-{gpu}" for gpu in GPUS}
ONE = SHARED | {"rocm-sdk-device-gfx1100"}
TARGETS = "-t linux-rocm7.14 -t windows-cpu -t macos-cpu --with torchvision"


@pytest.fixture(scope="module")
def world(replica_of: Callable[[Content], Replica]) -> Replica:
    return replica_of(Content.from_facts().merged(rocm()))


def routed(demo: Demo) -> set[str]:
    """Return the packages of the closure that have a source, all to the index of torch."""
    sources = demo.uv.get("sources", {})
    found = {name: source for name, source in sources.items() if name.startswith("rocm")}
    assert all(source == {"index": "pytorch-rocm7.14"} for source in found.values())
    return set(found)


def held(demo: Demo) -> set[str]:
    """Return the packages that a constraint with a range holds."""
    lines = demo.uv.get("constraint-dependencies", [])
    return {line.removesuffix(">=7.14") for line in lines if line.endswith(">=7.14")}


@pytest.mark.parametrize(
    ("flags", "packages"),
    [
        ("", ALL),
        ("--gpu gfx1100", ONE),
        ("--gpu gfx1100 --gpu GFX942", ONE | {"rocm-sdk-device-gfx942"}),
    ],
)
@pytest.mark.parametrize("layout", few(["markers", "extras", "groups"], {"extras"}.__contains__))
def test_uv_installs_what_torch_needs_and_nothing_for_other_gpus(
    layout: str, flags: str, packages: set[str], world: Replica, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, START)
    more = "" if layout == "markers" else "-t linux-cpu"
    said = demo.init(f"{TARGETS} {more} {flags} --layout {layout}")
    assert demo("check --strict --ignore TC307").status == 0
    assert routed(demo) == held(demo) == packages
    excluded = demo.uv.get("exclude-dependencies", [])
    assert set(excluded) == ALL - packages
    world.lock(demo.folder)
    for target, words in said.commands().items():
        platform = {"linux": "linux-x86_64", "windows": "windows-x86_64", "macos": "macos-arm64"}
        where = platform[target.partition("-")[0]]
        chosen = world.chosen(demo.folder, " ".join(words)).select(where, "3.12")
        built = {name: one for name, one in chosen.items() if isinstance(one, Build)}
        found = {name for name in built if name.startswith("rocm")}
        assert found == (packages if target == "linux-rocm7.14" else set())
        assert {built[name].version for name in found} <= {ROCM}
        assert (built["torch"].version or "").startswith("2.14.1")
    assert demo(f"init {TARGETS} {more} {flags} --layout {layout} --check").status == 0


@pytest.mark.uv
def test_without_them_uv_takes_what_pypi_has_and_finds_nothing(
    world: Replica, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, START)
    demo.init(f"{TARGETS} --gpu gfx1100")
    text = demo.text
    for line in text.splitlines(keepends=True):
        if line.startswith(("rocm", '    "rocm')):
            text = text.replace(line, "")
    assert "TC114" not in demo("check").out
    demo.path.write_text(text, encoding="utf-8")
    assert "TC114" in demo("check").out
    run = world.uv("lock", cwd=demo.folder)
    assert run.returncode == 1
    assert "only rocm[device-all]==0.1.0 is available" in " ".join(run.stderr.split())


def test_the_gpus_can_be_changed_later(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init(TARGETS)
    demo.init("--gpu gfx1100")
    assert routed(demo) == held(demo) == ONE
    assert len(demo.uv["exclude-dependencies"]) == len(GPUS) - 1
    demo.init("--gpu gfx942 --gpu gfx1100")
    assert routed(demo) == held(demo) == ONE | {"rocm-sdk-device-gfx942"}
    before = demo.text
    demo.init("--with torchaudio --dry-run")
    demo("init -y")
    assert demo.text == before, "without the flag, they stay"


def test_they_go_with_the_target(tmp_path: Path) -> None:
    demo = Demo(
        tmp_path,
        START
        + '\n[tool.uv]\nconstraint-dependencies = ["scipy<2"]\nexclude-dependencies = ["six"]\n',
    )
    demo.init("-t linux-cpu -t macos-cpu")
    without = demo.data
    added = demo("add-target linux-rocm7.14 --gpu gfx1100 --layout extras -y")
    assert added.status == 0, added.err
    assert routed(demo) == held(demo) == ONE
    gone = demo("remove-target linux-rocm7.14 -y")
    assert gone.status == 0, gone.err
    assert not routed(demo)
    assert demo.uv["constraint-dependencies"] == ["scipy<2"]
    assert demo.uv["exclude-dependencies"] == ["six"]
    assert without["tool"]["uv"]["constraint-dependencies"] == ["scipy<2"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("init -t linux-rocm7.14 --gpu gfx9999 -y", "`--gpu gfx9999`: no package for that GPU"),
        ("init -t linux-rocm7.2 --gpu gfx1100 -y", "no target has packages for single GPUs"),
        ("init -t linux-cuda --gpu gfx1100 -y", "no target has packages for single GPUs"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(
    command: str, message: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, START)
    said = demo(command)
    assert said.status == 2
    assert message in said.err
    assert demo.text == START


def test_upgrade_brings_them_and_takes_them_away(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t linux-rocm7.2 -t macos-cpu --torch >=2.13")
    before = demo.data
    there = demo("upgrade --backend rocm7.2=rocm7.14 -y")
    assert there.status == 0, there.err
    assert routed(demo) == held(demo) == ALL
    back = demo("upgrade --backend rocm7.14=rocm7.2 --torch >=2.13 -y")
    assert back.status == 0, back.err
    assert demo.uv == before["tool"]["uv"]
