"""conda's environments: match specs, builds, names, and what is none of its files."""

from __future__ import annotations

import sys
from contextlib import suppress

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.old_files import ODD, spoken, tables, unsaid_yaml
from torchconf.errors import ProjectError
from torchconf.migrate.conda import read_conda
from torchconf.migrate.conda_names import RENAMED, left_out
from torchconf.migrate.conda_platforms import selector_marker
from torchconf.migrate.conda_spec import parse_spec
from torchconf.migrate.poetry_versions import NoSpecifier


@pytest.mark.parametrize(
    ("text", "name", "specifier", "build"),
    [
        ("pytorch", "pytorch", "", ""),
        ("pytorch=2.4", "pytorch", "==2.4.*", ""),
        ("pytorch =2.4", "pytorch", "==2.4.*", ""),
        ("pytorch==2.4", "pytorch", "==2.4", ""),
        ("pytorch 2.4", "pytorch", "==2.4", ""),
        ("pytorch 2.4.*", "pytorch", "==2.4.*", ""),
        ("pytorch 2.4*", "pytorch", "==2.4.*", ""),
        ("pytorch==2.1.*", "pytorch", "==2.1.*", ""),
        ("pytorch=2.4.0=py3.10_cuda12.1*", "pytorch", "==2.4.0", "py3.10_cuda12.1*"),
        (
            "pytorch 2.4.0 py3.10_cuda12.1_cudnn9.1.0_0",
            "pytorch",
            "==2.4.0",
            "py3.10_cuda12.1_cudnn9.1.0_0",
        ),
        ("pytorch=*=*cuda*", "pytorch", "", "*cuda*"),
        ("pytorch=2.4.*=*cuda*", "pytorch", "==2.4.*", "*cuda*"),
        ("pytorch>=2,<3", "pytorch", ">=2,<3", ""),
        ("pytorch >=2.0, <3", "pytorch", ">=2.0,<3", ""),
        ("pytorch>=2.0=cuda*", "pytorch", ">=2.0", "cuda*"),
        ("pytorch[version='>=2.0',build=cuda*]", "pytorch", ">=2.0", "cuda*"),
        ("conda-forge::numpy!=1.2", "numpy", "!=1.2", ""),
        ("conda-forge/linux-64::numpy~=1.26", "numpy", "~=1.26", ""),
        ("xformers=0.0.27 -c xformers", "xformers", "==0.0.27.*", ""),
        ("numpy 1.8|1.8.1.*", "numpy", "", ""),
        ("numpy<1.24|>=1.24.1", "numpy", "!=1.24.0.*", ""),
    ],
)
def test_a_match_spec_asks_for(text: str, name: str, specifier: str, build: str) -> None:
    spec = parse_spec(text)
    assert (spec.name, spec.build) == (name, build)
    if text == "numpy 1.8|1.8.1.*":
        with pytest.raises(NoSpecifier):
            _ = spec.specifier
    else:
        assert spec.specifier == specifier


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("pytorch-cuda=12.1", "2 Toolkit backend=cu121"),
        ("pytorch-cuda==11.8", "2 Toolkit backend=cu118"),
        ("pytorch-cuda=12.1.*", "2 Toolkit backend=cu121"),
        ("pytorch-cuda", "2 Toolkit backend=cuda"),
        ("cudatoolkit=11.3.1", "2 Toolkit backend=cu113"),
        ("cudatoolkit=10.2", "2 Toolkit backend=cu102"),
        ("cudatoolkit>=11", "2 Toolkit backend=cuda"),
        ("cuda-version=12.6", "2 Toolkit backend=cu126"),
        ("cuda-version=12", "2 Toolkit backend=cuda12"),
        ("cuda-version=12.*", "2 Toolkit backend=cuda12"),
        ("nvidia/label/cuda-12.4.0::cuda-toolkit=12.4", "2 Toolkit backend=cu124"),
        ("cpuonly", "2 Toolkit backend=cpu"),
        ("pytorch-mutex=*=cpu", "2 Toolkit backend=cpu"),
        ("pytorch-mutex=1.0=cuda", "2 Toolkit backend=cuda"),
        ("pytorch-gpu=2.5", "2 Toolkit backend=cuda|2 Need torch ==2.5.*"),
        ("python=3.10", "2 PythonBound ==3.10.*"),
        ("python=3.10.13=hd12c33a_0_cpython", "2 PythonBound ==3.10.*"),
        ("python>=3.9,<3.13", "2 PythonBound >=3.9,<3.13"),
        ("python", '2 PythonBound ""'),
    ],
)
def test_a_line_means(line: str, said: str) -> None:
    old = read_conda("environment.yml", f"dependencies:\n- {line}\n")
    assert "|".join(spoken(item).strip() for item in old.items) == said


@pytest.mark.parametrize(
    ("name", "is_there"),
    [
        ("librosa", True), ("libclang", False), ("libsndfile", False), ("libarchive-c", True),
        ("cuda-python", True),
        ("cuda-nvtx", False), ("nvidia-ml-py", True), ("r-base", False), ("requests", True),
        ("-libgcc-mutex", False), ("gcc-linux-64", False), ("mkl", False), ("cmake", True),
        ("jsonpath-ng", True), ("libgcc-ng", False), ("tree-sitter-cpp", True),
        ("arrow-cpp", False),
        ("clang-format", True), ("clang-17", False), ("libpysal", True), ("patchelf", True),
        ("ninja", True), ("ffmpeg-python", True), ("git", False), ("gitpython", True),
    ],
)  # fmt: skip
def test_which_packages_are_on_pypi(name: str, is_there: bool) -> None:
    assert (left_out(name) is None) == is_there


def test_a_name_is_in_one_table() -> None:
    assert not [name for name in RENAMED if left_out(name)]
    assert all(name == name.lower().replace("_", "-") for name in RENAMED)


@pytest.mark.parametrize(
    ("comment", "marker"),
    [
        ("[linux]", "sys_platform == 'linux'"),
        ("[not win]", "sys_platform != 'win32'"),
        ("[osx and arm64] for Macs", "sys_platform == 'darwin' and platform_machine == 'arm64'"),
        ("[linux or osx]", "sys_platform == 'linux' or sys_platform == 'darwin'"),
        ("[unix]", "sys_platform == 'linux' or sys_platform == 'darwin'"),
        ("[1] see below", ""),
        ("linux only", ""),
        ("", ""),
    ],
)
def test_a_selector_is_a_marker(comment: str, marker: str) -> None:
    assert selector_marker(comment) == marker


EXPORT = "# This file may be used to create an environment using:\n"


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("", "there are no `dependencies`", "environment.yml"),
        ("- numpy\n", "there are no `dependencies`", "environment.yml"),
        ("services: {}\n", "there are no `dependencies`", "environment.yml"),
        ("version: 1\nmetadata: {}\npackage: []\n", "a lockfile of conda", "environment.yml"),
        (f"{EXPORT}numpy=1=py\n", "what one environment", "environment.yml"),
        ("@EXPLICIT\nhttps://h/a.conda\n", "what one environment", "environment.yml"),
        ("dependencies: [numpy\n", "not valid YAML: ", "environment.yml, line 2"),
        ("dependencies:\n\t- numpy\n", "not valid YAML: ", "environment.yml, line 2"),
        ("a: 1\n---\nb: 2\n", "not valid YAML: ", "environment.yml, line 2"),
        ("a: \x07\n", "not valid YAML: ", "environment.yml"),
        ("a: &a [1]\ndependencies: *a\n", "does not follow aliases", "environment.yml, line 2"),
        ("dependencies: " + "[" * 1000, "nested too deeply", "environment.yml"),
        ("#" * 1_000_001, "more than 1,000,000 characters", "environment.yml"),
    ],
)  # fmt: skip
def test_what_is_no_environment_is_refused(text: str, message: str, at: str) -> None:
    with pytest.raises(ProjectError, match=message) as raised:
        read_conda("environment.yml", text)
    assert raised.value.at == at


def test_without_pyyaml_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ProjectError, match="needs PyYAML") as raised:
        read_conda("environment.yml", "dependencies: []\n")
    assert raised.value.help == "install `torchconf[conda]`"


def test_nothing_is_made_of_tags(capsys: pytest.CaptureFixture[str]) -> None:
    old = read_conda("e.yml", "dependencies:\n- !!python/object/apply:print ['pytorch']\n")
    assert [spoken(item) for item in old.items] == [
        "2 LeftOut this is neither a package nor a list for pip !"
    ]
    assert capsys.readouterr().out == ""


PACKAGE = (
    st.sampled_from(["pytorch=2.4", "python=3.10", "cpuonly", "ffmpeg", "a b c", "[", "=", ""])
    | ODD
)
ENVIRONMENT = st.fixed_dictionaries(
    {"dependencies": st.lists(PACKAGE | tables(["pip", "conda"], st.lists(ODD) | ODD)) | ODD},
    optional={
        key: st.lists(ODD, max_size=2) | ODD
        for key in ("channels", "platforms", "variables", "name", "prefix", "category", "")
    },
)


@settings(max_examples=25)
@given(ENVIRONMENT)
def test_whatever_stands_in_an_environment(data: dict[str, object]) -> None:
    text = yaml.safe_dump(data, allow_unicode=True, width=10_000)
    with suppress(ProjectError):
        old = read_conda("environment.yml", text)
        assert [line for line in unsaid_yaml(text, old) if "dependencies" not in line] == []


@given(st.text(max_size=40), st.text(max_size=20))
def test_whatever_a_match_spec_says(text: str, comment: str) -> None:
    with suppress(ProjectError):
        read_conda("environment.yml", f"dependencies:\n- {text}\n- '{text}' #{comment}\n")
    with suppress(NoSpecifier):
        _ = parse_spec(text).specifier
