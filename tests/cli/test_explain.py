"""`torchconf explain`: what its words may be, in a project and without one."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import torchconf
from tests.support.projects import Demo


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    """A project with two builds for Linux, and one for macOS."""
    demo = Demo.of(tmp_path, "bare")
    demo.init("-t linux-cu130 -t linux-cpu -t macos-cpu")
    return demo


@pytest.mark.parametrize(
    ("what", "message", "hint"),
    [
        ("TC999", "unknown rule `TC999`", "run `torchconf explain` to list the rules"),
        ("tc999", "unknown rule `tc999`", "run `torchconf explain` to list the rules"),
        ("index-not-explict", "`index-not-explict` is not a rule", "`index-not-explicit`?"),
        ("linx-cuda", "`linx-cuda` is not a rule", "`linux-cuda`?"),
        ("macos-cuda", "target `macos-cuda` is not available", "`macos-cpu`"),
        ("linux-gpu", "`gpu` in target `linux-gpu` could mean more than one", "`linux-rocm`"),
    ],
)
@pytest.mark.parametrize("with_project", [True, False])
def test_word_that_means_nothing_is_refused_with_and_without_a_project(
    what: str, message: str, hint: str, *, with_project: bool, demo: Demo
) -> None:
    if not with_project:
        demo.path.unlink()
    result = demo(f"explain {what}")
    assert result.status == 2
    assert f"error: {message}" in result.err
    assert hint in result.err.partition(" help: ")[2]


def test_word_that_means_something_needs_a_project(demo: Demo) -> None:
    demo.path.unlink()
    result = demo("explain linux-cuda")
    assert result.status == 2
    assert "no `pyproject.toml`" in result.err


@pytest.mark.parametrize("word", ["cuda", "cu130", "cuda13.0", "CUDA"])
def test_build_is_explained_wherever_it_is_installed(word: str, demo: Demo) -> None:
    found = demo(f"explain {word} --format json").json["explanations"]
    assert [(one["platform"], one["backend"]) for one in found] == [
        ("linux-x86_64", "cu130"),
        ("linux-aarch64", "cu130"),
    ]


def test_build_and_platform_are_joined(demo: Demo) -> None:
    found = demo("explain linux cpu --format json").json["explanations"]
    assert {(one["platform"], one["backend"]) for one in found} == {("linux-x86_64", "cpu")}
    assert demo("explain windows cuda").out == ""
    assert demo("explain linux cuda").out.startswith("command ")
    cuda = demo("explain linux cuda --format json").json["cuda"]
    assert ["13.0"] in [one["cuda"] for one in cuda]


def test_pages_are_read_from_a_zip_file(tmp_path: Path) -> None:
    package = Path(torchconf.__file__).parent
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        for path in package.rglob("*"):
            if path.suffix in {".py", ".md", ".json"} and "facts" not in path.parts:
                archive.write(path, Path("torchconf", path.relative_to(package)))
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'app.zip')!r}); "
        "from torchconf.cli import main; import torchconf; "
        "assert 'app.zip' in torchconf.__file__; sys.exit(main(['explain', 'TC101']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "index-not-explicit" in done.stdout
