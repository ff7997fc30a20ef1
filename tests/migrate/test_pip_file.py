"""Requirements and constraints files: what each line is read as."""

from __future__ import annotations

import pytest

from torchconf.errors import ProjectError
from torchconf.migrate.old import (
    Bound,
    Include,
    LeftOut,
    Need,
    OldIndex,
    Place,
    PythonBound,
    Toolkit,
)
from torchconf.migrate.pip_file import read_pip

HERE = Place("requirements.txt", 1)
WHEEL = "https://download.pytorch.org/whl/cu116/torch-1.13.1%2Bcu116-cp38-cp38-win_amd64.whl"
INDEX = "https://download.pytorch.org/whl/cu121"

NEEDS = [
    ("torch", Need(HERE, "torch", "torch")),
    ("torch==2.3.1+cu121 # why", Need(HERE, "", "torch", (), "==2.3.1", "cu121")),
    ("torch == 2.3.1+CU121", Need(HERE, "", "torch", (), "==2.3.1", "cu121")),
    ("torch===2.3.1+cpu", Need(HERE, "", "torch", (), "==2.3.1", "cpu")),
    ("Torch_Vision>=0.9,<=0.14", Need(HERE, "", "Torch_Vision", (), ">=0.9,<=0.14")),
    ("torch (>=1.9 , <2)", Need(HERE, "", "torch", (), ">=1.9,<2")),
    ("torch>=1.9 <2", Need(HERE, "", "torch", (), ">=1.9,<2")),
    ("torch==1.8.*", Need(HERE, "", "torch", (), "==1.8.*")),
    ("torch>=1.8.*", Need(HERE, "", "torch", (), ">=1.8")),
    ("torch!=2.0.0+cu118", Need(HERE, "", "torch", (), "!=2.0.0+cu118")),
    ("'torch>=2'", Need(HERE, "", "torch", (), ">=2")),
    ("jax[cuda12, k8s]>=0.4", Need(HERE, "", "jax", ("cuda12", "k8s"), ">=0.4")),
    (
        "torch==2.1;sys_platform=='win32'",
        Need(HERE, "", "torch", (), "==2.1", "", "sys_platform=='win32'"),
    ),
    (f"torch @ {WHEEL}", Need(HERE, "", "torch", (), "==1.13.1", "cu116", url=WHEEL)),
    (
        f"{WHEEL} ; sys_platform == 'win32'",
        Need(HERE, "", "torch", (), "==1.13.1", "cu116", "sys_platform == 'win32'", WHEEL),
    ),
    (
        "https://example.org/demo-1.2.tar.gz#sha256=00&egg=demo",
        Need(HERE, "", "demo", (), "==1.2", url="https://example.org/demo-1.2.tar.gz#sha256=00"),
    ),
    (
        "git+https://${TOKEN}@example.org/a/b.git@v1#egg=demo[x]&subdirectory=sub",
        Need(
            HERE,
            "",
            "demo",
            ("x",),
            url="git+https://${TOKEN}@example.org/a/b.git@v1#subdirectory=sub",
        ),
    ),
    (
        "git+ssh://git@example.org/a/b.git",
        Need(HERE, "", "", url="git+ssh://git@example.org/a/b.git"),
    ),
    (
        "-e git+https://example.org/a/b.git#egg=demo-1.0",
        Need(HERE, "", "demo", url="git+https://example.org/a/b.git", editable=True),
    ),
    ("-e .[dev,test]", Need(HERE, "", "", ("dev", "test"), path=".", editable=True)),
    ("--editable=./packages/core", Need(HERE, "", "", path="packages/core", editable=True)),
    (
        "-e demo @ git+https://example.org/a/b.git",
        Need(HERE, "", "demo", url="git+https://example.org/a/b.git", editable=True),
    ),
    (
        r".\wheels\demo-1.0+cpu-py3-none-any.whl",
        Need(HERE, "", "demo", (), "==1.0", "cpu", path="wheels/demo-1.0+cpu-py3-none-any.whl"),
    ),
    (
        "demo-1.0-py3-none-any.whl[x]",
        Need(HERE, "", "demo", ("x",), "==1.0", path="demo-1.0-py3-none-any.whl"),
    ),
    (
        "numpy @ file:///croot/numpy_1620831194891/work",
        Need(HERE, "", "numpy", path="/croot/numpy_1620831194891/work"),
    ),
    ("demo @ file:///${PROJECT_ROOT}/libs/demo", Need(HERE, "", "demo", path="libs/demo")),
    ("demo @ file:///C:/libs/demo", Need(HERE, "", "demo", path="C:/libs/demo")),
]


@pytest.mark.parametrize(("line", "need"), NEEDS, ids=lambda value: str(value)[:40])
def test_a_requirement_is_read_as_a_need(line: str, need: Need) -> None:
    (found,) = read_pip("requirements.txt", line).items
    assert isinstance(found, Need)
    assert found == need._replace(text=line.partition(" # ")[0])


@pytest.mark.parametrize(
    ("line", "indexes"),
    [
        (f"-i {INDEX}", [("index", INDEX)]),
        (f"-i{INDEX}", [("index", INDEX)]),
        (f"--index-url={INDEX}", [("index", INDEX)]),
        (f"--extra-index {INDEX}", [("extra", INDEX)]),
        (f"--extra-index-url '{INDEX}' -f wheels", [("extra", INDEX), ("links", "wheels")]),
        (r"--find-links C:\wheels", [("links", r"C:\wheels")]),
        (
            "-f https://${USER}:${KEY}@example.org/",
            [("links", "https://${USER}:${KEY}@example.org/")],
        ),
    ],
)
def test_an_index_line_is_kept(line: str, indexes: list[tuple[str, str]]) -> None:
    items = read_pip("requirements.txt", line).items
    assert [(item.kind, item.url) for item in items if isinstance(item, OldIndex)] == indexes
    assert len(items) == len(indexes)


def test_pip_ignores_links_behind_a_requirement_but_somebody_meant_them() -> None:
    need, links = read_pip("requirements.txt", f"torch==1.8.1+cu111 -f {INDEX}").items
    assert need == Need(HERE, "torch==1.8.1+cu111", "torch", (), "==1.8.1", "cu111")
    assert links == OldIndex(HERE, f"-f {INDEX}", INDEX, "links")
    need, links = read_pip("requirements.txt", f"-f {INDEX} torch").items
    assert isinstance(links, OldIndex)
    assert need == Need(HERE, "torch", "torch")


def test_other_files_are_named_not_read() -> None:
    items = read_pip("requirements/gpu.txt", "-r base.txt\n-cc.txt\n-r ../with space.txt").items
    assert [(item.file, item.kind) for item in items if isinstance(item, Include)] == [
        ("base.txt", "needs"),
        ("c.txt", "bounds"),
        ("../with space.txt", "needs"),
    ]


def test_continued_lines_are_one_and_say_where_they_end() -> None:
    text = "numpy\n\ntorch\\\n==2.1 \\\n    --hash=sha256:00 \\\n    --hash sha256:01  # two\nscipy"
    numpy, torch, hashes, scipy = read_pip("a.txt", text.replace("\n", "\r\n")).items
    assert numpy.at == Place("a.txt", 1)
    assert torch == Need(Place("a.txt", 3, 6), "torch==2.1", "torch", (), "==2.1")
    assert hashes == LeftOut(torch.at, "--hash (2 of them)", "uv checks hashes in uv.lock")
    assert scipy.at == Place("a.txt", 7)


def test_a_python_among_the_packages_is_the_projects_python() -> None:
    assert read_pip("a.txt", "python>=3.9").items == (
        PythonBound(Place("a.txt", 1), "python>=3.9", ">=3.9"),
    )


def test_a_constraint_bounds_what_something_else_needs() -> None:
    text = "torch==2.1+cpu ; python_version < '3.12'\nscipy @ https://example.org/scipy.zip"
    bound, url = read_pip("constraints.txt", text, constraints=True).items
    at = Place("constraints.txt", 1)
    assert bound == Bound(
        at, text.split("\n", maxsplit=1)[0], "torch", "==2.1", "cpu", "python_version < '3.12'"
    )
    assert isinstance(url, LeftOut)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("torch=1.8", "`=` is conda's operator; a requirements file has `==`"),
        (
            "torch==${VERSION}",
            "only the environment variable `${VERSION}` says which version it is",
        ),
        ("${PACKAGE}", "only the environment variable `${PACKAGE}` says what it is"),
        ("torch torchvision", "`torchvision` is not a version specifier"),
        ("pip install torch", "this is a command, not a requirement"),
        ("torch ; python_versio > '3'", "`python_versio > '3'` is not a marker"),
        ("torch ; " + "(" * 5000, f"`{'(' * 5000}` is not a marker"),
        ("torch ; extra == 'gpu'", "pip never installs it: its marker tests `extra`"),
        ("torch @", "the URL after `@` is missing"),
        ("--torch-version 2", "`--torch-version` is not an option of a requirements file"),
        ("--extra-index-url", "`--extra-index-url` needs a value"),
        ("-f 'here", "a quote is not closed"),
        ("git+git@example.org:a/b.git", "pip and uv want `git+ssh://git@host/owner/name.git` here"),
        ("t\ufffdrch", "it is not UTF-8"),
    ],
    ids=lambda text: text[:40],
)
def test_what_nobody_understands_is_kept_with_the_reason(line: str, why: str) -> None:
    _, found = read_pip("a.txt", f"numpy\n{line}").items
    assert found == LeftOut(Place("a.txt", 2), line, why, understood=False)


@pytest.mark.parametrize(
    "text", ["<!doctype html>\n<html>", "[project]\nname = 'x'", '{"a": 1}', "---\na: 1\n"]
)
def test_another_format_is_an_error(text: str) -> None:
    with pytest.raises(ProjectError, match="no line of it can be read") as error:
        read_pip("a.txt", f"\n{text}")
    assert error.value.at == "a.txt, line 2"
    assert error.value.help


def test_a_list_for_conda_install_is_read_as_condas() -> None:
    text = "# conda install --file requirements.txt\nnumpy\npytorch==1.13.1\ncudatoolkit=11.7\n"
    read = read_pip("requirements.txt", f"{text}python=3.10\n")
    assert read.format == "conda"
    _, torch, toolkit, python = read.items
    assert isinstance(torch, Need)
    assert (torch.name, torch.specifier) == ("torch", "==1.13.1")
    assert isinstance(toolkit, Toolkit)
    assert toolkit.backend == "cu117"
    assert isinstance(python, PythonBound)


def test_a_wrong_name_between_requirements_of_pip_changes_none_of_them() -> None:
    read = read_pip("requirements.txt", "pytorch\nopencv\n-f https://example.org\n")
    assert read.format == "pip"
    assert [item.name for item in read.items if isinstance(item, Need)] == ["pytorch", "opencv"]


def test_what_conda_list_printed_is_refused() -> None:
    text = "# This file may be used to create an environment using:\n# $ conda create\na=1=py_0\n"
    with pytest.raises(ProjectError, match="one environment of conda"):
        read_pip("requirements.txt", text)


def test_an_export_of_poetry_says_the_pythons_once() -> None:
    python = 'python_version >= "3.9" and python_version < "3.13"'
    lines = (f"a==1 ; {python}", f"torch==2.4.1 ; {python} and (os_name == 'nt' or os_name == '')")
    text = "\n".join(
        (*lines, f'b==2 ; (os_name == "nt") and {python}', "--extra-index-url https://x.org")
    )
    read = read_pip("requirements_cuda.txt", text)
    assert read.compiled
    assert read.sources == ("pyproject.toml",)
    pythons, *rest = read.items
    assert pythons == PythonBound(Place("requirements_cuda.txt", 1), python, ">=3.9,<3.13")
    assert [item.marker for item in rest if isinstance(item, Need)] == [
        "",
        "os_name == 'nt' or os_name == ''",
        'os_name == "nt"',
    ]
    # Without a pin it is somebody's own file, and some markers alone are nobody's.
    for other in (text.replace("a==1", "a"), text.replace(f"a==1 ; {python}", "a==1")):
        assert not read_pip("requirements_cuda.txt", other).compiled


def test_several_requirements_in_a_line_are_clear_to_people() -> None:
    read = read_pip("a.txt", "torch==2.1.2+cu118 torchvision==0.16.2+cu118\n-i https://x.org a b")
    assert [(n.name, n.label) for n in read.items if isinstance(n, Need)] == [
        ("torch", "cu118"),
        ("torchvision", "cu118"),
        ("a", ""),
        ("b", ""),
    ]
    for sentence in ("see the notes", "torch and numpy>=", "numpy == 1 2"):
        _, found = read_pip("a.txt", f"torch\n{sentence}\n").items
        assert isinstance(found, LeftOut)


def test_a_host_that_everybody_reaches_by_https_needs_no_trust() -> None:
    known, other = read_pip(
        "a.txt", "--trusted-host https://download.pytorch.org\n--trusted-host example.org"
    ).items
    assert isinstance(known, LeftOut)
    assert known.understood
    assert isinstance(other, LeftOut)
    assert not other.understood


def test_a_wheel_of_pyg_stands_for_the_page_that_lists_it() -> None:
    folder = "https://data.pyg.org/whl/torch-1.13.0%2Bcpu"
    line = f"{folder}/torch_sparse-0.6.16%2Bpt113cpu-cp38-cp38-linux_x86_64.whl"
    need, page = read_pip("requirements.txt", line).items
    assert need == Need(HERE, line, "torch-sparse", (), "==0.6.16", "pt113cpu")
    assert page == OldIndex(HERE, line, "https://data.pyg.org/whl/torch-1.13.0+cpu.html", "links")
