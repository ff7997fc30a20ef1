"""uv's guide to PyTorch: which `init` call writes each of its configurations, and how ours differ.

The configurations are those of docs/guides/integration/pytorch.md in astral-sh/uv at 26a9dd4b2125,
as data. Where the guide shows only an index and its sources, `[project]` is that of its complete
examples. Every difference is listed here, with the sentence of the design that explains it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tests.support.projects import WHL

LINUX = "sys_platform == 'linux'"


NOT_LINUX = "sys_platform != 'linux'"


GPU_SYSTEMS = "sys_platform == 'linux' or sys_platform == 'win32'"


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
