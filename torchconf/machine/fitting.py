"""Which builds fit a machine, and in words why not; what each build needs is the catalog's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchconf.machine.hardware import TITLES
from torchconf.machine.others import judge_others
from torchconf.model.named_tuple import NamedTuple
from torchconf.model.targets import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.catalog import Catalog
    from torchconf.machine.hardware import Gpu, Hardware, Machine
    from torchconf.model.backends import Backend
    from torchconf.model.targets import Platform

ORDER = (True, None, False)
"""What fits comes first, then what nobody knows, then what does not."""
_JETSON = "PyTorch's CUDA builds are not made for Jetson, which needs NVIDIA's wheels"
_LIKE_SERVERS = "built for this GPU, but not for Jetson, which has wheels of NVIDIA's own"
_THOR = "11.0"
_CUDA_WITH_THOR = (13,)
_WSL = (
    "WSL has no GPU; if Windows has one, install its driver in Windows, not in WSL, and run "
    "`wsl --update`"
)
_JETSON_WHEELS = "NVIDIA's wheels for Jetson"

Judgement = tuple[bool | None, str]


class Fit(NamedTuple):
    """Whether a build works on a machine."""

    target: Target
    fits: bool | None
    """None: the catalog does not know what the build needs."""
    reason: str
    current: bool
    """Whether the build's line goes on, with torch releases to come."""

    @property
    def backend(self) -> Backend:
        """The build."""
        return self.target.backend


def fits(machine: Machine, catalog: Catalog) -> tuple[Fit, ...]:
    """Judge every build that is published for a machine's platform.

    Returns:
        What fits, the best first: builds for a GPU before the one without, lines that go on
        before those that have ended, newer before older. Then what is not known, then what does
        not fit, in the same order. Empty if PyTorch publishes nothing for the platform.
    """
    platform = machine.platform
    if platform is None:
        return ()
    found: list[Fit] = []
    for accelerator in catalog.accelerators:
        if accelerator.family:
            found += (
                Fit(Target(platform, backend), answer, reason, current=True)
                for backend, answer, reason in judge_others(machine, platform, accelerator, catalog)
            )
            continue
        for backend in catalog.newest_first(accelerator.name):
            if _is_published(backend, platform, catalog):
                answer, reason = _judge(machine, platform, backend, catalog)
                current = catalog.ended(backend) is None
                # Of the lines that ended long ago nobody collected what they need.
                if answer is not None or current:
                    found.append(Fit(Target(platform, backend), answer, reason, current))
    return tuple(
        sorted(
            found,
            key=lambda fit: (
                ORDER.index(fit.fits), catalog.maker(fit.backend.accelerator) is None,
                not fit.current,
            ),
        )
    )  # fmt: skip


def _is_published(backend: Backend, platform: Platform, catalog: Catalog) -> bool:
    return platform.key in catalog.accelerator(backend).platforms and any(
        catalog.seen(catalog.main_package, version, backend, platform)
        for version in catalog.versions(catalog.main_package)
    )


def _judge(  # noqa: PLR0911 - one return a reason
    machine: Machine, platform: Platform, backend: Backend, catalog: Catalog
) -> Judgement:
    if machine.libc == "musl":
        return False, "PyTorch publishes no wheels for musl"
    maker = catalog.maker(backend.accelerator)
    if maker is None:
        return True, _without_gpu(machine, platform, catalog)
    if machine.jetson and maker == "nvidia":
        return _judge_jetson(machine, platform, backend, catalog)
    hardware = machine.of(maker)
    if hardware is None:
        return False, f"no {TITLES.get(maker, maker)} GPU found"
    if hardware.problem is not None:
        return False, hardware.problem
    if maker == "nvidia":
        return _judge_nvidia(machine, platform, hardware, backend, catalog)
    if maker == "amd":
        return _judge_amd(hardware, backend, catalog)
    return _judge_intel(hardware, backend, catalog)


def _without_gpu(machine: Machine, platform: Platform, catalog: Catalog) -> str:
    if platform.os != "macos":
        return "needs no GPU"
    ended = catalog.platform_end(platform)
    if ended is not None:
        return f"torch {ended} is the last release for this machine"
    newest = catalog.releases[0]
    minimum = catalog.macos_minimum(newest)
    # A Python that was built long ago is told that macOS is 10.16.
    if minimum and machine.macos and _older(machine.macos, minimum) and machine.macos != "10.16":
        return f"includes MPS; torch {newest} requires macOS {minimum}, this is {machine.macos}"
    return "includes MPS"


def _judge_jetson(
    machine: Machine, platform: Platform, backend: Backend, catalog: Catalog
) -> Judgement:
    """Judge a build on a Tegra: since Thor some are made for its GPU, but for other systems."""
    hardware = machine.of("nvidia")
    levels = [gpu.level for gpu in hardware.gpus if gpu.level] if hardware else []
    minimum = catalog.drivers(backend).get(platform.os)
    if (
        hardware is None
        or backend.version < _CUDA_WITH_THOR
        or not levels
        or any(_older(level, _THOR) for level in levels)
        or not (minimum and hardware.driver and not _older(hardware.driver, minimum))
    ):
        return False, _JETSON
    return None, _LIKE_SERVERS


def _judge_nvidia(
    machine: Machine, platform: Platform, hardware: Hardware, backend: Backend, catalog: Catalog
) -> Judgement:
    # Inside WSL the driver is the one of Windows, and has its version.
    minimum = catalog.drivers(backend).get("windows" if machine.wsl else platform.os)
    if minimum is None or hardware.driver is None:
        return None, f"{'required' if minimum is None else 'installed'} driver unknown"
    if _older(hardware.driver, minimum):
        return False, f"driver {hardware.driver} is older than {minimum}"
    built = catalog.capability(backend, platform)
    known = [gpu for gpu in hardware.gpus if gpu.level]
    for gpu in known if built else ():
        lowest, highest = built or (None, None)
        told = _generation(gpu.level, backend.accelerator, catalog)
        told = f"{gpu.name} ({told})" if gpu.name else told
        if lowest and _older(gpu.level or "", lowest):
            least = _generation(lowest, backend.accelerator, catalog)
            return False, f"{told} is older than {least}"
        if highest and _older(highest, gpu.level or ""):
            most = _generation(highest, backend.accelerator, catalog)
            return False, f"{told} is newer than {most}"
    levels = dict.fromkeys(_generation(gpu.level, backend.accelerator, catalog) for gpu in known)
    if not levels or len(known) < len(hardware.gpus):
        return True, f"driver {hardware.driver}; compute capability unknown"
    return True, f"driver {hardware.driver}, {', '.join(levels)}"


def _judge_amd(hardware: Hardware, backend: Backend, catalog: Catalog) -> Judgement:
    built = catalog.architectures(backend)
    if not built:
        return None, "supported GPUs unknown"
    levels = list(dict.fromkeys(gpu.level for gpu in hardware.gpus if gpu.level))
    served = [level for level in levels if level in built]
    others = [level for level in levels if level not in built]
    if not served:
        return False, f"not built for {', '.join(others)}"
    # The graphics inside of a processor are listed too, and are not what anybody wants to use.
    return True, ", ".join(served) + (f"; not built for {', '.join(others)}" if others else "")


def _judge_intel(hardware: Hardware, backend: Backend, catalog: Catalog) -> Judgement:
    levels = dict.fromkeys(gpu.level for gpu in hardware.gpus if gpu.level)
    names = [
        f"{name} ({level})"
        for level in levels
        if (name := catalog.device(backend.accelerator, level)) is not None
    ]
    if not names:
        return False, f"Intel GPU {', '.join(levels)} is not supported by PyTorch"
    return True, ", ".join(names)


def _generation(level: str | None, accelerator: str, catalog: Catalog) -> str:
    """Return a compute capability with the name of its generation: `Pascal 6.1`."""
    if level is None:
        return ""
    names = [name for lowest, name in catalog.generations(accelerator) if not _older(level, lowest)]
    return f"{names[-1]} {level}" if names else level


def spoken_gpu(gpu: Gpu, maker: str, catalog: Catalog) -> str:
    """Return what a GPU is called, and what builds are made for: `Arc B580 (e20b)`.

    Where nothing on the machine tells the name, the catalog may know it by the PCI id.
    """
    accelerators = (one.name for one in catalog.accelerators if catalog.maker(one.name) == maker)
    accelerator = next(accelerators, "")
    number = (gpu.pci or "").partition(":")[2]
    level = _generation(gpu.level, accelerator, catalog)
    name = gpu.name or catalog.device(accelerator, number) or ""
    if not name and number:
        name, level = f"PCI device {number}", level if level != number else ""
    return f"{name} ({level})" if name and level else name or level


def needs(backend: Backend, platform: Platform, catalog: Catalog) -> str:
    """Return what a build needs, for a person who chooses: `driver 580 or newer, Turing and later`.

    Empty where nothing is known.
    """
    maker = catalog.maker(backend.accelerator)
    if maker is None:
        return "any Apple silicon, MPS included" if platform.key == "macos-arm64" else "any machine"
    parts: list[str] = []
    if minimum := catalog.drivers(backend).get(platform.os):
        parts.append(f"driver {minimum} or newer")
    lowest, highest = catalog.capability(backend, platform) or (None, None)
    if lowest:
        least = _name(_generation(lowest, backend.accelerator, catalog))
        most = _name(_generation(highest, backend.accelerator, catalog))
        parts.append(f"{least} to {most}" if highest and most != least else f"{least} and later")
    if built := catalog.architectures(backend):
        parts.append(f"{TITLES.get(maker, maker)} {built[0]} to {built[-1]}")
    return ", ".join(parts) or f"{TITLES.get(maker, maker)} GPUs"


def _name(generation: str) -> str:
    return generation.partition(" ")[0]


def machine_notes(machine: Machine, catalog: Catalog) -> tuple[str, ...]:
    """Return what else a person should know of this machine."""
    return tuple(_notes(machine, catalog))


def _notes(machine: Machine, catalog: Catalog) -> Iterator[str]:
    yield from machine.notes
    yield from (found.doubt for found in machine.hardware if found.doubt)
    if machine.platform is None:
        yield "PyTorch publishes no wheels for this machine"
        return
    if machine.rosetta:
        ended = catalog.platform_end(machine.platform._replace(machine="x86_64"))
        yield (
            f"this Python is x86_64, and torch {ended} is the last release with x86_64 wheels: "
            "use an arm64 Python"
        )
    if machine.jetson:
        yield _for_jetson(machine, catalog)
    if machine.wsl and not machine.hardware:
        yield _WSL
    if machine.emulated:
        yield "environments created with this Python get windows-x86_64 wheels"
    for found in machine.hardware:
        for accelerator in catalog.accelerators:
            if (
                not accelerator.family
                and catalog.maker(accelerator.name) == found.maker
                and machine.platform.key not in accelerator.platforms
            ):
                text = f"PyTorch publishes no {accelerator.title} build for {machine.platform.key}"
                other = catalog.elsewhere(found.maker, machine.platform)
                yield f"{text}; {other}" if other else text
        yield from _together(machine, found, catalog)
        yield from _instead(machine, found, catalog)


_ADD = "add it as an index, and a source for torch"


def _for_jetson(machine: Machine, catalog: Catalog) -> str:
    """Say where the wheels for a Jetson are: at the index of its system, if that is known."""
    here = machine.platform
    found = catalog.elsewhere("nvidia", here, machine.l4t) if here else None
    hosts = (
        f"{family.wheels} are at `{family.at[0]}`"
        for family in catalog.families
        if any(fit.jetson is not None for fit in family.fits)
    )
    return found or f"{next(hosts, _JETSON_WHEELS)}: {_ADD}"


def _instead(machine: Machine, found: Hardware, catalog: Catalog) -> Iterator[str]:
    """Name what makes ROCm take a GPU that no build is made for as one of those."""
    if found.maker != "amd" or found.problem or _best(machine, found, catalog):
        return
    for gpu in found.gpus:
        if other := _elsewhere_for(gpu, machine.platform, catalog):
            yield other
        if told := catalog.override("rocm", gpu.level or ""):
            yield (
                f"no ROCm build is made for {gpu.level}; not supported by AMD, but often used: "
                f"`HSA_OVERRIDE_GFX_VERSION={told}`"
            )


def _elsewhere_for(gpu: Gpu, platform: Platform | None, catalog: Catalog) -> str | None:
    """Say where others have packages for a GPU that no build of PyTorch's is made for."""
    for accelerator in catalog.accelerators:
        family = catalog.family_named(accelerator.family)
        if (
            platform
            and family
            and accelerator.word
            and platform.key in accelerator.platforms
            and gpu.level in family.gpus
        ):
            return (
                f"{family.by} has packages for {gpu.level} ({family.sure}): target "
                f"`{platform.short}-{accelerator.name}` with `--gpu {gpu.level}`"
            )
    return None


def _together(machine: Machine, found: Hardware, catalog: Catalog) -> Iterator[str]:
    """Say what each GPU would fit where no build fits them all."""
    levels = {gpu.level: gpu for gpu in found.gpus if gpu.level}
    if found.maker != "nvidia" or len(levels) < 2 or _best(machine, found, catalog):  # noqa: PLR2004 - one GPU is always together
        return
    alone = {
        gpu.name: _best(machine, found._replace(gpus=(gpu,)), catalog) for gpu in levels.values()
    }
    if all(alone.values()):
        each = ", ".join(f"{build} supports {name}" for name, build in alone.items())
        yield f"no build supports all of these GPUs; hide some with `CUDA_VISIBLE_DEVICES`: {each}"


def _best(machine: Machine, hardware: Hardware, catalog: Catalog) -> str | None:
    """Return the best build for some GPUs, if any but the one without a GPU fits."""
    one = machine._replace(hardware=(hardware,))
    return next(
        (
            fit.backend.name
            for fit in fits(one, catalog)
            if fit.fits and catalog.maker(fit.backend.accelerator) == hardware.maker
        ),
        None,
    )


def _older(version: str, than: str) -> bool:
    return _parts(version) < _parts(than)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part[:9]) for part in version.split(".") if part.isdecimal())
