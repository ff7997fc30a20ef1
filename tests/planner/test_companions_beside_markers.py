"""A companion goes where torch goes; sources that had no effect take no platform along."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.few import few
from tests.support.projects import WHL, Demo, Result
from tests.support.replica import Replica

HEAD = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11,<3.14"
dependencies = [{lines}]

[tool.uv]
{settings}

[tool.uv.sources]
torch = {{ index = "pytorch-{build}"{marker} }}

[[tool.uv.index]]
name = "pytorch-{build}"
url = "{whl}/{build}"
explicit = true
"""
NOT_MACOS = "sys_platform != 'darwin'"
BOTH = "sys_platform == 'linux' or sys_platform == 'win32'"


def demo_of(
    folder: Path, *lines: str, build: str = "cu130", marker: str = "", settings: str = ""
) -> Demo:
    listed = ", ".join(map(json.dumps, lines))
    marker = f', marker = "{marker}"' if marker else ""
    return Demo(
        folder,
        HEAD.format(lines=listed, build=build, marker=marker, settings=settings, whl=WHL),
    )


def added(demo: Demo, command: str) -> list[str]:
    """Run a command twice; the second run changes nothing. Return what is new."""
    before = demo.project["dependencies"]
    done = demo(command)
    assert done.status == 0, done.err
    once = demo.text
    assert (demo(command).status, demo.text) == (0, once)
    return [line for line in demo.project["dependencies"] if line not in before]


@pytest.mark.parametrize(
    ("lines", "new"),
    [
        (["torch>=2.9"], "torchvision>=0.24.0"),
        (["torch>=2.9 ; sys_platform != 'darwin'"], f"torchvision>=0.24.0 ; {NOT_MACOS}"),
        (
            ["torch>=2.9 ; python_version < '3.13'"],
            "torchvision>=0.24.0 ; python_version < '3.13'",
        ),
        (
            ["torch>=2.9 ; sys_platform == 'linux'", "torch>=2.9 ; sys_platform != 'linux'"],
            "torchvision>=0.24.0",
        ),
        (
            ["torch>=2.9 ; sys_platform == 'linux'", "torch>=2.9 ; sys_platform == 'win32'"],
            "torchvision>=0.24.0 ; (sys_platform == 'linux') or (sys_platform == 'win32')",
        ),
    ],
)
@pytest.mark.uv
def test_a_new_companion_has_the_marker_of_torch(
    lines: list[str], new: str, replica: Replica, tmp_path: Path
) -> None:
    demo = demo_of(tmp_path, *lines)
    before = codes(demo("check --format json"))
    assert added(demo, "init -y --with torchvision") == [new]
    assert codes(demo("check --format json")) <= before
    run = replica.uv("lock", cwd=demo.folder)
    assert run.returncode == 0, run.stderr


def codes(result: Result) -> set[str]:
    return {finding["code"] for finding in result.json["findings"]}


def test_what_an_override_says_of_torch_counts_for_a_new_companion(tmp_path: Path) -> None:
    override = "override-dependencies = [\"torch>=2.9 ; sys_platform == 'linux'\"]"
    demo = demo_of(tmp_path, "torch>=2.9", settings=override)
    assert added(demo, "init -y --with torchvision") == [
        "torchvision>=0.24.0 ; sys_platform == 'linux'"
    ]


def test_a_new_companion_has_no_source_that_cannot_apply(tmp_path: Path) -> None:
    override = "override-dependencies = [\"torch>=2.9 ; sys_platform == 'linux'\"]"
    demo = demo_of(tmp_path, "torch>=2.9", settings=override)
    two = (
        '[{ index = "pytorch-cu130", marker = "sys_platform == \'linux\'" }, '
        "{ index = \"pytorch-cpu\", marker = \"sys_platform != 'linux' and os_name != 'x'\" }]"
    )
    cpu = f'\n[[tool.uv.index]]\nname = "pytorch-cpu"\nurl = "{WHL}/cpu"\nexplicit = true\n'
    demo.path.write_text(demo.text.replace('{ index = "pytorch-cu130" }', two) + cpu)
    assert added(demo, "init -y --with torchvision") == [
        "torchvision>=0.24.0 ; sys_platform == 'linux'"
    ]
    assert [entry["index"] for entry in demo.uv["sources"]["torchvision"]] == ["pytorch-cu130"]


@pytest.mark.parametrize(
    ("build", "marker", "after"),
    [
        ("cu130", "", BOTH),
        ("cu130", "sys_platform != 'win32'", "sys_platform == 'linux'"),
        ("cu130", "sys_platform == 'linux'", "sys_platform == 'linux'"),
        ("cpu", "", None),
    ],
)
@pytest.mark.parametrize(
    "command",
    few(
        ["init -y --with torchaudio", "add-target linux-{build}"],
        {"add-target linux-{build}"}.__contains__,
    ),
)
@pytest.mark.uv
def test_a_source_that_had_no_effect_is_limited_to_where_wheels_are(
    build: str, marker: str, after: str | None, command: str, replica: Replica, tmp_path: Path
) -> None:
    """Accelerate brings torch from PyPI, on macOS too: it must go on to do so."""
    demo = demo_of(tmp_path, "accelerate", build=build, marker=marker)
    assert "torch" in added(demo, command.format(build=build))
    sources = demo.uv["sources"]["torch"]
    source = sources[0] if isinstance(sources, list) else sources
    assert source.get("marker") == after
    assert "TC405" not in codes(demo("check --format json"))
    run = replica.uv("lock", cwd=demo.folder)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("machine", ["s390x", "aarch64"])
@pytest.mark.uv
def test_a_companion_is_no_cuda_build_where_torch_is_not_required(
    machine: str, replica: Replica, tmp_path: Path
) -> None:
    """A build of torchvision requires that of torch, which PyPI has not."""
    lines = f"torch>=2.9 ; platform_machine != '{machine}'", "torchvision>=0.24"
    demo = demo_of(tmp_path, *lines, build="cpu")
    assert replica.uv("lock", cwd=demo.folder).returncode == 0
    assert added(demo, "add-target linux-cu130") == []
    run = replica.uv("lock", cwd=demo.folder)
    assert run.returncode == 0, run.stderr


def test_a_target_is_not_there_while_nothing_requires_torch(tmp_path: Path) -> None:
    demo = demo_of(tmp_path, "accelerate", marker="sys_platform == 'linux'")
    done = demo("add-target linux-cu130")
    assert done.status == 0, done.err
    assert "torch becomes a direct requirement" in done.err


@pytest.mark.parametrize(
    "index",
    [
        f'[[tool.uv.index]]\nname = "open"\nurl = "{WHL}/cu128"\n',
        (
            "[tool.uv.sources]\n"
            'torch = { index = "own", marker = "sys_platform == \'linux\'" }\n\n'
            f'[[tool.uv.index]]\nname = "own"\nurl = "{WHL}/nightly/cu130"\nexplicit = true\n'
        ),
    ],
    ids=["open", "nightly"],
)
def test_torch_has_no_bound_where_another_index_may_have_older_ones(
    index: str, tmp_path: Path
) -> None:
    text = '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.11,<3.14"\n'
    demo = Demo(tmp_path, f'{text}dependencies = ["numpy"]\n\n{index}')
    assert added(demo, "add-target windows-cuda") == ["torch"]


@pytest.mark.parametrize(
    ("constraints", "new"),
    [
        ('"torch==2.9.1"', "torchaudio>=2.9.1,<2.10"),
        ('"torch==2.9.1", "torchaudio==2.9.1"', "torchaudio>=2.9.1"),
        ('"torch<2.10"', "torchaudio>=2.9.0,<2.10"),
    ],
)
def test_a_companion_is_bounded_unless_a_constraint_holds_it(
    constraints: str, new: str, tmp_path: Path
) -> None:
    """Newer torchaudio states no torch, so that uv would take it beside an old one."""
    settings = f"constraint-dependencies = [{constraints}]"
    demo = demo_of(tmp_path, "torch>=2.9", build="cpu", settings=settings)
    assert added(demo, "init -y --with torchaudio") == [new]
    assert "TC215" not in codes(demo("check --strict --format json"))


OPEN = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11,<3.14"
dependencies = ["torch>=2.6"]

[[tool.uv.index]]
name = "pytorch"
url = "{whl}/cu128"
"""


@pytest.mark.parametrize(
    ("target", "status"),
    [("linux-cu132", 2), ("linux-cu124", 2), ("linux-cu130", 0), ("windows-cu132", 0)],
)
@pytest.mark.uv
def test_an_open_index_holds_back_the_triton_of_another_build(
    target: str, status: int, replica: Replica, tmp_path: Path
) -> None:
    """uv takes triton from the first index that has any: cu128 ended with torch 2.11."""
    demo = Demo(tmp_path, OPEN.format(whl=WHL))
    done = demo(f"add-target {target}")
    assert done.status == status, done.err
    if status:
        assert "index `pytorch` is open: uv takes triton from it" in done.err
        return
    run = replica.uv("lock", cwd=demo.folder)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("member", "new"),
    [
        ('"timm", "torch>=2.9"', ["torchvision"]),
        ('"timm", "torch>=2.9", "torchvision"', []),
        ('"accelerate", "torch>=2.9"', []),
    ],
)
@pytest.mark.uv
def test_the_root_requires_the_companion_that_a_dependency_of_a_member_brings(
    member: str, new: list[str], replica: Replica, tmp_path: Path
) -> None:
    """timm needs torchvision, which would come from PyPI beside a torch of another build."""
    demo = workspace_of(tmp_path, member)
    assert added(demo, "add-target linux-cu126") == new
    assert codes(demo("check --strict --format json .")) <= {"TC211"}
    run = replica.uv("lock", cwd=demo.folder)
    assert run.returncode == 0, run.stderr


def workspace_of(folder: Path, member: str) -> Demo:
    """Make a root without torch, and a member with these dependencies."""
    text = '[project]\nname = "{}"\nversion = "0.1.0"\nrequires-python = ">=3.11,<3.14"\n'
    demo = Demo(
        folder,
        text.format("demo") + 'dependencies = ["numpy"]\n\n'
        '[tool.uv.workspace]\nmembers = ["packages/*"]\n',
    )
    inner = demo.folder / "packages/a"
    inner.mkdir(parents=True)
    (inner / "pyproject.toml").write_text(f"{text.format('a')}dependencies = [{member}]\n")
    return demo


def test_a_target_that_no_member_requires_torch_for_is_refused(tmp_path: Path) -> None:
    demo = workspace_of(tmp_path, "\"torch>=2.9 ; sys_platform != 'darwin'\"")
    before = demo.text
    done = demo("add-target macos-cpu")
    assert (done.status, demo.text) == (2, before)
    assert "of workspace member `a` excludes `macos-cpu`" in done.err
    assert "packages/a/pyproject.toml" in done.err
    assert demo("add-target linux-cu130").status == 0


@pytest.mark.uv
def test_triton_is_that_of_the_torch_of_its_own_platform(replica: Replica, tmp_path: Path) -> None:
    """Where Windows may have a newer torch than Linux, it needs the triton of that one."""
    lines = "torch==2.9.1 ; sys_platform == 'linux'", "torch>=2.9 ; sys_platform != 'linux'"
    demo = workspace_of(tmp_path, ", ".join(map(json.dumps, lines)))
    new = added(demo, "init -y -t linux-cu130 -t windows-xpu")
    assert new == ["triton-xpu>=3.6.0 ; sys_platform == 'win32'"]
    assert "TC214" not in codes(demo("check --format json ."))
    run = replica.uv("lock", cwd=demo.folder)
    assert run.returncode == 0, run.stderr


def test_removing_a_target_brings_no_torch(tmp_path: Path) -> None:
    demo = demo_of(tmp_path, "numpy", marker="sys_platform == 'linux'")
    assert added(demo, "check") == []
    assert demo("remove-target linux-cu130").status == 0
    assert demo.project["dependencies"] == ["numpy"]
    assert "tool" not in demo.data


def test_a_target_of_an_entry_that_only_its_author_can_write_is_not_removed(
    tmp_path: Path,
) -> None:
    demo = demo_of(tmp_path, "torch", marker="platform_release != '5.15.148-tegra'")
    before = demo.text
    done = demo("remove-target linux-cu130")
    assert (done.status, demo.text) == (2, before)
    assert "`platform_release` in a source marker is not a platform variable" in done.err


def test_an_unknown_index_is_named_before_the_label_of_a_pin(tmp_path: Path) -> None:
    demo = demo_of(tmp_path, "torch==2.9.1+cu128", build="cu126")
    demo.path.write_text(
        demo.text.replace(f"{WHL}/cu126", "https://wheels.example.org/jp6/+simple")
    )
    done = demo("add-target windows-cuda")
    assert done.status == 2
    assert "no known backend in the URL https://wheels.example.org/jp6/+simple" in done.err
