"""The shapes as uv sees them: each project locks, and every target gets its build."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.old_shapes import PYPI, Shape, load_shapes
from tests.support.projects import WHL, run_in
from tests.support.replica import Content, Replica, UvError
from tests.support.replica.channels import nightly
from tests.support.replica.publishers import nvidia
from torchconf.catalog import load_catalog

SHAPES = load_shapes()
FAMILY = frozenset(load_catalog().family)
BACKEND = re.compile(r"^(?:linux|windows|macos)-(?:aarch64-|arm64-|x86_64-)?")
"""What stands before the backend in a target."""
ABSENT = {
    # Required elsewhere only.
    "case-613-an-extra-index-and-labels": "xformers",
    # Not on PyPI for a Mac with an M1; nobody has read the index for the CPU of that time.
    "an-old-torch-is-for-the-pythons-of-its-time": "torchvision",
}
"""Companions of which the replica has no wheel for a Mac."""
MIRROR = "https://mirror.example.org"
MIRRORED = {f"{MIRROR}/pytorch/whl": WHL, f"{MIRROR}/simple": PYPI}
"""What a mirror has a copy of: the replica serves that."""
ELSEWHERE = {
    "a-page-of-pyg-is-a-flat-index-and-holds-torch": "https://data.pyg.org/whl/",
}
"""Shapes with an index that the replica does not serve: uv reads all but that."""


@pytest.fixture(scope="module")
def replica(replica_of: Callable[[Content], Replica]) -> Replica:
    """Give the catalog's world with nightly indexes, and with NVIDIA's for Jetson."""
    return replica_of(Content.from_facts().merged(nightly()).merged(nvidia()))


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_project_locks_and_every_target_gets_its_build(
    shape: Shape, tmp_path: Path, inside_replica: Replica
) -> None:
    demo = shape.copy(tmp_path)
    text = shape.after
    for mirror, origin in MIRRORED.items():
        text = text.replace(mirror, origin)
    (demo / "pyproject.toml").write_bytes(text.encode())
    if url := ELSEWHERE.get(shape.name):
        with pytest.raises(UvError, match=re.escape(url)):
            inside_replica.lock(demo)
        return
    data = tomllib.loads(shape.after)
    targets = data.get("tool", {}).get("torchconf", {}).get("targets", ())
    sources = data.get("tool", {}).get("uv", {}).get("sources", {})
    routed = {"torch"} | (sources.keys() & FAMILY)
    # An old companion need not have wheels for the newest Python of its torch.
    oldest = re.search(r"(?<=>=)3[.][0-9]+", data["project"].get("requires-python", ""))
    assert oldest or not targets

    inside_replica.lock(demo)

    for target in targets:
        result = run_in(
            demo, f"verify --frozen --format json --python {oldest and oldest[0]} -t {target}"
        )
        rows = [row for row in result.json["routes"] if row["package"] in routed]
        had = {row["package"] for row in rows if row["backend"] is not None}
        absent = ABSENT.get(shape.name, "") if target.startswith("macos") else ""
        # A triton package is required on Linux alone.
        assert had | load_catalog().triton_packages >= routed - {absent}
        wanted = BACKEND.sub("", target)
        for row in rows:
            assert row["problem"] is None or row["package"] == absent
            assert row["backend"] in {wanted, None} or target.startswith("macos")


FIRST_USER = "a-file-that-uv-compiled-on-linux-becomes-a-project-for-all"


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["pip", "uv"])
@pytest.mark.parametrize("target", ["linux-cu132", "linux-cpu", "windows-cpu"])
@pytest.mark.skipif(sys.platform != "linux", reason="the wheels of two targets are for Linux")
def test_a_compiled_file_of_linux_ends_as_a_file_for_each_environment(
    target: str, installer: str, tmp_path: Path, inside_replica: Replica
) -> None:
    """The path of the first user, who had this file, and machines on which it broke."""
    shape = next(shape for shape in SHAPES if shape.name == FIRST_USER)
    demo = shape.copy(tmp_path)
    assert run_in(demo, f"{shape.command} --lock").status == 0
    assert run_in(demo, "export").status == 0
    file = demo / "requirements" / f"{target}.txt"
    text = file.read_text(encoding="utf-8")
    assert ("nvidia" in text) is (target == "linux-cu132")

    replica = inside_replica
    if target.startswith("windows"):
        command = installed_elsewhere(installer, file)
    else:
        python = str(demo / ".venv" / "bin" / "python")
        subprocess.run([sys.executable, "-m", "venv", demo / ".venv"], check=True)
        pip = [python, "-m", "pip", "install", "-q", "--require-hashes", "-r", str(file)]
        uv = [str(replica.executable), "pip", "sync", "--python", python, str(file)]
        command = pip if installer == "pip" else uv
    done = replica.run(*command, cwd=demo, env=for_pip(replica))

    assert done.returncode == 0, done.stderr
    if not target.startswith("windows"):
        code = "import torch; print(torch.__version__)"
        assert replica.run(python, "-c", code, cwd=demo).stdout.strip() == f"2.13.0+{target[6:]}"


def installed_elsewhere(installer: str, file: Path) -> list[str]:
    """Return the command that downloads for Windows what a file lists, as far as one can here."""
    if installer == "uv":
        uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
        return [
            uv, "pip", "install", "--python-platform", "windows", "--python-version", "3.11",
            "--target", str(file.parent / "there"), "-r", str(file),
        ]  # fmt: skip
    return [
        sys.executable, "-m", "pip", "download", "-q", "--platform", "win_amd64", "--no-deps",
        "--python-version", "3.11", "--only-binary", ":all:", "-d", str(file.parent / "there"),
        "--require-hashes", "-r", str(file),
    ]  # fmt: skip


def for_pip(replica: Replica) -> dict[str, str]:
    """Return the environment in which pip asks the replica's stand-in for PyPI."""
    environment = replica.environment()
    return environment | {
        "PIP_INDEX_URL": environment["UV_DEFAULT_INDEX"],
        "PIP_CERT": environment["SSL_CERT_FILE"],
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
