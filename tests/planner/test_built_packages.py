"""`init --with flash-attn` and its like: what is built against torch, beside each build of it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from tests.support.few import few
from tests.support.projects import Demo
from tests.support.replica import Content, Replica
from tests.support.replica.export import Build
from tests.support.replica.gpu_wheels import gpu_wheels
from torchconf.catalog import load_catalog
from torchconf.model.backends import PYPI
from torchconf.model.target_spec import parse_target_spec
from torchconf.model.targets import Target
from torchconf.planner.built_packages import count_possible

START = (
    '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.11,<3.14"\n'
    "dependencies = []\n"
)
LINUX = "sys_platform == 'linux'"
X86 = f"{LINUX} and platform_machine == 'x86_64'"
ALL = "sys_platform == 'win32' or sys_platform == 'darwin'"
ASTRAL = {"index": "astral-cu130", "marker": LINUX}
SEVERAL = "-t linux-cu126 -t linux-cu130 -t linux-cpu -t windows-cu130 -t macos-cpu"


@pytest.fixture(scope="module")
def world(replica_of: Callable[[Content], Replica]) -> Replica:
    return replica_of(Content.from_facts(newest="2.14.0").merged(gpu_wheels()))


def beside(demo: Demo) -> list[str]:
    """Return what the base dependencies have beside torch."""
    return [line for line in demo.project["dependencies"] if not re.match(r"torch(?!-)", line)]


def torch(demo: Demo) -> str:
    lines: list[str] = demo.project["dependencies"]
    return next(line for line in lines if re.match(r"torch(?!-)", line))


def index(demo: Demo, name: str) -> dict[str, Any]:
    return next(entry for entry in demo.uv["index"] if entry["name"] == name)


# What is written.


@pytest.mark.parametrize(
    ("flags", "lines", "sources", "torch_line"),
    [
        (
            "-t linux-cu130 -t windows-cu130 -t macos-cpu --with flash-attn",
            [f"flash-attn ; {LINUX}"],
            {"flash-attn": [ASTRAL]},
            "torch>=2.12.1,<2.13",
        ),
        # Its wheels are for one machine of Linux only.
        (
            "-t linux-cu130 --with deepspeed",
            [f"deepspeed ; {X86}"],
            {"deepspeed": [{"index": "astral-cu130", "marker": X86}]},
            "torch>=2.12.1,<2.13",
        ),
        # A page for each build; what no source serves is not required either.
        (
            "-t linux-cu130 -t windows-cu130 -t macos-cpu --with pyg-lib",
            [f"pyg-lib ; ({X86}) or {ALL}"],
            {
                "pyg-lib": [
                    {"index": "pyg-cu130", "marker": f"({X86}) or sys_platform == 'win32'"},
                    {"index": "pyg-cpu", "marker": "sys_platform == 'darwin'"},
                ]
            },
            "torch>=2.14.0,<2.15",
        ),
        # The newest line that both have.
        (
            "-t linux-cu130 --with mamba-ssm --with causal-conv1d",
            [f"mamba-ssm ; {LINUX}", f"causal-conv1d ; {LINUX}"],
            {"mamba-ssm": [ASTRAL], "causal-conv1d": [ASTRAL]},
            "torch>=2.11.0,<2.12",
        ),
        # A bare accelerator is a build with wheels: there are none for CUDA 13.
        (
            "-t linux-cuda --with pytorch3d",
            [f"pytorch3d ; {LINUX}"],
            {"pytorch3d": [{"index": "astral-cu126", "marker": LINUX}]},
            "torch>=2.12.1,<2.13",
        ),
        # PyPI's torch is a build like others.
        (
            "-t linux-pypi -t macos-pypi --with flash-attn",
            [f"flash-attn ; {LINUX}"],
            {"flash-attn": [ASTRAL]},
            "torch>=2.12.1,<2.13",
        ),
    ],
)
def test_base_dependencies(
    flags: str, lines: list[str], sources: dict[str, object], torch_line: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, START)
    demo.init(flags)
    assert beside(demo) == lines
    written = {name: own for name, own in demo.uv.get("sources", {}).items() if name != "torch"}
    assert written == sources
    assert torch(demo) == torch_line
    assert demo(f"init {flags} --check").status == 0
    assert demo("check --strict --ignore TC211").status == 0


def test_what_pypi_has_needs_no_index_and_brings_the_companions_that_it_requires(
    tmp_path: Path,
) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cu130 --with vllm")
    assert f"vllm ; {LINUX}" in beside(demo)
    assert demo.uv["sources"].keys() == {"torch", "torchvision", "torchaudio"}
    assert torch(demo).endswith(",<2.15")
    assert demo("init -t linux-cu130 --with vllm --check").status == 0


def test_an_index_is_explicit_and_a_page_is_flat(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cu130 --with flash-attn --with torch-sparse")
    assert index(demo, "astral-cu130") == {
        "name": "astral-cu130",
        "url": "https://wheels.astral.sh/simple/cu130/",
        "explicit": True,
    }
    assert index(demo, "pyg-cu130") == {
        "name": "pyg-cu130",
        "url": "https://data.pyg.org/whl/torch-2.12.0+cu130.html",
        "explicit": True,
        "format": "flat",
    }


@pytest.mark.parametrize("layout", ["extras", "groups"])
def test_each_choice_has_wheels_of_its_own(layout: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    said = demo.init(f"{SEVERAL} --layout {layout} --with flash-attn")
    table = demo.project["optional-dependencies"] if layout == "extras" else {}
    table = table or demo.data["dependency-groups"]
    found = {name: [line for line in own if "flash" in line] for name, own in table.items()}
    assert found.pop("dev", []) == []
    line = f"flash-attn ; {LINUX}"
    assert found == {"cpu": [], "cu126": [line], "cu130": [line]}
    assert demo.uv["sources"]["flash-attn"] == [
        {"index": f"astral-{build}", layout[:-1]: build, "marker": LINUX}
        for build in ("cu126", "cu130")
    ]
    assert "flash-attn has no known wheels for linux-cpu, windows-cu130, macos-cpu" in said.err
    assert demo("check --strict --ignore TC307").status == 0


# What is not known.


def test_an_unknown_torch_is_warned_of_and_not_refused(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START.replace("[]", '["torch>=2.13.0"]'))
    said = demo.init("-t linux-cu130 --with flash-attn")
    assert torch(demo) == "torch>=2.13.0,<2.14"
    assert "it is not known whether Astral has flash-attn for torch 2.13 and cu130; the" in said.err
    assert "run `torchconf catalog refresh`" in said.err


@pytest.mark.parametrize(
    ("package", "release", "status", "said"),
    [
        ("torch-scatter", "2.12", 0, "torch-scatter for torch 2.12: from Astral (CUDA 13.0)"),
        # Its table ends before: nobody knows.
        ("torch-scatter", "2.13", 0, "warning: it is not known whether Astral has torch-scatter"),
        # The table of this torch has other builds: built from source, or refused where none is.
        ("pytorch3d", "2.12", 0, "pytorch3d has no known wheels for linux-pypi: uv builds it"),
        ("flash-attn-3", "2.7", 2, "error: `flash-attn-3` has no wheels for torch 2.7 with"),
    ],
)
def test_a_torch_that_is_held_has_wheels_or_none_or_nobody_knows(
    package: str, release: str, status: int, said: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, START.replace("[]", f'["torch=={release}.*"]'))
    result = demo(f"init -t linux-pypi --with {package}")
    assert (result.status, said in result.err) == (status, True), result.err
    assert ("warning: it is not known" in result.err) == ("not known whether" in said)
    assert torch(demo) == f"torch=={release}.*"


def test_what_is_unknown_for_one_target_does_not_stand_in_the_way_of_others(tmp_path: Path) -> None:
    """uv would refuse to lock if the page for the CPU lacked it."""
    demo = Demo(tmp_path, START)
    said = demo.init("-t linux-cu130 -t windows-cpu --with torch-sparse")
    assert beside(demo) == [f"torch-sparse ; {X86}"]
    assert "it is not known whether PyG has torch-sparse for torch 2.12 on windows-cpu" in said.err


def test_a_source_distribution_is_built_with_the_torch_that_is_locked(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t linux-rocm7.2 -t macos-cpu --with flash-attn")
    assert f"flash-attn ; {X86}" in beside(demo)
    entry = {"requirement": "torch", "match-runtime": True}
    assert demo.uv["extra-build-dependencies"] == {"flash-attn": [entry]}
    metadata = {"name": "flash-attn", "requires-dist": ["torch", "einops"]}
    assert demo.uv["dependency-metadata"] == [metadata]
    assert "<" not in torch(demo), "no wheel holds torch"
    assert demo("check --strict --ignore TC211").status == 0


def test_the_build_gets_some_torch_where_metadata_are_not_known(tmp_path: Path) -> None:
    """uv refuses `match-runtime` without them."""
    demo = Demo(tmp_path, START)
    demo.init("-t linux-rocm7.2 --with grouped-gemm")
    assert demo.uv["extra-build-dependencies"] == {"grouped-gemm": ["torch"]}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            "-t windows-cu130 --with flash-attn",
            "`flash-attn` has no wheels for torch 2.13 with `windows-cu130`",
        ),
        ("-t linux-cpu --with deep-gemm", "`deep-gemm` has no wheels for torch"),
        ("-t linux-cu130-nightly --with flash-attn", "`flash-attn` is built against torch"),
        (
            "-t linux-cpu -t linux-pypi -t macos-cpu --default machine --with flash-attn",
            "`--with flash-attn` cannot be added here",
        ),
    ],
)
def test_what_cannot_be_had_is_refused(flags: str, message: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    result = demo(f"init {flags}")
    assert (result.status, demo.text) == (2, START)
    assert result.err.startswith(f"error: {message}")


# What is there.

HAND = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11,<3.14"
dependencies = [
  "torch>=2.11,<2.13",
  # Pinned by hand.
  "flash-attn==2.8.3.post1 ; platform_system == 'Linux'",
]

[tool.uv.sources]
torch = { index = "gpu", marker = "platform_system == 'Linux'" }
flash-attn = { index = "wheels" }

[[tool.uv.index]]
name = "wheels"
url = "https://wheels.astral.sh/simple/cu130"
explicit = true

[[tool.uv.index]]
name = "gpu"
url = "https://download.pytorch.org/whl/cu130"
explicit = true
"""


def test_what_somebody_wrote_in_the_same_sense_stays(tmp_path: Path) -> None:
    demo = Demo(tmp_path, HAND)
    demo.init("--with flash-attn")
    assert demo.text == HAND


@pytest.mark.parametrize(
    "source",
    [
        '{ url = "https://example.org/flash_attn-2.8.3-cp312-cp312-linux_x86_64.whl" }',
        '{ git = "https://github.com/Dao-AILab/flash-attention" }',
    ],
)
def test_a_source_of_another_kind_stays(source: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, HAND.replace('{ index = "wheels" }', source))
    said = demo.init("--with flash-attn")
    assert source in demo.text
    assert "flash-attn stays as it is: its source at tool.uv.sources.flash-attn" in said.err


def test_a_requirement_without_a_source_gets_one_and_keeps_its_version(tmp_path: Path) -> None:
    there = '[\n    "torch>=2.11",\n    "flash-attn>=2.8",\n]'
    demo = Demo(tmp_path, START.replace("[]", there))
    demo.init("-t linux-cu130 -t macos-cpu --with flash-attn")
    assert demo.project["dependencies"] == ["torch>=2.12,<2.13", f"flash-attn>=2.8 ; {LINUX}"]


@pytest.mark.parametrize(
    ("there", "written"),
    [
        ("torch", "torch>=2.13,<2.14"),
        ("torch>=2.11", "torch>=2.13,<2.14"),
        ("torch<3", "torch>=2.13,<2.14"),
        ("torch[opt-einsum] !=2.12.0", "torch[opt-einsum] >=2.13,!=2.12.0,<2.14"),
        # What has two ends, or names a release, is what its author wants.
        ("torch>=2.11,<2.14", "torch>=2.11,<2.14"),
        ("torch==2.13.*", "torch==2.13.*"),
    ],
)
def test_torch_keeps_to_the_line_of_the_wheels_at_both_ends(
    there: str, written: str, tmp_path: Path
) -> None:
    """Where the newest wheel is for an older torch, uv would take this one there alone."""
    demo = Demo(tmp_path, START.replace("[]", f'["{there}"]'))
    demo.init("-t windows-arm64-cpu -t linux-cu126 --with vllm")
    assert torch(demo) == written
    assert ("TC113" in demo("check").out) == (there == "torch>=2.11,<2.14")
    text = demo.text
    demo.init("")
    assert demo.text == text


def test_a_requirement_beside_the_extras_is_refused(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cu130 -t linux-cpu -t macos-cpu --layout extras")
    demo.path.write_text(demo.text.replace("dependencies = []", 'dependencies = ["flash-attn"]'))
    before = demo.text
    result = demo("init --with flash-attn")
    assert (result.status, demo.text) == (2, before)
    assert "`flash-attn` is required outside of each extra that chooses a build" in result.err


# Targets that come and go.


def test_a_target_that_comes_has_its_own_wheels(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cu130 -t linux-cpu -t macos-cpu --with flash-attn")
    demo("add-target linux-cu126")
    assert demo.project["optional-dependencies"]["cu126"] == [
        "torch>=2.12.1,<2.13",
        f"flash-attn ; {X86}",
    ]
    assert {"index": "astral-cu126", "extra": "cu126", "marker": X86} in demo.uv["sources"][
        "flash-attn"
    ]
    assert demo("check --strict").status == 0


def test_a_platform_that_comes_widens_the_marker(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cu130 --with pyg-lib")
    assert beside(demo) == [f"pyg-lib ; {X86}"]
    demo("add-target windows-cu130")
    where = f"({X86}) or sys_platform == 'win32'"
    assert beside(demo) == [f"pyg-lib ; {where}"]
    assert demo.uv["sources"]["pyg-lib"] == [{"index": "pyg-cu130", "marker": where}]


@pytest.mark.parametrize(
    "flags",
    [
        "-t linux-cu130 -t macos-cpu",
        "-t linux-cu130 -t linux-cpu -t macos-cpu --layout extras",
        "-t linux-cu130 -t linux-cpu -t macos-cpu --layout groups",
    ],
)
def test_what_only_a_gone_target_needed_goes_too(flags: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init(f"{flags} --with flash-attn")
    result = demo("remove-target linux-cu130")
    assert result.status == 0, result.err
    assert "flash-attn" not in demo.text
    assert "astral" not in demo.text
    assert "flash-attn is removed" in result.err
    assert demo("check --strict --ignore TC307").status == 0


def test_a_target_that_comes_keeps_the_torch_of_the_others(tmp_path: Path) -> None:
    """Older wheels would serve more targets, but all share the pages of one torch."""
    demo = Demo(tmp_path, START)
    demo.init(
        "-t linux-cu126 -t linux-cu130 -t macos-cpu --with torch-scatter --with torch-cluster"
    )
    pages = {entry["url"] for entry in demo.uv["index"] if "pyg" in entry["url"]}
    result = demo("add-target linux-pypi")
    assert result.status == 0, result.err
    lines = [one for own in demo.project["optional-dependencies"].values() for one in own]
    assert {one for one in lines if one.startswith("torch>")} == {"torch>=2.11.0,<2.12"}
    assert pages <= {entry["url"] for entry in demo.uv["index"]}
    assert demo("check --strict").status == 0


def test_a_build_that_is_replaced_leaves_no_source_of_its_own(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t windows-cu130 -t linux-cu130 -t macos-cpu --with torch-cluster")
    assert "torch-cluster" in demo.text
    assert demo("remove-target linux-cu130").status == 0
    assert "torch-cluster" not in demo.text
    assert demo("check --strict").status == 0


def test_adding_and_removing_gives_the_same_file(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cu130 -t linux-cpu -t macos-cpu --with flash-attn --with pyg-lib")
    before = demo.data
    demo("add-target linux-cu126")
    assert demo.data != before
    demo("remove-target linux-cu126")
    assert demo.data == before


def test_another_layout_takes_it_along(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cu130 -t macos-cpu --with flash-attn")
    demo("add-target linux-cu126 --layout extras")
    assert demo.project["dependencies"] == []
    found = demo.project["optional-dependencies"]
    assert f"flash-attn ; {LINUX}" in found["cu130"]
    assert not any("flash" in line for line in found["cpu"])
    assert demo("check --strict").status == 0


# A second run.


@pytest.mark.parametrize("command", ["init", "add-target windows-cu130", "add-target macos-pypi"])
@pytest.mark.parametrize("build", ["cu130", "pypi"])
def test_torch_stays_beside_the_page_that_its_author_chose(
    build: str, command: str, tmp_path: Path
) -> None:
    """Nobody knows of wheels on it; to go back to older ones is not for a new target to decide."""
    demo = Demo(tmp_path, START.replace("[]", '["torch"]'))
    demo.init(
        f"-t linux-{build} -t macos-{'cpu' if build == 'cu130' else 'pypi'} --with torch-sparse"
    )
    assert demo("upgrade --torch 2.13").status == 0
    demo.path.write_text(demo.text.replace("torch>=2.13,", "torch"))
    result = demo(command)
    assert result.status == 0, result.err
    pages = [entry["url"] for entry in demo.uv["index"] if "pyg" in entry["url"]]
    assert pages
    assert all("/torch-2.13.0+" in page for page in pages)
    assert torch(demo) == "torch>=2.13,<2.14"
    before = demo.text
    assert demo("init").status == 0
    assert demo.text == before


@pytest.mark.parametrize("release", ["2.9", "2.11"])
def test_a_list_of_fewer_platforms_than_the_tables_serve_changes_none_of_them(
    release: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, START.replace("[]", '["torch"]'))
    demo.init(f"-t windows-cpu --with torch-scatter --torch {release}")
    assert demo("upgrade --torch 2.12").status == 0
    before = demo.text
    assert demo("init").status == 0
    assert demo.text == before


@pytest.mark.parametrize("layout", ["markers", "extras"])
@pytest.mark.parametrize("package", ["flash-attn", "mamba-ssm"])
def test_a_companion_beside_it_has_its_source_at_once(
    package: str, layout: str, tmp_path: Path
) -> None:
    """Which of its releases count is a matter of the torch that the wheels are for."""
    demo = Demo(tmp_path, START)
    flags = f"-t linux-aarch64-cu130 -t macos-cpu --layout {layout} --with torchao --with {package}"
    demo.init(flags)
    assert demo.uv["sources"]["torchao"]
    before = demo.text
    assert demo(f"init {flags}").status == 0
    assert demo.text == before


def test_each_platform_keeps_the_index_that_it_has_wheels_from(tmp_path: Path) -> None:
    """Two publishers have wheels for the CPU: the page of one is for another platform."""
    demo = Demo(tmp_path, START)
    flags = "-t linux-cu126 -t windows-cpu -t linux-cpu --with torch-scatter"
    demo.init(flags)
    assert {"index": "astral-cpu", "extra": "cpu", "marker": LINUX} in demo.uv["sources"][
        "torch-scatter"
    ]
    before = demo.text
    assert demo(f"init {flags}").status == 0
    assert demo.text == before
    assert demo("remove-target linux-cu126").status == 0
    before = demo.text
    assert demo("init").status == 0
    assert demo.text == before


# What is said of it.


@pytest.mark.parametrize(
    ("target", "package", "offered"),
    [
        ("linux-cu130", "flash-attn", True),
        ("linux-pypi", "flash-attn", True),
        ("windows-cu130", "flash-attn", False),
        ("windows-cu130", "pyg-lib", True),
        ("linux-cpu", "flash-attn", False),
        ("linux-cpu", "torch-scatter", True),
        ("linux-cu130", "natten", False),
    ],
)
def test_the_wizard_offers_what_has_known_wheels(
    target: str, package: str, *, offered: bool
) -> None:
    catalog = load_catalog()
    spec = parse_target_spec(target, catalog.vocabulary)
    targets = [Target(spec.platform, spec.backend or PYPI)]
    assert count_possible([package], targets, catalog) == int(offered)


def test_show_names_the_build_of_the_wheels(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init(f"{SEVERAL} --with flash-attn")
    rows = [line.split() for line in demo("show").out.splitlines() if " flash-attn " in line]
    assert [" ".join(row) for row in rows] == [
        "uv sync flash-attn - - - -",
        "uv sync --extra cpu flash-attn - - - -",
        "uv sync --extra cu126 flash-attn cu126 cu126 - -",
        "uv sync --extra cu130 flash-attn cu130 cu130 - -",
    ]


def test_explain_lists_the_wheels_that_are_known(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cu130 --with flash-attn")
    said = demo("explain flash-attn linux").out
    assert "=> CUDA 13.0, from index `astral-cu130`" in said
    assert "  torch 2.12  cu126, cu130, cu132 on linux-aarch64, linux-x86_64: Astral\n" in said
    assert said.endswith("  for other releases of torch, wheels are unknown\n")
    assert "Astral may have some; no list of them is known" in demo("explain natten linux").out
    assert "wheels of" not in demo("explain torch linux").out


# The judge.


@pytest.mark.slow
@pytest.mark.uv
def test_verify_reports_wheels_of_another_torch(world: Replica, tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cu130 -t macos-cpu --torch 2.11 --with pyg-lib")
    words = [sys.executable, "-m", "torchconf", "verify"]

    def verify() -> tuple[int, str]:
        environment = world.environment(demo.folder)
        done = subprocess.run(
            words, cwd=demo.folder, env=environment, capture_output=True, check=False
        )
        return done.returncode, done.stderr.decode()

    assert verify()[0] == 0
    demo.path.write_text(demo.text.replace("torch>=2.11,<2.12", "torch>=2.12,<2.13"))
    status, said = verify()
    assert status == 1
    assert "pyg-lib is of a page for torch 2.11, but torch is 2.12.1" in said


@pytest.mark.uv
@pytest.mark.parametrize(
    "case",
    few(
        [
            (f"{SEVERAL} --layout extras", "flash-attn pyg-lib"),
            (f"{SEVERAL} --layout groups --default cpu", "flash-attn pyg-lib"),
            ("-t linux-cu130 -t windows-cu130 -t macos-cpu", "flash-attn pyg-lib"),
            ("-t linux-pypi -t windows-pypi -t macos-pypi", "torch-scatter"),
        ],
        lambda case: "extras" in case[0],
    ),
)
def test_uv_takes_the_wheels_of_each_build(
    case: tuple[str, str], world: Replica, tmp_path: Path
) -> None:
    flags, named = case[0], case[1].split()
    demo = Demo(tmp_path, START)
    said = demo.init(f"{flags} {' '.join(f'--with {name}' for name in named)}")
    assert demo("check --strict --ignore TC307").status == 0
    world.lock(demo.folder)
    seen = set()
    for target, words in said.commands().items():
        system, _, build = target.partition("-")
        chosen = world.chosen(demo.folder, " ".join(words))
        platform = {"linux": "linux-x86_64", "macos": "macos-arm64"}.get(system, "windows-x86_64")
        found = chosen.select(platform, "3.12")
        own = found["torch"]
        assert isinstance(own, Build), target
        assert str(own.version).startswith("2.12.1"), "one release on all platforms"
        label = "cu130" if build == "pypi" and system == "linux" else build
        for name in named:
            wheel = found.get(name)
            if wheel is None:
                continue
            assert isinstance(wheel, Build), (target, name)
            seen.add(name)
            text = str(wheel.version).replace("cu.13.0.", "cu130").replace("cu.12.6.", "cu126")
            assert system == "macos" or label in text or "cpu" in text, (target, text)
            assert system == "macos" or "212" in text or "torch.2.12" in text
    assert seen == set(named)


def test_no_bound_asks_for_more_than_a_pin_admits(tmp_path: Path) -> None:
    """vLLM brings torchvision, of which the newest that fits is not known on each index."""
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cuda -t linux-cpu --with vllm --pin")
    pins = {text.partition("==")[0]: text for text in demo.uv["constraint-dependencies"]}
    for line in demo.project["optional-dependencies"]["cpu"]:
        name, _, bound = line.partition(">=")
        pin = pins[name].partition("==")[2]
        assert not bound or Version(bound.partition(",")[0]) <= Version(pin), (line, pins[name])
    text = demo.text
    demo.init("")
    assert demo.text == text
