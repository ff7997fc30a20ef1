"""What was probed, read into a machine: its platform, and its GPUs by maker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from torchconf.machine.probe import (
    AMD_VARIABLE,
    CUDA_VARIABLE,
    OVERRIDE_VARIABLE,
    adapter_id,
)
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import PLATFORMS, SYSTEMS, Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.machine.probe import ProbeResults, ProcessOutput

TITLES = {"nvidia": "NVIDIA", "amd": "AMD", "intel": "Intel"}
"""The makers of GPUs, as they are written."""

_VENDORS = {"0x10de": "nvidia", "0x1002": "amd", "0x8086": "intel"}
_IDS = {maker: number.removeprefix("0x") for number, maker in _VENDORS.items()}
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm", "arm64": "arm"}
_ARM = ("aarch64", "arm64")
_VERSION = r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,4}"


class Gpu(NamedTuple):
    """One GPU."""

    name: str
    """As its driver calls it; may be empty."""
    level: str | None
    """What builds are made for: compute capability `9.0`, `gfx1100`, or PCI device id `e20b`."""
    pci: str | None = None
    """Its PCI id, where that is how it was found: `1002:1586`."""


class Hardware(NamedTuple):
    """The GPUs of one maker."""

    maker: str
    driver: str | None
    """Its version, or the name of the kernel's driver."""
    gpus: tuple[Gpu, ...]
    """Empty where only the driver is known."""
    source: str
    """Who said so."""
    problem: str | None = None
    """Why no build can use them."""
    doubt: str | None = None
    """What could not be found out."""


class Machine(NamedTuple):
    """What is known of a machine."""

    platform: Platform | None
    """None: one that PyTorch publishes nothing for."""
    words: str
    """For a person: `Linux x86_64, glibc 2.39, WSL`."""
    libc: str
    """`glibc 2.39` or `musl`; empty elsewhere than on Linux."""
    macos: str
    wsl: bool
    rosetta: bool
    """Whether this Python is for x86_64 though the machine is not."""
    emulated: bool
    """The same on Windows."""
    hardware: tuple[Hardware, ...]
    notes: tuple[str, ...]
    """What was not understood."""
    jetson: bool = False
    """Whether it is a Tegra, whose driver and GPU are other ones than a server's."""
    l4t: int = 0
    """The major version of its Jetson Linux; 0: not known."""
    container: bool = False

    def of(self, maker: str) -> Hardware | None:
        """Return the GPUs of one maker."""
        return next((found for found in self.hardware if found.maker == maker), None)

    def gpu_names(self) -> tuple[str, ...]:
        """Return what its GPUs are called; or `AMD gfx1100` without one."""
        names = [
            gpu.name or " ".join(filter(None, (TITLES.get(found.maker, found.maker), gpu.level)))
            for found in self.hardware
            for gpu in found.gpus or (Gpu(f"{TITLES.get(found.maker, found.maker)} GPU", None),)
        ]
        return tuple(dict.fromkeys(names))

    def without_names(self) -> Machine:
        """Return the machine without its GPUs' names: for reasons that stand below the names."""
        return self._replace(
            hardware=tuple(
                found._replace(gpus=tuple(gpu._replace(name="") for gpu in found.gpus))
                for found in self.hardware
            )
        )

    def data(self) -> dict[str, Any]:
        """Return the machine as JSON data."""
        return {
            "platform": self.platform.key if self.platform else None,
            "description": self.words,
            "libc": self.libc or None,
            "macos": self.macos or None,
            "wsl": self.wsl,
            "jetson": self.jetson,
            "container": self.container,
            "rosetta": self.rosetta,
            "hardware": [
                {**found._asdict(), "gpus": [gpu._asdict() for gpu in found.gpus]}
                for found in self.hardware
            ],
        }


def read_machine(clues: ProbeResults) -> Machine:
    """Interpret what was probed; what makes no sense is left out."""
    said = clues.arm64
    rosetta = bool(clues.system == "Darwin" and said and said.out.strip() == "1")
    machine = _ARM[1] if rosetta else clues.machine
    platform = _platform(clues.system, machine)
    wsl = clues.system == "Linux" and "microsoft" in clues.kernel.lower()
    libc = clues.libc or ("musl" if clues.musl else "") if clues.system == "Linux" else ""
    jetson = clues.system == "Linux" and _is_tegra(clues)
    l4t = _l4t_version(clues)
    emulated = clues.system == "Windows" and (
        clues.processor.upper().startswith("ARM") and clues.machine.upper() == "AMD64"
    )
    shown = f"{'macOS' if clues.system == 'Darwin' else clues.system} {clues.macos}".strip()
    words = [
        f"{shown} {platform.machine if platform else machine}".strip(),
        libc,
        "WSL" if wsl else "",
        f"Jetson {'L4T ' * bool(l4t)}{l4t}".strip() if jetson else "",
        "in a container" if clues.container else "",
        "x86_64 Python under Rosetta" if rosetta else "",
        "emulated x86_64 Python" if emulated else "",
    ]
    notes: list[str] = []
    override = clues.variables.get(OVERRIDE_VARIABLE, "")
    if clues.kfd and (taken_for := _gfx_of(override)):
        notes.append(f"`{OVERRIDE_VARIABLE}` makes ROCm take the GPUs for {taken_for}")
    hardware = _told(clues, notes)
    if hardware is None:
        nvidia = _tegra(clues) if jetson else _nvidia(clues)
        hardware = [found for found in (nvidia, _amd(clues), _intel(clues)) if found]
    return Machine(
        platform=platform,
        words=", ".join(filter(None, words)),
        libc=libc,
        macos=clues.macos,
        wsl=wsl,
        rosetta=rosetta,
        emulated=emulated,
        hardware=tuple(hardware),
        notes=tuple(notes),
        jetson=jetson,
        l4t=_l4t_major(clues) if jetson else 0,
        container=clues.container,
    )


def _platform(system: str, machine: str) -> Platform | None:
    word = _MACHINES.get(machine.lower())
    machines = _ARM if word == "arm" else (word,)
    own = (known for known in PLATFORMS if SYSTEMS[known.os] == system)
    return next((known for known in own if known.machine in machines), None)


def _is_tegra(clues: ProbeResults) -> bool:
    """Tell a Tegra by its kernel, which containers share, its driver, its system, or its board."""
    said = clues.nvidia_smi
    return (
        "tegra" in clues.kernel.lower()
        or (said is not None and "(nvgpu)" in said.out)
        or clues.l4t.startswith("# R")
        or "nvidia,tegra" in clues.device_tree
    )


def _l4t_version(clues: ProbeResults) -> str:
    """Return the version of Jetson Linux: `36.4.3`; empty in a container without it."""
    match = re.match(r"# R([0-9]+) \(release\), REVISION: ([0-9.]+)", clues.l4t)
    return f"{match[1]}.{match[2]}" if match else ""


def _l4t_major(clues: ProbeResults) -> int:
    """Return the major version of Jetson Linux; a container tells by the kernel that it shares."""
    told = _l4t_version(clues).partition(".")[0]
    release = ".".join(clues.kernel.split(".")[:2])
    return int(told) if told else _KERNELS.get(release, 0)


_KERNELS = {"4.9": 32, "5.10": 35, "5.15": 36, "6.8": 38}


def _told(clues: ProbeResults, notes: list[str]) -> list[Hardware] | None:
    """Return what the variables of uv say: as with uv, the first that is set, and nothing else."""
    driver = clues.variables.get(CUDA_VARIABLE)
    if driver is not None:
        if re.fullmatch(_VERSION, driver.strip()):
            return [Hardware("nvidia", driver.strip(), (), CUDA_VARIABLE)]
        notes.append(f"`{CUDA_VARIABLE}` is `{driver}`, which is not a version; uv rejects it")
        return None
    name = clues.variables.get(AMD_VARIABLE)
    if name is not None:
        if re.fullmatch(r"gfx[0-9a-f]{3,5}", name.strip()):
            return [Hardware("amd", None, (Gpu("", name.strip()),), AMD_VARIABLE)]
        notes.append(
            f"`{AMD_VARIABLE}` is `{name}`, which is not an architecture such as `gfx1100`; "
            "uv rejects it"
        )
    return None


def _nvidia(clues: ProbeResults) -> Hardware | None:  # noqa: PLR0911 - one return a source
    """Read what NVIDIA's tool says, else what its kernel module says."""
    said = clues.nvidia_smi
    if said is not None and said.status == 0:
        driver, gpus = parse_nvidia_smi(said.out)
        if driver is not None:
            return Hardware("nvidia", driver, gpus, "nvidia-smi")
    loaded = nvidia_version(clues.nvidia_module) or nvidia_version(clues.nvidia_proc)
    found = _found(clues, "nvidia")
    if (loaded or found) and _is_kept_out(clues, "nvidiactl"):
        problem = f"{_NO_ACCESS} `docker run --gpus all`"
        return Hardware("nvidia", loaded, found, "the kernel", problem=problem)
    doubt = f"nvidia-smi {said.err or 'gave no usable output'}" if said else None
    if said is not None and said.status:
        problem = f"nvidia-smi failed: {_first_line(said) or f'status {said.status}'}"
        return Hardware("nvidia", loaded, found, "nvidia-smi", problem=problem)
    if loaded is not None:
        return Hardware("nvidia", loaded, found, "the kernel module", doubt=doubt)
    if doubt is not None:
        return Hardware("nvidia", None, found, "nvidia-smi", problem=doubt)
    if found:
        problem = "NVIDIA GPU found, but no NVIDIA driver is loaded"
        return Hardware("nvidia", None, found, "the PCI bus", problem=problem)
    return None


_NO_ACCESS = "this container has no access to the GPU; start it with"


def _is_kept_out(clues: ProbeResults, node: str) -> bool:
    """Tell whether a container was started without a device, of which the kernel's files tell."""
    return clues.container and node not in clues.nodes and "microsoft" not in clues.kernel.lower()


def _found(clues: ProbeResults, maker: str) -> tuple[Gpu, ...]:
    """Return the GPUs of a maker by what the bus and its lists say."""
    return (_models(clues) if maker == "nvidia" else ()) or tuple(_on_the_bus(clues, maker))


def _on_the_bus(clues: ProbeResults, maker: str) -> Iterator[Gpu]:
    for number, _ in _ids(clues, maker):
        pci = f"{_IDS[maker]}:{number}"
        yield Gpu(clues.names.get(pci, ""), None, pci)


def _tegra(clues: ProbeResults) -> Hardware:
    """Read what a Jetson tells: its tool came late, and answers `N/A` to much."""
    loaded = nvidia_version(clues.nvidia_module) or nvidia_version(clues.nvidia_proc)
    said = clues.nvidia_smi
    text = said.out if said is not None and said.status == 0 else ""
    driver, gpus = parse_nvidia_smi(re.sub(r"(?m)^\[?N/A\]?(?=,)", _NO_VERSION, text))
    known = loaded or (driver if driver != _NO_VERSION else None)
    return Hardware("nvidia", known, gpus or (Gpu("Tegra", None),), "the kernel")


_NO_VERSION = "0"


def parse_nvidia_smi(text: str) -> tuple[str | None, tuple[Gpu, ...]]:
    """Read `driver_version,compute_cap,name`, or the same without its middle, a line per GPU.

    >>> parse_nvidia_smi("580.65.06, 9.0, NVIDIA H100 PCIe")
    ('580.65.06', (Gpu(name='NVIDIA H100 PCIe', level='9.0'),))
    """
    driver: str | None = None
    gpus: list[Gpu] = []
    for line in text.splitlines():
        version, *rest = (part.strip() for part in line.split(","))
        if not re.fullmatch(_VERSION, version):
            continue
        driver = driver or version
        level = None
        if rest and re.fullmatch(r"[0-9]{1,3}\.[0-9]{1,3}|\[.*\]|N/A", rest[0]):
            level = rest[0] if rest[0][0].isdigit() else None
            rest = rest[1:]
        if rest:
            gpus.append(Gpu(", ".join(rest), level))
    return driver, tuple(gpus)


def nvidia_version(text: str) -> str | None:
    """Return the driver's version from one of the two files of its kernel module."""
    first = text.strip().partition("\n")[0]
    # Three parts, or two in a line that has other numbers: `375.74` before `Wed Jun 14`.
    match = re.fullmatch(_VERSION, first) or re.search(rf"\s\s({_VERSION})(?=\s)", first)
    return match[match.lastindex or 0] if match else None


def _models(clues: ProbeResults) -> tuple[Gpu, ...]:
    found = (re.search(r"^Model:[ \t]*(\S.*)$", text, re.MULTILINE) for text in clues.nvidia_models)
    return tuple(Gpu(match[1].strip(), None) for match in found if match)


def _amd(clues: ProbeResults) -> Hardware | None:
    """Read the nodes of AMD's compute driver, else what `rocminfo` says."""
    gpus = tuple(gpu for text in clues.kfd if (gpu := _kfd_gpu(text, clues)))
    if gpus and _is_kept_out(clues, "kfd"):
        problem = f"{_NO_ACCESS} `--device=/dev/kfd --device=/dev/dri`"
        return Hardware("amd", "amdgpu", gpus, "the kernel", problem=problem)
    if gpus:
        return Hardware("amd", "amdgpu", gpus, "the kernel")
    said = clues.rocminfo
    if said is not None and said.status == 0 and (gpus := tuple(parse_rocminfo(said.out))):
        return Hardware("amd", None, gpus, "rocminfo")
    gpus = _found(clues, "amd")
    if clues.display and gpus:
        # PyTorch's builds for ROCm are Linux's; nothing more is worth knowing here.
        return Hardware("amd", None, gpus, "the registry")
    if gpus:
        doubt = f"; rocminfo {said.err}" if said is not None and said.status is None else ""
        problem = f"AMD GPU found, but the ROCm driver does not list it{doubt}"
        return Hardware("amd", None, gpus, "the PCI bus", problem=problem)
    return None


def _kfd_gpu(properties: str, clues: ProbeResults) -> Gpu | None:
    """Return the GPU of a node, called as the system's lists call its PCI device."""
    level = kfd_name(properties)
    if level is None:
        return None
    match = re.search(r"^device_id[ \t]+([0-9]{1,6})$", properties, re.MULTILINE)
    pci = f"{_IDS['amd']}:{int(match[1]):04x}" if match else None
    told = _gfx_of(clues.variables.get(OVERRIDE_VARIABLE, ""))
    return Gpu(clues.names.get(pci or "", ""), told or level, pci)


def _gfx_of(version: str) -> str | None:
    """Return the GPU that ROCm is told to take every GPU for: `10.3.0` is gfx1030."""
    match = re.fullmatch(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{1,2})", version.strip())
    return f"gfx{match[1]}{int(match[2]):x}{int(match[3]):x}" if match else None


def kfd_name(properties: str) -> str | None:
    """Return the name of a node's GPU: `90010` is gfx90a. A processor has 0.

    >>> kfd_name("gfx_target_version 90010")
    'gfx90a'
    """
    match = re.search(r"^gfx_target_version[ \t]+([0-9]{5,6})$", properties, re.MULTILINE)
    if match is None:
        return None
    number = int(match[1])
    return f"gfx{number // 10000}{number // 100 % 100:x}{number % 100:x}"


def parse_rocminfo(text: str) -> Iterator[Gpu]:
    """Yield the GPUs among the agents that `rocminfo` lists."""
    for agent in re.split(r"^Agent [0-9]+", text, flags=re.MULTILINE)[1:]:
        name = re.search(r"^[ \t]*Name:[ \t]*(gfx[0-9a-f]{3,5})\b", agent, re.MULTILINE)
        title = re.search(r"^[ \t]*Marketing Name:[ \t]*(\S.*)$", agent, re.MULTILINE)
        if name:
            yield Gpu(title[1].strip() if title else "", name[1])


def _intel(clues: ProbeResults) -> Hardware | None:
    ids = _ids(clues, "intel")
    if not ids:
        return None
    bound = [driver for _, driver in ids if driver]
    gpus = tuple(
        gpu._replace(level=number)
        for gpu, (number, _) in zip(_on_the_bus(clues, "intel"), ids, strict=True)
    )
    source = "the registry" if clues.display else "the PCI bus"
    problem = None if bound else "Intel GPU found, but no driver is bound to it"
    if bound and _is_kept_out(clues, "dri"):
        problem = f"{_NO_ACCESS} `--device=/dev/dri`"
    return Hardware("intel", bound[0] if bound else None, gpus, source, problem=problem)


def _ids(clues: ProbeResults, maker: str) -> list[tuple[str, str]]:
    """Return the PCI device ids of a maker's graphics devices, each with its driver."""
    found = [
        (device.device.lower().removeprefix("0x"), device.driver)
        for device in clues.pci
        if _VENDORS.get(device.vendor.lower()) == maker
    ]
    for adapter in clues.display:
        vendor, _, number = (adapter_id(adapter) or "").partition(":")
        if _VENDORS.get(f"0x{vendor}") == maker:
            found.append((number, "provided by Windows"))
    return found


def _first_line(said: ProcessOutput) -> str:
    lines = [line.strip() for line in f"{said.out}\n{said.err}".splitlines()]
    return next(filter(None, lines), "").rstrip(".")
