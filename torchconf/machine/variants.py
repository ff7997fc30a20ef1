"""What uv's preview of wheel variants chooses on this machine.

Tried with uv 0.13.9: its provider for NVIDIA compares the CUDA version of the driver with what a
wheel asks for, and takes the newest that is met; where none is, the wheel for no GPU (the null
variant), or else the ordinary one. `uv lock` passes over all variants, whatever the preview says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.machine.hardware import TITLES
from torchconf.model.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torchconf.catalog import Catalog
    from torchconf.machine.fitting import Fit
    from torchconf.machine.hardware import Machine

__all__ = ["FEATURE", "SINCE", "VariantChoice", "variant_choice"]

FEATURE = "wheel-variants"
SINCE = "0.13.4"
"""The first uv with the preview."""
_PROVIDER = "nvidia"
"""The one of uv's providers that knows of GPUs."""


class VariantChoice(NamedTuple):
    """The build that is taken of a package that has variants for GPUs."""

    build: str | None
    """`CUDA 13`: the newest that the package has for it; None: the one for no GPU."""
    reason: str

    @property
    def words(self) -> str:
        """Say it in one line."""
        build = f"a {self.build} build" if self.build else "the build without GPU support"
        return f"{build} ({self.reason})"

    def data(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {"build": self.build, "reason": self.reason}


def variant_choice(machine: Machine, fits: Iterable[Fit], catalog: Catalog) -> VariantChoice:
    """Tell what `uv pip install --preview-features wheel-variants` takes on a machine.

    Args:
        machine: It.
        fits: The judgements of `torchconf.machine.fits` about it.
        catalog: For what needs which driver.
    """
    found = machine.of(_PROVIDER)
    if found is None:
        others = [TITLES.get(one.maker, one.maker) for one in machine.hardware]
        if others:
            return VariantChoice(None, f"uv does not know {' and '.join(others)} GPUs")
        return VariantChoice(None, "no NVIDIA driver was found")
    if found.problem is not None or found.driver is None:
        return VariantChoice(None, found.problem or "the version of the NVIDIA driver is not known")
    majors = [
        fit.backend.version[0]
        for fit in fits
        if fit.fits and fit.backend.version and catalog.maker(fit.backend.accelerator) == _PROVIDER
    ]
    if not majors:
        return VariantChoice(None, f"no CUDA build is known to run with driver {found.driver}")
    return VariantChoice(f"CUDA {max(majors)}", f"driver {found.driver}")
