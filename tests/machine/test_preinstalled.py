"""A torch that a container came with is found by its files, and nothing else is taken for one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import torchconf.machine
from tests.support.projects import Demo
from tests.support.recorded_machines import program, record
from torchconf.machine import read_machine
from torchconf.machine.preinstalled import find_preinstalled

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="containers of these images are Linux")
NGC = "2.9.0a0+145a3a7bda.nv25.10"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The root of an image, as NVIDIA's is: the system's Python, and torch below /usr/local."""
    root = tmp_path / "root"
    program(root / "usr/bin/python3", "exit 9")
    (root / "project").mkdir()
    (root / ".dockerenv").touch()
    return root


def install(folder: Path, version: str = NGC, installer: str | None = "pip\n") -> None:
    info = folder / f"torch-{version}.dist-info"
    info.mkdir(parents=True)
    if installer is not None:
        (info / "INSTALLER").write_text(installer)


def found(image: Path, **variables: str) -> str | None:
    """Return the version that is found from the project in an image."""
    known = {"PATH": os.pathsep.join([str(image / "none"), str(image / "usr/bin")]), **variables}
    torch = find_preinstalled("torch", str(image / "project"), known, str(image))
    return torch.version if torch else None


@pytest.mark.parametrize(
    "place",
    [
        "usr/local/lib/python3.12/dist-packages",
        "usr/lib/python3/dist-packages",
        "usr/lib64/python3.12/site-packages",
        "usr/local/lib/python3.14t/site-packages",
    ],
)
@pytest.mark.parametrize("installer", ["pip\n", "conda", "", None])
@POSIX
def test_torch_of_an_image(place: str, installer: str | None, image: Path) -> None:
    assert found(image) is None
    install(image / place, installer=installer)
    assert found(image) == NGC


@pytest.mark.parametrize("prefix", ["opt/conda/envs/py_3.12", "opt/venv"])
@POSIX
def test_torch_of_an_environment_on_the_path(prefix: str, image: Path) -> None:
    """AMD's images put it first; uvx puts one of its own before it."""
    program(image / prefix / "bin/python", "exit 9")
    program(image / "uvx/bin/python3", "exit 9")
    install(image / prefix / "lib/python3.12/site-packages", "2.8.0+rocm7.0.0.git64359f59")
    path = os.pathsep.join(str(image / one / "bin") for one in ("uvx", prefix, "usr"))
    assert found(image, PATH=path) == "2.8.0+rocm7.0.0.git64359f59"


@POSIX
def test_what_is_none(image: Path) -> None:
    site = image / "usr/local/lib/python3.12/dist-packages"
    install(site, installer="uv\n")
    assert found(image) is None, "uv did install it"
    (site / "torchvision-0.24.dist-info").mkdir()
    (site / "torch").mkdir()
    assert found(image) is None


@POSIX
def test_environment_of_the_project_is_the_users(image: Path) -> None:
    install(image / "usr/local/lib/python3.12/dist-packages")
    (image / "project/.venv").mkdir()
    assert found(image) is None


@POSIX
def test_environment_that_is_named_may_be_that_of_the_image(image: Path) -> None:
    install(image / "opt/venv/lib/python3.12/site-packages")
    assert found(image, UV_PROJECT_ENVIRONMENT=str(image / "opt/venv")) == NGC
    assert found(image, UV_PROJECT_ENVIRONMENT=str(image / "usr")) is None


@POSIX
def test_outside_of_a_container_the_systems_torch_is_nobodys_business(image: Path) -> None:
    """People have one in conda's base, and start projects of their own."""
    install(image / "usr/local/lib/python3.12/dist-packages")
    (image / ".dockerenv").unlink()
    assert found(image) is None
    for variable in ("NVIDIA_PYTORCH_VERSION", "container", "KUBERNETES_SERVICE_HOST"):
        assert found(image, **{variable: "25.10"}) == NGC
    (image / "run").mkdir()
    (image / "run/.containerenv").touch()
    assert found(image) == NGC


@POSIX
def test_sync_leaves_it_alone(image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = read_machine(record("no-gpu")[0])
    monkeypatch.setattr(torchconf.machine, "this_machine", lambda: machine)
    monkeypatch.delenv("UV_PROJECT_ENVIRONMENT", raising=False)
    monkeypatch.setenv("NVIDIA_PYTORCH_VERSION", "25.10")
    path = os.pathsep.join([str(image / "usr/bin"), os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)
    demo = Demo(tmp_path)
    demo.init("-t linux-cpu")
    install(image / "usr/local/lib/python3.12/dist-packages")
    for words in ("sync --dry-run", "run linux-cpu --dry-run -- python"):
        result = demo(words)
        assert (result.status, result.out) == (2, "")
        assert f"this container comes with torch {NGC}, which uv did not install" in result.err
        assert " --force`\n" in result.err
    assert demo("sync --dry-run --force").status == 0
    (demo.folder / ".venv").mkdir()
    assert demo("sync --dry-run").status == 0
