"""Scaling of batches."""

from __future__ import annotations

import torch


def standardize(batch: torch.Tensor, eps: float = 1e-6) -> torch.Tensor:
    """Return a batch with mean 0 and deviation 1 in each column.

    Args:
        batch: Rows are samples, columns are features.
        eps: Added to the deviation, so that a constant column gives 0.
    """
    mean = batch.mean(dim=0, keepdim=True)
    deviation = batch.std(dim=0, keepdim=True, unbiased=False)
    return (batch - mean) / (deviation + eps)
