"""Who brings which CUDA: torch by its index or by PyPI's release, and what stands beside it."""

from __future__ import annotations

import tomllib

import pytest

from tests.support.checking import CATALOG
from tests.support.projects import WHL
from torchconf.model.read_project import read_project
from torchconf.model.targets import SHOWN_PLATFORMS
from torchconf.report.cuda import cuda_text
from torchconf.resolve.choices import Around
from torchconf.resolve.cuda import Bringer, bringers
from torchconf.resolve.routes import routes

HEAD = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
CU130 = f"""
[tool.uv.sources]
torch = {{ index = "pytorch-cu130", marker = "sys_platform == 'linux'" }}
[[tool.uv.index]]
name = "pytorch-cu130"
url = "{WHL}/cu130"
explicit = true
"""


def brought(text: str) -> list[Bringer]:
    """Return what a project has on all platforms that are shown."""
    project = read_project(tomllib.loads(HEAD + text))
    return [*bringers(project, routes(project), CATALOG, SHOWN_PLATFORMS, Around())]


def at(text: str, platform: str, command: str = "uv sync") -> list[tuple[str, str]]:
    """Return the words and the CUDA of what one choice has on a platform."""
    return [
        (one.said, " or ".join(one.cuda))
        for one in brought(text)
        if (one.platform, one.selection.command()) == (platform, command)
    ]


@pytest.mark.parametrize(
    ("lines", "platform", "expected"),
    [
        # No CUDA is said of what has none.
        (
            '"torch>=2.13", "jax", "tensorflow"',
            "linux-x86_64",
            [("torch from `pytorch-cu130`", "13.0")],
        ),
        ('"numpy"', "linux-x86_64", []),
        # A package has no CUDA where it has no such build.
        ('"jax[cuda12]"', "macos-arm64", []),
        ('"jax[cuda12]"', "windows-x86_64", []),
        ("\"cupy-cuda12x ; sys_platform == 'linux'\"", "windows-x86_64", []),
        ('"jax[cuda12]"', "linux-aarch64", [("`jax[cuda12]`", "12")]),
        ('"cupy-cuda12x"', "windows-x86_64", [("`cupy-cuda12x`", "12")]),
        # PyPI's torch: that of the newest release which the range admits.
        ('"torch"', "windows-x86_64", [("PyPI's torch 2.15.0", "")]),
        # A range of releases may need either; a bare name gets the newest.
        ('"onnxruntime-gpu>=1.20"', "linux-x86_64", [("`onnxruntime-gpu>=1.20`", "13 or 12")]),
        ('"onnxruntime-gpu"', "linux-x86_64", [("`onnxruntime-gpu`", "13")]),
        ('"onnxruntime-gpu<1.27"', "linux-x86_64", [("`onnxruntime-gpu<1.27`", "12")]),
        ('"tensorflow[and-cuda]<2.15"', "linux-x86_64", [("`tensorflow[and-cuda]<2.15`", "11")]),
    ],
)
def test_one_package_on_one_platform(
    lines: str, platform: str, expected: list[tuple[str, str]]
) -> None:
    assert at(f"dependencies = [{lines}]\n{CU130}", platform) == expected


@pytest.mark.parametrize(
    ("release", "cuda"), [("2.15.0", "13.2"), ("2.11.0", "13.0"), ("2.10.0", "12.8")]
)
def test_torch_of_pypi_by_release(release: str, cuda: str) -> None:
    text = f'dependencies = ["torch=={release}"]\n'
    assert at(text, "linux-x86_64") == [(f"PyPI's torch {release}", cuda)]


def test_release_that_nobody_knows_is_said_to_be_unknown() -> None:
    (one, *_) = brought('dependencies = ["torch>=99"]\n')
    assert not one.is_known
    assert one.data()["cuda"] is None


def test_each_choice_has_rows_of_its_own_and_those_of_the_base() -> None:
    text = f"""dependencies = ["torch>=2.13", "demo[late]"]
[project.optional-dependencies]
late = ["cupy-cuda13x"]
jax = ["jax[cuda12]"]
[dependency-groups]
work = ["rmm-cu12"]
dev = [{{ include-group = "work" }}]
{CU130}"""
    torch = ("torch from `pytorch-cu130`", "13.0")
    plain = [torch, ("`rmm-cu12`", "12"), ("`cupy-cuda13x`", "13")]
    assert at(text, "linux-x86_64") == plain
    assert at(text, "linux-x86_64", "uv sync --extra jax") == [
        torch, ("`rmm-cu12`", "12"), ("`jax[cuda12]`", "12"), ("`cupy-cuda13x`", "13"),
    ]  # fmt: skip


def test_text_says_where_two_majors_meet() -> None:
    # One release of onnxruntime-gpu fits, so that nothing is said of it.
    fits = f'dependencies = ["torch>=2.13", "onnxruntime-gpu>=1.20"]\n{CU130}'
    assert "meet" not in cuda_text(brought(fits))
    # The newest one does not.
    assert "CUDA 12 and 13 meet here" in cuda_text(brought(fits.replace("cu130", "cu126")))
    mixed = f'dependencies = ["torch>=2.13", "jax[cuda12]"]\n{CU130}'
    assert (
        cuda_text(brought(mixed))
        == """\
command  platform        CUDA  from
uv sync  linux-x86_64    13.0  torch from `pytorch-cu130`
                         12    `jax[cuda12]`
                         !     CUDA 12 and 13 meet here
uv sync  linux-aarch64   13.0  torch from `pytorch-cu130`
                         12    `jax[cuda12]`
                         !     CUDA 12 and 13 meet here
uv sync  windows-x86_64  none  PyPI's torch 2.15.0
uv sync  macos-arm64     none  PyPI's torch 2.15.0
where two versions meet, one package may run on the CPU; see `torchconf explain TC513`
"""
    )
