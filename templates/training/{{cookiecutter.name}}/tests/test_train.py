from pathlib import Path

import torch

from {{ cookiecutter.package }}.config import Config
from {{ cookiecutter.package }}.model import Classifier
from {{ cookiecutter.package }}.train import train


def test_a_short_run_learns_and_leaves_a_checkpoint(tmp_path: Path) -> None:
    config = Config(epochs=10, samples=512, output=tmp_path)
    assert train(config, torch.device("cpu")) > 0.9
    state = torch.load(tmp_path / "last.pt", weights_only=True)
    Classifier(config.hidden).load_state_dict(state["model"])


def test_the_same_seed_gives_the_same_run(tmp_path: Path) -> None:
    config = Config(epochs=1, samples=128, output=tmp_path)
    first = train(config, torch.device("cpu"))
    assert train(config, torch.device("cpu")) == first


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(tmp_path: Path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    cpu = torch.device("cpu")
    train(Config(epochs=2, samples=128, output=whole), cpu)
    for epochs in (1, 2):
        train(Config(epochs=epochs, samples=128, output=halves), cpu, resume=True)
    one, two = (
        torch.load(path / "last.pt", weights_only=True) for path in (whole, halves)
    )
    assert one["epochs"] == two["epochs"] == 2
    torch.testing.assert_close(one["model"], two["model"], rtol=0, atol=0)
