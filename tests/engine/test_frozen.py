import pytest
import torch
from torch import nn

from causalablate.engine.frozen import frozen


def test_a_model_is_evaluated_and_comes_back_as_it_was():
    model = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.Dropout(0.5)), nn.Linear(2, 2))
    model[1].eval()
    modes = [m.training for m in model.modules()]
    torch.manual_seed(0)
    before = torch.get_rng_state()
    with frozen(model):
        assert not any(m.training for m in model.modules())
        x = torch.ones(4, 2)
        assert torch.equal(model(x), model(x))
        assert not model(x).requires_grad
        torch.rand(3)
    assert [m.training for m in model.modules()] == modes
    assert torch.equal(before, torch.get_rng_state())


def test_it_comes_back_after_an_exception_too():
    model = nn.Dropout()
    with pytest.raises(KeyboardInterrupt), frozen(model):
        raise KeyboardInterrupt
    assert model.training
