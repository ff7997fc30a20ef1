"""Tiny pure-Python stand-ins for ordinary packages, so that a closed test needs no PyPI."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.replica.wheels import ReplicaWheel, filename

STAND_INS: dict[str, tuple[str, ...]] = {
    # Required by the replica's own wheels.
    "filelock": ("3.29.0",),
    "jinja2": ("3.1.6",),
    "numpy": ("2.4.4",),
    "pillow": ("12.2.0",),
    "typing-extensions": ("4.16.0",),
    # Used in tests; what follows the version is required.
    "brotli": ("1.2.0",),
    "certifi": ("2026.1.4",),
    "einops": ("0.8.2",),
    "fastapi": ("0.135.1",),
    "fsspec": ("2026.2.0",),
    "gradio": ("6.5.1",),
    "httpx": ("0.28.1",),
    "huggingface-hub": ("1.4.0", "filelock", "fsspec", "requests"),
    "jax": ("0.9.0", "numpy", "scipy"),
    "mypy": ("1.20.0", "typing-extensions"),
    "ninja": ("1.13.0",),
    "onnxruntime": ("1.24.2", "numpy", "packaging"),
    "onnxruntime-gpu": ("1.24.2", "numpy", "packaging"),
    "opencv-python": ("4.13.0.90", "numpy"),
    "packaging": ("26.1",),
    "pandas": (
        "3.0.1",
        "numpy>=1.26.0 ; python_version < '3.14'",
        "numpy>=2.3.3 ; python_version >= '3.14'",
        "python-dateutil>=2.8.2",
        "tzdata ; sys_platform == 'win32'",
        "tzdata ; sys_platform == 'emscripten'",
    ),
    "python-dateutil": ("2.9.0.post0", "six>=1.5"),
    "pytest": ("9.1.0", "packaging"),
    "pywin32": ("311",),
    "pyyaml": ("6.0.3",),
    "requests": ("2.33.0",),
    "rich": ("14.3.0",),
    "ruff": ("0.15.0",),
    "safetensors": ("0.7.0",),
    "scipy": ("1.17.0", "numpy"),
    "six": ("1.17.0",),
    "tables": ("3.11.1", "numpy", "packaging"),
    "tqdm": ("4.67.3", "colorama ; platform_system == 'Windows'"),
    "colorama": ("0.4.6",),
    "tzdata": ("2026.1",),
    "transformers": ("5.2.0", "huggingface-hub", "numpy", "safetensors"),
    "warp-lang": ("1.12.0", "numpy"),
    # Packages that require torch by themselves.
    "accelerate": (
        "1.13.0",
        "huggingface-hub>=0.21.0",
        "numpy>=1.17",
        "packaging>=20.0",
        "pyyaml",
        "safetensors>=0.4.3",
        "torch>=2.0.0",
    ),
    "braindecode": ("1.3.0", "torch>=2.0"),
    "efficientnet-pytorch": ("0.7.1", "torch"),
    "flash-attn": ("2.8.3", "einops", "torch"),
    "kornia": ("0.8.2", "torch>=2.0.0"),
    "lightning": (
        "2.6.1",
        "fsspec[http]>=2022.5.0,<2028.0",
        "packaging>=20.0",
        "pyyaml>5.4",
        "torch>=2.1.0,<4.0",
        "torchmetrics>0.7.0,<3.0",
        "tqdm>=4.57.0",
    ),
    "pytorch-lightning": ("2.6.1", "torch>=2.1.0", "torchmetrics>0.7.0"),
    "sentence-transformers": ("5.2.3", "torch>=1.11.0", "transformers"),
    "timm": ("1.0.25", "torch", "torchvision", "safetensors"),
    "torchmetrics": ("1.8.2", "numpy", "torch>=2.0.0"),
    "triton-windows": ("3.4.0.post21",),
}

ON_PYTORCH = {
    "filelock": ("3.25.2",),
    "jinja2": ("3.1.5", "markupsafe"),
    "numpy": ("2.3.5",),
    "pillow": ("12.0.0",),
    "requests": ("2.28.1",),
    "typing-extensions": ("4.15.0",),
}
"""Ordinary packages that the PyTorch indexes carry too, older than PyPI's: an index that
is not explicit then shows in the lock."""

MARKUPSAFE = ReplicaWheel(filename("markupsafe", "3.0.2", "cp313", "manylinux_2_28_x86_64"))
"""The copies there are incomplete, which is how people notice."""


def stand_ins(wheels: Iterable[ReplicaWheel]) -> dict[str, tuple[ReplicaWheel, ...]]:
    """Return the stand-ins of PyPI, and one for every other thing that `wheels` require.

    A version that some wheel pins exists, and one old numpy for wheels that want `<2`.
    """
    served = list(wheels)
    family = {wheel.name for wheel in served}
    versions: dict[str, set[str]] = defaultdict(set, numpy={"1.26.4"})
    for text in {text for wheel in served for text in wheel.requires_dist}:
        requirement = Requirement(text)
        if (name := canonicalize_name(requirement.name)) not in family:
            pins = {pin.version for pin in requirement.specifier if pin.operator == "=="}
            versions[name] |= {pin for pin in pins if not pin.endswith(".*")}
    for ordinary, (version, *_) in STAND_INS.items():
        versions[ordinary].add(version)
    return {
        name: tuple(
            pure(name, version, *STAND_INS.get(name, ())[1:])
            for version in sorted(found or {"1.0"})
        )
        for name, found in versions.items()
    }


def pure(name: str, version: str, *requires: str) -> ReplicaWheel:
    """Return a wheel for every platform and Python."""
    return ReplicaWheel(filename(name, version, "py3-none", "any"), requires)
