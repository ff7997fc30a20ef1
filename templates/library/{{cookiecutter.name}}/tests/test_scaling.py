import torch

from {{ cookiecutter.package }} import standardize


def test_columns_have_mean_zero_and_deviation_one() -> None:
    scaled = standardize(torch.tensor([[0.0, 5.0], [2.0, 5.0]]))
    assert torch.allclose(scaled, torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), atol=1e-4)
