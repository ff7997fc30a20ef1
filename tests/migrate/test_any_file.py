"""Whatever stands in old files: an answer or an error, never a traceback, and no silent line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.projects import Result, run_in

NAMES = (
    "requirements.txt", "requirements-gpu.txt", "requirements-cpu.txt", "requirements-dev.txt",
    "requirements.in", "constraints.txt", "requirements-mac.txt", "requirements-odd.txt",
)  # fmt: skip
LINES = (
    "torch", "torch==2.5.1+cu124", "torch==2.3.1", "torch>=2.4,<2.6", "torch==1.10.0+cu113",
    "torchvision", "torchvision==0.20.1+cu124", "torchaudio==2.1.0", "xformers==0.0.29.post3",
    "numpy==1.26.4", "numpy>=2", "numpy ; sys_platform == 'win32'", "nvidia-cublas-cu12==12.4.5.8",
    "triton==3.1.0", "pywin32 ; sys_platform == 'win32'", "-r requirements.txt",
    "-c constraints.txt",
    "-r requirements-gpu.txt", "--extra-index-url https://download.pytorch.org/whl/cu121",
    "--index-url https://download.pytorch.org/whl/cpu", "--pre", "-e .", "-e ./lib",
    "--no-binary x",
    "-f https://data.pyg.org/whl/torch-2.4.0+cu121.html", "torch-scatter",
    "./wheels/a-1-py3-none-any.whl",
    "git+https://github.com/a/b.git", "torch @ https://example.org/torch-2.5.1-cp311-none-any.whl",
    "--extra-index-url https://me:s3cret@index.example.org/simple", "-f ./wheels",
    "--extra-index-url https://download.pytorch.org/whl/nightly/cu130", "torch==2.5.1+rocm6.2",
    "torch; python_version < '3.9'", "torch==2.*", "torch===2.5.1", "torch!=2.5.0", "demo[all]",
    "# a comment", "", "\\", "torch==2.5.1+cu124 \\", "    # via -r requirements.in", "\x1b[31m",
    "torch @ ", "[section]", "name = 'x'", "-r ../outside.txt", "onnxruntime-gpu==1.20.0",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(LINES) | st.text(max_size=20), max_size=8).map("\n".join)


def run(texts: dict[str, str], parent: Path, command: str) -> Result:
    demo = parent / "demo"
    demo.mkdir(exist_ok=True)
    for path in demo.iterdir():
        path.unlink()
    for name, text in texts.items():
        (demo / name).write_bytes(text.encode("utf-8", "replace"))
    return run_in(demo, command)


OLD = st.dictionaries(st.sampled_from(NAMES), TEXTS, min_size=1, max_size=3)


def judge(parent: Path, texts: dict[str, str], flags: str) -> None:
    result = run(texts, parent, f"migrate --dry-run --format json{flags}")
    assert result.status in {0, 2}, result.err
    assert "this is a bug" not in result.out
    assert "s3cret" not in result.out
    if result.status == 2:
        assert result.json["error"]["message"]
        return
    for line in result.json["lines"]:
        assert line["into"] or line["why"]
        assert line["why"] != "nothing was decided about it"


@settings(max_examples=8)
@given(OLD, st.sampled_from(["", " --keep-versions"]))
def test_any_requirements_files_have_an_answer(
    tmp_path_factory: pytest.TempPathFactory, texts: dict[str, str], flags: str
) -> None:
    judge(tmp_path_factory.getbasetemp(), texts, flags)


@pytest.mark.slow
@settings(max_examples=500)
@given(OLD, st.sampled_from(["", " --keep-versions", " --layout groups", " -t linux-cuda"]))
def test_many_requirements_files_have_an_answer(
    tmp_path_factory: pytest.TempPathFactory, texts: dict[str, str], flags: str
) -> None:
    judge(tmp_path_factory.getbasetemp(), texts, flags)
