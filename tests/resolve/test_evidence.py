"""What an up-to-date uv.lock says where the files leave a doubt."""

from __future__ import annotations

import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.support.projects import Demo
from tests.support.replica import Build, Replica
from tests.support.routing import choice, machine
from torchconf.model.read_project import read_project
from torchconf.resolve.route import Route
from torchconf.resolve.routes import routes

WHL = "https://download.pytorch.org/whl"
PYPI = "https://packages.example.org/simple"
NEEDS = {"torchvision": frozenset({"torch"})}
PROJECT = f"""
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.12"
dependencies = ["timm"]

[project.optional-dependencies]
cpu = ["torch"]
gpu = ["torch"]

[tool.uv]
index-url = "{PYPI}"
conflicts = [[{{ extra = "cpu" }}, {{ extra = "gpu" }}]]

[tool.uv.sources]
timm = {{ git = "https://example.org/timm" }}
torch = {{ index = "cpu", extra = "cpu" }}

[[tool.uv.index]]
name = "cpu"
url = "{WHL}/cpu"
explicit = true
"""
CPU, GPU = "extra-4-demo-cpu", "extra-4-demo-gpu"
LOCK = f"""version = 1
revision = 3
requires-python = ">=3.12"

[[package]]
name = "demo"
version = "0.1.0"
source = {{ virtual = "." }}
dependencies = [
    {{ name = "timm" }},
]

[package.optional-dependencies]
cpu = [
    {{ name = "torch", version = "2.9.1+cpu", source = {{ registry = "{WHL}/cpu" }} }},
]
gpu = [
    {{ name = "torch", version = "2.9.1", source = {{ registry = "{PYPI}" }} }},
]

[package.metadata]
requires-dist = [
    {{ name = "timm", git = "https://example.org/timm" }},
    {{ name = "torch", marker = "extra == 'cpu'", index = "{WHL}/cpu" }},
    {{ name = "torch", marker = "extra == 'gpu'" }},
]
provides-extras = ["cpu", "gpu"]

[[package]]
name = "timm"
version = "1.0"
source = {{ git = "https://example.org/timm#abc" }}
dependencies = [
    {{ name = "torch", version = "2.9.1", source = {{ registry = "{PYPI}" }}, marker = "(sys_platform == 'linux' and extra != '{CPU}') or extra == '{GPU}' or (extra == '{CPU}' and extra == '{GPU}')" }},
    {{ name = "torch", version = "2.9.1+cpu", source = {{ registry = "{WHL}/cpu" }}, marker = "extra == '{CPU}'" }},
]

[[package]]
name = "torch"
version = "2.9.1"
source = {{ registry = "{PYPI}" }}
wheels = [
    {{ url = "{PYPI}/torch-2.9.1-cp312-cp312-win_amd64.whl" }},
]

[[package]]
name = "torch"
version = "2.9.1+cpu"
source = {{ registry = "{WHL}/cpu" }}
wheels = [
    {{ url = "{WHL}/cpu/torch-2.9.1%2Bcpu-cp312-cp312-win_amd64.whl" }},
]
"""  # noqa: E501 - uv writes long lines


def row(select: str, platform: str, lock: str = LOCK, project: str = PROJECT) -> Route:
    found = routes(read_project(tomllib.loads(project)), needs=NEEDS, lockfile=lambda: lock)
    return found.row("torch", machine(platform), choice(select))


def test_a_lockfile_that_agrees_takes_the_doubt_away() -> None:
    route = row("--extra cpu", "linux-x86_64")
    assert (route.kind, route.index and route.index.name, route.doubt) == ("index", "cpu", None)
    route = row("--extra gpu", "macos-arm64")
    assert (route.kind, route.index and route.index.url, route.doubt) == ("index", PYPI, None)
    route = row("", "windows-x86_64")
    assert (route.kind, route.doubt) == ("absent", None)


def test_a_lockfile_has_what_a_tree_that_was_not_read_brings() -> None:
    route = row("", "linux-x86_64")
    assert (route.kind, route.index and route.index.url, route.doubt) == ("index", PYPI, None)


def test_a_lockfile_with_another_index_decides_and_is_named() -> None:
    lock = LOCK.replace(f"{WHL}/cpu", PYPI)
    route = row(
        "--extra cpu", "linux-x86_64", lock.replace(f'index = "{PYPI}"', f'index = "{WHL}/cpu"')
    )
    assert (route.kind, route.index and route.index.url) == ("index", PYPI)
    assert route.doubt == (
        "`timm` comes from a git repository, and its `tool.uv.sources` were not read; "
        f"uv.lock has `torch` from {PYPI} here"
    )


def test_an_extra_of_its_own_and_a_source_that_holds_nowhere_leave_the_lockfile_current() -> None:
    project = PROJECT.replace(
        "[project.optional-dependencies]\n",
        '[project.optional-dependencies]\nall = ["demo[cpu]"]\n',
    )
    assert project != PROJECT
    route = row("--extra cpu", "linux-x86_64", project=project)
    assert (route.kind, route.doubt) == ("index", None)


@pytest.mark.parametrize(
    ("lock", "project"),
    [
        ("", PROJECT),
        ("not = [a lockfile", PROJECT),
        (LOCK, PROJECT.replace('["timm"]', '["timm", "numpy"]')),
        (LOCK, PROJECT.replace("/whl", "/whl/test")),
        (LOCK.replace('name = "demo"', 'name = "another"'), PROJECT),
        ('[[package]]\nname = "demo"\nsource = 1\ndependencies = [1]\n', PROJECT),
    ],
)
def test_a_lockfile_of_other_requirements_is_no_evidence(lock: str, project: str) -> None:
    route = row("", "linux-x86_64", lock, project)
    assert (route.kind, route.doubt) == (
        "absent",
        "`timm` comes from a git repository, and its `tool.uv.sources` were not read",
    )


def test_a_lockfile_decides_where_dependencies_are_dynamic() -> None:
    project = PROJECT.replace('dependencies = ["timm"]', 'dynamic = ["dependencies"]')
    assert row("", "linux-x86_64", "", project).kind == "unknown"
    route = row("", "linux-x86_64", LOCK, project)
    assert (route.kind, route.index and route.index.url, route.doubt) == ("index", PYPI, None)


def test_a_lockfile_is_not_read_without_a_doubt() -> None:
    def refuse() -> str:
        raise AssertionError

    project = read_project(tomllib.loads(PROJECT.replace('["timm"]', "[]")))
    assert routes(project, lockfile=refuse).row("torch", machine("linux-x86_64")).kind == "absent"


# uv starts from the forks of the lockfile that it finds.

SPLIT = "\"numpy>=1 ; sys_platform == 'linux'\", \"numpy ; sys_platform != 'linux'\""
BESIDE_BASE = f"""
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.12,<3.14"
dependencies = ["torch>=2.13,<2.14", {SPLIT}]

[dependency-groups]
cpu = ["torch"]
cu130 = ["torch"]

[tool.uv]
conflicts = [[{{ group = "cpu" }}, {{ group = "cu130" }}]]

[tool.uv.sources]
torch = [
    {{ index = "cpu", group = "cpu" }},
    {{ index = "cu130", group = "cu130", marker = "sys_platform == 'linux'" }},
]

[[tool.uv.index]]
name = "cpu"
url = "{WHL}/cpu"
explicit = true

[[tool.uv.index]]
name = "cu130"
url = "{WHL}/cu130"
explicit = true
"""


def test_forks_of_a_lockfile_outlive_what_made_them(tmp_path: Path, replica: Replica) -> None:
    """The same file has two lockfiles: one made anew, and one that was split by what is gone."""
    demo = Demo(tmp_path, BESIDE_BASE)
    replica.lock(demo.folder)
    demo.path.write_text(BESIDE_BASE.replace(SPLIT, '"numpy"'))
    platforms = ("linux-x86_64", "windows-x86_64", "macos-arm64")
    for is_anew in (False, True):
        if is_anew:
            (demo.folder / "uv.lock").unlink()
        replica.lock(demo.folder)
        assert replica.uv("lock", "--check", cwd=demo.folder).returncode == 0
        export = replica.export(demo.folder, "--group", "cu130")
        shown = {
            row["platform"]: row
            for row in demo("show --format json").json["routes"]
            if row["groups"] == ["cu130"] and row["package"] == "torch"
        }
        for platform in platforms:
            build = export.select(platform, "3.12")["torch"]
            index = build.index if isinstance(build, Build) else f"{WHL}/cu130"
            assert (index == f"{WHL}/cu130") == (shown[platform]["backend"] == "cu130"), platform
        assert (shown["macos-arm64"]["backend"] == "cu130") == is_anew
        assert ("TC305" in demo("check").out) == is_anew
    assert "without uv.lock" not in demo("show").err


# What nothing that is known brings, only the lockfile can know.

BRINGS = f"""
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.12"
dependencies = ["needs-it"]

[project.optional-dependencies]
cpu = ["torch", "torchvision"]

[tool.uv]
index-url = "{PYPI}"

[tool.uv.sources]
torch = {{ index = "cpu", extra = "cpu" }}

[[tool.uv.index]]
name = "cpu"
url = "{WHL}/cpu"
explicit = true
"""
BROUGHT = f"""version = 1
revision = 3
requires-python = ">=3.12"

[[package]]
name = "demo"
version = "0.1.0"
source = {{ virtual = "." }}
dependencies = [
    {{ name = "needs-it" }},
]

[package.optional-dependencies]
cpu = [
    {{ name = "torch" }},
    {{ name = "torchvision" }},
]

[package.metadata]
requires-dist = [
    {{ name = "needs-it" }},
    {{ name = "torch", marker = "extra == 'cpu'", index = "{WHL}/cpu" }},
    {{ name = "torchvision", marker = "extra == 'cpu'" }},
]
provides-extras = ["cpu"]

[[package]]
name = "needs-it"
version = "1.0"
source = {{ registry = "{PYPI}" }}
dependencies = [
    {{ name = "torch", marker = "sys_platform == 'linux'" }},
]

[[package]]
name = "torch"
version = "2.9.1+cpu"
source = {{ registry = "{WHL}/cpu" }}

[[package]]
name = "torchvision"
version = "0.24.1"
source = {{ registry = "{PYPI}" }}
dependencies = [
    {{ name = "torch" }},
]
"""


def brought(package: str, platform: str, lock: str) -> Route:
    project = read_project(tomllib.loads(BRINGS))
    found = routes(project, needs=NEEDS, lockfile=lambda: lock, asked=("torch", "torchvision"))
    return found.row(package, machine(platform), choice(""))


@pytest.mark.parametrize(
    ("package", "platform", "lock", "kind", "index"),
    [
        ("torch", "linux-x86_64", BROUGHT, "index", f"{WHL}/cpu"),
        ("torch", "macos-arm64", BROUGHT, "absent", None),
        ("torchvision", "linux-x86_64", BROUGHT, "absent", None),
        ("torch", "linux-x86_64", "", "absent", None),
        # A lockfile of another time says nothing.
        ("torch", "linux-x86_64", BROUGHT.replace("needs-it", "other"), "absent", None),
    ],
)
def test_what_the_lockfile_brings_is_not_absent(
    package: str, platform: str, lock: str, kind: str, index: str | None
) -> None:
    route = brought(package, platform, lock)
    assert (route.kind, route.doubt) == (kind, None)
    if kind == "index":
        assert route.index is not None
        assert route.index.url == index


@pytest.mark.slow
def test_what_uv_locks_for_an_unknown_package_is_shown(tmp_path: Path, replica: Replica) -> None:
    text = BRINGS.replace(f'index-url = "{PYPI}"', 'find-links = ["wheels"]')
    demo = Demo(tmp_path, text)
    (demo.folder / "wheels").mkdir()
    needs = "Metadata-Version: 2.1\nName: needs-it\nVersion: 1\n"
    needs += "Requires-Dist: torch ; sys_platform == 'linux'\n"
    with zipfile.ZipFile(demo.folder / "wheels" / "needs_it-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("needs_it-1.dist-info/METADATA", needs)
        wheel.writestr("needs_it-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("needs_it-1.dist-info/RECORD", "")

    def shown() -> dict[str, str | None]:
        rows = demo("show --format json").json["routes"]
        plain = [row for row in rows if not row["extras"] and row["package"] == "torch"]
        return {row["platform"]: row["backend"] for row in plain}

    assert set(shown().values()) == {None}
    replica.lock(demo.folder)
    export = replica.export(demo.folder)
    for platform, backend in shown().items():
        build = export.select(platform, "3.12")["torch"]
        assert backend == ("cpu" if isinstance(build, Build) else None), platform
        assert not isinstance(build, Build) or build.index == f"{WHL}/cpu"
    assert "cpu" in shown().values()
    assert "uv.lock says that something here needs it" in demo("explain linux torch").out
