"""What the replica's wheels require: few packages, so that a lock is fast, but real in kind.

PyPI's wheels keep their exact requirements, thinned out to `KEPT`. Those of the PyTorch indexes
are only known as one lock resolved them, so they are put together here.
"""

from __future__ import annotations

import re

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.support.replica.facts import Facts, TorchRelease, cuda_index

ORDINARY = ("filelock", "typing-extensions>=4.10.0", "jinja2")

KEPT = re.compile(
    r"(filelock|typing-extensions|jinja2|numpy|pillow|torch|triton|nvidia-(cudnn|nccl)-cu\d+)"
    r"(?![\w.-])(?!.*\bextra ==)"
)

XPU_TRITON = {
    "2.6.0": "3.2.0",
    "2.7.0": "3.3.0",
    "2.7.1": "3.3.1",
    "2.8.0": "3.4.0",
    "2.9.0": "3.5.0",
    "2.9.1": "3.5.0",
    "2.10.0": "3.6.0",
    "2.11.0": "3.7.0",
    "2.12.0": "3.7.1",
    "2.12.1": "3.7.1",
    "2.13.0": "3.7.2",
    "2.14.0": "3.8.0",
    "2.14.1": "3.8.0",
}
"""Triton of the XPU builds. The facts show it for 2.7.1, 2.9.1, 2.10.0 and 2.13.0 (locks); the
others are the version listed that stands nearest."""

RENAMED = Version("2.10")
"""From this torch on, triton is called `triton-rocm` and `triton-xpu` on those indexes."""


def accelerator(index: str) -> str:
    """Return `cpu`, `cu`, `rocm` or `xpu`."""
    return re.sub(r"\d[\d.]*$", "", index)


def triton(torch: TorchRelease, index: str) -> tuple[str, str] | None:
    """Return name and version of the triton that this torch pins on that index, if any.

    The ROCm builds carry the number of the plain triton of their torch; where the facts show
    both, they agree.
    """
    kind = accelerator(index)
    if kind == "cpu" or torch.triton is None:
        return None
    version = re.findall(r"\d+\.\d+\.\d+", torch.triton)[0]
    if kind == "xpu":
        if str(torch.release) not in XPU_TRITON:
            return None
        version = XPU_TRITON[str(torch.release)]
    if kind == "cu":
        return "triton", version
    prefix = "" if torch.release >= RENAMED else "pytorch-"
    return f"{prefix}triton-{kind}", version


class Requirements:
    """Requires-Dist and Requires-Python of every wheel in the catalog's world."""

    def __init__(self, facts: Facts) -> None:
        self._torches = facts.torches
        self._python: dict[tuple[str, Version], str | None] = {}
        self._pypi: dict[tuple[str, Version], tuple[str, ...]] = {}
        for package, releases in facts.requires["pypi"].items():
            for version, entry in releases.items():
                release = package, Version(version)
                self._python[release] = entry["requires_python"]
                self._pypi[release] = tuple(filter(KEPT.match, entry["requires_dist"]))
        self._pins = _nvidia_pins(facts)

    def knows(self, package: str, release: Version) -> bool:
        """Tell whether the requirements of a release are known."""
        return (package, release) in self._pypi

    def on_pypi(self, package: str, release: Version) -> tuple[str, ...]:
        """Return what PyPI's wheel of this release requires; triton and the like, nothing."""
        return self._pypi.get((package, release), ())

    def torch_of(self, package: str, release: Version) -> SpecifierSet:
        """Return which torch a release wants: nothing in particular if it names none."""
        for text in self.on_pypi(package, release):
            requirement = Requirement(text)
            if requirement.name == "torch":
                return requirement.specifier
        return SpecifierSet()

    def python(self, package: str, release: Version) -> str | None:
        """Return Requires-Python; an index states the same as PyPI does."""
        return self._python.get((package, release))

    def on_index(self, package: str, release: Version, local: str, index: str) -> tuple[str, ...]:
        """Return what a wheel of a PyTorch index requires.

        torchvision, and torchaudio up to 2.10, want the very torch of their label.
        """
        if package == "torch":
            # The macOS wheels of the CPU index are PyPI's.
            return self._torch(release, index) if local else self.on_pypi(package, release)
        required = self.on_pypi(package, release)
        if package in {"torchvision", "torchaudio"} and local:
            required = tuple(
                f"{text}+{local}" if text.startswith("torch==") else text for text in required
            )
        return required

    def _torch(self, release: Version, index: str) -> tuple[str, ...]:
        kind = accelerator(index)
        torch = self._torches[release]
        linux = "sys_platform == 'linux'"
        if release < Version("2.9"):
            linux = f"platform_machine == 'x86_64' and {linux}"
        required = list(ORDINARY)
        if kind == "cu":
            required += [f"{pin} ; {linux}" for pin in self._nvidia(release, index)]
        if pinned := triton(torch, index):
            # Triton has no wheel for the newest Python; PyPI's torch says from which on.
            markers = re.findall(r'python_version < "[\d.]+"', torch.triton or "")
            # Windows gets a triton from the XPU index only, since 3.3.
            if kind != "xpu" or release < Version("2.7"):
                markers.append(linux)
            marker = f" ; {' and '.join(markers)}" if markers else ""
            required.append("==".join(pinned) + marker)
        return tuple(required)

    def _nvidia(self, release: Version, index: str) -> tuple[str, ...]:
        """Return cuDNN and NCCL as pinned by this line, or by the one most like it."""
        major = index[2:4]
        alike = [place for place in self._pins if place[0][2:4] == major]
        if not alike:
            return (f"nvidia-cudnn-cu{major}", f"nvidia-nccl-cu{major}")
        releases = sorted(self._torches)
        here = releases.index(release)
        nearest = min(
            alike,
            key=lambda place: (place[0] != index, abs(releases.index(place[1]) - here), place),
        )
        return self._pins[nearest]


def _nvidia_pins(facts: Facts) -> dict[tuple[str, Version], tuple[str, ...]]:
    """Return the exact NVIDIA requirements that are known, by CUDA index and torch release."""
    stated = [
        (index, version, entry["deps"])
        for version, places in facts.requires["index"]["torch"].items()
        for index, entry in places.items()
    ]
    for version, entry in facts.requires["pypi"]["torch"].items():
        torch = facts.torches.get(Version(version))
        if cuda := torch and torch.pypi_cuda.get("x86_64"):
            stated.append((cuda_index(cuda), version, entry["requires_dist"]))
    pins = {}
    for index, version, requirements in stated:
        found = tuple(
            sorted(
                f"{name}=={pin}"
                for text in requirements
                for name, pin in re.findall(r"^(nvidia-(?:cudnn|nccl)-cu\d+) ?==([\d.]+)", text)
            )
        )
        if found and re.fullmatch(r"cu\d+", index):
            pins[index, Version(Version(version).public)] = found
    return pins
