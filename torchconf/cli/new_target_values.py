"""What the files of a new project say of its targets: containers, README."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchconf.layout.selection import hints
from torchconf.report.ci_matrix import published_build
from torchconf.report.outcome import install_choices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchconf.catalog import Catalog
    from torchconf.model.targets import Target
    from torchconf.planner import Outcome

DEVICES = {
    "nvidia": "--gpus all",
    "amd": "--device=/dev/kfd --device=/dev/dri",
    "intel": "--device=/dev/dri",
}
"""What gives a container the GPUs of a maker."""


def target_values(outcome: Outcome, catalog: Catalog, name: str) -> dict[str, Any]:
    """Return what the shared templates name.

    Args:
        outcome: The plan of the torch tables.
        catalog: For the makers of GPUs, and for the family.
        name: Of the project.
    """
    return {
        "commands": [
            {"target": str(target), "command": chosen.command()}
            for target, chosen in install_choices(outcome)
        ],
        "hints": list(hints(outcome.scopes, outcome.default, by_machine=outcome.by_machine)),
        "docker": _docker(outcome.targets, catalog, name),
        "family": sorted(catalog.family),
    }


def _docker(targets: Sequence[Target], catalog: Catalog, name: str) -> dict[str, Any] | None:
    """Return what to say of containers: a row for each target on Linux, those with a GPU first."""
    on_linux = [target for target in targets if target.platform.os == "linux"]
    rows = [(target, _devices(target, catalog)) for target in on_linux]
    rows.sort(key=lambda row: not row[1])
    if not rows:
        return None
    return {
        "target": str(rows[0][0]),
        "has_devices": any("/dev/dri" in devices for _, devices in rows),
        "has_intel": any(devices == DEVICES["intel"] for _, devices in rows),
        "rows": [
            {
                "target": str(target),
                "run": " ".join(["docker run --rm", *([devices] if devices else []), name]),
            }
            for target, devices in rows
        ],
    }


def _devices(target: Target, catalog: Catalog) -> str:
    accelerator = published_build(target, catalog).accelerator
    return DEVICES.get(catalog.maker(accelerator) or "", "")
