"""What is printed fits a terminal of 80 columns; and what is said once is said once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.projects import Demo
from tests.support.replica import Replica
from torchconf.catalog import load_catalog

BARE = '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.11,<3.14.1"\n'
WORDS = [*load_catalog().family, *load_catalog().backends, "pypi", "1", "2", "2.13"]


def is_narrow(text: str) -> bool:
    return max(map(len, text.splitlines()), default=0) <= 80


@pytest.mark.parametrize("what", WORDS)
def test_catalog_show_fits(what: str, tmp_path: Path) -> None:
    result = Demo(tmp_path, BARE)(f"catalog show {what}")
    assert result.status == 0
    assert result.out or result.err
    assert is_narrow(result.out)


def test_package_without_wheels_is_said_to_have_none(tmp_path: Path) -> None:
    result = Demo(tmp_path, BARE)("catalog show triton-rocm")
    assert result.out == ""
    assert "no wheel of `triton-rocm` has been seen" in result.err
    assert "the ROCm builds of torch 2.10.0 to " in result.err
    assert "torchconf[refresh]" in result.err
    assert Demo(tmp_path / "demo", BARE)("catalog show triton").out.startswith("triton\n")


@pytest.fixture
def locked(tmp_path: Path, inside_replica: Replica) -> Demo:
    demo = Demo(tmp_path, BARE)
    demo.init("-t linux-cuda -t linux-cpu -t linux-rocm -t macos-cpu --with torchvision")
    inside_replica.lock(demo.folder)
    return demo


@pytest.mark.uv
def test_verify_fits_and_has_a_line_for_each_command(locked: Demo) -> None:
    result = locked("verify --frozen")
    assert result.status == 0, result.err
    assert is_narrow(result.out)
    lines = result.out.splitlines()
    commands = [line for line in lines if line.startswith("uv sync")]
    assert len(commands) == len(set(commands)) == 4
    place = lines.index("uv sync --extra rocm7-2")
    assert lines[place + 1].split()[:4] == ["torch", "3.11-3.14", "rocm7.2", "2.13.0"]


@pytest.mark.uv
@pytest.mark.parametrize("command", ["verify --frozen", "export --dry-run --frozen"])
@pytest.mark.parametrize("python", ["3.10", "3.15"])
def test_python_outside_of_the_project_is_refused(command: str, python: str, locked: Demo) -> None:
    result = locked(f"{command} --python {python}")
    assert result.status == 2
    assert f"error: the project does not support Python {python}" in result.err
    assert locked(f"{command} --python 3.14").status == 0


@pytest.mark.uv
def test_export_says_once_that_pythons_differ(tmp_path: Path, inside_replica: Replica) -> None:
    demo = Demo(tmp_path, f'{BARE}dependencies = ["torch"]\n')
    demo.init("-t linux-cuda -t windows-cuda -t macos-cpu")
    old = "torch==2.12.0; python_version < '3.12'"
    new = "torch==2.13.0; python_version >= '3.12'"
    demo.path.write_text(demo.text.replace('"torch"', f'"{old}", "{new}"'))
    inside_replica.lock(demo.folder)
    result = demo("export --dry-run --frozen")
    assert result.status == 0, result.err
    (note,) = [line for line in result.err.splitlines() if line.startswith("note: ")]
    assert note == (
        "note: all targets are exported for Python 3.11; other versions need a different torch "
        "(see `--python`)"
    )
