"""What `torchconf doctor` says on each recorded machine, for projects of each shape.

A machine's file has the target that a project with a target for everything gets there; the table
below has other projects, each with the target and the command that `doctor` names.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import torchconf.machine
from tests.support.few import every
from tests.support.projects import Demo
from tests.support.recorded_machines import MACHINES, record
from torchconf.machine import read_machine

On = Callable[[str], None]

EVERYTHING = (
    "-t linux-cu132 -t linux-cu129 -t linux-cu126 -t linux-rocm7.2 -t linux-xpu -t linux-cpu"
    " -t linux-aarch64-cu130 -t linux-aarch64-cpu -t windows-cu132 -t windows-cu126 -t windows-xpu"
    " -t windows-cpu -t macos-cpu"
)
UNLISTED = "[tool.torchconf]"
PYPI_OR_CPU = "-t linux-pypi -t linux-cpu -t macos-cpu --default machine"
PROJECTS = {
    "markers": "-t linux-cu130 -t windows-cu126 -t macos-cpu",
    "extras": "-t linux-cu132 -t linux-cu126 -t linux-cpu -t macos-cpu",
    "groups": "-t linux-cu132 -t linux-cpu -t macos-cpu --default cpu",
    "machine": "-t linux-cu132 -t linux-cu126 -t linux-cpu -t macos-cpu --default machine",
    "pypi or cpu": PYPI_OR_CPU,
    "pypi": "-t linux-pypi -t windows-pypi -t macos-cpu",
    "rocm": "-t linux-rocm7.2 -t linux-cpu",
    "arm": "-t linux-aarch64-cu130 -t macos-cpu",
}
"""The flags of `init` for each."""

TABLE = {
    # Each platform has one build.
    ("nvidia-blackwell", "markers"): ("linux-cu130", "uv sync"),
    ("nvidia-blackwell-old-driver", "markers"): (
        None, "torchconf add-target linux-cu129 --layout extras",
    ),
    ("no-gpu", "markers"): (None, "torchconf add-target linux-cpu --layout extras"),
    ("nvidia-on-windows", "markers"): ("windows-cu126", "uv sync"),
    ("amd-on-windows", "markers"): (
        None,
        "torchconf add-target windows-rocm-amd --layout extras",
    ),
    ("apple-silicon", "markers"): ("macos-cpu", "uv sync"),
    # Not listed, but the tables have it.
    ("dgx-spark", "markers"): ("linux-aarch64-cu130", "uv sync"),
    ("container-without-gpus", "markers"): (
        None, "torchconf add-target linux-cpu --layout extras",
    ),
    # Extras.
    ("nvidia-blackwell", "extras"): ("linux-cu132", "uv sync --extra cu132"),
    ("nvidia-volta", "extras"): ("linux-cu126", "uv sync --extra cu126"),
    ("nvidia-mig", "extras"): ("linux-cu132", "uv sync --extra cu132"),
    ("nvidia-b300", "extras"): ("linux-cu132", "uv sync --extra cu132"),
    ("rocm-strix-halo", "extras"): ("linux-cpu", "uv sync --extra cpu"),
    ("wsl-without-gpu", "extras"): ("linux-cpu", "uv sync --extra cpu"),
    # Groups, with a default.
    ("nvidia-blackwell", "groups"): ("linux-cu132", "uv sync --no-group cpu --group cu132"),
    ("no-gpu", "groups"): ("linux-cpu", "uv sync"),
    ("container-with-gpus", "groups"): ("linux-cu132", "uv sync --no-group cpu --group cu132"),
    # Each machine says which build it is.
    ("nvidia-blackwell", "machine"): ("linux-cu132", "uv sync --no-group cpu --no-group cu126"),
    ("nvidia-pascal", "machine"): ("linux-cu126", "uv sync --no-group cpu --no-group cu132"),
    ("no-gpu", "machine"): ("linux-cpu", "uv sync --no-group cu126 --no-group cu132"),
    ("apple-silicon", "machine"): ("macos-cpu", "uv sync --no-group cu126 --no-group cu132"),
    ("nvidia-blackwell", "pypi or cpu"): ("linux-pypi", "uv sync --no-group cpu"),
    ("no-gpu", "pypi or cpu"): ("linux-cpu", "uv sync"),
    # PyPI's build is one for CUDA.
    ("nvidia-blackwell", "pypi"): ("linux-pypi", "uv sync"),
    ("no-gpu", "pypi"): (None, "torchconf add-target linux-cpu"),
    ("windows-on-arm", "pypi"): ("windows-pypi", "uv sync"),
    # AMD, and machines with Arm.
    ("rocm-rx-7900", "rocm"): ("linux-rocm7.2", "uv sync --extra rocm7-2"),
    ("rocm-gfx1032", "rocm"): ("linux-cpu", "uv sync --extra cpu"),
    ("rocm-gfx1032-overridden", "rocm"): ("linux-rocm7.2", "uv sync --extra rocm7-2"),
    ("rocm-container-without-devices", "rocm"): ("linux-cpu", "uv sync --extra cpu"),
    ("nvidia-grace-hopper", "arm"): ("linux-aarch64-cu130", "uv sync"),
    ("jetson-orin", "arm"): (
        None,
        "torchconf add-target linux-aarch64-jetson-cu126 --layout extras",
    ),
    ("jetson-thor", "arm"): ("linux-aarch64-cu130", "uv sync"),
    ("apple-intel", "arm"): (None, None),
    ("windows-on-arm-native", "arm"): (None, "torchconf add-target windows-arm64-cpu"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def on(monkeypatch: pytest.MonkeyPatch) -> On:
    def put(name: str) -> None:
        machine = read_machine(record(name)[0])
        monkeypatch.setattr(torchconf.machine, "this_machine", lambda: machine)

    for name in ("TORCHCONF_TARGET", "UV", "UV_NO_GROUP", "UV_PROJECT_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    return put


class Made(dict[str, Demo]):
    """A project for each flags of `init`, made when it is asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, flags: str) -> Demo:
        folder = self.folder / str(len(self))
        folder.mkdir()
        demo = Demo(folder)
        demo.init(flags)
        self[flags] = demo
        return demo


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("made"))


def told(demo: Demo) -> dict[str, Any]:
    """Return what `sync` takes, by the JSON of the command."""
    data = demo("doctor --format json").json
    return dict(data["sync"])


@pytest.mark.parametrize("name", every([path.stem for path in MACHINES], 6))
def test_machine_gets_its_target_of_a_project_that_has_every_one(
    name: str, made: Made, on: On
) -> None:
    on(name)
    _, expected = record(name)
    assert told(made[EVERYTHING])["target"] == expected.get("takes")


@pytest.mark.parametrize("case", every(TABLE, 3), ids="-".join)
def test_target_and_command_of_a_machine_and_a_project(
    case: tuple[str, str], made: Made, on: On
) -> None:
    machine, project = case
    on(machine)
    demo = made[PROJECTS[project]]
    sync = told(demo)
    target, command = TABLE[machine, project]
    assert (sync["target"], sync["command"]) == (target, command), sync["reason"]
    assert sync["reason"]
    result = demo("sync --dry-run")
    if target is None:
        assert result.status == 2
        assert result.err.splitlines()[0].removeprefix("error: ") in sync["reason"]
    else:
        assert command is not None
        assert result.out.split()[1:] == command.split()[1:]
    shown = [line for line in demo("doctor").out.splitlines() if line.startswith("run ")]
    assert [line.split(maxsplit=1)[1] for line in shown] == ([command] if command else [])
