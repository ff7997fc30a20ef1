"""Whether the builds of others are for a machine: where PyTorch has none for its GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchconf.catalog import Catalog
    from torchconf.catalog.families import Family, Fit
    from torchconf.machine.hardware import Hardware, Machine
    from torchconf.model.backends import Accelerator, Backend
    from torchconf.model.targets import Platform

__all__ = ["judge_others"]


def judge_others(
    machine: Machine, platform: Platform, accelerator: Accelerator, catalog: Catalog
) -> Iterator[tuple[Backend, bool | None, str]]:
    """Judge the builds of a family that are made for machines like this one, and no others.

    Yields:
        The build, whether it works here (None: nobody knows), and why.
    """
    family = catalog.family_named(accelerator.family)
    hardware = machine.of(catalog.maker(accelerator.name) or "")
    if family is None or hardware is None or bool(family.where) != machine.jetson:
        return
    made = {fit.url: fit for fit in family.fits if _is_made_for(fit, hardware, platform)}
    for backend in catalog.newest_first(accelerator.name):
        if fit := made.get(catalog.folder(backend)):
            yield (backend, *_judge(machine, hardware, family, fit))


def _is_made_for(fit: Fit, hardware: Hardware, platform: Platform) -> bool:
    return (fit.maker, fit.platform) == (hardware.maker, platform.key)


def _judge(
    machine: Machine, hardware: Hardware, family: Family, fit: Fit
) -> tuple[bool | None, str]:
    if hardware.problem is not None:
        return False, hardware.problem
    if fit.jetson is not None and not machine.l4t:
        return None, "the version of Jetson Linux is unknown"
    if fit.jetson is not None and fit is not family.fit_for(machine.l4t):
        return False, f"not made for Jetson Linux {machine.l4t}"
    levels = [gpu.level for gpu in hardware.gpus if gpu.level]
    if family.gpus and levels and not set(levels) & set(family.gpus):
        return None, f"no packages for {', '.join(levels)} are known"
    known = ", ".join(dict.fromkeys(levels)) or f"driver {hardware.driver or 'unknown'}"
    return True, f"{known}; {family.sure}"
