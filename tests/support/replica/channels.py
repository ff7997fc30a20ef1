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
