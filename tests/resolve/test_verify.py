"""`torchconf verify` on the replica: what uv locks, row by row, and what is wrong with it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.few import every, few
from tests.support.paths import CASES, ROOT
from tests.support.projects import EXAMPLES, Demo
from tests.support.replica import Content, Fault, Replica, ReplicaOf

pytestmark = [pytest.mark.uv, pytest.mark.usefixtures("inside_replica")]

EXTRAS = (EXAMPLES / "extras.toml").read_text(encoding="utf-8")
PYTHON = "3.12"
PATIENCE = 60
"""Seconds that a process may take to end, on a busy machine."""
DRIFT = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["torch>=2.9"]

[tool.uv.sources]
torch = [
    { index = "pytorch-cu128", marker = "sys_platform == 'linux'" },
    { index = "pytorch-cpu", marker = "sys_platform != 'linux'" },
]

[[tool.uv.index]]
name = "pytorch-cu128"
url = "https://download.pytorch.org/whl/cu128"
explicit = true

[[tool.uv.index]]
name = "pytorch-cpu"
url = "https://download.pytorch.org/whl/cpu"
explicit = true
"""
"""CUDA 12.8 ended with torch 2.11, and the CPU index goes on."""


def rows(demo: Demo, words: str = "") -> list[dict[str, Any]]:
    result = demo(f"verify --format json {words}")
    assert result.status in (0, 1), result.err
    return list(result.json["routes"])


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_python_that_the_project_does_not_admit_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = Demo(tmp_path, DRIFT.replace(">=3.11", ">=3.9,<3.10"))
    monkeypatch.setenv("UV_PYTHON", sys.executable)
    result = demo("verify")
    assert result.status == 2
    assert f"`UV_PYTHON` is `{sys.executable}`: choose a Python that" in result.err


@pytest.mark.parametrize("layout", every(sorted(path.stem for path in EXAMPLES.glob("*.toml")), 4))
def test_every_layout_is_as_it_should_be(layout: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, (EXAMPLES / f"{layout}.toml").read_text(encoding="utf-8"))
    before = snapshot(tmp_path)
    result = demo("verify")
    assert result.status == 0, result.err
    assert "all correct" in result.err
    assert snapshot(tmp_path) == before, "the project's files are not touched"
    shown = {
        (r["package"], r["platform"], tuple(r["extras"]), tuple(r["groups"])): r["backend"]
        for r in demo("show --format json").json["routes"]
    }
    for row in rows(demo):
        key = (row["package"], row["platform"], tuple(row["extras"]), tuple(row["groups"]))
        assert row["backend"] == shown[key]
        assert (row["wheel"] is None) == (row["backend"] is None)


def test_a_row_has_the_keys_of_the_design(tmp_path: Path) -> None:
    row = rows(Demo(tmp_path, EXTRAS), f"--python {PYTHON}")[0]
    assert list(row) == [
        "package", "platform", "extras", "groups", "index", "backend", "available", "command",
        "python", "version", "wheel", "problem",
    ]  # fmt: skip


def locking() -> Iterator[Path]:
    for path in sorted(CASES.glob("*/case.toml")):
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        if told.get("observed", {}).get("lock") == "ok":
            yield path.parent


MIRROR = "https://mirror.example.org/{backend}/simple"
"""Where some cases have PyPI as an index of its own."""

TRITON = ("triton==3.6.0", "triton==3.2.0")
"""The index of the recorded runs had one triton; the replica has that of each torch."""


@pytest.fixture(scope="module")
def with_mirror(replica_of: ReplicaOf) -> Replica:
    return replica_of(Content.from_facts().mirrored(MIRROR))


def wanted(observed: dict[str, Any]) -> tuple[str | None, bool | None]:
    """Return the backend that was observed, and whether there was a wheel; None: not the same.

    The index of the recorded runs had wheels for Linux on ARM that the real one never had.
    """
    error = observed.get("error", "")
    if label := re.search(r"no wheel for this platform: \S+\+(\w[\w.]*)", error):
        return label[1], False
    if error:
        return None, False
    backend = None if observed["torch"] == "absent" else observed["torch"]
    there = None if observed["platform"] == "linux-aarch64" else backend is not None
    return backend, there


def named(flags: str) -> str:
    """Return what a command asks for, however it leaves the default groups out."""
    return re.sub(r"--no-default-groups|--no-group \S+", "", flags).strip()


@pytest.mark.parametrize("case", every(locking(), 10), ids=lambda case: case.name)
def test_rows_are_those_that_were_observed(
    case: Path, with_mirror: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tomllib.loads((case / "case.toml").read_text(encoding="utf-8"))
    demo = Demo(tmp_path)
    ignored = shutil.ignore_patterns("case.toml", "fixed", "lockfile.toml")
    shutil.copytree(case, demo.folder, ignore=ignored, dirs_exist_ok=True)
    demo.path.write_text(demo.text.replace(*TRITON), encoding="utf-8")
    # A Python that the project admits stands by.
    for name, value in with_mirror.environment(demo.folder).items():
        monkeypatch.setenv(name, value)
    result = demo("verify --format json")
    assert result.status < 2, result.out + result.err
    assert told["observed"]["rows"]
    for observed in told["observed"]["rows"]:
        backend, has_wheel = wanted(observed)
        mine = [
            row
            for row in result.json["routes"]
            if row["package"] == "torch"
            and row["platform"] == observed["platform"]
            and named(row["command"].removeprefix("uv sync")) == named(observed["select"])
        ]
        if backend == "no wheel":
            assert not any(row["wheel"] for row in mine), observed
            continue
        assert {row["backend"] for row in mine} == {backend}, observed
        if has_wheel is not None:
            # Recorded with one Python; there are rows for all.
            assert any(row["wheel"] for row in mine) == has_wheel, observed


def test_releases_that_drift_apart_are_reported(tmp_path: Path) -> None:
    demo = Demo(tmp_path, DRIFT)
    result = demo("verify --python 3.12")
    assert result.status == 1
    assert "torch is 2.11.0 here" in result.err
    assert demo("verify --python 3.12 -t macos-cpu").status == 0


def test_no_wheel_for_a_target_is_an_error_and_for_another_platform_a_note(tmp_path: Path) -> None:
    guide = CASES / "038-guide-extras-cpu-cu130" / "pyproject.toml"
    text = guide.read_text(encoding="utf-8").replace(">=3.14.0", ">=3.11")
    demo = Demo(tmp_path, text)
    result = demo("verify")
    assert result.status == 0, result.err
    assert demo("verify -t macos-cpu").status == 0
    assert "note: no wheel of torch" in result.err


def test_a_problem_of_a_platform_without_a_target_is_a_note(tmp_path: Path) -> None:
    """CUDA 12.1 has no wheel for ARM servers, which get its index and are no target."""
    demo = Demo(tmp_path, "")
    (demo.folder / "pyproject.toml").unlink()
    assert demo("init -t linux-cu121 -t macos-cpu --torch 2.3.1 --python 3.11").status == 0
    result = demo("verify --python 3.12")
    assert result.status == 0
    assert "note: no wheel of torch" in result.err
    assert "at: torch on linux-aarch64, Python 3.12" in result.err
    # Whoever lists no targets may mean every platform.
    listed = (demo.folder / "pyproject.toml").read_text(encoding="utf-8")
    text, _, _ = listed.partition("[tool.torchconf]")
    (demo.folder / "pyproject.toml").write_text(text, encoding="utf-8")
    assert demo("verify --python 3.12").status == 1


def test_the_own_lockfile_is_read_where_that_is_asked_for(
    inside_replica: Replica, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, EXTRAS)
    missing = demo("verify --frozen")
    assert (missing.status, "uv.lock not found" in missing.err) == (2, True)
    inside_replica.lock(demo.folder)
    before = snapshot(tmp_path)
    assert demo("verify --frozen").status == 0
    assert demo("verify --locked").status == 0
    assert snapshot(tmp_path) == before
    demo.path.write_text(EXTRAS.replace("torch>=2.13.0", "torch>=2.12.0"))
    stale = demo("verify --locked")
    assert stale.status == 2
    assert "uv.lock is out of date" in stale.err
    assert demo("verify --frozen").status == 0


def test_uv_s_own_error_is_passed_on(tmp_path: Path) -> None:
    demo = Demo(tmp_path, EXTRAS.replace("torch>=2.13.0", "torch>=99"))
    result = demo("verify --format json")
    assert result.status == 2
    assert "No solution found" in result.json["error"]["message"]


def test_credentials_are_never_shown(tmp_path: Path) -> None:
    text = DRIFT.replace("https://download", "https://somebody:secret@download").replace(
        "torch>=2.9", "torch>=99"
    )
    result = Demo(tmp_path, text)("verify")
    assert result.status == 2
    assert "secret" not in result.out + result.err


def test_a_member_of_a_workspace(tmp_path: Path) -> None:
    root = '[project]\nname = "root"\nversion = "0"\nrequires-python = ">=3.11"\n\n'
    (tmp_path / "pyproject.toml").write_text(root + '[tool.uv.workspace]\nmembers = ["demo"]\n')
    member = Demo(tmp_path, EXTRAS)
    found = rows(member, f"--python {PYTHON}")
    assert {row["problem"] for row in found} == {None}
    assert all("--package demo" in row["command"] for row in found)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo", "pyproject.toml"]


def test_a_library_beside_the_project(tmp_path: Path) -> None:
    library = '[project]\nname = "lib"\nversion = "0"\nrequires-python = ">=3.11"\n'
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/pyproject.toml").write_text(library + 'dependencies = ["torch"]\n')
    text = DRIFT.replace('["torch>=2.9"]', '["torch>=2.9,<2.12", "lib"]').replace(
        "[tool.uv.sources]", '[tool.uv.sources]\nlib = { path = "../lib" }'
    )
    assert {row["problem"] for row in rows(Demo(tmp_path, text), "--python 3.12")} == {None}


@pytest.mark.parametrize(
    ("path", "reason"), [("/nowhere", "uv was not found"), ("broken", "cannot start uv")]
)
def test_uv_missing_or_broken(
    path: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = Demo(tmp_path, EXTRAS)
    folder = tmp_path / path.lstrip("/")
    folder.mkdir(exist_ok=True)
    if path == "broken":
        (folder / "uv").write_text("not a program\n")
        (folder / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    result = demo("verify")
    assert (result.status, reason in result.err) == (2, True), result.err
    assert demo.names() == ["pyproject.toml"]


@pytest.mark.parametrize(
    ("version", "is_old"),
    [("0.7.2", True), ("0.8.0", True), ("0.8.14", True), ("0.8.15", False), ("0.13.9", False)],
)
def test_an_old_uv_is_a_warning(
    version: str, is_old: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = Demo(tmp_path, EXTRAS)
    (tmp_path / "uv").write_text(f'#!/bin/sh\necho "uv {version}"\n')
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    told = demo("verify --frozen").err
    assert (f"uv {version} is older than 0.8.15" in told) is is_old


FAULTS = {
    "an error": Fault(status=500),
    "not allowed": Fault(status=403),
    "a cut page": Fault(truncate=300),
    "silence": Fault(delay=2.0),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize(
    "command", few(["verify", "verify --locked", "export"], {"verify"}.__contains__)
)
def test_an_index_that_misbehaves(
    command: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = Demo(tmp_path, EXTRAS)
    with Replica(cache=tmp_path / "uv") as replica:
        if command != "verify":
            replica.lock(demo.folder)
        # What uv has cached it would not ask for again.
        environment = replica.environment() | {
            "UV_CACHE_DIR": str(tmp_path / "empty"), "UV_HTTP_TIMEOUT": "1",
        }  # fmt: skip
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value)
        before = snapshot(demo.folder)
        replica.faults["download.pytorch.org/whl/cu130/torch/*"] = FAULTS[name]
        result = demo(command)
    # A lock that is up to date needs no index: uv may not even ask.
    if command == "verify" or result.status:
        assert result.status == 2, result.err
        assert result.err.startswith("error: ")
        assert "Traceback" not in result.err
        assert snapshot(demo.folder) == before


def is_running(process: int) -> bool:
    """Tell whether a process lives on; one that nobody has waited for does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not (stat.exists() and stat.read_text().split()[2] == "Z")


@pytest.mark.skipif(os.name != "posix", reason="signals to a group are POSIX's")
@pytest.mark.parametrize(("number", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_ctrl_c_leaves_no_process_and_no_file(number: str, status: int, tmp_path: Path) -> None:
    demo = Demo(tmp_path, EXTRAS)
    (tmp_path / "uv").write_text(
        "#!/bin/sh\n"
        'if [ "$1" = "--version" ]; then echo "uv 0.13.9"; exit; fi\n'
        f'sleep 300 & echo $! > "{tmp_path}/child"; touch "{tmp_path}/started"; wait\n'
    )
    (tmp_path / "uv").chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "torchconf", "verify", "--project", str(demo.folder)],
        env=os.environ | {"PATH": f"{tmp_path}:/bin:/usr/bin", "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "started").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(getattr(signal, number))
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (status, "interrupted\n")
    child = int((tmp_path / "child").read_text())
    # It was told to end, and may take its time.
    end = time.monotonic() + PATIENCE
    while is_running(child) and time.monotonic() < end:
        time.sleep(0.01)
    assert not is_running(child)
    assert not list(tmp_path.glob("torchconf-*"))
    assert json.dumps(demo.names()) == '["pyproject.toml"]'


@pytest.mark.skipif(os.name != "posix", reason="signals to a group are POSIX's")
@pytest.mark.parametrize(("number", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_while_uv_locks_puts_every_file_back(
    number: str, status: int, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, EXTRAS)
    before = demo.path.read_bytes()
    (tmp_path / "uv").write_text(
        f'#!/bin/sh\necho half > uv.lock; touch "{tmp_path}/started"; exec sleep 300\n'
    )
    (tmp_path / "uv").chmod(0o755)
    command = ["upgrade", "--torch", "2.12", "--lock", "--project", str(demo.folder)]
    process = subprocess.Popen(
        [sys.executable, "-m", "torchconf", *command],
        env=os.environ | {"PATH": f"{tmp_path}:/bin:/usr/bin"},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "started").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    assert demo.path.read_bytes() != before
    process.send_signal(getattr(signal, number))
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err.splitlines()[-1]) == (status, "interrupted")
    assert demo.path.read_bytes() == before
    assert demo.names() == ["pyproject.toml"]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGHUP")
def test_a_signal_that_is_ignored_stays_ignored() -> None:
    code = (
        "import os, signal; from torchconf.interrupts import held, orderly\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "with orderly(), held(): os.kill(os.getpid(), signal.SIGHUP)\n"
        "print('on')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "on\n"), done.stderr
