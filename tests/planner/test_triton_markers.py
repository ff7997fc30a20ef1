"""The triton package that a build needs is required on the platforms of that build alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.projects import Demo
from tests.support.replica import Replica

LINUX = "sys_platform == 'linux' and platform_machine == 'x86_64'"
WINDOWS = "sys_platform == 'win32'"


def triton(demo: Demo) -> str | None:
    """Return the marker of the only requirement of a triton package."""
    lists = [demo.project["dependencies"], *demo.project.get("optional-dependencies", {}).values()]
    lists += demo.data.get("dependency-groups", {}).values()
    found = [str(line) for lines in lists for line in lines if "triton" in str(line)]
    assert len(found) <= 1
    return found[0].partition(" ; ")[2] if found else None


@pytest.mark.parametrize("layout", ["markers", "extras", "groups"])
@pytest.mark.uv
def test_triton_goes_where_its_build_goes(layout: str, replica: Replica, tmp_path: Path) -> None:
    demo = Demo(
        tmp_path,
        '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.11,<3.14"\n'
        'dependencies = ["torch>=2.9"]\n',
    )
    for command, marker in (
        (f"init -y -t linux-xpu -t macos-cpu --layout {layout}", LINUX),
        ("add-target windows-xpu", f"({LINUX}) or {WINDOWS}"),
        ("remove-target linux-xpu", WINDOWS),
        ("remove-target windows-xpu", None),
    ):
        done = demo(command)
        assert done.status == 0, done.err
        assert triton(demo) == marker
        run = replica.uv("lock", cwd=demo.folder)
        assert run.returncode == 0, run.stderr


def test_a_wider_marker_of_triton_stays_while_its_build_stays(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    demo.init("-t linux-rocm7.2 -t macos-cpu --python 3.12")
    demo.path.write_text(demo.text.replace(f"; {LINUX}", "; sys_platform == 'linux'", 1))
    assert demo("add-target windows-cuda").status == 0
    assert triton(demo) == "sys_platform == 'linux'"
