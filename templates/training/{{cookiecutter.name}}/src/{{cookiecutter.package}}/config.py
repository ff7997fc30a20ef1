"""What a run is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """The settings of one run; every one is a flag of the command line."""

    epochs: int = 5
    batch_size: int = 64
    learning_rate: float = 1e-2
    hidden: int = 32
    samples: int = 1024
    seed: int = 0
    output: Path = Path("checkpoints")
