"""The training loop. One process uses one device; `torchrun` starts one for each GPU."""

from __future__ import annotations

import argparse
import os
import random
from dataclasses import fields
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, DistributedSampler

from {{ cookiecutter.package }}.config import Config
from {{ cookiecutter.package }}.data import rings
from {{ cookiecutter.package }}.model import Classifier

CHECKPOINT = "last.pt"


def best_device() -> torch.device:
    """Return the device of this process: its GPU, Apple's, or the CPU."""
    number = int(os.environ.get("LOCAL_RANK", "0"))
    # ROCm builds use the name `cuda` too.
    if torch.cuda.is_available():
        torch.cuda.set_device(number)
        return torch.device("cuda", number)
    if torch.xpu.is_available():
        torch.xpu.set_device(number)
        return torch.device("xpu", number)
    # Apple GPUs cannot train in several processes.
    if torch.backends.mps.is_available() and "WORLD_SIZE" not in os.environ:
        return torch.device("mps")
    return torch.device("cpu")


def train(config: Config, device: torch.device, *, resume: bool = False) -> float:
    """Train, write a checkpoint after each epoch, and return the accuracy on the training data.

    Args:
        config: The settings.
        device: Of this process.
        resume: Whether to resume from the last checkpoint, if there is one.
    """
    random.seed(config.seed)
    torch.manual_seed(config.seed)
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1:
        backend = {"cuda": "nccl", "xpu": "xccl"}.get(device.type, "gloo")
        torch.distributed.init_process_group(backend)
    try:
        return _train(config, device, world, resume=resume)
    finally:
        if world > 1:
            torch.distributed.destroy_process_group()


def _train(config: Config, device: torch.device, world: int, *, resume: bool) -> float:
    rank = int(os.environ.get("RANK", "0"))
    dataset = rings(config.samples, config.seed)
    # Used for one process too, so that the order depends only on the seed and the epoch.
    sampler: DistributedSampler[tuple[torch.Tensor, ...]] = DistributedSampler(
        dataset, num_replicas=world, rank=rank, seed=config.seed
    )
    loader = DataLoader(dataset, batch_size=config.batch_size, sampler=sampler)
    classifier = Classifier(config.hidden).to(device)
    optimizer = torch.optim.Adam(classifier.parameters(), lr=config.learning_rate)
    path = config.output / CHECKPOINT
    first = load(path, classifier, optimizer, device) if resume and path.exists() else 0
    model = nn.parallel.DistributedDataParallel(classifier) if world > 1 else classifier
    for epoch in range(first, config.epochs):
        sampler.set_epoch(epoch)
        for points, labels in loader:
            optimizer.zero_grad()
            scores = model(points.to(device))
            loss = nn.functional.cross_entropy(scores, labels.to(device))
            torch.autograd.backward(loss)
            optimizer.step()
        if rank == 0:
            save(path, classifier, optimizer, epoch + 1)
    points, labels = dataset.tensors
    with torch.no_grad():
        right = classifier(points.to(device)).argmax(dim=1).cpu() == labels
    return float(right.float().mean())


def save(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, epochs: int
) -> None:
    """Write a checkpoint, replacing the last one atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epochs": epochs,
    }
    unfinished = path.with_suffix(".unfinished")
    torch.save(state, unfinished)
    unfinished.replace(path)


def load(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, device: torch.device
) -> int:
    """Read a checkpoint; return how many epochs are done."""
    state = torch.load(path, map_location=device, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["epochs"])


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    for field in fields(Config):
        flag = "--" + field.name.replace("_", "-")
        kind = Path if isinstance(field.default, Path) else type(field.default)
        parser.add_argument(flag, type=kind, default=field.default)
    parser.add_argument(
        "--resume", action="store_true", help="resume from the last checkpoint"
    )
    options = vars(parser.parse_args())
    resume = options.pop("resume")
    device = best_device()
    accuracy = train(Config(**options), device, resume=resume)
    if int(os.environ.get("RANK", "0")) == 0:
        print(f"torch {torch.__version__} on {device}: accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
