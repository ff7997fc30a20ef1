"""This machine: what it is, which builds fit it, and what an environment on it holds.

`this_machine` probes the machine and interprets the results; `fits` judges every build that PyTorch
publishes for its platform. Neither raises, waits for long, or needs a GPU.
"""

from __future__ import annotations

from torchconf.machine.fitting import Fit, fits, machine_notes, needs, spoken_gpu
from torchconf.machine.hardware import Gpu, Hardware, Machine, read_machine
from torchconf.machine.probe import ProbeResults, probe_machine

__all__ = [
    "Fit",
    "Gpu",
    "Hardware",
    "Machine",
    "ProbeResults",
    "fits",
    "machine_notes",
    "needs",
    "probe_machine",
    "read_machine",
    "spoken_gpu",
    "this_machine",
]


def this_machine() -> Machine:
    """Return what can be found out about this machine; a few seconds at most."""
    return read_machine(probe_machine())
