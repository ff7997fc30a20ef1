"""What files and processes say about this machine: texts, not yet interpreted.

A driver that is broken answers late or never, so no process is waited for longer than its limit.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from torchconf.machine.container import is_container
from torchconf.model.named_tuple import NamedTuple
from torchconf.resolve.programs import find_program

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping, Sequence

LIMIT = 2.0
"""Seconds that a process has to answer."""

_MOURNING = 0.5
_NODES = ("nvidiactl", "kfd", "dxg")
_NAMES = ("usr/share/hwdata/pci.ids", "usr/share/misc/pci.ids")
_AMD_NAMES = ("usr/share/libdrm/amdgpu.ids", "opt/amdgpu/share/libdrm/amdgpu.ids")
_MOST = 100_000
_DISPLAY = "0x03"
_WINDOWS_DISPLAY = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
_SYSTEMS = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}

CUDA_VARIABLE = "UV_CUDA_DRIVER_VERSION"
AMD_VARIABLE = "UV_AMD_GPU_ARCHITECTURE"
OVERRIDE_VARIABLE = "HSA_OVERRIDE_GFX_VERSION"
"""Makes ROCm take a GPU for another one: `10.3.0` is gfx1030."""

_VARIABLES = (CUDA_VARIABLE, AMD_VARIABLE, OVERRIDE_VARIABLE)


class ProcessOutput(NamedTuple):
    """What a process answered."""

    status: int | None
    """Its exit status; None: it could not be started, or was too late."""
    out: str
    err: str
    """Where there is no status: why."""


class Pci(NamedTuple):
    """A graphics device on the PCI bus, in the words of sysfs."""

    vendor: str
    device: str
    driver: str
    """The kernel's driver; empty where none is bound."""
    revision: str = ""


class ProbeResults(NamedTuple):
    """Everything that was found: missing files are empty, missing programs None."""

    system: str = ""
    """`Linux`, `Darwin`, `Windows`, or what Python calls another one."""
    machine: str = ""
    processor: str = ""
    """What Windows says of the processor itself."""
    kernel: str = ""
    libc: str = ""
    """`glibc 2.39`; empty where the C library is another one."""
    musl: bool = False
    """Whether the loader of musl is there."""
    macos: str = ""
    arm64: ProcessOutput | None = None
    """What `sysctl` says of the processor, asked by an x86_64 Python on macOS."""
    variables: Mapping[str, str] = {}
    """The variables by which uv is told of a GPU, or ROCm."""
    nvidia_smi: ProcessOutput | None = None
    nvidia_module: str = ""
    nvidia_proc: str = ""
    nvidia_models: tuple[str, ...] = ()
    kfd: tuple[str, ...] = ()
    """The properties of the nodes that AMD's compute driver lists."""
    rocminfo: ProcessOutput | None = None
    pci: tuple[Pci, ...] = ()
    display: tuple[str, ...] = ()
    r"""The display adapters that Windows has a driver for: `PCI\VEN_8086&DEV_56A0&...`."""
    l4t: str = ""
    """What Jetson Linux says of itself, in `nv_tegra_release`."""
    device_tree: str = ""
    """What a board is compatible with, from the most exact on: `nvidia,p3737-0000+p3701-0005`."""
    names: Mapping[str, str] = {}
    """What the system calls its graphics devices, by PCI id: `1002:1586`."""
    container: bool = False
    """Whether this is a container, which shares the kernel's files but not its devices."""
    nodes: tuple[str, ...] = ()
    """The device nodes of GPUs that are there: `nvidiactl`, `kfd`, `dxg`, `dri`."""


def probe_machine(
    root: str = "/", environment: Mapping[str, str] | None = None, limit: float = LIMIT
) -> ProbeResults:
    """Probe this machine.

    Args:
        root: Where /proc, /sys and the programs outside of PATH are looked for.
        environment: In place of this process's.
        limit: Seconds that each process has.
    """
    variables = os.environ if environment is None else environment
    system = _SYSTEMS.get(sys.platform, sys.platform)
    common = ProbeResults(
        system=system,
        machine=_machine(variables),
        variables={name: variables[name] for name in _VARIABLES if name in variables},
    )
    if system == "Darwin":
        return _look_at_macos(common, limit)
    if system == "Windows":
        adapters = list(_windows_display())
        return common._replace(
            processor=variables.get("PROCESSOR_IDENTIFIER", ""),
            nvidia_smi=_ask_nvidia(_windows_nvidia_smi(variables), limit),
            display=tuple(identity for identity, _ in adapters),
            names={pci: name for identity, name in adapters if (pci := adapter_id(identity))},
        )
    if system == "Linux":
        return _look_at_linux(common, root, variables, limit)
    return common


def ask(words: Sequence[str], limit: float) -> ProcessOutput:
    """Run a process and return its answer; after the limit it is killed, and not waited for."""
    # Imported here: it takes as long as all else on a machine without a GPU.
    import subprocess

    try:
        process = subprocess.Popen(
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return ProcessOutput(None, "", f"cannot be started: {error}")
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        _abandon(process)
        return ProcessOutput(None, "", f"did not answer within {limit:g} s")
    except BaseException:
        _abandon(process)
        raise
    return ProcessOutput(process.returncode, _text(out), _text(err))


def _abandon(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children, and let go of it.

    One that waits inside a broken driver cannot be killed; waiting for it would hang as well.
    """
    import subprocess

    with suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    if sys.platform != "win32":
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    try:
        process.wait(_MOURNING)
    except subprocess.TimeoutExpired:
        process.returncode = -signal.SIGTERM  # else Python warns of a process left behind


def _text(data: bytes) -> str:
    return data[:_MOST].decode("utf-8", errors="replace")


def _machine(variables: Mapping[str, str]) -> str:
    if sys.platform == "win32":
        # `platform.machine` asks a service of Windows, which has been seen to hang.
        names = ("PROCESSOR_ARCHITEW6432", "PROCESSOR_ARCHITECTURE")
        return next((variables[name] for name in names if variables.get(name)), "")
    return os.uname().machine


def _look_at_macos(common: ProbeResults, limit: float) -> ProbeResults:
    # Imported here: only macOS needs it.
    from platform import mac_ver

    translated = common.machine == "x86_64"
    return common._replace(
        macos=mac_ver()[0],
        arm64=ask(["/usr/sbin/sysctl", "-n", "hw.optional.arm64"], limit) if translated else None,
    )


def _look_at_linux(
    common: ProbeResults, root: str, variables: Mapping[str, str], limit: float
) -> ProbeResults:
    wsl = os.path.join(root, "usr/lib/wsl/lib/nvidia-smi")
    rocm = os.path.join(root, "opt/rocm/bin/rocminfo")
    kfd = tuple(_read_all(root, "sys/class/kfd/kfd/topology/nodes", "properties"))
    told = CUDA_VARIABLE in variables or AMD_VARIABLE in variables
    pci = tuple(_displays(root))
    return common._replace(
        kernel=_read(root, "proc/sys/kernel/osrelease"),
        l4t=_read(root, "etc/nv_tegra_release"),
        device_tree=_read(root, "proc/device-tree/compatible").replace("\0", " "),
        libc=_glibc(),
        musl=_has_musl(root),
        nvidia_smi=None if told else _ask_nvidia(_find("nvidia-smi", variables, wsl), limit),
        nvidia_module=_read(root, "sys/module/nvidia/version"),
        nvidia_proc=_read(root, "proc/driver/nvidia/version"),
        nvidia_models=tuple(_read_all(root, "proc/driver/nvidia/gpus", "information")),
        kfd=kfd,
        rocminfo=None if told or kfd else _ask_all(_find("rocminfo", variables, rocm), limit),
        pci=pci,
        names=_pci_names(root, pci),
        container=is_container(root, variables),
        nodes=tuple(_nodes(root)),
    )


def _find(name: str, variables: Mapping[str, str], *places: str) -> str | None:
    """Return the path of a program on PATH, or in one of the places where it may be beside."""
    found = find_program(name, variables.get("PATH", os.defpath))
    return found or next((place for place in places if os.access(place, os.X_OK)), None)


def _windows_nvidia_smi(variables: Mapping[str, str]) -> str | None:
    if CUDA_VARIABLE in variables or AMD_VARIABLE in variables:
        return None
    system = variables.get("SYSTEMROOT", r"C:\Windows")
    programs = variables.get("PROGRAMFILES", r"C:\Program Files")
    places = (
        os.path.join(system, "System32", "nvidia-smi.exe"),
        os.path.join(programs, "NVIDIA Corporation", "NVSMI", "nvidia-smi.exe"),
    )
    return _find("nvidia-smi", variables, *places)


def _ask_nvidia(program: str | None, limit: float) -> ProcessOutput | None:
    if program is None:
        return None
    said = ask([program, "--query-gpu=driver_version,compute_cap,name", *_CSV], limit)
    if said.status and "compute_cap" in said.out + said.err:
        # A driver older than 510 does not know the field.
        return ask([program, "--query-gpu=driver_version,name", *_CSV], limit)
    return said


_CSV = ("--format=csv,noheader",)


def _ask_all(program: str | None, limit: float) -> ProcessOutput | None:
    return None if program is None else ask([program], limit)


def _glibc() -> str:
    if sys.platform == "win32":
        return ""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (OSError, ValueError):  # another C library does not know the name
        return ""


def _has_musl(root: str) -> bool:
    with suppress(OSError):
        return any(name.startswith("ld-musl-") for name in os.listdir(os.path.join(root, "lib")))
    return False


def _read(*parts: str) -> str:
    try:
        with open(os.path.join(*parts), encoding="utf-8", errors="replace") as file:
            return file.read(_MOST)
    except OSError:
        return ""


def _read_all(root: str, folder: str, name: str) -> Iterator[str]:
    """Yield a file of each folder inside one: those with numbers for names in their order."""
    with suppress(OSError):
        parent = os.path.join(root, folder)
        for child in sorted(os.listdir(parent), key=lambda one: (len(one), one)):
            if text := _read(parent, child, name):
                yield text


def _displays(root: str) -> Iterator[Pci]:
    with suppress(OSError):
        parent = os.path.join(root, "sys/bus/pci/devices")
        for child in sorted(os.listdir(parent)):
            place = os.path.join(parent, child)
            if _read(place, "class").startswith(_DISPLAY):
                driver = os.path.join(place, "driver")
                bound = os.path.basename(os.path.realpath(driver)) if os.path.exists(driver) else ""
                vendor, device, revision = (
                    _read(place, name).strip() for name in ("vendor", "device", "revision")
                )
                yield Pci(vendor, device, bound, revision)


def _pci_names(root: str, devices: Sequence[Pci]) -> dict[str, str]:
    """Return what the lists of a Linux call its graphics devices: AMD's own is the more exact."""
    wanted = {
        f"{_digits(one.vendor)}:{_digits(one.device)}": _digits(one.revision) for one in devices
    }
    found: dict[str, str] = {}
    for line in _lines(root, *_AMD_NAMES) if any(pci.startswith("1002:") for pci in wanted) else ():
        device, _, rest = line.partition(",")
        revision, _, name = rest.partition(",")
        pci = f"1002:{device.strip().lower()}"
        if name.strip() and wanted.get(pci) == revision.strip().lower():
            found[pci] = name.strip()
    vendor = ""
    for line in _lines(root, *_NAMES) if wanted.keys() - found.keys() else ():
        if line[:1] not in ("", "\t", "#"):
            vendor = line[:4].lower()
        elif line[:1] == "\t" and line[1:2] != "\t":
            device, _, name = line.strip().partition("  ")
            if (pci := f"{vendor}:{device.lower()}") in wanted:
                found.setdefault(pci, _product(name))
    return found


def _product(name: str) -> str:
    """Return what is sold under a name in the list of PCI devices: it stands in brackets.

    >>> _product("Battlemage G21 [Arc B580]")
    'Arc B580'
    """
    match = re.search(r"\[([^\]]+)\]$", name.strip())
    return match[1] if match else name.strip()


def _lines(root: str, *names: str) -> Iterator[str]:
    """Yield the lines of the first file that is there."""
    for name in names:
        with (
            suppress(OSError),
            open(os.path.join(root, name), encoding="utf-8", errors="replace") as file,
        ):
            yield from file
            return


def _digits(number: str) -> str:
    return number.lower().removeprefix("0x")


def _nodes(root: str) -> Iterator[str]:
    """Yield which device nodes of GPUs are there."""
    for name in _NODES:
        if os.path.exists(os.path.join(root, "dev", name)):
            yield name
    with suppress(OSError):
        if any(name.startswith("render") for name in os.listdir(os.path.join(root, "dev/dri"))):
            yield "dri"


_ADAPTER = re.compile(r"PCI\\VEN_([0-9A-F]{4})&DEV_([0-9A-F]{4})", re.IGNORECASE)


def adapter_id(identity: str) -> str | None:
    r"""Return the PCI id of an adapter of Windows.

    >>> adapter_id(r"PCI\VEN_8086&DEV_56A0&SUBSYS_10208086")
    '8086:56a0'
    """
    match = _ADAPTER.match(identity)
    return f"{match[1]}:{match[2]}".lower() if match else None


def _windows_display() -> Iterator[tuple[str, str]]:
    """Yield the hardware ids of the display adapters that have a driver, and their names."""
    if sys.platform != "win32":
        return
    # Imported here: only Windows has it.
    import winreg

    with suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _WINDOWS_DISPLAY) as adapters:
        for number in range(winreg.QueryInfoKey(adapters)[0]):
            with (
                suppress(OSError),
                winreg.OpenKey(adapters, winreg.EnumKey(adapters, number)) as adapter,
            ):
                identity = str(winreg.QueryValueEx(adapter, "MatchingDeviceId")[0])
                name = ""
                with suppress(OSError):
                    name = str(winreg.QueryValueEx(adapter, "DriverDesc")[0])
                yield identity, name
