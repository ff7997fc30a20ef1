import torch

from {{ cookiecutter.package }}.main import power


def test_power_of_a_small_matrix() -> None:
    assert 0.0 < power(4, torch.device("cpu")) <= 4.0
