"""The settings of a training run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """The settings of one run; each is also a command line flag."""

    epochs: int = 5
    batch_size: int = 64
    learning_rate: float = 1e-2
    hidden: int = 32
    samples: int = 1024
    seed: int = 0
    output: Path = Path("checkpoints")
