from types import SimpleNamespace

import pytest
import torch

from causalablate.training.build import build
from causalablate.training.config import TrainingConfig
from causalablate.training.flops import flops_per_sample


class Linear(torch.nn.Module):
    """Three inputs to five to two outputs: 2 * 15 and 2 * 10 operations forward."""

    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(3, 5, bias=False), torch.nn.Linear(5, 2, bias=False)

    def forward(self, x, labels):
        return SimpleNamespace(loss=self.second(self.first(x)).sum())


@pytest.mark.parametrize("rows", [1, 4])
def test_products_count_forward_and_back_to_what_is_trained(rows):
    model, inputs = Linear(), {"x": torch.ones(rows, 3), "labels": torch.zeros(rows)}
    # Forward 30 + 20; back to both weights 30 + 20, and to the hidden values 20.
    assert flops_per_sample(model, inputs) == 50 + 70
    model.first.requires_grad_(False)
    assert flops_per_sample(model, inputs) == 50 + 20
    model.requires_grad_(False)
    assert flops_per_sample(model, inputs) == 50


def test_counting_leaves_no_gradient_and_a_frozen_encoder_costs_less():
    def count(**switches):
        config = TrainingConfig(name="x", model={"width": 16, "layers": 1, **switches})
        parts = build(config)
        found = flops_per_sample(parts.model, parts.source.batch(parts.model.config, 7, 0, 1, 0).inputs)
        assert all(parameter.grad is None for parameter in parts.model.parameters())
        return found

    whole = count()
    assert count(mode="coarse_only") < count(freeze=["vision"]) < whole == count()
