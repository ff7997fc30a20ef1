"""The catalog's facts, read for the replica on their own.

The replica judges the catalog too, so it shares no code with it.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
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
    """What pypi.json and matrix.json say of one torch release.

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
    """Read wheels.jsonl, pypi.json, matrix.json and requires.json; their README explains them."""
    with (folder / "wheels.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(row) for row in file]
    matrix = json.loads((folder / "matrix.json").read_text(encoding="utf-8"))["torch"]
    requires = json.loads((folder / "requires.json").read_text(encoding="utf-8"))
    requires["pypi"] = defaultdict(dict)
    for row in json.loads((folder / "pypi.json").read_text(encoding="utf-8"))["releases"]:
        if "requires_dist" in row:
            rows.append(row | {"index": "pypi", "evidence": ["pypi"]})
            requires["pypi"][row["package"]][row["version"]] = row
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
            Version(release): _torch(Version(release), entry, matrix.get(release, {}), requires)
            for release, entry in requires["pypi"]["torch"].items()
            if Version(release) >= min(map(Version, matrix))
        },
        requires,
    )


def _torch(
    release: Version,
    entry: Mapping[str, Any],
    documented: Mapping[str, Any],
    requires: Mapping[str, Any],
) -> TorchRelease:
    triton = [line for line in entry["requires_dist"] if re.match(r"triton\b(?!-)", line)]
    cuda = [
        (match[1], line)
        for line in entry["requires_dist"]
        if (match := re.match(r"(?:cuda-toolkit\b.*|nvidia-cuda-runtime.*)==(\d+[.]\d+)", line))
    ]
    return TorchRelease(
        release,
        {
            package: tuple(
                Version(version)
                for version, other in requires["pypi"][package].items()
                if f"torch=={release}" in other["requires_dist"]
                # torchaudio 2.11.0 requires no torch.
                or (package, version) == ("torchaudio", str(release))
            )
            for package in ("torchvision", "torchaudio")
        },
        entry["requires_python"],
        triton[0] if triton else None,
        {
            machine: number
            for machine in ("x86_64", "aarch64")
            for number, line in cuda
            if machine in line or "platform_machine" not in line
        },
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
