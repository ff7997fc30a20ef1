"""The catalog's facts, read for the replica on their own.

The replica judges the catalog too, so it shares no code with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from packaging.version import Version

from tests.support.paths import PACKAGE

FACTS = PACKAGE / "catalog" / "facts"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of wheels.jsonl: the wheels of one version that were seen on one index.

    The version is kept in two parts: `2.13.0` and `cu130`.
    """

    package: str
    release: Version
    local: str
    index: str
    wheels: Mapping[str, Sequence[str]]
    evidence: frozenset[str]


class TorchRelease(NamedTuple):
    """What companions.json says of one torch release.

    `backends` and `aarch64` are index names that the build matrix of PyTorch documents, all of
    them and those with wheels for Linux on aarch64; `pythons` are wheel tags. Empty where
    nothing is documented, as for 2.14. `triton` is the requirement of PyPI's build, `pypi_cuda`
    the CUDA of its Linux wheels by machine.
    """

    release: Version
    companions: Mapping[str, tuple[Version, ...]]
    requires_python: str
    triton: str | None
    pypi_cuda: Mapping[str, str]
    backends: frozenset[str]
    aarch64: frozenset[str]
    pythons: tuple[str, ...]


class Facts(NamedTuple):
    """Everything the replica knows of the outside world."""

    lines: Sequence[Line]
    torches: Mapping[Version, TorchRelease]
    requires: Mapping[str, Any]


def read_facts(folder: Path) -> Facts:
    """Read wheels.jsonl, companions.json and requires.json; their README says what they hold."""
    with (folder / "wheels.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(row) for row in file]
    companions = json.loads((folder / "companions.json").read_text(encoding="utf-8"))
    requires = json.loads((folder / "requires.json").read_text(encoding="utf-8"))
    for release, entry in companions["torch"].items():
        # torchaudio 2.11.0 requires no torch, so that companions.json pairs it with none.
        if release in requires["pypi"]["torchaudio"]:
            entry["torchaudio"] = [release]
    return Facts(
        [
            Line(
                row["package"],
                Version(row["version"].partition("+")[0]),
                row["version"].partition("+")[2],
                row["index"],
                row["wheels"],
                frozenset(row["evidence"]),
            )
            for row in rows
        ],
        {
            Version(release): _torch(Version(release), entry)
            for release, entry in companions["torch"].items()
        },
        requires,
    )


def _torch(release: Version, entry: Mapping[str, Any]) -> TorchRelease:
    documented = entry.get("documented", {})
    return TorchRelease(
        release,
        {
            package: tuple(Version(version) for version in entry[package])
            for package in ("torchvision", "torchaudio")
        },
        entry["requires_python"],
        entry["triton_on_pypi_build"],
        {machine: cuda for machine, cuda in entry["pypi_linux_cuda"].items() if cuda != "cpu"},
        frozenset(
            [cuda_index(cuda) for cuda in documented.get("cuda") or ()]
            + [f"rocm{rocm}" for rocm in documented.get("rocm") or ()]
        ),
        frozenset(
            cuda_index(cuda.removesuffix("-aarch64"))
            for cuda in documented.get("cuda_aarch64_all_channels") or ()
        ),
        tuple("cp" + python.replace(".", "") for python in documented.get("python") or ()),
    )


def cuda_index(cuda: str) -> str:
    """Return the index of a CUDA release: `cu130` for `13.0`."""
    return "cu" + cuda.replace(".", "")
