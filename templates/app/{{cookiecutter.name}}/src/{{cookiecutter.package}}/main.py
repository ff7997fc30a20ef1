"""The command line."""

from __future__ import annotations

import argparse

import torch


def best_device() -> torch.device:
    """Return the accelerator of this machine that torch can use, or the CPU."""
    # ROCm builds use the name `cuda` too.
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.xpu.is_available():
        return torch.device("xpu")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def power(size: int, device: torch.device) -> float:
    """Return the largest entry of a random matrix times itself."""
    matrix = torch.rand(size, size, device=device)
    return float((matrix @ matrix).max())


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256)
    options = parser.parse_args()
    device = best_device()
    print(f"torch {torch.__version__} on {device}: {power(options.size, device):.3f}")
