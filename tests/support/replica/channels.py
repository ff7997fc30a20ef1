"""What the indexes beside PyTorch's stable ones serve: nightly builds, and ROCm 7.14's closure."""

from __future__ import annotations

from tests.support.replica.content import Content, Release

DAYS = ("20261001", "20261008")
TORCH, VISION, TRITON = "2.16.0.dev", "0.31.0.dev", "3.9.0+git1a2b3c4d"
NEWEST = f"{TORCH}{DAYS[-1]}"

_LINUX = ("linux-x86_64", "linux-aarch64")
_PC = (*_LINUX, "windows-x86_64")
_TRITONS = {
    "cu": ("triton", _LINUX, " ; platform_system == 'Linux'"),
    "ro": ("triton-rocm", _LINUX[:1], ""),
}


def nightly() -> Content:
    """Return the nightly indexes: two days of torch, and what each day's torch needs."""
    return Content.of(
        {f"nightly/{build}": _nightly(build) for build in ("cpu", "cu130", "cu134", "rocm10.0")}
    )


def _nightly(build: str) -> dict[str, list[Release]]:
    platforms = _LINUX[:1] if build.startswith("rocm") else _PC
    triton, served, where = _TRITONS.get(build[:2], ("", (), ""))
    needs = ["filelock", *([f"{triton}=={TRITON}{where}"] if triton else [])]
    torch: list[Release] = []
    vision: list[Release] = []
    for day in DAYS:
        own = [f"torch=={TORCH}{day}"]
        labels = {f"+{build}": platforms, **({"": ("macos-arm64",)} if build == "cpu" else {})}
        for label, machines in labels.items():
            torch.append(Release(f"{TORCH}{day}{label}", machines, requires=needs))
            vision.append(Release(f"{VISION}{day}{label}", machines, requires=own))
    found = {"torch": torch, "torchvision": vision}
    return {**found, triton: [Release(TRITON, served)]} if triton else found


GPUS = ("gfx908", "gfx90a", "gfx942", "gfx950", "gfx1010", "gfx1011", "gfx1012", "gfx1030",
        "gfx1031", "gfx1032", "gfx1033", "gfx1034", "gfx1035", "gfx1036", "gfx1100", "gfx1101",
        "gfx1102", "gfx1103", "gfx1150", "gfx1151", "gfx1152", "gfx1153", "gfx1200", "gfx1201",
        "gfx1250")  # fmt: skip
ROCM = "7.14.0"


def rocm() -> Content:
    """Return the index of ROCm 7.14, whose torch needs 28 packages, and PyPI's under their names.

    The CPU index has the same torch, so that no other platform stands in the way.
    """
    devices = [f"rocm-sdk-device-{gpu}" for gpu in GPUS]
    linux, pythons = _LINUX[:1], ("3.12", "3.13")
    needs = ["filelock", "rocm[device-all,libraries]==7.14.*", f"triton-rocm=={TRITON}"]
    parts = [
        f"rocm-sdk-core=={ROCM}",
        f"rocm-sdk-libraries=={ROCM} ; extra == 'libraries'",
        *(f"{device}=={ROCM} ; extra == 'device-all'" for device in devices),
    ]
    own = [f"rocm-sdk-libraries=={ROCM}"]
    names = ("rocm", "rocm-sdk-core", "rocm-sdk-libraries", *devices)
    torch, vision = "2.14.1", "0.29.1"
    pinned = [f"torch=={torch}"]
    return Content.of(
        {
            "rocm7.14": {
                "torch": [Release(f"{torch}+rocm7.14", linux, pythons, needs)],
                "torchvision": [Release(f"{vision}+rocm7.14", linux, pythons, pinned)],
                "triton-rocm": [Release(TRITON, linux, pythons)],
                "rocm": [Release(ROCM, ["any"], requires=parts)],
                "rocm-sdk-core": [Release(ROCM, linux, ["3.12"])],
                "rocm-sdk-libraries": [Release(ROCM, linux, ["3.12"])],
                **{device: [Release(ROCM, linux, ["3.12"], own)] for device in devices},
            },
            "cpu": {
                "torch": [
                    Release(f"{torch}+cpu", _PC, pythons),
                    Release(torch, ["macos-arm64"], pythons),
                ],
                "torchvision": [
                    Release(f"{vision}+cpu", _PC, pythons, pinned),
                    Release(vision, ["macos-arm64"], pythons, pinned),
                ],
            },
            "pypi": {name: [Release("0.1.0", ["any"])] for name in names},
        }
    )
