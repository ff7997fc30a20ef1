"""The machines that were recorded, and programs that stand in for those of a driver."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import Any

from tests.support.paths import TESTS
from torchconf.machine import ProbeResults
from torchconf.machine.probe import Pci, ProcessOutput

MACHINES = sorted((TESTS / "machines").glob("*.toml"))


SAID = ("nvidia_smi", "rocminfo", "arm64")


def record(name: str) -> tuple[ProbeResults, dict[str, Any]]:
    """Return the clues of a recorded machine, and what is expected of them."""
    path = TESTS / "machines" / f"{name}.toml"
    data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    expected = data.pop("expected")
    for key in SAID:
        if key in data:
            said = data[key]
            data[key] = ProcessOutput(said.get("status"), said.get("out", ""), said.get("err", ""))
    data["pci"] = tuple(Pci(**device) for device in data.get("pci", ()))
    values: Any = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    return ProbeResults(**values), expected


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
