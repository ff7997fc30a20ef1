"""`init --with jax` and its like: for each build of torch the package for its CUDA."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.support.projects import Demo
from tests.support.replica import Replica
from torchconf.catalog import load_catalog

START = (
    '[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.11"\ndependencies = []\n'
)
LINUX = "sys_platform == 'linux'"
X86 = "sys_platform == 'linux' and platform_machine == 'x86_64'"
CUDA_13 = "-t linux-cu130 -t macos-cpu"
BOTH = "-t linux-cu126 -t linux-cu130 -t linux-cpu -t macos-cpu"


def beside(demo: Demo) -> list[str]:
    """Return what the base dependencies have beside torch."""
    return [line for line in demo.project["dependencies"] if not re.match("torch|triton", line)]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        # Without CUDA, the plain package, if there is one.
        ("-t linux-cpu --with jax", ["jax"]),
        ("-t linux-rocm7.2 --with tensorflow", ["tensorflow"]),
        ("-t linux-cpu -t macos-cpu --with onnxruntime-gpu", ["onnxruntime"]),
        # With it, the extra or the package of its major.
        (f"{CUDA_13} --with jax", [f"jax[cuda13]>=0.7.2 ; {LINUX}", "jax"]),
        ("-t linux-cu126 --with jax", [f"jax[cuda12] ; {LINUX}", "jax"]),
        (f"{CUDA_13} --with cupy", [f"cupy-cuda13x ; {LINUX}"]),
        (
            "-t linux-cu126 --with tensorflow",
            [f"tensorflow[and-cuda]>=2.15 ; {LINUX}", "tensorflow"],
        ),
        # Only where the package has such a build: jax has none for Windows.
        (
            "-t linux-cu130 -t windows-cu130 --with jax --with tensorrt",
            [
                f"jax[cuda13]>=0.7.2 ; {LINUX}",
                "jax",
                "tensorrt-cu13 ; sys_platform == 'linux' or sys_platform == 'win32'",
            ],
        ),
        # Its releases for CUDA 12 have no wheels for ARM.
        (
            "-t linux-cu126 --with onnxruntime-gpu",
            [
                f"onnxruntime-gpu>=1.19,<1.27 ; {X86}",
                "onnxruntime ; sys_platform != 'linux' or platform_machine != 'x86_64'",
            ],
        ),
        # Nightly builds have CUDA like stable ones.
        ("-t linux-cu130-nightly --with cupy", [f"cupy-cuda13x ; {LINUX}"]),
        # PyPI's torch counts by its release, and platforms may differ.
        ("-t linux-pypi --torch 2.15 --with cupy", [f"cupy-cuda13x ; {LINUX}"]),
        ("-t linux-pypi --torch 2.10 --with cupy", [f"cupy-cuda12x ; {X86}"]),
        (
            "-t linux-cu130 -t windows-cu126 --with cupy",
            [f"cupy-cuda13x ; {LINUX}", "cupy-cuda12x ; sys_platform == 'win32'"],
        ),
    ],
)  # fmt: skip
def test_base_dependencies(flags: str, expected: list[str], tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init(flags)
    assert beside(demo) == expected
    assert demo(f"init {flags} --check").status == 0
    assert "TC513" not in demo("check").out


@pytest.mark.parametrize(("layout", "table"), [("extras", "optional-dependencies"), ("groups", "")])
def test_each_choice_has_its_own(layout: str, table: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    said = demo.init(f"{BOTH} --layout {layout} --with jax --with rmm")
    tables = demo.project[table] if table else demo.data["dependency-groups"]
    found = {
        name: [line for line in lines if "torch" not in line] for name, lines in tables.items()
    }
    assert found.pop("dev", []) == []
    assert found == {
        "cpu": ["jax"],
        "cu126": [f"jax[cuda12] ; {LINUX}", "jax", f"rmm-cu12 ; {LINUX}"],
        "cu130": [f"jax[cuda13]>=0.7.2 ; {LINUX}", "jax", f"rmm-cu13 ; {LINUX}"],
    }
    assert f"jax beside CUDA 12, {layout[:-1]} `cu126`: `jax[cuda12] ; {LINUX}`" in said.err
    assert demo(f"init {BOTH} --layout {layout} --with jax --with rmm --check").status == 0


@pytest.mark.parametrize(
    "there",
    [
        "jax>=0.4",
        "jax[cuda13]",
        "jax[cuda13,k8s]>=0.8 ; sys_platform == 'linux'",
    ],
)
def test_what_is_there_stays_and_is_no_reason_to_add_it_again(there: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init(CUDA_13)
    demo.path.write_text(demo.text.replace('"torch>=', f'"{there}",\n    "torch>='))
    demo.init("--with jax")
    assert beside(demo)[0] == there
    assert len([line for line in beside(demo) if "cuda13" in line]) == 1
    assert demo("init --with jax --check").status == 0


@pytest.mark.parametrize(
    ("there", "word"),
    [
        ("jax[cuda12]", "jax"),
        ("cupy-cuda12x>=13", "cupy"),
        ("onnxruntime-gpu<1.27", "onnxruntime-gpu"),
        ("onnxruntime", "onnxruntime-gpu"),
    ],
)
def test_nothing_is_added_beside_the_one_for_another_cuda(
    there: str, word: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, START)
    demo.init(CUDA_13)
    demo.path.write_text(demo.text.replace('"torch>=', f'"{there}",\n    "torch>='))
    before = demo.text
    result = demo(f"init --with {word}")
    assert (result.status, demo.text) == (2, before)
    assert result.err.startswith(f"error: `{there}` is required already, where `")
    assert "at: pyproject.toml, project.dependencies[0]" in result.err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("-t linux-cu130 --with tensorflow", "`tensorflow` has no build for CUDA 13, which target"),
        ("-t linux-cpu --with cudf", "`cudf` needs CUDA, and no target has a build with it"),
        ("-t linux-cu130 --with cupy-cuda12x", "`--with cupy-cuda12x` names the package for one"),
        ("-t linux-cu130 --with jax[cuda13]", "`--with jax[cuda13]` names the package for one"),
        (
            "-t linux-cpu -t linux-pypi -t macos-cpu --default machine --with jax",
            "`--with jax` cannot be added here",
        ),
    ],
)
def test_what_cannot_be_had_is_refused(flags: str, message: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    result = demo(f"init {flags}")
    assert (result.status, demo.text) == (2, START)
    assert result.err.startswith(f"error: {message}")


def test_words_are_names_of_packages() -> None:
    assert all(word == canonicalize_name(word) for word in load_catalog().cuda_words)


WORDS = (
    "--with jax --with cupy --with onnxruntime-gpu --with tensorrt --with cudf --with numba-cuda"
)
RIGHT = {
    "cu126": {"jax-cuda12-plugin", "cupy-cuda12x", "tensorrt-cu12", "cudf-cu12", "onnxruntime-gpu"},
    "cu130": {"jax-cuda13-plugin", "cupy-cuda13x", "tensorrt-cu13", "cudf-cu13", "onnxruntime-gpu"},
    "cpu": {"jax", "onnxruntime"},
}


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("layout", ["extras", "groups"])
def test_uv_locks_the_real_packages_for_one_cuda_each(layout: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    said = demo.init(f"{BOTH} --layout {layout} {WORDS}")
    with Replica(closed=False, cache=tmp_path / "cache") as replica:
        replica.lock(demo.folder)
        for target, words in said.commands().items():
            chosen = replica.chosen(demo.folder, shlex.join(words))
            system, _, backend = target.partition("-")
            if system == "linux":
                found = set(chosen.select("linux-x86_64", "3.12"))
                assert RIGHT[backend] <= found
                wrong = [
                    name for name in found if name.endswith(("cu12", "cuda12x", "cuda12-plugin"))
                ]
                assert bool(wrong) == (backend == "cu126")


@pytest.mark.parametrize("layout", ["extras", "groups"])
def test_new_choice_gets_what_the_others_have(layout: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init(f"-t linux-cu126 -t linux-cpu --layout {layout} --with jax --with rmm")
    assert demo("add-target linux-cu130 linux-rocm7.2").status == 0
    tables = demo.project.get("optional-dependencies") or demo.data["dependency-groups"]
    x86 = X86.replace("sys_platform == 'linux' and ", "")
    assert [line for line in tables["cu130"] if "torch" not in line] == [
        f"jax[cuda13]>=0.7.2 ; {LINUX} and {x86}", "jax", f"rmm-cu13 ; {LINUX} and {x86}",
    ]  # fmt: skip
    assert [line for line in tables["rocm7-2"] if "-rocm" not in line][1:] == ["jax"]


def test_new_choice_whose_cuda_has_no_such_package_gets_the_plain_one(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cu126 -t linux-cpu --with tensorflow")
    result = demo("add-target linux-cu130")
    assert result.status == 0
    assert "tensorflow" in demo.project["optional-dependencies"]["cu130"]
    assert "tensorflow without CUDA, extra `cu130`: `tensorflow`" in result.err


@pytest.mark.parametrize("layout", ["extras", "groups"])
def test_what_is_for_the_cuda_of_a_choice_goes_with_it(layout: str, tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    flags = f"--layout {layout} --with jax --with onnxruntime-gpu"
    demo.init(f"-t linux-cu126 -t linux-cu130 -t linux-cpu {flags}")
    before = demo.text.replace("cu126 = [", 'cu126 = [\n    "wandb",')
    demo.path.write_text(before)
    result = demo("remove-target linux-cu126")
    assert result.status == 0, result.err
    tables = demo.project.get("optional-dependencies") or demo.data["dependency-groups"]
    assert tables["cu126"] == ["wandb"], "what is somebody else's stays"
    assert "`onnxruntime-gpu` is removed together with the CUDA that it was for" in result.err
    assert len(tables["cu130"]) == 5


def test_choice_in_the_place_of_another_has_the_same_for_its_cuda(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cu126 -t linux-cpu --with jax")
    demo.init("-t linux-cu130 -t linux-cpu --force")
    extras = demo.project["optional-dependencies"]
    assert set(extras) == {"cpu", "cu130"}
    assert any(line.startswith("jax[cuda13]") for line in extras["cu130"])
    assert "cuda12" not in demo.text


def test_build_that_takes_the_place_of_another_takes_them_along(tmp_path: Path) -> None:
    demo = Demo(tmp_path, START)
    demo.init("-t linux-cu126 -t macos-cpu --with jax --with tensorflow")
    result = demo.init("-t linux-cu130 -t macos-cpu --force")
    assert f"jax[cuda13]>=0.7.2 ; {LINUX}" in beside(demo)
    assert "`jax[cuda12]` becomes `jax[cuda13]>=0.7.2`: torch is for CUDA 13 now" in result.err
    assert "`tensorflow[and-cuda]>=2.15` is for another CUDA than 13" in result.err
    assert demo("init -t linux-cu130 -t macos-cpu --check").status == 0


@pytest.mark.parametrize("word", ["jax", "onnxruntime-gpu"])
def test_a_python_without_a_release_is_left_out_unless_it_was_asked_for(
    word: str, tmp_path: Path
) -> None:
    """uv locks for every Python of the project: the bound for CUDA 13 leaves none for 3.10."""
    flags = f"-t linux-cu130 -t macos-cpu --with {word}"
    new = Demo(tmp_path)
    new.init(flags)
    assert new.project["requires-python"] == ">=3.11"
    (tmp_path / "old").mkdir()
    table = '[project]\nname = "demo"\nversion = "1"\n'
    old = Demo(tmp_path / "old", f'{table}requires-python = ">=3.10"\n')
    before = old.text
    refused = old(f"init {flags} -y")
    assert (refused.status, old.text) == (2, before)
    assert "help: pass `--python 3.11`" in refused.err
    old.init(f"{flags} --python 3.11")
