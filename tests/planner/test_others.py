"""Targets whose torch others publish: AMD's, NVIDIA's. Real uv locks what is written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.few import every
from tests.support.projects import Demo
from tests.support.replica import Content, Replica
from tests.support.replica.export import Build
from tests.support.replica.publishers import amd, nvidia
from tests.support.replica.uv import find_uv

START = (
    '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.12,<3.14"\n'
    'dependencies = ["numpy"]\n'
)


@pytest.fixture(scope="module")
def world(replica_of: Callable[[Content], Replica]) -> Replica:
    return replica_of(Content.from_facts(newest="2.14.0").merged(amd()).merged(nvidia()))


class Case(NamedTuple):
    """Flags of `init`, and what each target installs: packages of its index, and the torch."""

    flags: str
    expected: dict[str, tuple[str, str, int]]
    """Target to where it is installed, its torch, and how many packages its index serves there."""
    python: str = "3.13"


CASES = {
    "ROCm on Windows, one GPU": Case(
        "-t windows-rocm -t linux-cuda -t macos-cpu --with torchvision --gpu gfx1201",
        {
            "windows-rocm-amd": ("windows-x86_64", "2.13.0+rocm10.0.0", 10),
            "linux-cu132": ("linux-x86_64", "2.13.0+cu132", 2),
            "macos-cpu": ("macos-arm64", "2.13.0", 2),
        },
        "3.12",
    ),
    "ROCm on Windows, all GPUs": Case(
        "-t windows-rocm -t macos-cpu",
        {"windows-rocm-amd": ("windows-x86_64", "2.13.0+rocm10.0.0", 13)},
        "3.12",
    ),
    "ROCm on Windows beside CPU": Case(
        "-t windows-rocm -t windows-cpu -t linux-cuda --gpu gfx1100 --gpu gfx1151",
        {
            "windows-rocm-amd": ("windows-x86_64", "2.13.0+rocm10.0.0", 10),
            "windows-cpu": ("windows-x86_64", "2.13.0+cpu", 1),
            "linux-cu132": ("linux-x86_64", "2.13.0+cu132", 1),
        },
        "3.12",
    ),
    "two builds that need a triton of their own": Case(
        "-t linux-rocm-amd -t linux-cuda -t macos-cpu --gpu gfx1151",
        {
            "linux-rocm-amd": ("linux-x86_64", "2.13.0+rocm10.0.0", 8),
            "linux-cu132": ("linux-x86_64", "2.13.0+cu132", 1),
        },
        "3.12",
    ),
    "CUDA on Linux and Windows beside it": Case(
        "-t windows-cuda -t windows-rocm -t linux-cuda --gpu gfx1201",
        {
            "windows-rocm-amd": ("windows-x86_64", "2.13.0+rocm10.0.0", 8),
            "windows-cu132": ("windows-x86_64", "2.13.0+cu132", 1),
            "linux-cu132": ("linux-x86_64", "2.13.0+cu132", 1),
        },
        "3.12",
    ),
    "an index for one GPU": Case(
        "-t linux-rocm-gfx1151 -t windows-rocm-gfx1151 -t macos-cpu",
        {
            "linux-rocm-gfx1151": ("linux-x86_64", "2.11.0+rocm7.13.0", 5),
            "windows-rocm-gfx1151": ("windows-x86_64", "2.11.0+rocm7.13.0", 4),
            "macos-cpu": ("macos-arm64", "2.11.0", 1),
        },
        "3.12",
    ),
    "CUDA on Windows on ARM": Case(
        "-t windows-arm64-cu134 -t windows-cpu -t macos-cpu --with torchvision",
        {
            "windows-arm64-cu134-nvidia": ("windows-arm64", "2.14.0+cu134", 2),
            "macos-cpu": ("macos-arm64", "2.14.0", 2),
        },
    ),
}


@pytest.mark.uv
@pytest.mark.parametrize("layout", ["auto", pytest.param("groups", marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", every(CASES.values(), 2), ids=CASES)
def test_uv_gives_each_target_its_build(
    case: Case, layout: str, world: Replica, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, START)
    said = demo.init(f"{case.flags} --layout {layout}")
    assert "not verified" in said.err
    found = demo("check --strict --ignore TC307")
    assert found.status == 0, found.out
    world.lock(demo.folder)
    commands = said.commands()
    for target, (platform, torch, count) in case.expected.items():
        export = world.chosen(demo.folder, " ".join(commands[target]))
        chosen = export.select(platform, case.python)
        built = {name: one for name, one in chosen.items() if isinstance(one, Build)}
        assert built["torch"].version == torch
        of_torch = [name for name, one in built.items() if one.index == built["torch"].index]
        assert len(of_torch) == count, of_torch
    assert demo(f"init {case.flags} --layout {layout} --check").status == 0
    assert demo("init -y --check").status == 0


@pytest.mark.uv
def test_verify_and_export_agree_with_show(
    world: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t windows-rocm -t linux-cuda --gpu gfx1201")
    world.lock(demo.folder)
    for name, value in world.environment(demo.folder).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{find_uv().parent}{os.pathsep}{os.environ['PATH']}")
    verified = demo("verify")
    assert verified.status == 0, verified.err
    assert "rocm-amd 2.13.0+rocm10.0.0" in verified.out
    exported = demo("export windows-rocm --dry-run")
    assert exported.status == 0, exported.err
    assert "amd-torch-device-gfx1201 @ https://repo.amd.com/" in exported.out


def test_the_gpus_can_be_changed_and_go_with_the_target(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cpu -t macos-cpu --with torchvision")
    before = demo.data
    assert demo("add-target windows-rocm --gpu gfx1201 -y").status == 0
    lines = demo.project["dependencies"]
    assert "torch[device-gfx1201] ; sys_platform == 'win32'" in lines
    assert "torchvision[device-gfx1201] ; sys_platform == 'win32'" in lines
    sources = demo.uv["sources"]
    one = {name for name in sources if "gfx" in name}
    assert "rocm-sdk-device-gfx1201" in one
    assert not any("gfx1100" in name for name in one)
    text = demo.text
    assert demo("init -y").status == 0
    assert demo.text == text, "without the flag, they stay"
    demo.init("--gpu gfx1100")
    assert "torch[device-gfx1100] ; sys_platform == 'win32'" in demo.project["dependencies"]
    assert not any("gfx1201" in name for name in demo.uv["sources"])
    assert demo("remove-target windows-rocm -y").status == 0
    after = demo.data
    after["project"]["dependencies"] = [
        line.replace(",<2.14", "") for line in after["project"]["dependencies"]
    ]
    for data in (before, after):
        data["project"]["dependencies"] = [
            line.partition(">")[0] for line in data["project"]["dependencies"]
        ]
    assert after["tool"]["uv"] == before["tool"]["uv"]
    assert after["project"] == before["project"]


def test_a_line_that_requires_torch_keeps_its_marker(tmp_path: Path) -> None:
    """Only a line beside another one is there for the extras alone."""
    demo = Demo(tmp_path, START.replace('"numpy"', '"torch[device-gfx1201]", "torchvision"'))
    demo.init("-t windows-rocm -t macos-cpu")
    lines = demo.project["dependencies"]
    assert [line.partition(";")[0].strip() for line in lines] == [
        "torch[device-gfx1201]<2.14",
        "torchvision",
        "torchvision[device-gfx1201]",
    ]
    assert "sys_platform" not in "".join(lines[:2])
    assert not any("gfx1100" in name for name in demo.uv["sources"])


def test_a_line_for_gpus_leaves_the_versions_to_the_line_beside_it(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    flags = "-t linux-cu130 -t linux-rocm-next --torch 2.13"
    demo.init(flags)
    text = demo.text
    gpus = "torch[device-all] ; sys_platform == 'linux' and platform_machine == 'x86_64'"
    lines = demo.project["optional-dependencies"]["rocm-next"]
    assert lines[:2] == ["torch>=2.13,<2.14", gpus]
    demo.init(flags)
    demo.init("")
    assert demo.text == text


@pytest.mark.parametrize(
    "targets",
    [
        "-t linux-rocm7.14 -t windows-rocm-gfx1151 -t macos-cpu",
        "-t linux-rocm-gfx1151 -t windows-rocm -t macos-cpu",
    ],
)
def test_what_another_build_needs_is_not_left_out_with_the_other_gpus(
    targets: str, tmp_path: Path
) -> None:
    """uv excludes a package for everybody, not from one index."""
    demo = Demo(tmp_path, START)
    demo.init(f"{targets} --gpu gfx1100")
    assert "rocm-sdk-device-gfx1151" in demo.uv["sources"]
    assert "rocm-sdk-device-gfx1151" not in demo.uv.get("exclude-dependencies", ())
    found = demo("check --format json").json["findings"]
    assert [one["code"] for one in found if one["severity"] == "error"] == []
    text = demo.text
    demo.init("")
    demo.init(f"{targets} --gpu gfx1100")
    assert demo.text == text


def test_platforms_that_a_marker_brought_along_are_not_left_out_by_a_second_run(
    tmp_path: Path,
) -> None:
    """The list says what was asked for: Windows on x86_64 has CUDA here, too, and nobody did."""
    demo = Demo(tmp_path, START)
    flags = "-t windows-arm64-cu134 -t linux-cu130 -t linux-aarch64-jetson"
    demo.init(flags)
    text = demo.text
    demo.init(flags)
    assert demo.text == text
    refused = demo("init -t windows-arm64-cu134 -t linux-cu130 -y")
    assert "leaves out a target of the project: `linux-aarch64-jetson-cu130`" in refused.err


def test_a_triton_of_the_users_own_stays(tmp_path: Path) -> None:
    """Another index that the user takes triton from is none of AMD's."""
    own = (
        '\n[tool.uv.sources]\ntriton = { index = "mine", marker = "sys_platform == \'linux\'" }\n'
        '\n[[tool.uv.index]]\nname = "mine"\nurl = "https://example.org/simple"\nexplicit = true\n'
    )
    demo = Demo(tmp_path, START.replace('"numpy"', '"triton"') + own)
    demo.init("-t windows-rocm -t macos-cpu --gpu gfx1201")
    assert len(demo.uv["sources"]["triton"]) == 2
    assert demo("remove-target windows-rocm -y").status == 0
    kept = demo.uv["sources"]["triton"]
    kept = kept if isinstance(kept, list) else [kept]
    assert [one["index"] for one in kept] == ["mine"]


@pytest.mark.uv
def test_a_source_that_is_missing_is_found_and_uv_does_not_lock(
    world: Replica, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t windows-rocm -t macos-cpu --gpu gfx1201")
    assert "TC114" not in demo("check").out
    text = "".join(
        line
        for line in demo.text.splitlines(keepends=True)
        if not line.startswith(("rocm =", '    "rocm>'))
    )
    demo.path.write_text(text, encoding="utf-8")
    found = demo("check")
    assert found.status == 1
    assert "torch for AMD's ROCm needs `rocm` from index `rocm-amd`" in found.out
    assert world.uv("lock", cwd=demo.folder).returncode == 1


WORKSPACE = '[tool.uv.workspace]\nmembers = ["a"]\n'
MEMBER = START.replace("demo", "a").replace('"numpy"', '"torch>=2.10"')


@pytest.mark.uv
def test_the_root_of_a_workspace_has_what_torch_needs(world: Replica, tmp_path: Path) -> None:
    demo = Demo(tmp_path, WORKSPACE)
    (demo.folder / "a").mkdir()
    member = demo.folder / "a" / "pyproject.toml"
    member.write_text(MEMBER, encoding="utf-8")
    flags = "-t windows-rocm -t linux-cuda --gpu gfx1201"
    refused = demo(f"init --project a {flags} -y")
    assert refused.status == 2
    assert "run the command in the workspace root" in refused.err
    assert (demo.text, member.read_text(encoding="utf-8")) == (WORKSPACE, MEMBER)
    demo.init(flags)
    assert demo("check --strict").status == 0
    world.lock(demo.folder)
    built = world.chosen(demo.folder, "uv sync --package a").select("windows-x86_64", "3.12")
    rocm = built["rocm"]
    assert isinstance(rocm, Build)
    assert rocm.version == "10.0.0"


@pytest.mark.uv
def test_a_script_has_it_too(world: Replica, tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    script = demo.folder / "train.py"
    script.write_text(
        '# /// script\n# requires-python = ">=3.11"\n# dependencies = []\n# ///\n', encoding="utf-8"
    )
    flags = "--script train.py -t windows-rocm -t linux-cuda --gpu gfx1201"
    demo.init(flags)
    assert demo("check --strict train.py").status == 0
    run = world.uv("lock", "--script", "train.py", cwd=demo.folder)
    assert run.returncode == 0, run.stderr
    assert demo(f"init {flags} --check").status == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("-t windows-rocm --gpu gfx9999", "`--gpu gfx9999`: no package for that GPU is known"),
        ("-t windows-arm64-cu134 --gpu gfx1100", "no target has packages for single GPUs"),
        (
            "-t linux-rocm-amd -t linux-rocm-gfx1151",
            "need packages of the same names from their own indexes",
        ),
    ],
)
def test_what_cannot_be_is_refused(flags: str, message: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    said = demo(f"init {flags} -y")
    assert said.status == 2
    assert message in said.err
    assert demo.text == START


def test_what_nobody_has_seen_is_no_bound(tmp_path: Path) -> None:
    """No torch of this index was ever named: the newest is no good guess."""
    demo = Demo(tmp_path, START)
    said = demo.init("-t linux-rocm-gfx1150 -t macos-cpu")
    assert "not known: torch" in said.err
    assert "torch" in demo.project["dependencies"]


# What a publisher is not known to have.


@pytest.mark.parametrize(
    ("flags", "unknown"),
    [
        ("-t linux-rocm-gfx1151 -t linux-cpu --with torchcodec", "AMD has torchcodec for `linux-"),
        ("-t windows-rocm -t macos-cpu --with torchcodec", "AMD has torchcodec for `windows-"),
        ("-t linux-aarch64-jetson --with torchcodec", "NVIDIA has torchcodec for `linux-aarch64"),
        # Nobody else has it for such a machine.
        ("-t windows-arm64-cuda --with torchcodec", "NVIDIA has torchcodec for `windows-arm64-"),
    ],
)
def test_a_companion_that_an_index_may_lack_is_refused(
    flags: str, unknown: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, START)
    refused = demo(f"init {flags} -y")
    assert refused.status == 2
    assert f"error: it is not known whether {unknown}" in refused.err
    assert " help: omit `--with torchcodec`, or the target: beside that torch, " in refused.err
    assert demo.text == START
    demo.init(flags.replace("torchcodec", "torchvision").replace("-t macos-cpu", "-t linux-cpu"))


@pytest.mark.uv
@pytest.mark.parametrize("targets", ["-t linux-cpu -t linux-cu130", "-t linux-cpu"])
def test_a_new_build_takes_no_companion_from_where_nobody_saw_it(
    targets: str, world: Replica, tmp_path: Path
) -> None:
    """What the help says to do first can be locked; so can what has no source from the start."""
    new = "windows-rocm-gfx1151"
    demo = Demo(tmp_path, START)
    demo.init(f"{targets} --with torchcodec --torch 2.11")
    before = demo.text
    refused = demo(f"add-target {new} -y")
    assert refused.status == 2
    assert "   at: pyproject.toml, tool.uv.sources.torchcodec[0]\n" in refused.err
    assert (
        " help: remove the sources of torchcodec first, so that it comes from PyPI" in refused.err
    )
    assert demo.text == before
    head, _, tail = before.partition("torchcodec = [\n")
    demo.path.write_text(head + tail.partition("]\n")[2].lstrip("\n"), encoding="utf-8")
    assert demo(f"add-target {new} -y").status == 0
    assert "torchcodec" not in demo.uv["sources"]
    world.lock(demo.folder)


def test_what_the_project_takes_from_such_an_index_stays(tmp_path: Path) -> None:
    """Its author has seen what nobody told this program."""
    demo = Demo(tmp_path, START)
    demo.init("-t windows-rocm -t macos-cpu --with torchaudio")
    own = demo.text.replace("torchaudio", "torchcodec").replace(">=2.11.0", "", 1)
    demo.path.write_text(own, encoding="utf-8")
    assert "torchcodec" in demo.uv["sources"]
    assert demo("init -y").status == 0
    assert demo("init --with torchcodec -y").status == 0
    assert demo("add-target linux-cpu -y").status == 0
    indexes = {source["index"] for source in demo.uv["sources"]["torchcodec"]}
    assert "rocm-amd" in indexes
