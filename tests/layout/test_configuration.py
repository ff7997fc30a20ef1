"""Tables as people write them, read back as targets and as entries that are kept."""

from __future__ import annotations

import tomllib

import pytest

from torchconf.catalog import load_catalog
from torchconf.layout.configuration import Configuration, read_configuration
from torchconf.model.backends import PYPI_HOSTS
from torchconf.model.read_project import read_project

WHL = "https://download.pytorch.org/whl"
PYPI = f"https://{'.'.join(PYPI_HOSTS[0])}/simple"
JETSON = "https://pypi.jetson-ai-lab.dev/jp6/cu126/+simple"


def read(sources: str, **indexes: str) -> Configuration:
    tables = "".join(
        f'[[tool.uv.index]]\nname = "{name}"\nurl = "{url}"\nexplicit = true\n'
        for name, url in {"cuda": f"{WHL}/cu130", **indexes}.items()
    )
    text = f"""
        [project]
        name = "demo"
        version = "0"
        requires-python = ">=3.12"
        dependencies = ["torch>=2.9,<2.14", "torchvision"]
        optional-dependencies.gpu = ["torch"]
        [tool.uv.sources]
        {sources}
        {tables}
    """
    return read_configuration(read_project(tomllib.loads(text)), load_catalog())


def test_pypi_as_an_explicit_index_is_pypi() -> None:
    found = read(
        """torch = [
            { index = "cuda", marker = "sys_platform == 'linux'" },
            { index = "pypi", marker = "sys_platform != 'linux'" },
        ]""",
        pypi=PYPI,
    )
    assert [*map(str, found.targets)] == [
        "linux-cu130", "linux-aarch64-cu130", "windows-pypi", "macos-pypi",
    ]  # fmt: skip
    assert not found.unreadable
    assert not found.foreign
    assert "pypi" not in found.indexes


def test_an_extra_is_for_what_it_routes_besides_pypi() -> None:
    found = read(
        """torch = [
            { index = "pypi", extra = "gpu", marker = "sys_platform == 'darwin'" },
            { index = "cuda", extra = "gpu", marker = "sys_platform != 'darwin'" },
        ]""",
        pypi=PYPI,
    )
    assert found.names == {"cu130": "gpu"}


def test_a_copy_of_pypi_is_kept_as_it_stands() -> None:
    found = read('torch = { index = "copy" }', copy="https://mirror.example.org/pypi/simple")
    assert [(one.at, one.backend and one.backend.name) for one in found.foreign] == [
        ("pyproject.toml, tool.uv.sources.torch", "pypi")
    ]


TEGRA = """torch = [
    { index = "jetson", marker = "platform_machine == 'aarch64' and 'tegra' in platform_release" },
    { index = "cuda", marker = "platform_machine != 'aarch64' or 'tegra' not in platform_release" },
]"""


def test_a_marker_about_the_kernel_is_answered_for_a_usual_machine() -> None:
    found = read(TEGRA, jetson=JETSON)
    assert [*map(str, found.targets)] == [
        "linux-cu130", "linux-aarch64-cu130", "windows-cu130",
    ]  # fmt: skip
    assert [one.backend and one.backend.name for one in found.foreign] == [None]
    assert not found.unreadable


def test_a_marker_about_python_holds_where_some_python_of_the_project_does() -> None:
    found = read("""torch = { index = "cuda", marker = "python_version >= '3.14'" }""")
    assert "linux-cu130" in map(str, found.targets)
    assert len(found.foreign) == 1
    found = read("""torch = { index = "cuda", marker = "python_version < '3.12'" }""")
    assert "linux-cu130" not in map(str, found.targets)


@pytest.mark.parametrize(
    "source",
    [
        'url = "https://example.org/torch-2.9.1-cp312-cp312-linux_x86_64.whl"',
        'path = "wheels/torch-2.9.1-cp312-cp312-linux_x86_64.whl"',
        'git = "https://github.com/pytorch/pytorch"',
        'index = "jetson"',
    ],
)
def test_where_something_else_serves_torch_is_no_target(source: str) -> None:
    found = read(
        f"""torch = [
            {{ index = "cuda", marker = "platform_machine != 'aarch64'" }},
            {{ {source}, marker = "platform_machine == 'aarch64'" }},
        ]""",
        jetson=JETSON,
    )
    assert "linux-aarch64-pypi" not in map(str, found.targets)
    assert "linux-cu130" in map(str, found.targets)
    assert [one.at for one in found.foreign] == ["pyproject.toml, tool.uv.sources.torch[1]"]
    assert not found.unreadable


def test_a_companion_by_url_stands_beside_sources_by_extra() -> None:
    found = read(
        """torch = { index = "cuda", extra = "gpu" }
        torchvision = { url = "https://example.org/torchvision-0.24-py3-none-any.whl" }"""
    )
    assert found.layout == "extras"
    assert [one.source.package for one in found.foreign] == ["torchvision"]
    assert not found.unreadable


def test_an_extra_of_an_unknown_index_is_for_no_backend() -> None:
    found = read('torch = { index = "jetson", extra = "gpu" }', jetson=JETSON)
    assert (found.layout, found.targets, found.names) == ("extras", (), {})


def test_what_uv_refuses_cannot_be_read() -> None:
    found = read("""torch = { index = "cuda", marker = "extra == 'gpu'" }""")
    assert [one.why for one in found.unreadable] == ["`extra` has no effect in a source marker"]
    found = read('torch = { index = "nowhere" }')
    assert [one.why for one in found.unreadable] == ["index `nowhere` is not defined"]
