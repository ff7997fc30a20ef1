"""`torchconf upgrade`: everything that names a release or a backend moves together."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from tests.checking import CATALOG
from tests.projects import EXAMPLES, Demo
from tests.replica import Replica
from tests.test_check_any import alarms
from torchconf.planner.moving import moved, renamed_backend
from torchconf.project import read_project

LAYOUTS = ("extras", "groups", "markers")
COVERED = [str(v) for v in sorted(CATALOG.releases) if CATALOG.covered(v)]
"""Releases whose build matrix was read, oldest first."""
MARKERS = (EXAMPLES / "markers.toml").read_text(encoding="utf-8")
EXTRAS = (EXAMPLES / "extras.toml").read_text(encoding="utf-8")
ROCM = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = [
    "torch>=2.9.1,<2.10",
    # the triton of ROCm
    "pytorch-triton-rocm>=3.5.1 ; sys_platform == 'linux' and platform_machine == 'x86_64'",
]

[tool.uv.sources]
torch = [
    { index = "rocm6.4", marker = "sys_platform == 'linux' and platform_machine == 'x86_64'" },
]
pytorch-triton-rocm = [
    { index = "rocm6.4", marker = "sys_platform == 'linux' and platform_machine == 'x86_64'" },
]

[[tool.uv.index]]
name = "rocm6.4"
url = "https://download.pytorch.org/whl/rocm6.4"
explicit = true
"""


def data(demo: Demo) -> dict[str, Any]:
    return tomllib.loads(demo.text)


@pytest.mark.parametrize(
    ("before", "new", "upper", "after"),
    [
        ("torch", "2.13.0", None, "torch"),
        ("torch>=2.12.0", "2.13.0", None, "torch>=2.13.0"),
        ("torch >= 2.12", "2.13.0", None, "torch>=2.13"),
        ("torch>=2.12", "2.12.1", None, "torch>=2.12"),
        ("torch==2.12", "2.12.1", None, "torch==2.12.1"),
        ("torch==2.12.0", "2.13.0", None, "torch==2.13.0"),
        ("torch==2.12.0+cu130", "2.13.0", None, "torch==2.13.0+cu130"),
        ("torch==2.12.*", "2.13.0", None, "torch==2.13.*"),
        ("torch~=2.12.0", "2.13.0", None, "torch~=2.13.0"),
        ("torch~=2.12", "2.13.0", None, "torch~=2.13"),
        ("torch>=2.12.0,<2.13", "2.13.0", None, "torch>=2.13.0,<2.14"),
        ("torch>=2.6,<3", "2.13.0", None, "torch>=2.13,<3"),
        ("torch>=2.6, !=2.7.0, <2.9", "2.13.0", None, "torch>=2.13, !=2.7.0, <2.14"),
        ("torch>=2.11.0", "2.11.0", "2.12", "torch>=2.11.0,<2.12"),
        ("torch>=2.9 ; os_name == 'nt'", "2.13.0", None, "torch>=2.13 ; os_name == 'nt'"),
        ("Torch[opt]>=2.9", "2.13.0", None, "Torch[opt]>=2.13"),
    ],
)  # fmt: skip
def test_a_requirement_keeps_its_shape(
    before: str, new: str, upper: str | None, after: str
) -> None:
    assert moved(before, Version(new), upper) == after


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("pytorch-cu130", "pytorch-cu132"),
        ("https://mirror.example.org/cu130/pytorch-cu130/simple",
         "https://mirror.example.org/cu130/pytorch-cu132/simple"),
        ("pytorch-cu1301", "pytorch-cu1301"),
        ("gpu", "gpu"),
    ],
)  # fmt: skip
def test_a_name_follows_its_backend(text: str, after: str) -> None:
    assert renamed_backend(text, "cu130", "cu132") == after


def steps(layout: str) -> list[str]:
    """Return the releases to which a layout can be moved, one after the other."""
    text = (EXAMPLES / f"{layout}.toml").read_text(encoding="utf-8")
    python = read_project(tomllib.loads(text)).requires_python
    assert python is not None
    return [release for release in COVERED if Version(release) >= Version("2.9.1")]


@pytest.mark.uv
@pytest.mark.parametrize("layout", LAYOUTS)
def test_up_release_by_release_and_down_again(
    layout: str, replica: Replica, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, (EXAMPLES / f"{layout}.toml").read_text(encoding="utf-8"))
    texts: dict[str, dict[str, Any]] = {}
    for release in steps(layout):
        result = demo(f"upgrade --torch {release}")
        assert result.status == 0, result.err
        texts[release] = data(demo)
        assert alarms(demo.text) == []
        replica.lock(demo.folder)
        assert demo(f"upgrade --torch {release} --check").status == 0, (
            "a second run changes nothing"
        )
    for release in reversed(texts):
        assert demo(f"upgrade --torch {release}").status == 0
        assert data(demo) == texts[release]


@pytest.mark.uv
@pytest.mark.parametrize("rename", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_another_backend(layout: str, rename: bool, replica: Replica, tmp_path: Path) -> None:
    start = (EXAMPLES / f"{layout}.toml").read_text(encoding="utf-8")
    demo = Demo(tmp_path, start)
    flag = "--rename" if rename else ""
    result = demo(f"upgrade --backend cu130=cu132 {flag}")
    assert result.status == 0, result.err
    body = demo.text.replace("[tool.torchconf]", "")
    if rename or layout == "markers":
        assert "cu130" not in body
    else:
        assert "keeps its name" in result.err
        assert 'cu130" }' in body or 'cu130"' in body
    replica.lock(demo.folder)
    shown = demo("show --format json").json["routes"]
    assert {row["backend"] for row in shown} >= {"cu132"}
    assert demo(f"upgrade --backend cu132=cu130 {flag}").status == 0
    old, new = tomllib.loads(start), data(demo)
    assert new["tool"] == old["tool"]


@pytest.mark.uv
def test_all_moves_backends_too(replica: Replica, tmp_path: Path) -> None:
    demo = Demo(tmp_path, EXTRAS.replace("cu130", "cu126"))
    result = demo("upgrade --all --rename --format json")
    assert result.json["backends"] == {"cu126": result.json["backends"]["cu126"]}
    assert result.json["backends"]["cu126"] in ("cu130", "cu132")
    replica.lock(demo.folder)


@pytest.mark.uv
def test_the_triton_of_rocm_changes_its_name(replica: Replica, tmp_path: Path) -> None:
    demo = Demo(tmp_path, ROCM)
    result = demo("upgrade --torch 2.12 --backend rocm6.4=rocm7.2")
    assert result.status == 0, result.err
    assert "# the triton of ROCm" in demo.text
    assert '"triton-rocm>=3.6.0 ; sys_platform' in demo.text
    assert "pytorch-triton-rocm" not in demo.text
    assert "rocm6.4" not in demo.text
    assert alarms(demo.text) == []
    replica.lock(demo.folder)
    assert demo("upgrade --torch 2.9.1 --backend rocm7.2=rocm6.4").status == 0
    assert data(demo)["project"] == tomllib.loads(ROCM)["project"]


@pytest.mark.uv
def test_pins_move_together(replica: Replica, tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    demo.init("-t linux-cuda13.0 -t macos-cpu --with torchvision --torch 2.12 --pin --python 3.11")
    before = data(demo)
    assert demo("upgrade --torch 2.13").status == 0
    assert data(demo)["project"]["dependencies"][0] == "torch>=2.13,<2.14"
    pins = data(demo)["tool"]["uv"]["constraint-dependencies"]
    assert pins == ["torch==2.13.0", "torchvision==0.28.0"]
    replica.lock(demo.folder)
    assert demo("upgrade --torch 2.12").status == 0
    assert data(demo)["tool"] == before["tool"]
    assert data(demo)["project"]["dependencies"][0] == before["project"]["dependencies"][0]


def test_what_a_target_can_not_follow_is_refused(tmp_path: Path) -> None:
    demo = Demo(tmp_path, EXTRAS.replace("cu130", "cu128").replace(">=2.13.0", ">=2.11.0"))
    before = demo.text
    result = demo("upgrade --torch 2.13")
    assert result.status == 2
    assert "the newest torch that all targets can have is 2.11.0" in result.err
    assert demo.text == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--backend cu126=cu130", "no target has the backend `cu126`"),
        ("--backend cu130=rocm7.2", "another accelerator is another target"),
        ("--backend cu130", "is not OLD=NEW"),
        ("--torch two", "is not a version or a specifier"),
    ],
)
def test_what_makes_no_sense(words: str, message: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, EXTRAS)
    result = demo(f"upgrade {words}")
    assert (result.status, message in result.err) == (2, True), result.err
    assert demo.text == EXTRAS


def test_a_project_without_targets(tmp_path: Path) -> None:
    demo = Demo(tmp_path, '[project]\nname = "demo"\nversion = "0"\ndependencies = ["torch"]\n')
    assert "has no target" in demo("upgrade").err


def test_what_else_names_the_old_backend_is_listed_and_not_edited(tmp_path: Path) -> None:
    demo = Demo(tmp_path, EXTRAS)
    files = {
        "Dockerfile": "FROM x\nRUN uv sync --extra cu130\n",
        "README.md": "`uv sync --extra cu130`, not cu1301\n",
        ".github/workflows/ci.yml": "run: uv sync --extra cpu\n",
        "build/notes.md": "cu130\n",
        ".gitignore": "build/\n",
    }
    for name, text in files.items():
        (demo.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (demo.folder / name).write_text(text)
    mentions = demo("upgrade --backend cu130=cu132 --format json").json["mentions"]
    assert mentions == [
        "Dockerfile:2: RUN uv sync --extra cu130",
        "README.md:1: `uv sync --extra cu130`, not cu1301",
    ]
    assert all((demo.folder / name).read_text() == text for name, text in files.items())


def test_dry_run_and_check_write_nothing(tmp_path: Path) -> None:
    demo = Demo(tmp_path, EXTRAS)
    result = demo("upgrade --torch 2.12 --dry-run")
    assert (result.status, result.out[:3]) == (0, "---")
    assert demo("upgrade --torch 2.12 --check").status == 1
    assert demo.text == EXTRAS


def test_a_member_s_pins_are_in_the_root(tmp_path: Path) -> None:
    root = tmp_path / "pyproject.toml"
    root.write_text(
        '[tool.uv]\nconstraint-dependencies = ["torch==2.12.0"]  # held\n\n'
        '[tool.uv.workspace]\nmembers = ["demo"]\n'
    )
    demo = Demo(tmp_path, EXTRAS.replace(">=2.13.0", ">=2.12.0"))
    assert demo("upgrade --torch 2.13").status == 0
    assert '["torch==2.13.0"]  # held' in root.read_text()
    assert ">=2.13.0" in demo.text
