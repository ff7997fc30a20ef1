"""The training loop. One process uses one device; `torchrun` starts one for each GPU."""

from __future__ import annotations

import argparse
import os
from dataclasses import fields
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, DistributedSampler

from {{ cookiecutter.package }}.config import Config
from {{ cookiecutter.package }}.data import rings
from {{ cookiecutter.package }}.model import Classifier


def best_device() -> torch.device:
    """Return the device of this process: its GPU, Apple's, or the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def train(config: Config, device: torch.device) -> float:
    """Train, write a checkpoint, and return the accuracy on the training data."""
    torch.manual_seed(config.seed)
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1:
        torch.distributed.init_process_group()
    dataset = rings(config.samples, config.seed)
    sampler: DistributedSampler[tuple[torch.Tensor, ...]] | None = None
    if world > 1:
        sampler = DistributedSampler(dataset, seed=config.seed)
    loader = DataLoader(
        dataset, batch_size=config.batch_size, sampler=sampler, shuffle=sampler is None
    )
    classifier = Classifier(config.hidden).to(device)
    model = nn.parallel.DistributedDataParallel(classifier) if world > 1 else classifier
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    for epoch in range(config.epochs):
        if sampler is not None:
            sampler.set_epoch(epoch)
        for points, labels in loader:
            optimizer.zero_grad()
            scores = model(points.to(device))
            loss = nn.functional.cross_entropy(scores, labels.to(device))
            torch.autograd.backward(loss)
            optimizer.step()
    points, labels = dataset.tensors
    with torch.no_grad():
        right = classifier(points.to(device)).argmax(dim=1).cpu() == labels
    if int(os.environ.get("RANK", "0")) == 0:
        config.output.mkdir(parents=True, exist_ok=True)
        torch.save(classifier.state_dict(), config.output / "last.pt")
    if world > 1:
        torch.distributed.destroy_process_group()
    return float(right.float().mean())


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    for field in fields(Config):
        flag = "--" + field.name.replace("_", "-")
        kind = Path if isinstance(field.default, Path) else type(field.default)
        parser.add_argument(flag, type=kind, default=field.default)
    config = Config(**vars(parser.parse_args()))
    device = best_device()
    accuracy = train(config, device)
    print(f"torch {torch.__version__} on {device}: accuracy {accuracy:.3f}")
