"""One wheel of the replica: its name, its metadata and its bytes.

A wheel is made of its file name and its requirements alone, and is the same byte for byte
whenever it is built: index pages state its hash before anybody downloads it.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import Version


class ReplicaWheel(NamedTuple):
    """A wheel that an index serves.

    `cuda` is the CUDA release that `torch.version.cuda` names where the version has no
    local part to tell it, as in PyPI's Linux wheels: `13.0`.
    """

    filename: str
    requires_dist: tuple[str, ...] = ()
    requires_python: str | None = None
    cuda: str | None = None

    @property
    def name(self) -> NormalizedName:
        """The canonical name of the package."""
        return canonicalize_name(self.filename.split("-", 1)[0])

    @property
    def version(self) -> Version:
        """The version, local part included: `2.13.0+cu130`."""
        return parse_wheel_filename(self.filename)[1]


def filename(package: str, version: str, python: str, platform: str) -> str:
    """Return the file name of a wheel.

    Args:
        package: Any spelling of the name.
        version: Local part included.
        python: As the facts have it: `cp313`, `cp313t`, `cp39-abi3`, `py3-none`; a build number
            may come first (`2-cp310-none`).
        platform: The whole platform tag.
    """
    *build, interpreter = re.split(r"(?<=^\d)-", python)
    interpreter, _, abi = interpreter.partition("-")
    tags = [interpreter.rstrip("tmu"), abi or interpreter, platform]
    return "-".join([package.replace("-", "_"), version, *build, *tags]) + ".whl"


def metadata(wheel: ReplicaWheel) -> bytes:
    """Return the METADATA file, which an index also serves beside the wheel (PEP 658)."""
    lines = ["Metadata-Version: 2.1", f"Name: {wheel.name}", f"Version: {wheel.version}"]
    if wheel.requires_python is not None:
        lines.append(f"Requires-Python: {wheel.requires_python}")
    extras = (re.findall(r"extra == ['\"]([^'\"]+)", text) for text in wheel.requires_dist)
    lines += [f"Provides-Extra: {name}" for name in dict.fromkeys(chain.from_iterable(extras))]
    lines += [f"Requires-Dist: {requirement}" for requirement in wheel.requires_dist]
    return ("\n".join(lines) + "\n").encode()


def build(wheel: ReplicaWheel) -> bytes:
    """Return the wheel: installable, importable, and about two kilobytes."""
    distribution = "-".join(wheel.filename.split("-")[:2])
    info = f"{distribution}.dist-info"
    tags = parse_wheel_filename(wheel.filename)[3]
    files = {
        **dict(_modules(wheel)),
        f"{info}/METADATA": metadata(wheel),
        f"{info}/WHEEL": "".join(
            (
                "Wheel-Version: 1.0\nGenerator: torchconf-replica\nRoot-Is-Purelib: false\n",
                *sorted(f"Tag: {tag}\n" for tag in tags),
            )
        ).encode(),
    }
    record = [f"{path},sha256={_record_hash(data)},{len(data)}" for path, data in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in files.items():
            # A `ZipInfo` made by hand has the date 1980-01-01, not the present one.
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def _record_hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return digest.rstrip(b"=").decode()


def _modules(wheel: ReplicaWheel) -> Iterator[tuple[str, bytes]]:
    if wheel.name == "torch":
        yield from _torch(wheel)
    else:
        module = wheel.name.replace("-", "_")
        yield f"{module}/__init__.py", f"__version__ = {str(wheel.version)!r}\n".encode()


def _torch(wheel: ReplicaWheel) -> Iterator[tuple[str, bytes]]:
    local = wheel.version.local or ""
    label = re.fullmatch(r"cu(\d+)(\d)", local)
    cuda = f"{label[1]}.{label[2]}" if label else wheel.cuda
    hip = local.removeprefix("rocm") if local.startswith("rocm") else None
    version = f"__version__ = {str(wheel.version)!r}\ncuda = {cuda!r}\nhip = {hip!r}\n"
    accelerator = "def is_available():\n    return False\n\n\ndef device_count():\n    return 0\n"
    modules = {
        "torch/__init__.py": (
            "from torch import backends, cuda, version, xpu\n\n__version__ = version.__version__\n"
        ),
        "torch/version.py": version,
        "torch/cuda/__init__.py": accelerator,
        "torch/xpu/__init__.py": accelerator,
        "torch/backends/__init__.py": "from torch.backends import mps\n",
        "torch/backends/mps/__init__.py": "def is_available():\n    return False\n",
    }
    for path, text in modules.items():
        yield path, text.encode()
