"""uv's guide to PyTorch: which `init` call writes each of its configurations, and how ours differ.

The configurations are those of docs/guides/integration/pytorch.md in astral-sh/uv at 26a9dd4b2125,
as data. Where the guide shows only an index and its sources, `[project]` is that of its complete
examples. Every difference is listed here, with the sentence of the design that explains it.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from tests.support.projects import WHL, Demo
from tests.support.replica import Build, Replica, UvError
from tests.support.replica.machines import MACHINES, environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LINUX = "sys_platform == 'linux'"
NOT_LINUX = "sys_platform != 'linux'"
GPU_SYSTEMS = "sys_platform == 'linux' or sys_platform == 'win32'"
PYPI = "https://packages.example.org/simple"
SHOWN = ("linux-x86_64", "linux-aarch64", "windows-x86_64", "macos-arm64")

# What the guide's projects say before any index: how they call for torch.
PROJECT = "--with torchvision --torch '>=2.11.0' --python '>=3.14.0'"

TOTAL = (
    "under an extra or group whose backend is no target of some platform, that platform gets its "
    "CPU build from the CPU index, never a surprise from PyPI and never nothing"
)
MACHINE = (
    "A marker names the machine only where the index lacks wheels for another machine of that OS "
    "(ROCm), or targets differ by machine."
)
TRITON = (
    "ROCm and XPU bring their triton package (its name depends on the torch version) as a direct, "
    "routed requirement."
)
READ_BACK = "a backend is told from the index URL [...], never from a name"
PYPI_STAYS = "In the markers layout without a CPU target, the other platforms stay `pypi`."


class Configuration(NamedTuple):
    """One configuration of the guide, and our way to it."""

    call: str
    """What to give `torchconf init`."""
    sources: str
    """`tool.uv.sources` of torch and of torchvision, without the brackets."""
    indexes: Mapping[str, str]
    """Name to folder, in the guide's order."""
    gives: Mapping[str, str]
    """What each platform gets with our file, by choice: `--extra cpu macos-arm64`."""
    differs: Mapping[str, str] = {}
    """Path of every difference, as `differences` spells it, to the sentence that explains it."""
    more: str = ""
    """Further TOML of the guide's configuration."""
    dependencies: tuple[str, ...] = ("torch>=2.11.0", "torchvision>=0.26.0")
    others: tuple[str, ...] = ()
    """Packages beside torch and torchvision that have the same source."""
    python: str = ">=3.14.0"
    guide_locks: bool = True

    def guide(self) -> str:
        """Return the whole file as the guide would have it."""
        routed = ("torch", "torchvision", *self.others)
        return "\n".join(
            [
                '[project]\nname = "demo"\nversion = "0.1.0"',
                f'requires-python = "{self.python}"',
                f"dependencies = {list(self.dependencies)}",
                self.more,
                "[tool.uv.sources]",
                *(f"{package} = [{self.sources}]" for package in routed),
                *(
                    f'[[tool.uv.index]]\nname = "{name}"\nurl = "{WHL}/{folder}"\nexplicit = true'
                    for name, folder in self.indexes.items()
                ),
            ]
        )


def everywhere(backend: str, but: Mapping[str, str] = {}) -> dict[str, str]:
    return {**dict.fromkeys(SHOWN, backend), **but}


def cuda_on_all(backend: str) -> Configuration:
    """One CUDA index on all platforms that it is for; macOS gets PyPI's."""
    return Configuration(
        call=f"-t linux-{backend} -t windows-{backend} {PROJECT}",
        sources=f'{{ index = "pytorch-{backend}", marker = "{GPU_SYSTEMS}" }}',
        indexes={f"pytorch-{backend}": backend},
        gives=everywhere(backend, {"macos-arm64": "pypi"}),
    )


CU118 = Configuration(
    # The line ended with torch 2.7.1, for which no Python 3.14 exists.
    call="-t linux-cu118 -t windows-cu118 --with torchvision --torch '>=2.7.1' --python '>=3.11'",
    sources=f'{{ index = "pytorch-cu118", marker = "{GPU_SYSTEMS}" }}',
    indexes={"pytorch-cu118": "cu118"},
    dependencies=("torch>=2.7.1", "torchvision>=0.22.1"),
    python=">=3.11",
    gives={
        "linux-x86_64": "cu118",
        "linux-aarch64": "pypi",
        "windows-x86_64": "cu118",
        "macos-arm64": "pypi",
    },
    differs={
        f"sources.{package}.{WHL}/cu118.linux-aarch64": MACHINE
        for package in ("torch", "torchvision")
    },
)
ROCM = Configuration(
    call=f"-t linux-rocm7.2 {PROJECT}",
    sources=f'{{ index = "pytorch-rocm", marker = "{LINUX}" }}',
    indexes={"pytorch-rocm": "rocm7.2"},
    dependencies=(
        "torch>=2.11.0",
        "torchvision>=0.26.0",
        f"pytorch-triton-rocm>=3.5.1 ; {LINUX}",
        f"triton-rocm>=3.6.0 ; {LINUX}",
    ),
    others=("pytorch-triton-rocm", "triton-rocm"),
    gives=everywhere("pypi", {"linux-x86_64": "rocm7.2"}),
    differs={
        "dependencies.pytorch-triton-rocm": TRITON,
        "sources.pytorch-triton-rocm": TRITON,
        "dependencies.triton-rocm": MACHINE,
        f"sources.triton-rocm.{WHL}/rocm7.2.linux-aarch64": MACHINE,
        f"sources.torch.{WHL}/rocm7.2.linux-aarch64": MACHINE,
        f"sources.torchvision.{WHL}/rocm7.2.linux-aarch64": MACHINE,
        f"indexes.{WHL}/rocm7.2.name": READ_BACK,
    },
    # The old triton is not on the index beside today's torch.
    guide_locks=False,
)
XPU = Configuration(
    call=f"-t linux-xpu -t windows-xpu {PROJECT}",
    sources=f'{{ index = "pytorch-xpu", marker = "{GPU_SYSTEMS}" }}',
    indexes={"pytorch-xpu": "xpu"},
    dependencies=(
        "torch>=2.11.0",
        "torchvision>=0.26.0",
        f"triton-xpu>=3.7.0 ; {GPU_SYSTEMS}",
    ),
    others=("triton-xpu",),
    gives={
        "linux-x86_64": "xpu",
        "linux-aarch64": "pypi",
        "windows-x86_64": "xpu",
        "macos-arm64": "pypi",
    },
    differs={
        "dependencies.triton-xpu": f"{TRITON} {MACHINE}",
        f"sources.triton-xpu.{WHL}/xpu.linux-aarch64": MACHINE,
        f"sources.torch.{WHL}/xpu.linux-aarch64": MACHINE,
        f"sources.torchvision.{WHL}/xpu.linux-aarch64": MACHINE,
    },
)
GUIDE = {
    "the CPU index on all platforms": Configuration(
        call=f"-t linux-cpu -t windows-cpu -t macos-cpu {PROJECT}",
        sources='{ index = "pytorch-cpu" }',
        indexes={"pytorch-cpu": "cpu"},
        gives=everywhere("cpu"),
    ),
    "the cu118 index on all platforms": CU118,
    "the cu126 index on all platforms": cuda_on_all("cu126"),
    "the cu128 index on all platforms": cuda_on_all("cu128"),
    "the cu130 index on all platforms": cuda_on_all("cu130"),
    # These two are shown twice: as an index for all platforms, and as complete projects.
    "the rocm7.2 index on all platforms; ROCm on Linux": ROCM,
    "the xpu index on all platforms; XPU": XPU,
    "CUDA on Linux and CPU elsewhere": Configuration(
        call=f"-t linux-cu130 -t windows-cpu -t macos-cpu {PROJECT}",
        sources=f"""
            {{ index = "pytorch-cpu", marker = "{NOT_LINUX}" }},
            {{ index = "pytorch-cu130", marker = "{LINUX}" }},
        """,
        indexes={"pytorch-cpu": "cpu", "pytorch-cu130": "cu130"},
        gives={
            "linux-x86_64": "cu130",
            "linux-aarch64": "cu130",
            "windows-x86_64": "cpu",
            "macos-arm64": "cpu",
        },
    ),
    "extras cpu and cu130": Configuration(
        call="-t linux-cu130 -t windows-cu130 -t linux-cpu -t windows-cpu -t macos-cpu " + PROJECT,
        sources="""
            { index = "pytorch-cpu", extra = "cpu" },
            { index = "pytorch-cu130", extra = "cu130" },
        """,
        indexes={"pytorch-cpu": "cpu", "pytorch-cu130": "cu130"},
        dependencies=(),
        more="""
            [project.optional-dependencies]
            cpu = ["torch>=2.11.0", "torchvision>=0.26.0"]
            cu130 = ["torch>=2.11.0", "torchvision>=0.26.0"]
            [tool.uv]
            conflicts = [[{ extra = "cpu" }, { extra = "cu130" }]]
        """,
        gives={
            **dict.fromkeys(SHOWN, "absent"),
            **{f"--extra cpu {platform}": "cpu" for platform in SHOWN},
            **{f"--extra cu130 {platform}": "cu130" for platform in SHOWN},
            "--extra cu130 macos-arm64": "cpu",
        },
        differs={
            f"sources.{package}.{change}": TOTAL
            for package in ("torch", "torchvision")
            for change in (
                f"extra cu130 {WHL}/cu130.macos-arm64",
                f"extra cu130 {WHL}/cu130.macos-x86_64",
                f"extra cu130 {WHL}/cu130.freebsd",
                f"extra cu130 {WHL}/cpu",
            )
        },
    ),
}


# Comparing tables as data.


def tables(text: str) -> dict[str, Any]:
    """Flatten a file: order is left out where uv does not heed it, and markers mean platforms."""
    data = tomllib.loads(text)
    project, uv = data["project"], data["tool"]["uv"]
    urls = {index["name"]: index["url"] for index in uv["index"]}
    found: dict[str, Any] = {
        f"project.{key}": value
        for key, value in project.items()
        if key not in {"dependencies", "optional-dependencies"}
    }
    found |= {f"tool.{name}": value for name, value in data["tool"].items() if name != "uv"}
    found |= {f"uv.{key}": value for key, value in uv.items() if key not in {"sources", "index"}}
    lists = {"dependencies": project["dependencies"]}
    lists |= {
        f"extra {name}": lines for name, lines in project.get("optional-dependencies", {}).items()
    }
    for where, lines in lists.items():
        found[where] = sorted(Requirement(line).name for line in lines)
        for line in map(Requirement, lines):
            found[f"{where}.{line.name}"] = (str(line.specifier), platforms(line.marker))
    for index in uv["index"]:
        found |= {f"indexes.{index['url']}.{key}": index[key] for key in index if key != "url"}
    for package, entries in uv["sources"].items():
        found[f"sources.{package}"] = True
        for entry in entries:
            scope = "".join(f"{key} {entry[key]} " for key in ("extra", "group") if key in entry)
            path = f"sources.{package}.{scope}{urls[entry['index']]}"
            assert path not in found, "one entry for one index"
            found[path] = True
            marker = Marker(entry["marker"]) if "marker" in entry else None
            found |= {f"{path}.{platform}": True for platform in platforms(marker)}
    return found


def platforms(marker: Marker | None) -> tuple[str, ...]:
    """Return where a marker holds, a system that nobody names included."""
    places = {name: environment(name, "3.14") for name in MACHINES}
    places["freebsd"] = environment("linux-x86_64", "3.14")
    places["freebsd"]["sys_platform"] = "freebsd14"
    return tuple(
        name
        for name, place in places.items()
        if marker is None or marker.evaluate({key: str(value) for key, value in place.items()})
    )


def differences(guide: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    """Yield the paths that differ; below one that is on one side only, nothing more is said."""
    missing = sorted(key for key in guide.keys() ^ ours.keys())
    for path in missing:
        if not any(path != above and path.startswith(f"{above}.") for above in missing):
            yield path
    for path in sorted(guide.keys() & ours.keys()):
        # The names of a list are compared one by one.
        if guide[path] != ours[path] and path != "dependencies":
            yield path


def written(configuration: Configuration, parent: Path) -> Demo:
    demo = Demo(parent)
    demo.init(configuration.call)
    return demo


@pytest.mark.parametrize("configuration", GUIDE.values(), ids=GUIDE)
def test_tables_are_the_guides_but_for_what_the_design_explains(
    configuration: Configuration, tmp_path: Path
) -> None:
    ours = tables(written(configuration, tmp_path).text)
    guide = tables(configuration.guide())
    assert set(differences(guide, ours)) == set(configuration.differs)


def test_comparison_sees_every_kind_of_difference() -> None:
    guide = GUIDE["extras cpu and cu130"].guide()
    same = tables(guide)
    changes = {
        'requires-python = ">=3.14.0"': 'requires-python = ">=3.13"',
        'cu130 = ["torch>=2.11.0", ': 'cu130 = ["torch>=2.12.0", ',
        'cpu = ["torch>=2.11.0", "torchvision>=0.26.0"]': 'cpu = ["torch>=2.11.0"]',
        'conflicts = [[{ extra = "cpu" }, { extra = "cu130" }]]': "conflicts = []",
        '{ index = "pytorch-cpu", extra = "cpu" }': '{ index = "pytorch-cpu", group = "cpu" }',
        f"{WHL}/cu130": f"{WHL}/cu129",
        "explicit = true": "explicit = false",
        'extra = "cu130" }': 'extra = "cu130", marker = "sys_platform == \'linux\'" }',
    }
    for old, new in changes.items():
        assert old in guide, old
        assert list(differences(same, tables(guide.replace(old, new)))), new


# Installing.


def builds(replica: Replica, folder: Path, choices: Mapping[str, str]) -> dict[str, str]:
    """Return the backend of torch by choice and platform; torchvision must come along."""
    found: dict[str, str] = {}
    for key in choices:
        *selection, platform = key.split()
        chosen = replica.selected(
            folder, platform, "3.14" if "cu118" not in choices.values() else "3.12", *selection
        )
        backends = {backend(chosen[package]) for package in ("torch", "torchvision")}
        assert len(backends) == 1, f"{key}: one index for both"
        found[key] = backends.pop()
    return found


def backend(build: Build | str) -> str:
    if not isinstance(build, Build):
        return build
    assert build.index is not None
    return "pypi" if build.index == PYPI else build.index.removeprefix(f"{WHL}/")


@pytest.mark.parametrize("configuration", GUIDE.values(), ids=GUIDE)
def test_file_locks_and_gives_each_platform_its_build(
    configuration: Configuration, replica: Replica, tmp_path: Path
) -> None:
    demo = written(configuration, tmp_path)
    replica.lock(demo.folder)
    assert builds(replica, demo.folder, configuration.gives) == configuration.gives


@pytest.mark.parametrize("configuration", GUIDE.values(), ids=GUIDE)
def test_guides_own_file_gives_the_same_builds_or_none(
    configuration: Configuration, replica: Replica, tmp_path: Path
) -> None:
    demo = Demo(tmp_path, configuration.guide())
    if not configuration.guide_locks:
        with pytest.raises(UvError, match="pytorch-triton-rocm"):
            replica.lock(demo.folder)
        return
    replica.lock(demo.folder)
    theirs = builds(replica, demo.folder, configuration.gives)
    differing = {key for key, given in configuration.gives.items() if theirs[key] != given}
    assert {theirs[key] for key in differing} <= {"no wheel"}, "ours differ only where theirs fail"
    machines = {path.rpartition(".")[2] for path in configuration.differs}
    assert {key.split()[-1] for key in differing} <= machines, "and where the tables differ"
