"""What the indexes of others serve: AMD's, NVIDIA's for Jetson and for Windows on ARM."""

from __future__ import annotations

from collections.abc import Iterable

from tests.support.replica.content import Content, Release

AMD = "https://repo.amd.com/rocm/whl-multi-arch"
AMD_NEXT = "https://stable.repo.amd.com/rocm/whl-next"
AMD_GPU = "https://repo.amd.com/rocm/whl/gfx1151"
NVIDIA_ARM = "https://pypi.nvidia.com/nvtorch_oot"
JETSON_6 = "https://pypi.jetson-ai-lab.io/jp6/cu126/+simple"
JETSON_7 = "https://pypi.jetson-ai-lab.io/sbsa/cu130/+simple"
GPUS = ("gfx1100", "gfx1151", "gfx1201")

_PC = ("linux-x86_64", "windows-x86_64")
_PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
_TRITON = "3.8.0+git4cff872c.rocm10.0.0"


def amd() -> Content:
    """Return AMD's indexes, for all GPUs and for one, and PyPI's packages under their names.

    Torch has an extra for each GPU. On Linux it needs a triton, which PyPI has under that name.
    """
    return Content.of(
        {
            AMD: _for_all("10.0.0", "2.13.0", "0.28.0"),
            AMD_NEXT: _for_all("10.1.0", "2.14.0", "0.29.0"),
            AMD_GPU: _for_one("gfx1151", "7.13.0", "2.11.0", "0.26.0"),
            "pypi": {
                name: [Release("0.1.0", ["any"])]
                for name in ("rocm", "rocm-sdk-core", "rocm-sdk-devel", "rocm-sdk-libraries")
            },
        }
    )


def _for_all(rocm: str, torch: str, vision: str) -> dict[str, list[Release]]:
    label = f"+rocm{rocm}"
    packs = {"gfx1100": ["amd-torch-device-gfx110x"], "gfx1201": ["amd-torch-device-gfx12-0"]}
    return {
        "torch": [
            Release(
                f"{torch}{label}",
                _PC,
                _PYTHONS,
                [
                    "filelock",
                    "rocm-bootstrap",
                    f"rocm[libraries]=={rocm}",
                    f"triton=={_TRITON} ; platform_system == 'Linux'",
                    *_extras("amd-torch", f"{torch}{label}", packs),
                ],
            )
        ],
        "torchvision": [
            Release(
                f"{vision}{label}",
                _PC,
                _PYTHONS,
                [f"torch=={torch}{label}", *_extras("amd-torchvision", f"{vision}{label}", {})],
            )
        ],
        "torchaudio": [Release(f"2.11.0.2{label}", _PC, _PYTHONS)],
        "triton": [Release(_TRITON, _PC[:1], _PYTHONS)],
        "rocm-bootstrap": [Release("0.1.0", ["any"])],
        **_sdk(rocm),
        **{
            f"rocm-sdk-device-{gpu}": [Release(rocm, _PC, _PYTHONS, [f"rocm-sdk-core=={rocm}"])]
            for gpu in GPUS
        },
        **{
            f"amd-torch-device-{gpu}": [
                Release(f"{torch}{label}", _PC, _PYTHONS, [f"rocm-sdk-device-{gpu}=={rocm}"])
            ]
            for gpu in GPUS
        },
        **{
            name: [Release(f"{torch}{label}", _PC, _PYTHONS)]
            for names in packs.values()
            for name in names
        },
        **{
            f"amd-torchvision-device-{gpu}": [Release(f"{vision}{label}", _PC, _PYTHONS)]
            for gpu in GPUS
        },
    }


def _extras(stem: str, version: str, packs: dict[str, list[str]]) -> Iterable[str]:
    for gpu in GPUS:
        for name in (f"{stem}-device-{gpu}", *packs.get(gpu, ())):
            yield f"{name}=={version} ; extra == 'device-{gpu}'"
            yield f"{name}=={version} ; extra == 'device-all'"


def _sdk(rocm: str, libraries: str = "rocm-sdk-libraries") -> dict[str, list[Release]]:
    return {
        "rocm": [
            Release(
                rocm,
                ["any"],
                requires=[
                    f"rocm-sdk-core=={rocm}",
                    f"rocm-sdk-devel=={rocm} ; extra == 'devel'",
                    f"{libraries}=={rocm} ; extra == 'libraries'",
                ],
            )
        ],
        **{name: [Release(rocm, _PC, _PYTHONS)] for name in ("rocm-sdk-core", "rocm-sdk-devel")},
        libraries: [Release(rocm, _PC, _PYTHONS)],
    }


def _for_one(gpu: str, rocm: str, torch: str, vision: str) -> dict[str, list[Release]]:
    label, triton = f"+rocm{rocm}", f"3.6.0+rocm{rocm}"
    needs = [f"rocm[libraries]=={rocm}", f"triton=={triton} ; platform_system == 'Linux'"]
    return {
        "torch": [Release(f"{torch}{label}", _PC, _PYTHONS, ["filelock", *needs])],
        "torchvision": [Release(f"{vision}{label}", _PC, _PYTHONS, [f"torch=={torch}{label}"])],
        "torchaudio": [Release(f"{torch}{label}", _PC, _PYTHONS, [f"torch=={torch}{label}"])],
        "triton": [Release(triton, _PC[:1], _PYTHONS)],
        **_sdk(rocm, f"rocm-sdk-libraries-{gpu}"),
    }


def nvidia() -> Content:
    """Return NVIDIA's indexes: for Windows on ARM, and for Jetson with JetPack 6 and 7."""
    return Content.of(
        {
            NVIDIA_ARM: {
                "torch": [Release("2.14.0+cu134", ["windows-arm64"], ["3.13"], ["filelock"])],
                "torchvision": [
                    Release("0.29.0+cu134", ["windows-arm64"], ["3.13"], ["torch==2.14.0+cu134"])
                ],
                "torchaudio": [Release("2.11.0+cu134", ["windows-arm64"], ["3.13"])],
            },
            JETSON_6: _jetson("3.10", {"2.8.0": "0.23.0", "2.10.0": "0.25.0"}, audio="2.8.0"),
            JETSON_7: _jetson("3.12", {"2.9.0": "0.24.0", "2.10.0": "0.25.0"}, audio="2.9.0"),
        }
    )


def _jetson(python: str, torches: dict[str, str], audio: str) -> dict[str, list[Release]]:
    where = ["linux_aarch64"]
    return {
        "torch": [Release(torch, where, [python], ["filelock"]) for torch in torches],
        "torchvision": [
            Release(vision, where, [python], [f"torch=={torch}"])
            for torch, vision in torches.items()
        ],
        "torchaudio": [Release(audio, where, [python], [f"torch=={audio}"])],
    }
