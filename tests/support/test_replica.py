"""The replica itself: it answers as the real index, and uv locks and installs from it."""

from __future__ import annotations

import os
import platform
import socket
import ssl
import struct
import subprocess
import sys
import urllib.request
from http import HTTPStatus
from pathlib import Path
from textwrap import dedent

import pytest
from packaging.pylock import PylockSelectError

from tests.support.paths import ROOT
from tests.support.replica import Build, Content, Fault, Release, Replica, ReplicaOf, UvError
from tests.support.replica.content import _from_facts
from tests.support.replica.server import wrap

CPU = "https://download.pytorch.org/whl/cpu"
CU130 = "https://download.pytorch.org/whl/cu130"

INDEXES = """
    [[tool.uv.index]]
    name = "pytorch-cpu"
    url = "https://download.pytorch.org/whl/cpu"
    explicit = true

    [[tool.uv.index]]
    name = "pytorch-cu130"
    url = "https://download.pytorch.org/whl/cu130"
    explicit = true
"""

MARKERS = """
    [project]
    name = "demo"
    version = "0.1.0"
    requires-python = ">=3.11"
    dependencies = ["torch>=2.13.0", "torchvision>=0.28.0"]

    [tool.uv.sources]
    torch = [
        { index = "pytorch-cu130", marker = "sys_platform == 'linux' or sys_platform == 'win32'" },
        { index = "pytorch-cpu", marker = "sys_platform != 'linux' and sys_platform != 'win32'" },
    ]
    torchvision = [
        { index = "pytorch-cu130", marker = "sys_platform == 'linux' or sys_platform == 'win32'" },
        { index = "pytorch-cpu", marker = "sys_platform != 'linux' and sys_platform != 'win32'" },
    ]
"""

EXTRAS = """
    [project]
    name = "demo"
    version = "0.1.0"
    requires-python = ">=3.11"
    dependencies = []

    [project.optional-dependencies]
    cpu = ["torch>=2.13.0"]
    cu130 = ["torch>=2.13.0"]

    [tool.uv]
    conflicts = [[{ extra = "cpu" }, { extra = "cu130" }]]

    [tool.uv.sources]
    torch = [
        { index = "pytorch-cpu", extra = "cpu" },
        { index = "pytorch-cu130", extra = "cu130", marker = "sys_platform == 'linux'" },
        { index = "pytorch-cpu", extra = "cu130", marker = "sys_platform != 'linux'" },
    ]
"""

GROUPS = """
    [project]
    name = "demo"
    version = "0.1.0"
    requires-python = ">=3.11"
    dependencies = ["torch>=2.4"]

    [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"

    [dependency-groups]
    dev = []
    cpu = ["torch"]
    cu130 = ["torch"]

    [tool.uv]
    default-groups = ["dev", "cpu"]
    conflicts = [[{ group = "cpu" }, { group = "cu130" }]]
    environments = ["sys_platform == 'linux'", "sys_platform != 'linux'"]

    [tool.uv.sources]
    torch = [
        { index = "pytorch-cpu", group = "cpu" },
        { index = "pytorch-cu130", group = "cu130", marker = "sys_platform == 'linux'" },
        { index = "pytorch-cpu", group = "cu130", marker = "sys_platform != 'linux'" },
    ]
"""

EVERYWHERE = """
    [project]
    name = "demo"
    version = "0.1.0"
    requires-python = "{python}"
    dependencies = ["{torch}"]

    [tool.uv.sources]
    torch = {{ index = "{index}" }}
"""


def write(folder: Path, text: str) -> Path:
    """Write a pyproject.toml, with both indexes."""
    content = dedent(text) + dedent(INDEXES)
    (folder / "pyproject.toml").write_text(content, encoding="utf-8")
    return folder


def everywhere(
    torch: str = "torch>=2.13.0", python: str = ">=3.11", index: str = "pytorch-cu130"
) -> str:
    """Return a project that wants one build on every platform."""
    return EVERYWHERE.format(torch=torch, python=python, index=index)


def fetch(replica: Replica, url: str) -> tuple[int, str]:
    """Ask the replica as a client would, through its proxy and its certificate."""
    code = (
        "import sys, urllib.request, urllib.error\n"
        "try:\n"
        "    with urllib.request.urlopen(sys.argv[1]) as answer:\n"
        "        print(answer.status, answer.read().decode())\n"
        "except urllib.error.HTTPError as error:\n"
        "    with error: print(error.code)\n"
    )
    run = replica.run(sys.executable, "-c", code, url, cwd=Path())
    status, _, body = run.stdout.partition(" ")
    assert not run.returncode, run.stderr
    return int(status), body


LAYOUTS = {"markers": MARKERS, "extras": EXTRAS, "groups": GROUPS}

CASES = [
    ("markers", "", "linux-x86_64", "2.13.0+cu130"),
    ("markers", "", "linux-aarch64", "2.13.0+cu130"),
    ("markers", "", "windows-x86_64", "2.13.0+cu130"),
    ("markers", "", "macos-arm64", "2.13.0"),
    ("extras", "--extra cpu", "linux-x86_64", "2.13.0+cpu"),
    ("extras", "--extra cpu", "windows-arm64", "2.13.0+cpu"),
    ("extras", "--extra cu130", "linux-x86_64", "2.13.0+cu130"),
    ("extras", "--extra cu130", "windows-x86_64", "2.13.0+cpu"),
    ("extras", "--extra cu130", "macos-arm64", "2.13.0"),
    ("groups", "", "linux-x86_64", "2.13.0+cpu"),
    ("groups", "", "macos-arm64", "2.13.0"),
    ("groups", "--no-group cpu --group cu130", "linux-x86_64", "2.13.0+cu130"),
    ("groups", "--no-group cpu --group cu130", "windows-x86_64", "2.13.0+cpu"),
]


@pytest.mark.parametrize(("layout", "selection", "where", "version"), CASES)
def test_each_layout_gives_each_target_its_build(
    replica: Replica, tmp_path: Path, layout: str, selection: str, where: str, version: str
) -> None:
    replica.lock(write(tmp_path, LAYOUTS[layout]))
    export = replica.export(tmp_path, *selection.split())
    index = CU130 if version.endswith("cu130") else CPU

    # Windows on arm64 has no later Python.
    for python in ["3.11", "3.13"] if where == "windows-arm64" else ["3.11", "3.14", "3.14t"]:
        selected = export.select(where, python)

        torch = selected["torch"]
        assert isinstance(torch, Build)
        assert (torch.version, torch.index) == (version, index)
        assert torch.wheel is not None
        assert torch.wheel.startswith(f"torch-{version}-cp{python.strip('t').replace('.', '')}-")
        cuda_on_linux = version.endswith("cu130") and where.startswith("linux")
        assert any(name.startswith("nvidia-") for name in selected) == cuda_on_linux
        assert ("triton" in selected) == cuda_on_linux


def test_no_choice_among_extras_means_no_torch(replica: Replica, tmp_path: Path) -> None:
    replica.lock(write(tmp_path, EXTRAS))

    assert replica.selected(tmp_path, "linux-x86_64", "3.12")["torch"] == "absent"


@pytest.mark.parametrize("wanted", ["macos-arm64", "macos-x86_64", "windows-arm64"])
def test_cuda_for_every_platform_locks_and_has_no_wheel_for_some(
    replica: Replica, tmp_path: Path, wanted: str
) -> None:
    replica.lock(write(tmp_path, everywhere()))

    assert replica.selected(tmp_path, wanted, "3.12")["torch"] == "no wheel"


def test_an_entry_with_neither_wheels_nor_source_is_no_wheel(
    replica: Replica, tmp_path: Path
) -> None:
    replica.lock(write(tmp_path, everywhere("torch>=2.13.0 ; sys_platform == 'darwin'")))

    export = replica.export(tmp_path)

    assert [name for name, _ in export.empty] == ["torch"]
    assert export.select("macos-arm64", "3.12")["torch"] == "no wheel"
    assert export.select("linux-x86_64", "3.12")["torch"] == "absent"


@pytest.mark.parametrize("python", ["==3.8.*", "==3.9.*", ">=3.14", ">=3.11.2"])
def test_any_requires_python_locks_with_one_interpreter(
    replica: Replica, tmp_path: Path, python: str
) -> None:
    replica.lock(write(tmp_path, everywhere("torch", python, "pytorch-cpu")))

    with pytest.raises(PylockSelectError):
        replica.selected(tmp_path, "linux-x86_64", "3.10")


def test_a_python_below_the_newest_torch_splits_the_lock(replica: Replica, tmp_path: Path) -> None:
    replica.lock(write(tmp_path, everywhere("torch", ">=3.9", "pytorch-cpu")))

    export = replica.export(tmp_path)

    builds = [export.select("macos-arm64", python)["torch"] for python in ("3.9", "3.10")]
    assert [build.version for build in builds if isinstance(build, Build)] == ["2.8.0", "2.13.0"]


def test_a_workspace_locks_where_all_its_members_agree(replica: Replica, tmp_path: Path) -> None:
    member = tmp_path / "packages" / "member"
    member.mkdir(parents=True)
    write(member, everywhere("torch", ">=3.13").replace("demo", "member"))
    root = (
        everywhere("torch")
        + """
    [tool.uv.workspace]
    members = ["packages/*"]
"""
    )
    replica.lock(write(tmp_path, root))
    replica.lock(member)

    torch = replica.selected(member, "linux-x86_64", "3.13", "--package", "member")["torch"]
    assert isinstance(torch, Build)


def test_a_release_with_one_wheel_is_taken_for_everybody(
    replica_of: ReplicaOf, tmp_path: Path
) -> None:
    content = Content.of(
        {
            "cu130": {
                "torch": [
                    Release("2.13.0+cu130"),
                    Release("2.14.1+cu130", ["windows-x86_64"], ["3.12"]),
                ]
            }
        }
    )
    replica = replica_of(content)
    replica.lock(write(tmp_path, everywhere()))

    export = replica.export(tmp_path)

    torch = export.select("windows-x86_64", "3.12")["torch"]
    assert torch == Build("2.14.1+cu130", "torch-2.14.1+cu130-cp312-cp312-win_amd64.whl", CU130)
    assert export.select("linux-x86_64", "3.12")["torch"] == "no wheel"


@pytest.mark.parametrize(
    ("url", "status"),
    [
        (f"{CU130}/torch/", 200),
        (f"{CU130}/", 200),
        (f"{CU130}/einops/", 403),
        ("https://download.pytorch.org/whl/cu999/torch/", 403),
        ("https://download-r2.pytorch.org/whl/cu130/torch-1.0-cp311-cp311-win_amd64.whl", 403),
        ("https://packages.example.org/simple/torch/", 200),
        ("https://packages.example.org/simple/no-such-package/", 404),
    ],
)
def test_what_is_not_there_is_refused_as_the_real_index_does(
    replica: Replica, url: str, status: int
) -> None:
    assert fetch(replica, url)[0] == status


def test_index_pages_say_where_the_metadata_is(replica: Replica) -> None:
    _, page = fetch(replica, f"{CU130}/torch/")
    line = next(line for line in page.splitlines() if "2.13.0+cu130-cp312-cp312-win" in line)

    assert 'href="https://download-r2.pytorch.org/whl/cu130/torch-2.13.0%2Bcu130-' in line
    assert "#sha256=" in line
    assert 'data-core-metadata="sha256=' in line
    assert 'data-requires-python="&gt;=3.10"' in line


@pytest.mark.parametrize(
    ("fault", "symptom"),
    [(Fault(status=503), "503"), (Fault(truncate=100), "download.pytorch.org/whl/cu130/torch/")],
)
def test_the_replica_misbehaves_when_told_to(tmp_path: Path, fault: Fault, symptom: str) -> None:
    content = Content.of({"cu130": {"torch": [Release("2.13.0+cu130")]}})
    write(tmp_path, everywhere())
    with Replica(content, cache=tmp_path / "cache") as replica:
        replica.faults["download.pytorch.org/whl/cu130/*"] = fault
        run = replica.uv("lock", cwd=tmp_path)
        replica.faults.clear()
        replica.lock(tmp_path)

    assert run.returncode
    assert symptom in run.stderr


def test_mirror(replica_of: ReplicaOf, tmp_path: Path) -> None:
    content = Content.of({"cu130": {"torch": [Release("2.13.0+cu130")]}})
    mirror = "https://mirror.example.org/pytorch/{backend}/simple"
    replica = replica_of(content.mirrored(mirror))
    write(tmp_path, everywhere())
    text = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    there = mirror.format(backend="cu130")
    (tmp_path / "pyproject.toml").write_text(text.replace(CU130, there), encoding="utf-8")
    replica.lock(tmp_path)

    torch = replica.selected(tmp_path, "linux-x86_64", "3.12")["torch"]

    assert isinstance(torch, Build)
    assert torch.index == there


def test_closed_mode_reaches_nothing_outside(replica: Replica, tmp_path: Path) -> None:
    before = list(replica.outside)
    replica.lock(write(tmp_path, GROUPS))
    assert replica.outside == before

    text = MARKERS.replace('"torchvision>=0.28.0"', '"six @ https://elsewhere.example.org/six.zip"')
    run = replica.uv("lock", cwd=write(tmp_path, text))

    assert run.returncode
    assert replica.outside == [*before, "elsewhere.example.org"]


def test_this_process_can_be_inside(inside_replica: Replica) -> None:
    with urllib.request.urlopen(f"{CPU}/torch/") as answer:
        page = answer.read().decode()

    assert answer.status == HTTPStatus.OK
    assert inside_replica.requests[-1] == "download.pytorch.org/whl/cpu/torch/"
    assert "torch-2.13.0%2Bcpu-" in page


def test_a_failing_lock_says_what_uv_said(replica: Replica, tmp_path: Path) -> None:
    with pytest.raises(UvError, match=r"only torch<=2\.13\.0\+cu130 is available"):
        replica.lock(write(tmp_path, everywhere("torch>=99")))


@pytest.mark.skipif(
    (sys.platform, platform.machine()) not in {("linux", "x86_64"), ("win32", "AMD64")},
    reason="there is no CUDA build for this machine",
)
def test_the_tiny_wheels_install(replica: Replica, tmp_path: Path) -> None:
    replica.sync(write(tmp_path, MARKERS))

    said = replica.python(
        tmp_path,
        "import torch, torchvision; print(torch.__version__, torch.version.cuda, "
        "torch.version.hip, torch.cuda.is_available(), torchvision.__version__)",
    )

    assert said.split() == ["2.13.0+cu130", "13.0", "None", "False", "0.28.0+cu130"]


def test_a_client_that_goes_away_before_tls_leaves_no_socket_open() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        # The client breaks off with a reset, not with an orderly end.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        number = accepted.fileno()

        with pytest.raises(OSError, match="reset by peer"):
            wrap(context, accepted)

        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(number)


def test_two_replicas_of_one_world_agree() -> None:
    first = Content.from_facts()
    _from_facts.cache_clear()
    assert first is not Content.from_facts()
    assert first.digest() == Content.from_facts().digest()
    assert first.digest() != Content.from_facts(newest="2.14.1").digest()


def test_every_torch_has_its_companions_and_its_triton_on_its_index() -> None:
    content = Content.from_facts()
    for index, packages in content.indexes.items():
        for torch in packages.get("torch", ()):
            release = torch.version.public
            # An index that began later is there as it was seen.
            is_whole = (2, 6) <= torch.version.release <= (2, 13, 0)
            if "pytorch.org" in index and is_whole:
                companions = {
                    requirement
                    for wheel in packages.get("torchvision", ())
                    for requirement in wheel.requires_dist
                }
                label = f"+{torch.version.local}" if torch.version.local else ""
                assert {f"torch=={release}", f"torch=={release}{label}"} & companions, torch
                for requirement in torch.requires_dist:
                    name, _, version = requirement.partition(" ")[0].partition("==")
                    if "triton" in name and torch.version.local:
                        served = {str(wheel.version) for wheel in packages[name]}
                        assert version in served, torch


def test_by_hand(tmp_path: Path) -> None:
    write(tmp_path, EXTRAS)
    command = [
        sys.executable,
        "-m",
        "tests.support.replica",
        "--closed",
        "--project",
        str(tmp_path),
    ]
    root = ROOT

    run = subprocess.run(
        [*command, "table", "--extra", "cu130"],
        cwd=root,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )

    lines = run.stdout.splitlines()
    assert f"linux-x86_64    3.11-3.15  torch                2.13.0+cu130         {CU130}" in lines
    assert "macos-x86_64    3.11-3.15  torch                no wheel" in lines


@pytest.mark.network
def test_open_mode_takes_ordinary_packages_from_pypi(tmp_path: Path) -> None:
    with Replica(closed=False, cache=tmp_path / "cache") as replica:
        replica.lock(write(tmp_path, MARKERS))
        selected = replica.selected(tmp_path, "linux-x86_64", "3.12")

    assert {replica.environment().get("UV_DEFAULT_INDEX")} == {None}
    assert "markupsafe" in selected, "the stand-in of jinja2 requires nothing"
    torch = selected["torch"]
    assert isinstance(torch, Build)
    assert torch.version == "2.13.0+cu130"
