"""`upgrade` to another major of CUDA: what needs the CUDA of torch goes along, or is named."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.support.projects import WHL, Demo, Result, run_in

HEAD = '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'


def index(backend: str) -> str:
    return (
        f'[[tool.uv.index]]\nname = "pytorch-{backend}"\nurl = "{WHL}/{backend}"\nexplicit = true\n'
    )


def upgraded(line: str, parent: Path, flags: str = "--backend cu126=cu130") -> tuple[str, Result]:
    """Return what becomes of one requirement beside a torch for CUDA 12.6 on Linux."""
    marker = "sys_platform == 'linux'"
    demo = Demo(
        parent,
        f'{HEAD}dependencies = ["torch>=2.13.0", "{line}"]\n[tool.uv.sources]\n'
        f'torch = [{{ index = "pytorch-cu126", marker = "{marker}" }}]\n{index("cu126")}',
    )
    result = demo(f"upgrade {flags}")
    assert result.status == 0, result.err
    return demo.project["dependencies"][1], result


@pytest.mark.parametrize(
    "line",
    [
        # Nothing that CUDA has to do with, or nothing for just one.
        "numpy", "jax", "onnxruntime-gpu>=1.20", "tensorflow",
        # It was for another CUDA before, and somebody may know why.
        "cupy-cuda13x", "cupy-cuda11x",
        # Not where torch moves.
        "cupy-cuda12x ; sys_platform == 'win32'",
    ],
)  # fmt: skip
def test_it_stays_and_nothing_is_said(line: str, tmp_path: Path) -> None:
    after, result = upgraded(line, tmp_path)
    assert after == line
    assert "torch is for CUDA" not in result.err
    assert "which torch has now" not in result.err


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("jax[cuda12]", "jax[cuda13]>=0.7.2"),
        ("jax[cuda12]>=0.4.30", "jax[cuda13]>=0.4.30"),
        ("jax[k8s, cuda12] >=0.8 ; sys_platform == 'linux'",
         "jax[k8s, cuda13] >=0.8 ; sys_platform == 'linux'"),
        ("cupy-cuda12x", "cupy-cuda13x"),
        ("cupy_cuda12x[ctk] >= 13.6", "cupy-cuda13x[ctk] >= 13.6"),
        ("onnxruntime-gpu>=1.19,<1.27", "onnxruntime-gpu>=1.27"),
        ("tensorrt-cu12;os_name == 'posix'", "tensorrt-cu13;os_name == 'posix'"),
    ],
)  # fmt: skip
def test_it_moves_along(line: str, expected: str, tmp_path: Path) -> None:
    after, result = upgraded(line, tmp_path)
    assert after == expected
    assert run_in(tmp_path / "demo", "upgrade --check").status == 0
    assert f"becomes `{expected.partition(';')[0].strip()}`: torch is for CUDA 13 now" in result.err


@pytest.mark.parametrize(
    "line",
    [
        # There is none for CUDA 13, or nobody can tell which.
        "tensorflow[and-cuda]", "faiss-gpu-cu12", "onnxruntime-gpu==1.26.0",
        # Releases of one package need not be releases of the other.
        "cupy-cuda12x==13.3.0", "cudf-cu12==25.8.*", "cupy-cuda12x<14",
    ],
)  # fmt: skip
def test_it_cannot_follow_and_is_named(line: str, tmp_path: Path) -> None:
    after, result = upgraded(line, tmp_path)
    assert after == line
    assert f"`{line}` is for another CUDA than 13, which torch has now" in result.err


def test_pypi_s_torch_goes_to_another_cuda_with_its_release(tmp_path: Path) -> None:
    lines = ["torch==2.10.0", "jax[cuda12] ; sys_platform == 'linux'"]
    demo = Demo(tmp_path, f"{HEAD}dependencies = {lines}\n")
    result = demo("upgrade --torch 2.13.0")
    assert result.status == 0, result.err
    after = ["torch==2.13.0", "jax[cuda13]>=0.7.2 ; sys_platform == 'linux'"]
    assert demo.project["dependencies"] == after


@pytest.mark.parametrize("layout", ["extras", "groups"])
@pytest.mark.parametrize("rename", ["", "--rename"])
def test_each_choice_by_itself(layout: str, rename: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, f"{HEAD}dependencies = []\n")
    marker = "sys_platform == 'linux'"
    demo.init(f"-t linux-cu126 -t linux-cu130 -t linux-cpu --layout {layout} --with cupy")
    demo.path.write_text(demo.text.replace("cu126", "cu118").replace("cu130", "cu126"))
    demo.path.write_text(demo.text.replace("cuda12x", "cuda11x").replace("cuda13x", "cuda12x"))
    demo.path.write_text(demo.text.replace("torch>=2.13.0", "torch>=2.7.0,<2.8"))
    result = demo(f"upgrade --backend cu126=cu128 --torch 2.7 {rename}")
    assert result.status == 0, result.err
    tables = demo.data["project"].get("optional-dependencies") or demo.data["dependency-groups"]
    assert f"cupy-cuda12x ; {marker}" in tables["cu128" if rename else "cu126"]
    assert f"cupy-cuda11x ; {marker}" in tables["cu118"]
    assert "becomes `cupy" not in result.err


def test_comment_and_line_end_stay(tmp_path: Path) -> None:
    demo = Demo(
        tmp_path,
        f"{HEAD}dependencies = [\n  'torch>=2.13.0',\n  'jax[cuda12]',  # for the kernels\n]\n"
        f'[tool.uv.sources]\ntorch = {{ index = "pytorch-cu126" }}\n{index("cu126")}',
    )
    assert demo(shlex.join(["upgrade", "--backend", "cu126=cu130"])).status == 0
    assert "  'jax[cuda13]>=0.7.2',  # for the kernels\n" in demo.text
