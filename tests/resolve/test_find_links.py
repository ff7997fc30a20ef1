"""`find-links`: folders are read, pages are not."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.support.projects import WHL, Demo
from tests.support.replica import Build, Replica

WHEEL = "torch-2.9.1+rocm7.2.1-cp312-cp312-linux_x86_64.whl"
LINKS = '[tool.uv]\nfind-links = ["wheels"]\n'
SOURCE = f"""[tool.uv.sources]
torch = {{ index = "gpu" }}
[[tool.uv.index]]
name = "gpu"
url = "{WHL}/cu130"
explicit = true
"""


def write(folder: Path, text: str, wheel: str = WHEEL) -> Demo:
    """Write a project with a wheel in a folder of its own."""
    head = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.12,<3.13"\n'
    demo = Demo(folder, head + text)
    wheels = demo.folder / "wheels"
    wheels.mkdir()
    (wheels / "notes.txt").write_text("not a wheel", encoding="utf-8")
    name, version, *_ = wheel.split("-")
    tag = wheel.removesuffix(".whl").split("-", 2)[2]
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(wheels / wheel, "w") as archive:
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        archive.writestr(f"{info}/METADATA", metadata)
        lines = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: {tag}\n"
        archive.writestr(f"{info}/WHEEL", lines)
        archive.writestr(f"{info}/RECORD", "")
    return demo


def cells(demo: Demo) -> list[str]:
    return demo("show").out.splitlines()[1].split()[3:]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('dependencies = ["torch==2.9.1"]\n' + LINKS, "rocm7.2.1"),
        ('dependencies = ["torch>=2.8,<2.10"]\n' + LINKS, "rocm7.2.1"),
        # PyPI has a newer one.
        ('dependencies = ["torch>=2.9"]\n' + LINKS, "pypi"),
        ('dependencies = ["torch==2.9.0"]\n' + LINKS, "pypi"),
        # A source decides.
        ('dependencies = ["torch==2.9.1"]\n' + LINKS + SOURCE, "cu130"),
    ],
)
def test_a_wheel_in_a_folder_counts_as_for_uv(
    text: str, expected: str, tmp_path: Path, replica: Replica
) -> None:
    demo = write(tmp_path, text)
    linux, arm, windows, _ = (*cells(demo), "")[:4]
    assert (linux, arm, windows) == (expected, *[expected.replace("rocm7.2.1", "pypi")] * 2)
    replica.lock(demo.folder)
    build = replica.export(demo.folder).select("linux-x86_64", "3.12")["torch"]
    assert isinstance(build, Build)
    assert (str(build.version).partition("+")[2] or "pypi") == expected


@pytest.mark.parametrize(
    ("wheel", "reason"),
    [
        ("torch-2.9.1-cp312-cp312-linux_x86_64.whl", "torch 2.9.1, but its build is not known"),
        ("torch-2.9.1+ours-cp312-cp312-linux_x86_64.whl", "torch 2.9.1+ours, but its build"),
        ("torch-2.9.1+cu130-cp311-cp311-linux_x86_64.whl", None),
        ("torchvision-0.24.1+cu130-cp312-cp312-linux_x86_64.whl", None),
    ],
)
def test_a_wheel_that_does_not_say_its_build_is_unknown(
    wheel: str, reason: str | None, tmp_path: Path
) -> None:
    demo = write(tmp_path, 'dependencies = ["torch==2.9.1"]\n' + LINKS, wheel)
    assert cells(demo)[0] == ("?" if reason else "pypi")
    assert (reason or "") in demo("show").err


@pytest.mark.parametrize(
    ("page", "cell"),
    [
        ("https://wheels.example.org/list.html", "?"),
        (f"{WHL}/torch_stable.html", "?"),
        ("https://data.pyg.org/whl/torch-2.9.0+cu130.html", "pypi"),
    ],
)
def test_a_page_may_have_torch(page: str, cell: str, tmp_path: Path) -> None:
    text = f'dependencies = ["torch>=2.9"]\n[tool.uv]\nfind-links = ["{page}", "missing"]\n'
    demo = write(tmp_path, text)
    assert cells(demo)[0] == cell
    said = f"note: the `find-links` page {page} may have `torch`\n"
    assert demo("show").err == (said if cell == "?" else "")
