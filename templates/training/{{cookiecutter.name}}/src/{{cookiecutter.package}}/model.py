"""The model."""

from __future__ import annotations

import torch
from torch import nn


class Classifier(nn.Module):
    """Tells the two rings apart."""

    def __init__(self, hidden: int) -> None:
        """Create the layers, with this many hidden units."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, 2)
        )

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """Return the scores of both rings, of shape (samples, 2)."""
        scores: torch.Tensor = self.layers(points)
        return scores
