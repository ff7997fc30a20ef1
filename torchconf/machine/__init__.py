"""This machine: what it is, which builds fit it, and what an environment on it holds.

`this_machine` gathers clues and reads them; `fits` judges every build that PyTorch publishes for
its platform. Neither raises, waits for long, or needs a GPU.
"""

from __future__ import annotations

from torchconf.machine.fitting import Fit, fits, needs, remarks
from torchconf.machine.hardware import Gpu, Hardware, Machine, read_machine
from torchconf.machine.probe import Clues, gather

__all__ = [
    "Clues",
    "Fit",
    "Gpu",
    "Hardware",
    "Machine",
    "fits",
    "gather",
    "needs",
    "read_machine",
    "remarks",
    "this_machine",
]


def this_machine() -> Machine:
    """Return what can be found out about this machine; a few seconds at most."""
    return read_machine(gather())
