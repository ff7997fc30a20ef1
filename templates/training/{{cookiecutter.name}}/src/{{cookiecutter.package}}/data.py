"""The data: two noisy rings, made from a seed."""

from __future__ import annotations

import torch
from torch.utils.data import TensorDataset


def rings(samples: int, seed: int) -> TensorDataset:
    """Return points and the ring that each is on.

    Returns:
        Points of shape (samples, 2), and labels 0 or 1 of shape (samples,).
    """
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 2, (samples,), generator=generator)
    angles = torch.rand(samples, generator=generator) * 2 * torch.pi
    radii = 1.0 + labels + 0.1 * torch.randn(samples, generator=generator)
    points = torch.stack((radii * angles.cos(), radii * angles.sin()), dim=1)
    return TensorDataset(points, labels)
